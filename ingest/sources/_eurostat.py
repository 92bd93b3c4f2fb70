"""Asking Eurostat's Statistics API: years at a time, less where that is too much, waiting in its queue.

Layouts: the Statistics API's JSON-stat, and the wide TSV of bulk and custom downloads. In JSON-stat 2.0 values are
sparse: an object from position to number. Positions count through the cube row by row, the last dimension fastest; one
that is absent means "no data", never zero (https://json-stat.org/full/). In the TSV a line is a series, a column a
period, and flags stand behind the figures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
    model_validator,
)

from core.errors import InputError, SourceError
from core.languages import marked as _
from core.schema import refuse_person_level
from ingest import SETTING, Pull, RawFile, Request, gather, json_document, unpacked
from ingest.rows import PERIODS
from ingest.tables import read_csv

NO_DATA, TOO_BIG = 404, 413
_EMPTY = re.compile(rb'"value"\s*:\s*(?:\{\s*\}|\[\s*\])')
_QUEUED = re.compile(r"<(?:\w+:)?id>\s*([A-Za-z0-9-]{1,128})\s*</")
_STATUS = re.compile(r"<(?:\w+:)?status>\s*([A-Z_]+)\s*</")
_UNREPORTED = 6
"""Newest months that no country may have reported yet: figures come two to three months late."""
_WAITING = frozenset({"SUBMITTED", "PROCESSING"})
_EVERY = (("sex", "T"), ("age", "TOTAL"), ("unit", "PER"))
_TOTAL = (("citizen", "TOTAL"),)


def _by_place(content: object) -> object:
    """A list of cells as an object by their places, as the standard allows both; empty cells are left out."""
    cells = {str(place): cell for place, cell in enumerate(content)} if isinstance(content, list) else content
    return {place: cell for place, cell in cells.items() if cell is not None} if isinstance(cells, dict) else cells


def _by_code(content: object) -> object:
    """A list of codes, or an object of their labels, as an object of their places: the standard allows each."""
    if not isinstance(content, list | dict):
        return content
    texts = content.values() if isinstance(content, dict) else content
    is_listed = all(isinstance(one, str) for one in texts)
    return {code: place for place, code in enumerate(content)} if is_listed else content


_Position = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]*)$")]
"""Place of a figure in the cube."""


@dataclass(frozen=True)
class Question:
    """What is asked of one dataset."""

    dataset: str
    filters: tuple[tuple[str, str], ...]
    first: pd.Period
    last: pd.Period

    def halves(self) -> tuple[Question, Question]:
        """The first and second half of the months, or, of one, of the values of its most filtered dimension.

        Raises:
            SourceError: Nothing is left to divide.
        """
        periods = (self.last - self.first).n + 1
        if periods > 1:
            middle = self.first + periods // 2
            return replace(self, last=middle - 1), replace(self, first=middle)
        names = [name for name, _ in self.filters]
        widest = max(names, key=names.count)
        values = [pair for pair in self.filters if pair[0] == widest]
        if len(values) < 2:
            raise SourceError(
                self.dataset, _("a single period is too big an answer for Eurostat: {period}"), period=self.first
            )
        rest = [pair for pair in self.filters if pair[0] != widest]
        half = len(values) // 2
        return replace(self, filters=(*rest, *values[:half])), replace(self, filters=(*rest, *values[half:]))

    def request(self, address: str) -> Request:
        """The question as the Statistics API takes it at the dataset's address."""
        span = (("sinceTimePeriod", str(self.first)), ("untilTimePeriod", str(self.last)))
        query = (("format", "JSON"), ("lang", "EN"), *self.filters, *span)
        return Request(address, query, expected=frozenset({NO_DATA, TOO_BIG}))


def ask_eurostat(pull: Pull) -> list[RawFile]:
    """Ask for applications, pending ones and temporary protection, by citizenship and country.

    A dataset whose option is empty is not asked for.

    Returns:
        One JSON document per dataset: the list of its answers, in order.

    Raises:
        SourceError: A part of the figures could not be had.
        InputError: An option is missing, or no month.
    """
    access = pull.access
    dimension = access.option("applicant_dimension", str)
    applicants = tuple((dimension, code) for code in access.option("applicant_types", list))
    months, protection = (_first(pull, "since"), _first(pull, "since_by_citizen")), _first(pull, "protection_since")
    asked = {
        "applicants": (applicants, *months), "pending": ((), *months),
        "beneficiaries": ((), protection, protection), "grants": ((), protection, protection),
    }  # fmt: skip
    codes = {name: access.option(name, str) for name in asked}
    return gather(pull, {code: partial(_file, pull, code, *asked[name]) for name, code in codes.items() if code})


