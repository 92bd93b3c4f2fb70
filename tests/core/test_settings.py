"""Settings: the environment, then ``settings.toml``, then defaults; what cannot be meant is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from core.errors import InputError
from core.settings import (
    DRILL,
    AccessSettings,
    EmailChannel,
    Settings,
    Subscription,
    WebhookChannel,
    home_folder,
    is_loopback,
    is_safe_address,
    load_settings,
    secret,
)
from tests.golden import check_golden

GOLDEN = Path(__file__).parent / "golden" / "settings.txt"


def test_threshold_is_read_by_route_code_or_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, series = "X_CEUTA", "arrivals.EMR.GRC._T.M"
    given = f'CMR = 6000\n"English Channel" = 5\n"Mediterráneo oriental" = 4\n{own} = 3\n"{series}" = 2\n'
    (tmp_path / "settings.toml").write_text(f"[alerts.thresholds]\n{given}")
    assert load_settings(tmp_path).alerts.thresholds == {"CMR": 6000, "CHA": 5, "EMR": 4, own: 3, series: 2}
    monkeypatch.setenv("VIGIE_ALERTS_THRESHOLDS", '{"Atlantis": 1}')
    with pytest.raises(InputError, match="environment variable VIGIE_ALERTS_THRESHOLDS, setting"):
        load_settings(tmp_path)
    assert Subscription(name="desk", channel="mail", routes=["Manche", "WAR"]).routes == ["CHA", "WAR"]


def test_unreadable_settings_are_named(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").mkdir()
    with pytest.raises(InputError, match=r"settings\.toml: cannot be read: Is a directory"):
        load_settings(tmp_path)
    (tmp_path / "note").touch()
    with pytest.raises(InputError, match="note: is a file, not a home folder"):
        home_folder(tmp_path / "note")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("trajectories = 0", "trajectories"), ("trajectory = 3", "trajectory"),
        ("[alerts]\nsurge_factor = 0.5", r"alerts\.surge_factor"), ("trajectories =", "not readable as TOML"),
        ("[alerts.thresholds]\nAtlantis = 5", r"thresholds: .*no one route 'Atlantis'.*CHA \(English Channel\)"),
        ("[alerts.thresholds]\nManche = -5", r"thresholds\.Manche: .*greater than or equal to 0"),
        ("[alerts.thresholds]\nManche = true", r"thresholds\.Manche: .*valid number"),
        ("[operation]\nfit_seconds = true", r"fit_seconds: a number is meant, not true or false"),
        ("oldest_origin_months = true", r"oldest_origin_months: a number is meant"),
        ("nonsense = 1", "setting nonsense: there is no such setting"), ("[live]\nuser_agent = ' '", "user_agent"),
        ("[alerts.thresholds]\nCHA = 5\nManche = 6", "one route has two numbers: CHA, Manche"),
    ],
)  # fmt: skip
def test_wrong_setting_is_named(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "settings.toml").write_text(text)
    with pytest.raises(InputError, match=named):
        load_settings(tmp_path)


def test_option_wins_over_environment_and_that_over_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path / "environment"))
    assert home_folder(tmp_path / "option") == tmp_path / "option"
    assert home_folder() == tmp_path / "environment"
    monkeypatch.delenv("VIGIE_HOME")
    assert home_folder() == Path.cwd() / "var"


PROVIDER = 'provider = "https://login.example.org/.well-known/openid-configuration"\nclient_id = "vigie"\n'
HERE = 'dashboard_url = "https://vigie.example.org"\n'


def written(home: Path, text: str) -> AccessSettings:
    (home / "settings.toml").write_text(text)
    return load_settings(home).access


def test_provider_turns_login_on(tmp_path: Path) -> None:
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
def test_settings_that_would_leave_door_open_are_refused(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(InputError, match=named) as caught:
        written(tmp_path, text)
    assert "hidden-value" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]", "LOCALHOST."])
def test_loopback_is_known_by_all_its_names(host: str) -> None:
    assert is_loopback(host)


CHANNELS = """
[delivery.channels.mail]
kind = "email"
host = "smtp.example.org"
sender = "Vigie <vigie@example.org>"
user = "vigie"
password_env = "VIGIE_SMTP_PASSWORD"

