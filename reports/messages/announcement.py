"""One thing that left the house, as the journal keeps it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from alerts.lifecycle import ENDED, RAISED, UPDATED, WITHDRAWN
from core.entry import Entry

FRESHNESS = "freshness"
_PERSONAL = {"signed_by", "why"}
KINDS = (RAISED, UPDATED, ENDED, WITHDRAWN, FRESHNESS)
_NAMESPACE = uuid.UUID("7d1f6a0e-3a55-5e0b-9a63-5b0b5d1b8f7e")


@dataclass(frozen=True)
class Announcement:
    """What is said to whom it may concern; each letter says it to one of them.

    Attributes:
        identity: The same at every try and in every language.
        kind: One of :data:`KINDS`.
        subject: The alert or source it is about.
        run_id: The release it rests on.
        at: When it was decided, UTC.
        facts: See :func:`reports.messages.facts.alert_facts`, plus ``as_of``, ``replay``, ``signed_by`` and ``before``.
        earlier: Announcements about the same alert before this one, oldest first.
    """

    identity: str
    kind: str
    subject: str
    run_id: str
    at: dt.datetime
    facts: dict[str, Any] = field(default_factory=dict)
    earlier: tuple[Announcement, ...] = ()

    @property
    def level(self) -> str:
        """The alert's level; empty where a source is concerned."""
        return str(self.facts.get("alert_level", ""))

    @property
    def is_replay(self) -> bool:
        """Whether it speaks of a past night that was replayed."""
        return bool(self.facts.get("replay"))

    @property
    def is_over(self) -> bool:
        """Whether it takes back what was said before."""
        return self.kind in {ENDED, WITHDRAWN}

    def without_names(self) -> Announcement:
        """The same for files that anybody may read: without the names and words of the people who decided."""
        return replace(self, facts={name: value for name, value in self.facts.items() if name not in _PERSONAL})

    def link(self, dashboard_url: str, language: str) -> str:
        """Address of the same view in the dashboard."""
        page, state = "data", {"release": self.run_id, "lang": language}
        if self.kind != FRESHNESS:
            page = "alerts"
            state["alert"] = f"{self.subject}:ended" if self.kind == ENDED else self.subject
        query = urlencode({name: value for name, value in state.items() if value})
        return f"{dashboard_url.rstrip('/')}/{page}?{query}"


def announcement_of(entry: Entry, earlier: Sequence[Entry] = ()) -> Announcement:
    """Read one from its journal row.

    Args:
        entry: A row whose action is ``announced``.
        earlier: Rows of the same kind about the same subject; only those before it count.
    """
    facts = dict(entry.payload.get("facts", {}))
    before = tuple(announcement_of(one) for one in earlier if one.id < entry.id)
    kind = str(entry.payload["kind"])
    return Announcement(_identity(entry), kind, entry.subject, entry.run_id, entry.at, facts, before)


def letter_identity(announcement: Announcement, subscription: str, recipient: str) -> str:
    """Name of the letter that says it to one recipient: the same at every try."""
    return str(uuid.uuid5(uuid.UUID(announcement.identity), f"{subscription}\n{recipient}"))


def _identity(entry: Entry) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{entry.subject}\n{entry.run_id}\n{entry.id}\n{entry.at.isoformat()}"))
