"""Routes that are counted by day: the running month's nowcast, which the forecast follows, and the next eight weeks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alerts.verification.hindcast import Nowcasts
from core import FloatArray
from core.release import NOWCASTS, WEEKS
from core.schema import concat_filled, typed
from forecasting import LEVELS
from forecasting.days import (
    MODEL_ID,
    DailyHistory,
    Nowcast,
    daily_history,
    scaled,
    week_record,
    week_scores,
    weeks_ahead,
)
from forecasting.quantiles import QuantileTable, to_matrix, to_rows
from forecasting.verification import wis
from forecasting.workers import Workers, run_tasks
from ingest.routes import daily_arrivals
from nightly import RealTimeData
from nightly.forecasts import ForecastSet

OLDEST_DAYS = 28
"""Days after the newest one counted beyond which half of its eight weeks are over: they are not published."""
PROVEN_MONTHS = 24
"""Newest past months over which nowcast and forecast are compared on the same day of the month."""
FEWEST_PROVEN = 12
RATIO_MONTHS = 24
"""Past months from which the ratio of a route's month to the sum of its days is taken."""


@dataclass(frozen=True)
class RouteDays:
    """A route with its days.

    Attributes:
        days: Its daily history.
        totals: Its months as the panel has them, by month.
    """

    days: DailyHistory
    totals: pd.Series

    def nowcast(self, month: pd.Period, day: int) -> Nowcast | None:
        """The route's month, from what the days up to ``day`` and the months before say."""
        place = self.days.place_of(month.asfreq("D", "start") + min(day, month.days_in_month - 1) - 1)
        found = None if place is None else self.days.nowcast(place)
        if found is None:
            return None
        ratios = self._ratios(month)
        return scaled(found, ratios) if len(ratios) and not np.allclose(ratios, 1.0) else found

    def running(self, origin: pd.Timestamp) -> Nowcast | None:
        """The month after an origin; None where its days have not begun, are whole already, or are too few."""
        month, newest = origin.to_period("M") + 1, self.days.days[-1]
        begun = newest.asfreq("M") == month and newest.day < month.days_in_month
        return self.nowcast(month, int(newest.day)) if begun else None

    def _ratios(self, month: pd.Period) -> FloatArray:
        past = pd.period_range(end=month - 1, periods=RATIO_MONTHS, freq="M")
        sums = np.asarray([self.days.total(one.asfreq("D", "start"), one.asfreq("D", "end")) for one in past])
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios: FloatArray = self.totals.reindex(past).to_numpy(dtype=float) / np.where(sums > 0, sums, np.nan)
        return ratios[np.isfinite(ratios)]


def make_nowcasts(data: RealTimeData, made: ForecastSet) -> pd.DataFrame:
    """Nowcast the month after each route's origin, where its days have begun.

    Args:
        data: What was known.
        made: Forecasts: a nowcast is used where it was better than the ensemble's on the same day of past months.

    Returns:
        A frame that keeps ``core.release.NOWCASTS``.
    """
    days, present, past = daily_arrivals(data.known), made.current_ensemble, made.past_ensemble
    states = data.states[data.states["series_id"].isin(present["series_id"])]
    parts = [
        _of_route(
            row, RouteDays(daily_history(days[row["route_id"]]), data.panel.matrix[row["series_id"]]), present, past
        )
        for row in states.to_dict("records")
        if row["route_id"] in days
    ]
    return typed(concat_filled(parts, NOWCASTS.empty()).assign(as_of=pd.Timestamp(data.date)), NOWCASTS)


