"""The dashboard is not shown beyond this machine by accident."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psutil
import pytest
import typer

from cli.serve import application, check_address, dashboard, health
from core.errors import InputError
from core.settings import PROJECT, AccessSettings
from ingest.sources import SOURCES
from tests.cli.command_line import command
from tests.dashboard.conftest import publish
from tests.servers import LONGEST_SECONDS, free_port, wait_until

WITH_LOGIN = AccessSettings(provider="https://login.example.org/x", client_id="vigie")
BEYOND = ["0.0.0.0", "::", "192.168.1.4", "vigie.example.org"]  # noqa: S104  # not bound to, only judged


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """What would be started instead of this process."""
    calls: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _path, arguments: calls.append(arguments))
    monkeypatch.setenv("VIGIE_HOME", "")
    here = Path.cwd()
    yield calls
    os.chdir(here)


@pytest.mark.parametrize("address", BEYOND)
def test_without_login_only_this_machine_is_served(tmp_path: Path, started: list[list[str]], address: str) -> None:
    with pytest.raises(InputError, match="without a login only this machine is served"):
        dashboard(home=tmp_path, address=address)
    assert started == []


@pytest.mark.parametrize("missing", ["VIGIE_OIDC_CLIENT_SECRET", "VIGIE_COOKIE_SECRET"])
def test_serving_with_login_needs_secrets(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setenv("VIGIE_OIDC_CLIENT_SECRET", "x" * 40)
    monkeypatch.setenv("VIGIE_COOKIE_SECRET", "y" * 40)
    check_address(WITH_LOGIN, "192.168.1.4")
    monkeypatch.delenv(missing)
    with pytest.raises(InputError, match=missing):
        check_address(WITH_LOGIN, "127.0.0.1")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], tuple[int, str]]:
    """Status and text that monitoring gets; each time that the home is looked at has a number."""
    numbers = iter(range(100))
    monkeypatch.setattr(
        "decisions.health.answer",
        lambda _home, path: (404 if path == "/nowhere" else 200, "text/plain", str(next(numbers))),
    )
    served = application(tmp_path)

    async def ask(path: str) -> tuple[int, str]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://127.0.0.1") as client:
            found = await client.get(path)
            return found.status_code, found.text

    return lambda path: asyncio.run(ask(path))


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200), ("localhost:8502", 200), ("vigie.example.org", 200), ("VIGIE.example.org:443", 200),
        ("evil.example.org", 400), ("192.168.1.4", 400), ("", 400),
    ],
)  # fmt: skip
def test_monitoring_answers_under_two_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, status: int
) -> None:
    (tmp_path / "settings.toml").write_text('dashboard_url = "https://Vigie.example.org"\n')
    monkeypatch.setattr("decisions.health.answer", lambda _home, _path: (200, "text/plain", "ok"))
    served = application(tmp_path)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://127.0.0.1") as client:
            return await client.get("/healthz", headers={"Host": host})

    answer = asyncio.run(ask())
    assert answer.status_code == status
    if status == 200:
        assert answer.headers["cache-control"] == "no-store"


def test_repeated_question_is_answered_from_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([(200, "text/plain", "first"), (200, "text/plain", "second")])
    monkeypatch.setattr("decisions.health.answer", lambda _home, _path: next(answers))
    clock = SimpleNamespace(monotonic=iter([1.0, 2.0, 9.0, 9.0]).__next__)
    monkeypatch.setattr("cli.serve.time", clock)
    served = application(tmp_path)

    async def ask() -> list[str]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://127.0.0.1") as client:
            return [(await client.get("/healthz")).text for _ in range(3)]

    assert asyncio.run(ask()) == ["first", "first", "second"]


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_health_asked_once_is_printed_and_reported_by_exit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: int, code: int
) -> None:
    monkeypatch.setattr("decisions.health.answer", lambda _home, _path: (status, "text/plain", "as it is\n"))
    with pytest.raises(typer.Exit) as ended:
        health(home=tmp_path, once=True)
    assert ended.value.exit_code == code
    assert capsys.readouterr().out == "as it is\n"


@pytest.mark.parametrize(
    ("address", "family", "said"),
    [("127.0.0.1", socket.AF_INET, "http://127.0.0.1:"), ("::1", socket.AF_INET6, "http://[::1]:")],
)
def test_monitoring_listens_at_given_address(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    address: str,
    family: socket.AddressFamily,
    said: str,
) -> None:
    bound: list[tuple[socket.AddressFamily, int]] = []

    def run(sockets: list[socket.socket]) -> None:
        for one in sockets:
            bound.append((one.family, one.getsockname()[1]))
            one.close()

    monkeypatch.setattr("uvicorn.Server", lambda _config: SimpleNamespace(run=run))
    health(home=tmp_path, address=address, port=0)
    ((kind, port),) = bound
    assert kind == family
    assert capsys.readouterr().out.startswith(f"{said}{port}/healthz ")


class Everything:
    """A context in which ``vigie serve`` runs, on free ports, with a backup after each night; it holds a release.

    All sources are excluded, so that the first night, due at once in a home without nights, ends early.
    """

    def __init__(self, folder: Path) -> None:
        self.home, self.backups, self._log = folder / "home", folder / "backups", folder / "log"
        self.port, self.health_port = free_port(), free_port()
        publish(self.home)
        (self.home / "settings.toml").write_text(f"exclude_sources = {json.dumps([*SOURCES])}\n")

    def __enter__(self) -> Everything:
        options = ["--home", self.home, "--port", self.port, "--health-port", self.health_port, "--headless"]
        words = [sys.executable, "-m", "cli", "serve", *map(str, [*options, "--backup-to", self.backups])]
        with self._log.open("wb") as log:
            self.process = psutil.Popen(words, cwd=PROJECT, stdout=log, stderr=subprocess.STDOUT)
        return self

    def __exit__(self, *_error: object) -> None:
        for one in [*self.process.children(recursive=True), self.process] if self.process.is_running() else []:
            one.kill()

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until a condition holds; while nothing listens it does not."""

        def is_so() -> bool:
            assert self.process.poll() is None, self._log.read_text()
            with contextlib.suppress(httpx.TransportError):
                return bool(condition())
            return False

        wait_until(is_so)

    def health(self, port: int) -> dict[str, Any]:
        """Return what a port answers at /healthz."""
        return dict(httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=60).json())


