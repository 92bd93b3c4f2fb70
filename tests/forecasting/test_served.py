"""What is served is what is scored: an origin's forecast is the same however it is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecasting import BASELINE, ENSEMBLE, panel
from forecasting.panel import Panel, read_panel
from forecasting.quantiles import to_rows
from forecasting.runs import backtest_file, forecast_file

ROW = ["model_id", "series_id", "origin_date", "horizon", "output_type_id"]
MONTHS = 75
TOGETHER = "ensemble,baseline"

pytestmark = pytest.mark.usefixtures("quick_engine")


def world(count: int) -> Panel:
    """Two totals of parts, of which some begin late, end early or have gaps."""
    random = np.random.default_rng(5)
    season = 0.7 * np.sin(2 * np.pi * np.arange(MONTHS) / 12)[:, None]
    walk = 0.2 * random.standard_normal((MONTHS, count)).cumsum(axis=0)
    values = np.round(np.exp(random.uniform(1, 6, count) + season + walk))
    values[:40, 1], values[50:, 2], values[20:60:7, 3], values[-2:, 4] = np.nan, np.nan, np.nan, np.nan
    months = pd.period_range("2015-01", periods=MONTHS, freq="M").astype(str)
    names = [f"p{number:02d}" for number in range(count)]
    long = pd.DataFrame(values, index=months, columns=names).rename_axis("time_period").reset_index()
    rows = long.melt("time_period", var_name="series_id").dropna()
    return read_panel(rows.assign(route_id=np.where(rows["series_id"] < "p03", "first", "second")))


def written(one: Panel, path: Path) -> Path:
    one.long().to_csv(path, index=False)
    return path


def quantiles(table: pd.DataFrame) -> pd.Series:
    return table.set_index(ROW)["value"].map(np.log1p).sort_index()


@pytest.mark.slow
def test_present_forecast_is_one_that_backtest_scores(tmp_path: Path) -> None:
    whole, totals = world(22), "route_id"
    known = Panel("M", whole.matrix.iloc[:-1], whole.groups)
    later = backtest_file(
        written(whole, tmp_path / "whole.csv"), origins=2, horizons=[1, 3], models=TOGETHER, totals=totals, workers=1
    )
    now = forecast_file(written(known, tmp_path / "known.csv"), horizon=3, models=TOGETHER, totals=totals, workers=1)
    scored, served = quantiles(to_rows(later.table)), quantiles(to_rows(now.table))
    both = scored.index.intersection(served.index)
    assert set(both.get_level_values("model_id")) == {ENSEMBLE, BASELINE}
    assert both.get_level_values("series_id").nunique() >= 20
    np.testing.assert_allclose(served[both], scored[both], rtol=0, atol=1e-6)


@pytest.mark.slow
def test_large_panel_is_not_calibrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel, "LARGEST_JUDGED", 4)
    whole = world(5)
    later = backtest_file(written(whole, tmp_path / "whole.csv"), origins=3, horizons=[1], totals="route_id", workers=1)
    known = replace(whole, matrix=whole.matrix.iloc[:-1])
    now = forecast_file(written(known, tmp_path / "known.csv"), horizon=1, totals="route_id", workers=1)
    scored, served = quantiles(to_rows(later.table)), quantiles(to_rows(now.table))
    both = scored.index.intersection(served.index)
    parts = now.table.keys[now.table.keys["series_id"].str.startswith("p") & (now.table.keys["model_id"] == ENSEMBLE)]
    assert (parts["spread_factor"] == 1.0).all()
    np.testing.assert_allclose(served[both], scored[both], rtol=0, atol=1e-6)
