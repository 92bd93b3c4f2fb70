"""Pages and files, in miniature, of publishers whose figures are context: indicators, stocks, displacement, news."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from ingest.sources.unhcr_statistics import DATASETS
from ingest.sources.worldbank_wdi import TARGETS as WDI
from tests.ingest.live.publisher import Asked, Publisher, Reply, browsers_only

KEYS = {"IDMC_CLIENT_ID": "n4me-of-nobody", "DTM_SUBSCRIPTION_KEY": "k3y-of-nobody"}
"""Variables of the environment that open these miniatures, and nothing else."""
Row = dict[str, Any]


def paged(rows: list[Row], name: str, answer: Callable[[int, list[list[Row]]], object]) -> Callable[[Asked], Reply]:
    """Rows in two pages, by the number of the page in the query."""
    pages = [rows[: len(rows) // 2], rows[len(rows) // 2 :]]

    def reply(asked: Asked) -> Reply:
        return Reply(json.dumps(answer(int(asked.value(name)), pages)).encode())

    return reply


# --- UHNCR: items of a page; a dash is no figure


def unhcr_rows(dataset: str) -> list[Row]:
    """Afghans and Syrians in Germany in two years; Germany's own code at UNHCR is not the ISO one."""
    columns, dimensions = DATASETS[dataset]
    rows: list[Row] = []
    for year in (2022, 2023):
        for origin, own in (("AFG", "AFG"), ("SYR", "SYR")):
            row = {"year": year, "coo_id": 1, "coo_name": origin, "coo": own, "coo_iso": origin, "coa": "GFR",
                   "coa_name": "Germany", "coa_iso": "DEU"}  # fmt: skip
            codes = {"procedure_type": "G", "app_type": "N", "dec_level": "FI", "app_pc": "P", "dec_pc": "P"}
            row |= {name: codes[name] for name in dimensions}
            row |= {name: year + place for place, name in enumerate(columns)} | ({"oip": "-"} if not dimensions else {})
            rows.append(row)
            if dataset == "asylum-applications":
                rows += [{**row, "app_type": "R"}, {**row, "dec_level": "AR"}, {**row, "app_pc": "C", "applied": 7}]
    return rows


def unhcr_statistics(publisher: Publisher) -> dict[str, Any]:
    for dataset in DATASETS:
        rows = unhcr_rows(dataset)
        reply = paged(rows, "page", lambda page, pages: {"page": page, "maxPages": 2, "items": pages[page - 1]})
        publisher.serve(f"/population/v1/{dataset}/", reply)
    return {"addresses": {"statistics": f"{publisher.address}/population/v1"}, "pause_seconds": 0}


# --- World Bank: a pair of page data and rows


def worldbank_rows(code: str) -> list[Row]:
    """Two countries, the world, and a country whose three-letter code is left empty."""
    places = [("AF", "AFG", "Afghanistan"), ("1W", "WLD", "World"), ("TR", "", "Turkiye"), ("DE", "DEU", "Germany")]
    return [
        {
            "indicator": {"id": code, "value": "An indicator"}, "country": {"id": two, "value": name},
            "countryiso3code": three, "date": str(year),
            "value": None if (year, two) == (2023, "AF") else year - 2020.75,
            "unit": "", "obs_status": "", "decimal": 1,
        }
        for two, three, name in places for year in (2023, 2022)
    ]  # fmt: skip


def serve_worldbank(publisher: Publisher, folder: str, codes: list[str]) -> dict[str, Any]:
    for code in codes:
        rows = worldbank_rows(code)
        head = {"pages": 2, "per_page": 4, "total": len(rows), "sourceid": "2", "lastupdated": "2024-02-21"}
        reply = paged(rows, "page", lambda page, pages, head=head: [{"page": page, **head}, pages[page - 1]])  # type: ignore[misc]  # the default binds this turn's head
        publisher.serve(f"/{folder}/{code}", reply)
    return {"addresses": {"indicators": f"{publisher.address}/{folder}"}, "pause_seconds": 0}


