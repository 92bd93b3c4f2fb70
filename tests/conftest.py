"""What every room's tests share: markers by fixture, the order of files, the same draws in every run."""

from __future__ import annotations

import datetime as dt
import functools
import gc
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Its fits take minutes; tests/nightly/test_pooled.py has a night with few of them.
os.environ.setdefault("VIGIE_POOLED_MODEL", "false")

import hypothesis
import pytest
import structlog
import typer.main
import typer.testing
from filelock import FileLock
from fontTools import subset

from benchmarks.nights.bench import FEW
from store.journal import database
from tests.ingest.live.publisher import Publisher
from tests.servers import MADE_ONCE

# A developer's own settings, such as VIGIE_HOME, would change tests or be changed by them.
for _name in [name for name in os.environ if name.startswith("VIGIE_")]:
    if _name not in {"VIGIE_RAW_DATA", "VIGIE_POOLED_MODEL"}:
        del os.environ[_name]

# nginx, Caddy and other judges of deploy/ that tests/install_system_packages.sh unpacked.
_TOOLS = Path(__file__).parent.parent / ".venv" / "tools" / "usr"
os.environ["PATH"] += f":{_TOOLS / 'bin'}:{_TOOLS / 'sbin'}"

pytest_plugins = ("tests.store.fixtures", "tests.store.mirrors")
MARK_OF_FIXTURE = {
    "first_night": "night",
    "postgres_server": "server",
    "s3_server": "server",
    "start": "server",  # tests/access: a dashboard with login in its own process
}
FIRST = ("browser", "provider", "slow", "server", "night", "cluster")
"""Files with these marks start first, in this order: at the end no worker waits for a long one.

One file with a night starts before all others: those after it find the night made.
"""


hypothesis.settings.register_profile("test", derandomize=True, database=None, deadline=None, max_examples=50)
hypothesis.settings.register_profile("explore", print_blob=True, deadline=None)
hypothesis.settings.load_profile("test")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by what they start, and put long files first."""
    if config.getoption("--hypothesis-profile") == "explore":
        items[:] = [item for item in items if hypothesis.is_hypothesis_test(getattr(item, "obj", None))]
    ranks: dict[str, int] = {}
    for item in items:
        given = getattr(getattr(item, "callspec", None), "params", {})
        for fixture, mark in MARK_OF_FIXTURE.items():
            # a parameter that happens to have the name starts nothing
            if fixture in getattr(item, "fixturenames", ()) and fixture not in given:
                item.add_marker(mark)
        if "s3" in parameters_of(item):
            item.add_marker("server")
        file = item.nodeid.partition("::")[0]
        rank = min((FIRST.index(mark.name) for mark in item.iter_markers() if mark.name in FIRST), default=len(FIRST))
        ranks[file] = min(rank, ranks.get(file, rank))
    if nights := sorted(file for file, rank in ranks.items() if rank == FIRST.index("night")):
        ranks[nights[0]] = -1

    def place(item: pytest.Item) -> tuple[int, str, bool]:
        """In a file those first that only read the common release: what pages keep of it serves them all."""
        file = item.nodeid.partition("::")[0]
        return ranks[file], file, "read_release" not in getattr(item, "fixturenames", ())

    items.sort(key=place)


def parameters_of(item: pytest.Item) -> list[str]:
    """The texts that a parametrised test is given."""
    call = getattr(item, "callspec", None)
    return [value for value in call.params.values() if isinstance(value, str)] if call else []


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector of garbage need not look through it again and again.

    Nor need it look as often as it would: tables and parsed files are many objects that live a while.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def _disk_without_waiting() -> Iterator[None]:
    """No power is cut here: waiting for the disk would be most of the time of tests that write."""
    prepare = database._prepare_sqlite

    def prepare_without_waiting(connection: Any, record: object) -> None:  # noqa: ANN401  # as what it stands for
        prepare(connection, record)
        connection.execute("PRAGMA synchronous=OFF")

    with patch("os.fsync", lambda _handle: None), patch.object(database, "_prepare_sqlite", prepare_without_waiting):
        yield


@pytest.fixture(scope="session", autouse=True)
def _small_fonts() -> Iterator[None]:
    """Fonts in a PDF are cut down without their rules of layout: no PDF uses them, and they take half of its time."""
    fewer = [*subset.Options._drop_tables_default, "GSUB", "GPOS", "GDEF"]
    with patch.object(subset.Options, "_drop_tables_default", fewer):
        yield


@pytest.fixture(scope="session", autouse=True)
def _command_made_once() -> Iterator[None]:
    """A process makes the command line from its functions once; here each of a thousand commands would do it again."""
    once = functools.cache(typer.main.get_command)
    with patch.object(typer.main, "get_command", once), patch.object(typer.testing, "_get_command", once):
        yield


@pytest.fixture(autouse=True)
def _log_lines() -> Iterator[None]:
    """Forget the log's settings: a command that ran in this process leaves its own."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """A publisher on loopback, asked without the proxies of this machine."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    server = Publisher()
    yield server
    server.close()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of loopback that refuses connections: it is taken, and no program listens there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


@pytest.fixture(scope="session", autouse=True)
def _made_once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder of all workers, for what one makes and the others copy."""
    own = tmp_path_factory.getbasetemp()
    workers = own if worker_id == "master" else own.parent
    os.environ[MADE_ONCE] = str(workers)
    return workers


@pytest.fixture(scope="session")
def first_night(tmp_path_factory: pytest.TempPathFactory, _made_once: Path) -> Path:
    """The home folder after the night of 2025-01-31, few origins and paths. Read it; to change it, copy it.

    One worker makes it, under a lock; the others copy it.
    """
    from core.settings import load_settings  # noqa: PLC0415  # most runs need no night, which imports every model
    from forecasting.pool import Pool  # noqa: PLC0415  # as above
    from nightly.night import run_night  # noqa: PLC0415  # as above

    own = tmp_path_factory.mktemp("first") / "home"
    shared, made = _made_once / "first_night", _made_once / "first_night.made"
    with FileLock(_made_once / "first_night.lock"):
        if not made.exists():
            shared.mkdir()
            (shared / "settings.toml").write_text(FEW)
            # In this process: two others would load every model too. tests/test_wheel.py has a night with processes.
            with patch("nightly.night.Pool", functools.partial(Pool, 0)):
                run_night(shared, load_settings(shared), dt.date(2025, 1, 31))
            made.touch()
    return Path(shutil.copytree(shared, own))


@pytest.fixture(scope="session")
def raw_data() -> Path:
    """Folder of published files in their publishers' own layouts; no part of the project."""
    folder = os.environ.get("VIGIE_RAW_DATA")
    if not folder:
        pytest.skip("VIGIE_RAW_DATA is not set: the published files are not part of the project")
    return Path(folder)
