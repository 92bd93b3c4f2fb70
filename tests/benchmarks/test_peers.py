"""Peers see nothing beyond an origin, and their forecasts are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import peers
from core.progress import silent
from forecasting import LEVELS
from forecasting.panel import Panel, panel_from_rows
from forecasting.quantiles import QuantileTable

MONTHS = 30


@pytest.fixture
def parts() -> Panel:
    months = pd.period_range("2020-01", periods=MONTHS, freq="M").astype(str)
    rows = [
        {"series_id": f"{route}|{citizen}", "time_period": month, "value": 10.0 * size + place, "route_id": route}
        for route, citizen, size in (("one", "AAA", 1), ("one", "BBB", 2), ("two", "AAA", 3))
        for place, month in enumerate(months)
    ]
    return panel_from_rows(pd.DataFrame(rows))


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[pd.DataFrame]:
    """A peer that forecasts its last value, and every history that it was shown."""
    shown: list[pd.DataFrame] = []

    def last_value(totals: pd.DataFrame, pieces: pd.DataFrame, horizon: int) -> np.ndarray:
        shown.append(totals)
        assert pieces.index[-1] == totals.index[-1]
        spread = np.linspace(-1, 1, len(LEVELS))
        return np.repeat((totals.iloc[-1].to_numpy()[:, None] + spread)[:, None, :], horizon, axis=1)

    monkeypatch.setattr(peers, "PEERS", {"last value": last_value})
    return shown


def table(parts: Panel, cache: Path, scale: str = "counts") -> QuantileTable:
    return peers.peer_table("last value", scale, parts, origins=5, cache=cache, report=silent)


def test_peer_is_shown_nothing_after_its_origin(parts: Panel, seen: list[pd.DataFrame], tmp_path: Path) -> None:
    made = table(parts, tmp_path)
    ends = [history.index[-1].end_time.normalize() for history in seen]
    assert ends == list(parts.end_dates[-6:-1])
    assert sorted(set(made.keys["origin_date"])) == ends


def test_log1p_peer_returns_counts(parts: Panel, seen: list[pd.DataFrame], tmp_path: Path) -> None:
    made = table(parts, tmp_path, "log1p")
    totals = parts.matrix.T.groupby(parts.groups["route_id"]).sum().T
    np.testing.assert_allclose(seen[0].to_numpy(), np.log1p(totals.iloc[:-5].to_numpy()))
    assert made.quantiles.max() > 200
