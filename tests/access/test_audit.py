"""What the journal keeps about access."""

from __future__ import annotations

import dataclasses

import pytest

from access.audit import (
    DOWNLOADED,
    REFUSED,
    SIGNED_IN,
    SIGNED_OUT,
    access_rows,
    authorize_download,
    describe,
    note_login,
    note_logout,
    note_refusal,
)
from access.identity import read_login
from access.roles import Actor, NotAllowedError
from store.journal import Journal

from .test_identity import CLAIMS, settings

LOGIN = read_login(CLAIMS, settings())


def test_a_login_is_recorded_once_however_often_it_is_met(journal: Journal) -> None:
    assert all(note_login(journal, LOGIN) for _time in range(3))
    assert [row.action for row in journal.entries()] == [SIGNED_IN]


def test_a_login_that_was_ended_opens_nothing_any_more(journal: Journal) -> None:
    note_login(journal, LOGIN)
    note_logout(journal, LOGIN)
    note_logout(journal, LOGIN)
    assert not note_login(journal, LOGIN)
    assert [row.action for row in journal.entries()] == [SIGNED_IN, SIGNED_OUT]
    assert note_login(journal, dataclasses.replace(LOGIN, login_id="another"))


def test_a_file_that_leaves_is_recorded_with_who_took_it(journal: Journal) -> None:
    authorize_download(journal, LOGIN.actor, "alerts.csv", "run")
    (row,) = journal.entries(action=DOWNLOADED)
    assert (row.actor, row.subject, row.run_id) == ("ada@example.org", "file:alerts.csv", "run")


def test_without_a_login_files_leave_and_nothing_is_recorded(journal: Journal) -> None:
    authorize_download(journal, Actor(""), "alerts.csv")
    assert journal.entries() == []


def test_the_audit_lists_what_people_who_signed_in_did_the_newest_first(journal: Journal) -> None:
    note_login(journal, LOGIN)
    authorize_download(journal, LOGIN.actor, "alerts.csv")
    note_refusal(journal, LOGIN.actor, "read access", "access")
    viewer = dataclasses.replace(LOGIN.actor, roles=frozenset({"viewer"}))
    with pytest.raises(NotAllowedError):
        authorize_download(journal, viewer, "alerts.xlsx")
    rows = access_rows(journal)
    assert [(row.action, describe(row)) for row in rows] == [
        (REFUSED, "download alerts.xlsx"),
        (REFUSED, "read access access"),
        (DOWNLOADED, "alerts.csv"),
        (SIGNED_IN, "analyst"),
    ]
