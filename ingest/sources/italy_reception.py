"""Italy's Ministry of the Interior: people in reception at each month's end, by region and kind of centre.

Two transcriptions of the same reports can be read: onData's, which is bundled, and one that reaches back to 2017.
"""

from __future__ import annotations

from functools import partial

import pandas as pd

from core.countries import region_codes
from core.languages import marked as _
from core.schema import ALL, NOT_APPLICABLE
from ingest import Parsed, Pull, RawFile, gather, get_file
from ingest.rows import Reading, RowRule, count_rules, duplicate_rules, future_rule, require_rows, to_days, to_numbers
from ingest.sources import LABELS
from ingest.tables import read_csv, require_columns

SOURCE_ID = "italy_reception"
LAG_DAYS = 2
"""The ministry's report of a month's last day comes out on the next working days."""
KINDS = ("hotspots", "centres", "sai")
"""Hot spots at the landing places, reception centres, and the municipal network (SIPROIMI, since 2020 SAI)."""
_ONDATA: dict[str, str] = LABELS[SOURCE_ID]["ondata"]
_MONTH_ENDS: dict[str, str] = LABELS[SOURCE_ID]["month_ends"]
_NEW_REPORTS = pd.Timestamp("2019-06-01")
"""Reports from then on list kinds of centres; a later one without kinds holds the hot spots alone."""
_OTHER_PLACES = 0.25
"""Share of a column's people who stand in another region than in both neighbouring reports: another order of rows."""


def download(pull: Pull) -> list[RawFile]:
    """Take onData's table of the ministry's reports."""
    return gather(pull, {"reception": partial(get_file, pull, pull.access.address("reception"))})


def parse(raw: RawFile) -> Parsed:
    """Tabulate people in reception at month ends.

    Returns:
        Series ``reception.ITA._T.M``, ``reception.ITA-<region>._T.M`` and, from June 2019, one
        ``reception_<kind>.ITA._T.M`` for each of :data:`KINDS`. Set aside: reports that lack a region, hold the hot
        spots alone or repeat an earlier report's centres, and regions in another order than in the reports before and
        after.

    Raises:
        SourceError: The file is broken, or more than one row in twenty is no count of a known region.
    """
    reading = Reading(raw, SOURCE_ID, LAG_DAYS)
    frame = _checked(read_csv(raw, []), reading)
    copied = RowRule("day", _("the report repeats the centres of an earlier one"), _repeats(frame))
    short = RowRule("day", _("the report lacks a region"), frame.groupby("day")["geo"].transform("size") < len(_CODES))
    unkind = (frame["day"] >= _NEW_REPORTS) & (frame.groupby("day")[["centres", "sai"]].transform("sum") == 0).all(
        axis=1
    )
    alone = RowRule("day", _("the report holds the hot spots alone"), unkind)
    frame = reading.keep(frame, short, alone, copied, tolerated=1)
    moved = RowRule("sai", _("the report holds the regions in another order"), _in_another_order(frame))
    placed = reading.keep(frame, moved, tolerated=1)
    whole, regions = (rows[rows["day"].dt.is_month_end] for rows in (frame, placed))
    require_rows(whole, raw.name)
    sums = whole.groupby("day")[[*KINDS, "total"]].sum()
    by_kind = sums.loc[sums["centres"] > 0, list(KINDS)].melt(var_name="kind", value_name="total", ignore_index=False)
    parts = [
        sums.reset_index()[["day", "total"]].assign(target="reception", geo="ITA"),
        regions[["day", "geo", "total"]].assign(target="reception"),
        by_kind.reset_index().assign(geo="ITA", target=lambda rows: "reception_" + rows["kind"]),
    ]
    tidy = pd.concat(parts, ignore_index=True)
    tidy = tidy.assign(time_period=tidy["day"].dt.strftime("%Y-%m"), obs_value=tidy["total"])
    tidy = tidy[["target", "geo", "time_period", "obs_value"]]
    return reading.parsed(tidy, route_id=NOT_APPLICABLE, citizen=ALL, freq="M")


_CODES = region_codes("ITA")


def _checked(table: pd.DataFrame, reading: Reading) -> pd.DataFrame:
    """``day``, ``geo``, people by kind and ``total`` of each good row."""
    names = _MONTH_ENDS if "data_riferimento" in table.columns else _ONDATA
    require_columns(table, list(names), reading.raw.name)
    frame = table[list(names)].rename(columns=names)
    counts = [name for name in names.values() if name not in ("region", "day")]
    frame[counts] = frame[counts].replace("", "0")
    days, places = to_days(frame["day"]), frame["region"].str.strip().str.casefold()
    good = reading.keep(
        frame,
        RowRule("day", _("the day does not exist"), days.isna()),
        RowRule("region", _("unknown region"), ~places.isin(list(_CODES))),
        *(rule for name in counts for rule in count_rules(frame[name], name)),
        future_rule(days, "day"),
        *duplicate_rules(frame, ["day", "region"], "centres"),
    )
    numbers = good[counts].apply(to_numbers)
    if "siproimi" in numbers:
        numbers["sai"] += numbers.pop("siproimi")
    by_kind = numbers[list(KINDS)].sum(axis=1)
    old = numbers["total"].where(days[good.index] < _NEW_REPORTS, 0) if "total" in numbers else 0
    out = numbers.assign(
        day=days[good.index], geo=places[good.index].map(_CODES), total=by_kind.where(by_kind > 0, old)
    )
    return out.sort_values(["day", "geo"])


def _repeats(frame: pd.DataFrame) -> pd.Series:
    """Whether the centres of a row's report are those of an earlier one in every region; same index."""
    wide = frame.pivot_table(index="day", columns="geo", values="centres")
    return frame["day"].map(wide.duplicated() & (wide.sum(axis=1) > 0)).astype(bool)


def _in_another_order(frame: pd.DataFrame) -> pd.Series:
    """Whether a row's report has the network's people in other regions than both neighbouring ones; same index."""
    wide = frame.pivot_table(index="day", columns="geo", values="sai")
    people = wide.sum(axis=1)

    def moved(other: pd.DataFrame) -> pd.Series:
        return (wide - other).abs().sum(axis=1, min_count=1) / people > _OTHER_PLACES

    neighbours_agree = (wide.shift(1) - wide.shift(-1)).abs().sum(axis=1) / people < _OTHER_PLACES
    return frame["day"].map(moved(wide.shift(1)) & moved(wide.shift(-1)) & neighbours_agree).astype(bool)
