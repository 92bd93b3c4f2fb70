"""A cut-off costs least, follows the reader's ratio, and listens to theory where the past is short."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import COMMON, LEVELS, RARE, bayes_threshold
from alerts.verification import CANDIDATES, PRIOR_MONTHS, learn_cutoff, learn_score


@given(st.floats(0.01, 100))
def test_calibrated_alert_pays_where_loss_equals_cost(ratio: float) -> None:
    cutoff = bayes_threshold(ratio)
    assert ratio * (1 - cutoff) == pytest.approx(cutoff)


def test_graver_levels_and_common_events_need_more() -> None:
    for costs in (RARE, COMMON):
        cutoffs = [bayes_threshold(costs.of(level) / 3) for level in LEVELS]
        assert cutoffs == sorted(cutoffs)
    assert all(COMMON.of(level) > RARE.of(level) for level in LEVELS)


def test_low_probabilities_lower_cut_off() -> None:
    random = np.random.default_rng(1)
    honest = random.uniform(0.05, 0.95, 5000)
    said, came = honest / 2, random.uniform(size=5000) < honest
    theory, short, long = 0.5, learn_cutoff(said[:40], came[:40], 1.0), learn_cutoff(said, came, 1.0)
    assert long == pytest.approx(0.25, abs=0.04)
    assert long <= short <= theory


@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), min_size=1, max_size=40), st.floats(0.1, 5.0))
def test_no_other_cut_off_costs_less(months: list[tuple[float, bool]], ratio: float) -> None:
    def cost(cutoff: float) -> float:
        total = 0.0
        for chance, came in months:
            seen = ratio * (not came) if chance >= cutoff else float(came)
            thought = ratio * (1 - chance) if chance >= cutoff else chance
            total += seen + thought * PRIOR_MONTHS / len(months)
        return total

    chance, came = (np.array(column) for column in zip(*months, strict=True))
    found = learn_cutoff(chance.astype(float), came.astype(bool), ratio)
    assert cost(found) <= min(cost(float(other)) for other in CANDIDATES) + 1e-6


def test_other_scores_are_cut_at_least_cost() -> None:
    score = np.array([0.1, 0.2, 0.3, 2.1, 2.2, np.nan])
    came = np.array([False, False, False, True, True, True])
    assert learn_score(score, came, 1.0, conventional=5.0) == 2.1
    assert learn_score(score, np.zeros(6, dtype=bool), 1.0, conventional=5.0) == 5.0
