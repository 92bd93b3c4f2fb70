"""Data and forecasts of past origins in a release."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest

from core import QUANTILE_LEVELS
from forecasting.panel import Panel, read_panel
from nightly import RealTimeData, tables
from nightly.tables import differences, hindcast_table

ORIGIN = pd.Timestamp("2020-03-31")


def panel(values: dict[str, list[float]]) -> Panel:
    months = pd.period_range("2020-01", periods=4, freq="M").astype(str)
    return read_panel(
        pd.DataFrame(
            [
                {"series_id": name, "time_period": month, "value": float(value)}
                for name, column in values.items()
                for month, value in zip(months, column, strict=True)
            ]
        )
    )


def forecast(model_id: str, centre: float) -> pd.DataFrame:
    levels = np.asarray(QUANTILE_LEVELS)
    return pd.DataFrame(
        {
            "model_id": model_id, "series_id": "a", "origin_date": ORIGIN, "horizon": np.repeat([1, 2], len(levels)),
            "target_end_date": np.repeat(pd.to_datetime(["2020-04-30", "2020-05-31"]), len(levels)),
            "output_type": "quantile", "output_type_id": np.tile(levels, 2),
            "value": np.tile(centre * (0.5 + levels), 2),
        }
    )  # fmt: skip


def test_replay_has_score_if_month_was_counted() -> None:
    made = hindcast_table(
        pd.concat([forecast("vigie-ensemble", 40.0), forecast("vigie-baseline", 90.0)]), panel({"a": [1, 2, 3, 40]})
    )
    assert len(made) == 4
    assert made.loc[made["horizon"] == 1, "wis"].notna().all()
    assert made.loc[made["horizon"] == 2, "wis"].isna().all()
    near, far = (
        made[(made["horizon"] == 1) & (made["model_id"] == f"vigie-{name}")] for name in ("ensemble", "baseline")
    )
    assert near[["q10", "q50", "q90"]].to_numpy().tolist() == [[24.0, 40.0, 56.0]]
    assert near["wis"].sum() < far["wis"].sum()


def test_only_changed_values_are_listed() -> None:
    now = panel({"a": [10, 20, 30, 40], "b": [1, 2, 3, 4]})
    then = panel({"a": [10, 15, 30, 40], "b": [1, 2, 3, 4]})
    found = differences(then, now, ORIGIN)
    assert found[["series_id", "time_period", "obs_value"]].to_numpy().tolist() == [["a", "2020-02", 15.0]]


def test_own_breakdown_enters_release_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("freshness", "changes", "reporting"):
        monkeypatch.setattr(tables, name, lambda *_given: pd.DataFrame())
    sources, citizens = ["own_post", "own_post", "iom_dtm"], ["SYR", "_T", "SYR"]
    rows = pd.DataFrame({"source_id": sources, "citizen": citizens, "obs_value": [3.0, 3.0, 3.0]})
    data = SimpleNamespace(
        observations=rows, known=None, date=None, published=None, outcomes=pd.DataFrame(), editions=dict,
        states=pd.DataFrame({"route_id": ["CMR"]}),
    )  # fmt: skip
    aside = pd.DataFrame({"source_id": ["own_post", "iom_dtm"], "record": ["SYR,3", "SYR,3"]})
    made = tables.data_tables(cast(RealTimeData, data), {}, aside, None)
    assert made["observations"]["obs_value"].to_list() == [5.0, 3.0, 3.0]
    assert made["rejected"]["record"].to_list() == ["", "SYR,3"]
