"""Scores by situation, against slow references."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.release import SITUATION_SCORES
from core.schema import check
from forecasting import BASELINE, ENSEMBLE, LEVELS, NORMAL_SCORES
from forecasting.panel import Panel, read_panel
from forecasting.verification import score_rows, wis
from forecasting.verification.situations import energy_score, situation_scores, threshold_weighted

MONTHS, ORIGINS = 60, 24


def test_energy_score_is_its_definition_summed_pair_by_pair() -> None:
    random = np.random.default_rng(1)
    observed, paths = random.normal(size=4), random.normal(size=(9, 4))
    away = sum(np.linalg.norm(path - observed) for path in paths) / 9
    between = sum(np.linalg.norm(one - other) for one in paths for other in paths) / (9 * 8)
    assert energy_score(observed, paths) == pytest.approx(away - between / 2)


def test_joint_paths_score_better_than_shuffled() -> None:
    random = np.random.default_rng(2)
    one, other = np.ones((1, 12)), np.eye(12)
    together = random.normal(size=(80, 1)) @ one
    apart = random.normal(size=(80, 12)) @ other
    worlds = random.normal(size=(60, 1)) @ one
    assert np.mean([energy_score(came, together) - energy_score(came, apart) for came in worlds]) < 0


def test_threshold_weighted_score_is_integral_above_threshold() -> None:
    sample = np.sort(np.random.default_rng(3).gamma(2.0, 50.0, 4000))
    levels = (np.arange(4000) + 0.5) / 4000
    for came in (20.0, 180.0, 400.0):
        grid = np.arange(150.0, 1500.0, 0.05)
        below = np.searchsorted(sample, grid, side="right") / len(sample)
        slow = np.square(below - (grid >= came)).sum() * 0.05
        fast = wis(np.maximum([came], 150.0), np.maximum(sample[None], 150.0), levels)[0]
        assert fast == pytest.approx(slow, rel=0.01)
        lifted = threshold_weighted(np.asarray([came]), np.quantile(sample, LEVELS)[None], np.asarray([150.0]))
        assert lifted[0] == pytest.approx(slow, rel=0.2)


@pytest.fixture(scope="module")
def world() -> tuple[Panel, pd.DataFrame]:
    """A small and a large series; the ensemble has their spread, the baseline's is three times as wide."""
    random = np.random.default_rng(5)
    periods = pd.period_range("2015-01", periods=MONTHS, freq="M")
    levels = {"small": 4.0, "large": 8.0}
    rows, lines = [], []
    for name, level in levels.items():
        values = np.exp(level + 0.3 * random.standard_normal(MONTHS))
        rows += [
            {"series_id": name, "time_period": str(month), "value": value}
            for month, value in zip(periods, values, strict=True)
        ]
        for place in range(MONTHS - 1 - ORIGINS, MONTHS - 1):
            for model, width in ((ENSEMBLE, 0.3), (BASELINE, 0.9)):
                for step in (1, 2):
                    common = {
                        "model_id": model, "series_id": name, "origin_date": periods[place].end_time.normalize(),
                        "horizon": step, "target_end_date": (periods[place] + step).end_time.normalize(),
                        "output_type": "quantile",
                    }  # fmt: skip
                    quantiles = np.exp(level + width * NORMAL_SCORES)
                    lines += [
                        {**common, "output_type_id": at, "value": value}
                        for at, value in zip(LEVELS, quantiles, strict=True)
                    ]
    return read_panel(pd.DataFrame(rows)), pd.DataFrame(lines)


@pytest.fixture(scope="module")
def found(world: tuple[Panel, pd.DataFrame]) -> pd.DataFrame:
    panel, forecasts = world
    return check(situation_scores(forecasts, panel), SITUATION_SCORES)


def test_every_scored_month_is_in_one_class_and_means_add_up(
    world: tuple[Panel, pd.DataFrame], found: pd.DataFrame
) -> None:
    panel, forecasts = world
    rows = score_rows(forecasts[forecasts["model_id"] == ENSEMBLE], panel)
    for kind in ("size", "month", "year"):
        part = found[(found["kind"] == kind) & (found["scale"] == "log")]
        assert part["n"].sum() == len(rows)
        assert (part["score"] * part["n"]).sum() == pytest.approx(rows["wis_log"].sum())
    assert set(found.loc[found["kind"] == "size", "group"]) == {"<100", "1000-9999"}


def test_month_is_one_of_surge_by_what_was_known_at_origin(
    world: tuple[Panel, pd.DataFrame], found: pd.DataFrame
) -> None:
    panel, forecasts = world
    slow = 0
    for row in score_rows(forecasts[forecasts["model_id"] == ENSEMBLE], panel).to_dict("records"):
        known = panel.matrix[row["series_id"]].to_numpy()[panel.end_dates <= row["origin_date"]]
        slow += int(row["observed"] >= 1.5 * known[-12:].mean())
    surge = found[(found["group"] == "surge") & (found["scale"] == "log")]
    assert surge["n"].sum() == slow > 0


def test_without_past_forecasts_table_is_empty(world: tuple[Panel, pd.DataFrame]) -> None:
    panel, forecasts = world
    assert situation_scores(forecasts.iloc[:0], panel).empty
