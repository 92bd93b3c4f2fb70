"""What ``vigie status`` says, line by line."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from cli.releases import _age, _status_lines
from store.releases import ReleaseStore
from tests.cli.command_line import command, vigie
from tests.delivery import publish

ROUTES = [
    {"route_id": "CMR", "state": "ok", "run_id": "", "as_of": ""},
    {"route_id": "EMR", "state": "too_old", "run_id": "r1", "as_of": "2024-12-01"},
    {"route_id": "WMR", "state": "too_old", "run_id": "", "as_of": ""},
]
FOUND: dict[str, Any] = {
    "home": "var",
    "drill": False,
    "running": None,
    "release": {
        "run_id": "r2", "as_of": "2025-01-31", "replay": False,
        "degraded": [{"source_id": "a_bureau", "reason": "no answer"}],
    },
    "routes": ROUTES,
    "sources": [
        {"source_id": "a_bureau", "state": "overdue", "last_period": "2024-11"},
        {"source_id": "b", "state": "of its own", "last_period": "2024-12"},
    ],
    "stopped": [{"source_id": "b", "target": "arrivals", "freq": "M", "last_period": "2020-08"}],
    "alerts": {"severe": 1, "watch": 2},
    "issued": [
        {"horizon": 1, "relative_wis_log": 0.904, "n": 12}, {"horizon": 3, "relative_wis_log": 1.1, "n": 7},
    ],
    "held": [{"edition_id": "e1", "why_held": "another unit"}],
    "last_run": {"at": "2025-01-31 03:00", "outcome": "published"},
}  # fmt: skip


def test_status_lists_missing_routes_first() -> None:
    assert _status_lines(FOUND).splitlines() == [
        "No forecast for 2 of 3 routes: EMR Eastern Mediterranean (newest: r1, as known on 2024-12-01); "
        "WMR Western Mediterranean",
        "Release r2, as known on 2025-01-31",
        "  forecast: CMR Central Mediterranean",
        "  degraded: a_bureau: no answer",
        "  a_bureau             overdue      to 2024-11",
        "  b                    of its own   to 2024-12",
        "  b                    stopped      to 2020-08: arrivals, M",
        "Alerts: 1 severe, 2 watch",
        "Forecasts scored as they were issued, WIS relative to the baseline (forecasts): "
        "1 ahead 0.90 (12), 3 ahead 1.10 (7)",
        "Held for a person: e1: another unit",
        "Last run: 2025-01-31 03:00, published",
    ]


def test_status_fails_without_release(tmp_path: Path) -> None:
    assert vigie(tmp_path, "status").exit_code == 1
    publish(tmp_path, ["surge.CMR.0001"])
    assert vigie(tmp_path, "status").exit_code == 0


@pytest.mark.parametrize(("releases", "said"), [(1, "1 release verified: "), (2, "2 releases verified: ")])
def test_verify_prints_number_of_releases(tmp_path: Path, releases: int, said: str) -> None:
    for _night in range(releases):
        publish(tmp_path, ["surge.CMR.0001"])
    assert vigie(tmp_path, "verify").stdout.startswith(said)
    assert json.loads(vigie(tmp_path, "verify", "--json").stdout) == {"releases": releases, "problem": None}


def test_verify_as_json_names_altered_file(tmp_path: Path) -> None:
    publish(tmp_path, ["surge.CMR.0001"])
    (release,) = ReleaseStore(tmp_path).all()
    (release.path / "forecasts.parquet").write_bytes(b"x")
    done = command("verify", "--json", home=tmp_path)
    found = json.loads(done.stdout)["problem"]
    assert (done.returncode, found["run_id"], "forecasts.parquet" in found["file"]) == (1, release.run_id, True)


def test_export_takes_options_before_table(tmp_path: Path) -> None:
    publish(tmp_path, ["surge.CMR.0001"])
    after = vigie(tmp_path, "export", "alerts", "--format", "json").stdout
    assert command("export", "--format", "json", "alerts", home=tmp_path).stdout == after
    assert "surge.CMR.0001" in after


@pytest.mark.parametrize(
    ("today", "age"),
    [("2025-01-31", "0 days"), ("2025-02-01", "1 day"), ("2025-04-01", "60 days"), ("2025-04-02", "2 months"),
     ("2026-11-30", "22 months")],
)  # fmt: skip
def test_age_of_replay_is_in_days_then_in_months(today: str, age: str) -> None:
    assert _age("2025-01-31", dt.date.fromisoformat(today)) == age


@pytest.mark.parametrize("release", [None, FOUND["release"]])
def test_status_says_first_that_night_is_running(release: dict[str, Any] | None) -> None:
    night = {
        "started": "2025-02-01T03:00:00+00:00", "as_of": "2025-01-31", "stage": "forecasting", "stages_done": 1,
        "stages": 6, "step": "Fitting", "done": 12, "total": 48, "seconds_left": 61,
    }  # fmt: skip
    assert _status_lines(FOUND | {"release": release, "running": night}).splitlines()[0] == (
        "A night is running since 2025-02-01T03:00:00+00:00, as known on 2025-01-31: "
        "forecasting: Fitting, 12 of 48, about 1 min left"
    )
