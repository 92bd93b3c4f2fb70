"""World Development Indicators by country and year (World Bank): economy, population, remittances, net migration.

The compiled table of the package gdidata also holds population of the United Nations (``pop``) and political stability
(``polstb``, see ``worldbank_wgi``): neither is an indicator of this source, and both are left out.
"""

from __future__ import annotations

import pandas as pd

from core.errors import SourceError
from core.languages import marked as _
from ingest import Parsed, Pull, RawFile, SourceAccess, SourceCard
from ingest.rows import since, to_observations
from ingest.sources import _worldbank
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


def download(pull: Pull) -> list[RawFile]:
    """Ask the World Bank's API; see ``ingest.sources._worldbank``."""
    return _worldbank.download(pull, TARGETS)


def parse(raw: RawFile) -> Parsed:
    """Read the API's rows, the CSV of the World Bank's site, or the compiled table (R data file or CSV).

    Raises:
        SourceError: The layout is broken, or the table holds a name that is not known.
    """
    compiled = raw.name.endswith(".rda") or raw.content.lstrip(b"\xef\xbb\xbf").startswith(b"geo,var,")
    cells, aside = (
        _read_compiled(raw) if compiled else _worldbank.read_indicators(raw, TARGETS, SOURCE_ID)
    )  # fmt: skip
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
    return _worldbank.by_country(raw, figures, SOURCE_ID)
