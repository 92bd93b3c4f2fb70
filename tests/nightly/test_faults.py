"""Nights and what they write are killed for real, a few times; the benchmark does it by the hundred."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.faults.nights.__main__ import read_records, recorder, run, table
from tests.faults.nights.bench import Bench, Result
from tests.faults.nights.processes import last_stage

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


def test_the_moment_of_a_kill_follows_from_the_seed_and_its_number_alone(tmp_path: Path) -> None:
    one, other = (Bench(tmp_path, tmp_path, 7, numbers, 0) for numbers in (range(3), range(2, 9)))
    assert one.random("killed", 2).random() == other.random("killed", 2).random()
    assert one.random("killed", 1).random() != other.random("killed", 2).random()


def test_results_of_several_runs_add_up_in_one_table(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    for what in ("whole", "whole", "new"):
        recorder(path)(Result("a kill", 2, Counter({what: 2})))
    assert table(read_records(path))[-1] == "| a kill | 6 | new: 2; whole: 4 |  |"
    assert table([Result("a kill", 1, Counter({"whole": 1}))])[-1] == "| a kill | 1 | whole |  |"


def test_the_stage_that_a_kill_met_is_read_from_the_log_of_the_night() -> None:
    lines = ['{"event": "night begun"}', '{"event": "stage ended", "stage": "reading"}', "no JSON", '{"event": "prog']
    assert [last_stage("\n".join(lines[:number])) for number in (0, 1, 2, 4)] == ["", "begun", "reading", "reading"]
