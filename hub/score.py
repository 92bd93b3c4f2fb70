"""Every model on the same rows as the baseline and as each other, as the hubs score: one league table.

Scores are the weighted interval score on log1p scale (Bosse et al. 2023, PLoS Comput. Biol. 19(8) e1011393).

The hub's own ensembles are the median of quantiles, which the COVID-19 and influenza hubs serve (Brooks et al. 2020;
Ray et al. 2023, Int. J. Forecasting 39(3)), and a mean weighted by past scores: by the inverse of each model's pairwise
relative WIS over the last twelve months known at the round, so that a round's weights rest on nothing after it.

The tables of a release hold who takes part, what was received, the forecasts over outcomes, and the league table.
Rounds of the past by peers and Vigie's own hindcasts are replays, made afterwards on what was known at the time: they
are marked so, and never counted as submitted in time.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import INTERVALS, QUANTILE_LEVELS, FloatArray, interval_levels
from core.errors import InputError, SourceError
from core.languages import marked as _
from core.release import HUB_EDITIONS, HUB_FORECASTS, HUB_MODELS, HUB_SCORES
from core.schema import ALL, typed
from forecasting import BASELINE
from forecasting.quantiles import KEYS, PLACE, QuantileTable, is_among, stack, to_matrix
from forecasting.verification import wis, with_bounds
from forecasting.verification.verdict import holm_within, ratio_interval
from hub import Hub
from hub.own import DESIGNATED, ENSEMBLES, RHYTHMS, TEAM, baseline, frequency
from hub.submission import Submission

SERIES_PARTS = 5
BINS = 10
"""Of the histogram of the probability integral transform; its edges are quantile levels, so nothing is interpolated."""
SPANS: Mapping[str, tuple[str, ...]] = {"M": ("1-3", "4-6", "7-12"), "Q": ("1-2", "3-4"), "W": ("1-2", "3-4", "5-8")}
"""Periods ahead, taken together. The first are the league that is shown first: of months, Vigie's planning window."""
SEASONS = ("winter", "spring", "summer", "autumn")
COLUMNS = [name for name in HUB_SCORES.columns if name not in {"timing", "target", "freq"}]


def unit_of(series_id: str) -> tuple[str, str]:
    """What is scored together: target and frequency of a series, as Vigie names it; two empty texts of any other."""
    parts = series_id.split(".")
    return (parts[0], parts[-1]) if len(parts) == SERIES_PARTS and parts[-1] in SPANS else ("", "")


def by_unit(
    table: QuantileTable, *columns: FloatArray
) -> Iterator[tuple[tuple[str, str], QuantileTable, list[FloatArray]]]:
    """Forecasts of each unit apart, with the rows of other arrays that go with them."""
    units = table.keys["series_id"].map({one: unit_of(one) for one in table.keys["series_id"].unique()})
    for unit in sorted(set(units)):
        mine = (units == unit).to_numpy()
        yield unit, table.where(mine), [column[mine] for column in columns]


def outcomes_at(keys: pd.DataFrame, values: pd.Series) -> FloatArray:
    """What was counted for each forecast, NaN where nothing was yet.

    Args:
        keys: ``series_id, target_end_date``.
        values: Counts by the same two.
    """
    places = values.index.get_indexer(pd.MultiIndex.from_frame(keys[["series_id", "target_end_date"]]))
    return np.append(values.to_numpy(dtype=float), np.nan)[places]


@dataclass(frozen=True)
class Grid:
    """Scores of all models on all tasks whose outcome is known.

    Attributes:
        tasks: One row per task: ``series_id, origin_date, horizon, target_end_date``.
        models: Names, in the order of the columns.
        scores: WIS on log1p scale, tasks × models; NaN where a model did not forecast.
        covered: By coverage, whether the central interval held the outcome, tasks × models.
        pit: Share of each bin that the outcome falls into, tasks × models × bins.
    """

    tasks: pd.DataFrame
    models: list[str]
    scores: FloatArray
    covered: Mapping[float, NDArray[np.bool_]]
    pit: FloatArray


