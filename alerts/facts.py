"""Rules about the figures themselves: a late source, a large revision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from alerts.evidence import Evidence
from alerts.levels import SEVERE, WARNING, WATCH
from alerts.raised import Raised
from core.schema import ALL, NOT_APPLICABLE, TARGETS


@dataclass(frozen=True)
class StaleRule:
    """A source is late against its own rhythm: a watch; a warning where it is delinquent and feeds a forecast."""

    rule: str = "stale_source"


@dataclass(frozen=True)
class RevisionRule:
    """A monthly total was revised by much since the former release: share and size must both be reached.

    And the share must be beyond what the source usually does (:mod:`alerts.usual`). What is beyond it is a watch from
    ``least`` persons on, even where the share is small.

    Attributes:
        steps: Level, share of the former figure and persons, gravest first.
        least: Smallest revision, in persons, that means something.
    """

    rule: str = "large_revision"
    steps: tuple[tuple[str, float, float], ...] = ((SEVERE, 0.50, 1000), (WARNING, 0.25, 500), (WATCH, 0.10, 200))
    least: float = 200

    def level(self, share: float, size: float, usual: float | None = None) -> str | None:
        """The level reached by a revision; None below a watch, or where the source usually revises by as much."""
        if usual is not None and not abs(share) > usual:
            return None
        reached = (level for level, least, persons in self.steps if abs(share) >= least and abs(size) >= persons)
        return next(reached, WATCH if usual is not None and abs(size) >= self.least else None)


STALE, REVISION = StaleRule(), RevisionRule()
_STALE_LEVELS = {"overdue": WATCH, "delinquent": WARNING}


def stale_sources(evidence: Evidence) -> Iterator[Raised]:
    """Sources that are late against their own rhythm."""
    late = evidence.freshness[evidence.freshness["state"].isin(list(_STALE_LEVELS))]
    for row in late.sort_values("source_id").to_dict("records"):
        yield Raised(
            rule=STALE.rule,
            level=_STALE_LEVELS[row["state"]] if row["source_id"] in evidence.feeding else WATCH,
            reason_key="stale_source",
            reason_params={
                "period": row["last_period"],
                "age": int(row["age_days"]),
                "expected": int(row["expected_days"]),
            },
            route_id=NOT_APPLICABLE,
            source_id=row["source_id"],
            first_period=row["last_period"],
            last_period=row["last_period"],
        )


def revisions(evidence: Evidence) -> Iterator[Raised]:
    """The largest revision of each route's monthly totals since the former release."""
    rows = evidence.revisions
    if rows.empty:
        return
    rows = rows[rows["target"].isin(TARGETS) & (rows["citizen"] == ALL) & (rows["freq"] == "M")]
    rows = rows[rows["route_id"] != NOT_APPLICABLE]
    rows = rows.assign(before=rows["before"].fillna(0.0), after=rows["after"].fillna(0.0))
    rows = rows.assign(size=(rows["after"] - rows["before"]).abs())
    rows = rows.sort_values("size", ascending=False, kind="stable").sort_values("route_id", kind="stable")
    told: set[str] = set()
    for row in rows.to_dict("records"):
        level = REVISION.level(row["share"], row["size"], row.get("usual"))
        if level is None or row["route_id"] in told:
            continue
        told.add(row["route_id"])
        yield Raised(
            rule=REVISION.rule,
            level=level,
            reason_key="large_revision",
            reason_params={"month": row["time_period"], "before": row["before"], "after": row["after"]},
            route_id=row["route_id"],
            series_id=row["series_id"],
            source_id=row["source_id"],
            first_period=row["time_period"],
            last_period=row["time_period"],
        )


def no_revisions() -> pd.DataFrame:
    """A frame of revisions without rows, for the first night."""
    names = ("source_id", "series_id", "time_period", "target", "route_id", "citizen", "freq")
    numbers = ("before", "after", "share")
    return pd.DataFrame(
        {name: pd.Series(dtype=object) for name in names} | {name: pd.Series(dtype=float) for name in numbers}
    )
