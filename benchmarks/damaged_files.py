"""Damage real files and see what parsers make of them: ``python -m benchmarks.damaged_files 5000 --write``.

Needs the published files, named by VIGIE_RAW_DATA; the answers of every source that can be asked are added in
miniature, in their documented layouts. Long text files are cut down to their header and last lines first: real lines,
quickly read. A parser may refuse a damaged file by the documented error, set rows aside, mark figures as estimated, or
give the very figures of the sound file. Anything else is counted as a crash or as a silent change, printed, and ends
with exit 1.

Two things no parser can notice in a single file: a figure replaced by another sound figure (no damage here does that),
and a table whose publisher left out a whole series or period (counted apart; the vintages show what is gone).

Damage is seeded: cut off, junk, spoilt cells, columns and fields moved, dropped or renamed, recoded. No damage puts
another sound figure or name in the place of one: that no parser can notice in a single file.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.shared import INGESTION, page_command, published_files
from core.errors import SourceError
from core.settings import LiveSettings
from ingest import Parsed, RawFile
from ingest.sources import SOURCES, live_sources

FILES = {
    "ecb": ("fx/eurofxref-hist.zip",),
    "eurostat": (
        "eurostat_asylum/georgeblck/migr_asyctzm_1_Data.csv",
        "eurostat_asylum/georgeblck/migr_asyappctzm_1_Data.csv",
        "eurostat_asylum/georgeblck/migr_asyappctzm__custom_39520_20201006_200227.tsv",
    ),
    "fao_ffpi": ("fao_ffpi/food_price_indices_data.csv",),
    "frontex": ("frontex_ibc/ibc.xlsx", "frontex_ibc/vintages_gdidata/frontex_2025-06-19.rda"),
    "idmc": ("idmc_monthly/Hist.csv",),
    "iom_dtm": ("iom_dtm/dtm_med.rda", "iom_dtm/dtm_med_nat.rda"),
    "iom_dtm_ehoa": ("iom_dtm_ehoa/dtm_ehoa_nat.rda",),
    "italy_interior": (
        "italy_interior_cruscotto/ondata/sbarchi-per-giorno.csv",
        "italy_interior_cruscotto/ondata/nazionalita.csv",
    ),
    "italy_reception": ("italy_interior_cruscotto/ondata/accoglienza.csv",),
    "missing_migrants": (
        "iom_missing_migrants/gdidata/iom_mmp.rda",
        "iom_missing_migrants/hdx_fixtures/2025-json.json",
    ),
    "noaa_enso": ("noaa_enso/oni.csv",),
    "panama_darien": ("panama_darien/irreg_darien_nat.rda",),
    "ucdp": ("ucdp_country_month/Hist.csv", "ucdp_country_month/ucdp_vintages_36m.csv.gz"),
    "uk_asylum_support": ("uk_asylum_support/support_received.rda",),
    "uk_home_office": (
        "uk_small_boats/home_office/12_December_2025_Small_boats_-_time_series.ods",
        "uk_small_boats/uk-migrant-data/daily_small_boats.csv",
        "uk_small_boats/humaniverse_asylum/irregular_migration.csv",
    ),
    "unhcr_odp": (
        "unhcr_odp_arrivals/med_migration/unhcr_arrivals_12_31.csv",
        "unhcr_odp_arrivals/spain_2017_2025/canary_analysis_data.csv",
    ),
    "us_border_patrol": ("us_border_patrol/KHSM_Encounters_USBP_fy25m11.xlsx",),
    "worldbank_pinksheet": ("worldbank_pinksheet/CMO-Historical-Data-Monthly.xlsx",),
}
"""Real files per source. A parquet file of quarterly sums is left out: no publisher's format, and without checksum."""
TITLE = "Damaged files"
REFUSED, ASIDE, SAME, ABSENT = "refused", "rows set aside", "same figures", "a whole series or period absent"
MARKED = "marked as estimated"
FAIR = frozenset({REFUSED, ASIDE, SAME, ABSENT, MARKED})
KEPT_LINES = 160
Figures = dict[tuple[str, str, str], float]