def grid(table: QuantileTable, observed: FloatArray, levels: Sequence[float] = QUANTILE_LEVELS) -> Grid:
    """Score every forecast whose outcome is known.

    Args:
        table: Forecasts, each model's once per task.
        observed: Outcomes, one per row of it; NaN where there is none yet.
        levels: The levels of its quantiles.
    """
    known = np.isfinite(observed)
    keys, quantiles, observed = table.keys[known].reset_index(drop=True), table.quantiles[known], observed[known]
    codes = keys.groupby(PLACE, sort=True).ngroup().to_numpy()
    column, models = pd.factorize(keys["model_id"], sort=True)
    size = (int(codes.max(initial=-1)) + 1, len(models))
    scores = np.full(size, np.nan)
    scores[codes, column] = wis(np.log1p(observed), np.log1p(quantiles), np.asarray(levels))
    places = {round(level, 6): place for place, level in enumerate(levels)}
    covered = {}
    for coverage in INTERVALS:
        low, high = (places.get(level) for level in interval_levels(coverage))
        held = np.zeros(size, dtype=bool)
        if low is not None and high is not None:
            held[codes, column] = (observed >= quantiles[:, low]) & (observed <= quantiles[:, high])
        covered[coverage] = held
    pit = np.zeros((*size, BINS))
    pit[codes, column] = _pit(quantiles, observed, levels)
    first = np.unique(codes, return_index=True)[1]
    tasks = keys.iloc[first][[*PLACE, "target_end_date"]].reset_index(drop=True)
    return Grid(tasks, [str(one) for one in models], scores, covered, pit)


def league(scored: Grid, baseline: str, freq: str = "M") -> pd.DataFrame:
    """The league table: all models over all tasks, by span of horizons, by horizon, by series and by season.

    Args:
        scored: From :func:`grid`, of one frequency.
        baseline: The model that all are measured by.
        freq: Length of one horizon, a key of ``SPANS``.

    Returns:
        Columns ``COLUMNS``. ``pairwise_wis`` is the geometric mean of a model's score ratios to every model on the rows
        that both forecast, scaled so that the baseline has 1 (Cramer et al. 2022, PNAS 119(15) e2113561119);
        ``relative_wis`` the ratio to the baseline alone, on shared rows, with its 90 % block-bootstrap interval over
        rounds; ``p_holm`` is corrected over the models of a group; ``missing`` counts the baseline's rows that a model
        did not forecast.
    """
    if (lines := pd.DataFrame(_lines(scored, baseline, freq))).empty:
        return pd.DataFrame(columns=COLUMNS)
    return lines.assign(p_holm=holm_within(lines, ["kind", "group"]))[COLUMNS]


def pairwise(scores: FloatArray) -> FloatArray:
    """Geometric mean of each model's ratios to every model, on the rows that both forecast; shape ``(models,)``."""
    has = np.isfinite(scores)
    own = np.where(has, scores, 0.0).T @ has
    with np.errstate(all="ignore"):  # models that share no row, or are without error, have no ratio
        logs = np.log(own) - np.log(own.T)
    usable = np.isfinite(logs)
    counts = usable.sum(axis=1)
    means = np.where(usable, logs, 0.0).sum(axis=1) / np.maximum(counts, 1)
    return np.where(counts > 0, np.exp(means), np.nan)


def _groups(tasks: pd.DataFrame, freq: str) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    horizon = tasks["horizon"].to_numpy()
    yield "all", ALL, np.ones(len(tasks), dtype=bool)
    spans = {}
    for name in SPANS[freq]:
        first, last = (int(end) for end in name.split("-"))
        spans[name] = (horizon >= first) & (horizon <= last)
        yield "span", name, spans[name]
    for step in np.unique(horizon):
        yield "horizon", str(step), horizon == step
    near = spans[SPANS[freq][0]]
    for series_id in sorted(tasks["series_id"].unique()):
        yield "series", str(series_id), near & (tasks["series_id"] == series_id).to_numpy()
    month = pd.DatetimeIndex(tasks["target_end_date"]).month.to_numpy()
    season = (month - 1 if freq == "Q" else month % 12) // 3  # a quarter's season is that of its middle month
    for place, name in enumerate(SEASONS):
        yield "season", name, near & (season == place)


