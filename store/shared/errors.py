"""What can go wrong with the shared store, told apart by what a person can do about it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import StoreError

_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


class UnreachableError(StoreError):
    """The shared store does not answer."""


class MissingError(StoreError):
    """The shared store answers, and has no such file."""


class RefusedError(StoreError):
    """The shared store may not be read or written with these credentials."""


class MovedOnError(StoreError):
    """The shared store holds more than it did when we began: nothing of it is overwritten."""


class AlteredError(StoreError):
    """A file of the shared store is not as it was delivered."""


class DivergedError(StoreError):
    """The home folder holds a release that the shared store does not continue: a person decides."""


class NotDeliveredError(StoreError):
    """A release is published in this home, and the shared store did not take it."""


@contextmanager
def remote_errors(name: str) -> Iterator[None]:
    """Turn what fsspec and the libraries behind it raise into a :class:`StoreError` that names the file."""
    try:
        yield
    except StoreError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno in _READ_ONLY:
            raise RefusedError(f"{name}: {cause.strerror}") from error
        raise
    except FileNotFoundError:
        raise MissingError(f"{name}: is not there") from None
    except OSError as error:
        is_refused = isinstance(error, PermissionError) or error.errno in _READ_ONLY
        kind = RefusedError if is_refused else UnreachableError
        raise kind(f"{name}: {_first_line(error)}") from error
    except Exception as error:
        # The libraries for object stores have errors of their own: no connection, time out, a broken answer.
        raise UnreachableError(f"{name}: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0] or type(error).__name__
