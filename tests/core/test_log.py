"""Log lines are sentences or JSON, and what people and publishers wrote stays one line, and no cell of a spreadsheet.

What is told of the time left of long work is about right, once a tenth is done.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import logging
import re
import sys
from typing import Any

import pandas as pd
import pytest
from rich.progress import Progress

from core import log
from core.log import Pace, ProgressReport, configure_logging, get_logger, one_line, shares, uneven
from core.table_files import csv_bytes

NASTY = (
    "seen\n   9 2026-01-01 10:00 ada                  signed off",
    "\x1b[2J\x1b[1;1Hnothing here", "a\rb", "\x9b31m", "a\x08b",
    "\u202egnol", "a\u2028b", "\x07", "a\x00b", "\u2066x\u2069",
)  # fmt: skip


@pytest.mark.parametrize("text", NASTY)
def test_a_text_is_one_line_that_moves_no_cursor(text: str) -> None:
    assert re.fullmatch(r"[ -~]*", one_line(text))
    assert one_line("Août, 12 000 ß — “x”") == "Août, 12 000 ß — “x”"


@pytest.fixture(params=["text", "json"])
def log_format(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("VIGIE_LOG_FORMAT", request.param)
    configure_logging()
    return str(request.param)


def error_line(capsys: pytest.CaptureFixture[str]) -> str:
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    return printed.err.removesuffix("\n")


@pytest.mark.parametrize("text", NASTY)
def test_a_log_line_stays_one_line(log_format: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    get_logger().warning("refused", newest=text, files=[text])
    line = error_line(capsys)
    assert re.fullmatch(r"[ -~]*", line)
    if log_format == "json":
        assert json.loads(line)["files"] == [text]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_log_lines_are_sentences_with_or_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, is_terminal: bool
) -> None:
    monkeypatch.delenv("VIGIE_LOG_FORMAT", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    configure_logging()
    get_logger().error("stopped", text="panel.csv: the file is empty", kind="InputError")
    assert error_line(capsys) == "error: panel.csv: the file is empty"


def test_text_of_an_event_is_its_name_facts_and_reason(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    get_logger().warning("fits left out", run_id="20250131", files=["a", "b"], reason="damaged")
    assert error_line(capsys) == "warning: fits left out: 20250131, a, b: damaged"


def test_information_is_printed_only_with_a_text(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    get_logger().info("stage ended", stage="reading")
    get_logger().info("written", text="23 rows written", rows=23)
    assert error_line(capsys) == "23 rows written"


def test_json_lines_keep_letters_and_have_a_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIGIE_LOG_FORMAT", "json")
    configure_logging()
    get_logger().info("stage ended", stage="Août – “x”")
    line = error_line(capsys)
    assert "Août – “x”" in line
    assert dt.datetime.fromisoformat(json.loads(line)["timestamp"]).tzinfo is not None


def test_a_fault_is_logged_with_its_place(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        dict[str, int]()["model_id"]
    except KeyError:
        get_logger().warning("left out", exc_info=True)
    line = error_line(capsys)
    assert "KeyError: 'model_id'" in line and "test_log.py" in line
    assert ("Traceback" in line) == (log_format == "json")


def test_a_library_logs_errors_only_and_in_our_format(
    log_format: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    library = logging.getLogger("library")
    monkeypatch.setattr(library, "propagate", False)  # pytest has handlers of its own on the root
    library.warning("Retrying after connection broken")
    library.error("no more files")
    line = error_line(capsys)
    assert (json.loads(line)["text"] if log_format == "json" else line) == (
        "no more files" if log_format == "json" else "error: no more files"
    )


@pytest.mark.parametrize("text", ["Source: Cite,=HYPERLINK(1)", "a, =1+1", "a;+1", "a\t@x", "=1", "a,\n=1", "a ,-1"])
def test_no_line_about_a_table_begins_a_live_cell(text: str) -> None:
    line = csv_bytes(pd.DataFrame({"x": [1]}), [text]).decode().splitlines()[0]
    assert not [cell for cell in re.split(r"[,;\t]", line.removeprefix("\ufeff")) if re.match(r"\s*[=+\-@]", cell)]
    assert io.StringIO(line).read().startswith("\ufeff# ")


class Lines:
    """Stands in for the log."""

    def __init__(self) -> None:
        self.left: list[tuple[int, int | None]] = []

    def info(self, _event: str, *, done: int, seconds_left: int | None, **_other: Any) -> None:  # noqa: ANN401  # a log's
        self.left.append((done, seconds_left))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("core.log.time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    found = Lines()
    monkeypatch.setattr(log, "get_logger", lambda: found)
    return found


def work(report: ProgressReport, clock: list[float], stage: str, units: int, seconds_each: float) -> None:
    for done in range(1, units + 1):
        clock[0] += seconds_each
        report(stage, done, units)


def test_time_left_is_right_however_long_processes_took_to_start(clock: list[float], lines: Lines) -> None:
    report = log._on_log()
    clock[0] += 60
    work(report, clock, "Forecasting", 100, 2.0)
    told = [(done, left) for done, left in lines.left if 10 <= done < 100]
    assert len(told) > 5
    for done, left in told:
        assert left == pytest.approx(2 * (100 - done), abs=1)


def test_a_second_round_under_the_same_name_is_timed_by_itself(clock: list[float], lines: Lines) -> None:
    report = log._on_log()
    work(report, clock, "Forecasting", 50, 4.0)
    lines.left.clear()
    work(report, clock, "Forecasting", 100, 1.0)
    assert {done + (left or 0) for done, left in lines.left} == {100}


def test_time_left_passes_while_nothing_is_told_and_is_never_less_than_none(clock: list[float]) -> None:
    pace = Pace()
    for done in range(5):
        clock[0] += 10
        pace(done, 8)
    assert pace.seconds_left() == pytest.approx(40)
    clock[0] += 15
    assert pace.seconds_left() == pytest.approx(40 - 15)
    clock[0] += 60
    assert pace.seconds_left() == 0


def test_parts_of_a_work_advance_together_by_what_they_cost() -> None:
    told: list[tuple[int, int]] = []
    first, second = shares(lambda done, total: told.append((done, total)), [3.0, 1.0])
    assert first is not None
    assert second is not None
    first(1, 2)
    first(2, 2)
    second(0, 0)
    second(7, 7)
    assert told == [(375, 1000), (750, 1000), (750, 1000), (1000, 1000)]
    assert shares(None, [1.0, 2.0]) == [None, None]


def test_a_part_of_one_unit_is_done_when_its_unit_is() -> None:
    told: list[tuple[int, int]] = []
    first, second = shares(lambda done, total: told.append((done, total)), [1.0, 1.0])
    assert first is not None
    assert second is not None
    first(1, 1)
    second(1, 1)
    assert told == [(500, 1000), (1000, 1000)]


def test_units_that_cost_more_and_more_advance_by_what_they_cost() -> None:
    told: list[tuple[int, int]] = []
    report = uneven(lambda done, total: told.append((done, total)), [1.0, 3.0])
    assert report is not None
    for done in (2, 4, 6, 8):
        report(done, 8)
    assert told == [(125, 1000), (250, 1000), (625, 1000), (1000, 1000)]
    assert uneven(None, [1.0]) is None


@pytest.mark.parametrize(
    ("left", "words"), [(5.4, "about 0:05 left"), (59.6, "about 1:00 left"), (3_605.0, "about 60:05 left")]
)
def test_the_time_left_is_told_in_minutes_and_seconds(clock: list[float], left: float, words: str) -> None:
    pace = Pace()
    assert (str(pace), pace.seconds_left()) == ("", None)
    pace(0, 2)
    clock[0] += left
    assert str(pace) == "", "nobody can know before a unit is done"
    pace(1, 2)
    assert str(pace) == words


def test_a_log_is_told_of_progress_every_thirty_seconds_and_of_each_end(clock: list[float], lines: Lines) -> None:
    report = log._on_log()
    for seconds, done in ((0, 0), (29, 1), (1, 2), (29, 3), (1, 4), (1, 5)):
        clock[0] += seconds
        report("Forecasting", done, 5)
    assert [done for done, _left in lines.left] == [2, 4, 5]


def test_a_bar_shows_each_stage_once_and_how_far_it_is() -> None:
    with Progress(disable=True) as bar:
        report = log._on_bar(bar)
        for stage, done, total in (("A", 0, 4), ("A", 2, 4), ("B", 1, 3), ("A", 4, 4)):
            report(stage, done, total)
        assert [(task.description, task.completed, task.total) for task in bar.tasks] == [("A", 4, 4), ("B", 1, 3)]
