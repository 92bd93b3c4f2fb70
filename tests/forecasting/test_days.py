"""Paths of the days to come: the running month and the next weeks are sums of the same days."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.nowcast import daily_counts, scores
from forecasting import LEVELS
from forecasting.days import Nowcast, daily_history, weeks_ahead

MONTH = pd.Period("2023-06", freq="M")


def daily(until: str = "2023-06-15", *, level: float = 100.0, seed: int = 3) -> pd.Series:
    """Days from 2020 on: a season, bursts, and every third day without arrivals."""
    days = pd.period_range("2020-01-01", until, freq="D")
    random = np.random.default_rng(seed)
    season = 1 + 0.5 * np.sin(2 * np.pi * (days.dayofyear.to_numpy() - 100) / 365)
    counts = random.poisson(level * season * random.gamma(2, 0.5, len(days)))
    return pd.Series(np.where(random.random(len(days)) < 1 / 3, 0, counts).astype(float), index=days)


def nowcast_of(series: pd.Series) -> Nowcast:
    found = daily_history(series).nowcast(-1)
    assert found is not None
    return found


def test_nowcast_never_falls_below_count() -> None:
    found = nowcast_of(daily())
    assert found.month == MONTH
    assert found.so_far == daily()["2023-06"].sum()
    assert found.quantiles[0] >= found.so_far
    assert (np.diff(found.quantiles) >= 0).all()


def test_on_last_day_total_is_what_was_counted() -> None:
    series = daily("2023-06-30")
    assert (nowcast_of(series).quantiles == series["2023-06"].sum()).all()


def test_interval_narrows_as_month_goes_on() -> None:
    widths = [np.ptp(nowcast_of(daily(f"2023-06-{day:02d}")).quantiles[[3, 19]]) for day in (2, 12, 22, 28)]
    assert widths == sorted(widths, reverse=True)


def test_days_after_day_of_nowcast_change_nothing() -> None:
    later = daily("2023-12-31")
    changed = later.copy()
    changed["2023-06-16":] = 5000.0
    day = pd.Period("2023-06-15", freq="D")
    histories = [daily_history(series) for series in (later, changed)]
    both = [history.nowcast(history.place_of(day) or 0) for history in histories]
    assert both[0] is not None and both[1] is not None
    assert np.allclose(both[0].quantiles, both[1].quantiles, rtol=0, atol=0)
    assert np.allclose(both[0].quantiles, nowcast_of(later[:"2023-06-15"]).quantiles, rtol=0, atol=1e-9)


def test_month_and_weeks_are_sums_of_same_days() -> None:
    series = daily()
    history = daily_history(series)
    ahead, weeks = history.ahead(-1), weeks_ahead(history, -1)
    assert ahead is not None and weeks is not None
    to_come = ahead.loc[:, ahead.columns > series.index[-1]].to_numpy()
    month = series["2023-06"].sum() + to_come[:, :15].sum(axis=1)
    assert np.allclose(np.quantile(month, LEVELS, method="hazen"), nowcast_of(series).quantiles)
    # 15 June 2023 is a Thursday: four days of the first week are counted, three are to come.
    assert (weeks.origin, weeks.so_far[0]) == (pd.Period("2023-06-11", "D"), series["2023-06-12":].sum())
    first = weeks.so_far[0] + to_come[:, :3].sum(axis=1)
    assert np.allclose(np.quantile(first, LEVELS, method="hazen"), weeks.quantiles[0])
    eighth = to_come[:, 3 + 6 * 7 : 3 + 7 * 7].sum(axis=1)
    assert np.allclose(np.quantile(eighth, LEVELS, method="hazen"), weeks.quantiles[7])


def test_missing_days_are_bridged() -> None:
    series = daily()
    gap = series.drop(pd.period_range("2021-03-05", "2021-04-14", freq="D"))
    assert np.isnan(daily_history(gap).total(pd.Period("2021-03-01", "D"), pd.Period("2021-03-31", "D")))
    whole, bridged, short = nowcast_of(series), nowcast_of(gap), daily_history(series["2021-04-15":])
    assert np.allclose(whole.quantiles[3:20], bridged.quantiles[3:20], rtol=0.15)
    without = short.nowcast(-1)
    assert without is None or not np.allclose(without.quantiles, bridged.quantiles)


def test_days_missing_in_running_month_are_drawn_and_widen_it() -> None:
    series = daily("2023-06-28")
    series["2023-05-31":"2023-06-06"] = 0.0  # the level of a missing day is that of ten days on both of its sides
    gap = series.drop(pd.period_range("2023-06-10", "2023-06-16", freq="D"))
    found, whole = nowcast_of(gap), nowcast_of(series)
    assert found.so_far == gap["2023-06"].sum() < found.quantiles[0]
    assert found.quantiles[11] == pytest.approx(whole.quantiles[11], rel=0.3)
    assert np.ptp(found.quantiles[[3, 19]]) > np.ptp(whole.quantiles[[3, 19]])


def test_weekly_total_is_spread_over_days() -> None:
    series = daily("2020-12-31")
    series[:] = np.where(np.arange(len(series)) % 7 == 2, 1000.0, 0.0)  # any seven days on end hold one with arrivals
    series.iloc[200:204] = np.nan, 5.0, 5.0, np.nan  # such days lie in no week of seven that are known
    history, totals = daily_history(series), np.full((50, 2), 70.0)
    spread = history._days_like(totals, len(series) - 1, np.random.default_rng(1))
    assert spread.sum(axis=2) == pytest.approx(totals)
    assert ((spread > 0).sum(axis=2) == 1).all()
    assert len(np.unique(np.argmax(spread, axis=2))) == 7
    early = history._days_like(totals, 5, np.random.default_rng(1))
    assert early == pytest.approx(np.full((50, 2, 7), 10.0))


def test_intervals_hold_as_many_past_months_as_they_promise() -> None:
    series = daily("2025-12-31")
    history, inside = daily_history(series), []
    for day in series.index[(pd.PeriodIndex(series.index).day == 12) & (series.index >= pd.Period("2022-07-01", "D"))]:
        found = history.nowcast(history.place_of(day) or 0)
        assert found is not None
        inside.append(found.quantiles[3] <= series[str(day)[:7]].sum() <= found.quantiles[19])
    assert len(inside) >= 40
    assert 0.65 <= np.mean(inside) <= 0.95


@pytest.mark.slow
@pytest.mark.skipif("VIGIE_RAW_DATA" not in os.environ, reason="the daily files are not part of the project")
@pytest.mark.parametrize("name", ["English Channel", "Italy"])
def test_from_day_8_on_nowcast_beats_last_month_and_run_rate(
    name: str, raw_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.nowcast.DAYS", (8, 15, 25))
    found = scores(daily_history(daily_counts(raw_data, name)))
    sums = found.pivot_table(index="day", columns="forecaster", values=["log", "natural", "distance"], aggfunc="sum")
    for measure in ("log", "natural", "distance"):
        for rival in ("last month", "run-rate"):
            assert (sums[measure, "nowcast"] < sums[measure, rival]).all(), (measure, rival)


@pytest.mark.parametrize("length", [7, 21])
def test_rate_needs_all_its_days(length: int) -> None:
    counts = daily("2020-03-31").to_numpy()
    counts[[10, 40, 41, 42, 43]] = np.nan
    days = pd.period_range("2020-01-01", "2020-03-31", freq="D")
    first = np.arange(-3, len(counts) - length + 4)
    found = daily_history(pd.Series(counts, index=days))._mean(first, first + length)
    windows = [counts[begin : begin + length] if begin >= 0 else counts[:0] for begin in first]
    told = [len(days) == length and 2 * np.isfinite(days).sum() >= length for days in windows]
    expected = [np.nanmean(days) if enough else np.nan for days, enough in zip(windows, told, strict=True)]
    assert sum(told) >= len(counts) - 2 * length
    assert np.allclose(found, expected, equal_nan=True)


def test_day_is_found_within_series_only() -> None:
    series = daily("2020-01-10")
    series.iloc[3] = np.nan
    history = daily_history(series)
    first, last = history.days[0], history.days[-1]
    assert [history.place_of(day) for day in (first - 1, first, last, last + 1)] == [None, 0, 9, None]
    assert history.total(first, first + 2) == series.iloc[:3].sum()
    assert np.isnan(history.total(first, last))
    assert np.isnan(history.total(first - 1, first))
    assert history.so_far(first, last) == series.sum()
    assert history.so_far(first - 5, first + 1) == series.iloc[:2].sum()


@pytest.mark.parametrize(
    ("today", "first"),
    [
        ("2023-06-01", "2023-05-29"), ("2023-06-03", "2023-05-29"), ("2023-06-04", "2023-06-01"),
        ("2023-06-15", "2023-06-01"), ("2023-05-31", "2023-05-01"), ("2023-05-01", "2023-05-01"),
    ],
)  # fmt: skip
def test_paths_begin_with_earlier_of_month_and_week(today: str, first: str) -> None:
    ahead = daily_history(daily(today)).ahead(-1, n=3)
    assert ahead is not None
    assert str(ahead.columns[0]) == first
    assert ahead.columns[-1] == pd.Period(today, "D") + 56
    assert len(ahead) == 3
    known = ahead.to_numpy()[:, pd.PeriodIndex(ahead.columns) <= pd.Period(today, "D")]
    assert (known == daily(today)[first:].to_numpy()).all()
