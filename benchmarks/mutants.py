"""Do the tests catch faults? A fixed sample of small faults, one at a time, and the share that a related test notices.

Faults are Cosmic Ray's (a boundary moved, a sign turned, a number off by one, *and* for *or*, a condition negated …) in
a copy of the project. The quick tests run once, to see which files of tests call which function; then for each fault
the files that call its function, nearest to the module first, until a test fails. Faults in ``nightly`` are tried on
tests that run whole nights too: they test what its steps do together. The sample depends on modules and faults alone,
so two runs on one state agree; with ``--seed`` another sample is drawn. Run it with ``make mutants``, or for one room
with ``.venv/bin/python -m benchmarks.mutants --room alerts --count 40``.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib
import io
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from inspect import CO_NEWLOCALS
from pathlib import Path
from types import CodeType, FrameType

import numpy as np
import pytest
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

PROJECT = Path(__file__).resolve().parent.parent
ROOMS = (
    "access", "alerts", "cli", "core", "dashboard", "decisions", "forecasting", "geo", "hub", "ingest", "nightly",
    "publish", "reports", "store",
)  # fmt: skip
OPERATORS = [f"core/{name}" for name in (
    "AddNot", "NumberReplacer", "ReplaceAndWithOr", "ReplaceOrWithAnd", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue",
    "ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_Delete_USub", "ZeroIterationForLoop", "ReplaceBinaryOperator_Add_Sub",
    "ReplaceBinaryOperator_Sub_Add", "ReplaceBinaryOperator_Mul_Div", "ReplaceBinaryOperator_Div_Mul",
    "ReplaceComparisonOperator_Lt_LtE", "ReplaceComparisonOperator_LtE_Lt", "ReplaceComparisonOperator_Gt_GtE",
    "ReplaceComparisonOperator_GtE_Gt", "ReplaceComparisonOperator_Eq_NotEq", "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceComparisonOperator_Is_IsNot", "ReplaceComparisonOperator_IsNot_Is",
)]  # fmt: skip
UNJUDGED = re.compile(
    r"lru_cache|maxsize|TYPE_CHECKING|^\s*@|RouteGeometry|figsize|rowspan|height=|width=|fontsize|labelsize|linewidth"
    r"|# fmt|\*, "
)
"""Lines on which a fault changes looks, memory or nothing: no test should insist on them."""
QUICK = "not (slow or night or browser or provider or cluster or server or raw_data)"
WITH_NIGHTS = "not (browser or provider or cluster or server or raw_data)"
"""Tests that are run for faults in ``nightly``."""
BROKEN = 99
"""How a process ends in which the tests could not even be started."""
NEAREST, SECONDS_OF_TESTS = 20, {QUICK: 60, WITH_NIGHTS: 240}
"""Test files, and seconds of the processor that they take, that are run for one fault at most, nearest first."""
SECONDS, PROCESSOR_SECONDS = 1800, {QUICK: 300, WITH_NIGHTS: 900}
"""After so long a fault counts as noticed: it made something endless."""
FOREIGN = "numpy pandas pyarrow.parquet duckdb scipy.stats statsmodels.api plotly.graph_objects babel \
hypothesis streamlit streamlit.testing.v1 typer sqlalchemy httpx matplotlib.figure geopandas lxml.etree"
"""Imported once, before each fault's process is forked."""


@dataclass(frozen=True, order=True)
class Mutant:
    """One small fault; ``rank`` puts all faults in a fixed order that looks like chance."""

    rank: str
    module: str
    operator: str
    occurrence: int
    line: int

    @property
    def room(self) -> str:
        """The room that its module is in."""
        return self.module.partition("/")[0]

    @property
    def marks(self) -> str:
        """Marks of the tests that are run for it."""
        return WITH_NIGHTS if self.room == "nightly" else QUICK


def mutants_of(module: str, seed: str = "") -> Iterator[Mutant]:
    """Every fault that the operators can make in a module, in an order that the seed makes."""
    code = (PROJECT / module).read_text(encoding="utf-8")
    lines, tree = code.splitlines(), get_ast(code)
    for name in OPERATORS:
        operator = get_operator(name)()
        places = [start for node in ast_nodes(tree) for start, _end in operator.mutation_positions(node)]
        for occurrence, (line, _column) in enumerate(places):
            if not UNJUDGED.search(lines[line - 1]):
                text = f"{seed}{module} {name} {lines[line - 1].strip()} {occurrence}"
                yield Mutant(hashlib.sha256(text.encode()).hexdigest(), module, name, occurrence, line)


