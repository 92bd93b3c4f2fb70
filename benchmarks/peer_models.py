"""Peers: what others would take off the shelf, each with its own intervals, fitted on one origin's history.

A peer is given matrices that end at the origin, on the scale it shall work on, and answers with the 23 quantiles on
that scale. Whatever lies after the origin is not in its hands.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from core.calendar import pandas_frequency
from core.quantiles import QUANTILE_LEVELS, FloatArray
from forecasting.panel import SEASON_LENGTH

Peer = Callable[[pd.DataFrame, pd.DataFrame, int], FloatArray]
"""From totals and their parts (months × series, up to the origin) and the longest horizon H to the totals' quantiles,
shape ``(totals, H, 23)``."""

COVERAGES = [round(100 * (1 - 2 * level)) for level in QUANTILE_LEVELS if level < 0.5]
"""Central intervals whose ends, with the point forecast in the middle, are the 23 levels."""
CONFORMAL_WINDOWS = 6
"""Windows of a year that conformal errors are taken from: six leave three years to learn from at the first origin."""
SEASONS = {pandas_frequency(freq): length for freq, length in SEASON_LENGTH.items()}


def long_form(matrix: pd.DataFrame) -> pd.DataFrame:
    """A matrix as Nixtla's rows ``unique_id, ds, y``, first days of periods as ``ds``."""
    dated = matrix.set_axis(pd.PeriodIndex(matrix.index).to_timestamp(), axis=0).rename_axis(index="ds")
    rows = dated.reset_index().melt("ds", var_name="unique_id", value_name="y")
    return rows.dropna()[["unique_id", "ds", "y"]].sort_values(["unique_id", "ds"], ignore_index=True)


def from_intervals(answer: pd.DataFrame, name: str, series: list[str]) -> FloatArray:
    """Quantiles from Nixtla's columns ``name``, ``name-lo-80``, ``name-hi-80``; shape ``(series, H, 23)``."""
    lower = [answer[f"{name}-lo-{coverage}"] for coverage in COVERAGES]
    upper = [answer[f"{name}-hi-{coverage}"] for coverage in reversed(COVERAGES)]
    values = np.sort(np.stack([*lower, answer[name], *upper], axis=1).astype(float), axis=1)
    rows = answer.reset_index(drop=True).groupby("unique_id").indices
    return np.stack([values[rows[name]] for name in series])


def statsforecast_peer(name: str) -> Peer:
    """A model of statsforecast by its class name, the season of the totals' periods, its own intervals."""

    def forecast(totals: pd.DataFrame, _parts: pd.DataFrame, horizon: int) -> FloatArray:
        import statsforecast  # noqa: PLC0415  # takes seconds to load; the other peers do not need it
        from statsforecast import models  # noqa: PLC0415  # as above

        periods = pd.PeriodIndex(totals.index)
        model = getattr(models, name)(season_length=SEASONS[periods.freqstr])
        first_days = periods.to_timestamp()
        engine = statsforecast.StatsForecast([model], freq=str(pd.infer_freq(first_days)), n_jobs=1)
        answer = engine.forecast(df=long_form(totals), h=horizon, level=sorted(COVERAGES))
        return from_intervals(answer, name, list(totals.columns))

    return forecast


def prophet(totals: pd.DataFrame, _parts: pd.DataFrame, horizon: int) -> FloatArray:
    """Prophet as it comes, one series after another; quantiles of its 1,000 predictive draws."""
    from prophet import Prophet  # noqa: PLC0415  # takes seconds to load; the other peers do not need it

    for logger in ("cmdstanpy", "prophet"):
        logging.getLogger(logger).disabled = True
    found = []
    for name in totals.columns:
        known = totals[name].dropna()
        fitted = Prophet().fit(
            pd.DataFrame({"ds": pd.PeriodIndex(known.index).to_timestamp(), "y": known.to_numpy()}), seed=1
        )
        np.random.seed(1)
        ahead = pd.period_range(pd.PeriodIndex(known.index)[-1] + 1, periods=horizon, freq="M").to_timestamp()
        draws = np.asarray(fitted.predictive_samples(pd.DataFrame({"ds": ahead}))["yhat"])
        found.append(np.quantile(draws, QUANTILE_LEVELS, axis=1).T)
    return np.stack(found)


def lightgbm(totals: pd.DataFrame, parts: pd.DataFrame, horizon: int) -> FloatArray:
    """Mlforecast's LightGBM, one model for totals and parts, on monthly differences; conformal intervals.

    Lags 1 to 3, 6, 12 and 24, means of 3, 6 and 12 months, the month of the year; LightGBM's default parameters.
    """
    import lightgbm as trees  # noqa: PLC0415  # takes seconds to load; the other peers do not need it
    from mlforecast import MLForecast  # noqa: PLC0415  # as above
    from mlforecast.lag_transforms import RollingMean  # noqa: PLC0415  # as above
    from mlforecast.target_transforms import Differences  # noqa: PLC0415  # as above
    from mlforecast.utils import PredictionIntervals  # noqa: PLC0415  # as above

    engine = MLForecast(
        models={"LightGBM": trees.LGBMRegressor(verbosity=-1, n_jobs=1, random_state=1)},
        freq="MS",
        lags=[1, 2, 3, 6, 12, 24],
        lag_transforms={1: [RollingMean(window_size=length) for length in (3, 6, 12)]},
        date_features=["month"],
        target_transforms=[Differences([1])],
        num_threads=1,
    )
    rows = long_form(pd.concat([totals, parts], axis=1))
    intervals = PredictionIntervals(n_windows=CONFORMAL_WINDOWS, h=horizon)
    engine.fit(rows, static_features=[], prediction_intervals=intervals)
    answer = engine.predict(horizon, level=sorted(COVERAGES), ids=list(totals.columns))
    return from_intervals(answer, "LightGBM", list(totals.columns))


def on_scale(peer: Peer, scale: str, totals: pd.DataFrame, parts: pd.DataFrame, horizon: int) -> FloatArray:
    """A peer's quantiles in counts, none below zero, when it works on ``counts`` or on ``log1p`` of them."""
    if scale == "counts":
        return np.maximum(peer(totals, parts, horizon), 0.0)
    found = peer(totals.transform(np.log1p), parts.transform(np.log1p), horizon)
    return np.maximum(np.expm1(found), 0.0)


PEERS: Mapping[str, Peer] = {
    "statsforecast AutoTheta": statsforecast_peer("AutoTheta"),
    "statsforecast AutoETS": statsforecast_peer("AutoETS"),
    "mlforecast LightGBM": lightgbm,
    "Prophet": prophet,
    "statsforecast AutoARIMA": statsforecast_peer("AutoARIMA"),
}
"""By the name shown, the quickest first."""
