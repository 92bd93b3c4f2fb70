"""How good past forecasts were: the one bootstrap, the one verdict, errors by group; here scores, coverage and PIT.

The denominator of every relative score is :func:`reference_quantiles`: the hubs' baseline made from the panel alone, on
the same rows. It is ``vigie-baseline`` before the guard: on log1p scale its lower quantiles may fall below zero,
so the published baseline may score a little below 1. A row without 12 past changes has no reference and is not scored.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd

from core import INTERVALS, QUANTILE_LEVELS, FloatArray, interval_levels
from core.errors import InputError
from core.release import RELEASE
from core.schema import ALL, typed
from forecasting import LEVELS, BoolArray, symmetric_errors
from forecasting.models.baseline import FEWEST_ERRORS, LAST_ERRORS
from forecasting.panel import Panel
from forecasting.quantiles import KEYS, PLACE, Forecasts, QuantileTable, probability_at, to_matrix
from forecasting.verification.verdict import FAMILY, SCALES, WORSE, holm_within, ratios, with_verdicts

COVERAGES = (*INTERVALS, 0.98)
"""Central intervals that the 23 levels hold; .98 is the widest of them."""
BOUNDS = (0.1, 0.25, 0.5, 0.75, 0.9)
BINS = 10


def wis(observed: FloatArray, quantiles: FloatArray, levels: FloatArray = LEVELS) -> FloatArray:
    """Weighted interval score of each forecast: twice the mean pinball loss over the levels.

    Args:
        observed: Outcomes, shape ``(n,)``.
        quantiles: Shape ``(n, 23)``, on the same scale.
        levels: Their levels.

    Returns:
        Scores, shape ``(n,)``; lower is better. Bracher et al. 2021, PLoS Comput. Biol. 17(2) e1008618.
    """
    distance = observed[:, None] - quantiles
    return np.asarray((2 * np.maximum(levels * distance, (levels - 1) * distance)).mean(axis=1))


def observed_at(keys: pd.DataFrame, panel: Panel) -> FloatArray:
    """The outcome of each forecast, NaN where the panel has none; ``keys`` need ``series_id, target_end_date``."""
    rows, columns = panel.places(keys["target_end_date"], keys["series_id"])
    found = panel.matrix.to_numpy(dtype=float)[rows, columns]
    return np.where((rows >= 0) & (columns >= 0), found, np.nan)


def reference_quantiles(keys: pd.DataFrame, panel: Panel) -> FloatArray:
    """The reference baseline's log1p quantiles for each row, shape ``(n, 23)``; NaN where there are too few changes."""
    out = np.full((len(keys), len(LEVELS)), np.nan)
    places = keys[PLACE].reset_index(drop=True)
    ends = panel.end_dates
    columns = {str(name): np.log1p(panel.matrix[name].to_numpy(dtype=float)) for name in panel.matrix.columns}
    for key, rows in places.groupby(list(places.columns), sort=False).indices.items():
        series_id, origin, horizon = cast(tuple[str, pd.Timestamp, int], key)
        if series_id not in columns:
            continue
        known = columns[series_id][: int(ends.searchsorted(origin, side="right"))]
        values = known[np.isfinite(known)]
        errors = (values[horizon:] - values[:-horizon])[-LAST_ERRORS:]
        if len(errors) >= FEWEST_ERRORS:
            out[rows] = symmetric_errors(values[-1], errors)
    return out


