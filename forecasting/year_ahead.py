"""The year ahead: totals of twelve months, counted so far plus to come, from the same sample paths as every forecast.

Regulation (EU) 2024/1351 asks every autumn for a projection of the coming year by route and country. A total here is
the sum over a window of the months that are counted and, on each path, of those that are not; all routes together are
summed path by path, so that what they share counts. Its record rests on past origins: the same total is made there
from the ensemble and from the baseline, and judged as every other forecast is. Few years are independent of each other:
their number stands beside every score. Series by quarter have the same windows, of four.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from core import QUANTILE_LEVELS, FloatArray, interval_levels, whole
from core.release import RELEASE, YEAR_AHEAD
from core.schema import ALL, typed
from forecasting import LEVELS
from forecasting.panel import Panel
from forecasting.quantiles import QuantileTable
from forecasting.trajectories import Numbers, draw_paths, followed, past_scores
from forecasting.verification import wis
from forecasting.verification.verdict import holm, ratios

REACH = 18
"""Months ahead that are forecast so that in autumn the whole next calendar year is."""
MONTHS = 12
QUARTERS = 4
CALENDAR_YEAR, JULY_TO_JUNE = "calendar year", "July to June"
_FIRST_MONTH = {CALENDAR_YEAR: 1, JULY_TO_JUNE: 7}
ABOVE = (0, 25, 50, 100)
"""Per cent above the newest complete total of the same kind whose probability is reported."""
RECORD_PATHS = 300
"""Paths from each past origin: enough for a 95 % interval."""
INTERVALS = (50, 80, 95)


@dataclass(frozen=True)
class Window:
    """Months or quarters that are summed.

    Attributes:
        kind: Which; ``ahead`` is 0 for the running ones and 1 for the next.
        ahead: See ``kind``.
        first: The first period.
        length: How many periods.
        horizon: How many periods ahead the last one lies at most.
    """

    kind: str
    ahead: int
    first: pd.Period
    length: int
    horizon: int

    @cached_property
    def periods(self) -> pd.PeriodIndex:
        """Its months or quarters."""
        return pd.period_range(self.first, periods=self.length)

    @cached_property
    def months(self) -> tuple[str, str]:
        """Its first and its last month."""
        return str(self.periods[0].asfreq("M", "start")), str(self.periods[-1].asfreq("M", "end"))


def per_year(period: pd.Period) -> int:
    """How many of such periods make twelve months."""
    return MONTHS if period.freqstr == "M" else QUARTERS


def reach_of(period: pd.Period) -> int:
    """How many of such periods are forecast."""
    return REACH * per_year(period) // MONTHS


def windows(origin: pd.Period) -> Iterator[Window]:
    """The running and the next calendar year and July to June, as far as they end within reach of an origin."""
    now = (origin + 1).start_time
    for kind, month in _FIRST_MONTH.items():
        year = now.year if now.month >= month else now.year - 1
        for ahead in (0, 1):
            first, length = pd.Period(dt.datetime(year + ahead, month, 1), freq=origin.freqstr), per_year(origin)  # noqa: DTZ001  # a period has no zone
            window = Window(kind, ahead, first, length, length * (1 + ahead))
            if window.periods[-1].ordinal <= origin.ordinal + reach_of(origin):
                yield window


def year_ahead(
    current: QuantileTable,
    past: QuantileTable,
    baseline: QuantileTable,
    panel: Panel,
    *,
    nowcasts: Mapping[str, FloatArray] | None = None,
    together: Collection[str] | None = None,
    n: int = 1000,
) -> pd.DataFrame:
    """Totals of the running and the next year, each with its chances and its record.

    Args:
        current: The ensemble's forecasts from each series' last period, up to ``REACH`` months ahead.
        past: The same at past origins.
        baseline: The baseline's at the same origins.
        panel: The series, by month or by quarter; at a past origin only values up to it are used.
        together: The series that are added up as all together; by default every one.
        nowcasts: Quantiles of the month after the last one, by series: paths follow them, as those that are served.
        n: Number of paths.

    Returns:
        A frame that keeps ``core.release.YEAR_AHEAD``: one row per series, and for all together, kind and window.
        Empty where nothing reaches to a window's end.
    """
    series = sorted(current.keys["series_id"].unique())
    totals = _Totals(panel, series, past, together)
    if not (cases := [*totals.at(current, n, nowcasts or {})]):
        return YEAR_AHEAD.empty()
    records = _records(totals, past, _Totals(panel, series, baseline, together), baseline)
    judged = _rows(cases)[0].merge(records, on=_WINDOW, how="left").reindex(columns=list(YEAR_AHEAD.columns))
    return typed(judged.fillna({"n": 0, "years": 0}), YEAR_AHEAD)


def total_scores(
    past: QuantileTable, baseline: QuantileTable, panel: Panel, steps: range, together: Collection[str]
) -> pd.DataFrame:
    """What a total of some months ahead, as titles name it, was worth at past origins.

    Args:
        past: The ensemble's forecasts at past origins.
        baseline: The baseline's at the same origins.
        panel: The series by month.
        steps: Months ahead that are summed.
        together: The series that are added up as all together.

    Returns:
        A frame that keeps the table ``total_scores``: one row per series, and for all together.
    """

    def ahead(origin: pd.Period) -> Iterator[Window]:
        yield Window("", 0, origin + steps[0], len(steps), steps[-1])

    series = sorted(past.keys["series_id"].unique())
    ours, theirs = (_Totals(panel, series, table, together, ahead) for table in (past, baseline))
    contract = RELEASE["total_scores"]
    return typed(_records(ours, past, theirs, baseline).reindex(columns=list(contract.columns)), contract)


class _Totals:
    """Totals from paths at any origin."""

    def __init__(
        self,
        panel: Panel,
        series: list[str],
        past: QuantileTable,
        together: Collection[str] | None,
        windows: Callable[[pd.Period], Iterator[Window]] = windows,
    ) -> None:
        self._windows = windows
        self._panel, self._series, self._numbers = panel, series, Numbers(seed=0)
        self._added = [name for name in series if together is None or name in together]
        self._year, reach = per_year(panel.periods[0]), reach_of(panel.periods[0])
        self._horizons = sorted(int(step) for step in past.keys["horizon"].unique()) or list(range(1, reach + 1))
        self._scores = past_scores(past, panel, series, self._horizons)
        self._values = {name: panel.matrix[name].to_numpy(dtype=float) for name in series}
        self._values[ALL] = panel.matrix[self._added].to_numpy(dtype=float).sum(axis=1)
        self._start = int(panel.periods[0].ordinal)

    def at(
        self, table: QuantileTable, n: int, nowcasts: Mapping[str, FloatArray], *, over: bool = False
    ) -> Iterator[tuple[dict[str, object], FloatArray]]:
        """Each series and window from the origins of a table: facts, and ``n`` paths of the total.

        With ``over`` only windows whose outcome is counted.
        """
        table = table.where(table.keys["horizon"].isin(self._horizons))
        origins = {
            str(name): self._panel.period_of(date)
            for name, date in table.keys.groupby("series_id")["origin_date"].max().items()
        }
        shown = [
            (window, [name for name in (*origins, ALL) if not over or np.isfinite(self._outcome(name, window))])
            for window in self._windows(max(origins.values()))
        ]
        if not any(names for _, names in shown):
            return
        known = self._scores.until(table.keys["origin_date"].min())
        paths = draw_paths(table, self._series, self._horizons, known, n=n, numbers=self._numbers)
        paths = followed(table, paths, nowcasts)[1]
        ahead: dict[str, dict[int, FloatArray]] = {name: {} for name in origins}
        for place, (name, step) in enumerate(zip(table.keys["series_id"], table.keys["horizon"], strict=True)):
            ahead[name][int(step)] = paths[place]
        for window, names in shown:
            totals = {name: self._total(window, origins[name], ahead[name], name) for name in origins}
            for name, (counted, months, total) in totals.items():
                if total is not None and name in names:
                    yield self._facts(window, name, origins[name], counted, months), total
            parts = [totals[name] for name in self._added if name in totals]
            together = [total for _, _, total in parts if total is not None]
            if ALL in names and len(together) == len(self._added) > 1:
                counted = sum(one for one, _, _ in parts)
                months = min(number for _, number, _ in parts)
                oldest = min(origins[name] for name in self._added)
                yield self._facts(window, ALL, oldest, counted, months), np.sum(together, axis=0)

    def _total(
        self, window: Window, origin: pd.Period, ahead: dict[int, FloatArray], name: str
    ) -> tuple[float, int, FloatArray | None]:
        """What is counted of a window, in how many months, and paths of its total; None where a part is lacking."""
        first, end = window.first.ordinal, window.first.ordinal + window.length
        counted = self._counted(name, first, min(end, origin.ordinal + 1))
        to_come = [ahead.get(period - origin.ordinal) for period in range(first + len(counted), end)]
        if not np.isfinite(counted).all() or any(one is None for one in to_come):
            return 0.0, 0, None
        drawn = np.sum([one for one in to_come if one is not None], axis=0)
        return float(counted.sum()), len(counted) * MONTHS // self._year, np.asarray(counted.sum() + drawn)

    def _counted(self, name: str, first: int, end: int) -> FloatArray:
        """Values of the periods from one to before another; NaN where there is none."""
        values, places = self._values[name], np.arange(first, end) - self._start
        inside = (places >= 0) & (places < len(values))
        return np.where(inside, values[np.where(inside, places, 0)], np.nan)

    def _facts(
        self, window: Window, name: str, origin: pd.Period, counted: float, months_counted: int
    ) -> dict[str, object]:
        first, last = window.first.ordinal, window.periods[-1].ordinal
        complete = first - self._year * max(1, -((origin.ordinal - last) // self._year))
        return {
            "series_id": name, "kind": window.kind, "ahead": window.ahead, "first_period": window.months[0],
            "last_period": window.months[1], "origin_date": origin.end_time.normalize(), "counted": counted,
            "months_counted": months_counted, "outcome": self._outcome(name, window),
            "last_total": float(self._counted(name, complete, complete + window.length).sum()),
            "horizon": window.horizon,
        }  # fmt: skip

    def _outcome(self, name: str, window: Window) -> float:
        """What was counted in all of a window, NaN where it is not over."""
        return float(self._counted(name, window.first.ordinal, window.first.ordinal + window.length).sum())


def _rows(cases: Sequence[tuple[dict[str, object], FloatArray]]) -> tuple[pd.DataFrame, FloatArray]:
    """Facts of totals with what their paths give, and their quantiles."""
    rows, totals = pd.DataFrame([facts for facts, _ in cases]), np.stack([total for _, total in cases])
    quantiles = np.quantile(totals, LEVELS, axis=1, method="hazen").T
    rows["median"] = quantiles[:, QUANTILE_LEVELS.index(0.5)]
    for level in INTERVALS:
        for side, share in zip(("lo", "hi"), interval_levels(level / 100), strict=True):
            rows[f"{side}_{level}"] = quantiles[:, QUANTILE_LEVELS.index(share)]
    before = rows["last_total"].to_numpy()
    for more in ABOVE:
        chance = (whole(totals) > (before * (1 + more / 100))[:, None]).mean(axis=1)
        rows[f"chance_{more}"] = np.where(np.isfinite(before), chance, np.nan)
    return rows, quantiles


_WINDOW = ["series_id", "kind", "ahead"]


def _records(totals: _Totals, past: QuantileTable, reference: _Totals, baseline: QuantileTable) -> pd.DataFrame:
    """Scores of totals at past origins whose windows are over, beside the baseline's, by series, kind and window.

    The ratio of scores with its interval, the coverage, and the number of origins and of different windows.
    """
    dates = np.intersect1d(past.keys["origin_date"], baseline.keys["origin_date"])

    def over(totals: _Totals, table: QuantileTable) -> list[tuple[dict[str, object], FloatArray]]:
        parts = [table.where(table.keys["origin_date"] == date) for date in dates]
        return [case for part in parts for case in totals.at(part, RECORD_PATHS, {}, over=True)]

    ours, theirs = over(totals, past), over(reference, baseline)
    if not ours or not theirs:
        return pd.DataFrame(columns=_WINDOW)
    (rows, quantiles), (others, beside) = _rows(ours), _rows(theirs)
    place, there = (pd.MultiIndex.from_frame(one[[*_WINDOW, "origin_date"]]) for one in (rows, others))
    at = there.get_indexer(place)
    rows, quantiles, beside = rows[at >= 0], quantiles[at >= 0], beside[at[at >= 0]]
    own, reference_log = (wis(np.log1p(rows["outcome"].to_numpy()), np.log1p(one)) for one in (quantiles, beside))
    rows = rows.assign(wis_log=own, reference_log=reference_log)
    inside = {
        f"coverage_{level}": rows["outcome"].between(rows[f"lo_{level}"], rows[f"hi_{level}"]) for level in INTERVALS
    }
    counts = {"n": ("outcome", "size"), "years": ("first_period", "nunique")}
    facts = rows.assign(**inside).groupby(_WINDOW).agg(**{name: (name, "mean") for name in inside}, **counts)
    found = ratios(rows, [*_WINDOW, "horizon"], "log", "relative_wis").join(facts, on=_WINDOW)
    return found.assign(p_holm=holm(found["p_value"].to_numpy(dtype=float)))
