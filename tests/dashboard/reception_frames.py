"""Made-up people in reception of Italy and two of its regions, as a release has them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.schema import make_series_id
from reports.year_ahead import LEVELS

SIZES = {"ITA": 100_000.0, "ITA-25": 60_000.0, "ITA-82": 40_000.0}
PLACES = 103_000.0
MONTHS = pd.period_range("2022-01", "2024-12", freq="M")
AHEAD = pd.period_range("2025-01", "2025-06", freq="M").astype(str)


def reception_frames(as_of: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """The page's frames and the ``observations`` behind them."""
    return {
        "observations": pd.concat([observed(geo) for geo in SIZES]).assign(as_of=as_of, as_of_estimated=True),
        "reception_needs": pd.concat([needs(geo, factor) for geo in SIZES for factor in (0.5, 1.0, 2.0)]),
        "reception_scores": pd.concat([*(scores(geo) for geo in SIZES), scores("ITA").assign(model_id="vigie-arima")]),
    }


def series_of(geo: str, target: str = "reception") -> str:
    return make_series_id(target, "_Z", geo, "_T", "M")


def observed(geo: str, months: pd.PeriodIndex = MONTHS) -> pd.DataFrame:
    values = SIZES[geo] * (1 + 0.1 * np.sin(np.arange(len(months)) / 6))
    return pd.DataFrame(
        {
            "source_id": "italy_reception", "series_id": series_of(geo), "target": "reception", "route_id": "_Z",
            "geo": geo, "citizen": "_T", "freq": "M", "time_period": months.astype(str), "obs_value": values.round(),
            "obs_flag": "",
        }
    )  # fmt: skip


def needs(geo: str, factor: float) -> pd.DataFrame:
    step = np.arange(1, len(AHEAD) + 1)
    people = SIZES[geo]
    median = people * (1 + 0.004 * step * factor)
    spread = {name: (median + people * 0.02 * np.sqrt(step) * (level - 0.5)).round() for level, name in LEVELS.items()}
    room = PLACES if geo == "ITA" else np.nan
    return pd.DataFrame(
        {
            "series_id": series_of(geo), "factor": factor, "freq": "M", "last_period": "2024-12", "last_value": people,
            "time_period": AHEAD, "horizon": step, **spread, "entries": round(people * 0.03 * factor),
            "exits": round(people * 0.02), "enough": spread["hi_80"], "places": room,
            "chance": np.linspace(0.01, min(0.3 * factor, 1.0), len(step)) if geo == "ITA" else np.nan,
        }
    ).astype({"entries": float, "exits": float})  # fmt: skip


def scores(geo: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model_id": "vigie-reception", "series_id": series_of(geo), "horizon": [1, 3, 6], "scale": "log",
            "reference": "vigie-baseline", "wis": 0.01, "relative_wis": [0.75, 0.68, 0.62],
            "relative_wis_lo": [0.65, 0.5, 0.4], "relative_wis_hi": [0.9, 0.95, 1.2], "p_holm": 0.1,
            "coverage_50": 0.5, "coverage_80": 0.8, "coverage_95": 0.95, "coverage_98": 0.98, "n": [47, 45, 42],
        }
    )  # fmt: skip
