"""Oceanic Niño Index: three-month running mean of sea-surface temperature anomalies in the Niño 3.4 region, in °C."""

from __future__ import annotations

import pandas as pd

from ingest import Parsed, Pull, RawFile, get_file
from ingest.rows import Reading, since
from ingest.tables import read_csv

SOURCE_ID = "noaa_enso"
LAG_DAYS = 41
"""A value belongs to the middle month of its season and needs the third: a month, and some ten days to publish."""

HEADER = [b"SEAS", b"YR", b"TOTAL", b"ANOM"]
SEASONS = ("DJF", "JFM", "FMA", "MAM", "AMJ", "MJJ", "JJA", "JAS", "ASO", "SON", "OND", "NDJ")
MONTHS = {season: str(month) for month, season in enumerate(SEASONS, start=1)}


def download(pull: Pull) -> list[RawFile]:
    """Take the Climate Prediction Center's own table."""
    return [get_file(pull, pull.access.address("index"))]


def parse(raw: RawFile) -> Parsed:
    """Read one line per season; a season belongs to its middle month (DJF is 1, NDJ is 12).

    The publisher's own table has fixed columns (``SEAS YR TOTAL ANOM``); a tabulated CSV gives the month itself.

    Raises:
        SourceError: The layout is broken.
    """
    own = raw.content[:80].split()[:4] == HEADER
    table = _read_own_table(raw) if own else read_csv(raw, ["year", "season", "oni", "month"])
    cells = table.assign(time_period=table["year"] + "-" + table["month"].str.zfill(2), value=table["oni"])
    cells = since(cells[["time_period", "value"]])
    return Reading(raw, SOURCE_ID, LAG_DAYS).figures(cells, counts=False, target="oceanic_nino_index")


def _read_own_table(raw: RawFile) -> pd.DataFrame:
    """The columns of the publisher's own table, which stand apart by spaces."""
    lines = [b",".join(line.split()) for line in raw.content.split(b"\n")]
    table = read_csv(RawFile(raw.name, b"\n".join(lines)), ["SEAS", "YR", "ANOM"])
    return table.assign(year=table["YR"], month=table["SEAS"].map(MONTHS).fillna(""), oni=table["ANOM"])
