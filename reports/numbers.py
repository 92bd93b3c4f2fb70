"""What a release says about its routes in numbers: pure functions, frame in, frame or number out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd

from alerts import INFORMATION, rank
from alerts.rules import EXCEEDANCE
from alerts.rules.capacity import RULE as CAPACITY
from core import QUANTILE_LEVELS, interval_levels, probability_above
from core.calendar import MONTHS_EACH, PERIODS_PER_YEAR, Frequency, end_dates, planning_window, to_period, write_period
from core.routes import ARRIVAL_ROUTES, ROUTES, estimated_shares, is_route
from core.routes import route_series as route_series  # noqa: PLC0414  # pages name it through this module
from forecasting import ENSEMBLE
from reports.alert import direction, is_untested, rule_record
from reports.skill import total_record, verdict_ends

LARGEST = 10_000_000
"""Persons in a month that anybody may name."""
PASSES = CAPACITY.rule
"""The rule of a number that the reader names: the event is to pass it."""
FIRST_COMPARED_YEAR = 2017
"""Beside 2015 and 2016 every other year would look flat."""
SUMMARY_COLUMNS = [
    "route_id", "state", "note", "level", "direction", "expected", "low", "high", "last_period", "last_value",
    "last_flag", "year_earlier", "expected_before", "before_low", "before_high", "held", "verdicts", "record",
]  # fmt: skip


@dataclass(frozen=True)
class Expected:
    """Median and 80 % interval of a sum over months, persons."""

    median: float
    low: float
    high: float

    def side(self, value: float) -> int:
        """Return 1 for a value above the interval, -1 below it, 0 within."""
        return int(value > self.high) - int(value < self.low)


def series_of(observations: pd.DataFrame, series_id: str, freq: Frequency = "M") -> pd.DataFrame:
    """One series in time order: ``time_period``, ``obs_value``, ``obs_flag`` and ``end_date`` (its last day)."""
    rows = observations[observations["series_id"] == series_id].sort_values("time_period")
    rows = rows.drop_duplicates("time_period", keep="last")
    return rows.assign(end_date=end_dates(rows["time_period"], freq))[
        ["time_period", "obs_value", "obs_flag", "end_date"]
    ].reset_index(drop=True)


def for_chart(history: pd.DataFrame) -> pd.DataFrame:
    """A series under the names that charts take."""
    renamed = history.rename(columns={"end_date": "time_period_end", "obs_value": "value", "obs_flag": "flag"})
    return renamed[["time_period_end", "value", "flag"]]


def with_shares(history: pd.DataFrame, observations: pd.DataFrame, series_id: str) -> pd.DataFrame:
    """A series with ``estimated_share``, see :func:`core.routes.estimated_shares`."""
    rows = observations[observations["route_id"] == series_id.split(".")[1]]
    shares = estimated_shares(rows)[rows["series_id"] == series_id]
    periods = rows.loc[shares.index, "time_period"]
    return history.assign(estimated_share=history["time_period"].map(shares.set_axis(periods, axis=0)))


def route_paths(trajectories: pd.DataFrame, route_id: str) -> pd.DataFrame:
    """Sample paths of a route: one row per path, one column per month (its last day)."""
    rows = trajectories[trajectories["series_id"] == route_series(route_id)]
    return rows.pivot_table(index="output_type_id", columns="target_end_date", values="value").sort_index(axis=1)


def window_ends(as_of: dt.date) -> list[pd.Timestamp]:
    """Last days of the months of the planning window of a release made on ``as_of``."""
    return [month.end_time.normalize() for month in planning_window(as_of)]


def expected_before(
    backtest: pd.DataFrame, series_id: str, end: pd.Timestamp, coverage: float = 0.8
) -> Expected | None:
    """What was expected of a closed month, by the forecast made a full month before: from the month before it.

    Args:
        backtest: The release's: the ensemble's forecasts at past origins.
        series_id: The series.
        end: Last day of the month.
        coverage: Of the interval.

    Returns:
        Median and interval; None without that forecast.
    """
    rows = backtest[
        (backtest["series_id"] == series_id) & (backtest["target_end_date"] == end) & (backtest["horizon"] == 1)
    ]
    made = quantiles_of(rows, series_id)
    if made.empty:
        return None
    low, high = interval_levels(coverage)
    return Expected(*(float(made[level].iloc[0]) for level in (0.5, low, high)))


def estimated_at_end(nowcasts: pd.DataFrame, series_id: str, end: pd.Timestamp) -> tuple[float, pd.Timestamp] | None:
    """The estimate of a month while its days were counted, and the last day counted; None without one in use."""
    rows = nowcasts[(nowcasts["series_id"] == series_id) & (nowcasts["target_end_date"] == end) & nowcasts["used"]]
    middle = rows[rows["output_type_id"].round(6) == 0.5]
    return None if middle.empty else (float(middle["value"].iloc[0]), pd.Timestamp(middle["last_day"].iloc[0]))


def path_sums(trajectories: pd.DataFrame, series_ids: Sequence[str], ends: Sequence[pd.Timestamp]) -> pd.Series | None:
    """Sums of the ensemble's paths over several months and series; None where there is no series, or one lacks a month.

    Quantiles of months cannot be added; sums of sample paths can be ranked.
    """
    rows = trajectories[trajectories["series_id"].isin(series_ids) & trajectories["target_end_date"].isin(ends)]
    rows = rows[rows["model_id"] == ENSEMBLE]
    months = rows.groupby("series_id")["target_end_date"].nunique()
    if not len(series_ids) or len(months) < len(series_ids) or (months < len(ends)).any():
        return None
    sums: pd.Series = rows.groupby("output_type_id")["value"].sum()
    return sums


def expected_total(trajectories: pd.DataFrame, series_ids: Sequence[str], ends: list[pd.Timestamp]) -> Expected | None:
    """Arrivals expected over several months and series together, path by path; add only series that count persons once.

    Returns:
        Median and 80 % interval, or None where there is no series, or one lacks a month.
    """
    sums = path_sums(trajectories, series_ids, ends)
    if sums is None:
        return None
    low, high = interval_levels(0.8)
    return Expected(float(np.median(sums)), float(np.quantile(sums, low)), float(np.quantile(sums, high)))


def summed(routes: pd.DataFrame) -> list[str]:
    """Series of the routes with a forecast that count persons once, of rows with ``route_id`` and ``state``."""
    names = routes.loc[routes["state"] == "ok", "route_id"]
    return [route_series(name) for name in names if name in ARRIVAL_ROUTES]


def quantile_rows(forecasts: pd.DataFrame, series_id: str, model_id: str = ENSEMBLE) -> pd.DataFrame:
    """Rows of one series and model that hold quantiles."""
    is_own = (forecasts["series_id"] == series_id) & (forecasts["model_id"] == model_id)
    return forecasts[is_own & (forecasts["output_type"] == "quantile")]


def quantiles_of(forecasts: pd.DataFrame, series_id: str, model_id: str = ENSEMBLE) -> pd.DataFrame:
    """Quantiles of one series: one row per ``target_end_date`` (index), one column per level, plus ``horizon``."""
    rows = quantile_rows(forecasts, series_id, model_id)
    wide = rows.pivot_table(index="target_end_date", columns="output_type_id", values="value", aggfunc="last")
    horizons = rows.groupby("target_end_date")["horizon"].last()
    wide.columns = [round(float(level), 6) for level in wide.columns]
    return wide.assign(horizon=horizons).sort_index()


def chances(
    quantiles: pd.DataFrame, threshold: float, paths: pd.DataFrame | None = None, rule: str = PASSES
) -> pd.DataFrame:
    """Chance of an event in each month.

    Args:
        quantiles: Result of :func:`quantiles_of`.
        threshold: Persons per month.
        paths: Joint sample paths of the same series, where there are any: the share of them with the event, as alerts
            and the chance of several months count it, so that one month has one chance everywhere.
        rule: Alert rule that says how a count must compare with the threshold.

    Returns:
        ``target_end_date``, ``horizon``, ``probability``.
    """
    event, levels = EXCEEDANCE[rule], [level for level in QUANTILE_LEVELS if level in quantiles.columns]
    rows = [
        (end, int(row["horizon"]), probability_above(threshold, row[levels].to_numpy(dtype=float), tuple(levels)))
        for end, row in quantiles.iterrows()
    ]
    table = pd.DataFrame(rows, columns=["target_end_date", "horizon", "probability"])
    if event.falls:
        table["probability"] = 1 - table["probability"]
    if paths is None or paths.empty:
        return table
    happened = event.happened(paths["value"].to_numpy(dtype=float), np.array([threshold]))
    shares = pd.Series(happened, index=paths["target_end_date"]).groupby(level=0).mean()
    return table.assign(probability=table["target_end_date"].map(shares).fillna(table["probability"]))


def chance_of_any(
    trajectories: pd.DataFrame, series_id: str, ends: Sequence[pd.Timestamp], threshold: float, rule: str = PASSES
) -> float | None:
    """Chance of an event in at least one of several months: the share of joint sample paths with it.

    Returns:
        0 to 1, or None where a month has no sample.
    """
    rows = trajectories[(trajectories["series_id"] == series_id) & trajectories["target_end_date"].isin(ends)]
    rows = rows[rows["model_id"] == ENSEMBLE]
    if rows["target_end_date"].nunique() < len(ends):
        return None
    happened = EXCEEDANCE[rule].happened(rows["value"].to_numpy(dtype=float), np.array([threshold]))
    return float(pd.Series(happened).groupby(rows["output_type_id"].to_numpy()).any().mean())


def years_with(
    history: pd.DataFrame, ends: Sequence[pd.Timestamp], threshold: float, rule: str = PASSES
) -> tuple[int, int]:
    """In how many earlier years at least one of some months had an event, and of how many counted whole.

    Args:
        history: Counted months: ``end_date``, ``obs_value``.
        ends: Last days of the months.
        threshold: Persons a month.
        rule: See :func:`chances`.
    """
    counts = history.set_index(history["end_date"].dt.to_period("M"))["obs_value"]
    firsts = range(FIRST_COMPARED_YEAR, ends[0].year)
    years = [counts.reindex([end.to_period("M") - 12 * (ends[0].year - first) for end in ends]) for first in firsts]
    whole_years = [year for year in years if year.notna().all()]
    happened, limit = EXCEEDANCE[rule].happened, np.array([threshold])
    return sum(bool(happened(year.to_numpy(dtype=float), limit).any()) for year in whole_years), len(whole_years)


def by_level(alerts: pd.DataFrame, track_record: pd.DataFrame) -> pd.DataFrame:
    """Alerts with the highest level first, within a level those of tested rules, then the likeliest."""
    tested = [not is_untested(row, rule_record(row, track_record)) for row in alerts.to_dict("records")]
    keyed = alerts.assign(_rank=alerts["alert_level"].map(rank), _tested=tested)
    order = ["_rank", "_tested", "probability"]
    return keyed.sort_values(order, ascending=False, kind="stable").drop(columns=order[:2])


def gravest_by_route(alerts: pd.DataFrame, track_record: pd.DataFrame) -> pd.DataFrame:
    """The gravest alert of each route, the gravest first; what only informs has no say."""
    ranked = by_level(alerts[alerts["alert_level"] != INFORMATION], track_record)
    return ranked[ranked["route_id"].map(is_route).astype(bool)].drop_duplicates("route_id")


def route_states(routes: pd.DataFrame) -> pd.DataFrame:
    """Routes of a release in the order in which Vigie lists them."""
    order = {route_id: place for place, route_id in enumerate(ROUTES)}
    ranked = routes.assign(_order=routes["route_id"].map(order).fillna(len(order)))
    return ranked.sort_values("_order").drop(columns="_order").reset_index(drop=True)


def route_summary(
    frame: Callable[[str], pd.DataFrame], alerts: pd.DataFrame, ends: list[pd.Timestamp], only: str = ""
) -> pd.DataFrame:
    """One row per route, the most arrivals expected first and routes without a forecast last.

    Args:
        frame: Returns a release's table: ``routes, observations, trajectories, backtest,
            forecasts, scores, total_scores`` and ``track_record`` are read.
        alerts: Its alerts that count.
        ends: Last days of the months whose sum is expected.
        only: One route alone, by its code.

    Returns:
        ``route_id, state, note, level, direction, expected, low, high, last_period, last_value, last_flag,
        year_earlier, expected_before, before_low, before_high`` (of the last month, see :func:`expected_before`),
        ``held`` (share of past totals in their 80 % interval), ``verdicts`` and ``record`` (see :mod:`reports.skill`);
        numbers are empty where a route has none.
    """
    frames = ("routes", "observations", "trajectories", "backtest", "forecasts", "scores", "total_scores")
    routes, observations, trajectories, backtest, forecasts, scores, totals = map(frame, frames)
    gravest = {row["route_id"]: row for row in gravest_by_route(alerts, frame("track_record")).to_dict("records")}
    rows = []
    for route in route_states(routes[routes["route_id"] == only] if only else routes).itertuples():
        series_id = route_series(str(route.route_id))
        history = series_of(observations, series_id)
        expected = expected_total(trajectories, [series_id], ends) if route.state == "ok" else None
        last = history.iloc[-1] if len(history) else None
        before = expected_before(backtest, series_id, last["end_date"]) if last is not None else None
        record = total_record(totals, series_id)
        rows.append(
            {
                "route_id": route.route_id,
                "state": route.state,
                "note": route.note,
                "level": gravest.get(route.route_id, {}).get("alert_level", ""),
                "direction": direction(gravest.get(route.route_id, {})),
                "expected": expected.median if expected else np.nan,
                "low": expected.low if expected else np.nan,
                "high": expected.high if expected else np.nan,
                "last_period": last["time_period"] if last is not None else "",
                "last_value": last["obs_value"] if last is not None else np.nan,
                "last_flag": last["obs_flag"] if last is not None else "",
                "year_earlier": year_earlier(history),
                "expected_before": before.median if before else np.nan,
                "before_low": before.low if before else np.nan,
                "before_high": before.high if before else np.nan,
                "held": record["coverage_80"] if record else np.nan,
                "verdicts": verdict_ends(scores, forecasts, series_id),
                "record": record,
            }
        )
    return pd.DataFrame(rows, columns=SUMMARY_COLUMNS).sort_values(
        "expected", ascending=False, na_position="last", ignore_index=True
    )


def year_earlier(history: pd.DataFrame, freq: Frequency = "M", end: pd.Timestamp | None = None) -> float:
    """The value a year before the period that ends then, a series' last one by default, or an empty number."""
    if history.empty:
        return float("nan")
    period = to_period(history["time_period"].iloc[-1], freq) if end is None else end.to_period(freq)
    before = write_period(period - PERIODS_PER_YEAR[freq], freq)
    found = history.loc[history["time_period"] == before, "obs_value"]
    return float(found.iloc[0]) if len(found) else float("nan")


