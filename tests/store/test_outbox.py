"""The outbox posts with the decision or not at all, and forgets no letter, in SQLite and in PostgreSQL."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.errors import InputError
from store.journal import DROPPED, FAILED, GIVEN_UP, OUTBOX, SENT, Entry, Journal, Outbox, OutboxMessage

NOON = dt.datetime(2025, 1, 31, 12, tzinfo=dt.UTC)
HOUR, YEAR = dt.timedelta(hours=1), dt.timedelta(days=365)
SIGNED = Entry("Ada", "signed off", "surge.EMR", reason="beds are ready")
SENT_ENTRY = Entry("delivery", "sent", "surge.EMR")


@pytest.fixture
def journal(any_journal_url: str) -> Iterator[Journal]:
    opened = Journal(any_journal_url)
    yield opened
    opened.close()


def letter(name: str = "a", number: int = 1) -> OutboxMessage:
    return OutboxMessage(name, number, "surge.EMR", "raised", "desk", "mail", "duty@example.org", "en", NOON, NOON)


def post(outbox: Outbox, *letters: OutboxMessage) -> list[Entry]:
    return outbox.decide("surge.EMR", lambda _rows: [SIGNED], lambda _stored, _known: letters)


def test_decision_and_its_letters_are_kept_together(journal: Journal) -> None:
    outbox = Outbox(journal)
    (stored,) = post(outbox, letter())
    assert [row for row in journal.entries() if row.action != OUTBOX] == [stored]
    assert outbox.waiting() == [letter()]


def test_refused_decision_keeps_neither_rows_nor_letters(journal: Journal) -> None:
    outbox = Outbox(journal)

    def refuse(_rows: list[Entry]) -> list[Entry]:
        raise InputError("not now")

    def fail(_stored: list[Entry], _known: list[OutboxMessage]) -> list[OutboxMessage]:
        raise InputError("no letters")

    with pytest.raises(InputError, match="not now"):
        outbox.decide("surge.EMR", refuse, lambda _stored, _known: [letter()])
    with pytest.raises(InputError, match="no letters"):
        outbox.decide("surge.EMR", lambda _rows: [SIGNED], fail)
    assert journal.entries() == []
    assert outbox.messages() == []


def test_decision_sees_what_was_decided_before_it(journal: Journal) -> None:
    outbox = Outbox(journal)
    post(outbox, letter())
    seen: list[tuple[int, int]] = []

    def letters(stored: list[Entry], known: list[OutboxMessage]) -> list[OutboxMessage]:
        seen.append((len(stored), len(known)))
        return []

    outbox.decide("surge.EMR", lambda rows: [SIGNED] if rows else [], letters)
    assert seen == [(1, 1)]


def test_letter_is_posted_once_whatever_is_asked(journal: Journal) -> None:
    outbox = Outbox(journal)
    post(outbox, letter())
    post(outbox, letter())
    assert len(outbox.messages()) == 1


def test_letter_waits_through_failures_and_ends_when_it_is_sent(journal: Journal) -> None:
    outbox = Outbox(journal)
    post(outbox, letter())
    outbox.failed(letter(), NOON, "no answer", NOON + HOUR)
    (waiting,) = outbox.waiting()
    assert (waiting.attempts, waiting.outcome, waiting.error) == (1, FAILED, "no answer")
    assert not waiting.is_due(NOON + HOUR / 2)
    assert waiting.is_due(NOON + HOUR)
    outbox.finish(waiting, NOON + HOUR, SENT, SENT_ENTRY)
    assert outbox.waiting() == []
    (sent,) = outbox.messages()
    assert (sent.attempts, sent.outcome, sent.is_final) == (2, SENT, True)
    assert [row.action for row in journal.entries()] == ["signed off", OUTBOX, OUTBOX, "sent", OUTBOX]
    assert outbox.first_break() == ""


def test_letter_that_is_given_up_or_dropped_waits_no_more(journal: Journal) -> None:
    outbox = Outbox(journal)
    post(outbox, letter("a"), letter("b"))
    outbox.finish(letter("a"), NOON, GIVEN_UP, SENT_ENTRY, "550 no such reader")
    post(outbox, replace(letter("b"), outcome=DROPPED, error="overtaken"))
    assert outbox.waiting() == []
    assert [one.outcome for one in outbox.messages("surge.EMR")] == [GIVEN_UP, DROPPED]


@pytest.mark.parametrize("table", ["outbox_letters", "outbox_tries"])
def test_database_refuses_to_delete_letter_or_try(journal: Journal, any_journal_url: str, table: str) -> None:
    outbox = Outbox(journal)
    post(outbox, letter())
    outbox.failed(letter(), NOON, "no answer", NOON)
    engine = sa.create_engine(any_journal_url.replace("postgresql://", "postgresql+psycopg://"))
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608  # the name is one of two written above
    engine.dispose()
    assert len(outbox.waiting()) == 1


def test_of_many_who_decide_at_once_first_alone_succeeds(any_journal_url: str) -> None:
    journals = [Journal(any_journal_url) for _number in range(6)]
    outboxes = [Outbox(journal) for journal in journals]
    barrier = threading.Barrier(len(outboxes))

    def decide(outbox: Outbox) -> None:
        barrier.wait()
        outbox.decide(
            "surge.EMR", lambda rows: [] if rows else [SIGNED], lambda stored, _known: [letter()] * len(stored)
        )

    with ThreadPoolExecutor(len(outboxes)) as pool:
        list(pool.map(decide, outboxes))
    assert [row.action for row in journals[0].entries()] == ["signed off", OUTBOX]
    assert len(outboxes[0].messages()) == 1
    for journal in journals:
        journal.close()


def test_letter_is_due_from_its_time_on() -> None:
    held = replace(letter(), not_before=NOON + HOUR)
    assert [held.is_due(NOON + one) for one in (HOUR / 2, HOUR, HOUR * 2)] == [False, True, True]
    tried = replace(letter(), next_at=NOON + HOUR, attempted_at=NOON)
    assert [tried.is_due(NOON + one) for one in (HOUR / 2, HOUR, HOUR * 2)] == [False, True, True]
    both = replace(tried, not_before=NOON + HOUR * 2)
    assert not both.is_due(NOON + HOUR)
