"""Which models forecast a panel: those of single series on a small one, the pooled model from twenty series on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.release import FORECASTS
from core.schema import check
from forecasting import BASELINE, BOTTOM_UP, ENSEMBLE, STRUCTURAL
from forecasting.members import MANY, NOT_POOLED, Request, members_at, models_to_run
from forecasting.panel import Panel, read_panel
from forecasting.pooled import World, past_origins, present_origins
from forecasting.quantiles import QuantileTable, to_rows

from .frames import run_backtest

POOLED = "vigie-pooled"
MONTHS = 96


def parts_panel(count: int = 22) -> Panel:
    random = np.random.default_rng(3)
    season = 0.7 * np.sin(2 * np.pi * np.arange(MONTHS) / 12)[:, None]
    walk = 0.2 * random.standard_normal((MONTHS, count)).cumsum(axis=0)
    values = np.round(np.exp(random.uniform(2, 6, count) + season + walk))
    months = pd.period_range("2014-01", periods=MONTHS, freq="M").astype(str)
    names = [f"p{number:02d}" for number in range(count)]
    long = pd.DataFrame(values, index=months, columns=names).rename_axis("time_period").reset_index()
    rows = long.melt("time_period", var_name="series_id")
    return read_panel(rows.assign(route_id=np.where(rows["series_id"] < "p11", "first", "second")))


pytestmark = pytest.mark.usefixtures("quick_engine")


@pytest.fixture(scope="module")
def panel() -> Panel:
    return parts_panel()


def asked(panel: Panel, column: str | None, models: list[str], horizons: list[int]) -> Request:
    """A request that this process answers."""
    return replace(Request.of(panel, column, models, horizons), workers=1)


def past_members(request: Request, origins: int) -> list[QuantileTable]:
    """Members at past origins, and at those that they learn from."""
    return members_at(request, [past_origins(level, origins=origins, step=1) for level in request.levels])[0]


def present_members(request: Request) -> list[QuantileTable]:
    """Members from each series' last value, and at the origins that they learn from."""
    return members_at(request, [present_origins(level) for level in request.levels])[0]


@pytest.fixture(scope="module")
def tables(panel: Panel, quick_engine: None) -> list[QuantileTable]:  # noqa: ARG001  # it is there for what it does
    return past_members(asked(panel, "route_id", [ENSEMBLE], [1, 2]), origins=4)


def test_structural_model_runs_below_twenty_series() -> None:
    few, many = (models_to_run([ENSEMBLE], series) for series in (MANY - 1, MANY))
    assert few == [BASELINE, STRUCTURAL]
    assert many == [BASELINE]


def test_pooled_model_joins_from_twenty_series_on(panel: Panel) -> None:
    assert Request.of(panel, None, [ENSEMBLE], [1]).pooled == [POOLED]
    few = panel.select(panel.series_ids[:5])
    assert Request.of(few, None, [ENSEMBLE], [1]).pooled == []
    assert Request.of(few, None, [POOLED], [1]).pooled == [POOLED]
    with_prior = replace(Request.of(few, None, [ENSEMBLE], [1]), priors={"M": World.of([(panel, 0)]).before})
    assert with_prior.pooled == [POOLED], "with a prior on a small panel too"
    quarters = Panel("Q", few.matrix.set_axis(pd.period_range("2014Q1", periods=MONTHS, freq="Q")), few.groups)
    assert replace(with_prior, levels=[quarters]).pooled == [], "a prior of months says nothing of quarters"


def test_parts_use_pooled_model_and_totals_sum(tables: list[QuantileTable]) -> None:
    parts, totals = (set(table.keys["model_id"]) for table in tables)
    assert POOLED in parts & totals
    assert BOTTOM_UP in totals - parts
    own = tables[1].keys[tables[1].keys["model_id"] == BOTTOM_UP]
    assert not own.loc[(own["origin_date"] > "2021-07-31") & (own["horizon"] <= 2), "fallback"].any()


def test_every_model_stands_at_every_place_of_baseline(tables: list[QuantileTable]) -> None:
    for table in tables:
        check(to_rows(table), FORECASTS)
        assert {"vigie-baseline", POOLED} <= set(table.keys["model_id"])
        assert len(set(table.keys.groupby("model_id").size())) == 1


def test_missing_pooled_forecast_becomes_baseline(panel: Panel) -> None:
    matrix = panel.matrix.copy()
    matrix.iloc[:-6, 0] = np.nan
    request = asked(Panel("M", matrix, panel.groups), None, [POOLED], [1])
    keys = present_members(request)[0].keys
    fallen = keys[keys["fallback"] & (keys["model_id"] == POOLED) & (keys["origin_date"] == "2021-12-31")]
    assert fallen["series_id"].tolist() == [panel.series_ids[0]]
    assert fallen["reason"].tolist() == [NOT_POOLED]


@pytest.mark.slow
def test_present_carries_sum_of_parts_as_well(panel: Panel) -> None:
    totals = present_members(asked(panel, "route_id", [ENSEMBLE], [1]))[1]
    own = totals.keys[(totals.keys["model_id"] == BOTTOM_UP) & (totals.keys["origin_date"] == "2021-12-31")]
    assert own["horizon"].tolist() == [1] * len(own)
    assert not own["fallback"].any()


@pytest.mark.slow
def test_later_values_change_no_earlier_ensemble(panel: Panel, tmp_path: Path) -> None:
    matrix = panel.matrix.copy()
    matrix.iloc[-2:] = 7.0
    answers = []
    for name, one in (("ours", panel), ("other", Panel("M", matrix, panel.groups))):
        one.long().to_csv(tmp_path / f"{name}.csv", index=False)
        path = tmp_path / f"{name}.csv"
        made = run_backtest(path, origins=4, horizons=[1], models="ensemble", totals="route_id", workers=1)
        early = made[made["origin_date"] <= "2021-10-31"].drop(columns="observation")
        answers.append(early.reset_index(drop=True))
    assert answers[0]["series_id"].nunique() == 24
    pd.testing.assert_frame_equal(answers[0], answers[1])
