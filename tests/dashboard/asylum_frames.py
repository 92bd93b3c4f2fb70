"""Made-up asylum applications of six countries by quarter, and of one by citizenship, as a release has them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core import QUANTILE_LEVELS
from core.schema import make_series_id

TARGET = "asylum_applications_first"
SIZES = {"DEU": 40000.0, "FRA": 30000.0, "ESP": 25000.0, "ITA": 20000.0, "AUT": 5000.0, "MLT": 200.0}
MODELS = {"vigie-ensemble": 1.0, "vigie-baseline": 1.1}


def asylum_frames(as_of: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """Every frame on asylum applications, ``reporting``, and the ``observations`` behind them."""
    quarters = pd.period_range("2018Q1", "2024Q3", freq="Q")
    old = pd.period_range("2015-01", "2018-06", freq="M")
    observations = [observed(geo, "_T", quarters, size) for geo, size in SIZES.items()]
    observations += [
        observed("DEU", citizen, quarters, 40000 * share) for citizen, share in {"SYR": 0.5, "AFG": 0.3}.items()
    ]
    observations.append(observed("DEU", "_T", old, 9000.0, target="asylum_applications"))
    states = [state(geo, quarters, "ok") for geo in SIZES]
    states.append(state("DEU", old, "too_old", target="asylum_applications"))
    forecasts = [forecast(one, geo, "_T", quarters[-1], SIZES[geo] * of) for geo in SIZES for one, of in MODELS.items()]
    forecasts += [
        forecast("vigie-ensemble", "DEU", citizen, quarters[-1], 40000 * share)
        for citizen, share in {"SYR": 0.5, "AFG": 0.3}.items()
    ]
    return {
        "observations": pd.concat(observations).assign(as_of=as_of, as_of_estimated=True),
        "asylum_series": pd.DataFrame(states),
        "asylum_forecasts": pd.concat(forecasts).assign(target=TARGET, freq="Q", as_of=as_of),
        "asylum_replays": pd.concat([replay(geo, quarters, size) for geo, size in SIZES.items()]),
        "asylum_scores": scores(),
        "reporting": reporting(quarters[-1]),
    }


def series_of(geo: str, citizen: str, freq: str, target: str = TARGET) -> str:
    return make_series_id(target, "_Z", geo, citizen, freq)


def observed(geo: str, citizen: str, periods: pd.PeriodIndex, size: float, *, target: str = TARGET) -> pd.DataFrame:
    freq = periods.freqstr[0]
    wave = 1 + 0.2 * np.sin(np.arange(len(periods)) / 3)
    return pd.DataFrame(
        {
            "source_id": "eurostat", "series_id": series_of(geo, citizen, freq, target), "target": target,
            "route_id": "_Z", "geo": geo, "citizen": citizen, "freq": freq,
            "time_period": [written(period) for period in periods], "obs_value": np.round(size * wave / 5) * 5,
            "obs_flag": ["p" if period == periods[-1] else "" for period in periods],
        }
    )  # fmt: skip


def written(period: pd.Period) -> str:
    return str(period).replace("Q", "-Q")


def state(geo: str, periods: pd.PeriodIndex, name: str, *, target: str = TARGET) -> dict[str, object]:
    freq = periods.freqstr[0]
    return {
        "series_id": series_of(geo, "_T", freq, target), "target": target, "freq": freq, "geo": geo, "citizen": "_T",
        "state": name, "last_period": written(periods[-1]), "origin_date": periods[-1].end_time.normalize(), "note": "",
    }  # fmt: skip


def forecast(model: str, geo: str, citizen: str, last: pd.Period, size: float) -> pd.DataFrame:
    levels = np.asarray(QUANTILE_LEVELS)
    steps = np.repeat(np.arange(1, 5), len(levels))
    return pd.DataFrame(
        {
            "model_id": model, "series_id": series_of(geo, citizen, "Q"), "origin_date": last.end_time.normalize(),
            "horizon": steps,
            "target_end_date": np.repeat(pd.period_range(last + 1, periods=4).end_time.normalize(), len(levels)),
            "output_type": "quantile", "output_type_id": np.tile(levels, 4),
            "value": size * (1 + np.tile(levels - 0.5, 4) * 0.2 * np.sqrt(steps)), "geo": geo, "citizen": citizen,
        }
    )  # fmt: skip


def replay(geo: str, quarters: pd.PeriodIndex, size: float) -> pd.DataFrame:
    origin = quarters[-5]
    bounds = {f"q{round(100 * level)}": size * (0.9 + 0.2 * level) for level in (0.1, 0.25, 0.5, 0.75, 0.9)}
    return pd.DataFrame(
        {
            "model_id": "vigie-ensemble",
            "series_id": series_of(geo, "_T", "Q"),
            "origin_date": origin.end_time.normalize(),
            "horizon": np.arange(1, 5),
            "target_end_date": [(origin + step).end_time.normalize() for step in range(1, 5)],
            **bounds,
            "wis": 0.1,
        }
    )


def scores() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "model_id": model, "series_id": series_of(geo, "_T", "Q"), "horizon": horizon, "scale": "log",
                "wis": 0.1, "relative_wis": ratio, "relative_wis_lo": ratio - 0.05, "relative_wis_hi": ratio + 0.05,
                "coverage_50": 0.5, "coverage_80": 0.8, "coverage_95": 0.95, "n": 24, "target": TARGET, "freq": "Q",
                "p_holm": 0.01,
            }
            for geo in SIZES
            for horizon in range(1, 5)
            for model, ratio in zip(MODELS, (0.9 if horizon < 3 and geo != "ITA" else 1.0, 1.0), strict=True)
        ]
    )  # fmt: skip


def reporting(last: pd.Period) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "source_id": "eurostat", "target": TARGET, "freq": "Q", "time_period": written(last),
                "reported": 27, "expected": 32, "total": 1.2e5, "provisional": True,
            }
        ]
    )  # fmt: skip