def worldbank_wdi(publisher: Publisher) -> dict[str, Any]:
    codes = list(WDI)[:2]
    return {**serve_worldbank(publisher, "v2/wdi", codes), "options": {"indicators": codes}}


def worldbank_wgi(publisher: Publisher) -> dict[str, Any]:
    return serve_worldbank(publisher, "v2/wgi", ["GOV_WGI_PV.EST"])


# --- INFORM: rows of a trend


def inform_rows() -> list[Row]:
    names = {"INFORM": "INFORM Risk Index", "HA": "Hazard & Exposure Index", "VU": "Vulnerability Index",
             "CC": "Lack of Coping Capacity Index", "HA.NAT": "Natural"}  # fmt: skip
    return [
        {
            "IndicatorId": indicator, "FullName": name, "Iso3": place, "CountryName": "", "GNAYear": year,
            "IndicatorScore": 2.5 + year % 10 / 10, "WorkflowId": 493, "MethodologyId": 436, "Ranking": 0,
        }
        for place in ("AFG", "MLT") for indicator, name in names.items() for year in (2023, 2022, 0)
    ]  # fmt: skip


def inform_risk(publisher: Publisher) -> dict[str, Any]:
    """The newest release holds a year that lies ahead alone; beside those of the index there is another model's."""
    ahead = [{**row, "GNAYear": 2100} for row in inform_rows() if row["GNAYear"] == 2023]
    trends = {"515": inform_rows(), "520": ahead}
    listed = [("INFORM Risk Mid", "06", 515), ("INFORM Risk", "09", 520), ("INFORM Warning", "10", 517)]
    for year in (2024, dt.datetime.now(dt.UTC).year):
        rows = [{"WorkflowId": number, "Name": f"{name} {year}", "WorkflowDate": f"{year}-{month}-01T00:00:00"}
                for name, month, number in listed]  # fmt: skip
        publisher.serve(f"/inform-index/workflows/{year}", Reply(json.dumps(rows).encode()))
    address = publisher.serve(
        "/inform-index/trends/", lambda asked: Reply(json.dumps(trends[asked.value("WorkflowId")]).encode())
    )
    of_workflows = f"{publisher.address}/inform-index/workflows"
    return {"addresses": {"workflows": of_workflows, "trends": address}, "pause_seconds": 0}


# --- IDMC and IOM: keys in the query and in a header


def with_key(reply: Reply, where: Callable[[Asked], str], key: str) -> Callable[[Asked], Reply]:
    def answer(asked: Asked) -> Reply:
        return reply if where(asked) == key else Reply(b'{"detail": "Client is not registered."}', 403)

    return answer


def displacement_rows() -> list[Row]:
    """Sudan's events: two in January, one of them over two months, one too long, an alternative figure and Abyei's."""
    spans = [
        ("SDN", "2023-12-28", "2024-01-02", 300, "Recommended figure"),
        ("SDN", "2024-01-05", "2024-01-05", 20, "Recommended figure"),
        ("SDN", "2024-02-05", "2024-02-06", 5, "Recommended figure"),
        ("SDN", "2023-10-01", "2024-02-01", 9000, "Recommended figure"),
        ("SDN", "2024-01-05", "2024-01-05", 25, "Triangulation"),
        ("AB9", "2024-01-05", "2024-01-05", 77, "Recommended figure"),
        ("TUR", "2023-12-01", "2023-12-03", 1000, "Recommended figure"),
    ]
    return [
        {
            "id": place, "country": iso3, "iso3": iso3, "latitude": 12.5, "longitude": 30.1, "centroid": "[12.5, 30.1]",
            "role": role, "displacement_type": "Conflict", "qualifier": "total", "figure": figure,
            "displacement_date": end, "displacement_start_date": start, "displacement_end_date": end, "year": 2024,
            "standard_popup_text": "…",
        }
        for place, (iso3, start, end, figure, role) in enumerate(spans, start=500)
    ]  # fmt: skip


