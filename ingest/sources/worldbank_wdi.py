"""World Development Indicators by country and year (World Bank): economy, population, remittances, net migration.

The compiled table of the package gdidata also holds population of the United Nations (``pop``) and political stability
(``polstb``, see ``worldbank_wgi``): neither is an indicator of this source, and both are left out.

How the World Bank's API is asked page by page, and the CSV of its site read, is the same for ``worldbank_wgi``.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import partial

import pandas as pd

from core.countries import country_code
from core.errors import InputError, SourceError
from core.languages import marked as _
from ingest import SETTING, Parsed, Pull, RawFile, Request, SourceAccess, SourceCard
from ingest.answers import Page, all_rows, gather, json_body, json_rows, whole_number
from ingest.rows import RowRule, melt, require_rows, set_aside, since, to_observations
from ingest.tables import as_texts, read_csv, read_rda, refuse_wrong_kind

SOURCE_ID = "worldbank_wdi"
RAW_FILES: tuple[str, ...] = ()
LAG_DAYS = 200
"""Most figures of a year come with the update of the next July."""

CARD = SourceCard(
    source_id=SOURCE_ID,
    publisher=_("World Bank"),
    dataset=_("World Development Indicators: economy, population, remittances, net migration, by country and year"),
    url="https://databank.worldbank.org/source/world-development-indicators",
    licence=_("CC BY 4.0"),
    licence_url="https://datacatalog.worldbank.org/public-licenses",
    redistribution=True,
    citation="World Bank, World Development Indicators.",
    rhythm=_("Yearly figures, updated several times a year; most of a year in the next July."),
    expected_days=580,
    known_issues=[
        _("The whole history is revised with every update."),
        _("Groups of countries and the Channel Islands are left out."),
        _("Nothing of this source is bundled."),
    ],
)
ACCESS = SourceAccess(
    source_id=SOURCE_ID,
    addresses={"indicators": "https://api.worldbank.org/v2/country/all/indicator"},
    evidence={
        "addresses.indicators": "the package wbgapi 1.0.14, 2026-02: asks it",
    },
    options={
        "database": 2,
        "since": 2009,
        "indicators": [
            "NY.GDP.MKTP.CD",
            "NY.GDP.PCAP.PP.KD",
            "FP.CPI.TOTL.ZG",
            "SL.UEM.TOTL.ZS",
            "SP.POP.TOTL",
            "SP.DYN.CBRT.IN",
            "SP.POP.DPND",
            "SM.POP.NETM",
            "BX.TRF.PWKR.CD.DT",
            "BM.TRF.PWKR.CD.DT",
            "BX.KLT.DINV.CD.WD",
            "BM.KLT.DINV.CD.WD",
        ],
    },
)

TARGETS = {
    "NY.GDP.MKTP.CD": "gdp_usd",
    "NY.GDP.PCAP.PP.KD": "gdp_per_head_ppp",
    "FP.CPI.TOTL.ZG": "consumer_price_inflation",
    "SL.UEM.TOTL.ZS": "unemployment_rate",
    "SP.POP.TOTL": "population",
    "SP.DYN.CBRT.IN": "birth_rate",
    "SP.POP.DPND": "dependency_ratio",
    "SM.POP.NETM": "net_migration",
    "BX.TRF.PWKR.CD.DT": "remittances_received_usd",
    "BM.TRF.PWKR.CD.DT": "remittances_paid_usd",
    "BX.KLT.DINV.CD.WD": "foreign_investment_in_usd",
    "BM.KLT.DINV.CD.WD": "foreign_investment_out_usd",
}
"""Indicator -> target. Rates in percent, births per 1,000 people, GDP per head in constant international dollars."""
COMPILED = {
    "gdp": "NY.GDP.MKTP.CD", "income": "NY.GDP.PCAP.PP.KD", "inf": "FP.CPI.TOTL.ZG", "unem": "SL.UEM.TOTL.ZS",
    "birth": "SP.DYN.CBRT.IN", "depend": "SP.POP.DPND", "nmig": "SM.POP.NETM", "remin": "BX.TRF.PWKR.CD.DT",
    "remout": "BM.TRF.PWKR.CD.DT", "fdiin": "BX.KLT.DINV.CD.WD", "fdiout": "BM.KLT.DINV.CD.WD",
}  # fmt: skip
"""Names of the compiled table -> indicator."""
OTHERS = ("pop", "polstb")
_COLUMNS = ["geo", "var", "t", "v"]
PER_PAGE = 10_000
NO_COUNTRIES = frozenset(
    {"AFE", "AFR", "AFW", "ARB", "CAA", "CEA", "CEB", "CEU", "CHI", "CLA", "CME", "CSA", "CSS", "EAP", "EAR",
     "EAS", "ECA", "ECS", "EMU", "EUU", "FCS", "HIC", "HPC", "IBB", "IBD", "IBT", "IDA", "IDB", "IDX", "INX",
     "LAC", "LCN", "LDC", "LIC", "LMC", "LMY", "LTE", "MDE", "MEA", "MIC", "MNA", "NAC", "NAF", "NRS", "NXS",
     "OED", "OSS", "PRE", "PSS", "PST", "RRS", "SAS", "SSA", "SSF", "SST", "SXZ", "TEA", "TEC", "TLA", "TMN",
     "TSA", "TSS", "UMC", "WLD", "XZN"}
)  # fmt: skip
"""The World Bank's codes of groups of countries (https://data.worldbank.org/country), and of the Channel Islands, which
have no ISO code: left out, since groups would be counted twice."""
_CSV_HEADER = b'"Country Name"'


def download(pull: Pull) -> list[RawFile]:
    """Ask the World Bank's API."""
    return ask_indicators(pull, TARGETS)


