"""What waits is shown with its reason, sent at once or taken out; a home is tried before its first night."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from access import Actor, NotAllowedError, account_name
from alerts.lifecycle import SIGNED_OFF
from core.errors import InputError
from core.schema import Entry
from core.settings import load_settings
from decisions import open_workflow
from decisions.actions import Step, act
from nightly import night
from store.journal import Journal, journal_url
from store.releases import About, ReleaseStore
from tests.delivery import READERS, publish, settings_text
from tests.receivers import Mailbox, Requests, http_server, mail_server

from .command_line import vigie

ALERT = "surge.CMR.0001"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as found:
        yield found


@pytest.fixture
def hook() -> Iterator[Requests]:
    with http_server() as found:
        yield found


@pytest.fixture
def home(tmp_path: Path, mailbox: Mailbox, hook: Requests) -> Path:
    """A home of which one signed-off alert waits for two mail readers, one webhook and the feed."""
    folder = tmp_path / "home"
    publish(folder, [ALERT])
    patient = settings_text(mailbox, hook).replace("first_wait_seconds = 0", "first_wait_seconds = 3600")
    folder.joinpath("settings.toml").write_text(patient.replace("wait_seconds = 0", "wait_seconds = 3600"))
    with open_workflow(folder, load_settings(folder)) as desk:
        release = ReleaseStore(folder).current()
        assert release is not None
        act(desk, release, ALERT, Step(Actor("Ada"), SIGNED_OFF, "agreed"))
    return folder


def waiting(home: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(vigie(home, "outbox", "--json").output)
    return found


def test_dropped_message_is_never_sent(home: Path, mailbox: Mailbox) -> None:
    chosen = next(str(one["message_id"]) for one in waiting(home) if one["recipient"] == READERS[0])
    assert vigie(home, "outbox", "drop", chosen[:12], "--as", "Ada", "--reason", "left the service").exit_code == 0
    vigie(home, "outbox", "deliver")
    assert [mail["To"] for mail in mailbox.mails] == [READERS[1]]
    journal = Journal(journal_url("", home))
    (row,) = journal.entries(action="message dropped")
    journal.close()
    assert (row.actor, row.reason, row.payload["letter"]) == ("Ada", "left the service", chosen)


def test_drop_needs_manager_where_people_sign_in(home: Path) -> None:
    account, settings = f"shell:{account_name()}", home / "settings.toml"
    drop = "outbox", "drop", str(waiting(home)[0]["message_id"]), "--reason", "left the service"
    login = (
        'dashboard_url = "https://vigie.example.org"\n[access]\nclient_id = "vigie"\n'
        'provider = "https://login.example.org/.well-known/openid-configuration"\n'
    )
    settings.write_text(text := login + settings.read_text())
    with pytest.raises(NotAllowedError, match="message dropped"):
        vigie(home, *drop)
    assert vigie(home, "access", "audit").output.split()[2:4] == [account, "refused"]
    settings.write_text(f'{text}[access.people]\n"{account}" = ["manager"]\n')
    assert vigie(home, *drop).exit_code == 0
    settings.write_text(text)
    assert vigie(home, "outbox", "deliver", "--now").exit_code == 0
    assert waiting(home) == []


def night_without_forecasting(run: night.Run) -> night.RunResult:
    """A night that publishes the former release's tables again, delivers and reports, as every night does."""
    place = run.delivery.home
    former = ReleaseStore(place).current()
    assert former is not None
    frames = {name: former.read(name) for name in former.names}
    release = ReleaseStore(place).publish(frames, {}, About(run.date, "0.1.0", {}, {}))
    run.delivery.deliver()
    return night.RunResult(release, [], 0, {"in all": 1.0}, night.notify(place, run.settings, run.journal, release))


def test_restored_home_is_cut_off_until_adopted(
    home: Path, tmp_path: Path, mailbox: Mailbox, hook: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "shared"
    text = home.joinpath("settings.toml").read_text()
    elsewhere = f'journal_url = "sqlite:///{tmp_path}/live.sqlite"\n{text}[store]\nurl = "file://{store}"\n'
    home.joinpath("settings.toml").write_text(elsewhere)
    home.joinpath("journal.sqlite").rename(tmp_path / "live.sqlite")
    vigie(home, "home", "backup", "--to", str(tmp_path / "b.tar.zst"))
    drill, live = tmp_path / "drill", (tmp_path / "live.sqlite").read_bytes()
    ended = vigie(drill, "home", "restore", "--from", str(tmp_path / "b.tar.zst"))
    assert (ended.exit_code, "This is a drill" in ended.output) == (0, True)
    assert vigie(drill, "status").output.startswith("Drill:")
    dismissed = vigie(drill, "alerts", "dismiss", ALERT, "--as", "Ben", "--reason", "a drill")
    assert "drill: nothing is sent" in dismissed.output
    assert vigie(drill, "outbox", "deliver").output.startswith("drill: nothing is sent")
    with pytest.raises(InputError, match="this home is a drill: nothing is shared"):
        vigie(drill, "home", "store", "push")
    vigie(drill, "home", "prune")
    monkeypatch.setattr(night, "_make_release", night_without_forecasting)
    ended = vigie(drill, "nightly")
    assert (ended.exit_code, "drill: nothing is sent" in ended.output) == (0, True)
    assert len(ReleaseStore(drill).all()) == len(ReleaseStore(home).all()) + 1
    assert (mailbox.mails, hook.taken, store.exists()) == ([], [], False)
    assert (tmp_path / "live.sqlite").read_bytes() == live
    assert json.loads(vigie(drill, "serve", "health", "--once").output)["drill"] is True
    monkeypatch.setenv("VIGIE_DRILL", "true")
    with pytest.raises(InputError, match="the setting drill keeps it cut off"):
        vigie(drill, "home", "adopt")
    monkeypatch.delenv("VIGIE_DRILL")
    assert vigie(drill, "home", "adopt").exit_code == 0
    assert load_settings(drill).store.url == f"file://{store}"


def test_settings_are_tried_without_sending_anything(home: Path, mailbox: Mailbox, hook: Requests) -> None:
    tried = vigie(home, "home", "check")
    assert (tried.exit_code, mailbox.mails, hook.taken) == (1, [], [])
    lines = [line for line in tried.output.splitlines() if not line.startswith(" ")]
    assert [line.split(":")[0] for line in lines] == [
        "ok     settings", "ok     home folder", "ok     channel mail", "ok     channel hook", "FAULT  dashboard_url",
        "ok     journal",
    ]  # fmt: skip


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def test_moved_journal_keeps_rows_and_moves_once(
    home: Path, tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    other = database == "postgresql"
    url = request.getfixturevalue("postgres_url") if other else f"sqlite:///{tmp_path}/new.sqlite"
    moved = vigie(home, "home", "journal", "move", "--to", url)
    assert "outbox_letters: 4 rows, each as it was" in moved.output
    old, new = Journal(journal_url("", home)), Journal(url)
    assert new.entries()[:-1] == old.entries()
    assert new.entries()[-1].action == "journal moved"
    assert new.walk({}) == ""
    assert new.record(Entry("Ada", "noted", "after the move")).id == new.entries()[-1].id
    old.close()
    new.close()
    with pytest.raises(InputError, match="holds rows already"):
        vigie(home, "home", "journal", "move", "--to", url)
