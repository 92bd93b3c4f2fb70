"""A source became late, or came back: one journal row per change of state, from which messages are made."""

from __future__ import annotations

from store.journal import Entry, Journal
from store.releases import Release

ACTOR = "nightly"
FRESHNESS = "freshness"
"""Action of the rows; who delivers messages looks for it."""


def record_freshness(journal: Journal, release: Release) -> list[Entry]:
    """Record the changes of freshness that a release found since the one before; done twice, it adds nothing.

    Args:
        journal: Where they are kept.
        release: The release that was just published.

    Returns:
        The rows, each with the source as subject, and ``before``, ``after``, ``last_known`` and ``replay`` in its
        payload.

    Raises:
        StoreError: The journal cannot be written.
    """
    told = {entry.subject for entry in journal.entries(run_id=release.run_id, action=FRESHNESS)}
    rows = [row for row in release.read("freshness_changes").to_dict("records") if row["source_id"] not in told]
    replay = bool(release.manifest["replay"])
    return [
        journal.record(
            Entry(
                ACTOR,
                FRESHNESS,
                str(row["source_id"]),
                release.run_id,
                f"{row['source_id']}: {row['before']}, now {row['after']}; newest figures of {row['last_period']}",
                {
                    "before": row["before"],
                    "after": row["after"],
                    "last_known": row["last_period"],
                    "as_of": release.as_of.isoformat(),
                    "replay": replay,
                },
            )
        )
        for row in rows
    ]
