"""What a message needs to know about an alert, as plain JSON: it is kept in the journal with the announcement.

A message is written from these facts alone, so it says the same at every try, whatever becomes of the release.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from alerts.verification.record import record_of
from core.calendar import to_period
from core.quantiles import INTERVALS, interval_levels
from core.schema import ALL
from forecasting.model import ENSEMBLE

Facts = Mapping[str, Any]
MONTHS_BACK = 24
FAN_LEVELS = tuple(sorted({0.5, *(level for interval in INTERVALS for level in interval_levels(interval))}))
_COPIED = (
    "alert_id", "rule", "alert_level", "route_id", "source_id", "series_id", "reason", "reason_key", "reason_params",
    "first_period", "last_period", "intended_use",
)  # fmt: skip
_MEASURES = ("precision", "recall", "false_alarms_per_route_year", "lead_months_median")


def alert_facts(alert: Mapping[Any, Any], frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Everything that a message says about an alert.

    Args:
        alert: A row of ``core.release.ALERTS``.
        frames: ``forecasts``, ``observations`` and ``track_record`` of its release.

    Returns:
        JSON-ready: columns of the alert; ``history``, up to 24 pairs of month and count; ``fan``, with ``months`` and
        per quantile level the figures expected; ``record``, the rule's measures at past dates, or None.
    """
    return {
        **{name: str(alert[name]) for name in _COPIED if name in alert},
        "horizon": int(alert["horizon"]),
        "probability": _number(alert["probability"]),
        "threshold": _number(alert["threshold"]),
        "history": _history(frames["observations"], str(alert["series_id"])),
        "fan": _fan(frames["forecasts"], str(alert["series_id"])),
        "record": _record(alert, frames["track_record"]),
    }


def concerned(facts: Facts) -> list[tuple[str, dict[float, float]]]:
    """Months that an alert speaks of, each with its quantiles; empty where nothing is forecast."""
    fan = facts.get("fan") or {"months": [], "levels": {}}
    first, last = facts.get("first_period", ""), facts.get("last_period", "")
    if len(first) != len("2025-01"):
        return []
    return [
        (month, {float(level): values[place] for level, values in fan["levels"].items()})
        for place, month in enumerate(fan["months"])
        if first <= month <= last
    ]


def _history(observations: pd.DataFrame, series_id: str) -> list[list[Any]]:
    rows = observations[(observations["series_id"] == series_id) & (observations["freq"] == "M")]
    rows = rows.sort_values("time_period").tail(MONTHS_BACK)
    return [[str(row.time_period), float(str(row.obs_value))] for row in rows.itertuples()]


def _fan(forecasts: pd.DataFrame, series_id: str) -> dict[str, Any]:
    rows = forecasts[
        (forecasts["series_id"] == series_id)
        & (forecasts["model_id"] == ENSEMBLE)
        & (forecasts["output_type"] == "quantile")
    ]
    wide = rows.pivot_table(index="target_end_date", columns="output_type_id", values="value", observed=True)
    levels = [level for level in FAN_LEVELS if level in wide.columns]
    months = [str(to_period(str(end)[:7], "M")) for end in wide.index]
    return {
        "months": months,
        "levels": {str(level): [round(float(value), 1) for value in wide[level]] for level in levels},
    }


def _record(alert: Mapping[Any, Any], record: pd.DataFrame) -> dict[str, Any] | None:
    found = record_of(alert, record)
    if found is None:
        return None
    names = [name + suffix for name in _MEASURES for suffix in ("", "_lo", "_hi")]
    return {
        "n_events": int(found["n_events"]),
        "all_routes": str(found["route_id"]) == ALL,
        **{name: _number(found[name]) for name in names},
    }


def _number(value: object) -> float | None:
    number = float(str(value))
    return number if math.isfinite(number) else None
