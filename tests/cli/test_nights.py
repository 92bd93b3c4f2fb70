"""How the commands that take figures in end, and what they ask for."""

from __future__ import annotations

import datetime as dt
import json
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer

from cli.nights import _end, ingest
from core.errors import InputError
from tests.cli.command_line import command, vigie


@pytest.mark.parametrize(
    ("failed", "held", "taken", "code"),
    [(0, 0, 1, 0), (0, 0, 2, 0), (0, 0, 0, 0), (1, 0, 0, 1), (1, 1, 0, 3), (1, 0, 1, 3), (0, 1, 0, 3), (0, 1, 1, 3)],
)
def test_exit_code_separates_stored_held_and_none(failed: int, held: int, taken: int, code: int) -> None:
    ended = 0
    try:
        _end(failed, held, taken)
    except typer.Exit as error:
        ended = error.exit_code
    assert ended == code


@pytest.mark.parametrize(
    "ways",
    [
        {"file": file, "live": live, "replay": replay}
        for file, live, replay in product([[], ["a=b"]], [False, True], [None, "2024-01-01"])
        if sum(map(bool, (file, live, replay))) != 1
    ],
)
def test_figures_have_one_origin(ways: dict[str, Any]) -> None:
    alone = cast("typer.Context", SimpleNamespace(invoked_subcommand=None))
    with pytest.raises(InputError, match="give one of --file SOURCE=PATH, --live and --replay DATE"):
        ingest(alone, **ways)


def test_night_as_json_names_release_and_degraded_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    release = SimpleNamespace(run_id="r1", as_of=dt.date(2025, 1, 31))
    degraded = [{"source_id": "a_bureau", "reason": "no answer"}]
    made = SimpleNamespace(release=release, degraded=degraded, seconds={"in all": 3.2}, notified=["messages: 0 sent"])
    monkeypatch.setattr("nightly.night.run_night", lambda *_given, **_more: made)
    done = vigie(tmp_path, "nightly", "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (
        3,
        {"run_id": "r1", "as_of": "2025-01-31", "degraded": degraded, "seconds": 3.2, "notified": ["messages: 0 sent"]},
    )


def test_ingest_as_json_lists_editions_and_failed_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightly.inputs.load_snapshot", lambda *_: "")
    good, bad = tmp_path / "enso.csv", tmp_path / "boats.csv"
    good.write_text("year,season,oni,month,date\n2024,DJF,1.8,1,2024-01-01\n2024,JFM,1.5,2,2024-02-01\n")
    bad.write_bytes(b"")
    files = ("--file", f"noaa_enso={good}", "--file", f"uk_home_office={bad}")
    done = command("ingest", *files, "--json", home=tmp_path / "home")
    outcome = json.loads(done.stdout)
    assert done.returncode == 3
    (edition,) = outcome["editions"]
    assert (edition["source_id"], edition["state"], edition["stored_rows"]) == ("noaa_enso", "known", 2)
    assert [one["source_id"] for one in outcome["failed"]] == ["uk_home_office"]


@pytest.mark.parametrize(
    ("failed", "held", "taken", "code"),
    [([], [], ["a"], 0), (["b"], [], ["a"], 3), (["b"], [], [], 1), ([], ["c"], [], 3)],
)
def test_failed_source_is_reported_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, failed: list[str], held: list[str], taken: list[str], code: int
) -> None:
    faults = [{"source_id": one, "reason": "cannot be reached"} for one in failed]
    report = SimpleNamespace(summary=lambda: held + taken, failed=faults, held=held, taken=taken)
    monkeypatch.setattr("nightly.inputs.ingest_live", lambda *_given, **_more: report)
    done = command("ingest", "--live", home=tmp_path)
    assert done.returncode == code
    assert done.stdout.splitlines() == held + taken
    assert done.stderr.splitlines() == [f"error: {one}: cannot be reached" for one in failed]
