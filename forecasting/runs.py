"""What ``vigie backtest`` and ``vigie forecast`` run: a panel's file in, one frame of forecasts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np
import pandas as pd

from core.errors import InputError
from core.quantiles import FloatArray
from forecasting.ensemble import NO_MEMBER, combine
from forecasting.members import LARGEST_JUDGED, Request, origins_to_judge, past_members, present_members
from forecasting.model import BASELINE, ENSEMBLE, BoolArray
from forecasting.models import resolve
from forecasting.panel import Panel, read_panel
from forecasting.pooled import Fits
from forecasting.quantiles import QuantileTable, stack
from forecasting.reconcile import reconcile
from forecasting.workers import Progress, Workers

DEFAULT_MODELS = "ensemble,baseline"
_PLACE = ["series_id", "origin_date", "horizon"]


@dataclass(frozen=True)
class Made:
    """Forecasts of a panel's file.

    Attributes:
        table: The forecasts of the models asked for, and of no others; flagged as of
            :func:`forecasting.hindcast.run_work`, and ``far_above_record`` (bool) where the 99 % quantile is more than
            ten times the highest value that the series had by the origin.
        diagnostics: What must be known about them.
    """

    table: QuantileTable
    diagnostics: Diagnostics


class Options(TypedDict, total=False):
    """How a panel's file is forecast.

    Attributes:
        models: Short or full names, as text with commas or a list; by default the ensemble and the baseline.
        totals: Grouping column whose sums are forecast too.
        workers: Processes or a cluster; by default as many processes as the work is worth.
        progress: Called with fits done and fits in all.
        fits: Where the pooled model's fits are looked up and kept.
    """

    models: str | Sequence[str]
    totals: str | None
    workers: Workers
    progress: Progress | None
    fits: Fits | None


def backtest_file(
    panel_path: Path, *, origins: int, step: int = 1, horizons: Sequence[int], **options: Unpack[Options]
) -> Made:
    """Backtest a panel's file.

    The ensemble's members are the fast models that are affordable on a panel of this size, any slower one that is asked
    for by name, and on panels of at least 20 series the pooled model; see :mod:`forecasting.members`.

    Args:
        panel_path: CSV or Parquet; see :func:`forecasting.panel.read_panel`.
        origins: Number of origins.
        step: Periods between them.
        horizons: Periods ahead.
        options: See :class:`Options`.

    Raises:
        InputError: The file, an option or a model's name is not usable, or no series has a value at any origin.
    """
    request = _request(panel_path, horizons, options)
    members = past_members(request, origins=origins, step=step)
    if not len(members[0].keys):
        raise InputError(f"{panel_path.name}: no series has a value at any of the last {origins} origins")
    made = [_answer(table, level, request.asked) for table, level in zip(members, request.levels, strict=True)]
    return _made(request, _coherent(request, made, made[0]))


def forecast_file(panel_path: Path, *, horizon: int, **options: Unpack[Options]) -> Made:
    """Forecast a panel's file from each series' last observed period.

    The ensemble's members must have shown skill: where a panel is small enough to be backtested in passing (up to 50
    series), they are judged at its last 24 origins; on larger ones those trusted from the start take part, as far as
    judging them would have been affordable.

    Args:
        panel_path: CSV or Parquet; see :func:`forecasting.panel.read_panel`.
        horizon: Longest horizon; all from 1 on are forecast.
        options: See :class:`Options`.

    Raises:
        InputError: The file, an option or a model's name is not usable.
    """
    if horizon < 1:
        raise InputError(f"the horizon is at least 1 (found {horizon})")
    request = _request(panel_path, range(1, horizon + 1), options)
    now = present_members(request)
    judged = ENSEMBLE in request.asked and len(request.levels[0].matrix) > 1
    if judged and max(len(level.series_ids) for level in request.levels) <= LARGEST_JUDGED:
        past = past_members(replace(request, progress=None), origins=origins_to_judge(request.horizons), step=1)
        now = [stack([_before(*one), one[1]]) for one in zip(past, now, strict=True)]
    made = [_answer(table, level, request.asked) for table, level in zip(now, request.levels, strict=True)]
    return _made(request, _coherent(request, [_newest(table) for table in made], made[0]))


def _request(panel_path: Path, horizons: Sequence[int], options: Options) -> Request:
    asked = resolve(options.get("models", DEFAULT_MODELS))
    request = Request.of(read_panel(panel_path), options.get("totals"), asked, horizons)
    means = {name: options.get(name) for name in ("workers", "progress", "fits")}
    return replace(request, **means)  # type: ignore[arg-type]  # each of them may be None


def _made(request: Request, tables: list[QuantileTable]) -> Made:
    table = stack(tables)
    far = far_above_record(table, request.levels)
    marked = QuantileTable(table.keys.assign(far_above_record=far), table.quantiles)
    return Made(marked, diagnose(marked, request.levels))


def _coherent(request: Request, made: list[QuantileTable], past: QuantileTable) -> list[QuantileTable]:
    if request.column is None:
        return made
    parts, totals = made
    whole = reconcile(parts, totals, request.levels[0], request.column, past=past, progress=request.progress)
    return [whole, totals]


def _before(past: QuantileTable, now: QuantileTable) -> QuantileTable:
    newest = now.keys.groupby("series_id")["origin_date"].max()
    return past.where((past.keys["origin_date"] < past.keys["series_id"].map(newest)).to_numpy())


def _newest(made: QuantileTable) -> QuantileTable:
    last = made.keys.groupby("series_id")["origin_date"].transform("max")
    return made.where((made.keys["origin_date"] == last).to_numpy())


def _answer(made: QuantileTable, panel: Panel, asked: list[str]) -> QuantileTable:
    if ENSEMBLE in asked:
        combined = combine(made, panel).forecasts
        made = stack([made, _with_members_reasons(combined, made)])
    return made.where(made.keys["model_id"].isin(asked).to_numpy())


def _with_members_reasons(combined: QuantileTable, members: QuantileTable) -> QuantileTable:
    """Where no member could be fitted to a series, say why the first of them could not."""
    place = pd.MultiIndex.from_frame(combined.keys[_PLACE])
    others = members.keys[members.keys["model_id"] != BASELINE]
    silent = others["fallback"].astype(bool) & (others["reason"] != "")
    fitted = place.isin(pd.MultiIndex.from_frame(others.loc[~silent, _PLACE]))
    why = others[silent].drop_duplicates(_PLACE).set_index(_PLACE)["reason"].reindex(place).to_numpy()
    told = combined.keys["fallback"].to_numpy(dtype=bool) & ~fitted & ~pd.isna(why)
    reason = np.where(told, [f"{NO_MEMBER}: {one}" for one in why], combined.keys["reason"])
    return QuantileTable(combined.keys.assign(reason=reason), combined.quantiles)


FAR = 10.0
"""A 99 % quantile above so many times the highest value that a series had by the origin is reported."""


@dataclass(frozen=True)
class Diagnostics:
    """What must be known, by model.

    Attributes:
        series: Number of series in the table.
        fallbacks: ``model_id, reason, series_id, forecasts``: the baseline stands in for a model.
        capped: ``model_id, series_id, forecasts``: the cap on explosion was applied.
        far: ``model_id, series_id, forecasts, horizon, quantile, record``: 99 % quantiles far above the record; the
            last three tell of the one that is farthest above it.
    """

    series: int
    fallbacks: pd.DataFrame
    capped: pd.DataFrame
    far: pd.DataFrame

    def lines(self, names: int | None = None) -> list[str]:
        """Sentences for people.

        Args:
            names: How many series each of them names; all by default.
        """
        lines = [
            f"{model_id}: the baseline stands in ({reason}) {self._of(rows, names)}"
            for (model_id, reason), rows in self.fallbacks.groupby(["model_id", "reason"], sort=True)
        ]
        lines += [
            f"{model_id}: quantiles were cut at the series' cap {self._of(rows, names)}"
            for model_id, rows in self.capped.groupby("model_id", sort=True)
        ]
        for model_id, rows in self.far.groupby("model_id", sort=True):
            worst = rows.iloc[int((rows["quantile"] / rows["record"]).to_numpy().argmax())]
            lines.append(
                f"{model_id}: the 99 % quantile is more than {FAR:.0f} times the series' highest value "
                f"{self._of(rows, names)}; farthest: {worst['series_id']}, h={worst['horizon']}, "
                f"{worst['quantile']:,.0f} against {worst['record']:,.0f}"
            )
        return lines

    def _of(self, rows: pd.DataFrame, names: int | None) -> str:
        ids = rows["series_id"].tolist()
        shown = ids if names is None else ids[:names]
        more = f" and {len(ids) - len(shown):,} more" if len(shown) < len(ids) else ""
        count = f"{rows['forecasts'].sum():,} forecasts of {len(ids):,} of {self.series:,} series"
        return f"in {count}: {', '.join(shown)}{more}"


def highest_before(keys: pd.DataFrame, panels: Sequence[Panel]) -> FloatArray:
    """For each forecast the highest value that its series had up to the origin, at least 1.

    Args:
        keys: Columns ``series_id`` and ``origin_date``.
        panels: Panels that hold the series between them, on one calendar.
    """
    found = np.full(len(keys), np.nan)
    for panel in panels:
        record = np.fmax.accumulate(panel.matrix.to_numpy(dtype=float), axis=0)
        column = pd.Index(panel.series_ids).get_indexer(pd.Index(keys["series_id"]))
        row = panel.end_dates.get_indexer(pd.DatetimeIndex(keys["origin_date"]))
        mine = (column >= 0) & (row >= 0)
        found[mine] = record[row[mine], column[mine]]
    return np.asarray(np.fmax(found, 1.0))


def far_above_record(table: QuantileTable, panels: Sequence[Panel]) -> BoolArray:
    """Which forecasts have a 99 % quantile above ten times the highest value that the series had by the origin."""
    far: BoolArray = table.quantiles[:, -1] > FAR * highest_before(table.keys, panels)
    return far


def diagnose(table: QuantileTable, panels: Sequence[Panel]) -> Diagnostics:
    """Gather what must be known.

    Args:
        table: Forecasts whose keys hold the marks ``fallback``, ``reason``, ``capped`` and ``far_above_record``.
        panels: See :func:`highest_before`.
    """
    keys = table.keys
    far = table.where(keys["far_above_record"].to_numpy(dtype=bool))
    record = highest_before(far.keys, panels)
    told = far.keys[["model_id", "series_id", "horizon"]].assign(quantile=far.quantiles[:, -1], record=record)
    told["forecasts"] = told.groupby(["model_id", "series_id"])["horizon"].transform("size")
    worst = told.assign(times=told["quantile"] / told["record"]).sort_values("times", ascending=False, kind="stable")
    return Diagnostics(
        series=int(keys["series_id"].nunique()),
        fallbacks=_counted(keys[keys["fallback"].to_numpy(dtype=bool)], ["model_id", "reason", "series_id"]),
        capped=_counted(keys[keys["capped"].to_numpy(dtype=bool)], ["model_id", "series_id"]),
        far=worst.drop_duplicates(["model_id", "series_id"])[
            ["model_id", "series_id", "forecasts", "horizon", "quantile", "record"]
        ].reset_index(drop=True),
    )


def _counted(keys: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return keys.groupby(columns, sort=True).size().rename("forecasts").reset_index()
