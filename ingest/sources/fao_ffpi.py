"""FAO Food Price Index and its five sub-indices: world, monthly, 2014-2016 = 100, nominal."""

from __future__ import annotations

import pandas as pd

from core.languages import marked as _
from ingest import Parsed, Pull, RawFile, get_linked
from ingest.rows import Reading, melt, since
from ingest.sources import LABELS
from ingest.tables import read_csv

SOURCE_ID = "fao_ffpi"
LAG_DAYS = 7

TARGETS: dict[str, str] = LABELS[SOURCE_ID]["indices"]
_TITLE_LINES = 2


def download(pull: Pull) -> list[RawFile]:
    """Find the CSV on the index's page and take it.

    Raises:
        SourceError: The page links to no CSV of the index.
    """
    return [get_linked(pull, "page", r"food_price_indices_data[^/]*\.csv")]


def parse(raw: RawFile) -> Parsed:
    """Read the CSV: two title lines, the header, an empty line, then one line per month.

    Raises:
        SourceError: The layout is broken.
    """
    wide = _table(raw)
    cells = melt(wide[wide["Date"] != ""].rename(columns={"Date": "time_period"}), "time_period", TARGETS, {""})
    cells["target"] = cells["name"].map(TARGETS)
    return Reading(raw, SOURCE_ID, LAG_DAYS).figures(since(cells), counts=True, whole=False)


def _table(raw: RawFile) -> pd.DataFrame:
    lines = raw.content.split(b"\n", _TITLE_LINES)
    if len(lines) <= _TITLE_LINES:
        raise raw.fault(_("two title lines and a header are expected"), row=len(lines))
    frame = read_csv(RawFile(raw.name, lines[_TITLE_LINES]), ["Date", *TARGETS])
    return frame.set_axis(frame.index + _TITLE_LINES, axis=0)
