"""Numbers to be passed come from what was counted up to the month, and from the reader."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from alerts import counts_by_series, route_of
from alerts.rules import capacity, fall, record_high, surge
from core.settings import AlertSettings

Build = Callable[..., pd.DataFrame]
SERIES = "arrivals.CMR._T._T.M"
USUAL = AlertSettings()


def _last(frame: pd.DataFrame) -> float:
    return float(frame[SERIES].iloc[-1])


@pytest.mark.parametrize(
    ("series_id", "route_id"),
    [
        (SERIES, "CMR"), ("detections.WBR._T._T.M", "WBR"), ("arrivals.CMR._T.SYR.M", None),
        ("arrivals.CMR.ITA._T.M", None), ("arrivals.CMR._T._T.D", None), ("food_price_index.CMR._T._T.M", None),
        ("arrivals.XXX._T._T.M", None), ("Central Mediterranean Route", None),
    ],
)  # fmt: skip
def test_only_routes_monthly_total_names_route(series_id: str, route_id: str | None) -> None:
    assert route_of(series_id) == route_id


def test_fall_is_half_mean_below_two_year_minimum(panel: Build) -> None:
    steady, seasonal = [200] * 24, [350, 50] * 12
    assert _last(fall.threshold(counts_by_series(panel(steady)), USUAL)) == 100
    assert _last(fall.threshold(counts_by_series(panel(seasonal)), USUAL)) == 50
    assert np.isnan(_last(fall.threshold(counts_by_series(panel([200] * 23)), USUAL)))
    assert np.isnan(_last(fall.threshold(counts_by_series(panel([99] * 24)), USUAL)))


def test_surge_needs_mean_of_100_over_12_months(panel: Build) -> None:
    assert _last(surge.threshold(counts_by_series(panel([100] * 12)), USUAL)) == 150
    assert np.isnan(_last(surge.threshold(counts_by_series(panel([100] * 11 + [99])), USUAL)))
    assert np.isnan(_last(surge.threshold(counts_by_series(panel([200] * 11)), USUAL)))
    gap = panel([200] * 13).drop(index=5)
    assert np.isnan(_last(surge.threshold(counts_by_series(gap), USUAL)))


def test_record_is_highest_of_months_up_to_each_month(panel: Build) -> None:
    counts = counts_by_series(panel([900] + [200] * 11 + [300]))
    found = record_high.OF_A_YEAR.threshold(counts, USUAL)[SERIES]
    assert found.iloc[-2:].to_list() == [900, 300]
    assert found.iloc[:-2].isna().all()


def test_default_capacity_is_ninetieth_percentile_of_three_years(panel: Build) -> None:
    values = [5000.0] * 12 + [float(n) for n in range(100, 3700, 100)]
    found = _last(capacity.threshold(counts_by_series(panel(values)), USUAL))
    assert found == pytest.approx(np.quantile(values[-36:], 0.9))
    assert np.isnan(_last(capacity.threshold(counts_by_series(panel([500] * 23)), USUAL)))


def test_route_with_nobody_has_no_number_to_be_passed(panel: Build) -> None:
    counts = counts_by_series(panel([0] * 48))
    for function in (surge.threshold, capacity.threshold):
        assert function(counts, USUAL)[SERIES].isna().all()
    without_minimum = AlertSettings(surge_minimum=0)
    assert record_high.OF_A_YEAR.threshold(counts, without_minimum)[SERIES].isna().all()
    assert capacity.threshold(counts, without_minimum)[SERIES].isna().all()
