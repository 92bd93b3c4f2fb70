"""Deaths in organised violence by country and month, from the Uppsala Conflict Data Program.

Known faults, so that figures serve as log1p context and never as exact counts:

- The collector drops every event whose first and last day lie in different months: 85 to 95 % of the deaths are kept
  in most years, but 67.6 % in 2020, 44.9 % in 2021 and 33.0 % in 2022 (Ethiopia, Ukraine).
- Gaza is coded under Israel, Western Sahara under Morocco.
- 2026-01 holds an outlier of the candidate release (Iran, 19,886). Like every month that no annual release covers yet,
  it is marked provisional.
"""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path

import pandas as pd

from core.countries import map_countries
from core.errors import SourceError, message
from core.languages import marked as _
from ingest import ucdp_events
from ingest.exchange import Pull
from ingest.figures import melt, since, to_observations
from ingest.frames import RowRule, require_rows, set_aside
from ingest.raw import Parsed, RawFile, read_raw
from ingest.tables import read_csv

SOURCE_ID = "ucdp"
RAW_FILES = ("ucdp_country_month/Hist.csv", "ucdp_country_month/ucdp_vintages_36m.csv.gz")
LAG_DAYS = 21

LAST_UNDATED_MONTH = "2023-12"
"""Newest month taken from the wide table. It bears no date of edition; later months have editions that do."""
_TARGET = "conflict_deaths"
_DATE_COLUMN = ""
"""The first header cell is blank."""
_UNNAMED = re.compile(r"Unnamed: \d+")
_GZIP_MAGIC = b"\x1f\x8b"
_WRONG_YEARS = message(_("its dates run 12 months early ({example})"), example="1989-01 is really 1990-01")
_REFUSED = {
    "df_input.csv": _WRONG_YEARS,
    "views_ged_sb_df_input.csv": _WRONG_YEARS,
}


def fetch(path: Path) -> RawFile:
    """Read a file from disk."""
    return read_raw(path)


def download(pull: Pull) -> list[RawFile]:
    """Take the candidate releases of the last months, and a final one; see ``ingest.ucdp_events``."""
    return ucdp_events.download(pull)


def parse(raw: RawFile) -> Parsed:
    """Read a release of events (candidate or final), the wide table by country, or the table of editions (gzip).

    Raises:
        SourceError: The layout is broken, or the file is one whose dates are known to be wrong.
    """
    if raw.name in _REFUSED:
        raise SourceError(raw.name, _REFUSED[raw.name])
    final = ucdp_events.ANNUAL_NAME.fullmatch(raw.name) is not None
    if final or ucdp_events.FILE_NAME.fullmatch(raw.name):
        sums, set_aside_events = ucdp_events.read_events(raw, SOURCE_ID)
        flagged = since(sums).assign(obs_flag="" if final else "p")
        figures = to_observations(raw, flagged, source_id=SOURCE_ID, lag_days=LAG_DAYS, counts=True, target=_TARGET)
        return Parsed(figures.observations, pd.concat([set_aside_events, figures.rejected], ignore_index=True))
    return _parse_editions(raw) if raw.content.startswith(_GZIP_MAGIC) else _parse_wide(raw)


def _parse_wide(raw: RawFile) -> Parsed:
    wide = read_csv(raw, [_DATE_COLUMN, "Afghanistan"])
    for column in wide.columns:
        if _UNNAMED.fullmatch(column) and not wide[column].isin(["", "0", "0.0"]).all():
            raise SourceError(raw.name, _("a column without a country holds figures"), column=column)
    names = [column for column in wide.columns if column != _DATE_COLUMN and not _UNNAMED.fullmatch(column)]
    geo = map_countries(pd.Series(names, index=names, name="header"), raw.name)
    months = wide[_DATE_COLUMN].str.replace(r"-[0-9]{2}$", "", regex=True).where(wide[_DATE_COLUMN].str.len() == 10, "")
    cells = melt(wide.assign(time_period=months), "time_period", names, set())
    cells["geo"] = cells["name"].map(geo)
    cells = cells[cells["time_period"] <= LAST_UNDATED_MONTH]
    return to_observations(raw, since(cells), source_id=SOURCE_ID, lag_days=LAG_DAYS, counts=True, target=_TARGET)


