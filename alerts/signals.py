"""Rules that look at what was just counted: what each said at every past month, and whether it held.

Such a rule is one pure function over all months, in which only what was known in a month decides about that month.
Tonight's alert is its newest month; its record is all the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from alerts.ledger import Ledger, measures
from alerts.ledger import entered as entries_of
from alerts.levels import LEVELS, rank
from alerts.past import BoolArray
from alerts.raised import Raised
from core.schema import ALL
from forecasting.verification.bootstrap import draw_weights

FOLLOWED_MONTHS = 3
"""Months after a signal in which its claim must hold."""
_QUIET, _NOT_JUDGED = -1, -2


@dataclass(frozen=True)
class Signal:
    """What one rule says about one route in one month; a month in which it says nothing has no level.

    Attributes:
        rule: The rule.
        route_id: Route concerned.
        series_id: Series of the route's total.
        month: Month whose count was the newest.
        level: Level reached; empty where there is nothing to say.
        held: 1 where the months after bore the claim out, 0 where they did not, NaN where that cannot be known.
        reason_key: Key of its sentence.
        reason_params: Figures of its sentence.
        threshold: Number that was passed; NaN where there is none.
        since: First month concerned, where it is not ``month``.
    """

    rule: str
    route_id: str
    series_id: str
    month: pd.Period
    level: str = ""
    held: float = float("nan")
    reason_key: str = ""
    reason_params: Mapping[str, str | float] = field(default_factory=dict)
    threshold: float = float("nan")
    since: pd.Period | None = None

    def raised(self) -> Raised:
        """The alert of a night whose newest month this is."""
        return Raised(
            rule=self.rule,
            level=self.level,
            reason_key=self.reason_key,
            reason_params=self.reason_params,
            route_id=self.route_id,
            series_id=self.series_id,
            threshold=self.threshold,
            first_period=str(self.since or self.month),
            last_period=str(self.month),
        )


def newest(signals: Iterable[Signal]) -> Iterator[Raised]:
    """Alerts of each route's newest month."""
    last: dict[tuple[str, str], Signal] = {}
    for signal in signals:
        key = (signal.rule, signal.route_id)
        if key not in last or signal.month > last[key].month:
            last[key] = signal
    return (signal.raised() for signal in last.values() if signal.level)


def record(signals: list[Signal], *, window: int = FOLLOWED_MONTHS) -> Iterator[dict[str, object]]:
    """How often each rule's signals held, per level and route.

    Args:
        signals: All signals of one rule.
        window: Months after which a standing signal counts anew.

    Yields:
        Rows as :func:`alerts.track_record.track_record` has them, horizon 0. ``precision`` is the share that held;
        ``base_rate`` how often the claim held whether or not there was a signal, where it can be asked; ``n_events``
        the signals that could be followed. There is no recall and no lead: what such a rule does not say is no event.
    """
    known = [signal for signal in signals if not signal.level or np.isfinite(signal.held)]
    if not known:
        return
    months = pd.period_range(min(one.month for one in known), max(one.month for one in known), freq="M")
    routes = sorted({signal.route_id for signal in known})
    level = np.full((len(months), len(routes)), _NOT_JUDGED)
    held = np.full(level.shape, np.nan)
    for signal in known:
        place = months.get_loc(signal.month), routes.index(signal.route_id)
        level[place] = rank(signal.level) if signal.level else _QUIET
        held[place] = signal.held
    weights = draw_weights(len(months))
    asked = bool(np.isfinite(held[level == _QUIET]).any())
    for name in LEVELS[: level.max() + 1]:
        ledger = _ledger(level >= rank(name), held == 1, level > _NOT_JUDGED, window)
        for route_id, places in {**{one: [place] for place, one in enumerate(routes)}, ALL: range(len(routes))}.items():
            some = list(places)
            values = held[:, some][np.isfinite(held[:, some])] if asked else np.empty(0)
            yield {
                "rule": known[0].rule,
                "level": name,
                "route_id": route_id,
                "horizon": 0,
                "n_events": int(ledger.of(some).right.sum() + ledger.of(some).wrong.sum()),
                "base_rate": float(values.mean()) if len(values) else float("nan"),
                "trained_from": "",
                "trained_to": "",
                "judged_from": str(months[0]),
                "judged_to": str(months[-1]),
                **measures(ledger.of(some), weights),
            }


def _ledger(alert: BoolArray, held: BoolArray, judged: BoolArray, window: int) -> Ledger:
    raised, fulfilled = entries_of(alert, held, window)
    nothing = np.zeros(alert.shape, dtype=bool)
    return Ledger(raised & fulfilled, raised & ~fulfilled, nothing, nothing, np.zeros(alert.shape), judged)