@dataclass(frozen=True)
class Sound:
    """A sound file and what is read from it.

    Attributes:
        source_id: Whose it is.
        raw: The file.
        separator: Between the cells of a text file; empty for a binary one and for JSON.
        figures: Every figure by series and period.
        rejected: How many rows are set aside of the sound file.
    """

    source_id: str
    raw: RawFile
    separator: bytes
    figures: Figures
    rejected: int


@dataclass
class Outcome:
    """Counts of a run, and its failures in words."""

    counts: Counter[str] = field(default_factory=Counter)
    by_source: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def sound_files(folder: Path) -> list[Sound]:
    """Read every file once, undamaged."""
    found = []
    for source_id, names in FILES.items():
        for name in names:
            raw, separator = _shortened(RawFile(Path(name).name, (folder / name).read_bytes()))
            parsed = SOURCES[source_id].parse(raw)
            found.append(Sound(source_id, raw, separator, figures_of(parsed), len(parsed.rejected)))
    return found


def documented_answers() -> list[Sound]:
    """Every answer of every source that can be asked, in miniature: the layouts that the tests of ingestion serve."""
    from tests.ingest.live import layouts, layouts_indicators, publisher  # noqa: PLC0415  # no part of what is installed

    server, quick = publisher.Publisher(), LiveSettings(first_wait_seconds=0)
    found = []
    with mock.patch.dict(os.environ, layouts_indicators.KEYS):
        for source_id, source in live_sources().items():
            for raw in source.download(layouts.pull(server, source_id, quick)):
                parsed = source.parse(raw)
                separator = b"," if raw.name.endswith(".csv") else b""
                separator = b";" if separator and b";" in raw.content else separator
                found.append(Sound(source_id, raw, separator, figures_of(parsed), len(parsed.rejected)))
    server.close()
    return found


def _shortened(raw: RawFile) -> tuple[RawFile, bytes]:
    if raw.name.endswith(".json"):
        return RawFile(raw.name, json.dumps(json.loads(raw.content)[:KEPT_LINES]).encode()), b""
    if not raw.name.endswith((".csv", ".tsv")):
        return raw, b""
    lines = raw.content.splitlines(keepends=True)
    if len(lines) > KEPT_LINES:
        lines = lines[:HEADER_LINES] + lines[HEADER_LINES - KEPT_LINES :]
    return RawFile(raw.name, b"".join(lines)), b"\t" if raw.name.endswith(".tsv") else b","


def figures_of(parsed: Parsed) -> Figures:
    """Every figure by series, period and date of knowledge."""
    columns = parsed.observations[["series_id", "time_period", "as_of", "obs_value"]]
    rows = columns.itertuples(index=False, name=None)
    return {(str(series), str(period), str(as_of)): float(value) for series, period, as_of, value in rows}


def fuzz(files: list[Sound], number: int, seed: int) -> Outcome:
    """Damage files ``number`` times.

    Args:
        files: Sound files.
        number: How often.
        seed: The same seed gives the same damage.
    """
    random_numbers = random.Random(seed)  # noqa: S311  # damage, not secrets
    outcome = Outcome()
    for _ in range(number):
        sound = random_numbers.choice(files)
        kind, damage = random_numbers.choice(list(damages(sound).items()))
        content = damage(random_numbers, sound.raw.content, sound.separator)
        result = judge(sound, content)
        outcome.counts[result] += 1
        outcome.by_source[sound.source_id] += 1
        if result not in FAIR:
            outcome.failures.append(f"{sound.source_id} {sound.raw.name}, {kind}: {result}")
    return outcome


def damages(sound: Sound) -> dict[str, Damage]:
    """The ways in which a file of its kind is damaged."""
    if sound.raw.content.lstrip()[:1] in (b"[", b"{"):
        return JSON_DAMAGE
    return TEXT_DAMAGE if sound.separator else BINARY_DAMAGE


def judge(sound: Sound, content: bytes) -> str:
    """What a parser makes of a damaged file, in two or three words."""
    try:
        parsed = SOURCES[sound.source_id].parse(RawFile(sound.raw.name, content))
    except SourceError:
        return REFUSED
    except Exception as error:  # whatever else a parser raises is what is looked for
        return f"crash: {type(error).__name__}: {str(error)[:80]}"
    figures = figures_of(parsed)
    if figures == sound.figures:
        return SAME
    if len(parsed.rejected) > sound.rejected:
        return ASIDE
    if _only_absent(figures, sound.figures):
        return ABSENT
    return MARKED if _all_marked(parsed, figures, sound.figures) else "silent change"


