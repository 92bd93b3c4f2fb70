"""What went wrong, in the reader's language: errors on a page, files refused, and rows set aside.

The exact text of an error is written for whoever runs Vigie and stands in English, as it stands in the log; beside it
the page says in the reader's words what it means.
"""

from __future__ import annotations

from access.roles import NotAllowedError
from alerts.lifecycle import StepError
from core.errors import InputError, StoreError, VigieError
from core.faults import fault_words
from dashboard.i18n import _, labelled
from dashboard.theme import level_word


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


def fault(text: str) -> str:
    """A recorded fault in the reader's language; one that the catalogue does not know as the technical text it is."""
    told = fault_words(text, _)
    return told if told is not None else labelled(_("Technical message"), _("“{text}”").format(text=text))


def _word(name: str, text: str) -> str:
    if name == "status" and text:
        return _(text)
    return level_word(text) if name == "level" and text else text
