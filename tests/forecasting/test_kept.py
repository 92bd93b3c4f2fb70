"""What models of single series answered is kept: the same numbers, and no history is fitted twice."""

from __future__ import annotations

import sys
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest

from forecasting import BASELINE, constants_of, features, hindcast, models, pooled_fit, postprocess, workers
from forecasting.hindcast import backtest_work, run_work
from forecasting.panel import Panel
from forecasting.postprocess import SafeForecast
from forecasting.quantiles import QuantileTable
from forecasting.workers import Fit

MODELS = [BASELINE, "vigie-seasonal-walk"]


class Shelf(dict[str, bytes]):
    def put(self, key: str, fit: bytes) -> None:
        self[key] = fit


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that are fitted, one after the other."""
    found: list[str] = []
    fit_as_ever = workers.run_fit

    def run_fit(fit: Fit, horizon: int) -> SafeForecast:
        found.append(fit.model_id)
        return fit_as_ever(fit, horizon)

    monkeypatch.setattr(workers, "run_fit", run_fit)
    return found


def past(panel: Panel, shelf: Shelf | None, horizons: tuple[int, ...] = (1, 3)) -> QuantileTable:
    work = backtest_work(panel, origins=4, step=1, models=MODELS)
    return run_work(work, horizons=horizons, workers=1, fits=shelf)


def test_a_second_run_fits_nothing_and_gives_the_same(small_panel: Panel, fitted: list[str]) -> None:
    shelf = Shelf()
    first = past(small_panel, shelf)
    fitted.clear()
    again = past(small_panel, shelf)
    assert set(fitted) == {BASELINE}
    for other in (again, past(small_panel, None)):
        pd.testing.assert_frame_equal(first.keys, other.keys)
        np.testing.assert_array_equal(first.quantiles, other.quantiles)


def test_one_more_month_is_fitted_at_its_origin_alone(small_panel: Panel, fitted: list[str]) -> None:
    shelf = Shelf()
    past(Panel("M", small_panel.matrix.iloc[:-1], small_panel.groups), shelf)
    fitted.clear()
    found = past(small_panel, shelf)
    assert fitted.count("vigie-seasonal-walk") == 3
    np.testing.assert_array_equal(found.quantiles, past(small_panel, None).quantiles)


def test_a_revised_figure_another_reach_library_or_shortest_history_are_fitted_anew(
    small_panel: Panel, fitted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf()
    past(small_panel, shelf)
    revised = small_panel.matrix.copy()
    revised.loc[revised.index[10], revised.columns[0]] *= 2
    fitted.clear()
    past(Panel("M", revised, small_panel.groups), shelf)
    assert fitted.count("vigie-seasonal-walk") == 4
    for module, name, other in (
        (hindcast, "version", version),
        (hindcast, "version", lambda _name: "99"),
        (postprocess, "FEWEST_EARLIER_VALUES", 7),
    ):
        monkeypatch.setattr(module, name, other)
        fitted.clear()
        past(small_panel, shelf, horizons=(1, 5))
        assert fitted.count("vigie-seasonal-walk") == 12


def test_what_cannot_be_read_is_made_anew(small_panel: Panel) -> None:
    shelf = Shelf()
    first = past(small_panel, shelf)
    for key in list(shelf):
        shelf[key] = shelf[key][:-30]
    np.testing.assert_array_equal(past(small_panel, shelf).quantiles, first.quantiles)


def test_what_fits_are_kept_under_tells_of_no_place_in_memory() -> None:
    """Else the next process, which has everything elsewhere, would find none of them."""
    modules = {sys.modules[model.predict.__module__] for model in models.MODELS.values()} | {features, pooled_fit}
    said = constants_of(*modules) + "".join(model.parameters() for model in models.POOLED_MODELS.values())
    assert "pooled_fit.MOST_ROWS" in said
    assert " at 0x" not in said
