"""A night is killed at a random moment; ``python -m benchmarks.nights`` repeats it by the hundred."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.nights.__main__ import run
from benchmarks.nights.bench import Bench

KILLS = 1


@pytest.mark.slow
def test_killed_night_leaves_releases_figures_journal_whole(first_night: Path, tmp_path: Path) -> None:
    found = run(["killed"], Bench(first_night, tmp_path, 7, range(KILLS), quick=True, alone=True))
    assert found.failed == []
    times = {result.fault: result.times for result in found.results}
    assert times["`kill -9` of a night at a moment drawn from its whole processor time"] == KILLS
