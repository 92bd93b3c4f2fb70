"""A night's nowcast of the running month, and the forecast that follows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.release import DELAYS, FRESHNESS_CHANGES, NOWCASTS, REPORTING
from core.schema import check
from store.releases import Release, ReleaseStore

pytestmark = pytest.mark.slow
CHANNEL = "arrivals.CHA._T._T.M"


def release_of(home: Path) -> Release:
    release = ReleaseStore(home).current()
    assert release is not None
    return release


def test_the_channel_and_italy_are_nowcast_from_their_days(first_night: Path) -> None:
    found = check(release_of(first_night).read("nowcasts"), NOWCASTS)
    assert set(found["route_id"]) == {"CHA", "CMR"}
    assert set(found["target_end_date"]) == {pd.Timestamp("2025-01-31")}
    channel = found[found["series_id"] == CHANNEL]
    assert channel["last_day"].iloc[0] == pd.Timestamp("2025-01-30")
    assert (channel["value"] >= channel["so_far"]).all()
    assert channel["used"].all() and (channel["relative_wis"] < 0.5).all()


def test_a_nowcast_that_was_better_takes_the_place_of_the_first_month_and_paths_follow(first_night: Path) -> None:
    release = release_of(first_night)
    nowcast = release.read("nowcasts").query("series_id == @CHANNEL").sort_values("output_type_id")
    forecasts = release.read("forecasts")
    own = forecasts[(forecasts["model_id"] == "vigie-ensemble") & (forecasts["series_id"] == CHANNEL)]
    first = own[own["horizon"] == 1].sort_values("output_type_id")
    assert np.allclose(first["value"], nowcast["value"])
    assert not np.allclose(first["value"], nowcast["unsharpened"])
    paths = release.read("trajectories")
    drawn = paths[(paths["series_id"] == CHANNEL) & (paths["horizon"] == 1)]["value"]
    assert drawn.min() >= nowcast["so_far"].iloc[0] - 1e-6


def test_a_release_says_who_has_reported_how_late_and_what_changed(first_night: Path) -> None:
    release = release_of(first_night)
    check(release.read("delays"), DELAYS)
    reporting = check(release.read("reporting"), REPORTING)
    assert "eurostat" in set(reporting["source_id"])
    assert (reporting["reported"] <= reporting["expected"]).all()
    assert check(release.read("freshness_changes"), FRESHNESS_CHANGES).empty
