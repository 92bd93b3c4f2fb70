"""Asylum and temporary protection by country (Eurostat), in all and by citizenship where a file has it.

``asylum_applications`` counts all applicants, ``asylum_applications_first`` first-time applicants only. Monthly from
1999 (all) and 2008 (first-time), quarterly sums of first-time applicants to 2025. ``temporary_protection`` counts the
persons protected at a month's end, ``temporary_protection_grants`` decisions in it; ``asylum_pending`` persons whose
application is undecided at a month's end. Rounded to the nearest 5.
"""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.countries import country_code, map_countries
from core.errors import first_line
from core.languages import marked as _
from core.schema import ALL
from ingest import Parsed, RawFile
from ingest.rows import Reading, RowRule, flags, newest, require_rows
from ingest.sources import LABELS
from ingest.sources._eurostat import MISSING, ask_eurostat, read_jsonstat, read_tsv
from ingest.tables import read_csv, refuse_wrong_kind

SOURCE_ID = "eurostat"
LAG_DAYS = 75

REGULATION_SINCE = "2008-01"
"""First month under Regulation (EC) 862/2007; before, countries reported voluntarily and by their own definitions."""
PROVISIONAL_MONTHS = 3
"""Newest months of a file that only some countries have reported yet."""
_ALL_APPLICANTS, _FIRST_TIME = "asylum_applications", "asylum_applications_first"
_TARGETS: dict[str, str] = LABELS[SOURCE_ID]["types"]
_UNTYPED: dict[str, str] = LABELS[SOURCE_ID]["untyped"]
"""Datasets without types of applicants, known by the file's name."""
_TOTAL = "TOTAL"
_TOTALS = {"sex": "T", "age": _TOTAL, "unit": "PER", "freq": "M"}
_AGGREGATE = re.compile(r"(?:EXT_)?(?:EU|EA|EEA)\d*(?:_.*)?|EFTA|TOTAL|(?:European|Euro area|Total).*")
_AGGREGATE_CITIZEN = re.compile(r"(?:EXT_)?(?:EU|EA|EEA)\d*(?:_.*)?|EFTA|(?:European|Extra-EU|Euro area).*")
_GROUPED = r"[0-9]{1,3}(?:,[0-9]{3})+"
_QUARTERLY_COLUMNS = ["geo", "time_period", "asylum_first_apps_q"]


download = ask_eurostat


def parse(raw: RawFile) -> Parsed:
    """Read any of the layouts of Eurostat's figures, recognised by their content.

    JSON-stat 2.0 (Statistics API), wide TSV (SDMX, bulk and custom downloads, gzipped or not), the CSV of the former
    data explorer, and a panel of quarterly sums (parquet). Aggregates such as EU27_2020 are left out: they would be
    counted twice. A citizenship that is no country is set aside.

    Raises:
        SourceError: The layout is broken, or no row is a total of all citizenships.
    """
    refuse_wrong_kind(raw)
    if raw.content.startswith(b"PAR1"):
        return _parse_quarterly(raw)
    start = raw.content[:400].lstrip(b"\xef\xbb\xbf \r\n")
    if start.startswith((b"{", b"[")):
        cells = _totals(raw, read_jsonstat(raw).rename(columns={"time": "time_period", "status": "flag"}))
    elif start.startswith(b'"TIME"'):
        cells = _from_csv(raw)
    else:
        cells = _totals(raw, read_tsv(raw))
    reading = Reading(raw, SOURCE_ID, LAG_DAYS)
    figures = _by_citizen(reading, _by_country(raw, cells[cells["value"] != MISSING]))
    return reading.figures(_flag_periods(figures), counts=True)


def _totals(raw: RawFile, cells: pd.DataFrame) -> pd.DataFrame:
    """Rows for both sexes and all ages. The dimension ``asyl_app`` was renamed ``applicant`` in 2022."""
    named = cells.rename(columns={"asyl_app": "applicant"})
    untyped = next((target for code, target in _UNTYPED.items() if code in raw.name.lower()), "")
    needed = ["citizen", *([] if untyped else ["applicant"]), "geo", "time_period"]
    missing = [name for name in needed if name not in named]
    if missing:
        raise raw.fault(_("missing dimensions {columns}; found {found}"), columns=missing, found=list(cells.columns))
    for dimension, total in _TOTALS.items():
        if dimension in named:
            named = named[named[dimension] == total]
    if not untyped:
        others = named[~named["applicant"].isin(_TARGETS)]
        # Answers to our own questions come in a list, of the types asked for: another name is one that was changed.
        if raw.content.lstrip()[:1] == b"[" and len(others):
            raise raw.fault(_("the answer holds what was not requested"), column="applicant")
        named = named.drop(others.index)
    if not (named["citizen"] == _TOTAL).any():
        wanted = ", ".join(f"{dimension} {total}" for dimension, total in {"citizen": _TOTAL, **_TOTALS}.items())
        raise raw.fault(_("no row for {code} and a type of {known}"), code=wanted, known=sorted(_TARGETS))
    place = named["line"] if "line" in named else pd.Series(range(len(named)), index=named.index)
    return named.assign(target=untyped or named["applicant"].map(_TARGETS), place=place)


