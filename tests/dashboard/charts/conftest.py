"""A small made-up route: two years of counts, twelve months ahead."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core import QUANTILE_LEVELS


@pytest.fixture
def observed() -> pd.DataFrame:
    ends = pd.date_range("2023-01-31", periods=24, freq="ME")
    values = 5000 + 3000 * np.sin(np.arange(24) / 12 * 2 * np.pi)
    return pd.DataFrame({"time_period_end": ends, "value": values, "flag": [""] * 23 + ["p"]})


@pytest.fixture
def forecast() -> pd.DataFrame:
    ends = pd.date_range("2025-01-31", periods=12, freq="ME")
    rows = [
        (end, level, 4000 * (1 + step / 24) * np.exp((0.1 + 0.03 * step) * 4 * (level - 0.5)))
        for step, end in enumerate(ends)
        for level in QUANTILE_LEVELS
    ]
    return pd.DataFrame(rows, columns=["target_end_date", "output_type_id", "value"])


@pytest.fixture
def earlier() -> pd.DataFrame:
    parts = []
    for origin in ("2023-12-31", "2024-06-30"):
        ends = pd.date_range(origin, periods=7, freq="ME")[1:]
        parts.append(
            pd.DataFrame(
                {
                    "origin_date": pd.Timestamp(origin),
                    "target_end_date": ends,
                    "q10": 3000.0,
                    "q50": 4000.0,
                    "q90": 6000.0,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def chances() -> pd.DataFrame:
    ends = pd.date_range("2025-01-31", periods=12, freq="ME")
    return pd.DataFrame({"target_end_date": ends, "probability": [0.05 + 0.07 * step for step in range(12)]})
