"""The parts of asylum applications: the largest corridors, and what is left of each destination."""

from __future__ import annotations

import pandas as pd

from core.schema import ALL
from forecasting.panel import Panel, panel_from_rows

TOTAL = "total"
"""Grouping column: the destination's series."""
LARGEST = 20
FEWEST_PERIODS = 36
RECENT = 24
"""Periods by whose sum corridors are chosen."""
REST = "rest"


def corridors(rows: pd.DataFrame, totals: Panel) -> Panel | None:
    """Panel of the largest corridors and of each of their destinations' rest, which together are its total.

    Args:
        rows: Observations of one target and frequency, by country of destination, in all and by citizenship.
        totals: The destinations that are forecast.

    Returns:
        A panel with the groupings ``total`` (the destination's series), ``geo`` and ``citizen`` (empty for a rest), or
        None where no corridor is long enough. A period in which a corridor is not named counts nobody.
    """
    total_of = dict(zip(totals.groups["geo"], totals.groups.index, strict=True))
    named = rows[(rows["citizen"] != ALL) & rows["geo"].isin(total_of)]
    if named.empty:
        return None
    wide = named.pivot_table(index="time_period", columns=["geo", "citizen"], values="obs_value", aggfunc="last")
    wide.index = pd.PeriodIndex(wide.index, freq=totals.periods.freqstr)
    recent = wide.tail(RECENT).sum().nlargest(LARGEST)
    chosen = [pair for pair in recent.index if wide[pair].notna().sum() >= FEWEST_PERIODS and recent[pair] > 0]
    parts = []
    for geo in dict.fromkeys(place for place, _ in chosen):
        total = totals.matrix[total_of[geo]].dropna()
        span = total.index.intersection(wide.index[wide[geo].notna().any(axis=1)])
        if len(span) < FEWEST_PERIODS:
            continue
        citizens = [citizen for place, citizen in chosen if place == geo]
        cells = wide.loc[span, geo].reindex(columns=citizens).fillna(0.0)
        left = pd.Series(total.loc[span].to_numpy() - cells.to_numpy().sum(axis=1), index=span).clip(lower=0.0)
        parts += [_long(cells[citizen], total_of[geo], geo, citizen) for citizen in citizens]
        parts.append(_long(left, total_of[geo], geo, ""))
    return panel_from_rows(pd.concat(parts, ignore_index=True)) if parts else None


def _long(values: pd.Series, total: str, geo: str, citizen: str) -> pd.DataFrame:
    fields = total.split(".")
    name = ".".join([*fields[:3], citizen or REST, *fields[4:]])
    return pd.DataFrame(
        {
            "series_id": name,
            "time_period": [str(period).replace("Q", "-Q") for period in values.index],
            "value": values.to_numpy(dtype=float),
            TOTAL: total,
            "geo": geo,
            "citizen": citizen,
        }
    )
