"""What is collected is kept as it came, marked late where it was, and never holds a night."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from runpy import run_path
from typing import cast

import numpy as np
import pandas as pd
import pytest

from benchmarks.hub_mutations import MODEL, ROUND, SERIES, sound
from core.release import FORECASTS
from hub.files import validate
from hub.night import collect, collect_night, hub_files, hub_tables, publish_files
from hub.own import config_files, open_round
from store.export import WRITTEN
from store.hub import HubFiles, SubmissionStore, receipts
from store.journal import Journal, journal_url, opened_journal
from tests.hub.test_submissions import ABOUT

FILE = f"model-output/{MODEL}/{ROUND}-{MODEL}.csv"
COUNTS = pd.DataFrame(
    [
        (series, end, 900.0 + end.month, pd.NaT)
        for series in SERIES[:2]
        for end in pd.date_range("2023-01-31", "2025-12-31", freq="ME")
    ],
    columns=["series_id", "target_end_date", "value", "as_of"],
)
IN_TIME, LATE = dt.date(2024, 12, 20), dt.date(2025, 1, 1)


def write(place: Path, files: dict[str, bytes]) -> str:
    for name, content in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return str(place)


def content(seed: int) -> bytes:
    return sound(np.random.default_rng(seed)).to_csv(index=False).encode()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    files = config_files(SERIES, dt.date(2024, 12, 31), "A hub")
    write(tmp_path / "hub", files | {FILE: content(1), f"model-metadata/{MODEL}.yml": ABOUT})
    return tmp_path / "hub"


def test_edition_keeps_day_received(place: Path, tmp_path: Path) -> None:
    assert [one.late for one in collect(str(place), tmp_path, IN_TIME).added] == [False]
    assert collect(str(place), tmp_path, LATE).added == []
    write(place, {FILE: content(2)})
    assert [one.late for one in collect(str(place), tmp_path, LATE).added] == [True]
    kept = SubmissionStore(tmp_path).all()
    assert [SubmissionStore(tmp_path).content(one) for one in kept] == [content(1), content(2)]
    # Former homes kept them under these names, and are read on.
    names = [tmp_path / "hub" / "editions" / ROUND / MODEL / f"{one.sha256[:32]}.csv" for one in kept]
    assert [path.read_bytes() for path in names] == [content(1), content(2)]


def test_broken_submission_is_named_and_others_are_taken(place: Path, tmp_path: Path) -> None:
    broken = FILE.replace(ROUND, "2024-10-31")
    write(place, {broken: content(1)})
    found = collect(str(place), tmp_path, IN_TIME)
    assert len(found.added) == 1
    assert list(found.refused) == [broken]
    assert "is not the round" in found.degraded()[0]["reason"]


@pytest.mark.slow
def test_hub_that_is_not_there_does_not_hold_night(tmp_path: Path) -> None:
    assert "no such folder" in collect_night(str(tmp_path / "none"), tmp_path, cast(Journal, None), LATE)[0]["reason"]
    assert hub_tables(FORECASTS.empty(), COUNTS, tmp_path, LATE)["hub_scores"].empty


def test_what_was_collected_is_scored_in_time_and_late_apart(place: Path, tmp_path: Path) -> None:
    baseline = "vigie-baseline"
    about = ABOUT.replace(b"team_abbr: team", b"team_abbr: vigie").replace(
        b"model_abbr: model", b"model_abbr: baseline"
    )
    write(place, {FILE.replace(MODEL, baseline): content(3), f"model-metadata/{baseline}.yml": about})
    collect(str(place), tmp_path, IN_TIME)
    write(place, {FILE: content(2)})
    with opened_journal("", tmp_path) as journal:
        assert collect_night(str(place), tmp_path, journal, LATE) == []
        assert [late for _day, late in receipts(journal).values()] == [True]
    tables = hub_tables(FORECASTS.empty(), COUNTS, tmp_path, LATE)
    assert list(tables["hub_editions"]["late"]).count(True) == 1
    scores = tables["hub_scores"]
    assert set(scores["timing"]) == {"in time", "all"}
    own = tables["hub_forecasts"]
    assert (own.loc[own["model_id"] == MODEL, "timing"] == "in time").all()
    first = SubmissionStore(tmp_path).rows()
    first = first[(first["model_id"] == MODEL)]
    assert first["sha256"].nunique() == 2


def test_stored_submission_is_published(place: Path, tmp_path: Path) -> None:
    broken = FILE.replace(ROUND, "2024-10-31")
    write(place, {broken: content(1), "target-data/oracle-output.csv": b"a\n", "target-data/run.exe": b"a"})
    collect(str(place), tmp_path, IN_TIME)
    journal = Journal(journal_url("", tmp_path))
    publish_files(tmp_path, journal, hub_files(tmp_path, str(place)))
    written = {name for row in journal.entries(action=WRITTEN) for name in row.payload}
    journal.close()
    out = tmp_path / "published" / "hub"
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert found >= {FILE, f"model-metadata/{MODEL}.yml", "hub-config/tasks.json", "target-data/oracle-output.csv"}
    assert written == {f"hub/{name}" for name in found}
    assert not found & {broken, "target-data/run.exe"}
    assert (out / FILE).read_bytes() == content(1)
    assert validate(HubFiles(str(out)))[0] == []


def test_on_day_of_receipt_closed_round_is_fault(place: Path) -> None:
    assert validate(HubFiles(str(place)))[0] == []
    assert validate(HubFiles(str(place)), received=IN_TIME)[0] == []
    assert "open from 2024-12-01 to 2024-12-31" in str(validate(HubFiles(str(place)), received=LATE)[0][0])
    assert validate(HubFiles(str(place)), only=[], received=LATE)[0] == []


def test_submission_without_metadata_is_fault(place: Path) -> None:
    (place / "model-metadata" / f"{MODEL}.yml").unlink()
    assert "yml is missing" in str(validate(HubFiles(str(place)))[0][0])


def test_link_out_of_hub_is_not_followed(place: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n")
    (place / "model-output" / MODEL / f"2024-09-30-{MODEL}.csv").symlink_to(tmp_path / "secret.csv")
    assert validate(HubFiles(str(place)))[0] == []


@pytest.mark.parametrize("address", ["{}", "file://{}"])
def test_missing_listed_path_is_a_fault(place: Path, address: str) -> None:
    gone = [FILE.replace(ROUND, "2024-10-31"), f"model-metadata/{MODEL}-2.yml", "README of old.md"]
    found = validate(HubFiles(address.format(place)), only=[FILE, "hub-config/tasks.json", *gone])
    assert [str(fault) for fault in found[0]] == [f"{path}: is not there, or is a link" for path in gone]
    assert found[1] == 1


def test_first_command_of_guide_writes_submission(tmp_path: Path) -> None:
    files = config_files(SERIES, dt.date(2025, 1, 31), "A hub")
    counts = COUNTS[COUNTS["target_end_date"] < "2024-12-01"].rename(columns={"value": "observation"})
    earlier = counts.assign(target_end_date=counts["target_end_date"] - pd.DateOffset(years=2))
    rows = pd.concat([earlier, counts]).drop_duplicates(["series_id", "target_end_date"])
    rows = rows.assign(target="arrivals", as_of="2024-12-20")
    place = write(tmp_path, files | {"target-data/time-series.csv": rows.to_csv(index=False).encode()})
    (round_id, model_id), *_others = re.findall(r"python templates/submit.py (\S+) (\S+)", files["README.md"].decode())
    assert open_round("M", dt.date(2025, 1, 31)) == pd.Timestamp(round_id)
    run_path(f"{place}/templates/submit.py")["main"](round_id, model_id)
    template = (tmp_path / "templates" / f"{model_id}.yml").read_bytes()
    write(tmp_path, {f"model-metadata/{model_id}.yml": template})
    found = validate(HubFiles(place), received=dt.date(2025, 1, 31))
    assert found == ([], 2)