def _parse_editions(raw: RawFile) -> Parsed:
    columns = ["vintage_date", "month", "country_ne", "fatalities_best"]
    table = read_csv(_unzip(raw), columns)[columns]
    good, rejected = set_aside(table, _edition_rules(table), source_id=SOURCE_ID, file=raw.name)
    require_rows(good, raw.name)
    good = good.assign(geo=map_countries(good["country_ne"], raw.name), deaths=good["fatalities_best"].astype(float))
    changes = _changes(good)
    figures = to_observations(raw, changes, source_id=SOURCE_ID, lag_days=LAG_DAYS, counts=True, target=_TARGET)
    return Parsed(figures.observations, rejected)


def _unzip(raw: RawFile) -> RawFile:
    try:
        return RawFile(raw.name, gzip.decompress(raw.content))
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(raw.name, _("damaged gzip: {error}"), error=error) from None


def _edition_rules(table: pd.DataFrame) -> list[RowRule]:
    is_day = table["vintage_date"].str.fullmatch(r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}")
    dates = pd.to_datetime(table["vintage_date"].where(is_day), errors="coerce")
    months = table["month"].where(table["month"].str.fullmatch(r"(19|20)[0-9]{2}-(0[1-9]|1[0-2])"))
    today = pd.Timestamp.now(tz="UTC").tz_localize(None)
    too_early = months.fillna("") >= table["vintage_date"].str[:7]
    is_count = table["fatalities_best"].str.fullmatch(r"[0-9]{1,9}")
    return [
        RowRule("vintage_date", _("the date of the edition is impossible"), dates.isna()),
        RowRule("vintage_date", _("the date of the edition lies in the future"), dates > today),
        RowRule("month", _("the period is not a month"), months.isna()),
        RowRule("month", _("the month ends after the edition's date"), too_early),
        RowRule("fatalities_best", _("the figure is not a count"), ~is_count),
        RowRule("country_ne", _("the country's month is listed twice in an edition"),
                table.duplicated(["vintage_date", "month", "country_ne"])),
    ]  # fmt: skip


def _changes(editions: pd.DataFrame) -> pd.DataFrame:
    """Figures that an edition gave for the first time or changed: what was known on any date follows from them.

    A country that a month of an edition does not name had no deaths in it.
    """
    countries = sorted(editions["geo"].unique())
    changed: list[pd.DataFrame] = []
    known = pd.Series(index=pd.MultiIndex.from_arrays([[], []], names=["month", "geo"]), dtype=float)
    for edition, rows in editions.groupby("vintage_date", sort=True):
        figures = rows.set_index(["month", "geo"])["deaths"]
        months = [str(month) for month in pd.period_range(rows["month"].min(), rows["month"].max(), freq="M")]
        full = figures.reindex(pd.MultiIndex.from_product([months, countries], names=["month", "geo"]), fill_value=0.0)
        new = full[full.ne(known.reindex(full.index))]
        known = full.combine_first(known)
        changed.append(new.reset_index().assign(as_of=pd.Timestamp(str(edition))))
    table = pd.concat(changed, ignore_index=True)
    provisional = table["month"].str[:4].astype(int) > table["as_of"].map(_last_final_year)
    return table.rename(columns={"month": "time_period", "deaths": "value"}).assign(
        obs_flag=provisional.map({True: "p", False: ""})
    )


def _last_final_year(as_of: pd.Timestamp) -> int:
    """The annual release that ends with last year comes out around June; July is the first month that surely has it."""
    return int(as_of.year) - (1 if as_of.month >= 7 else 2)
