"""Would a night and its messages work? Settings, secrets, mail, store, journal and disk, tried without sending."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from alerts.delivery import try_channel
from core.errors import InputError, StoreError, VigieError
from core.settings import SHORTEST_COOKIE_SECRET, Settings, is_loopback, load_settings, secret
from store.journal import Journal, journal_url
from store.mirror import latest
from store.remote import RemoteFiles

LEAST_FREE_MEGABYTES = 500
"""Free space from which a home is well: a few hundred releases, or the first night with its past forecasts."""

_CHANNELS = {
    "email": "start the mail server, or mend host, port, security, user and password_env",
    "webhook": "start the service that takes messages, or mend url, url_env and token_env",
    "chat": "mend the Apprise address in the environment variable that url_env names",
}


@dataclass(frozen=True)
class Check:
    """One thing that was tried.

    Attributes:
        what: Its name.
        problem: What is wrong; empty where nothing is.
        advice: What to do about it; empty where nothing is wrong.
    """

    what: str
    problem: str = ""
    advice: str = ""


def check_settings(home: Path) -> Iterator[Check]:
    """Try everything that settings name, one thing after the other."""
    found: list[Settings] = []
    yield _tried("settings", lambda: found.append(load_settings(home)), "mend settings.toml or the environment")
    yield _tried(
        "home folder", lambda: _home(home), "make the folder, give it to the user that runs Vigie, or free space"
    )
    if not found:
        return
    settings = found[0]
    if settings.drill:
        yield Check("service", "this home is a drill: it sends and shares nothing", "vigie adopt")
    if settings.access.is_on:
        yield _tried("login", lambda: _secrets(settings), "set both in the dashboard's environment (dashboard.env)")
    for name, channel in settings.delivery.channels.items():
        advice = f"{_CHANNELS[channel.kind]} in [delivery.channels.{name}] (docs/alerts.md)"
        yield _tried(f"channel {name}", lambda one=channel: try_channel(one), advice)  # type: ignore[misc]  # bound at once
    if settings.delivery.subscriptions:
        yield _tried("dashboard_url", lambda: _link(settings), "set dashboard_url to the address that recipients use")
    if settings.store.url:
        yield _tried("shared store", lambda: latest(RemoteFiles(settings.store.url)), "see docs/scaling.md")
    if not (settings.journal_url or home.exists()):
        return
    url = journal_url(settings.journal_url, home)
    yield _tried("journal", lambda: _journal(url), "see docs/operations.md, when something breaks")


def _tried(what: str, work: Callable[[], object], advice: str) -> Check:
    try:
        work()
    except VigieError as error:
        return Check(what, str(error), advice)
    return Check(what)


def _home(home: Path) -> None:
    if not home.exists():
        raise StoreError(f"{home}: there is no such folder")
    if not os.access(home, os.W_OK):
        raise StoreError(f"{home}: cannot be written")
    free = shutil.disk_usage(home).free // 1_000_000
    if free < LEAST_FREE_MEGABYTES:
        raise StoreError(f"{home}: {free} MB are free; {LEAST_FREE_MEGABYTES} MB should be")


def _secrets(settings: Settings) -> None:
    secret(settings.access.client_secret_env, needed_by="login")
    secret(settings.access.cookie_secret_env, shortest=SHORTEST_COOKIE_SECRET, needed_by="login")


def _link(settings: Settings) -> None:
    host = settings.dashboard_url.split("//")[1].split("/")[0].rsplit(":", 1)[0]
    if is_loopback(host):
        raise InputError(f"messages link to {settings.dashboard_url}, which only this machine reaches")


def _journal(url: str) -> None:
    journal = Journal(url)
    try:
        journal.entries(run_id="-")
    finally:
        journal.close()
