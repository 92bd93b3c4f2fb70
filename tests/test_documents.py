"""Documented commands run, and documented names exist."""

from __future__ import annotations

import datetime as dt
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest

from core.routes import Corridor
from core.settings import PROJECT, Settings
from forecasting import ModelCard
from ingest import SourceCard
from ingest.own_mapping import mapping_of_text
from tests.cli.command_line import command
from tests.ingest.test_own import MAPPING
from tests.nightly.conftest import without_forecasting
from tests.receivers import http_server

DOCUMENTS = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"<!-- not run: (\S.*?) -->\s*\Z", re.DOTALL)
COMMAND = re.compile(
    r"^\s*(?:\$ )?(?:sudo -u vigie )?(?:\S*/)?(?:vigie [a-z]|make [a-z]|(?:ba)?sh |python3? -m )", re.MULTILINE
)
NOT_RUN = {"README.md": 2, "first_hour.md": 1, "operations.md": 1, "publishing.md": 1}
"""How many blocks of commands a document marks as not run: each says why."""

ROOMS = ("alerts", "cli", "core", "decisions", "forecasting", "nightly", "reports", "store")
OF_THE_SYSTEM = {"No space left on device", "Read-only file system", "file is not a database"}
"""What the machine and SQLite say, in their own words."""


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, in which language, and why its commands are not run, where they are not."""

    document: str
    line: int
    language: str
    text: str
    not_run: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def blocks(document: Path) -> Iterator[Block]:
    text = document.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        before = text[: found.start()]
        reason = MARK.search(before)
        yield Block(document.name, before.count("\n") + 1, found[2], found[3], reason[1] if reason else "")


BLOCKS = [block for document in DOCUMENTS for block in blocks(document)]
COMMANDS = [block for block in BLOCKS if block.language == "sh"]


@dataclass(frozen=True)
class Workshop:
    """Where commands are run, in the documents' order: a folder with a home and the files that they are given."""

    folder: Path
    signed: list[str] = field(default_factory=list)
    nights: set[str] = field(default_factory=set)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def run(self, line: str) -> Iterator[subprocess.CompletedProcess[str]]:
        """Run the commands of a line, one after the other."""
        words = shlex.split(line, comments=True)
        for step in " ".join(map(shlex.quote, words)).split(" '&&' "):
            name, *given = [self._given(word, words) for word in shlex.split(step.removeprefix("sudo -u vigie "))]
            assert Path(name).name == "vigie", f"{line}: mark it as not run, and say why"
            if given[:1] == ["nightly"]:  # the night of an earlier block serves a later one too
                if " ".join(given) in self.nights:
                    continue
                self.nights.add(" ".join(given))
            yield command(*given, home=self.home)

    def _given(self, word: str, words: list[str]) -> str:
        """What a person would write in a word's place."""
        places = {
            "/var/lib/vigie": str(self.home),
            "$(date -u -d yesterday +%F)": f"{dt.datetime.now(dt.UTC) - dt.timedelta(days=1):%F}",
        }
        if word == "ID":
            return self._waiting() if "outbox" in words else self._alert(is_new="sign-off" in words)
        if word == "N":
            output = command("alerts", "history", self._alert(), home=self.home).stdout
            return next(row for row in output.splitlines() if "dissent" in row).split()[0]
        if word.startswith(("/var/backups", "/srv/new-home", "/tmp/drill")):  # noqa: S108  # a document's words
            return str(self.folder / Path(word).name)
        return places.get(word, word)

    def _alert(self, *, is_new: bool = False) -> str:
        """The alert that is being decided on, or the next one."""
        if is_new:
            listed = json.loads(command("alerts", "--json", home=self.home).stdout)
            self.signed.append(
                next(
                    row["alert_id"]
                    for row in listed
                    if row["status"] == "proposed" and row["alert_level"] != "information"
                )
            )
        return self.signed[-1]

    def _waiting(self) -> str:
        return str(json.loads(command("outbox", "--json", home=self.home).stdout)[0]["message_id"])


