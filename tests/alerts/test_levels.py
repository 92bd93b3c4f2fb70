"""A level is reached at its cut-off, not before."""

from __future__ import annotations

import numpy as np
import pytest

from alerts import Cutoffs


@pytest.mark.parametrize(
    ("probability", "level"),
    [
        (0.0, None), (np.nextafter(0.25, 0), None), (0.25, "watch"), (np.nextafter(0.45, 0), "watch"),
        (0.45, "warning"), (0.65, "severe"), (1.0, "severe"),
    ],
)  # fmt: skip
def test_level_is_reached_exactly_at_its_cut_off(probability: float, level: str | None) -> None:
    assert Cutoffs(0.25, 0.45, 0.65).level(probability) == level