def parse(raw: RawFile) -> Parsed:
    """Read the API's rows, the CSV of the World Bank's site, or the compiled table (R data file or CSV).

    Raises:
        SourceError: The layout is broken, or the table holds a name that is not known.
    """
    compiled = raw.name.endswith(".rda") or raw.content.lstrip(b"\xef\xbb\xbf").startswith(b"geo,var,")
    cells, aside = _read_compiled(raw) if compiled else read_indicators(raw, TARGETS, SOURCE_ID)
    parsed = to_observations(raw, cells, source_id=SOURCE_ID, lag_days=LAG_DAYS, counts=False, freq="A")
    return parsed.with_aside(aside)


def _read_compiled(raw: RawFile) -> tuple[pd.DataFrame, pd.DataFrame]:
    refuse_wrong_kind(raw)
    table = (read_rda(raw, "wdi", _COLUMNS) if raw.name.endswith(".rda") else read_csv(raw, _COLUMNS))[_COLUMNS]
    texts = as_texts(table)
    unknown = texts.index[~texts["var"].isin({*COMPILED, *OTHERS})]
    if len(unknown):
        raise SourceError(raw.name, _("unknown name"), row=unknown[0], column="var")
    kept = since(texts[~texts["var"].isin(OTHERS)].rename(columns={"geo": "code", "t": "time_period", "v": "value"}))
    figures = kept.assign(target=kept["var"].map(COMPILED).map(TARGETS)).drop(columns="var")
    return by_country(raw, figures, SOURCE_ID)


def ask_indicators(pull: Pull, targets: Collection[str]) -> list[RawFile]:
    """Ask for every indicator of ``options.indicators``, all countries and years since ``options.since``.

    Raises:
        SourceError: A page is missing, or the publisher answers with a message.
        InputError: An indicator of ``options.indicators`` is none that the source knows.
    """
    codes = [str(code) for code in pull.access.option("indicators", list)]
    unknown = sorted(set(codes) - set(targets))
    if unknown or not codes:
        known = ", ".join(targets)
        raise InputError(
            f"{SETTING}, {pull.access.source_id}: options.indicators {unknown or 'is empty'}; known: {known}"
        )
    return gather(pull, {code: partial(_file, pull, code) for code in codes})


