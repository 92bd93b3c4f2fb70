"""IDMC's feed of displacements in miniature."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.ingest.live.publisher import Asked, Publisher, Reply

KEYS = {"IDMC_CLIENT_ID": "n4me-of-none"}
"""Variables of the environment that open these miniatures, and nothing else."""
Row = dict[str, Any]


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


LAYOUTS: dict[str, Callable[[Publisher], dict[str, Any]]] = {"idmc": idmc}
