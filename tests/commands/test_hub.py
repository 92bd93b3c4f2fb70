"""The hub's commands: which faults are printed, which files of a list are looked at."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import typer

from commands.hub import _paths, validate


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
