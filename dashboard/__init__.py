"""What people see: pages, charts, maps, tables, downloads, translations. Reads releases only.

The reader's language stands here: every word on screen passes through ``_`` or ``ngettext``. A language is a folder
``data/locale/<language>/LC_MESSAGES/vigie.po``; adding one adds nothing else. Catalogues are read as they are, so no
compiled file is needed. After changing a text, run ``make texts``, which renews the template and every catalogue, and
write the translations; a test names those that are missing. Inside an f-string ``_`` is not found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import streamlit as st

from core.languages import DEFAULT_LANGUAGE, Language, catalogue, languages
from dashboard.streamlit_private import log_errors_only
from reports.names import name

log_errors_only()

_SPOKEN: ContextVar[str] = ContextVar("spoken", default="")
"""The language of work that is done outside of a run of the page."""


def choose_language(asked: str | None, browser: str | None) -> str:
    """The language to show: what the address asks for, else the browser's, else English.

    Args:
        asked: Value of ``lang`` in the address, if any.
        browser: The browser's first language, such as ``fr-FR``, if known.
    """
    for wish in (asked, browser):
        code = (wish or "").replace("_", "-").split("-")[0].lower()
        if code in languages():
            return code
    return DEFAULT_LANGUAGE


def language() -> str:
    """The reader's language in this run of the page; English outside a running dashboard."""
    if spoken := _SPOKEN.get():
        return spoken
    if not st.runtime.exists():
        return DEFAULT_LANGUAGE
    return choose_language(st.query_params.get("lang"), st.context.locale)


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speak one language whatever the reader's is: a file is made on the click, when no page runs."""
    token = _SPOKEN.set(code)
    try:
        yield
    finally:
        _SPOKEN.reset(token)


def lang() -> Language:
    """How texts, numbers and dates are written in the reader's language."""
    return Language(language())


def named(table: Mapping[str, str], code: str) -> str:
    """The name of a code in one of the tables of ``reports.names``."""
    return name(table, code, lang())


def _(text: str) -> str:
    """Translate one text."""
    return lang().text(text)


def labelled(label: str, text: str) -> str:
    """A label and what it stands for, with the colon of the reader's language."""
    return lang().labelled(label, text)


def listed(parts: Iterable[str]) -> str:
    """Several clauses in one line, with the semicolon of the reader's language."""
    return lang().listed(parts)


def ngettext(singular: str, plural: str, number: int) -> str:
    """Translate one text that depends on a number; the caller fills in ``{n}``."""
    return catalogue(language()).ngettext(singular, plural, number)
