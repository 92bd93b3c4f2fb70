"""IOM Displacement Tracking Matrix, East and Horn of Africa: movements observed at flow monitoring points.

Points open and close, so their sum is no level over time; ``ingest.routes`` links months at the points that both have.
One person may be observed at several points. Rows of the Northern Corridor and of undefined routes are left out.
"""

from __future__ import annotations

import re

import pandas as pd

from core.countries import map_countries
from core.languages import marked as _
from core.schema import ALL, unaccented
from ingest import Parsed, RawFile
from ingest.rows import Reading, RowRule, month_of_epoch_days, month_rules, to_numbers
from ingest.tables import read_rda

SOURCE_ID = "iom_dtm_ehoa"
LAG_DAYS = 45
"""Assumed: no edition of the compiled table says when a month became known."""
ROUTES = {"Eastern Corridor": "HOA_EAST", "Southern Corridor": "HOA_SOUTH", "HoA Corridor": "HOA_HORN"}
OTHER_ROUTES = frozenset({"Nothern Corridor", "Undefined"})
"""As IOM spells them."""
EVERY_POINT = "POINTS"
"""``geo`` of the sum over points, by nationality."""
_COLUMNS = ["t", "fmp", "fmp_country", "route", "nat", "n"]


def parse(raw: RawFile) -> Parsed:
    """Tabulate observed movements by month and point, and by nationality over all points.

    Returns:
        Series ``detections.<corridor>.<point>._T.M``, ``detections.<corridor>.POINTS.<citizen>.M`` and their sum.

    Raises:
        SourceError: The file is broken, or more than one row in twenty is no count of a known point and route.
    """
    frame = read_rda(raw, "dtm_ehoa_nat", _COLUMNS)[_COLUMNS]
    frame = frame[~frame["route"].isin(OTHER_ROUTES)]
    month = month_of_epoch_days(frame["t"])
    reading = Reading(raw, SOURCE_ID, LAG_DAYS)
    good = reading.keep(
        frame,
        RowRule("route", _("the route is none that is known"), ~frame["route"].isin(list(ROUTES))),
        RowRule("fmp", _("the point has no name"), frame["fmp"].isna()),
        *month_rules(frame, month),
    )
    rows = pd.DataFrame(
        {
            "route_id": good["route"].map(ROUTES),
            "geo": good["fmp_country"].astype(str) + "_" + good["fmp"].map(_code),
            "citizen": map_countries(good["nat"], raw.name),
            "time_period": month[good.index].astype(str),
            "obs_value": to_numbers(good["n"]),
        }
    )
    parts = [rows.assign(citizen=ALL), rows.assign(geo=EVERY_POINT), rows.assign(geo=EVERY_POINT, citizen=ALL)]
    keys = ["route_id", "geo", "citizen", "time_period"]
    tidy = pd.concat(parts).groupby(keys)["obs_value"].sum().reset_index()
    return reading.parsed(tidy, target="detections", freq="M")


def _code(name: str) -> str:
    """Code of a point: ``ALI_ADDE`` for "Ali Adde"."""
    return re.sub(r"[^A-Z0-9]+", "_", unaccented(name).upper()).strip("_")
