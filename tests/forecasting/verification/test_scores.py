"""Scores against slow, independent implementations of the same definitions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import QUANTILE_LEVELS
from core.errors import SchemaError
from core.release import RELEASE
from core.schema import check
from forecasting.ensemble import combine
from forecasting.panel import Panel, read_panel
from forecasting.quantiles import QuantileTable, to_rows
from forecasting.verification import covered, pit_histogram, score_rows, summarise

from ..frames import backtest


@pytest.fixture(scope="module")
def made(small_panel: Panel) -> pd.DataFrame:
    models = ["vigie-baseline", "vigie-seasonal-walk", "vigie-snaive"]
    return backtest(small_panel, origins=30, step=1, horizons=[1, 3, 6], models=models)


def pinball_by_hand(observed: float, quantiles: list[float]) -> float:
    total = 0.0
    for level, value in zip(QUANTILE_LEVELS, quantiles, strict=True):
        total += level * (observed - value) if observed >= value else (1 - level) * (value - observed)
    return 2 * total / len(QUANTILE_LEVELS)


def oracle(panel: Panel, forecasts: pd.DataFrame, model_id: str, horizon: int) -> dict[str, float]:
    """The reference scorer's definition, written as a plain loop over forecasts."""
    sums = {"log": 0.0, "log_reference": 0.0, "natural": 0.0, "natural_reference": 0.0, "inside_80": 0.0, "n": 0.0}
    mine = forecasts[(forecasts["model_id"] == model_id) & (forecasts["horizon"] == horizon)]
    for _, rows in mine.groupby(["series_id", "origin_date"]):
        series_id, origin, target = rows[["series_id", "origin_date", "target_end_date"]].iloc[0]
        series = panel.matrix[series_id].set_axis(panel.end_dates)
        known = series.loc[:origin].dropna().to_numpy()
        outcome = series[series.index == target]
        logs = np.log1p(known)
        errors = (logs[horizon:] - logs[:-horizon])[-84:]
        if outcome.empty or outcome.isna().all() or len(errors) < 12:
            continue
        observed = float(outcome.iloc[0])
        quantiles = rows.sort_values("output_type_id")["value"].tolist()
        reference = [logs[-1] + float(np.quantile(np.r_[errors, -errors], level)) for level in QUANTILE_LEVELS]
        sums["log"] += pinball_by_hand(np.log1p(observed), [float(np.log1p(value)) for value in quantiles])
        sums["log_reference"] += pinball_by_hand(np.log1p(observed), reference)
        sums["natural"] += pinball_by_hand(observed, quantiles)
        sums["natural_reference"] += pinball_by_hand(observed, [max(float(np.expm1(value)), 0) for value in reference])
        sums["inside_80"] += quantiles[3] - 1e-9 <= observed <= quantiles[19] + 1e-9
        sums["n"] += 1
    return {
        "relative_log": sums["log"] / sums["log_reference"],
        "relative_natural": sums["natural"] / sums["natural_reference"],
        "coverage_80": sums["inside_80"] / sums["n"],
        "n": sums["n"],
    }


@pytest.mark.parametrize("horizon", [1, 6])
@pytest.mark.parametrize("model_id", ["vigie-baseline", "vigie-snaive"])
def test_summaries_agree_with_plain_loop_over_forecasts(
    small_panel: Panel, made: pd.DataFrame, model_id: str, horizon: int
) -> None:
    scores = check(summarise(made, small_panel), RELEASE["scores"])
    rows = scores[(scores["model_id"] == model_id) & (scores["horizon"] == horizon) & (scores["series_id"] == "_T")]
    by_scale = rows.set_index("scale")
    expected = oracle(small_panel, made, model_id, horizon)
    assert by_scale.loc["log", "relative_wis"] == pytest.approx(expected["relative_log"], abs=1e-12)
    assert by_scale.loc["natural", "relative_wis"] == pytest.approx(expected["relative_natural"], abs=1e-12)
    assert by_scale.loc["log", "coverage_80"] == pytest.approx(expected["coverage_80"])
    assert by_scale.loc["log", "n"] == expected["n"]


