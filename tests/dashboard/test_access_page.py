"""What the page about access calls things, without the page."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from access import DOWNLOAD, DOWNLOADED, REFUSED, ROLES, SIGNED_IN, SIGNED_OUT
from alerts.lifecycle import DISMISSED
from core.schema import Entry
from dashboard import reads

from .shown import functions_of

page = functions_of("access")


class Seen:
    """In place of Streamlit: the texts and tables that a page shows, in their order."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.tables: list[pd.DataFrame] = []

    def title(self, text: str, **_how: object) -> None:
        self.texts.append(text)

    markdown = title

    def table(self, frame: pd.DataFrame, **_how: object) -> None:
        self.tables.append(frame)

    dataframe = table

    def columns(self, widths: list[float], **_how: object) -> list[contextlib.AbstractContextManager[None]]:
        return [contextlib.nullcontext() for _width in widths]


def seen(monkeypatch: pytest.MonkeyPatch, rows: Iterable[Entry]) -> Seen:
    """What the page shows of a journal."""
    found, names = Seen(), page.show.__globals__
    journal: Any = SimpleNamespace(entries=lambda **_which: list(rows))
    monkeypatch.setitem(names, "st", found)
    monkeypatch.setitem(names, "layout", SimpleNamespace(dress=lambda: None))
    monkeypatch.setattr(reads, "journal", lambda: journal)
    page.show()
    return found


def login(minute: int) -> Entry:
    """A login on a day in May, some minutes after nine, UTC."""
    at = dt.datetime(2025, 5, 3, 9, 0, tzinfo=dt.UTC) + dt.timedelta(minutes=minute)
    return Entry(f"person {minute}", SIGNED_IN, "x", payload={"roles": [ROLES[0]]}, at=at)


def test_newest_five_hundred_steps_are_listed_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = seen(monkeypatch, [login(minute) for minute in range(502)]).tables[0]
    assert list(listed.columns) == ["When", "Who", "Action", "About"]
    assert listed["Who"].tolist() == [f"person {minute}" for minute in range(501, 1, -1)]
    assert listed.iloc[-1].tolist() == ["3 May 2025, 09:02 UTC", "person 2", "signed in", page.role_names([ROLES[0]])]


def test_access_page_without_login_lists_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    found = seen(monkeypatch, [])
    assert any("Nobody has signed in yet." in text for text in found.texts)
    (may_do,) = found.tables
    assert "Who may do what" in " ".join(found.texts)
    assert list(may_do.columns) == ["Action", *(page.role_name(role) for role in ROLES)]


def test_every_action_has_words() -> None:
    names = [page.action_name(action) for action, _cells in page.matrix()]
    assert len(set(names)) == len(names)
    assert all(" " in name for name in names), names
    assert page.action_name(DOWNLOAD) == "download files"
    assert page.action_name("something new") == "something new"
    steps = SIGNED_IN, SIGNED_OUT, REFUSED, DOWNLOADED
    names = [page.row_name(Entry("Ada", action, "x")) for action in steps]
    assert names == ["signed in", "signed out", "refused", "downloaded"]
    assert page.row_name(Entry("Ada", DISMISSED, "x")) == "dismiss an alert"
