"""A home folder back from a backup: as a whole into an empty place, or only what is damaged in one that is in use."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InputError, StoreError
from store.backup import JOURNAL, find_archive, read_archive
from store.chain import HEAD, MANIFEST, NEXT_HEAD, Problem, read_head, release_folders
from store.database import copy_sqlite
from store.files import flush_folder, named_errors, sha256_of_bytes, sha256_of_file, write_bytes
from store.releases import ReleaseStore
from store.status import witnesses

_ASIDE = ".restoring"
_IMMUTABLE = ("releases/", "vintages/", "rejected/")


@dataclass(frozen=True)
class Restored:
    """What a restore did.

    Attributes:
        archive: Where it came from.
        files: Files written, by their place in the home folder.
        size: Their bytes.
        problem: The first thing that is wrong with the chain of releases afterwards; None where it is whole.
    """

    archive: Path
    files: list[str]
    size: int
    problem: Problem | None


def restore(source: Path, home: Path, journal_setting: str = "") -> Restored:
    """Put a backup into a place that is empty: all of it, checked, or nothing.

    Args:
        source: The archive, or a folder of archives of which the newest is taken.
        home: Where to; an existing folder must be empty.
        journal_setting: Address of the journal, as in the settings; the chain is held against what it kept.

    Raises:
        InputError: There is no archive, or something is in the way.
        StoreError: The archive is damaged, or the disk refuses.
    """
    archive = find_archive(source)
    if home.exists() and (not home.is_dir() or any(path.name != _ASIDE for path in home.iterdir())):
        raise InputError(
            f"{home}: is not empty; a restore overwrites nothing. Name another folder, or move this one away"
        )
    aside, files, size = home / _ASIDE, [], 0
    with named_errors(home):
        shutil.rmtree(aside, ignore_errors=True)
        try:
            for name, content in read_archive(archive):
                write_bytes(aside / name, content)
                files.append(name)
                size += len(content)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        for path in sorted(aside.iterdir()):
            path.replace(home / path.name)
        aside.rmdir()
        flush_folder(home)
    return Restored(archive, files, size, _problem(home, journal_setting))


def repair(source: Path, home: Path, journal_setting: str = "") -> Restored:
    """Put back what is damaged or missing among the files that never change, and a damaged journal; nothing else.

    The journal is damaged where it cannot be read, and where it lacks a row of the backup: rows are only ever added.
    It is kept beside the restored one: what was recorded since the backup is in it alone.

    Args:
        source: The archive, or a folder of archives of which the newest is taken.
        home: The home folder.
        journal_setting: Address of the journal, as in the settings.

    Raises:
        InputError: There is no archive.
        StoreError: The archive is damaged, or the disk refuses.
    """
    archive, files, size = find_archive(source), [], 0
    # Two readings: nothing is written before the whole archive has proved sound.
    for _ in read_archive(archive):
        pass
    for name, content in read_archive(archive):
        if name == JOURNAL and _journal_is_damaged(home / JOURNAL, content):
            _set_aside(home / JOURNAL)
        elif not name.startswith(_IMMUTABLE) or not _is_damaged(home, name, content):
            continue
        write_bytes(home / name, content)
        files.append(name)
        size += len(content)
    if _mend_head(home, journal_setting):
        files.append(f"releases/{HEAD}")
    return Restored(archive, files, size, _problem(home, journal_setting))


def _journal_is_damaged(path: Path, backed_up: bytes) -> bool:
    if not path.is_file():
        return True
    try:
        present = copy_sqlite(path)
    except StoreError:
        return True
    return _lacks_rows(present, backed_up)


def _lacks_rows(present: bytes, backed_up: bytes) -> bool:
    """Whether any row of a journal as it was backed up is not in it any more, or is another."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {"present": Path(folder) / "present.sqlite", "former": Path(folder) / "former.sqlite"}
        paths["present"].write_bytes(present)
        paths["former"].write_bytes(backed_up)
        try:
            with closing(sqlite3.connect(paths["present"])) as database:
                database.execute("ATTACH ? AS former", [str(paths["former"])])
                named = database.execute(
                    "SELECT name FROM former.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                )
                return any(
                    database.execute(
                        f'SELECT 1 FROM (SELECT * FROM former."{name}" EXCEPT SELECT * FROM main."{name}") LIMIT 1'  # noqa: S608  # names of our own tables
                    ).fetchone()
                    for (name,) in named.fetchall()
                )
        except sqlite3.Error:
            return True


def _mend_head(home: Path, journal_setting: str) -> bool:
    """Write a damaged head anew, if the journal vouches for the newest release and knows of none after it.

    Returns:
        True where it was written.
    """
    folder = home / "releases"
    newest = release_folders(folder)[-1:]
    kept = witnesses(home, journal_setting)
    if not newest or max(kept, default="") != newest[0].name:
        return False
    head = {"run_id": newest[0].name, "manifest_sha256": sha256_of_file(newest[0] / MANIFEST)}
    if kept[head["run_id"]] != head["manifest_sha256"] or _head(folder) == head:
        return False
    write_bytes(folder / HEAD, (json.dumps(head, indent=1, sort_keys=True) + "\n").encode())
    (folder / NEXT_HEAD).unlink(missing_ok=True)
    return True


def _head(folder: Path) -> dict[str, Any] | None:
    try:
        return read_head(folder)
    except StoreError:
        return None


def _set_aside(path: Path) -> None:
    """Keep a damaged journal, and what SQLite wrote beside it, under other names: a person may save rows from it."""
    for file in sorted(path.parent.glob(f"{path.name}*")):
        if ".damaged" not in file.name:
            file.replace(file.with_name(file.name.replace(path.name, f"{path.name}.damaged")))


def _is_damaged(home: Path, name: str, content: bytes) -> bool:
    path = home / name
    if path.name in {HEAD, NEXT_HEAD}:
        return not path.is_file()
    if name.startswith("releases/"):
        run_id = name.split("/")[1]
        gone = (home / "releases" / "REMOVED" / f"{run_id}.json").is_file() and not (
            home / "releases" / run_id
        ).is_dir()
        return not gone and (not path.is_file() or sha256_of_file(path) != sha256_of_bytes(content))
    # Figures are named by their content; where files were merged meanwhile the old ones are rightly gone.
    return path.is_file() and not sha256_of_file(path).startswith(path.stem)


def _problem(home: Path, journal_setting: str) -> Problem | None:
    try:
        return ReleaseStore(home).verify(witnesses(home, journal_setting))
    except StoreError as error:
        return Problem("", "", str(error))
