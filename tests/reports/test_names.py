"""Recorded messages as people read them."""

from __future__ import annotations

import pytest

from core.errors import message
from core.languages import Language
from reports.names import message_in


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            "prices.csv waits for a person as e1: 12 known figures (FAO food price index, by month) change, half of "
            "them to 1,000 times the former or more (another unit, or other columns?); it lacks 3 figures that are "
            "known, such as Arrivals, Central Mediterranean, Italy, December 2024 (was it cut short?)",
        ),
        (
            "es",
            "prices.csv espera a una persona como e1: cambian 12 cifras conocidas (Índice de precios de los alimentos "
            "de la FAO, por mes), la mitad de ellas a 1.000 veces la anterior o más (¿otra unidad, u otras columnas?); "
            "le faltan 3 cifras conocidas, como Llegadas, Mediterráneo central, Italia, diciembre de 2024 (¿se cortó?)",
        ),
    ],
)
def test_why_edition_waits_is_sentence_without_codes(language: str, expected: str) -> None:
    of_size = message(
        "{n} known figures ({target}, {freq}) change, half of them to {times} times the former or more "
        "(another unit, or other columns?)",
        n=12, target="food_price_index", freq="M", times=1000.0,
    )  # fmt: skip
    cut = message(
        "it lacks {n} figures that are known, such as {series} {period} (was it cut short?)",
        n=3, series="arrivals.CMR.ITA._T.M", period="2024-12",
    )  # fmt: skip
    whole = message(
        "{file} waits for a person as {edition}: {reasons}", file="prices.csv", edition="e1", reasons=[of_size, cut]
    )
    assert message_in(whole, Language(language)) == expected
