"""UNHCR's Refugee Population Statistics by origin and country of asylum: stocks, applications and decisions of a year.

Stocks are those of the year's end. Counts from 1 to 4 are rounded to 0 or 5. ``geo`` is the country of asylum,
``citizen`` the origin. Countries count persons or cases (families): cases stand in targets of their own, which end in
``_cases``. Decisions are those of all instances together, so that one person may have several.
"""

from __future__ import annotations

import json
from functools import partial

import pandas as pd

from core.countries import map_countries
from core.errors import SourceError
from core.languages import marked as _
from ingest import Parsed, Pull, RawFile, Request, SourceAccess, SourceCard
from ingest.answers import Page, all_rows, gather, json_body, json_table, whole_number
from ingest.rows import (
    RowRule,
    count_rules,
    duplicate_rules,
    flags,
    nothing_rejected,
    require_rows,
    set_aside,
    since,
    to_numbers,
    to_observations,
)
from ingest.tables import as_texts, read_rda, refuse_wrong_kind

SOURCE_ID = "unhcr_statistics"
RAW_FILES: tuple[str, ...] = ()
LAG_DAYS = 165
"""A year's figures come out in the middle of June, with UNHCR's Global Trends."""

CARD = SourceCard(
    source_id=SOURCE_ID,
    publisher=_("United Nations High Commissioner for Refugees"),
    dataset=_(
        "Refugee Population Statistics: stocks, asylum applications and decisions by origin and country of asylum"
    ),
    url="https://www.unhcr.org/refugee-statistics/",
    licence=_("CC BY 4.0, as stated by UNHCR's own R package; HDX lists CC BY-IGO"),
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    redistribution="to be confirmed",
    citation="UNHCR, Refugee Population Statistics Database.",
    rhythm=_("Yearly, in the middle of June; the first half of a year in October."),
    expected_days=545,
    known_issues=[
        _("Counts from 1 to 4 are rounded to 0 or 5."),
        _("Some countries count cases (families) instead of persons: those stand in targets that end in _cases."),
        _("New applications only; decisions are those of all instances together."),
        _("The newest year is provisional. Nothing of this source is bundled."),
    ],
)
ACCESS = SourceAccess(
    source_id=SOURCE_ID,
    addresses={"statistics": "https://api.unhcr.org/population/v1"},
    evidence={
        "addresses.statistics": "UNHCR's own package refugees 2025.12.1, 2026-06-25: asks the same",
    },
    options={
        "since": 2009,
    },
)

PER_PAGE = 10_000
STOCKS = {
    "refugees": "refugees",
    "asylum_seekers": "asylum_seekers",
    "oip": "others_in_need_of_protection",
}
"""Columns of ``population`` -> target. Internally displaced people come from ``idmc``."""
DECISIONS = {
    "dec_recognized": "asylum_decisions_recognised",
    "dec_other": "asylum_decisions_complementary",
    "dec_rejected": "asylum_decisions_rejected",
    "dec_total": "asylum_decisions",
}
APPLICATIONS = {"applied": "asylum_applications_new"}
DATASETS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "population": (STOCKS, ()),
    "asylum-applications": (APPLICATIONS, ("procedure_type", "app_type", "dec_level", "app_pc")),
    "asylum-decisions": (DECISIONS, ("procedure_type", "dec_level", "dec_pc")),
}
"""Dataset -> its columns of figures, and the dimensions over which they are added up."""
NEW_APPLICATION = "N"
"""Type of application that starts a claim; the others repeat, reopen or appeal."""
OTHER_APPLICATIONS = ("A", "FA", "J", "NA", "NR", "R", "RA", "SP", "V")
_UNITS = {"P": "", "C": "_cases"}
_PLACES = ["year", "coo_iso", "coa_iso"]
_MISSING = ("", "-")


def download(pull: Pull) -> list[RawFile]:
    """Ask for each dataset, all origins and countries of asylum since ``options.since``, page by page.

    Raises:
        SourceError: A page is missing, or a dataset is empty.
    """
    return gather(pull, {name: partial(_file, pull, name) for name in DATASETS})