def idmc(publisher: Publisher) -> dict[str, Any]:
    reply = Reply(json.dumps(displacement_rows()).encode())

    def sent(asked: Asked) -> str:
        return next(iter(asked.values("client_id")), "")

    feed = publisher.serve("/idus/last-180-days/", with_key(reply, sent, KEYS["IDMC_CLIENT_ID"]))
    return {"addresses": {"feed": feed}, "pause_seconds": 0, "asked": "always"}


def dtm_rows(code: str) -> list[Row]:
    """A country's rounds: conflict and disaster apart; Sudan has a second operation."""
    rounds = [("A", "2023-11-30", 1), ("A", "2024-01-10", 2), ("A", "2024-01-31", 3)]
    rounds += [("B", "2024-01-20", 7)] if code == "SDN" else []
    return [
        {
            "id": place, "operation": f"{code} {operation}", "admin0Name": code, "admin0Pcode": code,
            "numPresentIdpInd": 1000 * number + extra, "reportingDate": f"{day}T00:00:00", "roundNumber": number,
            "displacementReason": reason, "numberMales": None, "assessmentType": "BA",
        }
        for place, (operation, day, number) in enumerate(rounds)
        for reason, extra in (("Conflict", 0), ("Natural disaster", 50))
    ]  # fmt: skip


def iom_dtm_displacement(publisher: Publisher) -> dict[str, Any]:
    def rounds(asked: Asked) -> Reply:
        if asked.headers.get("ocp-apim-subscription-key") != KEYS["DTM_SUBSCRIPTION_KEY"]:
            return Reply(b'{"statusCode": 401, "message": "Access denied due to invalid subscription key."}', 401)
        rows = dtm_rows(asked.value("Admin0Pcode"))
        body = {
            "result": rows,
            "statusCode": 200,
            "isSuccess": True,
            "errorMessages": [],
            "totalRecordsCount": len(rows),
        }
        return Reply(json.dumps(body).encode())

    address = publisher.serve("/v3/displacement/admin0", lambda asked: browsers_only(rounds(asked))(asked))
    return {
        "addresses": {"admin0": address}, "pause_seconds": 0, "asked": "always",
        "options": {"countries": ["SDN", "AFG"]},
    }  # fmt: skip


# --- GDELT: a timeline, or a sentence


def timeline(asked: Asked) -> Reply:
    year = asked.value("startdatetime")[:4]
    days = [f"{year}{month}{day}T000000Z" for month in ("01", "02") for day in ("01", "02")]
    data = [{"date": day, "value": 3 + place, "norm": 1000} for place, day in enumerate(days)]
    return Reply(json.dumps({"query_details": {}, "timeline": [{"series": "Article Count", "data": data}]}).encode())


def gdelt(publisher: Publisher) -> dict[str, Any]:
    sentence = Reply(b"Please limit requests to one every 5 seconds or contact ...\n")
    address = publisher.serve("/api/v2/doc/doc", sentence, timeline)
    return {
        "addresses": {"timeline": address}, "pause_seconds": 0, "asked": "always",
        "options": {"since": 2023, "wait_seconds": 0, "queries": {
            "AFG": "afghanistan", "SDN": "sudan", "SYR": "syria", "TUN": "tunisia", "UKR": "ukraine",
        }},
    }  # fmt: skip


LAYOUTS: dict[str, Callable[[Publisher], dict[str, Any]]] = {
    "gdelt": gdelt,
    "idmc": idmc,
    "inform_risk": inform_risk,
    "iom_dtm_displacement": iom_dtm_displacement,
    "unhcr_statistics": unhcr_statistics,
    "worldbank_wdi": worldbank_wdi,
    "worldbank_wgi": worldbank_wgi,
}
