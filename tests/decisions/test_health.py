"""Monitoring reports the state of a home folder and leaves it unchanged."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pandas as pd
import pytest

from cli.serve import application
from decisions import health as health_module
from decisions.health import Health, answer, check_settings, prometheus, read_health
from store import night_lock
from store.journal import Entry, Journal, journal_url
from store.releases import About, Release, ReleaseStore
from tests.release_tables import whole_release


@pytest.fixture
def home(tmp_path: Path, release_frames: dict[str, pd.DataFrame]) -> Path:  # the fixture of that name
    """A home folder after one night that took 21.5 seconds."""
    release = ReleaseStore(tmp_path).publish(release_frames, {}, About(dt.date(2025, 1, 31), "0.1.0", {}, {}))
    journal = Journal(journal_url("", tmp_path))
    payload = {"seconds": {"reading": 1.5, "in all": 21.5}}
    journal.record(Entry("nightly", "published degraded", release.run_id, release.run_id, payload=payload))
    journal.close()
    return tmp_path


def current(home: Path) -> Release:
    release = ReleaseStore(home).current()
    assert release is not None
    return release


def later(home: Path, **span: float) -> dt.datetime:
    return dt.datetime.fromisoformat(current(home).manifest["created_at"]) + dt.timedelta(**span)


def test_fresh_release_is_well_and_old_one_is_stale(home: Path) -> None:
    assert read_health(home, later(home, hours=35)).status == "ok"
    assert read_health(home, later(home, hours=37)).status == "stale"
    (home / "settings.toml").write_text("[operation]\nstale_hours = 48\n")
    assert read_health(home, later(home, hours=37)).status == "ok"


def test_release_that_lost_forecast_is_served_and_says_so_first(
    home: Path, release_frames: dict[str, pd.DataFrame]
) -> None:
    for state in ("ok", "too_old"):
        routes = pd.DataFrame({"route_id": ["CMR"], "state": state, "origin_date": pd.NaT, "note": ""})
        ReleaseStore(home).publish(
            whole_release(release_frames | {"routes": routes}), {}, About(dt.date(2025, 1, 31), "", {}, {})
        )
    code, _, body = answer(home, "/healthz")
    said = json.loads(body)
    assert (code, said["status"]) == (200, "degraded")
    assert said["reason"] == "no forecast any more for CMR (newest of 2025-01-31)"
    assert 'vigie_routes{state="ok"} 0\nvigie_routes{state="too_old"} 1\n' in answer(home, "/metrics")[2]


def test_running_night_is_named_with_its_stage(home: Path) -> None:
    assert json.loads(answer(home, "/healthz")[2])["running"] is None
    with night_lock(home) as note:
        note({"stage": "forecasting", "done": 12, "total": 48})
        running = json.loads(answer(home, "/healthz")[2])["running"]
        assert "vigie_night_running 1\n" in answer(home, "/metrics")[2]
    assert (running["stage"], running["done"], running["total"]) == ("forecasting", 12, 48)


def test_release_of_future_says_that_clock_is_wrong(home: Path) -> None:
    assert read_health(home, later(home, minutes=-30)).status == "ok"
    assert read_health(home, later(home, hours=-2)).status == "clock"


def test_health_answers_200_or_503_and_is_cached(home: Path) -> None:
    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(application(home))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            first = await client.get("/healthz")
            (home / "settings.toml").write_text("rubbish")
            return [first, await client.get("/healthz"), await client.get("/other"), await client.post("/healthz")]

    first, again, elsewhere, posted = asyncio.run(ask())
    assert (first.status_code, first.json()["status"], first.json()["run_id"]) == (200, "ok", current(home).run_id)
    assert first.json()["last_night"]["exit"] == 3
    assert first.headers["cache-control"] == "no-store"
    assert again.json() == first.json(), "asked at once again, it looks at nothing"
    assert (elsewhere.status_code, posted.status_code) == (404, 405)


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:8502", 200), ("localhost", 200), ("vigie.example.org", 200), ("evil.example.org", 400), ("", 400)],
)
def test_server_answers_under_its_own_names_alone(home: Path, host: str, status: int) -> None:
    (home / "settings.toml").write_text('dashboard_url = "https://vigie.example.org"\n')

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(application(home, "0.0.0.0"))  # noqa: S104  # nothing is bound
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get("/healthz", headers={"Host": host})

    assert asyncio.run(ask()).status_code == status


def test_missing_release_is_reported_and_not_created(tmp_path: Path) -> None:
    code, _, body = answer(tmp_path / "nowhere", "/healthz")
    assert (code, json.loads(body)["status"]) == (503, "no release")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("damaged", ["settings.toml", "journal.sqlite", "freshness.parquet", "manifest.json"])
def test_unreadable_home_is_reported_without_path(home: Path, damaged: str) -> None:
    for extra in ("-wal", "-shm"):
        (home / f"journal.sqlite{extra}").unlink(missing_ok=True)
    path = next(home.rglob(damaged), home / damaged)
    path.write_bytes(b"\xff rubbish " * 500)
    code, _, body = answer(home, "/healthz")
    is_altered = damaged in {"freshness.parquet", "manifest.json"}
    assert (code, json.loads(body)["status"]) == (503, "altered" if is_altered else "unreadable")
    assert not [word for word in (damaged, str(home), "codec", "rubbish") if word in body]


def test_release_that_was_altered_is_not_well(home: Path) -> None:
    assert answer(home, "/healthz")[0] == 200
    path = current(home).path / "forecasts.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    code, _, body = answer(home, "/healthz")
    assert (code, json.loads(body)["status"]) == (503, "altered")


@pytest.mark.parametrize(
    "address",
    ["postgresql://vigie:hush@127.0.0.1:9/inside", "postgresql://127.0.0.1:9/inside?user=vigie&password=hush"],
)
def test_nobody_learns_where_journal_lies(home: Path, address: str, capfd: pytest.CaptureFixture[str]) -> None:
    (home / "settings.toml").write_text(f'journal_url = "{address}"\n')
    answered = answer(home, "/healthz")[2] + "".join(capfd.readouterr())
    assert not [word for word in ("hush", "inside", "127.0.0.1", "user=") if word in answered], answered


@pytest.mark.parametrize(
    ("action", "code"), [("published", 0), ("published degraded", 3), ("nothing published", 1), ("not delivered", 1)]
)
def test_how_last_night_ended_is_reported_as_its_exit_code(home: Path, action: str, code: int) -> None:
    journal = Journal(journal_url("", home))
    journal.record(Entry("nightly", action, "r", "r", payload={"seconds": {"in all": 2}}))
    journal.close()
    night = read_health(home, later(home)).last_night
    assert night is not None
    assert (night["exit"], night["outcome"], night["seconds"]) == (code, action, 2)


@pytest.mark.parametrize(
    ("store", "seen", "told"),
    [
        ("", "2025-02-01T04:30:00+00:00", ["vigie_store_reached 1"]),
        ("no news since 2025-02-01", "2025-02-01T04:30:00+00:00", ["vigie_store_reached 0"]),
        ("not reached yet", "", ["vigie_store_reached 0"]),
        ("", "", []),
    ],
)
def test_metrics_state_shared_store(store: str, seen: str, told: list[str]) -> None:
    lines = prometheus(Health("ok", store=store, store_seen=seen)).splitlines()
    assert [line for line in lines if line.startswith("vigie_store_reached ")] == told


@pytest.mark.parametrize(
    ("disk", "status", "reason"),
    [
        ({"writable": True, "disk_free": 10_000_000}, "ok", ""),
        ({"writable": True, "disk_free": 9_999_999}, "degraded", "the disk is full: 'vigie home prune'"),
        ({"writable": False, "disk_free": 10_000_000}, "degraded", "the home folder cannot be written"),
    ],
)
def test_disk_below_ten_megabytes_is_full(
    home: Path, monkeypatch: pytest.MonkeyPatch, disk: dict[str, Any], status: str, reason: str
) -> None:
    monkeypatch.setattr(health_module, "_disk", lambda _home: disk)
    found = read_health(home, later(home))
    assert (found.status, found.reason) == (status, reason)


def test_release_is_stale_after_its_hours(home: Path) -> None:
    told = [
        read_health(home, later(home, seconds=seconds)).status for seconds in (36 * 3600, 36 * 3600 + 1, -3600, -3601)
    ]
    assert told == ["ok", "stale", "ok", "clock"]
    assert read_health(home, later(home, seconds=1.25)).age_seconds == 1.2


def test_low_disk_space_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(free: int) -> str:
        monkeypatch.setattr("decisions.health.shutil.disk_usage", lambda _path: SimpleNamespace(free=free))
        return next(check.problem for check in check_settings(tmp_path) if check.what == "home folder")

    assert told(500_000_000) == ""
    assert told(499_999_999) == f"{tmp_path}: 499 MB are free; 500 MB should be"