def counted_a_year_before(
    observations: pd.DataFrame, series_ids: Sequence[str], ends: list[pd.Timestamp]
) -> float | None:
    """Counts of several series in the same months a year earlier; None where one is missing."""
    wanted, total = {str(end.to_period("M") - 12) for end in ends}, 0.0
    for series_id in series_ids:
        history = series_of(observations, series_id)
        found = history.loc[history["time_period"].isin(wanted), "obs_value"]
        if len(found) < len(wanted) or found.isna().any():
            return None
        total += float(found.sum())
    return total


def earlier(hindcasts: pd.DataFrame, series_id: str, history: pd.DataFrame) -> pd.DataFrame:
    """Forecasts made every half year (quarters: every year) before, over the periods that have been counted since."""
    columns = ["origin_date", "target_end_date", "q10", "q50", "q90"]
    own = hindcasts[(hindcasts["series_id"] == series_id) & (hindcasts["model_id"] == ENSEMBLE)]
    if own.empty or history.empty:
        return pd.DataFrame(columns=columns)
    last = history["end_date"].max()
    freq = series_id[-1]
    each = MONTHS_EACH[freq]
    origins = pd.to_datetime(own["origin_date"])
    age = (12 * (last.year - origins.dt.year) + last.month - origins.dt.month) // each
    step, length = (6, 6) if freq == "M" else (4, 4)
    kept: pd.DataFrame = own[
        age.gt(0) & age.mod(step).eq(0) & own["horizon"].le(length) & own["target_end_date"].le(last)
    ]
    return kept[columns].reset_index(drop=True)


