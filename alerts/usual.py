"""What a source usually does when it revises: the yardstick of an unusual revision, learned from its own record."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.schema import ALL, NOT_APPLICABLE

QUANTILE, TIMES = 0.90, 3.0
"""A revision is unusual beyond three times the size that nine in ten of the source's other revisions stay within."""
SMALLEST = 0.05
"""Shares that are never unusual: rounding and late reports."""
UNKNOWN = 0.25
"""Stands in where a source has revised too seldom to tell."""
FEWEST = 8
LEAST_PERSONS = 100
"""Former figures from which a share means something."""


def with_usual(revisions: pd.DataFrame, record: pd.DataFrame) -> pd.DataFrame:
    """Tell beside each revision how far its source's other revisions go.

    Args:
        revisions: A frame that keeps ``core.release.REVISIONS``.
        record: Every single revision known (``VintageStore.all_revisions``), these included.

    Returns:
        The revisions with the column ``usual``: the share up to which a change of that source is usual. Learned from
        changed totals of at least 100 persons; of one figure's own revisions none counts for it.
    """
    changed = record[(record["kind"] == "changed") & record["citizen"].isin([ALL, NOT_APPLICABLE])]
    changed = changed[changed["before"].abs() >= LEAST_PERSONS]
    sizes = {
        str(source_id): (rows["series_id"] + " " + rows["time_period"], rows["share"].abs().to_numpy(dtype=float))
        for source_id, rows in changed.groupby("source_id")
    }
    nothing = (pd.Series(dtype=object), np.empty(0))
    usual = []
    for source_id, series_id, period in revisions[["source_id", "series_id", "time_period"]].itertuples(index=False):
        names, shares = sizes.get(str(source_id), nothing)
        others = shares[(names != f"{series_id} {period}").to_numpy(dtype=bool)]
        usual.append(max(SMALLEST, TIMES * float(np.quantile(others, QUANTILE))) if len(others) >= FEWEST else UNKNOWN)
    return revisions.assign(usual=np.asarray(usual, dtype=float))
