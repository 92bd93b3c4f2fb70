"""A monthly total revised by much since the former release, and by more than its source usually revises."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from alerts import DataRule, Evidence, Raised
from core.languages import marked as _
from core.schema import ALL, NOT_APPLICABLE, TARGETS

NAME = "large_revision"
LEAST = 200
"""Persons from which an unusual revision is reported."""
QUANTILE, TIMES = 0.90, 3.0
"""A revision is beyond the typical at three times the size that nine in ten of the source's others stay within."""
SMALLEST = 0.05
"""Shares that are always typical: rounding and late reports."""
UNKNOWN = 0.25
"""Typical share of a source with too few revisions."""
FEWEST = 8
LEAST_PERSONS = 100
"""Former figures from which a share means something."""


def with_typical_revision(revisions: pd.DataFrame, record: pd.DataFrame) -> pd.DataFrame:
    """Put beside each revision how far its source's other revisions go.

    Args:
        revisions: A frame that keeps ``core.release.REVISIONS``.
        record: Every single revision known (``VintageStore.all_revisions``), these included.

    Returns:
        The revisions with the column ``usual``: the share up to which a change of that source is typical. Learned from
        changed totals of at least 100 persons; of one figure's own revisions none counts for it.
    """
    changed = record[(record["kind"] == "changed") & record["citizen"].isin([ALL, NOT_APPLICABLE])]
    changed = changed[changed["before"].abs() >= LEAST_PERSONS]
    sizes = {
        str(source_id): (rows["series_id"] + " " + rows["time_period"], rows["share"].abs().to_numpy(dtype=float))
        for source_id, rows in changed.groupby("source_id")
    }
    nothing = (pd.Series(dtype=object), np.empty(0))
    typical = []
    for source_id, series_id, period in revisions[["source_id", "series_id", "time_period"]].itertuples(index=False):
        names, shares = sizes.get(str(source_id), nothing)
        others = shares[(names != f"{series_id} {period}").to_numpy(dtype=bool)]
        enough = len(others) >= FEWEST
        typical.append(max(SMALLEST, TIMES * float(np.quantile(others, QUANTILE))) if enough else UNKNOWN)
    return revisions.assign(usual=np.asarray(typical, dtype=float))


def is_large(share: float, size: float, typical: float) -> bool:
    """Return whether a revision is reported: it is large, and the source does not typically revise by as much.

    Args:
        share: Change as a share of the former figure.
        size: Change in persons.
        typical: Share up to which a change of the source is typical.
    """
    return abs(share) > typical and abs(size) >= LEAST


def largest_revisions(evidence: Evidence) -> Iterator[Raised]:
    """The largest revision of each route's monthly totals since the former release."""
    if (rows := evidence.revisions).empty:
        return
    rows = rows[rows["target"].isin(TARGETS) & (rows["citizen"] == ALL) & (rows["freq"] == "M")]
    rows = rows[rows["route_id"] != NOT_APPLICABLE]
    rows = rows.fillna({"before": 0.0, "after": 0.0})
    rows = rows.assign(size=(rows["after"] - rows["before"]).abs())
    rows = rows.sort_values(["route_id", "size"], ascending=[True, False], kind="stable")
    large = [is_large(*one) for one in rows[["share", "size", "usual"]].itertuples(index=False)]
    for row in rows[large].drop_duplicates("route_id").to_dict("records"):
        yield Raised(
            rule=NAME,
            reason_key=NAME,
            reason_params={"month": row["time_period"], "before": row["before"], "after": row["after"]},
            route_id=row["route_id"],
            series_id=row["series_id"],
            source_id=row["source_id"],
            first_period=row["time_period"],
            last_period=row["time_period"],
        )


RULE = DataRule(
    rule=NAME,
    title=_("Large revision"),
    find=largest_revisions,
    sentences={NAME: _("{month} was revised from {before} to {after}.")},
)
