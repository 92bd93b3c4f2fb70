"""Who is reading, and what that lets them see, without a page: the login and the settings are given."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from access import REFUSED, Actor, Login, NotAllowedError, Person
from alerts.lifecycle import SIGNED_OFF
from core.errors import InputError, StoreError
from core.settings import AccessSettings
from dashboard import reads, visitor
from store.journal import Journal, journal_url

ON = AccessSettings(provider="https://login.example.org/x", client_id="vigie")
OFF = AccessSettings()


class StoppedError(Exception):
    """The page ended here."""


class Seen:
    """In place of Streamlit: what a page says."""

    def __init__(self, address: str) -> None:
        self.said: list[str] = []
        self.session_state = dict[str, Any]()
        self.address = address

    def title(self, text: str, **_how: object) -> None:
        self.said.append(text)

    markdown = html = text = title

    def container(self, **_how: object) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def stop(self, text: str = "") -> None:
        self.said.append(text)
        raise StoppedError

    rerun = stop

    def get_option(self, name: str) -> str:
        return {"server.address": self.address}[name]

    def Page(self, path: str, **how: object) -> SimpleNamespace:  # noqa: N802  # Streamlit's name
        return SimpleNamespace(path=path, **how)


Come = Callable[..., Seen]


@pytest.fixture
def journal(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401  # a path, a journal
    opened = Journal(journal_url("", tmp_path))
    monkeypatch.setattr(reads, "journal", lambda: opened)
    yield opened
    opened.close()


@pytest.fixture
def come(monkeypatch: pytest.MonkeyPatch) -> Come:
    """Visit a dashboard with or without login, signed in or not, with roles."""

    def visit(
        *roles: str,
        having: Sequence[str] = (),
        access: AccessSettings | Exception = ON,
        is_in: bool = True,
        address: str = "127.0.0.1",
    ) -> Seen:
        def given() -> AccessSettings:
            if isinstance(access, Exception):
                raise access
            return access

        seen = Seen(address)
        who = Person("ada@example.org", "https://login.example.org|0815", (*roles, *having))
        actor = Actor(who.name, frozenset({*roles, *having}), who.identity)
        found = SimpleNamespace(person=who, actor=actor) if is_in else None
        monkeypatch.delenv(visitor.WITHOUT_LOGIN, raising=False)
        monkeypatch.setenv("VIGIE_COOKIE_SECRET", "0" * 32)
        monkeypatch.setattr(visitor, "st", seen)
        monkeypatch.setattr(visitor, "settings", given)
        monkeypatch.setattr(visitor, "login", lambda: cast("Login | None", found))
        monkeypatch.setattr(visitor, "login_id", lambda: "a login")
        monkeypatch.setattr(visitor, "dress", lambda: None)
        monkeypatch.setattr(visitor, "stop_with", seen.stop)
        return seen

    return visit


def test_reader_is_login_or_unnamed(come: Come) -> None:
    come(access=OFF)
    assert visitor.reader() == Actor("")
    assert visitor.actor("Bo").name == "Bo"
    come("viewer")
    assert visitor.reader().name == visitor.actor("Bo").name == visitor.ask_name() == "ada@example.org"


def test_who_acts_after_login_ended_is_sent_to_sign_in(come: Come) -> None:
    come(is_in=False)
    with pytest.raises(NotAllowedError):
        visitor.reader()
    with pytest.raises(StoppedError):
        visitor.actor("Bo")


@pytest.mark.parametrize(
    ("visit", "may_sign_off"),
    [
        ({"access": OFF}, True), ({"having": ["manager"]}, True), ({"having": ["viewer"]}, False),
        ({"is_in": False}, False), ({"access": StoreError("locked")}, False),
    ],
)  # fmt: skip
def test_step_is_offered_by_role(come: Come, visit: dict[str, Any], *, may_sign_off: bool) -> None:
    come(**visit)
    assert visitor.allows(SIGNED_OFF) == may_sign_off


@pytest.mark.parametrize(
    ("access", "address", "said_so", "shown"),
    [
        (OFF, "127.0.0.1", "", False), (OFF, "0.0.0.0", "", True), (OFF, "", "", True), (OFF, "192.168.1.4", "0", True),  # noqa: S104  # not bound
        (OFF, "192.168.1.4", "1", False), (ON, "192.168.1.4", "", False),
    ],
)  # fmt: skip
def test_unprotected_pages_are_closed_to_strangers(
    come: Come, monkeypatch: pytest.MonkeyPatch, access: AccessSettings, address: str, said_so: str, *, shown: bool
) -> None:
    come(access=access, address=address)
    monkeypatch.setenv(visitor.WITHOUT_LOGIN, said_so)
    assert visitor.is_shown_to_strangers(access) == shown


@pytest.mark.parametrize(
    ("visit", "said"),
    [
        ({"access": OFF}, None),
        ({"having": ["viewer"]}, None),
        ({"access": InputError("settings.toml: broken")}, "settings.toml: broken"),
        ({"access": OFF, "address": "192.168.1.4"}, "nobody has to sign in: it shows nothing"),
        ({"is_in": False}, "Sign in to read Vigie"),
        ({}, "Your account has no role here"),
    ],
)
@pytest.mark.usefixtures("journal")
def test_door_opens_by_role(come: Come, visit: dict[str, Any], said: str | None) -> None:
    seen = come(**visit)
    if said is None:
        visitor.require_login()
        assert seen.said == []
    else:
        with pytest.raises(StoppedError):
            visitor.require_login()
        assert said in " ".join(seen.said)


@pytest.mark.parametrize(("role", "is_run"), [("viewer", False), ("administrator", True)])
def test_forbidden_page_is_not_run(come: Come, journal: Journal, role: str, *, is_run: bool) -> None:
    seen, run = come(role), []
    page: Any = SimpleNamespace(url_path="access", run=lambda: run.append("access"))
    visitor.show_page(page)
    assert bool(run) == is_run
    assert bool(journal.entries(action=REFUSED)) != is_run
    assert (seen.said[:1] == ["Your role does not allow this page"]) != is_run
