"""What a night hands to the rules behind its alerts, and what would have been said before rises of the past."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from alerts.rules.base import BY_CITIZEN, DRIVERS
from alerts.rules.origin_context import INDICATORS
from alerts.verification import Record
from alerts.verification.hindcast import EVENT_COLUMNS
from core.release import DOCUMENTED_RISES
from core.schema import check
from core.settings import SNAPSHOT, AlertSettings, Settings
from ingest.registers import events
from nightly import RealTimeData, run_alerts
from store.releases import Release
from store.vintages import VintageStore


def test_an_event_of_which_nothing_is_kept_stands_in_one_row_without_basis_or_distance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, *others = events(SNAPSHOT)
    said = pd.DataFrame([dict.fromkeys(EVENT_COLUMNS)]).assign(
        event_id=first.event_id, route_id="not this", month="nor this", horizon=1, level="warning", basis="detections",
        origin="2015-05",
    )  # fmt: skip
    nothing_frozen = cast(Record, SimpleNamespace(frozen={}))
    panel = pd.DataFrame(columns=["series_id", "time_period", "value"])
    for kept in (said, said.iloc[:0]):
        monkeypatch.setattr(run_alerts, "said_on_detections", lambda _folder, rows=kept: rows)
        found = run_alerts.known_events(nothing_frozen, panel, AlertSettings())
        check(found, DOCUMENTED_RISES)
        of_first = found[found["event_id"] == first.event_id]
        expected = (
            [[first.route_id, first.month, 1, "warning"]] if len(kept) else [[first.route_id, first.month, 0, ""]]
        )
        assert of_first[["route_id", "month", "horizon", "level"]].to_numpy().tolist() == expected
        unsaid = found[found["event_id"] != first.event_id]
        assert unsaid["event_id"].tolist() == [card.event_id for card in others]
        assert set(unsaid["basis"]) == set(unsaid["level"]) == set(unsaid["origin"]) == {""}
        assert set(unsaid["horizon"]) == {0}


def test_rules_see_counts_of_nationalities_without_the_totals_they_are_part_of() -> None:
    rows = pd.DataFrame({column: ["x", "x"] for column in BY_CITIZEN if column != "value"})
    routes = rows.assign(citizen=["_T", "SYR"], obs_value=[100.0, 40.0])
    found = run_alerts._counts_by_citizen(cast(RealTimeData, SimpleNamespace(routes=routes)))
    assert list(found.columns) == list(BY_CITIZEN)
    assert found[["citizen", "value"]].to_numpy().tolist() == [["SYR", 40.0]]


def test_rules_see_monthly_indicators_of_origin_up_to_the_last_month_that_is_over() -> None:
    target = INDICATORS[0][0]
    cells = [(target, "M", "2024-11"), (target, "M", "2024-12"), (target, "M", "2025-01"), (target, "Q", "2024-Q3"),
             ("arrivals", "M", "2024-12")]  # fmt: skip
    known = pd.DataFrame(cells, columns=["target", "freq", "time_period"]).assign(obs_value=1.0)
    for column in DRIVERS:
        if column not in {*known, "value"}:
            known[column] = "x"
    found = run_alerts._drivers(cast(RealTimeData, SimpleNamespace(known=known, date=dt.date(2025, 1, 30))))
    assert list(found.columns) == list(DRIVERS)
    assert found["time_period"].tolist() == ["2024-11", "2024-12"]


@pytest.mark.parametrize(
    ("former", "since"),
    [(None, "2025-01-31"), (dt.date(2025, 1, 1), "2025-01-01"), (dt.date(2025, 3, 1), "2025-01-31")],
)
def test_changes_are_those_since_the_former_release_and_none_where_that_release_is_of_a_later_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, former: dt.date | None, since: str
) -> None:
    asked: list[tuple[str, str, list[str]]] = []

    def revisions(_store: VintageStore, begin: dt.date, end: dt.date, exclude_sources: list[str]) -> pd.DataFrame:
        asked.append((str(begin), str(end), exclude_sources))
        return pd.DataFrame()

    monkeypatch.setattr(VintageStore, "revisions", revisions)
    release = cast(Release, SimpleNamespace(as_of=former)) if former else None
    settings = Settings(exclude_sources=["ucdp"])
    found = run_alerts.revisions_since(VintageStore(tmp_path), release, dt.date(2025, 1, 31), settings, ())
    assert found.empty
    assert asked == [(since, "2025-01-31", ["ucdp"])]
