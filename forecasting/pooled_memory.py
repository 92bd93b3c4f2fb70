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

MOST_ENTRIES = 200
"""Per fit: its year's origins at five horizons, three times. The oldest go first."""


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
    entries = {**known, **new}
    kept = io.BytesIO()
    np.savez(kept, allow_pickle=False, **{name: entries[name] for name in list(entries)[-MOST_ENTRIES:]})
    return kept.getvalue()
