"""Each publisher's pages and files in miniature, in the layouts that it documents or that its real files show."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import json
from collections.abc import Callable
from typing import Any

import openpyxl
import pandas as pd

from core.countries import region_codes
from core.settings import LiveSettings
from ingest import LiveSource, Pull, RawFile
from ingest.http import Client
from ingest.sources import source_access
from tests.ingest import miniature_files as files
from tests.ingest.live import layouts_indicators
from tests.ingest.live.publisher import Asked, Publisher, Reply, browsers_only

TODAY = dt.date(2024, 3, 20)
CSV = "text/csv"


def pull(publisher: Publisher, source_id: str, quick: LiveSettings, changes: dict[str, Any] | None = None) -> Pull:
    """A visit on ``TODAY`` over HTTP, with nothing kept."""
    layout = LAYOUTS[source_id](publisher)
    for name, value in (changes or {}).items():
        layout[name] = {**layout[name], **value} if isinstance(value, dict) and name in layout else value
    access = source_access({source_id: layout})[source_id]
    client = Client(quick)
    return Pull(access, lambda request: client.get(request, access), TODAY, lambda _: None)


def whole_visit(source: LiveSource, visit: Pull) -> list[RawFile]:
    """All files of a visit; the first fault is raised, though other parts of it succeeded."""
    files = source.download(visit)
    for fault in visit.failures:
        raise fault
    return files


# --- Eurostat: a cube that is asked for slices


CITIZENS = ["AF", "SY", "STLS", "QX", "EU27_2020", "EXT_EU27_2020", "TOTAL"]
PLACES = ["DE", "EL", "EU27_2020"]
KINDS = ["ASY_APP", "FRST"]


def asylum_figure(citizen: str, kind: str, geo: str, month: str) -> int | None:
    """The cube's cells: rounded to five, some absent, and TOTAL the sum of the three groups of persons."""
    if month >= "2024-02" or (geo == "EL" and month == "2023-12") or (citizen == "QX" and geo + month != "DE2023-01"):
        return None
    parts = {"AF": 100, "SY": 200, "STLS": 5, "QX": 0}
    base = sum(parts.values()) if citizen in ("TOTAL", "EXT_EU27_2020") else parts.get(citizen, 0)
    return base * (2 if kind == "ASY_APP" else 1) * (3 if geo == "DE" else 1) + 5 * int(month[5:]) * (citizen == "AF")


def jsonstat(dimensions: dict[str, list[str]], figure: Callable[..., int | None]) -> bytes:
    """A JSON-stat 2.0 dataset as Eurostat writes it: sparse values, positions as text."""
    cells = itertools.product(*dimensions.values())
    values = {str(place): figure(*cell) for place, cell in enumerate(cells)}
    body = {
        "version": "2.0", "class": "dataset", "label": "miniature", "source": "ESTAT",
        "updated": "2024-03-19T23:00:00+0100",
        "value": {place: value for place, value in values.items() if value is not None},
        "status": {}, "id": list(dimensions), "size": [len(codes) for codes in dimensions.values()],
        "dimension": {
            name: {"label": name, "category": {"index": {code: place for place, code in enumerate(codes)}}}
            for name, codes in dimensions.items()
        },
        "extension": {"id": "MINIATURE", "agencyId": "ESTAT"},
    }  # fmt: skip
    return json.dumps(body).encode()


def asked_months(asked: Asked) -> list[str]:
    span = pd.period_range(asked.value("sinceTimePeriod"), asked.value("untilTimePeriod"), freq="M")
    return [str(month) for month in span if str(month) <= "2024-03"]


def applicants(largest: int = 10**6, dimension: str = "applicant") -> Callable[[Asked], Reply]:
    """The dataset of applicants; a slice of more than ``largest`` cells is answered 413."""

    def answer(asked: Asked) -> Reply:
        assert (asked.values("sex"), asked.values("age"), asked.values("unit")) == (["T"], ["TOTAL"], ["PER"])
        dimensions = {
            "freq": ["M"], "unit": ["PER"], "citizen": asked.values("citizen") or CITIZENS, "sex": ["T"],
            dimension: asked.values("applicant") or KINDS, "age": ["TOTAL"], "geo": PLACES,
            "time": asked_months(asked),
        }  # fmt: skip
        size = len(dimensions["citizen"]) * len(dimensions[dimension]) * len(PLACES) * len(dimensions["time"])
        if size > largest:
            return Reply(b'{"error":[{"status":413,"label":"EXTRACTION_TOO_BIG"}]}', 413)
        return Reply(jsonstat(dimensions, lambda *cell: asylum_figure(cell[2], cell[4], cell[6], cell[7])))

    return answer


