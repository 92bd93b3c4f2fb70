"""Replace figures by other sound-looking ones; are they noticed? ``python -m benchmarks.altered_figures --write``.

Where :mod:`benchmarks.damaged_files` damages bytes, this changes meaning: units, years, labels, marks of thousands,
errors, rows, digits. A change is fair where the file is refused, rows are set aside, the edition is held or the
revision noted, no figure changes, or no yearly total moves by more than half a percent, the least that counts as usual
for a source. Needs the published files, named by VIGIE_RAW_DATA; long tables are cut down to a part of their rows.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import multiprocessing
import random
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd

from benchmarks.damaged_files import FILES, documented_answers
from benchmarks.shared import INGESTION, page_command, published_files
from core.errors import SourceError
from core.release import REVISIONS
from core.schema import ALL, NOT_APPLICABLE
from ingest import Parsed, RawFile
from ingest.plausibility import USUAL_LEAST, judge
from ingest.sources import CARDS, SOURCES

Grid = list[list[Any]]
Mutation = Callable[[random.Random, Grid], Grid]
READERS = ("read_rda", "read_sheet", "read_sheets")
TEXTS = (".csv", ".tsv", ".csv.gz", ".zip")
KEPT_ROWS, FEWEST_ROWS, KEPT_CELLS, HEAD = 120, 40, 3000, 8
FIGURES = ["series_id", "time_period", "obs_value"]
NO_REVISIONS = pd.DataFrame(columns=list(REVISIONS.columns))
REFUSED, ASIDE, HELD, REPORTED, SAME, SMALL = (
    "refused", "rows set aside", "held", "reported", "same figures", "below the usual",
)  # fmt: skip
SILENT = "silent change"
TITLE = "Changed figures"


@dataclass(frozen=True)
class Sound:
    """A file whose cells can be changed.

    Attributes:
        source_id: Whose it is.
        name: Its name.
        grid: Its cells, header first; texts of a text file, objects of a table read from a workbook or R file.
        read: Parses cells.
        known: What is known of the sound file.
        rejected: Rows set aside of it.
    """

    source_id: str
    name: str
    grid: Grid
    read: Callable[[Grid], Parsed]
    known: pd.DataFrame
    rejected: int

    @cached_property
    def totals(self) -> pd.Series:
        """Of what is known."""
        return totals(self.known)


@dataclass
class Outcome:
    """Counts by kind of mutation and result, and what went unnoticed."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_source: Counter[str] = field(default_factory=Counter)
    silent: list[str] = field(default_factory=list)


def sound_files(folder: Path) -> Iterator[Sound]:
    """Every file of :data:`benchmarks.damaged_files.FILES` whose cells can be reached."""
    for source_id, names in FILES.items():
        for name in names:
            raw = RawFile(Path(name).name, (folder / name).read_bytes())
            grid, read = cells_of(source_id, raw)
            yield sound(source_id, raw.name, grid, read)
    for answer in documented_answers():
        if answer.source_id not in FILES:
            yield sound(answer.source_id, answer.raw.name, *cells_of(answer.source_id, answer.raw))


def cells_of(source_id: str, raw: RawFile) -> tuple[Grid, Callable[[Grid], Parsed]]:
    """Cells of a file and what parses them."""
    if raw.name.endswith(".json"):
        return _records(source_id, raw)
    return text_cells(source_id, raw) if raw.name.endswith(TEXTS) else _table(source_id, raw)


def _records(source_id: str, raw: RawFile) -> tuple[Grid, Callable[[Grid], Parsed]]:
    """Cells of a list of objects, the largest in a JSON document."""
    lists = [("", json.loads(raw.content))]
    for path, value in lists:  # grows while it is walked
        children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        lists += [(f"{path}/{name}", child) for name, child in children]
    path, rows = max(
        ((path, one) for path, one in lists if isinstance(one, list) and all(isinstance(row, dict) for row in one)),
        key=lambda found: len(found[1]),
    )
    names = list(rows[0])

    def read(cells: Grid) -> Parsed:
        body = json.loads(raw.content)
        made = [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]
        place, parent, last = body, None, ""
        for last in path.split("/")[1:]:
            parent, place = place, place[int(last) if isinstance(place, list) else last]
        if parent is None:
            body = made
        else:
            parent[int(last) if isinstance(parent, list) else last] = made
        return SOURCES[source_id].parse(RawFile(raw.name, json.dumps(body).encode()))

    return [names, *([row.get(name) for name in names] for row in rows[:KEPT_ROWS])], read


