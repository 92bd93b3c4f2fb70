"""Freshness against each source's usual rhythm."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from core.release import FRESHNESS
from core.schema import check
from ingest import SourceCard
from ingest.newest import FEWEST_PLACES, freshness, reporting, state, usual_age
from ingest.rows import observations

NIGHT = dt.date(2026, 7, 31)


def card(source_id: str, expected_days: int = 40) -> SourceCard:
    return SourceCard(
        source_id=source_id, publisher="Bureau", dataset="Counts", url="", licence="CC BY 4.0", redistribution=True,
        citation="Bureau, Counts.", rhythm="Monthly.", expected_days=expected_days,
    )  # fmt: skip


def figures(source_id: str, *periods: str, freq: str = "M", lag_days: int = 10) -> pd.DataFrame:
    tidy = pd.DataFrame({"time_period": periods, "obs_value": 1.0})
    return observations(
        tidy, source_id=source_id, lag_days=lag_days, target="arrivals", route_id="CMR", geo="ITA", citizen="_T",
        freq=freq,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("age", "expected"), [(0, "fresh"), (40, "fresh"), (41, "due"), (60, "due"), (61, "overdue"), (120, "overdue")]
)
def test_state_follows_age_in_multiples_of_expected_days(age: int, expected: str) -> None:
    assert state(age, 40) == expected


def test_newest_complete_period_counts_whatever_its_frequency() -> None:
    known = pd.concat([figures("a", "2026-05", "2026-06"), figures("a", "2026-07-04", freq="D")], ignore_index=True)
    row = freshness(known, NIGHT, {"a": card("a")}).iloc[0]
    assert (row["last_period"], row["age_days"], row["state"]) == ("2026-07-04", 27, "fresh")


def test_open_period_does_not_make_source_fresh() -> None:
    unfinished = figures("a", "2026-05", "2026-08", lag_days=-40)
    unknown = figures("b", "2026-05", "2026-06", lag_days=40)
    table = freshness(pd.concat([unfinished, unknown]).reset_index(drop=True), NIGHT, {n: card(n) for n in "ab"})
    assert table["last_period"].tolist() == ["2026-05", "2026-05"]


def test_each_source_has_one_row_that_keeps_contract() -> None:
    known = pd.concat([figures("b", "2026-01"), figures("a", "2026-06")], ignore_index=True)
    table = check(freshness(known, NIGHT, {"a": card("a"), "b": card("b")}), FRESHNESS)
    assert table[["source_id", "state"]].to_numpy().tolist() == [["a", "fresh"], ["b", "delinquent"]]
    assert table["last_as_of"].tolist() == [pd.Timestamp("2026-07-10"), pd.Timestamp("2026-02-10")]


def test_country_is_expected_for_one_year() -> None:
    months = [str(month) for month in pd.period_range("2023-01", "2025-06", freq="M")]
    places = [f"{first}{second}A" for first in "ABCDEF" for second in "ABCDEF"][: FEWEST_PLACES + 1]
    parts = [
        pd.DataFrame({"time_period": months if place != places[0] else months[:6], "obs_value": 1.0, "geo": place})
        for place in places
    ]
    figures_known = observations(
        pd.concat(parts), source_id="a", lag_days=10, target="asylum_applications", route_id="_Z", citizen="_T",
        freq="M",
    )  # fmt: skip
    expected = reporting(figures_known).set_index("time_period")["expected"]
    gone = expected < len(places)
    assert (gone.idxmax(), int(gone.sum()), expected.min()) == ("2024-07", 12, len(places) - 1)


@pytest.mark.parametrize(("freq", "length"), [("D", 1), ("W", 7), ("M", 31), ("Q", 92), ("A", 366)])
def test_expected_age_is_period_plus_delay(freq: str, length: int) -> None:
    assert usual_age(pd.Series([0.0] * 3), freq) == length
    assert usual_age(pd.Series([*range(11)]), freq) == length + 9
    assert usual_age(pd.Series([1.0, 2.2]), freq) == length + 3


@pytest.mark.parametrize(("periods", "learned"), [(5, 0), (6, 6), (7, 7)])
def test_rhythm_needs_six_periods(periods: int, learned: int) -> None:
    months = [str(month) for month in pd.period_range("2025-12", periods=periods + 1, freq="M")]
    known = figures("a", *months, lag_days=3).assign(as_of_estimated=False)
    night = dt.date(2026, 12, 31)
    row = freshness(known, night, {"a": card("a", 45)}, known).iloc[0]
    assert row["learned_from"] == learned
    assert row["expected_days"] == (31 + 3 if learned else 45)
