"""Miniature frames that keep the contracts, and a real PostgreSQL server."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
import psycopg
import pytest

from tests.release_tables import whole_release
from tests.servers import LONGEST_SECONDS, wait_until

Scalar = str | bool | float | pd.Timestamp
Rows = Callable[..., pd.DataFrame]


@pytest.fixture
def observations() -> Rows:
    """Build observations from (time_period, value, as_of) triples; keywords set the other columns."""

    def build(*figures: tuple[str, float, str], **columns: Scalar) -> pd.DataFrame:
        defaults: dict[str, Scalar | pd.Series] = {
            "source_id": "iom-dtm",
            "series_id": "arrivals.CMR._T._T.M",
            "target": "arrivals",
            "route_id": "CMR",
            "geo": "_T",
            "citizen": "_T",
            "freq": "M",
            "obs_flag": "",
            "as_of_estimated": False,
        }
        frame = pd.DataFrame(figures, columns=["time_period", "obs_value", "as_of"])
        for name, value in (defaults | columns).items():
            frame[name] = value
        return frame.astype({"obs_value": float, "as_of": "datetime64[ns]"})

    return build


@pytest.fixture
def forecasts() -> Rows:
    """Build forecasts of one series at one origin: three levels at two horizons; keywords set columns."""

    def build(**columns: Scalar) -> pd.DataFrame:
        levels = [0.1, 0.5, 0.9]
        rows = [(horizon, level, 100.0 * horizon + 10 * level) for horizon in (1, 2) for level in levels]
        frame = pd.DataFrame(rows, columns=["horizon", "output_type_id", "value"])
        defaults: dict[str, Scalar | pd.Series] = {
            "model_id": "vigie-baseline",
            "series_id": "arrivals.CMR._T._T.M",
            "origin_date": pd.Timestamp("2024-12-31"),
            "target_end_date": pd.to_datetime(frame["horizon"].map({1: "2025-01-31", 2: "2025-02-28"})),
            "output_type": "quantile",
        }
        for name, value in (defaults | columns).items():
            frame[name] = value
        return frame.astype({"origin_date": "datetime64[ns]", "target_end_date": "datetime64[ns]"})

    return build


@pytest.fixture
def release_frames(observations: Rows, forecasts: Rows) -> dict[str, pd.DataFrame]:
    """Every frame a release needs; each has a row or more."""
    frames = {
        "forecasts": forecasts().assign(target="arrivals"),
        "trajectories": forecasts(output_type="sample", output_type_id=0).drop_duplicates("horizon"),
        "observations": observations(("2024-12", 4000.0, "2025-01-15")),
        "alerts": pd.DataFrame({"alert_id": ["surge.CMR.2025-01"]}),
        "freshness": pd.DataFrame({"source_id": ["iom-dtm"]}),
    } | {name: pd.DataFrame(index=[0]) for name in ("scores", "track_record")}
    return whole_release(frames)


@pytest.fixture(scope="session")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Callable[[Path], object], Path], None]:
    """Fill a folder as a function of the test's module would; the function runs once, then its folder is copied."""
    made: dict[str, Path] = {}

    def fill(make: Callable[[Path], object], folder: Path) -> None:
        name = f"{make.__module__}.{make.__qualname__}"
        if name not in made:
            made[name] = tmp_path_factory.mktemp("made")
            make(made[name])
        shutil.copytree(made[name], folder, dirs_exist_ok=True)

    return fill


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a real PostgreSQL server that listens on a socket in a temporary folder only."""
    # Not in pytest's own folders: they are closed to other users, and their names are too long for a socket.
    folder = Path(tempfile.mkdtemp(prefix="vigie-pg-"))
    programs, identity = _postgres_programs(folder), _unprivileged(folder)
    data = folder / "data"
    make = [programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
    subprocess.run([str(part) for part in make], check=True, capture_output=True, cwd=folder, **identity)
    serve = [programs / "postgres", "-D", data, "-h", "", "-k", folder, "-F"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([str(part) for part in serve], stdout=log, stderr=log, cwd=folder, **identity)
    address = f"postgresql://postgres@/postgres?host={folder}"
    try:
        _wait_for(address, server, folder / "log")
        yield address
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=LONGEST_SECONDS)
        shutil.rmtree(folder)


def _postgres_programs(folder: Path) -> Path:
    """Where PostgreSQL's programs lie; for root a copy that the unprivileged user can reach."""
    package = importlib.util.find_spec("pgserver")
    assert package is not None
    assert package.origin is not None
    site = Path(package.origin).parents[1]
    if os.geteuid() == 0:
        # The programs look for their libraries beside the package.
        for part in ("pgserver/pginstall", "pgserver.libs"):
            shutil.copytree(site / part, folder / part, symlinks=True)
        site = folder
    return site / "pgserver" / "pginstall" / "bin"


def _unprivileged(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: root's tests start it as ``nobody``."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server answers."""

    def answers() -> bool:
        assert server.poll() is None, log.read_text()
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError:
            return False
        return True

    wait_until(answers)


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """Address of a database of its own for one test."""
    name = f"vigie_{uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgres_server.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", "postgresql"])
def any_journal_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each kind of database in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'journal.sqlite'}"
    return str(request.getfixturevalue("postgres_url"))
