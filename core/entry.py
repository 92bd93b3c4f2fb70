"""One row of the journal: what somebody did, to what, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_NOT_YET = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True)
class Entry:
    """One row of the journal.

    Attributes:
        actor: Who did it: a person's name, or ``nightly``.
        action: What was done: ``published``, ``acknowledged``, ``signed off``, …
        subject: What it was done to: an alert_id, a source_id, a scenario.
        run_id: The release it concerns; empty where none.
        reason: Why, in the person's words.
        payload: Further facts, as JSON.
        id: Number given by the database; grows with time.
        at: When, UTC.
    """

    actor: str
    action: str
    subject: str
    run_id: str = ""
    reason: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    id: int = 0
    at: dt.datetime = _NOT_YET
