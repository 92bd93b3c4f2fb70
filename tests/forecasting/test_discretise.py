"""Quantiles of counts near whole counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import FloatArray
from forecasting import LEVELS
from forecasting.calibration import JITTER, discretise, units
from forecasting.panel import Panel, panel_from_rows
from forecasting.quantiles import QuantileTable
from forecasting.verification import wis

MONTHS = 60


def mostly_nobody(zero: float) -> FloatArray:
    """Quantiles with a chance of zero."""
    return np.expm1(np.interp(LEVELS, [0.0, zero / 3, zero, 1.0], np.log1p([0.0, 0.0, 0.5, 8.0])))


MOSTLY_NOBODY = mostly_nobody(0.6)
ZERO_IS_IN = np.maximum(1 - np.maximum(LEVELS, 2 * LEVELS - 0.4) / 0.6, 0.0)
"""In what share of the months each of its quantiles is zero."""


def panel_of(*columns: FloatArray) -> Panel:
    months = [str(month) for month in pd.period_range("2015-01", periods=MONTHS, freq="M")]
    return panel_from_rows(
        pd.concat(
            pd.DataFrame({"series_id": f"s{place}", "time_period": months, "value": values})
            for place, values in enumerate(columns)
        )
    )


def forecasts_of(panel: Panel, quantiles: FloatArray, *, row: int = -1) -> QuantileTable:
    """One forecast per series of a panel from the origin at ``row``, one month ahead."""
    origin = panel.end_dates[row]
    target = (panel.periods[row] + 1).end_time.normalize()
    places = {"series_id": panel.series_ids, "origin_date": origin, "horizon": 1, "target_end_date": target}
    keys = pd.DataFrame(places)
    return QuantileTable(keys, np.atleast_2d(quantiles))


def counts(mean: float, seed: int = 1) -> FloatArray:
    return np.random.default_rng(seed).poisson(mean, MONTHS).astype(float)


_quantiles = st.lists(st.floats(0, 10**6), min_size=len(LEVELS), max_size=len(LEVELS)).map(sorted)


@given(_quantiles)
@settings(max_examples=60, deadline=None)
def test_an_interval_holds_the_same_whole_counts_above_zero_as_before(quantiles: list[float]) -> None:
    panel = panel_of(counts(3.0))
    before = np.asarray(quantiles)
    after = discretise(forecasts_of(panel, before), panel).quantiles[0]
    assert (np.diff(after) >= 0).all()
    assert (after >= 0).all()
    near = np.maximum(np.floor(before[:, None]) + np.arange(-1, 3), 1.0)
    # Closer to a whole count than floating point tells apart, a quantile may fall on it.
    apart = np.abs(before[:, None] - near) > 1e-6
    assert ((before[:, None] < near) == (after[:, None] < near))[apart].all()
    assert (np.abs(after - np.round(after)) <= JITTER / 2 + 1e-9).all()


def test_quantiles_of_small_counts_score_better_near_whole_counts() -> None:
    random = np.random.default_rng(0)
    outcomes = random.poisson(2.0, 20_000).astype(float)
    between = np.quantile(outcomes, LEVELS) + random.uniform(-0.45, 0.45, len(LEVELS))
    between = np.sort(np.maximum(between, 0.0))
    panel = panel_of(counts(2.0))
    near = discretise(forecasts_of(panel, between), panel).quantiles[0]

    def score(quantiles: FloatArray) -> float:
        return float(wis(np.log1p(outcomes), np.log1p(np.tile(quantiles, (len(outcomes), 1)))).mean())

    assert score(near) < 0.97 * score(between)


def test_closed_intervals_hold_as_many_months_without_a_person_as_they_promise() -> None:
    """With a chance of zero of .6 an interval from level t on takes zero in at 1 - t/.6 of the months, if t is low."""
    panel = panel_of(counts(0.5))
    months = pd.concat(
        [forecasts_of(panel, MOSTLY_NOBODY, row=row).keys for row in range(12, MONTHS)], ignore_index=True
    )
    made = discretise(QuantileTable(months, np.tile(MOSTLY_NOBODY, (len(months), 1))), panel).quantiles
    np.testing.assert_allclose((made <= 0).mean(axis=0), ZERO_IS_IN, atol=0.05)
    assert (made[:, LEVELS < 0.6] < 0.5).all()


@pytest.mark.parametrize(("zero", "share"), [(0.6, 0.5), (0.6, 0.9), (0.9, 0.5), (0.9, 0.7), (0.9, 0.95), (0.97, 0.9)])
def test_a_closed_interval_holds_what_it_promises_however_likely_nobody_is(zero: float, share: float) -> None:
    """Where its upper end cannot leave its part of the outcomes out, the lower end leaves out so many more."""
    panel, quantiles = panel_of(counts(0.5)), mostly_nobody(zero)
    one = forecasts_of(panel, quantiles).keys
    keys = pd.concat([one.assign(horizon=horizon) for horizon in range(1, 201)], ignore_index=True)
    made = discretise(QuantileTable(keys, np.tile(quantiles, (len(keys), 1))), panel).quantiles
    low, high = (int(np.argmin(np.abs(LEVELS - (1 + side * share) / 2))) for side in (-1, 1))
    left_out = zero * (made[:, low] > 0).mean() + 1 - max(LEVELS[high], zero)
    assert 1 - left_out == pytest.approx(share, abs=0.02)
    assert (np.diff(made, axis=1) >= 0).all()


def test_what_intervals_promise_holds_within_one_month_across_series_too() -> None:
    """A month in which nobody comes anywhere is outside some series' intervals, not outside of all or none."""
    panel = panel_of(*[counts(0.5)] * 400)
    for row in range(12, MONTHS, 7):
        keys = forecasts_of(panel, MOSTLY_NOBODY, row=row).keys
        made = discretise(QuantileTable(keys, np.tile(MOSTLY_NOBODY, (len(keys), 1))), panel).quantiles
        np.testing.assert_allclose((made <= 0).mean(axis=0), ZERO_IS_IN, atol=0.08)


