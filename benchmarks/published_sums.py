"""Read every real file at hand, sum its years and compare: ``python -m benchmarks.published_sums --write``.

Needs the published files, named by VIGIE_RAW_DATA; the tables go into docs/sources.md. Only counts of rows and yearly
sums that publishers printed themselves are kept, so no licence is touched.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.shared import page_command, published_files
from core.errors import SourceError
from core.progress import ProgressReport, progress_bar
from core.settings import PROJECT
from ingest import Parsed, read_raw
from ingest.sources import SOURCES
from tests.faults.files import FILES

PAGE = PROJECT / "docs" / "sources.md"
TITLE = "What was read of published files"
MORE_FILES = {
    "frontex": tuple(
        f"frontex_ibc/vintages_gdidata/frontex_{day}.rda"
        for day in ("2025-02-07", "2025-02-10", "2025-03-10", "2025-05-15")
    ),
    "unhcr_odp": ("unhcr_odp_arrivals/spain_2017_2025/mainland_sea_analysis_data.csv",),
}
"""Files that the fuzz test leaves out, because they are slow to unpack or like others."""


@dataclass(frozen=True)
class Published:
    """A yearly sum that a publisher printed.

    Attributes:
        file: File in which the year is.
        what: What is summed, in words.
        series: Pattern that the whole ``series_id`` matches.
        year: The year.
        total: The printed sum.
        near: Largest relative distance that the publisher's rounding or later corrections explain.
    """

    file: str
    what: str
    series: str
    year: int
    total: float
    near: float = 0.0


_DTM = "iom_dtm/dtm_med.rda"
_BOATS = "uk_small_boats/uk-migrant-data/daily_small_boats.csv"
_DEATHS = "iom_missing_migrants/gdidata/iom_mmp.rda"
_PORTAL = "unhcr_odp_arrivals/med_migration/unhcr_arrivals_12_31.csv"
_SPAIN = "unhcr_odp_arrivals/spain_2017_2025"
_CRUSCOTTO = "italy_interior_cruscotto/ondata/sbarchi-per-giorno.csv"
TOTALS = (
    *(
        Published(_DTM, f"arrivals, {place}", series, year, total)
        for place, series, year, total in (
            ("Italy", r"arrivals\.CMR\.ITA\._T\.M", 2016, 181_436),
            ("Italy", r"arrivals\.CMR\.ITA\._T\.M", 2023, 157_652),
            ("Italy", r"arrivals\.CMR\.ITA\._T\.M", 2024, 66_617),
            ("Greece", r"arrivals\.EMR\.GRC\._T\.M", 2015, 857_363),
            ("Spain", r"arrivals\._Z\.ESP\._T\.M", 2018, 64_298),
            ("Canary Islands", r"arrivals\.WAR\.ESP\._T\.M", 2024, 46_843),
        )
    ),
    *(
        Published(_BOATS, "arrivals by small boat", r"arrivals\.CHA\.GBR\._T\.D", year, total, 0.001)
        for year, total in ((2018, 299), (2019, 1_843), (2021, 28_526), (2022, 45_774), (2023, 29_437), (2024, 36_816))
    ),
    *(
        Published(_DEATHS, "dead and missing, world", r"deaths_and_disappearances\._T\..*", year, total)
        for year, total in ((2016, 8_253), (2023, 8_755), (2024, 9_191))
    ),
    Published(_PORTAL, "arrivals, Italy", r"arrivals\.CMR\.ITA\._T\.M", 2014, 170_100),
    Published(_PORTAL, "arrivals, Greece", r"arrivals\.EMR\.GRC\._T\.M", 2015, 856_723),
    Published(f"{_SPAIN}/mainland_sea_analysis_data.csv", "arrivals, Spain by sea without Canaries",
              r"arrivals\.WMR\.ESP_SEA\._T\.M", 2018, 57_264),
    Published(f"{_SPAIN}/canary_analysis_data.csv", "arrivals, Canary Islands",
              r"arrivals\.WAR\.ESP\._T\.M", 2024, 46_843),
    Published(_CRUSCOTTO, "arrivals by day, Italy", r"arrivals\.CMR\.ITA\._T\.D", 2023, 157_652, 0.04),
)  # fmt: skip


def files() -> dict[str, str]:
    """Every file below the raw-data folder, and whose it is."""
    named = [(name, source) for table in (FILES, MORE_FILES) for source, names in table.items() for name in names]
    return dict(sorted(named, key=lambda pair: (pair[1], pair[0])))


def read_all(raw_data: Path, report: ProgressReport) -> Iterator[tuple[str, str, Parsed | SourceError, float]]:
    """Each file with its source, what was read of it or why it was refused, and the processor's seconds."""
    chosen = files()
    for done, (name, source_id) in enumerate(chosen.items()):
        report("Reading published files", done, len(chosen))
        begun = time.process_time()
        try:
            found: Parsed | SourceError = SOURCES[source_id].parse(read_raw(raw_data / name))
        except SourceError as error:
            found = error
        yield source_id, name, found, time.process_time() - begun
    report("Reading published files", len(chosen), len(chosen))


