"""Readers while others flood the dashboard: ``python -m benchmarks.dashboard_flood [--home DIR] [--write]``.

Hostile sockets of one origin ask for pages as fast as the server takes messages, and half of them never read an
answer; they connect again when they are refused. Meanwhile readers click and ``/healthz`` is asked every second.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import httpx
import numpy as np
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin

from access.guard import CALLBACK_PATH, SESSION_COOKIE
from benchmarks import dashboard_load
from benchmarks.shared import PAGE, Options, Section, demonstration, page_command, report, table
from decisions.health import HEALTH_PATH
from store.releases import ReleaseStore
from tests.access.wire import session_of
from tests.reader import handshake
from tests.servers import Server, free_port, wait_until

READERS, HOSTILE = 30, 40
THINK = (5.0, 15.0)
"""Least and most seconds between an answer and a reader's next click."""
NINE_IN_TEN, HEALTH, MEMORY, HALF_OPEN = 2.0, 1.0, 1024, 10.0
"""Limits: seconds of nine in ten answers to readers and of each health check, MiB, seconds of a half-open request."""
_PENDING, _REFUSALS = 300, 300
"""Half-open requests at once, and unusable answers at the callback."""
_LONGEST_HEALTH = 60.0
_PAGES = ("route", "evaluation", "alerts", "asylum")
_ACCESS = '[access]\nprovider = "http://127.0.0.1:9/none"\nclient_id = "vigie"\n'


@dataclass(frozen=True)
class Attack:
    """Who floods.

    Attributes:
        name: In words.
        with_login: Whether people sign in at this dashboard.
        is_signed_in: Whether the attacker has signed in.
        sockets: Hostile sockets.
    """

    name: str
    with_login: bool
    is_signed_in: bool = False
    sockets: int = HOSTILE


ATTACKS = (
    Attack("nobody", with_login=True, sockets=0),
    Attack("strangers, where people sign in", with_login=True),
    Attack("one person who has signed in", with_login=True, is_signed_in=True),
    Attack("one address, where nobody signs in", with_login=False),
)


@dataclass
class Health:
    """Asks ``/healthz`` every second in a thread of its own; ``seconds`` holds how long each answer took."""

    address: str
    seconds: list[float] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Health:
        """Begin."""
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._over.wait(1.0):
            start = time.monotonic()
            try:
                httpx.get(self.address + HEALTH_PATH, timeout=_LONGEST_HEALTH)
            except httpx.HTTPError:
                self.seconds.append(_LONGEST_HEALTH)
            else:
                self.seconds.append(time.monotonic() - start)


def flood(address: str, sockets: int, cookie: str, seconds: float) -> None:
    """Flood from ``127.0.0.9`` in this process."""

    async def all_of_them() -> None:
        end = time.monotonic() + seconds
        await asyncio.gather(*(_hostile(address, cookie, end, reads=bool(one % 2)) for one in range(sockets)))

    asyncio.run(all_of_them())


async def _hostile(address: str, cookie: str, end: float, *, reads: bool) -> None:
    """One hostile socket: message after message, and a new connection where it is refused or hung up on."""
    messages = []
    for page in _PAGES:
        message = BackMsg()
        message.rerun_script.page_name = page
        messages.append(message.SerializeToString())
    while time.monotonic() < end:
        # It gives up a message that is not taken within a second, so that it ends in time.
        with suppress(WebSocketException, OSError, TimeoutError):
            async with connect(
                f"{address.replace('http', 'ws', 1)}/_stcore/stream", **handshake(cookie), origin=Origin(address),
                local_addr=("127.0.0.9", 0), compression=None, max_size=None, open_timeout=5, close_timeout=1,
                max_queue=None if reads else 1,
            ) as one:  # fmt: skip
                reading = asyncio.create_task(_drain(one)) if reads else None
                turn = 0
                while time.monotonic() < end:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(one.send(messages[turn % len(messages)]), 1)
                    turn += 1
                    await asyncio.sleep(0)
                if reading is not None:
                    reading.cancel()


async def _drain(one: ClientConnection) -> None:
    with suppress(WebSocketException):
        async for _answer in one:
            pass