def test_what_intervals_promise_holds_across_the_horizons_of_one_month_too() -> None:
    """A month in which nobody comes is outside some of the intervals that were given for it, year after year."""
    panel = panel_of(counts(0.5))
    one = forecasts_of(panel, MOSTLY_NOBODY).keys
    keys = pd.concat([one.assign(horizon=horizon) for horizon in range(1, 61)], ignore_index=True)
    made = discretise(QuantileTable(keys, np.tile(MOSTLY_NOBODY, (len(keys), 1))), panel).quantiles
    np.testing.assert_allclose((made <= 0).mean(axis=0), ZERO_IS_IN, atol=0.05)


def test_figures_that_a_publisher_rounds_to_five_have_quantiles_near_multiples_of_five() -> None:
    panel = panel_of(5 * counts(4.0))
    made = discretise(forecasts_of(panel, np.linspace(0, 40, len(LEVELS))), panel).quantiles
    assert (np.abs(made - 5 * np.round(made / 5)) <= 5 * JITTER / 2 + 1e-9).all()


def test_rates_are_left_alone() -> None:
    panel = panel_of(np.random.default_rng(2).random(MONTHS) * 9)
    quantiles = np.linspace(0.3, 7.7, len(LEVELS))
    assert np.array_equal(discretise(forecasts_of(panel, quantiles), panel).quantiles[0], quantiles)


def test_a_few_estimates_among_counts_do_not_hide_that_they_are_counts() -> None:
    values = counts(6.0)
    values[40] = 4.5
    assert (units(panel_of(values)) == 1.0).all()


def test_the_unit_is_read_from_what_was_known_at_the_origin() -> None:
    whole = 5 * counts(4.0)
    later = whole.copy()
    later[50:] += 0.5
    early, late = units(panel_of(whole)), units(panel_of(later))
    assert np.array_equal(early[:50], late[:50])
    assert early[-1, 0] == 5.0
    assert late[-1, 0] == 0.0
    assert early[10, 0] == 1.0


@pytest.mark.parametrize("origin", ["2014-12-31", "2020-01-31"])
def test_an_origin_outside_the_calendar_is_left_alone(origin: str) -> None:
    panel = panel_of(counts(3.0))
    table = forecasts_of(panel, np.linspace(0.3, 7.7, len(LEVELS)))
    moved = discretise(QuantileTable(table.keys.assign(origin_date=pd.Timestamp(origin)), table.quantiles), panel)
    assert np.array_equal(moved.quantiles, table.quantiles)
