"""Numbers of a release for pages: passes on ``reports.numbers`` until pages import it themselves."""

from __future__ import annotations

import pandas as pd

from core.languages import is_known as known
from forecasting.model import BASELINE, ENSEMBLE
from forecasting.verification.verdict import BETTER, skill
from reports.numbers import (
    FIRST_COMPARED_YEAR,
    LEVEL_ORDER,
    Expected,
    by_level,
    chances,
    expected_sum,
    level_of,
    observed_after,
    quantiles_of,
    route_series,
    route_states,
    route_summary,
    series_of,
    window_ends,
    year_earlier,
)

__all__ = [
    "BASELINE", "ENSEMBLE", "FIRST_COMPARED_YEAR", "LEVEL_ORDER", "Expected", "better_than_baseline",
    "by_level", "chances", "expected_sum", "known", "level_of", "observed_after", "quantiles_of",
    "route_series", "route_states", "route_summary", "series_of", "window_ends", "year_earlier",
]  # fmt: skip


def better_than_baseline(scores: pd.DataFrame, series_id: str) -> dict[int, bool]:
    """For each horizon, whether the ensemble's verdict on log scale is better than the baseline."""
    judged = skill(scores[scores["series_id"] == series_id])
    return {
        int(horizon): verdict == BETTER for horizon, verdict in zip(judged["horizon"], judged["verdict"], strict=True)
    }
