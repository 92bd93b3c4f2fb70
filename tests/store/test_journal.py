"""The journal keeps what people and nights did, in SQLite and in PostgreSQL."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InputError, StoreError
from store.journal import Entry, Journal, journal_url


def _append_many(url: str, worker: int, count: int) -> None:
    journal = Journal(url)
    for number in range(count):
        journal.record(Entry(f"worker-{worker}", "counted", str(number)))
    journal.close()


def test_row_comes_back_as_it_was_recorded_with_number_and_time(any_journal_url: str) -> None:
    journal = Journal(any_journal_url)
    before = dt.datetime.now(dt.UTC)
    stored = journal.record(
        Entry("Ada", "acknowledged", "surge.CMR", run_id="r1", reason="seen", payload={"level": "watch", "n": [1, 2.5]})
    )
    assert journal.entries() == [stored]
    assert (stored.actor, stored.action, stored.subject, stored.run_id) == ("Ada", "acknowledged", "surge.CMR", "r1")
    assert stored.payload == {"level": "watch", "n": [1, 2.5]}
    assert stored.id == 1
    assert before <= stored.at <= dt.datetime.now(dt.UTC)
    assert stored.at.utcoffset() == dt.timedelta(0)
    journal.close()


def test_entries_are_found_by_subject_action_release_and_number(any_journal_url: str) -> None:
    journal = Journal(any_journal_url)
    for subject, action, run_id in (("a", "seen", "r1"), ("b", "seen", "r1"), ("a", "closed", "r2")):
        journal.record(Entry("Ada", action, subject, run_id=run_id))
    assert [entry.action for entry in journal.entries(subject="a")] == ["seen", "closed"]
    assert [entry.subject for entry in journal.entries(action="seen")] == ["a", "b"]
    assert [entry.id for entry in journal.entries(run_id="r1", after=1)] == [2]
    assert journal.entries(subject="a'; DROP TABLE journal; --") == []
    assert len(journal.entries()) == 3
    journal.close()


@pytest.mark.parametrize("statement", ["UPDATE journal SET reason = 'other'", "DELETE FROM journal"])
def test_database_itself_refuses_to_change_or_delete_row(any_journal_url: str, statement: str) -> None:
    journal = Journal(any_journal_url)
    journal.record(Entry("Ada", "acknowledged", "a", reason="first"))
    engine = sa.create_engine(any_journal_url.replace("postgresql://", "postgresql+psycopg://"))
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()
    assert [entry.reason for entry in journal.entries()] == ["first"]
    journal.close()


def test_postgresql_refuses_to_empty_table(postgres_url: str) -> None:
    journal = Journal(postgres_url)
    journal.record(Entry("Ada", "acknowledged", "a"))
    engine = sa.create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(sa.text("TRUNCATE journal"))
    engine.dispose()
    assert len(journal.entries()) == 1
    journal.close()


@pytest.mark.slow
def test_nothing_is_lost_when_several_processes_append_at_once(any_journal_url: str) -> None:
    workers, each = 4, 25
    context = multiprocessing.get_context("fork")  # a fresh process would load for a second what is loaded here
    processes = [context.Process(target=_append_many, args=(any_journal_url, n, each)) for n in range(workers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * workers
    journal = Journal(any_journal_url)
    rows = journal.entries()
    journal.close()
    assert {(row.actor, row.subject) for row in rows} == {
        (f"worker-{worker}", str(number)) for worker in range(workers) for number in range(each)
    }
    assert len({row.id for row in rows}) == workers * each


@given(reason=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_unchanged(tmp_path: Path, reason: str) -> None:
    journal = Journal(journal_url("", tmp_path))
    stored = journal.record(Entry("Ada", "noted", "a", reason=reason))
    assert journal.entries(after=stored.id - 1)[0].reason == reason
    journal.close()


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        (Entry("", "seen", "a"), "actor must not be empty"),
        (Entry("Ada", " ", "a"), "action must not be empty"),
        (Entry("Ada", "seen", ""), "subject must not be empty"),
        (Entry("Ada", "seen", "a", reason="x\0y"), "reason holds characters that cannot be stored"),
        (Entry("Ada", "seen", "a", reason="\ud800"), "reason holds characters that cannot be stored"),
        (Entry("Ada", "seen", "a", payload={"k": "\0"}), "payload holds characters that cannot be stored"),
        (Entry("Ada", "seen", "a", payload={"k": float("nan")}), "payload is not JSON"),
        (Entry("Ada", "seen", "a", payload={"k": object()}), "payload is not JSON"),
        (Entry("Ada", "seen", "a", reason="x" * 100_001), "reason is longer than 100000 characters"),
    ],
)
def test_unstorable_row_is_refused(tmp_path: Path, entry: Entry, rule: str) -> None:
    journal = Journal(journal_url("", tmp_path))
    with pytest.raises(InputError, match=rule):
        journal.record(entry)
    assert journal.entries() == []
    journal.close()


def test_silent_server_is_named_without_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="journal postgresql") as caught:
        Journal(f"postgresql://vigie:secret@/vigie?host={tmp_path}")
    assert "secret" not in str(caught.value)


def test_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match=r"journal\.sqlite: file is not a database"):
        Journal(journal_url("", tmp_path))


def altered(path: Path, statement: str, *values: int) -> None:
    """Change a journal behind its interface: its own rules against that are taken away first."""
    with closing(sqlite3.connect(path)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement, values)
        database.commit()


@pytest.mark.parametrize(("row", "after"), [(1, 0), (3, 2)])
def test_row_that_cannot_be_read_is_named_by_one_before_it(tmp_path: Path, row: int, after: int) -> None:
    journal = Journal(journal_url("", tmp_path))
    for number in range(3):
        journal.record(Entry("Ada", "seen", f"s{number}"))
    altered(tmp_path / "journal.sqlite", "UPDATE journal SET payload = '[' WHERE id = ?", row)
    with pytest.raises(StoreError, match=f"the next row read after row {after} was altered"):
        journal.entries()
    journal.close()
