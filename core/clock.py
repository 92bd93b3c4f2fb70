"""Times that lie ahead of this machine's clock: it was ahead when they were written, or it went back since."""

from __future__ import annotations

import datetime as dt

LARGEST_SKEW = dt.timedelta(hours=1)
"""How far two sound clocks may differ; beyond, one of them is or was wrong."""


def is_ahead(time: dt.datetime, now: dt.datetime) -> bool:
    """Whether a time of the past lies in the future, so that the clock that gave it cannot be trusted."""
    return time > now + LARGEST_SKEW
