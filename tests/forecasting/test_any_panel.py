"""Any frequency, any length, one series or many: seasons are a year of the panel's own periods, nothing is tuned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import FloatArray
from core.calendar import PERIODS_PER_YEAR, Frequency, pandas_frequency, write_period
from core.release import FORECASTS
from core.schema import check
from forecasting.panel import Panel, read_panel
from forecasting.verification import score_rows

from .frames import run_backtest, run_forecast

STARTS = {"D": "2023-01-02", "W": "2018-01-07", "M": "2012-01-31", "Q": "2006-03-31", "A": "1985-12-31"}


def write_panel(folder: Path, freq: Frequency, values: FloatArray) -> Path:
    """A panel of the columns of ``values`` (periods × series), gaps as NaN, all in one group."""
    calendar = pd.period_range(pd.Period(STARTS[freq], pandas_frequency(freq)), periods=len(values))
    names = [f"s{number:02d}" for number in range(values.shape[1])]
    frame = pd.DataFrame(values, index=[write_period(period, freq) for period in calendar], columns=names)
    rows = frame.rename_axis("time_period").reset_index().melt("time_period", var_name="series_id").dropna()
    path = folder / f"{freq}.csv"
    rows.assign(route_id="all").to_csv(path, index=False)
    return path


def seasonal(freq: Frequency, periods: int, series: int, *, noise: float, seed: int = 6) -> FloatArray:
    """Counts with a yearly season (for days a weekly one), a wandering level and noise; periods × series."""
    random = np.random.default_rng(seed)
    season = 7 if freq == "D" else PERIODS_PER_YEAR[freq]
    wave = 0.8 * np.sin(2 * np.pi * np.arange(periods) / season)[:, None] if season > 1 else 0.0
    walk = 0.3 / np.sqrt(max(season, 4)) * random.standard_normal((periods, series)).cumsum(axis=0)
    level = random.uniform(3.5, 7, series)
    counts: FloatArray = np.round(np.exp(level + wave + walk + noise * random.standard_normal((periods, series))))
    return counts


@pytest.mark.parametrize(
    ("freq", "periods", "first_target"),
    [
        ("D", 60, "2023-03-03"),
        ("W", 120, "2020-04-26"),
        ("M", 40, "2015-05-31"),
        ("Q", 40, "2016-03-31"),
        ("A", 30, "2015-12-31"),
    ],
)
def test_every_frequency_is_forecast_on_its_own_calendar(
    freq: Frequency, periods: int, first_target: str, tmp_path: Path
) -> None:
    path = write_panel(tmp_path, freq, seasonal(freq, periods, 2, noise=0.1))
    made = check(run_forecast(path, horizon=2, models="seasonal-walk,ets,snaive,baseline", workers=1), FORECASTS)
    assert made["target_end_date"].min() == pd.Timestamp(first_target)
    assert np.isfinite(made["value"]).all()
    fallen = made[made["fallback"]]
    assert set(fallen["model_id"]) <= {"vigie-snaive"}


@pytest.mark.parametrize("freq", list(STARTS))
def test_ten_values_are_forecast_by_models_and_not_by_baseline(freq: Frequency, tmp_path: Path) -> None:
    path = write_panel(tmp_path, freq, seasonal(freq, 10, 2, noise=0.2))
    made = run_forecast(path, horizon=12, models="ensemble,baseline", workers=1)
    own, base = (made[made["model_id"] == f"vigie-{name}"] for name in ("ensemble", "baseline"))
    assert not own["fallback"].any()
    assert not np.allclose(own["value"], base["value"], rtol=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("freq", "periods", "horizon", "step", "model"),
    [("Q", 60, 2, 2, "ets"), ("W", 230, 13, 8, "structural"), ("W", 230, 13, 8, "snaive")],
)
def test_models_that_know_season_see_it_at_panels_own_frequency(
    freq: Frequency, periods: int, horizon: int, step: int, model: str, tmp_path: Path
) -> None:
    path = write_panel(tmp_path, freq, seasonal(freq, periods, 3, noise=0.05))
    models = f"{model},seasonal-walk,baseline"
    made = run_backtest(path, origins=9, step=step, horizons=[horizon], models=models, workers=1)
    losses = score_rows(made, panel_of(path)).groupby("model_id")["wis_log"].mean()
    relative = losses / losses["vigie-baseline"]
    assert relative[f"vigie-{model}"] < 0.8
    assert relative["vigie-seasonal-walk"] < 0.85


def _covered_over_a_year(folder: Path) -> float:
    """What 80 % intervals of the seasonal walk hold by week: on roots they are wide in one season, narrow in others."""
    path = write_panel(folder, "W", seasonal("W", 210, 44, noise=0.2))
    made = run_backtest(path, origins=6, step=9, horizons=[1], models="seasonal-walk", workers=1)
    scored = score_rows(made, panel_of(path))
    return float(scored.loc[scored["model_id"] == "vigie-seasonal-walk", "covered_80"].mean())


@pytest.mark.slow
@pytest.mark.parametrize("freq", ["W", "Q"])
def test_pooled_coverage_holds_at_other_frequencies(freq: Frequency, tmp_path: Path) -> None:
    periods, series = (150, 44) if freq == "W" else (60, 60)
    path = write_panel(tmp_path, freq, seasonal(freq, periods, series, noise=0.2))
    made = run_backtest(path, origins=6, step=1, horizons=[1], models="pooled,seasonal-walk,baseline", workers=1)
    assert not made["fallback"].any()
    scored = score_rows(made, panel_of(path))
    inside = scored.groupby("model_id")["covered_80"].mean()
    if freq == "W":
        inside["vigie-seasonal-walk"] = _covered_over_a_year(tmp_path)
    assert inside.between(0.68, 0.93).all(), inside
    losses = scored.groupby("model_id")["wis_log"].mean()
    assert losses["vigie-pooled"] < losses["vigie-baseline"]


def panel_of(path: Path) -> Panel:
    return read_panel(pd.read_csv(path).astype({"time_period": str, "value": float}))
