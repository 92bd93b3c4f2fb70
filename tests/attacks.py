"""Attacks tried and their outcomes, by kind: ``python -m tests.attacks [WORD]`` runs the tests that attack.

A case is a test; some try many inputs at once. With a word, such as ``tampering``, only the kinds that contain it are
tried. Under the outcomes stands what ``vigie verify`` says for each kind of tampering.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from core.settings import PROJECT

ATTACKS: Mapping[str, tuple[str, ...]] = {
    "logins, cookies, origins, sizes, over the wire": ("access/test_wire.py", "access/test_headers.py"),
    "the same with a real provider, and in a browser": ("access/test_provider.py", "access/test_login_in_browser.py"),
    "tokens, sessions, proxies, refusals": (
        "access/test_identity.py", "access/test_logins.py", "access/test_proxy.py", "access/test_audit.py",
    ),
    "roles by action": ("decisions/test_permissions.py",),
    "files that unfold, links, pipes, parsers that hang": ("ingest/test_intake.py",),
    "own files with macros, formulas, faults": ("ingest/test_own.py", "nightly/test_own.py"),
    "columns about persons": ("core/test_aggregates.py",),
    "terminal codes, live cells, texts in refusals": (
        "core/test_log.py", "core/test_table_files.py", "core/test_messages.py",
    ),
    "what `/healthz`, `status` and channels tell": ("decisions/test_health.py", "decisions/test_delivery.py"),
    "tampering with what was recorded": (
        "store/test_verify.py", "store/test_releases.py", "store/test_fits.py", "store/test_backtests.py",
    ),
    "own counts by citizenship": ("core/test_disclosure.py",),
    "services, images, packages": ("deploy/test_deploy.py", "test_requirements.py"),
}  # fmt: skip


def outcomes(report: Path) -> dict[str, Counter[str]]:
    """How many tests of each file passed, failed, erred or were skipped, by a report in JUnit's format."""
    found: dict[str, Counter[str]] = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):  # noqa: S314  # our own file
        name = case.attrib["file"].removeprefix("tests/")
        kinds = {part.tag for part in case} & {"failure", "error", "skipped"}
        found.setdefault(name, Counter())[min(kinds, default="passed")] += 1
    return found


def said(report: Path) -> list[tuple[str, str]]:
    """What tests recorded, by their order in a report: an attack, and the words that name it."""
    found = ElementTree.parse(report).getroot().iter("property")  # noqa: S314  # our own file
    return [(one.attrib["name"], one.attrib["value"]) for one in found]


def main() -> None:
    """Run and print; ends with pytest's status."""
    attacks = {attack: names for attack, names in ATTACKS.items() if " ".join(sys.argv[1:]) in attack}
    files = [f"tests/{name}" for names in attacks.values() for name in names]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        # Of JUnit's formats the first names each test's file.
        junit = ["-o", "junit_family=xunit1", f"--junitxml={report}"]
        command = [sys.executable, "-m", "pytest", "-q", *junit, *files]
        status = subprocess.run(command, cwd=PROJECT, check=False).returncode  # our own tests
        seen, named = outcomes(report), said(report)
    lines = [
        "| attacks | cases | held | did not | not run | by |",
        "|---|---|---|---|---|---|",
    ]
    for attack, names in attacks.items():
        found = sum((seen.get(name, Counter()) for name in names), Counter[str]())
        numbers = (found.total(), found["passed"], found["failure"] + found["error"], found["skipped"])
        by = ", ".join(f"`tests/{name}`" for name in names)
        lines.append(f"| {attack} | {' | '.join(f'{number:,}' for number in numbers)} | {by} |")
    if named:
        lines += ["", "| what was altered | what `vigie verify` says |", "|---|---|"]
        lines += [f"| {attack} | {words} |" for attack, words in named]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.exit(status)


if __name__ == "__main__":
    main()
