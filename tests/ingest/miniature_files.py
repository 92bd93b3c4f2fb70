"""Small files in the layout of each indicator's publisher, for tests of what parsers do with sound and broken ones."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from ingest import RawFile

MONTHS = [f"{year}-{month:02d}" for year in range(2020, 2024) for month in range(1, 13)]
"""Forty-eight months: one bad cell of them is below the share of bad cells with which a file is refused."""


def fao_ffpi(values: dict[str, str] | None = None) -> RawFile:
    """FAO's CSV: two titles, header, a blank line; ``values`` replaces a month's Meat index."""
    lines = ["FAO Food Price Index,,,,,,,,", "2014-2016=100,,,,,,,,"]
    lines += ["Date,Food Price Index,Meat,Dairy,Cereals,Oils,Sugar,,", ",,,,,,,,"]
    lines += [f"{month},98.5,{(values or {}).get(month, '95.1')},101.0,97.0,110.5,88.8,," for month in MONTHS]
    return RawFile("food_price_indices_data.csv", ("\n".join(lines) + "\n").encode())


def noaa_enso(values: dict[str, str] | None = None) -> RawFile:
    lines = ["year,season,oni,month,date"]
    for month in MONTHS:
        value = (values or {}).get(month, "-0.37")
        lines.append(f"{month[:4]},XYZ,{value},{int(month[5:])},{month}-01")
    return RawFile("oni.csv", ("\n".join(lines) + "\n").encode())


def idmc(values: dict[str, str] | None = None, header: str = ",AFG,AB9,UKR") -> RawFile:
    """IDMC's wide table: Afghanistan counts 150 a month, Abyei 7, Ukraine is blank."""
    lines = [header, *(f"{month},{(values or {}).get(month, '150.0')},7.0," for month in MONTHS)]
    return RawFile("Hist.csv", ("\n".join(lines) + "\n").encode())


def ecb(lines: list[str] | None = None, member: str = "eurofxref-hist.csv") -> RawFile:
    """ECB's zip: working days of January 2024, the dollar at 1.10 and no lev."""
    days = pd.bdate_range("2024-01-01", "2024-01-31")
    body = [f"{day:%Y-%m-%d},1.10,N/A," for day in reversed(days)] if lines is None else lines
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, "\n".join(["Date,USD,BGN,", *body]) + "\n")
    return RawFile("eurofxref-hist.zip", buffer.getvalue())


def worldbank_pinksheet(values: dict[str, object] | None = None, urea: str = "Urea ") -> RawFile:
    """Pink Sheet: prices under one header row, indices under staggered ones."""
    months = [month.replace("-", "M") for month in MONTHS]
    names = ["Crude oil, average", "Natural gas, Europe", "Wheat, US HRW", "Maize", "Rice, Thai 5% ", urea, "Gold"]
    prices: list[list[object]] = [
        ["World Bank Commodity Price Data"],
        ["nominal"],
        ["note"],
        ["Updated on June 02, 2026"],
    ]
    prices += [["", *names], ["", *["($/mt)"] * len(names)]]
    oil = values or {}
    prices += [
        [month, oil.get(month.replace("M", "-"), 80.5), 12.0, 250.0, 190.0, 450.0, 320.0, 1900.0] for month in months
    ]
    indices: list[list[object]] = [
        ["World Bank Commodity Price Data"],
        ["2010=100"],
        ["note"],
        ["Updated on June 02, 2026"],
        [""],
    ]
    indices += [["", "Total Index", "Energy", "", ""], ["", "", "", "Agriculture **", ""]]
    indices += [["", "", "", "", "Food **"], ["", "", " ", " ", " "]]
    indices += [[month, 100.0, 90.0, 80.0, 70.0] for month in months]
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="openpyxl") as writer:
        for sheet, rows in (("Monthly Prices", prices), ("Monthly Indices", indices)):
            pd.DataFrame(rows).to_excel(writer, sheet_name=sheet, header=False, index=False)
    return RawFile("CMO-Historical-Data-Monthly.xlsx", buffer.getvalue())


def ucdp_wide(values: dict[str, str] | None = None, unnamed: str = "0", header: str = "") -> RawFile:
    """Wide table of deaths: Mali 3 a month, Dem. Rep. Congo 10, and a column without a country."""
    lines = [header or ",Afghanistan,Mali,Dem. Rep. Congo,Unnamed: 134"]
    ends = [pd.Period(month, freq="M").end_time.date().isoformat() for month in [*MONTHS, "2024-01"]]
    lines += [f"{end},691,{(values or {}).get(end[:7], '3')},10,{unnamed}" for end in ends]
    return RawFile("Hist.csv", ("\n".join(lines) + "\n").encode())


def ucdp_editions(rows: list[str] | None = None) -> RawFile:
    """Two editions: the second changes Mali's 2023-12, adds 2024-01 and drops 2023-11."""
    body = rows or [
        "2024-01-26,2023-11,Mali,4,abc,Conf.csv",
        "2024-01-26,2023-12,Mali,5,abc,Conf.csv",
        "2024-01-26,2023-12,Sudan,9,abc,Conf.csv",
        "2024-02-22,2023-12,Mali,6,abc,Conf.csv",
        "2024-02-22,2023-12,Sudan,9,abc,Conf.csv",
        "2024-02-22,2024-01,Sudan,8,abc,Conf.csv",
    ]
    text = "\n".join(["vintage_date,month,country_ne,fatalities_best,commit,file", *body]) + "\n"
    return RawFile("ucdp_vintages_36m.csv.gz", gzip.compress(text.encode(), mtime=0))


