"""What went wrong is said in the reader's language, with the exact text beside it."""

from __future__ import annotations

import pandas as pd
import pytest

from core.errors import InputError, NothingToPublishError, StoreError, VigieError
from core.schema import REJECTED
from dashboard.failures import error_words, source_place
from desk.permissions import NotAllowedError

EMPTY = pd.DataFrame(columns=list(REJECTED.columns))


def rejected(**row: str) -> pd.DataFrame:
    usual = {"source_id": "iom_dtm", "file": "dtm.csv", "row": "17", "column": "arrivals", "rule": "a rule"}
    return pd.DataFrame([{**usual, "record": "", **row}])


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


def test_a_source_that_failed_is_told_with_file_row_and_column() -> None:
    assert source_place({"source_id": "iom_dtm"}, rejected()) == "dtm.csv, row 17, column arrivals"


def test_a_place_that_is_only_partly_known_is_told_so_far() -> None:
    assert source_place({"source_id": "iom_dtm"}, rejected(row="", column="")) == "dtm.csv"


@pytest.mark.parametrize(
    "found",
    [EMPTY, rejected(source_id="eurostat"), rejected(record="ITA;2024-05;-3"), rejected(file="")],
    ids=["nothing", "another source", "a single row set aside", "no file"],
)
def test_no_place_is_made_up(found: pd.DataFrame) -> None:
    assert source_place({"source_id": "iom_dtm"}, found) == ""
