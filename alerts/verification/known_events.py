"""Known events of the past: which alerts would have preceded each, and how long before.

The catalogue (``data/events.toml``) names them from public sources, not from Vigie's own figures, so that nobody chose
them for being detected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alerts.levels import Cutoffs
from alerts.rules.base import route_of
from alerts.rules.surge import RULE as SURGE
from alerts.verification.hindcast import HORIZONS, PastForecasts, judge
from core.settings import AlertSettings

COLUMNS = ["event_id", "route_id", "month", "horizon", "origin", "chance", "cutoff", "level", "came", "basis"]
KINDS = {"horizon": "int64", "chance": "float64", "cutoff": "float64", "came": "float64"}


@dataclass(frozen=True)
class KnownEvent:
    """One rise that the public record tells of.

    Attributes:
        event_id: Its identity.
        route_id: Route.
        month: First month of the rise, such as ``2011-02``.
    """

    event_id: str
    route_id: str
    month: str


def retrospective_alerts(
    events: Sequence[KnownEvent],
    past: PastForecasts,
    counts: pd.DataFrame,
    cutoffs: Mapping[int, Cutoffs],
    first_judged: int,
    settings: AlertSettings,
    *,
    basis: str,
) -> pd.DataFrame:
    """Which alerts of the rule "surge" would have named each event's first month.

    Args:
        events: The catalogue.
        past: Forecasts issued at past origins.
        counts: Monthly outcomes, one column per series.
        cutoffs: Frozen cut-offs by months ahead.
        first_judged: Index of the first origin after the span that they were learned on. Earlier origins could not know
            them, and get Bayes cut-offs.
        settings: What counts as far above.
        basis: Whose figures these are, in a word.

    Returns:
        :data:`COLUMNS`, one row per event and months ahead (``horizon``) with a forecast: ``origin`` is the month whose
        count was the newest, ``chance`` the probability that the event's month would be far above the mean known then,
        ``level`` what the cut-off makes of it (empty: no alert), ``came`` 1 where the count was, 0 where it was not,
        NaN where that is not known. Nothing of the counts themselves is in it.
    """
    judged = judge(SURGE, past, counts, settings)
    columns = {route_of(name): column for column, name in enumerate(past.series)}
    rows: list[dict[str, object]] = []
    for event in events:
        column = columns.get(event.route_id)
        if column is None:
            continue
        for horizon in range(HORIZONS, 0, -1):
            origin = pd.Period(event.month, "M") - horizon
            row = int(past.origins.get_indexer(pd.PeriodIndex([origin]))[0])
            at = row, column, horizon - 1
            if row < 0 or not np.isfinite(judged.probability[at]):
                continue
            levels = cutoffs[horizon] if row >= first_judged else SURGE.bayes_cutoffs(settings)
            rows.append(
                {
                    "event_id": event.event_id,
                    "route_id": event.route_id,
                    "month": event.month,
                    "horizon": horizon,
                    "origin": str(origin),
                    "chance": float(judged.probability[at]),
                    "cutoff": levels.watch,
                    "level": levels.level(float(judged.probability[at])) or "",
                    "came": float(judged.event[at]) if judged.known[at] else np.nan,
                    "basis": basis,
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS).astype(KINDS)