def _lines(scored: Grid, baseline: str, freq: str) -> Iterator[dict[str, object]]:
    if baseline not in scored.models:
        return
    base = scored.models.index(baseline)
    origins = pd.factorize(scored.tasks["origin_date"], sort=True)[0]
    for kind, group, rows in _groups(scored.tasks, freq):
        rows = rows & np.isfinite(scored.scores[:, base])  # noqa: PLW2901  # the rows that all are compared on
        if not rows.any():
            continue
        scores, origin = scored.scores[rows], origins[rows]
        theta = pairwise(scores)
        longest = int(scored.tasks["horizon"][rows].max())
        for place, model_id in enumerate(scored.models):
            if not (mine := np.isfinite(scores[:, place])).any():
                continue
            rounds = np.unique(origin[mine], return_inverse=True)[1]
            sums = [np.bincount(rounds, scores[mine, column]).astype(float) for column in (place, base)]
            found = ratio_interval(sums[0], sums[1], horizon=longest)
            where = np.flatnonzero(rows)[mine]
            yield {
                "kind": kind,
                "group": group,
                "model_id": model_id,
                "wis": float(scores[mine, place].mean()),
                "pairwise_wis": float(theta[place] / theta[base]),
                "relative_wis": found.ratio,
                "relative_wis_lo": found.low,
                "relative_wis_hi": found.high,
                "p_value": found.p_value,
                **{
                    f"coverage_{round(100 * level)}": float(held[where, place].mean())
                    for level, held in scored.covered.items()
                },
                "n": int(mine.sum()),
                "missing": int((~mine).sum()),
                "rounds": len(sums[0]),
                **{f"pit_{one + 1}": share for one, share in enumerate(scored.pit[where, place].mean(axis=0))},
            }


def _pit(quantiles: FloatArray, observed: FloatArray, levels: Sequence[float]) -> FloatArray:
    """Share of each decile of the forecast that the outcome falls into: one bin, several where quantiles tie there."""
    wanted = [round(one / BINS, 6) for one in range(1, BINS)]
    places = [int(np.abs(np.asarray(levels) - level).argmin()) for level in wanted]
    edges = quantiles[:, places]
    below, upto = (edges < observed[:, None]).sum(axis=1), (edges <= observed[:, None]).sum(axis=1)
    bins = np.arange(BINS)
    inside = (bins >= below[:, None]) & (bins <= upto[:, None])
    return np.asarray(inside / inside.sum(axis=1, keepdims=True))


def quantile_rows(submission: Submission, hub: Hub) -> pd.DataFrame:
    """The quantiles of a submission, one row per task.

    Args:
        submission: One that keeps its hub's rules: every task has every level once.
        hub: Its hub; each of its rounds must name a day.

    Returns:
        ``model_id, series_id, origin_date, horizon, target_end_date``, then one column per level, ascending.
        ``series_id`` are the task ids that say what is forecast, joined by `` · `` where there are several.
    """
    found = hub.round_of(submission.round_id)
    if (rows := submission.rows[submission.rows["output_type"] == "quantile"]).empty:
        return pd.DataFrame()
    about = {"output_type", "output_type_id", "value", found.variable if found else ""}
    names = [name for name in rows.columns if name not in about]
    level = rows["output_type_id"].astype(str).astype(float)
    order = np.lexsort(
        [level.to_numpy(), *(rows[name].cat.codes.to_numpy() for name in names if name != "target_end_date")]
    )
    levels = np.unique(level)
    first = rows.iloc[order[:: len(levels)]].reset_index(drop=True)
    origin = pd.Timestamp(submission.round_id)
    ends = pd.to_datetime(first["target_end_date"].astype(str)) if "target_end_date" in names else origin
    keys = {
        "model_id": submission.model_id,
        "series_id": unit_name(first, [name for name in names if name not in {"horizon", "target_end_date"}]),
        "origin_date": origin,
        "horizon": first["horizon"].astype(int) if "horizon" in names else 0,
        "target_end_date": ends,
    }
    values = rows["value"].to_numpy()[order].reshape(-1, len(levels))
    return pd.DataFrame(keys, first.index).join(pd.DataFrame(values, columns=[f"{level:g}" for level in levels]))


