"""The reader's language: every word on screen passes through ``_`` or ``ngettext``.

A language is a folder ``locale/<language>/LC_MESSAGES/vigie.po``; adding one adds nothing else. Catalogues are read as
they are written, so no compiled file is needed. After changing a text, renew the template::

    .venv/bin/pybabel extract --no-location --sort-output --omit-header \
        --add-comments=Translators: -k _ -k ngettext:1,2 -o locale/vigie.pot app.py dashboard alerts
"""

from __future__ import annotations

import gettext as standard_gettext
import io
from functools import lru_cache
from pathlib import Path

import streamlit as st
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE_FOLDER = Path(__file__).resolve().parent.parent / "locale"
DEFAULT_LANGUAGE = "en"


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """Languages that have a catalogue, English first."""
    found = sorted(path.parent.parent.name for path in LOCALE_FOLDER.glob("*/LC_MESSAGES/vigie.po"))
    return (DEFAULT_LANGUAGE, *(name for name in found if name != DEFAULT_LANGUAGE))


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
    if not st.runtime.exists():
        return DEFAULT_LANGUAGE
    return choose_language(st.query_params.get("lang"), st.context.locale)


@lru_cache(maxsize=8)
def catalogue(code: str) -> standard_gettext.NullTranslations:
    """Translations of one language, read from its ``.po`` file; texts without one stay English."""
    path = LOCALE_FOLDER / code / "LC_MESSAGES" / "vigie.po"
    if not path.exists():
        return standard_gettext.NullTranslations()
    with path.open("rb") as file:
        texts = read_po(file, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, texts)
    compiled.seek(0)
    return standard_gettext.GNUTranslations(compiled)


def _(text: str) -> str:
    """Translate one text."""
    return catalogue(language()).gettext(text)


def ngettext(singular: str, plural: str, number: int) -> str:
    """Translate one text that depends on a number; the caller fills in ``{n}``."""
    return catalogue(language()).ngettext(singular, plural, number)
