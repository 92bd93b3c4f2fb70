"""Run ``vigie backtest`` and ``vigie forecast``: a panel in, one frame of forecasts out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.calendar import Frequency
from core.errors import InputError, first_line
from core.log import ProgressReport, counted
from core.schema import DAY
from forecasting import BASELINE, ENSEMBLE, BoolArray
from forecasting.dates import listed
from forecasting.ensemble import NO_MEMBER, combine, extreme_before
from forecasting.hindcast import Fits, InMemory
from forecasting.members import Request, members_at, stands_alone
from forecasting.models import resolve
from forecasting.panel import LARGEST_JUDGED, Panel, read_panel
from forecasting.pool import Pool
from forecasting.pooled import Priors, is_enough, own_lessons, past_origins, present_origins
from forecasting.quantiles import KEYS, PLACE, QuantileTable, stack, to_matrix
from forecasting.reconcile import reconcile, totals_panel
from forecasting.verification import observed_at, summarise
from forecasting.workers import Workers

DEFAULT_MODELS = "ensemble,baseline"
WITH_PRIOR = "the panel has few series: the pooled model was fitted on the open counts that come with Vigie"
BATCH = 5_000
"""Series that are forecast at a time where none learns from another's forecasts."""
NO_WIDTH = 0.2
"""Counts from the lowest to the highest quantile: there may be as little where a series has had one value only."""


@dataclass(frozen=True)
class Made:
    """Forecasts of a panel's file, and what must be known about them.

    Attributes:
        table: The forecasts of the models asked for, and of no others; flagged as of
            :func:`forecasting.hindcast.run_work`.
        panel: The panel.
        remarks: ``model_id, remark, series_id, forecasts``: where the baseline stands in for a model, the cap on
            explosion was applied, or intervals have no width after a history of one value.
        account: Sentences on how the ensemble came about.
        counted: See :meth:`forecasting.panel.Panel.counted`, of all series, totals among them.
        ended: Series that are not forecast because they have ended, each with its last period.
    """

    table: QuantileTable
    panel: Panel
    remarks: pd.DataFrame
    account: list[str]
    counted: pd.DataFrame
    ended: tuple[str, ...] = ()

    @property
    def series(self) -> int:
        """Number of series in the table."""
        return int(self.table.keys["series_id"].nunique())

    def lines(self, names: int | None = None) -> list[str]:
        """Sentences for people.

        Args:
            names: How many series each of them names; all by default.
        """
        return [
            *self.panel.lines(names),
            *([f"not forecast, for they have ended: {listed(self.ended, names)}"] if self.ended else []),
            *(
                f"{model_id}: {remark} {self._of(rows, names)}"
                for (model_id, remark), rows in self.remarks.groupby(["model_id", "remark"], sort=False)
            ),
        ]

    def _of(self, rows: pd.DataFrame, names: int | None) -> str:
        ids = rows["series_id"].tolist()
        made = counted(int(rows["forecasts"].sum()), "forecast")
        return f"in {made} of {len(ids):,} of {self.series:,} series: {listed(ids, names)}"


class Options(TypedDict, total=False):
    """Options of a panel's forecasts.

    Attributes:
        freq: Frequency of a panel whose periods are dates; inferred by default.
        models: Short or full names, as text with commas or a list; by default the ensemble and the baseline.
        totals: Grouping column whose sums are forecast too.
        workers: Processes or a cluster; by default as many processes as the work is worth.
        progress: Reports the fits done, step by step.
        fits: Where the pooled model's fits are looked up and kept.
        priors: Training data of the pooled model for small panels, by the panel's frequency.
    """

    freq: Frequency | None
    models: str | Sequence[str]
    totals: str | None
    workers: Workers
    progress: ProgressReport
    fits: Fits | None
    priors: Priors | None