def observed_after(observations: pd.DataFrame, outcomes: pd.DataFrame, series_id: str, after: dt.date) -> pd.DataFrame:
    """What happened after a date: later months of a series from both frames, outcomes first."""
    freq = cast("Frequency", series_id[-1])
    parts = [series_of(frame, series_id, freq) for frame in (observations, outcomes) if not frame.empty]
    if not parts:
        return series_of(observations, series_id)
    together = pd.concat(parts).drop_duplicates("time_period", keep="last").sort_values("time_period")
    return together[together["end_date"] > pd.Timestamp(after)].reset_index(drop=True)


def running_month(nowcasts: pd.DataFrame, series_id: str) -> pd.DataFrame:
    """The nowcast of one series in one row, where it took the forecast's place; without rows where there is none.

    Its ``places`` are the codes of those that are counted by day, where the route's months hold others too.
    """
    columns = ["target_end_date", "last_day", "so_far"]
    rows = nowcasts[(nowcasts["series_id"] == series_id) & nowcasts["used"].astype(bool)]
    if rows.empty:
        return pd.DataFrame(columns=[*columns, "places", "q10", "q50", "q90"])
    values = rows.set_index(rows["output_type_id"].round(6))["value"]
    found = rows[columns].iloc[:1].assign(q10=values[0.1], q50=values[0.5], q90=values[0.9])
    return found.assign(places=_counted_by_day(series_id.split(".")[1])).reset_index(drop=True)


def _counted_by_day(route_id: str) -> str:
    """Places of a route with daily counts; none where these are all of its places."""
    ways = [way for part in ROUTES[route_id].parts for way in part.candidates] if route_id in ROUTES else []
    days = {place for way in ways if way.freq == "D" for place in way.places}
    return " ".join(sorted(days)) if {place for way in ways for place in way.places} > days else ""
