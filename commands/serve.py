"""``vigie dashboard``: serve the pages, on loopback unless people sign in or the person in charge says otherwise."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from commands.shared import Home
from core.errors import InputError
from core.settings import (
    PROJECT,
    SHORTEST_COOKIE_SECRET,
    AccessSettings,
    home_folder,
    is_loopback,
    load_settings,
    secret,
)


def dashboard(
    home: Home = None,
    port: Annotated[int, typer.Option("--port", min=1, max=65535)] = 8501,
    address: Annotated[str, typer.Option("--address", help="Address to listen at.")] = "127.0.0.1",
    headless: Annotated[bool, typer.Option("--headless", help="Do not open a browser.")] = False,
    without_login: Annotated[
        bool, typer.Option("--without-login", help="Listen beyond loopback although nobody has to sign in.")
    ] = False,
) -> None:
    """Serve the dashboard; beyond loopback only where people sign in, unless --without-login says otherwise."""
    folder = home_folder(home)
    check_address(load_settings(folder).access, address, without_login=without_login)
    os.environ["VIGIE_HOME"] = str(folder)
    os.environ["VIGIE_WITHOUT_LOGIN"] = "1" if without_login else "0"
    os.chdir(PROJECT)
    shown = f"[{address}]" if ":" in address else address
    typer.echo(f"Vigie's dashboard: http://{shown}:{port}   (Ctrl+C ends it)")
    sys.stdout.flush()
    options = ["--address", address, "--port", str(port)] + (["--headless"] if headless else [])
    os.execv(sys.executable, [sys.executable, "-m", "dashboard.server", *options])  # noqa: S606  # our own interpreter and module


def check_address(access: AccessSettings, address: str, *, without_login: bool = False) -> None:
    """Refuse what would show the pages to people who have not signed in.

    Raises:
        InputError: The address is not loopback's and there is no login; or a secret of the login is missing.
    """
    if access.is_on:
        secret(access.client_secret_env, needed_by="login")
        secret(access.cookie_secret_env, shortest=SHORTEST_COOKIE_SECRET, needed_by="login")
    elif not is_loopback(address) and not without_login:
        raise InputError(
            f"--address {address}: without a login only this machine is served. Set one up (docs/access.md), or say "
            "--without-login if everybody who reaches this address may read and decide"
        )