def backtest_file(
    source: Path | pd.DataFrame, *, origins: int, step: int = 1, horizons: Sequence[int], **options: Unpack[Options]
) -> Made:
    """Backtest a panel, from a file or a frame (:func:`forecasting.panel.read_panel`).

    The ensemble's members are the fast models that are affordable on a panel of this size, any slower one that is asked
    for by name, and the pooled model: fitted on the panel's own series, or if they are few on ``priors``; without
    one on panels of at least 20 series. See :mod:`forecasting.members`.

    Raises:
        InputError: The file, an option or a model's name is not usable, or no series has a value at any origin.
    """
    name = source.name if isinstance(source, Path) else "panel"
    return backtest(_request(source, horizons, options), origins=origins, step=step, name=name)


def backtest(request: Request, *, origins: int, step: int, name: str = "panel") -> Made:
    """Backtest a panel; see :func:`backtest_file`. ``name`` is what errors call it.

    The table's keys have ``observation``, the value of the target period; NaN if it is unknown.
    """
    if origins < 1 or step < 1:
        raise InputError(f"origins and step are at least 1 (found {origins} and {step})")
    if len(request.levels[0].matrix) == 1:
        raise InputError("a backtest needs a panel of at least two periods")
    wanted = [past_origins(level, origins=origins, step=step) for level in request.levels]
    if not wanted[0].any():
        raise InputError(f"{name}: no series has a value at any of the last {origins} origins")
    made = forecasts_at(request, wanted)
    observed = observed_at(made.table.keys, _joined(request.levels))
    return replace(made, table=QuantileTable(made.table.keys.assign(observation=observed), made.table.quantiles))


def forecast_file(source: Path | pd.DataFrame, *, horizon: int, **options: Unpack[Options]) -> Made:
    """Forecast a panel from each series' last observed period, as :func:`backtest_file` would at that origin.

    A series that has ended (:meth:`forecasting.panel.Panel.ended`) has no present: it is left out and named.

    Raises:
        InputError: The file, an option or a model's name is not usable.
    """
    if horizon < 1:
        raise InputError(f"the horizon is at least 1 (found {horizon})")
    request = _request(source, range(1, horizon + 1), options)
    made = forecasts_at(request, [present_origins(level) for level in request.levels])
    ended = [
        f"{level.series_ids[place]} ({level.periods[level.last_rows()[place]]})"
        for level in request.levels
        for place in np.flatnonzero(level.ended())
    ]
    return replace(made, ended=tuple(ended))


def score(forecasts: pd.DataFrame, panel: Panel, totals: str | None = None) -> pd.DataFrame:
    """Score forecasts of a panel and of its totals.

    Args:
        forecasts: Hubverse quantile rows (``FORECASTS``), of any team; dates may be text.
        panel: Outcomes, and the past of the baseline by which each score is divided.
        totals: Grouping column whose sums are scored too.

    Returns:
        Mean scores by model, series, horizon and scale, and over all series; see
        :func:`forecasting.verification.summarise`.

    Raises:
        InputError: A column is missing or is not what it should be, or nothing can be scored.
    """
    columns = [*KEYS, "output_type", "output_type_id", "value"]
    if missing := [column for column in columns if column not in forecasts.columns]:
        raise InputError(f"forecasts: missing columns {missing}; found {[*forecasts.columns][:20]}")
    rows = forecasts.loc[forecasts["output_type"] == "quantile", columns]
    try:
        rows = rows.astype(
            {"origin_date": DAY, "target_end_date": DAY, "horizon": int, "output_type_id": float, "value": float}
        )
    except ValueError as error:
        raise InputError(f"forecasts: {first_line(error)}") from None
    rows = rows.assign(model_id=rows["model_id"].astype(str), series_id=rows["series_id"].astype(str))
    levels = [panel] if totals is None else [panel, totals_panel(panel, totals)]
    return summarise(to_matrix(rows), _joined(levels))


