"""Panama, Servicio Nacional de Migración: people who came through Darién, by nationality (package gdidata).

Until 2019 each year is one row per nationality, dated January: an annual total. A month without anyone is absent from
the file: April, May and July 2020, when the border was closed. With zeros there the months add up to the year.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from core.countries import map_countries
from core.languages import marked as _
from core.schema import ALL
from ingest import Parsed, RawFile, SourceCard
from ingest.rows import Reading, month_of_epoch_days, month_rules, to_numbers
from ingest.tables import read_rda

SOURCE_ID = "panama_darien"
REGION = "americas"
RAW_FILES = ("panama_darien/irreg_darien_nat.rda",)
LAG_DAYS = 13
"""The compiled table of 13 May 2025 held April 2025."""
CARD = SourceCard(
    source_id=SOURCE_ID,
    publisher=_("Servicio Nacional de Migración, Panama"),
    dataset=_("Irregular transits through Darién, monthly by nationality"),
    url="https://www.migracion.gob.pa/",
    licence=_("Terms of the publisher not stated: to be confirmed"),
    redistribution="to be confirmed",
    citation="Servicio Nacional de Migración, Panamá, irregulares en tránsito por Darién, to 2025-04.",
    retrieved=dt.date(2025, 5, 13),
    came_through="github.com/iom/gdidata, data/irreg_darien_nat.rda at c9e4cc6",
    rhythm=_("Monthly, within two weeks; the bundled table ends with 2025-04."),
    expected_days=50,
    known_issues=[
        _("Until 2019 only annual totals are published by nationality."),
        _("Some nationalities were added together as “others”."),
        _("The fall of 2025, to 2,904 people in four months, is real."),
    ],
)
NOT_LIVE = "Panama publishes the table as a document whose address changes every month; no public project asks for it."
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
