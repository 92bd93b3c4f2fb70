"""Texts of the registers under ``data/`` for the catalogues: Babel calls :func:`extract` (``make texts``)."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator
from typing import IO

from core.languages import TEXTS_OF_RECORDS


def extract(
    file: IO[bytes], _keywords: Collection[str], _comment_tags: Collection[str], **_options: object
) -> Iterator[tuple[int, None, str, list[str]]]:
    """Every text of a register that readers see, as Babel's extractors give them: line, function, text, comments."""
    for entries in tomllib.load(file).values():
        for entry in entries if isinstance(entries, list) else []:
            yield from ((0, None, entry[name], []) for name in TEXTS_OF_RECORDS if name in entry)