def unit_name(rows: pd.DataFrame, units: Sequence[str]) -> pd.Series:
    """What rows speak of, by their task ids: the series where it is named, else all of them joined by `` · ``."""
    names = ["series_id"] if "series_id" in units else sorted(units)
    return rows[names[0]].astype(object) if len(names) == 1 else rows[names].astype(str).agg(" · ".join, axis=1)


def oracle_values(files: Mapping[str, bytes], task_ids: Sequence[str]) -> pd.Series:
    """Read the outcomes of a hub's oracle output.

    Args:
        files: CSV or Parquet files by name, at least one.
        task_ids: Columns that name a forecast.

    Returns:
        Values by ``series_id, target_end_date``; the last one where a file repeats a key.

    Raises:
        InputError: A column is missing.
    """
    parts = [
        pd.read_csv(io.BytesIO(content), dtype=str) if name.endswith(".csv") else pd.read_parquet(io.BytesIO(content))
        for name, content in files.items()
    ]
    oracle = pd.concat(parts)
    if missing := [name for name in ("oracle_value", "target_end_date") if name not in oracle]:
        raise InputError(str(SourceError(next(iter(files)), _("the column is missing"), row=1, column=missing[0])))
    if "output_type" in oracle:  # of categories and distributions the oracle says something else
        oracle = oracle[
            oracle["output_type"].isin(["quantile", "median", "sample", "mean"]) | oracle["output_type"].isna()
        ]
    units = [name for name in task_ids if name in oracle.columns and name != "target_end_date"]
    named = oracle.assign(
        series_id=unit_name(oracle, units),
        value=pd.to_numeric(oracle["oracle_value"], errors="coerce"),
        target_end_date=pd.to_datetime(oracle["target_end_date"]),
    )
    key = ["series_id", "target_end_date"]
    return named.dropna(subset=["value"]).drop_duplicates(key, keep="last").set_index(key)["value"]


def as_quantiles(rows: pd.DataFrame) -> tuple[QuantileTable, list[float]]:
    """Rows of :func:`quantile_rows` as a matrix, and its levels."""
    names = [name for name in rows.columns if str(name).replace(".", "", 1).isdigit()]
    keys = rows.drop(columns=names).reset_index(drop=True)
    return QuantileTable(keys, rows[names].to_numpy(dtype=float)), [float(name) for name in names]


MEDIAN, WEIGHTED = "hub-median", "hub-weighted"
FEWEST_MODELS = 2
WINDOW = pd.DateOffset(months=12)


def combine(table: QuantileTable, observed: FloatArray, members: Collection[str]) -> QuantileTable:
    """Both ensembles for every task that at least two members forecast; what is scored together has its own weights.

    Args:
        table: Forecasts, each model's once per task.
        observed: Outcomes, one per row; each round sees only those up to its origin.
        members: Models that take part.

    Returns:
        Forecasts of :data:`MEDIAN` and :data:`WEIGHTED`; none where no task has two members.
    """
    is_member = table.keys["model_id"].isin(list(members)).to_numpy()
    made = [_combined(part, *outcome) for _unit, part, outcome in by_unit(table.where(is_member), observed[is_member])]
    return stack(made) if made else QuantileTable(table.keys.iloc[:0], table.quantiles[:0])


