"""The verdict of skill is one, in the same words everywhere."""

from __future__ import annotations

import math
from functools import partial

import pandas as pd
import pytest

from core.languages import Language
from reports.skill import Span, skill_span, span_words, with_interval

ENGLISH = Language("en")


@pytest.mark.parametrize(
    ("better", "span"),
    [
        ({1: True, 2: True, 3: False, 4: True}, (1, 2)),
        ({1: False, 2: True, 3: True, 6: True}, (2, 6)),
        ({1: True, 3: True}, (1, 3)),
        ({1: False}, (1, 0)),
        ({1: True, 2: False, 3: True}, (1, 1)),
        ({1: False, 2: True, 3: False, 4: True}, (2, 2)),
        ({1: True, 2: False, 4: True, 5: True, 6: True, 7: False, 8: True, 9: True}, (4, 6)),
        ({3: True, 2: True, 1: False}, (2, 3)),
        ({2: True, 3: True, 6: False, 7: True, 10: True}, (7, 10)),
        ({}, None),
    ],
)
def test_skill_is_the_longest_stretch_without_a_gap(better: dict[int, bool], span: Span | None) -> None:
    rows = {
        "model_id": "vigie-ensemble", "series_id": "a", "horizon": list(better), "scale": "log", "n": 50,
        "relative_wis": 0.8, "relative_wis_lo": 0.7, "relative_wis_hi": 0.9,
        "p_holm": [0.01 if one else 0.5 for one in better.values()],
    }  # fmt: skip
    assert skill_span(pd.DataFrame(rows), "a") == span


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (None, "not scored"),
        ((1, 0), "not shown to beat the baseline"),
        ((1, 1), "better than the baseline 1 month ahead"),
        ((2, 5), "better than the baseline 2 to 5 months ahead"),
    ],
)
def test_a_stretch_is_named_by_its_ends(span: Span | None, words: str) -> None:
    assert span_words(span, ENGLISH) == words


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        ((1.0123, 0.99, 1.03), "1.012 (0.990–1.030)"), ((0.9, math.nan, 1.0), "0.900"), ((0.9, 0.8, math.nan), "0.900"),
        ((math.nan, 0.8, 1.0), "–"),
    ],
)  # fmt: skip
def test_ratio_has_interval_if_known(ratio: tuple[float, float, float], said: str) -> None:
    assert with_interval(partial(ENGLISH.decimal, digits=3), *ratio) == said