def protection(asked: Asked) -> Reply:
    dimensions = {
        "freq": ["M"], "unit": ["PER"], "citizen": ["UA", "TOTAL"], "sex": ["T"], "age": ["TOTAL"],
        "geo": ["PL", "EU27_2020"], "time": asked_months(asked),
    }  # fmt: skip
    return Reply(jsonstat(dimensions, lambda *cell: 1000 if cell[-1] < "2024-02" else None))


def pending(asked: Asked) -> Reply:
    dimensions = {
        "freq": ["M"], "unit": ["PER"], "citizen": asked.values("citizen") or CITIZENS, "sex": ["T"], "age": ["TOTAL"],
        "geo": PLACES, "time": asked_months(asked),
    }  # fmt: skip
    return Reply(jsonstat(dimensions, lambda *cell: asylum_figure(cell[2], "FRST", cell[5], cell[6])))


def eurostat(publisher: Publisher) -> dict[str, Any]:
    publisher.serve("/stat/migr_asyappctzm", applicants())
    publisher.serve("/stat/migr_asytpsm", protection)
    publisher.serve("/stat/migr_asytpfm", protection)
    publisher.serve("/stat/migr_asypenctzm", pending)
    return {
        "addresses": {"statistics": f"{publisher.address}/stat", "asynchronous": f"{publisher.address}/async"},
        "pause_seconds": 0,
        "options": {"since": "2021-11", "since_by_citizen": "2022-11", "protection_since": "2023-12", "queue_polls": 4},
    }


# --- the others: one page or file each


def frontex_workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Detections_of_IBC"
    sheet.append([])
    sheet.append(["Route", "Border type or inland", "Nationality", "JAN2024", "FEB2024"])
    sheet.append(["Western African Route", "Sea", "Mali", 3, 4])
    sheet.append(["Western African Route", "Sea", "Unspecified sub-Saharan nationals", 5, None])
    book.create_sheet("Notes").append(["Source: FRAN data as of 05MAR24"])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def frontex(publisher: Publisher) -> dict[str, Any]:
    folder = "/assets/Migratory_routes/2024/Monthly_detections_of_IBC_2024"
    page = "".join(f'<li><a class="x" href="{folder}_{day}.xlsx">Download</a>' for day in ("02_06", "03_05", "01_09"))
    publisher.serve("/map/", browsers_only(Reply(f"<html><body>{page}</body></html>".encode())))
    publisher.serve(f"{folder}_03_05.xlsx", browsers_only(Reply(frontex_workbook())))
    return {"addresses": {"page": f"{publisher.address}/map/"}, "pause_seconds": 0}


def boats_workbook() -> bytes:
    days = pd.date_range("2024-01-01", "2024-03-10")
    table = pd.DataFrame({"Date": days.strftime("%Y-%m-%d"), "Migrants arrived": range(len(days)), "Boats arrived": 1})
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="odf") as writer:
        table.to_excel(writer, sheet_name="SB_01", index=False)
    return buffer.getvalue()


def citizenships_workbook() -> bytes:
    """As published: a title above the header, quarters as "2023 Q4"."""
    header = ["Year", "Quarter", "Method of entry", "Nationality", "Region", "Sex", "Age Group", "Number of detections"]
    sudan, iraq = ("Sudan", "Africa Sub-Saharan"), ("Iraq", "Middle East")
    counts = [(*sudan, "Male", 30), (*sudan, "Female", 4), (*iraq, "Male", 16)]
    rows = [[2023, "2023 Q4", "Small boat arrivals", *who, "17 and under", count] for *who, count in counts]
    table = pd.DataFrame([["Detected arrivals via illegal routes", *[None] * 7], header, *rows])
    buffer = io.BytesIO()
    table.to_excel(buffer, sheet_name="Data_IER_D01", index=False, header=False)
    return buffer.getvalue()


def uk_home_office(publisher: Publisher) -> dict[str, Any]:
    name = "11_March_2024_Small_boats_-_time_series.ods"
    workbook = publisher.serve(f"/media/65f0/{name}", browsers_only(Reply(boats_workbook())))
    attachments = [
        {"attachment_type": "html", "url": "/government/publications/notes"},
        {
            "attachment_type": "file",
            "filename": "last-7-days.ods",
            "url": f"{publisher.address}/media/1/last-7-days.ods",
        },
        {"attachment_type": "file", "filename": name, "url": workbook},
    ]
    page = {"base_path": "/government/publications/boats", "details": {"attachments": attachments}}
    content = publisher.serve("/api/content/boats", browsers_only(Reply(json.dumps(page).encode())))
    address = publisher.serve(
        "/media/66/illegal-entry-routes-to-the-uk-dataset-dec-2023.xlsx", browsers_only(Reply(citizenships_workbook()))
    )
    link = f'<a href="/media/1/illegal-entry-routes-to-the-uk-summary.xlsx">a</a><a href="{address}">b</a>'
    tables = publisher.serve("/government/statistical-data-sets/tables", browsers_only(Reply(link.encode())))
    return {"addresses": {"content": content, "tables": tables}, "pause_seconds": 0}


