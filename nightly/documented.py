"""What would have been said before the documented rises: from tonight's past forecasts, and from kept results."""

from __future__ import annotations

import pandas as pd

from alerts.rules.base import counts_by_series
from alerts.rules.surge import RULE as SURGE
from alerts.verification.known_events import KINDS, KnownEvent, retrospective_alerts
from alerts.verification.record import Record
from core.settings import SNAPSHOT, AlertSettings
from ingest.events import events, said_on_detections


def documented_rises(record: Record, panel: pd.DataFrame, settings: AlertSettings) -> pd.DataFrame:
    """One row per documented rise, basis of figures and months ahead; a rise of which nothing is kept has one row.

    Args:
        record: What past origins say about the rules.
        panel: Outcomes (``core.release.PANEL``).
        settings: What counts as far above.

    Returns:
        :data:`alerts.verification.known_events.COLUMNS` plus the catalogue's ``title, title_fr, what, what_fr, source,
        url``.
        ``basis`` is ``arrivals`` (this release's own figures), ``detections`` (Frontex's: only chances are kept), or
        empty; then ``horizon`` is 0.
    """
    cards = events(SNAPSHOT)
    parts = [said_on_detections(SNAPSHOT)]
    if SURGE.rule in record.frozen:
        named = [KnownEvent(card.event_id, card.route_id, card.month) for card in cards]
        frozen = record.frozen[SURGE.rule]
        counts, first = counts_by_series(panel), record.span.first_judged
        parts.append(retrospective_alerts(named, record.past, counts, frozen, first, settings, basis="arrivals"))
    said = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
    catalogue = pd.DataFrame([card.model_dump() for card in cards])
    told = said.drop(columns=["route_id", "month"], errors="ignore")
    if told.empty:
        told = pd.DataFrame(columns=["event_id", "horizon", "origin", "chance", "cutoff", "level", "came", "basis"])
    joined = catalogue.merge(told, on="event_id", how="left")
    joined = joined.fillna({"horizon": 0, "origin": "", "level": "", "basis": ""})
    return joined.astype(KINDS)
