"""Worldwide Governance Indicators: political stability and absence of violence, by country and year (World Bank).

An estimate in units of a standard normal distribution, about -2.5 (weak) to 2.5 (strong); Kaufmann, Kraay & Mastruzzi
(2010), World Bank Policy Research Working Paper 5430. Every edition re-estimates the whole history.
"""

from __future__ import annotations

from core.languages import marked as _
from ingest import Parsed, Pull, RawFile, SourceAccess, SourceCard
from ingest.rows import RowRule, set_aside, to_numbers, to_observations
from ingest.sources.worldbank_wdi import ask_indicators, read_indicators

SOURCE_ID = "worldbank_wgi"
RAW_FILES: tuple[str, ...] = ()
LAG_DAYS = 275
"""A year's estimates come out around the end of September of the next."""

CARD = SourceCard(
    source_id=SOURCE_ID,
    publisher=_("World Bank"),
    dataset=_("Worldwide Governance Indicators: political stability and absence of violence"),
    url="https://www.worldbank.org/en/publication/worldwide-governance-indicators",
    licence=_("CC BY 4.0"),
    licence_url="https://datacatalog.worldbank.org/public-licenses",
    redistribution=True,
    citation=(
        "World Bank, Worldwide Governance Indicators; Kaufmann, Kraay and Mastruzzi (2010), Policy Research Working"
        " Paper 5430."
    ),
    rhythm=_("Yearly, around the end of September."),
    expected_days=655,
    known_issues=[
        _(
            "An estimate with a margin of error, from many surveys of opinion; every edition re-estimates the whole"
            " history."
        ),
        _("Nothing of this source is bundled."),
    ],
)
ACCESS = SourceAccess(
    source_id=SOURCE_ID,
    addresses={"indicators": "https://api.worldbank.org/v2/country/all/indicator"},
    evidence={
        "addresses.indicators": "github.com/awne8886/godseye, 2026-09-30: status 200, 216 rows",
        "options.indicators": "github.com/awne8886/godseye, 2026-09-30: GOV_WGI_PV.EST answered; PV.EST is not found",
        "options.database": "github.com/awne8886/godseye, 2026-09-30: source=3",
    },
    options={
        "database": 3,
        "since": 2009,
        "indicators": ["GOV_WGI_PV.EST"],
    },
)

TARGETS = {"GOV_WGI_PV.EST": "political_stability", "PV.EST": "political_stability"}
"""The API renamed the indicator; files from before the change bear the short name."""

FURTHEST = 3.5
"""Estimates are in units of a standard normal, and a few countries in a few years lie beyond 2.5."""


def download(pull: Pull) -> list[RawFile]:
    """Ask the World Bank's API, as for its other indicators."""
    return ask_indicators(pull, TARGETS)


def parse(raw: RawFile) -> Parsed:
    """Read the API's rows, or the CSV of the World Bank's site.

    Raises:
        SourceError: The layout is broken.
    """
    cells, aside = read_indicators(raw, TARGETS, SOURCE_ID)
    estimates = to_numbers(cells["value"])
    outside = RowRule("value", _("the estimate lies far outside of -2.5 to 2.5"), estimates.abs() > FURTHEST)
    cells, wrong = set_aside(cells, [outside], source_id=SOURCE_ID, file=raw.name)
    parsed = to_observations(raw, cells, source_id=SOURCE_ID, lag_days=LAG_DAYS, counts=False, freq="A")
    return parsed.with_aside(aside, wrong)