def test_serve_option_before_command_is_refused(tmp_path: Path) -> None:
    done = command("serve", "--port", "9000", "health", "--once", home=tmp_path)
    assert done.returncode == 1
    assert "--port: write it after 'health'" in done.stderr


def test_serve_home_before_command_is_used(tmp_path: Path) -> None:
    publish(tmp_path)
    done = command("serve", "--home", str(tmp_path), "health", "--once", home=tmp_path / "other")
    assert json.loads(done.stdout)["run_id"]


@pytest.mark.server
def test_serve_runs_due_night_and_ends_all_at_sigterm(tmp_path: Path) -> None:
    with Everything(tmp_path) as served:
        served.until(lambda: "<title>" in httpx.get(f"http://127.0.0.1:{served.port}/").text)
        ports = (served.port, served.health_port)
        served.until(lambda: all(served.health(port)["last_backup"] for port in ports))
        assert {served.health(port)["last_night"]["outcome"] for port in ports} == {"nothing published"}
        children = served.process.children(recursive=True)
        assert children
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(LONGEST_SECONDS) == 0
        assert psutil.wait_procs(children, timeout=LONGEST_SECONDS)[1] == []


def test_serve_ends_when_dashboard_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = tmp_path / "dashboard" / "server.py"
    stand_in.parent.mkdir()
    stand_in.with_name("__init__.py").touch()
    stand_in.write_text("raise SystemExit(7)")
    monkeypatch.setattr("cli.serve.PROJECT", tmp_path)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # this process keeps its own
    words = ["--headless", "--no-schedule", "--health-port", str(free_port())]
    done = command("serve", *words, home=tmp_path / "home")
    assert done.returncode == 1
    assert "the dashboard ended with exit code 7" in done.stderr


def test_each_path_has_its_own_answer(asked: Callable[[str], tuple[int, str]]) -> None:
    paths = ("/healthz", "/metrics", "/healthz", "/nowhere", "/nowhere")
    assert [asked(path) for path in paths] == [(200, "0"), (200, "1"), (200, "0"), (404, "2"), (404, "3")]
