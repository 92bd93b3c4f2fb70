"""United States, Border Patrol: encounters between ports of entry, by border and citizenship, since October 1999.

An encounter is an event: one person who tries again is counted again, most of all during the expulsions under Title 42
(March 2020 to May 2023). Figures are rounded to tens, so citizenships rarely add up to their border's total.
"""

from __future__ import annotations

import pandas as pd

from core.countries import map_countries
from core.languages import marked as _
from core.schema import ALL
from ingest import Parsed, RawFile
from ingest.rows import Reading, to_dates, to_numbers
from ingest.tables import read_sheets, require_columns

SOURCE_ID = "us_border_patrol"
LAG_DAYS = 47
"""The workbook that ends with November 2024 was written on 16 January 2025."""
BORDERS = {"Southwest Land Border": "US_SOUTHWEST", "Northern Land Border": "US_NORTH", "Coastal Border": "US_COAST"}
SHEETS = {"Monthly Region": ["Region"], "Monthly Rgn and Citp": ["Region", "Citizenship"]}
"""Sheet -> columns beside fiscal year, month and quantity."""


def parse(raw: RawFile) -> Parsed:
    """Tabulate encounters by month and border, and by citizenship.

    Returns:
        Series ``detections.<border>.USA._T.M`` and ``detections.<border>.USA.<citizen>.M``.

    Raises:
        SourceError: The file is broken, a border or citizenship is unknown, or more than one row in twenty is no count.
    """
    cells = [_cells(raw, sheet, frame) for sheet, frame in read_sheets(raw, list(SHEETS)).items()]
    return Reading(raw, SOURCE_ID, LAG_DAYS).figures(pd.concat(cells), counts=True, target="detections", geo="USA")


def _cells(raw: RawFile, sheet: str, frame: pd.DataFrame) -> pd.DataFrame:
    """``time_period``, ``route_id``, ``citizen`` and ``value`` of each row of a sheet."""
    header = [" ".join(str(cell).split()) for cell in frame.iloc[0]]
    table = frame.iloc[1:].set_axis(header, axis=1)
    require_columns(table, ["Fiscal Year", "Month", *SHEETS[sheet], "Quantity"], raw.name)
    routes = table["Region"].map(BORDERS)
    if routes.isna().any():
        raise raw.fault(_("unknown border"), row=f"{sheet}, {routes.index[routes.isna()][0]}")
    citizens = map_countries(table["Citizenship"], raw.name) if "Citizenship" in table else ALL
    found = pd.DataFrame(
        {
            "time_period": _periods(table["Fiscal Year"], table["Month"]),
            "route_id": routes,
            "citizen": citizens,
            "value": table["Quantity"],
        }
    )
    return found.set_axis([f"{sheet}, {row}" for row in table.index])


def _periods(years: pd.Series, months: pd.Series) -> pd.Series:
    """Return ``2024-10`` for ``01 October`` of fiscal year 2025, which begins there; an unreadable month stays."""
    numbers = to_dates(months.astype(str).str.partition(" ")[2], ".*", "%B").dt.month
    calendar = to_numbers(years) - (numbers >= 10)
    texts = [
        str(month) if pd.isna(year) or pd.isna(number) else f"{int(year)}-{int(number):02d}"
        for year, number, month in zip(calendar, numbers, months, strict=True)
    ]
    return pd.Series(texts, index=years.index)
