"""United Kingdom, Home Office: people on asylum support in accommodation at each quarter's end, by region and kind."""

from __future__ import annotations

import pandas as pd

from core.countries import region_codes
from core.languages import marked as _
from core.schema import ALL, NOT_APPLICABLE
from ingest import Parsed, RawFile
from ingest.rows import Reading, RowRule, epoch_days, figure_rules, flags, to_numbers
from ingest.sources import LABELS
from ingest.tables import read_rda

SOURCE_ID = "uk_asylum_support"
LAG_DAYS = 60
"""The quarterly immigration statistics come out in the last week of the second month after the quarter."""
KINDS: dict[str, str] = LABELS[SOURCE_ID]["kinds"]
"""Before 2023 everybody in first accommodation counts as that, in hotels or elsewhere."""
_NO_PLACE_NEEDED = "subsistence only"
_WITHOUT_REGION = ("Unknown", "N/A -")
_BREAK = "2022-Q4"
_COLUMNS = ["Date", "Nationality", "Support Type", "Accommodation Type", "UK Region", "People"]


def parse(raw: RawFile) -> Parsed:
    """Tabulate people in accommodation at quarter ends.

    Returns:
        Series ``reception.GBR._T.Q``, ``reception.GBR-<region>._T.Q`` and ``reception_<kind>.GBR._T.Q``.

    Raises:
        SourceError: The file is broken, or more than one row in twenty is no count of a known kind and region.
    """
    frame = read_rda(raw, "support_received", _COLUMNS)[_COLUMNS]
    frame = frame[frame["Accommodation Type"].str.casefold() != _NO_PLACE_NEEDED]
    days, codes = epoch_days(frame["Date"]), region_codes("GBR")
    ends = days.where(days.dt.is_quarter_end)
    places = frame["UK Region"].str.casefold().map(codes)
    nowhere = frame["UK Region"].str.startswith(_WITHOUT_REGION)
    reading = Reading(raw, SOURCE_ID, LAG_DAYS)
    good = reading.keep(
        frame,
        RowRule(
            "Accommodation Type", _("unknown kind of accommodation"), ~frame["Accommodation Type"].isin(list(KINDS))
        ),
        RowRule("UK Region", _("unknown region"), places.isna() & ~nowhere),
        *figure_rules(frame, ends, "Date", "People", fault=_("not the last day of a quarter")),
    )
    rows = pd.DataFrame(
        {
            "time_period": days[good.index].dt.to_period("Q").astype(str).str.replace("Q", "-Q"),
            "geo": places[good.index],
            "target": "reception_" + good["Accommodation Type"].map(KINDS),
            "obs_value": to_numbers(good["People"]),
        }
    )
    parts = [
        rows.assign(target="reception", geo="GBR"),
        rows.dropna(subset="geo").assign(target="reception"),
        rows.assign(geo="GBR"),
    ]
    tidy = pd.DataFrame(pd.concat(parts).groupby(["target", "geo", "time_period"], as_index=False)["obs_value"].sum())
    is_whole = (tidy["target"] == "reception") & (tidy["geo"] == "GBR")
    tidy["obs_flag"] = flags((tidy["time_period"] == _BREAK) & ~is_whole, "b")
    return reading.parsed(tidy, route_id=NOT_APPLICABLE, citizen=ALL, freq="Q")