[delivery.channels.hook]
kind = "webhook"
url_env = "VIGIE_HOOK"
"""
DESK = """
[[delivery.subscriptions]]
name = "Eastern desk"
channel = "mail"
to = ["duty@example.org"]
routes = ["EMR"]
levels = ["warning", "severe"]
language = "fr"
"""


def load(home: Path, text: str) -> list[Subscription]:
    (home / "settings.toml").write_text(text, encoding="utf-8")
    return load_settings(home).delivery.subscriptions


def test_subscription_names_route_level_language_and_channel(tmp_path: Path) -> None:
    (desk,) = load(tmp_path, CHANNELS + DESK)
    assert desk.wants("raised", "severe", "EMR")
    assert desk.wants("ended", "warning", "EMR")
    assert not desk.wants("raised", "watch", "EMR")
    assert not desk.wants("raised", "severe", "CMR")
    assert not desk.wants("freshness", "", "")
    assert desk.language == "fr"


@pytest.mark.parametrize("setting", ["levels", "events"])
def test_subscription_needs_at_least_one_kind(setting: str) -> None:
    one = Subscription(name="desk", channel="mail")
    for chosen in getattr(one, setting):
        assert getattr(Subscription.model_validate({**one.model_dump(), setting: [chosen]}), setting) == [chosen]
    with pytest.raises(ValidationError, match=setting):
        Subscription.model_validate({**one.model_dump(), setting: []})


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (DESK, "there is no channel 'mail'"),
        (CHANNELS + DESK.replace("EMR", "XYZ"), "'Eastern desk': there is no one route 'XYZ'; there are CMR"),
        (CHANNELS + DESK.replace("duty@example.org", "duty"), "'duty' is not a mail address"),
        (CHANNELS + DESK.replace("duty@example.org", "a@b.c\\r\\nBcc: d@e.f"), "is not a mail address"),
        (CHANNELS + DESK.replace('"mail"', '"hook"'), "belong to channels of kind email"),
        (CHANNELS + DESK + DESK, "the name 'Eastern desk' is used twice"),
        (CHANNELS + DESK.replace("Eastern desk", "published"), "the name 'published' is used twice"),
        (CHANNELS + DESK.replace("severe", "grave"), "Input should be 'watch', 'warning' or 'severe'"),
        (CHANNELS.replace("user = ", "# "), "user and password_env go together"),
        (CHANNELS.replace("host =", 'security = "none"\nhost ='), "not sent over an open line"),
        (CHANNELS.replace('"Vigie <vigie@example.org>"', '"Vigie"'), "'Vigie' is not a mail address"),
        (CHANNELS.replace("url_env", 'url = "ftp://x"\n# '), "does not begin with https"),
        (CHANNELS.replace("url_env", "# "), "give url or url_env"),
        ('[delivery]\npublisher = "A desk, Sons & co"', "delivery.publisher"),
        (CHANNELS.replace("password_env", "password"), "setting delivery.channels.mail.email.password"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(tmp_path: Path, text: str, rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        load(tmp_path, text)


def _with_url(home: Path, url: str) -> str:
    (home / "settings.toml").write_text(f'[store]\nurl = "{url}"\n')
    return load_settings(home).store.url


@pytest.mark.parametrize("url", ["sftp://me:word@host/folder", "s3://bucket/vigie?key=secret"])
def test_credentials_in_address_are_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError, match="in the environment") as refused:
        _with_url(tmp_path, url)
    assert "word" not in str(refused.value)
    assert "secret" not in str(refused.value)


def test_plain_path_is_no_address(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"store\.url.*file:///folder"):
        _with_url(tmp_path, "srv/shared")


@pytest.mark.parametrize(
    ("variable", "value", "read"),
    [
        ("VIGIE_TRAJECTORIES", "500", lambda settings: settings.trajectories == 500),
        ("VIGIE_LIVE_READ_SECONDS", "5", lambda settings: settings.live.read_seconds == 5),
        ("VIGIE_EXCLUDE_SOURCES", '["ucdp"]', lambda settings: settings.exclude_sources == ["ucdp"]),
        ("VIGIE_JOURNAL_URL", "", lambda settings: settings.journal_url == "sqlite://file"),
    ],
)
def test_environment_overrides_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, read: Callable[[Settings], bool]
) -> None:
    (tmp_path / "settings.toml").write_text(
        'trajectories = 200\njournal_url = "sqlite://file"\n[live]\nattempts = 2\nread_seconds = 9\n'
    )
    monkeypatch.setenv(variable, value)
    settings = load_settings(tmp_path)
    assert read(settings)
    assert settings.live.attempts == 2


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("VIGIE_LIVE_ATTEMPTS", "99", r"setting live\.attempts"),
        ("VIGIE_LIVE_ATTEMPS", "3", r"setting live\.attemps"),
        ("VIGIE_EXCLUDE_SOURCES", "ucdp", "environment: .*exclude_sources"),
    ],
)
def test_wrong_variable_of_environment_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, named: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InputError, match=named):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.org/x", True), ("http://127.0.0.1:8501", True), ("http://localhost", True),
        ("http://example.org", False), ("https://", False), ("ftp://localhost", False), ("localhost", False),
    ],
)  # fmt: skip
def test_address_is_safe_over_https_or_on_this_machine(url: str, *, safe: bool) -> None:
    assert is_safe_address(url) is safe


def test_secret_has_minimum_length_and_no_error_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_TRIAL", "four")
    assert secret("VIGIE_TRIAL", shortest=4) == "four"
    with pytest.raises(InputError, match="shorter than 5 characters") as caught:
        secret("VIGIE_TRIAL", shortest=5)
    assert "four" not in str(caught.value)
    monkeypatch.delenv("VIGIE_TRIAL")
    with pytest.raises(InputError, match="VIGIE_TRIAL is not set: the desk needs it"):
        secret("VIGIE_TRIAL", needed_by="the desk")


def test_token_goes_over_safe_line_alone_wherever_address_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    token = {"token_env": "VIGIE_TOKEN"}
    assert WebhookChannel(kind="webhook", url="http://example.org/a").address() == "http://example.org/a"
    with pytest.raises(ValidationError, match="over an open line"):
        WebhookChannel.model_validate({"kind": "webhook", "url": "http://example.org/a"} | token)
    hidden = WebhookChannel.model_validate({"kind": "webhook", "url_env": "VIGIE_HOOK"} | token)
    monkeypatch.setenv("VIGIE_HOOK", "http://example.org/a")
    with pytest.raises(InputError, match="over an open line"):
        hidden.address()
    monkeypatch.setenv("VIGIE_HOOK", "http://127.0.0.1/a")
    assert hidden.address() == "http://127.0.0.1/a"


def test_open_mail_line_needs_no_password_or_loopback() -> None:
    plain = {"kind": "email", "sender": "a@b.c", "security": "none"}
    assert EmailChannel.model_validate(plain | {"host": "smtp.example.org"}).user == ""
    user = {"user": "vigie", "password_env": "VIGIE_PASSWORD"}
    assert EmailChannel.model_validate(plain | user | {"host": "localhost"}).user == "vigie"
    with pytest.raises(ValidationError, match="over an open line"):
        EmailChannel.model_validate(plain | user | {"host": "smtp.example.org"})


def test_subscription_without_routes_covers_all() -> None:
    one = Subscription(name="desk", channel="mail", levels=["severe"], events=["raised", "freshness"])
    assert one.wants("raised", "severe", "WMR")
    assert one.wants("freshness", "", "")
    assert not one.wants("raised", "watch", "WMR")
    assert not one.wants("ended", "severe", "WMR")


def test_drill_is_cut_off_until_it_is_adopted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("DRILL", "false"), ("STORE_URL", "file:///srv/shared"), ("JOURNAL_URL", "postgresql://live")):
        monkeypatch.setenv(f"VIGIE_{name}", value)
    assert load_settings(tmp_path).journal_url == "postgresql://live"
    (tmp_path / DRILL).write_text("{}")
    settings = load_settings(tmp_path)
    assert (settings.drill, settings.store.url, settings.journal_url) == (True, "", "")
    assert load_settings(tmp_path, adopted=True).journal_url == "postgresql://live"


def test_default_or_bound_changes_on_purpose_only() -> None:
    schema = Settings.model_json_schema()
    fields = (
        (f"{section}.{name}", {key: said for key, said in field.items() if key != "title"})
        for section, one in {"Settings": schema, **schema["$defs"]}.items()
        for name, field in one["properties"].items()
    )
    check_golden(GOLDEN, [f"{name} {json.dumps(said)}" for name, said in fields])
