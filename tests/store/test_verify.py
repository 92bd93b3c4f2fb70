"""Whoever changes what was recorded is found out: each way of doing it is named."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from core.settings import Settings
from nightly.hub_tables import publish_files
from nightly.recover import chain_head, record_publication, witness
from store import sha256_of_bytes, sha256_of_file
from store.editions import Arrival, EditionStore
from store.export import tell_published, write_published
from store.journal import Entry, Journal, _link, journal_url
from store.releases import About, Release, ReleaseStore
from store.status import WITNESSED
from store.verify import verify_home
from store.vintages import VintageStore
from tests.store.conftest import Rows

Frames = dict[str, pd.DataFrame]


def night(home: Path, frames: Frames, day: int, *, told: bool = True) -> Release:
    """A release as a night makes it; not told: as somebody else would."""
    store, journal = ReleaseStore(home), Journal(journal_url("", home))
    contents = VintageStore(home).contents()
    about = About(dt.date(2025, 1, day), "0.1.0", {}, {}, journal=chain_head(journal), vintages=contents)
    if told:
        release = store.publish(frames, {}, about, lambda run_id, sha256: witness(journal, run_id, sha256))
        record_publication(journal, release, {}, store.head())
    else:
        release = store.publish(frames, {}, about)
    journal.close()
    return release


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the home lies that is made once."""
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture
def home(tmp_path: Path, shelf: Path, release_frames: Frames, observations: Rows) -> Path:
    """Three nights, and people who decided something in between: a copy to tamper with."""
    made = shelf / "home"
    if not made.exists():
        make_home(made, release_frames, observations)
    return Path(shutil.copytree(made, tmp_path / "home"))


def make_home(home: Path, frames: Frames, observations: Rows) -> None:
    VintageStore(home).append(observations(("2024-12", 5418.0, "2025-01-10")))
    for day in (29, 30, 31):
        journal = Journal(journal_url("", home))
        for person in ("ada", "bob"):
            journal.record(Entry(person, "acknowledged", f"alert {day}", reason="seen", payload={"n": [1, 2.5, None]}))
        journal.close()
        night(home, frames, day)
    journal = Journal(journal_url("", home))
    for feed in (b"<feed/>", b"<feed>one</feed>"):
        write_published(home, journal, {"alerts.atom": feed, "one.xml": b"<alert/>"})
    for table in (b"old", b"model_id"):
        publish_files(home, journal, {"a.csv": partial(bytes, table)})
    journal.close()


def sql(*statements: str) -> Callable[[Path], None]:
    """Change the journal past its triggers."""

    def change(home: Path) -> None:
        with closing(sqlite3.connect(home / "journal.sqlite")) as database:
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                database.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                database.execute(statement)
            database.commit()

    return change


def rechained(change: Callable[[Path], None]) -> Callable[[Path], None]:
    """Change rows, and then compute a chain of one's own over all of them."""

    def both(home: Path) -> None:
        change(home)
        journal, digest, links = Journal(journal_url("", home)), "", []
        for entry in journal.entries():
            digest = _link(digest, entry)
            links.append(f"INSERT INTO journal_chain VALUES ({entry.id}, '{digest}')")  # noqa: S608  # a test's own row
        journal.close()
        sql("DELETE FROM journal_chain", *links)(home)

    return both


def newest(home: Path) -> Path:
    return sorted((home / "releases").glob("2*"))[-1]


def forge_newest(home: Path) -> None:
    release = newest(home)
    manifest = json.loads((release / "manifest.json").read_text())
    (release / "alerts.parquet").write_bytes((release / "scores.parquet").read_bytes())
    manifest["files"]["alerts.parquet"]["sha256"] = sha256_of_file(release / "alerts.parquet")
    text = json.dumps(manifest).encode()
    (release / "manifest.json").write_bytes(text)
    head = {"run_id": release.name, "manifest_sha256": sha256_of_bytes(text)}
    (home / "releases" / "HEAD.json").write_text(json.dumps(head))


def without_newest(home: Path) -> None:
    former = json.loads((newest(home) / "manifest.json").read_text())["previous"]
    shutil.rmtree(newest(home))
    (home / "releases" / "HEAD.json").write_text(json.dumps(former))


def figures(home: Path) -> Path:
    return next((home / "vintages").glob("*/*.parquet"))


