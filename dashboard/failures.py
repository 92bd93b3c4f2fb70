"""What went wrong, in the reader's language: errors on a page, and sources that a night had to do without.

The exact text of an error is written for whoever runs Vigie and stands in English, as it stands in the log; beside it
the page says in the reader's words what it means.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from alerts.lifecycle import StepError
from core.errors import InputError, StoreError, VigieError
from dashboard.i18n import _, labelled
from dashboard.theme import level_word
from desk.permissions import NotAllowedError


def error_words(error: VigieError) -> str:
    """Why something was refused or cannot be shown, as plain text."""
    if isinstance(error, StepError):
        words = {name: _word(name, text) for name, text in error.fields.items()}
        return _(error.template).format(**words)
    return f"{_kind(error)} {recorded(str(error))}"


def _kind(error: VigieError) -> str:
    if isinstance(error, NotAllowedError):
        return _("You may not do this with the role or the name that you have here.")
    if isinstance(error, StoreError):
        return _("What Vigie keeps on disk cannot be read or written just now.")
    if isinstance(error, InputError):
        return _("A value or a setting cannot be used.")
    return _("Vigie could not do this.")


def recorded(text: str) -> str:
    """The exact text, as the log has it."""
    return labelled(_("Recorded as"), _("“{text}”").format(text=text))


def source_place(record: Mapping[str, str], rejected: pd.DataFrame) -> str:
    """Where a source's figures broke, as far as the release knows: file, row and column. Empty where it does not.

    Args:
        record: A source that the night did without: ``source_id``, ``reason``.
        rejected: The release's rows set aside; a source that failed as a whole stands there without a row's content.
    """
    rows = rejected[(rejected["source_id"] == record["source_id"]) & (rejected["record"] == "")]
    if rows.empty:
        return ""
    last = rows.iloc[-1]
    labels = {"row": _("row {n}"), "column": _("column {n}")}
    places = [text.format(n=last[name]) for name, text in labels.items() if last[name]]
    return ", ".join([str(last["file"]), *places]) if last["file"] else ""


def _word(name: str, text: str) -> str:
    if name == "status" and text:
        return _(text)
    return level_word(text) if name == "level" and text else text
