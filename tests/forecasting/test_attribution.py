"""The steps of a forecast's change add up, and equal the news of a linear model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.statespace.varmax import VARMAX

from core import FloatArray
from forecasting.attribution import Sources, ladder, shapley

NOTHING = frozenset[str]()
FORMER: FloatArray = np.array([100.0, 20.0])
NOW: FloatArray = np.array([130.0, 15.0])


def numbers(revised: Sources, new: Sources) -> FloatArray:
    """Two sources that say more together than each alone; a third says nothing."""
    both = 5.0 * ({"a", "b"} <= new)
    moved: FloatArray = np.array([7.0 * len(revised) + 10.0 * ("a" in new) + both, -2.0 * ("b" in new)])
    return FORMER + moved


def test_effects_share_what_players_do_together() -> None:
    found = shapley(lambda some: numbers(NOTHING, some), ["a", "b", "c"])
    assert {name: effect.tolist() for name, effect in found.items()} == {
        "a": [12.5, 0.0], "b": [2.5, -2.0], "c": [0.0, 0.0],
    }  # fmt: skip


def test_steps_add_up_to_the_change() -> None:
    steps = ladder(FORMER, NOW, numbers, revised=["a"], new=["a", "b"], is_same_model=True)
    assert list(steps) == ["revisions:a", "counts:a", "counts:b", "refit", "model"]
    assert sum(steps.values()) == pytest.approx(NOW - FORMER)
    assert steps["refit"].tolist() == [8.0, -3.0]


def test_equal_releases_need_no_forecast_and_have_zero_steps() -> None:
    def refused(_revised: Sources, _new: Sources) -> FloatArray:
        raise AssertionError

    steps = ladder(FORMER, FORMER, refused, revised=[], new=[], is_same_model=True)
    assert {name: effect.tolist() for name, effect in steps.items()} == {"refit": [0.0, 0.0], "model": [0.0, 0.0]}


def test_other_model_has_its_effect_on_former_values() -> None:
    other = FORMER - 30.0
    steps = ladder(other, NOW, numbers, revised=[], new=["a"], is_same_model=False)
    assert steps["model"].tolist() == [30.0, 30.0]
    assert sum(steps.values()) == pytest.approx(NOW - other)


def test_step_without_forecast_is_zero_and_sum_holds() -> None:
    steps = ladder(FORMER, NOW, lambda _revised, new: numbers(NOTHING, new) + (np.nan if new else 0.0),
                   revised=[], new=["a"], is_same_model=True)  # fmt: skip
    assert steps["counts:a"].tolist() == [0.0, 0.0]
    assert sum(steps.values()) == pytest.approx(NOW - FORMER)


def test_data_steps_of_linear_model_equal_its_news() -> None:
    """Two series of a vector autoregression: a revised month of one, then a new month of each."""
    months = pd.period_range("2020-01", periods=60, freq="M")
    values: FloatArray = np.random.default_rng(3).normal(size=(60, 2)).cumsum(axis=0) * 0.1
    parameters = np.array([0.5, 0.3, 0.2, 0.6, 0.4, 0.7])  # lags by row, then two independent variances
    then = values.copy()
    then[-2, 0] += 0.8
    then[-1] = np.nan

    def model(known: FloatArray) -> VARMAX:
        named = pd.DataFrame(known, index=months, columns=["a", "b"])
        return VARMAX(named, order=(1, 0), trend="n", error_cov_type="diagonal")

    def forecast(revised: Sources, new: Sources) -> FloatArray:
        known = then.copy()
        if "a" in revised:
            known[-2, 0] = values[-2, 0]
        known[-1] = np.where([name in new for name in "ab"], values[-1], np.nan)
        return np.asarray(model(known).smooth(parameters).forecast(3)["a"])

    steps = ladder(forecast(NOTHING, NOTHING), forecast(frozenset("a"), frozenset("ab")), forecast,
                   revised=["a"], new=["a", "b"], is_same_model=True)  # fmt: skip
    targets = {"start": months[-1] + 1, "end": months[-1] + 3}
    news = model(values).smooth(parameters).news(model(then).smooth(parameters), comparison_type="previous", **targets)
    details = news.details_by_impact["impact"].xs("a", level="impacted variable")
    by_source = details.groupby(level=["updated variable", "impact date"]).sum()
    assert steps["revisions:a"] == pytest.approx(news.revision_impacts["a"].to_numpy())
    for name in ("a", "b"):
        assert steps[f"counts:{name}"] == pytest.approx(by_source.xs(name).to_numpy())
    assert steps["refit"] == pytest.approx(0.0, abs=1e-9)
