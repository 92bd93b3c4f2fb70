"""Miniature evidence: a panel, sample paths and past forecasts that a reader can check by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

from alerts import BY_CITIZEN, DRIVERS, Evidence
from core import QUANTILE_LEVELS
from core.release import FRESHNESS, REVISIONS
from tests.release_tables import filled

LONGEST = 120
"""Characters of a sentence in English: three lines on a card."""

SERIES = "arrivals.CMR._T._T.M"
Build = Callable[..., pd.DataFrame]


@pytest.fixture(scope="session")
def panel() -> Build:
    """Build monthly outcomes that end in a month (December 2024 by default)."""

    def build(values: Sequence[float], *, end: str = "2024-12", series_id: str = SERIES) -> pd.DataFrame:
        months = pd.period_range(end=end, periods=len(values), freq="M").astype(str)
        return pd.DataFrame({"series_id": series_id, "time_period": months, "value": [float(v) for v in values]})

    return build


@pytest.fixture
def paths() -> Build:
    """Build sample paths from one row of monthly values per path, starting after an origin."""

    def build(futures: Sequence[Sequence[float]], *, origin: str = "2024-12", series_id: str = SERIES) -> pd.DataFrame:
        values = np.asarray(futures, dtype=float)
        months = pd.period_range(pd.Period(origin, "M") + 1, periods=values.shape[1], freq="M")
        frame = pd.DataFrame(
            {
                "model_id": "vigie-ensemble",
                "series_id": series_id,
                "origin_date": pd.Period(origin, "M").end_time.normalize(),
                "horizon": np.tile(np.arange(1, values.shape[1] + 1), len(values)),
                "target_end_date": np.tile(months.end_time.normalize().to_numpy(), len(values)),
                "output_type": "sample",
                "output_type_id": np.repeat(np.arange(len(values)), values.shape[1]),
                "value": values.ravel(),
            }
        )
        return frame.astype({"origin_date": "datetime64[ns]", "target_end_date": "datetime64[ns]"})

    return build


@pytest.fixture(scope="session")
def issued() -> Build:
    """Build quantile forecasts: at each origin, one row of 23 values per month ahead."""

    def build(
        quantiles: dict[str, Sequence[Sequence[float]]], *, series_id: str = SERIES, model_id: str = "vigie-ensemble"
    ) -> pd.DataFrame:
        rows = [
            (model_id, series_id, pd.Period(origin, "M"), ahead, level, float(value))
            for origin, months in quantiles.items()
            for ahead, values in enumerate(months, start=1)
            for level, value in zip(QUANTILE_LEVELS, values, strict=True)
        ]
        names = ["model_id", "series_id", "origin", "horizon", "output_type_id", "value"]
        frame = pd.DataFrame(rows, columns=names)
        frame = frame.astype({"horizon": "int64", "output_type_id": float, "value": float})
        origins = pd.PeriodIndex(frame.pop("origin"), freq="M")
        frame["origin_date"] = origins.end_time.normalize().astype("datetime64[ns]")
        ends = pd.PeriodIndex(
            [origin + ahead for origin, ahead in zip(origins, frame["horizon"], strict=True)], freq="M"
        )
        frame["target_end_date"] = ends.end_time.normalize().astype("datetime64[ns]")
        return frame.assign(output_type="quantile")

    return build


@pytest.fixture
def freshness() -> Build:
    """Build ages of sources from (source_id, state) pairs."""

    def build(*states: tuple[str, str]) -> pd.DataFrame:
        frame = pd.DataFrame(states, columns=["source_id", "state"]).astype(object)
        days = pd.Series([pd.Timestamp("2024-11-30")] * len(frame), dtype="datetime64[ns]")
        ages = {"age_days": np.full(len(frame), 62), "expected_days": np.full(len(frame), 35)}
        frame = frame.assign(last_period=pd.Series(["2024-11"] * len(frame), dtype=object), last_as_of=days, **ages)
        return filled(frame, FRESHNESS)

    return build


@pytest.fixture
def evidence(panel: Build, paths: Build, issued: Build, freshness: Build) -> Callable[..., Evidence]:
    """Build the evidence of a night from a few of its frames; the others are empty."""

    def build(**frames: pd.DataFrame) -> Evidence:
        nothing = {
            "panel": panel([]),
            "trajectories": paths([[0.0]]).iloc[:0],
            "backtest": issued({}),
            "freshness": freshness(),
            "revisions": REVISIONS.empty(),
            "by_citizen": pd.DataFrame(columns=list(BY_CITIZEN)),
            "drivers": pd.DataFrame(columns=list(DRIVERS)),
        }
        return Evidence(as_of=dt.date(2024, 12, 31), **(nothing | frames))

    return build
