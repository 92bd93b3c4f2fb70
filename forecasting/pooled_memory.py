"""What a fit of the pooled model foresaw before, kept beside the fit: a past origin need not be forecast twice.

The same fit says the same of the same history. An entry is named by the horizon and by a fingerprint of all that was
known at its origin, so a revised figure or another choice of series finds none.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np

from core.quantiles import FloatArray

MOST_BYTES = 8_000_000
"""Per fit: seven hundred series at a year's origins and five horizons, three times. The oldest entries go first, and of
a panel with tens of thousands of series only the present remains."""


def remembered(kept: bytes | None) -> dict[str, FloatArray]:
    """The entries of what was kept; none where nothing was, or where it cannot be read."""
    if not kept:
        return {}
    try:
        with np.load(io.BytesIO(kept), allow_pickle=False) as entries:
            return {name: entries[name] for name in entries.files}
    except (ValueError, OSError, KeyError, zipfile.BadZipFile):
        return {}


def with_new(known: Mapping[str, FloatArray], new: Mapping[str, FloatArray]) -> bytes:
    """Known entries and new ones as bytes to keep; nothing where there is no new one."""
    if not new:
        return b""
    newest_first, size = {}, 0
    for name, entry in reversed({**known, **new}.items()):
        size += entry.nbytes
        if size > MOST_BYTES:
            break
        newest_first[name] = entry
    kept = io.BytesIO()
    np.savez(kept, allow_pickle=False, **dict(reversed(newest_first.items())))
    return kept.getvalue()
