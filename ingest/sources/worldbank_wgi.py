"""Worldwide Governance Indicators: political stability and absence of violence, by country and year (World Bank).

An estimate in units of a standard normal distribution, about -2.5 (weak) to 2.5 (strong); Kaufmann, Kraay & Mastruzzi
(2010), World Bank Policy Research Working Paper 5430. Every edition re-estimates the whole history.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.languages import marked as _
from ingest import worldbank_api
from ingest.exchange import Pull
from ingest.figures import to_observations
from ingest.frames import RowRule, set_aside
from ingest.raw import Parsed, RawFile, read_raw

SOURCE_ID = "worldbank_wgi"
RAW_FILES: tuple[str, ...] = ()
LAG_DAYS = 275
"""A year's estimates come out around the end of September of the next."""

TARGETS = {"GOV_WGI_PV.EST": "political_stability", "PV.EST": "political_stability"}
"""The API renamed the indicator; files from before the change bear the short name."""

FURTHEST = 3.5
"""Estimates are in units of a standard normal, and a few countries in a few years lie beyond 2.5."""


def fetch(path: Path) -> RawFile:
    """Read the CSV from disk."""
    return read_raw(path)


def download(pull: Pull) -> list[RawFile]:
    """Ask the World Bank's API; see ``ingest.worldbank_api``."""
    return worldbank_api.download(pull, TARGETS)


def parse(raw: RawFile) -> Parsed:
    """Read the API's rows, or the CSV of the World Bank's site.

    Raises:
        SourceError: The layout is broken.
    """
    cells, aside = worldbank_api.read_indicators(raw, TARGETS, SOURCE_ID)
    estimates = pd.to_numeric(cells["value"], errors="coerce")
    outside = RowRule("value", _("the estimate lies far outside of -2.5 to 2.5"), estimates.abs() > FURTHEST)
    cells, wrong = set_aside(cells, [outside], source_id=SOURCE_ID, file=raw.name)
    parsed = to_observations(raw, cells, source_id=SOURCE_ID, lag_days=LAG_DAYS, counts=False, freq="A")
    return Parsed(parsed.observations, pd.concat([aside, wrong, parsed.rejected], ignore_index=True))
