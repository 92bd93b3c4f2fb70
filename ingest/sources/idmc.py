"""New internal displacements by country and month, conflict and disaster together (IDMC)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core.countries import map_countries
from core.errors import SourceError
from ingest.figures import melt, newest, since, to_observations
from ingest.raw import Parsed, RawFile, read_raw
from ingest.tables import read_csv

SOURCE_ID = "idmc"
RAW_FILES = ("idmc_monthly/Hist.csv",)
LAG_DAYS = 30

NOT_LIVE = "IDMC's feed answers only to client names that IDMC has put on its list; none is registered for Vigie."
FEED_SINCE = "2025-06"
"""From this month the figures come from a rolling feed that drops long events: they are marked estimated."""
ABYEI = "AB9"
"""IDMC's own code for Abyei, disputed between Sudan and South Sudan: it has no ISO code and is left out."""
_PERIOD = ""
"""The first header cell is blank."""


def fetch(path: Path) -> RawFile:
    """Read the CSV from disk."""
    return read_raw(path)


def parse(raw: RawFile) -> Parsed:
    """Read one line per month with one column per country; a blank is no figure, never a zero.

    The newest month is incomplete and marked provisional.

    Raises:
        SourceError: The layout is broken.
    """
    if raw.name == "Hist_original.csv":
        raise SourceError(raw.name, "another build of the same history with other levels: use Hist.csv")
    wide = read_csv(raw, [_PERIOD, "AFG"])
    codes = [column for column in wide.columns if column not in (_PERIOD, ABYEI)]
    geo = map_countries(pd.Series(codes, index=codes, name="header"), raw.name)
    cells = melt(wide, _PERIOD, codes, {""})
    cells["geo"] = cells["name"].map(geo)
    late = cells["time_period"] >= FEED_SINCE
    cells["obs_flag"] = np.where(newest(cells["time_period"], 1), "p", np.where(late, "e", ""))
    return to_observations(
        raw, since(cells), source_id=SOURCE_ID, lag_days=LAG_DAYS, counts=True, target="new_displacement"
    )
