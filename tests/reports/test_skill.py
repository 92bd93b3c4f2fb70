"""The verdict of skill is one, in the same words everywhere."""

from __future__ import annotations

import math
from functools import partial

import pandas as pd
import pytest

from core.languages import Language
from reports.skill import better_ends, better_mark, better_signs, better_words, held_words, with_interval

ENGLISH = Language("en")


ENDS = [pd.Timestamp(day) for day in ("2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30")]


@pytest.mark.parametrize(
    ("better", "months"),
    [({1: True, 2: False, 3: True}, (0, 2)), ({3: True, 2: True, 1: False}, (1, 2)), ({1: False}, ())],
)
def test_months_with_skill_are_all_named(better: dict[int, bool], months: tuple[int, ...]) -> None:
    rows = {
        "model_id": "vigie-ensemble", "series_id": "a", "horizon": list(better), "scale": "log", "n": 50,
        "relative_wis": 0.8, "relative_wis_lo": 0.7, "relative_wis_hi": 0.9,
        "p_holm": [0.01 if one else 0.5 for one in better.values()],
    }  # fmt: skip
    forecasts = pd.DataFrame(
        {"model_id": "vigie-ensemble", "series_id": "a", "horizon": range(1, 5), "target_end_date": ENDS}
    )
    assert better_ends(pd.DataFrame(rows), forecasts, "a") == tuple(ENDS[month] for month in months)
    assert better_ends(pd.DataFrame(rows), forecasts, "b") is None


@pytest.mark.parametrize(
    ("better", "words", "mark", "signs"),
    [
        (None, "not scored", "not scored", "–"),
        ((), "not shown to beat the baseline in February–April 2025", "not shown to beat the baseline", "○○○"),
        ((0,), "not shown to beat the baseline in February–April 2025", "not shown to beat the baseline", "○○○"),
        ((1, 2, 3), "better than the baseline in February–April 2025", "✓ February–April 2025", "✓✓✓"),
        (
            (0, 1, 3),
            "better than the baseline in February 2025, in April 2025; not shown in March 2025",
            "✓ February 2025, April 2025",
            "✓○✓",
        ),
    ],
)
def test_verdict_concerns_months_that_are_shown(
    better: tuple[int, ...] | None, words: str, mark: str, signs: str
) -> None:
    ends = None if better is None else tuple(ENDS[month] for month in better)
    assert better_words(ends, ENDS[1:], ENGLISH) == words
    assert better_mark(ends, ENDS[1:], ENGLISH) == mark
    assert better_signs(ends, ENDS[1:]) == signs


def test_quarters_are_named_by_their_months() -> None:
    quarters = [pd.Timestamp("2024-12-31"), pd.Timestamp("2025-03-31")]
    words = "better than the baseline in January–March 2025; not shown in October–December 2024"
    assert better_words((quarters[1],), quarters, ENGLISH, 3) == words


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        ((1.0123, 0.99, 1.03), "1.012 (0.990–1.030)"), ((0.9, math.nan, 1.0), "0.900"), ((0.9, 0.8, math.nan), "0.900"),
        ((math.nan, 0.8, 1.0), "–"),
    ],
)  # fmt: skip
def test_ratio_has_interval_if_known(ratio: tuple[float, float, float], said: str) -> None:
    assert with_interval(partial(ENGLISH.decimal, digits=3), *ratio) == said


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (0.8, "The 80% interval held 80% of outcomes."),
        (0.5, "The 80% interval held 50% of outcomes. The intervals were too narrow: do not rely on them."),
    ],
)
def test_interval_that_held_too_little_is_named(held: float, said: str) -> None:
    assert held_words(pd.DataFrame({"coverage_80": [held, held], "n": [10, 30]}), Language("en")) == said
