"""Rows about access in the journal: signed in, signed out, refused, downloaded. What people decide has its own rows."""

from __future__ import annotations

from typing import Final

from access.identity import Login
from access.roles import DOWNLOAD, PERMISSIONS, Actor, NotAllowedError, may
from core.entry import Entry
from store.journal import Journal

SIGNED_IN, SIGNED_OUT, REFUSED, DOWNLOADED = "signed in", "signed out", "refused", "downloaded"
ACCESS_ROWS: Final = (SIGNED_IN, SIGNED_OUT, REFUSED, DOWNLOADED)
_LONGEST = 200


def note_login(journal: Journal, login: Login) -> bool:
    """Record a login the first time it is met.

    Returns:
        Whether it still holds: False where the person has signed out of it.

    Raises:
        StoreError: The journal refuses.
    """
    subject = _of(login)
    rows = journal.entries(subject=subject)
    if not rows:
        entry = Entry(login.actor.name, SIGNED_IN, subject, payload=login.actor.marks())
        journal.decide(subject, lambda found: [] if found else [entry])
    return all(row.action != SIGNED_OUT for row in rows)


def note_logout(journal: Journal, login: Login) -> None:
    """Record that a login was ended by its person: whatever cookie is left of it, it opens nothing any more.

    Raises:
        StoreError: The journal refuses.
    """
    subject = _of(login)
    entry = Entry(login.actor.name, SIGNED_OUT, subject, payload=login.actor.marks())
    journal.decide(subject, lambda rows: [] if any(row.action == SIGNED_OUT for row in rows) else [entry])


def note_refusal(journal: Journal, actor: Actor, action: str, about: str = "") -> None:
    """Record that somebody who has signed in was refused something.

    Args:
        journal: The journal.
        actor: The person.
        action: What was asked for.
        about: To what: an alert, a file, an address.

    Raises:
        StoreError: The journal refuses.
    """
    journal.record(
        Entry(actor.name, REFUSED, "access", payload=actor.marks({"action": action, "about": about[:_LONGEST]}))
    )


def authorize_download(journal: Journal, actor: Actor, file_name: str, run_id: str = "") -> None:
    """Let a file leave, and record it; without a login nothing is recorded.

    Raises:
        NotAllowedError: The person's roles do not allow downloads; recorded as refused.
        StoreError: The journal refuses: then the file does not leave either.
    """
    if not may(actor, DOWNLOAD):
        note_refusal(journal, actor, DOWNLOAD, file_name)
        raise NotAllowedError(f"{actor.name} may not do this: {DOWNLOAD}")
    if actor.roles is not None:
        journal.record(Entry(actor.name, DOWNLOADED, f"file:{file_name}"[:_LONGEST], run_id, payload=actor.marks()))


def access_rows(journal: Journal) -> list[Entry]:
    """Every row that a person who signed in has left, the newest first.

    Raises:
        StoreError: The journal cannot be read.
    """
    actions = dict.fromkeys([*ACCESS_ROWS, *PERMISSIONS])
    rows = [row for action in actions for row in journal.entries(action=action)]
    kept = [row for row in rows if row.action in ACCESS_ROWS or "identity" in row.payload]
    return sorted(kept, key=lambda row: row.id, reverse=True)


def _of(login: Login) -> str:
    return f"login:{login.login_id}"


def describe(row: Entry) -> str:
    """What an audit row is about, in a few words: a file, an alert, what was refused."""
    if row.action == REFUSED:
        return f"{row.payload.get('action', '')} {row.payload.get('about', '')}".strip()
    if row.action in {SIGNED_IN, SIGNED_OUT}:
        return ", ".join(str(role) for role in row.payload.get("roles", [])) or "no role"
    return row.subject.removeprefix("file:")