@pytest.fixture(scope="module")
def workshop(first_night: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """A home with a release and a subscriber who cannot be reached, and the files that the documents name."""
    made = Workshop(tmp_path_factory.mktemp("workshop"))
    shutil.copytree(first_night, made.home)
    months = [f"{month}" for month in pd.period_range("2019-01", "2024-12", freq="M")]
    counts = pd.DataFrame({"Month": months, "Persons": [100 + 7 * (number % 12) for number in range(len(months))]})
    counts.to_excel(made.folder / "arrivals.xlsx", index=False)
    (made.folder / "arrivals.toml").write_text(MAPPING, encoding="utf-8")
    panel = counts.set_axis(["time_period", "value"], axis=1).assign(series_id="a")
    panel.to_csv(made.folder / "mine.csv", index=False)
    with http_server() as closed, without_forecasting(made.home), pytest.MonkeyPatch.context() as patch:
        closed.status = lambda _number: 503
        settings = made.home / "settings.toml"
        settings.write_text(f"{settings.read_text()}\n{SUBSCRIBER.format(url=closed.url)}", encoding="utf-8")
        patch.chdir(made.folder)
        patch.setattr("cli.hub.MONTHS_OF_VINTAGES", 2)  # each is put together anew
        yield made


PUBLISHED = {
    "Small_boats_-_time_series.ods": "uk_small_boats/home_office/12_December_2025_Small_boats_-_time_series.ods",
    "Monthly_detections_of_IBC.xlsx": "frontex_ibc/ibc.xlsx",
}
"""Files that the documents hand over, among those that publishers published."""
SUBSCRIBER = """
dashboard_url = "https://vigie.example.org"
[delivery]
replays = true
[delivery.channels.system]
kind = "webhook"
url = "{url}"
[[delivery.subscriptions]]
name = "system"
channel = "system"
"""


@pytest.mark.night
@pytest.mark.parametrize("block", [one for one in COMMANDS if not one.not_run], ids=str)
def test_every_block_of_commands_runs_as_it_stands(
    workshop: Workshop, block: Block, request: pytest.FixtureRequest
) -> None:
    for name, published in PUBLISHED.items():
        if name in block.text:
            shutil.copyfile(request.getfixturevalue("raw_data") / published, workshop.folder / name)
    for line in filter(None, map(str.strip, block.text.splitlines())):
        for done in workshop.run(line):
            output = f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
            assert done.returncode in ([1] if "# refused" in line else [0, 3]), output
            assert done.stdout or done.stderr, output


def test_commands_stand_in_blocks_that_are_run_or_say_why_not() -> None:
    for document in DOCUMENTS:
        outside = BLOCK.sub("", document.read_text(encoding="utf-8"))
        assert not [line for line in outside.splitlines() if line.startswith("    ") and COMMAND.match(line)], document
    assert [str(block) for block in BLOCKS if block.language != "sh" and COMMAND.search(block.text)] == []
    not_run = [block.document for block in COMMANDS if block.not_run]
    assert {name: not_run.count(name) for name in not_run} == NOT_RUN
    assert len(COMMANDS) - len(not_run) >= 15


def test_what_table_of_faults_says_is_seen_is_what_vigie_says() -> None:
    text = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (.+?) \| ", text.partition("## When something breaks")[2].partition("\n## ")[0], re.MULTILINE
    )
    quoted = [part.strip(" …") for row in rows for span in re.findall(r"`([^`]+)`", row) for part in span.split("…")]
    said = "\n".join(path.read_text(encoding="utf-8") for room in ROOMS for path in (PROJECT / room).rglob("*.py"))
    messages = [re.sub(r"^\S*: | N$", "", one) for one in quoted if " " in one.strip()]
    assert len(messages) >= 10
    assert [one for one in messages if one not in said and one not in OF_THE_SYSTEM] == []


@pytest.mark.parametrize("block", [one for one in BLOCKS if one.language == "toml"], ids=str)
def test_documented_settings_are_valid(block: Block) -> None:
    values = tomllib.loads(block.text)
    if "weaknesses" in values:
        assert ModelCard(**values)
    elif "source" in values:
        mapping_of_text(block.text, "own.toml")
    elif "citation" in values:
        assert values.pop("intake")
        assert SourceCard(source_id="shown", **values)
    elif "names" in values:
        assert Corridor.model_validate(values)
    else:
        assert Settings(**values)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_targets_modules_and_files_that_document_names_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w/.-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    asked = re.findall(r"(?:^|[`(&;] ?)make (?:-C \S+ )?([a-z][\w/.-]*)", text, re.MULTILINE)
    assert {name.rstrip(".") for name in asked} <= targets
    modules = set(re.findall(r"python3? -m ([\w.]+)", text)) - {"pip", "venv"}
    assert [name for name in modules if not list(PROJECT.glob(f"{name.replace('.', '/')}*"))] == []
    folders = "access|alerts|cli|core|data|decisions|deploy|docs|forecasting|hub|ingest|nightly|reports|store|tests"
    named = set(re.findall(rf"`((?:{folders})/[\w/.-]+\.\w+)`", text))
    new = {"extending.md", "publishing.md"}  # they name files that a reader or `vigie site build` writes
    assert document.name in new or [name for name in named if not (PROJECT / name).exists()] == []
    code = " ".join(path.as_posix() for room in ("*.py", "[a-z]*/**/*.py") for path in PROJECT.glob(room)) + " "
    in_rooms = set(re.findall(r"`([\w/]+\.py)`", text))
    assert document.name in new or [name for name in in_rooms if f"/{name} " not in code] == []
