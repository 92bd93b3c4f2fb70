from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecasting import LEVELS, NORMAL_SCORES
from forecasting.panel import Panel, read_panel
from forecasting.verification import COLUMNS, FEW, NARROW, group_errors, summarise
from forecasting.verification.verdict import WORSE

MONTHS, ORIGINS = 84, 40


@pytest.fixture(scope="module")
def world() -> tuple[Panel, pd.DataFrame]:
    """Two series with the same noise: forecasts of ``fair`` know its median and spread, those of ``low`` halve it."""
    random = np.random.default_rng(5)
    values = {name: np.exp(6 + 0.3 * random.standard_normal(MONTHS)) for name in ("fair", "low")}
    periods = pd.period_range("2015-01", periods=MONTHS, freq="M")
    rows = [
        {"series_id": name, "time_period": str(period), "value": value}
        for name, line in values.items()
        for period, value in zip(periods, line, strict=True)
    ]
    lines = []
    for name, factor in (("fair", 1.0), ("low", 0.5)):
        for place in range(MONTHS - 1 - ORIGINS, MONTHS - 1):
            quantiles = factor * np.exp(6 + 0.3 * NORMAL_SCORES * (1.0 if name == "fair" else 0.4))
            lines += [
                {
                    "model_id": "vigie-ensemble", "series_id": name, "origin_date": periods[place].end_time.normalize(),
                    "horizon": 1, "target_end_date": periods[place + 1].end_time.normalize(),
                    "output_type": "quantile", "output_type_id": level, "value": value,
                }
                for level, value in zip(LEVELS, quantiles, strict=True)
            ]  # fmt: skip
    return read_panel(pd.DataFrame(rows)), pd.DataFrame(lines)


def groups(**of: str) -> pd.DataFrame:
    place = {"kind": "region", "route_id": "CMR", "geo": "_T"}
    return pd.DataFrame([{"series_id": name, "group": group, **place} for name, group in of.items()])


def test_group_served_worse_is_marked_and_not_averaged_away(world: tuple[Panel, pd.DataFrame]) -> None:
    panel, forecasts = world
    found = group_errors(forecasts, panel, groups(fair="A", low="B")).set_index("group")
    assert list(found.reset_index()[COLUMNS].columns) == COLUMNS
    assert found.loc["A", "mark"] == ""
    assert found.loc["B", "mark"] == WORSE
    assert float(found["relative_wis"]["A"]) < 1 < float(found["relative_wis_lo"]["B"])


def test_forecasts_that_are_too_low_have_negative_bias(world: tuple[Panel, pd.DataFrame]) -> None:
    panel, forecasts = world
    found = group_errors(forecasts, panel, groups(fair="A", low="B")).set_index("group")["bias"]
    assert found["B"] < -0.8
    assert abs(found["A"]) < 0.25


def test_group_of_all_series_agrees_with_scores_of_all(world: tuple[Panel, pd.DataFrame]) -> None:
    panel, forecasts = world
    together = group_errors(forecasts, panel, groups(fair="all", low="all")).iloc[0]
    scores = summarise(forecasts, panel)
    expected = scores[(scores["series_id"] == "_T") & (scores["scale"] == "log")].iloc[0]
    assert together["relative_wis"] == pytest.approx(expected["relative_wis"])
    assert together["coverage_80"] == pytest.approx(expected["coverage_80"])
    assert (together["n"], together["n_series"]) == (2 * ORIGINS, 2)


def test_intervals_that_hold_too_little_are_marked(world: tuple[Panel, pd.DataFrame]) -> None:
    panel, forecasts = world
    middle = forecasts.groupby(["series_id", "origin_date"])["value"].transform("median")
    narrow = forecasts.assign(value=middle + 0.3 * (forecasts["value"] - middle))
    found = group_errors(narrow, panel, groups(fair="A")).iloc[0]
    assert (found["mark"], found["relative_wis_lo"] > 1) == (NARROW, False)


def test_handful_of_forecasts_says_nothing(world: tuple[Panel, pd.DataFrame]) -> None:
    panel, forecasts = world
    few = forecasts[forecasts["origin_date"] >= sorted(forecasts["origin_date"].unique())[-10]]
    assert group_errors(few, panel, groups(low="B"))["mark"].tolist() == [FEW]


def test_without_groups_or_forecasts_there_are_no_rows(world: tuple[Panel, pd.DataFrame]) -> None:
    panel, forecasts = world
    assert group_errors(forecasts, panel, groups(fair="A").iloc[:0]).empty
    assert group_errors(forecasts.iloc[:0], panel, groups(fair="A")).empty
