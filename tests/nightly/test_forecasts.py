"""What a night keeps of its forecasts: how far, of whom, and what was cut off or stood in for another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecasting import BASELINE, ENSEMBLE, LEVELS
from forecasting.hindcast import run_work
from forecasting.panel import read_panel
from forecasting.pool import CUT_OFF
from forecasting.quantiles import QuantileTable
from nightly.forecasts import ForecastSet, _beside, _by_series, _cut_off, _groups, hindcasts
from store.releases.caches import BacktestStore
from tests.forecasting.frames import past_work


def rows(model_id: str, series_id: str, origin: str, horizon: int = 1, **other: object) -> dict[str, object]:
    return {
        "model_id": model_id, "series_id": series_id, "origin_date": pd.Timestamp(origin), "horizon": horizon,
        "fallback": False, "reason": "", **other,
    }  # fmt: skip


def test_cut_off_fits_are_counted_by_model() -> None:
    why = f"{CUT_OFF}: 60 s"
    made = pd.DataFrame([
        *(rows("slow", "a", origin, step, reason=why) for origin in ("2024-11-30", "2024-12-31") for step in (1, 2)),
        rows("slow", "b", "2024-12-31", reason=why), rows("slow", "c", "2024-12-31", reason="too short"),
        rows("fast", "a", "2024-12-31"),
    ])  # fmt: skip
    listed = [(one["model_id"], one["series_id"], one["fits"], one["reason"]) for one in _cut_off(made)]
    assert listed == [("slow", "a", 2, why), ("slow", "b", 1, why)]


def test_what_was_cut_off_is_tried_again_and_all_else_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    months = pd.period_range("2020-01", periods=40, freq="M").astype(str)
    panel = read_panel(pd.DataFrame({"series_id": "a", "time_period": months, "value": np.arange(40.0)}))
    work, cache = past_work(panel, origins=3, models=[BASELINE]), BacktestStore(tmp_path)

    def cut_off(*given: Any, **how: Any) -> QuantileTable:  # noqa: ANN401  # passed on
        made = run_work(*given, **how)
        last = made.keys["origin_date"] == made.keys["origin_date"].max()
        return replace(made, keys=made.keys.assign(reason=np.where(last, f"{CUT_OFF} after 2 s", "")))

    monkeypatch.setattr("nightly.forecasts.run_work", cut_off)
    nights = [hindcasts(work, cache, horizons=(1, 2))[1] for _ in range(2)]
    assert [night["origin_date"].nunique() for night in nights] == [3, 1]


def test_pooled_model_needs_single_series_models() -> None:
    learned = pd.DataFrame([rows("pooled", "a", origin) for origin in ("2024-10-31", "2024-11-30", "2024-12-31")])
    others = pd.DataFrame([
        rows(model_id, series_id, "2024-11-30", step)
        for model_id in ("ets", "theta") for series_id in ("a", "b") for step in (1, 2)
    ])  # fmt: skip
    assert _beside(learned, others)["origin_date"].tolist() == [pd.Timestamp("2024-11-30")]


def test_nationality_is_judged_by_itself_and_with_its_region() -> None:
    part = {"route_id": "EMR", "geo": "GRC"}
    cells = pd.DataFrame([part | {"series_id": name, "citizen": name} for name in ("SYR", "SYR", "MAR")])
    found = _groups(cells).set_index(["series_id", "kind"])["group"]
    assert found.to_dict() == {
        ("SYR", "region"): "Western Asia", ("MAR", "region"): "Northern Africa", ("SYR", "citizen"): "SYR",
        ("MAR", "citizen"): "MAR",
    }  # fmt: skip


def test_unused_nowcast_changes_nothing() -> None:
    levels = list(LEVELS)
    found = pd.DataFrame(
        {"series_id": "a", "output_type_id": levels[::-1], "value": [100.0 * one for one in levels[::-1]]}
    )
    assert _by_series(found)["a"].tolist() == [100.0 * one for one in levels]
    nothing = pd.DataFrame()
    made = ForecastSet(pd.DataFrame([rows(ENSEMBLE, "a", "2024-12-31")]), nothing, nothing, 0)
    assert made.with_nowcasts(found.assign(used=False)) is made
