"""Rules about what has already happened: a miss of the forecast, a late source, a large revision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from alerts import thresholds
from alerts.evidence import Evidence
from alerts.levels import SEVERE, WARNING, WATCH
from alerts.raised import Raised
from core.quantiles import QUANTILE_LEVELS, interval_levels
from core.schema import ALL, NOT_APPLICABLE, TARGETS


@dataclass(frozen=True)
class MissRule:
    """The newest outcome lies outside of the interval that was issued a month before.

    A watch outside of ``coverage``; a warning outside of the outermost quantiles too.

    Attributes:
        coverage: Coverage of the interval.
        minimum: Smallest distance between outcome and interval that means something, persons.
    """

    rule: str = "outside_95"
    coverage: float = 0.95
    minimum: float = 50


@dataclass(frozen=True)
class StaleRule:
    """A source is late against its own rhythm: a watch; a warning where it is delinquent and feeds a forecast."""

    rule: str = "stale_source"


@dataclass(frozen=True)
class RevisionRule:
    """A monthly total was revised by much since the former release: share and size must both be reached.

    Attributes:
        steps: Level, share of the former figure and persons, gravest first.
    """

    rule: str = "large_revision"
    steps: tuple[tuple[str, float, float], ...] = ((SEVERE, 0.50, 1000), (WARNING, 0.25, 500), (WATCH, 0.10, 200))

    def level(self, share: float, size: float) -> str | None:
        """The level reached by a revision; None below a watch."""
        reached = (level for level, least, persons in self.steps if abs(share) >= least and abs(size) >= persons)
        return next(reached, None)


MISS, STALE, REVISION = MissRule(), StaleRule(), RevisionRule()
_STALE_LEVELS = {"overdue": WATCH, "delinquent": WARNING}


def misses(evidence: Evidence) -> Iterator[Raised]:
    """Routes whose newest count lies outside of the interval issued a month before."""
    low, high = interval_levels(MISS.coverage)
    counts = thresholds.by_route(evidence.panel)
    issued = evidence.backtest[evidence.backtest["output_type"] == "quantile"]
    issued = issued[issued["horizon"] == 1]
    for series_id in counts.columns:
        route_id = thresholds.route_of(str(series_id))
        known = counts[series_id].dropna()
        if route_id is None or known.empty:
            continue
        month, value = known.index[-1], float(known.iloc[-1])
        rows = issued[(issued["series_id"] == series_id) & (issued["target_end_date"] == month.end_time.normalize())]
        quantiles = rows.set_index(rows["output_type_id"].round(4))["value"]
        if low not in quantiles.index or high not in quantiles.index:
            continue
        lower, upper = float(quantiles[low]), float(quantiles[high])
        above, distance = value > upper, max(value - upper, lower - value)
        if distance <= 0 or distance < MISS.minimum:
            continue
        outer = value > quantiles.get(QUANTILE_LEVELS[-1], upper) or value < quantiles.get(QUANTILE_LEVELS[0], lower)
        yield Raised(
            rule=MISS.rule,
            level=WARNING if outer else WATCH,
            reason_key="outside_95_above" if above else "outside_95_below",
            reason_params={"month": str(month), "value": value, "lower": lower, "upper": upper},
            route_id=route_id,
            series_id=str(series_id),
            threshold=upper if above else lower,
            first_period=str(month),
            last_period=str(month),
        )


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
    rows = rows.assign(size=(rows["after"] - rows["before"]).abs())
    rows = rows.sort_values("size", ascending=False, kind="stable").sort_values("route_id", kind="stable")
    told: set[str] = set()
    for row in rows.to_dict("records"):
        level = REVISION.level(row["share"], row["size"])
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
