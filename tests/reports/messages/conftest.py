"""One announcement with everything that a message can say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from reports.messages.announcement import Announcement

Announce = Callable[..., Announcement]
IDENTITY = "5a0c6c1e-7f62-5c38-a4b0-2f6c5c1f8f10"


@pytest.fixture
def announce() -> Announce:
    """Build an announcement; keywords change its facts."""

    def make(kind: str = "raised", *, earlier: tuple[Announcement, ...] = (), **other: object) -> Announcement:
        months = [f"2025-{month:02}" for month in range(1, 7)]
        facts: dict[str, object] = {
            "alert_id": "surge.EMR.2025-01-31", "rule": "surge", "alert_level": "severe", "route_id": "EMR",
            "source_id": "", "series_id": "arrivals.EMR._T._T.M", "reason": "Likely to pass 5,000.",
            "reason_key": "surge", "horizon": 2, "probability": 0.823, "threshold": 5000.0, "first_period": "2025-02",
            "reason_params": '{"chance": 0.823, "factor": 1.5, "month": "2025-03", "threshold": 5000.0}',
            "last_period": "2025-03", "as_of": "2025-01-31", "replay": False, "signed_by": ["Ada", "Ben"],
            "history": [["2024-11", 4000.0], ["2024-12", 4321.0]],
            "fan": {
                "months": months,
                "levels": {
                    str(level): [4000.0 + 3000 * level + 10 * place for place in range(6)]
                    for level in (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
                },
            },
            "record": {
                "n_events": 27, "all_routes": True, "precision": 0.6, "precision_lo": 0.5, "precision_hi": 0.7,
                "recall": 0.4, "recall_lo": None, "recall_hi": None, "false_alarms_per_route_year": 0.9,
                "false_alarms_per_route_year_lo": 0.8, "false_alarms_per_route_year_hi": 1.0,
                "lead_months_median": None, "lead_months_median_lo": None, "lead_months_median_hi": None,
            },
        }  # fmt: skip
        at = dt.datetime(2025, 1, 31, 12, 0, 0, 123456, tzinfo=dt.UTC)
        return Announcement(IDENTITY, kind, "surge.EMR.2025-01-31", "run-1", at, facts | other, earlier)

    return make
