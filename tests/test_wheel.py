"""The wheel works by itself: it is built, installed where the project's folder is out of reach, and run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import suppress
from email.parser import Parser
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.nights.bench import FEW
from core.settings import PROJECT
from ingest.sources import SOURCES

pytestmark = pytest.mark.slow
NOT_INSTALLED = {"benchmarks", "deploy", "docs", "requirements", "tests", "tools"}
ENVIRONMENT = {"HOME": str(Path.home()), "PATH": os.defpath}
"""As cron starts a program: hardly any."""
FEW_OF_ONE_ROUTE = f"""
{FEW}
pooled_model = false
exclude_sources = {sorted(SOURCES.keys() - {"uk_home_office"})}
"""
"""Settings of a night of one route with few origins and paths."""


def tracked() -> list[str]:
    """Return the names of the project's files."""
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.splitlines() if (PROJECT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the project's files."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in tracked():
        if name.partition("/")[0] not in NOT_INSTALLED - {"requirements"}:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, source / name)
    words = ["build", "--quiet", "--wheel", "--offline", "--no-build-isolation", "--python", sys.executable]
    subprocess.run([uv(), *words, "--out-dir", str(built), str(source)], check=True)
    return next(built.glob("*.whl"))


def uv() -> str:
    return str(Path(sys.executable).with_name("uv"))


def required(metadata: str) -> Iterator[str]:
    """Yield the installed distributions that metadata require, and those that they require.

    Raises:
        PackageNotFoundError: One is not installed.
    """
    waiting = [(Requirement(line), {""}) for line in Parser().parsestr(metadata).get_all("Requires-Dist") or []]
    seen: set[tuple[str, str]] = set()
    while waiting:
        one, extras = waiting.pop()
        if one.marker and not any(one.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        name, wanted = canonicalize_name(one.name), {"", *one.extras}
        new = wanted - {extra for seen_name, extra in seen if seen_name == name}
        if new:
            seen |= {(name, extra) for extra in new}
            waiting += [(Requirement(line), new) for line in distribution(name).requires or []]
            yield name


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the programs of an environment that holds the wheel and links to what its metadata require."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, symlinks=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    words = ["pip", "install", "--quiet", "--offline", "--no-deps", "--compile-bytecode", "--python"]
    subprocess.run([uv(), *words, str(environment / "bin" / "python"), str(wheel)], check=True)
    with ZipFile(wheel) as file:
        (name,) = (name for name in file.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = file.read(name).decode()
    for one in required(metadata):
        of_it = distribution(one)
        for top in {path.parts[0] for path in of_it.files or [] if path.parts[0] not in {"..", "__pycache__"}}:
            with suppress(FileExistsError):
                (packages / top).symlink_to(Path(str(of_it.locate_file(top))))
    return environment / "bin"


def run(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment in a folder; its home folder is ./var."""
    line = [str(installed / words[0]), *words[1:]]
    return subprocess.run(line, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def test_wheel_holds_every_file_of_its_packages(wheel: Path) -> None:
    with ZipFile(wheel) as file:
        names = set(file.namelist())
    expected = {name for name in tracked() if "/" in name and name.partition("/")[0] not in NOT_INSTALLED}
    assert {name for name in expected if not name.startswith(".")} - names == set()


@pytest.fixture(scope="module")
def demonstrated(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the home ``./var``, in which the installed command made a release of the bundled figures."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "var").mkdir()
    (folder / "var" / "settings.toml").write_text(FEW_OF_ONE_ROUTE)
    done = run(installed, folder, "vigie", "demonstrate", "--newest")
    assert done.returncode == 0, done.stderr
    return folder


def test_wheel_opens_its_release_with_its_own_modules(installed: Path, demonstrated: Path) -> None:
    program = (
        "import cli, core.settings, vigie; print(vigie.open_release('var').read('forecasts')['horizon'].max(), "
        "cli.__file__, core.settings.PROJECT, vigie.__file__)"
    )
    done = run(installed, demonstrated, "python", "-c", program)
    assert done.returncode == 0, done.stderr
    farthest, *paths = done.stdout.split()
    assert farthest == "12"
    assert all(Path(path).is_relative_to(installed.parent) for path in paths)


def test_wheel_makes_hub_from_its_templates(installed: Path, demonstrated: Path) -> None:
    done = run(installed, demonstrated, "vigie", "hub", "init", "hub")
    assert done.returncode == 0, done.stderr
    hub = demonstrated / "hub"
    made = {path.relative_to(hub).as_posix() for path in hub.rglob("*") if path.is_file()}
    assert {"README.md", "templates/submit.py", "hub-config/tasks.json"} <= made