def file_line(source_id: str, name: str, found: Parsed | SourceError, seconds: float) -> str:
    """A file's row of the table."""
    if isinstance(found, SourceError):
        return f"| `{source_id}` | `{name}` | refused: {str(found).replace('|', '/')} | | | | | {seconds:.1f} |"
    rows = found.observations
    targets = sorted(rows["target"].unique())
    shown = ", ".join(f"`{target}`" for target in targets[:4]) + (
        f" and {len(targets) - 4} more" if targets[4:] else ""
    )
    span = f"{rows['time_period'].min()} – {rows['time_period'].max()}"
    counts = f"{len(rows):,} | {rows['series_id'].nunique():,} | {len(found.rejected):,}"
    return f"| `{source_id}` | `{name}` | {shown} | {span} | {counts} | {seconds:.1f} |"


def yearly_sum(rows: pd.DataFrame, one: Published) -> float:
    """The sum that a file gives for a published one, of the newest edition of each figure."""
    newest = rows.sort_values("as_of").drop_duplicates(["series_id", "time_period"], keep="last")
    wanted = newest["series_id"].str.fullmatch(one.series) & newest["time_period"].str.startswith(str(one.year))
    return float(newest.loc[wanted, "obs_value"].sum())


def total_line(one: Published, found: float) -> tuple[str, bool]:
    """A published sum's row of the table, and whether it was met."""
    distance = found / one.total - 1
    met = abs(distance) <= one.near
    verdict = "equal" if found == one.total else f"{distance:+.2%}" + ("" if met else ", NOT MET")
    return f"| `{Path(one.file).name}` | {one.what} | {one.year} | {one.total:,.0f} | {found:,.0f} | {verdict} |", met


def section(_options: argparse.Namespace) -> tuple[list[str], bool]:
    """The tables as Markdown, and whether every published sum was met."""
    lines, totals, all_met = [], [], True
    by_file: dict[str, list[Published]] = {}
    for one in TOTALS:
        by_file.setdefault(one.file, []).append(one)
    with progress_bar() as report:
        read = list(read_all(published_files(), report))
    for source_id, name, found, seconds in read:
        lines.append(file_line(source_id, name, found, seconds))
        for one in by_file.get(name, []):
            summed = 0.0 if isinstance(found, SourceError) else yearly_sum(found.observations, one)
            line, met = total_line(one, summed)
            totals.append(line)
            all_met &= met
    return [
        "By `python -m benchmarks.published_sums --write`, from real files that are no part of the project.",
        "",
        "| source | file | targets | periods | figures | series | set aside | seconds |",
        "|---|---|---|---|---|---|---|---|",
        *lines,
        "",
        "Yearly sums against those that publishers printed (tolerance only where they rounded or corrected later;",
        "Frontex's are for private use and are compared by a test):",
        "",
        "| file | what | year | published | read | |",
        "|---|---|---|---|---|---|",
        *totals,
    ], all_met  # fmt: skip


if __name__ == "__main__":
    sys.exit(page_command(PAGE, TITLE, section))
