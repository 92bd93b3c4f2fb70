"""``vigie serve``: the dashboard, health and metrics, and a night a day.

The schedule: one night a day, messages every five minutes, a backup after each night.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from cli import EXIT_DEGRADED, EXIT_NOTHING_PUBLISHED, EXIT_PUBLISHED, VAR, Group, Home, is_group_alone
from core.errors import InputError, VigieError
from core.log import get_logger
from core.settings import (
    PROJECT,
    SHORTEST_COOKIE_SECRET,
    AccessSettings,
    address_of,
    is_loopback,
    load_settings,
    secret,
)

if TYPE_CHECKING:
    import uvicorn
    from apscheduler.schedulers.background import BackgroundScheduler
    from apscheduler.triggers.cron import CronTrigger
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
    home: Home = VAR,
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
    os.environ["VIGIE_HOME"] = str(home)  # child processes read it, and the commands below this one
    if not is_group_alone(context):
        return
    trigger = night_trigger(at)
    check_address(load_settings(home).access, address, without_login=without_login)
    server, listener = _health_server(home, "127.0.0.1", health_port, "--health-port")
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
            due = first_night(home, trigger, dt.datetime.now(dt.UTC))
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
    home: Home = VAR,
    port: Port = 8501,
    address: Address = "127.0.0.1",
    headless: Headless = False,
    without_login: WithoutLogin = False,
) -> None:
    """Serve the dashboard; other addresses than loopback need a login, or --without-login."""
    check_address(load_settings(home).access, address, without_login=without_login)
    os.environ["VIGIE_HOME"] = str(home)
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
    home: Home = VAR,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on.")] = 8502,
    address: Annotated[str, typer.Option("--address", help="Address to listen on.")] = "127.0.0.1",
    once: Annotated[
        bool, typer.Option("--once", help="Print /healthz once and exit: 0 ok or degraded, 1 not healthy.")
    ] = False,
) -> None:
    """Serve /healthz and /metrics for monitoring, or print /healthz once."""
    from decisions.health import HEALTH_PATH, answer

    if once:
        code, _, body = answer(home, HEALTH_PATH)
        typer.echo(body, nl=False)
        raise typer.Exit(0 if code == 200 else 1)
    server, listener = _health_server(home, address, port, f"--address {address} --port")
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
        at, answered = kept.get(path, (0.0, None))
        if answered is None or time.monotonic() - at > _FRESH_SECONDS:
            answered = answer(home, path)
            if answered[0] != 404:
                kept[path] = (time.monotonic(), answered)
        return Response(answered[2], answered[0], {"Cache-Control": "no-store"}, answered[1])

    return Starlette(routes=[Route("/{path:path}", respond)])


_OUTCOMES = {
    EXIT_PUBLISHED: "published",
    EXIT_DEGRADED: "published degraded",
    EXIT_NOTHING_PUBLISHED: "nothing published",
}
NIGHT, DELIVER, BACKUP = ("nightly",), ("outbox", "deliver"), ("home", "backup", "--to")
"""Commands of ``vigie`` that the schedule runs."""


class Children:
    """Child processes that end when this process ends.

    Args:
        grace_seconds: Time between SIGTERM and SIGKILL.
    """

    def __init__(self, grace_seconds: float = 10.0) -> None:
        self._grace_seconds = grace_seconds
        self._lock = threading.Lock()
        self._running: list[subprocess.Popen[bytes]] = []
        self._is_ended = False

    def start(self, module: str, *words: str) -> subprocess.Popen[bytes]:
        """Start ``python -m MODULE WORDS``.

        Raises:
            RuntimeError: The children were ended.
        """
        with self._lock:
            if self._is_ended:
                raise RuntimeError(f"{module} is not started: this process ends")
            self._running = [one for one in self._running if one.poll() is None]
            child = subprocess.Popen([sys.executable, "-m", module, *words], cwd=PROJECT)  # noqa: S603  # our own modules
            self._running.append(child)
            return child

    def end(self) -> None:
        """Terminate all children, kill those that do not end in time, and refuse new ones."""
        with self._lock:
            self._is_ended = True
            for child in self._running:
                child.terminate()
            last = time.monotonic() + self._grace_seconds
            for child in self._running:
                try:
                    child.wait(max(last - time.monotonic(), 0))
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()


class Jobs:
    """What the schedule runs; each job is a command in a child process.

    So a night takes no memory or CPU from the health server, and its lock, log and exit code are those of
    ``vigie nightly``. The home folder is passed on in ``VIGIE_HOME``.

    Args:
        children: Starts and ends the processes.
        live: Whether a night requests new figures from the publishers.
        backup_to: Folder of the backups; None: no backup.
    """

    def __init__(self, children: Children, *, live: bool = False, backup_to: Path | None = None) -> None:
        self._children, self._live, self._backup_to = children, live, backup_to

    def night(self) -> None:
        """Run a night, log its outcome, and write a backup as the timer in ``deploy/`` does, whatever the outcome."""
        exit_code = self._run(*NIGHT, *(["--live"] if self._live else []))
        get_logger().info("night ended", outcome=_OUTCOMES.get(exit_code, "stopped"), exit=exit_code)
        if self._backup_to is not None and exit_code in _OUTCOMES:
            get_logger().info("backup ended", exit=self._run(*BACKUP, str(self._backup_to)))

    def deliver(self) -> None:
        """Send the messages that are due."""
        self._run(*DELIVER)

    def _run(self, *words: str) -> int:
        return self._children.start("cli", *words).wait()


def night_trigger(at: str) -> CronTrigger:
    """Return the trigger of a time of day, in the time zone of this machine.

    Raises:
        InputError: The text is not a time of day.
    """
    from apscheduler.triggers.cron import CronTrigger

    try:
        parsed = time.strptime(at, "%H:%M")
    except ValueError:
        raise InputError(f"--at {at}: not a time of day; write it as 03:30") from None
    return CronTrigger(hour=parsed.tm_hour, minute=parsed.tm_min)


def first_night(home: Path, trigger: CronTrigger, now: dt.datetime) -> dt.datetime:
    """Return when the first night is due: the first scheduled time after the last night that ended.

    It lies in the past if a night was missed while the machine was off, and if there was no night at all.
    """
    from decisions.health import read_health

    last = read_health(home).last_night
    since = dt.datetime.fromisoformat(last["at"]) if last else now - dt.timedelta(days=1)
    due: dt.datetime = trigger.get_next_fire_time(None, since)
    return due


def start_schedule(jobs: Jobs, trigger: CronTrigger, due: dt.datetime) -> BackgroundScheduler:
    """Start the schedule; a job whose time has passed runs at once, and once however often it was missed.

    Two nights never run at a time: this scheduler starts one only, and the night's lock refuses those of others.
    """
    from apscheduler.schedulers.background import BackgroundScheduler

    scheduler = BackgroundScheduler(job_defaults={"coalesce": True, "misfire_grace_time": None})
    scheduler.add_job(jobs.night, trigger, next_run_time=due)
    scheduler.add_job(jobs.deliver, "interval", minutes=5)
    scheduler.start()
    return scheduler
