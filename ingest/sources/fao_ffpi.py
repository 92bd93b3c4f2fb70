"""FAO Food Price Index and its five sub-indices: world, monthly, 2014-2016 = 100, nominal."""

from __future__ import annotations

from ingest import Parsed, Pull, RawFile, get_linked
from ingest.rows import Reading, melt, since
from ingest.sources import LABELS
from ingest.tables import read_csv

SOURCE_ID = "fao_ffpi"
LAG_DAYS = 7

TARGETS: dict[str, str] = LABELS[SOURCE_ID]["indices"]
_HEADER_ROW = 3


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
    wide = read_csv(raw, ["Date", *TARGETS], header_row=_HEADER_ROW)
    cells = melt(wide[wide["Date"] != ""].rename(columns={"Date": "time_period"}), "time_period", TARGETS, {""})
    cells["target"] = cells["name"].map(TARGETS)
    return Reading(raw, SOURCE_ID, LAG_DAYS).figures(since(cells), counts=True, whole=False)
