"""Damage real files in seeded ways and see what the parsers make of them: ``python -m benchmarks.fuzz 5000``.

Needs the published files, named by VIGIE_RAW_DATA. Long text files are cut down to their header and last lines first:
real lines, quickly read. A parser may refuse a damaged file by the documented error, set rows aside, or give the very
figures of the sound file. Anything else is counted as a crash or as a silent change, printed, and ends with exit 1.

Two things no parser can notice in a single file: a figure replaced by another sound figure (no damage here does that),
and a table whose publisher left out a whole series or period (counted apart; the vintages show what is gone).
"""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from core.errors import SourceError
from ingest.raw import Parsed, RawFile
from ingest.registry import SOURCES

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
    "italy_interior": (
        "italy_interior_cruscotto/ondata/sbarchi-per-giorno.csv",
        "italy_interior_cruscotto/ondata/nazionalita.csv",
    ),
    "missing_migrants": ("iom_missing_migrants/gdidata/iom_mmp.rda",),
    "noaa_enso": ("noaa_enso/oni.csv",),
    "ucdp": ("ucdp_country_month/Hist.csv", "ucdp_country_month/ucdp_vintages_36m.csv.gz"),
    "uk_home_office": (
        "uk_small_boats/home_office/12_December_2025_Small_boats_-_time_series.ods",
        "uk_small_boats/uk-migrant-data/daily_small_boats.csv",
        "uk_small_boats/humaniverse_asylum/irregular_migration.csv",
    ),
    "unhcr_odp": (
        "unhcr_odp_arrivals/med_migration/unhcr_arrivals_12_31.csv",
        "unhcr_odp_arrivals/spain_2017_2025/canary_analysis_data.csv",
    ),
    "worldbank_pinksheet": ("worldbank_pinksheet/CMO-Historical-Data-Monthly.xlsx",),
}
"""Real files per source. A parquet file of quarterly sums is left out: no publisher's format, and without checksum."""
REFUSED, ASIDE, SAME, ABSENT = "refused", "rows set aside", "same figures", "a whole series or period absent"
FAIR = frozenset({REFUSED, ASIDE, SAME, ABSENT})
KEPT_LINES = 160
HEADER_LINES = 4
WRONG_CELLS = (b"-4", b"many", b"NaN", b"1e999", b"12;5", "∞".encode(), b"\xff\xfe", b"0[VALORE]0", b"#REF!")
JUNK = (b"\x00", b"\xff", b'"', b"<html>", b"x", b"\r", b"\t\t", b",,", "é".encode(), b"\x1a", b"-")
Figures = dict[tuple[str, str, str], float]
Damage = Callable[[random.Random, bytes, bytes], bytes]


@dataclass(frozen=True)
class Sound:
    """A sound file and what is read from it.

    Attributes:
        source_id: Whose it is.
        raw: The file.
        separator: Between the cells of a text file; empty for a binary one.
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
            found.append(Sound(source_id, raw, separator, _figures(parsed), len(parsed.rejected)))
    return found


def _shortened(raw: RawFile) -> tuple[RawFile, bytes]:
    if not raw.name.endswith((".csv", ".tsv")):
        return raw, b""
    lines = raw.content.splitlines(keepends=True)
    if len(lines) > KEPT_LINES:
        lines = lines[:HEADER_LINES] + lines[HEADER_LINES - KEPT_LINES :]
    return RawFile(raw.name, b"".join(lines)), b"\t" if raw.name.endswith(".tsv") else b","


def _figures(parsed: Parsed) -> Figures:
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
        kind, damage = random_numbers.choice(list((TEXT_DAMAGE if sound.separator else BINARY_DAMAGE).items()))
        content = damage(random_numbers, sound.raw.content, sound.separator)
        result = judge(sound, content)
        outcome.counts[result] += 1
        outcome.by_source[sound.source_id] += 1
        if result not in FAIR:
            outcome.failures.append(f"{sound.source_id} {sound.raw.name}, {kind}: {result}")
    return outcome


def judge(sound: Sound, content: bytes) -> str:
    """What a parser makes of a damaged file, in two or three words."""
    try:
        parsed = SOURCES[sound.source_id].parse(RawFile(sound.raw.name, content))
    except SourceError:
        return REFUSED
    except Exception as error:  # whatever else a parser raises is what is looked for
        return f"crash: {type(error).__name__}: {str(error)[:80]}"
    figures = _figures(parsed)
    if figures == sound.figures:
        return SAME
    if len(parsed.rejected) > sound.rejected:
        return ASIDE
    return ABSENT if _only_absent(figures, sound.figures) else "silent change"


def _only_absent(figures: Figures, sound: Figures) -> bool:
    """Whether figures differ only by whole series, or whole periods, that are not there."""
    if not figures.items() <= sound.items():
        return False
    gone = sound.keys() - figures.keys()
    series, periods = ({key[place] for key in figures} for place in (0, 1))
    return all(key[0] not in series for key in gone) or all(key[1] not in periods for key in gone)


def _cut(numbers: random.Random, content: bytes, _: bytes) -> bytes:
    """Cut off somewhere inside a line."""
    end = numbers.randrange(1, len(content) - 1)
    while content[end - 1 : end] == b"\n":
        end -= 1
    return content[:end]


def _insert(numbers: random.Random, content: bytes, _: bytes) -> bytes:
    place = numbers.randrange(len(content))
    return content[:place] + numbers.choice(JUNK) * numbers.randint(1, 3) + content[place:]


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
    place = numbers.randrange(HEADER_LINES, len(lines))
    cells = lines[place].rstrip(b"\r\n").split(separator)
    cells[numbers.randrange(len(cells))] = numbers.choice(WRONG_CELLS)
    lines[place] = separator.join(cells) + b"\n"
    return b"".join(lines)


def _rearrange(change: str, numbers: random.Random, content: bytes, separator: bytes) -> bytes:
    """Swap, drop or rename a column of the whole table; a quoted separator counts as one, which damages more."""
    rows = [line.rstrip(b"\r\n").split(separator) for line in content.splitlines()]
    width = max(len(row) for row in rows)
    first, second = numbers.randrange(width), numbers.randrange(width)
    for number, row in enumerate(rows):
        if change == "rename" and number < HEADER_LINES and first < len(row) and not row[first][:1].isdigit():
            row[first] += b"_new"
        elif change == "swap" and max(first, second) < len(row):
            row[first], row[second] = row[second], row[first]
        elif change == "drop" and first < len(row):
            del row[first]
    return b"\n".join(separator.join(row) for row in rows) + b"\n"


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


def main() -> int:
    """Run the command; 1 where a parser crashed or changed a total silently."""
    folder = os.environ.get("VIGIE_RAW_DATA")
    if not folder:
        sys.stderr.write("VIGIE_RAW_DATA must name the folder of published files\n")
        return 1
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    outcome = fuzz(sound_files(Path(folder)), number, seed)
    sys.stdout.writelines(f"{count:6,} {result}\n" for result, count in outcome.counts.most_common())
    sys.stdout.writelines(f"{count:6,} of {source_id}\n" for source_id, count in sorted(outcome.by_source.items()))
    sys.stdout.writelines(f"FAILED {failure}\n" for failure in outcome.failures)
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
