"""What pages say about routes, worked out from a release's frames: pure functions, frame in, frame or number out."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from core.quantiles import QUANTILE_LEVELS, probability_above
from forecasting.verification.verdict import BETTER, skill
from reports.briefing.summaries import (
    ENSEMBLE,
    LEVEL_ORDER,
    MONTHS_AHEAD,
    Expected,
    by_level,
    expected_sum,
    known,
    level_of,
    months_ahead,
    quantiles_of,
    route_series,
    route_states,
    route_summary,
    series_of,
    year_earlier,
)

__all__ = [
    "BASELINE", "ENSEMBLE", "FIRST_COMPARED_YEAR", "LEVEL_ORDER", "MONTHS_AHEAD", "Expected", "better_than_baseline",
    "by_level", "chances", "expected_sum", "known", "level_of", "months_ahead", "observed_after", "quantiles_of",
    "route_series", "route_states", "route_summary", "series_of", "year_earlier",
]  # fmt: skip

BASELINE = "vigie-baseline"
FIRST_COMPARED_YEAR = 2017
"""Beside 2015 and 2016 every other year would look flat."""


def chances(quantiles: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Chance of more than ``threshold`` arrivals in each month.

    Args:
        quantiles: Result of :func:`quantiles_of`.
        threshold: Persons per month.

    Returns:
        ``target_end_date``, ``horizon``, ``probability``.
    """
    levels = [level for level in QUANTILE_LEVELS if level in quantiles.columns]
    rows = [
        (end, int(row["horizon"]), probability_above(threshold, row[levels].to_numpy(dtype=float), tuple(levels)))
        for end, row in quantiles.iterrows()
    ]
    return pd.DataFrame(rows, columns=["target_end_date", "horizon", "probability"])


def better_than_baseline(scores: pd.DataFrame, series_id: str) -> dict[int, bool]:
    """For each horizon, whether the ensemble's verdict on log scale is better than the baseline."""
    judged = skill(scores[scores["series_id"] == series_id])
    return {
        int(horizon): verdict == BETTER for horizon, verdict in zip(judged["horizon"], judged["verdict"], strict=True)
    }


def observed_after(observations: pd.DataFrame, outcomes: pd.DataFrame, series_id: str, after: dt.date) -> pd.DataFrame:
    """What happened after a date: later months of a series from both frames, outcomes first."""
    parts = [series_of(frame, series_id) for frame in (observations, outcomes) if not frame.empty]
    if not parts:
        return series_of(observations, series_id)
    together = pd.concat(parts).drop_duplicates("time_period", keep="last").sort_values("time_period")
    return together[together["end_date"] > pd.Timestamp(after)].reset_index(drop=True)
