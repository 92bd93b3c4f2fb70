"""Everything that rules say about counts just made, month by month."""

from __future__ import annotations

import pandas as pd

from alerts.change_points import CHANGE, changes
from alerts.composition import SHIFT, shifts
from alerts.evidence import Evidence
from alerts.misses import MISS, misses
from alerts.origin_context import SHOCK, contexts
from alerts.signals import Signal, record
from core.release import TRACK_RECORD
from core.schema import check
from core.settings import AlertSettings


def observed_signals(evidence: Evidence, settings: AlertSettings) -> dict[str, list[Signal]]:
    """Signals of every rule about counts just made, at every month that can be judged.

    Args:
        evidence: What is known on a night.
        settings: The reader's numbers.

    Returns:
        By rule: what it said in each month with what was known then, and whether it held.
    """
    return {
        MISS.rule: misses(evidence.backtest, evidence.panel),
        CHANGE.rule: changes(evidence.panel, settings),
        SHIFT.rule: shifts(evidence.by_citizen),
        SHOCK.rule: contexts(evidence.drivers, evidence.by_citizen, evidence.panel, settings),
    }


def observed_record(signals: dict[str, list[Signal]], columns: list[str]) -> pd.DataFrame:
    """The record of these rules, in the columns of :data:`alerts.track_record.COLUMNS`."""
    windows = {SHOCK.rule: SHOCK.ahead}
    rows = [
        row
        for rule, said in signals.items()
        for row in (record(said, window=windows[rule]) if rule in windows else record(said))
    ]
    frame = pd.DataFrame(rows, columns=columns)
    texts = [name for name in columns if name in {"rule", "level", "route_id"} or name.endswith(("_from", "_to"))]
    kinds = dict.fromkeys(columns, "float64") | dict.fromkeys(texts, "object")
    return check(frame.astype(kinds | dict.fromkeys(("horizon", "n_events"), "int64")), TRACK_RECORD)
