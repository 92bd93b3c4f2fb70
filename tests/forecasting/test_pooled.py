"""The pooled model: without hindsight, deterministic, sane, and better than the baseline where there is a pattern."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import FloatArray
from core.release import FORECASTS
from core.schema import check
from forecasting import LEVELS, NORMAL_SCORES, between_levels, pooled
from forecasting.models import POOLED_MODELS
from forecasting.models import pooled as pooled_model
from forecasting.models.pooled import FEATURES, FITTED_LEVELS, HORIZON, fit, predict
from forecasting.panel import Panel, read_panel
from forecasting.pooled import PREDICTIONS, Level, World, learned_horizons, past_origins, present_origins, run_pooled
from forecasting.quantiles import QuantileTable, to_rows
from forecasting.verification import score_rows
from forecasting.workers import Progress
from tests.forecasting.frames import past_work

pytestmark = pytest.mark.usefixtures("few_trees")
MODEL = "vigie-pooled"
MONTHS = 96


def world(count: int = 40) -> Panel:
    """Series with one common season and their own noise, from 2014 to 2021."""
    random = np.random.default_rng(9)
    season = 0.9 * np.sin(2 * np.pi * np.arange(MONTHS) / 12)
    levels = random.uniform(2, 8, count)
    noise = 0.15 * random.standard_normal((MONTHS, count)).cumsum(axis=0)
    values = np.round(np.exp(levels + season[:, None] + noise))
    months = pd.period_range("2014-01", periods=MONTHS, freq="M").astype(str)
    rows = pd.DataFrame(values, index=months, columns=[f"s{number:02d}" for number in range(count)])
    return read_panel(rows.rename_axis("time_period").reset_index().melt("time_period", var_name="series_id"))


def made(panel: Panel, *, origins: int = 14, horizons: tuple[int, ...] = (1, 3)) -> QuantileTable:
    return run_pooled(
        MODEL, [Level(panel, past_origins(panel, origins=origins, step=1), 0)], horizons=horizons, workers=1
    )[0]


def with_all_trees(patch: pytest.MonkeyPatch) -> None:
    """The models as they are."""
    for kind, trees, rate in (("", 75, 0.1), ("COUNT_", 60, 0.06)):
        patch.setattr(pooled_model, f"{kind}TREES", trees)
        patch.setitem(getattr(pooled_model, f"{kind}PARAMETERS"), "learning_rate", rate)


@pytest.fixture(scope="module")
def panel() -> Panel:
    return world()


@pytest.fixture(scope="module")
def table(panel: Panel, few_trees: None) -> QuantileTable:  # noqa: ARG001  # it is there for what it does
    return made(panel)


def test_every_series_is_forecast_at_origins_of_backtest(panel: Panel, table: QuantileTable) -> None:
    place = ["series_id", "origin_date"]
    expected = past_work(panel, origins=14, models=["vigie-baseline"]).table[place]
    found = table.keys[table.keys["horizon"] == 3][place]
    pd.testing.assert_frame_equal(
        found.sort_values(place, ignore_index=True), expected.sort_values(place, ignore_index=True)
    )


def test_quantiles_ascend_are_finite_and_never_negative(table: QuantileTable) -> None:
    check(to_rows(table), FORECASTS)
    assert np.isfinite(table.quantiles).all()
    assert (np.diff(table.quantiles, axis=1) >= -1e-9).all()


def test_common_season_is_learned_and_beats_baseline(panel: Panel, table: QuantileTable) -> None:
    rows = score_rows(table, panel)
    assert rows["wis_log"].sum() < 0.8 * rows["reference_log"].sum()


@pytest.mark.slow
def test_changing_future_changes_no_earlier_forecast(panel: Panel, table: QuantileTable) -> None:
    matrix = panel.matrix.copy()
    matrix.iloc[88:] = 3.0
    other = made(Panel("M", matrix, panel.groups))
    before = (table.keys["origin_date"] <= "2021-04-30").to_numpy()
    assert before.sum() > 0
    assert np.array_equal(table.quantiles[before], other.quantiles[before])
    pd.testing.assert_frame_equal(table.keys[before], other.keys[before])


def test_model_is_fitted_yearly_on_ended_outcomes(panel: Panel) -> None:
    """A change within the year moves no origin of that year by way of the fit: other series' forecasts stay."""
    ours = made(panel, origins=5, horizons=(1,))
    matrix = panel.matrix.copy()
    matrix.iloc[84:90, 0] = 7777.0
    other = made(Panel("M", matrix, panel.groups), origins=5, horizons=(1,))
    rest = (ours.keys["series_id"] != "s00").to_numpy()
    assert np.array_equal(ours.quantiles[rest], other.quantiles[rest])
    assert not np.array_equal(ours.quantiles[~rest], other.quantiles[~rest])


