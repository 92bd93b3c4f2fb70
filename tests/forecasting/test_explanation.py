"""What moved a forecast: the chain adds up, and each link answers to what it is named after."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from forecasting import ENSEMBLE
from forecasting.ensemble import combine
from forecasting.explanation import (
    CALIBRATION,
    FORMER,
    LAST_OUTCOME,
    LEVEL_SHIFT,
    MONTH_PASSED,
    NOWCAST,
    REVISIONS,
    SEASON,
    WEIGHTS,
    explain,
)
from forecasting.hindcast import backtest_work, run_work
from forecasting.panel import Panel
from forecasting.quantiles import to_rows

from .frames import forecast

HORIZONS = range(1, 5)
MODELS = ["vigie-baseline", "vigie-structural"]


def refit(panel: Panel, models: Sequence[str]) -> pd.DataFrame:
    return forecast(panel, horizons=HORIZONS, models=list(models), workers=1)


def world(panel: Panel, former: Panel | None = None) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Present, past and weights, as a night makes them; ``former`` is the panel as known at past origins."""
    work = backtest_work(
        panel, origins=14, step=1, models=MODELS, known_at=dict.fromkeys(panel.end_dates, former) if former else None
    )
    past = to_rows(run_work(work, horizons=HORIZONS, workers=1))
    together = pd.concat([refit(panel, MODELS), past], ignore_index=True)
    made = combine(together, panel)
    everything = pd.concat([together, to_rows(made.forecasts)], ignore_index=True)
    is_present = everything["origin_date"] == panel.end_dates[-1]
    return everything[is_present], everything[~is_present], made.weights


@pytest.fixture(scope="module")
def explained(small_panel: Panel) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    present, past, weights = world(small_panel)
    return explain(present, past, weights, small_panel), present, past


def change(rows: pd.DataFrame, component: str) -> pd.Series:
    return rows[rows["component"] == component].set_index(["series_id", "horizon"])["change"]


def median(forecasts: pd.DataFrame) -> pd.Series:
    rows = forecasts[(forecasts["model_id"] == ENSEMBLE) & np.isclose(forecasts["output_type_id"], 0.5)]
    return rows.set_index(["series_id", "horizon"])["value"]


def test_links_add_up_to_forecast_at_every_horizon(
    explained: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
) -> None:
    rows, present, _past = explained
    total = rows.groupby(["series_id", "horizon"])["change"].sum()
    expected = median(present).reindex(total.index)
    assert len(total) == 3 * (len(HORIZONS) - 1)
    np.testing.assert_allclose(total, expected, rtol=1e-12, atol=1e-9)


def test_chain_begins_with_former_forecast(
    explained: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame], small_panel: Panel
) -> None:
    rows, _present, past = explained
    before = median(past[past["origin_date"] == small_panel.end_dates[-2]])
    begun = change(rows, FORMER)
    np.testing.assert_allclose(begun, before.reindex(begun.index), rtol=1e-12)
    same_month = begun + change(rows, SEASON)
    later = before.reindex([(name, horizon + 1) for name, horizon in same_month.index])
    np.testing.assert_allclose(same_month, later, rtol=1e-12)


def test_count_that_comes_exactly_as_expected_is_no_news(small_panel: Panel) -> None:
    _present, past, _weights = world(small_panel)
    last = past[past["origin_date"] == small_panel.end_dates[-2]]
    expected = median(last).xs(1, level="horizon")
    matrix = small_panel.matrix.copy()
    matrix.iloc[-1] = expected.reindex(matrix.columns).to_numpy()
    panel = Panel(small_panel.freq, matrix, small_panel.groups)
    rows = explain(*world(panel), panel)
    for component in (LEVEL_SHIFT, LAST_OUTCOME, REVISIONS):
        np.testing.assert_allclose(change(rows, component), 0.0, atol=1e-6)


def test_higher_count_raises_forecast(small_panel: Panel) -> None:
    matrix = small_panel.matrix.copy()
    matrix.iloc[-1] *= 3.0
    panel = Panel(small_panel.freq, matrix, small_panel.groups)
    rows = explain(*world(panel), panel)
    first = rows[rows["horizon"] == 1]
    news = change(first, LEVEL_SHIFT) + change(first, LAST_OUTCOME)
    assert (news > 0).all()
    assert (rows["outcome"] > rows["outcome_expected"]).all()
    assert set(rows["outcome"]) == set(matrix.iloc[-1])


def test_revised_figures_are_distinguished_from_new_count(small_panel: Panel) -> None:
    former = small_panel.matrix.copy()
    former.iloc[-2] *= 0.5
    known_then = Panel(small_panel.freq, former, small_panel.groups)
    rows = explain(*world(small_panel, known_then), small_panel)
    assert (change(rows[rows["horizon"] == 1], REVISIONS) > 0).all()
    total = rows.groupby(["series_id", "horizon"])["change"].sum()
    last = rows.groupby(["series_id", "horizon"])["value"].last()
    np.testing.assert_allclose(total, last, rtol=1e-12)


def test_other_weights_alone_move_only_link_of_weights(small_panel: Panel) -> None:
    present, past, weights = world(small_panel)
    before = explain(present, past, weights, small_panel)
    newest = weights["origin_date"] == small_panel.end_dates[-1]
    alone = weights[newest].assign(model_id="vigie-baseline", weight=1.0)
    turned = pd.concat([weights[~newest], alone], ignore_index=True)
    after = explain(present, past, turned, small_panel)
    for component in (FORMER, SEASON, REVISIONS, MONTH_PASSED, LEVEL_SHIFT, LAST_OUTCOME):
        np.testing.assert_allclose(change(after, component), change(before, component), atol=1e-9)
    assert np.abs(change(after, WEIGHTS) - change(before, WEIGHTS)).max() > 1
    np.testing.assert_allclose(
        change(after, WEIGHTS) + change(after, CALIBRATION),
        change(before, WEIGHTS) + change(before, CALIBRATION),
        atol=1e-9,
    )


def test_what_is_changed_before_publication_is_link_of_its_own(small_panel: Panel) -> None:
    present, past, weights = world(small_panel)
    before = explain(present, past, weights, small_panel)
    published = present.copy()
    running = (published["model_id"] == ENSEMBLE) & (published["horizon"] == 1)
    published.loc[running, "value"] *= 1.25
    after = explain(present, past, weights, small_panel, published=published)
    assert (change(before, NOWCAST) == 0).all()
    first, rest = after["horizon"] == 1, after["horizon"] > 1
    assert (change(after[first], NOWCAST) > 0).all()
    assert (change(after[rest], NOWCAST) == 0).all()
    total = after.groupby(["series_id", "horizon"])["change"].sum()
    np.testing.assert_allclose(total, median(published).reindex(total.index), rtol=1e-12)