def score_rows(forecasts: Forecasts, panel: Panel) -> pd.DataFrame:
    """Score every forecast whose outcome is observed and whose reference exists.

    Args:
        forecasts: Hubverse quantile rows, or the same as a matrix.
        panel: Outcomes, and the past that the reference baseline is made of.

    Returns:
        One row per forecast: ``model_id, series_id, origin_date, horizon, target_end_date, observed``, ``wis_log``,
        ``wis_natural``, ``reference_log``, ``reference_natural`` and ``covered_50/80/95/98`` (bool).
    """
    table = to_matrix(forecasts)
    observed = observed_at(table.keys, panel)
    table, observed = table.where(np.isfinite(observed)), observed[np.isfinite(observed)]
    reference = reference_quantiles(table.keys, panel)
    scored = np.isfinite(reference[:, 0])
    table, observed, reference = table.where(scored), observed[scored], reference[scored]
    rows = table.keys[KEYS].copy()
    rows["observed"] = observed
    rows["wis_log"] = wis(np.log1p(observed), np.log1p(table.quantiles))
    rows["wis_natural"] = wis(observed, table.quantiles)
    rows["reference_log"] = wis(np.log1p(observed), reference)
    rows["reference_natural"] = wis(observed, np.clip(np.expm1(reference), 0, None))
    return rows.assign(**covered(observed, table.quantiles))


def covered(observed: FloatArray, quantiles: FloatArray) -> dict[str, BoolArray]:
    """Return whether each outcome, shape ``(n,)``, lies in the central intervals, by name: ``covered_50`` and so on.

    An outcome that equals a bound lies inside, whatever the last bits of the bound are.
    """
    quantiles = np.round(quantiles, 6)
    found: dict[str, BoolArray] = {}
    for coverage in COVERAGES:
        low, high = (QUANTILE_LEVELS.index(level) for level in interval_levels(coverage))
        found[f"covered_{round(100 * coverage)}"] = (observed >= quantiles[:, low]) & (observed <= quantiles[:, high])
    return found


def summarise(forecasts: Forecasts, panel: Panel) -> pd.DataFrame:
    """Mean scores per model × series × horizon, and over all series (``_T``).

    Returns:
        A frame that keeps ``SCORES``, plus ``coverage_98``, ``relative_wis_lo`` and ``relative_wis_hi`` (90 % circular
        block bootstrap over origins; empty where there are too few) and ``p_holm``: the p-value of a ratio of 1,
        corrected within :data:`forecasting.verification.verdict.FAMILY`. ``n`` is the number of forecasts scored.

    Raises:
        InputError: Nothing can be scored: a mean of nothing is no score.
    """
    if (rows := score_rows(forecasts, panel)).empty:
        raise InputError("scores: no forecast has both an observed outcome and twelve past changes to be measured by")
    both = pd.concat([rows, rows.assign(series_id=ALL)], ignore_index=True)
    keys = ["model_id", "series_id", "horizon"]
    groups = both.groupby(keys, sort=True)
    shares = {f"covered_{round(100 * level)}": f"coverage_{round(100 * level)}" for level in COVERAGES}
    means = groups[["wis_log", "wis_natural", *shares]].mean().rename(columns=shares).assign(n=groups.size())
    parts = [
        ratios(both, keys, scale, "relative_wis").join(means.rename(columns={f"wis_{scale}": "wis"}), on=keys)
        for scale in SCALES
    ]
    table = pd.concat(parts).sort_values([*keys, "scale"], ignore_index=True)
    table = table.assign(p_holm=holm_within(table, FAMILY))
    ratio = ["relative_wis", "relative_wis_lo", "relative_wis_hi"]
    return table[[*keys, "scale", "wis", *ratio, *shares.values(), "n", "p_holm"]]


def with_bounds(table: QuantileTable, observed: FloatArray) -> pd.DataFrame:
    """Reduce forecasts to the bounds that pages show, each with its score on log scale against its outcome."""
    bounds = {f"q{round(100 * level)}": table.quantiles[:, QUANTILE_LEVELS.index(level)].round() for level in BOUNDS}
    return table.keys.assign(**bounds, wis=wis(np.log1p(observed), np.log1p(table.quantiles)).round(4))


def calibration(rows: pd.DataFrame) -> pd.DataFrame:
    """Share of outcomes inside each central interval, from :func:`score_rows`.

    Returns:
        ``model_id, series_id, horizon, nominal, observed, n``; ``series_id`` is a series or ``_T``.
    """
    both = pd.concat([rows, rows.assign(series_id=ALL)], ignore_index=True)
    columns = {f"covered_{round(100 * coverage)}": coverage for coverage in COVERAGES}
    groups = both.groupby(["model_id", "series_id", "horizon"], sort=True)
    shares = groups[list(columns)].mean().rename(columns=columns).assign(n=groups.size()).reset_index()
    return shares.melt(["model_id", "series_id", "horizon", "n"], var_name="nominal", value_name="observed")


