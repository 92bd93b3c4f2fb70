"""Tables with a contract: how columns are declared, and the one check where a frame crosses from room to room.

The tables themselves stand in :mod:`core.release`. Columns are named in SDMX and hubverse terms. A row of the journal
crosses rooms too: :class:`Entry`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from core.aggregates import refuse_person_level
from core.errors import SchemaError

ALL = "_T"
"""SDMX code for a total: all citizenships, or all places of a route."""
NOT_APPLICABLE = "_Z"
"""SDMX code where a dimension does not apply, such as the route of a price."""

TARGETS = ("arrivals", "detections", "asylum_applications", "temporary_protection")
"""What is counted and may be forecast. Any other ``target`` is an indicator: context, never forecast."""

TEXT, NUMBER, WHOLE, DAY, YES_NO = "object", "float64", "int64", "datetime64[ns]", "bool"
"""The five kinds of columns, as pandas dtypes."""


_PERSONS = ("arrivals", "asylum_", "temporary_protection", "first_instance_", "deaths_and_", "internally_displaced")
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
        optional: Whether a frame may lack the column, as releases made before it was introduced do.
        least: Smallest value allowed.
        most: Largest value allowed.
        one_of: The values allowed.
        former: Its name in releases made before it was renamed.
    """

    dtype: str
    about: str = ""
    unit: str = ""
    nullable: bool = False
    optional: bool = False
    least: float | None = None
    most: float | None = None
    one_of: tuple[str, ...] = ()
    former: str = ""

    @property
    def may_lack(self) -> Column:
        """The same column, where a frame may lack it or hold no value in it."""
        return replace(self, optional=True, nullable=self.dtype in {TEXT, NUMBER, DAY})

    def checked(self) -> pa.Column:
        """The column as pandera checks it."""
        checks = [pa.Check.isin(self.one_of)] if self.one_of else []
        checks += [] if self.least is None else [pa.Check.ge(self.least)]
        checks += [] if self.most is None else [pa.Check.le(self.most)]
        dtype = str if self.dtype == TEXT else self.dtype
        return pa.Column(dtype, checks, nullable=self.nullable, required=not self.optional)


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
        required: Whether every release holds it; else an empty frame stands for it where one does not.
        former: Its name in releases made before it was renamed.
    """

    name: str
    about: str
    columns: dict[str, Column]
    key: tuple[str, ...] = ()
    written_by: str = ""
    read_by: tuple[str, ...] = ()
    required: bool = field(default=False, kw_only=True)
    former: str = field(default="", kw_only=True)

    @cached_property
    def schema(self) -> pa.DataFrameSchema:
        """The contract as pandera checks it."""
        columns = {name: column.checked() for name, column in self.columns.items()}
        return pa.DataFrameSchema(columns, unique=list(self.key) or None, name=self.name)

    def empty(self) -> pd.DataFrame:
        """The table without rows, every column of its kind."""
        return pd.DataFrame({name: pd.Series(dtype=column.dtype) for name, column in self.columns.items()})

    def brought_up(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A frame of an older release under today's names, with missing values for columns it did not have yet."""
        renamed = frame.rename(columns={column.former: name for name, column in self.columns.items() if column.former})
        if not len(renamed.columns):
            return self.empty()
        lacking = {
            name: pd.Series([_BLANK[column.dtype]] * len(renamed), index=renamed.index, dtype=column.dtype)
            for name, column in self.columns.items()
            if column.optional and name not in renamed.columns
        }
        return renamed.assign(**lacking) if lacking else renamed


_BLANK = {TEXT: "", NUMBER: float("nan"), WHOLE: 0, DAY: pd.NaT, YES_NO: False}


def check(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return ``frame`` if it keeps the contract of a table; columns beyond it are let through.

    Raises:
        SchemaError: Columns are missing, or values break a rule; the text lists up to five of them.
    """
    refuse_person_level(frame.columns, table.name)
    missing = [name for name, column in table.columns.items() if not column.optional and name not in frame.columns]
    if missing:
        raise SchemaError(f"{table.name}: missing columns {missing}; found {list(frame.columns)}")
    if keeps(frame, table):
        return frame
    # Pandera cannot tell which row is repeated where rows share an index label.
    told = frame if frame.index.is_unique else frame.reset_index(drop=True)
    try:
        return table.schema.validate(told, lazy=True).set_axis(frame.index)
    except SchemaErrors as errors:
        raise SchemaError(f"{table.name}: {_describe(errors.failure_cases)}") from None


def typed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """The columns of a table alone, of the types that its contract names, in rows numbered anew.

    Raises:
        SchemaError: As :func:`check`.
    """
    kinds = {name: column.dtype for name, column in table.columns.items()}
    return check(frame[list(table.columns)].astype(kinds).reset_index(drop=True), table)


def keeps(frame: pd.DataFrame, table: Table) -> bool:
    """Whether a frame surely keeps a contract, told in a tenth of the time; where not, pandera tells what is wrong."""
    if not frame.columns.is_unique or (table.key and frame.duplicated(list(table.key)).any()):
        return False
    return all(_holds(frame[name], column) for name, column in table.columns.items() if name in frame.columns)


def _holds(values: pd.Series, column: Column) -> bool:
    missing = values.isna()
    if values.dtype != column.dtype or (missing.any() and not column.nullable):
        return False
    known = values[~missing] if missing.any() else values
    if column.dtype == TEXT and pd.api.types.infer_dtype(known) != ("string" if len(known) else "empty"):
        return False
    return not (
        (column.least is not None and (known < column.least).any())
        or (column.most is not None and (known > column.most).any())
        or (column.one_of and not known.isin(column.one_of).all())
    )


def _describe(cases: pd.DataFrame) -> str:
    texts = [
        f"row {case['index']}, column {case['column']}: {case['check']} (found {case['failure_case']})"
        for case in cases.head(5).to_dict("records")
    ]
    more = f"; and {len(cases) - 5} more" if len(cases) > 5 else ""
    return "; ".join(texts) + more


def make_series_id(target: str, route_id: str, geo: str, citizen: str, freq: str) -> str:
    """Name a series: ``arrivals.CMR._T._T.M`` is monthly arrivals on a route, all places, all citizenships."""
    return ".".join((target, route_id, geo, citizen, freq))


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
