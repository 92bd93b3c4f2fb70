"""Panels that the engine was not made for: their figures are the newest published, their scores the ensemble's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from benchmarks import other_panels
from benchmarks.other_panels import PANELS, lines_of, panel_of, scores_of
from forecasting.panel import Panel, panel_from_rows
from ingest.catalogue import SOURCES

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


def test_every_panel_is_read_by_a_source_that_there_is() -> None:
    assert {one.source_id for one in PANELS} <= set(SOURCES)


def test_of_a_figure_in_several_files_the_last_one_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def observations(name: str) -> pd.DataFrame:
        months = ["2020-01", "2020-02"] if name == "old" else ["2020-02", "2020-03"]
        return pd.DataFrame(
            {
                "series_id": "flow", "time_period": months, "obs_value": 1.0 + (name == "new"), "target": "flow",
                "freq": "M", "route_id": "_Z", "geo": "AUT", "citizen": "_T", "as_of": "2021-01-01",
            }
        )  # fmt: skip

    for name in ("old", "new"):
        (tmp_path / name).write_bytes(b"any")
    source = SimpleNamespace(parse=lambda raw: SimpleNamespace(observations=observations(raw.name)))
    monkeypatch.setattr(other_panels, "SOURCES", {"source": source})
    published = replace(PANELS[0], source_id="source", files=("old", "new"), target="flow")
    assert panel_of(published, tmp_path).matrix["flow"].tolist() == [1.0, 2.0, 2.0]


def test_the_table_has_the_ensemble_at_every_horizon_and_names_the_panel_once(panel: Panel) -> None:
    published = replace(PANELS[0], what="made up", origins=12, horizons=(1, 3))
    scores = scores_of(published, panel)
    lines = lines_of(published, panel, scores, 2.0)
    assert [line.split(" | ")[1] for line in lines] == ["1", "3"]
    assert lines[0].startswith("| made up; 3 series of 72 periods, 12 origins, 2 s |")
    assert lines[1].startswith("|  | 3 |")
    log = scores[(scores["scale"] == "log") & (scores["horizon"] == 1)]["relative_wis"].item()
    assert f"| {log:.3f} [" in lines[0]
    assert log < 1
