"""Tables with a contract: how columns are declared, and the one check where a frame crosses from room to room.

The tables themselves stand in :mod:`core.release`. Columns are named in SDMX and hubverse terms. A row of the journal
crosses rooms too: :class:`Entry`.

Aggregates only: columns that would describe persons, single landings or vessels are refused at every entrance, by one
function: a frame at a boundary, a panel, a publisher's file (by hand, from the inbox, live, or into the snapshot). See
docs/governance.md.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from core.calendar import to_period
from core.errors import SchemaError, SourceError
from core.languages import marked as _

ALL = "_T"
"""SDMX code for a total: all citizenships, or all places of a route."""
NOT_APPLICABLE = "_Z"
"""SDMX code where a dimension does not apply, such as the route of a price."""

TARGETS = ("arrivals", "detections", "asylum_applications", "temporary_protection")
"""What is counted and may be forecast. Any other ``target`` is an indicator: context, never forecast."""

RECEPTION = "reception"
"""Target of people in reception, a stock at the end of a period; followed by ``_`` and a kind of centre for a part."""

PLACES = "places"
"""Target of places: how many people a country's or region's reception can hold."""

TEXT, NUMBER, WHOLE, DAY, YES_NO = "object", "float64", "int64", "datetime64[ns]", "bool"
"""The five kinds of columns, as pandas dtypes."""


_PERSONS = ("arrivals", "reception", "asylum_", "temporary_protection", "deaths_and_")
_UNITS = {
    **dict.fromkeys(_PERSONS, "persons"),
    "detections": "detections",
    "conflict_deaths": "deaths",
    "new_displacement": "displacements",
}
"""Units of what is counted, by the beginning of the target's name."""


def unit_of(target: str) -> str:
    """What a value of a target counts; empty for a price, an index or a rate, whose source's card says it."""
    unit = next((unit for beginning, unit in _UNITS.items() if target.startswith(beginning)), "")
    return "cases" if unit and target.endswith("_cases") else unit


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        dtype: ``TEXT``, ``NUMBER``, ``WHOLE``, ``DAY`` or ``YES_NO``.
        about: What it says, in half a sentence.
        unit: What its numbers count; empty for names and dates.
        nullable: Whether a value may be missing.
        least: Smallest value allowed.
        most: Largest value allowed.
        one_of: The values allowed.
    """

    dtype: str
    about: str = ""
    unit: str = ""
    nullable: bool = False
    least: float | None = None
    most: float | None = None
    one_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table: its columns, what makes a row one of a kind, and where it comes from and goes to.

    Attributes:
        name: Its name; in a release, the name of its file.
        about: What a row says.
        columns: Columns by name, in their order.
        key: Columns whose values together occur once.
        written_by: Module that makes its rows, for a release.
        read_by: Rooms that read it from a release.
        required: Whether every release holds it. Any other is read as empty from a release without it.
    """

    name: str
    about: str
    columns: dict[str, Column]
    key: tuple[str, ...] = ()
    written_by: str = ""
    read_by: tuple[str, ...] = ()
    required: bool = field(default=False, kw_only=True)

    def empty(self) -> pd.DataFrame:
        """The table without rows, every column of its kind."""
        return pd.DataFrame({name: pd.Series(dtype=column.dtype) for name, column in self.columns.items()})


