"""What people and publishers wrote stays one line, in a terminal and in a log, and begins no cell of a spreadsheet."""

from __future__ import annotations

import io
import json
import re

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
def test_a_text_is_one_line_that_moves_no_cursor(text: str) -> None:
    assert re.fullmatch(r"[ -~]*", one_line(text))
    assert one_line("Août, 12 000 ß — “x”") == "Août, 12 000 ß — “x”"


@pytest.mark.parametrize("text", NASTY)
def test_a_log_line_stays_one_line(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    configure_logging(json_lines=False)
    get_logger().warning("refused", newest=text)
    written = re.sub(r"\x1b\[\d*m", "", capfd.readouterr().err)
    configure_logging()
    assert written.count("\n") == 1
    assert re.fullmatch(r"[ -~]*\n", written)


def test_a_fault_in_vigie_is_logged_with_where_it_happened_on_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    configure_logging(json_lines=True)
    try:
        dict[str, int]()["model_id"]
    except KeyError:
        get_logger().warning("left out", exc_info=True)
    (line,) = capfd.readouterr().err.splitlines()
    configure_logging()
    assert "KeyError: 'model_id'" in json.loads(line)["exception"] and "test_log.py" in line


@pytest.mark.parametrize("text", ["Source: Cite,=HYPERLINK(1)", "a, =1+1", "a;+1", "a\t@x", "=1", "a,\n=1", "a ,-1"])
def test_no_line_about_a_table_begins_a_live_cell(text: str) -> None:
    line = csv_bytes(pd.DataFrame({"x": [1]}), [text]).decode().splitlines()[0]
    assert not [cell for cell in re.split(r"[,;\t]", line.removeprefix("\ufeff")) if re.match(r"\s*[=+\-@]", cell)]
    assert io.StringIO(line).read().startswith("\ufeff# ")
