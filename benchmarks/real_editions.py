"""Hold every real edition and file against what was known before it: ``python -m benchmarks.real_editions --write``.

Needs the published files, named by VIGIE_RAW_DATA; the table goes into docs/research. It holds no cell.
Exit 1 where more than one figure in a thousand gives a reason to hold its edition: false alarms.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.newest import quotable
from benchmarks.shared import INGESTION, page_command, published_files, table
from core.log import progress_bar
from core.settings import SNAPSHOT
from ingest import read_raw, snapshot
from ingest.plausibility import Judgement, judge
from ingest.sources import CARDS, INTAKE, SOURCES
from store.figures import VintageStore

TITLE = "Real editions, held and reported"
MONTHS_OF_A_VINTAGE = 36


@dataclass(frozen=True)
class Seen:
    """One real file, held against what was known.

    Attributes:
        source_id: Whose it is.
        file: Its name.
        figures: How many it holds.
        judgement: What is to be said of it.
    """

    source_id: str
    file: str
    figures: int
    judgement: Judgement


def look(
    store: VintageStore, source_id: str, editions: Iterable[tuple[str, pd.DataFrame]], *, keep: bool
) -> Iterator[Seen]:
    """Judge editions one after the other, as an ingestion would on the day on which each was published.

    Args:
        store: What is known.
        source_id: Whose editions they are.
        editions: Name and figures of each, the oldest first.
        keep: Let each be known before the next is judged.
    """
    complete = CARDS[source_id].complete_editions
    before: dict[dt.date, tuple[pd.DataFrame, pd.DataFrame]] = {}
    for name, rows in editions:
        day = dt.datetime.now(dt.UTC).date() if rows["as_of_estimated"].any() else rows["as_of"].max().date()
        if day not in before:
            before[day] = store.as_of(day, only=[source_id]), store.all_revisions(day, only=[source_id])
        found = judge(rows, *before[day], complete=complete)
        if keep:
            before.clear()
            store.add(store.statements(rows, complete=complete))
        yield Seen(source_id, name, len(rows), found)


def read(source_id: str, files: Iterable[Path]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and figures of files."""
    for path in files:
        yield path.name, SOURCES[source_id].parse(read_raw(path)).observations


def home_office(raw_data: Path, bundled: pd.DataFrame, folder: Path, every: int = 1) -> Iterator[Seen]:
    """The Home Office's workbooks since November 2025, each ``every``-th and the newest."""
    store = VintageStore(folder)
    store.append(bundled[bundled["source_id"].eq("uk_home_office") & bundled["as_of"].lt("2025-11-01")])
    files = sorted((raw_data / "uk_small_boats" / "editions_2026").glob("*.ods"))
    yield from look(store, "uk_home_office", read("uk_home_office", files[::-every][::-1]), keep=True)


def frontex(raw_data: Path, folder: Path, first: int | None = None) -> Iterator[Seen]:
    """Frontex's dated copies, or the ``first`` of them, and the workbook as published."""
    files = sorted((raw_data / "frontex_ibc" / "vintages_gdidata").glob("*.rda"))[:first]
    files.append(raw_data / "frontex_ibc" / "ibc.xlsx")
    yield from look(VintageStore(folder), "frontex", read("frontex", files), keep=True)


def ucdp(raw_data: Path, folder: Path) -> Iterator[Seen]:
    """UCDP's vintages, each with all of its months; the yearly re-releases are among them."""
    rows = SOURCES["ucdp"].parse(read_raw(raw_data / "ucdp_country_month" / "ucdp_vintages_36m.csv.gz")).observations
    editions = []
    for day in sorted(rows["as_of"].unique()):
        whole = rows[rows["as_of"] <= day].drop_duplicates(["series_id", "time_period"], keep="last")
        newest = pd.Period(rows.loc[rows["as_of"] == day, "time_period"].max(), "M")
        here = whole[whole["time_period"] > str(newest - MONTHS_OF_A_VINTAGE)]
        editions.append((f"vintage of {day:%Y-%m-%d}", here.assign(as_of=day, as_of_estimated=False)))
    yield from look(VintageStore(folder), "ucdp", editions, keep=True)


def published(raw_data: Path, bundled: pd.DataFrame, folder: Path, first: int | None = None) -> Iterator[Seen]:
    """Every file of the bundled snapshot, or the ``first`` of each source, against the bundled figures."""
    store = VintageStore(folder)
    store.append(bundled)
    for source_id in SOURCES:
        files = [path for pattern in INTAKE[source_id].get("files", ()) for path in sorted(raw_data.glob(pattern))]
        yield from look(store, source_id, read(source_id, files[:first]), keep=False)


def section(_options: argparse.Namespace) -> tuple[list[str], bool]:
    """The table as Markdown, and whether few figures hold one."""
    raw_data, bundled = published_files(), snapshot.load(SNAPSHOT)
    sums, alarms, figures = [], [], 0
    with progress_bar() as report, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = {
            "the Home Office's workbooks, one after the other": home_office(raw_data, bundled, folder / "a"),
            "Frontex's copies, one after the other": frontex(raw_data, folder / "b"),
            "UCDP's vintages, one after the other": ucdp(raw_data, folder / "d"),
            "the files of the bundled snapshot, against its figures": published(raw_data, bundled, folder / "c"),
        }
        for number, (what, part) in enumerate(parts.items(), start=1):
            seen = list(part)
            held = sum(bool(one.judgement.held) for one in seen)
            reported = sum(bool(one.judgement.reported) for one in seen)
            sums.append(f"| {what} | {len(seen)} | {held} | {reported} |")
            figures += sum(one.figures for one in seen)
            alarms += [(one.file, quotable(one.source_id, why)) for one in seen for why in one.judgement.held]
            report("Holding real editions against what was known", number, len(parts))
    return [
        "By `python -m benchmarks.real_editions --write`: what an ingestion would have said of each on its day.",
        "",
        "| real files | read | held | reported |",
        "|---|---|---|---|",
        *sums,
        "",
        *table("held file | reason that a person sees", alarms),
    ], len(alarms) <= 0.001 * figures


if __name__ == "__main__":
    sys.exit(page_command(INGESTION, TITLE, section))
