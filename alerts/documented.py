"""Documented rises of the past: what would have been said before each, and how long before.

The catalogue (``data/events.toml``) names them from public sources, not from Vigie's own figures, so that nobody chose
them for being foreseen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alerts import thresholds
from alerts.exceedance import EXCEEDANCE_RULES
from alerts.levels import Cutoffs
from alerts.past import Issued, replay
from core.settings import AlertSettings

COLUMNS = ["event_id", "route_id", "month", "horizon", "origin", "chance", "cutoff", "level", "came", "basis"]
KINDS = {"horizon": "int64", "chance": "float64", "cutoff": "float64", "came": "float64"}
SURGE = next(rule for rule in EXCEEDANCE_RULES if rule.rule == "surge")


@dataclass(frozen=True)
class DocumentedEvent:
    """One rise that the public record tells of.

    Attributes:
        event_id: Its identity.
        route_id: Route.
        month: First month of the rise, such as ``2011-02``.
    """

    event_id: str
    route_id: str
    month: str


def said_before(
    events: Sequence[DocumentedEvent],
    made: Issued,
    counts: pd.DataFrame,
    cutoffs: Mapping[int, Cutoffs],
    first_judged: int,
    settings: AlertSettings,
    *,
    basis: str,
) -> pd.DataFrame:
    """What the rule "far above the trailing mean" would have said about each event's first month.

    Args:
        events: The catalogue.
        made: Forecasts issued at past origins.
        counts: Monthly outcomes, one column per series.
        cutoffs: Frozen cut-offs by months ahead.
        first_judged: Place of the first origin after the span that they were learned on. Earlier origins could not know
            them, and get those of honest chances.
        settings: What counts as far above.
        basis: Whose figures these are, in a word.

    Returns:
        :data:`COLUMNS`, one row per event and months ahead (``horizon``) with a forecast: ``origin`` is the month whose
        count was the newest, ``chance`` that the event's month would be far above the mean known then, ``level`` what
        the cut-off makes of it (empty: no alert), ``came`` 1 where the count was, 0 where it was not, NaN where
        that is not known. Nothing of the counts themselves is in it.
    """
    past = replay(SURGE, made, counts, settings)
    places = {thresholds.route_of(name): place for place, name in enumerate(made.series)}
    rows: list[dict[str, object]] = []
    for event in events:
        column = places.get(event.route_id)
        if column is None:
            continue
        for horizon in range(past.chance.shape[2], 0, -1):
            origin = pd.Period(event.month, "M") - horizon
            place = int(made.origins.get_indexer(pd.PeriodIndex([origin]))[0])
            at = place, column, horizon - 1
            if place < 0 or not np.isfinite(past.chance[at]):
                continue
            levels = cutoffs[horizon] if place >= first_judged else SURGE.honest(settings)
            rows.append(
                {
                    "event_id": event.event_id,
                    "route_id": event.route_id,
                    "month": event.month,
                    "horizon": horizon,
                    "origin": str(origin),
                    "chance": float(past.chance[at]),
                    "cutoff": levels.watch,
                    "level": levels.level(float(past.chance[at])) or "",
                    "came": float(past.event[at]) if past.judged[at] else np.nan,
                    "basis": basis,
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS).astype(KINDS)