def _joined(levels: Sequence[Panel]) -> Panel:
    """Return a panel and its totals as one panel, without groups."""
    matrix = pd.concat([level.matrix for level in levels], axis=1)
    return Panel(levels[0].freq, matrix, pd.DataFrame(index=matrix.columns))


def forecasts_at(request: Request, wanted: Sequence[BoolArray]) -> Made:
    """Forecast from any origins: what ``vigie backtest``, ``vigie forecast`` and benchmarks run.

    Args:
        request: What is asked.
        wanted: For each level the origins, periods × series.
    """
    rows = np.logical_or.reduce([mask.any(axis=1) for mask in wanted])
    present = np.flatnonzero(wanted[0].any(axis=0))
    alone = len(present) > BATCH and stands_alone(request, wanted)
    parts = _batches(request, wanted[0], present) if alone else [(request, wanted)]
    tables, weights = zip(*(_together(*one, rows) for one in parts), strict=True)
    table, accounts = stack(tables), list[str]()
    for level, of_level in zip(request.levels, zip(*weights, strict=True), strict=True):
        if ENSEMBLE in request.asked:
            accounts += account_of(table, pd.concat(of_level), level)
    if ENSEMBLE in request.asked and request.prior is not None and not is_enough(request.levels)[-1]:
        accounts.append(WITH_PRIOR)
    remarks = _remarks(table, _joined(request.levels))
    return Made(table, request.levels[0], remarks, accounts, pd.concat([level.counted() for level in request.levels]))


def _together(
    request: Request, wanted: Sequence[BoolArray], rows: BoolArray
) -> tuple[QuantileTable, list[pd.DataFrame]]:
    """Forecasts of all levels, each from what the others' earlier ones were worth, and the ensemble's weights."""
    # A part agrees with the total of its own origin, be there a newer one or not.
    whole = [level.observed_at(rows) for level in request.levels]
    members, past = members_at(request, whole if request.column is not None else wanted)
    answers = [_answer(*one, request, rows) for one in zip(members, request.levels, strict=True)]
    made = [answer for answer, _ in answers]
    if request.column is not None:
        parts, totals = made
        agreed = reconcile(
            parts, totals, request.levels[0], request.column, past=past, workers=request.workers,
            progress=partial(request.progress, "Reconciling parts and totals"),
        )  # fmt: skip
        made = [agreed, totals]
    shown = [
        table.where(mask[level.places(table.keys["origin_date"], table.keys["series_id"])])
        for table, level, mask in zip(made, request.levels, wanted, strict=True)
    ]
    return stack(shown), [weights for _, weights in answers]


