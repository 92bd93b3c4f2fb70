"""A night's nowcast of the running month, and the forecast that follows it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest

from core.release import NOWCASTS, WEEKS
from core.schema import check
from forecasting import LEVELS
from forecasting.days import DailyHistory, Nowcast, Weeks
from nightly import RealTimeData, nowcasts
from nightly.nowcasts import RouteDays, past_nowcasts
from store.releases import Release, ReleaseStore

CHANNEL = "arrivals.CHA._T._T.M"
MONTHS = pd.period_range("2021-01", "2024-12", freq="M")
SPREAD = np.linspace(0.9, 1.1, len(LEVELS))


def release_of(home: Path) -> Release:
    release = ReleaseStore(home).current()
    assert release is not None
    return release


@pytest.mark.slow
def test_channel_and_italy_are_nowcast_from_their_days(first_night: Path) -> None:
    found = check(release_of(first_night).read("nowcasts"), NOWCASTS)
    assert set(found["route_id"]) == {"CHA", "CMR"}
    assert set(found["target_end_date"]) == {pd.Timestamp("2025-01-31")}
    channel = found[found["series_id"] == CHANNEL]
    assert channel["last_day"].iloc[0] == pd.Timestamp("2025-01-30")
    assert (channel["value"] >= channel["so_far"]).all()
    assert channel["used"].all() and (channel["relative_wis"] < 0.5).all()


@pytest.mark.slow
def test_better_nowcast_replaces_first_month(first_night: Path) -> None:
    release = release_of(first_night)
    nowcast = release.read("nowcasts").query("series_id == @CHANNEL").sort_values("output_type_id")
    forecasts = release.read("forecasts")
    own = forecasts[(forecasts["model_id"] == "vigie-ensemble") & (forecasts["series_id"] == CHANNEL)]
    first = own[own["horizon"] == 1].sort_values("output_type_id")
    assert np.allclose(first["value"], nowcast["value"])
    assert not np.allclose(first["value"], nowcast["unsharpened"])
    paths = release.read("trajectories")
    drawn = paths[(paths["series_id"] == CHANNEL) & (paths["horizon"] == 1)]["value"]
    assert drawn.min() >= nowcast["so_far"].iloc[0] - 1e-6


class Days:
    """A daily history in which each day counts one person, and every month is nowcast as a hundred."""

    def __init__(self, newest: str, *, known: bool = True) -> None:
        self.days = pd.period_range("2021-01-01", newest, freq="D")
        self.asked: list[pd.Period] = []
        self._known = known

    def place_of(self, day: pd.Period) -> int | None:
        self.asked.append(day)
        return cast(int, self.days.get_loc(day)) if self._known and day in self.days else None

    def nowcast(self, place: int) -> Nowcast:
        newest = self.days[place]
        return Nowcast(newest.asfreq("M"), float(newest.day), 100.0 * SPREAD)

    def total(self, first: pd.Period, last: pd.Period) -> float:
        return float((last - first).n + 1)


def route(newest: str = "2025-01-20", *, times: float = 1.0, known: bool = True) -> RouteDays:
    """A route whose months hold a multiple of their days."""
    totals = pd.Series([times * month.days_in_month for month in MONTHS], index=MONTHS)
    return RouteDays(cast(DailyHistory, Days(newest, known=known)), totals)


def forecasts(months: pd.PeriodIndex, quantiles: np.ndarray, horizon: int = 1) -> pd.DataFrame:
    """What the ensemble said of some months a month ahead."""
    return pd.concat(
        pd.DataFrame(
            {"model_id": "vigie-ensemble", "series_id": "a", "origin_date": (month - horizon).end_time.normalize(),
             "horizon": horizon, "target_end_date": month.end_time.normalize(), "output_type": "quantile",
             "output_type_id": LEVELS, "value": quantiles}
        )
        for month in months
    )  # fmt: skip


def test_nowcast_is_scaled_by_past_surplus() -> None:
    month = pd.Period("2024-06", "M")
    assert route().nowcast(month, 10) is not None
    for times in (1.0, 2.0):
        found = route(times=times).nowcast(month, 10)
        assert found is not None
        assert float(np.interp(0.5, LEVELS, found.quantiles)) == pytest.approx(100.0 * times, rel=0.01)
    assert route(known=False).nowcast(month, 10) is None


def test_past_nowcasts_are_of_month_after_each_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    days = Days("2025-01-20")
    monkeypatch.setattr("nightly.nowcasts.daily_arrivals", lambda _known: {"CHA": None})
    monkeypatch.setattr("nightly.nowcasts.daily_history", lambda _daily: days)
    data = SimpleNamespace(known=None, panel=SimpleNamespace(matrix=pd.DataFrame({"a": route().totals})))
    used = pd.DataFrame([["a", "CHA", days.days[-1].to_timestamp()]], columns=["series_id", "route_id", "last_day"])
    past_nowcasts(cast(RealTimeData, data), used, forecasts(MONTHS[-3:-1], SPREAD))
    assert days.asked == [month.asfreq("D", "start") + 19 for month in MONTHS[-3:-1]]


def weeks_of(monkeypatch: pytest.MonkeyPatch, last_day: str, as_of: str) -> dict[str, pd.DataFrame]:
    """The weeks of one series in a night, whose forecasts are given."""
    daily = pd.Series([1.0], pd.period_range(last_day, periods=1, freq="D"), name="arrivals.CHA.GBR._T.D")
    sunday = pd.Period("2024-12-29", "D")
    quantiles = np.arange(1.0, 9.0)[:, None] * 100 * SPREAD
    made = Weeks(sunday, pd.Period(last_day, "D"), np.asarray([5.0, *[0.0] * 7]), quantiles)
    monkeypatch.setattr(nowcasts, "daily_arrivals", lambda _known: {"CHA": daily})
    monkeypatch.setattr(nowcasts, "daily_history", lambda days: days)
    monkeypatch.setattr(nowcasts, "weeks_ahead", lambda _days, place: made if place == -1 else None)
    monkeypatch.setattr(nowcasts, "week_record", lambda _days: pd.DataFrame())
    date = dt.date.fromisoformat(as_of)
    return nowcasts.make_weeks(cast(RealTimeData, SimpleNamespace(known=None, date=date)), None)


def test_eight_weeks_end_on_sundays(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = check(weeks_of(monkeypatch, "2024-12-31", "2025-01-10")["weeks"], WEEKS)
    assert set(rows["series_id"]) == {"arrivals.CHA.GBR._T.W"}
    assert set(rows["origin_date"]) == {pd.Timestamp("2024-12-29")}
    ends = rows.drop_duplicates("horizon")["target_end_date"]
    assert ends.tolist() == list(pd.date_range("2025-01-05", periods=8, freq="7D"))
    medians = rows[np.isclose(rows["output_type_id"], 0.5)]
    assert medians["value"].to_numpy() == pytest.approx(100.0 * medians["horizon"].to_numpy())
    assert rows.drop_duplicates("horizon")["so_far"].tolist() == [5.0, *[0.0] * 7]


@pytest.mark.parametrize(
    ("months", "forecast", "used"), [(12, 1000.0, True), (11, 1000.0, False), (24, 30.5, False), (24, 100.0, False)]
)
def test_nowcast_needs_twelve_better_months(months: int, forecast: float, *, used: bool) -> None:
    about: dict[Hashable, object] = {
        "series_id": "a", "route_id": "CHA", "origin_date": pd.Timestamp("2024-12-31"),
    }  # fmt: skip
    past = pd.concat([
        forecasts(MONTHS[-months:], forecast * SPREAD), forecasts(MONTHS[-3:], SPREAD).assign(series_id="b")
    ])  # fmt: skip
    found = nowcasts._of_route(about, route(), forecasts(MONTHS[-1:], SPREAD), past)
    assert set(found["used"]) == {used}
    assert set(found["n"]) == {months}


def test_surplus_uses_two_known_years() -> None:
    month = pd.Period("2024-06", "M")
    years = pd.period_range(end=month - 1, periods=24, freq="M")
    counted = {one: 2.0 * one.days_in_month if one in years else 9_000.0 for one in MONTHS} | {month - 3: np.nan}
    one = RouteDays(route().days, pd.Series(counted))
    assert one._ratios(month).tolist() == [2.0] * 23
    assert route()._ratios(MONTHS[0]).tolist() == []
