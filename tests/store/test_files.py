"""Files are written whole or not at all, and damage is named."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pandas as pd
import pytest

from core.errors import StoreError
from store import (
    is_as_named,
    is_read_only,
    parquet_bytes,
    read_parquet,
    remove_unfinished,
    sha256_of_bytes,
    write_bytes,
)


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "text": ["a", "é"],
            "number": [1.5, float("nan")],
            "count": [1, 2],
            "day": pd.to_datetime(["2024-12-31", "2025-01-31"]),
            "mark": [True, False],
        },
        index=[7, 3],
    )


def test_frame_comes_back_with_its_types_and_without_its_index(tmp_path: Path, frame: pd.DataFrame) -> None:
    write_bytes(tmp_path / "new" / "frame.parquet", parquet_bytes(frame))
    read = read_parquet(tmp_path / "new" / "frame.parquet")
    pd.testing.assert_frame_equal(read, frame.reset_index(drop=True))


def test_failed_writing_leaves_old_content_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bytes(tmp_path / "x", b"old")

    def no_space(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("store.os.fsync", no_space)
    with pytest.raises(StoreError, match=r"x: No space left on device"):
        write_bytes(tmp_path / "x", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"


def test_file_still_being_written_lies_outside_of_glob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr("store.os.fsync", lambda _handle: seen.extend(path.name for path in tmp_path.iterdir()))
    write_bytes(tmp_path / "x.parquet", b"content")
    assert seen[0].startswith(".aside-")
    assert not seen[0].endswith(".parquet")


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"not parquet at all, but long enough to be read" * 9])
def test_file_that_is_not_parquet_is_named(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "bad.parquet").write_bytes(damage)
    with pytest.raises(StoreError, match=r"bad\.parquet: is not a whole Parquet file"):
        read_parquet(tmp_path / "bad.parquet")


def test_file_damaged_in_its_middle_is_named(tmp_path: Path) -> None:
    content = bytearray(parquet_bytes(pd.DataFrame({"x": [float(n) for n in range(5000)]})))
    content[50:4000] = b"\xff" * 3950
    (tmp_path / "bad.parquet").write_bytes(content)
    with pytest.raises(StoreError, match=r"bad\.parquet: is not a whole Parquet file"):
        read_parquet(tmp_path / "bad.parquet")


@pytest.mark.parametrize(
    ("place", "private", "file", "folder"),
    [
        (0o700, True, 0o600, 0o700),
        (0o755, True, 0o600, 0o700),
        (0o700, False, 0o600, 0o700),
        (0o755, False, 0o644, 0o755),
    ],
)
def test_file_is_private_in_home_and_in_private_folder(
    tmp_path: Path,
    place: int,
    private: bool,  # noqa: FBT001  # a case of a table
    file: int,
    folder: int,
) -> None:
    tmp_path.chmod(place)
    before = os.umask(0o022)
    try:
        write_bytes(path := tmp_path / "deep" / "folder" / "file", b"content", private=private)
    finally:
        os.umask(before)
    assert [one.stat().st_mode & 0o777 for one in (path, path.parent, path.parents[1])] == [file, folder, folder]


def test_file_is_as_named_only_while_its_name_begins_its_hash(tmp_path: Path) -> None:
    path = tmp_path / f"{sha256_of_bytes(b'content')[:32]}.parquet"
    path.write_bytes(b"content")
    assert is_as_named(path)
    path.write_bytes(b"contenT")
    assert not is_as_named(path)
    assert not is_read_only(tmp_path)


def test_unfinished_file_expires_after_an_hour(tmp_path: Path) -> None:
    now = dt.datetime(2025, 1, 31, 12, tzinfo=dt.UTC)
    for name, seconds in ((".aside-hour", 3600), (".aside-more", 3601)):
        (tmp_path / name).write_bytes(b"half")
        time = now.timestamp() - seconds
        os.utime(tmp_path / name, (time, time))
    assert [path.name for path in remove_unfinished(tmp_path, now)] == [".aside-more"]
