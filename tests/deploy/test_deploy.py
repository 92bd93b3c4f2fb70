"""What stands under deploy/ names things that exist, and the tools it is for find no fault with it."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from cli.__main__ import app
from core.settings import PROJECT

DEPLOY = PROJECT / "deploy"
UNITS = sorted(path.name for path in [*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])


def check_command(words: Sequence[str]) -> None:
    """Parse a command of vigie as vigie itself does; nothing is run."""
    command: Any = typer.main.get_command(app)
    name, rest = "vigie", list(words)
    while rest and rest[0] in getattr(command, "commands", {}):
        name, *rest = rest
        command = command.commands[name]
    command.make_context(name, rest)


def instructions() -> list[tuple[str, str]]:
    """Instructions of the Dockerfile with their arguments; continued lines joined, comments left out."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    pairs = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [(word, rest) for word, _, rest in pairs]


def services() -> dict[str, dict[str, object]]:
    loaded = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return dict(loaded["services"])


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=["="])
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd is case-sensitive
    parser.read(DEPLOY / name, encoding="utf-8")
    return parser


def test_image_has_two_stages_and_plain_user() -> None:
    words = [word for word, _ in instructions()]
    assert set(words) <= {
        "ARG", "FROM", "ENV", "WORKDIR", "RUN", "COPY", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"
    }  # fmt: skip
    assert words.count("FROM") == 2
    assert re.fullmatch(r"BASE=python:3\.11-slim-bookworm@sha256:[0-9a-f]{64}", instructions()[0][1])
    last = dict(instructions())
    assert last["USER"] == "10001:10001"
    assert words.index("USER") > len(words) - 1 - words[::-1].index("RUN")


