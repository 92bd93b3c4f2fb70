from __future__ import annotations

from pathlib import Path

import pytest

from core.access_settings import AccessSettings, is_loopback, secret_of
from core.errors import InputError
from core.settings import load_settings

PROVIDER = 'provider = "https://login.example.org/.well-known/openid-configuration"\nclient_id = "vigie"\n'
HERE = 'dashboard_url = "https://vigie.example.org"\n'


def written(home: Path, text: str) -> AccessSettings:
    (home / "settings.toml").write_text(text)
    return load_settings(home).access


def test_without_settings_nobody_signs_in(tmp_path: Path) -> None:
    assert not load_settings(tmp_path).access.is_on


def test_a_provider_turns_login_on(tmp_path: Path) -> None:
    access = written(tmp_path, f'{HERE}[access]\n{PROVIDER}[access.people]\n"ada@example.org" = ["manager"]\n')
    assert access.is_on
    assert access.people == {"ada@example.org": ["manager"]}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"{HERE}[access]\nprovider = 'https://x.example/y'\n", "client_id"),
        (f"{HERE}[access]\nprovider = 'http://x.example/y'\nclient_id = 'a'\n", "https"),
        (f"{HERE}[access.people]\n'ada@example.org' = ['manager']\n", "without a provider"),
        (f"{HERE}[access]\n{PROVIDER}[access.people]\n'a' = ['king']\n", r"access\.people\.a\.0"),
        (f"{HERE}[access]\n{PROVIDER}client_secret = 'hidden-value'\n", r"access\.client_secret"),
        (f"dashboard_url = 'http://vigie.example.org'\n[access]\n{PROVIDER}", "dashboard_url must begin with https"),
        (f"{HERE}[access]\n{PROVIDER}scope = 'email'\n", r"access\.scope"),
    ],
)
def test_settings_that_would_leave_a_door_open_are_refused(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(InputError, match=named) as caught:
        written(tmp_path, text)
    assert "hidden-value" not in str(caught.value)


def test_a_secret_comes_from_the_environment_and_no_error_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIGIE_TRIAL", raising=False)
    with pytest.raises(InputError, match="VIGIE_TRIAL is not set"):
        secret_of("VIGIE_TRIAL")
    monkeypatch.setenv("VIGIE_TRIAL", "short-one")
    with pytest.raises(InputError, match="shorter than 32") as caught:
        secret_of("VIGIE_TRIAL", shortest=32)
    assert "short-one" not in str(caught.value)
    assert secret_of("VIGIE_TRIAL") == "short-one"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]", "LOCALHOST."])
def test_loopback_is_known_by_all_its_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.4", "example.org", "127.0.0.1.example.org"])  # noqa: S104  # not bound to, only judged
def test_what_others_can_reach_is_not_loopback(host: str) -> None:
    assert not is_loopback(host)
