"""The command line where people sign in: the account's name and roles count, not a typed name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from access import NotAllowedError, Person, account_name, actor_of, authorize_download, note_login
from cli.home import audit, sign_out
from core.errors import InputError
from core.settings import AccessSettings
from store.journal import opened_journal
from tests.cli.command_line import vigie
from tests.delivery import publish

ALERT = "surge.CMR.0001"
SETTINGS = (
    'dashboard_url = "https://vigie.example.org"\n[access]\nclient_id = "vigie"\n'
    'provider = "https://login.example.org/.well-known/openid-configuration"\n'
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    publish(tmp_path, [ALERT])
    (tmp_path / "settings.toml").write_text(SETTINGS)
    return tmp_path


def sign_off(home: Path, *more: str) -> str:
    return vigie(home, "alerts", "sign-off", ALERT, "--reason", "beds are ready", *more).stdout


def test_account_without_role_is_refused_and_recorded(home: Path) -> None:
    with pytest.raises(NotAllowedError):
        sign_off(home)
    (line,) = vigie(home, "access", "audit").stdout.splitlines()
    assert line[20:].split() == [f"shell:{account_name()}", "refused", "signed", "off", ALERT]


def test_account_in_list_acts_under_its_own_name(home: Path) -> None:
    (home / "settings.toml").write_text(f'{SETTINGS}[access.people]\n"shell:{account_name()}" = ["manager"]\n')
    assert "the alert is signed off" in sign_off(home)
    assert f"shell:{account_name()}" in vigie(home, "access", "audit").stdout


ADA = Person("ada@example.org", "https://login.example.org|0815", ("analyst",))


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """A home in which Ada signed in twice and took a file."""
    actor = actor_of(ADA, AccessSettings(provider="https://login.example.org/x", client_id="vigie"))
    with opened_journal("", tmp_path) as journal:
        note_login(journal, "one", ADA, actor)
        note_login(journal, "two", ADA, actor)
        authorize_download(journal, actor, "alerts.csv")
    return tmp_path


def test_audit_prints_so_many_of_newest_rows_newest_first(used: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audit(home=used, most=2)
    lines = [line.split()[2:] for line in capsys.readouterr().out.splitlines()]
    assert lines == [["ada@example.org", "downloaded", "alerts.csv"], ["ada@example.org", "signed", "in", "analyst"]]
    audit(home=used, most=2, as_json=True)
    rows = json.loads(capsys.readouterr().out)
    assert [(row["actor"], row["subject"]) for row in rows] == [(ADA.name, "file:alerts.csv"), (ADA.name, "login:two")]


def test_sign_out_of_unknown_person_fails(used: Path) -> None:
    with pytest.raises(InputError, match="no such person has signed in"):
        sign_out("max@example.org", "left the house", home=used)
