"""Rounding of unpublished breakdowns.

Published figures are republished as published: hiding them would not protect anyone. Counts by citizenship of
own sources are rounded to the nearest 5 before they enter a release, so that no small count of them leaves a home
(Hundepool et al., *Statistical Disclosure Control*, 2012, chapter 5). So are figures in sentences about their editions,
and their rows that were set aside leave without their text. Models see exact figures.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from core.errors import Message
from core.schema import ALL, NOT_APPLICABLE

OWN_SOURCE = "own_"
"""Begins the ``source_id`` of an analyst's own figures."""
ROUNDED_TO = 5
_COUNTS = ("obs_value", "before", "after")


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Round counts by citizenship of own sources.

    Args:
        frame: Rows with ``source_id``, ``citizen`` and counts in persons: ``obs_value``, or ``before`` and ``after``
            with their difference ``change`` and ``share`` (``change`` relative to ``before``).

    Returns:
        A copy; all other rows are as they were.
    """
    own = frame["source_id"].str.startswith(OWN_SOURCE) & ~frame["citizen"].isin([ALL, NOT_APPLICABLE])
    out = frame.copy()
    for name in (one for one in _COUNTS if one in out.columns):
        out.loc[own, name] = (out.loc[own, name] / ROUNDED_TO).round() * ROUNDED_TO
    if "change" in out.columns:
        out.loc[own, "change"] = out.loc[own, "after"].fillna(0) - out.loc[own, "before"].fillna(0)
        out.loc[own, "share"] = out.loc[own, "change"] / out.loc[own, "before"].where(out.loc[own, "before"] > 0)
    return out


def rounded_message(source_id: str, sentence: Message) -> Message:
    """Round the figures in a sentence about an edition of an own source; another sentence is returned as it is.

    Args:
        source_id: The source.
        sentence: The sentence; its figures are the parameters that are ``float``, but for a ratio in ``times``.
    """
    if not source_id.startswith(OWN_SOURCE):
        return sentence
    figures = {
        name: value for name, value in sentence.parameters.items() if isinstance(value, float) and name != "times"
    }
    shown = {name: float(round(value / ROUNDED_TO) * ROUNDED_TO) for name, value in figures.items()}
    return replace(sentence, parameters={**sentence.parameters, **shown})


def without_own_rows(rejected: pd.DataFrame) -> pd.DataFrame:
    """Return rows that a parser set aside, those of own sources without their text (``record``)."""
    own = rejected["source_id"].str.startswith(OWN_SOURCE)
    return rejected.assign(record=rejected["record"].mask(own, ""))
