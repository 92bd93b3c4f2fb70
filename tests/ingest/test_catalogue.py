"""The catalogue of sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.settings import SNAPSHOT
from ingest.catalogue import sources

ENTRY = """
[world_prices]
publisher = "Bureau of Prices"
dataset = "Prices"
url = "https://prices.example/data"
licence = "CC BY 4.0"
redistribution = true
citation = "Bureau of Prices, Prices."
retrieved = 2026-06-02
rhythm = "Monthly."
expected_days = 36
"""


def catalogue(folder: Path, text: str) -> Path:
    (folder / "sources.toml").write_text(text, encoding="utf-8")
    return folder


def test_an_entry_becomes_a_card_that_knows_its_source_id(tmp_path: Path) -> None:
    card = sources(catalogue(tmp_path, ENTRY))["world_prices"]
    assert (card.source_id, card.publisher, card.expected_days) == ("world_prices", "Bureau of Prices", 36)
    assert card.may_be_bundled


@pytest.mark.parametrize(("redistribution", "bundled"), [("true", True), ("false", False), ('"to be confirmed"', True)])
def test_only_a_plain_no_forbids_bundling(tmp_path: Path, redistribution: str, *, bundled: bool) -> None:
    text = ENTRY.replace("redistribution = true", f"redistribution = {redistribution}")
    assert sources(catalogue(tmp_path, text))["world_prices"].may_be_bundled is bundled


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('publisher = "Bureau of Prices"\n', "", "publisher"),
        ("expected_days = 36", "expected_days = 0", "expected_days"),
        ("redistribution = true", 'redistribution = "perhaps"', "redistribution"),
        ("https://prices.example/data", "prices.example", "url"),
        ("rhythm", "rythm", "rhythm"),
    ],
)
def test_a_faulty_entry_is_refused_with_its_name_and_field(tmp_path: Path, old: str, new: str, named: str) -> None:
    with pytest.raises(InputError, match=f"world_prices, field {named}"):
        sources(catalogue(tmp_path, ENTRY.replace(old, new)))


@pytest.mark.parametrize("text", ["[open", "stray = 1"])
def test_a_file_that_is_no_table_of_entries_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"sources\.toml"):
        sources(catalogue(tmp_path, text))


def test_a_missing_catalogue_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"sources\.toml: cannot be read"):
        sources(tmp_path)


def test_the_bundled_catalogue_forbids_handing_out_frontex_and_says_that_dtm_is_unconfirmed() -> None:
    cards = sources(SNAPSHOT)
    assert cards["frontex"].redistribution is False
    assert cards["iom_dtm"].redistribution == "to be confirmed"


def test_a_derived_source_names_components_that_are_in_the_catalogue_too() -> None:
    cards = sources(SNAPSHOT)
    assert cards["vigie-routes"].derived_from
    assert all(component in cards for card in cards.values() for component in card.derived_from)