def _all_marked(parsed: Parsed, figures: Figures, sound: Figures) -> bool:
    """Whether every figure that is other than it was says of itself that it is estimated."""
    rows = parsed.observations[["series_id", "time_period", "as_of", "obs_flag"]].itertuples(index=False, name=None)
    estimated = {(str(series), str(period), str(as_of)) for series, period, as_of, flag in rows if flag == "e"}
    changed = {key for key in figures.keys() | sound.keys() if figures.get(key) != sound.get(key)}
    return changed <= estimated


def _only_absent(figures: Figures, sound: Figures) -> bool:
    """Whether figures differ only by whole series, or whole periods, that are not there."""
    if not figures.items() <= sound.items():
        return False
    gone = sound.keys() - figures.keys()
    series, periods = ({key[place] for key in figures} for place in (0, 1))
    return all(key[0] not in series for key in gone) or all(key[1] not in periods for key in gone)


def section(options: argparse.Namespace) -> tuple[list[str], bool]:
    """The section on a run in docs/research, and whether each change was fair."""
    files = [*sound_files(published_files()), *documented_answers()]
    number, seed = options.number, options.seed
    outcome = fuzz(files, number, seed)
    sources = len({file.source_id for file in files})
    sys.stdout.writelines(f"FAILED {failure}\n" for failure in outcome.failures)
    return [
        f"By `python -m benchmarks.damaged_files {number} {seed} --write`: {number:,} times one of {len(files)} sound",
        f"files of {sources} sources was cut off, filled with junk, given spoilt cells,",
        "its columns swapped, dropped or renamed, or coded otherwise.",
        "",
        "| outcome | files |",
        "|---|---|",
        *(f"| {result} | {count:,} |" for result, count in outcome.counts.most_common()),
        f"| crashed, or another total without a word | {len(outcome.failures)} |",
    ], not outcome.failures


if __name__ == "__main__":
    sys.exit(page_command(INGESTION, TITLE, section, changes=5000))


HEADER_LINES = 6
WRONG_CELLS = (b"-4", b"many", b"NaN", b"1e999", b"12;5", "∞".encode(), b"\xff\xfe", b"0[VALORE]0", b"#REF!")
WRONG_NUMBERS: tuple[Any, ...] = ("many", "12;5", "∞", [], {}, True, float("inf"))
WRONG_TEXTS: tuple[Any, ...] = ([], {}, [1, 2])
JUNK = (b"\x00", b"\xff", b'"', b"<html>", b"x", b"\r", b"\t\t", b",,", "é".encode(), b"\x1a", b"-")
Damage = Callable[[random.Random, bytes, bytes], bytes]


def _cut(numbers: random.Random, content: bytes, _: bytes) -> bytes:
    """Cut off somewhere inside a line."""
    end = numbers.randrange(1, len(content.rstrip()) - 1)
    while content[end - 1 : end] == b"\n":
        end -= 1
    return content[:end]


def _insert(numbers: random.Random, content: bytes, _: bytes) -> bytes:
    place, junk = numbers.randrange(len(content)), numbers.choice(JUNK)
    while junk == b"-" and content[place : place + 1].isdigit():
        # a minus before a figure that may be negative is another sound figure
        place = numbers.randrange(len(content))
    return content[:place] + junk * numbers.randint(1, 3) + content[place:]


def _overwrite(numbers: random.Random, content: bytes, _: bytes) -> bytes:
    place, length = numbers.randrange(len(content)), numbers.choice([1, 4, 60, 4000])
    noise = numbers.choice([b"\x00" * length, numbers.randbytes(length)])
    return content[:place] + noise + content[place + length :]


def _recode(numbers: random.Random, content: bytes, _: bytes) -> bytes:
    return content.decode("utf-8", "replace").encode(numbers.choice(["utf-16", "utf-32", "utf-16-le"]))


