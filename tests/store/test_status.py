from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd

from store.releases import ReleaseStore, predecessor
from store.status import forecast_coverage, issued_skill, read_status
from tests.release_tables import whole_release
from tests.store.test_releases import DOCUMENTS, about


def test_empty_home_has_no_release_no_run_and_is_left_empty(tmp_path: Path) -> None:
    home = tmp_path / "home"
    found = read_status(home)
    assert found["release"] is None and found["last_run"] is None and found["sources"] == []
    assert not home.exists()


def test_route_names_last_release_with_forecast(tmp_path: Path, release_frames: dict[str, pd.DataFrame]) -> None:
    store, runs = ReleaseStore(tmp_path), []
    for states in (("ok", "missing"), ("too_old", "missing"), ("too_old", "ok")):
        routes = pd.DataFrame({"route_id": ["CMR", "EMR"], "state": states, "origin_date": pd.NaT, "note": ""})
        runs.append(store.publish(whole_release(release_frames | {"routes": routes}), DOCUMENTS, about()))
    newest = {row["route_id"]: (row["state"], row["run_id"]) for row in forecast_coverage(store, runs[1])}
    assert newest == {"CMR": ("too_old", runs[0].run_id), "EMR": ("missing", "")}


def test_night_continues_newest_earlier_release(tmp_path: Path, release_frames: dict[str, pd.DataFrame]) -> None:
    store, real = ReleaseStore(tmp_path), about("2025-02-28")
    replay = about("2024-12-31", replay=True)
    runs = [store.publish(release_frames, DOCUMENTS, one) for one in (replay, real, replay)]

    def found(day: dt.date, *, is_replay: bool) -> str:
        release = predecessor(store.all(), day, replay=is_replay)
        return "" if release is None else release.run_id

    assert found(dt.date(2025, 3, 1), is_replay=False) == runs[1].run_id
    assert found(dt.date(2025, 3, 1), is_replay=True) == runs[2].run_id
    assert found(dt.date(2025, 1, 1), is_replay=False) == runs[2].run_id
    assert found(dt.date(2024, 1, 1), is_replay=False) == ""


def test_skill_of_issued_forecasts_is_ratio_of_sums_by_horizon(tmp_path: Path) -> None:
    scores = pd.DataFrame({
        "horizon": [1, 1, 2],
        "wis_log": [1.0, 3.0, 2.0], "reference_log": [4.0, 4.0, 1.0],
        "wis_natural": [10.0, 20.0, 5.0], "reference_natural": [20.0, 40.0, 5.0],
        "covered_50": [1.0, 0.0, 1.0], "covered_80": [1.0, 1.0, 0.0], "covered_95": [1.0, 1.0, 1.0],
    })  # fmt: skip
    near, far = issued_skill(scores).to_dict("records")
    assert near == {
        "horizon": 1, "n": 2, "relative_wis_log": 0.5, "relative_wis_natural": 0.5,
        "coverage_50": 0.5, "coverage_80": 1.0, "coverage_95": 1.0,
    }  # fmt: skip
    assert (far["n"], far["relative_wis_log"], far["relative_wis_natural"], far["coverage_80"]) == (1, 2.0, 1.0, 0.0)
    assert issued_skill(scores.iloc[:0]).empty
    assert read_status(tmp_path)["issued"] == []