def _from_csv(raw: RawFile) -> pd.DataFrame:
    table = read_csv(raw, ["TIME", "GEO", "CITIZEN", "Value"])
    if "DECISION" in table:
        raise raw.fault(_("decisions on applications, not applications"), column="DECISION")
    if not (table["CITIZEN"] == "Total").any():
        raise raw.fault(_("no row for CITIZEN Total"))
    grouped = table["Value"].str.fullmatch(_GROUPED)
    target = table["ASYL_APP"].map(_TARGETS) if "ASYL_APP" in table else _ALL_APPLICANTS
    cells = pd.DataFrame(
        {
            "geo": table["GEO"],
            "time_period": table["TIME"].str.replace("M", "-", regex=False),
            "value": table["Value"].where(~grouped, table["Value"].str.replace(",", "", regex=False)).str.strip(),
            "flag": "",
            "place": table.index,
            "target": target,
            "citizen": table["CITIZEN"].replace({"Total": _TOTAL}),
        }
    )
    unknown = cells["target"].isna()
    if unknown.any():
        row = cells.loc[unknown, "place"].iloc[0]
        raise raw.fault(_("unknown type of applicant"), row=row, column="ASYL_APP")
    return cells


def _by_country(raw: RawFile, cells: pd.DataFrame) -> pd.DataFrame:
    single = cells[~cells["geo"].astype(str).str.fullmatch(_AGGREGATE)]
    if single.empty:
        raise raw.fault(_("no figure for a single country"))
    labels = single["place"].astype(str) + ", " + single["time_period"] + ", " + single["target"]
    unique = labels.where(~labels.duplicated(keep=False), labels + ", " + single["geo"])
    repeated = unique.groupby(unique).cumcount()
    labelled = single.set_axis(unique.where(repeated == 0, unique + " #" + repeated.astype(str)), axis=0)
    geo = map_countries(labelled["geo"], raw.name)
    return labelled[["time_period", "value", "flag", "target", "citizen"]].assign(geo=geo)


def _by_citizen(reading: Reading, cells: pd.DataFrame) -> pd.DataFrame:
    """Citizenships as codes, without aggregates; a row is set aside where its citizenship is no country."""
    single = cells[~cells["citizen"].str.fullmatch(_AGGREGATE_CITIZEN)]
    codes = {code: ALL if code == _TOTAL else country_code(code) for code in single["citizen"].unique()}
    citizens = single["citizen"].map(codes)
    good = reading.keep(single, RowRule("citizen", _("the citizenship is no country"), citizens == ""))
    return good.assign(citizen=citizens[good.index])


def _flag_periods(figures: pd.DataFrame) -> pd.DataFrame:
    """One flag per figure: provisional before break before estimated, from Eurostat's letters and from the calendar."""
    letters = figures["flag"].astype(str)
    regulated = figures["time_period"] >= REGULATION_SINCE
    provisional = letters.str.contains("p") | (regulated & newest(figures["time_period"], PROVISIONAL_MONTHS))
    break_here = letters.str.contains("b") | (
        (figures["time_period"] == REGULATION_SINCE) & (figures["target"] == _ALL_APPLICANTS)
    )
    estimated = letters.str.contains("[esu]")
    flag = np.select([provisional, break_here, estimated], ["p", "b", "e"], default="")
    return figures.drop(columns="flag").assign(obs_flag=flag)


def _parse_quarterly(raw: RawFile) -> Parsed:
    try:
        panel: pd.DataFrame = pq.read_table(io.BytesIO(raw.content), columns=_QUARTERLY_COLUMNS).to_pandas()
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise raw.fault(_("not a whole parquet file: {error}"), error=first_line(error)) from None
    panel.index = pd.RangeIndex(1, len(panel) + 1)
    sums = panel.dropna().rename(columns={"asylum_first_apps_q": "value"})
    require_rows(sums, raw.name)
    sums = sums.astype({"geo": str, "time_period": str})
    sums["geo"] = map_countries(sums["geo"], raw.name)
    sums["obs_flag"] = flags(newest(sums["time_period"], 1))
    return Reading(raw, SOURCE_ID, LAG_DAYS).figures(sums, counts=True, citizen=ALL, target=_FIRST_TIME, freq="Q")