def _batches(
    request: Request, wanted: BoolArray, present: NDArray[np.intp]
) -> Iterator[tuple[Request, list[BoolArray]]]:
    """Batches of more than ``LARGEST_JUDGED`` series, which are independent: they bound the memory."""
    panel, fits = request.levels[0], request.fits or InMemory()
    lessons = own_lessons([(panel, 0)], request.prior)
    batches = np.array_split(present, -(-len(present) // BATCH))
    with Pool() as pool:  # whose processes stay from batch to batch
        workers = pool if request.workers is None else request.workers
        means = replace(request, fits=fits, lessons=lessons, workers=workers)
        for place, columns in enumerate(batches, start=1):
            request.progress("Batches", place - 1, len(batches))
            yield replace(means, levels=[panel.batch(columns)]), [wanted[:, columns]]
            request.progress("Batches", place, len(batches))


def _request(source: Path | pd.DataFrame, horizons: Sequence[int], options: Options) -> Request:
    asked = resolve(options.get("models", DEFAULT_MODELS))
    panel = read_panel(source, options.get("freq"))
    request = Request.of(panel, options.get("totals"), asked, horizons)
    means = {name: given for name, given in options.items() if name not in {"freq", "models", "totals"}}
    return replace(request, **means)  # type: ignore[arg-type]  # a TypedDict's items have no types of their own


def _answer(
    members: QuantileTable, panel: Panel, request: Request, rows: BoolArray
) -> tuple[QuantileTable, pd.DataFrame]:
    """Forecasts of the models and horizons asked for, from some rows of the calendar, and the ensemble's weights."""
    made, weights = members, pd.DataFrame()
    if ENSEMBLE in request.asked:
        combined = combine(members, panel)
        made = stack([members, _with_members_reasons(combined.forecasts, members)])
        weights = combined.weights
    asked = made.keys["model_id"].isin(request.asked) & made.keys["horizon"].isin(request.horizons)
    return made.where(asked.to_numpy() & rows[panel.rows_of(made.keys)]), weights


def _with_members_reasons(combined: QuantileTable, members: QuantileTable) -> QuantileTable:
    """Where no member could be fitted to a series, say why the first of them could not."""
    place = pd.MultiIndex.from_frame(combined.keys[PLACE])
    others = members.keys[members.keys["model_id"] != BASELINE]
    silent = others["fallback"].astype(bool) & (others["reason"] != "")
    fitted = place.isin(pd.MultiIndex.from_frame(others.loc[~silent, PLACE]))
    why = others[silent].drop_duplicates(PLACE).set_index(PLACE)["reason"].reindex(place).to_numpy()
    is_explained = combined.keys["fallback"].to_numpy(dtype=bool) & ~fitted & ~pd.isna(why)
    reason = np.where(is_explained, [f"{NO_MEMBER}: {one}" for one in why], combined.keys["reason"])
    return QuantileTable(combined.keys.assign(reason=reason), combined.quantiles)


def _remarks(table: QuantileTable, panel: Panel) -> pd.DataFrame:
    """Gather what must be known about forecasts, as :attr:`Made.remarks`; ``panel`` holds all series."""
    keys = table.keys
    highest, lowest = (extreme_before(keys, panel, extreme) for extreme in (np.fmax, np.fmin))
    flat = (highest == lowest) & (np.ptp(table.quantiles, axis=1) <= NO_WIDTH)
    marked: list[pd.DataFrame] = [
        keys[flat].assign(remark="intervals have no width, for the series has had but one value"),
        keys[keys["fallback"].astype(bool)].assign(remark="the baseline stands in (" + keys["reason"] + ")"),
        keys[keys["capped"].astype(bool)].assign(remark="quantiles were cut at the series' cap"),
    ]
    counts = [rows.groupby(["model_id", "remark", "series_id"], as_index=False).size() for rows in marked]
    return pd.concat(counts, ignore_index=True).rename(columns={"size": "forecasts"})


def account_of(table: QuantileTable, weights: pd.DataFrame, panel: Panel) -> Iterator[str]:
    """Mean weights and factors of the ensemble at its newest origin, horizon by horizon."""
    keys = table.keys
    own = keys[(keys["model_id"] == ENSEMBLE) & keys["series_id"].isin(panel.matrix.columns)]
    newest = own["origin_date"].max()
    own = own[own["origin_date"] == newest]
    if not panel.judged[panel.end_dates.get_loc(newest)]:
        yield f"{ENSEMBLE}: more than {LARGEST_JUDGED:,} series: not calibrated on its own past errors"
    for horizon, mine in own.groupby("horizon"):
        here = weights[(weights["origin_date"] == newest) & (weights["horizon"] == horizon)]
        total = here.groupby("model_id")["weight"].sum() / here["weight"].sum()
        shares = ", ".join(f"{model_id} {share:.2f}" for model_id, share in total.items())
        low, middle, high = mine["spread_factor"].quantile([0, 0.5, 1])
        yield (
            f"{ENSEMBLE}, origin {newest:%Y-%m-%d}, h={horizon}, {len(mine):,} series: weights {shares}; "
            f"spread times {low:.2f} to {high:.2f}, in the middle {middle:.2f}"
        )