def add_figures(home: Path, source_id: str) -> None:
    """Whole files put where a night would have put them, each named by its hash."""
    rows = VintageStore(home).as_of(dt.date(2025, 6, 1)).assign(obs_value=1.0, as_of=pd.Timestamp("2025-02-01"))
    VintageStore(home).append(rows.assign(source_id=source_id))


def without_journal(home: Path) -> None:
    for path in home.glob("journal.sqlite*"):
        path.unlink()


def overwrite(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def oldest(home: Path) -> Path:
    return sorted((home / "releases").glob("2*"))[0]


LAST = "(SELECT max(id) FROM journal)"
ROW = "INSERT INTO journal (at, actor, action, subject, run_id, reason, payload) SELECT at, 'eve', action, subject, run_id, reason, payload FROM journal WHERE id = 2"  # noqa: E501  # one statement
TAMPERINGS: dict[str, Callable[[Path], object]] = {
    **{
        f"a row's {column}": sql(f"UPDATE journal SET {column} = 'other' WHERE id = 2")  # noqa: S608  # names of columns of ours
        for column in ("actor", "action", "subject", "run_id", "reason")
    },
    "a row's time": sql("UPDATE journal SET at = '2020-01-01 00:00:00.000000' WHERE id = 2"),
    "a row's payload": sql("UPDATE journal SET payload = '{}' WHERE id = 2"),
    "the first row deleted": sql("DELETE FROM journal WHERE id = 1"),
    "a row in the middle deleted": sql("DELETE FROM journal WHERE id = 5"),
    "the last row deleted": sql("DELETE FROM journal WHERE id = (SELECT max(id) FROM journal)"),
    "the last rows deleted, and their hashes": sql("DELETE FROM journal WHERE id > 3", "DELETE FROM journal_chain WHERE id > 3"),  # noqa: E501  # a case a line
    "a row deleted, and its hash": sql("DELETE FROM journal WHERE id = 5", "DELETE FROM journal_chain WHERE id = 5"),
    "a row added": sql(ROW),
    "a row added before the first": sql(ROW.replace("(at,", "(id, at,").replace("SELECT at", "SELECT 0, at")),
    "two rows exchanged": sql("UPDATE journal SET id = 999 WHERE id = 1", "UPDATE journal SET id = 1 WHERE id = 2", "UPDATE journal SET id = 2 WHERE id = 999"),  # noqa: E501  # a case a line
    "a hash": sql("UPDATE journal_chain SET sha256 = 'x' WHERE id = 3"),
    "a hash deleted": sql("DELETE FROM journal_chain WHERE id = 3"),
    "a row altered and all rows chained anew": rechained(sql("UPDATE journal SET actor = 'eve' WHERE id = 2")),
    "a row deleted and all rows chained anew": rechained(sql("DELETE FROM journal WHERE id = 2")),
    "every hash deleted": sql("DELETE FROM journal_chain"),
    "the first hashes deleted": sql("DELETE FROM journal_chain WHERE id < 6"),
    "a row's time made unreadable": sql("UPDATE journal SET at = 'noon' WHERE id = 2"),
    "a row's payload made unreadable": sql("UPDATE journal SET payload = '{' WHERE id = 2"),
    "an empty journal": sql("DELETE FROM journal", "DELETE FROM journal_chain"),
    "an empty journal chained anew": rechained(sql("DELETE FROM journal")),
    "no journal": without_journal,
    "a forged newest release": forge_newest,
    "a newest release taken away": without_newest,
    "a figure": lambda home: overwrite(figures(home), figures(home).read_bytes()[:-1] + b"x"),
    "a file of figures taken away": lambda home: figures(home).unlink(),
    "a file of figures added": lambda home: add_figures(home, "dtm"),
    "figures of a new source added": lambda home: add_figures(home, "other"),
    "a feed": lambda home: overwrite(home / "published" / "alerts.atom", b"<feed>two</feed>"),
    "a feed put back as it was before": lambda home: overwrite(home / "published" / "alerts.atom", b"<feed/>"),
    "a feed added": lambda home: (home / "published" / "other.atom").write_text("<feed/>"),
    "a file of the hub added": lambda home: (home / "published" / "hub" / "more.csv").write_text("model_id"),
    "a file of the hub altered": lambda home: overwrite(home / "published" / "hub" / "a.csv", b"model_id,more"),
    "a file of the hub put back as it was before": lambda home: overwrite(home / "published" / "hub" / "a.csv", b"old"),
    "a file of the hub taken away": lambda home: (home / "published" / "hub" / "a.csv").unlink(),
    "a published message taken away": lambda home: (home / "published" / "one.xml").unlink(),
    "figures of a release": lambda home: overwrite(newest(home) / "scores.parquet", b"x"),
    "a former release taken away": lambda home: shutil.rmtree(oldest(home)),
    # Beyond those of an attack in earnest: each kind at either end, and files one by one.
    **{
        f"the {place} row's {column}": sql(f"UPDATE journal SET {column} = '{value}' WHERE id = {at}")  # noqa: S608  # as above
        for place, at in (("first", 1), ("last", LAST))
        for column, value in {
            **dict.fromkeys(("actor", "action", "subject", "run_id", "reason"), "else"),
            "payload": '{"else": 1}', "at": "2020-01-01 00:00:00.000000",
        }.items()
    },
    "capitals in a row": sql("UPDATE journal SET action = upper(action) WHERE id = 2"),
    "a space behind a reason": sql("UPDATE journal SET reason = reason || ' ' WHERE id = 2"),
    "a row told twice": sql(ROW.replace("'eve'", "actor")),
    "a row of another number": sql(f"UPDATE journal SET id = {LAST} + 7 WHERE id = 5"),  # noqa: S608  # as above
    "every row a number later": sql("UPDATE journal SET id = -id", "UPDATE journal SET id = 1 - id"),
    "the first two rows deleted": sql("DELETE FROM journal WHERE id < 3"),
    "the first two rows deleted, and their hashes": sql("DELETE FROM journal WHERE id < 3", "DELETE FROM journal_chain WHERE id < 3"),  # noqa: E501  # a case a line
    "the newest hash": sql("UPDATE journal_chain SET sha256 = 'x' WHERE id = (SELECT max(id) FROM journal_chain)"),
    "two hashes exchanged": sql("UPDATE journal_chain SET id = 999 WHERE id = 1", "UPDATE journal_chain SET id = 1 WHERE id = 2", "UPDATE journal_chain SET id = 2 WHERE id = 999"),  # noqa: E501  # as above
    "no rows, their hashes left": sql("DELETE FROM journal"),
    "a row altered and the first rows left out of the chain": rechained(sql("DELETE FROM journal WHERE id < 4")),
    "a manifest indented": lambda home: overwrite(newest(home) / "manifest.json", json.dumps(json.loads((newest(home) / "manifest.json").read_text()), indent=7).encode()),  # noqa: E501  # as above
    "a manifest taken away": lambda home: (newest(home) / "manifest.json").unlink(),
    "the former release's manifest": lambda home: overwrite(oldest(home) / "manifest.json", b"{}"),
    "the former release's figures": lambda home: overwrite(oldest(home) / "scores.parquet", b"x"),
    "alerts of a release emptied": lambda home: overwrite(newest(home) / "alerts.parquet", b""),
    "alerts of a release taken away": lambda home: (newest(home) / "alerts.parquet").unlink(),
    "a file of a release of before": lambda home: overwrite(newest(home) / "alerts.parquet", (newest(home) / "scores.parquet").read_bytes()),  # noqa: E501  # as above
    "a release under another name": lambda home: newest(home).rename(newest(home).with_name("29990101T000000Z-000000")),
    "a release copied": lambda home: shutil.copytree(newest(home), newest(home).with_name("29990101T000000Z-000000")),
    "figures emptied": lambda home: overwrite(figures(home), b""),
    "figures cut off": lambda home: overwrite(figures(home), figures(home).read_bytes()[:-9]),
    "a feed emptied": lambda home: overwrite(home / "published" / "alerts.atom", b""),
    "a feed taken away": lambda home: (home / "published" / "alerts.atom").unlink(),
}  # fmt: skip


def test_as_many_were_tried_as_were_promised() -> None:
    assert len(TAMPERINGS) >= 65


@pytest.mark.parametrize("what", TAMPERINGS)
def test_what_was_changed_is_named(home: Path, what: str) -> None:
    settings = Settings()
    assert verify_home(home, settings) is None
    TAMPERINGS[what](home)
    problem = verify_home(home, settings)
    assert problem is not None
    assert str(problem)


def take_in(home: Path, observations: Rows) -> str:
    """Let an edition be known after the newest release; returns its source."""
    rows = observations(("2025-01", 5000.0, "2025-02-10"))
    source_id = str(rows["source_id"].iloc[0])
    journal = Journal(journal_url("", home))
    arrival = Arrival(source_id, "new.csv", "0" * 64, "ada", rows, dt.date(2025, 2, 10))
    assert EditionStore(home, journal).take_in(arrival).new == 1
    journal.close()
    return source_id


def test_figures_taken_in_since_the_newest_release_do_not_go_unseen(home: Path, observations: Rows) -> None:
    before = set(figures(home).parent.iterdir())
    take_in(home, observations)
    assert verify_home(home, Settings()) is None
    for path in set(figures(home).parent.iterdir()) - before:
        path.unlink()
    assert "are missing: the journal tells of them" in str(verify_home(home, Settings()))


def test_merged_files_and_editions_are_not_suspected(home: Path, observations: Rows) -> None:
    settings, source_id = Settings(), take_in(home, observations)
    assert verify_home(home, settings) is None
    VintageStore(home)._partitions(source_id).merge()
    assert verify_home(home, settings) is None


def test_a_published_file_without_any_record_is_named(tmp_path: Path, release_frames: Frames) -> None:
    night(tmp_path, release_frames, 29)
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "alerts.atom").write_text("<feed/>")
    problem = verify_home(tmp_path, Settings())
    assert problem is not None
    assert problem.file == "published/alerts.atom"


