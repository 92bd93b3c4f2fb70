"""Errors a user can act on. The command line prints them without a traceback."""

from __future__ import annotations


class VigieError(Exception):
    """Base of every error that names what a person can mend."""


class InputError(VigieError):
    """A file, option or setting given by a person is not usable."""


class SourceError(InputError):
    """A source's file breaks its documented layout.

    Args:
        file: Name of the file as its publisher calls it.
        rule: The rule that is broken, in words.
        row: Row or position in the file, where one is known.
        column: Column, where one is known.
    """

    def __init__(self, file: str, rule: str, *, row: int | str | None = None, column: str | None = None) -> None:
        self.file, self.rule, self.row, self.column = file, rule, row, column
        where = "".join(
            f", {label} {value}" for label, value in (("row", row), ("column", column)) if value is not None
        )
        super().__init__(f"{file}{where}: {rule}")


class SchemaError(VigieError):
    """A frame that crosses a boundary breaks its contract; the text names what is missing or wrong."""


class StoreError(VigieError):
    """A vintage, release or journal cannot be read or written, or was altered."""


class NothingToPublishError(VigieError):
    """A night produced nothing that may be published; the former release stands."""
