"""Going back: what was known at a past origin, what came after a forecast, and how the forecast did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.quantiles import INTERVALS, interval_levels
from dashboard import reads, summaries
from dashboard.reads import Night
from forecasting.quantiles import to_matrix
from forecasting.verification.scores import wis

OUTSIDE = 0.0
"""In a column ``inside``: the outcome fell outside every interval."""
SUM_LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)


def history_then(history: pd.DataFrame, figures_then: pd.DataFrame, series_id: str, origin: str) -> pd.DataFrame:
    """A route's figures as they were known at a past origin.

    Args:
        history: ``time_period, obs_value, obs_flag, end_date``, as the release knows it, cut at the origin.
        figures_then: The release's frame of what was known otherwise.
        series_id: The route's series.
        origin: ISO date of the origin; an empty text where the release itself is shown, which differs nowhere.

    Returns:
        The same columns; periods that were not known then are left out, and ``changed`` says which differ.
    """
    then = figures_then[
        (figures_then["series_id"] == series_id) & (figures_then["origin_date"] == pd.Timestamp(origin))
    ]
    values = then.set_index("time_period")["obs_value"]
    changed = history["time_period"].isin(values.index)
    known = history["time_period"].map(values).where(changed, history["obs_value"])
    return history.assign(obs_value=known.astype(float), changed=changed).dropna(subset=["obs_value"])


def later_release(night: Night, nights: Sequence[Night]) -> Night:
    """The release that knows most of what came after another: the one with the newest knowledge, or itself."""
    newest = max(nights, key=lambda one: (one.as_of, one.run_id), default=night)
    return newest if newest.as_of > night.as_of else night


def came_later(night: Night, series_id: str, after: pd.Timestamp) -> tuple[pd.DataFrame, Night]:
    """What was counted after a month of a release, and the release that knows it."""
    knowing = later_release(night, reads.nights())
    for source in (knowing, night):
        found = summaries.observed_after(
            source.frame("observations"), source.frame("outcomes"), series_id, after.date()
        )
        if len(found):
            return found, source
    return found, night


def how_it_did(quantiles: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Each month counted since, beside what was expected of it.

    Args:
        quantiles: Result of ``summaries.quantiles_of``.
        outcomes: ``time_period_end``, ``value``.

    Returns:
        ``target_end_date, horizon, q10, q50, q90, outcome, inside``: ``inside`` is the narrowest of the 50, 80 and
        95 % intervals that holds the outcome, or ``OUTSIDE``.
    """
    columns = ["target_end_date", "horizon", "q10", "q50", "q90", "outcome", "inside"]
    later = outcomes.set_index("time_period_end")["value"].rename("outcome")
    both = quantiles.join(later, how="inner").dropna(subset=["outcome"])
    if both.empty:
        return pd.DataFrame(columns=columns)
    inside = [narrowest(row, row["outcome"]) for _end, row in both.iterrows()]
    named = both.rename(columns={0.1: "q10", 0.5: "q50", 0.9: "q90"}).rename_axis("target_end_date").reset_index()
    return named.assign(inside=inside)[columns].reset_index(drop=True)


def score_of(forecasts: pd.DataFrame, outcomes: pd.DataFrame, model_ids: Sequence[str]) -> pd.DataFrame:
    """Weighted interval scores of some models, month by month.

    Args:
        forecasts: Quantile rows of one series and origin.
        outcomes: ``time_period_end``, ``value``.
        model_ids: The models.

    Returns:
        ``model_id, horizon, wis`` (log1p scale) of the months counted.
    """
    table = to_matrix(forecasts[forecasts["model_id"].isin(model_ids) & forecasts["output_type"].eq("quantile")])
    counted = table.keys["target_end_date"].map(outcomes.set_index("time_period_end")["value"]).to_numpy(dtype=float)
    scores = wis(np.log1p(counted), np.log1p(table.quantiles))
    return table.keys[["model_id", "horizon"]].assign(wis=scores).dropna(subset=["wis"]).reset_index(drop=True)


def relative_wis(scores: pd.DataFrame, model_id: str, baseline: str) -> tuple[float, int]:
    """Sum of a model's scores over the baseline's on the months that both have; the ratio (or NaN) and the months."""
    wide = scores.pivot_table(index="horizon", columns="model_id", values="wis").reindex(columns=[model_id, baseline])
    both = wide.dropna()
    total = float(both[baseline].sum())
    return (float(both[model_id].sum()) / total if total > 0 else float("nan")), len(both)


def sum_quantiles(trajectories: pd.DataFrame, series_id: str, ends: Sequence[pd.Timestamp]) -> pd.Series:
    """Quantiles of a sum over months at ``SUM_LEVELS``, from joint paths; empty where a month has no path."""
    rows = trajectories[
        (trajectories["series_id"] == series_id)
        & (trajectories["model_id"] == summaries.ENSEMBLE)
        & trajectories["target_end_date"].isin(ends)
    ]
    if rows["target_end_date"].nunique() < len(ends):
        return pd.Series(dtype=float)
    sums = rows.groupby("output_type_id")["value"].sum()
    return sums.quantile(list(SUM_LEVELS))


def narrowest(quantiles: pd.Series, outcome: float) -> float:
    """The narrowest of the 50, 80 and 95 % intervals that holds an outcome, or ``OUTSIDE``.

    Args:
        quantiles: Values by level.
        outcome: What was counted.
    """
    for coverage in sorted(INTERVALS):
        low, high = interval_levels(coverage)
        if quantiles.loc[low] <= outcome <= quantiles.loc[high]:
            return float(coverage)
    return OUTSIDE
