"""What a page shows, as lines of text: each element with its words, tables and charts in short."""

from __future__ import annotations

import ast
import base64
import json
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]  # it publishes no types
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from core.settings import PROJECT
from tests.golden import NAMES_OF_THE_RUN, check_of, short

MOST_ROWS, MOST_ENTRIES = 3, 12
_OF_THE_ELEMENT = {"id", "formId", "data", "arrowData", "styler", "elementId", "url"}
"""Of an element's settings: names that Streamlit gives, and tables as bytes."""
_OF_THE_RUN = re.compile(NAMES_OF_THE_RUN + r"|(?<=made on )\d+ \w+ \d{4}")
"""What differs from run to run: its name, hashes and day."""
_OPEN_TODAY = re.compile(r"The (?:weekly|monthly) round of [^.]+ is open until [^.]+\. ")
"""Which of the hub's rounds are open: none, one or two."""
_OF_EVERY_PAGE = {"html"}


def shown(app: AppTest) -> Iterator[str]:
    """Elements in the order of the page, those of the sidebar last; what differs from run to run is left out."""
    for element in [*app.main, *app.sidebar]:
        if not isinstance(element, Block) and element.type not in _OF_EVERY_PAGE:
            for line in _lines(element):
                yield _OF_THE_RUN.sub("#", _OPEN_TODAY.sub("", line))


def _lines(element: Any) -> Iterator[str]:  # noqa: ANN401  # an element of any kind
    told = MessageToDict(element.proto) if hasattr(element, "proto") else {}
    settings = {name: value for name, value in told.items() if name not in _OF_THE_ELEMENT}
    if element.type == "plotly_chart":
        yield f"chart: {_in_short({name: value for name, value in settings.items() if name != 'spec'})}"
        yield from drawn(element.proto.spec)
    else:
        value = getattr(element, "value", "")
        is_said = isinstance(value, pd.DataFrame) or str(value) in {str(one) for one in settings.values()}
        yield f"{element.type}: {_in_short(settings)}{'' if is_said else f' = {value}'}"
        if isinstance(value, pd.DataFrame):
            written = element.proto.arrow_data.styler.display_values
            yield from _table(pa.ipc.open_stream(written).read_all().to_pandas() if written else value)


def drawn(chart: str) -> Iterator[str]:
    """Traces of a chart, given as JSON, then its layout."""
    spec = json.loads(chart)
    yield from (f"  {_in_short(trace)}" for trace in spec["data"])
    yield from (f"  {name}: {_in_short(value)}" for name, value in sorted(spec["layout"].items()))


def _table(table: pd.DataFrame) -> Iterator[str]:
    yield f"table: {len(table)} rows"
    yield from (f"  {line}" for line in table.head(MOST_ROWS).to_csv(float_format="%.6g").splitlines())
    for name, column in table.items():
        is_number = pd.api.types.is_numeric_dtype(column)
        yield f"  {name}: {short(column.astype(float)) if is_number else check_of(map(str, column))}"


def _in_short(thing: object) -> str:
    """JSON without what all charts share; a long list by its ends and a sum that changes with each entry."""
    if isinstance(thing, dict):
        if "bdata" in thing:
            return short(np.frombuffer(base64.b64decode(thing["bdata"]), dtype=thing["dtype"]))
        entries = [f"{name}: {_in_short(value)}" for name, value in sorted(thing.items()) if name != "template"]
        return f"{{{', '.join(entries)}}}"
    if not isinstance(thing, list):
        return f"{thing:.6g}" if isinstance(thing, float) else str(thing)
    if len(thing) <= MOST_ENTRIES:
        return f"[{', '.join(map(_in_short, thing))}]"
    if all(one is None or isinstance(one, int | float) for one in thing):
        return short([np.nan if one is None else one for one in thing])
    return f"[{len(thing)}: {_in_short(thing[0])} … {_in_short(thing[-1])} {check_of(map(_in_short, thing))}]"


def functions_of(page: str) -> SimpleNamespace:
    """What a page's file defines, without the line that shows the page: a file that is imported runs."""
    path = PROJECT / "dashboard" / "app_pages" / f"{page}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    *definitions, call = tree.body
    assert isinstance(call, ast.Expr)
    names: dict[str, object] = {"__name__": f"dashboard.app_pages.{page}"}
    exec(compile(ast.Module(definitions, []), str(path), "exec"), names)  # noqa: S102  # our own file
    return SimpleNamespace(**names)
