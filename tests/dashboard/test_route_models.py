"""Which figures of models stand beside each other on a route's page: of which month, series and score."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from dashboard import route_models
from dashboard.route_view import RouteView
from forecasting import BASELINE, ENSEMBLE

OWN, OTHER = "arrivals.CMR._T._T.M", "arrivals.EMR._T._T.M"
ENDS = pd.to_datetime(["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30", "2025-05-31"])
"""Months ahead of December; of a release of January the third that is planned for is April."""
LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


def view(origin: str = "", **frames: pd.DataFrame) -> RouteView:
    night = SimpleNamespace(as_of=dt.date(2025, 1, 31), frame=frames.__getitem__)
    return cast(RouteView, SimpleNamespace(night=night, series_id=OWN, origin=origin))


def forecasts() -> pd.DataFrame:
    """Each value encodes its model, its month and its level: 4050 is the first model's median of the fourth month."""
    rows = [
        (model, series, horizon, end, level, 10_000 * place + 1000 * horizon + 100 * level + (series == OTHER) * 7)
        for place, model in enumerate((ENSEMBLE, "vigie-ets", BASELINE, "vigie-structural"))
        for series in (OWN, OTHER)
        for horizon, end in enumerate(ENDS, 1)
        for level in LEVELS
    ]
    names = ["model_id", "series_id", "horizon", "target_end_date", "output_type_id", "value"]
    return pd.DataFrame(rows, columns=names).assign(output_type="quantile", fallback=False)


def scores() -> pd.DataFrame:
    ratios = {ENSEMBLE: 1.1, "vigie-ets": 0.8, BASELINE: 1.0, "vigie-structural": 0.7}
    rows = [
        (model, series, scale, horizon, ratio + 10 * (series != OWN) + 20 * (scale != "log") + 30 * (horizon != 4))
        for model, ratio in ratios.items()
        for series in (OWN, OTHER)
        for scale in ("natural", "log")
        for horizon in (3, 4, 5)
    ]
    return pd.DataFrame(rows, columns=["model_id", "series_id", "scale", "horizon", "relative_wis"])


def test_models_stand_by_score_after_ensemble() -> None:
    found = route_models.member_rows(view(forecasts=forecasts(), scores=scores()))
    assert found["model_id"].tolist() == [ENSEMBLE, BASELINE, "vigie-structural", "vigie-ets"]
    assert found["relative_wis"].tolist() == [1.1, 1.0, 0.7, 0.8]
    assert set(found["month"]) == {"April 2025"}
    first = found.iloc[0]
    assert [first[f"q{level}"] for level in (10, 25, 50, 75, 90)] == pytest.approx([4010, 4025, 4050, 4075, 4090])


def test_at_past_origin_models_have_quantiles_that_they_had_then() -> None:
    origins = pd.to_datetime(["2024-05-31", "2024-06-30"])
    rows = [
        (model, series, origin, horizon, 100.0 * horizon + (series == OTHER) + 10 * place)
        for model in (ENSEMBLE, BASELINE)
        for series in (OWN, OTHER)
        for place, origin in enumerate(origins)
        for horizon in (2, 3, 4)
    ]
    replays = pd.DataFrame(rows, columns=["model_id", "series_id", "origin_date", "horizon", "q50"])
    replays = replays.assign(
        target_end_date=replays["origin_date"] + pd.offsets.MonthEnd(3),
        **dict.fromkeys(("q10", "q25", "q75", "q90"), 1.0),
    )
    found = route_models.member_rows(view("2024-06-30", replays=replays, scores=scores()))
    assert found["model_id"].tolist() == [ENSEMBLE, BASELINE]
    assert found["q50"].tolist() == [310.0, 310.0]
    assert found["relative_wis"].tolist() == pytest.approx([31.1, 31.0])
    assert set(found["month"]) == {"September 2024"}
