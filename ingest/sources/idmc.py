"""Internal displacement (IDMC): new ones by country and month, conflict and disaster together; by cause by year."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core.countries import map_countries
from core.errors import SourceError
from core.languages import marked as _
from ingest import idmc_tables
from ingest.exchange import Pull, Request, as_file
from ingest.figures import melt, newest, since, to_observations
from ingest.raw import Parsed, RawFile, read_raw
from ingest.tables import read_csv

SOURCE_ID = "idmc"
RAW_FILES = ("idmc_monthly/Hist.csv",)
LAG_DAYS = 30

YEARLY_LAG_DAYS = 135
"""A year's figures come out in the middle of May, with the Global Report on Internal Displacement."""
FEED_SINCE = "2025-06"
"""From this month the figures come from a rolling feed that drops long events: they are marked estimated."""
_PERIOD = ""
"""The first header cell is blank."""


def fetch(path: Path) -> RawFile:
    """Read the CSV from disk."""
    return read_raw(path)


def download(pull: Pull) -> list[RawFile]:
    """Take the feed of the last 180 days. It answers only to client names that IDMC has put on its list."""
    request = Request(pull.access.address("feed"), (("format", "json"),), token_query="client_id")  # noqa: S106  # the name of a parameter, not a key
    return [as_file(pull.ask(request), idmc_tables.FEED)]


def parse(raw: RawFile) -> Parsed:
    """Read the compiled history, the live feed, or the yearly tables of flows and stocks.

    The history has one line per month and one column per country; a blank is no figure, never a zero. The newest month
    of history and feed is incomplete and marked provisional.

    Raises:
        SourceError: The layout is broken.
    """
    if raw.name == "Hist_original.csv":
        raise SourceError(
            raw.name, _("another build of the same history with other levels: use {file}"), file="Hist.csv"
        )
    if raw.name == idmc_tables.FEED:
        return _parsed(raw, *idmc_tables.read_feed(raw, SOURCE_ID), lag_days=LAG_DAYS, freq="M")
    if raw.name.endswith(".rda"):
        return _parsed(raw, *idmc_tables.read_yearly(raw, SOURCE_ID), lag_days=YEARLY_LAG_DAYS, freq="A")
    return _parse_history(raw)


def _parsed(raw: RawFile, cells: pd.DataFrame, aside: pd.DataFrame, *, lag_days: int, freq: str) -> Parsed:
    if freq == "M":
        cells = _flagged(cells).assign(target="new_displacement")
    parsed = to_observations(raw, cells, source_id=SOURCE_ID, lag_days=lag_days, counts=True, freq=freq)
    return Parsed(parsed.observations, pd.concat([aside, parsed.rejected], ignore_index=True))


def _flagged(cells: pd.DataFrame) -> pd.DataFrame:
    late = cells["time_period"] >= FEED_SINCE
    return cells.assign(obs_flag=np.where(newest(cells["time_period"], 1), "p", np.where(late, "e", "")))


def _parse_history(raw: RawFile) -> Parsed:
    wide = read_csv(raw, [_PERIOD, "AFG"])
    codes = [column for column in wide.columns if column not in (_PERIOD, idmc_tables.ABYEI)]
    geo = map_countries(pd.Series(codes, index=codes, name="header"), raw.name)
    cells = melt(wide, _PERIOD, codes, {""})
    cells = _flagged(cells.assign(geo=cells["name"].map(geo)))
    return to_observations(
        raw, since(cells), source_id=SOURCE_ID, lag_days=LAG_DAYS, counts=True, target="new_displacement"
    )
