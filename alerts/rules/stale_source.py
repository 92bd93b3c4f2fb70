"""A source that is late against its own rhythm."""

from __future__ import annotations

from collections.abc import Iterator

from alerts import DataRule, Evidence, Raised
from core.languages import marked as _
from core.schema import NOT_APPLICABLE

NAME = "stale_source"
_LATE = ("overdue", "delinquent")


def late_sources(evidence: Evidence) -> Iterator[Raised]:
    """Sources whose figures are overdue."""
    late = evidence.freshness[evidence.freshness["state"].isin(_LATE)]
    for row in late.sort_values("source_id").to_dict("records"):
        period, age, expected = row["last_period"], int(row["age_days"]), int(row["expected_days"])
        yield Raised(
            rule=NAME,
            reason_key=NAME,
            reason_params={"period": period, "age": age, "expected": expected},
            route_id=NOT_APPLICABLE,
            source_id=row["source_id"],
            first_period=period,
            last_period=period,
        )


RULE = DataRule(
    rule=NAME,
    title=_("Figures late"),
    find=late_sources,
    sentences={NAME: _("Figures are late: newest {period}, {age} days old, expected within {expected}.")},
)
