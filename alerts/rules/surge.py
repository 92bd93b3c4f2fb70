"""Surge: a month far above the mean of the last twelve."""

from __future__ import annotations

import pandas as pd

from alerts import RARE, ExceedanceRule, large_enough_mean
from core.languages import marked as _
from core.settings import AlertSettings


def threshold(counts: pd.DataFrame, settings: AlertSettings) -> pd.DataFrame:
    """A multiple of the trailing 12-month mean, where that mean is large enough to mean something."""
    return settings.surge_factor * large_enough_mean(counts, settings)


RULE = ExceedanceRule(
    rule="surge",
    title=_("Far above the past year"),
    compares=">=",
    threshold=threshold,
    costs=RARE,
    say=lambda _series_id, settings: ("surge", {"factor": settings.surge_factor}),
    sentences={"surge": _("{word} ({chance}) to reach {threshold}, {factor}× the 12-month mean, {when}.")},
)
