"""The year ahead: totals of twelve months, counted so far plus to come, from the same sample paths as every forecast.

Regulation (EU) 2024/1351 asks every autumn for a projection of the coming year by route and country. A total here is
the sum over a window of the months that are counted and, on each path, of those that are not; all routes together are
summed path by path, so that what they share counts. Its record rests on past origins: the same is made there, and
compared with "the last twelve months again", give or take what that missed at earlier origins. Few years are
independent of each other; their number stands beside every score, and evidence of skill is what Holm's correction for
all rows leaves of it. Series by quarter have the same windows, of four.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import pandas as pd
from scipy.stats import ttest_1samp

from core import FloatArray, whole
from core.release import YEAR_AHEAD
from core.schema import ALL
from forecasting import LEVELS, symmetric_errors
from forecasting.panel import Panel
from forecasting.quantiles import QuantileTable
from forecasting.trajectories import conditioned, draw_paths, past_scores
from forecasting.verification import wis
from forecasting.verification.verdict import SIGNIFICANT, holm

REACH = 18
"""Months ahead that are forecast so that in autumn the whole next calendar year is."""
MONTHS = 12
QUARTERS = 4
CALENDAR_YEAR, JULY_TO_JUNE = "calendar year", "July to June"
_FIRST_MONTH = {CALENDAR_YEAR: 1, JULY_TO_JUNE: 7}
ABOVE = (0, 25, 50, 100)
"""Per cent above the newest complete total of the same kind whose probability is reported."""
FEWEST_ERRORS, MOST_ERRORS = 12, 84
RECORD_PATHS = 300
"""Paths from each past origin: enough for a 95 % interval."""
FEWEST_YEARS = 5
"""Windows that must have ended before there can be evidence of skill."""
EVIDENCE, NO_EVIDENCE = "evidence", "no evidence"
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
    made, records = pd.DataFrame(rows), _records(totals, past)
    judged = made.merge(records, on=["series_id", "kind", "ahead"], how="left")
    judged["skill"] = judged["skill"].fillna(NO_EVIDENCE)
    kinds = {name: "int64" if name in {"n", "years"} else "float64" for name in _RECORD}
    filled = judged.assign(n=judged["n"].fillna(0), years=judged["years"].fillna(0)).astype(kinds)
    return filled[list(YEAR_AHEAD.columns)]


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
        self._misses = cache(self._misses_of)

    def at(
        self, table: QuantileTable, n: int, nowcasts: Mapping[str, FloatArray], *, over: bool = False
    ) -> Iterator[tuple[dict[str, object], dict[str, FloatArray]]]:
        """A row for each series and window from the origins of a table, by ``n`` paths, and log1p quantiles.

        The quantiles are the total's and, as ``again``, those of "the last twelve months again". With ``over`` only
        windows whose outcome is counted have rows.
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
        for name, nowcast in nowcasts.items():
            rows = np.flatnonzero(table.keys["series_id"] == name)
            rows = rows[np.argsort(table.keys["horizon"].to_numpy()[rows])]
            if len(rows) and table.keys["horizon"].iloc[rows[0]] == 1:
                paths[rows] = conditioned(table.quantiles[rows], paths[rows].T, nowcast)[1].T
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
    ) -> tuple[dict[str, object], dict[str, FloatArray]]:
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
        again = self.again(name, origin, first)
        return row, {"total": np.log1p(quantiles)} | ({"again": again} if again is not None else {})

    def _sum(self, name: str, first: int) -> float:
        """The total of a year from some period on; NaN where a part is not counted."""
        return float(np.sum([self._value(name, period) for period in range(first, first + self._year)]))

    def _is_over(self, name: str, window: Window) -> bool:
        return bool(np.isfinite(self._sum(name, window.first.ordinal)))

    def outcome(self, name: str, first_month: str) -> float:
        """What was counted in the twelve months from one on, NaN where they are not over."""
        return self._sum(name, pd.Period(first_month, freq=self._panel.periods.freqstr).ordinal)

    def again(self, name: str, origin: pd.Period, first: int) -> FloatArray | None:
        """log1p quantiles of "the last twelve months again", with its errors known at the origin; None with too few."""
        offset = first - origin.ordinal
        ends, errors = self._misses(name, offset)
        known = errors[ends <= origin.ordinal][-MOST_ERRORS:]
        guess = self._guess(name, origin.ordinal, first)
        if len(known) < FEWEST_ERRORS or not np.isfinite(guess):
            return None
        # At least zero, as the forecasts that it is the baseline of.
        return np.clip(symmetric_errors(float(np.log1p(guess)), known), 0, None)

    def _guess(self, name: str, origin: int, first: int) -> float:
        year = self._year
        periods = range(first, first + year)
        return sum(self._value(name, one - year * max(0, -((origin - one) // year))) for one in periods)

    def _misses_of(self, name: str, offset: int) -> tuple[FloatArray, FloatArray]:
        """Last month and log error of every total that lay so far from its origin, oldest first."""
        found = []
        for origin in range(self._start + self._year, self._start + len(self._values[name])):
            first = origin + offset
            error = np.log1p(self._sum(name, first)) - np.log1p(self._guess(name, origin, first))
            if np.isfinite(error):
                found.append((first + self._year - 1, error))
        ends, errors = np.asarray(found, dtype=float).reshape(-1, 2).T
        return ends, errors


def _records(totals: _Totals, past: QuantileTable) -> pd.DataFrame:
    """Scores of the totals at past origins whose windows are over, by series, kind and distance."""
    cases = []
    for _, rows in past.keys.groupby("origin_date", sort=True).indices.items():
        here = np.zeros(len(past.keys), dtype=bool)
        here[rows] = True
        for row, quantiles in totals.at(past.where(here), RECORD_PATHS, {}, over=True):
            outcome = totals.outcome(str(row["series_id"]), str(row["first_period"]))
            if "again" in quantiles:
                cases.append({"outcome": outcome, **{name: row[name] for name in _CASE}} | _scores(outcome, quantiles))
    keys = ["series_id", "kind", "ahead"]
    found = [
        dict(zip(keys, key, strict=True)) | _record(rows)
        for key, rows in pd.DataFrame(cases, columns=[*keys, "outcome"] if not cases else None).groupby(keys)
    ]
    records = pd.DataFrame(found, columns=[*keys, *_RECORD, "p_value"])
    is_skill = holm(records.pop("p_value").to_numpy(dtype=float)) < SIGNIFICANT
    return records.assign(skill=np.where(is_skill & (records["relative_wis"] < 1), EVIDENCE, NO_EVIDENCE))


_CASE = [
    "series_id",
    "kind",
    "ahead",
    "first_period",
    *(f"{side}_{level}" for level in INTERVALS for side in ("lo", "hi")),
]
_RECORD = ["relative_wis", "relative_wis_natural", *(f"coverage_{level}" for level in INTERVALS), "n", "years"]


def _scores(outcome: float, quantiles: dict[str, FloatArray]) -> dict[str, float]:
    found = {}
    for name, logs in quantiles.items():
        found[f"{name}_log"] = float(wis(np.log1p([outcome]), logs[None])[0])
        found[f"{name}_natural"] = float(wis(np.asarray([outcome]), np.expm1(logs)[None])[0])
    return found


def _ratio(cases: pd.DataFrame, scale: str) -> float:
    """Mean score to that of the last twelve months again; not known where those were never wrong."""
    again = float(cases[f"again_{scale}"].mean())
    return float(cases[f"total_{scale}"].mean()) / again if again > 0 else float("nan")


def _record(cases: pd.DataFrame) -> dict[str, object]:
    """Ratios of mean scores, coverage, and the p-value of no gain: a paired t-test over years, for months overlap."""
    by_year = cases.groupby("first_period")[["total_log", "again_log"]].mean()
    gain = by_year["again_log"] - by_year["total_log"]
    is_tested = len(gain) >= FEWEST_YEARS and gain.std() > 0
    covered = {
        f"coverage_{level}": float(cases["outcome"].between(cases[f"lo_{level}"], cases[f"hi_{level}"]).mean())
        for level in INTERVALS
    }
    return {
        "relative_wis": _ratio(cases, "log"),
        "relative_wis_natural": _ratio(cases, "natural"),
        **covered,
        "n": len(cases),
        "years": len(gain),
        "p_value": float(ttest_1samp(gain, 0.0).pvalue) if is_tested else float("nan"),
    }
