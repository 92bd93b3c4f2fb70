"""How old each source's newest figure is, against the rhythm its publisher usually keeps.

The rhythm is learned from the days on which past periods became known, where at least six are on record; else it is
the catalogue's. The four states are those of OCHA's Humanitarian Data Exchange (https://humanitarian.atlassian.net:
"Freshness").
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pandas as pd

from core.calendar import FREQUENCIES, end_dates, to_period
from core.errors import InputError
from core.release import FRESHNESS, FRESHNESS_CHANGES, OBSERVATIONS
from core.schema import check
from ingest.catalogue import SourceCard
from ingest.delays import publication_days, usual_age

DUE_WITHIN, OVERDUE_WITHIN = 1.5, 3.0
"""Multiples of the expected age up to which a source is due, then overdue; beyond, delinquent."""
FEWEST_PERIODS = 6
"""Periods with a known day of publication from which a source's own rhythm is learned."""


def freshness(
    known: pd.DataFrame, as_of: dt.date, cards: Mapping[str, SourceCard], history: pd.DataFrame | None = None
) -> pd.DataFrame:
    """State of every source that has a figure on a date.

    Args:
        known: Observations known on that date (``core.release.OBSERVATIONS``).
        as_of: The date. Periods that end after it are not complete and do not count.
        cards: Catalogue, for the days expected of each source.
        history: Every figure with every ``as_of`` up to that date, to learn each source's rhythm from.

    Returns:
        ``core.release.FRESHNESS``, one row per source with a complete period, sorted by ``source_id``.

    Raises:
        InputError: A source has no entry in the catalogue.
    """
    check(known, OBSERVATIONS)
    unknown = sorted(set(known["source_id"]) - set(cards))
    if unknown:
        raise InputError(f"no entry in the catalogue for the sources {unknown}")
    night = pd.Timestamp(as_of)
    ends = pd.concat(
        [pd.Series(dtype="datetime64[ns]")]
        + [end_dates(rows["time_period"], freq) for freq in FREQUENCIES if len(rows := known[known["freq"] == freq])]
    )
    complete = known.assign(end=ends.reindex(known.index))
    complete = complete[(complete["end"] <= night) & (complete["as_of"] <= night)]
    learned = publication_days(history) if history is not None else publication_days(known.iloc[:0])
    states = [
        _row(str(source_id), figures, night, cards[str(source_id)], learned[learned["source_id"] == source_id])
        for source_id, figures in complete.groupby("source_id", sort=True)
    ]
    frame = pd.DataFrame(states, columns=list(FRESHNESS.columns))
    return check(frame.astype(FRESHNESS.empty().dtypes), FRESHNESS)


def changes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Sources whose state is another than before.

    Args:
        before: Freshness in the release before (``core.release.FRESHNESS``).
        after: Freshness now.

    Returns:
        ``core.release.FRESHNESS_CHANGES``; a source that was not there before has no change.
    """
    both = after.merge(before[["source_id", "state"]], on="source_id", suffixes=("", "_before"))
    changed = both[both["state"] != both["state_before"]].rename(columns={"state_before": "before", "state": "after"})
    return check(changed[list(FRESHNESS_CHANGES.columns)].reset_index(drop=True), FRESHNESS_CHANGES)


def _row(
    source_id: str, figures: pd.DataFrame, night: pd.Timestamp, card: SourceCard, learned: pd.DataFrame
) -> dict[str, object]:
    newest = figures.loc[figures["end"] == figures["end"].max()].iloc[0]
    age = int((night - newest["end"]).days)
    days = learned.loc[learned["freq"] == newest["freq"], "days"]
    known = len(days) >= FEWEST_PERIODS
    expected = usual_age(days, newest["freq"]) if known else card.expected_days
    following = (to_period(newest["time_period"], newest["freq"]) + 1).end_time.normalize()
    usual = following + pd.Timedelta(days=float(days.median())) if known else None
    return {
        "source_id": source_id,
        "last_period": str(newest["time_period"]),
        "last_as_of": figures["as_of"].max(),
        "age_days": age,
        "expected_days": expected,
        "state": state(age, expected),
        "next_expected": (usual or newest["end"] + pd.Timedelta(days=card.expected_days)).normalize(),
        "learned_from": len(days) if known else 0,
    }


def state(age_days: int, expected_days: int) -> str:
    """Name the state: fresh up to the expected age, due up to 1.5 times, overdue up to 3 times, else delinquent."""
    ratio = age_days / expected_days
    if ratio <= 1:
        return "fresh"
    if ratio <= DUE_WITHIN:
        return "due"
    return "overdue" if ratio <= OVERDUE_WITHIN else "delinquent"
