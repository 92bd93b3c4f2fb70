"""Better, no evidence, or worse: the one verdict on a ratio of scores, wherever it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core import FloatArray
from core.errors import InputError
from core.languages import marked as _
from core.schema import ALL
from forecasting import ENSEMBLE
from forecasting.verification.bootstrap import COVERAGE, diebold_mariano, ratio_interval

BETTER, NO_EVIDENCE, WORSE = _("better than the baseline"), _("no evidence"), _("worse than the baseline")
SIGNIFICANT = 1 - COVERAGE
FAMILY = ["model_id", "scale"]
"""Holm's correction runs over all series and horizons of one model on one scale: a release's whole table of skill."""


def verdicts(low: ArrayLike, high: ArrayLike, p_holm: ArrayLike | None = None) -> NDArray[np.str_]:
    """What intervals of ratios of scores are evidence of.

    Args:
        low: Lower bounds, NaN where there is no interval.
        high: Upper bounds.
        p_holm: P-values corrected for all the ratios that are judged at once; None where there is but one.

    Returns:
        :data:`BETTER` where the whole interval lies below 1 and the corrected p-value is below .10, :data:`WORSE`
        where it lies above 1 likewise, else :data:`NO_EVIDENCE`, also where there is no interval.
    """
    lower, upper = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    stands = np.ones(lower.shape, bool) if p_holm is None else np.asarray(p_holm, dtype=float) < SIGNIFICANT
    return np.select([(upper < 1) & stands, (lower > 1) & stands], [BETTER, WORSE], default=NO_EVIDENCE)


def skill(scores: pd.DataFrame, *, model_id: str = ENSEMBLE, scale: str = "log") -> pd.DataFrame:
    """Judge a model per series and horizon.

    Args:
        scores: From :func:`forecasting.verification.summarise`, or an older release's: where it has no interval
            there is no evidence, and where it has no corrected p-value the interval decides alone.
        model_id: The model judged.
        scale: ``log`` or ``natural``.

    Returns:
        ``series_id, horizon, relative_wis, relative_wis_lo, relative_wis_hi, n, verdict``.
    """
    chosen = scores[(scores["model_id"] == model_id) & (scores["scale"] == scale)]
    columns = ["series_id", "horizon", "relative_wis", "relative_wis_lo", "relative_wis_hi", "n"]
    judged = with_verdicts(chosen).reindex(columns=[*columns, "verdict"])
    return judged.sort_values(["series_id", "horizon"], ignore_index=True)


def with_verdicts(scores: pd.DataFrame) -> pd.DataFrame:
    """Rows of a table of scores with their ``verdict``, and bounds that are empty where it has none."""
    rows = scores.assign(**{name: np.nan for name in ("relative_wis_lo", "relative_wis_hi") if name not in scores})
    p_holm = rows.get("p_holm")
    # An older release is read with the column empty: its intervals decide alone.
    corrected = None if p_holm is None or p_holm.isna().all() else p_holm
    judged = verdicts(rows["relative_wis_lo"], rows["relative_wis_hi"], corrected)
    return rows.assign(verdict=judged)


def holm(p_values: FloatArray) -> FloatArray:
    """P-values that hold for several tests together: Holm 1979, Scandinavian Journal of Statistics 6(2).

    Args:
        p_values: One per test, shape ``(n,)``; NaN where a test could not be made, which counts for nothing.

    Returns:
        Adjusted p-values in the same order, NaN where there was none.
    """
    out = np.full(len(p_values), np.nan)
    made = np.flatnonzero(np.isfinite(p_values))
    order = made[np.argsort(p_values[made], kind="stable")]
    steps = np.arange(len(order), 0, -1)
    out[order] = np.minimum(np.maximum.accumulate(p_values[order] * steps), 1.0)
    return out


def holm_within(rows: pd.DataFrame, family: list[str]) -> FloatArray:
    """Column ``p_value`` corrected within each family of tests."""
    corrected = rows.groupby(family, sort=False)["p_value"].transform(lambda values: holm(values.to_numpy(float)))
    return cast(FloatArray, corrected.to_numpy(dtype=float))


SCALES = ("log", "natural")
_ROW = ["series_id", "origin_date", "horizon"]


def same_rows(scored: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Only the rows (series, origin, horizon) that every one of the models has forecast.

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
        scored: From :func:`forecasting.verification.score_rows`; rows that one of the models lacks are left out.
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
