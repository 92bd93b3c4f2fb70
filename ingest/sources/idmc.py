"""New internal displacements by country and month, conflict and disaster together (IDMC)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.countries import map_countries
from core.errors import SourceError, message
from core.languages import marked as _
from ingest import Parsed, Pull, RawFile, Request, json_table
from ingest.rows import Reading, RowRule, count_rules, duplicate_rules, melt, newest, since, to_days
from ingest.tables import read_csv, refuse_wrong_kind

SOURCE_ID = "idmc"
LAG_DAYS = 30

FEED_SINCE = "2025-06"
"""From this month the figures come from a rolling feed that drops long events: they are marked estimated."""
_PERIOD = ""
"""The first header cell is blank."""


PREPARING, MISSING = 202, 404
QUESTIONS, SECONDS = 6, 10.0
"""Times that the feed is asked for while IDMC prepares it, and seconds between them."""


def download(pull: Pull) -> list[RawFile]:
    """Take the feed of the last 180 days. It answers only to client names that IDMC has put on its list.

    IDMC redirects to a file in its storage (github.com/idmc-labs/helix-server, ``apps/entry/views.py``).

    Raises:
        SourceError: IDMC still prepares the file, or has none.
    """
    request = Request(
        pull.access.address("feed"),
        (("format", "json"),),
        token_query="client_id",  # noqa: S106  # the name of a parameter, not a key
        expected=frozenset({PREPARING, MISSING}),
    )
    for _question in range(QUESTIONS):
        answer = pull.ask(request)
        if answer.status == MISSING:
            raise SourceError(FEED, _("IDMC has no file at the moment: ask again later"))
        if answer.status != PREPARING:
            return [RawFile(FEED, answer.content)]
        pull.wait(SECONDS)
    raise SourceError(FEED, _("IDMC is still preparing the file: ask again later"))


def parse(raw: RawFile) -> Parsed:
    """Read the compiled history or the live feed.

    The history has one line per month and one column per country; a blank is no figure, never a zero. The newest month
    of history and feed is incomplete and marked provisional.

    Raises:
        SourceError: The layout is broken.
    """
    if raw.name == "Hist_original.csv":
        raise raw.fault(_("another build of the same history with other levels: use {file}"), file="Hist.csv")
    reading = Reading(raw, SOURCE_ID, LAG_DAYS)
    cells = read_feed(reading) if raw.name == FEED else _read_history(raw)
    late = cells["time_period"] >= FEED_SINCE
    flagged = cells.assign(obs_flag=np.where(newest(cells["time_period"], 1), "p", np.where(late, "e", "")))
    return reading.figures(since(flagged), counts=True, target="new_displacement")


def _read_history(raw: RawFile) -> pd.DataFrame:
    wide = read_csv(raw, [_PERIOD, "AFG"])
    codes = [column for column in wide.columns if column not in (_PERIOD, ABYEI)]
    if not wide[_PERIOD].is_monotonic_increasing:
        raise raw.fault(_("the months are out of order: were rows moved?"))
    geo = map_countries(pd.Series(codes, index=codes, name="header"), raw.name)
    cells = melt(wide, _PERIOD, codes, {""})
    return cells.assign(geo=cells["name"].map(geo))


ABYEI = "AB9"
"""IDMC's own code for Abyei, disputed between Sudan and South Sudan: it has no ISO code and is left out."""
FEED = "idus-last-180-days.json"
RECOMMENDED = "Recommended figure"
ROLES = (RECOMMENDED, "Triangulation")
"""IDMC counts the recommended figure of an event; its other figures are alternatives to it."""
LONGEST_MONTHS = 2
"""Events that span more calendar months belong to none of them."""
_FEED_COLUMNS = ["id", "iso3", "role", "figure", "displacement_start_date", "displacement_end_date"]


def read_feed(reading: Reading) -> pd.DataFrame:
    """Add up the recommended figures of events by country and month of their end.

    The feed reaches 180 days back: its first month is incomplete and is left out.

    Returns:
        ``geo``, ``time_period`` and ``value``; events are set aside without places.

    Raises:
        SourceError: The layout is broken, or too many events cannot be right.
    """
    refuse_wrong_kind(reading.raw)
    feed = json_table(reading.raw, _FEED_COLUMNS)
    fault = message(_("the role of the figure is none of {known}"), known=", ".join(ROLES))
    known = reading.keep(feed, RowRule("role", fault, ~feed["role"].isin(ROLES)))
    events = known[(known["role"] == RECOMMENDED) & (known["iso3"] != ABYEI)]
    starts, ends = (to_days(events[f"displacement_{name}_date"], timed=True) for name in ("start", "end"))
    rules = [*count_rules(events["figure"], "figure"), *duplicate_rules(events, ["id"], "figure")]
    sums = reading.events(
        events, starts, ends, "iso3", "figure", *rules, most_months=LONGEST_MONTHS,
        too_long=_("the event spans more than two months"),
    )  # fmt: skip
    return sums[sums["time_period"] > str(ends.min().to_period("M"))]
