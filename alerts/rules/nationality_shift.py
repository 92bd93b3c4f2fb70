"""Has the mix of nationalities on a route changed by more than it usually does?

Other people bring other needs: languages, families, health, legal ways. The distance between two mixes is half the sum
of absolute differences of shares (total variation): the share of people who would have to be of another nationality for
both to be the same. It is compared with the route's own past distances, so that a route whose mix always moves is not
always news.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from alerts import FOLLOWED_MONTHS, WARNING, WATCH, Evidence, ObservedRule, Signal
from core import FloatArray
from core.calendar import period_index
from core.languages import marked as _
from core.schema import ALL
from core.settings import AlertSettings

NAME = "nationality_shift"
UNKNOWN = frozenset({"UNK", "OTH", "XXX", "_U", "_Z", ALL})
"""Codes that name no nationality."""
RECENT, BEFORE = 3, 12
"""Months of the new mix, and of the mix before."""
QUANTILE = 0.95
"""Share of the route's own past distances that must lie below for a watch; a warning is above all of them."""
FEWEST = 24
"""Past distances needed."""
DISTANCE = 0.15
"""Smallest distance that means something."""
MINIMUM = 300.0
"""Fewest arrivals in the new mix."""


def signals(evidence: Evidence, _settings: AlertSettings) -> list[Signal]:
    """Each route's months with two mixes to compare; those that moved unusually far have a level.

    The claim: the mix of the three months after is nearer to the new mix than to the one before.
    """
    return [
        signal for route_id, rows in evidence.by_citizen.groupby("route_id") for signal in _route(str(route_id), rows)
    ]


def distance(one: FloatArray, other: FloatArray) -> float:
    """Total variation distance between two vectors of counts, 0 to 1; NaN where one is empty."""
    if not (one.sum() > 0 and other.sum() > 0):
        return float("nan")
    return float(np.abs(one / one.sum() - other / other.sum()).sum() / 2)


def by_month(rows: pd.DataFrame, names: str, absent: float | None = None) -> pd.DataFrame:
    """Sums of ``value`` on every month from the first to the last, one column per name of a column.

    Args:
        rows: ``time_period``, ``value`` and the names; not empty.
        names: Column of the names.
        absent: What a name has in a month in which only others have rows; NaN by default.
    """
    wide = rows.assign(month=period_index(rows["time_period"], "M")).pivot_table(
        index="month", columns=names, values="value", aggfunc="sum", fill_value=absent
    )
    return wide.reindex(pd.period_range(wide.index.min(), wide.index.max(), freq="M"))


def _route(route_id: str, rows: pd.DataFrame) -> Iterator[Signal]:
    if (named := rows[~rows["citizen"].isin(UNKNOWN)]).empty:
        return
    wide = by_month(named, "citizen", absent=0.0)
    series_id = ".".join([str(named["series_id"].iloc[0]).split(".")[0], route_id, ALL, ALL, "M"])
    values, past = wide.to_numpy(), list[float]()
    for place in range(RECENT + BEFORE - 1, len(wide)):
        new = values[place - RECENT + 1 : place + 1].sum(axis=0)
        old = values[place - RECENT - BEFORE + 1 : place - RECENT + 1].sum(axis=0)
        moved = distance(new, old) if new.sum() >= MINIMUM else np.nan
        if np.isfinite(moved):
            month, confirmed = wide.index[place], _confirmed(values, place, new, old)
            signal = Signal(rule=NAME, route_id=route_id, series_id=series_id, month=month, confirmed=confirmed)
            level = _level(moved, past)
            yield _named(signal, level, wide.columns, new, old) if level else signal
            past.append(moved)


def _level(moved: float, past: list[float]) -> str:
    if len(past) < FEWEST or moved < DISTANCE or moved <= np.quantile(past, QUANTILE):
        return ""
    return WARNING if moved > max(past) else WATCH


def _confirmed(values: FloatArray, place: int, new: FloatArray, old: FloatArray) -> float:
    after = values[place + 1 : place + 1 + FOLLOWED_MONTHS].sum(axis=0)
    if place + FOLLOWED_MONTHS >= len(values) or not after.sum() > 0:
        return float("nan")
    return float(distance(after, new) < distance(after, old))


def _named(signal: Signal, level: str, citizens: pd.Index, new: FloatArray, old: FloatArray) -> Signal:
    """Name the nationality whose share rose most."""
    now, before = new / new.sum(), old / old.sum()
    most = int(np.argmax(now - before))
    shares = {"share": float(now[most]), "share_before": float(before[most])}
    return signal.says(level, NAME, signal.month - (RECENT - 1), citizen=str(citizens[most]), **shares)


RULE = ObservedRule(
    rule=NAME,
    title=_("Other nationalities than usual"),
    signals=signals,
    sentences={NAME: _("{citizen}: {share} of the last three months’ count, {share_before} before.")},
)
