"""Does a driver help the pooled model, or would any column do? A test with two placebos.

The pooled model is fitted with and without the driver's columns, on the same rows and with the same recipe. A gain
counts only if it is more than luck and more than what two placebos bring: the driver shifted in time (same level, same
swings, same gaps, wrong months) and a constant with the driver's pattern of missing values, which gives the model
nothing but where figures exist. All is judged on log1p scale: without the guard's cap single exploding tails would rule
the natural one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core import FloatArray
from core.schema import ALL
from forecasting import BoolArray, between_levels
from forecasting.models import POOLED_MODELS
from forecasting.models.pooled import WIDENING, before, features, volatility
from forecasting.panel import Panel
from forecasting.pooled import usable_rows
from forecasting.verification import wis
from forecasting.verification.verdict import (
    BETTER,
    WORSE,
    holm_within,
    ratio_interval,
    verdicts,
)

MODEL_ID = "vigie-pooled"
EVIDENCE, HARMS = "evidence", "makes it worse"
ROUNDING = 1e-9
"""A ratio that is nearer to 1 differs by how floating point adds up."""
SHIFT = 30
"""Months by which the time-shifted placebo is late: not a whole number of years, so that its season is wrong too."""
FEWEST_KNOWN_SHARE = 0.5
"""Share of a route's arrivals whose nationality has a figure, below which the route's own driver is unknown."""
LONGEST_MEMORY = 36
PARTS = "_parts"
"""``series_id`` of the parts taken together, beside single totals and ``_T`` for all of them."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class World:
    """Totals and their parts on one calendar, learned from together.

    Attributes:
        totals: The routes.
        parts: Route × nationality, with the columns ``route_id`` and ``citizen`` in ``groups``.
        mix: All nationalities of the totals, learned from or not: what a total's own driver is weighted by.
    """

    totals: Panel
    parts: Panel
    mix: Panel

    @property
    def logs(self) -> FloatArray:
        """log1p values, periods × (totals, then parts)."""
        both = np.concatenate([self.totals.matrix.to_numpy(float), self.parts.matrix.to_numpy(float)], axis=1)
        return np.asarray(np.log1p(both))

    @property
    def is_total(self) -> BoolArray:
        """Which columns are totals."""
        return np.arange(len(self.totals.series_ids) + len(self.parts.series_ids)) < len(self.totals.series_ids)


@dataclass(frozen=True)
class Driver:
    """Something outside the series that may move them.

    Attributes:
        name: Its name in results.
        columns: What was known of it at each period, one array per figure, each of shape periods × series of a
            world, on the scale on which changes are comparable (log1p for counts and prices); NaN where unknown.
    """

    name: str
    columns: tuple[FloatArray, ...]


def spread_over_world(by_country: pd.DataFrame, world: World) -> FloatArray:
    """A country's figures for every series: a part takes its nationality's, a total its mix's mean of past 12 months.

    Args:
        by_country: Periods × countries (ISO alpha-3), on log1p scale, as known at each period.
        world: The series.

    Returns:
        Periods × series.
    """
    aligned = by_country.reindex(world.totals.periods)
    totals = [_mean_of_mix(aligned, world.mix, name) for name in world.totals.series_ids]
    citizens = world.parts.groups.loc[world.parts.series_ids, "citizen"]
    return np.concatenate([np.stack(totals, axis=1), aligned.reindex(columns=citizens).to_numpy(float)], axis=1)


def _mean_of_mix(by_country: pd.DataFrame, mix: Panel, route_id: str) -> FloatArray:
    """Mean over a route's nationalities by their past twelve months; NaN where too few of them have a figure."""
    own = mix.groups.index[mix.groups["route_id"] == route_id]
    values = by_country.reindex(columns=mix.groups.loc[own, "citizen"]).to_numpy(float)
    weight = mix.matrix[own].rolling(12, min_periods=1).sum().to_numpy(float)
    known = weight * np.isfinite(values)
    share = known.sum(axis=1) / np.maximum(weight.sum(axis=1), 1.0)
    mean = (known * np.nan_to_num(values)).sum(axis=1) / np.maximum(known.sum(axis=1), 1e-9)
    return np.where(share >= FEWEST_KNOWN_SHARE, mean, np.nan)


def same_for_all(values: pd.Series, world: World) -> FloatArray:
    """One figure for the whole world, such as a price: periods × series."""
    column = values.reindex(world.totals.periods).to_numpy(float)
    return np.repeat(column[:, None], len(world.is_total), axis=1)


