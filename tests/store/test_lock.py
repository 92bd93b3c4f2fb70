"""One night at a time, and no lock outlives its process."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import StoreError
from store.lock import BACKUP, AlreadyRunningError, delivery_lock, night_lock, running_night

HOLD = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from store.lock import night_lock
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


def test_a_second_night_is_told_who_holds_the_lock_and_since_when(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    try:
        who = rf"process {holder.pid}, since \d{{4}}-\d\d-\d\dT"
        with pytest.raises(AlreadyRunningError, match=who), night_lock(tmp_path):
            pass
    finally:
        _kill(holder)


def test_a_killed_night_leaves_no_lock_behind(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
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


def test_reader_of_a_running_night_delays_no_night(tmp_path: Path) -> None:
    (tmp_path / "night.lock").touch()
    with (tmp_path / "night.lock").open() as probe:
        fcntl.flock(probe, fcntl.LOCK_SH)
        release = threading.Timer(0.05, fcntl.flock, (probe, fcntl.LOCK_UN))
        release.start()
        with night_lock(tmp_path):
            assert (tmp_path / "night.holder.json").exists()
        release.join()


def test_the_lock_is_given_back_at_the_end_and_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), night_lock(tmp_path):
        _ = 1 / 0
    with night_lock(tmp_path):
        pass
    assert not (tmp_path / "night.holder.json").exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no folder that refuses every file")
@pytest.mark.parametrize("lock", [night_lock, delivery_lock])
def test_a_folder_in_which_no_lock_can_be_made_is_told_as_such_and_at_once(lock: Callable[..., Any]) -> None:
    told = r"\.lock: cannot be made: no file can be written in /proc"
    with pytest.raises(StoreError, match=told), lock(Path("/proc"), wait_seconds=60):
        pass