def check(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return ``frame`` if it keeps the contract of a table; columns beyond it are let through.

    Raises:
        SchemaError: Columns are missing, or values break a rule; the text lists up to five of them.
    """
    refuse_person_level(frame.columns, table.name)
    missing = [name for name in table.columns if name not in frame.columns]
    if missing:
        raise SchemaError(f"{table.name}: missing columns {missing}; found {list(frame.columns)}")
    if not frame.columns.is_unique:
        raise SchemaError(f"{table.name}: columns {list(frame.columns[frame.columns.duplicated()])} stand twice")
    for name, column in table.columns.items():
        if not _is_of_kind(frame[name], column):
            raise SchemaError(f"{table.name}: column {name}: has type {frame[name].dtype}, not {column.dtype}")
    broken = [(name, *fault) for name, column in table.columns.items() for fault in _faults(frame[name], column)]
    key = list(table.key)
    if key and (repeated := frame.duplicated(key).to_numpy()).any():
        cells = frame.loc[repeated, key].astype(str).agg(", ".join, axis=1)
        broken.append((", ".join(key), "repeated", cells))
    if broken:
        raise SchemaError(f"{table.name}: {_described(broken)}")
    return frame


def typed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """The columns of a table alone, of the types that its contract names, in rows numbered anew.

    Raises:
        SchemaError: As :func:`check`.
    """
    kinds = {name: column.dtype for name, column in table.columns.items()}
    return check(frame[list(table.columns)].astype(kinds).reset_index(drop=True), table)


def concat_filled(parts: Iterable[pd.DataFrame], empty: pd.DataFrame) -> pd.DataFrame:
    """Concatenate the frames that have rows; return ``empty`` if none has."""
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else empty


def _is_of_kind(values: pd.Series, column: Column) -> bool:
    """Whether a column has its contract's dtype, or another one of pandas for the same values."""
    if column.dtype == DAY:  # in any unit of time
        return pd.api.types.is_datetime64_dtype(values.dtype)
    if column.dtype == TEXT:  # a column without a single text may be of any dtype
        is_text = values.dtype == object or isinstance(values.dtype, pd.StringDtype | pd.CategoricalDtype)
        return is_text or bool(values.isna().all())
    return str(values.dtype).lower() == column.dtype


def _faults(values: pd.Series, column: Column) -> Iterator[tuple[str, pd.Series]]:
    """Yield each rule that cells of a column break, with these cells."""
    missing = values.isna()
    rules: list[tuple[str, pd.Series | None]] = [
        ("missing", None if column.nullable else missing),
        ("not a text", _not_texts(values) if column.dtype == TEXT else None),
        (f"below {column.least}", None if column.least is None else values < column.least),
        (f"above {column.most}", None if column.most is None else values > column.most),
        (f"none of {', '.join(column.one_of)}", ~missing & ~values.isin(column.one_of) if column.one_of else None),
    ]
    yield from ((rule, values[broken]) for rule, broken in rules if broken is not None and broken.any())


def _not_texts(values: pd.Series) -> pd.Series | None:
    """Cells that are neither a text nor missing; None if all are texts, which is found faster."""
    if pd.api.types.infer_dtype(values) in ("string", "empty"):
        return None
    return values.notna() & ~values.map(lambda cell: isinstance(cell, str)).astype(bool)


def _described(broken: list[tuple[str, str, pd.Series]]) -> str:
    texts = (
        f"row {row}, column {name}: {rule} (found {cell})"
        for name, rule, cells in broken
        for row, cell in cells.items()
    )
    listed = list(itertools.islice(texts, 5))
    more = sum(len(cells) for _name, _rule, cells in broken) - len(listed)
    return "; ".join(listed) + (f"; and {more} more" if more else "")


def make_series_id(target: str, route_id: str, geo: str, citizen: str, freq: str) -> str:
    """Name a series: ``arrivals.CMR._T._T.M`` is monthly arrivals on a route, all places, all citizenships.

    People in reception have no route: ``reception.ITA._T.M``.
    """
    route = () if target.startswith(RECEPTION) else (route_id,)
    return ".".join((target, *route, geo, citizen, freq))


_NOT_YET = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True)
class Entry:
    """One row of the journal.

    Attributes:
        actor: Who did it: a person's name, or ``nightly``.
        action: What was done: ``published``, ``acknowledged``, ``signed off``, …
        subject: What it was done to: an alert_id, a source_id, a scenario.
        run_id: The release it concerns; empty where none.
        reason: Why, in the person's words.
        payload: Further facts, as JSON.
        id: Number given by the database; grows with time.
        at: When, UTC.
    """

    actor: str
    action: str
    subject: str
    run_id: str = ""
    reason: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    id: int = 0
    at: dt.datetime = _NOT_YET


