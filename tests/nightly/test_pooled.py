"""What the pooled model learns from on a night, and how late breakdowns are looked ahead from."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator, Sequence
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest

from core.log import silent
from core.schema import ALL
from core.settings import load_settings
from forecasting.models import MODELS
from forecasting.models import pooled as pooled_model
from forecasting.panel import Panel
from forecasting.pooled import Level
from forecasting.quantiles import QuantileTable
from nightly import RealTimeData, forecasts
from nightly.forecasts import ForecastSet, make_forecasts
from nightly.pooled import FEWEST_MONTHS, PooledNight, counts
from store.figures import VintageStore
from store.releases.caches import BacktestStore, FitStore

AS_OF = dt.date(2025, 1, 31)

MONTHS = pd.period_range("2015-01", "2020-12", freq="M", name="period")
ROUTE = "arrivals.CMR._T._T.M"


def rows(series_id: str, values: np.ndarray, *, target: str = "conflict_deaths", late: int = 20) -> pd.DataFrame:
    months = MONTHS[: len(values)]
    known = months.end_time.normalize() + pd.Timedelta(days=late)
    return pd.DataFrame(
        {
            "source_id": "some", "series_id": series_id, "target": target, "route_id": "_Z", "geo": "_Z",
            "citizen": ALL, "freq": "M", "time_period": months.astype(str), "obs_value": values.astype(float),
            "obs_flag": "", "as_of": known, "as_of_estimated": False,
        }
    )  # fmt: skip


def panel_of(values: dict[str, np.ndarray]) -> Panel:
    matrix = pd.DataFrame(values, index=MONTHS).astype(float).rename_axis(columns="series_id")
    return Panel("M", matrix, pd.DataFrame(index=matrix.columns))


def test_years_lesson_is_what_was_known_month_after_its_turn() -> None:
    """Figures that came later, revisions and new months alike, change no fit that was made before them."""
    then = rows("count", np.arange(len(MONTHS)) + 10)
    later = then.assign(obs_value=5.0, as_of=pd.Timestamp("2020-06-01"))
    both = pd.concat([then, later]).sort_values(["series_id", "time_period", "as_of"], ignore_index=True)
    prints = []
    for history in (then.reset_index(drop=True), both):
        cells = history.assign(cell=history.groupby(["series_id", "time_period"]).ngroup())
        night = PooledNight(RealTimeData(cells, dt.date(2021, 1, 31), 6, 24), fits=None)  # type: ignore[arg-type]  # no fit is asked for
        prints.append([night.lessons("M")(year).fingerprints[-1] for year in (2019, 2021)])
    assert prints[0][0] == prints[1][0]
    assert prints[0][1] != prints[1][1]


def known_by_nationality(months: pd.PeriodIndex) -> RealTimeData:
    """A route that is forecast tonight, and one nationality of it in some months."""
    values = rows("arrivals.CMR._T.SYR.M", np.ones(len(MONTHS))).assign(route_id="CMR", citizen="SYR")
    return cast(
        "RealTimeData",
        SimpleNamespace(
            routes=values[values["time_period"].isin(months.astype(str))],
            states=pd.DataFrame({"route_id": ["CMR"], "series_id": [ROUTE]}),
            forecastable=[ROUTE],
            panel=panel_of({ROUTE: np.ones(len(MONTHS))}),
            past_panels={},
            date=dt.date(2021, 1, 31),
        ),
    )


def test_route_sums_nationalities_after_six_years() -> None:
    for months, added in ((pd.period_range("2015-01", "2020-12", freq="M"), [ROUTE]), (MONTHS[1:], [])):
        night = PooledNight(known_by_nationality(months), fits=None)  # type: ignore[arg-type]  # no fit is asked for
        assert [series for series, _rows in night._parts()] == added


def asked_of(monkeypatch: pytest.MonkeyPatch) -> list[Level]:
    """What the pooled model is asked for from now on; it answers with one forecast from the newest month."""
    asked = list[Level]()

    def answer(_model_id: str, levels: Sequence[Level], **_others: object) -> list[QuantileTable]:
        asked.extend(levels)
        keys = pd.DataFrame({"series_id": [ROUTE], "origin_date": [pd.Timestamp("2020-12-31")], "horizon": [1]})
        return [QuantileTable(keys.assign(series_id=level.panel.series_ids[0]), np.ones((1, 23))) for level in levels]

    monkeypatch.setattr("nightly.pooled.run_pooled", answer)
    return asked


def test_explanation_uses_forecasting_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A route is a total to the model. Its newest value alone is looked ahead from."""
    asked = asked_of(monkeypatch)
    data = known_by_nationality(MONTHS[:0])
    night = PooledNight(data, fits=None)  # type: ignore[arg-type]  # no fit is asked for
    night.routes(0, [1])
    night.forecast_last(data.panel, [1])
    own, again = asked
    assert again.kind == own.kind
    assert np.array_equal(again.wanted, own.wanted)
    assert np.flatnonzero(again.wanted).tolist() == [len(MONTHS) - 1]