def sample(rooms: Sequence[str], count: int, seed: str = "") -> list[Mutant]:
    """The first faults of each room in their fixed order, more from rooms with more of them (by the square root)."""
    by_room = {
        room: sorted(
            mutant
            for path in sorted((PROJECT / room).rglob("*.py"))
            for mutant in mutants_of(path.relative_to(PROJECT).as_posix(), seed)
        )
        for room in rooms
        if (PROJECT / room).is_dir()
    }
    weights = {room: len(found) ** 0.5 for room, found in by_room.items()}
    total = sum(weights.values())
    return [mutant for room, found in by_room.items() for mutant in found[: round(count * weights[room] / total)]]


def imports_of(path: Path) -> set[str]:
    """Modules of the project, as paths, that a file imports; a function that is imported names its module."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(path.relative_to(PROJECT).with_suffix("").parts[: -node.level]) if node.level else ""
            base = ".".join(part for part in (package, node.module or "") if part)
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        for name in names:
            for candidate in (name.replace(".", "/") + ".py", name.replace(".", "/") + "/__init__.py"):
                if (PROJECT / candidate).is_file():
                    found.add(candidate)
    return found


def nearest_tests() -> dict[str, list[str]]:
    """For each module the test files to run: those that reach it by few imports, then its room's that name it."""
    files = {path.relative_to(PROJECT).as_posix(): path for path in PROJECT.rglob("*.py") if is_ours(path)}
    imports = {name: imports_of(path) for name, path in files.items()}
    tests = {name: files[name].read_text(encoding="utf-8") for name in files if "/test_" in name}
    near: dict[str, dict[str, int]] = defaultdict(dict)
    for test in tests:
        for module in imports[test]:
            near[module].setdefault(test, 1)
            for second in imports[module]:
                near[second].setdefault(test, 2)
    chosen = {}
    for module in files:
        room, stem = module.partition("/")[0], Path(module).stem
        for test, text in tests.items():
            if test.startswith(f"tests/{room}/"):
                near[module].setdefault(test, 3 if stem in text else 4)
                near[module][test] -= 1
            if stem in Path(test).stem:
                near[module][test] = near[module].get(test, 4) - 2
        chosen[module] = sorted(near[module], key=lambda test: (near[module][test], len(tests[test])))
    return chosen


def is_ours(path: Path) -> bool:
    """Whether a file is source or test, not installed or generated."""
    return not {".venv", "build", "node_modules"} & set(path.relative_to(PROJECT).parts)


def before_and_after(mutant: Mutant) -> tuple[str, str]:
    """The first line that a fault changes, without it and with it."""
    code = (PROJECT / mutant.module).read_text(encoding="utf-8")
    mutated = mutate_code(code, get_operator(mutant.operator)(), mutant.occurrence) or code
    pairs = zip(code.splitlines(), mutated.splitlines(), strict=False)
    return next(((old.strip(), new.strip()) for old, new in pairs if old != new), ("", ""))


def run_one(copy: Path, mutant: Mutant, tests: Sequence[str], output: Path) -> int:
    """Start a process that runs tests on a mutated module in a copy; returns its id."""
    code = (PROJECT / mutant.module).read_text(encoding="utf-8")
    mutated = mutate_code(code, get_operator(mutant.operator)(), mutant.occurrence)
    (copy / mutant.module).write_text(mutated or code, encoding="utf-8")
    return start(copy, ["-m", mutant.marks, "-x", *tests], output, PROCESSOR_SECONDS[mutant.marks])


