"""What must be known about forecasts: who is far above the record, who is flat, and how the ensemble came about."""

from __future__ import annotations

import pandas as pd
import pytest

from forecasting.panel import Panel, read_panel
from forecasting.quantiles import QuantileTable
from forecasting.runs import Made

MONTHS = ["2024-01", "2024-02", "2024-03"]


@pytest.fixture
def panel() -> Panel:
    """One series that rises, one that is always seven and one of zeros."""
    values = {"flat": [7.0, 7.0, 7.0], "zero": [0.0, 0.0, 0.0], "rising": [2.0, 5.0, 90.0]}
    rows = [(name, month, value) for name, own in values.items() for month, value in zip(MONTHS, own, strict=True)]
    return read_panel(pd.DataFrame(rows, columns=["series_id", "time_period", "value"]))


def test_diagnostics_list_limited_names(panel: Panel) -> None:
    remarks = pd.DataFrame({"remark": ["short"] * 4 + ["capped"], "series_id": list("abcda"), "forecasts": range(1, 6)})
    table = QuantileTable(pd.DataFrame({"series_id": list("abcdefghi")}), panel.matrix.to_numpy())
    found = Made(table, panel, remarks.assign(model_id="m"), [], panel.counted(), ("x (2020-01)", "y (2021-01)"))
    assert found.lines(names=2) == [
        "read as monthly",
        "not forecast, for they have ended: x (2020-01), y (2021-01)",
        "m: short in 10 forecasts of 4 of 9 series: a, b and 2 more",
        "m: capped in 5 forecasts of 1 of 9 series: a",
    ]
    assert found.lines(names=1)[1].endswith("x (2020-01) and 1 more")
    assert found.lines()[2].endswith("a, b, c, d")
