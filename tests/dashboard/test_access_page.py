"""What the page about access calls things, without the page."""

from __future__ import annotations

import pytest

from access import DOWNLOAD, ROLES, page_action
from access.sessions import DOWNLOADED, REFUSED, SIGNED_IN, SIGNED_OUT
from alerts.lifecycle import DISMISSED
from core.schema import Entry

from .shown import functions_of

page = functions_of("access")


@pytest.mark.parametrize("action", [SIGNED_IN, SIGNED_OUT])
def test_of_a_login_the_roles_are_told(action: str) -> None:
    row = Entry("Ada", action, "Ada", payload={"roles": [ROLES[0]]})
    assert page.row_about(row) == page.role_names([ROLES[0]])
    assert page.row_about(Entry("Ada", action, "Ada")) == "no role"


def test_of_a_refusal_it_is_told_what_was_refused_and_of_what() -> None:
    def about(**payload: str) -> str:
        return str(page.row_about(Entry("Ada", REFUSED, "Ada", payload=payload)))

    assert about(action=DISMISSED, about="surge-EMR") == "dismiss an alert surge-EMR"
    assert about(action=page_action("alerts"), about="alerts") == "read the page Alerts"


def test_every_action_of_the_matrix_has_words_and_an_unknown_one_stays_as_it_is() -> None:
    names = [page.action_name(action) for action, _cells in page.matrix()]
    assert len(set(names)) == len(names)
    assert all(" " in name for name in names), names
    assert page.action_name(DOWNLOAD) == "download files"
    assert page.action_name("something new") == "something new"
    told = {action: page.row_name(Entry("Ada", action, "x")) for action in (SIGNED_IN, SIGNED_OUT, REFUSED, DOWNLOADED)}
    assert list(told.values()) == ["signed in", "signed out", "refused", "downloaded"]
    assert page.row_name(Entry("Ada", DISMISSED, "x")) == "dismiss an alert"
