"""What a night brings to the hub."""

from __future__ import annotations

import datetime as dt
import warnings
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest

from core.errors import StoreError
from core.release import FORECASTS, RELEASE
from core.settings import FEED
from forecasting import LEVELS
from forecasting.quantiles import QuantileTable, stack, to_rows
from nightly import RealTimeData, hub_tables
from nightly.asylum import Asylum
from nightly.hub import HUB_SOURCE
from nightly.hub_tables import (
    IN_TIME,
    REPLAY,
    _closed,
    _counting,
    _models,
    _not_in,
    _own_name,
    _shown,
    _timed,
    brought,
    collect_night,
    designated,
    hub_of_night,
    with_own,
)
from store.hub import Edition
from store.journal import Journal


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


def test_vigie_is_replayed_in_the_rounds_of_others_alone_and_never_where_it_was_submitted() -> None:
    theirs = _timed(forecasts("a-b", "2024-10-31", "2024-11-30"), IN_TIME)
    submitted = _timed(forecasts("vigie-ensemble", "2024-11-30", value=5.0), IN_TIME)
    own = to_rows(forecasts("vigie-ensemble", "2024-09-30", "2024-10-31", "2024-11-30", value=9.0))
    found = with_own(stack([theirs, submitted]), own, NO_COUNTS)
    mine = found.keys["model_id"] == "vigie-ensemble"
    told = found.keys[mine].assign(value=found.quantiles[mine.to_numpy(), 0]).sort_values("origin_date")
    assert told["origin_date"].dt.strftime("%Y-%m").tolist() == ["2024-10", "2024-11"]
    assert told["value"].tolist() == [9.0, 5.0]
    assert told["timing"].tolist() == [REPLAY, IN_TIME]
    assert len(with_own(theirs, own.iloc[:0], NO_COUNTS).keys) == 2, "a night without forecasts brings none"


def test_an_ensemble_of_the_hub_is_made_only_for_tasks_for_which_it_was_not_handed_in() -> None:
    handed_in = forecasts("hub-median", "2024-10-31")
    made = forecasts("hub-median", "2024-10-31", "2024-11-30")
    assert _not_in(handed_in, made).keys["origin_date"].tolist() == [pd.Timestamp("2024-11-30")]


def test_vigie_s_replays_of_routes_are_not_shown_twice_and_everything_else_is() -> None:
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


def test_no_hub_is_asked_where_none_is_set_and_a_fault_of_one_is_named_and_costs_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("the hub does not answer")

    monkeypatch.setattr(hub_tables, "collect", fail)
    monkeypatch.setattr(hub_tables, "hub_tables", fail)
    monkeypatch.setattr(hub_tables, "brought", lambda *_: (None, None))
    today = dt.date(2025, 1, 31)
    assert collect_night("", tmp_path, today) == []
    (told,) = collect_night("/no/hub", tmp_path, today)
    assert (told["source_id"], told["reason"]) == (HUB_SOURCE, "the hub does not answer")
    data = cast(RealTimeData, SimpleNamespace(date=today))
    tables, faults = hub_of_night(tmp_path, data, pd.DataFrame(), cast(Asylum, None))
    assert faults == [told]
    assert set(tables) == {"hub_models", "hub_editions", "hub_forecasts", "hub_scores"}
    assert all(table.empty for table in tables.values())


def test_files_of_a_hub_are_told_before_they_are_written_and_one_too_large_or_outside_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[set[str], bool]] = []
    out = tmp_path / FEED / "hub"

    def tell(_journal: object, files: dict[str, str], *_action: str) -> None:
        told.append((set(files), (out / "new.csv").exists()))

    monkeypatch.setattr(hub_tables, "tell_published", tell)
    monkeypatch.setattr(hub_tables, "LARGEST_FILE", 5)
    out.mkdir(parents=True)
    (out / "same.csv").write_bytes(b"same")
    (out / "other.csv").write_bytes(b"old")
    before = (out / "same.csv").stat().st_ino
    files = {
        "new.csv": b"12345",
        "large.csv": b"123456",
        "../outside.csv": b"1",
        "same.csv": b"same",
        "other.csv": b"n",
    }
    given = {name: partial(bytes, content) for name, content in files.items()}
    hub_tables.publish_files(tmp_path, cast(Journal, None), given)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {
        "new.csv": b"12345", "same.csv": b"same", "other.csv": b"n",
    }  # fmt: skip
    assert not (tmp_path / FEED / "out.csv").exists()
    assert (out / "same.csv").stat().st_ino == before, "what is there as it should be is not written again"
    assert told == [({"hub/new.csv", "hub/same.csv", "hub/other.csv"}, written) for written in (False, True)]
