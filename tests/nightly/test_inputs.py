"""Inputs are read, judged and reported before and while they are stored."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from core.errors import StoreError
from core.settings import Settings
from ingest.rows import observations
from nightly import night
from nightly.inputs import forecast_of
from store.releases import Release


def test_new_figures_stand_beside_their_forecast() -> None:
    def landings(*months: str) -> pd.DataFrame:
        tidy = pd.DataFrame({"time_period": months, "obs_value": [900.0, 910.0, 920.0][: len(months)]})
        fixed = {"target": "arrivals", "route_id": "WMR", "geo": "ESP", "citizen": "_T", "freq": "M"}
        return observations(tidy, source_id="iom_dtm", lag_days=10, **fixed)

    known, rows = landings("2024-10", "2024-11"), landings("2024-10", "2024-11", "2024-12")
    named = {rows["series_id"].iloc[0], "arrivals.WMR._T._T.M"}
    ends = [(series, level, value) for series in named for level, value in LEVELS.items()]
    table = pd.DataFrame(ends, columns=["series_id", "output_type_id", "value"]).assign(
        model_id="vigie-ensemble", target_end_date=pd.Timestamp("2024-12-31")
    )
    release = cast("Release", SimpleNamespace(names=["forecasts"], read=lambda _name, columns: table[columns]))
    found = forecast_of(rows, known, known.iloc[:0], release)
    assert set(found["series_id"]) == named
    assert set(found["time_period"]) == {"2024-12"}
    assert found[["obs_value", "low", "high"]].drop_duplicates().to_numpy().tolist() == [[920.0, 500.0, 1500.0]]
    assert forecast_of(rows, rows, known.iloc[:0], release).empty, "nothing is new"


LEVELS = {0.01: 500.0, 0.5: 900.0, 0.99: 1500.0}


def test_failed_pruning_does_not_stop_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []

    def refuse(_home: Path, nights: int) -> list[object]:
        kept.append(nights)
        raise StoreError("disk is read-only")

    monkeypatch.setattr(night, "prune", refuse)
    settings = Settings.model_validate({"operation": {"keep_nights": 40}})
    night._remove_old_releases(tmp_path, settings)
    assert kept == [40]