def _file(pull: Pull, dataset: str) -> RawFile:
    years = (("yearFrom", str(pull.access.whole("since"))), ("yearTo", str(pull.today.year)))

    def read(number: int) -> Page:
        page = (("limit", str(PER_PAGE)), ("page", str(number)))
        query = (*page, *years, ("coo_all", "true"), ("coa_all", "true"), ("cf_type", "ISO"))
        body = json_body(pull.ask(Request(pull.access.address("statistics", dataset) + "/", query)))
        if not isinstance(body, dict) or not isinstance(body.get("items"), list):
            raise SourceError(dataset, _("no page of figures: '{name}' is missing"), name="items")
        return Page(body["items"], whole_number(dataset, body, "maxPages"))

    rows = all_rows(dataset, read)
    if not rows:
        raise SourceError(dataset, _("the answer holds no figure"))
    return RawFile(f"{dataset}.json", json.dumps(rows).encode())


def parse(raw: RawFile) -> Parsed:
    """Read one dataset, named as the file is: ``population``, ``asylum-applications`` or ``asylum-decisions``.

    The newest year is provisional: UNHCR completes it in the following months.

    Raises:
        SourceError: The layout is broken, or the dataset is another one.
    """
    dataset = raw.name.rpartition(".")[0].replace("_", "-")
    if dataset not in DATASETS:
        raise SourceError(
            raw.name, _("the file must be named after one of the datasets {known}"), known=", ".join(DATASETS)
        )
    columns, dimensions = DATASETS[dataset]
    wanted = [*_PLACES, *dimensions, *columns]
    texts = as_texts(_read(raw, dataset, wanted)[wanted])
    years = texts["year"].str.replace(r"\.0$", "", regex=True)
    recent = since(texts.drop(columns="year").assign(time_period=years))
    typed, untyped = _by_type(raw, recent)
    long = _long(typed, columns, list(dimensions))
    keys = ["time_period", "coo_iso", "coa_iso", "column", *dimensions]
    good, aside = set_aside(long, duplicate_rules(long, keys, "value"), source_id=SOURCE_ID, file=raw.name)
    require_rows(good, raw.name)
    sums, wrong = _sums(raw, good, columns)
    parsed = to_observations(raw, sums, source_id=SOURCE_ID, lag_days=LAG_DAYS, counts=True, freq="A")
    return parsed.with_aside(untyped, aside, wrong)


def _read(raw: RawFile, dataset: str, wanted: list[str]) -> pd.DataFrame:
    if raw.name.endswith(".rda"):
        return read_rda(raw, dataset.replace("-", "_"), wanted)
    refuse_wrong_kind(raw)
    return json_table(raw, wanted)


def _by_type(raw: RawFile, table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """New applications, where the table tells types; and rows set aside because theirs is unknown."""
    if "app_type" not in table:
        return table, nothing_rejected()
    unknown = RowRule("app_type", _("unknown type"), ~table["app_type"].isin([NEW_APPLICATION, *OTHER_APPLICATIONS]))
    good, aside = set_aside(table, [unknown], source_id=SOURCE_ID, file=raw.name)
    return good[good["app_type"] == NEW_APPLICATION], aside


def _long(table: pd.DataFrame, columns: dict[str, str], dimensions: list[str]) -> pd.DataFrame:
    """One row per figure that is there."""
    long = table.melt(
        ["time_period", "coo_iso", "coa_iso", *dimensions], list(columns), var_name="column", ignore_index=False
    )
    figures = long[~long["value"].isin(_MISSING)]
    return figures.set_axis(figures.index.astype(str) + ", " + figures["column"], axis=0)


def _sums(raw: RawFile, figures: pd.DataFrame, columns: dict[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Figures added up over their dimensions, by target; and those that are no counts."""
    unit = next((name for name in ("app_pc", "dec_pc") if name in figures), None)
    suffix = figures[unit].map(_UNITS) if unit else pd.Series("", index=figures.index)
    rules = [
        RowRule(unit or "value", _("the unit is neither persons (P) nor cases (C)"), suffix.isna()),
        *count_rules(figures["value"], "value"),
    ]
    good, aside = set_aside(figures, rules, source_id=SOURCE_ID, file=raw.name)
    require_rows(good, raw.name)
    cells = pd.DataFrame(
        {
            "time_period": good["time_period"],
            "geo": map_countries(good["coa_iso"], raw.name),
            "citizen": map_countries(good["coo_iso"], raw.name),
            "target": good["column"].map(columns) + suffix[good.index],
            "value": to_numbers(good["value"]),
        }
    )
    sums = cells.groupby(["target", "geo", "citizen", "time_period"], as_index=False).agg(value=("value", "sum"))
    last = sums["time_period"].max()
    labels = sums["target"] + ", " + sums["geo"] + ", " + sums["citizen"] + ", " + sums["time_period"]
    return sums.assign(obs_flag=flags(sums["time_period"] == last)).set_axis(labels, axis=0), aside
