"""The small mapping file that comes with an analyst's own figures: what they are and where they stand (TOML)."""

from __future__ import annotations

import datetime as dt
import io
import tomllib
from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.aggregates import refuse_person_level
from core.errors import InputError, SourceError
from core.languages import marked as _
from core.release import OBSERVATIONS
from core.routes import OWN_PREFIX, own_route_id
from core.schema import ALL, NOT_APPLICABLE, make_series_id
from ingest.own_guard import refuse_csv, refuse_large, refuse_workbook
from ingest.routes import SOURCE_ID as ROUTES_SOURCE
from ingest.rows import to_dates, to_observations
from ingest.source import Parsed, RawFile, SourceCard
from ingest.tables import read_csv, read_sheet, require_columns

What = Literal["arrivals", "capacity", "indicator"]
_EXPECTED_DAYS: dict[What, int] = {"arrivals": 75, "capacity": 400, "indicator": 120}
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
    licence: str = Field(default="Own figures; not for redistribution", min_length=2)
    citation: str = ""
    rhythm: str = "As it is handed over."
    lag_days: int = Field(ge=0, le=120)
    expected_days: int | None = Field(default=None, ge=1)


class OwnTable(_Part):
    """How the file is written.

    Attributes:
        what: ``arrivals``: persons per month, to be forecast; ``capacity``: persons a month that a route can take in,
            a threshold of alerts; ``indicator``: any other number, shown as context.
        freq: M; for an indicator also Q or A.
        sheet: Sheet of an XLSX; its first by default.
        separator: Between cells of a CSV.
        decimal: Mark before decimals.
        thousands: Mark between thousands, empty for none.
        period_format: As in ``strptime``; by default periods are written 2024-12, 2024-Q4 or 2024.
    """

    what: What
    freq: Literal["M", "Q", "A"] = "M"
    sheet: str | None = None
    separator: str = Field(default=",", min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    period_format: str = ""


class OwnColumns(_Part):
    """Header cells of the columns to read; every other column is left out."""

    time_period: str
    value: str
    route: str | None = None


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
    columns: OwnColumns
    fixed: OwnFixed = OwnFixed()

    @model_validator(mode="after")
    def _says_enough(self) -> OwnMapping:
        if self.table.what == "indicator":
            if self.fixed.name is None:
                raise ValueError("an indicator needs fixed.name")
        elif (self.columns.route is None) == (self.fixed.route is None):
            raise ValueError("give either columns.route or fixed.route")
        if self.table.what != "indicator" and self.table.freq != "M":
            raise ValueError("arrivals and capacities are monthly: table.freq must be M")
        if self.table.decimal == self.table.thousands:
            raise ValueError("table.decimal and table.thousands must differ")
        return self

    @property
    def card(self) -> SourceCard:
        """The source as the catalogue would have it. Own figures are never passed on."""
        source = self.source
        return SourceCard(
            source_id=source.source_id,
            publisher=source.publisher,
            dataset=source.dataset,
            url="",
            licence=source.licence,
            redistribution=False,
            citation=source.citation or f"{source.publisher}, {source.dataset}.",
            rhythm=source.rhythm,
            expected_days=source.expected_days or _EXPECTED_DAYS[self.table.what],
        )


def read_mapping(path: Path) -> OwnMapping:
    """Read a mapping file.

    Raises:
        InputError: It cannot be read, is not TOML, or a field is missing, unknown or out of range; the text names it.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SourceError(path.name, _("cannot be read: {error}"), error=error.strerror) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourceError(path.name, _("not readable as TOML: {error}"), error=error) from None
    try:
        return OwnMapping.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "mapping"
        raise InputError(f"{path.name}, {where}: {first['msg']}") from None


CAPACITY = "capacity"
"""Target of capacities: persons a month that a route's reception can take in."""
_WRITTEN = {"M": "%Y-%m", "A": "%Y"}


def parse_own(raw: RawFile, mapping: OwnMapping, *, today: dt.date | None = None) -> Parsed:
    """Tabulate own figures.

    Args:
        raw: The file, ``.csv`` or ``.xlsx``.
        mapping: What it holds and where.
        today: Newest day that can have been observed; by default the day of the call.

    Returns:
        Series ``<what>.<route>._Z._T.<freq>`` of the mapping's source; rows that break a rule are set aside, up to one
        in twenty.

    Raises:
        SourceError: The file is refused (formulas, macros, links, zip bombs, persons), is broken, or is no table as
            the mapping says.
    """
    frame = _read(raw, mapping)
    refuse_person_level(frame.columns, raw.name)
    columns = mapping.columns
    wanted = [columns.time_period, columns.value, *([columns.route] if columns.route else [])]
    require_columns(frame, wanted, raw.name)
    cells = pd.DataFrame(
        {
            "time_period": frame[columns.time_period].map(lambda cell: _period(cell, mapping)),
            "value": frame[columns.value].map(lambda cell: _number(cell, mapping)),
        }
    )
    if columns.route is not None:
        cells["route_id"] = [_route(raw, row, cell) for row, cell in frame[columns.route].items()]
    kept = cells[(cells["time_period"] != "") | (cells["value"] != "")]
    table, fixed = mapping.table, mapping.fixed
    what = fixed.name if table.what == "indicator" and fixed.name else table.what
    dimensions = {"target": what, "freq": table.freq, "citizen": ALL if table.what == "arrivals" else NOT_APPLICABLE}
    if fixed.route is not None:
        dimensions["route_id"] = own_route_id(fixed.route)
    return to_observations(
        raw,
        kept,
        source_id=mapping.source.source_id,
        lag_days=mapping.source.lag_days,
        counts=table.what != "indicator",
        today=today,
        **dimensions,
    )


def own_route_figures(known: pd.DataFrame) -> pd.DataFrame:
    """Own routes' monthly arrivals among what was known on a date, as the routes' harmonised series.

    Returns:
        Frame of ``core.release.OBSERVATIONS``, source ``vigie-routes``, series ``arrivals.X_<name>._T._T.M``.
    """
    rows = known[
        (known["target"] == "arrivals")
        & (known["freq"] == "M")
        & (known["citizen"] == ALL)
        & known["route_id"].str.startswith(OWN_PREFIX)
        & (known["source_id"] != ROUTES_SOURCE)
    ]
    newest = rows.sort_values("as_of", kind="stable").drop_duplicates(["route_id", "time_period"], keep="last")
    names = {code: make_series_id("arrivals", code, ALL, ALL, "M") for code in newest["route_id"].unique()}
    found = newest.assign(source_id=ROUTES_SOURCE, geo=ALL, series_id=newest["route_id"].map(names))
    return found.sort_values(["series_id", "time_period"], ignore_index=True)[list(OBSERVATIONS.columns)]


def own_capacities(known: pd.DataFrame, as_of: dt.date) -> dict[str, float]:
    """Each route's capacity of the newest month that is not ahead of a date, persons a month."""
    month = f"{as_of:%Y-%m}"
    rows = known[(known["target"] == CAPACITY) & (known["freq"] == "M") & (known["time_period"] <= month)]
    newest = rows.sort_values(["time_period", "as_of"], kind="stable").drop_duplicates("route_id", keep="last")
    return dict(zip(newest["route_id"], newest["obs_value"], strict=True))


def _read(raw: RawFile, mapping: OwnMapping) -> pd.DataFrame:
    suffix = Path(raw.name).suffix.lower()
    if suffix == ".xlsx":
        refuse_workbook(raw)
        sheet = read_sheet(raw, mapping.table.sheet or _first_sheet(raw)).dropna(how="all")
        if sheet.empty:
            raise SourceError(raw.name, _("the sheet is empty"))
        header = ["" if pd.isna(cell) else str(cell).strip() for cell in sheet.iloc[0]]
        return sheet.iloc[1:].set_axis(header, axis=1)
    if suffix != ".csv":
        raise SourceError(
            raw.name, _("refused: own figures come as .csv or .xlsx, not as '{kind}'"), kind=suffix or "no kind"
        )
    refuse_large(raw)
    frame = read_csv(raw, [], separator=mapping.table.separator, last_line_ends=False)
    refuse_csv(raw, ((row, str(name), cell) for name in frame.columns for row, cell in frame[name].items()))
    return frame.set_axis([str(name).strip() for name in frame.columns], axis=1)


def _first_sheet(raw: RawFile) -> str:
    try:
        with pd.ExcelFile(io.BytesIO(raw.content), engine="openpyxl") as workbook:
            return str(workbook.sheet_names[0])
    except Exception as error:  # zip, XML and workbook libraries each raise their own kinds for a damaged file
        raise SourceError(raw.name, _("not a whole workbook: {error}"), error=type(error).__name__) from None


def _route(raw: RawFile, row: object, cell: object) -> str:
    try:
        return own_route_id(str(cell))
    except InputError as error:
        raise SourceError(raw.name, error.message, row=str(row), column="route") from None


def _period(cell: object, mapping: OwnMapping) -> str:
    """A period as SDMX writes it; what cannot be read stays as it is, for the rules to refuse."""
    written = _WRITTEN.get(mapping.table.freq)
    if isinstance(cell, pd.Timestamp | dt.date) and not pd.isna(cell):
        return f"{cell.year}-Q{(cell.month - 1) // 3 + 1}" if written is None else cell.strftime(written)
    text = "" if cell is None or cell is pd.NaT or cell != cell else str(cell).strip()  # noqa: PLR0124  # only NaN differs from itself
    if mapping.table.period_format and written is not None:
        found = to_dates(pd.Series([text]), ".*", mapping.table.period_format).iloc[0]
        return text if pd.isna(found) else found.strftime(written)
    return text


def _number(cell: object, mapping: OwnMapping) -> str:
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, int | float):
        return "" if cell != cell else f"{cell:.10g}"  # noqa: PLR0124  # only NaN differs from itself
    text = str(cell).strip() if cell is not None else ""
    if mapping.table.thousands:
        text = text.replace(mapping.table.thousands, "").replace("\u00a0", "")
    return text.replace(mapping.table.decimal, ".") if mapping.table.decimal == "," else text
