"""INFORM Risk Index by country and year, 0 (low) to 10 (high), with its three dimensions (European Commission, JRC).

Every release computes the trend of ten years anew by its own method, so that earlier releases are not comparable. The
index of a year is published before or during that year; it counts as known at the year's end.
"""

from __future__ import annotations

import datetime as dt
import re

import pandas as pd

from core.countries import map_countries
from core.errors import SourceError
from core.languages import marked as _
from ingest import Parsed, Pull, RawFile, Request, SourceAccess, SourceCard
from ingest.answers import as_file, json_body, json_table
from ingest.rows import RowRule, require_rows, set_aside, since, to_numbers, to_observations
from ingest.tables import read_csv, refuse_wrong_kind, require_columns

SOURCE_ID = "inform_risk"
RAW_FILES: tuple[str, ...] = ()
LAG_DAYS = 0

CARD = SourceCard(
    source_id=SOURCE_ID,
    publisher=_("INFORM, European Commission, Joint Research Centre"),
    dataset=_("INFORM Risk Index, trends of ten years"),
    url="https://drmkc.jrc.ec.europa.eu/inform-index/INFORM-Risk",
    licence=_("CC BY 4.0 (Commission Decision 2011/833/EU on the reuse of documents)"),
    licence_url="https://commission.europa.eu/legal-notice_en",
    redistribution=True,
    citation="INFORM (European Commission, Joint Research Centre, DRMKC), INFORM Risk Index.",
    rhythm=_("Twice a year."),
    expected_days=400,
    known_issues=[
        _("Every release computes ten years anew by its own method: releases are not comparable."),
        _("The index of a year counts as known at its end, although it is published earlier."),
        _("Nothing of this source is bundled."),
    ],
)
ACCESS = SourceAccess(
    source_id=SOURCE_ID,
    addresses={
        "workflows": "https://drmkc.jrc.ec.europa.eu/inform-index/API/InformAPI/Workflows/GetByYear",
        "trends": "https://drmkc.jrc.ec.europa.eu/inform-index/API/InformAPI/countries/trends/",
    },
    evidence={
        "addresses.workflows": "github.com/awne8886/godseye, 2026-09-30: status 200, WorkflowId 515",
        "addresses.trends": (
            "github.com/OCHA-DAP/ds-cerf-3rm-app, 2026-10-06: the default workflow's trends hold 2026 only"
        ),
    },
)

TARGETS = {
    "INFORM": "inform_risk",
    "HA": "inform_hazard_and_exposure",
    "VU": "inform_vulnerability",
    "CC": "inform_lack_of_coping_capacity",
}
"""Indicators that are read; the trends also hold their components where the publisher adds them."""
_OTHER_INDICATOR = r"[A-Z]{2,8}([._-][A-Z0-9]+)*"
"""How the publisher writes the code of any indicator."""
_YEARS_BACK = 3
NO_YEAR = ("0", "")
"""What the interface writes where a row belongs to no year."""
_COLUMNS = ["Iso3", "GNAYear", "IndicatorId", "IndicatorScore"]
_NO_SERIES = "ValidityYear"
_NAMES_OF_INDICATORS = ("full_name",)
"""Columns that are called as if they named people, and name indicators."""


def download(pull: Pull) -> list[RawFile]:
    """Take the trends of the newest release, by its workflow: the default one may hold a year that lies ahead alone.

    Raises:
        SourceError: No release of the last years has a year that has begun.
    """
    this_year = pull.today.year
    for year in range(this_year, this_year - _YEARS_BACK, -1):
        for workflow in _workflows(pull, year):
            request = Request(pull.access.address("trends"), (("WorkflowId", str(workflow)),))
            file = as_file(pull.ask(request), f"inform-trends-{workflow}.json")
            years = to_numbers(json_table(file, ["GNAYear"])["GNAYear"])
            if years.between(1, this_year).any():
                return [file]
    raise SourceError(pull.access.address("workflows"), _("no release of the last years has a year that has begun"))


def _workflows(pull: Pull, year: int) -> list[int]:
    """Numbers of a year's releases of the index, the newest first; the publisher lists those of other models too."""
    answer = pull.ask(Request(pull.access.address("workflows", str(year)), expected=frozenset({404})))
    listed = json_body(answer) if answer.status != 404 else []
    found = [
        (str(one.get("WorkflowDate")), one["WorkflowId"])
        for one in (listed if isinstance(listed, list) else [listed])
        if isinstance(one, dict) and type(one.get("WorkflowId")) is int and _is_index(str(one.get("Name", "")))
    ]
    return [number for _date, number in sorted(found, reverse=True)]


def _is_index(name: str) -> bool:
    return not name or re.fullmatch(r"INFORM Risk( Mid)? \d{4}.*", name) is not None


def parse(raw: RawFile) -> Parsed:
    """Read one row per country, year and indicator. Rows without a year, and the year to come, are set aside.

    Raises:
        SourceError: The layout is broken, or the file is the list of scores, whose values belong to different years.
    """
    texts = _read(raw)
    others = texts["IndicatorId"].str.fullmatch(_OTHER_INDICATOR) & ~texts["IndicatorId"].isin(TARGETS)
    wanted = texts[~others]
    if not texts["IndicatorId"].isin(TARGETS).any():
        raise SourceError(
            raw.name, _("no row of the indicators {known}"), column="IndicatorId", known=", ".join(TARGETS)
        )
    years = wanted["GNAYear"].str.strip().str.replace(r"\.0$", "", regex=True)
    next_year = str(dt.datetime.now(dt.UTC).year + 1)
    rules = [
        RowRule("GNAYear", _("the row belongs to no year"), years.isin(NO_YEAR)),
        RowRule("GNAYear", _("the year has not begun"), years == next_year),
    ]
    good, aside = set_aside(wanted, rules, source_id=SOURCE_ID, file=raw.name, tolerated=1)
    require_rows(good, raw.name)
    scores = good["IndicatorScore"].str.strip()
    outside = to_numbers(scores).gt(10)
    rules = [
        RowRule("IndicatorId", _("not the code of an indicator"), ~good["IndicatorId"].isin(TARGETS)),
        RowRule("IndicatorScore", _("the score is above 10"), outside),
    ]
    good, wrong = set_aside(good, rules, source_id=SOURCE_ID, file=raw.name)
    cells = pd.DataFrame(
        {
            "time_period": years[good.index],
            "geo": map_countries(good["Iso3"], raw.name),
            "target": good["IndicatorId"].map(TARGETS),
            "value": scores[good.index],
        }
    )
    figures = since(cells[cells["value"] != ""])
    parsed = to_observations(raw, figures, source_id=SOURCE_ID, lag_days=LAG_DAYS, counts=True, whole=False, freq="A")
    return parsed.with_aside(aside, wrong)


def _read(raw: RawFile) -> pd.DataFrame:
    refuse_wrong_kind(raw)
    if raw.content.lstrip()[:1] in (b"[", b"{"):
        return json_table(raw, _COLUMNS)
    frame = read_csv(raw, [], tolerated=_NAMES_OF_INDICATORS)
    if _NO_SERIES in frame and "GNAYear" not in frame:
        raise SourceError(raw.name, _("a list of scores whose values belong to different years: use the trends"))
    require_columns(frame, _COLUMNS, raw.name, tolerated=_NAMES_OF_INDICATORS)
    return frame[_COLUMNS]
