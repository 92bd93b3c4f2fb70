"""Panama, Servicio Nacional de Migración: people who came through Darién, by nationality (package gdidata).

Until 2019 each year is one row per nationality, dated January: an annual total. A month without anyone is absent from
the file: April, May and July 2020, when the border was closed. With zeros there the months add up to the year.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.countries import map_countries
from core.schema import ALL
from ingest import Parsed, RawFile
from ingest.rows import Reading, month_of_epoch_days, month_rules, to_numbers
from ingest.tables import read_rda

SOURCE_ID = "panama_darien"
LAG_DAYS = 13
"""The compiled table of 13 May 2025 held April 2025."""
FIRST_MONTH = "2020-01"


def parse(raw: RawFile) -> Parsed:
    """Tabulate people by month and nationality, and their sums.

    Returns:
        Series ``arrivals.DARIEN.PAN.<citizen>.M`` and ``arrivals.DARIEN.PAN._T.M``, until 2019 ``.A``.

    Raises:
        SourceError: The file is broken, or a row is not a count of one nationality in one month.
    """
    frame = read_rda(raw, "irreg_darien_nat", ["t", "nat", "n"])[["t", "nat", "n"]]
    month = month_of_epoch_days(frame["t"])
    reading = Reading(raw, SOURCE_ID, LAG_DAYS)
    good = reading.keep(frame, *month_rules(frame, month, ["nat", "t"]), tolerated=0)
    months = month[good.index].astype(str)
    is_annual = months < FIRST_MONTH
    rows = pd.DataFrame(
        {
            "citizen": map_countries(good["nat"], raw.name),
            "freq": np.where(is_annual, "A", "M"),
            "time_period": months.where(~is_annual, months.str[:4]),
            "obs_value": to_numbers(good["n"]),
        }
    )
    parts = pd.concat([rows, rows.assign(citizen=ALL)])
    tidy = parts.groupby(["citizen", "freq", "time_period"])["obs_value"].sum().reset_index()
    return reading.parsed(tidy, target="arrivals", route_id="DARIEN", geo="PAN")
