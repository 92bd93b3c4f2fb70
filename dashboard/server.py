"""The dashboard's server: Streamlit behind the gate. Started by ``vigie dashboard``."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from starlette.middleware import Middleware
from streamlit.starlette import App

from core.log import configure_logging
from core.settings import PROJECT, AccessSettings, home_folder, is_loopback, load_settings, secret
from dashboard.gate import Gate
from dashboard.guard import Guard, guard_of
from dashboard.health import ROUTES
from dashboard.kept_files import KeptFiles
from dashboard.readiness import ready
from store.shared.follow import Follower

CALLBACK = "/oauth2callback"
PAGE_SCRIPT = PROJECT / "app.py"


def build(guard: Guard) -> App:
    """The application: pages behind the gate, the login's secrets in memory alone.

    Raises:
        InputError: The client secret is missing.
    """
    secrets = {"auth": auth_section(guard)} if guard.access.is_on else None
    layers = [Middleware(Gate, guard=guard), Middleware(KeptFiles)]
    return App(PAGE_SCRIPT, secrets=secrets, middleware=layers, routes=ROUTES, lifespan=ready)


def auth_section(guard: Guard) -> dict[str, Any]:
    """What Streamlit's login wants to know, in the words of its secrets file.

    Raises:
        InputError: The client secret is missing.
    """
    access: AccessSettings = guard.access
    return {
        "redirect_uri": guard.origin + CALLBACK,
        "cookie_secret": guard.cookie_secret,
        "client_id": access.client_id,
        "client_secret": secret(access.client_secret_env, needed_by="login"),
        "server_metadata_url": access.provider,
        "client_kwargs": {"scope": access.scope, "prompt": access.prompt},
    }


def options(address: str, port: int, guard: Guard, *, headless: bool) -> dict[str, Any]:
    """Streamlit's settings that may not be left to chance."""
    return {
        "server.address": address,
        "server.port": port,
        # In a browser of this machine Streamlit offers to install things; nobody else may ask for that.
        "server.headless": headless or guard.access.is_on or not is_loopback(address),
        "server.baseUrlPath": "",
        "server.enableXsrfProtection": True,
        "server.enableCORS": True,
        "server.enableAgentApi": False,
        "server.trustedUserHeaders": "{}",
        "server.fileWatcherType": "none",
        "server.allowedHosts": sorted(guard.hosts),
        "client.showErrorDetails": "none",
    }


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="dashboard.server")
    parser.add_argument("--address", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--headless", action="store_true")
    given = parser.parse_args()
    configure_logging()
    guard = guard_of(home_folder(), given.address)
    if guard.cookie_secret:
        # Signs the cookie of the way to the provider and back too, so that it survives a change of process.
        os.environ["STREAMLIT_SERVER_COOKIE_SECRET"] = guard.cookie_secret
    if (settings := load_settings(home_folder())).store.url:
        Follower(home_folder(), settings).start()
    # Streamlit takes its folder of settings, and the first place to import from, from here.
    sys.argv = [str(PAGE_SCRIPT)]
    build(guard).run(config=options(given.address, given.port, guard, headless=given.headless))


if __name__ == "__main__":
    main()
