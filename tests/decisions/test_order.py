"""Which message may be sent when: pure rules about threads, age and replies."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from decisions.sending import answered, due, is_too_old, thread_of
from store.journal import FAILED, GIVEN_UP, SENT, OutboxMessage

NOON = dt.datetime(2025, 1, 31, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
FIRST = OutboxMessage("1", 1, "surge.EMR", "raised", "team", "mail", "a@example.org", "en", NOON, NOON)


def later(message: OutboxMessage, **fields: object) -> OutboxMessage:
    """A further message of the same thread, or of another where the fields say so."""
    return replace(message, message_id="2", announcement=2, kind="ended", **fields)  # type: ignore[arg-type]  # any field


def test_message_waits_for_earlier_one_of_its_thread() -> None:
    held = replace(FIRST, next_at=NOON + DAY, attempted_at=NOON, outcome=FAILED, attempts=1)
    assert due([FIRST, later(FIRST)], NOON) == {"mail": [FIRST, later(FIRST)]}
    assert due([held, later(FIRST)], NOON) == {}


@pytest.mark.parametrize("other", [{"recipient": "b@example.org"}, {"subscription": "night"}, {"subject": "surge.CMR"}])
def test_waiting_reader_blocks_no_other(other: dict[str, object]) -> None:
    held = replace(FIRST, next_at=NOON + DAY, attempted_at=NOON, outcome=FAILED, attempts=1)
    free = later(FIRST, **other)
    assert thread_of(free) != thread_of(held)
    assert due([held, free], NOON) == {"mail": [free]}


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        ({"outcome": SENT}, ("1",)), ({"outcome": FAILED}, ()), ({"outcome": GIVEN_UP}, ()), ({}, ()),
        ({"outcome": SENT, "recipient": "b@example.org"}, ()), ({"outcome": SENT, "subscription": "night"}, ()),
        ({"outcome": SENT, "announcement": 3}, ()),
    ],
)  # fmt: skip
def test_mail_replies_to_sent_mails_of_thread(earlier: dict[str, object], expected: tuple[str, ...]) -> None:
    first = replace(FIRST, **earlier)  # type: ignore[arg-type]  # any field
    assert answered(later(FIRST), [first, later(FIRST)]) == expected


def test_giving_up_counts_from_first_due_time() -> None:
    held = replace(FIRST, not_before=NOON + 7 * DAY)
    assert is_too_old(FIRST, NOON + 3 * DAY, 2)
    assert not is_too_old(FIRST, NOON + DAY, 2)
    assert not is_too_old(held, NOON + 8 * DAY, 2)
    assert is_too_old(held, NOON + 10 * DAY, 2)