def described(driver: Driver) -> FloatArray:
    """Features of a driver at each period: level, distance from its 3-year mean, changes over 1, 3, 12.

    Returns:
        Shape ``(periods, series, 5 × columns)``.
    """
    parts = []
    for values in driver.columns:
        mean = pd.DataFrame(values).rolling(LONGEST_MEMORY, min_periods=12).mean().to_numpy()
        changes = [values - before(values, lag) for lag in (1, 3, 12)]
        parts += [values, values - mean, *changes]
    return np.stack(parts, axis=-1)


def shifted(driver: Driver, months: int = SHIFT) -> Driver:
    """The same driver ``months`` late, turned round within the span where it is known, so that its gaps stay."""
    return Driver(driver.name, tuple(_turned(values, months) for values in driver.columns))


def missing_pattern(columns: FloatArray) -> FloatArray:
    """Ones where there is something and gaps where there is nothing."""
    return np.where(np.isfinite(columns), 1.0, np.nan)


def test_drivers(
    world: World,
    drivers: Sequence[Driver],
    *,
    origins: int,
    horizons: Sequence[int],
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Put every driver to the test; placebos are fitted only for those that seem to help.

    Args:
        world: Totals and parts.
        drivers: Each with columns over this world.
        origins: Number of past origins, the newest one period before the end.
        horizons: Periods ahead.
        progress: Called after every variant.

    Returns:
        A frame that keeps ``core.release.DRIVER_TESTS``.
    """
    scores = {"": losses(world, None, origins=origins, horizons=horizons)}
    for place, driver in enumerate(drivers):
        if progress:
            progress("Drivers", place, len(drivers))
        columns = described(driver)
        scores[f"{driver.name}/driver"] = losses(world, columns, origins=origins, horizons=horizons)
        if _gains(judged(scores, [driver.name])):
            late, constant = described(shifted(driver)), missing_pattern(columns)
            scores[f"{driver.name}/shifted"] = losses(world, late, origins=origins, horizons=horizons)
            scores[f"{driver.name}/missing"] = losses(world, constant, origins=origins, horizons=horizons)
    return judged(scores, [driver.name for driver in drivers])


def losses(world: World, extra: FloatArray | None, *, origins: int, horizons: Sequence[int]) -> pd.DataFrame:
    """Scores of the pooled model at past origins, with some more columns or none.

    Args:
        world: Totals and parts.
        extra: Further features, shape ``(periods, series, columns)``.
        origins: Number of origins.
        horizons: Periods ahead.

    Returns:
        ``series_id`` (a total, or ``_parts``), ``origin_date, horizon, wis, n``: sums of scores and their number.
    """
    logs = world.logs
    rows = list(range(len(logs) - 1 - origins, len(logs) - 1))
    years = world.totals.periods.year.to_numpy()
    blocks = []
    for year in np.unique(years[rows]):
        fitted = _fit(world, extra, int((years < year).sum()), horizons)
        for horizon in horizons:
            mine = [row for row in rows if years[row] == year and row + horizon < len(logs)]
            if mine:
                blocks.append(_scored(world, _predict(world, extra, fitted, mine, horizon), mine, horizon))
    return pd.concat(blocks, ignore_index=True)


def judged(scores: Mapping[str, pd.DataFrame], drivers: Sequence[str]) -> pd.DataFrame:
    """Ratios of scores with and without each driver, and what they are evidence of.

    Args:
        scores: From :func:`losses`: without a driver under the empty name, and per driver ``name/driver`` and, where
            they were made, ``name/shifted`` and ``name/missing``.
        drivers: Names.

    Returns:
        As :func:`test_drivers`. Holm's correction runs over all drivers and horizons of one series.
    """
    lines = [
        {"driver": name, "series_id": series_id, "horizon": int(horizon), "scale": "log",
         **_ratios(scores, name, series_id, int(horizon))}
        for name in drivers
        for series_id in [ALL, PARTS, *sorted(set(scores[""]["series_id"]) - {PARTS})]
        for horizon in sorted(scores[""]["horizon"].unique())
    ]  # fmt: skip
    table = pd.DataFrame(lines)
    table["p_holm"] = holm_within(table, ["series_id"])
    found = verdicts(table["ratio_lo"], table["ratio_hi"], table["p_holm"])
    beats_placebos = (verdicts(table[f"{name}_lo"], table[f"{name}_hi"]) == BETTER for name in ("shifted", "missing"))
    helps = (found == BETTER) & np.logical_and.reduce(list(beats_placebos))
    table["verdict"] = np.select([helps, found == WORSE], [EVIDENCE, HARMS], default="no evidence")
    return table


def _gains(table: pd.DataFrame) -> bool:
    """Whether there is a gain to be explained: over all totals or all parts, at any horizon."""
    return bool((table["series_id"].isin([ALL, PARTS]) & (table["ratio_hi"] < 1 - ROUNDING)).any())


def _ratios(scores: Mapping[str, pd.DataFrame], name: str, series_id: str, horizon: int) -> dict[str, float | int]:
    with_driver, counts = _by_origin(scores[f"{name}/driver"], series_id, horizon)
    out: dict[str, float | int] = {"n": int(counts.sum())}
    for word, other in (("ratio", ""), ("shifted", f"{name}/shifted"), ("missing", f"{name}/missing")):
        if other not in scores:
            out |= dict.fromkeys((word, f"{word}_lo", f"{word}_hi"), np.nan)
            continue
        reference, _ = _by_origin(scores[other], series_id, horizon)
        found = ratio_interval(with_driver, reference, horizon=horizon)
        out |= {word: found.ratio, f"{word}_lo": found.low, f"{word}_hi": found.high}
        if not other:
            out["p_value"] = found.p_value
    return out


def _by_origin(scores: pd.DataFrame, series_id: str, horizon: int) -> tuple[FloatArray, FloatArray]:
    chosen = scores["series_id"] != PARTS if series_id == ALL else scores["series_id"] == series_id
    mine = scores[chosen & (scores["horizon"] == horizon)]
    sums = mine.groupby("origin_date", sort=True)[["wis", "n"]].sum()
    return sums["wis"].to_numpy(float), sums["n"].to_numpy(float)


def _fit(world: World, extra: FloatArray | None, known: int, horizons: Sequence[int]) -> bytes:
    """The model fitted on the first ``known`` periods."""
    logs, season = world.logs, world.totals.season_length
    scale = volatility(logs, season)
    parts = []
    for horizon in horizons:
        past = list(range(season, known - horizon))
        described = _describe(world, logs[:known], extra, past, horizon)
        parts.append(usable_rows(described, logs, scale, np.asarray(past), horizon, world.is_total))
    described, growth, weights = (np.concatenate(one) for one in zip(*parts, strict=True))
    return POOLED_MODELS[MODEL_ID].fit(described, growth, weights, season)


def _predict(world: World, extra: FloatArray | None, fitted: bytes, rows: list[int], horizon: int) -> FloatArray:
    """log1p quantiles at some origins of one year: ``(rows, series, 23)``."""
    logs, model = world.logs, POOLED_MODELS[MODEL_ID]
    ahead = _describe(world, logs[: max(rows) + 1], extra, rows, horizon)
    found = model.predict(fitted, ahead.reshape(-1, ahead.shape[-1])) @ between_levels(model.levels)
    scale = volatility(logs, world.totals.season_length)[rows] * horizon**WIDENING
    quantiles = logs[rows][..., None] + found.reshape(*scale.shape, -1) * scale[..., None]
    return np.asarray(np.maximum(quantiles, 0.0))


def _describe(world: World, logs: FloatArray, extra: FloatArray | None, rows: list[int], horizon: int) -> FloatArray:
    positions = (world.totals.periods.month.to_numpy() - 1.0)[: len(logs)]
    season = world.totals.season_length
    parts = [
        features(logs[:, columns], np.asarray(rows), positions, horizon=horizon, season=season, kind=kind)
        for kind, columns in ((1, world.is_total), (0, ~world.is_total))
    ]
    own = np.concatenate(parts, axis=1)
    return own if extra is None else np.concatenate([own, extra[rows]], axis=-1)


def _scored(world: World, quantiles: FloatArray, rows: list[int], horizon: int) -> pd.DataFrame:
    outcome = world.logs[[row + horizon for row in rows]]
    scores = wis(outcome.reshape(-1), quantiles.reshape(-1, quantiles.shape[-1]))
    names = [*world.totals.series_ids, *[PARTS] * len(world.parts.series_ids)]
    table = pd.DataFrame(
        {
            "series_id": np.tile(names, len(rows)),
            "origin_date": np.repeat(world.totals.end_dates[rows], len(names)),
            "horizon": horizon,
            "wis": scores,
        }
    ).dropna()
    keys = ["series_id", "origin_date", "horizon"]
    return table.groupby(keys, as_index=False).agg(wis=("wis", "sum"), n=("wis", "size"))


def _turned(values: FloatArray, months: int) -> FloatArray:
    out = np.full_like(values, np.nan)
    for column in range(values.shape[1]):
        known = np.flatnonzero(np.isfinite(values[:, column]))
        out[known, column] = np.roll(values[known, column], months)
    return out
