"""Log lines are sentences or JSON; what people and publishers wrote stays one line, and no cell of a spreadsheet."""

from __future__ import annotations

import datetime as dt
import io
import json
import logging
import re
import sys

import pandas as pd
import pytest

from core.log import configure_logging, get_logger, one_line
from core.table_files import csv_bytes

NASTY = (
    "seen\n   9 2026-01-01 10:00 ada                  signed off",
    "\x1b[2J\x1b[1;1Hnothing here", "a\rb", "\x9b31m", "a\x08b",
    "\u202egnol", "a\u2028b", "\x07", "a\x00b", "\u2066x\u2069",
)  # fmt: skip


@pytest.mark.parametrize("text", NASTY)
def test_text_is_one_line_that_moves_no_cursor(text: str) -> None:
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
def test_log_line_stays_one_line(log_format: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    get_logger().warning("refused", newest=text, files=[text])
    line = error_line(capsys)
    assert re.fullmatch(r"[ -~]*", line)
    if log_format == "json":
        assert json.loads(line)["files"] == [text]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_log_lines_are_sentences_with_or_without_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, is_terminal: bool
) -> None:
    monkeypatch.delenv("VIGIE_LOG_FORMAT", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    configure_logging()
    get_logger().error("stopped", text="panel.csv: the file is empty", kind="InputError")
    assert error_line(capsys) == "error: panel.csv: the file is empty"


def test_text_of_event_is_its_name_facts_and_reason(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    get_logger().warning("fits left out", run_id="20250131", files=["a", "b"], reason="damaged")
    assert error_line(capsys) == "warning: fits left out: 20250131, a, b: damaged"


def test_information_is_printed_only_with_text(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    get_logger().info("stage ended", stage="reading")
    get_logger().info("written", text="23 rows written", rows=23)
    assert error_line(capsys) == "23 rows written"


def test_json_lines_keep_letters_and_have_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIGIE_LOG_FORMAT", "json")
    configure_logging()
    get_logger().info("stage ended", stage="Août – “x”")
    line = error_line(capsys)
    assert "Août – “x”" in line
    assert dt.datetime.fromisoformat(json.loads(line)["timestamp"]).tzinfo is not None


def test_fault_is_logged_with_its_place(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        dict[str, int]()["model_id"]
    except KeyError:
        get_logger().warning("left out", exc_info=True)
    line = error_line(capsys)
    assert "KeyError: 'model_id'" in line and "test_log.py" in line
    assert ("Traceback" in line) == (log_format == "json")


def test_library_logs_errors_only_and_in_our_format(
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
def test_no_line_about_table_begins_live_cell(text: str) -> None:
    line = csv_bytes(pd.DataFrame({"x": [1]}), [text]).decode().splitlines()[0]
    assert not [cell for cell in re.split(r"[,;\t]", line.removeprefix("\ufeff")) if re.match(r"\s*[=+\-@]", cell)]
    assert io.StringIO(line).read().startswith("\ufeff# ")