def _file(
    pull: Pull, code: str, filters: tuple[tuple[str, str], ...], since: pd.Period, by_citizen: pd.Period
) -> RawFile:
    """Totals of all citizenships from ``since``, and every citizenship, year by year, from ``by_citizen``.

    A year of all citizenships stays below what Eurostat answers at once.
    """
    every = pd.period_range(by_citizen, pd.Period(pull.today, freq="M"))
    years = [every[every.year == year] for year in every.year.unique()]
    questions = [Question(code, (*_EVERY, *filters), year[0], year[-1]) for year in years]
    if since < by_citizen:
        questions.insert(0, Question(code, (*_EVERY, *filters, *_TOTAL), since, by_citizen - 1))
    parts = [part for question in questions for part in _answers(pull, question)]
    if not parts:
        raise SourceError(code, _("the answers hold no value: one of the codes asked for is unknown, or has no data"))
    return RawFile(f"{code}.json", b"[" + b",\n".join(parts) + b"]")


def _answers(pull: Pull, question: Question) -> list[bytes]:
    """The answer to a question, in as many parts as Eurostat wants it divided into.

    Only the newest months may be without any value: anything else without one is a fault, not an answer.
    """
    answer = pull.ask(question.request(pull.access.address("statistics", question.dataset)))
    if answer.status == TOO_BIG:
        return [part for half in question.halves() for part in _answers(pull, half)]
    content = _from_queue(pull, question, answer.content) if answer.content.lstrip()[:1] == b"<" else answer.content
    if answer.status == NO_DATA or _EMPTY.search(content):
        if (pd.Period(pull.today, freq="M") - question.first).n > _UNREPORTED:
            span = f"{question.first} to {question.last}"
            raise SourceError(
                question.dataset, _("no value from {span}: a code asked for is unknown, or the data moved"), span=span
            )
        return []
    return [content]


def _from_queue(pull: Pull, question: Question, content: bytes) -> bytes:
    """Wait for an answer that Eurostat prepares behind the scenes, and take it."""
    text = content.decode("utf-8", "replace")
    queued = _QUEUED.search(text)
    if not queued or not _STATUS.search(text):
        raise SourceError(question.dataset, _("a web page or a notice came in place of the figures"))
    for _attempt in range(pull.access.option("queue_polls", int)):
        status = _STATUS.search(text)
        word = status[1] if status else "no status"
        if word == "AVAILABLE":
            return pull.ask(Request(pull.access.address("asynchronous", "data", queued[1]))).content
        if word not in _WAITING:
            raise SourceError(question.dataset, _("Eurostat's queue gave the question up: {status}"), status=word)
        pull.wait(pull.access.option("queue_seconds", int))
        request = Request(pull.access.address("asynchronous", "status", queued[1]))
        text = pull.ask(request).content.decode("utf-8", "replace")
    raise SourceError(question.dataset, _("Eurostat's queue did not come to an end in time"))


def _first(pull: Pull, option: str) -> pd.Period:
    text = pull.access.option(option, str)
    if not re.fullmatch(PERIODS["M"], text):
        raise InputError(f"{SETTING}, {pull.access.source_id}: options.{option} must be a month such as 2021-01")
    return pd.Period(text, freq="M")


def read_jsonstat(raw: RawFile) -> pd.DataFrame:
    """Read a dataset response into long form.

    Args:
        raw: The body of the answer, as it came, or a list of such bodies: parts of one question.

    Returns:
        One row per figure present: a text column per dimension, named as the file's own ``id`` names it and holding
        category codes, then ``value`` (float) and ``status`` (text, '' where none).

    Raises:
        SourceError: Not JSON-stat 2.0, sizes and categories disagree, a value is no number, or the answer holds no
            value at all, which is how Eurostat answers an unknown code.
    """
    document = json_document(raw)
    bodies = document if isinstance(document, list) and document else [document]
    frames = [_dataset(raw, body) for body in bodies]
    if len({tuple(frame.columns) for frame in frames}) > 1:
        raise raw.fault(
            _("its parts have different dimensions: {found}"), found=[list(part.columns) for part in frames]
        )
    return pd.concat(frames, ignore_index=True)


class _Category(BaseModel):
    index: Annotated[dict[str, int], BeforeValidator(_by_code)] = Field(validation_alias=AliasChoices("index", "label"))


class _Dimension(BaseModel):
    category: _Category


