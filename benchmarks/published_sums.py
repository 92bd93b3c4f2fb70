"""Compare yearly sums of files with those that publishers printed: ``python -m benchmarks.published_sums --write``.

Needs the published files, named by VIGIE_RAW_DATA; the table goes into docs/research. It holds only sums that
publishers printed themselves, so no licence is touched.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.shared import INGESTION, page_command, published_files, table
from ingest import read_raw
from ingest.sources import SOURCES

TITLE = "Published sums"


@dataclass(frozen=True)
class Published:
    """A yearly sum that a publisher printed.

    Attributes:
        source_id: Whose file it is.
        file: File in which the year is.
        what: What is summed, in words.
        series: Pattern that the whole ``series_id`` matches.
        year: The year.
        total: The printed sum.
        near: Largest relative distance that the publisher's rounding or later corrections explain.
    """

    source_id: str
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
        Published("iom_dtm", _DTM, f"arrivals, {place}", series, year, total)
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
        Published("uk_home_office", _BOATS, "arrivals by small boat", r"arrivals\.CHA\.GBR\._T\.D", year, total, 0.001)
        for year, total in ((2018, 299), (2019, 1_843), (2021, 28_526), (2022, 45_774), (2023, 29_437), (2024, 36_816))
    ),
    *(
        Published("missing_migrants", _DEATHS, "dead and missing, world",
                  r"deaths_and_disappearances\._T\..*", year, total)
        for year, total in ((2016, 8_253), (2023, 8_755), (2024, 9_191))
    ),
    Published("unhcr_odp", _PORTAL, "arrivals, Italy", r"arrivals\.CMR\.ITA\._T\.M", 2014, 170_100),
    Published("unhcr_odp", _PORTAL, "arrivals, Greece", r"arrivals\.EMR\.GRC\._T\.M", 2015, 856_723),
    Published("unhcr_odp", f"{_SPAIN}/mainland_sea_analysis_data.csv", "arrivals, Spain by sea without Canaries",
              r"arrivals\.WMR\.ESP_SEA\._T\.M", 2018, 57_264),
    Published("unhcr_odp", f"{_SPAIN}/canary_analysis_data.csv", "arrivals, Canary Islands",
              r"arrivals\.WAR\.ESP\._T\.M", 2024, 46_843),
    Published("italy_interior", _CRUSCOTTO, "arrivals by day, Italy",
              r"arrivals\.CMR\.ITA\._T\.D", 2023, 157_652, 0.04),
)  # fmt: skip


def yearly_sum(rows: pd.DataFrame, one: Published) -> float:
    """The sum that a file gives for a published one, of the newest edition of each figure."""
    newest = rows.sort_values("as_of").drop_duplicates(["series_id", "time_period"], keep="last")
    wanted = newest["series_id"].str.fullmatch(one.series) & newest["time_period"].str.startswith(str(one.year))
    return float(newest.loc[wanted, "obs_value"].sum())


def section(_options: argparse.Namespace) -> tuple[list[str], bool]:
    """The table as Markdown, and whether every published sum was met."""
    raw_data, read, distances, all_met = published_files(), {}, dict[tuple[str, str], dict[int, float]](), True
    for one in TOTALS:
        if one.file not in read:
            read[one.file] = SOURCES[one.source_id].parse(read_raw(raw_data / one.file)).observations
        distance = yearly_sum(read[one.file], one) / one.total - 1
        distances.setdefault((Path(one.file).name, one.what), {})[one.year] = distance
        all_met &= abs(distance) <= one.near
    rows = [
        (f"`{file}`", what, ", ".join(map(str, years)), f"{max(years.values(), key=abs):.2%}")
        for (file, what), years in distances.items()
    ]
    return table("file | what | years | largest difference", rows), all_met


if __name__ == "__main__":
    sys.exit(page_command(INGESTION, TITLE, section))
