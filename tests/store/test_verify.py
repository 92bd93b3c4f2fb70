"""Each way of changing what was recorded is found and named."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from core.errors import Message, StoreError
from core.release import HUB_EDITIONS
from core.settings import Settings
from hub.night import publish_files
from nightly.inputs import load_snapshot
from nightly.recover import chain_head, record_publication, witness
from store import Partitions, parquet_bytes, sha256_of_bytes, sha256_of_file, write_bytes
from store.export import record_published, write_published
from store.figures import VintageStore
from store.figures.editions import ACCEPT, Arrival, EditionStore
from store.hub import Edition, SubmissionStore, prove, record_receipts
from store.journal import SENT, Entry, Journal, Outbox, OutboxMessage, _link, journal_url, opened_journal
from store.releases import SETTINGS_FILE, About, Release, ReleaseStore, home_inputs
from store.releases.caches import FitStore
from store.status import WITNESSED, alteration, whole_releases
from store.verify import verify_home
from tests.store.fixtures import Rows

Frames = dict[str, pd.DataFrame]
FOLLOWING = Settings.model_validate({"store": {"url": "s3://vigie/production"}})


def night(home: Path, frames: Frames, day: int, *, witnessed: bool = True) -> Release:
    """A release as a night makes it; without a witness as an intruder would."""
    store, journal = ReleaseStore(home), Journal(journal_url("", home))
    contents = VintageStore(home).contents()
    inputs = home_inputs(home)
    about = About(dt.date(2025, 1, day), "0.1.0", {}, inputs, journal=chain_head(journal), vintages=contents)
    editions = [(one.model_id, one.round_id, one.sha256, one.file, one.received, one.late) for one in submitted(home)]
    frames = frames | {"hub_editions": HUB_EDITIONS.empty()}
    if editions:
        told_editions = pd.DataFrame(editions, columns=list(HUB_EDITIONS.columns)[:6])
        frames["hub_editions"] = told_editions.astype({"received": "datetime64[ns]"})
    if witnessed:
        release = store.publish(frames, {}, about, lambda run_id, sha256: witness(journal, run_id, sha256))
        record_publication(journal, release, {}, store.head())
    else:
        release = store.publish(frames, {}, about)
    journal.close()
    return release


def submitted(home: Path) -> list[Edition]:
    return SubmissionStore(home).all()


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
    write_bytes(home / SETTINGS_FILE, b"backtest_origins = 60\n")
    FitStore(home).put("one", b"trees")
    for folder in ("backtests", "hub/rows"):
        Partitions(home / folder, keyed_by=home).append(pd.DataFrame({"value": [1.0]}))
    content = b"origin_date,value"
    edition = Edition(
        "team-model", "2025-01-31", sha256_of_bytes(content), "a.csv", dt.date(2025, 2, 3), True, "hub"
    )  # as the class is
    SubmissionStore(home).add(edition, content)
    SubmissionStore(home).put_metadata("team-model", b"team_abbr: team")
    SubmissionStore(home).put_config({"hub-config/tasks.json": b"{}"})
    write_bytes(home / "own" / "own_post.toml", b"[source]\n")
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
    noon = dt.datetime(2025, 1, 31, 12, tzinfo=dt.UTC)
    message = OutboxMessage("m", 1, "alert 31", "raised", "desk", "mail", "duty@example.org", "en", noon, noon)
    outbox = Outbox(journal)
    outbox.decide("alert 31", lambda _rows: [Entry("ada", "signed off", "alert 31")], lambda _rows, _known: [message])
    outbox.failed(message, noon, "no route to host", noon)
    held = Arrival("iom-dtm", "odd.csv", "1" * 64, "ada", observations(("2025-01", 9.0, "2025-02-10")), noon.date())
    EditionStore(home, journal).hold(held, [Message("another unit")])
    outbox.finish(message, noon, SENT, Entry("delivery", "sent", "alert 31"))
    journal.record(Entry("bob", "dissented", "alert 31", reason="too early"))
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


def rewrite_forecasts(home: Path, folder: str) -> None:
    """Change forecasts, and name their file by its own hash."""
    (path,) = (home / folder).glob("*.parquet")
    content = parquet_bytes(pd.read_parquet(path) * 0.4)
    path.unlink()
    (path.parent / f"{sha256_of_bytes(content)[:32]}.parquet").write_bytes(content)


def rewrite_fit(home: Path) -> None:
    """Change a fit, and write its own hash before it."""
    (home / "fits" / "one.fit").write_bytes(sha256_of_bytes(b"other").encode() + b"other")


def link_hub(home: Path) -> None:
    (home / "elsewhere").mkdir()
    (home / "elsewhere" / "b.csv").write_text("model_id")
    (home / "published" / "hub" / "more").symlink_to(home / "elsewhere", target_is_directory=True)


def rewrite_receipt(home: Path) -> None:
    (path,) = (home / "hub" / "editions").rglob("*.json")
    path.write_text(path.read_text().replace("2025-02-03", "2025-01-31").replace("true", "false"))


def take_submission_away(home: Path) -> None:
    for path in (home / "hub" / "editions").rglob("*.*"):
        path.unlink()


def held_figures(home: Path) -> Path:
    return next((home / "editions").glob("*.parquet"))


def link_folder(home: Path) -> None:
    (home / "vintages").rename(home.parent / "elsewhere")
    (home / "vintages").symlink_to(home.parent / "elsewhere", target_is_directory=True)


def submission(home: Path) -> Path:
    return next((home / "hub" / "editions").rglob("*.csv"))


HASHES = "journal_chain WHERE id > (SELECT max(id) - 1 FROM journal_chain)"
TRY = (
    "INSERT INTO outbox_tries (letter_id, at, outcome, error) VALUES ('m', '2025-01-31 12:00:00.000000', 'dropped', '')"
)
LETTER = "INSERT INTO outbox_letters SELECT 'n', announcement, subject, kind, subscription, channel, 'eve@example.org', language, not_before, posted_at FROM outbox_letters"  # noqa: E501  # one statement
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
    "a space behind a reason": sql("UPDATE journal SET reason = reason || ' ' WHERE id = 2"),
    "every row a number later": sql("UPDATE journal SET id = -id", "UPDATE journal SET id = 1 - id"),
    "no rows, their hashes left": sql("DELETE FROM journal"),
    "a feed taken away": lambda home: (home / "published" / "alerts.atom").unlink(),
    # What a night reads back and publishes from.
    "a fit rewritten with its own hash": rewrite_fit,
    "a fit under another name": lambda home: (home / "fits" / "one.fit").rename(home / "fits" / "two.fit"),
    "past forecasts rewritten under their own hash": lambda home: rewrite_forecasts(home, "backtests"),
    "rows of submissions rewritten under their own hash": lambda home: rewrite_forecasts(home, "hub/rows"),
    "the home's key replaced": lambda home: overwrite(home / "integrity.key", b"x" * 32),
    "the home's key taken away": lambda home: (home / "integrity.key").unlink(),
    # Rows that came after the newest release.
    "the newest row deleted, and its hash": sql("DELETE FROM journal WHERE id = (SELECT max(id) FROM journal)", f"DELETE FROM {HASHES}"),  # noqa: E501, S608  # as above
    "the newest row re-attributed and all rows chained anew": rechained(sql(f"UPDATE journal SET actor = 'eve' WHERE id = {LAST}")),  # noqa: E501, S608  # as above
    "the journal's end taken away": lambda home: (home / "journal.head").unlink(),
    "the journal's end rewritten": lambda home: overwrite(home / "journal.head", b'{"id": 1, "sha256": "x"}'),
    # Messages.
    **{
        f"a message's {column}": sql(f"UPDATE outbox_letters SET {column} = 'eve@example.org'")  # noqa: S608  # as above
        for column in ("recipient", "subject", "channel", "subscription")
    },
    "a message added": sql(LETTER),
    "a message taken away": sql("DELETE FROM outbox_letters"),
    "an attempt added": sql(TRY),
    "an attempt taken away": sql("DELETE FROM outbox_tries WHERE outcome = 'failed'"),
    "an attempt's outcome": sql("UPDATE outbox_tries SET outcome = 'dropped' WHERE outcome = 'sent'"),
    # Settings, links, other teams' submissions.
    "settings": lambda home: overwrite(home / "settings.toml", b"backtest_origins = 24\n"),
    "settings taken away": lambda home: (home / "settings.toml").unlink(),
    "a linked folder among the hub's files": link_hub,
    "a link among figures": lambda home: (figures(home).parent / "x.parquet").symlink_to(figures(home)),
    "a submission": lambda home: overwrite(submission(home), b"other"),
    "a submission taken away": take_submission_away,
    "a submission's day of receipt": rewrite_receipt,
    "what a model says of itself": lambda home: overwrite(home / "hub" / "models" / "team-model.yml", b"team: eve"),
    "what a model says of itself taken away": lambda home: (home / "hub" / "models" / "team-model.yml").unlink(),
    "the hub's configuration": lambda home: overwrite(home / "hub" / "hub-config" / "tasks.json", b"[]"),
    "a mapping of own figures": lambda home: overwrite(home / "own" / "own_post.toml", b"[source]\nx = 1\n"),
    "figures that wait for a person": lambda home: overwrite(held_figures(home), b"other"),
    "figures that wait for a person taken away": lambda home: held_figures(home).unlink(),
    "a whole folder behind a link": link_folder,
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERINGS)
def test_what_was_changed_is_named(home: Path, what: str, record_property: Callable[[str, object], None]) -> None:
    TAMPERINGS[what](home)
    problem = verify_home(home, Settings())
    assert problem is not None
    assert str(problem)
    record_property(what, str(problem))


def test_unaltered_home_is_whole(home: Path) -> None:
    assert verify_home(home, Settings()) is None


def test_rewritten_release_with_its_own_head_is_refused(home: Path) -> None:
    store = ReleaseStore(home)
    for release in store.all():
        assert alteration(home, release, Settings()) is None
    forge_newest(home)
    forged = store.current()
    assert forged is not None
    assert store.alteration(forged) is None, "it agrees with its own head"
    assert "not the one that the journal keeps" in str(alteration(home, forged, Settings()))


def test_night_skips_altered_releases(home: Path) -> None:
    forge_newest(home)
    whole, altered = whole_releases(home, Settings())
    assert [one.path for one in whole] == sorted((home / "releases").glob("2*"))[:-1]
    assert [one.run_id for one in altered] == [newest(home).name]
    for text in (b"{", b"{}", b"[]"):
        overwrite(newest(home) / "manifest.json", text)
        assert whole_releases(home, Settings())[0] == whole, "only the one that was altered is left out"


def test_rewritten_release_proves_no_forecast(home: Path) -> None:
    assert prove(home, "team-model", "2025-01-31")
    forge_newest(home)
    with pytest.raises(StoreError, match="not the one that the journal keeps"):
        prove(home, "team-model", "2025-01-31")


def test_altered_figures_that_wait_for_person_are_not_taken_in(home: Path) -> None:
    overwrite(path := held_figures(home), b"other")
    journal = Journal(journal_url("", home))
    with pytest.raises(StoreError, match="was altered since it was held"):
        EditionStore(home, journal).decide(ACCEPT, path.stem, "ada", "seen")
    journal.close()


def test_release_without_witness_is_refused_except_from_store(home: Path, release_frames: Frames) -> None:
    added = night(home, release_frames, 31, witnessed=False)
    assert "no witness" in str(alteration(home, added, Settings()))
    assert alteration(home, added, FOLLOWING) is None


def test_hash_of_journal_row_kept_by_recipient_is_proof(home: Path) -> None:
    journal = Journal(journal_url("", home))
    head = journal.head()
    assert head
    journal.record(Entry("ada", "noted", "later"))
    journal.close()
    assert verify_home(home, Settings(), head.sha256) is None
    assert "no release has this hash" in str(verify_home(home, Settings(), "0" * 64))


def test_files_of_home_are_for_their_owner_alone(tmp_path: Path, release_frames: Frames, observations: Rows) -> None:
    before = os.umask(0o022)
    try:
        make_home(tmp_path / "new" / "home", release_frames, observations)
    finally:
        os.umask(before)
    found = [tmp_path / "new", *(tmp_path / "new").rglob("*")]
    modes = {path.relative_to(tmp_path).as_posix(): path.stat().st_mode & 0o777 for path in found}
    assert {name: mode for name, mode in modes.items() if mode not in {0o600, 0o700}} == {}


def take_in(home: Path, observations: Rows) -> str:
    """Let an edition be known after the newest release; returns its source."""
    rows = observations(("2025-01", 5000.0, "2025-02-10"))
    source_id = str(rows["source_id"].iloc[0])
    journal = Journal(journal_url("", home))
    arrival = Arrival(source_id, "new.csv", "0" * 64, "ada", rows, dt.date(2025, 2, 10))
    assert EditionStore(home, journal).take_in(arrival).new == 1
    journal.close()
    return source_id


def load_new_snapshot(home: Path, observations: Rows) -> None:
    """Load a bundled snapshot that holds a figure more, after the newest release."""
    journal = Journal(journal_url("", home))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingest.snapshot.load", lambda _folder: observations(("2025-01", 5000.0, "2025-02-10")))
        load_snapshot(VintageStore(home), journal)
    journal.close()


@pytest.mark.parametrize("put_in", [take_in, load_new_snapshot])
def test_figures_stored_since_newest_release_do_not_go_unseen(
    home: Path, observations: Rows, put_in: Callable[[Path, Rows], object]
) -> None:
    before = set(figures(home).parent.iterdir())
    put_in(home, observations)
    assert verify_home(home, Settings()) is None
    for path in set(figures(home).parent.iterdir()) - before:
        path.unlink()
    assert "are missing: the journal names them" in str(verify_home(home, Settings()))


def test_kept_hash_detects_replaced_home(home: Path, tmp_path: Path, release_frames: Frames) -> None:
    kept, settings = ReleaseStore(home).head(), Settings()
    assert kept
    assert verify_home(home, settings, kept.upper()) is None
    other = tmp_path / "other"
    night(other, release_frames, 31)
    assert verify_home(other, settings) is None
    assert "no release has this hash" in str(verify_home(other, settings, kept))
    night(home, release_frames, 31)
    assert "goes on from there" in str(verify_home(home, settings, kept))


def test_unpublished_night_is_not_suspected(home: Path) -> None:
    journal = Journal(journal_url("", home))
    journal.record(Entry("nightly", WITNESSED, "20990101T000000Z-abcdef", "20990101T000000Z-abcdef"))
    journal.close()
    assert verify_home(home, Settings()) is None


def test_interrupted_hub_files_are_not_suspected(home: Path) -> None:
    journal = Journal(journal_url("", home))
    record_published(journal, {"hub/a.csv": "0" * 64, "hub/new.csv": "1" * 64})
    assert verify_home(home, Settings()) is None
    publish_files(home, journal, {"a.csv": partial(bytes, b"newer"), "new.csv": partial(bytes, b"new")})
    journal.close()
    assert verify_home(home, Settings()) is None


def test_chain_is_equal_in_both_databases(any_journal_url: str) -> None:
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


def test_receipt_altered_before_the_next_night_is_named(home: Path) -> None:
    content = b"origin_date,value\n"
    edition = Edition("team-model", "2025-02-28", sha256_of_bytes(content), "b.csv", dt.date(2025, 3, 3), True, "hub")
    SubmissionStore(home).add(edition, content)
    with opened_journal("", home) as journal:
        record_receipts(journal, [edition])
    (path,) = (home / "hub" / "editions" / "2025-02-28").rglob("*.json")
    path.write_text(path.read_text().replace("2025-03-03", "2025-02-28").replace("true", "false"))
    assert "b.csv: its record was altered" in str(verify_home(home, Settings()))
