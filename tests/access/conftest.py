"""A dashboard with login on a free port of loopback, over the miniature release."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from core.entry import Entry
from core.settings import PROJECT
from store.journal import Journal, journal_url
from tests.access.wire import cookie_of
from tests.dashboard.conftest import publish

SESSION_MINUTES = 30


@dataclass(frozen=True)
class Dashboard:
    """A running dashboard.

    Attributes:
        base: Its address.
        home: Its home folder.
        log: What it writes.
        cookie_secret, client_secret: Its secrets.
    """

    base: str
    home: Path
    log: Path
    cookie_secret: str
    client_secret: str

    def cookie(self, who: str, *roles: str, **changed: object) -> str:
        """The cookie of a login."""
        return cookie_of(self.base, self.cookie_secret, who, roles=roles, **changed)

    def rows(self, action: str, who: str = "") -> list[Entry]:
        """Rows of the journal."""
        journal = Journal(journal_url("", self.home))
        found = [row for row in journal.entries(action=action) if who in row.actor]
        journal.close()
        return found


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


Start = Callable[..., Dashboard]


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a dashboard with login; ``provider`` is where people sign in."""
    running: list[subprocess.Popen[bytes]] = []

    def make(*, provider: str = "", port: int = 0, settings: str = "") -> Dashboard:
        home, port = tmp_path_factory.mktemp("home"), port or free_port()
        base = f"http://127.0.0.1:{port}"
        provider = provider or f"http://127.0.0.1:{free_port()}/.well-known/openid-configuration"
        (home / "settings.toml").write_text(
            f'dashboard_url = "{base}"\n[access]\nprovider = "{provider}"\nclient_id = "vigie"\n'
            f'prompt = "login"\nsession_minutes = {SESSION_MINUTES}\n{settings}'
        )
        publish(home, replay=False)
        made = Dashboard(base, home, home.parent / f"{home.name}.log", secrets.token_hex(32), secrets.token_hex(32))
        environment = {
            **os.environ, "VIGIE_COOKIE_SECRET": made.cookie_secret, "VIGIE_OIDC_CLIENT_SECRET": made.client_secret,
        }  # fmt: skip
        vigie = [sys.executable, "-m", "cli", "dashboard", "--home", str(home), "--port", str(port), "--headless"]
        with made.log.open("wb") as log:
            server = subprocess.Popen(vigie, cwd=PROJECT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        running.append(server)
        wait_for(f"{base}/_stcore/health", server, made.log)
        return made

    yield make
    for server in running:
        server.terminate()
        server.wait(timeout=30)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _attempt in range(480):
        if server.poll() is not None:
            pytest.fail(f"the server ended: {log.read_text()[-800:]}")
        try:
            if httpx.get(url, timeout=2).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.25)
    pytest.fail("the server did not answer within two minutes")


@pytest.fixture(scope="session")
def dashboard(start: Start) -> Dashboard:
    """A dashboard whose provider is never asked: cookies are made by the tests, as a login would leave them."""
    return start()
