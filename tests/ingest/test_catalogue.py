"""The catalogue of sources."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ingest import SourceCard
from ingest.sources import CARDS

ENTRY: dict[str, Any] = {
    "source_id": "world_prices", "publisher": "Bureau of Prices", "dataset": "Prices",
    "url": "https://prices.example/data", "licence": "CC BY 4.0", "redistribution": True,
    "citation": "Bureau of Prices, Prices.", "rhythm": "Monthly.", "expected_days": 36,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"publisher": ""}, "publisher"),
        ({"expected_days": 0}, "expected_days"),
        ({"redistribution": "perhaps"}, "redistribution"),
        ({"url": "prices.example"}, "url"),
        ({"rythm": "Monthly."}, "rythm"),
    ],
)
def test_faulty_card_is_refused_with_its_field(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        SourceCard.model_validate({**ENTRY, **change})


def test_only_whole_editions_withdraw_missing_figures() -> None:
    read = [SourceCard.model_validate(ENTRY | more) for more in ({}, {"complete_editions": True})]
    assert [card.complete_editions for card in read] == [False, True]


def test_frontex_is_not_redistributable() -> None:
    assert CARDS["frontex"].redistribution is False
    assert CARDS["iom_dtm"].redistribution == "to be confirmed"


def test_components_of_derived_source_exist() -> None:
    assert CARDS["vigie-routes"].derived_from
    assert all(component in CARDS for card in CARDS.values() for component in card.derived_from)
