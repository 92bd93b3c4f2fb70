"""How good past forecasts were where it matters: large and small series, surges, years, high figures, whole paths.

Scores by what came are not proper: a forecast that always cries high does well on surges alone (the forecaster's
dilemma, Lerch et al. 2017, Statistical Science 32(1)). The threshold-weighted score is: it reads every month.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from core import FloatArray
from core.release import SITUATION_SCORES
from forecasting import BASELINE, ENSEMBLE
from forecasting.panel import Panel
from forecasting.quantiles import Forecasts, QuantileTable, to_matrix
from forecasting.trajectories import Numbers, draw_paths, past_scores
from forecasting.verification import observed_at, reference_quantiles, score_rows, wis
from forecasting.verification.verdict import SCALES, ratios

SIZE, MONTH, BEGUN, HIGH, PATH = "size", "month", "year", "high", "path"
SIZES = {"<100": 0, "100-999": 100, "1000-9999": 1_000, ">=10000": 10_000}
"""Smallest mean of the twelve months before the origin, by class."""
CALM, SURGE = "calm", "surge"
SURGE_FACTOR = 1.5
"""Ratio to the mean of the twelve months before the origin from which a month is a surge, as for alerts."""
ALONE, TOGETHER = "alone", "together"
HIGH_SHARE = 0.9
"""Share of the months before the origin that lie below a high figure."""
YEAR = 12
PATHS = 60
"""Sample paths from each past origin: the score below is free of bias for any number."""


def threshold_weighted(observed: FloatArray, quantiles: FloatArray, threshold: FloatArray) -> FloatArray:
    """Threshold-weighted CRPS, by quantiles: errors count above the threshold alone.

    It is the score of outcome and forecast with all that lies below the threshold lifted to it: Gneiting and Ranjan
    2011, JBES 29(3); Allen, Ginsbourger and Ziegel 2023, SIAM/ASA J. Uncertainty Quantification 11(3).

    Args:
        observed: Outcomes, shape ``(n,)``.
        quantiles: Shape ``(n, 23)``, on the same scale.
        threshold: Shape ``(n,)``, likewise.

    Returns:
        Scores, shape ``(n,)``; lower is better.
    """
    return wis(np.maximum(observed, threshold), np.maximum(quantiles, threshold[:, None]))


def energy_score(observed: FloatArray, paths: FloatArray) -> float:
    """Energy score of sample paths: how far they lie from what came, less half of how far from each other.

    Args:
        observed: What came, shape ``(d,)``.
        paths: Shape ``(m, d)``, at least two.

    Returns:
        The unbiased estimate; lower is better, for ``d = 1`` the CRPS. Gneiting and Raftery 2007, JASA 102(477).
    """
    count = len(paths)
    squares = np.square(paths).sum(axis=1)
    between = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * paths @ paths.T, 0))
    np.fill_diagonal(between, 0.0)
    away = np.sqrt(np.square(paths - observed).sum(axis=1)).mean()
    return float(away - between.sum() / (2 * count * (count - 1)))


def situation_scores(forecasts: Forecasts, panel: Panel) -> pd.DataFrame:
    """Scores of the ensemble at past origins by situation.

    Args:
        forecasts: Past quantile rows of the ensemble and, for paths, of the baseline.
        panel: Outcomes, and the past that size, thresholds and the reference are taken from, each up to the origin.

    Returns:
        A frame that keeps ``core.release.SITUATION_SCORES``.
    """
    table = to_matrix(forecasts)
    own, energy = table.of_model(ENSEMBLE), _of_paths(table, panel)
    rows = pd.concat([*_by_month(own, panel), *([energy] if len(energy) else [])], ignore_index=True)
    keys = ["kind", "group", "model_id", "horizon"]
    groups = rows.astype({"covered_80": float}).groupby(keys)
    parts = [
        ratios(rows, keys, scale, "relative_score").join(
            groups.agg(score=(f"wis_{scale}", "mean"), coverage_80=("covered_80", "mean"), n=("horizon", "size")),
            on=keys,
        )
        for scale in SCALES
    ]
    return pd.concat(parts)[list(SITUATION_SCORES.columns)].sort_values([*keys, "scale"], ignore_index=True)


def _by_month(table: QuantileTable, panel: Panel) -> list[pd.DataFrame]:
    """Scores of every forecast by kind and group."""
    rows = score_rows(table, panel)
    mean, high = _known_before(rows, panel)
    size = np.asarray(list(SIZES))[np.searchsorted(list(SIZES.values()), mean, side="right") - 1]
    month = np.where(rows["observed"] >= SURGE_FACTOR * mean, SURGE, CALM)
    year = rows["origin_date"].dt.year.astype(str)
    observed = observed_at(table.keys, panel)
    reference = reference_quantiles(table.keys, panel)
    scored = np.isfinite(observed) & np.isfinite(reference[:, 0])
    observed, reference, own = observed[scored], reference[scored], table.quantiles[scored]
    in_persons = np.clip(np.expm1(reference), 0, None)
    scores = {
        "wis_log": threshold_weighted(np.log1p(observed), np.log1p(own), np.log1p(high)),
        "reference_log": threshold_weighted(np.log1p(observed), reference, np.log1p(high)),
        "wis_natural": threshold_weighted(observed, own, high),
        "reference_natural": threshold_weighted(observed, in_persons, high),
    }
    return [
        *(rows.assign(kind=kind, group=group) for kind, group in ((SIZE, size), (MONTH, month), (BEGUN, year))),
        rows.assign(kind=HIGH, group=f"{HIGH_SHARE:.0%}", covered_80=np.nan, **scores),
    ]


def _known_before(rows: pd.DataFrame, panel: Panel) -> tuple[FloatArray, FloatArray]:
    """Mean of the twelve months up to each row's origin, and the figure that a tenth of all months up to it pass."""
    places, columns = panel.places(rows["origin_date"], rows["series_id"])
    values = panel.matrix.astype(float)
    mean = values.rolling(YEAR, min_periods=1).mean().to_numpy()[places, columns]
    return mean, values.expanding().quantile(HIGH_SHARE).to_numpy()[places, columns]