@pytest.mark.parametrize("late", [0, 1])
def test_nationalities_start_from_newest_month(monkeypatch: pytest.MonkeyPatch, late: int) -> None:
    """As they are from each month before it."""
    asked = asked_of(monkeypatch)
    monkeypatch.setattr("nightly.pooled.sum_of_parts", lambda made, *_others, **_about: made)
    monkeypatch.setattr("nightly.pooled.FEWEST_OF_PARTS", 24)
    night = PooledNight(known_by_nationality(MONTHS[: len(MONTHS) - late]), fits=None)  # type: ignore[arg-type]  # no fit is asked for
    night.routes(12, [1])
    (parts,) = (level for level in asked if level.kind == 0)
    from_here = parts.wanted[:, 0]
    known = parts.panel.matrix.iloc[:, 0].notna().to_numpy()
    assert np.flatnonzero(from_here)[-1] == len(MONTHS) - 1 - late
    assert np.array_equal(from_here[-13:], known[-13:])


@pytest.fixture(scope="module")
def night(first_night: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PooledNight, ForecastSet]]:
    """The first night's routes once more, now with a pooled model of very few trees, two horizons ahead."""
    home = Path(shutil.copytree(first_night, tmp_path_factory.mktemp("pooled") / "home"))
    settings = load_settings(home)
    data = RealTimeData(VintageStore(home).history(), AS_OF, 6, settings.backtest_origins)
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("TREES", "FAR_TREES", "COUNT_TREES"):
            patch.setattr(pooled_model, kind, 2)
        for name in ("HORIZONS", "FARTHER"):
            patch.setattr(forecasts, name, (1, 2))
        patch.setattr(forecasts, "MODELS", {name: MODELS[name] for name in ("vigie-baseline", "vigie-snaive")})
        pooled = PooledNight(data, FitStore(home), 1)
        yield pooled, make_forecasts(data, settings, BacktestStore(home), silent, 1, pooled)


def test_pooled_model_forecasts_every_route(night: tuple[PooledNight, ForecastSet]) -> None:
    """The Central Mediterranean's nationalities end a month before its total, and still speak of the same months."""
    pooled, made = night
    now = made.current[np.isclose(made.current["output_type_id"], 0.5)].set_index("model_id")
    assert set(now.loc[["vigie-pooled"], "series_id"]) == set(pooled.data.forecastable)
    parts = now.loc[["vigie-bottom-up"]]
    assert set(parts["series_id"]) == {ROUTE}
    assert set(parts["origin_date"]) == {pd.Timestamp("2024-12-31")}


def test_held_model_in_process_repeats_sum_of_parts(night: tuple[PooledNight, ForecastSet]) -> None:
    pooled, made = night
    held = ForkingPickler.loads(ForkingPickler.dumps(pooled.held(ROUTE, 2024)))
    rows = pooled.data.routes.query("route_id == 'CMR' and citizen != '_T'")
    (again,) = held.newest_sum(ROUTE, rows, pooled.data.panel, AS_OF, (1, 2), 12)
    now = made.current.query("model_id == 'vigie-bottom-up'")
    assert again.quantiles.ravel().tolist() == now.sort_values(["horizon", "output_type_id"])["value"].tolist()
    assert held.newest_sum(ROUTE, rows[rows["time_period"] < "2024-06"], pooled.data.panel, AS_OF, (1, 2), 12) == []


@pytest.mark.parametrize(("day", "learned"), [("2021-01-31", True), ("2021-02-01", False)])
def test_yearly_fits_use_figures_known_in_january(day: str, *, learned: bool) -> None:
    then = rows("count", np.arange(len(MONTHS)) + 10)
    revised = then.tail(1).assign(obs_value=5.0, as_of=pd.Timestamp(day))
    prints = []
    for history in (then, pd.concat([then, revised], ignore_index=True)):
        cells = history.assign(cell=history.groupby(["series_id", "time_period"]).ngroup())
        night = PooledNight(RealTimeData(cells, dt.date(2021, 6, 30), 6, 24), fits=None)  # type: ignore[arg-type]  # no fit is asked for
        prints.append(night.lessons("M")(2021).fingerprints[-1])
    assert (prints[0] != prints[1]) == learned


def test_only_long_series_of_whole_numbers_are_used() -> None:
    count = np.arange(len(MONTHS)) + 10
    known = pd.concat(
        [
            rows("count", count),
            rows("short", count[: FEWEST_MONTHS - 1]),
            rows("rate", count / 3),
            rows("tiny", np.zeros(len(MONTHS))),
            rows("beds", count, target="capacity"),
        ]
    )
    assert counts(known, MONTHS).series_ids == ["count"]
