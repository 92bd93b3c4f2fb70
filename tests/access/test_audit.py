"""What the journal keeps about access."""

from __future__ import annotations

import dataclasses

import pytest

from access import (
    DOWNLOADED,
    REFUSED,
    SIGNED_IN,
    SIGNED_OUT,
    Actor,
    NotAllowedError,
    Person,
    Refusals,
    access_rows,
    actor_of,
    authorize_download,
    describe,
    ended_logins,
    note_login,
    note_logout,
    note_refusal,
    read_login,
    revoke,
)
from core.schema import Entry
from store.journal import Journal

from .test_identity import settings

ADA = Person("ada@example.org", "https://login.example.org|0815", ("analyst",))
ACTOR = actor_of(ADA, settings())


def test_login_is_found_until_it_is_ended(journal: Journal) -> None:
    note_login(journal, "one", ADA, ACTOR)
    note_login(journal, "another", ADA, ACTOR)
    found = read_login(journal, "one")
    assert found
    assert found[0] == ADA
    note_logout(journal, "one", ACTOR)
    note_logout(journal, "one", ACTOR)
    assert read_login(journal, "one") is None
    assert [row.action for row in journal.entries()] == [SIGNED_IN, SIGNED_IN, SIGNED_OUT]
    assert read_login(journal, "another")


def test_refusals_that_come_again_and_again_are_counted(journal: Journal) -> None:
    now = 0.0
    refusals = Refusals(lambda: now)
    assert [refusals.due("a") for _time in range(1000)] == [1, *[0] * 999]
    assert refusals.due("b") == 1
    now = 61
    assert refusals.due("a") == 1000
    for _time in range(1000):
        note_refusal(journal, ACTOR, "request", "/media/x")
    assert len(journal.entries(action=REFUSED)) == 1


def test_file_that_leaves_is_recorded_with_who_took_it(journal: Journal) -> None:
    authorize_download(journal, ACTOR, "alerts.csv", "run")
    (row,) = journal.entries(action=DOWNLOADED)
    assert (row.actor, row.subject, row.run_id) == ("ada@example.org", "file:alerts.csv", "run")


def test_audit_lists_what_people_who_signed_in_did_newest_first(journal: Journal) -> None:
    note_login(journal, "one", ADA, ACTOR)
    authorize_download(journal, ACTOR, "alerts.csv")
    note_refusal(journal, ACTOR, "read access", "access")
    viewer = dataclasses.replace(ACTOR, roles=frozenset({"viewer"}))
    with pytest.raises(NotAllowedError):
        authorize_download(journal, viewer, "alerts.xlsx")
    rows = access_rows(journal)
    assert [(row.action, describe(row)) for row in rows] == [
        (REFUSED, "download alerts.xlsx"),
        (REFUSED, "read access access"),
        (DOWNLOADED, "alerts.csv"),
        (SIGNED_IN, "analyst"),
    ]


def test_repeated_refusal_is_counted_once() -> None:
    def row(action: str, payload: dict[str, object]) -> Entry:
        return Entry("ada", action, "access", payload=payload)

    refused: dict[str, object] = {"action": "download", "about": "x.csv"}
    assert describe(row(REFUSED, refused)) == "download x.csv"
    assert describe(row(REFUSED, refused | {"count": 2})) == "download x.csv × 2"
    assert describe(row(REFUSED, {"action": "request"})) == "request"
    assert describe(row(SIGNED_IN, {"roles": ["analyst", "manager"]})) == "analyst, manager"
    assert describe(row(SIGNED_OUT, {"roles": []})) == "no role"


def test_logins_of_person_are_ended_and_counted(journal: Journal) -> None:
    other = Person("ben@example.org", "https://login.example.org|0816", ())
    for login_id, person in (("one", ADA), ("two", ADA), ("three", other)):
        note_login(journal, login_id, person, actor_of(person, settings()))
    note_logout(journal, "two", ACTOR)
    assert revoke(journal, ADA.name, Actor("root"), "left") == 1
    assert revoke(journal, ADA.name, Actor("root"), "left") == 0
    assert revoke(journal, other.identity, Actor("root"), "left") == 1
    ended, newest = ended_logins(journal, 0)
    assert ended == {"one", "two", "three"}
    assert ended_logins(journal, newest) == (set(), newest)
