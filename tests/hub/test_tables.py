"""The hub's tables of a release: rounds that are closed, names, replays, what is shown."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from forecasting import LEVELS
from forecasting.quantiles import QuantileTable, stack, to_rows
from hub.score import IN_TIME, REPLAY, _bare, _closed, _models, _shown, _timed, with_own


@pytest.mark.parametrize(
    ("series_id", "origin", "day", "closed"),
    [
        ("arrivals.CMR._T._T.M", "2024-11-30", "2024-12-30", False),
        ("arrivals.CMR._T._T.M", "2024-11-30", "2024-12-31", True),
        ("arrivals.CHA.GBR._T.W", "2024-12-01", "2024-12-06", False),
        ("arrivals.CHA.GBR._T.W", "2024-12-01", "2024-12-07", True),
    ],
)
def test_round_is_replayed_once_it_is_closed(series_id: str, origin: str, day: str, *, closed: bool) -> None:
    keys = pd.DataFrame({"series_id": [series_id], "origin_date": pd.to_datetime([origin])})
    left = _closed(QuantileTable(keys, np.zeros((1, 23))), dt.date.fromisoformat(day))
    assert len(left.keys) == int(closed)


def test_own_models_have_own_names() -> None:
    named = [_bare(forecasts(f"{team}-seasonal_walk", "2024-11-30")).keys["model_id"].item() for team in ("vigie", "a")]
    assert named == ["vigie-seasonal-walk", "a-seasonal_walk"]
    found = _models({"a-b": {"team_name": "A", "license": "CC0-1.0", "designated_model": True}, "hub-median": {}})
    own = found[found["model_id"] == "a-b"].iloc[0]
    assert (own["model_name"], own["licence"], own["designated"]) == ("a-b", "CC0-1.0", True)
    assert found["model_id"].is_unique
    assert not found[found["team_name"] == "Hub"]["designated"].any()


NO_COUNTS = pd.DataFrame({"series_id": [], "target_end_date": [], "value": [], "as_of": []})


def forecasts(
    model_id: str, *rounds: str, series_id: str = "arrivals.CMR._T._T.M", value: float = 1.0
) -> QuantileTable:
    """A month ahead from some rounds, all quantiles alike."""
    origins = pd.to_datetime(list(rounds))
    keys = pd.DataFrame({
        "model_id": model_id, "series_id": series_id, "origin_date": origins, "horizon": 1,
        "target_end_date": origins + pd.offsets.MonthEnd(1),
    })  # fmt: skip
    return QuantileTable(keys, np.full((len(keys), len(LEVELS)), value))


def test_replays_fill_only_foreign_rounds() -> None:
    theirs = _timed(forecasts("a-b", "2024-10-31", "2024-11-30"), IN_TIME)
    submitted = _timed(forecasts("vigie-ensemble", "2024-11-30", value=5.0), IN_TIME)
    own = to_rows(forecasts("vigie-ensemble", "2024-09-30", "2024-10-31", "2024-11-30", value=9.0))
    found = with_own(stack([theirs, submitted]), own, NO_COUNTS)
    mine = found.keys["model_id"] == "vigie-ensemble"
    replays = found.keys[mine].assign(value=found.quantiles[mine.to_numpy(), 0]).sort_values("origin_date")
    assert replays["origin_date"].dt.strftime("%Y-%m").tolist() == ["2024-10", "2024-11"]
    assert replays["value"].tolist() == [9.0, 5.0]
    assert replays["timing"].tolist() == [REPLAY, IN_TIME]
    assert len(with_own(theirs, own.iloc[:0], NO_COUNTS).keys) == 2, "a night without forecasts brings none"


def test_route_replays_are_not_shown_twice() -> None:
    months, weeks = "arrivals.CMR._T._T.M", "arrivals.CHA.GBR._T.W"
    parts = [
        _timed(forecasts(model_id, "2024-10-31", series_id=series_id), timing)
        for model_id, series_id, timing in (
            ("vigie-ensemble", months, REPLAY), ("vigie-ensemble", months, IN_TIME), ("vigie-ensemble", weeks, REPLAY),
            ("a-b", months, REPLAY),
        )
    ]  # fmt: skip
    nothing = pd.Series(dtype=float, index=pd.MultiIndex.from_arrays([[], pd.DatetimeIndex([])]))
    shown = _shown(stack(parts), nothing)
    assert shown[["model_id", "series_id", "timing"]].to_numpy().tolist() == [
        ["vigie-ensemble", months, IN_TIME], ["vigie-ensemble", weeks, REPLAY], ["a-b", months, REPLAY],
    ]  # fmt: skip
