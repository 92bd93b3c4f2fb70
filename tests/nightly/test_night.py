from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from threadpoolctl import threadpool_info, threadpool_limits  # type: ignore[import-untyped]  # it publishes no types

from core.errors import NothingToPublishError
from core.settings import Settings, load_settings
from nightly import RealTimeData
from nightly.night import run_night
from store.figures import VintageStore
from store.journal import Journal, journal_url
from store.releases import Release, ReleaseStore
from tests.nightly.conftest import without_forecasting

AS_OF = dt.date(2025, 1, 31)
pytestmark = pytest.mark.slow


def current(home: Path) -> Release:
    release = ReleaseStore(home).current()
    assert release is not None
    return release


def test_year_ahead_uses_same_paths(first_night: Path) -> None:
    release = current(first_night)
    rows = release.read("year_ahead").query("kind == 'calendar year' and ahead == 0").set_index("series_id")
    of_countries = rows.index.str.startswith("asylum_applications_first.")
    states = release.read("asylum_series").query("state == 'ok' and target == 'asylum_applications_first'")
    assert set(rows.index[of_countries].str.split(".").str[2]) == set(states["geo"])
    running = rows[~of_countries]
    assert set(running.index) == {"_T", *(f"arrivals.{route}._T._T.M" for route in ("CMR", "EMR", "WMR", "WAR", "CHA"))}
    assert set(running["first_period"]) == {"2025-01"}
    assert set(running["months_counted"]) == {0}
    paths = release.read("trajectories").groupby(["series_id", "output_type_id"])["value"].sum()
    for series_id, total in paths.groupby("series_id").median().items():
        assert running["median"].loc[[str(series_id)]].item() == pytest.approx(total, rel=0.02)
    months = release.read("observations").query("time_period >= '2024-01' and time_period <= '2024-12'")
    last = months.groupby("series_id")["obs_value"].sum()["arrivals.CMR._T._T.M"]
    assert running.loc["arrivals.CMR._T._T.M", "last_total"] == last
    assert (running["years"] <= 3).all()


def test_nothing_that_became_known_later_is_in_release(first_night: Path) -> None:
    release = current(first_night)
    assert release.read("observations")["as_of"].max() <= pd.Timestamp(AS_OF)
    assert release.read("backtest")["origin_date"].max() < pd.Timestamp("2024-12-31")
    assert release.manifest["replay"] is True


def test_every_figure_on_route_is_traceable_to_published_ones(first_night: Path) -> None:
    observations = current(first_night).read("observations")
    rows = observations.query("route_id == 'WAR' and citizen == '_T' and time_period == '2024-12'")
    assert rows.set_index("source_id")["obs_value"][["vigie-routes", "iom_dtm"]].tolist() == [5418, 5418]


def test_damaged_file_in_inbox_degrades_night_and_is_named(home: Path) -> None:
    before = VintageStore(home).as_of(AS_OF)
    (home / "inbox" / "uk_home_office").mkdir(parents=True)
    (home / "inbox" / "uk_home_office" / "boats.csv").write_text("<html>maintenance</html>")
    with without_forecasting(home):
        night = run_night(home, load_settings(home), AS_OF)
    assert [item["source_id"] for item in night.degraded] == ["uk_home_office"]
    assert "boats.csv" in night.degraded[0]["reason"]
    pd.testing.assert_frame_equal(VintageStore(home).as_of(AS_OF), before)


def test_night_without_figures_keeps_former_release(home: Path) -> None:
    former = current(home).run_id
    with pytest.raises(NothingToPublishError, match="no route can be forecast as known on 1999-12-31"):
        run_night(home, load_settings(home), dt.date(1999, 12, 31))
    assert current(home).run_id == former
    journal = Journal(journal_url("", home))
    assert journal.entries(action="nothing published")[-1].subject == "1999-12-31"
    journal.close()


def test_night_uses_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr("nightly.night._make_release", lambda _run: seen.extend(threadpool_info()))
    with threadpool_limits(2):
        assert {library["num_threads"] for library in threadpool_info()} == {2}
        run_night(tmp_path, Settings(), AS_OF)
    assert {library["num_threads"] for library in seen} == {1}


def test_outdated_routes_get_no_forecast(home: Path) -> None:
    date = dt.date(2026, 8, 31)
    data = RealTimeData(VintageStore(home).history(), date, load_settings(home).oldest_origin_months, 24)
    states = data.states.set_index("route_id")
    assert states.loc["EMR", "state"] == "too_old"
    assert "2024-12: too old for a forecast of the present" in str(states.loc["EMR", "note"])
    assert states.loc["CHA", "state"] == "ok"
    assert set(data.panel.matrix.columns) == {f"arrivals.{route}._T._T.M" for route in ("CHA", "CMR")}
    with without_forecasting(home):
        night = run_night(home, load_settings(home), date)
    assert {item["route_id"] for item in night.degraded if "route_id" in item} == {"EMR", "WMR", "WAR"}


def test_run_report_lists_steps_memory_and_omissions(first_night: Path) -> None:
    report = json.loads(current(first_night).document("run_report.json"))
    assert {"reading", "forecasting", "warning and scoring", "in all"} <= set(report["seconds"])
    assert report["past_forecasts_made"] > 100
    assert 100 < report["peak_megabytes"]["night"] < 20_000
    assert all(megabytes > 50 for megabytes in report["peak_megabytes"]["processes"])
    assert report["limits"] == {"seconds": 120, "megabytes": 2048}
    assert report["fits_cut_off"] == report["degraded"] == []
