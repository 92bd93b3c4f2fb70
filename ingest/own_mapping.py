"""The small mapping file that comes with an analyst's own figures: what they are and where they stand (TOML).

Every refusal of own figures says what to do about it, most often in the mapping (:func:`with_advice`).
"""

from __future__ import annotations

import codecs
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.errors import Message, SourceError, message
from core.languages import marked as _
from core.routes import read_text, toml_of, validated
from core.schema import PLACES, RECEPTION
from core.settings import SNAPSHOT
from ingest import SourceCard

What = Literal["arrivals", "capacity", "reception", "places", "indicator"]
_EXPECTED_DAYS: dict[What, int] = {"arrivals": 75, "capacity": 400, "reception": 75, "places": 400, "indicator": 120}
"""Greatest usual age where the mapping says none: a capacity holds until another is given."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OwnSource(_Part):
    """Who counts, and how late.

    Attributes:
        source_id: Code of the source; begins with ``own_``.
        lag_days: Usual days from a period's end to the day its figure is known: dates figures of the past.
        expected_days: Usual greatest age of the newest period's last day; beyond it the source is due.
            By default 75 for arrivals, 400 for capacities, 120 for indicators.
    """

    source_id: str = Field(pattern=r"^own_[a-z0-9]+(_[a-z0-9]+)*$", max_length=40)
    publisher: str = Field(min_length=2)
    dataset: str = Field(min_length=2)
    licence: str = Field(default=_("Own figures; not for redistribution"), min_length=2)
    citation: str = Field(default="", pattern=r"^(.{7,})?$")
    rhythm: str = _("As it is handed over.")
    lag_days: int = Field(ge=0, le=120)
    expected_days: int | None = Field(default=None, ge=1)


class OwnTable(_Part):
    """How the file is written.

    Attributes:
        what: ``arrivals``: persons per month, to be forecast; ``capacity``: persons a month that a route can take in,
            a threshold of alerts; ``reception``: people in reception at the end of a period; ``places``: how many
            people reception can hold; ``indicator``: any other number, shown as context.
        freq: M; for people in reception and places also Q, for an indicator Q or A.
        encoding: Of a CSV, such as ``cp1252``; UTF-8 by default.
        header_row: Number of the row that holds the header; titles above it are left out.
        wide: One column per period: each header cell that reads as a period heads a column of figures.
        sum_days: The rows are days, to be summed by month; a month without all its days is set aside.
        sheet: Sheet of an XLSX; its first by default.
        separator: Between cells of a CSV.
        decimal: Mark before decimals.
        thousands: Mark between thousands, empty for none.
        period_format: As in ``strptime``; by default periods are written 2024-12, 2024-Q4 or 2024. A month's name in
            any of Vigie's languages with its year, such as ``janv. 2024``, is read without one.
    """

    what: What
    freq: Literal["M", "Q", "A"] = "M"
    encoding: str = "utf-8-sig"
    header_row: int = Field(default=1, ge=1, le=50)
    wide: bool = False
    sum_days: bool = False
    sheet: str | None = None
    separator: str = Field(default=",", min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    period_format: str = ""


class OwnColumns(_Part):
    """Header cells of the columns to read, every other one is left out; a wide table needs none of the first two.

    Attributes:
        route: A route or place; for people in reception a country or region, such as ``DEU`` or ``DEU-Bayern``.
        citizen: Nationality, or country of origin; of arrivals.
        geo: Country of destination; of arrivals.
        places: Places, beside people in reception.
    """

    time_period: str = ""
    value: str = ""
    route: str | None = None
    citizen: str | None = None
    geo: str | None = None
    places: str | None = None


class OwnFixed(_Part):
    """What is the same in every row.

    Attributes:
        route: A route of Vigie (``CMR``), or the name of one's own route or place.
        name: Code of the indicator.
    """

    route: str | None = None
    name: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]{2,40}$")


class OwnMapping(_Part):
    """A mapping file."""

    source: OwnSource
    table: OwnTable
    columns: OwnColumns = OwnColumns()
    fixed: OwnFixed = OwnFixed()

    @model_validator(mode="after")
    def _says_enough(self) -> OwnMapping:
        if self.table.what == "indicator":
            if self.fixed.name is None:
                raise ValueError("an indicator needs fixed.name")
        elif (self.columns.route is None) == (self.fixed.route is None):
            raise ValueError("give either columns.route or fixed.route")
        if self.table.what != "arrivals" and (self.columns.citizen or self.columns.geo):
            raise ValueError("columns.citizen and columns.geo are of arrivals only")
        if self.table.what in ("arrivals", "capacity") and self.table.freq != "M":
            raise ValueError("arrivals and capacities are monthly: table.freq must be M")
        if not self.table.wide and not (self.columns.time_period and self.columns.value):
            raise ValueError("give columns.time_period and columns.value, or table.wide = true")
        if self.table.sum_days and (self.table.wide or self.table.freq != "M"):
            raise ValueError("table.sum_days sums rows of days to months: neither wide nor of another frequency")
        try:
            codecs.lookup(self.table.encoding)
        except LookupError:
            raise ValueError(f"table.encoding: '{self.table.encoding}' is no encoding; cp1252 and utf-8 are") from None
        if self.table.decimal == self.table.thousands:
            raise ValueError("table.decimal and table.thousands must differ")
        return self

    @model_validator(mode="after")
    def _is_a_whole_stock(self) -> OwnMapping:
        if self.of_people and self.table.freq == "A":
            raise ValueError("people in reception and places are monthly or quarterly: table.freq must be M or Q")
        if self.of_people and self.table.sum_days:
            raise ValueError("people in reception and places are no sums of days: leave out table.sum_days")
        if self.columns.places is not None and (self.table.what != "reception" or self.table.wide):
            raise ValueError('columns.places stands beside table.what = "reception" in a table that is not wide')
        return self

    @property
    def of_people(self) -> bool:
        """Whether the figures are people in reception, or places for them."""
        return self.table.what in (RECEPTION, PLACES)

    @property
    def dimensions(self) -> dict[str, str]:
        """Header cells that identify a row, by the dimension that they give."""
        place = "geo" if self.of_people else "route_id"
        given = {"citizen": self.columns.citizen, "geo": self.columns.geo, place: self.columns.route}
        return {name: head for name, head in given.items() if head is not None}

    @property
    def of_places(self) -> OwnMapping:
        """The mapping of the column of places in the same file."""
        table = self.table.model_copy(update={"what": PLACES})
        columns = self.columns.model_copy(update={"value": self.columns.places, "places": None})
        return self.model_copy(update={"table": table, "columns": columns})

    @property
    def card(self) -> SourceCard:
        """The source as the catalogue would have it. Own figures are never passed on."""
        given = {name: value for name, value in self.source.model_dump(exclude={"lag_days"}).items() if value}
        citation = f"{self.source.publisher}, {self.source.dataset}."
        usual = {"citation": citation, "expected_days": _EXPECTED_DAYS[self.table.what]}
        return SourceCard.model_validate(usual | given | {"url": "", "redistribution": False})


def read_mapping(path: Path) -> OwnMapping:
    """Read a mapping file.

    Raises:
        InputError: It cannot be read, is not TOML, or a field is missing, unknown or out of range; the text names it.
    """
    return mapping_of_text(read_text(path, path.name), path.name)


def mapping_of_text(text: str, name: str) -> OwnMapping:
    """A mapping from its text.

    Raises:
        InputError: It is not TOML, or a field is missing, unknown or out of range; the text names it.
    """
    return validated(OwnMapping, toml_of(text, name), name)


_ADVICE = {
    kind: {entry["rule"]: entry["advice"] for entry in entries}
    for kind, entries in tomllib.loads((SNAPSHOT / "advice.toml").read_text("utf-8")).items()
}
"""What to do about a fault that a mapping can settle, and about one of the file, by its rule."""
_SAVED_AGAIN = _("save the table alone as CSV, as in `Month,Persons` and below it `2024-01,120`")
"""What settles all else: formulas, macros, links, other kinds of files, and damage."""


def with_advice(error: SourceError) -> SourceError:
    """A refusal of own figures with what to do about it."""
    rule: object = error.rule
    known = _ADVICE["mapping"] | _ADVICE["file"]
    while (
        isinstance(rule, Message) and rule.template not in known and isinstance(rule.parameters.get("fault"), Message)
    ):
        rule = rule.parameters["fault"]
    template = rule.template if isinstance(rule, Message) else ""
    text = _("{fault}. What to do: {advice}")
    if template in _ADVICE["mapping"]:
        text = _("{fault}. What to do: {advice}; vigie ingest --preview suggests a mapping")
    explained = message(text, fault=error.rule, advice=Message(known.get(template, _SAVED_AGAIN)))
    return SourceError(error.file, explained, row=error.row, column=error.column)
