"""Chances of small counts: read exactly, learned from counts alone, and better than growth where people are few."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import poisson

from core import FloatArray
from forecasting import LEVELS
from forecasting.models import pooled as pooled_model
from forecasting.models.pooled import _VOLATILITY, _YEARLY_DISTANCE, FEATURES, THRESHOLDS, log_quantiles
from forecasting.panel import Panel, read_panel
from forecasting.pooled import Level, past_origins, run_pooled
from forecasting.quantiles import QuantileTable
from forecasting.verification import score_rows

MODEL = "vigie-pooled"
MONTHS = 96

pytestmark = pytest.mark.usefixtures("few_trees")


def world(mean: FloatArray, *, added: float = 0.0) -> Panel:
    """Forty series of Poisson counts with the given means, from 2014 to 2021, with something added to each."""
    values = np.random.default_rng(4).poisson(mean, (MONTHS, len(mean))) + added
    months = pd.period_range("2014-01", periods=MONTHS, freq="M").astype(str)
    rows = pd.DataFrame(values, index=months, columns=[f"s{number:02d}" for number in range(len(mean))])
    return read_panel(rows.rename_axis("time_period").reset_index().melt("time_period", var_name="series_id"))


def made(panel: Panel) -> QuantileTable:
    return run_pooled(MODEL, [Level(panel, past_origins(panel, origins=14, step=1), 0)], horizons=(1,), workers=1)[0]


def without_chances(panel: Panel, patch: pytest.MonkeyPatch) -> QuantileTable:
    with patch.context() as inside:
        inside.setattr(pooled_model, "fit_counts", lambda *_: [])
        return made(panel)


@given(st.floats(0.05, 30.0))
@settings(max_examples=60, deadline=None)
def test_rounded_quantiles_match_given_chances(mean: float) -> None:
    chances = poisson.cdf(THRESHOLDS, mean)[None]
    found = np.expm1(log_quantiles(chances, LEVELS, np.full((1, len(LEVELS)), 9.0)))[0]
    exact = poisson.ppf(LEVELS, mean)
    # Where every count is a threshold nothing lies in between; elsewhere a count within the gap may be meant.
    near = exact <= 1
    sure = np.abs(poisson.cdf(exact, mean) - LEVELS) > 1e-6
    assert (np.floor(found + 0.5 - 1e-9) == exact)[near & sure].all()
    assert (np.diff(found) >= 0).all()


@given(st.lists(st.floats(0.001, 0.2), min_size=len(THRESHOLDS) + 1, max_size=len(THRESHOLDS) + 1))
@settings(max_examples=60, deadline=None)
def test_log_value_is_linear_in_normal_score(steps: list[float]) -> None:
    chances = np.cumsum(steps)[:-1] / np.sum(steps)
    found = log_quantiles(chances[None], LEVELS, np.full((1, len(LEVELS)), 9.0))[0]
    between = (chances[0] < LEVELS) & (chances[-1] >= LEVELS)
    straight = np.interp(ndtri(LEVELS[between]), ndtri(chances), np.log1p(THRESHOLDS + 0.5))
    assert np.allclose(found[between], straight, rtol=0, atol=1e-9)


def test_weight_of_chances_falls_to_20_a_month() -> None:
    described = np.zeros((7, len(FEATURES)))
    one, twenty = np.log1p(1.0), np.log1p(20.0)
    described[:, _YEARLY_DISTANCE] = -np.asarray(
        [0.0, one, (3 * one + twenty) / 4, (one + twenty) / 2, twenty, 9.0, np.nan]
    )
    share = pooled_model._share(described)
    assert share[:2].tolist() == [pooled_model.LARGEST_SHARE] * 2
    assert share[2:4] / pooled_model.LARGEST_SHARE == pytest.approx([0.75, 0.5])
    assert share[4:].tolist() == [0.0] * 3


class Trees:
    """In place of LightGBM: keeps what it is asked to learn."""

    def __init__(self) -> None:
        self.labels: list[FloatArray] = []

    def Dataset(self, *_what: object, **_how: object) -> SimpleNamespace:  # noqa: N802  # the library's name
        return SimpleNamespace(construct=lambda: None, set_label=self.labels.append)

    def train(self, *_what: object, **_how: object) -> SimpleNamespace:
        return SimpleNamespace(model_to_string=lambda: f"trees {len(self.labels)}")


def asked_to_learn(outcomes: FloatArray) -> tuple[list[str], list[FloatArray]]:
    """Trees and what they learn where all earlier counts are zero, volatility is 1 and outcomes are these."""
    described = np.zeros((len(outcomes), len(FEATURES)))
    described[:, _VOLATILITY] = 1.0
    library: Any = Trees()
    return pooled_model.fit_counts(library, described, np.log1p(outcomes)), library.labels


@pytest.mark.parametrize(
    ("examples", "broken", "is_learned"),
    [(2000, 0, True), (1999, 0, False), (2000, 100, True), (2000, 101, False), (4000, 200, True)],
)
def test_chances_need_2000_whole_outcomes(examples: int, broken: int, *, is_learned: bool) -> None:
    outcomes = np.arange(examples, dtype=np.float64) % 4
    outcomes[:broken] += 0.3
    texts, labels = asked_to_learn(outcomes)
    assert len(texts) == len(labels) == (len(THRESHOLDS) if is_learned else 0)


@pytest.mark.slow
def test_small_counts_are_forecast_better_than_by_growth_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = world(np.random.default_rng(1).uniform(0.2, 3.0, 40))
    with_chances = score_rows(made(panel), panel)["wis_log"].sum()
    assert with_chances < 0.99 * score_rows(without_chances(panel, monkeypatch), panel)["wis_log"].sum()


@pytest.mark.slow
@pytest.mark.parametrize(("mean", "added"), [(200.0, 0.0), (2.0, 0.3)], ids=["many people", "no whole numbers"])
def test_large_counts_and_rates_are_left_to_growth(mean: float, added: float, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = world(np.full(40, mean), added=added)
    assert np.array_equal(made(panel).quantiles, without_chances(panel, monkeypatch).quantiles)


def test_falling_chances_are_made_to_rise() -> None:
    falling = np.linspace(0.9, 0.1, len(THRESHOLDS))[None]
    found = log_quantiles(falling, LEVELS, np.zeros((1, len(LEVELS))))
    assert np.isfinite(found).all()
    assert (np.diff(found) >= 0).all()


def test_growth_continues_above_last_threshold() -> None:
    chances = np.full((1, len(THRESHOLDS)), 0.5)
    found = log_quantiles(chances, LEVELS, np.full((1, len(LEVELS)), 12.0))
    assert (found[0, LEVELS > 0.5] == 12.0).all()