def test_short_series_gets_no_row_and_small_past_no_model(panel: Panel) -> None:
    matrix = panel.matrix.copy()
    matrix.iloc[:-7, 0] = np.nan
    found = made(Panel("M", matrix, panel.groups), origins=1, horizons=(1,))
    assert set(found.keys["series_id"]) == set(panel.series_ids) - {"s00"}
    few = panel.select(panel.series_ids[:3])
    assert made(few, origins=2, horizons=(1,)).keys.empty


def test_present_is_forecast_from_each_series_own_last_value(panel: Panel) -> None:
    matrix = panel.matrix.copy()
    matrix.iloc[-4:, 0] = np.nan
    short = Panel("M", matrix, panel.groups)
    found = run_pooled(MODEL, [Level(short, present_origins(short), 0)], horizons=(2,), workers=1)[0]
    origins = found.keys.set_index("series_id")["origin_date"].astype(str)
    assert origins["s00"] == "2021-08-31"
    assert set(origins.drop("s00")) == {"2021-12-31"}


class Shelf(dict[str, bytes]):
    """Keeps fits in memory and counts how many are new."""

    new = 0

    def put(self, key: str, fit: bytes) -> None:
        self[key] = fit
        self.new += 1

    @property
    def fits(self) -> int:
        return sum(not key.endswith(PREDICTIONS) for key in self)


def test_kept_fits_give_same_numbers_and_none_is_made_anew(panel: Panel, table: QuantileTable) -> None:
    shelf = Shelf()
    level = Level(panel, past_origins(panel, origins=14, step=1), 0)
    first, again = (run_pooled(MODEL, [level], horizons=(1, 3), workers=1, fits=shelf)[0] for _ in range(2))
    assert shelf.new == len(shelf) == 4  # two years; each fit and what it predicted
    for other in (again, table):
        pd.testing.assert_frame_equal(first.keys, other.keys)
        np.testing.assert_array_equal(first.quantiles, other.quantiles)


@pytest.mark.usefixtures("forked")
@pytest.mark.parametrize("workers", [1, 2])
def test_interrupted_run_keeps_fits_that_ended(panel: Panel, table: QuantileTable, workers: int) -> None:
    shelf, level = Shelf(), Level(panel, past_origins(panel, origins=14, step=1), 0)
    new: list[int] = []

    def interrupt(done: int, _total: int) -> None:
        if done == 1:  # of two years
            raise KeyboardInterrupt

    def run(progress: Progress | None, fits: Shelf) -> QuantileTable:
        return run_pooled(MODEL, [level], horizons=(1, 3), workers=workers, progress=progress, fits=fits)[0]

    with pytest.raises(KeyboardInterrupt):
        run(interrupt, shelf)
    assert shelf.fits == 1
    continued = run(lambda _done, total: new.append(total), shelf)
    assert (shelf.fits, set(new)) == (2, {1})
    np.testing.assert_array_equal(continued.quantiles, table.quantiles)


