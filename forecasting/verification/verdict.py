"""Is a difference more than luck? Intervals and p-values of ratios of scores, and the one verdict.

Origins near each other err together, so blocks of consecutive origins are drawn, running on from the last origin to the
first so that none is drawn less often: the circular block bootstrap of Politis and Romano 1992, in LePage and Billard
(eds), *Exploring the Limits of Bootstrap*. A ratio of scores is better, likely better, no evidence, or worse,
wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from core import FloatArray
from core.errors import InputError
from core.languages import marked as _
from core.schema import ALL
from forecasting import ENSEMBLE
from forecasting.quantiles import PLACE

COVERAGE = 0.90
FEWEST_ORIGINS = 8
DRAWS = 1000
SHORTEST_BLOCK = 3
LONGEST_ALERT = 6
"""Months ahead of the farthest alert whose record is kept."""
BETTER, LIKELY = _("better than the baseline"), _("likely better than the baseline")
NO_EVIDENCE, WORSE = _("no sign of beating the baseline"), _("worse than the baseline")
TOO_FEW = _("too few to say")
SIGNIFICANT = 1 - COVERAGE
FAMILY = ["model_id", "scale"]
"""Holm's correction runs over all series and horizons of one model on one scale: a release's whole table of skill."""
SCALES = ("log", "natural")


def verdicts(low: ArrayLike, high: ArrayLike, p_holm: ArrayLike | None = None) -> NDArray[np.str_]:
    """What intervals of ratios of scores are evidence of.

    Args:
        low: Lower bounds, NaN where there is no interval.
        high: Upper bounds.
        p_holm: P-values corrected for all the ratios that are judged at once; None where there is but one.

    Returns:
        :data:`BETTER` where the whole interval lies below 1 and the corrected p-value is below .10, :data:`LIKELY`
        where the interval alone does, :data:`WORSE` where it lies above 1 and the corrected p-value is below .10,
        :data:`TOO_FEW` where there is no interval, else :data:`NO_EVIDENCE`.
    """
    lower, upper = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    stands = np.ones(lower.shape, bool) if p_holm is None else np.asarray(p_holm, dtype=float) < SIGNIFICANT
    below, above = upper < 1, (lower > 1) & stands
    cases = [below & stands, below, above, np.isnan(lower) | np.isnan(upper)]
    return np.select(cases, [BETTER, LIKELY, WORSE, TOO_FEW], default=NO_EVIDENCE)


def skill(scores: pd.DataFrame, *, model_id: str = ENSEMBLE) -> pd.DataFrame:
    """Judge a model per series and horizon, on log scale.

    Args:
        scores: From :func:`forecasting.verification.summarise`. Without an interval or a corrected p-value there is no
            evidence.
        model_id: The model judged.

    Returns:
        ``series_id, horizon, relative_wis, relative_wis_lo, relative_wis_hi, n, verdict``.
    """
    chosen = scores[(scores["model_id"] == model_id) & (scores["scale"] == "log")]
    columns = ["series_id", "horizon", "relative_wis", "relative_wis_lo", "relative_wis_hi", "n"]
    judged = with_verdicts(chosen).reindex(columns=[*columns, "verdict"])
    return judged.sort_values(["series_id", "horizon"], ignore_index=True)


def with_verdicts(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table of scores with their ``verdict``."""
    return scores.assign(verdict=verdicts(scores["relative_wis_lo"], scores["relative_wis_hi"], scores["p_holm"]))


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


