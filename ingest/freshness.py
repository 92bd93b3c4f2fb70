"""How old each source's newest figure is, against the rhythm its publisher usually keeps, and how many have reported.

The rhythm is learned from the days on which past periods became known, where at least six are on record; else it is
the card's. Only figures with a recorded day of knowledge count: an estimated ``as_of`` would return its own
assumption. The four states are those of OCHA's Humanitarian Data Exchange (https://humanitarian.atlassian.net:
"Freshness").
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

from core.calendar import FREQUENCIES, PERIODS_PER_YEAR, end_dates, to_period
from core.errors import InputError
from core.release import FRESHNESS, FRESHNESS_CHANGES, OBSERVATIONS, REPORTING
from core.schema import ALL, NOT_APPLICABLE, check, concat_filled
from ingest import SourceCard
from ingest.rows import period_ends

SHARE_PUBLISHED = 0.5
"""Share of a period's figures whose presence counts as its publication."""
FEWEST_PLACES = 5
PERIODS_BEFORE = 12
PERIODS_SHOWN = 24
_DATASET = ["source_id", "target", "freq"]


def publication_days(history: pd.DataFrame) -> pd.DataFrame:
    """Day after each period's end on which half of its figures were known.

    Periods that ended before vintages were kept are left out.

    Args:
        history: Columns of ``core.release.OBSERVATIONS``, every figure with every ``as_of``. Where it has the store's
            column ``cell`` too, its rows are in the store's order.

    Returns:
        ``source_id, freq, time_period, days``: one row per source, frequency and period on record.
    """
    if "cell" in history:
        first = history[~history["cell"].duplicated()]
    else:
        ordered = history.sort_values("as_of", kind="stable")
        first = ordered[~ordered.duplicated(["source_id", "series_id", "time_period"])]
    first = first[~first["as_of_estimated"].astype(bool)]
    ends = period_ends(first)
    began = first.groupby(_DATASET)["as_of"].transform("min")
    # What the first vintage already held was published at some unknown earlier day.
    kept = first[(ends > began) & (first["as_of"] >= ends)]
    days = (kept["as_of"] - ends[kept.index]).dt.days
    periods = kept[["source_id", "freq", "time_period"]].assign(days=days)
    return periods.groupby(["source_id", "freq", "time_period"])["days"].quantile(SHARE_PUBLISHED).reset_index()


def reporting(known: pd.DataFrame) -> pd.DataFrame:
    """Sums over countries of each source that counts by country, and how many of them have reported.

    Args:
        known: What was known on a date (``core.release.OBSERVATIONS``).

    Returns:
        A frame that keeps ``core.release.REPORTING``: the newest 24 periods of each source, target and frequency of
        which at least five countries are still expected.
    """
    rows = known[(known["citizen"] == ALL) & known["geo"].str.fullmatch("[A-Z]{3}") & (known["freq"] != "D")]
    parts = [
        _reporting(part) for _, part in rows.groupby(_DATASET, sort=True) if part["geo"].nunique() >= FEWEST_PLACES
    ]
    return check(concat_filled(parts, REPORTING.empty()), REPORTING)


def _reporting(rows: pd.DataFrame) -> pd.DataFrame:
    # A country's own total holds what stands on its routes.
    is_total = rows["route_id"].isin([NOT_APPLICABLE, ALL])
    place = pd.MultiIndex.from_frame(rows[["geo", "time_period"]])
    rows = rows[is_total | ~place.isin(place[is_total])]
    present = rows.pivot_table(index="time_period", columns="geo", values="obs_value", aggfunc="sum").sort_index()
    flagged = rows.assign(marked=rows["obs_flag"].str.contains("p")).groupby("time_period")["marked"].any()
    recent = present.notna().astype(float).rolling(PERIODS_BEFORE + 1, min_periods=1).max()
    expected = recent.sum(axis=1).astype("int64")
    reported = present.notna().sum(axis=1).astype("int64")
    found = pd.DataFrame(
        {
            **{name: rows[name].iloc[0] for name in _DATASET},
            "time_period": present.index,
            "reported": reported.to_numpy(),
            "expected": expected.to_numpy(),
            "total": present.sum(axis=1).to_numpy(dtype=float),
            "provisional": (reported < expected).to_numpy() | flagged.reindex(present.index).to_numpy(dtype=bool),
        }
    )
    # Where few countries are left, the source counts by country no more, and an old period is not its newest.
    shown = found[(found["expected"] >= FEWEST_PLACES) & (expected.iloc[-1] >= FEWEST_PLACES)].tail(PERIODS_SHOWN)
    return shown[list(REPORTING.columns)]


def usual_age(days: pd.Series, freq: str) -> int:
    """Usual greatest age of a source's newest period: its length, and the delay that nine in ten periods keep to."""
    length = 365 // PERIODS_PER_YEAR[freq] + (1 if freq in {"M", "Q", "A"} else 0)  # type: ignore[index]  # freq keeps the contract's letters
    return length + int(np.ceil(days.quantile(0.9)))


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
