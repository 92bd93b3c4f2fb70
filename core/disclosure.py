"""Disclosure control: small counts in a breakdown are not shown, nor can they be worked out from totals.

Primary suppression hides counts of 1 to 4; complementary suppression hides further cells until no hidden cell is alone
in a sum that is published (Hundepool et al., *Statistical Disclosure Control*, 2012, chapter 4). The models see the
full figures; only what leaves the program passes here.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

SMALLEST_SHOWN = 5
"""Counts from 1 to one less than this are hidden in a breakdown."""


def suppress(
    frame: pd.DataFrame, value: str, total_over: Sequence[str], *, also_over: Sequence[str] = ()
) -> pd.DataFrame:
    """Hide counts of 1–4 and as many further cells as protect them.

    Args:
        frame: A breakdown, one row per cell; the published totals are the sums of ``value`` over the groups named by
            ``total_over`` (for example all citizenships of one month) and, if given, by ``also_over`` (for example all
            months of one citizenship).
        value: Column of counts; empty cells are unknown already.
        total_over: Columns that name the groups whose totals are published.
        also_over: Columns that name a second set of published totals.

    Returns:
        A copy in which hidden cells are empty and a column ``suppressed`` (bool) marks them. In every group with a
        published total either no cell is hidden, or at least two are and together they hold at least ``SMALLEST_SHOWN``
        persons, unless the group has no further cell.
    """
    out = frame.copy()
    out["suppressed"] = out[value].gt(0) & out[value].lt(SMALLEST_SHOWN)
    groupings = [list(columns) for columns in (total_over, also_over) if columns]
    changed = bool(out["suppressed"].any())
    while changed:
        changed = False
        for columns in groupings:
            for _name, rows in out.groupby(columns, sort=False, dropna=False).groups.items():
                more = _complement(out.loc[rows], value)
                if more is not None:
                    out.loc[more, "suppressed"] = True
                    changed = True
    out[value] = out[value].mask(out["suppressed"])
    return out


def _complement(cells: pd.DataFrame, value: str) -> object | None:
    """Label of the next cell to hide in one group, or None where its hidden cells protect each other."""
    hidden = cells[cells["suppressed"]]
    if hidden.empty or (len(hidden) > 1 and hidden[value].sum() >= SMALLEST_SHOWN):
        return None
    others = cells[~cells["suppressed"] & cells[value].notna()]
    if others.empty:
        return None
    positive = others[others[value] > 0]
    return (positive if not positive.empty else others)[value].idxmin()
