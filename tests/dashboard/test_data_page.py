"""What the page of sources says at its bounds, without the page."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from dashboard import reads
from dashboard.layout import small
from dashboard.tables import no_break
from store.releases import Release

from .shown import functions_of

data = functions_of("data")


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ([], "No source is later than usual"),
        (["fresh", "due"], "No source is later than usual"),
        (["fresh", "overdue"], "1 of 2 sources is later than usual"),
        (["delinquent", "overdue", "due"], "2 of 3 sources are later than usual"),
    ],
)
def test_title_counts_sources_that_are_overdue_or_worse(states: list[str], words: str) -> None:
    assert data.title(pd.DataFrame({"state": pd.Series(states, dtype=object)})) == words


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"next_expected": pd.NaT, "learned_from": 9}, ""),
        ({"next_expected": pd.Timestamp("2025-02-15"), "learned_from": 0}, ""),
        ({"next_expected": pd.Timestamp("2025-02-15"), "learned_from": 1.0}, "learned from 1 period"),
        ({"next_expected": pd.Timestamp("2025-02-15"), "learned_from": 12}, "learned from 12 periods"),
    ],
)
def test_expected_day_names_its_periods(row: dict[Any, Any], words: str) -> None:
    day = "" if pd.isna(row["next_expected"]) else no_break("15 Feb 2025")
    assert data.next_expected(row) == day + (f" {small(words)}" if words else "")


def test_contact_is_that_of_settings(read_release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    night = next(one for one in reads.nights() if one.run_id == read_release.run_id)
    assert data.imprint(night)[0].startswith("**Questions and errors**: ask those who run this copy; no")
    monkeypatch.setenv("VIGIE_CONTACT", "help@vigie.example.org")
    assert data.imprint(night)[0].startswith("**Questions and errors**: ask help@vigie.example.org.")
