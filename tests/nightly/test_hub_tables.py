"""What a night brings to the hub."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import cast

import pandas as pd

from core.release import FORECASTS, RELEASE
from nightly import RealTimeData
from nightly.asylum import Asylum
from nightly.hub_tables import brought


def test_a_night_of_own_figures_alone_brings_counts_whose_days_are_days() -> None:
    series = "arrivals.X_CEUTA_BY_LAND._T._T.M"
    months = pd.DataFrame({"series_id": [series], "time_period": ["2024-12"], "value": [12.0]})
    published = months.rename(columns={"value": "obs_value"}).assign(as_of=pd.Timestamp("2025-01-10"), freq="M")
    data = SimpleNamespace(outcome_panel=SimpleNamespace(long=lambda: months), published=published)
    states = {name: RELEASE[name].empty() for name in ("asylum_series", "asylum_forecasts")}
    nothing = FORECASTS.empty()
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        _hindcasts, counts = brought(cast(RealTimeData, data), nothing, Asylum(states, nothing, nothing, []))
    assert counts["series_id"].tolist() == [series]
    assert {str(counts[name].dtype) for name in ("target_end_date", "as_of")} == {"datetime64[ns]"}