def eurostat_tsv(values: dict[str, str] | None = None, applicant: str = "asyl_app", first: str = "NASY_APP") -> RawFile:
    """Custom TSV: Greece's cells may be replaced by month; EU27_2020 and EXT_EU28 rows are there to be left out."""
    lines = ["\t".join([f"freq,unit,citizen,sex,age,{applicant},geo\\TIME_PERIOD", *(f"{month} " for month in MONTHS)])]
    for citizen, kind, geo in (
        ("TOTAL", "ASY_APP", "EL"), ("TOTAL", first, "EL"), ("TOTAL", "ASY_APP", "UK"),
        ("TOTAL", "ASY_APP", "EU27_2020"), ("TOTAL", "ASY_APP", "TOTAL"), ("EXT_EU28", "ASY_APP", "EL"),
    ):  # fmt: skip
        cells = [(values or {}).get(month, "1945 ") if geo == "EL" else "5 " for month in MONTHS]
        lines.append("\t".join([f"M,PER,{citizen},T,TOTAL,{kind},{geo}", *cells]))
    return RawFile("migr_asyappctzm.tsv", ("\n".join(lines) + "\n").encode())


def eurostat_json(applicant: str = "applicant", kinds: tuple[str, str] = ("ASY_APP", "FRST"), **value: int) -> RawFile:
    """JSON-stat answer for Germany and EU27_2020 in two months; ``value`` holds cells as ``c0=835``."""
    cells = {name.removeprefix("c"): number for name, number in value.items()} or {"0": 835, "1": 900, "2": 9, "7": 5}
    dimension = {
        "freq": {"M": 0}, "citizen": {"TOTAL": 0}, "sex": {"T": 0}, applicant: {kinds[0]: 0, kinds[1]: 1},
        "age": {"TOTAL": 0}, "geo": {"DE": 0, "EU27_2020": 1}, "time": {"2020-01": 0, "2020-02": 1},
    }  # fmt: skip
    body = {
        "version": "2.0", "class": "dataset", "value": cells, "id": list(dimension),
        "size": [len(index) for index in dimension.values()],
        "dimension": {name: {"category": {"index": index}} for name, index in dimension.items()},
    }  # fmt: skip
    return RawFile("migr_asyappctzm.json", json.dumps(body).encode())


def eurostat_csv(values: dict[str, str] | None = None) -> RawFile:
    """CSV of the former data explorer: Belgium by month, an aggregate, and figures with thousands separators."""
    lines = ['"TIME","GEO","CITIZEN","UNIT","Value"']
    for month in MONTHS:
        year, number = month.split("-")
        time = f"{int(year) - 18}M{number}"
        lines.append(f'"{time}","European Union - 15 countries (1995-2004)","Total","Person","18,420"')
        lines.append(f'"{time}","Belgium","Total","Person","{(values or {}).get(month, "1,945")}"')
    return RawFile("migr_asyctzm_1_Data.csv", ("\n".join(lines) + "\n").encode())


def eurostat_quarterly(**columns: list[object]) -> RawFile:
    """Panel of quarterly sums, among columns of no interest."""
    panel = {
        "geo": ["AT", "AT", "BE"], "time_period": ["2025-Q3", "2025-Q4", "2025-Q3"], "hpi_index": [1.0, 2.0, 3.0],
        "asylum_first_apps_q": [3535.0, 2510.0, None],
    } | columns  # fmt: skip
    buffer = io.BytesIO()
    pd.DataFrame(panel).to_parquet(buffer)
    return RawFile("panel_quarterly_extended_channels.parquet", buffer.getvalue())


CELL_FILES: dict[str, tuple[str, Callable[[dict[str, str]], RawFile]]] = {
    "fao_ffpi": ("fao_ffpi", fao_ffpi),
    "noaa_enso": ("noaa_enso", noaa_enso),
    "idmc": ("idmc", idmc),
    "ucdp wide": ("ucdp", ucdp_wide),
    "eurostat tsv": ("eurostat", eurostat_tsv),
    "eurostat csv": ("eurostat", eurostat_csv),
}
"""Layout -> (source_id, maker of a file with the given cells by month)."""
TEXT_FILES: dict[str, tuple[str, Callable[[], RawFile]]] = {
    "fao_ffpi": ("fao_ffpi", fao_ffpi),
    "noaa_enso": ("noaa_enso", noaa_enso),
    "idmc": ("idmc", idmc),
    "ucdp wide": ("ucdp", ucdp_wide),
    "eurostat tsv": ("eurostat", eurostat_tsv),
    "eurostat json": ("eurostat", eurostat_json),
    "eurostat csv": ("eurostat", eurostat_csv),
}
"""Layout -> (source_id, maker of a sound file)."""
BINARY_FILES: dict[str, tuple[str, Callable[[], RawFile]]] = {
    "ecb": ("ecb", ecb),
    "worldbank_pinksheet": ("worldbank_pinksheet", worldbank_pinksheet),
    "ucdp editions": ("ucdp", ucdp_editions),
    "eurostat quarterly": ("eurostat", eurostat_quarterly),
}
ALL_FILES = TEXT_FILES | BINARY_FILES


def write(folder: Path, raw: RawFile) -> Path:
    """Put a file on disk under its publisher's name."""
    path = folder / raw.name
    path.write_bytes(raw.content)
    return path