def test_a_release_that_no_night_made_is_named(home: Path, release_frames: Frames) -> None:
    forged = night(home, release_frames, 31, told=False)
    problem = verify_home(home, Settings())
    assert problem is not None
    assert (problem.run_id, "no witness" in problem.rule) == (forged.run_id, True)


def test_a_hash_kept_elsewhere_tells_a_home_that_was_replaced_as_a_whole(
    home: Path, tmp_path: Path, release_frames: Frames
) -> None:
    kept, settings = ReleaseStore(home).head(), Settings()
    assert kept
    assert verify_home(home, settings, kept.upper()) is None
    other = tmp_path / "other"
    night(other, release_frames, 31)
    assert verify_home(other, settings) is None
    assert "no release has this hash" in str(verify_home(other, settings, kept))
    night(home, release_frames, 31)
    assert "goes on from there" in str(verify_home(home, settings, kept))


def test_a_night_cut_off_before_its_release_is_in_place_leaves_no_suspicion(home: Path) -> None:
    journal = Journal(journal_url("", home))
    journal.record(Entry("nightly", WITNESSED, "20990101T000000Z-abcdef", "20990101T000000Z-abcdef"))
    journal.close()
    assert verify_home(home, Settings()) is None


def test_a_night_cut_off_while_it_writes_the_hubs_files_leaves_no_suspicion(home: Path) -> None:
    journal = Journal(journal_url("", home))
    tell_published(journal, {"hub/a.csv": "0" * 64, "hub/new.csv": "1" * 64})
    assert verify_home(home, Settings()) is None
    publish_files(home, journal, {"a.csv": partial(bytes, b"newer"), "new.csv": partial(bytes, b"new")})
    journal.close()
    assert verify_home(home, Settings()) is None


def test_a_home_that_others_fill_is_not_held_against_its_own_journal(home: Path) -> None:
    for path in home.glob("journal.sqlite*"):
        path.unlink()
    Journal(journal_url("", home)).close()
    assert verify_home(home, Settings.model_validate({"store": {"url": "s3://vigie/production"}})) is None


def test_the_chain_is_the_same_in_both_databases_and_many_writers_keep_it_whole(any_journal_url: str) -> None:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # only here

    journal = Journal(any_journal_url)
    payload = {"é": [1, 2.5, 1e-7, 10**15, None, True], "a": {"b": "ß\u2028"}}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: journal.record(Entry("ada", "noted", str(n), payload=payload)), range(40)))
    assert journal.walk({}) == ""
    head = journal.head()
    assert head
    assert asdict(head)["id"] == 40
    journal.close()
