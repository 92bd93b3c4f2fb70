"""Every fault that was met or must be feared, put in the place of an answer of every source that can be asked."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.errors import SourceError
from core.settings import LiveSettings
from ingest import Pull
from ingest.sources import live_sources
from tests.faults.damage import inside
from tests.faults.files import ABSENT, ASIDE, REFUSED, SAME, Sound, documented_answers, figures_of, judge
from tests.ingest.live.layouts import LAYOUTS, pull, whole_visit
from tests.ingest.live.publisher import Answerer, Publisher, Reply

pytestmark = pytest.mark.slow

NAMES = list(live_sources())
EACH = pytest.mark.parametrize("source_id", NAMES)
Figures = dict[tuple[str, str, str], float]


def figures(visit: Pull) -> Figures:
    source = live_sources()[visit.access.source_id]
    found: Figures = {}
    for raw in whole_visit(source, visit):
        found |= figures_of(source.parse(raw))
    return found


@pytest.fixture(scope="module")
def sound() -> dict[str, tuple[Figures, str]]:
    """What each source gives, and the address that is asked last: the newest figures, or the file behind a page."""
    found = {}
    for source_id in NAMES:
        server = Publisher()
        found[source_id] = (figures(pull(server, source_id, LiveSettings(first_wait_seconds=0))), server.asked[-1].path)
        server.close()
    return found


def with_fault(
    publisher: Publisher, source_id: str, quick: LiveSettings, path: str, *replies: Reply | Answerer
) -> Pull:
    """A visit to a source that answers everything soundly but for one address."""
    visit = pull(publisher, source_id, quick)
    publisher.serve(path, *replies)
    return visit


Sounds = dict[str, tuple[Figures, str]]


def answers_of(publisher: Publisher, source_id: str, path: str) -> Answerer:
    """What the sound publisher answers at an address."""
    LAYOUTS[source_id](publisher)
    return publisher.answer_at(path)


FINAL: dict[str, Reply] = {
    "410": Reply(b"gone", 410),
    "500 for ever": Reply(b"broken", 500),
    "an answer cut off": Reply(b'[{"a": 1', announced=90_000),
    "nothing": Reply(b""),
}
"""One of each kind; tests/ingest/live/test_client.py has them all, for every source asks by that client."""


@EACH
@pytest.mark.parametrize("fault", list(FINAL))
def test_lasting_fault_names_the_address(
    source_id: str, fault: str, publisher: Publisher, quick: LiveSettings, sound: Sounds
) -> None:
    _, path = sound[source_id]
    with pytest.raises(SourceError) as error:
        figures(with_fault(publisher, source_id, quick, path, FINAL[fault]))
    assert path in str(error.value)


@EACH
def test_passing_fault_changes_no_figure(
    source_id: str, publisher: Publisher, quick: LiveSettings, sound: Sounds
) -> None:
    found, path = sound[source_id]
    visit = pull(publisher, source_id, quick)
    publisher.serve(path, Reply(b"", 503), answers_of(publisher, source_id, path))
    assert figures(visit) == found


@EACH
@pytest.mark.parametrize("status", [404, 413])
def test_a_refusal_that_some_expect_is_an_error_or_leaves_whole_periods_unpublished(
    source_id: str, status: int, publisher: Publisher, quick: LiveSettings, sound: Sounds
) -> None:
    found, path = sound[source_id]
    try:
        left = figures(with_fault(publisher, source_id, quick, path, Reply(b"{}", status)))
    except SourceError:
        return
    assert (source_id, status) == ("ucdp", 404)
    assert left.items() <= found.items()


@EACH
def test_a_redirect_to_a_maintenance_host_is_never_taken_for_figures(
    source_id: str, publisher: Publisher, quick: LiveSettings, sound: Sounds
) -> None:
    _, path = sound[source_id]
    publisher.serve("/sorry", Reply(b"<!doctype html><title>Sorry</title>"))
    away = Reply(b"", 302, {"Location": f"{publisher.foreign}/sorry"})
    visit = with_fault(publisher, source_id, quick, path, away)
    with pytest.raises(SourceError):
        figures(visit)
    followed = any(asked.path == "/sorry" for asked in publisher.asked)
    assert followed == ("localhost" in visit.access.allowed_hosts)


# --- layouts that changed, file by file


@pytest.fixture(scope="module")
def answers() -> list[Sound]:
    return documented_answers()


def reversed_columns(content: bytes, separator: bytes) -> bytes:
    rows = [line.split(separator) for line in content.rstrip(b"\n").split(b"\n")]
    return b"\n".join(separator.join(reversed(row)) for row in rows) + b"\n"


def reversed_fields(content: bytes) -> bytes:
    """Fields in reverse, and a cube's dimensions too, with every value where it then belongs."""
    document = json.loads(content)
    for part in inside(document):
        if isinstance(part, dict) and {"id", "size", "value"} <= set(part):
            transpose(part)
        if isinstance(part, dict):
            entries = dict(reversed(part.items()))
            part.clear()
            part.update(entries)
    return json.dumps(document).encode()


