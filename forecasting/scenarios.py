"""Questions a reader asks of sample paths: chance of passing a number, at any time within a span, totals.

Pure functions that the dashboard and the alerts call. Every answer is a count of paths; its sampling error for 1,000
paths is at most 1.6 points (one standard error).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.errors import InputError
from core.quantiles import FloatArray, probability_above
from forecasting.model import LEVELS
from forecasting.quantiles import to_matrix

_PLACE = ["series_id", "horizon", "target_end_date"]


def path_matrix(trajectories: pd.DataFrame, series_ids: Sequence[str] | None = None) -> pd.DataFrame:
    """Paths as a table: one row per path, one column per horizon; several series are added up path by path.

    Args:
        trajectories: Frame that keeps ``TRAJECTORIES``.
        series_ids: Series to add up; by default all of the frame. Only add series that count persons once.

    Raises:
        InputError: A series has no paths, or the series do not share their horizons.
    """
    wanted = list(trajectories["series_id"].unique()) if series_ids is None else list(series_ids)
    chosen = trajectories[trajectories["series_id"].isin(wanted)]
    if missing := sorted(set(wanted) - set(chosen["series_id"])):
        raise InputError(f"no sample paths for {missing}")
    if chosen.empty:
        raise InputError("no sample paths")
    per_horizon = chosen.groupby("horizon")["series_id"].nunique()
    if (per_horizon != len(wanted)).any():
        raise InputError(f"the series {wanted} do not share all horizons")
    return chosen.pivot_table(index="output_type_id", columns="horizon", values="value", aggfunc="sum")


def chance_above(trajectories: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Chance, per series and horizon, that the outcome passes a number.

    Returns:
        ``series_id, horizon, target_end_date, probability``.

    Raises:
        InputError: The threshold is negative or not finite.
    """
    _check_threshold(threshold)
    passed = trajectories.assign(probability=trajectories["value"] > threshold)
    return passed.groupby(_PLACE, sort=True)["probability"].mean().reset_index()


def chance_above_from_quantiles(forecasts: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """The same from quantile rows, for forecasts without paths; ``model_id`` and ``origin_date`` are kept.

    Returns:
        ``model_id, series_id, origin_date, horizon, target_end_date, probability``.

    Raises:
        InputError: The threshold is negative or not finite.
    """
    _check_threshold(threshold)
    table = to_matrix(forecasts)
    columns = ["model_id", "series_id", "origin_date", "horizon", "target_end_date"]
    return table.keys[columns].assign(probability=[probability_above(threshold, row) for row in table.quantiles])


def chance_any_above(paths: pd.DataFrame, threshold: float, *, within: int) -> float:
    """Chance that at least one of the next ``within`` periods passes a number.

    Args:
        paths: From :func:`path_matrix`.
        threshold: The number to pass.
        within: Count of periods from the first.

    Raises:
        InputError: The threshold is negative or not finite, or ``within`` reaches beyond the paths.
    """
    _check_threshold(threshold)
    return float((_window(paths, 1, within) > threshold).any(axis=1).mean())


def first_passage(paths: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """When a number is passed for the first time.

    Returns:
        ``horizon, probability, cumulative``: the chance that it happens first in that period, and up to it.

    Raises:
        InputError: The threshold is negative or not finite.
    """
    _check_threshold(threshold)
    above = paths.to_numpy() > threshold
    first = np.where(above.any(axis=1), above.argmax(axis=1), -1)
    share = np.asarray([(first == place).mean() for place in range(paths.shape[1])])
    return pd.DataFrame({"horizon": paths.columns.to_numpy(), "probability": share, "cumulative": share.cumsum()})


def total_over(paths: pd.DataFrame, *, first: int, last: int) -> pd.DataFrame:
    """Distribution of the total over a window of horizons, both ends included.

    Args:
        paths: From :func:`path_matrix`.
        first: First horizon.
        last: Last horizon.

    Returns:
        ``output_type_id, value``: the 23 quantile levels and the total at each.

    Raises:
        InputError: The window is empty or reaches beyond the paths.
    """
    totals = _window(paths, first, last).sum(axis=1)
    return pd.DataFrame({"output_type_id": LEVELS, "value": np.quantile(totals, LEVELS)})


def chance_total_above(paths: pd.DataFrame, threshold: float, *, first: int, last: int) -> float:
    """Chance that the total over a window of horizons passes a number.

    Raises:
        InputError: The threshold is negative or not finite, or the window is empty or beyond the paths.
    """
    _check_threshold(threshold)
    return float((_window(paths, first, last).sum(axis=1) > threshold).mean())


def _window(paths: pd.DataFrame, first: int, last: int) -> FloatArray:
    wanted = list(range(first, last + 1))
    if not wanted or not set(wanted) <= set(paths.columns):
        raise InputError(f"horizons {first} to {last} are not within the paths' {sorted(paths.columns)}")
    window: FloatArray = paths[wanted].to_numpy(dtype=float)
    return window


def _check_threshold(threshold: float) -> None:
    if not np.isfinite(threshold) or threshold < 0:
        raise InputError(f"a threshold is a number of at least 0 (found {threshold})")
