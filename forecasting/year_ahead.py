"""The year ahead: totals of twelve months, counted so far plus to come, from the same sample paths as every forecast.

Regulation (EU) 2024/1351 asks every autumn for a projection of the coming year by route and country. A total here is
the sum over a window of the months that are counted and, on each path, of those that are not; all routes together are
summed path by path, so that what they share counts. Its record rests on past origins: the same total is made there
from the ensemble and from the baseline, and judged as every other forecast is. Few years are independent of each other:
their number stands beside every score. Series by quarter have the same windows, of four.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from core import FloatArray, whole
from core.release import YEAR_AHEAD
from core.schema import ALL, typed
from forecasting import LEVELS
from forecasting.panel import Panel
from forecasting.quantiles import QuantileTable
from forecasting.trajectories import draw_paths, followed, past_scores
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
    """Twelve months, or their four quarters: ``ahead`` is 0 for the running ones and 1 for the next."""

    kind: str
    ahead: int
    first: pd.Period

    @cached_property
    def periods(self) -> pd.PeriodIndex:
        """Its months or quarters."""
        return pd.period_range(self.first, periods=per_year(self.first))


def per_year(period: pd.Period) -> int:
    """How many of such periods make twelve months."""
    return MONTHS if period.freqstr == "M" else QUARTERS


def reach_of(period: pd.Period) -> int:
    """How many of such periods are forecast."""
    return REACH * per_year(period) // MONTHS


def windows(origin: pd.Period) -> list[Window]:
    """The running and the next calendar year and July to June, as far as they end within reach of an origin."""
    now = (origin + 1).start_time
    found = []
    for kind, month in _FIRST_MONTH.items():
        year = now.year if now.month >= month else now.year - 1
        for ahead in (0, 1):
            window = Window(kind, ahead, pd.Period(dt.datetime(year + ahead, month, 1), freq=origin.freqstr))  # noqa: DTZ001  # a period has no zone
            if window.periods[-1].ordinal <= origin.ordinal + reach_of(origin):
                found.append(window)
    return found


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
    rows = [row for row, _ in totals.at(current, n, nowcasts or {})]
    if not rows:
        return YEAR_AHEAD.empty()
    records = _records(totals, past, _Totals(panel, series, baseline, together), baseline, per_year(panel.periods[0]))
    judged = pd.DataFrame(rows).merge(records, on=_WINDOW, how="left").reindex(columns=list(YEAR_AHEAD.columns))
    return typed(judged.fillna({"n": 0, "years": 0}), YEAR_AHEAD)


class _Totals:
    """Totals from paths at any origin."""

    def __init__(self, panel: Panel, series: list[str], past: QuantileTable, together: Collection[str] | None) -> None:
        self._panel, self._series = panel, series
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
        """A row for each series and window from the origins of a table, by ``n`` paths, and the total's quantiles.

        With ``over`` only windows whose outcome is counted have rows.
        """
        table = table.where(table.keys["horizon"].isin(self._horizons))
        origins = {
            str(name): self._panel.period_of(date)
            for name, date in table.keys.groupby("series_id")["origin_date"].max().items()
        }
        shown = [
            (window, [name for name in (*origins, ALL) if not over or self._is_over(name, window)])
            for window in windows(max(origins.values()))
        ]
        if not any(names for _, names in shown):
            return
        known = self._scores.until(table.keys["origin_date"].min())
        paths = draw_paths(table, self._series, self._horizons, known, n=n, seed=0)
        paths = followed(table, paths, nowcasts)[1]
        ahead: dict[str, dict[int, FloatArray]] = {name: {} for name in origins}
        for place, (name, step) in enumerate(zip(table.keys["series_id"], table.keys["horizon"], strict=True)):
            ahead[name][origins[name].ordinal + int(step)] = paths[place]
        for window, names in shown:
            totals = {name: self._total(window, origins[name], ahead[name], name) for name in origins}
            for name, (counted, months, total) in totals.items():
                if total is not None and name in names:
                    yield self._row(window, name, origins[name], counted, months, total)
            parts = [totals[name] for name in self._added if name in totals]
            together = [total for _, _, total in parts if total is not None]
            if ALL in names and len(together) == len(self._added) > 1:
                counted = sum(one for one, _, _ in parts)
                months = min(number for _, number, _ in parts)
                oldest = min(origins[name] for name in self._added)
                yield self._row(window, ALL, oldest, counted, months, np.sum(together, axis=0))

    def _total(
        self, window: Window, origin: pd.Period, ahead: dict[int, FloatArray], name: str
    ) -> tuple[float, int, FloatArray | None]:
        """What is counted of a window, in how many months, and paths of its total; None where a part is lacking."""
        periods = [period.ordinal for period in window.periods]
        counted = [self._value(name, period) for period in periods if period <= origin.ordinal]
        to_come = [ahead.get(period) for period in periods if period > origin.ordinal]
        if not np.isfinite(counted).all() or any(one is None for one in to_come):
            return 0.0, 0, None
        drawn = np.sum([one for one in to_come if one is not None], axis=0)
        return float(np.sum(counted)), len(counted) * MONTHS // self._year, np.asarray(np.sum(counted) + drawn)

    def _value(self, name: str, period: int) -> float:
        place = period - self._start
        values = self._values[name]
        return float(values[place]) if 0 <= place < len(values) else float("nan")

    def _row(
        self, window: Window, name: str, origin: pd.Period, counted: float, months_counted: int, total: FloatArray
    ) -> tuple[dict[str, object], FloatArray]:
        quantiles = np.quantile(total, LEVELS, method="hazen")
        first = window.first.ordinal
        before = self._sum(name, first - self._year * (1 + max(0, -((origin.ordinal - first + 1) // self._year))))
        months = [day.to_period("M") for day in (window.periods[0].start_time, window.periods[-1].end_time)]
        row: dict[str, object] = {
            "series_id": name, "kind": window.kind, "ahead": window.ahead, "first_period": str(months[0]),
            "last_period": str(months[1]), "origin_date": origin.end_time.normalize(), "counted": counted,
            "months_counted": months_counted, "median": float(np.interp(0.5, LEVELS, quantiles)), "last_total": before,
        }  # fmt: skip
        for level in INTERVALS:
            for side, share in (("lo", 0.5 - level / 200), ("hi", 0.5 + level / 200)):
                row[f"{side}_{level}"] = float(np.interp(share, LEVELS, quantiles))
        for more in ABOVE:
            row[f"chance_{more}"] = (
                float((whole(total) > before * (1 + more / 100)).mean()) if np.isfinite(before) else np.nan
            )
        return row, quantiles

    def _sum(self, name: str, first: int) -> float:
        """The total of a year from some period on; NaN where a part is not counted."""
        return float(np.sum([self._value(name, period) for period in range(first, first + self._year)]))

    def _is_over(self, name: str, window: Window) -> bool:
        return bool(np.isfinite(self._sum(name, window.first.ordinal)))

    def outcome(self, name: str, first_month: str) -> float:
        """What was counted in the twelve months from one on, NaN where they are not over."""
        return self._sum(name, pd.Period(first_month, freq=self._panel.periods.freqstr).ordinal)


_WINDOW = ["series_id", "kind", "ahead"]


def _records(
    totals: _Totals, past: QuantileTable, reference: _Totals, baseline: QuantileTable, year: int
) -> pd.DataFrame:
    """Scores of totals at past origins whose windows are over, beside the baseline's, by series, kind and window.

    The ratio of scores with its interval, the coverage, and the number of origins and of different windows.
    """
    cases = []
    for date in sorted(past.keys["origin_date"].unique()):
        here, there = ((table.keys["origin_date"] == date).to_numpy() for table in (past, baseline))
        if not there.any():
            continue
        beside = {
            tuple(row[name] for name in _WINDOW): quantiles
            for row, quantiles in reference.at(baseline.where(there), RECORD_PATHS, {}, over=True)
        }
        for row, quantiles in totals.at(past.where(here), RECORD_PATHS, {}, over=True):
            place = tuple(row[name] for name in _WINDOW)
            if place in beside:
                outcome = totals.outcome(str(row["series_id"]), str(row["first_period"]))
                own, other = (
                    float(wis(np.log1p([outcome]), np.log1p(one)[None])[0]) for one in (quantiles, beside[place])
                )
                cases.append(row | {"origin_date": date, "outcome": outcome, "wis_log": own, "reference_log": other})
    if not cases:
        return pd.DataFrame(columns=_WINDOW)
    rows = pd.DataFrame(cases)
    rows = rows.assign(horizon=year * (1 + rows["ahead"]))
    inside = {
        f"coverage_{level}": rows["outcome"].between(rows[f"lo_{level}"], rows[f"hi_{level}"]) for level in INTERVALS
    }
    counts = {"n": ("outcome", "size"), "years": ("first_period", "nunique")}
    facts = rows.assign(**inside).groupby(_WINDOW).agg(**{name: (name, "mean") for name in inside}, **counts)
    found = ratios(rows, [*_WINDOW, "horizon"], "log", "relative_wis").join(facts, on=_WINDOW)
    return found.assign(p_holm=holm(found["p_value"].to_numpy(dtype=float)))
