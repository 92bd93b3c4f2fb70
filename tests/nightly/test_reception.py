"""People in reception in a night: which stocks are forecast, from which arrivals, and which places they need."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from core.release import OBSERVATIONS
from core.schema import check
from forecasting import ENSEMBLE, LEVELS
from forecasting.panel import Panel, read_panel
from ingest.rows import observations
from nightly import RealTimeData, reception
from nightly.reception import NAMES, Arrivals, ReceptionNight, Stocks, countries, forecast_reception

AS_OF = dt.date(2024, 12, 31)
MONTHS = pd.period_range("2019-01", "2024-11", freq="M")
CMR, ITALY = "arrivals.CMR._T._T.M", "reception.ITA._T.M"
SHARES = {"ITA-82": 0.5, "ITA-25": 0.3, "ITA-62": 0.2}
ORIGINS = MONTHS[-30:]


def figures(
    values: np.ndarray[Any, Any], periods: pd.PeriodIndex, geo: str, target: str = "reception", flag: str = ""
) -> pd.DataFrame:
    freq = periods.freqstr[0]
    cells = pd.DataFrame({"time_period": periods.astype(str).str.replace("Q", "-Q"), "obs_value": values})
    cells["obs_flag"] = [flag, *[""] * (len(cells) - 1)]
    return observations(
        cells, source_id="test", lag_days=2 if freq == "M" else 60, target=target, route_id="_Z", geo=geo, citizen="_T",
        freq=freq,
    )  # fmt: skip


def world() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Arrivals with a season, and the stock that they bring."""
    rng = np.random.default_rng(2)
    arrivals = np.round(5000 * np.exp(0.9 * np.sin(np.arange(len(MONTHS)) / 2) + rng.normal(0, 0.1, len(MONTHS))))
    stock = [60_000.0]
    for month in range(1, len(MONTHS)):
        stock.append(0.95 * stock[-1] + 0.6 * arrivals[month] + rng.normal(0, 200))
    return arrivals, np.round(stock)


ARRIVALS, STOCK = world()


def italian() -> pd.DataFrame:
    shares = {geo: np.round(share * STOCK) for geo, share in SHARES.items()}
    parts = [figures(values, MONTHS, geo) for geo, values in shares.items()]
    total = np.sum(list(shares.values()), axis=0)
    return pd.concat([figures(total, MONTHS, "ITA"), *parts], ignore_index=True)


def arrivals_panel() -> Panel:
    rows = pd.DataFrame({"series_id": CMR, "time_period": MONTHS.astype(str), "value": ARRIVALS})
    return read_panel(rows)


def ahead(origin: pd.Period) -> np.ndarray[Any, Any]:
    """The months after an origin of the arrivals' season."""
    place = origin.ordinal - MONTHS[0].ordinal + 1 + np.arange(12)
    return cast("np.ndarray[Any, Any]", 5000 * np.exp(0.9 * np.sin(place / 2)))


def ensemble(origin: pd.Period) -> pd.DataFrame:
    """Arrivals ahead at the 23 levels, a tenth wide."""
    values = ahead(origin)[:, None] * np.exp(0.1 * (LEVELS - 0.5))
    months = pd.period_range(origin + 1, periods=12, freq="M").end_time.normalize()
    return pd.DataFrame(
        {
            "model_id": ENSEMBLE, "series_id": CMR, "origin_date": origin.end_time.normalize(),
            "horizon": np.repeat(range(1, 13), len(LEVELS)), "target_end_date": np.repeat(months, len(LEVELS)),
            "output_type": "quantile", "output_type_id": np.tile(LEVELS, 12), "value": values.ravel(),
        }
    )  # fmt: skip


