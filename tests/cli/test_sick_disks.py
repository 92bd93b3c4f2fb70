"""On a full disk and on a read-only one: reading and pruning work, and health names the fault."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from access import Actor
from alerts.lifecycle import SIGNED_OFF
from core.settings import PROJECT, load_settings
from decisions import open_workflow
from decisions.actions import Step, act
from store.releases import ReleaseStore
from tests.delivery import publish

from .command_line import vigie

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
ALERT = "surge.CMR.0001"


def _mount(stack: ExitStack, *words: str) -> None:
    done = subprocess.run(["mount", *words], check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"this machine mounts nothing: {done.stderr.strip()}")
    if words[-1] not in {"-o", "remount,ro"} and "remount" not in " ".join(words):
        stack.callback(subprocess.run, ["umount", "-l", words[-1]], check=True)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home of three releases and one decision, on a disk of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    with ExitStack() as stack:
        _mount(stack, "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk))
        for _ in range(3):
            publish(disk / "home", [ALERT])
        (disk / "home" / "backtests").mkdir()
        with open_workflow(disk / "home", load_settings(disk / "home")) as desk:
            release = ReleaseStore(disk / "home").current()
            assert release is not None
            act(desk, release, ALERT, Step(Actor("Ada"), SIGNED_OFF, "agreed"))
        yield disk / "home"


def read_overview(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open the dashboard; what its page raises fails the test."""
    monkeypatch.setenv("VIGIE_HOME", str(home))
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=600).run()
    assert not app.exception, app.exception


def fill(disk: Path) -> None:
    with (disk / "ballast").open("wb", buffering=0) as ballast:
        while True:
            try:
                ballast.write(bytes(4096))
            except OSError:
                break
    assert shutil.disk_usage(disk).free == 0


def test_full_disk_still_reads_and_prunes(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(home.parent)
    assert vigie(home, "status").exit_code == 0
    assert vigie(home, "verify").exit_code == 0
    assert ALERT in vigie(home, "alerts").output
    assert vigie(home, "home", "backup", "--to", str(tmp_path / "b.tar.zst")).exit_code == 0
    said = json.loads(vigie(home, "serve", "health", "--once").output)
    assert said["last_backup"] == ""
    assert (said["status"], said["writable"], said["disk_free"]) == ("degraded", True, 0)
    assert "the disk is full" in said["reason"]
    read_overview(home, monkeypatch)
    pruned = vigie(home, "home", "prune", "--keep", "1", "--caches")
    assert (pruned.exit_code, "2 releases removed" in pruned.output) == (0, True)
    assert "past forecasts and fits removed" in pruned.output
    assert not (home / "backtests").exists()
    assert vigie(home, "verify").exit_code == 0


def share(home: Path, store: Path) -> None:
    """Set a shared store and deliver to it."""
    store.mkdir()
    (home / "settings.toml").write_text(f'[store]\nurl = "file://{store}"\n')
    assert vigie(home, "home", "store", "push").exit_code == 0


def test_prune_of_shared_home_on_full_disk_frees_space(home: Path, tmp_path: Path) -> None:
    share(home, tmp_path / "shared")
    fill(home.parent)
    pruned = vigie(home, "home", "prune", "--keep", "1")
    assert (pruned.exit_code, "2 releases removed" in pruned.output) == (0, True)
    assert len(list((tmp_path / "shared" / "releases").glob("*/forecasts.parquet"))) == 3, "kept for a day"
    assert vigie(home, "home", "store", "status").exit_code == 0


def test_killed_journal_is_read_on_full_disk(home: Path) -> None:
    copy = home / "journal.sqlite"
    with open_workflow(home, load_settings(home)) as desk:
        desk.journal.record(desk.journal.entries()[-1])
        kept = {name: (home / name).read_bytes() for name in (copy.name, f"{copy.name}-wal")}
        rows = len(desk.journal.entries())
    for name, content in kept.items():
        (home / name).write_bytes(content)
    fill(home.parent)
    with open_workflow(home, load_settings(home)) as desk:
        assert len(desk.journal.entries()) == rows


def test_read_only_disk_still_reads_and_backs_up(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        _mount(stack, "-o", "remount,ro", str(home.parent))
        stack.callback(subprocess.run, ["mount", "-o", "remount,rw", str(home.parent)], check=True)
        assert vigie(home, "status").exit_code == 0
        assert vigie(home, "verify").exit_code == 0
        assert vigie(home, "home", "backup", "--to", str(tmp_path / "b.tar.zst")).exit_code == 0
        said = json.loads(vigie(home, "serve", "health", "--once").output)
        assert (said["status"], said["writable"]) == ("degraded", False)
        assert said["reason"] == "the home folder cannot be written"
        read_overview(home, monkeypatch)