class _Dataset(BaseModel):
    """A dataset of JSON-stat 2.0, as far as it is read."""

    model_config = ConfigDict(strict=True)
    version: Literal["2.0"]
    kind: Literal["dataset"] = Field(default="dataset", alias="class")
    id: list[str] = Field(min_length=1)
    size: list[int]
    dimension: dict[str, _Dimension]
    value: Annotated[dict[_Position, FiniteFloat], BeforeValidator(_by_place)]
    status: Annotated[dict[_Position, str], BeforeValidator(_by_place)] = Field(default_factory=dict)

    @property
    def codes(self) -> list[list[str]]:
        """Codes of each dimension's categories, in order."""
        indices = [self.dimension[name].category.index for name in self.id]
        return [sorted(index, key=index.__getitem__) for index in indices]

    @model_validator(mode="after")
    def _agrees(self) -> _Dataset:
        if lacking := set(self.id) - set(self.dimension):
            raise ValueError(f"the dimensions {sorted(lacking)} have no categories")
        found = [sorted(self.dimension[name].category.index.values()) for name in self.id]
        if found != [list(range(size)) for size in self.size] or len(set(self.id)) < len(self.id):
            raise ValueError(f"dimensions {self.id} of {self.size} categories have {[len(one) for one in found]}")
        outside = [place for place in (*self.value, *self.status) if int(place) >= prod(self.size)]
        if outside:
            raise ValueError(f"position {outside[0]} is outside the {prod(self.size)} cells of the cube")
        return self


def _dataset(raw: RawFile, body: object) -> pd.DataFrame:
    if isinstance(body, dict) and "error" in body:
        raise raw.fault(_("the publisher answered with an error: {error}"), error=body["error"])
    try:
        found = _Dataset.model_validate(body)
    except ValidationError as error:
        first, fault = error.errors()[0], _("not a JSON-stat 2.0 dataset: {fault}")
        raise raw.fault(fault, column=".".join(map(str, first["loc"])) or None, fault=first["msg"]) from None
    if not found.value:
        raise raw.fault(_("the answer holds no value: one of the codes asked for is unknown, or has no data"))
    refuse_person_level(found.id, raw.name)
    values = pd.Series(found.value, dtype=float).rename(index=int).sort_index()
    status = pd.Series(found.status, dtype=object).rename(index=int).reindex(values.index).fillna("")
    places = np.unravel_index(values.index, tuple(found.size))
    columns = [np.array(codes, dtype=object)[place] for codes, place in zip(found.codes, places, strict=True)]
    return pd.DataFrame(dict(zip(found.id, columns, strict=True))).assign(value=values.array, status=status.array)


MISSING = ":"
_CELL = re.compile(r"^(?P<value>:|-?[0-9]+(?:\.[0-9]+)?)(?: (?P<flag>[a-z]+))?$")


def read_tsv(raw: RawFile) -> pd.DataFrame:
    r"""Read a TSV download into long form.

    Args:
        raw: The file, plain or gzipped: ``compressed=true`` answers gzip without saying so in a header.

    Returns:
        One row per cell: a text column per key dimension, named as the header names it, ``time_period`` as the file
        writes it, ``value`` (text; ':' where there is none), ``flag`` (text, '' where none) and ``line`` (number of
        the line in the file). Cells that fit no layout keep their whole text in ``value``.

    Raises:
        SourceError: Not UTF-8 text, an XML notice instead of a table, a header without ``\TIME_PERIOD``, or a line
            with another number of fields than the header.
    """
    plain = unpacked(raw)
    if plain.content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise raw.fault(_("an XML notice instead of a table: the extraction was refused or is queued"))
    table = read_csv(plain, [], separator="\t")
    key, *heads = table.columns
    if "\\" not in key:
        raise raw.fault(_("the header must start with its dimensions and '{example}'"), row=1, example="\\TIME_PERIOD")
    dimensions, periods = key.partition("\\")[0].split(","), [head.strip() for head in heads]
    if len({*dimensions, *periods} - {""}) < len(dimensions) + len(periods):
        fault = _("the header names an empty dimension or period, or the same one twice")
        raise raw.fault(fault, row=1)
    if periods not in (sorted(periods), sorted(periods, reverse=True)):
        raise raw.fault(_("the header's periods are out of order: were columns exchanged?"), row=1)
    if table.empty or not periods:
        raise raw.fault(_("the table holds no series"))
    fields = table[key].str.count(",") + 1
    wrong = fields[fields != len(dimensions)]
    if len(wrong):
        words = _("key fields: {n}, where the header has {expected}")
        raise raw.fault(words, row=wrong.index[0], n=int(wrong.iloc[0]), expected=len(dimensions))
    codes = table[key].str.split(",", expand=True).set_axis(dimensions, axis=1).apply(lambda column: column.str.strip())
    cells = table.set_axis([key, *periods], axis=1).melt([key], var_name="time_period", ignore_index=False)
    cells = cells.sort_index(kind="stable").assign(value=lambda long: long["value"].str.strip())
    read = cells["value"].str.extract(_CELL)
    found: pd.DataFrame = codes.loc[cells.index].assign(
        time_period=cells["time_period"].to_numpy(), value=read["value"].fillna(cells["value"]).to_numpy(),
        flag=read["flag"].fillna("").to_numpy(), line=cells.index,
    ).reset_index(drop=True)  # fmt: skip
    return found
