"""One night at a time, and no lock outlives its process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import Timeout

from store import BACKUP, NIGHT, AlreadyRunningError, night_lock, running_night

HOLD = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from store import night_lock
with night_lock(Path(sys.argv[2])) as note:
    note({"stage": "forecasting", "done": 12})
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLD, str(Path(__file__).parents[2]), str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def _kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_second_night_is_reported_who_holds_lock_and_since_when(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    try:
        who = rf"process {holder.pid}, since \d{{4}}-\d\d-\d\dT"
        with pytest.raises(AlreadyRunningError, match=who), night_lock(tmp_path):
            pass
    finally:
        _kill(holder)


def test_killed_night_leaves_no_lock_behind(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    _kill(holder)
    with night_lock(tmp_path):
        assert (tmp_path / "night.holder.json").exists()


def test_running_night_is_read_while_its_lock_is_held(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    try:
        night = running_night(tmp_path)
        assert night is not None
        assert (night.pop("started")[:4].isdigit(), night) == (True, {"stage": "forecasting", "done": 12})
    finally:
        _kill(holder)
    assert (tmp_path / "night.holder.json").exists()
    assert running_night(tmp_path) is None
    with night_lock(tmp_path, task=BACKUP):
        assert running_night(tmp_path) is None


def test_lock_is_given_back_at_end_and_after_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), night_lock(tmp_path):
        _ = 1 / 0
    with night_lock(tmp_path):
        pass
    assert not (tmp_path / "night.holder.json").exists()


@pytest.mark.parametrize(
    ("holds", "task", "given", "waits"),
    [("backup", NIGHT, 0, 900), ("backup", NIGHT, 1000, 1000), ("night", NIGHT, 0, 0), ("", NIGHT, 5, 5),
     ("backup", BACKUP, 0, 0), ("night", BACKUP, 7200, 7200)],
)  # fmt: skip
def test_night_waits_fifteen_minutes_for_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holds: str, task: str, given: float, waits: float
) -> None:
    if holds:
        (tmp_path / "night.holder.json").write_text(json.dumps({"pid": 1, "since": "then", "task": holds}))
    asked: list[float] = []

    def busy(_path: Path, seconds: float) -> None:
        asked.append(seconds)
        raise Timeout("night.lock")

    monkeypatch.setattr("store._acquired", busy)
    what = "a backup is running" if holds == "backup" else "another night is running"
    with pytest.raises(AlreadyRunningError, match=what), night_lock(tmp_path, task=task, wait_seconds=given):
        pass
    assert asked == [waits]
