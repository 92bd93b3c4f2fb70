"""The verdict of skill is one, in the same words everywhere."""

from __future__ import annotations

import pandas as pd
import pytest

from core.languages import Language
from reports.skill import Span, skill_span, span_words

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