def _combined(mine: QuantileTable, observed: FloatArray) -> QuantileTable:
    scored = grid(mine, observed)
    model, names = pd.factorize(mine.keys["model_id"])
    round_of, origins = pd.factorize(mine.keys["origin_date"])
    weights = np.stack([_weights(scored, pd.Timestamp(origin)).reindex(names) for origin in origins])
    logs = np.log1p(mine.quantiles)
    first, medians, means = [], [], []
    for places in mine.keys.groupby(PLACE, sort=True).indices.values():
        if len(places) < FEWEST_MODELS:
            continue
        share = weights[round_of[places[0]], model[places]]
        share = np.where(np.isfinite(share), share, 1.0)  # without a record a model counts like the baseline
        first.append(places[0])
        medians.append(np.median(logs[places], axis=0))
        means.append(share @ logs[places] / share.sum())
    if not first:
        return QuantileTable(mine.keys.iloc[:0], mine.quantiles[:0])
    frame = mine.keys.iloc[first].reset_index(drop=True)[["model_id", *PLACE, "target_end_date"]]
    both = pd.concat([frame.assign(model_id=name) for name in (MEDIAN, WEIGHTED)], ignore_index=True)
    return QuantileTable(both, np.expm1(np.concatenate([np.stack(medians), np.stack(means)])))


def _weights(scored: Grid, origin: pd.Timestamp) -> pd.Series:
    """Inverse pairwise relative WIS by model, on outcomes of the last year known at an origin; empty without any."""
    ends = scored.tasks["target_end_date"]
    rows = ((ends <= origin) & (ends > origin - WINDOW)).to_numpy()
    if not rows.any():
        return pd.Series(dtype=float)
    return pd.Series(1 / pairwise(scored.scores[rows]), index=scored.models)


IN_TIME, LATE, REPLAY, EVERYTHING = "in time", "late", "replay", "all"
ROUTES = ("arrivals", "M")
TABLES = (HUB_MODELS, HUB_EDITIONS, HUB_FORECASTS, HUB_SCORES)


def release_tables(
    replayed: QuantileTable | None,
    received: QuantileTable | None,
    editions: pd.DataFrame,
    about: Mapping[str, Mapping[str, Any]],
    hindcasts: pd.DataFrame,
    counts: pd.DataFrame,
    date: dt.date,
) -> dict[str, pd.DataFrame]:
    """Make the tables of a release about the hub.

    Args:
        replayed: Peers' forecasts of past rounds.
        received: Of each model and round the submission that counts, with its ``timing``.
        editions: Every submission (``HUB_EDITIONS``).
        about: What models say of themselves.
        hindcasts: Quantile rows of Vigie's models, under the names of past rounds.
        counts: ``series_id, target_end_date, value, as_of`` of every version of what was counted. Where hindcasts lack
            the baseline it is made of them; without ``as_of`` it is not.
        date: The night's day: rounds that close later are not in its release.

    Returns:
        ``hub_models``, ``hub_editions``, ``hub_forecasts`` and ``hub_scores``.
    """
    others = [] if replayed is None else [_timed(_bare(_closed(replayed, date)), REPLAY)]
    others += [] if received is None else [_timed(_bare(received), received.keys["timing"])]
    if not any(len(one.keys) for one in others):
        return empty_tables()
    everything = with_own(stack(others), hindcasts, counts)
    newest = counts.drop_duplicates(["series_id", "target_end_date"], keep="last").dropna(subset=["value"])
    outcomes = newest.set_index(["series_id", "target_end_date"])["value"]
    members = designated(about)
    scores = []
    for name in (IN_TIME, EVERYTHING):
        chosen = everything if name == EVERYTHING else everything.where(everything.keys["timing"] == IN_TIME)
        made = combine(chosen, outcomes_at(chosen.keys, outcomes), members)
        made = made.where(~is_among(made.keys, chosen.keys, KEYS))  # what an ensemble itself handed in stands
        whole = stack([chosen, _timed(made, REPLAY if name == EVERYTHING else IN_TIME)])
        for (target, freq), part, (observed,) in by_unit(whole, outcomes_at(whole.keys, outcomes)):
            if BASELINE in set(part.keys["model_id"]):
                lines = league(grid(part, observed), BASELINE, freq or "M")
                scores.append(lines.assign(timing=name, target=target, freq=freq))
    return {
        "hub_models": _models(about),
        "hub_editions": editions,
        "hub_forecasts": _shown(whole, outcomes),
        "hub_scores": typed(pd.concat(scores, ignore_index=True) if scores else HUB_SCORES.empty(), HUB_SCORES),
    }


