"""What the page of sources says at its bounds, without the page."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from dashboard.layout import small
from dashboard.tables import no_break

from .shown import functions_of

data = functions_of("data")


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ([], "Every source is as fresh as usual"),
        (["fresh", "due"], "Every source is as fresh as usual"),
        (["fresh", "overdue"], "1 of 2 sources is later than usual"),
        (["delinquent", "overdue", "due"], "2 of 3 sources are later than usual"),
    ],
)
def test_the_title_counts_the_sources_that_are_overdue_or_worse(states: list[str], words: str) -> None:
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
def test_a_day_on_which_figures_are_expected_says_from_how_many_periods_it_was_learned(
    row: dict[Any, Any], words: str
) -> None:
    day = "" if pd.isna(row["next_expected"]) else no_break("15 Feb 2025")
    assert data.next_expected(row) == day + (f" {small(words)}" if words else "")


def test_each_state_of_freshness_has_a_mark_a_word_and_a_colour_of_its_own() -> None:
    badges = {name: data.state_badge(name) for name in data.STATE_MARKS}
    assert badges["fresh"].startswith(":blue-badge[● ")
    assert len({badge.split("[")[1].split(" ")[0] for badge in badges.values()}) == len(badges) == 4


def test_a_period_is_told_by_its_months_and_a_day_by_itself() -> None:
    assert data.period_words("2024-12") == "December 2024"
    assert "October" in data.period_words("2024-Q4")
    assert data.period_words("2024-12-05") == no_break("5 Dec 2024")


def test_what_may_be_redistributed_is_said_and_nothing_where_nobody_knows() -> None:
    assert data._redistribution(True) == "allowed"
    assert data._redistribution(False) == "not allowed: private use only"
    assert data._redistribution("to be confirmed") == "to be confirmed"
    assert data._redistribution(None) == ""
    assert data._day("2025-01-31") == "31 January 2025"
    assert data._day(None) == ""
