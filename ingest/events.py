"""The catalogue of documented rises, ``data/events.toml``: each from a public source."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.errors import InputError
from core.routes import ROUTES

CATALOGUE, SAID = "events.toml", "events_said.csv"


class EventCard(BaseModel):
    """One documented rise.

    Attributes:
        event_id: Its identity.
        route_id: Route.
        month: First month that the source tells of.
        title: What it is called; ``title_fr`` in French.
        what: The fact, from the source; ``what_fr`` in French.
        source: Who tells it, and when.
        url: Where it can be read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    event_id: str = Field(pattern=r"^[a-z]+-\d{4}$")
    route_id: str
    month: str = Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    title: str = Field(min_length=5)
    title_fr: str = Field(min_length=5)
    what: str = Field(min_length=20)
    what_fr: str = Field(min_length=20)
    source: str = Field(min_length=5)
    url: str = Field(pattern=r"^https://.+")

    @field_validator("route_id")
    @classmethod
    def _is_a_route(cls, route_id: str) -> str:
        if route_id not in ROUTES:
            raise ValueError(f"no route '{route_id}'; known: {', '.join(ROUTES)}")
        return route_id


def events(folder: Path) -> list[EventCard]:
    """Read the catalogue.

    Args:
        folder: The folder that holds ``events.toml``.

    Raises:
        InputError: The file is missing, is not TOML, names an event twice, or an entry breaks a rule.
    """
    path = folder / CATALOGUE
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))["event"]
        found = [EventCard.model_validate(entry) for entry in entries]
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise InputError(f"{path.name}: not readable: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path.name}, field {where}: {first['msg']}") from None
    names = [card.event_id for card in found]
    if len(set(names)) < len(names):
        raise InputError(f"{path.name}: an event_id is listed twice")
    return found


def said_on_detections(folder: Path) -> pd.DataFrame:
    """Chances computed before on Frontex's detections, whose figures are not bundled: chances and months only.

    Returns:
        Columns of :data:`alerts.verification.known_events.COLUMNS`; without rows where nothing was computed.
    """
    path = folder / SAID
    if not path.exists():
        return pd.DataFrame()
    texts = dict.fromkeys(("event_id", "route_id", "month", "origin", "level", "basis"), str)
    return pd.read_csv(path, dtype=texts).fillna({"level": ""})
