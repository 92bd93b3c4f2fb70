"""The command line where people sign in: the account's name and roles count, not a typed name."""

from __future__ import annotations

from pathlib import Path

import pytest

from access import NotAllowedError, account_name
from core.errors import InputError
from tests.commands.command_line import vigie
from tests.faults.delivery import publish

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
    return vigie(home, "alerts", "sign-off", ALERT, "--why", "beds are ready", "--no-send", *more).stdout


def test_a_typed_name_is_not_taken(home: Path) -> None:
    with pytest.raises(InputError, match="--as is not taken"):
        sign_off(home, "--as", "mia@example.org")


def test_an_account_without_a_role_is_refused_and_recorded(home: Path) -> None:
    with pytest.raises(NotAllowedError):
        sign_off(home)
    (line,) = vigie(home, "audit").stdout.splitlines()
    assert line[20:].split() == [f"shell:{account_name()}", "refused", "signed", "off", ALERT]


def test_an_account_in_the_list_acts_under_its_own_name(home: Path) -> None:
    (home / "settings.toml").write_text(f'{SETTINGS}[access.people]\n"shell:{account_name()}" = ["manager"]\n')
    assert "the alert is signed off" in sign_off(home)
    assert f"shell:{account_name()}" in vigie(home, "audit").stdout


def test_the_audit_says_when_there_is_nothing_to_say(home: Path) -> None:
    assert vigie(home, "audit").stdout.strip() == "Nobody has signed in yet."
