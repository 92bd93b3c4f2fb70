"""Fall: a month far below the mean of the last twelve, and the lowest of two years."""

from __future__ import annotations

import pandas as pd

from alerts import COMMON, ExceedanceRule, large_enough_mean
from core.languages import marked as _
from core.settings import AlertSettings

MONTHS = 24


def threshold(counts: pd.DataFrame, settings: AlertSettings) -> pd.DataFrame:
    """A fraction of the trailing 12-month mean or the lowest of 24 months, whichever is less, for a large enough mean.

    Without the second, every winter of a seasonal route would be a fall.
    """
    fraction = settings.fall_factor * large_enough_mean(counts, settings)
    lowest = counts.rolling(MONTHS).min()
    return fraction.where(fraction < lowest, lowest).where(fraction.notna())


RULE = ExceedanceRule(
    rule="fall",
    title=_("Lowest in 24 months"),
    compares="<=",
    threshold=threshold,
    costs=COMMON,
    sentences={"fall": _("{word} ({chance}) to fall to {threshold}, lowest in 24 months, {when}.")},
)
