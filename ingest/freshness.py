"""How old each source's newest figure is, against the rhythm its publisher usually keeps.

The four states are those of OCHA's Humanitarian Data Exchange (https://humanitarian.atlassian.net: "Freshness").
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pandas as pd

from core.calendar import FREQUENCIES, end_dates
from core.errors import InputError
from core.schema import FRESHNESS, OBSERVATIONS, check
from ingest.catalogue import SourceCard

DUE_WITHIN, OVERDUE_WITHIN = 1.5, 3.0
"""Multiples of the expected age up to which a source is due, then overdue; beyond, delinquent."""


def freshness(known: pd.DataFrame, as_of: dt.date, cards: Mapping[str, SourceCard]) -> pd.DataFrame:
    """State of every source that has a figure on a date.

    Args:
        known: Observations known on that date (``core.schema.OBSERVATIONS``).
        as_of: The date. Periods that end after it are not complete and do not count.
        cards: Catalogue, for the days expected of each source.

    Returns:
        ``core.schema.FRESHNESS``, one row per source with a complete period, sorted by ``source_id``.

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
    states = [
        _row(str(source_id), figures, night, cards[str(source_id)])
        for source_id, figures in complete.groupby("source_id", sort=True)
    ]
    frame = pd.DataFrame(states, columns=list(FRESHNESS.columns))
    typed = frame.astype({"age_days": "int64", "expected_days": "int64", "last_as_of": "datetime64[ns]"})
    return check(typed, FRESHNESS)


def _row(source_id: str, figures: pd.DataFrame, night: pd.Timestamp, card: SourceCard) -> dict[str, object]:
    newest = figures.loc[figures["end"] == figures["end"].max()]
    age = int((night - newest["end"].iloc[0]).days)
    return {
        "source_id": source_id,
        "last_period": str(newest["time_period"].iloc[0]),
        "last_as_of": figures["as_of"].max(),
        "age_days": age,
        "expected_days": card.expected_days,
        "state": state(age, card.expected_days),
    }


def state(age_days: int, expected_days: int) -> str:
    """Name the state: fresh up to the expected age, due up to 1.5 times, overdue up to 3 times, else delinquent."""
    ratio = age_days / expected_days
    if ratio <= 1:
        return "fresh"
    if ratio <= DUE_WITHIN:
        return "due"
    return "overdue" if ratio <= OVERDUE_WITHIN else "delinquent"
