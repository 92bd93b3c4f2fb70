"""What a night has to say about alerts: it proposes, worsens, eases and ends them. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from alerts.lifecycle import ANNOUNCED, ENDED, NIGHTLY, PROPOSED, State, fold, night_step
from core.entry import Entry
from desk.decisions import announcing, letters_of, proposal, release_is_quiet
from desk.open import Desk
from store.outbox import Letter
from store.releases import Release


def record_night(desk: Desk, release: Release) -> list[Entry]:
    """Bring the journal up to a release; done twice, it adds nothing the second time.

    A replayed night leaves alerts of real nights as they are.

    Args:
        desk: The desk.
        release: The current release.

    Returns:
        The rows that were added.

    Raises:
        StoreError: The journal refuses.
    """
    replay = bool(release.manifest["replay"])
    standing = {str(row["alert_id"]): row for row in release.read("alerts").to_dict("records")}
    proposed = _open_proposals(desk)
    added: list[Entry] = []
    for alert_id, row in standing.items():
        if not replay or proposed.get(alert_id, True):
            added += _bring_up(desk, release, alert_id, row)
    for alert_id, was_replay in proposed.items():
        if alert_id not in standing and (was_replay or not replay):
            added += _bring_up(desk, release, alert_id, None)
    return added


def _open_proposals(desk: Desk) -> dict[str, bool]:
    """Alerts that were proposed and not ended, each with whether a replay proposed it."""
    rows = sorted(desk.journal.entries(action=PROPOSED) + desk.journal.entries(action=ENDED), key=lambda row: row.id)
    found: dict[str, bool] = {}
    for row in rows:
        if row.action == PROPOSED:
            found[row.subject] = bool(row.payload.get("replay"))
        else:
            found.pop(row.subject, None)
    return found


def _bring_up(desk: Desk, release: Release, alert_id: str, row: Mapping[Any, Any] | None) -> list[Entry]:
    level = "" if row is None else str(row["alert_level"])

    def decide(entries: list[Entry]) -> Sequence[Entry]:
        state = fold(entries)
        action = night_step(state, level)
        if not action:
            return []
        if row is not None:
            return [proposal(row, release, action)]
        return list(_end(desk, release, alert_id, state, entries))

    def post(stored: list[Entry], known: list[Letter]) -> list[Letter]:
        return letters_of(desk, stored, known)

    return desk.outbox.decide(alert_id, decide, post)


def _end(desk: Desk, release: Release, alert_id: str, state: State, entries: Sequence[Entry]) -> Iterator[Entry]:
    yield Entry(NIGHTLY, ENDED, alert_id, release.run_id, "no longer found by the night")
    if state.was_raised and not release_is_quiet(desk, release):
        last = [entry for entry in entries if entry.action == ANNOUNCED][-1]
        about = {"as_of": release.as_of.isoformat(), "replay": bool(release.manifest["replay"])}
        facts = {name: value for name, value in last.payload["facts"].items() if name != "signed_by"}
        yield announcing(alert_id, release.run_id, ENDED, {**facts, **about})