def start(copy: Path, options: Sequence[str], output: Path, seconds: int, plugin: Calls | None = None) -> int:
    """Fork a process that runs tests in a copy; returns its id."""
    process = os.fork()
    if process:
        return process
    os.setsid()
    os.chdir(copy)
    sys.path[:] = [str(copy), *(entry for entry in sys.path if Path(entry or ".").resolve() != PROJECT)]
    for name in [name for name in sys.modules if name.partition(".")[0] in {*ROOMS, "benchmarks", "tests"}]:
        del sys.modules[name]
    os.environ["PYTHONPATH"] = str(copy)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    status = BROKEN
    try:
        arguments = ["-q", "--assert=plain", "-p", "no:cacheprovider", *options]
        status = int(pytest.main(arguments, plugins=[plugin] if plugin else []))
    finally:
        traceback.print_exc()
        sys.stdout.flush()
        os._exit(status)


class Calls:
    """Notes in a file which functions of the project each file of tests calls, and how long it takes."""

    def __init__(self, copy: Path, file: Path) -> None:
        self._root, self._file = f"{copy}/", file
        self._called: dict[str, set[tuple[str, int]]] = defaultdict(set)
        self._seconds: dict[str, float] = defaultdict(float)
        self._places: dict[CodeType, tuple[str, int] | None] = {}
        self._now: set[tuple[str, int]] = set()
        self._failed: set[str] = set()

    def _see(self, frame: FrameType, _event: str, _argument: object) -> None:
        code = frame.f_code
        if code not in self._places:
            is_ours = code.co_filename.startswith(self._root)
            self._places[code] = (code.co_filename[len(self._root) :], code.co_firstlineno) if is_ours else None
        if place := self._places[code]:
            self._now.add(place)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Watch one test with its fixtures, in this thread and those that it starts."""
        file, begun = item.nodeid.partition("::")[0], time.process_time()
        self._now = self._called[file]
        sys.settrace(self._see)
        threading.settrace(self._see)
        yield
        sys.settrace(None)
        threading.settrace(None)
        self._seconds[file] += time.process_time() - begun

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep which tests fail."""
        if report.failed:
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Write down what was seen."""
        called = {file: sorted(places) for file, places in self._called.items()}
        self._file.write_text(json.dumps([called, self._seconds, sorted(self._failed)]), encoding="utf-8")


@dataclass(frozen=True)
class Map:
    """What the tests do where there is no fault.

    Attributes:
        nearest: Files of tests by module, nearest first.
        callers: Files of tests that call a function, by its module and first line.
        seconds: What each file of tests takes.
        failing: Tests that fail, as they would with any fault: they are left out.
    """

    nearest: dict[str, list[str]]
    callers: dict[tuple[str, int], set[str]] = field(default_factory=lambda: defaultdict(set))
    seconds: dict[str, float] = field(default_factory=dict)
    failing: list[str] = field(default_factory=list)

    def tests_for(self, mutant: Mutant) -> list[str]:
        """The files to run for a fault: of a line outside of functions, or in one that none calls, the nearest."""
        near = self.nearest[mutant.module]
        first = function_around(mutant.module, mutant.line)
        found = near[:NEAREST]
        # A file that tests run from a copy, or call while they are collected, is seen to be called by none.
        if first is not None and (callers := self.callers.get((mutant.module, first))):
            rank = {test: place for place, test in enumerate(near)}
            found = sorted(callers, key=lambda test: (rank.get(test, len(rank)), self.seconds.get(test, 0.0)))
        until = np.cumsum([self.seconds.get(test, 0.0) for test in found]) <= SECONDS_OF_TESTS[mutant.marks]
        return [test for test, is_in in zip(found, until, strict=True) if is_in] or found[:1]


def function_around(module: str, line: int) -> int | None:
    """First line of the innermost function around a line, as its code object says it; None outside of functions."""
    waiting, found = [compile((PROJECT / module).read_text(encoding="utf-8"), module, "exec")], []
    while waiting:
        code = waiting.pop()
        inner = [one for one in code.co_consts if isinstance(one, CodeType)]
        waiting += inner
        lines = [number for *_, number in code.co_lines() if number]
        is_function = code.co_flags & CO_NEWLOCALS and not code.co_name.startswith("<")
        if is_function and lines and code.co_firstlineno <= line <= max(lines):
            found.append(code.co_firstlineno)
    return max(found, default=None)


def map_of_tests(copies: Sequence[Path], tests: dict[str, list[str]], chosen: Sequence[Mutant], marks: str) -> Map:
    """Run the tests near some faults once, half of the files in each copy, and see what they call.

    Raises:
        RuntimeError: They cannot be run.
    """
    files = sorted({test for mutant in chosen for test in tests[mutant.module][:NEAREST]})
    started = []
    for number, copy in enumerate(copies):
        log, noted = copy.with_suffix(".txt"), copy.with_suffix(".json")
        some = files[number :: len(copies)]
        started.append((start(copy, ["-m", marks, *some], log, 3600, Calls(copy, noted)), log, noted))
    found = Map(tests)
    for process, log, noted in started:
        if os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) not in (0, 1):
            raise RuntimeError(log.read_text(encoding="utf-8")[-4000:])
        called, seconds, failed = json.loads(noted.read_text(encoding="utf-8"))
        found.seconds.update(seconds)
        found.failing.extend(failed)
        for test, places in called.items():
            for module, first in places:
                found.callers[module, first].add(test)
    return found


def copy_project(folder: Path) -> Path:
    """Copy the files that git tracks."""
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, folder / name)
    return folder


def results(chosen: Sequence[Mutant], copies: Sequence[Path], maps: dict[str, Map]) -> Iterator[tuple[Mutant, bool]]:
    """Each fault, and whether a test failed on it or took too long; one is tried in each copy at a time."""
    waiting, running = list(chosen)[::-1], dict[Path, tuple[Mutant, int, float]]()
    while waiting or running:
        for copy in copies:
            if copy not in running and waiting:
                mutant = waiting.pop()
                found = maps[mutant.marks]
                tests = found.tests_for(mutant)
                if not tests:
                    yield mutant, False
                    continue
                tests += [f"--deselect={one}" for one in found.failing]
                process = run_one(copy, mutant, tests, copy.with_suffix(".txt"))
                running[copy] = mutant, process, time.monotonic() + SECONDS
        for copy, (mutant, process, until) in list(running.items()):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended or time.monotonic() > until:
                with suppress(ProcessLookupError):
                    os.killpg(process, signal.SIGKILL)
                if not ended:
                    os.waitpid(process, 0)
                shutil.copy(PROJECT / mutant.module, copy / mutant.module)
                del running[copy]
                code = os.waitstatus_to_exitcode(status) if ended else 1
                if code == BROKEN:
                    raise RuntimeError(copy.with_suffix(".txt").read_text(encoding="utf-8"))
                yield mutant, code not in (0, 5)
        time.sleep(0.05)


def main() -> int:
    """Print each survivor, then the share killed by room; 1 where it is below what the project asks of itself."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--room", action="append", help="only this room (may be repeated)")
    parser.add_argument("--count", type=int, default=200, help="faults in all")
    parser.add_argument("--seed", default="", help="any word: each draws another sample")
    options = parser.parse_args()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        for name in FOREIGN.split():
            with suppress(ImportError):
                importlib.import_module(name)
    chosen = sample(options.room or ROOMS, options.count, options.seed)
    counts: dict[str, Counter[bool]] = defaultdict(Counter)
    with tempfile.TemporaryDirectory(prefix="vigie-mutants-") as folder:
        copies = [copy_project(Path(folder) / name) for name in ("one", "two")]
        by_marks: dict[str, list[Mutant]] = defaultdict(list)
        for mutant in chosen:
            by_marks[mutant.marks].append(mutant)
        maps = {marks: map_of_tests(copies, nearest_tests(), some, marks) for marks, some in by_marks.items()}
        for test in sorted({test for found in maps.values() for test in found.failing}):
            print(f"left out, for it fails without any fault: {test}", flush=True)
        for done, (mutant, killed) in enumerate(results(chosen, copies, maps), 1):
            counts[mutant.room][killed] += 1
            if not killed:
                before, after = before_and_after(mutant)
                print(f"{done}/{len(chosen)} survived: {mutant.module}:{mutant.line}: {before} -> {after}", flush=True)
    below = False
    for room, outcomes in [*sorted(counts.items()), ("all", sum(counts.values(), Counter()))]:
        caught, total = outcomes[True], outcomes.total()
        below |= caught < total * (0.85 if room == "all" else 0.75)
        print(f"{room:12} {caught:3} of {total:3} killed ({caught / total:.0%})")
    return int(below)


if __name__ == "__main__":
    sys.exit(main())
