"""Two dashboards and a nightly on one store, and what a dashboard says when the store is silent."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from core.settings import Settings, load_settings
from dashboard.server import Follower
from store import AlreadyRunningError, night_lock
from store.journal import Entry, Journal, journal_url
from store.mirror import shared
from store.releases import ReleaseStore
from store.status import WITNESS, read_contact, witnesses
from tests.servers import wait_until
from tests.store.mirrors import Cut, Homes, contents


def settings_of(home: Path, url: str, journal: str = "") -> Settings:
    (home / "settings.toml").write_text(f'journal_url = "{journal}"\n[store]\nurl = "{url}"\npoll_seconds = 1\n')
    return load_settings(home)


def test_three_machines_share_s3_and_postgresql(s3_url: str, postgres_url: str, homes: Homes) -> None:
    night, readers = homes("night"), [homes("one"), homes("two")]
    settings = settings_of(night, s3_url, postgres_url)
    followers = [Follower(home, settings_of(home, s3_url, postgres_url)) for home in readers]
    for follower in followers:
        follower.start()
    try:
        for day in (1, 2):
            with night_lock(night), shared(night, settings) as delivery:
                release = homes.publish(night, day)
                delivery.deliver()
                journal = Journal(journal_url(settings.journal_url, night))
                payload = {WITNESS: ReleaseStore(night).head()}
                journal.record(Entry("nightly", "published", release.run_id, release.run_id, payload=payload))
                journal.close()
                rival = homes("rival")
                with pytest.raises(AlreadyRunningError), shared(rival, settings_of(rival, s3_url, postgres_url)):
                    pass
            for home in readers:
                wait_until(lambda home=home, release=release: _current(home) == release.run_id)  # type: ignore[misc]  # mypy sees no type in a lambda's default
    finally:
        for follower in followers:
            follower.stop()
    for home in readers:
        assert contents(home)[0] == contents(night)[0]
        assert ReleaseStore(home).head() == ReleaseStore(night).head()
        assert ReleaseStore(home).verify(witnesses(home, postgres_url)) is None


def _current(home: Path) -> str:
    release = ReleaseStore(home).current()
    return release.run_id if release else ""


def test_reader_keeps_last_release_if_store_is_silent(memory_url: str, homes: Homes, cut: Cut) -> None:
    night, reader = homes("night"), homes("reader")
    settings = settings_of(reader, memory_url)
    with shared(night, settings) as delivery:
        first = homes.publish(night, 1)
        delivery.deliver()
    follower = Follower(reader, settings)
    assert follower.look().reason == ""
    cut.after(0)
    contact = follower.look()
    assert "the line was cut" in contact.reason
    assert dt.datetime.fromisoformat(contact.since) <= dt.datetime.fromisoformat(contact.at)
    assert read_contact(reader) == contact
    assert _current(reader) == first.run_id
    cut.mend()
    assert follower.look().reason == ""


def test_reader_goes_on_looking_after_fault_that_nobody_foresaw(
    memory_url: str, homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = homes("reader")
    follower = Follower(home, settings_of(home, memory_url))
    monkeypatch.setattr("dashboard.server.pull_new_releases", lambda *_: 1 // 0)
    assert "ZeroDivisionError" in follower.look().reason
