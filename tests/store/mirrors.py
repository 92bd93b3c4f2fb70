"""Shared stores of every kind that is served, and homes that share one."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import fsspec
import pandas as pd
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from store.figures import VintageStore
from store.mirror import Delivery, NotDeliveredError, RemoteFiles, pull
from store.releases import About, Release, ReleaseStore
from tests.store.fixtures import Rows

BUCKET = "vigie"
CALLS = ("cat_file", "find", "ls", "modified", "pipe_file", "rm_file")
"""Everything that :class:`store.mirror.RemoteFiles` asks of a file system."""


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Address of a server on loopback that speaks S3."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  # takes seconds to load, and few tests need it

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_url(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store of its own on S3, reached with what stands in the environment."""
    for name, value in (
        ("AWS_ENDPOINT_URL", s3_server),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    # A bucket is made by the store's operator, not by Vigie.
    system = fsspec.filesystem("s3", skip_instance_cache=True)
    if not system.exists(BUCKET):
        system.mkdir(BUCKET)
    return f"s3://{BUCKET}/{uuid4().hex}"


@pytest.fixture
def memory_url() -> Iterator[str]:
    name = uuid4().hex
    yield f"memory://{name}"
    for path in [path for path in MemoryFileSystem.store if path.startswith(f"/{name}/")]:
        del MemoryFileSystem.store[path]


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    (tmp_path / "shared").mkdir()
    return f"file://{tmp_path / 'shared'}"


@pytest.fixture(params=["memory", "file", "s3"])
def any_url(request: pytest.FixtureRequest) -> str:
    """Each kind of store in turn."""
    return str(request.getfixturevalue(f"{request.param}_url"))


class Homes:
    """Homes that share a store, and small nights in them."""

    def __init__(self, folder: Path, frames: dict[str, pd.DataFrame], rows: Rows) -> None:
        self._folder, self._frames, self._rows = folder, frames, rows

    def __call__(self, name: str) -> Path:
        path = self._folder / name
        path.mkdir(exist_ok=True)
        return path

    def publish(self, home: Path, day: int = 31, month: int = 1) -> Release:
        """What a night leaves behind: a new figure and a release."""
        count = len(list((home / "vintages").rglob("*.parquet")))
        period, known = f"2024-{count + 1:02d}", f"2025-{month:02d}-{day:02d}"
        VintageStore(home).append(self._rows((period, 1000.0 + count, known)))
        about = About(dt.date(2025, month, day), "0.1.0", {}, {})
        return ReleaseStore(home).publish(self._frames, {"model_cards/vigie-ets.md": f"# {known}"}, about)

    def night(self, home: Path, files: RemoteFiles, day: int = 31) -> Release:
        """A night that pulls, publishes and delivers."""
        delivery = pull(home, files)
        release = self.publish(home, day)
        delivery.deliver()
        return release


@pytest.fixture
def homes(tmp_path: Path, release_frames: dict[str, pd.DataFrame], observations: Rows) -> Homes:
    return Homes(tmp_path, release_frames, observations)


def contents(home: Path) -> tuple[list[str], int]:
    """Contents of a home: its releases and its figures; its chain is whole."""
    assert ReleaseStore(home).verify() is None
    return [one.run_id for one in ReleaseStore(home).all()], len(VintageStore(home).as_of(dt.date(2030, 1, 1)))


def seen_by_others(homes: Homes, files: RemoteFiles) -> tuple[list[str], int]:
    """What a home that holds nothing yet gets from a store."""
    home = homes(uuid4().hex)
    pull(home, files)
    return contents(home)


class Cut:
    """A line to a store in memory that is cut at one call: it and all later ones fail.

    Attributes:
        calls: Calls so far.
        at: Number of the first call that fails.
        answer_only: The call is done, and only its answer is lost.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls, self.at, self.answer_only = 0, 1 << 30, False
        self._lock = threading.Lock()
        for name in CALLS:
            monkeypatch.setattr(MemoryFileSystem, name, self._counted(getattr(MemoryFileSystem, name)))

    def after(self, calls: int, *, answer_only: bool = False) -> None:
        """Cut the line after some calls from now."""
        self.calls, self.at, self.answer_only = 0, calls, answer_only

    def mend(self) -> None:
        self.after(1 << 30)

    def _counted(self, call: Callable[..., object]) -> Callable[..., object]:
        def counted(*args: object, **kwargs: object) -> object:
            with self._lock:
                number, self.calls = self.calls, self.calls + 1
            if number > self.at or (number == self.at and not self.answer_only):
                raise ConnectionResetError("the line was cut")
            found = call(*args, **kwargs)
            if number == self.at:
                raise ConnectionResetError("the line was cut")
            return found

        return counted


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Cut:
    return Cut(monkeypatch)


def delivered(delivery: Delivery) -> bool:
    """True where a delivery went through."""
    try:
        delivery.deliver()
    except NotDeliveredError:
        return False
    return True
