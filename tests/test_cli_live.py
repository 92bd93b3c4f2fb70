"""Live ingestion as a shell, cron or a timer meets it."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Collection
from functools import partial
from pathlib import Path

import pytest

from commands import EXIT_DEGRADED
from core.settings import PROJECT
from ingest.sources import source_access
from tests.commands.command_line import command
from tests.conftest import FEW
from tests.ingest.live.layouts import ONI
from tests.ingest.live.layouts_indicators import displacement_rows
from tests.ingest.live.publisher import Publisher, Reply

pytestmark = pytest.mark.slow

KEY = "n4me-that-opens-nothing"
ALWAYS = {name for name, access in source_access().items() if access.asked == "always"}
EXCLUDED = {"eurostat", "iom_dtm", "italy_interior", "unhcr_odp"}
"""Sources left out of a night, so that one route is forecast."""


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


def test_cron_asks_a_publisher_with_next_to_no_environment(publisher: Publisher, tmp_path: Path) -> None:
    index = publisher.serve("/oni.txt", Reply(ONI))
    (tmp_path / "settings.toml").write_text(f"[live.sources.noaa_enso.addresses]\nindex = '{index}'\n")
    done = bare(tmp_path, "ingest", "--live", "--source", "noaa_enso", VIGIE_LOG_FORMAT="json")
    assert (done.returncode, "3 figures" in done.stdout) == (0, True), done.stderr
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert "known" in {event["event"] for event in events}
    assert list((tmp_path / "raw" / "noaa_enso").glob("*/*/visit.json"))


def test_a_proxy_and_a_key_reach_the_command_through_the_environment_alone(
    publisher: Publisher, tmp_path: Path
) -> None:
    feed = json.dumps(displacement_rows()).encode()
    publisher.serve("/idus/", lambda asked: Reply(feed) if asked.values("client_id") == [KEY] else Reply(b"", 403))
    (tmp_path / "settings.toml").write_text(
        "[live]\nattempts = 1\n[live.sources.idmc.addresses]\nfeed = 'http://publisher.example/idus/'\n"
    )
    ask = ("ingest", "--live", "--source", "idmc")
    done = bare(tmp_path, *ask, HTTP_PROXY=publisher.address, IDMC_CLIENT_ID=KEY)
    assert done.returncode == 0, done.stderr
    assert publisher.asked[0].headers["host"] == "publisher.example"
    without = bare(tmp_path, *ask, HTTP_PROXY=publisher.address)
    assert (without.returncode, len(publisher.asked)) == (1, 1)
    assert "needs a key: set IDMC_CLIENT_ID" in without.stderr
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for text in (done.stdout, done.stderr, without.stdout, without.stderr):
        assert KEY not in text
    assert not any(KEY.encode() in content for content in written)


def unreachable(home: Path, excluded: Collection[str] = ()) -> None:
    """Settings under which no publisher answers; without some sources one route is forecast, and soon."""
    lines = [FEW, "pooled_model = false", f"exclude_sources = {sorted(excluded)}", "[live]", "attempts = 1"]
    for source_id, access in source_access().items():
        lines += [f"[live.sources.{source_id}.addresses]"]
        lines += [f"{name} = 'http://127.0.0.1:9/{source_id}'" for name in access.addresses]
    (home / "settings.toml").write_text("\n".join(lines) + "\n")


@pytest.mark.night
def test_a_night_that_cron_starts_publishes_though_no_publisher_can_be_reached(tmp_path: Path) -> None:
    unreachable(tmp_path, EXCLUDED)
    done = bare(tmp_path, "nightly", "--live")
    assert done.returncode == 3, done.stderr
    assert "published" in done.stdout
    assert not re.search(r"^\{|Warning|WARNING|Traceback", done.stderr, re.MULTILINE)
    assert all(f"degraded: {name}: 127.0.0.1/{name}" in done.stdout for name in ALWAYS - EXCLUDED)
    # What was left out on purpose is no fault; the release itself names it.
    assert not any(f"degraded: {name}" in done.stdout for name in EXCLUDED)
    (manifest,) = (tmp_path / "releases").glob("*/manifest.json")
    assert json.loads(manifest.read_text())["settings"]["exclude_sources"] == sorted(EXCLUDED)
    assert bare(tmp_path, "verify").returncode == 0


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


def test_the_service_starts_the_very_command_and_takes_a_degraded_night_for_a_success() -> None:
    service, timer = unit("vigie-nightly.service")["Service"], unit("vigie-nightly.timer")["Timer"]
    command, *arguments = service["ExecStart"][0].split()
    assert (Path(command).name, arguments) == ("vigie", ["nightly", "--live"])
    assert service["SuccessExitStatus"] == [str(EXIT_DEGRADED)]
    assert any(entry.startswith("VIGIE_HOME=/var/lib/vigie ") for entry in service["Environment"])
    assert service["StateDirectory"] == ["vigie"]
    assert service["EnvironmentFile"] == ["-/etc/vigie/nightly.env"], "keys come from its own, and may be missing"
    assert re.fullmatch(r"\*-\*-\* \d\d:\d\d:\d\d", timer["OnCalendar"][0])
    assert timer["Persistent"] == ["true"]


def test_systemd_itself_finds_no_fault_with_the_units(tmp_path: Path) -> None:
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
