"""``vigie serve``: the dashboard, health and metrics, and a night a day."""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from cli import Group, Home, is_group_alone
from core.errors import InputError, VigieError
from core.settings import (
    PROJECT,
    SHORTEST_COOKIE_SECRET,
    AccessSettings,
    address_of,
    home_folder,
    is_loopback,
    load_settings,
    secret,
)

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

app = typer.Typer(cls=Group, invoke_without_command=True)
Port = Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the dashboard.")]
Address = Annotated[str, typer.Option("--address", help="Address of the dashboard.")]
Headless = Annotated[bool, typer.Option("--headless", help="Do not open a browser.")]
WithoutLogin = Annotated[
    bool, typer.Option("--without-login", help="Allow an address other than loopback although no login is set up.")
]
_FRESH_SECONDS = 2.0
"""Seconds for which an answer is reused: repeated requests must not keep the disk busy."""


@app.callback()
def everything(  # noqa: PLR0913, PLR0917  # one parameter per option
    context: typer.Context,
    home: Home = None,
    port: Port = 8501,
    address: Address = "127.0.0.1",
    health_port: Annotated[
        int, typer.Option("--health-port", min=1, max=65535, help="Port of /healthz and /metrics, on loopback only.")
    ] = 8502,
    headless: Headless = False,
    without_login: WithoutLogin = False,
    at: Annotated[str, typer.Option("--at", help="Local time of the night.")] = "03:30",
    live: Annotated[bool, typer.Option("--live", help="Request new figures from the publishers each night.")] = False,
    backup_to: Annotated[
        Path | None, typer.Option("--backup-to", help="Folder for a backup after each night; default: no backup.")
    ] = None,
    no_schedule: Annotated[
        bool, typer.Option("--no-schedule", help="Run no nights, send no messages, write no backups.")
    ] = False,
) -> None:
    """Serve the dashboard, health and metrics, and run a night a day, until Ctrl+C or SIGTERM.

    Messages that wait are sent every five minutes. A night missed while the machine was off runs at the next start.
    """
    # This process holds the schedule and the health server; the dashboard, nights, deliveries and backups are children,
    # or a night would block the pages. If the dashboard ends, everything ends: the service manager starts it again.
    folder = home_folder(home)
    os.environ["VIGIE_HOME"] = str(folder)  # child processes read it, and the commands below this one
    if not is_group_alone(context, home):
        return
    from cli.schedule import Children, Jobs, first_night, night_trigger, start_schedule

    trigger = night_trigger(at)
    check_address(load_settings(folder).access, address, without_login=without_login)
    server, listener = _health_server(folder, "127.0.0.1", health_port, "--health-port")
    os.environ["VIGIE_WITHOUT_LOGIN"] = "1" if without_login else "0"
    children, scheduler = Children(), None
    jobs = Jobs(children, live=live, backup_to=backup_to and backup_to.expanduser().resolve())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
        options = ["--address", address, "--port", str(port), *(["--headless"] if headless else [])]
        pages = children.start("dashboard.server", *options)
        next_night = "no schedule"
        if not no_schedule:
            due = first_night(folder, trigger, dt.datetime.now(dt.UTC))
            next_night = "next night " + (f"{due:%Y-%m-%d %H:%M}" if due > dt.datetime.now(dt.UTC) else "now")
            scheduler = start_schedule(jobs, trigger, due)
        about = f"health: port {health_port}; {next_night}; Ctrl+C ends everything"
        typer.echo(f"Vigie: {address_of(address, port)} ({about})")
        sys.stdout.flush()
        raise VigieError(f"the dashboard ended with exit code {pages.wait()}")
    except KeyboardInterrupt:
        typer.echo("Stopped.")
    finally:
        if scheduler is not None:
            scheduler.shutdown(wait=False)
        children.end()
        server.should_exit = True


@app.command()
def dashboard(
    home: Home = None,
    port: Port = 8501,
    address: Address = "127.0.0.1",
    headless: Headless = False,
    without_login: WithoutLogin = False,
) -> None:
    """Serve the dashboard; other addresses than loopback need a login, or --without-login."""
    folder = home_folder(home)
    check_address(load_settings(folder).access, address, without_login=without_login)
    os.environ["VIGIE_HOME"] = str(folder)
    os.environ["VIGIE_WITHOUT_LOGIN"] = "1" if without_login else "0"
    os.chdir(PROJECT)
    typer.echo(f"Vigie's dashboard: {address_of(address, port)}   (Ctrl+C ends it)")
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


@app.command()
def health(
    home: Home = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on.")] = 8502,
    address: Annotated[str, typer.Option("--address", help="Address to listen on.")] = "127.0.0.1",
    once: Annotated[
        bool, typer.Option("--once", help="Print /healthz once and exit: 0 ok or degraded, 1 not healthy.")
    ] = False,
) -> None:
    """Serve /healthz and /metrics for monitoring, or print /healthz once."""
    from decisions.health import HEALTH_PATH, answer

    folder = home_folder(home)
    if once:
        code, _, body = answer(folder, HEALTH_PATH)
        typer.echo(body, nl=False)
        raise typer.Exit(0 if code == 200 else 1)
    server, listener = _health_server(folder, address, port, f"--address {address} --port")
    typer.echo(f"{address_of(address, listener.getsockname()[1])}{HEALTH_PATH}   (Ctrl+C ends it)")
    server.run(sockets=[listener])


def _health_server(home: Path, address: str, port: int, option: str) -> tuple[uvicorn.Server, socket.socket]:
    """Return the server of health and metrics, and the socket on which it is to listen.

    Raises:
        InputError: The port cannot be opened.
    """
    import uvicorn

    try:
        listener = socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    except OSError as error:
        raise InputError(f"{option} {port}: {error.strerror}") from None
    config = uvicorn.Config(application(home, address), log_config=None, server_header=False)
    return uvicorn.Server(config), listener


def application(home: Path, address: str = "127.0.0.1") -> Starlette:
    """The server's application: answers GET and HEAD only, under the dashboard's name and this machine's own."""
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    from access.guard import host_name, own_names
    from decisions.health import answer

    try:
        names = own_names(address) | {urlsplit(load_settings(home).dashboard_url.lower()).hostname}
    except InputError:  # the answer states it
        names = own_names(address)
    kept: dict[str, tuple[float, tuple[int, str, str]]] = {}

    def respond(request: Request) -> Response:
        if host_name(request.headers.get("host", "")) not in names:
            return Response("This host name is not served here.\n", 400)
        path = request.url.path
        at, answered = kept.get(path, (0.0, (0, "", "")))
        if not answered[0] or time.monotonic() - at > _FRESH_SECONDS:
            answered = answer(home, path)
            if answered[0] != 404:
                kept[path] = (time.monotonic(), answered)
        return Response(answered[2], answered[0], {"Cache-Control": "no-store"}, answered[1])

    return Starlette(routes=[Route("/{path:path}", respond)])
