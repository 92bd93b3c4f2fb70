"""What is installed is what was pinned: every line by hash, every version as written, under a licence that fits."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.utils import canonicalize_name

from core.settings import PROJECT

FILES = [PROJECT / "requirements.txt", *sorted(PROJECT.glob("requirements/*.txt"))]
INSTALLED = ("requirements.txt", "requirements/dev.txt")
PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^\]]+\])?==(?P<version>[^\s;\\]+)(\s*;\s*(?P<marker>.+?))?\s*\\?")
HASH = re.compile(r"\s+--hash=sha256:[0-9a-f]{64}( \\)?")
ALLOWED = re.compile(
    r"\b(MIT(-CMU)?|(0|3-Clause )?BSD(-[23]-Clause)?|Apache(-2\.0)?|ISC|PSF-2\.0|Python Software Foundation|MPL(-2\.0)?"
    r"|Mozilla|Unlicense|CC0-1\.0|Zlib|LGPL(v3|-3\.0-only)?|Lesser General|HPND)\b",
    re.IGNORECASE,
)
"""Licences that let Vigie, which is MIT, use a library as it is."""


def pins(path: Path) -> dict[str, tuple[str, str]]:
    """Version and marker of each requirement."""
    found: dict[str, tuple[str, str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := PIN.fullmatch(line):
            found[canonicalize_name(match["name"])] = (match["version"], match["marker"] or "")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_requirement_is_exact_version_with_its_hashes(path: Path) -> None:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    heads = [place for place, line in enumerate(lines) if not line[0].isspace()]
    assert heads
    for place, following in zip(heads, [*heads[1:], len(lines)], strict=True):
        assert PIN.fullmatch(lines[place]), lines[place]
        assert following > place + 1, f"no hash: {lines[place]}"
        assert all(HASH.fullmatch(line) for line in lines[place + 1 : following]), lines[place]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_requirement_names_address_or_index(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|--trusted-host| @ |git\+", text)


@pytest.mark.parametrize("name", INSTALLED)
def test_what_is_installed_has_pinned_version(name: str) -> None:
    wrong = {}
    for package, (pinned, marker) in pins(PROJECT / name).items():
        if marker and not Marker(marker).evaluate():
            continue
        try:
            found = version(package)
        except PackageNotFoundError:
            found = "nothing"
        if found != pinned:
            wrong[package] = f"{pinned} is pinned, {found} is installed"
    assert wrong == {}


def test_every_library_has_licence_that_lets_us_use_it() -> None:
    unknown = {}
    for package, (_pinned, marker) in pins(PROJECT / "requirements.txt").items():
        if marker and not Marker(marker).evaluate():
            continue
        said = distribution(package).metadata
        classifiers = [text for text in said.get_all("Classifier") or [] if text.startswith("License")]
        names = ("License-Expression", "License")
        texts = [text[:300] for name in names for text in said.get_all(name) or []] + classifiers
        if not ALLOWED.search(" ".join(texts)):
            unknown[package] = texts
    assert unknown == {}


def test_providers_lockfile_pins_by_hash_and_names_no_registry() -> None:
    text = (PROJECT / "tests" / "access" / "provider" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    assert text.count('"integrity": "sha512-') == text.count('"node_modules/')
