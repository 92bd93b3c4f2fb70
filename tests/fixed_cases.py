"""Cases that ``make explore`` found: kept in ``tests/cases``, one file per test, and tried by every later run.

A line holds the arguments of one failure as text, for people, and pickled, for the test.
"""

from __future__ import annotations

import base64
import functools
import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest

CASES = Path(__file__).parent / "cases"
SMALLEST = pytest.StashKey[dict[str, object]]()


def file_of(item: pytest.Item) -> Path:
    """Where the cases of a test are kept; variants of one parametrised test share a file."""
    test = re.sub(r"\[.*", "", item.nodeid, flags=re.DOTALL).removeprefix("tests/")
    return CASES / (test.replace("/", ".").replace(".py::", ".").replace("::", ".") + ".jsonl")


def keep_failures(item: pytest.Item) -> None:
    """Have the smallest failing arguments of a property test written down."""
    handle: Any = getattr(item, "obj", None)
    inner: Callable[..., None] = handle.hypothesis.inner_test
    given = set(getattr(item, "fixturenames", ()))

    @functools.wraps(inner)
    def keeping(*arguments: object, **named: object) -> None:
        try:
            inner(*arguments, **named)
        except hypothesis.errors.UnsatisfiedAssumption:
            raise
        except Exception:
            # Hypothesis shrinks: of one run, what fails last is the smallest.
            item.stash[SMALLEST] = {name: value for name, value in named.items() if name not in given}
            raise

    handle.hypothesis.inner_test = keeping


def write_case(item: pytest.Item) -> None:
    """Add the failure of a test to its file; what cannot be pickled is left to the report of the run."""
    arguments, path = item.stash.get(SMALLEST, None), file_of(item)
    if not arguments:
        return
    try:
        pickled = base64.b64encode(pickle.dumps(arguments)).decode()
    except (TypeError, AttributeError, pickle.PicklingError):
        return
    path.parent.mkdir(exist_ok=True)
    line = json.dumps({"arguments": repr(arguments), "pickled": pickled}) + "\n"
    if not path.exists() or line not in path.read_text(encoding="utf-8"):
        with path.open("a", encoding="utf-8") as file:
            file.write(line)


def read_cases(path: Path) -> list[dict[str, Any]]:
    """Arguments of the failures that were found of a test."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [pickle.loads(base64.b64decode(json.loads(line)["pickled"])) for line in lines]  # noqa: S301  # our own


def replay_cases(item: pytest.Item) -> None:
    """Let a property test begin with the failures that were found of it."""
    handle: Any = getattr(item, "obj", None)
    if hypothesis.is_hypothesis_test(handle) and not getattr(handle, "has_fixed_cases", False):
        handle.has_fixed_cases = True
        for arguments in read_cases(file_of(item)):
            hypothesis.example(**arguments)(handle)
