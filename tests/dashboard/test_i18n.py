"""Every word on screen can be translated, and stands in the template."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po

from core.languages import LOCALE_FOLDER, catalogue
from core.settings import PROJECT

SCREENS = sorted([PROJECT / "app.py", *(PROJECT / "dashboard").rglob("*.py")])
SPEAKS = {
    "title", "header", "subheader", "markdown", "caption", "text", "write", "info", "warning", "error", "success",
    "toast", "metric", "badge", "button", "download_button", "form_submit_button", "page_link", "selectbox", "radio",
    "toggle", "checkbox", "pills", "segmented_control", "number_input", "text_input", "text_area", "expander", "table",
    "dataframe", "plotly_chart", "line_chart", "Page",
}  # fmt: skip
"""Streamlit's functions that show text."""
SHOWN_KEYWORDS = {"label", "help", "alt", "placeholder", "caption", "captions", "title", "body"}
MARKUP = re.compile(r":material/\w+:|:[a-z]+(-badge)?\[|vigie\b|CSV|XLSX|PNG|Parquet|Vigie", re.ASCII)
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
ROOMS = re.findall(r"^TEXTS = app\.py (.+)$", MAKEFILE, re.MULTILINE)[0].split()
"""Rooms whose texts people read, beside ``app.py``."""
KEYWORDS = {"_": None, "ngettext": (1, 2)}
METHODS = [("**.py", "python"), ("**.toml", "core.languages:extract_register")]
"""As ``data/locale/babel.cfg`` has it."""


def literals(node: ast.AST) -> Iterator[str]:
    """Texts written in an expression, without those inside ``_`` and ``ngettext`` and without subscripts."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in KEYWORDS:
            return
        if isinstance(node.func, ast.Attribute):
            yield from literals(node.func.value)
        return
    if isinstance(node, ast.Subscript):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from literals(child)


def untranslated(source: str) -> list[str]:
    """Texts with letters that a call of ``st`` would show as they are written."""
    out = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SPEAKS):
            continue
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "st"):
            continue
        shown = [*node.args[: 0 if node.func.attr in {"Page", "page_link"} else 1]]
        shown += [keyword.value for keyword in node.keywords if keyword.arg in SHOWN_KEYWORDS]
        texts = [MARKUP.sub("", text) for argument in shown for text in literals(argument)]
        out += [text for text in texts if re.search(r"[^\W\d_]{2,}", text)]
    return out


def test_no_text_reaches_screen_without_translation() -> None:
    found = {str(path.relative_to(PROJECT)): untranslated(path.read_text(encoding="utf-8")) for path in SCREENS}
    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.parametrize(
    "source", ['st.title("Arrivals")', 'st.metric(f"Expected {x}", 1)', 'st.table(frame, alt="All routes")']
)
def test_check_finds_text_that_was_forgotten(source: str) -> None:
    assert untranslated(source)


def texts_in_the_code() -> set[str]:
    found: set[str] = set()
    for folder in ROOMS:
        for _name, _line, message, _comments, _context in extract_from_dir(
            PROJECT / folder, METHODS, keywords=KEYWORDS
        ):
            found.add(message[0] if isinstance(message, tuple) else message)
        # The extractor does not look into f-strings with quotes of the other kind.
        for path in sorted((PROJECT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in KEYWORDS and node.args:
                    found |= {str(one.value) for one in node.args[:1] if isinstance(one, ast.Constant)}
    for _line, message, _comments, _context in extract_from_file("python", str(PROJECT / "app.py"), keywords=KEYWORDS):
        found.add(message[0] if isinstance(message, tuple) else message)
    return found


def texts_in(path: Path) -> set[str]:
    messages = read_po(io.BytesIO(path.read_bytes()))
    return {
        str(message.id[0] if isinstance(message.id, list | tuple) else message.id) for message in messages if message.id
    }


def test_template_is_up_to_date() -> None:
    code, template = texts_in_the_code(), texts_in(LOCALE_FOLDER / "vigie.pot")
    how = "run make texts"
    assert code - template == set(), f"missing in vigie.pot: {how}"
    assert template - code == set(), f"no longer used: {how}"


def test_english_text_without_translation_stays_as_it_is() -> None:
    assert catalogue("en").gettext("Routes") == "Routes"
    assert catalogue("en").ngettext("{n} month", "{n} months", 3) == "{n} months"
