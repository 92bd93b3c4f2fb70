"""Nights and what they write are killed for real, a few times; the benchmark does it by the hundred."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.faults.nights.__main__ import run
from tests.faults.nights.bench import Bench

KILLS, WRITES = 1, 4


@pytest.mark.slow
def test_kill_leaves_releases_figures_and_journal_whole(first_night: Path, tmp_path: Path) -> None:
    found = run(["killed", "writing"], Bench(first_night, tmp_path, 7, range(KILLS), WRITES, quick=True))
    assert found.failed == []
    times: Counter[str] = Counter()
    for result in found.results:
        times[result.fault] += result.times
    assert times["`kill -9` of a night at a moment drawn from its whole processor time"] == KILLS
    assert times["`kill -9` of what a night writes, again and again"] == WRITES
    assert times["actions recorded meanwhile"] > WRITES
    assert times["readings of the current release meanwhile"] > 0
