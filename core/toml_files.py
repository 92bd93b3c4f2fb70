"""Texts and values of TOML files, with faults that name the file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from core.errors import InputError


def read_text(path: Path, name: str) -> str:
    """Read a file of UTF-8, with or without a byte order mark.

    Args:
        path: The file.
        name: Its name in errors.

    Raises:
        InputError: It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise _unreadable(name, error) from None


def toml_of(text: str, name: str) -> dict[str, Any]:
    """Parse a file's text.

    Raises:
        InputError: It is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(name, error) from None


def _unreadable(name: str, error: ValueError) -> InputError:
    return InputError(f"{name}: not readable as TOML: {error}")
