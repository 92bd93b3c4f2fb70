"""What people see and do once they have signed in: names are the login's, buttons follow roles, files ask again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from access import DOWNLOADED, REFUSED, SIGNED_IN, NotAllowedError, Person, form_token, login_id_of, logins_of
from alerts.lifecycle import SIGNED_OFF
from core.schema import Entry
from core.settings import PROJECT
from dashboard import reads, visitor
from store.journal import Journal, journal_url
from store.releases import Release
from tests.golden import check_golden

from .conftest import publish
from .shown import shown
from .test_pages import GOLDEN

SETTINGS = (
    'dashboard_url = "https://vigie.example.org"\n[access]\nclient_id = "vigie"\n'
    'provider = "https://login.example.org/.well-known/openid-configuration"\n'
)
SECRET = "0" * 64


pytestmark = [pytest.mark.usefixtures("sending_at_once"), pytest.mark.slow]


@pytest.fixture
def released(home: Path, monkeypatch: pytest.MonkeyPatch) -> Release:
    monkeypatch.setenv("VIGIE_COOKIE_SECRET", SECRET)
    (home / "settings.toml").write_text(SETTINGS)
    return publish(home, replay=False)


Sign = Callable[..., str]


@pytest.fixture
def signed(home: Path, monkeypatch: pytest.MonkeyPatch) -> Sign:
    """Begin a login as the callback does, and make it the one that pages find; returns its login id."""

    def make(who: str, *roles: str, name: str = "") -> str:
        person = Person(name or f"{who}@example.org", f"https://login.example.org|{who}", roles)
        login_id = login_id_of(logins_of(home, reads.journal).begin(person, visitor.settings()))
        monkeypatch.setattr(visitor, "login_id", lambda: login_id)
        return login_id

    return make


def visit(page: str = "alerts", **query: str) -> AppTest:
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=600)
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page(f"dashboard/pages/{page}.py")
    app.run()
    assert not app.exception, [error.value for error in app.exception]
    return app


def forms(app: AppTest) -> str:
    return " ".join(one.proto.body for one in app.get("html"))


def labels(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception, [error.value for error in app.exception]
    return app


def sign(app: AppTest) -> AppTest:
    press(app, "Sign off and send")
    next(field for field in app.text_area if field.label == "Reason").set_value("beds are ready")
    return press(app, "Confirm")


def rows(home: Path, action: str) -> list[Entry]:
    journal = Journal(journal_url("", home))
    found = journal.entries(action=action)
    journal.close()
    return found


@pytest.mark.usefixtures("released")
def test_who_has_not_signed_in_sees_door_alone() -> None:
    app = visit()
    assert "Sign in to read Vigie" in forms(app)
    assert labels(app) == set()
    assert 'href="/auth/login"' in forms(app)
    assert not app.table
    check_golden(GOLDEN / "door.txt", shown(app))


@pytest.mark.usefixtures("released")
def test_login_without_role_is_reported_so_and_recorded_once(home: Path, signed: Sign) -> None:
    signed("nora")
    app = visit()
    app.run()
    assert [title.value for title in app.title] == ["Your account has no role here"]
    check_golden(GOLDEN / "door_without_role.txt", shown(app))
    assert len(rows(home, REFUSED)) == 1


@pytest.mark.usefixtures("released")
def test_step_carries_logins_identity_and_no_name_is_asked(home: Path, signed: Sign) -> None:
    login_id = signed("mia", "manager")
    app = visit(alert="surge-WAR-2025-02")
    assert form_token(login_id, SECRET) in forms(app)
    assert "Your name" not in {field.label for field in app.text_input}
    sign(app)
    (row,) = rows(home, SIGNED_OFF)
    assert (row.actor, row.payload["identity"]) == ("mia@example.org", "https://login.example.org|mia")
    assert len(rows(home, SIGNED_IN)) == 1


@pytest.mark.parametrize(
    ("role", "offered"), [("viewer", set()), ("analyst", set()), ("manager", {"Sign off and send", "Dismiss"})]
)
@pytest.mark.usefixtures("released")
def test_steps_are_offered_by_role(role: str, offered: set[str], signed: Sign) -> None:
    signed(role, role)
    app = visit()
    found = labels(app)
    assert found & {"Sign off and send", "Dismiss", "Acknowledge"} == offered
    assert 'action="/auth/logout"' in forms(app)
    check_golden(GOLDEN / f"alerts_{role}.txt", shown(app))


@pytest.mark.usefixtures("released")
def test_file_asks_again_when_it_is_wanted(home: Path, signed: Sign) -> None:
    reader = signed("anna", "analyst")
    make = visitor.released("alerts.csv", "run", lambda: b"figures")
    assert make() == b"figures"
    assert [(row.actor, row.subject) for row in rows(home, DOWNLOADED)] == [("anna@example.org", "file:alerts.csv")]
    (home / "settings.toml").write_text(SETTINGS + '[access.claim_roles]\nboss = "manager"\n')
    with pytest.raises(NotAllowedError, match="download"):
        make()
    assert len(rows(home, DOWNLOADED)) == 1
    (home / "settings.toml").write_text(SETTINGS)
    logins_of(home, reads.journal).end(reader, visitor.settings())
    with pytest.raises(NotAllowedError, match="sign in first"):
        make()


@pytest.mark.usefixtures("released")
def test_who_cannot_be_checked_is_reported_nothing_about_house(home: Path, signed: Sign) -> None:
    signed("mia", "manager")
    (home / "settings.toml").write_text(f'journal_url = "postgresql://vigie:hush@127.0.0.1:9/inside"\n{SETTINGS}')
    app = visit()
    errors = " ".join(error.value for error in app.error)
    assert "cannot find out just now who you are" in errors
    assert not any(word in errors for word in ("hush", "inside", "postgresql"))
    assert not app.table


@pytest.mark.usefixtures("release")
def test_without_login_everything_is_open_on_this_machine() -> None:
    app = visit()
    assert labels(app) >= {"Practise the sign-off (nothing is sent)", "Dismiss"}
    assert "<form" not in forms(app)
