"""What went wrong is said in the reader's language, with the exact text beside it."""

from __future__ import annotations

import pytest

from access.roles import NotAllowedError
from core.errors import InputError, NothingToPublishError, StoreError, VigieError
from dashboard import i18n
from dashboard.failures import error_words, fault


@pytest.mark.parametrize(
    "error",
    [InputError("number 4"), StoreError("disk full"), NotAllowedError("Ada may not"), NothingToPublishError("none")],
    ids=lambda error: type(error).__name__,
)
def test_an_error_is_told_in_words_of_its_kind_and_as_recorded(error: VigieError) -> None:
    said = error_words(error)
    assert said.endswith(f"“{error}”")
    assert not said.startswith(str(error))


def test_kinds_of_errors_are_told_apart() -> None:
    kinds = [InputError("x"), StoreError("x"), NotAllowedError("x"), NothingToPublishError("x")]
    assert len({error_words(error) for error in kinds}) == len(kinds)


@pytest.mark.parametrize("recorded", ["the file is empty", "dtm.csv, row 17, column n: the count is negative: '-3'"])
def test_a_fault_that_the_catalogue_knows_is_told_without_a_label(recorded: str) -> None:
    assert fault(recorded) == recorded


def test_an_unknown_fault_of_an_old_release_is_shown_as_it_is_and_labelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n, "language", lambda: "fr")
    assert fault("a rule of long ago") == "Message technique\u202f: «\u202fa rule of long ago\u202f»"
