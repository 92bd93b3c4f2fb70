"""IDMC's other tables: the live feed of updates (IDU), and yearly flows and stocks of its global database (GIDD)."""

from __future__ import annotations

import pandas as pd

from core.countries import map_countries
from core.errors import SourceError, message
from core.languages import marked as _
from ingest.exchange import json_table
from ingest.figures import since
from ingest.frames import RowRule, count_rules, duplicate_rules, require_rows, set_aside
from ingest.raw import RawFile
from ingest.tables import as_texts, read_rda, refuse_wrong_kind

ABYEI = "AB9"
"""IDMC's own code for Abyei, disputed between Sudan and South Sudan: it has no ISO code and is left out."""
FEED = "idus-last-180-days.json"
RECOMMENDED = "Recommended figure"
ROLES = (RECOMMENDED, "Triangulation")
"""IDMC counts the recommended figure of an event; its other figures are alternatives to it."""
LONGEST_MONTHS = 2
"""Events that span more calendar months belong to none of them."""
CONFLICT = "conflict"
_FEED_COLUMNS = ["id", "iso3", "role", "figure", "displacement_start_date", "displacement_end_date"]
_DAY = r"(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}"


def read_feed(raw: RawFile, source_id: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add up the recommended figures of events by country and month of their end.

    The feed reaches 180 days back: its first month is incomplete and is left out.

    Args:
        raw: The feed.
        source_id: For the rows set aside.

    Returns:
        ``geo``, ``time_period`` and ``value``; and the events set aside, without places.

    Raises:
        SourceError: The layout is broken, or too many events cannot be right.
    """
    refuse_wrong_kind(raw)
    feed = json_table(raw, _FEED_COLUMNS)
    role = RowRule(
        "role",
        message(_("the role of the figure is none of {known}"), known=", ".join(ROLES)),
        ~feed["role"].isin(ROLES),
    )
    known, unknown = set_aside(feed, [role], source_id=source_id, file=raw.name)
    events = known[(known["role"] == RECOMMENDED) & (known["iso3"] != ABYEI)]
    starts, ends = _days(events["displacement_start_date"]), _days(events["displacement_end_date"])
    no_end = ends.isna() | (ends < starts)
    rules = [
        RowRule("displacement_start_date", _("the day is impossible"), starts.isna()),
        RowRule("displacement_end_date", _("the day is impossible, or lies before the first"), no_end),
        *count_rules(events["figure"], "figure"),
        *duplicate_rules(events, ["id"], "figure"),
    ]
    good, rejected = set_aside(events, rules, source_id=source_id, file=raw.name)
    require_rows(good, raw.name)
    months = _months(ends[good.index]) - _months(starts[good.index]) + 1
    too_long = RowRule("displacement_end_date", _("the event spans more than two months"), months > LONGEST_MONTHS)
    kept, apart = set_aside(good, [too_long], source_id=source_id, file=raw.name, tolerated=1)
    require_rows(kept, raw.name)
    cells = pd.DataFrame(
        {
            "geo": map_countries(kept["iso3"], raw.name),
            "time_period": ends[kept.index].dt.to_period("M").astype(str),
            "value": kept["figure"].astype(float).astype(int),
        }
    )
    whole = cells[cells["time_period"] > str(ends.min().to_period("M"))]
    sums = whole.groupby(["geo", "time_period"], as_index=False).agg(value=("value", "sum"))
    return sums, pd.concat([unknown, rejected, apart], ignore_index=True)


def read_yearly(raw: RawFile, source_id: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add up a yearly table (``idmc_flows`` or ``idmc_stocks``) by country and cause: conflict, or any disaster.

    Args:
        raw: The R data file, named as its table.
        source_id: For the rows set aside.

    Returns:
        ``geo``, ``time_period`` (years), ``target`` and ``value``; and the rows set aside.

    Raises:
        SourceError: The layout is broken, or too many rows cannot be right.
    """
    name = raw.name.rpartition(".")[0]
    if name not in ("idmc_flows", "idmc_stocks"):
        raise SourceError(
            raw.name,
            _("the file must be named {example} or {other}, as its table is"),
            example="idmc_flows.rda",
            other="idmc_stocks.rda",
        )
    groups = ["sex", "age"] if name == "idmc_stocks" else []
    keys = ["geo", "t", "cause", *groups]
    texts = as_texts(read_rda(raw, name, [*keys, "n"])[[*keys, "n"]])
    rules = [*count_rules(texts["n"], "n"), *duplicate_rules(texts, keys, "n")]
    good, rejected = set_aside(texts, rules, source_id=source_id, file=raw.name)
    named = good[good["geo"] != ABYEI]
    require_rows(named, raw.name)
    what = "internally_displaced" if groups else "new_displacement"
    cause = named["cause"].map(lambda text: CONFLICT if text == CONFLICT else "disaster")
    cells = pd.DataFrame(
        {
            "geo": map_countries(named["geo"], raw.name),
            "time_period": named["t"],
            "target": what + "_" + cause,
            "value": named["n"].astype(float).astype(int),
        }
    )
    sums = since(cells).groupby(["target", "geo", "time_period"], as_index=False).agg(value=("value", "sum"))
    return sums, rejected


def _days(text: pd.Series) -> pd.Series:
    day = text.str.strip().str[:10]
    return pd.to_datetime(day.where(day.str.fullmatch(_DAY)), format="%Y-%m-%d", errors="coerce")


def _months(days: pd.Series) -> pd.Series:
    months: pd.Series = days.dt.year * 12 + days.dt.month
    return months
