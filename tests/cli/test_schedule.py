"""The schedule of ``vigie serve``."""

from __future__ import annotations

import datetime as dt
import signal
import threading
import time
from pathlib import Path
from typing import Any, cast

import pytest
import structlog

from cli import serve
from cli.serve import BACKUP, Children, Jobs, first_night, night_trigger, start_schedule
from core.errors import InputError
from decisions.health import OK, Health
from tests.servers import LONGEST_SECONDS

NOW = dt.datetime(2026, 11, 30, 12, 0).astimezone()
"""In the time zone of this machine, as the schedule's times are."""


def last_night(monkeypatch: pytest.MonkeyPatch, ended: dt.datetime | None) -> None:
    """Make the health of every home name a last night."""
    night = {"at": ended.astimezone(dt.UTC).isoformat()} if ended else None
    monkeypatch.setattr("decisions.health.read_health", lambda _home: Health(OK, last_night=night))


@pytest.mark.parametrize(
    ("ended", "due"),
    [
        (NOW.replace(hour=3, minute=50), NOW.replace(day=1, month=12, hour=3, minute=30)),
        (NOW.replace(hour=2), NOW.replace(hour=3, minute=30)),
        (NOW.replace(day=27), NOW.replace(day=28, hour=3, minute=30)),
        (None, NOW.replace(hour=3, minute=30)),
    ],
    ids=["done", "missed", "missed for days", "never"],
)
def test_first_night_follows_last_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ended: dt.datetime | None, due: dt.datetime
) -> None:
    last_night(monkeypatch, ended)
    assert first_night(tmp_path, night_trigger("03:30"), NOW) == due


class Recorded:
    """Children that only record what is started."""

    def __init__(self, exit_code: int = 0) -> None:
        self.started: list[tuple[str, ...]] = []
        self.has_started = threading.Event()
        self._exit_code = exit_code

    def start(self, *words: str) -> Any:  # noqa: ANN401  # stands for a process
        self.started.append(words)
        self.has_started.set()
        return self

    def wait(self) -> int:
        return self._exit_code


def test_night_missed_three_times_runs_once() -> None:
    children, trigger = Recorded(), night_trigger("03:30")
    now = dt.datetime.now(dt.UTC)
    due = trigger.get_next_fire_time(None, now - dt.timedelta(days=3))
    scheduler = start_schedule(Jobs(cast(Children, children)), trigger, due)
    assert children.has_started.wait(LONGEST_SECONDS)
    scheduler.shutdown(wait=True)
    assert children.started == [("cli", "nightly")]


@pytest.mark.parametrize(
    ("exit_code", "outcome", "backups"),
    [(0, "published", 1), (3, "published degraded", 1), (1, "nothing published", 1), (-15, "stopped", 0)],
)
def test_night_logs_its_outcome_and_backup_follows(exit_code: int, outcome: str, backups: int) -> None:
    children = Recorded(exit_code)
    with structlog.testing.capture_logs() as lines:
        Jobs(cast(Children, children), live=True, backup_to=Path("/backups")).night()
    assert (lines[0]["outcome"], lines[0]["exit"]) == (outcome, exit_code)
    assert children.started == [("cli", "nightly", "--live"), ("cli", *BACKUP, "/backups")][: 1 + backups]


@pytest.mark.parametrize("at", ["25:00", "half past three", ""])
def test_night_time_malformed_is_refused(at: str) -> None:
    with pytest.raises(InputError, match=f"--at {at}: not a time of day"):
        night_trigger(at)


def test_children_that_ignore_sigterm_are_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = "signal.signal(signal.SIGTERM, signal.SIG_IGN); open('ready', 'w').close(); time.sleep(600)"
    (tmp_path / "stubborn.py").write_text(f"import signal, time\n{program}\n")
    monkeypatch.setattr(serve, "PROJECT", tmp_path)
    children = Children(grace_seconds=0.1)
    stubborn = children.start("stubborn")
    while not (tmp_path / "ready").exists():
        assert stubborn.poll() is None
        time.sleep(0.05)
    children.end()
    assert stubborn.returncode == -signal.SIGKILL
    with pytest.raises(RuntimeError, match="stubborn is not started"):
        children.start("stubborn")