def make_weeks(data: RealTimeData, workers: Workers = 1) -> dict[str, pd.DataFrame]:
    """The next eight weeks of every series by day that a route rests on, and how such forecasts did.

    Returns:
        ``weeks`` and ``week_scores`` (``core.release.WEEKS``, ``core.release.WEEK_SCORES``).
    """
    parts, histories = [], {}
    for route_id, daily in daily_arrivals(data.known).items():
        days = daily_history(daily)
        found = weeks_ahead(days, -1)
        if found is None or (data.date - found.last_day.to_timestamp().date()).days > OLDEST_DAYS:
            continue
        series_id, sunday = str(daily.name).removesuffix(".D") + ".W", found.origin.to_timestamp()
        week = np.arange(1, len(found.quantiles) + 1)
        about = {
            "model_id": MODEL_ID, "series_id": series_id, "origin_date": sunday, "horizon": week,
            "target_end_date": sunday + pd.to_timedelta(7 * week, unit="D"), "route_id": route_id,
            "as_of": pd.Timestamp(data.date), "last_day": found.last_day.to_timestamp(), "so_far": found.so_far,
        }  # fmt: skip
        parts.append(to_rows(QuantileTable(pd.DataFrame(about), found.quantiles)))
        histories[series_id] = days
    records = run_tasks(week_record, [*histories.values()], workers=workers, is_small=True)
    return {
        "weeks": typed(concat_filled(parts, WEEKS.empty()), WEEKS),
        "week_scores": week_scores(dict(zip(histories, records, strict=True))),
    }


def past_nowcasts(data: RealTimeData, used: pd.DataFrame, past: pd.DataFrame) -> Nowcasts:
    """What nights on the same day of the month would have known of the month after past origins."""
    days = daily_arrivals(data.known)
    routes = used.drop_duplicates("series_id")
    known: dict[tuple[str, pd.Timestamp], FloatArray] = {}
    for series_id, route_id, newest in routes[["series_id", "route_id", "last_day"]].itertuples(index=False, name=None):
        route = RouteDays(daily_history(days[route_id]), data.panel.matrix[series_id])
        for origin in past.loc[past["series_id"] == series_id, "origin_date"].unique():
            then = route.nowcast(pd.Timestamp(origin).to_period("M") + 1, int(newest.day))
            if then is not None:
                known[series_id, pd.Timestamp(origin)] = then.quantiles
    return known


def _of_route(
    row: Mapping[Hashable, object], route: RouteDays, present: pd.DataFrame, past: pd.DataFrame
) -> pd.DataFrame:
    """Rows of one route; none where its days have not begun, are whole already, or are too few for a nowcast."""
    origin = pd.Timestamp(str(row["origin_date"]))
    found = route.running(origin)
    if found is None:
        return pd.DataFrame()
    month, day = found.month, int(route.days.days[-1].day)
    present, past = (one[one["series_id"] == row["series_id"]] for one in (present, past))
    ratio, count = past_skill(route, past, day)
    return pd.DataFrame(
        {
            "model_id": MODEL_ID,
            "series_id": row["series_id"],
            "route_id": row["route_id"],
            "origin_date": origin,
            "target_end_date": month.end_time.normalize(),
            "last_day": pd.Timestamp(year=month.year, month=month.month, day=day),
            "so_far": found.so_far,
            "output_type": "quantile",
            "output_type_id": LEVELS,
            "value": found.quantiles,
            "unsharpened": present[present["horizon"] == 1].sort_values("output_type_id")["value"].to_numpy(),
            "relative_wis": ratio,
            "n": count,
            "used": bool(count >= FEWEST_PROVEN and ratio < 1),
        }
    ).astype(dict.fromkeys(("origin_date", "target_end_date", "last_day"), "datetime64[ns]"))


def past_skill(route: RouteDays, past: pd.DataFrame, day: int) -> tuple[float, int]:
    """Mean WIS (log) of the nowcast relative to the ensemble's forecast a month ahead, on the same day of past months.

    Returns:
        The ratio (NaN without a month to compare) and the number of months.
    """
    table = to_matrix(past[past["horizon"] == 1])
    order = np.argsort(table.keys["origin_date"].to_numpy())[-PROVEN_MONTHS:]
    own, other = [], []
    for place in order:
        month = pd.Timestamp(table.keys["target_end_date"].iloc[place]).to_period("M")
        outcome, found = route.totals.get(month, np.nan), route.nowcast(month, day)
        if found is None or not np.isfinite(outcome):
            continue
        observed = np.log1p(np.asarray([outcome], dtype=float))
        own.append(float(wis(observed, np.log1p(found.quantiles[None, :]))[0]))
        other.append(float(wis(observed, np.log1p(table.quantiles[place][None, :]))[0]))
    return (sum(own) / sum(other), len(own)) if other and sum(other) > 0 else (float("nan"), len(own))