def test_image_holds_packages_and_no_secret() -> None:
    allowed = [line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for name in allowed:
        assert (PROJECT / name).exists(), name
    project = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    rooms = re.findall(r'"([a-z]+)\*"', re.search(r"include = \[(.*)\]", project).group(1))  # type: ignore[union-attr]  # it is there, or the test fails
    assert set(rooms) <= set(allowed)
    with_code = set(rooms) - {"data", "locale"}
    compiled = next(rest for word, rest in instructions() if word == "RUN" and "compileall" in rest)
    assert with_code <= set(compiled.split())
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert source == "." or source in allowed
    forbidden = {".env", "var", ".git", "tests", "secrets.env"}
    assert not any(fnmatch(name, one) for name in allowed for one in forbidden)


@pytest.mark.parametrize("name", sorted(services()))
def test_services_start_existing_commands(name: str) -> None:
    service = services()[name]
    if name == "journal":
        assert service["profiles"] == ["postgres"]
        return
    entrypoint, command = service.get("entrypoint", ["tini", "--", "vigie"]), service["command"]
    assert isinstance(entrypoint, list)
    assert isinstance(command, list)
    if entrypoint[-1] == "vigie" or "every.sh" in str(entrypoint):
        check_command(command)
    for word in entrypoint:
        if str(word).endswith(".sh"):
            script = DEPLOY / "container" / Path(word).name
            assert os.access(script, os.X_OK), script


def test_ports_open_to_loopback_without_rights() -> None:
    for service in services().values():
        for port in service.get("ports", []):  # type: ignore[attr-defined]  # a list of texts
            assert str(port).startswith("127.0.0.1:")
        assert "privileged" not in service
    assert services()["dashboard"]["cap_drop"] == ["ALL"]
    assert services()["dashboard"]["read_only"] is True


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_units_start_existing_commands_without_rights(name: str) -> None:
    service = unit(name)["Service"]
    path, *words = shlex.split(service["ExecStart"])
    assert path == "/srv/vigie/.venv/bin/vigie"
    check_command(words)
    assert service["NoNewPrivileges"] == "true"
    assert service["ProtectSystem"] == "strict"
    assert service["User"] == "vigie"


def install(root: Path, *words: str, programs: Path | None = None) -> str:
    """What the installer says; other programs stand before those of this machine."""
    line = ["sh", str(DEPLOY / "install.sh"), "--root", str(root), *words]
    path = os.pathsep.join([*([str(programs)] if programs else []), os.environ["PATH"]])
    done = subprocess.run(line, capture_output=True, text=True, check=True, env={**os.environ, "PATH": path})
    return done.stdout + done.stderr


def test_installer_adds_and_removes_everything(tmp_path: Path) -> None:
    printed = install(tmp_path, "--dry-run")
    assert "cp " in printed
    assert list(tmp_path.iterdir()) == []
    install(tmp_path)
    present = {path.name for path in (tmp_path / "etc" / "systemd" / "system").iterdir()}
    assert present == set(UNITS)
    files = {path.name: oct(path.stat().st_mode)[-3:] for path in (tmp_path / "etc/vigie").iterdir()}
    assert files == {f"{name}.env": "600" for name in ("backup", "dashboard", "deliver", "health", "nightly", "vigie")}
    assert (tmp_path / "var" / "backups" / "vigie").is_dir()
    (tmp_path / "etc/vigie/dashboard.env").write_text("TOKEN=kept")
    assert "Nothing to do" in install(tmp_path)
    install(tmp_path, "--uninstall")
    assert list((tmp_path / "etc" / "systemd" / "system").iterdir()) == []
    assert (tmp_path / "etc/vigie/dashboard.env").read_text() == "TOKEN=kept"
    assert (tmp_path / "var" / "lib" / "vigie").is_dir()


@pytest.mark.parametrize(("may", "printed"), [("exit 0", False), ("exit 1", True)])
def test_installer_says_where_service_user_may_not_run_program(tmp_path: Path, may: str, *, printed: bool) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    asked = programs / "asked"
    for name, text in {"id": "exit 0", "runuser": f'echo "$*" > {asked}; {may}'}.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    words = install(tmp_path / "root", programs=programs)
    assert ("The user vigie may not run the Python of .venv" in words) == printed
    assert asked.read_text().split()[:4] == ["-u", "vigie", "--", "test"]
    assert "may not run" not in install(tmp_path / "root", "--dry-run", programs=programs)


def test_proxies_bound_uploads_and_hide_metrics() -> None:
    nginx, caddy = ((DEPLOY / name).read_text(encoding="utf-8") for name in ("nginx.conf", "Caddyfile"))
    (kilobytes,) = re.findall(r"client_max_body_size (\d+)k;", nginx)
    assert f"max_size {kilobytes}KiB" in caddy
    for path in ("/metrics", "/_stcore/metrics", "/_stcore/agent/", "/healthz"):
        assert path in nginx
        assert path in caddy


def test_systemd_itself_finds_no_fault_with_any_unit(tmp_path: Path) -> None:
    judge = shutil.which("systemd-analyze")
    if judge is None:
        pytest.skip("no systemd here to judge its units")
    for name in UNITS:
        text = (DEPLOY / name).read_text(encoding="utf-8").replace("/srv/vigie/.venv/bin/vigie", "/bin/true")
        here = text.replace("User=vigie", "User=root").replace("WorkingDirectory=/srv/vigie", "WorkingDirectory=/")
        (tmp_path / name).write_text(here, encoding="utf-8")
    line = [judge, "verify", "--man=no", *(str(tmp_path / name) for name in UNITS)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, [one for one in done.stderr.splitlines() if "vigie" in one]) == (0, []), done.stderr


def test_every_cron_line_has_time_user_and_command_that_exists() -> None:
    lines = (DEPLOY / "vigie.cron").read_text(encoding="utf-8").splitlines()
    jobs = [line for line in lines if line and not line.startswith("#") and "=" not in line.split()[0]]
    assert len(jobs) == 3
    for line in jobs:
        fields = line.split(maxsplit=6)
        assert all(re.fullmatch(r"[\d*/,-]+", field) for field in fields[:5])
        assert fields[5] == "vigie"
        assert "%" not in line, "cron takes it for the end of the line"
        last = fields[6].rpartition("; ")[2]
        command = [word for word in shlex.split(last) if not word.startswith((">", "2>"))]
        assert command[0] == "vigie"
        check_command(command[1:])


def test_caddy_itself_finds_no_fault() -> None:
    judge = shutil.which("caddy")
    if judge is None:
        pytest.skip("no caddy here to judge the file")
    line = [judge, "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / "Caddyfile")]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_container_scheduler_runs_first_night_and_then_one_day(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    programs = {
        "vigie": f'echo "vigie $*" >> {calls}\ncase "$1" in status) exit 1;; *) exit 3;; esac\n',
        "sleep": f'echo "sleep $1" >> {calls}\nif [ $(grep -c sleep {calls}) -ge 2 ]; then kill -TERM $PPID; fi\n',
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}")
        (tmp_path / name).chmod(0o755)
    variables = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "VIGIE_NIGHT_AT": "04:15"}
    script = str(DEPLOY / "container" / "nights.sh")
    done = subprocess.run([script], env=variables, capture_output=True, text=True, timeout=600, check=False)
    printed = calls.read_text().splitlines()
    assert printed[:2] == ["vigie status", "vigie nightly --live"]
    assert 0 < int(printed[2].split()[1]) <= 86_400
    assert printed[3] == "vigie nightly --live"
    assert '"exit": 3' in done.stderr
    assert done.returncode == 0


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on the path")
@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_unit_can_reach_little(name: str) -> None:
    command = ["systemd-analyze", "security", "--offline=true", str(DEPLOY / name)]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False).stdout
    if not printed and os.geteuid():
        pytest.skip("systemd-analyze prints nothing for this user")
    found = re.search(r"exposure level for \S+: (\d+\.\d)", printed)
    assert found, printed
    assert float(found[1]) <= 2.0
    assert unit(name)["Service"]["UMask"] == "0077"


def test_version_is_same_in_all_files() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))
    changelog = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(\d[^]]*)\] - (\S+)$", changelog, re.MULTILINE)
    assert newest
    assert (newest[1], newest[2]) == (citation["version"], str(citation["date-released"]))
    assert project == citation["version"]
    assert services()["dashboard"]["image"] == f"vigie:{project}"