def test_fit_is_kept_until_its_figures_change(panel: Panel) -> None:
    shelf = Shelf()

    def new_fits(matrix: pd.DataFrame) -> int:
        before = shelf.fits
        found = Panel("M", matrix, panel.groups)
        run_pooled(MODEL, [Level(found, present_origins(found), 0)], horizons=(1,), workers=1, fits=shelf)
        return shelf.fits - before

    assert new_fits(panel.matrix.iloc[:-2]) == 1
    assert new_fits(panel.matrix.iloc[:-1]) == 0
    values = panel.matrix.to_numpy(copy=True)
    values[-30, 0] += 100
    revised = pd.DataFrame(values, panel.matrix.index, panel.matrix.columns)
    assert new_fits(revised) == 1


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many different histories the fits are asked about, call by call."""
    calls: list[int] = []
    model = POOLED_MODELS[MODEL]

    def counted(fitted: bytes, described: FloatArray) -> FloatArray:
        calls.append(len(described))
        return model.predict(fitted, described)

    monkeypatch.setitem(POOLED_MODELS, MODEL, replace(model, predict=counted))
    return calls


def test_one_more_origin_asks_kept_fits_about_that_origin_alone(panel: Panel, asked: list[int]) -> None:
    shelf = Shelf()
    shorter = Panel("M", panel.matrix.iloc[:-1], panel.groups)

    def past(one: Panel, fits: Shelf | None) -> QuantileTable:
        level = Level(one, past_origins(one, origins=6, step=1), 0)
        return run_pooled(MODEL, [level], horizons=(1, 3), workers=1, fits=fits)[0]

    past(shorter, shelf)
    asked.clear()
    found = past(panel, shelf)
    assert asked == [2 * 40]
    np.testing.assert_array_equal(found.quantiles, past(panel, None).quantiles)


def described(rows: int, random: np.random.Generator, horizons: tuple[int, ...] = (1,)) -> FloatArray:
    """Features by chance, of each horizon in turn."""
    found = random.normal(size=(rows, len(FEATURES)))
    found[:, HORIZON] = np.log(np.resize(horizons, rows))
    return found


def test_fit_finds_quantiles_of_pure_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    with_all_trees(monkeypatch)
    random = np.random.default_rng(2)
    seen = described(20_000, random, learned_horizons(18))
    found = predict(fit(seen, random.normal(size=20_000), np.ones(20_000), 12), seen[:50]) @ between_levels(
        FITTED_LEVELS
    )
    assert found.shape == (50, len(LEVELS))
    assert np.abs(found.mean(axis=0) - NORMAL_SCORES).max() < 0.3


def test_one_fit_serves_every_horizon() -> None:
    random = np.random.default_rng(2)
    seen = described(6000, random, (1, 12))
    growth = np.where(seen[:, HORIZON] > 1, 2.0, 0.0) + 0.1 * random.normal(size=6000)
    medians = predict(fit(seen, growth, np.ones(6000), 12), seen[:50])[:, 3]
    assert medians[0::2].mean() < 0.5
    assert medians[1::2].mean() > 1.5


def test_far_outcomes_are_learned_as_well_as_near_ones() -> None:
    random = np.random.default_rng(2)
    seen = described(24_000, random, learned_horizons(18))
    is_far = seen[:, HORIZON] > np.log(6.5)
    growth = np.where(is_far, -1, 1) * np.sign(seen[:, 0]) + 0.1 * random.normal(size=len(seen))
    errors = np.abs(predict(fit(seen, growth, np.ones(len(seen)), 12), seen)[:, 3] - growth)
    assert errors[is_far].mean() < errors[~is_far].mean()


def test_largest_known_series_are_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooled, "MOST_ROWS", 600)
    sizes = np.arange(60, 0, -1, dtype=float)
    months = pd.period_range("2015-01", periods=73, freq="M")
    matrix = pd.DataFrame(np.tile(sizes, (len(months), 1)), index=months)
    columns = pooled.learned_from(World.of([(Panel("M", matrix, pd.DataFrame(index=matrix.columns)), 0)]))
    assert columns[:5].tolist() == [0, 1, 2, 3, 4]
    assert len(columns) == 10
    assert columns[-1] == 59


def test_heavy_rows_count_more(monkeypatch: pytest.MonkeyPatch) -> None:
    with_all_trees(monkeypatch)
    random = np.random.default_rng(2)
    seen, heavy = described(3000, random), random.random(3000) < 0.5
    fitted = fit(seen, heavy.astype(float), np.where(heavy, 3.0, 1.0), 12)
    low, middle = predict(fitted, seen[:50])[:, [1, 3]].mean(axis=0)
    assert low < 0.2
    assert middle > 0.8


@settings(max_examples=50)
@given(st.lists(st.floats(1.0, 24.0), min_size=1, max_size=60), st.integers(1, 90))
def test_rows_are_drawn_by_weight(weights: list[float], count: int) -> None:
    rows = pooled_model.drawn(np.asarray(weights), count)
    assert len(rows) == count
    passed = np.cumsum(weights) * count / np.sum(weights)
    assert all(abs((rows <= row).sum() - passed[row]) < 1 for row in range(len(weights)))


def test_no_known_outcome_gives_no_forecast() -> None:
    random = np.random.default_rng(2)
    fitted = fit(described(3000, random, (1, 3)), random.normal(size=3000), np.ones(3000), 12)
    found = predict(fitted, described(9, random, (1, 3, 6)))
    assert np.isfinite(found).all(axis=1).tolist() == [True, True, False] * 3
