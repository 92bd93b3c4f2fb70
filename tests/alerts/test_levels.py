"""A level is reached at its cut-off, not before."""

from __future__ import annotations

import numpy as np
import pytest

from alerts import LEVELS, Cutoffs, rank
from alerts.rules import EXCEEDANCE_RULES
from core.settings import AlertSettings


@pytest.mark.parametrize(
    ("probability", "level"),
    [
        (0.0, None),
        (np.nextafter(0.25, 0), None),
        (0.25, "watch"),
        (np.nextafter(0.45, 0), "watch"),
        (0.45, "warning"),
        (0.65, "severe"),
        (1.0, "severe"),
    ],
)
def test_a_level_is_reached_exactly_at_its_cut_off(probability: float, level: str | None) -> None:
    assert Cutoffs(0.25, 0.45, 0.65).level(probability) == level


def test_graver_levels_need_higher_probabilities_in_every_rule() -> None:
    for rule in EXCEEDANCE_RULES:
        found = [rule.bayes_cutoffs(AlertSettings()).of(level) for level in LEVELS]
        assert found == sorted(set(found)), rule.rule
    assert [rank(level) for level in LEVELS] == [0, 1, 2]
