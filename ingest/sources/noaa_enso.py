"""Oceanic Niño Index: three-month running mean of sea-surface temperature anomalies in the Niño 3.4 region, in °C."""

from __future__ import annotations

from pathlib import Path

from ingest.figures import since, to_observations
from ingest.raw import Parsed, RawFile, read_raw
from ingest.tables import read_csv

SOURCE_ID = "noaa_enso"
RAW_FILES = ("noaa_enso/oni.csv",)
LAG_DAYS = 41
"""A value belongs to the middle month of its season and needs the third: a month, and some ten days to publish."""


def fetch(path: Path) -> RawFile:
    """Read the CSV from disk."""
    return read_raw(path)


def parse(raw: RawFile) -> Parsed:
    """Read one line per season; ``month`` is already its middle month (DJF is 1, NDJ is 12).

    Raises:
        SourceError: The layout is broken.
    """
    table = read_csv(raw, ["year", "season", "oni", "month"])
    cells = table.assign(time_period=table["year"] + "-" + table["month"].str.zfill(2), value=table["oni"])
    cells = since(cells[["time_period", "value"]])
    return to_observations(
        raw, cells, source_id=SOURCE_ID, lag_days=LAG_DAYS, counts=False, target="oceanic_nino_index"
    )