def night(known: pd.DataFrame, date: dt.date = AS_OF) -> ReceptionNight:
    panel = arrivals_panel()
    then = {origin.end_time.normalize(): panel for origin in ORIGINS}
    data = SimpleNamespace(known=check(known, OBSERVATIONS), date=date, panel=panel, past_panels=then)
    draws = np.tile(ahead(MONTHS[-1]), (100, 1)) * np.random.default_rng(0).lognormal(0, 0.1, (100, 12))
    months = pd.period_range(MONTHS[-1] + 1, periods=12, freq="M").end_time.normalize()
    paths = pd.DataFrame(
        {
            "series_id": CMR, "origin_date": MONTHS[-1].end_time.normalize(), "target_end_date": np.tile(months, 100),
            "output_type_id": np.repeat(range(100), 12), "value": draws.ravel(),
        }
    )  # fmt: skip
    past = pd.concat([ensemble(origin) for origin in ORIGINS[:-1]], ignore_index=True)
    return forecast_reception(cast(RealTimeData, data), paths, past)


@pytest.fixture(scope="module")
def whole() -> ReceptionNight:
    room = STOCK[-1] + 1500.0
    months = pd.PeriodIndex([MONTHS[-1], MONTHS[-1] + 6])
    places = figures(np.asarray([room, 10 * room]), months, "ITA", target="places")
    return night(pd.concat([italian(), places], ignore_index=True))


@pytest.fixture(scope="module")
def made(whole: ReceptionNight) -> dict[str, pd.DataFrame]:
    return whole.tables


def needs(made: dict[str, pd.DataFrame], series_id: str = ITALY, factor: float = 1.0) -> pd.DataFrame:
    rows = made["reception_needs"]
    return rows[(rows["series_id"] == series_id) & (rows["factor"] == factor)].set_index("time_period")


def test_country_and_regions_are_forecast_from_their_last_month(made: dict[str, pd.DataFrame]) -> None:
    assert set(made["reception_forecasts"]["series_id"]) == {ITALY, *(f"reception.{geo}._T.M" for geo in SHARES)}
    assert needs(made).index.tolist() == ["2024-12", "2025-01", "2025-02", "2025-03", "2025-04", "2025-05"]


def test_forecasts_beat_persistence_of_stock(made: dict[str, pd.DataFrame]) -> None:
    scores = made["reception_scores"]
    own = scores.query("series_id == @ITALY and scale == 'log' and model_id == 'vigie-reception'")
    ratios = own.set_index(["reference", "horizon"])["relative_wis"]
    assert ratios["vigie-baseline", 3] < 0.5
    assert ratios["vigie-damped", 3] < 0.7
    assert set(scores["reference"]) == {"vigie-baseline", "vigie-damped", "vigie-arima", "vigie-state-space"}


def test_stock_entries_and_exits_balance(made: dict[str, pd.DataFrame]) -> None:
    rows = needs(made)
    flows = (rows["entries"] - rows["exits"]).sum()
    assert rows["last_value"].iloc[0] + flows == pytest.approx(rows["median"].iloc[-1], rel=0.01)


def test_places_are_exceeded_more_probably_with_more_arrivals(made: dict[str, pd.DataFrame]) -> None:
    chances = [needs(made, factor=factor)["chance"].to_numpy() for factor in (0.5, 1.0, 2.0)]
    assert (chances[0] <= chances[1]).all()
    assert (chances[1] <= chances[2]).all()
    assert chances[0].max() < chances[2].max()
    assert needs(made, "reception.ITA-82._T.M")["chance"].isna().all()


def test_places_of_month_to_come_do_not_count_yet(made: dict[str, pd.DataFrame]) -> None:
    assert set(needs(made)["places"]) == {STOCK[-1] + 1500.0}


def test_alerts_read_stock_paths_and_places_known(whole: ReceptionNight) -> None:
    places = whole.panel[whole.panel["series_id"] == "places._Z.ITA._T.M"]
    assert set(whole.panel["series_id"]) == {ITALY, *places["series_id"]}
    assert places[["time_period", "value"]].to_numpy().tolist() == [[str(MONTHS[-1]), STOCK[-1] + 1500.0]]
    above = whole.paths.assign(above=whole.paths["value"] > STOCK[-1] + 1500.0)
    chances = above.groupby("horizon")["above"].mean()
    assert chances.to_list() == pytest.approx(needs(whole.tables)["chance"].to_list())