@contextmanager
def served(home: Path, attack: Attack) -> Iterator[Server]:
    """Serve a copy of a home on a free port, with or without a login."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "home"
        shutil.copytree(home, copy, ignore=shutil.ignore_patterns("fits", "backtests"))
        port = free_port()
        access = _ACCESS if attack.with_login else ""
        (copy / "settings.toml").write_text(f'dashboard_url = "http://127.0.0.1:{port}"\n{access}')
        keys = {name: secrets.token_hex(32) for name in ("VIGIE_COOKIE_SECRET", "VIGIE_OIDC_CLIENT_SECRET")}
        with Server(copy, copy / "server.log", port=port, environment=keys) as server:
            yield server


def measured(home: Path, attack: Attack, minutes: float) -> tuple[tuple[object, ...], bool]:
    """Flood while readers click; returns the row of the table and whether every limit was kept."""
    with served(home, attack) as server:
        place = server.home

        def cookie(who: str) -> str:
            return f"{SESSION_COOKIE}={session_of(place, who, roles=('analyst',))}" if attack.with_login else ""

        readers = [{"cookie": cookie(f"reader{one}"), "source": f"127.0.1.{one + 1}"} for one in range(READERS)]
        hostile = cookie("eve") if attack.is_signed_in else ""
        dashboard_load.warm_up(server.address, readers[0])
        arguments = (server.address, attack.sockets, hostile, 60 * minutes)
        process = get_context("spawn").Process(target=flood, args=arguments)
        before = server.processor_seconds()
        process.start()
        with Health(server.address) as health:
            seen = dashboard_load.run(server.address, minutes, THINK, readers)
        process.join()
        seen.errors.extend(server.faults())
        busy = (server.processor_seconds() - before) / (60 * minutes)
        peak = server.memory()[1]
    for one in seen.errors[:20]:
        report(one)
    usual, most = np.quantile(seen.all(), (0.5, 0.9))
    is_borne = most <= NINE_IN_TEN and max(health.seconds) <= HEALTH and peak <= MEMORY and not seen.errors
    seconds = f"{usual:.2f}", f"{most:.2f}", f"{np.quantile(health.seconds, 0.9):.2f}", f"{max(health.seconds):.2f}"
    row = (attack.name, len(seen.all()), *seconds, f"{peak:,.0f}", f"{busy:.2f}", len(seen.errors))
    report(" | ".join(map(str, row)))
    return row, bool(is_borne)


def half_open(address: str) -> float:
    """Begin requests and never end them; returns the seconds after which the last one was hung up on."""
    place = address.removeprefix("http://").split(":")
    start, left = time.monotonic(), [socket.create_connection((place[0], int(place[1]))) for _one in range(_PENDING)]
    for one in left:
        one.send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1")
        one.setblocking(False)

    def is_over() -> bool:
        for one in [*left]:
            with suppress(BlockingIOError):
                if not one.recv(1024):
                    one.close()
                    left.remove(one)
        return not left

    wait_until(is_over)
    return time.monotonic() - start


def refusals(server: Server) -> int:
    """Send unusable answers to the callback; returns how many lines the log has of them."""
    with httpx.Client(base_url=server.address) as client:
        for one in range(_REFUSALS):
            client.get(CALLBACK_PATH, params={"state": f"x{one}", "code": "y"})
    return server.log.read_text().count("logins not usable")


def section(given: argparse.Namespace) -> Section:
    """Measure; all is well where every limit was kept."""
    busy = os.getloadavg()[1]
    with nullcontext(given.home) if given.home else demonstration() as home:
        release = ReleaseStore(home).current()
        rows, kept = zip(*(measured(home, attack, given.minutes) for attack in ATTACKS), strict=True)
        with served(home, ATTACKS[1]) as server:
            seconds, lines = half_open(server.address), refusals(server)
    is_good = all(kept) and seconds <= HALF_OPEN + 1 and lines <= 1
    head = (
        "who floods | answers to readers | median, s | p90, s | health p90, s | longest, s | peak, MiB | "
        "processors | errors"
    )
    fact = (
        f"Measured: release as of {release.as_of if release else 'no day'}; load of the machine in the five minutes "
        f"before: {busy:.1f}; {HOSTILE} hostile sockets for {given.minutes:g} minutes; {READERS} readers, each "
        f"{THINK[0]:g} to {THINK[1]:g} s between an answer and the next click."
    )
    limits = ("limits", "", "", f"{NINE_IN_TEN:g}", "", f"{HEALTH:g}", f"{MEMORY:,.0f}", "", 0)
    others = [
        (f"seconds until the last of {_PENDING} half-open requests is hung up on", f"{seconds:.1f}", f"{HALF_OPEN:g}"),
        (f"log lines of {_REFUSALS} unusable answers at the callback", lines, 1),
    ]
    return [fact, "", *table(head, [*rows, limits]), "", *table("also | | limit", others)], is_good


if __name__ == "__main__":
    options: Options = {
        "--home": {"type": Path, "help": "a home with a release; default: a new demonstration"},
        "--minutes": {"type": float, "default": 2.0},
    }
    sys.exit(page_command(PAGE, "Readers under a flood", section, options=options))
