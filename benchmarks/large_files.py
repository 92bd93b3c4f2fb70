"""Sound files of 60 MB: what reading them takes, in the process and with the memory that ingestion gives them.

``python -m benchmarks.large_files [--write]``. The lines are synthetic, in the layouts of Eurostat's CSV and of own
figures; the workbook's sheet has 60 MB of XML, packed to less.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice, product
from pathlib import Path

from openpyxl import Workbook

from benchmarks.shared import PAGE, Section, page_command, table, timed
from core.countries import display_name, known_codes
from ingest import Parsed, RawFile
from ingest.intake import apart
from ingest.own import parse_own
from ingest.own_mapping import mapping_of_text
from ingest.sources import eurostat

BYTES, SHEET_ROWS = 60_000_000, 300_000
MAPPING = """
[source]
source_id = "own_places"
publisher = "synthetic"
dataset = "synthetic"
lag_days = 10
[table]
what = "arrivals"
thousands = " "
period_format = "%m/%Y"
[columns]
time_period = "Month"
value = "Persons"
route = "Place"
"""
REMARK = "counted at the gate in both directions, day and night, and compared with the harbour's book"
"""In each row of own figures; the mapping leaves it out."""
Parse = Callable[[RawFile], Parsed]


def eurostat_lines() -> Iterator[str]:
    """Months × countries × citizenships × types of applicant, all sexes and ages, as the data explorer writes them."""
    yield '"TIME","GEO","CITIZEN","SEX","AGE","ASYL_APP","UNIT","Value"'
    numbers = random.Random(0)  # noqa: S311  # figures, not secrets
    names = [name for name in map(display_name, sorted(known_codes())) if '"' not in name]
    months = [f"{year}M{month:02d}" for year in range(2008, 2026) for month in range(1, 13)]
    kinds = ("Asylum applicant", "First time applicant")
    for month, geo, citizen, kind in product(months, names[:32], ["Total", *names[:34]], kinds):
        figure = f"{numbers.randrange(900) * 5:,}"
        whole = '"Total of both sexes and of those not known","Total of all ages"'
        yield f'"{month}","{geo}","{citizen}",{whole},"{kind}","Person","{figure}"'


def own_rows() -> Iterator[tuple[str, str, str]]:
    """Places × months of own figures, the header first."""
    yield "Place", "Month", "Persons"
    numbers = random.Random(0)  # noqa: S311  # figures, not secrets
    months = [f"{month:02d}/{year}" for year in range(2006, 2026) for month in range(1, 13)]
    for place, month in product(range(2000), months):
        yield f"Post on the northern shore {place}", month, f"{numbers.randrange(20_000):,}".replace(",", " ")


def csv(lines: Iterator[str]) -> bytes:
    """As many lines as a file of the size has."""
    content = io.BytesIO()
    while content.tell() < BYTES:
        content.write(f"{next(lines)}\n".encode())
    return content.getvalue()


def files() -> Iterator[tuple[str, RawFile, Parse]]:
    """Each kind's name, a file of it, and what reads it."""
    own = partial(parse_own, mapping=mapping_of_text(MAPPING, "places.toml"))
    written, book = io.BytesIO(), Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in islice(own_rows(), SHEET_ROWS):
        sheet.append(row)
    book.save(written)
    yield "eurostat csv", RawFile("migr_asyappctzm_1_Data.csv", csv(eurostat_lines())), eurostat.parse
    yield "own csv", RawFile("places.csv", csv(f"{','.join(row)},{REMARK}" for row in own_rows())), own
    yield "own workbook", RawFile("places.xlsx", written.getvalue()), own


def measured(parse: Parse, raw: RawFile) -> tuple[Parsed, int, float]:
    """What a file holds, the MB beyond the program's own that reading took at most, and seconds of the processor."""
    before = _address_space("VmSize")
    parsed, took = timed(partial(parse, raw))
    return parsed, (_address_space("VmPeak") - before) >> 10, took.processor


def _address_space(field: str) -> int:
    return int(re.findall(rf"(?m)^{field}:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))[0])


def section(_options: argparse.Namespace) -> Section:
    """Read each file in a process of its own."""
    rows = []
    for name, raw, parse in files():
        parsed, peak, seconds = apart(partial(measured, parse), raw)
        size = unpacked = len(raw.content)
        if raw.name.endswith(".xlsx"):
            with zipfile.ZipFile(io.BytesIO(raw.content)) as book:
                unpacked = sum(part.file_size for part in book.infolist())
        held = f"{len(parsed.observations):,}", len(parsed.rejected)
        rows.append((name, f"{size / 1e6:.0f}", f"{unpacked / 1e6:.0f}", *held, f"{seconds:.1f}", peak))
    head = "file | MB | MB unpacked | figures | set aside | s of the processor | peak MB beyond the program's own"
    return table(head, rows), True


if __name__ == "__main__":
    sys.exit(page_command(PAGE, "A file of 60 MB", section))
