"""The version that a release names: commit and digest of requirements, for any owner of the working copy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from core import release
from core.release import INTENDED_USE, PROHIBITED_USES, PURPOSE


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working copy of another owner, for a user without git settings."""
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", "x"]):
        (tmp_path / "requirements.txt").write_text("numpy==1\n")
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    monkeypatch.setattr(release, "PROJECT", tmp_path)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("VIGIE_COMMIT", raising=False)
    release.code_version.cache_clear()
    return tmp_path


def test_service_user_names_commit_of_copy_that_root_owns(copy: Path) -> None:
    line = ["git", "-C", str(copy), "status"]
    refused = subprocess.run(line, check=False, capture_output=True, text=True)
    assert "dubious ownership" in refused.stderr
    named = release.code_version()
    release.code_version.cache_clear()
    (copy / "requirements.txt").write_text("numpy==2\n")
    changed = release.code_version()
    release.code_version.cache_clear()
    number, _, rest = named.partition("+g")
    assert number
    assert len(rest.partition(".r")[0]) == len(rest.partition(".r")[2]) == 12
    assert ".changed.r" in changed


def test_image_names_commit_that_it_was_built_from(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (copy / ".git").rename(copy / "elsewhere")
    monkeypatch.setenv("VIGIE_COMMIT", "1234567890abcdef")
    assert "+g1234567890ab.r" in release.code_version()
    release.code_version.cache_clear()
    monkeypatch.delenv("VIGIE_COMMIT")
    assert "+g" not in release.code_version()
    release.code_version.cache_clear()


def test_files_name_intended_and_every_prohibited_use() -> None:
    assert INTENDED_USE in PURPOSE
    assert all(use in PURPOSE for use in PROHIBITED_USES)
