"""Languages that Vigie speaks: one folder ``locale/<language>/LC_MESSAGES/vigie.po`` each, read as it is written."""

from __future__ import annotations

import datetime as dt
import gettext
import io
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE_FOLDER = Path(__file__).resolve().parent.parent / "locale"
DEFAULT_LANGUAGE = "en"


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """Languages that have a catalogue, English first."""
    found = sorted(path.parent.parent.name for path in LOCALE_FOLDER.glob("*/LC_MESSAGES/vigie.po"))
    return (DEFAULT_LANGUAGE, *(name for name in found if name != DEFAULT_LANGUAGE))


@lru_cache(maxsize=8)
def catalogue(code: str) -> gettext.NullTranslations:
    """Translations of one language, read from its ``.po`` file; texts without one stay English."""
    path = LOCALE_FOLDER / code / "LC_MESSAGES" / "vigie.po"
    if not path.exists():
        return gettext.NullTranslations()
    with path.open("rb") as file:
        texts = read_po(file, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, texts)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def full_date(date: dt.date, language: str) -> str:
    """A date in full: ``31 January 2025``, ``1er janvier 2025``."""
    text = format_date(date, "d MMMM yyyy", locale=language)
    # The CLDR writes no ordinal, and French has one for the first of a month alone.
    return text.replace("1 ", "1er ", 1) if language == "fr" and date.day == 1 else text


def marked(text: str) -> str:
    """Mark a text for translation; import it as ``_``, by which the texts of the code are found."""
    return text


def told_in(fields: Mapping[Any, Any], language: str) -> dict[str, Any]:
    """A record with its texts in one language: a field such as ``what`` from its twin ``what_fr`` where that is filled.

    The files under ``data/`` keep each translation beside the English text, so that whoever changes one sees the other.
    """
    return {str(name): fields.get(f"{name}_{language}") or value for name, value in fields.items()}
