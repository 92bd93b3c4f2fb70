"""A dashboard with login on a free port of loopback, over the miniature release."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from access import form_token, login_id_of
from core.schema import Entry
from core.settings import PROJECT
from store.journal import Journal, journal_url
from tests.access.wire import session_of
from tests.dashboard.conftest import publish
from tests.servers import LONGEST_SECONDS, Server, free_port, wait_until

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

    def cookie(self, who: str, *roles: str, minutes_ago: float = 0) -> str:
        """The cookie of a login."""
        return session_of(self.home, who, roles=roles, minutes_ago=minutes_ago)

    def form_token(self, cookie: str) -> str:
        """The token of the forms of a login's pages."""
        return form_token(login_id_of(cookie), self.cookie_secret)

    def rows(self, action: str, who: str = "") -> list[Entry]:
        """Rows of the journal."""
        journal = Journal(journal_url("", self.home))
        found = [row for row in journal.entries(action=action) if who in row.actor]
        journal.close()
        return found


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(journal_url("", tmp_path))
    yield opened
    opened.close()


Start = Callable[..., Dashboard]


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a dashboard with login; ``provider`` is where people sign in."""
    running = ExitStack()

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
        environment = {"VIGIE_COOKIE_SECRET": made.cookie_secret, "VIGIE_OIDC_CLIENT_SECRET": made.client_secret}
        running.enter_context(Server(home, made.log, port=port, environment=environment))
        return made

    with running:
        yield make


@pytest.fixture(scope="session")
def dashboard(start: Start) -> Dashboard:
    """A dashboard whose provider is never asked: sessions are begun by the tests, as the callback begins them."""
    return start()


PACKAGE = PROJECT / "tests" / "access" / "provider"
CALLBACK = "/oauth2callback"
ACCOUNTS = {
    "vera": {"email": "vera@example.org", "email_verified": True, "name": "Vera", "roles": ["viewer"]},
    "anna": {"email": "anna@example.org", "email_verified": True, "name": "Anna", "roles": ["analyst", "chess club"]},
    "mia": {"email": "mia@example.org", "email_verified": True, "name": "Mia", "roles": ["manager"]},
    "adam": {"email": "adam@example.org", "email_verified": True, "name": "Adam", "roles": ["administrator"]},
    "lisa": {"email": "lisa@example.org", "email_verified": True, "name": "Lisa"},
    "nora": {"email": "nora@example.org", "email_verified": True, "name": "Nora", "roles": ["chess club"]},
    "greta": {
        "email": "greta@example.org", "email_verified": True,
        "roles": [*(f"group-{number:03}-{'of-a-house-with-long-names-' * 2}" for number in range(200)), "manager"],
    },
    "max": {"email": "max@example.org", "email_verified": True, "name": "Max", "roles": ["manager"]},
    "eve": {"email": "mia@example.org", "email_verified": False, "name": "Mia", "roles": ["manager"]},
}  # fmt: skip
IN_THE_LIST = '[access.people]\n"lisa@example.org" = ["manager"]\n'


@pytest.fixture(scope="session")
def package() -> Path:
    """The provider's package, installed as pinned into a cache outside the tree, by one worker at a time."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not on the path: the provider cannot run")
    names = ("package.json", "package-lock.json", "provider.mjs")
    content = b"".join((PACKAGE / name).read_bytes() for name in names)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vigie"
    folder = cache / f"oidc-provider-{hashlib.sha256(content).hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / "complete").exists():
            for name in names:
                shutil.copy(PACKAGE / name, folder / name)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            made = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False
            )
            if made.returncode:
                pytest.skip(f"oidc-provider cannot be installed: {made.stderr.strip()[-200:]}")
            (folder / "complete").touch()
    return folder


def accounts_of(dashboard: Dashboard) -> Path:
    """The file of the provider's accounts."""
    return dashboard.log.with_suffix(".accounts.json")


@pytest.fixture(scope="session")
def connected(start: Start, package: Path) -> Iterator[Dashboard]:
    """A dashboard and the provider that it sends people to."""
    port, here = free_port(), free_port()
    provider = f"http://127.0.0.1:{port}/.well-known/openid-configuration"
    dashboard = start(provider=provider, port=here, settings=IN_THE_LIST)
    accounts_of(dashboard).write_text(json.dumps(ACCOUNTS))
    environment = {
        **os.environ, "PORT": str(port), "REDIRECT": dashboard.base + CALLBACK,
        "ACCOUNTS": str(accounts_of(dashboard)), "CLIENT_SECRET": dashboard.client_secret,
    }  # fmt: skip
    log = dashboard.log.with_suffix(".provider.log")
    with log.open("wb") as out:
        node = subprocess.Popen(["node", "provider.mjs"], cwd=package, env=environment, stdout=out, stderr=out)
    try:
        wait_until(lambda: b"http" in log.read_bytes() or node.poll() is not None)
        assert node.poll() is None, log.read_text()[-800:]
        yield dashboard
    finally:
        node.terminate()
        node.wait(timeout=LONGEST_SECONDS)
