"""Panels that the engine was not made for: drawn from the newest published figures, scored as others would."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks import other_panels
from benchmarks.other_panels import (
    PANELS,
    line_of,
    scored,
    scores_of,
)
from benchmarks.routes import HORIZONS
from forecasting import BASELINE, LEVELS
from forecasting.members import Request
from forecasting.panel import Panel, panel_from_rows
from forecasting.runs import backtest

YEARS = 6


@pytest.fixture
def panel() -> Panel:
    months = pd.period_range("2015-01", periods=12 * YEARS, freq="M").astype(str)
    rows = [
        {"series_id": f"s{number}", "time_period": month, "value": float(100 * number + 40 * (place % 12) + place % 7)}
        for number in range(1, 4)
        for place, month in enumerate(months)
    ]
    return panel_from_rows(pd.DataFrame(rows))


def test_line_holds_relative_scores_and_coverage(monkeypatch: pytest.MonkeyPatch, panel: Panel) -> None:
    def last_value(_totals: pd.DataFrame, parts: pd.DataFrame, horizon: int) -> np.ndarray:
        return np.full((1, horizon, len(LEVELS)), parts.iloc[-1, 0])

    monkeypatch.setattr(other_panels, "PEERS", dict.fromkeys(other_panels.TOGETHER, last_value))
    published = replace(PANELS[0], what="made up", series=3, periods=72)
    own = backtest(Request.of(panel, None, [BASELINE], HORIZONS), origins=12, step=1).table
    frames = scored(panel, [own, own, own])
    line = line_of(published, [frames])
    assert line[0] == "made up; 3 × 72, 24 origins"
    ratios = [float(ratio) for ratio in line[1].split(" / ")]
    assert ratios[0] == ratios[1] < 1
    assert ratios[2:] == [1, 1]
    scores = scores_of(own, panel)
    assert line[3].startswith(f"{scores[50].mean():.2f}/")
    assert line[3].endswith(f"({len(scores)})")
    assert not scores["small"].any()
    assert line[4] == "–"
