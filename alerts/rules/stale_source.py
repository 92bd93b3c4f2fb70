"""A source that is late against its own rhythm."""

from __future__ import annotations

from collections.abc import Iterator

from alerts import WARNING, WATCH
from alerts.rules.base import DataRule, Evidence, Raised
from core.languages import marked as _
from core.schema import NOT_APPLICABLE

NAME = "stale_source"
_LEVELS = {"overdue": WATCH, "delinquent": WARNING}


def late_sources(evidence: Evidence) -> Iterator[Raised]:
    """Late sources: a watch; a warning where a source is long overdue and forecast from."""
    late = evidence.freshness[evidence.freshness["state"].isin(list(_LEVELS))]
    for row in late.sort_values("source_id").to_dict("records"):
        yield Raised(
            rule=NAME,
            level=_LEVELS[row["state"]] if row["source_id"] in evidence.forecast_sources else WATCH,
            reason_key=NAME,
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


RULE = DataRule(
    rule=NAME,
    watches="each source's newest figure against its rhythm",
    event=lambda _settings: "later than usual",
    minimum=lambda _settings: "",
    levels=("overdue", "long overdue, and forecast from", ""),
    find=late_sources,
    sentences={NAME: _("Figures are late: newest {period}, {age} days old, expected within {expected}.")},
)
