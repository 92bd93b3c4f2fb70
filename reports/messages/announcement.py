"""One announcement to recipients, with its evidence, as plain JSON kept in the journal.

A message is written from these facts alone, so it says the same at every attempt, whatever becomes of the release.
"""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import pandas as pd

from alerts.lifecycle import ENDED, JUDGED, RAISED, UNJUDGED, UPDATED, WITHDRAWN
from core import INTERVALS, interval_levels
from core.calendar import is_month, to_period
from core.schema import Entry
from reports.alert import rule_record
from reports.numbers import expected_before, quantiles_of, series_of

Facts = Mapping[str, Any]
MONTHS_BACK = 24
FAN_LEVELS = tuple(sorted({0.5, *(level for interval in INTERVALS for level in interval_levels(interval))}))
_COPIED = (
    "alert_id", "rule", "alert_level", "route_id", "source_id", "series_id", "reason", "reason_key", "reason_params",
    "first_period", "last_period", "intended_use", "unjudged_since",
)  # fmt: skip
FRESHNESS = "freshness"
_PERSONAL = {"signed_by", "why"}
KINDS = (RAISED, UPDATED, UNJUDGED, JUDGED, ENDED, WITHDRAWN, FRESHNESS)
_NAMESPACE = uuid.UUID("7d1f6a0e-3a55-5e0b-9a63-5b0b5d1b8f7e")


@dataclass(frozen=True)
class Announcement:
    """An announcement to recipients; each outbox message carries it to one of them.

    Attributes:
        identity: The same at every attempt and in every language.
        kind: One of :data:`KINDS`.
        subject: The alert it is about; of a digest, the night.
        run_id: The release it rests on.
        at: When it was decided, UTC.
        facts: See :func:`alert_facts`, plus ``as_of``, ``replay``, ``signed_by`` and ``before``.
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
        """The alert's level; empty in a night's digest."""
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
    identity = str(uuid.uuid5(_NAMESPACE, f"{entry.subject}\n{entry.run_id}\n{entry.id}\n{entry.at.isoformat()}"))
    return Announcement(identity, kind, entry.subject, entry.run_id, entry.at, facts, before)


def message_identity(announcement: Announcement, subscription: str, recipient: str) -> str:
    """Name of the message that says it to one recipient: the same at every attempt."""
    return str(uuid.uuid5(uuid.UUID(announcement.identity), f"{subscription}\n{recipient}"))


def alert_facts(alert: Mapping[Any, Any], frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Everything that a message says about an alert.

    Args:
        alert: A row of ``core.release.ALERTS``.
        frames: ``forecasts``, ``observations``, ``backtest`` and ``track_record`` of its release.

    Returns:
        JSON-ready: columns of the alert; ``history``, up to 24 pairs of month and count; ``expected_before``, what was
        expected of the last of them a month before; ``fan``, with ``months`` and
        per quantile level the figures expected; ``record``, the rule's measures at past dates, or None.
    """
    return {
        **{name: str(alert[name]) for name in _COPIED if name in alert},
        "horizon": int(alert["horizon"]),
        "probability": _number(alert["probability"]),
        **{
            name: _number(alert[name]) for name in ("threshold", "base_rate", "cutoff", "prepare_from") if name in alert
        },
        "history": (history := _history(frames["observations"], str(alert["series_id"]))),
        "expected_before": _expected_before(frames["backtest"], str(alert["series_id"]), history),
        "fan": _fan(frames["forecasts"], str(alert["series_id"])),
        "record": rule_record(alert, frames["track_record"]),
    }


def concerned(facts: Facts) -> list[tuple[str, dict[float, float]]]:
    """Months that an alert speaks of, each with its quantiles; empty where nothing is forecast."""
    fan = facts.get("fan") or {"months": [], "levels": {}}
    first, last = facts.get("first_period", ""), facts.get("last_period", "")
    if not is_month(first):
        return []
    return [
        (month, {float(level): values[place] for level, values in fan["levels"].items()})
        for place, month in enumerate(fan["months"])
        if first <= month <= last
    ]


def _history(observations: pd.DataFrame, series_id: str) -> list[list[Any]]:
    rows = series_of(observations, series_id).tail(MONTHS_BACK)
    return [[month, float(value)] for month, value in zip(rows["time_period"], rows["obs_value"], strict=True)]


def _expected_before(backtest: pd.DataFrame, series_id: str, history: Sequence[Sequence[Any]]) -> float | None:
    """The median that was expected of the newest month a full month before."""
    if not history:
        return None
    found = expected_before(backtest, series_id, to_period(history[-1][0], "M").end_time.normalize())
    return None if found is None else found.median


def _fan(forecasts: pd.DataFrame, series_id: str) -> dict[str, Any]:
    wide = quantiles_of(forecasts, series_id)
    levels = [level for level in FAN_LEVELS if level in wide.columns]
    return {
        "months": [f"{end:%Y-%m}" for end in wide.index],
        "levels": {str(level): [round(float(value), 1) for value in wide[level]] for level in levels},
    }


def _number(value: object) -> float | None:
    number = float(str(value))
    return number if math.isfinite(number) else None