def timeseries(asked: Asked) -> Reply:
    assert (asked.value("sv_id"), asked.value("frequency")) == ("100", "month")
    number = int(asked.value("widget_id"))
    rows = [
        {"data_date": f"{month}-28", "month": int(month[5:]), "year": int(month[:4]),
         "individuals": str(number) if month < "2020-06" else number}
        for month in files.MONTHS
    ]  # fmt: skip
    now = pd.Timestamp.now(tz="UTC")
    rows.append({"data_date": str(now.date()), "month": now.month, "year": now.year, "individuals": 3})
    return Reply(json.dumps({"data": {"timeseries": rows}}).encode())


def unhcr_odp(publisher: Publisher) -> dict[str, Any]:
    address = publisher.serve("/population/get/timeseries", lambda asked: browsers_only(timeseries(asked))(asked))
    # Asking by place has tests of its own.
    return {"addresses": {"timeseries": address}, "options": {"months": 0}, "pause_seconds": 0}


ITALIAN_DAYS = b"Data,Valore,Note,Fonte,Data_Report\n" + b"".join(
    f"2024-02-{day:02d},{day},x,y,2024-02-29\n".encode() for day in range(1, 30)
)
ITALIAN_CITIZENSHIPS = (
    b"Data_Report,Nazione,Valore\n2024-01-31,Tunisia,100\n2024-01-31,altre,7\n"
    b"2024-02-29,Tunisia,150\n2024-02-29,altre,9\n"
)


def italy_interior(publisher: Publisher) -> dict[str, Any]:
    days = publisher.serve("/main/sbarchi-per-giorno.csv", Reply(ITALIAN_DAYS))
    citizenships = publisher.serve("/main/nazionalita.csv", Reply(ITALIAN_CITIZENSHIPS))
    return {"addresses": {"days": days, "citizenships": citizenships}, "pause_seconds": 0}


ITALIAN_RECEPTION = (
    "Regione,Data_Report,Migranti presenti negli hot spot,Migranti presenti nei centri di accoglienza,"
    "Migranti presenti nei centri SIPROIMI,Migranti presenti nei centri SAI\n"
    + "".join(f"{name},2024-02-29,,{place},,7\n" for place, name in enumerate(region_codes("ITA")))
).encode()


def italy_reception(publisher: Publisher) -> dict[str, Any]:
    return {
        "addresses": {"reception": publisher.serve("/main/accoglienza.csv", Reply(ITALIAN_RECEPTION))},
        "pause_seconds": 0,
    }


def ecb(publisher: Publisher) -> dict[str, Any]:
    address = publisher.serve("/stats/eurofxref-hist.zip", Reply(files.ecb().content))
    return {"addresses": {"history": address}, "pause_seconds": 0}


def fao_ffpi(publisher: Publisher) -> dict[str, Any]:
    link = "/docs/default-document-library/food_price_indices_data.csv?sfvrsn=523ebd2a_52&amp;download=true"
    page = publisher.serve("/foodpricesindex/en/", Reply(f"<html><a href='{link}'>CSV</a></html>".encode()))
    publisher.serve("/docs/default-document-library/food_price_indices_data.csv", Reply(files.fao_ffpi().content))
    return {"addresses": {"page": page}, "pause_seconds": 0}


def worldbank_pinksheet(publisher: Publisher) -> dict[str, Any]:
    workbook = "/en/doc/18675f1d1639c7a34d463f59263ba0a2/related/CMO-Historical-Data-Monthly.xlsx"
    page = publisher.serve(
        "/en/research/commodity-markets",
        Reply(f'<!doctype html><a href="{publisher.foreign}{workbook}">Monthly prices</a>'.encode()),
    )
    publisher.serve(workbook, Reply(files.worldbank_pinksheet().content))
    return {"addresses": {"page": page}, "hosts": ["localhost"], "pause_seconds": 0}


