"""Nowcasts of the running month from daily counts, and what later months make of them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.nowcast import daily_counts, scores
from forecasting.nowcast import FEWEST_MONTHS, Nowcast, daily_history, scaled

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


def test_a_nowcast_never_lies_below_what_is_counted_and_its_quantiles_rise() -> None:
    found = nowcast_of(daily())
    assert (found.month, found.day) == (MONTH, 15)
    assert found.so_far == daily()["2023-06"].sum()
    assert found.quantiles[0] >= found.so_far
    assert (np.diff(found.quantiles) >= 0).all()


def test_on_the_last_day_the_total_is_what_was_counted() -> None:
    series = daily("2023-06-30")
    assert (nowcast_of(series).quantiles == series["2023-06"].sum()).all()


def test_the_interval_narrows_as_the_month_goes_on() -> None:
    widths = [np.ptp(nowcast_of(daily(f"2023-06-{day:02d}")).quantiles[[3, 19]]) for day in (2, 12, 22, 28)]
    assert widths == sorted(widths, reverse=True)


def test_days_after_the_day_of_the_nowcast_change_nothing() -> None:
    later = daily("2023-12-31")
    changed = later.copy()
    changed["2023-06-16":] = 5000.0
    places = [daily_history(series).place_of(MONTH, 15) for series in (later, changed)]
    both = [daily_history(series).nowcast(place or 0) for series, place in zip((later, changed), places, strict=True)]
    assert both[0] is not None and both[1] is not None
    assert np.allclose(both[0].quantiles, both[1].quantiles, rtol=0, atol=0)
    assert np.allclose(both[0].quantiles, nowcast_of(later[:"2023-06-15"]).quantiles, rtol=0, atol=1e-9)


def test_a_month_after_years_without_arrivals_may_bring_nothing() -> None:
    series = daily()
    series["2022-01-01":] = 0.0
    assert nowcast_of(series).quantiles[11] < 0.5


def test_with_fewer_than_two_years_of_months_there_is_no_nowcast() -> None:
    assert daily_history(daily()["2021-07-01":]).nowcast(-1) is None
    assert FEWEST_MONTHS == 24


def test_a_short_gap_is_bridged_and_its_month_teaches_nothing() -> None:
    series = daily()
    gap = series.drop(pd.period_range("2022-03-05", "2022-03-07", freq="D"))
    history = daily_history(gap)
    assert len(history.day) == len(series)
    march = history.month == (2022 - 1970) * 12 + 2
    assert np.isnan(history.total[march]).all() and np.isfinite(history.total[~march][:700]).all()


def test_what_lies_before_a_long_gap_is_left_out() -> None:
    series = daily()
    gap = series.drop(pd.period_range("2020-03-05", "2020-03-14", freq="D"))
    history = daily_history(gap)
    assert len(history.day) == len(series["2020-03-15":])
    assert np.isnan(history.total[0])


def test_another_count_of_the_month_takes_the_ratios_of_past_months_in() -> None:
    found = nowcast_of(daily())
    doubled = scaled(found, np.asarray([2.0]))
    assert np.allclose(doubled.quantiles[3:20], 2 * found.quantiles[3:20], rtol=0.02)
    spread = scaled(found, np.asarray([1.0, 1.5, 2.0, 2.5, 3.0]))
    assert np.ptp(np.log(spread.quantiles[[3, 19]])) > np.ptp(np.log(doubled.quantiles[[3, 19]]))


def test_intervals_hold_as_many_past_months_as_they_promise() -> None:
    history = daily_history(daily("2025-12-31"))
    inside: list[bool] = []
    for place in np.flatnonzero((history.day == 12) & np.isfinite(history.total)):
        found = history.nowcast(int(place))
        if found is not None:
            inside.append(bool(found.quantiles[3] <= history.total[place] <= found.quantiles[19]))
    assert len(inside) >= 40
    assert 0.65 <= np.mean(inside) <= 0.95


@pytest.mark.slow
@pytest.mark.skipif("VIGIE_RAW_DATA" not in os.environ, reason="the daily files are not part of the project")
@pytest.mark.parametrize("name", ["English Channel", "Italy"])
def test_from_day_8_on_the_nowcast_beats_last_month_and_run_rate(
    name: str, raw_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.nowcast.DAYS", (8, 15, 25))
    found = scores(daily_history(daily_counts(raw_data, name)))
    sums = found.pivot_table(index="day", columns="forecaster", values=["log", "natural", "distance"], aggfunc="sum")
    for measure in ("log", "natural", "distance"):
        for rival in ("last month", "run-rate"):
            assert (sums[measure, "nowcast"] < sums[measure, rival]).all(), (measure, rival)