def _file(pull: Pull, code: str) -> RawFile:
    span = f"{pull.access.whole('since')}:{pull.today.year}"
    database = str(pull.access.whole("database"))

    def read(number: int) -> Page:
        page = (("per_page", str(PER_PAGE)), ("page", str(number)))
        query = (("format", "json"), ("date", span), ("source", database), *page)
        body = json_body(pull.ask(Request(pull.access.address("indicators", code), query)))
        if isinstance(body, list) and len(body) == 1 and isinstance(body[0], dict) and "message" in body[0]:
            raise SourceError(code, _("the World Bank answered: {error}"), error=json.dumps(body[0]["message"])[:200])
        if not isinstance(body, list) or len(body) != 2 or not isinstance(body[0], dict):
            raise SourceError(code, _("a pair of page data and rows is expected"))
        rows = body[1] if isinstance(body[1], list) else []
        return Page(rows, whole_number(code, body[0], "pages"), whole_number(code, body[0], "total"))

    rows = all_rows(code, read)
    if not rows:
        raise SourceError(code, _("the answer holds no figure: the indicator is unknown, or has no data"))
    return RawFile(f"{code}.json", json.dumps(rows).encode())


def read_indicators(raw: RawFile, targets: Mapping[str, str], source_id: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the API's rows, or the CSV of one indicator.

    Returns:
        ``geo``, ``time_period``, ``target`` and ``value`` (text), one row per figure of a country since 2009; and the
        rows set aside because their place is no country.

    Raises:
        SourceError: The layout is broken, or an indicator is none of those expected.
    """
    refuse_wrong_kind(raw)
    cells = _from_json(raw) if raw.content.lstrip()[:1] in (b"[", b"{") else _from_csv(raw)
    require_rows(cells, raw.name)
    unknown = cells.index[~cells["indicator"].isin(targets)]
    if len(unknown):
        fault = _("unknown indicator; known: {known}")
        raise SourceError(raw.name, fault, row=unknown[0], column="indicator", known=", ".join(targets))
    figures = since(cells).assign(target=cells["indicator"].map(targets))
    return by_country(raw, figures.drop(columns="indicator"), source_id)


def by_country(raw: RawFile, cells: pd.DataFrame, source_id: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of countries with ``code`` replaced by ``geo``, without groups; and rows set aside: theirs is no country."""
    single = cells[~cells["code"].isin(NO_COUNTRIES)]
    codes = {code: country_code(code) for code in single["code"].unique()}
    geo = single["code"].map(codes)
    rule = RowRule("code", _("the place is no country that Vigie knows"), geo == "")
    good, rejected = set_aside(single, [rule], source_id=source_id, file=raw.name)
    return good.drop(columns="code").assign(geo=geo[good.index]), rejected


def _from_json(raw: RawFile) -> pd.DataFrame:
    records = []
    for place, row in enumerate(json_rows(raw), start=1):
        country, indicator = row.get("country"), row.get("indicator")
        if not isinstance(country, dict) or not isinstance(indicator, dict) or not {"date", "value"} <= set(row):
            raise SourceError(raw.name, _("each row must hold country, indicator, date and value"), row=place)
        code = row.get("countryiso3code") or country.get("id") or country.get("value")
        if row["value"] is not None:
            records.append((str(code), str(indicator.get("id")), str(row["date"]), str(row["value"])))
    frame = pd.DataFrame(records, columns=["code", "indicator", "time_period", "value"], dtype=object)
    labels = frame["code"] + ", " + frame["time_period"]
    return frame.set_axis(labels + ("#" + frame.index.astype(str)).where(labels.duplicated(keep=False), ""), axis=0)


def _from_csv(raw: RawFile) -> pd.DataFrame:
    start = raw.content.find(_CSV_HEADER)
    if start < 0:
        raise SourceError(
            raw.name,
            _('no line starts with "{start}": this is no CSV of the World Bank\'s indicators'),
            start="Country Name",
        )
    table = read_csv(RawFile(raw.name, raw.content[start:]), ["Country Code", "Indicator Code"])
    years = [column for column in table.columns if str(column).isdigit()]
    if not years:
        raise SourceError(raw.name, _("no column is a year"), row=1)
    lines = table.set_axis(table.index + raw.content.count(b"\n", 0, start), axis=0)
    cells = melt(lines.assign(key=lines["Country Code"] + "|" + lines["Indicator Code"]), "key", years, {""})
    place = cells["time_period"].str.partition("|")
    return pd.DataFrame(
        {"code": place[0], "indicator": place[2], "time_period": cells["name"].astype(str), "value": cells["value"]},
        index=cells.index,
    )
