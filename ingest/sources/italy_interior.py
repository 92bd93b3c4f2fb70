"""Italy's Ministry of the Interior, "Cruscotto statistico": sea arrivals by day and by citizenship, as read by onData.

Each fortnightly report repeats the days of its month; the latest report counts. Days after a report stand in it as
zeros: placeholders, no figures. The ministry does not revise days back, so every figure is provisional (months run 1
to 4 % below the consolidated ones).
"""

from __future__ import annotations

from functools import partial

import pandas as pd

from core.countries import map_countries
from core.languages import marked as _
from core.schema import ALL
from ingest import Parsed, Pull, RawFile, gather, get_file
from ingest.rows import (
    Reading,
    RowRule,
    count_rules,
    duplicate_rules,
    figure_rules,
    future_rule,
    require_rows,
    to_days,
    to_numbers,
)
from ingest.tables import read_csv, require_columns

SOURCE_ID = "italy_interior"
LAG_DAYS = 2
"""The dashboard comes out each working day with the days up to the day before; after a weekend that is two days. onData
keeps only the reports of the 15th and of the month's end, so a report's date is not the first day of knowledge."""

_ROUTE = {"target": "arrivals", "route_id": "CMR", "geo": "ITA"}


def download(pull: Pull) -> list[RawFile]:
    """Take onData's tables of the ministry's reports, by day and by citizenship."""
    return gather(pull, {name: partial(get_file, pull, pull.access.address(name)) for name in ("days", "citizenships")})


def parse(raw: RawFile) -> Parsed:
    """Tabulate daily arrivals, or monthly ones by citizenship.

    Returns:
        Series ``arrivals.CMR.ITA._T.D``, or ``arrivals.CMR.ITA.<citizen>.M`` as differences of the year-to-date figures
        at month ends. Set aside: impossible days, text in place of a count, placeholders that no later report replaced,
        and year-to-date figures that fell.

    Raises:
        SourceError: The file is broken, names an unknown country, or more than one row in twenty is bad.
    """
    frame = read_csv(raw, ["Data_Report", "Valore"])
    return _by_citizen(frame, raw) if "Nazione" in frame.columns else _by_day(frame, raw)


def _by_day(frame: pd.DataFrame, raw: RawFile) -> Parsed:
    require_columns(frame, ["Data"], raw.name)
    reading = Reading(raw, SOURCE_ID, LAG_DAYS)
    frame = frame[["Data", "Valore", "Data_Report"]]
    days, reports = to_days(frame["Data"]), to_days(frame["Data_Report"])
    placeholder = (days > reports) & frame["Valore"].isin(["0", ""])
    rows = frame[~placeholder]
    good = reading.keep(
        rows,
        RowRule("Data", _("the day does not exist"), days[rows.index].isna()),
        RowRule("Data_Report", _("the report's day does not exist"), reports[rows.index].isna()),
        *count_rules(rows["Valore"], "Valore"),
        RowRule("Valore", _("a figure for a day after its report"), (days > reports)[rows.index]),
        future_rule(reports[rows.index], "Data_Report"),
        *duplicate_rules(rows, ["Data", "Data_Report"], "Valore"),
    )
    latest = good.sort_values(["Data", "Data_Report"]).drop_duplicates("Data", keep="last")
    waiting = placeholder & ~frame["Data"].isin(latest["Data"])
    reading.keep(frame, RowRule("Valore", _("a placeholder for a day after the report"), waiting), tolerated=1)
    tidy = pd.DataFrame({"time_period": latest["Data"], "obs_value": to_numbers(latest["Valore"]), "obs_flag": "p"})
    return reading.parsed(tidy, citizen=ALL, freq="D", **_ROUTE)


def _by_citizen(frame: pd.DataFrame, raw: RawFile) -> Parsed:
    reports, reading = to_days(frame["Data_Report"]), Reading(raw, SOURCE_ID, LAG_DAYS)
    keys = ["Data_Report", "Nazione"]
    fault = _("the report's day does not exist")
    good = reading.keep(frame, *figure_rules(frame, reports, "Data_Report", "Valore", keys, fault=fault))
    citizens = map_countries(good["Nazione"], raw.name)
    month_ends = good[reports[good.index].dt.is_month_end].assign(citizen=citizens, value=to_numbers(good["Valore"]))
    require_rows(month_ends, raw.name)
    flows = _flows(month_ends)
    kept = reading.keep(flows, RowRule("Valore", _("the year-to-date figure fell"), flows["flow"] < 0), tolerated=1)
    tidy = kept.rename(columns={"flow": "obs_value"}).assign(obs_flag="p")
    return reading.parsed(tidy, freq="M", **_ROUTE)


def _flows(month_ends: pd.DataFrame) -> pd.DataFrame:
    """Monthly arrivals from year-to-date figures, indexed by the row of the later figure.

    A citizenship that was not named a month earlier has no flow. The rest ("altre") has one only where the same
    citizenships were named in both months, since it holds others otherwise.
    """
    month = pd.PeriodIndex(month_ends["Data_Report"], freq="M")
    named = month_ends.groupby("Data_Report")["citizen"].transform(lambda citizens: " ".join(sorted(citizens)))
    rows = month_ends.assign(month=month, named=named)
    before = rows.assign(month=rows["month"] + 1)[["month", "citizen", "value", "named"]]
    joined = rows.reset_index().merge(before, on=["month", "citizen"], how="left", suffixes=("", "_before"))
    joined = joined.set_index("index").rename_axis(index=None)
    january = joined["month"].dt.month == 1
    joined["flow"] = joined["value"] - joined["value_before"].mask(january, 0.0)
    comparable = (joined["citizen"] != "OTH") | january | (joined["named"] == joined["named_before"])
    flows = joined[comparable & joined["flow"].notna()]
    dated: pd.DataFrame = flows.assign(time_period=flows["month"].astype(str))
    return dated[["time_period", "citizen", "flow", "Valore"]]
