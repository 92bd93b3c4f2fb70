"""What a night hands to the rules behind its alerts, and what would have been said before rises of the past."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from alerts import BY_CITIZEN, DRIVERS
from alerts.rules.origin_context import INDICATORS
from core.settings import Settings
from nightly import RealTimeData, tables
from store.figures import VintageStore
from store.releases import Release


def test_rules_see_nationalities_without_totals() -> None:
    rows = pd.DataFrame({column: ["x", "x"] for column in BY_CITIZEN if column != "value"})
    routes = rows.assign(citizen=["_T", "SYR"], obs_value=[100.0, 40.0])
    found = tables._counts_by_citizen(cast(RealTimeData, SimpleNamespace(routes=routes)))
    assert list(found.columns) == list(BY_CITIZEN)
    assert found[["citizen", "value"]].to_numpy().tolist() == [["SYR", 40.0]]


def test_rules_see_indicators_of_ended_months() -> None:
    target = INDICATORS[0][0]
    cells = [(target, "M", "2024-11"), (target, "M", "2024-12"), (target, "M", "2025-01"), (target, "Q", "2024-Q3"),
             ("arrivals", "M", "2024-12")]  # fmt: skip
    known = pd.DataFrame(cells, columns=["target", "freq", "time_period"]).assign(obs_value=1.0)
    for column in DRIVERS:
        if column not in {*known, "value"}:
            known[column] = "x"
    found = tables._drivers(cast(RealTimeData, SimpleNamespace(known=known, date=dt.date(2025, 1, 30))))
    assert list(found.columns) == list(DRIVERS)
    assert found["time_period"].tolist() == ["2024-11", "2024-12"]


@pytest.mark.parametrize(
    ("former", "since"),
    [(None, "2025-01-31"), (dt.date(2025, 1, 1), "2025-01-01"), (dt.date(2025, 3, 1), "2025-01-31")],
)
def test_changes_are_since_former_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, former: dt.date | None, since: str
) -> None:
    asked: list[tuple[str, str, bool]] = []

    def revisions(_store: VintageStore, begin: dt.date, end: dt.date, exclude_sources: list[str]) -> pd.DataFrame:
        asked.append((str(begin), str(end), "ucdp" in exclude_sources))
        return pd.DataFrame()

    monkeypatch.setattr(VintageStore, "revisions", revisions)
    release = cast(Release, SimpleNamespace(as_of=former)) if former else None
    settings = Settings(exclude_sources=["ucdp"])
    found = tables.revisions_since(VintageStore(tmp_path), release, dt.date(2025, 1, 31), settings, ())
    assert found.empty
    assert asked == [(since, "2025-01-31", True)]
