"""What a night brings to the hub."""

from __future__ import annotations

import datetime as dt
import warnings
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest

from core.release import FORECASTS, RELEASE
from forecasting.quantiles import QuantileTable
from nightly import RealTimeData
from nightly.asylum import Asylum
from nightly.hub_tables import _closed, _counting, _models, _own_name, brought, designated
from store.hub import Edition


def test_a_night_of_own_figures_alone_brings_counts_whose_days_are_days() -> None:
    series = "arrivals.X_CEUTA_BY_LAND._T._T.M"
    months = pd.DataFrame({"series_id": [series], "time_period": ["2024-12"], "value": [12.0]})
    published = months.rename(columns={"value": "obs_value"}).assign(as_of=pd.Timestamp("2025-01-10"), freq="M")
    data = SimpleNamespace(outcome_panel=SimpleNamespace(long=lambda: months), published=published)
    states = {name: RELEASE[name].empty() for name in ("asylum_series", "asylum_forecasts")}
    nothing = FORECASTS.empty()
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        _hindcasts, counts = brought(cast(RealTimeData, data), nothing, Asylum(states, nothing, nothing, []))
    assert counts["series_id"].tolist() == [series]
    assert {str(counts[name].dtype) for name in ("target_end_date", "as_of")} == {"datetime64[ns]"}


def edition(number: int, *, late: bool, model_id: str = "a-b", round_id: str = "2024-11-30") -> Edition:
    return Edition(
        model_id, round_id, f"{number}", f"{number}.csv", dt.date(2024, 12, 1 + number), late, "a hub", number
    )


@pytest.mark.parametrize(
    ("lates", "counts"),
    [
        ([False], 0),
        ([False, False], 1),
        ([False, True], 0),
        ([True, True], 1),
        ([True, False], 1),
        ([False, True, False], 2),
    ],
)
def test_of_a_round_the_last_submission_in_time_counts_and_else_the_last(lates: list[bool], counts: int) -> None:
    came = [edition(number, late=late) for number, late in enumerate(lates)]
    assert [one.number for one in _counting(came)] == [counts]
    other = edition(9, late=True, model_id="c-d")
    assert _counting([*came, other])[1:] == [other]


def test_teams_designate_models_beside_vigie_s_own_two() -> None:
    about = {"a-b": {"designated_model": True}, "a-c": {"designated_model": False}, "a-d": {}}
    assert designated(about) == {"a-b", "vigie-ensemble", "vigie-baseline"}


@pytest.mark.parametrize(
    ("series_id", "origin", "day", "closed"),
    [
        ("arrivals.CMR._T._T.M", "2024-11-30", "2024-12-30", False),
        ("arrivals.CMR._T._T.M", "2024-11-30", "2024-12-31", True),
        ("arrivals.CHA.GBR._T.W", "2024-12-01", "2024-12-06", False),
        ("arrivals.CHA.GBR._T.W", "2024-12-01", "2024-12-07", True),
    ],
)
def test_a_round_is_replayed_once_it_is_closed(series_id: str, origin: str, day: str, *, closed: bool) -> None:
    keys = pd.DataFrame({"series_id": [series_id], "origin_date": pd.to_datetime([origin])})
    left = _closed(QuantileTable(keys, np.zeros((1, 23))), dt.date.fromisoformat(day))
    assert len(left.keys) == int(closed)


def test_vigie_s_models_have_their_own_names_and_other_teams_keep_theirs() -> None:
    assert _own_name("vigie-seasonal_walk") == "vigie-seasonal-walk"
    assert _own_name("team-seasonal_walk") == "team-seasonal_walk"
    found = _models({"a-b": {"team_name": "A", "license": "CC0-1.0", "designated_model": True}, "hub-median": {}})
    own = found[found["model_id"] == "a-b"].iloc[0]
    assert (own["model_name"], own["licence"], own["designated"]) == ("a-b", "CC0-1.0", True)
    assert found["model_id"].is_unique
    assert not found[found["team_name"] == "Hub"]["designated"].any()