def empty_tables() -> dict[str, pd.DataFrame]:
    """The same tables without a row."""
    return {table.name: table.empty() for table in TABLES}


def with_own(submitted: QuantileTable, own: pd.DataFrame, counts: pd.DataFrame) -> QuantileTable:
    """What was submitted, and replays of Vigie's own for the same series and rounds.

    A model of Vigie's that was submitted counts as it was. Where there is no baseline, it is made of what was counted.
    """
    key = ["series_id", "origin_date"]
    rounds = submitted.keys[key].drop_duplicates()
    parts = [submitted]
    if len(own):  # a night in which no route can be forecast has none
        mine = _bare(to_matrix(own))
        is_new = ~is_among(mine.keys, submitted.keys, ["model_id", *key])
        parts.append(_timed(mine.where(is_new & is_among(mine.keys, rounds, key)), REPLAY))
    measured = pd.concat([part.keys[part.keys["model_id"] == BASELINE][key] for part in parts])
    lacking = rounds[~is_among(rounds, measured, key)]
    known = counts.dropna(subset=["as_of"])
    made = baseline(known, lacking[lacking["series_id"].isin(known["series_id"].unique())])
    return stack([*parts, _timed(made, REPLAY)])


def designated(about: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Models that teams put into the hub's ensembles, Vigie's own two among them."""
    return {name for name, words in about.items() if words.get("designated_model")} | DESIGNATED


def _bare(table: QuantileTable) -> QuantileTable:
    # Vigie's own names hold more than one hyphen; in a hub's files an underscore stands there.
    names = table.keys["model_id"]
    names = names.where(~names.str.startswith(f"{TEAM}-"), names.str.replace("_", "-"))
    return QuantileTable(table.keys[KEYS].assign(model_id=names), table.quantiles)


def _timed(table: QuantileTable, timing: str | pd.Series) -> QuantileTable:
    return QuantileTable(table.keys.assign(timing=timing), table.quantiles)


def _closed(table: QuantileTable, date: dt.date) -> QuantileTable:
    """Rounds that were closed on a day: a replay may know what was known until then."""
    days = table.keys["series_id"].map(
        {one: RHYTHMS[frequency(one)].due[1] for one in table.keys["series_id"].unique()}
    )
    return table.where(table.keys["origin_date"] + pd.to_timedelta(days, "D") <= pd.Timestamp(date))


def _models(about: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    teams = {model_id: words for model_id, words in about.items() if model_id not in ENSEMBLES}
    own = {
        model_id: {"team_name": "Hub", "methods": methods, "license": "CC-BY-4.0"}
        for model_id, methods in ENSEMBLES.items()
    }
    rows = [
        {
            "model_id": model_id,
            "team_name": str(words.get("team_name", "")),
            "model_name": str(words.get("model_name", model_id)),
            "methods": str(words.get("methods", "")),
            "licence": str(words.get("license", "")),
            "designated": bool(words.get("designated_model")),
        }
        for model_id, words in (teams | own).items()
    ]
    return typed(pd.DataFrame(rows), HUB_MODELS)


def _shown(table: QuantileTable, outcomes: pd.Series) -> pd.DataFrame:
    """Forecasts as pages show them; Vigie's hindcasts of the routes stand in the release's own table of them."""
    of_routes = table.keys["series_id"].map({one: unit_of(one) == ROUTES for one in table.keys["series_id"].unique()})
    own = table.keys["model_id"].str.startswith(f"{TEAM}-") & (table.keys["timing"] == REPLAY)
    table = table.where(~(own & of_routes))
    return typed(with_bounds(table, outcomes_at(table.keys, outcomes)), HUB_FORECASTS)
