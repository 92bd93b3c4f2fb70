"""Internally displaced persons by country, from the survey rounds of IOM's Displacement Tracking Matrix (interface v3).

Stocks, counted when a round ends: months without a round have no figure. A country can have several operations, each
with its own rounds: where that is so, a month adds up the operations that reported in it and is marked estimated.
"""

from __future__ import annotations

import json
from functools import partial
from itertools import chain
from typing import Any

import pandas as pd

from core.countries import country_code
from core.errors import InputError, SourceError
from core.languages import marked as _
from ingest import SETTING, Parsed, Pull, RawFile, Request, SourceAccess, SourceCard
from ingest.answers import gather, json_body, json_table, require_announced
from ingest.rows import (
    RowRule,
    count_rules,
    flags,
    require_rows,
    set_aside,
    since,
    to_days,
    to_numbers,
    to_observations,
)
from ingest.tables import refuse_wrong_kind

SOURCE_ID = "iom_dtm_displacement"
RAW_FILES: tuple[str, ...] = ()
LAG_DAYS = 45
"""A round is published four to eight weeks after its end."""

CARD = SourceCard(
    source_id=SOURCE_ID,
    publisher=_("International Organization for Migration, Displacement Tracking Matrix"),
    dataset=_("Internally displaced persons by country and survey round (API v3)"),
    url="https://dtm.iom.int/data-and-analysis/dtm-api",
    licence=_("IOM DTM terms, not readable when written; HDX lists DTM tables under CC BY-IGO"),
    licence_url="https://dtm.iom.int/terms-and-conditions",
    redistribution="to be confirmed",
    citation="International Organization for Migration (IOM), Displacement Tracking Matrix (DTM), API v3.",
    rhythm=_("By survey round: every one to six months, differently in every country."),
    expected_days=120,
    known_issues=[
        _("Stocks at the end of a round, not flows; rounds differ in coverage."),
        _("Where a country has several operations, a month adds up those that reported in it and is marked estimated."),
        _("Needs a key (DTM_SUBSCRIPTION_KEY). Nothing of this source is bundled."),
    ],
)
ACCESS = SourceAccess(
    source_id=SOURCE_ID,
    addresses={"admin0": "https://dtmapi.iom.int/v3/displacement/admin0"},
    evidence={
        "addresses.admin0": "IOM's own package dtmapi 0.2.1, 2026-10-09: asks it, with a browser's name",
    },
    unconfirmed=["options.countries"],
    agent="browser",  # the gateway answers 403 to a library's name
    # Free at dtm-apim-portal.iom.int.
    token="DTM_SUBSCRIPTION_KEY",  # noqa: S106  # a variable's name, not a key
    asked="with token",
    options={
        "since": "2014-01-01",
        # Countries of origin and of transit of the routes; one question each. A country without a
        # round is named, and the others are taken.
        "countries": [
            "AFG",
            "BFA",
            "CMR",
            "TCD",
            "COD",
            "ETH",
            "IRQ",
            "LBY",
            "MLI",
            "MOZ",
            "NER",
            "NGA",
            "SOM",
            "SSD",
            "SDN",
            "SYR",
            "UKR",
            "YEM",
        ],
    },
)

KEY_HEADER = "Ocp-Apim-Subscription-Key"
COLUMNS = ["operation", "admin0Pcode", "numPresentIdpInd", "reportingDate", "roundNumber", "displacementReason"]


def download(pull: Pull) -> list[RawFile]:
    """Ask for the rounds of every country of ``options.countries``: the interface answers for one at a time.

    Raises:
        SourceError: A country's answer is an error, or holds no round.
        InputError: ``options.countries`` holds what is no country's code.
    """
    codes = [str(code) for code in pull.access.option("countries", list)]
    for code in codes:
        if not country_code(code):
            raise InputError(f"{SETTING}, {SOURCE_ID}: options.countries: '{code}' is no country's code")
    rows = list(chain.from_iterable(gather(pull, {code: partial(_rounds, pull, code) for code in codes})))
    return [RawFile("dtm-admin0.json", json.dumps(rows).encode())]


def _rounds(pull: Pull, code: str) -> list[Any]:
    query = (
        ("Admin0Pcode", code),
        ("FromReportingDate", pull.access.text("since")),
        ("ToReportingDate", pull.today.isoformat()),
    )
    answer = pull.ask(Request(pull.access.address("admin0"), query, token_header=KEY_HEADER))
    body = json_body(answer)
    if not isinstance(body, dict) or not isinstance(body.get("result"), list):
        raise SourceError(answer.url, _("no answer with a list '{name}'"), name="result")
    if body.get("isSuccess") is not True:
        error = str(body.get("errorMessages"))[:300]
        raise SourceError(answer.url, _("IOM answered with an error: {error}"), error=error)
    rows = body["result"]
    if not rows:
        raise SourceError(answer.url, _("no round of {code}: a fault, or take it out of options.countries"), code=code)
    require_announced(answer.url, len(rows), body.get("totalRecordsCount", len(rows)))
    return list(rows)


def parse(raw: RawFile) -> Parsed:
    """Take each operation's newest round of a month, over all reasons, and add up the operations of a country.

    Raises:
        SourceError: The layout is broken, or too many rows cannot be right.
    """
    refuse_wrong_kind(raw)
    texts = json_table(raw, COLUMNS)
    days = to_days(texts["reportingDate"], timed=True)
    geo = texts["admin0Pcode"].map({code: country_code(code) for code in texts["admin0Pcode"].unique()})
    keys = ["admin0Pcode", "operation", "reportingDate", "roundNumber", "displacementReason"]
    rules = [
        RowRule("reportingDate", _("the day is impossible"), days.isna()),
        RowRule("admin0Pcode", _("the place is no country"), geo == ""),
        RowRule("operation", _("the operation is not named"), texts["operation"].str.strip() == ""),
        *count_rules(texts["numPresentIdpInd"], "numPresentIdpInd"),
        RowRule("numPresentIdpInd", _("the row is listed twice"), texts.duplicated([*keys, "numPresentIdpInd"])),
        RowRule("numPresentIdpInd", _("different figures for the same round"), texts.duplicated(keys, keep=False)),
    ]
    good, aside = set_aside(texts, rules, source_id=SOURCE_ID, file=raw.name)
    require_rows(good, raw.name)
    cells = good.assign(geo=geo, day=days, persons=to_numbers(good["numPresentIdpInd"]))
    cells["time_period"] = cells["day"].dt.to_period("M").astype(str)
    sums = since(_by_month(cells))
    parsed = to_observations(
        raw, sums, source_id=SOURCE_ID, lag_days=LAG_DAYS, counts=True, target="internally_displaced"
    )
    return parsed.with_aside(aside)


def _by_month(rounds: pd.DataFrame) -> pd.DataFrame:
    operation = ["geo", "operation"]
    newest = rounds.groupby([*operation, "time_period"])["day"].transform("max")
    last = rounds[rounds["day"] == newest]
    sums = last.groupby(["geo", "time_period"], as_index=False).agg(value=("persons", "sum"))
    several = rounds.drop_duplicates(operation)["geo"].value_counts()
    estimated = sums["geo"].map(several) > 1
    return sums.assign(obs_flag=flags(estimated, "e"))
