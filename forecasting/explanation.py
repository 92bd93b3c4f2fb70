"""What moved the ensemble's forecast since last month, in steps that add up to the whole change.

Last month's forecast of its h-th month becomes this month's forecast of its h-th month by a chain of forecasts that
differ in one thing each: the month aimed at, revised figures, a month's passing in which the count came as expected,
the count that came, the members' weights, the rest of the ensemble (calibration and limits), and what daily counts add.
The members are really refitted at every link, so no step is an approximation. Chains of counterfactuals are the usual
account of a forecast revision in nowcasting ("news": Bańbura and Modugno 2014, J. of Applied Econometrics 29(1)).

The effect of the last count has two parts: the part that every month ahead shares (the level), and what goes beyond
it and fades.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from core import FloatArray
from core.release import EXPLANATIONS
from core.schema import check
from forecasting import BASELINE, BOTTOM_UP, ENSEMBLE
from forecasting.hindcast import present_work, run_work
from forecasting.models import MODELS, POOLED_MODELS
from forecasting.panel import Panel
from forecasting.quantiles import QuantileTable, stack, to_rows
from forecasting.workers import Workers

FORMER, SEASON, REVISIONS, MONTH_PASSED = "former", "season", "revisions", "month_passed"
LEVEL_SHIFT, LAST_OUTCOME = "level_shift", "last_outcome"
WEIGHTS, CALIBRATION, NOWCAST = "weights", "calibration", "nowcast"
COMPONENTS = (FORMER, SEASON, REVISIONS, MONTH_PASSED, LEVEL_SHIFT, LAST_OUTCOME, WEIGHTS, CALIBRATION, NOWCAST)
"""The chain's links in order; the first is where it begins: last month's forecast of its h-th month."""

_ROW = ["series_id", "horizon"]
PooledRefit = Callable[[Panel, Sequence[int]], QuantileTable]


def explain(  # what moves a forecast comes from six places
    present: pd.DataFrame,
    past: pd.DataFrame,
    weights: pd.DataFrame,
    panel: Panel,
    *,
    published: pd.DataFrame | None = None,
    workers: Workers = None,
    pooled: PooledRefit | None = None,
) -> pd.DataFrame:
    """Decompose the change of each series' forecast between its last origin and the one before.

    Args:
        present: The ensemble's and the members' quantile rows from each series' last origin.
        past: The same at past origins.
        weights: From :func:`forecasting.ensemble.combine`.
        panel: The series as known now.
        published: The ensemble's rows where they were changed before publication; by default as in ``present``.
        workers: Who refits.
        pooled: Forecasts of the pooled model from each series' last value in a changed history, where it takes part.
            A sum of parts does not use the total's count: what their own new figures moved belongs to the month's
            passing.

    Returns:
        A frame that keeps ``EXPLANATIONS``: one row per series, horizon and link of the chain; over the links the
        changes of one series and horizon add up to the forecast's median. A series without a forecast at the
        origin before, and the longest horizon (not forecast before), have no rows.
    """
    origins = _origins(present, past, panel)
    if origins.empty:
        return EXPLANATIONS.empty()
    names = _weighted(weights, origins)
    then, now = _at(past, origins["previous"]), _at(present, origins["origin"])
    expected = _medians(then, [ENSEMBLE])[ENSEMBLE].xs(1, level="horizon")
    revised = _cut(panel, origins["previous"])
    supposed = _with_outcome(revised, origins["origin"], expected)
    horizons = sorted({int(horizon) for horizon in present["horizon"]})
    before, members = _medians(then, names), _medians(now, names)
    refit = partial(_refit, models=names, horizons=horizons, workers=workers, pooled=pooled)
    shown = now if published is None else _at(published, origins["origin"])
    ensemble = {
        name: _medians(forecasts, [ENSEMBLE])[ENSEMBLE]
        for name, forecasts in (("former", then), ("final", now), ("published", shown))
    }
    at_links = {
        "before": before,
        "revised": _with_parts(_medians(refit(revised), names), before),
        "expected": _with_parts(_medians(refit(supposed), names), members),
        "members": members,
    }
    ends = now.drop_duplicates(_ROW).set_index(_ROW)["target_end_date"]
    frames = [
        _one_series(str(name), row, ensemble, at_links, ends.xs(name), weights) for name, row in origins.iterrows()
    ]
    rows = pd.concat(frames, ignore_index=True).assign(model_id=ENSEMBLE)
    row, column = panel.places(origins["origin"], origins.index)
    outcomes = dict(zip(origins.index, panel.matrix.to_numpy(dtype=float)[row, column], strict=True))
    rows["outcome"] = rows["series_id"].map(outcomes).astype(float)
    rows["outcome_expected"] = np.expm1(rows["series_id"].map(expected).astype(float))
    return check(rows[list(EXPLANATIONS.columns)], EXPLANATIONS)


def _refit(
    panel: Panel, models: Sequence[str], horizons: Sequence[int], workers: Workers, pooled: PooledRefit | None
) -> pd.DataFrame:
    """Forecasts of members from each series' last value in a changed history."""
    single = [name for name in models if name in MODELS]
    tables = [run_work(present_work(panel, models=single), horizons=horizons, workers=workers)]
    if pooled is not None and set(models) & set(POOLED_MODELS):
        tables.append(pooled(panel, horizons))
    return to_rows(stack(tables))


