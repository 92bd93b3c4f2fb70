"""What must be known about forecasts: who is far above the record, who is flat, and how the ensemble came about."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core import QUANTILE_LEVELS
from forecasting.diagnostics import Diagnostics, account_of
from forecasting.panel import Panel, panel_from_rows
from forecasting.quantiles import QuantileTable

MONTHS = ["2024-01", "2024-02", "2024-03"]
ORIGIN = pd.Timestamp("2024-02-29")


@pytest.fixture
def panel() -> Panel:
    """One series that rises, one that is always seven and one of nobody."""
    values = {"flat": [7.0, 7.0, 7.0], "nobody": [0.0, 0.0, 0.0], "rising": [2.0, 5.0, 90.0]}
    rows = [(name, month, value) for name, own in values.items() for month, value in zip(MONTHS, own, strict=True)]
    return panel_from_rows(pd.DataFrame(rows, columns=["series_id", "time_period", "value"]))


def table(tops: dict[str, list[float]], low: float | None = None) -> QuantileTable:
    """Forecasts from February of some series whose highest quantiles are given, by horizon; the others are ``low``."""
    rows = [(name, step, top) for name, own in tops.items() for step, top in enumerate(own, 1)]
    keys = pd.DataFrame(rows, columns=["series_id", "horizon", "top"]).assign(model_id="m", origin_date=ORIGIN)
    keys = keys.assign(fallback=False, reason="", capped=False)
    quantiles = np.repeat(keys[["top"]].to_numpy(), len(QUANTILE_LEVELS), axis=1)
    if low is not None:
        quantiles[:, :-1] = low
    return QuantileTable(keys.drop(columns="top"), quantiles)


def test_what_stands_in_what_was_cut_and_what_has_ended_is_told_with_as_many_names_as_are_asked_for(
    panel: Panel,
) -> None:
    fallen = pd.DataFrame({"model_id": "m", "reason": "short", "series_id": list("abcd"), "forecasts": [1, 2, 3, 4]})
    capped = pd.DataFrame({"model_id": "m", "series_id": ["a"], "forecasts": [1]})
    none = capped.iloc[:0]
    found = Diagnostics(9, fallen, capped, none, ended=("x (2020-01)", "y (2021-01)"), panel=panel)
    assert found.lines(names=2) == [
        "read as monthly",
        "not forecast, for they have ended: x (2020-01), y (2021-01)",
        "m: the baseline stands in (short) in 10 forecasts of 4 of 9 series: a, b and 2 more",
        "m: quantiles were cut at the series' cap in 1 forecast of 1 of 9 series: a",
    ]
    assert found.lines(names=1)[1].endswith("x (2020-01) and 1 more")
    assert found.lines()[2].endswith("a, b, c, d")


def test_the_ensembles_newest_weights_and_factors_are_told_horizon_by_horizon(panel: Panel) -> None:
    keys = pd.DataFrame(
        [("rising", ORIGIN, 1, 0.5), ("flat", ORIGIN, 1, 0.8), ("nobody", ORIGIN, 1, 1.4), ("rising", ORIGIN, 3, 1.0),
         ("rising", pd.Timestamp("2024-01-31"), 1, 9.0)],
        columns=["series_id", "origin_date", "horizon", "spread_factor"],
    ).assign(model_id="vigie-ensemble")  # fmt: skip
    weights = pd.DataFrame(
        [("a", ORIGIN, 1, 0.75), ("b", ORIGIN, 1, 0.25), ("a", ORIGIN, 3, 1.0),
         ("b", pd.Timestamp("2024-01-31"), 1, 1.0)],
        columns=["model_id", "origin_date", "horizon", "weight"],
    )  # fmt: skip
    assert account_of(QuantileTable(keys, np.zeros((len(keys), 23))), weights, panel) == [
        "vigie-ensemble, origin 2024-02-29, h=1, 3 series: weights a 0.75, b 0.25; "
        "spread times 0.50 to 1.40, in the middle 0.80",
        "vigie-ensemble, origin 2024-02-29, h=3, 1 series: weights a 1.00; "
        "spread times 1.00 to 1.00, in the middle 1.00",
    ]
