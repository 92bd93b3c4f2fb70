"""A pooled model's fits are kept whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import StoreError
from store import KEY_FILE, home_key, sha256_of_bytes
from store.releases.caches import FitStore


def test_fit_is_read_back_and_unknown_one_is_none(tmp_path: Path) -> None:
    FitStore(tmp_path).put("model-1-h3-ab", b"trees")
    assert FitStore(tmp_path).get("model-1-h3-ab") == b"trees"
    assert FitStore(tmp_path).get("model-2-h3-ab") is None


FORGED = sha256_of_bytes(b"other trees").encode() + b"other trees"
"""With a hash that anybody can make."""


@pytest.mark.parametrize("damaged", [b"", b"trees", b"0" * 64 + b"trees", FORGED])
def test_damaged_fit_counts_as_lost(tmp_path: Path, damaged: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    FitStore(tmp_path).put("one", b"trees")
    (tmp_path / "fits" / "one.fit").write_bytes(damaged)
    assert [FitStore(tmp_path).get(key) for key in ("one", "two")] == [None, None]
    assert capsys.readouterr().err.count("one.fit") == 1
    assert FitStore(tmp_path).heal() == ["one.fit"]
    assert not (tmp_path / "fits" / "one.fit").exists()


def test_fit_renamed_to_another_key_is_left_out(tmp_path: Path) -> None:
    FitStore(tmp_path).put("one", b"trees")
    (tmp_path / "fits" / "one.fit").rename(tmp_path / "fits" / "two.fit")
    assert FitStore(tmp_path).get("two") is None


def test_key_is_for_its_owner_alone_and_stays(tmp_path: Path) -> None:
    key = home_key(tmp_path / "home")
    assert home_key(tmp_path / "home") == key
    assert (tmp_path / "home" / KEY_FILE).stat().st_mode & 0o777 == 0o600
    (tmp_path / "home" / KEY_FILE).write_bytes(b"short")
    with pytest.raises(StoreError, match=KEY_FILE):
        home_key(tmp_path / "home")


def test_disk_that_refuses_costs_no_forecast(tmp_path: Path) -> None:
    (tmp_path / "fits").write_text("a file where the folder should be")
    FitStore(tmp_path).put("one", b"trees")
    assert (tmp_path / "fits").is_file()
