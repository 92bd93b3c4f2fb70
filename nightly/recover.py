"""Recovery: what former nights left undone or a fault left behind is mended before a night, or named to a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from core.calendar import is_ahead
from core.errors import StoreError, message
from core.languages import marked as _
from core.log import get_logger
from nightly.inputs import ACTOR, LOADED
from store import remove_unfinished
from store.figures import CELL, VintageStore, reduce_as_of
from store.figures.editions import EditionStore
from store.journal import Entry, Journal
from store.releases import Release, ReleaseStore
from store.releases.caches import BacktestStore, FitStore
from store.status import NIGHT_ACTIONS, WITNESS, WITNESSED

FRESHNESS = "freshness"
"""Action of the rows that say that a source became late, or came back; who sends messages looks for it."""
JOURNAL_SOURCE, CLOCK_SOURCE = "vigie-journal", "vigie-clock"
"""Stand where a degraded source's id stands."""
_PUBLISHED, _PUBLISHED_DEGRADED = NIGHT_ACTIONS[:2]
_LATE = "recorded by the next night: the one that published it did not get to it"
Degraded = list[dict[str, str]]


def recover(home: Path, journal: Journal, releases: ReleaseStore, now: dt.datetime) -> Degraded:
    """Clear away what killed nights left half written or damaged, and record what they published.

    Returns:
        Records of a degraded night: what a person must look at.

    Raises:
        StoreError: The journal or a manifest cannot be read or written.
    """
    if altered := [*BacktestStore(home).heal(), *FitStore(home).heal()]:
        get_logger().warning("past forecasts or fits altered or unknown, made again", files=altered)
    if damaged := VintageStore(home).damaged():
        raise StoreError(f"{damaged[0]}: is not as it was written: put it back with vigie home restore --repair")
    if removed := remove_unfinished(home, now):
        get_logger().info("unfinished files removed", files=len(removed))
    EditionStore(home, journal).recover()
    current = releases.current()
    if current is None:
        return []
    if not journal.entries(action=LOADED):
        text = _(
            "the journal is new, though there are releases up to {run_id}: if it was lost, stop the dashboard and "
            "put it back with {command}"
        )
        lost = message(text, run_id=current.run_id, command="vigie home restore --repair")
        return [lost.record(JOURNAL_SOURCE)]
    try:
        created = dt.datetime.fromisoformat(current.manifest["created_at"])
        _record_what_was_cut_off(journal, current, releases.head())
    except (KeyError, TypeError, ValueError, StoreError) as error:
        # A damaged release is named where the night compares itself with it.
        get_logger().warning("release not recorded", run_id=current.run_id, reason=str(error))
        return []
    if is_ahead(created, now):
        text = _(
            "release {run_id} was made at {made} UTC by this machine's clock, which now says {now}: it is wrong, "
            "or was; set it (NTP)"
        )
        days = {"made": f"{created:%Y-%m-%d %H:%M}", "now": f"{now:%Y-%m-%d %H:%M}"}
        return [message(text, run_id=current.run_id, **days).record(CLOCK_SOURCE)]
    return []


def chain_head(journal: Journal) -> dict[str, Any] | None:
    """The end of the journal's chain as a manifest keeps it; None where the journal cannot be read just now."""
    try:
        head = journal.head()
    except StoreError as error:
        get_logger().error("journal not read", reason=str(error))
        return None
    return None if head is None else asdict(head)


def witness(journal: Journal, run_id: str, sha256: str) -> None:
    """Record a release in the journal before it is in place: readers refuse one without this row.

    Raises:
        StoreError: The journal refuses; then nothing is published.
    """
    journal.record(Entry(ACTOR, WITNESSED, run_id, run_id, payload={WITNESS: sha256}))


def record_publication(
    journal: Journal, release: Release, seconds: Mapping[str, float], witness: str | None, reason: str = ""
) -> Degraded:
    """Record a release that is in place in the journal; if that fails, the next night records it.

    The night's own row comes last: where it stands, everything before it stands too.

    Args:
        journal: The home's journal.
        release: The release.
        seconds: By stage.
        witness: Hash of its manifest.
        reason: Why it is recorded late.

    Returns:
        What a person must look at, where the journal refused.
    """
    degraded = release.manifest["degraded"]
    reasons = [*([reason] if reason else []), *(f"{item['source_id']}: {item['reason']}" for item in degraded)]
    action = _PUBLISHED_DEGRADED if degraded else _PUBLISHED
    payload = {"seconds": dict(seconds), WITNESS: witness}
    try:
        _record_freshness(journal, release)
        journal.record(Entry(ACTOR, action, release.run_id, release.run_id, "; ".join(reasons), payload))
    except StoreError as error:
        text = _("the release is published but not in the journal; the next night records it: {fault}")
        get_logger().info("release not recorded", run_id=release.run_id, reason=str(error))
        return [message(text, fault=error.message).record(JOURNAL_SOURCE)]
    return []


def values_ahead(history: pd.DataFrame, today: dt.date) -> Degraded:
    """Return sources with values from the future: they were taken in while the clock was ahead.

    An estimated date lies ahead where a publisher was early, whatever the clock says; it does not count.
    """
    later_than_now = history["as_of"] > pd.Timestamp(today) + pd.Timedelta(days=1)
    ahead = history[later_than_now & ~history["as_of_estimated"].astype(bool)]
    if ahead.empty:
        return []
    of_these = history[history[CELL].isin(ahead[CELL])]
    key = ["source_id", "series_id", "time_period", "obs_value"]
    later = ahead.dropna(subset=["obs_value"]).merge(
        reduce_as_of(of_these, today)[key], on=key, how="left", indicator=True
    )
    unknown = later[later["_merge"] == "left_only"]
    return [
        message(
            _(
                "figures dated {day} or later: {n}, taken in while the clock was ahead; they do not count before: hand "
                "their files in again"
            ),
            n=float(len(rows)),
            day=f"{rows['as_of'].min():%Y-%m-%d}",
        ).record(str(source_id))
        for source_id, rows in unknown.groupby("source_id")
    ]


def _record_freshness(journal: Journal, release: Release) -> None:
    """Record the changes of freshness that a release found since the one before; done twice, it adds nothing."""
    recorded = {entry.subject for entry in journal.entries(run_id=release.run_id, action=FRESHNESS)}
    for row in release.read("freshness_changes").to_dict("records"):
        source_id, before, after, last = (row[name] for name in ("source_id", "before", "after", "last_period"))
        if source_id not in recorded:
            reason = f"{source_id}: {before}, now {after}; newest figures of {last}"
            payload = {
                "before": before, "after": after, "last_known": last, "as_of": release.as_of.isoformat(),
                "replay": bool(release.manifest["replay"]),
            }  # fmt: skip
            journal.record(Entry(ACTOR, FRESHNESS, str(source_id), release.run_id, reason, payload))


def _record_what_was_cut_off(journal: Journal, release: Release, witness: str | None) -> None:
    """Record the publication of a release that the journal witnessed; one that it did not witness stays refused."""
    rows = journal.entries(run_id=release.run_id)
    is_witnessed = any(row.action == WITNESSED and row.payload[WITNESS] == witness for row in rows)
    if is_witnessed and not any(row.action in NIGHT_ACTIONS for row in rows):
        record_publication(journal, release, {}, witness, _LATE)
        get_logger().info("made up for a night that was cut off", run_id=release.run_id)
