"""Eurostat's layouts: the Statistics API's JSON-stat, and the wide TSV of bulk and custom downloads.

In JSON-stat 2.0 values are sparse: an object from position to number. Positions count through the cube row by row, the
last dimension fastest; one that is absent means "no data", never zero (https://json-stat.org/full/). In the TSV a line
is a series, a column a period, and flags stand behind the figures.
"""

from __future__ import annotations

import re
from math import prod
from typing import Any

import numpy as np
import pandas as pd

from core.errors import SourceError
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.schema import refuse_person_level
from ingest import RawFile
from ingest.answers import json_document
from ingest.intake import unpacked
from ingest.tables import read_csv


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
    if document == []:
        raise SourceError(raw.name, _("the answer has no parts"))
    frames = [_dataset(raw, body) for body in (document if isinstance(document, list) else [document])]
    if len({tuple(frame.columns) for frame in frames}) > 1:
        raise SourceError(
            raw.name, _("its parts have different dimensions: {found}"), found=[list(part.columns) for part in frames]
        )
    return pd.concat(frames, ignore_index=True)


def _dataset(raw: RawFile, body: object) -> pd.DataFrame:
    body = _checked(raw, body)
    names, sizes = _shape(raw, body)
    categories = [_categories(raw, body, name, size) for name, size in zip(names, sizes, strict=True)]
    cells = prod(sizes)
    values = _numbers(raw, _by_position(raw, body.get("value"), "value", cells))
    if not values:
        raise SourceError(
            raw.name, _("the answer holds no value: one of the codes asked for is unknown, or has no data")
        )
    status = _by_position(raw, body.get("status", {}), "status", cells)
    refuse_person_level(names, raw.name)
    positions = np.array(sorted(values), dtype=np.int64)
    columns: dict[str, Any] = {}
    for name, codes, index in zip(names, categories, np.unravel_index(positions, tuple(sizes)), strict=True):
        columns[name] = np.array(codes, dtype=object)[index]
    columns["value"] = np.array([values[int(position)] for position in positions], dtype=float)
    columns["status"] = [str(status.get(int(position)) or "") for position in positions]
    return pd.DataFrame(columns)


def _checked(raw: RawFile, body: object) -> dict[str, Any]:
    if isinstance(body, dict) and "error" in body:
        raise SourceError(raw.name, _("the publisher answered with an error: {error}"), error=body["error"])
    if not isinstance(body, dict) or body.get("version") != "2.0" or body.get("class", "dataset") != "dataset":
        raise SourceError(raw.name, _("not a JSON-stat 2.0 dataset ('version' is not 2.0, or 'class' is not dataset)"))
    return body


def _shape(raw: RawFile, body: dict[str, Any]) -> tuple[list[str], list[int]]:
    names, sizes = body.get("id"), body.get("size")
    if not isinstance(names, list) or not isinstance(sizes, list) or not names or len(names) != len(sizes):
        raise SourceError(raw.name, _("'id' and 'size' must be lists of the same length"))
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise SourceError(raw.name, _("'id' must hold distinct names"), column="id")
    if not all(type(size) is int and size >= 0 for size in sizes):
        raise SourceError(raw.name, _("'size' must hold counts"), column="size")
    return names, sizes


def _categories(raw: RawFile, body: dict[str, Any], name: str, size: int) -> list[str]:
    dimensions = body.get("dimension")
    dimension = dimensions.get(name) if isinstance(dimensions, dict) else None
    category = dimension.get("category") if isinstance(dimension, dict) else None
    if not isinstance(category, dict):
        raise SourceError(raw.name, _("the dimension has no categories"), column=name)
    index = category.get("index", category.get("label"))
    if isinstance(index, dict) and all(type(place) is int for place in index.values()):
        codes = sorted(index, key=lambda code: index[code])
        whole = sorted(index.values()) == list(range(len(index)))
    else:
        codes = list(index) if isinstance(index, (list, dict)) else []
        whole = all(isinstance(code, str) for code in codes)
    if not whole or len(codes) != size:
        raise SourceError(
            raw.name,
            ngettext("{n} category where 'size' says {expected}", "{n} categories where 'size' says {expected}"),
            column=name,
            n=len(codes),
            expected=size,
        )
    return codes


def _by_position(raw: RawFile, content: object, label: str, cells: int) -> dict[int, Any]:
    if isinstance(content, list):
        found = {position: value for position, value in enumerate(content) if value is not None}
    elif isinstance(content, dict):
        try:
            found = {int(position): value for position, value in content.items() if value is not None}
        except ValueError:
            raise SourceError(raw.name, _("a position is not a whole number"), column=label) from None
    else:
        raise SourceError(raw.name, _("'{name}' is neither an object nor a list"), column=label, name=label)
    outside = [position for position in found if not 0 <= position < cells]
    if outside:
        raise SourceError(
            raw.name, _("position outside the {n} cells of the cube"), row=outside[0], column=label, n=cells
        )
    return found


def _numbers(raw: RawFile, found: dict[int, Any]) -> dict[int, float]:
    for position, value in found.items():
        if type(value) not in (int, float) or not np.isfinite(value):
            raise SourceError(raw.name, _("the figure is not a number"), row=position, column="value")
    return found


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
        raise SourceError(raw.name, _("an XML notice instead of a table: the extraction was refused or is queued"))
    table = read_csv(plain, [], separator="\t")
    key, *heads = table.columns
    if "\\" not in key:
        raise SourceError(
            raw.name, _("the header must start with its dimensions and '{example}'"), row=1, example="\\TIME_PERIOD"
        )
    dimensions, periods = key.partition("\\")[0].split(","), [head.strip() for head in heads]
    if len({*dimensions, *periods} - {""}) < len(dimensions) + len(periods):
        fault = _("the header names an empty dimension or period, or the same one twice")
        raise SourceError(raw.name, fault, row=1)
    if periods not in (sorted(periods), sorted(periods, reverse=True)):
        raise SourceError(raw.name, _("the header's periods are out of order: were columns exchanged?"), row=1)
    if table.empty or not periods:
        raise SourceError(raw.name, _("the table holds no series"))
    fields = table[key].str.count(",") + 1
    wrong = fields[fields != len(dimensions)]
    if len(wrong):
        words = ngettext(
            "{n} key field where the header has {expected}", "{n} key fields where the header has {expected}"
        )
        raise SourceError(raw.name, words, row=wrong.index[0], n=int(wrong.iloc[0]), expected=len(dimensions))
    codes = table[key].str.split(",", expand=True).set_axis(dimensions, axis=1).apply(lambda column: column.str.strip())
    cells = table.set_axis([key, *periods], axis=1).melt([key], var_name="time_period", ignore_index=False)
    cells = cells.sort_index(kind="stable").assign(value=lambda long: long["value"].str.strip())
    read = cells["value"].str.extract(_CELL)
    found: pd.DataFrame = codes.loc[cells.index].assign(
        time_period=cells["time_period"].to_numpy(), value=read["value"].fillna(cells["value"]).to_numpy(),
        flag=read["flag"].fillna("").to_numpy(), line=cells.index,
    ).reset_index(drop=True)  # fmt: skip
    return found
