"""Old releases go, the last of each month stays, and the chain can still be proved."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from store.releases import REMOVED, About, ReleaseStore, prune

Frames = dict[str, pd.DataFrame]
DAYS = ["2025-01-30", "2025-01-31", "2025-02-27", "2025-02-28", "2025-03-01", "2025-03-02", "2025-03-03"]


@pytest.fixture
def home(tmp_path: Path, release_frames: Frames, copied: Callable[[Callable[[Path], object], Path], None]) -> Path:
    """Seven nights over three months."""

    def publish(home: Path) -> None:
        for day in DAYS:
            ReleaseStore(home).publish(release_frames, {}, About(dt.date.fromisoformat(day), "0.1.0", {}, {}))

    copied(publish, tmp_path)
    return tmp_path


def days(home: Path) -> list[str]:
    return [str(release.as_of) for release in ReleaseStore(home).all()]


def test_newest_stay_and_last_of_every_month(home: Path) -> None:
    removed = prune(home, 2)
    assert days(home) == ["2025-01-31", "2025-02-28", "2025-03-02", "2025-03-03"]
    assert len(removed) == 3
    assert all(size > 1000 for size in removed.values())
    assert not list((home / "releases").glob(".removing-*"))


def test_chain_is_whole_after_pruning(home: Path) -> None:
    store = ReleaseStore(home)
    witnesses: dict[str, str] = {}
    for release in store.all():
        named = [other.manifest["previous"] for other in store.all() if other.manifest["previous"]]
        witnesses |= {item["run_id"]: item["manifest_sha256"] for item in named if item["run_id"] == release.run_id}
    prune(home, 2)
    assert store.verify(witnesses) is None


def test_replay_of_past_night_does_not_push_out_real_one(home: Path, release_frames: Frames) -> None:
    about = About(dt.date(2025, 1, 31), "0.1.0", {}, {}, replay=True)
    ReleaseStore(home).publish(release_frames, {}, about)
    prune(home, 1)
    assert days(home) == ["2025-01-31", "2025-02-28", "2025-03-03", "2025-01-31"]


def test_interrupted_removal_is_completed(home: Path) -> None:
    release = ReleaseStore(home).all()[0]
    (home / "releases" / REMOVED).mkdir()
    shutil.copy(release.path / "manifest.json", home / "releases" / REMOVED / f"{release.run_id}.json")
    assert ReleaseStore(home).verify() is None
    assert release.run_id in prune(home, 2)
    assert ReleaseStore(home).verify() is None


def test_crash_while_folder_is_being_deleted_is_made_good(home: Path) -> None:
    left = home / "releases" / ".removing-20250101T000000Z-abcdef"
    left.mkdir()
    (left / "forecasts.parquet").write_bytes(b"half")
    prune(home, 2)
    assert not left.exists()


def test_altered_manifest_of_removed_release_is_found(home: Path) -> None:
    run_id = list(prune(home, 2))[1]
    path = home / "releases" / REMOVED / f"{run_id}.json"
    path.write_text(path.read_text().replace("0.1.0", "0.1.1"))
    problem = ReleaseStore(home).verify()
    assert problem is not None
    assert "was altered" in problem.rule


def test_hidden_removal_of_last_release_is_found(home: Path) -> None:
    release = ReleaseStore(home).all()[1]
    (home / "releases" / REMOVED).mkdir()
    manifest = release.path / "manifest.json"
    assert json.loads(manifest.read_text())["as_of"] == "2025-01-31"
    shutil.move(manifest, home / "releases" / REMOVED / f"{release.run_id}.json")
    shutil.rmtree(release.path)
    problem = ReleaseStore(home).verify()
    assert problem is not None
    assert problem.rule == "was removed, though it is the last of its month and to be kept for good"
