"""Do the tests catch faults? A fixed sample of small faults, one at a time, and the share that a related test notices.

Faults are Cosmic Ray's (a boundary moved, a sign turned, a number off by one, *and* for *or*, a condition negated …) in
a copy of the project. For each, the quick tests run that are nearest to the module by its imports, until one fails. The
sample depends on modules and faults alone, so two runs on one state agree. Run it with ``make mutants``, or for one
room with ``.venv/bin/python -m tests.mutants --room alerts --count 40``.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib
import io
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

PROJECT = Path(__file__).resolve().parent.parent
ROOMS = (
    "access", "alerts", "core", "dashboard", "forecasting", "geo", "hub", "ingest", "nightly", "reports", "store",
    "workflow",
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
UNJUDGED = re.compile(r"lru_cache|maxsize|TYPE_CHECKING|^\s*@|figsize|rowspan|height=|width=|fontsize|linewidth|# fmt")
"""Lines on which a fault changes looks, memory or nothing: no test should insist on them."""
QUICK = "not (slow or night or browser or provider or cluster or server or raw_data)"
BROKEN = 99
"""How a process ends in which the tests could not even be started."""
NEAREST = 14
"""Test files that are run for one fault at most, nearest first."""
SECONDS, PROCESSOR_SECONDS = 1800, 300
"""After so long a fault counts as noticed: it made something endless."""
FOREIGN = "numpy pandas pyarrow.parquet duckdb scipy.stats statsmodels.api plotly.graph_objects babel \
hypothesis streamlit streamlit.testing.v1 typer sqlalchemy httpx matplotlib.figure geopandas pandera.pandas lxml.etree"
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


def mutants_of(module: str) -> Iterator[Mutant]:
    """Every fault that the operators can make in a module."""
    code = (PROJECT / module).read_text(encoding="utf-8")
    lines, tree = code.splitlines(), get_ast(code)
    for name in OPERATORS:
        operator = get_operator(name)()
        places = [start for node in ast_nodes(tree) for start, _end in operator.mutation_positions(node)]
        for occurrence, (line, _column) in enumerate(places):
            if not UNJUDGED.search(lines[line - 1]):
                text = f"{module} {name} {lines[line - 1].strip()} {occurrence}"
                yield Mutant(hashlib.sha256(text.encode()).hexdigest(), module, name, occurrence, line)


def sample(rooms: Sequence[str], count: int) -> list[Mutant]:
    """The first faults of each room in their fixed order, more from rooms with more of them (by the square root)."""
    by_room = {
        room: sorted(
            mutant
            for path in sorted((PROJECT / room).rglob("*.py"))
            for mutant in mutants_of(path.relative_to(PROJECT).as_posix())
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
        chosen[module] = sorted(near[module], key=lambda test: (near[module][test], len(tests[test])))[:NEAREST]
    return chosen


def is_ours(path: Path) -> bool:
    """Whether a file is source or test, not installed or generated."""
    return not {".venv", "build", "node_modules"} & set(path.relative_to(PROJECT).parts)


def run_one(copy: Path, mutant: Mutant, tests: Sequence[str], output: Path) -> int:
    """Fork a process that runs tests on a mutated module in a copy; returns its id."""
    path = copy / mutant.module
    code = (PROJECT / mutant.module).read_text(encoding="utf-8")
    mutated = mutate_code(code, get_operator(mutant.operator)(), mutant.occurrence)
    path.write_text(mutated or code, encoding="utf-8")
    process = os.fork()
    if process:
        return process
    os.setsid()
    os.chdir(copy)
    sys.path[:] = [str(copy), *(entry for entry in sys.path if Path(entry or ".").resolve() != PROJECT)]
    for name in [name for name in sys.modules if name.partition(".")[0] in {*ROOMS, "tests", "cli", "commands"}]:
        del sys.modules[name]
    os.environ["PYTHONPATH"] = str(copy)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    status = BROKEN
    try:
        status = int(pytest.main(["-q", "-x", "--assert=plain", "-p", "no:cacheprovider", "-m", QUICK, *tests]))
    finally:
        traceback.print_exc()
        sys.stdout.flush()
        os._exit(status)


def copy_project(folder: Path) -> Path:
    """Copy what git knows of the project."""
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, folder / name)
    return folder


def results(chosen: Sequence[Mutant], tests: dict[str, list[str]], folder: Path) -> Iterator[tuple[Mutant, bool]]:
    """Each fault, and whether a test failed on it or took too long; two are tried at a time."""
    copies = [copy_project(folder / name) for name in ("one", "two")]
    waiting, running = list(chosen)[::-1], dict[Path, tuple[Mutant, int, float]]()
    while waiting or running:
        for copy in copies:
            if copy not in running and waiting:
                mutant = waiting.pop()
                process = run_one(copy, mutant, tests[mutant.module], copy.with_suffix(".txt"))
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
    options = parser.parse_args()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        for name in FOREIGN.split():
            with suppress(ImportError):
                importlib.import_module(name)
    chosen, tests = sample(options.room or ROOMS, options.count), nearest_tests()
    counts: dict[str, Counter[bool]] = defaultdict(Counter)
    with tempfile.TemporaryDirectory(prefix="vigie-mutants-") as folder:
        for done, (mutant, killed) in enumerate(results(chosen, tests, Path(folder)), 1):
            counts[mutant.room][killed] += 1
            if not killed:
                text = (PROJECT / mutant.module).read_text(encoding="utf-8").splitlines()[mutant.line - 1].strip()
                name = mutant.operator.removeprefix("core/")
                print(f"{done}/{len(chosen)} survived: {mutant.module}:{mutant.line} {name}: {text}", flush=True)
    below = False
    for room, found in [*sorted(counts.items()), ("all", sum(counts.values(), Counter()))]:
        caught, total = found[True], found.total()
        below |= caught < total * (0.85 if room == "all" else 0.75)
        print(f"{room:12} {caught:3} of {total:3} killed ({caught / total:.0%})")
    return int(below)


if __name__ == "__main__":
    sys.exit(main())
