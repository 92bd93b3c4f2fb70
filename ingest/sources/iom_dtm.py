"""IOM Displacement Tracking Matrix: monthly arrivals per country, and by citizenship (package gdidata).

Before each country's first month the table holds annual totals, dated December: they become annual series. Spain's
months of 2015 and 2016 leave out what only the year's total holds (put into December), so its months start in 2017.
Malta's few rows of 2015 to 2017 are running totals too (July 2015 holds January to July), so its months start in 2018.

A month without arrivals is simply absent from the file: no row is made up here (see ``ingest.routes``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.countries import map_countries
from core.errors import message
from core.languages import marked as _
from core.release import REJECTED
from core.schema import ALL
from ingest import Parsed, RawFile
from ingest.rows import TOLERATED, Reading, RowRule, month_of_epoch_days, month_rules, to_numbers
from ingest.sources import LABELS
from ingest.tables import read_rda

SOURCE_ID = "iom_dtm"
LAG_DAYS = 25
"""IOM gathers the ministries' figures in the first half of the next month; the compiled table with December 2024 was
public on 5 February 2025. 25 days keep the whole month known at the end of the next one."""

PLACES: dict[str, tuple[str, str, str]] = LABELS[SOURCE_ID]["places"]
"""IOM's place -> route_id, geo, first month that is a month. Plain ``ESP`` is the sum of its two routes."""
EVENED_OUT = [("CYP", f"{year}-0{month}") for year in (2017, 2018) for month in range(1, 6)]
"""Places and months among which a place's arrivals were spread evenly: a sum that IOM had, and no counts."""
CITIZENS_FROM = {"GRC": "2016-01"}
"""By citizenship, Greece's only month of 2015 (December) holds the whole year."""


def parse(raw: RawFile) -> Parsed:
    """Tabulate arrivals per country of arrival, or by citizenship where the file is ``dtm_med_nat.rda``.

    Returns:
        Series ``arrivals.<route>.<country>._T.M`` and ``.A``, or ``arrivals.<route>.<country>.<citizen>.M``. Set aside:
        Bulgaria's cumulative rows of 2015, Greece's by citizenship of December 2015, negative corrections by
        citizenship (the month's others are flagged ``e``), and all Spanish rows by citizenship, which IOM took from
        Frontex, whose terms forbid passing them on (named in one line, without their figures).

    Raises:
        SourceError: The file is broken; a row of ``dtm_med`` is no plausible figure of a known place; or more than one
            row in twenty of ``dtm_med_nat`` is not.
    """
    if "nat" in raw.name:
        return _by_citizen(raw)
    reading = Reading(raw, SOURCE_ID, LAG_DAYS)
    frame = _checked(read_rda(raw, "dtm_med", ["t", "geo", "n"]), reading, [], tolerated=0)
    before = frame["time_period"] < frame["first_month"]
    cumulative = RowRule("n", _("a cumulative figure of 2015, no month"), before & (frame["geo"] == "BGR"))
    kept = reading.keep(frame, cumulative, tolerated=1)
    early = kept[kept["time_period"] < kept["first_month"]]
    monthly = kept.drop(early.index).assign(freq="M")
    early = early.assign(freq="A", time_period=early["time_period"].str[:4])
    annual = early.groupby(["route_id", "place", "freq", "time_period"], as_index=False)["n"].sum()
    return reading.parsed(_named(pd.concat([monthly, annual]).assign(citizen=ALL)), target="arrivals")


def _by_citizen(raw: RawFile) -> Parsed:
    frame = read_rda(raw, "dtm_med_nat", ["t", "geo", "nat", "n"])
    spanish = frame["geo"].astype(object).fillna("").astype(str).str.startswith("ESP")
    reading = Reading(raw, SOURCE_ID, LAG_DAYS)
    if spanish.any():
        reading.rejected.append(_left_out(raw.name, int(spanish.sum())))
    good = _checked(frame[~spanish], reading, ["nat"], tolerated=TOLERATED)
    first = good["geo"].map(CITIZENS_FROM).fillna("")
    whole_year = RowRule("n", _("the figure of a whole year, no month"), good["time_period"] < first)
    kept = reading.keep(good, whole_year, tolerated=1)
    tidy = kept.assign(citizen=map_countries(kept["nat"], raw.name), freq="M")
    negative = pd.MultiIndex.from_frame(frame.loc[to_numbers(frame["n"]) < 0, ["geo", "t"]])
    corrected = pd.MultiIndex.from_frame(tidy[["geo", "t"]]).isin(negative)
    tidy = tidy.assign(obs_flag=np.where(corrected, "e", ""))
    keys = ["route_id", "place", "citizen", "freq", "time_period", "obs_flag"]
    tidy = tidy.groupby(keys, as_index=False).agg(n=("n", "sum"))
    return reading.parsed(_named(tidy), target="arrivals")


def _checked(table: pd.DataFrame, reading: Reading, further_keys: list[str], *, tolerated: float) -> pd.DataFrame:
    """Good rows with ``time_period``, ``route_id``, ``place`` and ``first_month`` added."""
    month = month_of_epoch_days(table["t"])
    frame = table[["t", "geo", *further_keys, "n"]].assign(geo=table["geo"].astype(object).fillna("").astype(str))
    good = reading.keep(
        frame,
        RowRule("geo", _("unknown place of arrival"), ~frame["geo"].isin(list(PLACES))),
        *month_rules(frame, month, ["geo", *further_keys, "t"]),
        tolerated=tolerated,
    )
    places = pd.DataFrame.from_dict(PLACES, orient="index", columns=["route_id", "place", "first_month"])
    good = good.assign(n=to_numbers(good["n"]), time_period=month[good.index].astype(str))
    return good.join(places, on="geo")


def _named(tidy: pd.DataFrame) -> pd.DataFrame:
    """The figures by their names in the contract; those that were spread evenly over months are flagged ``e``."""
    columns = ["route_id", "place", "citizen", "freq", "time_period", "n"]
    named = tidy[columns].rename(columns={"place": "geo", "n": "obs_value"})
    evened = pd.MultiIndex.from_frame(named[["geo", "time_period"]]).isin(EVENED_OUT)
    return named.assign(obs_flag=np.where(evened, "e", tidy.get("obs_flag", "")))


def _left_out(file: str, rows: int) -> pd.DataFrame:
    rule = message(_("rows on Spain from Frontex, whose terms forbid passing them on, are left out: {n}"), n=rows)
    record = [SOURCE_ID, file, "all of ESP", "geo", str(rule), "", rule.to_json()]
    return pd.DataFrame([record], columns=list(REJECTED.columns), dtype=object)
