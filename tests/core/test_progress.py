"""Progress: what is shown, how often, and when nothing is."""

from __future__ import annotations

import json
import sys

import pytest
from rich.progress import Progress

from core.log import configure_logging, progress_bar, sentence, updated


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


@pytest.fixture(params=["text", "json"])
def log_format(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("VIGIE_LOG_FORMAT", request.param)
    configure_logging()
    return str(request.param)


def work(clock: list[float]) -> None:
    """Fit forty units in 10 s each."""
    with progress_bar() as report:
        for done in range(1, 41):
            clock[0] += 10
            report("Fitting", done, 40)


def test_bar_keeps_steps_and_never_goes_back() -> None:
    bar, shares = Progress(disable=True), []
    for step, done, total in [
        ("Night", 0, 3), ("Reading", 0, 1), ("Fitting", 1, 2), ("Fitting", 2, 2), ("Night", 1, 3), ("Fitting", 1, 5),
        ("Night", 2, 3),
    ]:  # fmt: skip
        updated(bar, step, done, total)
        shares.append({task.description: task.percentage for task in bar.tasks})
    assert [share["Night"] for share in shares] == pytest.approx([0, 0, 0, 0, 100 / 3, 100 / 3, 200 / 3])
    assert [list(share) for share in shares] == [
        ["Night"], ["Night", "Reading"], ["Night", "Fitting"], ["Night", "Fitting"], ["Night", "Fitting"],
        ["Night", "Fitting"], ["Night", "Fitting"],
    ]  # fmt: skip
    assert shares[-1]["Fitting"] == 20


def test_second_round_of_step_is_timed_alone() -> None:
    now = [0.0]
    bar = Progress(disable=True, get_time=lambda: now[0])
    for seconds in (9, 1):
        for done in range(1, 6):
            now[0] += seconds
            task = updated(bar, "Fitting", done, 10)
    assert task.time_remaining == 5


def test_without_terminal_line_comes_every_thirty_seconds(
    log_format: str, clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    work(clock)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 13
    text = "Fitting, 3 of 40, about 6 min left"
    if log_format == "text":
        assert lines[0] == text
    else:
        fields = {"event": "progress", "text": text, "stage": "Fitting", "done": 3, "total": 40, "seconds_left": 370}
        assert fields.items() <= json.loads(lines[0]).items()


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.usefixtures("log_format")
def test_quiet_log_gets_no_progress(
    clock: list[float], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    configure_logging(quiet=True)
    work(clock)
    configure_logging()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("done", "total", "left", "words"),
    [(0, 1, None, "Alerts"), (12, 1200, None, "Alerts, 12 of 1,200"), (1, 2, 59.0, "Alerts, 1 of 2, about 59 s left"),
     (1, 2, 89.0, "Alerts, 1 of 2, about 1 min left")],
)  # fmt: skip
def test_sentence_names_count_and_time_left_where_known(done: int, total: int, left: float | None, words: str) -> None:
    assert sentence("Alerts", done, total, left) == words
