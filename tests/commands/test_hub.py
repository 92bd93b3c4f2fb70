"""The hub's commands: which faults are printed, which files of a list are looked at."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from commands.hub import _paths, collect, validate


def test_a_list_of_files_may_have_blank_lines_and_detours() -> None:
    assert _paths("a/b.csv\n\n  \n./a//c.csv\na/x/../d.csv\n") == ["a/b.csv", "a/c.csv", "a/d.csv"]


@pytest.mark.parametrize(
    ("faults", "lines", "last"),
    [(1, 1, "error: 0"), (200, 200, "error: 199"), (201, 201, "error: and 1 more"), (1400, 201, "and 1,200 more")],
)
def test_two_hundred_faults_are_printed_and_the_others_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], faults: int, lines: int, last: str
) -> None:
    found = SimpleNamespace(faults=[str(place) for place in range(faults)], files=3)
    monkeypatch.setattr("nightly.hub.validate", lambda *_given: found)
    with pytest.raises(typer.Exit) as ended:
        validate("a hub", None, None)
    told = capsys.readouterr().err.splitlines()
    assert (ended.value.exit_code, len(told)) == (1, lines)
    assert told[-1].endswith(last)


def test_a_hub_that_keeps_every_rule_is_told_with_the_number_of_its_files(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("nightly.hub.validate", lambda *_given: SimpleNamespace(faults=[], files=1234))
    validate("a hub", None, None)
    assert capsys.readouterr() == ("a hub: 1,234 files checked: every rule is kept\n", "")


@pytest.mark.parametrize(("refused", "code"), [([], 0), (["a.csv"], 3)])
@pytest.mark.parametrize("received", ["2025-02-03", None])
def test_what_is_new_is_taken_in_as_received_on_the_day_given_or_today_and_what_is_refused_is_an_exit_of_three(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, received: str | None, refused: list[str], code: int
) -> None:
    days: list[dt.date] = []

    def taken(_place: str, _home: Path, day: dt.date) -> SimpleNamespace:
        days.append(day)
        return SimpleNamespace(summary=lambda: ["1 file taken in"], refused=refused)

    monkeypatch.setattr("nightly.hub.collect", taken)
    ended = 0
    try:
        collect("a hub", received, tmp_path)
    except typer.Exit as error:
        ended = error.exit_code
    today = dt.datetime.now(dt.UTC).date()
    assert ended == code
    assert days[0] == dt.date(2025, 2, 3) if received else today - days[0] <= dt.timedelta(days=1)