def _with_parts(refitted: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """Medians of a changed history, with those of the sum of parts as they were."""
    return refitted if BOTTOM_UP not in parts else refitted.assign(**{BOTTOM_UP: parts[BOTTOM_UP]})


def _origins(present: pd.DataFrame, past: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    """Last origin and the one before of every series that was forecast at both; index ``series_id``."""
    own = present[present["model_id"] == ENSEMBLE]
    origin = own.groupby("series_id")["origin_date"].max()
    ends = panel.end_dates
    place = ends.get_indexer(pd.DatetimeIndex(origin))
    found = pd.DataFrame({"origin": origin, "previous": ends[np.maximum(place - 1, 0)]})[place > 0]
    made = set(past.loc[past["model_id"] == ENSEMBLE, ["series_id", "origin_date"]].itertuples(index=False, name=None))
    return found[[(name, row.previous) in made for name, row in found.iterrows()]]


def _at(forecasts: pd.DataFrame, origin: pd.Series) -> pd.DataFrame:
    return forecasts[forecasts["origin_date"] == forecasts["series_id"].map(origin)]


def _weighted(weights: pd.DataFrame, origins: pd.DataFrame) -> list[str]:
    """Members with any weight at one of the origins, and the baseline, which stands in where they are silent."""
    dates = {*origins["origin"], *origins["previous"]}
    used = weights[weights["origin_date"].isin(dates) & (weights["weight"] > 0)]
    return sorted({BASELINE, *used["model_id"]})


def _medians(forecasts: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """log1p medians, index ``(series_id, horizon)``, one column per model; NaN where the baseline stands in for it."""
    rows = forecasts[
        forecasts["model_id"].isin(names)
        & (forecasts["output_type"] == "quantile")
        & np.isclose(forecasts["output_type_id"].astype(float), 0.5)
    ]
    value = rows["value"].astype(float).transform(np.log1p)
    if "fallback" in rows and list(names) != [ENSEMBLE]:
        value = value.where(~rows["fallback"].astype(bool) | (rows["model_id"] == BASELINE))
    wide = rows.assign(value=value).pivot_table("value", _ROW, "model_id", dropna=False)
    return wide.reindex(columns=list(names))


def _cut(panel: Panel, last: pd.Series) -> Panel:
    """Only the series of ``last``, each without what lies after its date."""
    chosen = panel.select([str(name) for name in last.index])
    ends = chosen.end_dates.to_numpy()
    kept = ends[:, None] <= last.to_numpy(dtype="datetime64[ns]")[None, :]
    return Panel(chosen.freq, chosen.matrix.where(kept), chosen.groups)


def _with_outcome(panel: Panel, date: pd.Series, logs: pd.Series) -> Panel:
    """The same with a value put in at one period of each series."""
    matrix = panel.matrix.copy()
    for name in matrix.columns:
        matrix.loc[panel.period_of(date[name]), name] = np.expm1(logs[name])
    return Panel(panel.freq, matrix, panel.groups)


def _one_series(
    name: str,
    origins: pd.Series,
    ensemble: Mapping[str, pd.Series],
    at_links: Mapping[str, pd.DataFrame],
    ends: pd.Series,
    weights: pd.DataFrame,
) -> pd.DataFrame:
    """The chain of one series at every horizon that the origin before reached too.

    Args:
        name: The series.
        origins: Its last origin and the one before.
        ensemble: log1p medians of the ensemble by series and horizon, then and now.
        at_links: The same of members (columns) at every link between.
        ends: Target dates by horizon.
        weights: Of the members.
    """
    former, final, published = (ensemble[one].xs(name) for one in ("former", "final", "published"))
    steps = [step for step in final.index if step + 1 in former.index and step in former.index]
    old, new = (_weights_of(weights, name, origins[which], final.index) for which in ("previous", "origin"))
    later = [step + 1 for step in steps]
    same_month = former.loc[later].to_numpy()
    shares_then, shares_before = old.reindex(later), old.reindex(steps)
    chain = [
        _mean(at_links[link].reindex([(name, step) for step in horizons]), shares)
        for link, horizons, shares in (
            ("before", later, shares_then), ("revised", later, shares_then), ("expected", steps, shares_before),
            ("members", steps, shares_before), ("members", steps, new.reindex(steps)),
        )
    ]  # fmt: skip
    news = chain[3] - chain[2]
    level = shared_part(news)
    logs = {
        FORMER: former.loc[steps].to_numpy(),
        SEASON: same_month - former.loc[steps].to_numpy(),
        REVISIONS: chain[1] - chain[0],
        MONTH_PASSED: chain[2] - chain[1],
        LEVEL_SHIFT: level,
        LAST_OUTCOME: news - level,
        WEIGHTS: chain[4] - chain[3],
        CALIBRATION: (final.loc[steps].to_numpy() - chain[4]) - (same_month - chain[0]),
        NOWCAST: (published.reindex(steps) - final.loc[steps]).to_numpy(),
    }
    return _rows(name, origins, ends.loc[steps], np.stack([logs[component] for component in COMPONENTS]))


def shared_part(news: FloatArray) -> FloatArray:
    """What all effects have in common: the smallest of them where they have one sign, else nothing; same shape."""
    one_sign = bool((news > 0).all() or (news < 0).all())
    smallest = news[np.argmin(np.abs(news))] if len(news) and one_sign else 0.0
    return np.full_like(news, smallest)


def _weights_of(weights: pd.DataFrame, name: str, origin: pd.Timestamp, horizons: pd.Index) -> pd.DataFrame:
    """A series' weights at an origin, horizons × members."""
    own = weights[(weights["origin_date"] == origin) & (weights["series_id"] == name)]
    return own.pivot_table("weight", "horizon", "model_id").reindex(horizons).fillna(0.0)


def _mean(medians: pd.DataFrame, weights: pd.DataFrame) -> FloatArray:
    """Weighted mean over the members that have a forecast, by horizon; the baseline's where none has."""
    shares = weights.reindex(columns=medians.columns).fillna(0.0).to_numpy()
    values = medians.to_numpy(dtype=float)
    shares = np.where(np.isfinite(values), shares, 0.0)
    total = shares.sum(axis=1)
    mean = (shares * np.nan_to_num(values)).sum(axis=1) / np.where(total > 0, total, 1.0)
    return np.where(total > 0, mean, medians[BASELINE].to_numpy(dtype=float))


def _rows(name: str, origins: pd.Series, ends: pd.Series, logs: FloatArray) -> pd.DataFrame:
    """The chain as rows: after every link the forecast in counts, and by how much the link moved it."""
    values = np.expm1(logs.cumsum(axis=0))
    changes = np.diff(values, axis=0, prepend=0.0)
    count = len(COMPONENTS)
    return pd.DataFrame(
        {
            "series_id": name,
            "origin_date": origins["origin"],
            "previous_origin_date": origins["previous"],
            "horizon": np.repeat(ends.index.to_numpy(dtype=np.int64), count),
            "target_end_date": np.repeat(ends.to_numpy(), count),
            "link": np.tile(np.arange(count), len(ends)),
            "component": np.tile(COMPONENTS, len(ends)),
            "log_change": logs.T.reshape(-1),
            "change": changes.T.reshape(-1),
            "value": values.T.reshape(-1),
        }
    )
