"""Has the mix of nationalities on a route changed by more than it usually does?

Other people bring other needs: languages, families, health, legal ways. The distance between two mixes is half the sum
of absolute differences of shares (total variation): the share of people who would have to be of another nationality for
both to be the same. It is compared with the route's own past distances, so that a route whose mix always moves is not
always news.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from alerts.levels import WARNING, WATCH
from alerts.signals import FOLLOWED_MONTHS, Signal
from core.calendar import period_index
from core.quantiles import FloatArray
from core.schema import ALL

UNKNOWN = frozenset({"UNK", "OTH", "XXX", "_U", "_Z", ALL})
"""Codes that name no nationality."""


@dataclass(frozen=True)
class ShiftRule:
    """The mix of the newest three months is further from the year before than it used to be.

    A watch above ``usual`` of the route's own past distances, a warning above all of them.

    Attributes:
        recent: Months of the new mix.
        before: Months of the mix before.
        usual: Share of past distances that must lie below.
        fewest: Past distances needed.
        distance: Smallest distance that means something.
        minimum: Fewest arrivals in the new mix.
    """

    rule: str = "nationality_shift"
    recent: int = 3
    before: int = 12
    usual: float = 0.95
    fewest: int = 24
    distance: float = 0.15
    minimum: float = 300


SHIFT = ShiftRule()


def shifts(by_citizen: pd.DataFrame) -> list[Signal]:
    """Each route's months with two mixes to compare; those that moved unusually far have a level.

    The claim: the mix of the three months after is nearer to the new mix than to the one before.

    Args:
        by_citizen: Monthly counts ``route_id, citizen, series_id, time_period, value``.
    """
    return [signal for route_id, rows in by_citizen.groupby("route_id") for signal in _route(str(route_id), rows)]


def distance(one: FloatArray, other: FloatArray) -> float:
    """Total variation distance between two vectors of counts, 0 to 1; NaN where one is empty."""
    if not (one.sum() > 0 and other.sum() > 0):
        return float("nan")
    return float(np.abs(one / one.sum() - other / other.sum()).sum() / 2)


def _route(route_id: str, rows: pd.DataFrame) -> list[Signal]:
    named = rows[~rows["citizen"].isin(UNKNOWN)]
    if named.empty:
        return []
    months = period_index(named["time_period"], "M")
    wide = named.assign(month=months).pivot_table(index="month", columns="citizen", values="value", aggfunc="sum")
    wide = wide.fillna(0.0).reindex(pd.period_range(wide.index.min(), wide.index.max(), freq="M"))
    series_id = ".".join([str(named["series_id"].iloc[0]).split(".")[0], route_id, ALL, ALL, "M"])
    values, found, past = wide.to_numpy(), [], list[float]()
    for place in range(SHIFT.recent + SHIFT.before - 1, len(wide)):
        new = values[place - SHIFT.recent + 1 : place + 1].sum(axis=0)
        old = values[place - SHIFT.recent - SHIFT.before + 1 : place - SHIFT.recent + 1].sum(axis=0)
        moved = distance(new, old) if new.sum() >= SHIFT.minimum else np.nan
        if np.isfinite(moved):
            signal = Signal(SHIFT.rule, route_id, series_id, wide.index[place], held=_held(values, place, new, old))
            level = _level(moved, past)
            found.append(_told(signal, level, wide.columns, new, old) if level else signal)
            past.append(moved)
    return found


def _level(moved: float, past: list[float]) -> str:
    if len(past) < SHIFT.fewest or moved < SHIFT.distance or moved <= np.quantile(past, SHIFT.usual):
        return ""
    return WARNING if moved > max(past) else WATCH


def _held(values: FloatArray, place: int, new: FloatArray, old: FloatArray) -> float:
    after = values[place + 1 : place + 1 + FOLLOWED_MONTHS].sum(axis=0)
    if place + FOLLOWED_MONTHS >= len(values) or not after.sum() > 0:
        return float("nan")
    return float(distance(after, new) < distance(after, old))


def _told(signal: Signal, level: str, citizens: pd.Index, new: FloatArray, old: FloatArray) -> Signal:
    """Name the nationality whose share rose most."""
    now, before = new / new.sum(), old / old.sum()
    most = int(np.argmax(now - before))
    return Signal(
        signal.rule,
        signal.route_id,
        signal.series_id,
        signal.month,
        level=level,
        held=signal.held,
        reason_key="nationality_shift",
        reason_params={"citizen": str(citizens[most]), "share": float(now[most]), "share_before": float(before[most])},
        since=signal.month - (SHIFT.recent - 1),
    )
