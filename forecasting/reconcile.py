"""Totals that are the sum of their parts in every sample path.

A total is forecast directly, which is sharper than adding up parts whose dependence is only partly known. The parts'
joint paths are then brought in line with it: the path whose parts add up highest gets the total's highest draw, and
its parts are scaled by the same factor. So the total keeps its own forecast, parts keep their pattern, and they agree.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from core.errors import InputError
from core.quantiles import FloatArray
from forecasting.model import LEVELS
from forecasting.panel import Panel
from forecasting.quantiles import QuantileTable, to_matrix, to_rows, value_at
from forecasting.trajectories import draw_paths, past_scores

PATHS = 500


def totals_panel(panel: Panel, column: str) -> Panel:
    """The sums by a grouping column, as series named by the group on the same calendar.

    A period in which no part of a group is observed is a gap; a part that is missing elsewhere adds nothing.

    Raises:
        InputError: There is no such column, a series has no group, or a group is named like a series.
    """
    if column not in panel.groups.columns:
        raise InputError(f"--totals {column}: the panel has no such column; found {list(panel.groups.columns)}")
    group = panel.groups.loc[panel.series_ids, column].astype(str)
    if (group.str.strip() == "").any():
        raise InputError(f"--totals {column}: series '{group.index[group.str.strip() == ''][0]}' has no {column}")
    if clash := sorted(set(group) & set(panel.series_ids)):
        raise InputError(f"--totals {column}: a total and a series are both named '{clash[0]}'")
    matrix = panel.matrix.T.groupby(group.to_numpy()).sum(min_count=1).T.rename_axis(columns="series_id")
    return Panel(panel.freq, matrix, pd.DataFrame(index=matrix.columns))


def reconcile(
    parts: pd.DataFrame,
    totals: pd.DataFrame,
    panel: Panel,
    column: str,
    *,
    past: pd.DataFrame | None = None,
    n: int = PATHS,
    seed: int = 0,
) -> pd.DataFrame:
    """Bring the parts' forecasts in line with the totals', model by model and origin by origin.

    Args:
        parts: Quantile rows of the panel's own series.
        totals: Quantile rows of the groups, same models and horizons. A part whose origin differs from its total's
            (it was published later or earlier) stays as it is.
        panel: The parts, with their groupings.
        column: Grouping column.
        past: Past forecasts of the parts, from which their dependence is learned; only outcomes known at an origin.
        n: Paths drawn.
        seed: Same seed, same numbers.

    Returns:
        The parts' rows with reconciled quantiles, and their marks as they were.
    """
    made = [
        _one_model(rows, totals[totals["model_id"] == model_id], panel, column, past, n, seed)
        for model_id, rows in parts.groupby("model_id", sort=False)
    ]
    return pd.concat(made, ignore_index=True)


def coherent_paths(paths: FloatArray, total: FloatArray) -> FloatArray:
    """Scale parts' paths so that their sum follows the total's quantiles.

    All parts of a path are scaled alike. Sharing the difference out by variance instead (minimum trace) was worse on
    log1p scale at every horizon, because it drives small parts to zero.

    Args:
        paths: Parts, shape ``(parts, n)``.
        total: The total's 23 quantiles.

    Returns:
        Same shape. Where a path is zero in every part its total is spread in the proportion of the parts' means.
    """
    count, n = paths.shape
    sums = paths.sum(axis=0)
    wanted = value_at((rankdata(sums, method="ordinal") - 0.5) / n, total)
    means = paths.mean(axis=1)
    shares = means / means.sum() if means.sum() > 0 else np.full(count, 1 / count)
    empty = sums == 0
    scaled = paths * (wanted / np.where(empty, 1.0, sums))
    scaled[:, empty] = shares[:, None] * wanted[empty]
    return scaled


def _one_model(
    parts: pd.DataFrame,
    totals: pd.DataFrame,
    panel: Panel,
    column: str,
    past: pd.DataFrame | None,
    n: int,
    seed: int,
) -> pd.DataFrame:
    table, above = to_matrix(parts), to_matrix(totals)
    series = sorted(str(name) for name in table.keys["series_id"].unique())
    horizons = sorted(int(horizon) for horizon in table.keys["horizon"].unique())
    mine = None if past is None else past[past["model_id"] == table.keys["model_id"].iloc[0]]
    scores = past_scores(mine, panel, series, horizons)
    place = ["series_id", "origin_date", "horizon"]
    of_total = dict(zip(above.keys[place].itertuples(index=False, name=None), above.quantiles, strict=True))
    group = table.keys["series_id"].map(panel.groups[column].astype(str))
    quantiles = table.quantiles.copy()
    for origin, rows in table.keys.groupby("origin_date", sort=True).indices.items():
        now = QuantileTable(table.keys.iloc[rows], table.quantiles[rows])
        paths = draw_paths(now, series, horizons, scores.until(pd.Timestamp(str(origin))), n=n, seed=seed)
        names = pd.DataFrame({"group": group.iloc[rows].to_numpy(), "horizon": now.keys["horizon"].to_numpy()})
        for key, inside in names.groupby(["group", "horizon"]).indices.items():
            name, horizon = cast(tuple[str, int], key)
            total = of_total.get((name, origin, horizon))
            if total is not None:
                coherent = coherent_paths(paths[inside], total)
                quantiles[np.asarray(rows)[inside]] = np.quantile(coherent, LEVELS, axis=1).T
    return to_rows(QuantileTable(table.keys, quantiles))
