"""Every source exports the same verbs and stands in the catalogue."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from ingest import Source, sources
from ingest.sources import CARDS, INTAKE, SOURCES, source_access

ALL = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())


def test_every_module_of_folder_is_registered_by_its_name() -> None:
    modules = {path.stem for path in Path(sources.__path__[0]).glob("[a-z]*.py")}
    assert {name for name, source in SOURCES.items() if name == source.SOURCE_ID} == modules


def test_source_can_be_asked_or_says_why_not() -> None:
    assert {name for name in SOURCES if "not_live" not in INTAKE[name]} == set(source_access())


@ALL
def test_source_has_verbs_and_is_named_in_lower_case(source: Source) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]+", source.SOURCE_ID)
    assert 0 <= source.LAG_DAYS <= 400
    assert next(iter(inspect.signature(source.parse).parameters)) == "raw"


@ALL
def test_source_has_entry_in_catalogue(source: Source) -> None:
    assert source.SOURCE_ID in CARDS


@ALL
def test_citation_names_no_end_that_a_release_may_not_know(source: Source) -> None:
    assert not re.search(r"\bto (\d+ \w+ )?20\d\d|edition of", CARDS[source.SOURCE_ID].citation)


@ALL
def test_source_that_may_not_be_bundled_names_no_files_to_bundle(source: Source) -> None:
    assert CARDS[source.SOURCE_ID].redistribution is not False or not INTAKE[source.SOURCE_ID].get("files")
