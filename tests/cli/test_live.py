"""Live ingestion as a shell, cron or a timer meets it."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from cli import EXIT_DEGRADED
from core.settings import PROJECT
from tests.cli.command_line import command
from tests.ingest.live.layouts import ONI
from tests.ingest.live.layouts_indicators import displacement_rows
from tests.ingest.live.publisher import Publisher, Reply

pytestmark = pytest.mark.slow

KEY = "n4me-that-opens-nothing"


def test_live_figures_are_taken_replayed_and_failures_named(publisher: Publisher, tmp_path: Path) -> None:
    index = publisher.serve("/oni.txt", Reply(ONI))
    page = publisher.serve("/page", Reply(b"<html>nothing here</html>"))
    (tmp_path / "settings.toml").write_text(
        "[live]\nattempts = 1\n"
        f"[live.sources.noaa_enso.addresses]\nindex = '{index}'\n"
        f"[live.sources.fao_ffpi.addresses]\npage = '{page}'\n"
    )
    vigie = partial(command, home=tmp_path)
    both = ("--source", "noaa_enso", "--source", "fao_ffpi")
    done = vigie("ingest", "--live", *both)
    assert done.returncode == 3
    assert "noaa_enso: oni.txt read, 3 figures" in done.stdout
    assert "error: fao_ffpi: " in done.stderr
    assert "the page holds no link such as" in done.stderr
    assert vigie("ingest", "--live", "--source", "fao_ffpi").returncode == 1
    publisher.close()
    again = vigie("ingest", "--replay", dt.datetime.now(dt.UTC).date().isoformat())
    assert again.returncode == 0
    assert "noaa_enso: oni.txt read, 3 figures, 0 new" in again.stdout
    assert "Traceback" not in done.stderr + again.stderr


def bare(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The installed command as cron starts it: hardly any environment, another folder, no terminal."""
    command = Path(sys.executable).parent / "vigie"
    if not command.is_file():
        pytest.skip("the command is not installed beside this Python")
    variables = {"HOME": str(home), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "VIGIE_HOME": str(home), **environment}
    given = [f"{name}={value}" for name, value in variables.items()]
    line = ["env", "-i", *given, str(command), *arguments]
    return subprocess.run(line, capture_output=True, text=True, cwd="/", stdin=subprocess.DEVNULL, check=False)


def test_cron_ingests_by_proxy_with_key(publisher: Publisher, tmp_path: Path) -> None:
    feed = json.dumps(displacement_rows()).encode()
    publisher.serve("/idus/", lambda asked: Reply(feed) if asked.values("client_id") == [KEY] else Reply(b"", 403))
    (tmp_path / "settings.toml").write_text(
        "[live]\nattempts = 1\n[live.sources.idmc.addresses]\nfeed = 'http://publisher.example/idus/'\n"
    )
    given = {"HTTP_PROXY": publisher.address, "IDMC_CLIENT_ID": KEY, "VIGIE_LOG_FORMAT": "json"}
    done = bare(tmp_path, "ingest", "--live", "--source", "idmc", **given)
    assert done.returncode == 0, done.stderr
    assert "known" in {json.loads(line)["event"] for line in done.stderr.splitlines()}
    assert publisher.asked[0].headers["host"] == "publisher.example"
    assert list((tmp_path / "raw" / "idmc").glob("*/*/visit.json"))
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert KEY not in done.stdout + done.stderr
    assert not any(KEY.encode() in content for content in written)


def unit(name: str) -> dict[str, dict[str, list[str]]]:
    """A systemd unit by section and key; a key may be given several times."""
    sections: dict[str, dict[str, list[str]]] = {}
    for line in (PROJECT / "deploy" / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            current.setdefault(key, []).append(value)
    return sections


def test_unit_starts_night_and_accepts_degraded() -> None:
    service, timer = unit("vigie-nightly.service")["Service"], unit("vigie-nightly.timer")["Timer"]
    command, *arguments = service["ExecStart"][0].split()
    assert (Path(command).name, arguments) == ("vigie", ["nightly", "--live"])
    assert service["SuccessExitStatus"] == [str(EXIT_DEGRADED)]
    assert any(entry.startswith("VIGIE_HOME=/var/lib/vigie ") for entry in service["Environment"])
    assert service["StateDirectory"] == ["vigie"]
    assert service["EnvironmentFile"] == ["-/etc/vigie/nightly.env"], "keys come from its own, and may be missing"
    assert re.fullmatch(r"\*-\*-\* \d\d:\d\d:\d\d", timer["OnCalendar"][0])
    assert timer["Persistent"] == ["true"]


def test_systemd_itself_finds_no_fault_with_units(tmp_path: Path) -> None:
    judge = shutil.which("systemd-analyze")
    if judge is None:
        pytest.skip("no systemd here to judge its units")
    for name in ("vigie-nightly.service", "vigie-nightly.timer"):
        text = (PROJECT / "deploy" / name).read_text(encoding="utf-8")
        # the command and the account exist where Vigie is installed, not here
        here = text.replace("/srv/vigie/.venv/bin/vigie", "/bin/true").replace("User=vigie", "User=root")
        (tmp_path / name).write_text(here.replace("WorkingDirectory=/srv/vigie", "WorkingDirectory=/"))
    units = [str(tmp_path / name) for name in ("vigie-nightly.service", "vigie-nightly.timer")]
    done = subprocess.run([judge, "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "vigie-nightly" in line]
    assert (done.returncode, ours) == (0, []), done.stderr
