"""World Bank commodity prices (the Pink Sheet): monthly, nominal US dollars, and indices with 2010 = 100."""

from __future__ import annotations

import pandas as pd

from core.languages import marked as _
from ingest import Parsed, Pull, RawFile, get_linked
from ingest.rows import Reading, melt, since
from ingest.sources import LABELS
from ingest.tables import read_sheet

SOURCE_ID = "worldbank_pinksheet"
LAG_DAYS = 5

SERIES: dict[str, dict[str, str]] = LABELS[SOURCE_ID]
_MISSING = {"", "..", "…"}
_MONTH = r"\d{4}M\d{2}"
_TITLE_ROWS = 4


def download(pull: Pull) -> list[RawFile]:
    """Find the workbook on the page of commodity markets, since its address changes each month, and take it.

    Raises:
        SourceError: The page links to no workbook.
    """
    return [get_linked(pull, "page", r"CMO-Historical-Data-Monthly\.xlsx")]


def parse(raw: RawFile) -> Parsed:
    """Read the chosen columns of both sheets.

    Raises:
        SourceError: A sheet or a column is missing, or the layout is broken.
    """
    cells = pd.concat([_cells(raw, sheet, targets) for sheet, targets in SERIES.items()])
    return Reading(raw, SOURCE_ID, LAG_DAYS).figures(since(cells), counts=False)


def _cells(raw: RawFile, sheet: str, targets: dict[str, str]) -> pd.DataFrame:
    table = read_sheet(raw, sheet).astype(object).fillna("").astype(str)
    is_month = table[0].str.fullmatch(_MONTH) if 0 in table else pd.Series(dtype=bool)
    if not is_month.any():
        raise raw.fault(
            _("sheet '{sheet}' has no row that starts with a month such as {example}"), sheet=sheet, example="1960M01"
        )
    first = int(table.index[is_month.to_numpy()][0])
    labels = table.loc[_TITLE_ROWS + 1 : first - 1].apply(_label)
    missing = [name for name in targets if (labels == name).sum() != 1]
    if missing:
        fault = _("sheet '{sheet}' lacks the columns {columns}, or has them twice")
        raise raw.fault(fault, row=first - 1, sheet=sheet, columns=missing)
    places = {place: targets[name] for place, name in labels.items() if name in targets}
    body = table.loc[first:]
    months = body[0].str.strip().str.replace("M", "-", regex=False)
    wide = body[list(places)].rename(columns=places).assign(time_period=months)
    cells = melt(wide[months != ""], "time_period", places.values(), _MISSING)
    return cells.assign(target=cells["name"])


def _label(column: pd.Series) -> str:
    """Name of a column whose header is staggered over several rows; units and footnote marks are no part of it."""
    texts = [text.strip().rstrip("* ").strip() for text in column]
    names = [text for text in texts if text and not text.startswith("(")]
    return names[-1] if names else ""
