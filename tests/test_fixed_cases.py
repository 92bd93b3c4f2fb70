"""A failure that is found once is tried by every later run; runs without exploring draw the same each time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parent
EXAMPLE = """
from hypothesis import given, settings, strategies as st

@given(number=st.integers(0, 10**9))
@settings(max_examples=200)
def test_no_number_is_large(number):
    assert number < 10**7
"""


def run(folder: Path, *options: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "tests", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


def test_what_exploring_finds_is_kept_and_tried_again(tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    for name in ("conftest.py", "fixed_cases.py"):
        shutil.copy(TESTS / name, tests / name)
    (tests / "test_example.py").write_text(EXAMPLE)
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\naddopts = --import-mode=importlib\n")
    assert "1 failed" in run(tmp_path, "--hypothesis-profile=explore")
    (case,) = (tests / "cases").iterdir()
    assert case.name == "test_example.test_no_number_is_large.jsonl"
    assert "{'number': 10000000}" in case.read_text()
    (tests / "test_example.py").write_text(EXAMPLE.replace("max_examples=200", "max_examples=1"))
    assert "assert 10000000 < " in run(tmp_path)