def pit_histogram(forecasts: Forecasts, panel: Panel) -> pd.DataFrame:
    """Histogram of the probability integral transform; flat for a calibrated model.

    Where quantiles tie at the outcome (zeros), the PIT is drawn between its two ends: Czado, Gneiting and Held 2009,
    Biometrics 65(4).

    Returns:
        ``model_id, horizon, n, bin_low, share``.
    """
    table = to_matrix(forecasts)
    observed = observed_at(table.keys, panel)
    known = np.isfinite(observed)
    table, observed = table.where(known), observed[known]
    low, high = probability_at(observed, table.quantiles)
    pit = low + np.random.default_rng(0).uniform(size=len(observed)) * (high - low)
    place = np.minimum((pit * BINS).astype(int), BINS - 1)
    counts = pd.crosstab([table.keys["model_id"], table.keys["horizon"]], place).reindex(columns=range(BINS))
    n = counts.sum(axis=1)
    shares = counts.fillna(0).div(n, axis=0).set_axis(np.arange(BINS) / BINS, axis=1).assign(n=n).reset_index()
    found = shares.melt(["model_id", "horizon", "n"], var_name="bin_low", value_name="share")
    return found.sort_values(["model_id", "horizon", "bin_low"])


COLUMNS = list(RELEASE["group_errors"].columns)
NARROW, FEW = "intervals too narrow", "too few forecasts"
FEWEST = 24
"""Forecasts below which a group's errors say nothing."""
TOO_NARROW = 0.65
"""Coverage of 80 % intervals below which they are marked as too narrow."""


def group_errors(forecasts: Forecasts, panel: Panel, groups: pd.DataFrame) -> pd.DataFrame:
    """Score every group of series alone.

    Args:
        forecasts: Past quantile rows (``FORECASTS``).
        panel: Outcomes.
        groups: One row per series and group it belongs to: ``series_id``, ``kind`` (route, region or citizen),
            ``route_id``, ``geo`` and ``group``. Series without a row are left out.

    Returns:
        Columns ``COLUMNS``, one row per group, model and horizon. ``n``: forecasts scored; ``relative_wis``: ratio of
        mean WIS (log scale) to the reference baseline's with its 90 % block-bootstrap interval over origins; ``bias``
        from −1 (outcomes always above every quantile) to 1 (always below): positive means forecasts were too high
        (Funk et al. 2019, PLoS Comput. Biol. 15(2) e1006785); ``mark`` is empty, :data:`FEW`, :data:`WORSE` (the
        one verdict, Holm over all groups of a kind) or :data:`NARROW`.
    """
    table = to_matrix(forecasts)
    table = table.where(table.keys["series_id"].isin(groups["series_id"]))
    rows = score_rows(table, panel)
    keys = ["model_id", *PLACE]
    low, high = probability_at(observed_at(table.keys, panel), table.quantiles)
    rows = rows.merge(table.keys[keys].assign(bias=1 - (low + high)), on=keys).merge(groups, on="series_id")
    group = ["kind", "route_id", "geo", "group", "model_id", "horizon"]
    shares = {f"coverage_{level}": (f"covered_{level}", "mean") for level in (50, 80, 95)}
    facts = rows.groupby(group).agg(
        n=("bias", "size"), n_series=("series_id", "nunique"), bias=("bias", "mean"), **shares
    )
    lines = ratios(rows, group, "log", "relative_wis").join(facts, on=group)
    # All groups of a kind are judged at once.
    judged = with_verdicts(lines.assign(p_holm=holm_within(lines, ["model_id", "kind"])))
    narrow = judged["coverage_80"] < TOO_NARROW
    mark = np.select([judged["n"] < FEWEST, judged["verdict"] == WORSE, narrow], [FEW, WORSE, NARROW], default="")
    return typed(judged.assign(mark=mark), RELEASE["group_errors"])