def sound(source_id: str, name: str, grid: Grid, read: Callable[[Grid], Parsed]) -> Sound:
    """A sound file, read once."""
    parsed = read(grid)
    return Sound(source_id, name, grid, read, newest(parsed.observations), len(parsed.rejected))


def newest(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each cell the figure known last."""
    return rows.sort_values("as_of", kind="stable").drop_duplicates(["series_id", "time_period"], keep="last")


def text_cells(source_id: str, raw: RawFile) -> tuple[Grid, Callable[[Grid], Parsed]]:
    """Return the cells of a text file and the function that parses such cells."""
    separator = "\t" if raw.name.endswith(".tsv") else ","
    text = _unpacked(raw).decode("utf-8-sig")
    quoting: Any = csv.QUOTE_ALL if text.startswith('"') else csv.QUOTE_MINIMAL
    grid = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    ends = text.endswith("\n")

    def read(cells: Grid) -> Parsed:
        sink = io.StringIO(newline="")
        csv.writer(sink, delimiter=separator, lineterminator="\n", quoting=quoting).writerows(cells)
        written = sink.getvalue() if ends else sink.getvalue().rstrip("\n")
        return SOURCES[source_id].parse(RawFile(raw.name, _packed(raw, written.encode())))

    rows = max(FEWEST_ROWS, min(KEPT_ROWS, KEPT_CELLS // max(map(len, grid))))
    return grid[:HEAD] + grid[HEAD:][-rows:], read


def _unpacked(raw: RawFile) -> bytes:
    if raw.name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(raw.content)) as archive:
            return archive.read(archive.namelist()[0])
    return gzip.decompress(raw.content) if raw.name.endswith(".gz") else raw.content


def _packed(raw: RawFile, content: bytes) -> bytes:
    if raw.name.endswith(".zip"):
        sink = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(raw.content)) as archive, zipfile.ZipFile(sink, "w") as made:
            made.writestr(archive.namelist()[0], content)
        return sink.getvalue()
    return gzip.compress(content, 1) if raw.name.endswith(".gz") else content


def _table(source_id: str, raw: RawFile) -> tuple[Grid, Callable[[Grid], Parsed]]:
    """Cells of a workbook or R file, by way of the reader that the parser calls: unpacking takes seconds each time."""
    module: Any = SOURCES[source_id]
    seen: dict[tuple[str, str], Any] = {}

    def watch(name: str) -> Callable[..., Any]:
        real = getattr(module, name)

        def reader(*arguments: object, **options: object) -> object:
            return seen.setdefault((name, str(arguments[1])), real(*arguments, **options))

        return reader

    with ExitStack() as stack:
        for name in READERS:
            if hasattr(module, name):
                stack.enter_context(mock.patch.object(module, name, watch(name)))
        module.parse(raw)
    (name, of_what), found = next(iter(seen.items()))
    sheet = max(found, key=lambda one: found[one].size) if isinstance(found, dict) else None
    frame: pd.DataFrame = found if sheet is None else found[sheet]
    first = HEAD if name != "read_rda" else 0
    frame = pd.concat([frame.iloc[:first], frame.iloc[first:].tail(KEPT_ROWS)])
    head = [list(frame.columns)] if name == "read_rda" else []

    def read(cells: Grid) -> Parsed:
        rows = cells[len(head) :]
        columns = cells[0] if head else frame.columns
        changed = pd.DataFrame(rows, columns=columns, index=range(1, len(rows) + 1)).infer_objects()
        answer = changed if sheet is None else {**found, sheet: changed}

        def changed_reader(_raw: RawFile, what: object, *_arguments: object, **_options: object) -> object:
            return answer if str(what) == of_what else seen[name, str(what)]

        with mock.patch.object(module, name, changed_reader):
            parsed: Parsed = module.parse(RawFile(raw.name, b"as read"))
        return parsed

    return head + frame.astype(object).to_numpy().tolist(), read


def _number(cell: object) -> float | None:
    try:
        value = float(str(cell).replace(",", ""))
    except ValueError:
        return None
    return value if value == value else None  # noqa: PLR0124  # only NaN differs from itself


def _written(cell: object, value: float) -> object:
    whole = value == int(value)
    text = str(int(value)) if whole else f"{value:.10g}"
    return text if isinstance(cell, str) else (int(value) if whole else value)


def _figures(grid: Grid) -> list[tuple[int, int]]:
    """Places of cells that look like figures and are neither years nor part of a header."""
    return [
        (row, column)
        for row in range(1, len(grid))
        for column, cell in enumerate(grid[row])
        if not isinstance(cell, bool) and _is_figure(_number(cell))
    ]


def _is_figure(value: float | None) -> bool:
    return value is not None and abs(value) >= 10 and not 1900 <= value <= 2100  # a year


def _changed(grid: Grid, places: list[tuple[int, int]], change: Callable[[Any], Any]) -> Grid:
    copy = [list(row) for row in grid]
    for row, column in places:
        copy[row][column] = change(copy[row][column])
    return copy


def _one(numbers: random.Random, grid: Grid, change: Callable[[Any], Any]) -> Grid:
    places = _figures(grid)
    return _changed(grid, [numbers.choice(places)], change) if places else grid


def unit(numbers: random.Random, grid: Grid) -> Grid:
    """A column, or a part of it, in thousands or thousandths."""
    places = _figures(grid)
    if not places:
        return grid
    column = numbers.choice(places)[1]
    rows = [place for place in places if place[1] == column]
    begin = numbers.randrange(len(rows)) if numbers.random() < 0.5 else 0  # one in two
    times = numbers.choice([1000, 0.001, 100, 0.01])
    return _changed(grid, rows[begin:], lambda cell: _written(cell, round((_number(cell) or 0) * times, 6)))


def year(numbers: random.Random, grid: Grid) -> Grid:
    """A row's year, or a header's, is another, mostly one that the file has."""
    digits = [
        (row, column)
        for row in range(len(grid))
        for column, cell in enumerate(grid[row])
        if isinstance(cell, str) and any(f"20{tens}" in cell for tens in ("1", "2"))
    ]  # fmt: skip
    if not digits:
        return grid
    row, column = numbers.choice(digits)
    years = {found for at, place in digits for found in re.findall("20[12][0-9]", grid[at][place])}
    other = numbers.choice(sorted(years | {"2018", "2024"}))
    start = grid[row][column].find("20")
    return _changed(grid, [(row, column)], lambda cell: cell[:start] + other + cell[start + 4 :])


def labels(numbers: random.Random, grid: Grid) -> Grid:
    """Two labels of a column are exchanged throughout."""
    column = numbers.randrange(len(grid[0]))
    texts = sorted({str(row[column]) for row in grid[1:] if column < len(row) and _number(row[column]) is None})
    if len(texts) < 2:  # nothing to exchange
        return grid
    first, second = numbers.sample(texts, 2)
    swap = {first: second, second: first}
    rows = [[swap.get(str(cell), cell) if at == column else cell for at, cell in enumerate(row)] for row in grid[1:]]
    return [grid[0], *rows]


def headers(numbers: random.Random, grid: Grid) -> Grid:
    """Two cells of a header are exchanged: any two, whose columns may be those of two countries."""
    head = max(range(min(HEAD, len(grid))), key=lambda row: sum(_is_text(cell) for cell in grid[row]))
    named = [column for column, cell in enumerate(grid[head]) if _is_text(cell)]
    if len(named) < 2:  # nothing to exchange
        return grid
    one, other = numbers.sample(named, 2)
    copy = [list(row) for row in grid]
    copy[head][one], copy[head][other] = copy[head][other], copy[head][one]
    return copy


def _is_text(cell: object) -> bool:
    return isinstance(cell, str) and bool(cell.strip()) and _number(cell) is None


def thousands(numbers: random.Random, grid: Grid) -> Grid:
    """A figure gets a mark of thousands."""
    mark = numbers.choice([".", ",", " ", "'", "\u202f"])
    large = [at for at in _figures(grid) if abs(_number(grid[at[0]][at[1]]) or 0) >= 1000]  # thousands
    if not large:
        return grid
    return _changed(grid, [numbers.choice(large)], lambda cell: f"{int(_number(cell) or 0):,}".replace(",", mark))


def error(numbers: random.Random, grid: Grid) -> Grid:
    """A spreadsheet's error in a figure's place."""
    return _one(numbers, grid, lambda _cell: numbers.choice(["#REF!", "#N/A", "#VALUE!", "#DIV/0!", "=1+1"]))


def deleted(numbers: random.Random, grid: Grid) -> Grid:
    """Some following rows are gone."""
    row = numbers.randrange(1, len(grid))
    return grid[:row] + grid[row + numbers.choice([1, 1, 1, 5, 20]) :]


def repeated(numbers: random.Random, grid: Grid) -> Grid:
    """A row stands twice, once with another figure."""
    row = numbers.randrange(1, len(grid))
    copy = [*grid[: row + 1], list(grid[row]), *grid[row + 1 :]]
    figures = [column for at, column in _figures(copy) if at == row]
    if not figures:
        return copy
    return _changed(copy, [(row, numbers.choice(figures))], lambda cell: _written(cell, (_number(cell) or 0) * 2))


def digit(numbers: random.Random, grid: Grid) -> Grid:
    """One digit of a figure is another, missing, or doubled."""

    def change(cell: object) -> object:
        text = f"{_number(cell) or 0:.10g}"
        at = numbers.choice([place for place, sign in enumerate(text) if sign.isdigit()])
        damaged = text[:at] + numbers.choice([str(numbers.randrange(10)), "", text[at] * 2]) + text[at + 1 :]
        value = _number(damaged)
        return cell if value is None else _written(cell, value)

    return _one(numbers, grid, change)


def fraction(numbers: random.Random, grid: Grid) -> Grid:
    """A figure has a fraction."""
    return _one(numbers, grid, lambda cell: _written(cell, (_number(cell) or 0) + numbers.choice([0.5, 0.25, 0.1])))


def absurd(numbers: random.Random, grid: Grid) -> Grid:
    """A figure of no possible size."""
    return _one(numbers, grid, lambda cell: _written(cell, numbers.choice([999_999_999, (_number(cell) or 0) * 1e5])))


MUTATIONS: dict[str, Mutation] = {
    one.__name__: one
    for one in (unit, year, labels, headers, thousands, error, deleted, repeated, digit, fraction, absurd)
}  # fmt: skip


def result(sound_file: Sound, grid: Grid) -> str:
    """What becomes of a changed file, once the sound one is known."""
    if grid == sound_file.grid:  # no figure of the kind that is to be changed
        return SAME
    try:
        parsed = sound_file.read(grid)
    except SourceError:
        return REFUSED
    except Exception as fault:  # whatever else a parser raises is what is looked for
        return f"crash: {type(fault).__name__}: {str(fault)[:80]}"
    return _noticed(sound_file, parsed)


def _noticed(sound_file: Sound, parsed: Parsed) -> str:
    rows, known = newest(parsed.observations), sound_file.known
    if len(parsed.rejected) > sound_file.rejected:
        return ASIDE
    if rows[FIGURES].reset_index(drop=True).equals(known[FIGURES].reset_index(drop=True)):
        return SAME
    complete = CARDS[sound_file.source_id].complete_editions
    found = judge(rows, known, NO_REVISIONS, complete=complete)
    before, after = sound_file.totals, totals(_taken_in(rows, known, complete=complete))
    both = pd.concat([before, after], axis=1, keys=["before", "after"]).fillna(0.0)
    moved = (both["after"] - both["before"]).abs()
    usual = USUAL_LEAST * both["before"].abs().clip(lower=1)
    results = {
        HELD: bool(found.held),
        SAME: not (moved > 0).any(),
        REPORTED: bool(found.reported),
        SMALL: bool((moved <= usual).all()),
    }
    worst = both.loc[[moved.idxmax()]].reset_index().iloc[0].tolist()
    silent = f"{SILENT}: {worst}"
    return next((name for name, holds in results.items() if holds), silent)


def _taken_in(rows: pd.DataFrame, known: pd.DataFrame, *, complete: bool) -> pd.DataFrame:
    """What is known after the edition: its figures, and those that it says nothing of unless it re-sends everything."""
    if complete:
        known = known[known["time_period"] > rows["time_period"].max()]
    return pd.concat([known, rows]).drop_duplicates(["series_id", "time_period"], keep="last")


def totals(rows: pd.DataFrame) -> pd.Series:
    """Yearly totals by target, route and place."""
    whole = rows[rows["citizen"].isin([ALL, NOT_APPLICABLE])]
    whole = whole if len(whole) else rows
    keys = [whole["target"], whole["route_id"], whole["geo"], whole["freq"], whole["time_period"].str[:4]]
    return whole["obs_value"].groupby(keys).sum()


def mutate(files: list[Sound], number: int, seed: int) -> Outcome:
    """Change files ``number`` times, sources and kinds in turn.

    Args:
        files: Sound files.
        number: How often.
        seed: The same seed gives the same changes.
    """
    numbers = random.Random(seed)  # noqa: S311  # damage, not secrets
    outcome, kinds = Outcome(), list(MUTATIONS.items())
    for turn in range(number):
        one = files[turn % len(files)]
        kind, change = kinds[(turn // len(files)) % len(kinds)]
        found = result(one, change(numbers, one.grid))
        outcome.counts[kind, found.partition(":")[0]] += 1
        outcome.by_source[one.source_id] += 1
        if found.startswith((SILENT, "crash")):
            outcome.silent.append(f"{one.source_id} {one.name}, {kind}: {found}")
    return outcome


_FILES: list[Sound] = []
"""The sound files, for the processes that share the work."""


def _share(share: tuple[int, int, int]) -> Outcome:
    place, number, seed = share
    return mutate([_FILES[place]], number, seed + place)


def section(options: argparse.Namespace) -> tuple[list[str], bool]:
    """The section on a run in docs/research, and whether each change was fair."""
    _FILES[:] = sound_files(published_files())
    files, number, seed = _FILES, options.number, options.seed
    documented = len(files) - sum(map(len, FILES.values()))
    outcome = Outcome()
    shares = [(place, (number + place) // len(files), seed) for place in range(len(files))]
    with multiprocessing.get_context("fork").Pool() as pool:  # a file's cells and parser go to no other process
        for part in pool.imap(_share, shares, chunksize=1):
            outcome.counts.update(part.counts)
            outcome.by_source.update(part.by_source)
            outcome.silent += part.silent
    sys.stdout.writelines(f"UNNOTICED {line}\n" for line in outcome.silent)
    results = [SAME, REFUSED, ASIDE, REPORTED, HELD, SMALL]
    rows = {kind: [outcome.counts[kind, result] for result in results] for kind in MUTATIONS}
    unfair = Counter(kind for kind, result in outcome.counts.elements() if result not in results)
    rows["all"] = [sum(column) for column in zip(*rows.values(), strict=True)]
    unfair["all"] = unfair.total()
    return [
        f"By `python -m benchmarks.altered_figures {number} {seed} --write`: {number:,} times something in one of",
        f"{len(files)} files of {len(outcome.by_source)} sources was exchanged for something as sound-looking.",
        f"Rows of long files are cut down; {documented} files are miniatures of documented answers.",
        '"Same figures" also counts files without a cell of the kind to be changed.',
        "",
        f"| kind | {' | '.join(results)} | crashed, or silent |",
        f"|---|{'---|' * len(results)}---|",
        *(
            f"| {kind} | {' | '.join(f'{count:,}' for count in counts)} | {unfair[kind]} |"
            for kind, counts in rows.items()
        ),
    ], not outcome.silent


if __name__ == "__main__":
    sys.exit(page_command(INGESTION, TITLE, section, changes=20_000))
