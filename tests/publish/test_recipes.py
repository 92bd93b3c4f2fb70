"""The recipes of ``docs/interfaces.md`` read the release's figures, where their programs are installed."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from access.guard import guard_of
from core.settings import PROJECT
from publish import api
from store.export import export_bytes
from store.journal import Journal, journal_url
from store.releases import Release
from tests.dashboard.conftest import publish
from tests.servers import free_port, wait_until

TEXT = (PROJECT / "docs" / "interfaces.md").read_text(encoding="utf-8")


def recipe(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    return str(found)


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return publish(tmp_path)


@pytest.fixture
def medians(release: Release) -> list[float]:
    rows = release.read("forecasts").query(
        "series_id == 'arrivals.CMR._T._T.M' and model_id == 'vigie-ensemble' and output_type_id == 0.5"
    )
    return rows.sort_values("target_end_date")["value"].tolist()


@pytest.fixture
def exported(release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "forecasts.parquet").write_bytes(export_bytes(release, "forecasts", "parquet"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def address(release: Release, tmp_path: Path) -> Iterator[str]:
    """Address of a server with the interface of a home."""
    assert release
    journal, port = Journal(journal_url("", tmp_path)), free_port()
    served = api.application(guard_of(tmp_path, "127.0.0.1", port, lambda: journal))
    app = Starlette(routes=[Mount(api.PATH, served)])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()
    journal.close()


def values(text: str) -> list[float]:
    return pd.read_csv(io.StringIO(text), float_precision="round_trip")["value"].tolist()


def test_python_reads_the_release(address: str, medians: list[float]) -> None:
    program = recipe("python").replace("http://127.0.0.1:8501", address)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert values(done.stdout) == pytest.approx(medians, rel=1e-15, abs=0)


@pytest.mark.usefixtures("exported")
def test_duckdb_reads_the_release(medians: list[float]) -> None:
    with duckdb.connect() as connection:
        assert connection.sql(recipe("sql")).df()["value"].tolist() == medians


@pytest.mark.usefixtures("exported")
def test_r_reads_the_release(medians: list[float]) -> None:
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed")
    if subprocess.run(["Rscript", "-e", "library(arrow)"], capture_output=True, check=False).returncode:
        pytest.skip("R's package arrow is not installed")
    done = subprocess.run(["Rscript", "-e", recipe("r")], capture_output=True, text=True, check=True)
    assert values(done.stdout) == pytest.approx(medians, rel=1e-14)


def test_spreadsheets_address_returns_the_table(address: str, medians: list[float]) -> None:
    (asked,) = re.findall(r"with `http://127.0.0.1:8501(\S+)`", TEXT)
    found = pd.read_csv(f"{address}{asked}", float_precision="round_trip").query("output_type_id == 0.5")
    assert found["value"].tolist() == medians
