"""Better, no evidence, or worse: the one verdict on a ratio of scores, wherever it is shown."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.languages import marked as _
from core.quantiles import FloatArray
from forecasting.model import ENSEMBLE
from forecasting.verification.bootstrap import COVERAGE

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
        scores: From :func:`forecasting.verification.scores.summarise`, or an older release's: where it has no interval
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
    judged = verdicts(rows["relative_wis_lo"], rows["relative_wis_hi"], rows.get("p_holm"))
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
