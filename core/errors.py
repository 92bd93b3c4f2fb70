"""Errors that a user can act on, and their sentences, which can be translated.

A sentence is a :class:`Message`: its English text, by which catalogues know it, and what stands in its places. It is
made where a fault is found and kept as data (:meth:`Message.to_json`) beside its English text, so that a page renders
it without parsing. The command line and the log print the English text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from core.languages import marked as _


@dataclass(frozen=True)
class Message:
    """One sentence: the id by which catalogues know it, and its parameters.

    Attributes:
        template: The English text with named places, marked for translation where it is written. A text without
            parameters is taken as it stands, braces and all.
        parameters: What stands in the places: texts, numbers, further messages, or a list of messages.
    """

    template: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """The sentence in English."""
        return self.render(str)

    def render(self, translate: Callable[[str], str], number: Callable[[float], str] = "{:,.10g}".format) -> str:
        """The sentence in a language.

        Args:
            translate: Gives the translation of a template, or the template itself where there is none.
            number: Writes a figure (a ``float``; whole numbers of Python are rows, days and counts of few, and stand as
                they are).
        """
        text = translate(self.template) if self.template else ""

        def said(value: object) -> object:
            if isinstance(value, list) and all(isinstance(item, Message) for item in value):
                return translate(_("; ")).join(str(said(item)) for item in value)
            if isinstance(value, Message):
                return value.render(translate, number)
            return number(value) if isinstance(value, float) else value

        if not self.parameters:
            return text
        return text.format(**{name: said(value) for name, value in self.parameters.items()})

    def to_json(self) -> str:
        """The message as data, to be kept beside its English text."""
        return json.dumps(self, default=_plain, ensure_ascii=False)

    @staticmethod
    def from_json(kept: str) -> Message:
        """Return a message that was kept."""
        found: Message = json.loads(kept, object_hook=_message)
        return found

    def record(self, source_id: str, **facts: str) -> dict[str, str]:
        """What a release and the journal keep of something that a night had to do without."""
        return {"source_id": source_id, **facts, "reason": str(self), "message": self.to_json()}


def fault_of(error: Exception) -> Message:
    """Return an error's sentence; of an unexpected error its kind and text."""
    if isinstance(error, VigieError):
        return error.message
    return message(_("a fault in Vigie: {error}"), error=f"{type(error).__name__}: {error}")


def first_line(error: BaseException, *, with_kind: bool = False) -> str:
    """The first line of what a library's error says, behind its kind if asked; its kind alone where it says nothing."""
    kind, lines = type(error).__name__, str(error).strip().splitlines()
    if not lines:
        return kind
    return f"{kind}: {lines[0]}" if with_kind else lines[0]


def message(template: str | Message, /, **parameters: object) -> Message:
    """A message of a template and its parameters; a message stays as it is."""
    return template if isinstance(template, Message) else Message(template, parameters)


def _plain(value: object) -> object:
    if not isinstance(value, Message):
        return str(value)
    return {"id": value.template, "with": dict(value.parameters)}


def _message(kept: dict[str, Any]) -> Message | dict[str, Any]:
    """A message as :func:`_plain` keeps it; the parameters of one stay as they are."""
    return Message(kept.get("plural") or kept["id"], kept["with"]) if "with" in kept else kept


class VigieError(Exception):
    """Base of every error that names what a person can mend."""

    def __init__(self, template: str | Message, /, **parameters: object) -> None:
        self.message = message(template, **parameters)
        super().__init__(str(self.message))


class InputError(VigieError):
    """A file, option or setting given by a person is not usable."""


class SourceError(InputError):
    """A source's file breaks its documented layout.

    Args:
        file: Name of the file as its publisher calls it.
        rule: The rule that is broken.
        row: Row or position in the file, where one is known.
        column: Column, where one is known.
        parameters: What stands in the places of the rule.
    """

    def __init__(
        self,
        file: str,
        rule: str | Message,
        /,
        *,
        row: int | str | None = None,
        column: str | None = None,
        **parameters: object,
    ) -> None:
        self.file, self.rule, self.row, self.column = file, message(rule, **parameters), row, column
        place = {"file": file, "row": row, "column": column}
        super().__init__(_PLACES[row is not None, column is not None], **place, fault=self.rule)

    def __reduce__(self) -> tuple[object, ...]:
        """How it reaches another process: its parameters as data, for a library's own may not come through."""
        plain = Message.from_json(self.rule.to_json())
        return partial(type(self), row=self.row, column=self.column), (self.file, plain)


_PLACES = {
    (False, False): _("{file}: {fault}"),
    (True, False): _("{file}, row {row}: {fault}"),
    (False, True): _("{file}, column {column}: {fault}"),
    (True, True): _("{file}, row {row}, column {column}: {fault}"),
}


class SchemaError(VigieError):
    """A frame that crosses a boundary breaks its contract; the text names what is missing or wrong."""


class StoreError(VigieError):
    """A vintage, release or journal cannot be read or written, or was altered."""


class NothingToPublishError(VigieError):
    """A night produced nothing that may be published; the former release stands."""
