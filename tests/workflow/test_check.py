"""What is tried before a night, without a night."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from workflow.health import LEAST_FREE_MEGABYTES, check_settings

ENOUGH = LEAST_FREE_MEGABYTES * 1_000_000


@pytest.mark.parametrize(
    ("free", "problem"),
    [(ENOUGH, ""), (ENOUGH - 1, f": {LEAST_FREE_MEGABYTES - 1} MB are free; {LEAST_FREE_MEGABYTES} MB should be")],
)
def test_a_home_folder_is_well_from_so_many_free_megabytes_and_else_both_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, problem: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=free))
    (found,) = (check for check in check_settings(tmp_path) if check.what == "home folder")
    assert found.problem == (problem and f"{tmp_path}{problem}")
    assert bool(found.advice) == bool(problem)