def transpose(cube: dict[str, Any]) -> None:
    shape = tuple(cube["size"])
    moved = {}
    for place, value in cube["value"].items():
        cell = np.unravel_index(int(place), shape)
        moved[str(np.ravel_multi_index(cell[::-1], shape[::-1]))] = value
    cube.update({"id": cube["id"][::-1], "size": list(shape[::-1]), "value": moved})


def reversed_workbook(content: bytes, engine: Any) -> bytes:  # noqa: ANN401  # the library's own type of names
    sheets = pd.read_excel(io.BytesIO(content), sheet_name=None, header=None, engine=engine)
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine=engine) as writer:
        for name, frame in sheets.items():
            frame[frame.columns[::-1]].to_excel(writer, sheet_name=name, header=False, index=False)
    return buffer.getvalue()


def reversed_zip(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(name, reversed_columns(old.read(name), b","))
    return buffer.getvalue()


def reordered(answer: Sound) -> bytes:
    name, content = answer.raw.name, answer.raw.content
    if content[:1] in (b"[", b"{"):
        return reversed_fields(content)
    if name.endswith((".xlsx", ".ods")):
        return reversed_workbook(content, "odf" if name.endswith(".ods") else "openpyxl")
    if name.endswith(".zip"):
        return reversed_zip(content)
    if name.endswith(".txt"):
        lines = content.decode().splitlines()
        return "".join("  ".join(reversed(line.split())) + "\n" for line in lines).encode()
    return reversed_columns(content, answer.separator)


def test_columns_in_another_order_give_the_same_figures_or_are_refused(answers: list[Sound]) -> None:
    results = {f"{answer.source_id} {answer.raw.name}": judge(answer, reordered(answer)) for answer in answers}
    assert set(results.values()) <= {SAME, REFUSED}, results
    # a table without a header, or one whose columns stand for themselves by their place
    assert {name.split()[0] for name, result in results.items() if result == REFUSED} <= {
        "frontex", "noaa_enso", "fao_ffpi", "worldbank_pinksheet", "missing_migrants",
    }  # fmt: skip


def columns_of(answer: Sound) -> set[str]:
    """Names of the columns or fields of a file; none of a workbook or an archive."""
    content = answer.raw.content
    if content[:1] in (b"[", b"{"):
        parts = [part for part in inside(json.loads(content)) if isinstance(part, dict)]
        return {name for part in parts for name in part if not name.isdigit()}
    header = content.partition(b"\n")[0]
    return {cell.decode() for cell in header.split(answer.separator) if cell.strip()} if answer.separator else set()


def renamed(answer: Sound, column: str) -> bytes:
    """The file with one of its columns or fields renamed."""
    content = answer.raw.content
    if content[:1] in (b"[", b"{"):
        return renamed_field(content, column)
    header, _, rest = content.partition(b"\n")
    cells = [cell + b"_new" * (cell == column.encode()) for cell in header.split(answer.separator)]
    return answer.separator.join(cells) + b"\n" + rest


def renamed_field(content: bytes, name: str) -> bytes:
    document = json.loads(content)
    for part in inside(document):
        if isinstance(part, dict) and name in part:
            part[f"{name}_new"] = part.pop(name)
    return json.dumps(document).encode()


def test_a_renamed_dimension_is_refused_or_was_never_read(answers: list[Sound]) -> None:
    tried: set[tuple[str, str]] = set()
    for answer in answers:
        for name in columns_of(answer):
            if (answer.source_id, name) in tried:
                continue
            result = judge(answer, renamed(answer, name))
            assert result in {REFUSED, SAME, ASIDE, ABSENT}, (answer.source_id, answer.raw.name, name, result)
            tried.add((answer.source_id, name))
    assert len(tried) > 100


def emptied(answer: Sound) -> bytes | None:
    """A whole layout without a single figure; None where it is a workbook or an archive."""
    content = answer.raw.content
    if content[:1] in (b"[", b"{"):
        document = json.loads(content)
        for part in inside(document):
            if isinstance(part, dict) and "value" in part and isinstance(part["value"], dict):
                part["value"] = {}
            for name in list(part) if isinstance(part, dict) else []:
                if isinstance(part[name], list) and part[name] and isinstance(part[name][0], dict):
                    part[name] = []
        return json.dumps([] if isinstance(document, list) and "version" not in document[0] else document).encode()
    if answer.raw.name.endswith((".xlsx", ".ods", ".zip")):
        return None
    titles = 3 if answer.source_id == "fao_ffpi" else 1
    return b"".join(content.splitlines(keepends=True)[:titles])


def test_an_empty_set_of_values_is_refused(answers: list[Sound]) -> None:
    tried: set[str] = set()
    for answer in answers:
        content = emptied(answer)
        if content is not None:
            assert judge(answer, content) == REFUSED, (answer.source_id, answer.raw.name)
            tried.add(answer.source_id)
    assert set(NAMES) - tried == {"ecb", "frontex", "uk_home_office", "worldbank_pinksheet"}
