"""A home folder goes into one file and comes back whole, or the reason is named."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import sqlite3
import tarfile
import threading
from contextlib import closing
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from core.errors import InputError, StoreError
from store import backup, sha256_of_file
from store.backup import find_archive, read_archive, repair, restore, write_backup
from store.figures import VintageStore
from store.journal import Entry, Journal, journal_url
from store.releases import About, ReleaseStore
from store.status import WITNESS
from tests.servers import LONGEST_SECONDS
from tests.store.fixtures import Rows

Frames = dict[str, pd.DataFrame]


@pytest.fixture
def home(tmp_path: Path, release_frames: Frames, observations: Rows) -> Path:
    """Three nights with a journal, figures and settings, and what a crash leaves behind."""
    home = tmp_path / "home"
    store, journal = ReleaseStore(home), Journal(journal_url("", home))
    for day in (29, 30, 31):
        release = store.publish(release_frames, {}, About(dt.date(2025, 1, day), "0.1.0", {}, {}))
        journal.record(Entry("nightly", "published", release.run_id, release.run_id, payload={WITNESS: store.head()}))
    journal.close()
    VintageStore(home).append(observations(("2024-12", 5418.0, "2025-01-10")))
    (home / "settings.toml").write_text("trajectories = 200\n")
    (home / "releases" / ".staging-20250101T000000Z-abcdef").mkdir()
    (home / "releases" / ".staging-20250101T000000Z-abcdef" / "half.parquet").write_bytes(b"half")
    return home


def files(home: Path) -> dict[str, str]:
    found = (path for path in home.rglob("*") if path.is_file() and "journal" not in path.name)
    return {path.relative_to(home).as_posix(): sha256_of_file(path) for path in found if ".lock" not in path.name}


def test_what_comes_back_is_what_was_there_and_chain_is_whole(home: Path, tmp_path: Path) -> None:
    archive = write_backup(home, tmp_path / "backups")
    assert archive.path.name.startswith("vigie-20")
    assert oct(archive.path.stat().st_mode)[-3:] == "600"
    done = restore(tmp_path / "backups", tmp_path / "new")
    assert done.problem is None
    assert files(tmp_path / "new") == {name: one for name, one in files(home).items() if ".staging" not in name}
    journals = [Journal(journal_url("", folder)) for folder in (home, tmp_path / "new")]
    assert journals[0].entries() == journals[1].entries() != []
    for journal in journals:
        journal.close()


def test_home_that_is_not_empty_is_not_overwritten(home: Path, tmp_path: Path) -> None:
    write_backup(home, tmp_path / "one.tar.zst")
    before = files(home)
    with pytest.raises(InputError, match="is not empty; a restore overwrites nothing"):
        restore(tmp_path / "one.tar.zst", home)
    assert files(home) == before


def test_backup_never_overwrites(home: Path, tmp_path: Path) -> None:
    write_backup(home, tmp_path / "one.tar.zst")
    with pytest.raises(InputError, match="exists already"):
        write_backup(home, tmp_path / "one.tar.zst")
    for stamp in ("20250101T000000Z", "20240101T000000Z"):
        (tmp_path / f"vigie-{stamp}.tar.zst").write_bytes(b"")
    assert find_archive(tmp_path).name == "vigie-20250101T000000Z.tar.zst"
    with pytest.raises(InputError, match="holds no backup"):
        find_archive(home)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_backup_that_was_cut_off_is_refused_and_leaves_nothing(home: Path, tmp_path: Path, share: float) -> None:
    archive = write_backup(home, tmp_path / "one.tar.zst").path
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(StoreError, match="is not a whole backup"):
        restore(archive, tmp_path / "new")
    assert not list((tmp_path / "new").glob("*"))


def test_backup_that_was_altered_is_refused_by_name_of_file(home: Path, tmp_path: Path) -> None:
    archive = write_backup(home, tmp_path / "one.tar.zst").path
    with pa.CompressedInputStream(pa.OSFile(str(archive)), "zstd") as stream:
        content = bytes(stream.read())
    with pa.CompressedOutputStream(str(archive), "zstd") as stream:
        stream.write(content.replace(b"trajectories = 200", b"trajectories = 900"))
    with pytest.raises(StoreError, match=r"'settings\.toml' is not as it was backed up"):
        restore(archive, tmp_path / "new")


def test_unlisted_or_missing_file_is_named(tmp_path: Path) -> None:
    for there, listed in (("settings.toml", {}), ("", {"settings.toml": {"sha256": "0" * 64}})):
        made = tmp_path / f"made-{there}.tar.zst"
        with pa.CompressedOutputStream(str(made), "zstd") as stream, tarfile.open(fileobj=stream, mode="w|") as archive:
            for name in filter(None, (there, backup.ABOUT)):
                content = json.dumps({"files": listed}).encode()
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        with pytest.raises(StoreError, match=r"'settings\.toml' is not as it was backed up"):
            list(read_archive(made))


def test_damaged_journal_is_not_backed_up_as_if_it_were_sound(home: Path, tmp_path: Path) -> None:
    path = home / "journal.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    content[4096:8192] = os.urandom(4096)
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"journal\.sqlite"):
        write_backup(home, tmp_path / "one.tar.zst")
    assert not list(tmp_path.glob("*.zst"))


def test_only_damaged_files_are_restored(home: Path, tmp_path: Path) -> None:
    archive = write_backup(home, tmp_path / "one.tar.zst").path
    whole = files(home)
    release, figures = ReleaseStore(home).all()[1], next((home / "vintages").rglob("*.parquet"))
    (release.path / "forecasts.parquet").write_bytes(b"PAR1 rubbish")
    (release.path / "scores.parquet").unlink()
    figures.write_bytes(b"rubbish")
    (home / "settings.toml").write_text("trajectories = 300\n")
    done = repair(archive, home)
    assert sorted(Path(name).name for name in done.files) == sorted(
        ["forecasts.parquet", "scores.parquet", figures.name]
    )
    assert done.problem is None
    assert {name for name, one in files(home).items() if whole.get(name) != one} == {"settings.toml"}


def test_only_damaged_journal_is_replaced(home: Path, tmp_path: Path) -> None:
    archive = write_backup(home, tmp_path / "one.tar.zst").path
    journal = Journal(journal_url("", home))
    journal.record(Entry("a", "since the backup", "x"))
    journal.close()
    assert repair(archive, home).files == []
    (home / "journal.sqlite").write_bytes(b"rubbish" * 1000)
    assert repair(archive, home).files == ["journal.sqlite"]
    assert (home / "journal.sqlite.damaged").read_bytes().startswith(b"rubbish")
    journal = Journal(journal_url("", home))
    assert [entry.action for entry in journal.entries()] == ["published"] * 3
    journal.close()


def test_what_night_can_make_again_is_left_out_unless_asked_for(home: Path, tmp_path: Path) -> None:
    for name in ("backtests/a.parquet", "fits/b.fit"):
        (home / name).parent.mkdir()
        (home / name).write_bytes(b"past")
    lean = write_backup(home, tmp_path / "lean.tar.zst")
    full = write_backup(home, tmp_path / "full.tar.zst", with_made_again=True)
    assert set(full.files) - set(lean.files) == {"backtests/a.parquet", "fits/b.fit"}


@pytest.mark.parametrize("content", [b"", b"rubbish", None])
def test_lost_journal_is_restored_after_new_night(home: Path, tmp_path: Path, content: bytes | None) -> None:
    archive = write_backup(home, tmp_path / "one.tar.zst").path
    path = home / "journal.sqlite"
    path.unlink()
    if content is None:
        begun = Journal(journal_url("", home))
        begun.record(Entry("nightly", "published", "a later night"))
        begun.close()
    else:
        path.write_bytes(content)
    assert repair(archive, home).files == ["journal.sqlite"]
    assert (home / "journal.sqlite.damaged").is_file()
    journal = Journal(journal_url("", home))
    assert len(journal.entries(action="published")) == 3
    journal.close()


def test_head_is_not_rewritten_after_removal(home: Path, tmp_path: Path) -> None:
    archive = write_backup(home, tmp_path / "one.tar.zst").path
    newest = ReleaseStore(home).all()[-1]
    for path in (archive, *newest.path.iterdir(), home / "releases" / "HEAD.json"):
        path.unlink()
    newest.path.rmdir()
    lean = write_backup(home, tmp_path / "two.tar.zst").path
    problem = repair(lean, home).problem
    assert problem is not None
    assert "missing" in problem.rule


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("settings.toml", True), ("releases/r/manifest.json", True), ("own/a.toml", True), ("hub/rows/a.parquet", True),
        ("night.lock", False), ("night.holder.json", False), ("journal.sqlite-wal", False),
        ("journal.sqlite-shm", False), ("drill.json", False), (".store/state", False), ("releases/.staging-r/a", False),
        ("vintages/a/.aside-1", False), ("fits/a.fit", False), ("backtests/a.parquet", False), ("other/fits", True),
    ],
)  # fmt: skip
def test_locks_and_caches_are_left_out(name: str, *, kept: bool) -> None:
    assert backup._is_kept(name, backup.MADE_AGAIN) is kept
    if name.startswith(("fits/", "backtests/")):
        assert backup._is_kept(name, ())


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a", True), ("a/b.c", True), ("", False), ("/a", False), ("../a", False), ("a/../b", False), (".a", False),
        ("a\0b", False),
    ],
)  # fmt: skip
def test_place_is_inside_of_home_folder_and_nothing_hidden(name: str, *, safe: bool) -> None:
    assert backup._is_safe(name) is safe


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "releases/../../outside", ".hidden"])
def test_archive_that_names_place_outside_is_refused(tmp_path: Path, name: str) -> None:
    made = tmp_path / "made.tar.zst"
    with pa.CompressedOutputStream(str(made), "zstd") as stream, tarfile.open(fileobj=stream, mode="w|") as archive:
        archive.addfile(tarfile.TarInfo(name))
    with pytest.raises(StoreError, match="which no backup holds"):
        list(read_archive(made))


def test_concurrent_rows_are_backed_up_whole(home: Path, tmp_path: Path) -> None:
    begun, stop = threading.Event(), threading.Event()

    def write() -> None:
        journal = Journal(journal_url("", home))
        while not stop.is_set():
            journal.decide("pair", lambda _: [Entry("a", "first", "pair"), Entry("a", "second", "pair")])
            begun.set()
        journal.close()

    writer = threading.Thread(target=write)
    writer.start()
    assert begun.wait(LONGEST_SECONDS)
    try:
        write_backup(home, tmp_path / "one.tar.zst")
    finally:
        stop.set()
        writer.join()
    restore(tmp_path / "one.tar.zst", tmp_path / "new")
    journal = Journal(journal_url("", tmp_path / "new"))
    actions = [entry.action for entry in journal.entries(subject="pair")]
    journal.close()
    assert actions
    assert actions.count("first") == actions.count("second")
