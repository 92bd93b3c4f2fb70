"""Rolling origins: which forecasts are made, on what they may rest, and what need not be made again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.release import FORECASTS
from core.schema import check
from forecasting.panel import Panel
from forecasting.runs import backtest_file
from forecasting.workers import run_fits
from tests.golden import check_golden, short

from .frames import backtest, forecast, past_work

CHEAP = ["vigie-baseline", "vigie-seasonal-walk"]
GOLDEN = Path(__file__).with_name("golden") / "backtest.txt"
PLACE = ["model_id", "series_id", "origin_date", "horizon", "output_type_id"]


def altered(panel: Panel, after: str, factor: float) -> Panel:
    """The same panel with another future: every value after a month multiplied."""
    matrix = panel.matrix.copy()
    matrix[matrix.index > pd.Period(after, freq="M")] *= factor
    return Panel(panel.freq, matrix, panel.groups)


def test_origins_are_last_ones_a_step_apart(small_panel: Panel) -> None:
    made = backtest(small_panel, origins=3, step=2, horizons=[1, 4], models=CHEAP)
    assert sorted(made["origin_date"].unique()) == [pd.Timestamp(x) for x in ("2020-07-31", "2020-09-30", "2020-11-30")]


def test_backtest_forecasts_unobserved_targets(small_panel: Panel) -> None:
    made = check(backtest(small_panel, origins=2, step=1, horizons=[1, 12], models=CHEAP), FORECASTS)
    assert made["target_end_date"].max() == pd.Timestamp("2021-11-30")
    assert len(made) == 2 * 3 * 2 * 2 * 23


def test_series_without_value_at_origin_is_not_forecast_there(small_panel: Panel) -> None:
    matrix = small_panel.matrix.copy()
    matrix.loc[pd.Period("2020-11", freq="M"), "west"] = np.nan
    made = backtest(Panel("M", matrix, small_panel.groups), origins=2, step=1, horizons=[1], models=CHEAP)
    assert set(made.loc[made["origin_date"] == "2020-11-30", "series_id"]) == {"north", "south"}
    assert set(made.loc[made["origin_date"] == "2020-10-31", "series_id"]) == {"north", "south", "west"}


def test_changing_future_does_not_change_past_forecast(small_panel: Panel) -> None:
    ours, other = (
        backtest(panel, origins=7, step=2, horizons=[1, 3], models=CHEAP)
        for panel in (small_panel, altered(small_panel, "2020-08", 50))
    )
    before = ours["origin_date"] <= "2020-08-31"
    assert before.sum() == (other["origin_date"] <= "2020-08-31").sum() > 0
    pd.testing.assert_frame_equal(ours[before], other[before])
    assert not ours.loc[~before, "value"].equals(other.loc[~before, "value"])


def test_history_is_that_known_at_origin(small_panel: Panel) -> None:
    def as_first_published(origin: pd.Timestamp) -> Panel:
        matrix = small_panel.matrix.loc[: small_panel.period_of(origin)].copy()
        matrix.iloc[-1] = 2 * matrix.iloc[-1]
        return Panel("M", matrix, small_panel.groups)

    known_at = {end: as_first_published(end) for end in small_panel.end_dates}
    made = backtest(small_panel, origins=1, step=1, horizons=[1], models=["vigie-baseline"], known_at=known_at)
    median = made[(made["series_id"] == "north") & (made["output_type_id"] == 0.5)]["value"].item()
    assert median == pytest.approx(2 * small_panel.matrix["north"].iloc[-2])


def test_unpublished_series_is_not_forecast(small_panel: Panel) -> None:
    def two_months_late(origin: pd.Timestamp) -> Panel:
        return small_panel.until(origin - pd.DateOffset(months=2))

    known_at = {end: two_months_late(end) for end in small_panel.end_dates}
    work = past_work(small_panel, origins=3, step=1, models=CHEAP, known_at=known_at)
    assert work.table.empty


def test_present_starts_from_each_series_own_last_value(small_panel: Panel) -> None:
    matrix = small_panel.matrix.copy()
    matrix.iloc[-2:, 0] = np.nan
    made = forecast(Panel("M", matrix, small_panel.groups), horizons=[1], models=["vigie-baseline"])
    origins = made.drop_duplicates("series_id").set_index("series_id")["origin_date"]
    assert origins.astype(str).to_dict() == {"north": "2020-10-31", "south": "2020-12-31", "west": "2020-12-31"}


def test_only_what_is_not_done_is_computed_and_answer_is_same(small_panel: Panel) -> None:
    computed: list[int] = []
    shorter = backtest(small_panel.until(pd.Timestamp("2020-11-30")), origins=5, step=1, horizons=[1, 3], models=CHEAP)
    again = backtest(
        small_panel,
        origins=5,
        step=1,
        horizons=[1, 3],
        models=CHEAP,
        done=shorter,
        progress=lambda _, total: computed.append(total),
    )
    fresh = backtest(small_panel, origins=5, step=1, horizons=[1, 3], models=CHEAP)
    assert computed[-1] == len(CHEAP) * 3
    pd.testing.assert_frame_equal(
        again.sort_values(PLACE, ignore_index=True), fresh.sort_values(PLACE, ignore_index=True)
    )


@pytest.mark.usefixtures("forked")
def test_numbers_do_not_depend_on_processes_or_order(small_panel: Panel) -> None:
    models = [*CHEAP, "vigie-prophet"]
    work = past_work(small_panel, origins=2, step=1, models=models)
    here = run_fits(work.fits, 3, workers=1)
    over = run_fits(work.fits, 3, workers=2)
    back = run_fits(work.fits[::-1], 3, workers=1)[::-1]
    for one, two, three in zip(here, over, back, strict=True):
        assert np.array_equal(one.quantiles, two.quantiles)
        assert np.array_equal(one.quantiles, three.quantiles)
        assert one.reason == two.reason == three.reason == ""


@pytest.mark.parametrize(
    ("origins", "step", "horizons", "message"),
    [
        (0, 1, [1], "origins and step"),
        (1, 0, [1], "origins and step"),
        (1, 1, [], "horizons"),
        (1, 1, [0, 2], "horizons"),
    ],
)
def test_backtest_of_nothing_is_refused(
    small_panel: Panel, origins: int, step: int, horizons: list[int], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        backtest_file(small_panel.long(), origins=origins, step=step, horizons=horizons, models=CHEAP)


def test_miniature_backtest_is_golden(small_panel: Panel) -> None:
    """The numbers of a model may not move unless its version does."""
    made = backtest(small_panel, origins=1, step=1, horizons=[1, 6], models=CHEAP)
    chosen = made[made["output_type_id"].isin((0.05, 0.5, 0.95))]
    forecasts = chosen.groupby(["model_id", "model_version", "series_id", "horizon"])["value"]
    check_golden(GOLDEN, [f"{' '.join(map(str, place))}: {short(values)}" for place, values in forecasts])
