"""Panels that the engine was not made for: drawn from the newest published figures, scored as others would."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from benchmarks import other_panels
from benchmarks.other_panels import (
    PANELS,
    line_of,
    panel_of,
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


def test_series_are_drawn_from_those_known_in_every_month(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    months = [f"2020-{month:02d}" for month in range(1, 13)]
    figures = [
        {
            "series_id": name, "time_period": month, "obs_value": size, "target": "flow", "freq": "M", "route_id": "_Z",
            "geo": "AUT", "citizen": name, "as_of": "2021-01-01",
        }
        for name, size, known in (("whole", 9.0, months), ("gap", 9.0, months[:-1]), ("small", 1.0, months))
        for month in known
    ]  # fmt: skip
    (tmp_path / "any").write_bytes(b"any")
    source = SimpleNamespace(parse=lambda _raw: SimpleNamespace(observations=pd.DataFrame(figures)))
    monkeypatch.setattr(other_panels, "SOURCES", {"source": source})
    published = replace(PANELS[0], files={"source": ("any",)}, target="flow", end="2020-12", periods=12, series=2)
    assert panel_of(published, tmp_path).series_ids == ["whole"]


def test_months_are_added_up_to_quarters_that_are_known_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    figures = pd.DataFrame(
        {
            "series_id": name, "time_period": month, "obs_value": 3.0, "target": "flow", "freq": "M", "route_id": "_Z",
            "geo": "AUT", "citizen": name, "as_of": "2021-01-01",
        }
        for name, first in (("whole", 1), ("late", 2))
        for month in [f"2020-{month:02d}" for month in range(first, 9)]
    )  # fmt: skip
    (tmp_path / "any").write_bytes(b"any")
    source = SimpleNamespace(parse=lambda _raw: SimpleNamespace(observations=figures))
    monkeypatch.setattr(other_panels, "SOURCES", {"source": source})
    published = replace(
        PANELS[0], files={"source": ("any",)}, target="flow", end="2020-Q2", periods=2, smallest=0.0, freq="Q"
    )
    assert panel_of(published, tmp_path).matrix.to_dict("list") == {"whole": [9.0, 9.0]}


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