def _of_paths(table: QuantileTable, panel: Panel) -> pd.DataFrame:
    """Energy scores of whole paths, each series alone and all together, beside those of the baseline's paths."""
    own, baseline = (table.of_model(name) for name in (ENSEMBLE, BASELINE))
    horizons = sorted(int(step) for step in own.keys["horizon"].unique())
    series = sorted(str(name) for name in own.keys["series_id"].unique())
    baseline = baseline.where(baseline.keys["series_id"].isin(series) & baseline.keys["horizon"].isin(horizons))
    found = pd.concat(
        [_energy(part, panel, series, horizons) for part in (own, baseline)],
        axis=1, keys=["wis", "reference"], join="inner",
    )  # fmt: skip
    found.columns = pd.Index(["_".join(name) for name in found.columns])
    return found.reset_index().assign(kind=PATH, model_id=ENSEMBLE, horizon=max(horizons, default=0))


def _energy(table: QuantileTable, panel: Panel, series: list[str], horizons: list[int]) -> pd.DataFrame:
    """``log`` and ``natural`` scores by ``origin_date, group, series_id`` where the whole path has come."""
    past = past_scores(table, panel, series, horizons)
    observed = observed_at(table.keys, panel)
    table, observed = table.where(np.isfinite(observed)), observed[np.isfinite(observed)]
    whole = table.keys.groupby(["origin_date", "series_id"])["horizon"].transform("size").eq(len(horizons)).to_numpy()
    table, observed = table.where(whole), observed[whole]
    lines, numbers = [], Numbers(seed=0)
    for origin, places in table.keys.groupby("origin_date", sort=True).indices.items():
        part, came = table.where(np.isin(np.arange(len(observed)), places)), observed[places]
        names = sorted(part.keys["series_id"].unique())
        paths = draw_paths(part, series, horizons, past.until(pd.Timestamp(str(origin))), n=PATHS, numbers=numbers).T
        groups = [(ALONE, str(name), np.asarray(part.keys["series_id"] == name)) for name in names]
        if len(names) == len(series) > 1:
            groups.append((TOGETHER, "", np.ones(len(came), dtype=bool)))
        for group, name, chosen in groups:
            scores = {
                "log": energy_score(np.log1p(came[chosen]), np.log1p(paths[:, chosen])),
                "natural": energy_score(came[chosen], paths[:, chosen]),
            }
            lines.append({"origin_date": origin, "group": group, "series_id": name, **scores})
    keys = ["origin_date", "group", "series_id"]
    return pd.DataFrame(lines, columns=[*keys, "log", "natural"]).set_index(keys)
