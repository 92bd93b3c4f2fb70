"""Live ingestion as a shell, cron or a timer meets it."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ingest.live.layouts import ONI
from tests.ingest.live.publisher import Publisher, Reply


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    server = Publisher()
    yield server
    server.close()


def vigie(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    command = [sys.executable, "-m", "cli", *arguments, "--home", str(home)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_live_figures_are_taken_replayed_and_failures_named(publisher: Publisher, tmp_path: Path) -> None:
    index = publisher.serve("/oni.txt", Reply(ONI))
    page = publisher.serve("/page", Reply(b"<html>nothing here</html>"))
    (tmp_path / "settings.toml").write_text(
        "[live]\nattempts = 1\n"
        f"[live.sources.noaa_enso.addresses]\nindex = '{index}'\n"
        f"[live.sources.fao_ffpi.addresses]\npage = '{page}'\n"
    )
    both = ("--source", "noaa_enso", "--source", "fao_ffpi")
    done = vigie(tmp_path, "ingest", "--live", *both)
    assert done.returncode == 3
    assert "noaa_enso: oni.txt read, 3 figures" in done.stdout
    assert "failed: fao_ffpi" in done.stderr
    assert "the page holds no link such as" in done.stderr
    assert vigie(tmp_path, "ingest", "--live", "--source", "fao_ffpi").returncode == 1
    publisher.close()
    again = vigie(tmp_path, "ingest", "--replay", dt.datetime.now(dt.UTC).date().isoformat())
    assert again.returncode == 0
    assert "noaa_enso: oni.txt read, 3 figures, 0 new" in again.stdout
    assert "Traceback" not in done.stderr + again.stderr