def test_baseline_scores_one_against_itself(small_panel: Panel, made: pd.DataFrame) -> None:
    scores = summarise(made, small_panel).set_index(["model_id", "series_id", "horizon", "scale"])
    assert scores.loc[("vigie-baseline", "north", 1, "log"), "relative_wis"] == pytest.approx(1.0, abs=1e-12)


def test_outcome_that_is_not_observed_is_not_scored(small_panel: Panel, made: pd.DataFrame) -> None:
    rows = score_rows(made, small_panel)
    assert rows["target_end_date"].max() == small_panel.end_dates[-1]
    assert made["target_end_date"].max() > small_panel.end_dates[-1]
    assert rows["observed"].notna().all()


def test_forecast_that_lacks_level_is_refused(small_panel: Panel, made: pd.DataFrame) -> None:
    with pytest.raises(SchemaError, match="23 quantile levels"):
        score_rows(made.drop(index=made.index[5]), small_panel)


def test_outcome_equal_to_bound_is_covered() -> None:
    """The last bits of a bound, which differ between processors, do not decide."""
    outcome, quantiles = np.array([3.0]), np.linspace(0.0, 6.0, len(QUANTILE_LEVELS))[None]
    low, high = QUANTILE_LEVELS.index(0.1), QUANTILE_LEVELS.index(0.9)
    for place, bound in ((low, 3 + 1e-12), (high, 3 - 1e-12)):
        moved = quantiles.copy()
        moved[0, place] = bound
        assert covered(outcome, moved)["covered_80"].all()


@pytest.mark.raw_data
@pytest.mark.slow
def test_reference_scorer_agrees_on_frontex_routes(tmp_path: Path) -> None:
    raw = Path(os.environ.get("VIGIE_RAW_DATA", "absent"))
    tools = raw / "../../tools"
    if not (tools / "score_quantiles.py").is_file():
        pytest.skip("needs the reference scorer and the workbook beside VIGIE_RAW_DATA")
    workbook = raw / "frontex_ibc/ibc.xlsx"
    subprocess.run([sys.executable, tools / "frontex_panel.py", workbook, tmp_path], check=True, capture_output=True)
    panel = read_panel(tmp_path / "routes.csv")
    fast = ["vigie-baseline", "vigie-snaive"]
    members = backtest(panel, origins=6, step=1, horizons=[1, 3, 6], models=fast)
    both = pd.concat([members, to_rows(combine(members, panel).forecasts)], ignore_index=True)
    both.to_parquet(tmp_path / "forecasts.parquet")
    scorer = str(tools / "score_quantiles.py")
    command = [sys.executable, scorer, str(tmp_path / "routes.csv"), str(tmp_path / "forecasts.parquet")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    scores = summarise(both, panel)
    lines = 0
    for row in scores[(scores["series_id"] == "_T") & (scores["scale"] == "log")].itertuples():
        natural = scores[
            (scores["series_id"] == "_T")
            & (scores["scale"] == "natural")
            & (scores["model_id"] == row.model_id)
            & (scores["horizon"] == row.horizon)
        ]["relative_wis"].item()
        expected = (
            f"{row.model_id:28s} {f'h={row.horizon}':5s} relWIS-log {row.relative_wis:.3f} relWIS-nat {natural:.3f} "
            f"cov50/80/95 {row.coverage_50:.2f}/{row.coverage_80:.2f}/{row.coverage_95:.2f} n={row.n}"
        )
        assert expected in printed
        lines += 1
    assert lines == (len(fast) + 1) * 3


def test_outer_outcomes_fall_into_outer_bins(small_panel: Panel) -> None:
    keys = pd.DataFrame(
        {"model_id": "m", "series_id": "north", "origin_date": small_panel.end_dates[-2], "horizon": 1,
         "target_end_date": small_panel.end_dates[-1]}, index=range(2),
    )  # fmt: skip
    observed = float(small_panel.matrix["north"].iloc[-1])
    ranges = np.stack([np.linspace(10, 20, 23) * observed, np.linspace(0.01, 0.02, 23) * observed])
    shares = pit_histogram(QuantileTable(keys, ranges), small_panel)["share"].to_numpy()
    assert shares.tolist() == [0.5, *[0.0] * 8, 0.5]