GED_HEADER = [
    "id", "relid", "year", "active_year", "code_status", "type_of_violence", "conflict_new_id", "conflict_name",
    "dyad_name", "side_a", "side_b", "where_coordinates", "where_description", "adm_1", "adm_2", "latitude",
    "longitude", "country", "country_id", "region", "event_clarity", "date_prec", "date_start", "date_end",
    "deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown", "best", "high", "low",
]  # fmt: skip


def ged_events(month: str) -> list[dict[str, Any]]:
    """Events of a month: Mali twice, Sudan once, and one that began a month earlier."""
    last = pd.Period(month, freq="M")
    spans = [(f"{month}-01", f"{month}-03", "Mali", 3), (f"{month}-05", f"{month}-05", "Mali", 4),
             (f"{month}-10", f"{month}-10", "Sudan", 50), (f"{last - 1}-20", f"{month}-02", "Sudan", 900)]  # fmt: skip
    return [
        {**dict.fromkeys(GED_HEADER, ""), "id": last.ordinal * 10 + place, "country": country, "type_of_violence": 1,
         "best": best, "date_start": f"{start} 00:00:00.000", "date_end": f"{end} 00:00:00.000"}
        for place, (start, end, country, best) in enumerate(spans)
    ]  # fmt: skip


def ged_csv(month: str, separator: str = ",") -> bytes:
    lines = [separator.join(str(event[name]) for name in GED_HEADER) for event in ged_events(month)]
    return "\n".join([separator.join(GED_HEADER), *lines, ""]).encode()


def ucdp(publisher: Publisher) -> dict[str, Any]:
    """February is not out yet; January writes semicolons; December came in a release of the whole year."""
    publisher.serve("/ged/GEDEvent_v24_0_1.csv", Reply(ged_csv("2024-01", ";")))
    publisher.serve(
        "/ged/GEDEvent_v23_01_23_12.csv", Reply(ged_csv("2023-12") + ged_csv("2023-11").partition(b"\n")[2])
    )
    return {"addresses": {"candidate": f"{publisher.address}/ged"}, "pause_seconds": 0, "options": {"months": 4}}


def missing_migrants_csv(route: str = "Migration route", date: str = "Incident Date") -> bytes:
    header = ["Main ID", "Incident Type", "Region of Incident", date, "Incident year", "Reported Month",
              "Number of Dead", "Total Number of Dead and Missing", route, "Coordinates"]  # fmt: skip
    rows = [
        ["2023.MMP1", "Incident", "Mediterranean", "2023-11-02", "2023", "November", "1", "21", "Central Mediterranean",
         '"35.1, 12.2"'],
        ["2023.MMP2", "Incident", "Mediterranean", "Mon, 12/04/2023", "2023", "December", "", "4",
         "Western Africa / Atlantic route to the Canary Islands", '"28.1, -15.2"'],
        ["2024.MMP3", "Incident", "North America", "2024-01-05", "2024", "January", "2", "2",
         "US-Mexico border crossing", '"31.7, -106.5"'],
    ]  # fmt: skip
    return "\n".join([",".join(header), *(
        ",".join(f'"{cell}"' if "," in cell and not cell.startswith('"') else cell for cell in row) for row in rows
    ), ""]).encode()  # fmt: skip


def missing_migrants(publisher: Publisher) -> dict[str, Any]:
    address = publisher.serve("/files/Missing_Migrants_Global_Figures_allData.csv", Reply(missing_migrants_csv()))
    return {"addresses": {"incidents": address}, "pause_seconds": 0}


ONI = b""" SEAS  YR   TOTAL   ANOM
  DJF 2023  26.00  -0.68
  JFM 2023  26.41  -0.43
  NDJ 2023  28.60   1.95
"""


def noaa_enso(publisher: Publisher) -> dict[str, Any]:
    return {"addresses": {"index": publisher.serve("/data/oni.ascii.txt", Reply(ONI))}, "pause_seconds": 0}


LAYOUTS: dict[str, Callable[[Publisher], dict[str, Any]]] = {
    "ecb": ecb,
    "eurostat": eurostat,
    "fao_ffpi": fao_ffpi,
    "frontex": frontex,
    "italy_interior": italy_interior,
    "italy_reception": italy_reception,
    "missing_migrants": missing_migrants,
    "noaa_enso": noaa_enso,
    "ucdp": ucdp,
    "uk_home_office": uk_home_office,
    "unhcr_odp": unhcr_odp,
    "worldbank_pinksheet": worldbank_pinksheet,
    **layouts_indicators.LAYOUTS,
}
"""Source -> what puts its layout on the server and returns the fields of its ``ACCESS`` to change."""
