"""Oceanic Niño Index: three-month running mean of sea-surface temperature anomalies in the Niño 3.4 region, in °C."""

from __future__ import annotations

import re

import pandas as pd

from core.languages import marked as _
from ingest import Parsed, Pull, RawFile, get_file
from ingest.rows import Reading, since
from ingest.tables import read_csv, refuse_wrong_kind

SOURCE_ID = "noaa_enso"
LAG_DAYS = 41
"""A value belongs to the middle month of its season and needs the third: a month, and some ten days to publish."""

HEADER = [b"SEAS", b"YR", b"TOTAL", b"ANOM"]
SEASONS = ("DJF", "JFM", "FMA", "MAM", "AMJ", "MJJ", "JJA", "JAS", "ASO", "SON", "OND", "NDJ")


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
    refuse_wrong_kind(raw)
    lines = raw.content.decode("ascii", "replace").splitlines()
    rows: list[list[str]] = []
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split()
        if not cells:
            continue
        if len(cells) != len(HEADER) or cells[0] not in SEASONS or not re.fullmatch(r"(19|20)[0-9]{2}", cells[1]):
            raise raw.fault(_("a line such as '{example}' is expected"), example="DJF 1950 24.72 -1.53", row=number)
        rows.append([cells[1], str(SEASONS.index(cells[0]) + 1), cells[3]])
    if not raw.content.endswith(b"\n"):
        raise raw.fault(_("the last line has no line end: the file was cut off"), row=len(lines))
    return pd.DataFrame(rows, columns=["year", "month", "oni"], index=range(2, len(rows) + 2), dtype=object)