def test_places_that_suffice_never_fall_over_months(made: dict[str, pd.DataFrame]) -> None:
    enough = needs(made)["enough"]
    assert enough.is_monotonic_increasing
    assert (enough >= needs(made)["hi_80"]).all()


def test_newest_count_does_not_change_past_forecasts(made: dict[str, pd.DataFrame]) -> None:
    known = italian()
    known.loc[known["time_period"] == str(MONTHS[-1]), "obs_value"] *= 2
    pd.testing.assert_frame_equal(night(known).tables["reception_backtest"], made["reception_backtest"])


def stocks_of(known: pd.DataFrame) -> Stocks:
    return next(iter(countries(known)))


def test_regions_sum_to_country_on_every_path() -> None:
    stocks = stocks_of(italian())
    flows = stocks.flows(len(MONTHS) - 1, None, 50)
    regions = sum(flows[name].stock for name in stocks.divisions[0])
    assert regions == pytest.approx(flows[ITALY].stock)


def test_simpler_models_start_from_stock_of_their_row() -> None:
    row, later = 40, np.where(np.arange(len(STOCK)) == 40, 9000.0, 0.0)
    known = (stocks_of(figures(STOCK + add, MONTHS, "DEU")) for add in (0, later))
    usual, risen = (dict(reception._peers(stocks, row, None)) for stocks in known)
    assert all(risen[name][:, 11].min() > usual[name][:, 11].max() for name in usual)


def test_arrivals_after_oldest_origin_are_counted_once() -> None:
    routes = ["arrivals.EMR._T._T.M", CMR]
    matrix = pd.DataFrame(dict.fromkeys(routes, ARRIVALS), index=MONTHS)
    matrix.iloc[-1, 0] = np.nan
    paths = pd.concat([ensemble(MONTHS[place - 2]).assign(series_id=name) for place, name in enumerate(routes)])
    data = SimpleNamespace(panel=SimpleNamespace(matrix=matrix))
    found = reception.present_arrivals(cast(RealTimeData, data), paths).ahead
    assert [found[name].shape[1] for name in routes] == [12, 13]
    assert (found[CMR][:, 0] == ARRIVALS[-1]).all()


def test_values_before_break_are_left_out() -> None:
    after = figures(0.3 * STOCK[-10:], MONTHS[-10:], "ITA-25", flag="b")
    before = figures(0.1 * STOCK[:-10], MONTHS[:-10], "ITA-25")
    stocks = stocks_of(pd.concat([figures(STOCK, MONTHS, "ITA"), before, after], ignore_index=True))
    assert stocks.panel.matrix["reception.ITA-25._T.M"].notna().sum() == 10


def test_quarter_is_known_at_stock_publication() -> None:
    panel = arrivals_panel().matrix
    known = Arrivals(panel, {CMR: np.full((3, 12), 7.0)}, pd.Period("2024-04", "M"))
    quarters = pd.period_range("2024Q1", "2024Q3", freq="Q")
    sums = known.in_periods([CMR], quarters, factor=2.0)[0]
    first, april = panel[CMR]["2024-01":"2024-03"].sum(), panel[CMR]["2024-04"]
    assert sums.tolist() == [first, april + 2 * 2 * 7.0, 3 * 2 * 7.0]


def test_country_without_route_is_forecast_without_scenarios() -> None:
    rows = night(figures(STOCK, MONTHS, "DEU")).tables["reception_needs"]
    assert set(rows["factor"]) == {1.0}


def test_stock_whose_months_ahead_have_passed_has_no_forecast() -> None:
    made = night(italian(), dt.date(2025, 6, 30)).tables
    assert [len(made[name]) for name in NAMES] == [0, 0, 0, 0]
