"""The hub's commands: which faults are printed, which files of a list are looked at."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest
import typer

from cli.hub import collect, combine, known_on, score, validate
from core.errors import SourceError
from store.releases import Release
from tests.cli.command_line import vigie


@pytest.mark.parametrize(
    ("faults", "lines", "last"),
    [(1, 1, "error: 0"), (200, 200, "error: 199"), (201, 201, "error: and 1 more"), (1400, 201, "and 1,200 more")],
)
def test_two_hundred_faults_are_printed_and_others_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], faults: int, lines: int, last: str
) -> None:
    found = [str(place) for place in range(faults)], 3
    monkeypatch.setattr("hub.files.validate", lambda *_given: found)
    with pytest.raises(typer.Exit) as ended:
        validate(".", None, None)
    printed = capsys.readouterr().err.splitlines()
    assert (ended.value.exit_code, len(printed)) == (1, lines)
    assert printed[-1].endswith(last)


@pytest.mark.parametrize(
    ("faults", "code"), [([], 0), ([SourceError("a.csv", "is no number", row=4, column="value")], 1)]
)
def test_validation_as_json_names_file_row_column_and_rule(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, faults: list[SourceError], code: int
) -> None:
    monkeypatch.setattr("hub.files.validate", lambda *_given: (faults, 3))
    done = vigie(tmp_path, "hub", "validate", ".", "--json")
    expected = [{"file": "a.csv", "row": 4, "column": "value", "rule": "is no number"}] if faults else []
    assert (done.exit_code, json.loads(done.stdout)) == (code, {"files": 3, "faults": expected})


@pytest.mark.parametrize(("refused", "code"), [([], 0), (["a.csv"], 3)])
@pytest.mark.parametrize("received", ["2025-02-03", None])
def test_hub_collect_dates_new_and_counts_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, received: str | None, refused: list[str], code: int
) -> None:
    days: list[dt.date] = []

    def taken(_place: str, _home: Path, day: dt.date) -> SimpleNamespace:
        days.append(day)
        return SimpleNamespace(summary=lambda: ["1 file taken in"], refused=refused, added=[])

    monkeypatch.setattr("hub.night.collect", taken)
    ended = 0
    try:
        collect("a hub", received, tmp_path)
    except typer.Exit as error:
        ended = error.exit_code
    today = dt.datetime.now(dt.UTC).date()
    assert ended == code
    assert days[0] == dt.date(2025, 2, 3) if received else today - days[0] <= dt.timedelta(days=1)


def test_ensembles_are_written_and_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    made = {"model-output/a/1-a.parquet": b"1", "model-metadata/a.yml": b"2"}
    monkeypatch.setattr("hub.night.combine_hub", lambda _place: made)
    combine(str(tmp_path))
    assert (tmp_path / "model-metadata" / "a.yml").read_bytes() == b"2"
    assert capsys.readouterr().out == f"{tmp_path}: 1 submission of the hub's ensembles written\n"


def test_league_is_printed_best_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows = [("all", "b", 1.0), ("all", "a", 0.5), ("span", "c", 0.1)]
    table = pd.DataFrame(rows, columns=["kind", "model_id", "pairwise_wis"]).assign(coverage_80=0.8, n=1234, missing=0)
    monkeypatch.setattr("hub.files.score_hub", lambda *_given: table)
    score(".", "b", tmp_path / "out.csv")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["a", "0.500"], ["b", "1.000"]]
    assert all(line.endswith("80 %:  0.80  1,234 scored, 0 missing") for line in lines)
    assert len(pd.read_csv(tmp_path / "out.csv")) == 3


def test_scores_as_json_hold_whole_league_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = pd.DataFrame({"kind": ["all", "span"], "model_id": ["b", "c"], "pairwise_wis": [1.0, 0.1]})
    monkeypatch.setattr("hub.files.score_hub", lambda *_given: table)
    printed = json.loads(vigie(tmp_path, "hub", "score", ".", "--json").stdout)
    assert printed == table.to_dict("records")


def test_target_data_cover_every_region_of_the_release(tmp_path: Path) -> None:
    routes = pd.DataFrame({"route_id": ["CMR", "DARIEN", "US_NORTH"]})
    release = SimpleNamespace(as_of=dt.date(2024, 11, 30), read=lambda _name, _columns: routes)
    assert set(known_on(cast(Release, release), tmp_path).regions) == {"europe", "americas"}
