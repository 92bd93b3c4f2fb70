"""The page on asylum applications: by destination, by citizenship, and what is missing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from core.languages import Language
from core.release import RELEASE
from forecasting import BASELINE, ENSEMBLE
from reports import asylum, numbers, reception
from reports.record import other_figures

from .asylum_frames import asylum_frames
from .conftest import AS_OF

QUARTERLY = "asylum_applications_first.Q"


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    return asylum_frames(pd.Timestamp(AS_OF))


def test_only_kinds_with_forecast_are_offered(frames: dict[str, pd.DataFrame]) -> None:
    series = frames["asylum_series"].iloc[::-1]
    assert asylum.kinds(series) == [QUARTERLY]
    assert len(asylum.kinds(series.assign(state="too_old"))) == 2


def test_destinations_are_ordered_by_their_newest_applications(frames: dict[str, pd.DataFrame]) -> None:
    order = asylum.destinations(frames["asylum_series"], frames["observations"], QUARTERLY)
    assert order == ["DEU", "FRA", "ESP", "ITA", "AUT", "MLT"]


def test_countries_are_planned_by_last_count_unless_forecast_is_better(frames: dict[str, pd.DataFrame]) -> None:
    night: Any = SimpleNamespace(as_of=AS_OF, frame=frames.__getitem__)
    found = asylum.by_destination(night, QUARTERLY, ["AUT", "DEU"])
    assert found["geo"].tolist() == ["DEU", "AUT"]
    assert found["model_id"].unique().tolist() == [ENSEMBLE]
    frames = frames | {"asylum_scores": frames["asylum_scores"].assign(relative_wis_hi=2.0, p_holm=1.0)}
    night = SimpleNamespace(as_of=AS_OF, frame=frames.__getitem__)
    assert asylum.by_destination(night, QUARTERLY, ["DEU"])["model_id"].tolist() == [BASELINE]
    frames |= {
        name: RELEASE[name].empty() for name in reception.FRAMES if name not in frames or name == reception.FRAMES[0]
    }
    assert [one.model_id for one in other_figures(night, Language("en")).values()] == [BASELINE]  # type: ignore[union-attr]  # no stock


def test_former_release_is_said_to_be_unchanged_or_what_it_said(frames: dict[str, pd.DataFrame]) -> None:
    night: Any = SimpleNamespace(as_of=AS_OF, frame=frames.__getitem__)
    view, counts = asylum.forecast_of(night, QUARTERLY, "DEU"), frames["observations"]
    assert asylum.since_words(view, night, Language("en")) == "Unchanged since 31 January 2025: no new count."
    older = frames | {"observations": counts[counts["time_period"] != "2024-Q3"]}
    night = SimpleNamespace(as_of=AS_OF, frame=older.__getitem__)
    assert asylum.since_words(view, night, Language("en")).startswith("As of 31 January 2025, Germany: plan with ")


def test_earlier_quarters_begin_whole_years_back(frames: dict[str, pd.DataFrame]) -> None:
    history = numbers.series_of(frames["observations"], "asylum_applications_first._Z.DEU._T.Q", "Q")
    found = numbers.earlier(frames["asylum_replays"], "asylum_applications_first._Z.DEU._T.Q", history)
    assert found["origin_date"].unique().tolist() == [pd.Timestamp("2023-09-30")]
    assert found["target_end_date"].max() == pd.Timestamp("2024-09-30")
