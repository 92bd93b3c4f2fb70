"""Editions at the command line: the exit codes, the list, and the way back."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from cli import nights
from core.errors import InputError
from nightly.inputs import Ingested
from tests.cli.command_line import vigie

DAYS = pd.date_range("2024-01-01", "2024-06-30")


@pytest.fixture(autouse=True)
def nothing_is_bundled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightly.inputs.load_snapshot", lambda *_: "")


def days_csv(path: Path, times: int = 1, extra: int = 0) -> str:
    """A file of daily counts, in another unit from May on."""
    counts = [day.day * (times if day.month > 4 else 1) + extra * (day == DAYS[5]) for day in DAYS]  # May
    lines = [f"{day:%Y-%m-%d},{count},1" for day, count in zip(DAYS, counts, strict=True)]
    path.write_text("\n".join(["#date,migrants,boats", *lines, ""]))
    return f"uk_home_office={path}"


def total(home: Path, tmp_path: Path) -> int:
    out = tmp_path / "out.csv"
    assert vigie(home, "observations", "--series", "arrivals.CHA.GBR._T.D", "--out", str(out)).exit_code == 0
    frame = pd.read_csv(out)
    assert not frame.duplicated(["source_id", "series_id", "time_period"]).any()
    assert set(frame["target"] + frame["unit"]) == {"arrivalspersons"}
    return int(frame["obs_value"].sum())


@pytest.mark.slow
def test_wrong_unit_is_held_and_can_be_withdrawn(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert vigie(home, "ingest", "--file", days_csv(tmp_path / "days.csv")).exit_code == 0
    first = total(home, tmp_path)
    wrong = days_csv(tmp_path / "thousands.csv", times=1000)
    waiting = vigie(home, "ingest", "--file", wrong)
    (held,) = [one for one in json.loads(vigie(home, "editions", "--json").stdout) if one["state"] == "held"]
    assert (waiting.exit_code, total(home, tmp_path)) == (3, first)
    assert held["edition_id"] in waiting.output
    assert "another unit" in waiting.output
    assert vigie(home, "editions", "accept", held["edition_id"], "--reason", "trial").exit_code == 0
    assert total(home, tmp_path) > first
    assert vigie(home, "editions", "withdraw", held["edition_id"], "--reason", "wrong unit").exit_code == 0
    assert total(home, tmp_path) == first
    assert "wrong unit" in vigie(home, "ingest", "--file", wrong).output


@pytest.mark.slow
def test_held_edition_lists_its_changes(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert vigie(home, "ingest", "--file", days_csv(tmp_path / "days.csv")).exit_code == 0
    assert vigie(home, "ingest", "--file", days_csv(tmp_path / "thousands.csv", times=1000)).exit_code == 3
    (held,) = [one for one in json.loads(vigie(home, "editions", "--json").stdout) if one["state"] == "held"]
    name = held["edition_id"]
    changes = json.loads(vigie(home, "editions", "changes", name, "--json").stdout)
    assert len(changes) == held["changed"] == 61
    assert [(one["before"], one["after"], one["is_newer"]) for one in changes[:2]] == [
        (1.0, 1000.0, False), (2.0, 2000.0, False),
    ]  # fmt: skip
    assert vigie(home, "ingest", "--file", days_csv(tmp_path / "corrected.csv", extra=7)).exit_code == 0
    corrected = total(home, tmp_path)
    assert "2024-01-06: 13 → 6 (newer than the edition)" in vigie(home, "editions", "changes", name).output
    with pytest.raises(InputError, match="would replace newer figures"):
        vigie(home, "editions", "accept", name, "--reason", "trial")
    assert total(home, tmp_path) == corrected
    assert vigie(home, "editions", "accept", name, "--reason", "trial", "--replace-newer").exit_code == 0
    assert total(home, tmp_path) > corrected


@pytest.mark.parametrize(
    ("is_held", "printed"), [(False, ("frontex known\n", "")), (True, ("", "warning: frontex held\n"))]
)
def test_held_file_is_reported_on_standard_error(
    capsys: pytest.CaptureFixture[str], *, is_held: bool, printed: tuple[str, str]
) -> None:
    summary = f"frontex {'held' if is_held else 'known'}"
    nights._report_edition(cast(Ingested, SimpleNamespace(is_held=is_held, summary=lambda: summary)))
    assert capsys.readouterr() == printed
