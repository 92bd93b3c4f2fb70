"""What went wrong, in the reader's language: errors on a page, files refused, and rows set aside.

What a reader can mend is told in the reader's language. The exact text of other errors is written for whoever runs
Vigie and stands in English, as it stands in the log; beside it the page says in the reader's words what it means.
"""

from __future__ import annotations

from access.roles import NotAllowedError
from alerts.lifecycle import StepError
from core.errors import InputError, Message, StoreError, VigieError
from dashboard.i18n import _, labelled, lang
from dashboard.theme import level_word
from reports.names import message_in


def error_words(error: VigieError) -> str:
    """Why something was refused or cannot be shown, as plain text."""
    if isinstance(error, StepError):
        words = {name: _word(name, text) for name, text in error.message.parameters.items()}
        return _(error.message.template).format(**words)
    told = message_in(error.message, lang())
    return f"{_kind(error)} {recorded(told) if told == str(error) else _('“{text}”').format(text=told)}"


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


def fault(text: str, kept: str = "") -> str:
    """A recorded fault in the reader's language.

    Args:
        text: The English text, as it was recorded.
        kept: Its recorded message; empty in releases of earlier versions, whose texts are shown as they are.
    """
    return message_in(Message.from_json(kept, text), lang())


def _word(name: str, text: str) -> str:
    if name == "status" and text:
        return _(text)
    return level_word(text) if name == "level" and text else text
