"""What a night brings to the hub."""

from __future__ import annotations

import datetime as dt
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from core.errors import StoreError
from core.release import FORECASTS, RELEASE
from hub import night as hub
from hub.night import HUB_SOURCE, _counting, brought, collect_night, hub_of_night
from nightly import RealTimeData
from store.hub import Edition
from store.journal import Journal


def test_own_figures_night_keeps_days_as_days() -> None:
    series = "arrivals.X_CEUTA_BY_LAND._T._T.M"
    months = pd.DataFrame({"series_id": [series], "time_period": ["2024-12"], "value": [12.0]})
    published = months.rename(columns={"value": "obs_value"}).assign(as_of=pd.Timestamp("2025-01-10"), freq="M")
    data = SimpleNamespace(outcome_panel=SimpleNamespace(long=lambda: months), published=published)
    states = {name: RELEASE[name].empty() for name in ("asylum_series", "asylum_forecasts")}
    nothing = FORECASTS.empty()
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        _hindcasts, counts = brought(cast(RealTimeData, data), nothing, states, nothing)
    assert counts["series_id"].tolist() == [series]
    assert {str(counts[name].dtype) for name in ("target_end_date", "as_of")} == {"datetime64[ns]"}


def edition(number: int, *, late: bool, model_id: str = "a-b", round_id: str = "2024-11-30") -> Edition:
    return Edition(
        model_id, round_id, f"{number}", f"{number}.csv", dt.date(2024, 12, 1 + number), late, "a hub", number
    )


@pytest.mark.parametrize(
    ("lates", "counts"),
    [
        ([False], 0), ([False, False], 1), ([False, True], 0), ([True, True], 1), ([True, False], 1),
        ([False, True, False], 2),
    ],
)  # fmt: skip
def test_of_round_last_submission_in_time_counts_and_else_last(lates: list[bool], counts: int) -> None:
    came = [edition(number, late=late) for number, late in enumerate(lates)]
    assert [one.number for one in _counting(came)] == [counts]
    other = edition(9, late=True, model_id="c-d")
    assert _counting([*came, other])[1:] == [other]


def test_unreachable_hub_is_named_at_no_other_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreError("the hub does not answer")

    monkeypatch.setattr(hub, "collect", fail)
    monkeypatch.setattr(hub, "hub_tables", fail)
    monkeypatch.setattr(hub, "brought", lambda *_: (None, None))
    today = dt.date(2025, 1, 31)
    assert collect_night("", tmp_path, cast(Journal, None), today) == []
    (problem,) = collect_night("/no/hub", tmp_path, cast(Journal, None), today)
    assert (problem["source_id"], problem["reason"]) == (HUB_SOURCE, "the hub does not answer")
    data = cast(RealTimeData, SimpleNamespace(date=today))
    tables, faults = hub_of_night(tmp_path, data, pd.DataFrame(), {}, pd.DataFrame())
    assert faults == [problem]
    assert set(tables) == {"hub_models", "hub_editions", "hub_forecasts", "hub_scores"}
    assert all(table.empty for table in tables.values())
