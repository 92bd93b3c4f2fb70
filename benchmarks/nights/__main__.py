"""Nights killed at random moments, and what is left of them: ``python -m benchmarks.nights [--kills 40]``.

Each case runs real nights (``vigie nightly``) on copies of a home folder in which one night was run. Throughout kills,
one process reads the current release, one opens page after page of the dashboard, one comments on alerts at the
command line, and one records actions until it is killed along. After each fault: the published release is whole,
``vigie verify`` says so, the journal holds every committed action, and the next night publishes, or the error names
what a person must do. Every random moment follows from the seed and the number of the kill. Prints a table; exit 1
where a case failed. All cases take hours.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.nights import kills
from benchmarks.nights.bench import PUBLISHED, Bench, FaultError, Home, Result
from benchmarks.nights.kills import WatchError
from core.settings import PROJECT

FIRST = "2024-12-31"
SETTINGS = "[operation]\nkeep_nights = 4\n"
"""Few nights are kept, so that every night removes a release too."""
CASES: dict[str, Callable[[Bench], Iterable[Result]]] = {
    "killed": kills.killed,
    "publishing": kills.killed_publishing,
}


@dataclass(frozen=True)
class Outcome:
    """What a run of cases found.

    Attributes:
        results: What was counted.
        failed: Cases that failed, with the reason.
    """

    results: list[Result]
    failed: list[str]


def run(cases: Sequence[str], bench: Bench) -> Outcome:
    """Run cases, keys of :data:`CASES`, one after the other."""
    found = Outcome([], [])
    for name in cases:
        begun = time.monotonic()
        try:
            found.results.extend(CASES[name](bench))
        except (FaultError, WatchError) as error:
            found.failed.append(f"{name}: {error}")
        sys.stderr.write(f"{name}: {time.monotonic() - begun:.0f} s {found.failed[-1:]}\n")
    return found


def table(results: Iterable[Result]) -> list[str]:
    """Lines of a table in Markdown; results of the same fault are added up."""
    added: dict[str, Result] = {}
    for result in results:
        added.setdefault(result.fault, Result(result.fault)).add(result)
    lines = ["| fault | times | what came of it | afterwards |", "|---|---|---|---|"]
    return lines + [
        f"| {one.fault} | {one.times:,} | {_counted(one.outcomes)} | {_counted(one.after)} |" for one in added.values()
    ]


def _counted(counts: Counter[str]) -> str:
    if len(counts) == 1 and "\n" not in next(iter(counts)):
        return next(iter(counts))
    return "; ".join(f"{words}: {number:,}" for words, number in sorted(counts.items()))


def _prepare(folder: Path) -> Path:
    """A home folder in which one night was run."""
    home = Home(folder / "prepared")
    home.folder.mkdir()
    (home.folder / "settings.toml").write_text(SETTINGS)
    done = home.night(FIRST)
    if done.code not in PUBLISHED:
        raise SystemExit(f"the first night: exit {done.code}: {done.output}")
    return home.folder


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200, help="nights to kill")
    parser.add_argument("--from", type=int, default=0, dest="first", help="number of the first kill")
    parser.add_argument("--minutes", type=float, default=math.inf, help="after so long nothing further is killed")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", default=",".join(CASES), help="cases, comma-separated: " + ", ".join(CASES))
    parser.add_argument("--start", type=Path, help="home folder with one night in it; by default one is made")
    parser.add_argument("--quick", action="store_true", help="leave out whole nights and the dashboard")
    parser.add_argument("--alone", action="store_true", help="kill nights without a dashboard and commands meanwhile")
    given = parser.parse_args()
    os.chdir(PROJECT)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything that was started ends too
    with tempfile.TemporaryDirectory(prefix="vigie-faults-") as name:
        spare = Path(name)
        numbers = range(given.first, given.first + given.kills)
        start = given.start or _prepare(spare)
        until = time.monotonic() + given.minutes * 60
        bench = Bench(start, spare, given.seed, numbers, given.quick, given.alone, until)
        found = run(given.only.split(","), bench)
    sys.stdout.write("\n".join(table(found.results)) + "\n")
    sys.stdout.writelines(f"\n**failed** {line}\n" for line in found.failed)
    sys.exit(1 if found.failed else 0)


if __name__ == "__main__":
    main()