_NAMES = tomllib.loads((Path(__file__).parent.parent / "data" / "person_columns.toml").read_text("utf-8"))
PLACES_OF_EVENTS = frozenset(_NAMES["words"]["places_of_events"])
"""Columns of a publisher's table of single events, which a parser may meet where it takes sums only."""
_WHOLE = re.compile("|".join(_NAMES["words"]["whole"]))
_ANYWHERE = re.compile(rf"(?:^|_)(?:{'|'.join(itertools.chain(*_NAMES['anywhere'].values()))})(?:_|$)")


def _near(word: str) -> str:
    """Pattern of a word with at most one letter added, left out or exchanged, or two beside each other swapped."""
    parts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    return "|".join(f"{one}.?{two}|{one}.?{two[1:]}|{one}{two[1:2]}{two[:1]}{two[2:]}" for one, two in parts)


_NEAR = re.compile("|".join(map(_near, _NAMES["words"]["near"])))


class PersonLevelError(SourceError, SchemaError):
    """A table describes persons, single landings or vessels."""


def refuse_person_level(columns: Iterable[object], table: str, *, tolerated: Collection[str] = ()) -> None:
    """Refuse a table with columns that would describe persons, single landings or vessels.

    Args:
        columns: Names as they stand in the table, in any writing (``Date of birth``, ``birthDate``, ``DATE-OF-BIRTH``).
        table: Name of the file or frame, for the error.
        tolerated: Names, normalised, that a parser never reads: :data:`PLACES_OF_EVENTS` or none.

    Raises:
        PersonLevelError: Naming the columns.
    """
    found = [str(column) for column in columns if is_person_level(column) and normalised(column) not in tolerated]
    if found:
        rule = _("columns {columns} describe persons, single landings or vessels: Vigie takes aggregates only")
        raise PersonLevelError(table, rule, row=1, columns=found)


def is_person_level(column: object) -> bool:
    """Whether a column of that name would describe persons, single landings or vessels."""
    name = normalised(column)
    return _WHOLE.fullmatch(name) is not None or _ANYWHERE.search(name) is not None


def resembles_person_level(column: object) -> bool:
    """Whether a name, or a word of it, differs by a letter from one that describes persons, or runs its words together.

    A column for which :func:`is_person_level` holds is none of these.
    """
    name = normalised(column)
    words = {name.replace("_", ""), *name.split("_")}
    return not is_person_level(column) and any(map(_NEAR.fullmatch, words))


def normalised(column: object) -> str:
    """A column's name in lower case, words joined by ``_``, without accents: ``birthDate`` is ``birth_date``."""
    seen = "".join(char for char in str(column) if unicodedata.category(char) != "Cf")
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", seen)
    return re.sub(r"[^a-z0-9]+", "_", unaccented(parted)).strip("_")


def unaccented(text: str) -> str:
    """A text in small letters without accents."""
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char)).casefold()


STOPPED_AFTER = pd.Timedelta(days=365)
"""Age of the newest figure from which a series is no longer continued."""


def stopped_series(observations: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Monthly and quarterly counts that a source has not continued for a year, whatever else of it is fresh.

    Args:
        observations: ``source_id, target, freq, time_period``; indicators are left out.
        as_of: The day of knowledge.

    Returns:
        ``source_id, target, freq, last_period``, one row per kind of counts that stopped.
    """
    is_count = observations["target"].astype(str).str.startswith(TARGETS) & observations["freq"].isin(["M", "Q"])
    kinds = observations[is_count].groupby(["source_id", "target", "freq"], observed=True)
    last = kinds.agg(last_period=("time_period", "max")).reset_index()
    ends = [to_period(str(row["last_period"]), row["freq"]).end_time for row in last.to_dict("records")]
    is_old = [pd.Timestamp(as_of) - end > STOPPED_AFTER for end in ends]
    return last[pd.Series(is_old, last.index, dtype=bool)].reset_index(drop=True)
