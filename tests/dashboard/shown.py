"""What a page shows, as lines of text: each element with its words, of tables and charts a selection.

How charts look is compared in ``tests/dashboard/charts``.
"""

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
from tests.golden import MOST_VALUES, NAMES_OF_THE_RUN, number, selected, short, table_lines

_OF_THE_ELEMENT = {
    "id", "formId", "data", "arrowData", "styler", "elementId", "url", "elementType", "wrap", "labelVisibility",
    "setValue", "hideAnchor", "hideAnchors", "acceptNewOptions", "ignoreRerun", "deferredFileId", "borderMode",
    "hideHeader", "hideIndex", "hasMax", "hasMin", "rawValue", "rawValues", "required", "config",
}  # fmt: skip
"""Settings of an element that say nothing of the page: names and defaults of Streamlit, and tables as bytes."""
_OF_A_TRACE = ("name", "x", "y", "base", "text")
_OF_THE_RUN = re.compile(NAMES_OF_THE_RUN + r"|(?:(?<=made on )|(?<=computed ))\d+ \w+ \d{4}")
"""What differs from run to run: its name, hashes and day."""
_OPEN_TODAY = re.compile(r"The (?:weekly|monthly) round of [^.]+ is open until [^.]+\. ")
"""Which of the hub's rounds are open: none, one or two."""
_OF_EVERY_PAGE = {"html"}


def shown(app: AppTest) -> Iterator[str]:
    """Yield the elements in the order of the page, those of the sidebar last, without what differs from run to run."""
    for element in [*app.main, *app.sidebar]:
        if not isinstance(element, Block) and element.type not in _OF_EVERY_PAGE:
            for line in _lines(element):
                yield _OF_THE_RUN.sub("#", _OPEN_TODAY.sub("", line))


def _lines(element: Any) -> Iterator[str]:  # noqa: ANN401  # an element of any kind
    fields = MessageToDict(element.proto) if hasattr(element, "proto") else {}
    settings = {name: value for name, value in fields.items() if name not in _OF_THE_ELEMENT}
    if element.type == "plotly_chart":
        yield f"chart: {settings['alt']}"
        spec = json.loads(element.proto.spec)
        for trace in spec["data"]:
            yield f"  {_in_short({name: trace[name] for name in _OF_A_TRACE if name in trace})}"
        yield f"  labels: {' | '.join(one['text'] for one in spec['layout'].get('annotations', ()))}"
    else:
        value = getattr(element, "value", "")
        is_said = isinstance(value, pd.DataFrame) or str(value) in {str(one) for one in settings.values()}
        yield f"{element.type}: {_in_short(settings)}{'' if is_said else f' = {value}'}"
        if isinstance(value, pd.DataFrame):
            written = element.proto.arrow_data.styler.display_values
            table = pa.ipc.open_stream(written).read_all().to_pandas() if written else value
            yield from (f"  {len(table)} rows", *table_lines(table))


def drawn(chart: str) -> Iterator[str]:
    """Yield the traces of a chart, given as JSON, then its layout."""
    spec = json.loads(chart)
    yield from (f"  {_in_short(trace)}" for trace in spec["data"])
    yield from (f"  {name}: {_in_short(value)}" for name, value in sorted(spec["layout"].items()))


def _in_short(thing: object) -> str:
    """Return JSON as text without what all charts share; of a long list a selection."""
    if isinstance(thing, dict):
        if "bdata" in thing:
            return f"[{short(np.frombuffer(base64.b64decode(thing['bdata']), dtype=thing['dtype']))}]"
        entries = [f"{name}: {_in_short(value)}" for name, value in sorted(thing.items()) if name != "template"]
        return f"{{{', '.join(entries)}}}"
    if isinstance(thing, list):
        count = f"{len(thing)}: " if len(thing) > MOST_VALUES else ""
        return f"[{count}{', '.join(map(_in_short, selected(thing)))}]"
    return number(thing) if isinstance(thing, float) else str(thing)


def functions_of(page: str) -> SimpleNamespace:
    """What a page's file defines, without the line that shows the page: a file that is imported runs."""
    path = PROJECT / "dashboard" / "pages" / f"{page}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    *definitions, call = tree.body
    assert isinstance(call, ast.Expr)
    names: dict[str, object] = {"__name__": f"dashboard.pages.{page}"}
    exec(compile(ast.Module(definitions, []), str(path), "exec"), names)  # noqa: S102  # our own file
    return SimpleNamespace(**names)
