"""News reports about displacement by country and month (GDELT DOC 2.0): how many, and how many of a million.

A signal of attention, not of movement: optional, and asked only by name. The interface refuses more than one question
in five seconds, sometimes with a sentence and status 200.
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

import pandas as pd

from core.countries import country_code, to_alpha3
from core.errors import InputError, SourceError
from core.languages import marked as _
from ingest import SETTING, Answer, Parsed, Pull, RawFile, Request, SourceAccess, SourceCard
from ingest.answers import gather, json_body, json_table
from ingest.rows import (
    RowRule,
    duplicate_rules,
    flags,
    newest,
    require_rows,
    set_aside,
    to_dates,
    to_numbers,
    to_observations,
)
from ingest.tables import refuse_wrong_kind

SOURCE_ID = "gdelt"
RAW_FILES: tuple[str, ...] = ()
LAG_DAYS = 1

CARD = SourceCard(
    source_id=SOURCE_ID,
    publisher=_("The GDELT Project"),
    dataset=_("News reports about displacement by country and month (DOC 2.0)"),
    url="https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/",
    licence=_("Free for any use with citation of the GDELT Project"),
    licence_url="https://www.gdeltproject.org/about.html#termsofuse",
    redistribution=True,
    citation="The GDELT Project (www.gdeltproject.org), DOC 2.0 interface.",
    rhythm=_("Continuous."),
    expected_days=40,
    known_issues=[
        _("Attention of the press, not movement; translation and coverage change over time."),
        _("Asked only by name; addresses of data centres are often refused. Nothing of this source is bundled."),
    ],
)
ACCESS = SourceAccess(
    source_id=SOURCE_ID,
    addresses={"timeline": "https://api.gdeltproject.org/api/v2/doc/doc"},
    evidence={
        "addresses.timeline": "the package gdeltdoc 1.12.0, 2025-04: asks it",
    },
    unconfirmed=["options.since"],
    asked="by name",
    pause_seconds=6.5,
    options={
        "since": 2020,
        "tries": 5,
        "wait_seconds": 20,
        "queries": {
            "AFG": "(refugees OR migrants OR displaced) afghanistan",
            "SDN": "(refugees OR migrants OR displaced) sudan",
            "SYR": "(refugees OR migrants OR displaced) syria",
            "TUN": "(refugees OR migrants OR displaced) tunisia",
            "UKR": "(refugees OR migrants OR displaced) ukraine",
        },
    },
)

TOO_FAST = b"limit requests"
"""Part of the sentence with which the interface refuses."""
_FILE = re.compile(r"gdelt-([A-Z]{3})\.json")
_COLUMNS = ["date", "value", "norm"]
_TIME = r"(?:19|20)[0-9]{6}T[0-9]{6}Z"


def download(pull: Pull) -> list[RawFile]:
    """Ask for the timeline of every query of ``options.queries``, a year at a time.

    Raises:
        SourceError: The interface goes on refusing, or answers with anything but a timeline.
        InputError: A query is not named by a country's code.
    """
    queries = pull.access.option("queries", dict)
    for code in queries:
        if not country_code(str(code)):
            raise InputError(f"{SETTING}, {SOURCE_ID}: options.queries.{code}: no country's code")
    years = range(pull.access.whole("since"), pull.today.year + 1)
    return gather(pull, {code: partial(_timeline, pull, code, str(query), years) for code, query in queries.items()})


def _timeline(pull: Pull, code: str, query: str, years: range) -> RawFile:
    rows = [row for year in years for row in _year(pull, query, year)]
    return RawFile(f"gdelt-{code}.json", json.dumps(rows).encode())


def _year(pull: Pull, query: str, year: int) -> list[Any]:
    span = (("startdatetime", f"{year}0101000000"), ("enddatetime", f"{year}1231235959"))
    question = (("query", query), ("mode", "timelinevolraw"), ("format", "json"), *span)
    answer = _patiently(pull, Request(pull.access.address("timeline"), question))
    body = json_body(answer)
    timeline = body.get("timeline") if isinstance(body, dict) else None
    series = timeline[0] if isinstance(timeline, list) and len(timeline) == 1 else None
    if not isinstance(series, dict) or not isinstance(series.get("data"), list):
        raise SourceError(answer.url, _("no timeline with one series"))
    return list(series["data"])


def _patiently(pull: Pull, request: Request) -> Answer:
    for _attempt in range(pull.access.whole("tries")):
        answer = pull.ask(request)
        if TOO_FAST not in answer.content[:400]:
            return answer
        pull.wait(pull.access.whole("wait_seconds"))
    raise SourceError(request.url, _("GDELT refuses: it asks for fewer requests"))


def parse(raw: RawFile) -> Parsed:
    """Add up a country's timeline by month: ``value`` reports of ``norm`` that GDELT saw in all.

    The newest month is provisional.

    Raises:
        SourceError: The layout is broken, or the file is not named after a country.
    """
    named = _FILE.fullmatch(raw.name)
    if not named:
        raise SourceError(raw.name, _("a timeline must be named such as {example}"), example="gdelt-SYR.json")
    refuse_wrong_kind(raw)
    texts = json_table(raw, _COLUMNS)
    times = to_dates(texts["date"], _TIME, "%Y%m%dT%H%M%SZ")
    counts = {name: texts[name].str.fullmatch(r"[0-9]{1,12}") for name in ("value", "norm")}
    rules = [
        RowRule("date", _("the time is impossible"), times.isna()),
        *(RowRule(name, _("the figure is not a count"), ~sound) for name, sound in counts.items()),
        *duplicate_rules(texts, ["date"], "value"),
    ]
    good, aside = set_aside(texts, rules, source_id=SOURCE_ID, file=raw.name)
    require_rows(good, raw.name)
    sums = _by_month(good, times[good.index])
    geo = to_alpha3(named[1])
    parsed = to_observations(raw, sums, source_id=SOURCE_ID, lag_days=LAG_DAYS, counts=True, geo=geo)
    return parsed.with_aside(aside)


def _by_month(timeline: pd.DataFrame, times: pd.Series) -> pd.DataFrame:
    sums = timeline[["value", "norm"]].apply(to_numbers).groupby(times.dt.to_period("M").astype(str)).sum()
    seen = sums[sums["norm"] > 0]
    reports = pd.DataFrame({"time_period": seen.index, "target": "news_reports", "value": seen["value"]})
    share = (seen["value"] / seen["norm"] * 1e6).round(3)
    shares = reports.assign(target="news_reports_per_million", value=share)
    cells = pd.concat([reports, shares], ignore_index=True)
    return cells.assign(obs_flag=flags(newest(cells["time_period"], 1)))
