"""The evaluation's time is measured on the same panel with and without its newest month."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import evaluation_speed
from benchmarks.evaluation_speed import steps
from benchmarks.scaling import Cost
from benchmarks.shared import engine
from forecasting.panel import Panel, read_panel


def parts() -> Panel:
    months = pd.period_range("2020-01", periods=30, freq="M")
    matrix = pd.DataFrame(np.arange(60.0).reshape(30, 2), index=months, columns=["one|AAA", "two|AAA"])
    return Panel("M", matrix, pd.DataFrame({"route_id": ["one", "two"]}, index=matrix.columns))


def test_one_month_is_held_back_and_comes_with_its_totals_column(tmp_path: Path) -> None:
    files = [Path(words[words.index("--panel") + 1]) for _, words in steps(tmp_path, parts())]
    before, newest, again = (read_panel(path) for path in files)
    assert files[1] == files[2]
    assert newest.periods[-1] == before.periods[-1] + 1
    assert newest.matrix.iloc[:-1].to_numpy().tolist() == before.matrix.to_numpy().tolist()
    assert again.groups["route_id"].tolist() == ["one", "two"]


def test_the_table_tells_clock_processor_and_memory_of_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation_speed, "published_files", Path)
    monkeypatch.setattr(evaluation_speed, "dense_parts", lambda _folder: parts())
    monkeypatch.setattr(evaluation_speed, "cost_of", lambda _command: Cost(545.4, 990.2, 2600 * 2**20))
    lines, _is_well = evaluation_speed.section(argparse.Namespace())
    assert lines[0] == engine()
    assert "2 nationalities by route and 2 routes" in lines[1]
    assert lines[-1] == "| the whole evaluation again with that month | 545 s | 990 | 2,600 MiB |"
