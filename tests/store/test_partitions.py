"""A folder of Parquet files reads as one frame and stays small in number."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from store import MANY_FILES, Partitions


def _rows(*numbers: int) -> pd.DataFrame:
    return pd.DataFrame({"name": [f"n{number}" for number in numbers], "number": list(numbers)})


def test_rows_of_all_files_are_read_as_one_frame(tmp_path: Path) -> None:
    partitions = Partitions(tmp_path / "p", ("name",))
    assert partitions.read().empty
    partitions.append(_rows(1, 2))
    partitions.append(_rows(3))
    read = partitions.read()
    assert sorted(read["number"]) == [1, 2, 3]
    assert sorted(read["name"].astype(str)) == ["n1", "n2", "n3"]
    assert partitions.read(["number"]).columns.to_list() == ["number"]


def test_hundreds_of_nights_leave_few_files_and_every_row(tmp_path: Path) -> None:
    partitions = Partitions(tmp_path / "p")
    nights = 3 * MANY_FILES
    for night in range(nights):
        partitions.append(_rows(night))
        assert len(partitions.files()) < MANY_FILES
    assert sorted(partitions.read()["number"]) == list(range(nights))


def test_interrupted_merge_is_healed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    partitions = Partitions(tmp_path / "p")
    for number in range(4):
        partitions.append(_rows(number))

    def crash(_path: Path, missing_ok: bool = False) -> None:  # noqa: FBT001  # pathlib's own signature
        raise KeyboardInterrupt(missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", crash)
        with pytest.raises(KeyboardInterrupt):
            partitions.merge()
    assert sorted(partitions.read()["number"]) == sorted([*range(4), *range(4)])
    partitions.merge()
    assert len(partitions.files()) == 1
    assert sorted(partitions.read()["number"]) == list(range(4))


def test_merge_does_not_disturb_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    partitions = Partitions(tmp_path / "p")
    for number in range(3):
        partitions.append(_rows(number))
    listed = Partitions.files
    stale = [partitions.files()]

    def files(self: Partitions) -> list[Path]:
        if stale:
            old = stale.pop()
            Partitions(tmp_path / "p").merge()
            return old
        return listed(self)

    monkeypatch.setattr(Partitions, "files", files)
    assert sorted(partitions.read()["number"]) == [0, 1, 2]


def test_damaged_files_are_set_aside_and_whole_ones_stay(tmp_path: Path) -> None:
    partitions = Partitions(tmp_path)
    for number in range(2):
        partitions.append(pd.DataFrame({"night": [number]}))
    whole, damaged = partitions.files()
    assert partitions.damaged() == []
    damaged.write_bytes(whole.read_bytes())
    assert partitions.set_aside_damaged() == [damaged]
    assert partitions.files() == [whole]
    assert damaged.with_suffix(".damaged").is_file()


def test_files_merge_from_sixty_four_on(tmp_path: Path) -> None:
    partitions = Partitions(tmp_path)
    for number in range(63):
        partitions.append(pd.DataFrame({"night": [number]}))
    assert len(partitions.files()) == 63
    partitions.append(pd.DataFrame({"night": [63]}))
    assert len(partitions.files()) == 1
    assert sorted(partitions.read()["night"]) == list(range(64))
