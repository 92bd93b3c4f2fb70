"""Alerts of one night: every rule over every route and source, compared with the night before."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from alerts.levels import Cutoffs, rank
from alerts.reasons import as_json, sentence
from alerts.rules import DATA_RULES, EXCEEDANCE_RULES, OBSERVED_RULES
from alerts.rules.base import Evidence, Raised, Signal
from core.release import ALERTS
from core.schema import check
from core.settings import AlertSettings

INTENDED_USE = "Planning of reception, health care and protection capacity"
SUBJECT = ["rule", "route_id", "source_id"]
"""An alert goes on from night to night while its rule speaks of the same route and source."""
COLUMNS = [*ALERTS.columns, "likely_period", "reason_key", "reason_params"]


def evaluate(
    evidence: Evidence,
    settings: AlertSettings,
    previous: pd.DataFrame | None = None,
    cutoffs: Mapping[str, Cutoffs] | None = None,
    observed: Mapping[str, list[Signal]] | None = None,
) -> pd.DataFrame:
    """Every alert of one night, at most one per rule and route or source.

    Args:
        evidence: What is known on the night.
        settings: The reader's numbers, and what counts as a surge.
        previous: Alerts of the former release; None on the first night.
        cutoffs: Cut-offs by rule, frozen on a training span (:attr:`alerts.verification.record.Record.cutoffs`).
        observed: Result of :func:`observed_signals`, where it was worked out before.

    Returns:
        A frame that keeps ``ALERTS``, gravest first, plus ``likely_period`` (first month of the window that
        is likely to bring it) and ``reason_key`` and ``reason_params`` (JSON), from which a page can write the sentence
        in another language. ``alert_id`` stays the same while an alert goes on.

    Raises:
        SchemaError: A frame of the evidence, or ``previous``, breaks its contract.
    """
    evidence.checked()
    observed = observed_signals(evidence, settings) if observed is None else observed
    raised = [
        alert for rule in EXCEEDANCE_RULES for alert in rule.alerts(evidence, settings, (cutoffs or {}).get(rule.rule))
    ]
    raised += newest(signal for signals in observed.values() for signal in signals)
    raised += [alert for rule in DATA_RULES for alert in rule.find(evidence)]
    former = {} if previous is None else _by_subject(check(previous, ALERTS))
    rows = [_row(one, former, evidence.as_of) for one in raised]
    if not rows:
        return no_alerts()
    alerts = pd.DataFrame(rows)[COLUMNS].drop_duplicates(SUBJECT)
    order = alerts["alert_level"].map(rank)
    alerts = alerts.assign(_order=-order).sort_values(["_order", "rule", "route_id", "source_id"], ignore_index=True)
    return check(alerts.drop(columns="_order"), ALERTS)


def observed_signals(evidence: Evidence, settings: AlertSettings) -> dict[str, list[Signal]]:
    """Signals of each rule about counts just made, in every month that can be judged."""
    return {rule.rule: rule.signals(evidence, settings) for rule in OBSERVED_RULES}


def newest(signals: Iterable[Signal]) -> Iterator[Raised]:
    """Alerts of each route's newest month."""
    last: dict[tuple[str, str], Signal] = {}
    for signal in signals:
        key = (signal.rule, signal.route_id)
        if key not in last or signal.month > last[key].month:
            last[key] = signal
    return (signal for signal in last.values() if signal.level)


def ended(previous: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Alerts of the former release that no longer stand, as they stood then."""
    gone = ~previous["alert_id"].isin(current["alert_id"])
    return previous[gone].reset_index(drop=True)


def no_alerts() -> pd.DataFrame:
    """A frame of alerts without rows."""
    frame = pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})
    return frame.astype({"probability": float, "threshold": float, "horizon": "int64"})


def _row(raised: Raised, former: Mapping[tuple[str, ...], Mapping[str, str]], as_of: dt.date) -> dict[str, object]:
    subject = (raised.rule, raised.route_id, raised.source_id)
    before = former.get(subject)
    names = [raised.rule, *(text for text in (raised.route_id, raised.source_id) if text.strip("_Z")), str(as_of)]
    values = dataclasses.asdict(raised)
    values["alert_level"] = values.pop("level")
    return values | {
        "alert_id": ".".join(names) if before is None else before["alert_id"],
        "reason": sentence(raised.reason_key, raised.reason_params),
        "reason_params": as_json(raised.reason_params),
        "change": "new" if before is None else _change(before["alert_level"], raised.level),
        "intended_use": INTENDED_USE,
    }


def _change(before: str, now: str) -> str:
    if before == now:
        return "unchanged"
    return "up" if rank(now) > rank(before) else "down"


def _by_subject(previous: pd.DataFrame) -> dict[tuple[str, ...], dict[str, str]]:
    wanted = previous[[*SUBJECT, "alert_id", "alert_level"]].astype(str)
    rows = [{str(name): str(value) for name, value in row.items()} for row in wanted.to_dict("records")]
    return {tuple(row[name] for name in SUBJECT): row for row in rows}