def same_rows(scored: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Only the rows (series, origin, horizon) that every one of the models has forecast.

    Raises:
        InputError: No row is common to all.
    """
    mine = scored[scored["model_id"].isin(models)]
    common = mine.groupby(PLACE)["model_id"].transform("nunique") == len(set(models))
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
        One row per other model, scale and horizon: ``model_id, reference, series_id`` (``_T``), ``horizon, scale``,
        ``relative_wis`` with its bounds and ``p_value`` (:func:`ratio_interval`), ``p_holm`` (Holm's over all rows of
        the scale), ``n`` (rows scored) and ``verdict`` (:func:`forecasting.verification.verdict.verdicts`).

    Raises:
        InputError: No row is common to all.
    """
    rows = same_rows(scored, [model_id, *others])
    scores = [*PLACE, *(f"wis_{scale}" for scale in SCALES)]
    own, parts = rows.loc[rows["model_id"] == model_id, scores], []
    for other in others:
        theirs = rows.loc[rows["model_id"] == other, scores].rename(
            columns=lambda name: name.replace("wis", "reference")
        )
        both = own.merge(theirs, on=PLACE)
        count = both.groupby("horizon").size().rename("n")
        for scale in SCALES:
            parts.append(
                ratios(both, ["horizon"], scale, "relative_wis").join(count, on="horizon").assign(reference=other)
            )
    table = pd.concat(parts).sort_values("scale", kind="stable", ignore_index=True)
    table = table.assign(model_id=model_id, series_id=ALL, p_holm=holm_within(table, ["scale"]))
    return with_verdicts(table)


def block_length(origins: int, horizon: int) -> int:
    """Origins in a block: three times the horizon, but no less than twice and, beyond that, no more than a third."""
    return max(SHORTEST_BLOCK, 2 * horizon, min(3 * horizon, origins // 3))


@lru_cache(maxsize=64)
def block_weights(origins: int, length: int, *, draws: int = DRAWS) -> FloatArray:
    """How often each origin is drawn by blocks of a length, the same at every call, shape ``(draws, origins)``.

    Every row adds up to the number of origins.
    """
    blocks = -(-origins // length)
    starts = np.random.default_rng(0).integers(0, origins, (draws, blocks))
    drawn = ((starts[:, :, None] + np.arange(length)) % origins).reshape(draws, -1)[:, :origins]
    weights = np.zeros((draws, origins))
    np.add.at(weights, (np.arange(draws)[:, None], drawn), 1.0)
    weights.setflags(write=False)
    return weights


def draw_weights(origins: int, *, draws: int = 400) -> FloatArray:
    """How often each origin is drawn, in the sample itself and in resamples of it.

    Returns:
        Shape ``(1 + draws, origins)``. The first row is the sample: each origin once. Without further rows where there
        are fewer than four times the months that alerts look ahead: too few for an interval to mean anything. Blocks
        are twice as long as these.
    """
    sample = np.ones((1, origins))
    if origins < 4 * LONGEST_ALERT:
        return sample
    return np.vstack([sample, block_weights(origins, 2 * LONGEST_ALERT, draws=draws)])


class RatioInterval(NamedTuple):
    """A ratio of two forecasters' scores, and what it is worth.

    Attributes:
        ratio: Sum of own scores over sum of the reference's; NaN where the reference is zero.
        low: Lower bound of the interval; NaN where there is none.
        high: Upper bound.
        p_value: Two-sided, of a true ratio of 1; below .10 exactly where the 90 % interval leaves out 1.
    """

    ratio: float
    low: float
    high: float
    p_value: float


def ratio_interval(own: FloatArray, reference: FloatArray, *, horizon: int) -> RatioInterval:
    """Circular block bootstrap interval of :data:`COVERAGE` of a ratio of sums over origins, on log scale.

    With blocks of two or three times the horizon there are few of them, so percentiles of the resampled ratios are too
    near to each other (a nominal 90 % holds .68 twelve months ahead). Their standard error is therefore freed of the
    bias of Bartlett's weights, to which drawing blocks amounts, at a bandwidth that is the share ``b`` of the sample
    (Kiefer and Vogelsang 2005, Econometric Theory 21(6)), and multiplied by Student's t with the ``1.5 / b`` degrees of
    freedom of these weights (Lazarus, Lewis, Stock and Watson 2018, JBES 36(4)), less one for the ratio itself.

    Args:
        own: Sum of scores at each origin in order of time, shape ``(n,)``.
        reference: The same for the reference.
        horizon: Periods ahead.

    Returns:
        The ratio without bounds where there are fewer than eight origins or than four times the horizon, where the
        reference is zero, or where a forecaster is without any error.
    """
    size, nan = len(own), float("nan")
    if reference.sum() <= 0:
        return RatioInterval(nan, nan, nan, nan)
    ratio = float(own.sum() / reference.sum())
    if size < max(FEWEST_ORIGINS, 4 * horizon) or ratio <= 0:
        return RatioInterval(ratio, nan, nan, nan)
    length = block_length(size, horizon)
    weights = block_weights(size, length)
    above, below = weights @ own, weights @ reference
    usable = (above > 0) & (below > 0)
    if usable.sum() * 2 < len(weights):
        return RatioInterval(ratio, nan, nan, nan)
    share = length / size
    error = float(np.log(above[usable] / below[usable]).std()) / np.sqrt(1 - share + share**2 / 3)
    freedom = max(1.5 / share - 1, 1.0)
    reach = float(stdtrit(freedom, (1 + COVERAGE) / 2)) * error
    away = abs(float(np.log(ratio)))
    if error < 1e-12:  # the forecasters differ by the same factor at every origin
        return RatioInterval(ratio, ratio, ratio, float(away < 1e-12))
    p_value = float(2 * stdtr(freedom, -away / error))
    return RatioInterval(ratio, ratio * float(np.exp(-reach)), ratio * float(np.exp(reach)), p_value)


def ratios(rows: pd.DataFrame, keys: list[str], scale: str, name: str) -> pd.DataFrame:
    """Ratio of scores of every group of forecasts, with what it is worth.

    Args:
        rows: ``origin_date``, ``horizon``, ``wis_log``, ``reference_log`` and the same on natural scale, of forecasts.
        keys: Columns that make the groups, ``horizon`` among them.
        scale: ``log`` or ``natural``.
        name: Of the ratio.

    Returns:
        One row per group: ``keys``, ``scale``, the ratio, its bounds ``name_lo`` and ``name_hi``, and ``p_value``.
    """
    sums = rows.groupby([*keys, "origin_date"], sort=True)[[f"wis_{scale}", f"reference_{scale}"]].sum()
    lines = []
    for key, part in sums.groupby(keys):
        own, reference = part.to_numpy(dtype=float).T
        lines.append((*key, scale, *ratio_interval(own, reference, horizon=cast(int, key[keys.index("horizon")]))))
    return pd.DataFrame(lines, columns=[*keys, "scale", name, f"{name}_lo", f"{name}_hi", "p_value"])
