"""One forecaster against others on the same rows: ratios with their luck, tests, and one word for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pandas as pd

from core.errors import InputError
from core.quantiles import FloatArray
from core.schema import ALL
from forecasting.verification.bootstrap import diebold_mariano, ratio_interval
from forecasting.verification.verdict import holm_within, verdicts

SCALES = ("log", "natural")
_ROW = ["series_id", "origin_date", "horizon"]


def same_rows(scored: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Only the rows (series, origin, horizon) that every one of the models has forecast.

    Args:
        scored: From :func:`forecasting.verification.scores.score_rows`.
        models: Model ids.

    Raises:
        InputError: No row is common to all.
    """
    mine = scored[scored["model_id"].isin(models)]
    common = mine.groupby(_ROW)["model_id"].transform("nunique") == len(set(models))
    if not common.any():
        raise InputError(f"comparison: no forecast is common to {', '.join(models)}")
    return mine[common].reset_index(drop=True)


def compare(scored: pd.DataFrame, model_id: str, others: Sequence[str]) -> pd.DataFrame:
    """Score of a model over the score of each other one, on the same rows, with its luck.

    Args:
        scored: From :func:`forecasting.verification.scores.score_rows`; rows that one of the models lacks are left out.
        model_id: The model that is judged.
        others: What it is measured against.

    Returns:
        One row per other model, scale and horizon: ``model_id, other, series_id`` (``_T``), ``horizon, scale, ratio,
        ratio_lo, ratio_hi`` (90 % circular block bootstrap over origins), ``p_value`` (Diebold–Mariano with the
        correction of Harvey, Leybourne and Newbold on the origins' mean scores), ``p_holm`` (Holm's over all rows of
        the scale), ``n`` (rows scored) and ``verdict`` (:func:`forecasting.verification.verdict.verdicts`).

    Raises:
        InputError: No row is common to all.
    """
    rows = same_rows(scored, [model_id, *others])
    lines = [
        {"model_id": model_id, "other": other, "series_id": ALL, "horizon": horizon, "scale": scale,
         **_against(rows[rows["horizon"] == horizon], model_id, other, scale, horizon)}
        for scale in SCALES
        for other in others
        for horizon in sorted(int(step) for step in rows["horizon"].unique())
    ]  # fmt: skip
    table = pd.DataFrame(lines)
    table["p_holm"] = holm_within(table, ["scale"])
    return table.assign(verdict=verdicts(table["ratio_lo"], table["ratio_hi"], table["p_holm"]))


def by_origin(rows: pd.DataFrame, model_id: str, scale: str) -> FloatArray:
    """Sum of a model's scores at each origin, in order of time."""
    own = rows[rows["model_id"] == model_id].groupby("origin_date", sort=True)[f"wis_{scale}"].sum()
    return cast(FloatArray, own.to_numpy(dtype=float))


def _against(rows: pd.DataFrame, model_id: str, other: str, scale: str, horizon: int) -> dict[str, object]:
    own, reference = by_origin(rows, model_id, scale), by_origin(rows, other, scale)
    found = ratio_interval(own, reference, horizon=horizon)
    counts = rows[rows["model_id"] == model_id].groupby("origin_date", sort=True).size().to_numpy()
    test = diebold_mariano(own / counts, reference / counts, horizon=horizon)
    return {
        "ratio": found.ratio,
        "ratio_lo": found.low,
        "ratio_hi": found.high,
        "p_value": test.p_value,
        "n": int(counts.sum()),
    }
