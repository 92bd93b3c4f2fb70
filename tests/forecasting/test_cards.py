from __future__ import annotations

import pandas as pd
import pytest

from core.errors import InputError
from forecasting.cards import CARDS, VERSIONS, render_card
from forecasting.model import ENSEMBLE
from forecasting.registry import MODELS


def test_every_model_and_the_ensemble_have_a_card_and_a_version() -> None:
    assert set(CARDS) == set(VERSIONS) == {ENSEMBLE, *MODELS}


@pytest.mark.parametrize("model_id", list(CARDS))
def test_a_card_without_a_record_says_so(model_id: str) -> None:
    text = render_card(model_id)
    assert CARDS[model_id].summary in text
    assert CARDS[model_id].weaknesses in text
    assert text.endswith("None yet.\n")


def test_a_card_shows_the_record_over_all_series_only() -> None:
    scores = pd.DataFrame(
        {
            "model_id": "vigie-ets", "series_id": ["_T", "a"], "horizon": 3, "scale": "log", "relative_wis": [0.81, 0.5],
            "relative_wis_lo": [0.76, 0.4], "relative_wis_hi": [0.84, 0.6], "coverage_50": 0.5, "coverage_80": 0.81,
            "coverage_95": 0.94, "n": [595, 85],
        }
    )  # fmt: skip
    text = render_card("vigie-ets", scores)
    assert "| 3 | log | 0.81 (0.76–0.84) | 50 / 81 / 94 | 595 |" in text
    assert "85" not in text


def test_an_unknown_model_has_no_card() -> None:
    with pytest.raises(InputError, match="known: vigie-ensemble"):
        render_card("vigie-oracle")