def _repeat_line(numbers: random.Random, content: bytes, _: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    place = numbers.randrange(1, len(lines) - 1)
    return b"".join([*lines[:place], lines[place], *lines[place:]])


def _spoil_cell(numbers: random.Random, content: bytes, separator: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    place = numbers.randrange(min(HEADER_LINES, len(lines) - 1), len(lines))
    cells = lines[place].rstrip(b"\r\n").split(separator)
    cells[numbers.randrange(len(cells))] = numbers.choice([wrong for wrong in WRONG_CELLS if separator not in wrong])
    lines[place] = separator.join(cells) + b"\n"
    return b"".join(lines)


def _rearrange(change: str, numbers: random.Random, content: bytes, separator: bytes) -> bytes:
    """Swap, drop or rename a column of the whole table, as a publisher might."""
    text = content.decode("utf-8", "surrogateescape")
    comma = separator.decode()
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=comma) if row]
    width = max(len(row) for row in rows)
    first, second = numbers.randrange(width), numbers.randrange(width)
    for number, row in enumerate(rows):
        if change == "rename" and number < HEADER_LINES and first < len(row) and not row[first][:1].isdigit():
            row[first] += "_new"
        elif change == "swap" and max(first, second) < len(row):
            row[first], row[second] = row[second], row[first]
        elif change == "drop" and first < len(row):
            del row[first]
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=comma, lineterminator="\n").writerows(rows)
    return written.getvalue().encode("utf-8", "surrogateescape")


def inside(document: Any) -> list[Any]:  # noqa: ANN401  # JSON can be anything
    """Every object and list of a document, itself included."""
    found, left = [], [document]
    while left:
        part = left.pop()
        if isinstance(part, dict | list) and part:
            found.append(part)
            left.extend(part.values() if isinstance(part, dict) else part)
    return found


def _spoil_value(numbers: random.Random, content: bytes, _: bytes) -> bytes:
    """Put what is no figure in the place of a figure, or what is no text in the place of a text."""
    document = json.loads(content)
    part = numbers.choice(inside(document))
    key = numbers.choice(list(part) if isinstance(part, dict) else range(len(part)))
    text = isinstance(part[key], str) and not part[key][:4].isdigit()
    part[key] = numbers.choice(WRONG_TEXTS if text else WRONG_NUMBERS)
    return json.dumps(document).encode()


def _rename_field(everywhere: bool, numbers: random.Random, content: bytes, _: bytes) -> bytes:  # noqa: FBT001  # bound by partial, never written at a call
    document = json.loads(content)
    objects = [part for part in inside(document) if isinstance(part, dict)]
    name = numbers.choice(list(numbers.choice(objects)))
    holders = [part for part in objects if name in part]
    for part in holders if everywhere else [numbers.choice(holders)]:
        part[f"{name}_new"] = part.pop(name)
    return json.dumps(document).encode()


def _repeat_row(numbers: random.Random, content: bytes, _: bytes) -> bytes:
    document = json.loads(content)
    lists = [part for part in inside(document) if isinstance(part, list) and isinstance(part[0], dict)]
    if not lists:
        return content
    rows = numbers.choice(lists)
    rows.insert(numbers.randrange(len(rows)), numbers.choice(rows))
    return json.dumps(document).encode()


def _shuffle_fields(numbers: random.Random, content: bytes, _: bytes) -> bytes:
    """The same document with its fields in another order: nothing may change."""
    document = json.loads(content)
    for part in inside(document):
        if isinstance(part, dict):
            names = list(part)
            numbers.shuffle(names)
            entries = {name: part[name] for name in names}
            part.clear()
            part.update(entries)
    return json.dumps(document).encode()


BINARY_DAMAGE: dict[str, Damage] = {"cut off": _cut, "junk inserted": _insert, "bytes overwritten": _overwrite}
TEXT_DAMAGE: dict[str, Damage] = {
    "cut off": _cut,
    "junk inserted": _insert,
    "another encoding": _recode,
    "a line repeated": _repeat_line,
    "a cell spoilt": _spoil_cell,
    "columns swapped": partial(_rearrange, "swap"),
    "a column dropped": partial(_rearrange, "drop"),
    "a column renamed": partial(_rearrange, "rename"),
}
JSON_DAMAGE: dict[str, Damage] = {
    "cut off": _cut,
    "junk inserted": _insert,
    "another encoding": _recode,
    "a value spoilt": _spoil_value,
    "a field renamed": partial(_rename_field, True),
    "a field renamed once": partial(_rename_field, False),
    "a row repeated": _repeat_row,
    "fields in another order": _shuffle_fields,
}
