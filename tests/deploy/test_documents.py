"""Every command that a document tells people to type exists, with the options that it is given."""

from __future__ import annotations

import functools
import importlib.metadata
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from cli import app
from core.settings import PROJECT

DOCUMENTS = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
COMMAND = re.compile(r"^(?:\s{4,}|\s*)(?:\$ )?(?:[A-Z_]+=\S+ )*(?:sudo -u vigie )?(?:\S*/)?vigie ([a-z].*)$")
END = re.compile(r"\s+#.*$|\s*(?:&&|\|\|?|;|2?>>?).*$|\s{2,}.*$")


def commands(document: Path) -> Iterator[str]:
    """Lines of code blocks, fenced or indented, that call vigie, without what follows in the shell."""
    fenced, text = False, document.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif (fenced or line.startswith("    ")) and (found := COMMAND.match(line)):
            yield END.sub("", found.group(1)).strip()


@functools.cache
def whole_command() -> Any:  # noqa: ANN401  # typer carries a copy of click, whose types it does not publish
    """The command with all that is below it; making it takes longer than asking it."""
    return typer.main.get_command(app)


CASES = [(document.name, line) for document in DOCUMENTS for line in dict.fromkeys(commands(document))]


def test_documents_hold_commands() -> None:
    assert len(CASES) > 20


@pytest.mark.parametrize(("document", "line"), CASES)
def test_a_command_in_a_document_is_one_of_vigie_with_options_that_it_has(document: str, line: str) -> None:
    command: Any = whole_command()
    words = [word for word in shlex.split(line) if word != "…"]
    while hasattr(command, "commands") and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    given = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert given <= known | {"--help"}, document
    if hasattr(command, "commands"):
        alone = getattr(command, "invoke_without_command", False)
        assert not words or words[0].startswith("-") or alone, f"{document}: {line}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_targets_modules_and_files_that_a_document_names_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w/.-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    asked = re.findall(r"(?:^|[`(&;] ?)make (?:-C \S+ )?([a-z][\w/.-]*)", text, re.MULTILINE)
    assert {name.rstrip(".") for name in asked} <= targets
    modules = set(re.findall(r"python3? -m ([\w.]+)", text)) - {"pip", "venv"}
    assert [name for name in modules if not list(PROJECT.glob(f"{name.replace('.', '/')}*"))] == []
    folders = "access|alerts|core|data|deploy|docs|forecasting|hub|ingest|nightly|reports|store|tests|workflow"
    named = set(re.findall(rf"`((?:{folders})/[\w/.-]+\.\w+)`", text))
    new = {"extending.md"}  # it names files that its reader will write; tests/test_extending.py writes them
    assert document.name in new or [name for name in named if not (PROJECT / name).exists()] == []


def test_the_bill_of_materials_names_every_pinned_package_as_installed_with_its_hashes() -> None:
    script = PROJECT / "deploy" / "bill_of_materials.py"
    bill = json.loads(subprocess.run([sys.executable, str(script)], check=True, capture_output=True, text=True).stdout)
    pins = re.findall(r"^([\w.-]+)==", (PROJECT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert [one["name"] for one in bill["components"]] == pins
    assert all(one["hashes"] for one in bill["components"])
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert len({one["bom-ref"] for one in bill["components"]}) == len(pins)
    installed = {re.sub(r"[-_.]+", "-", one.name).lower(): one.version for one in importlib.metadata.distributions()}
    pinned = {(one["name"], one["version"]) for one in bill["components"]}  # some differ by Python's version
    assert [name for name in set(pins) & set(installed) if (name, installed[name]) not in pinned] == []
    assert bill["metadata"]["component"]["version"] == installed["vigie"]
