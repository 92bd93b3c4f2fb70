"""Turns of phrase of the briefing that depend on numbers or dates, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from alerts.verification.record import record_of
from core.languages import Language
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.schema import ALL
from reports.briefing.summaries import Expected, known

NOTHING = "–"
Row = Mapping[Any, Any]


def months(words: Language, ends: Sequence[pd.Timestamp]) -> str:
    """From the first month to the last: ``February–April 2025``, ``December 2024–February 2025``."""
    first, last = (words.month(f"{end:%Y-%m}") for end in (ends[0], ends[-1]))
    if first == last:
        return first
    if ends[0].year == ends[-1].year:
        first = first.removesuffix(f" {ends[0].year}")
    return f"{first}–{last}"


def interval(words: Language, low: float, high: float) -> str:
    """Two forecast figures for a table: ``8,900–18,800``."""
    return f"{words.expected(low)}–{words.expected(high)}" if known(low) and known(high) else NOTHING


def interval_words(words: Language, expected: Expected) -> str:
    """The same for a sentence: ``8,900 to 18,800``."""
    text = words.text(_("{lower} to {upper}"))
    return text.format(lower=words.expected(expected.low), upper=words.expected(expected.high))


def record(words: Language, alert: Row, track_record: pd.DataFrame) -> tuple[str, str]:
    """Ten dots, and in words how often the alert's rule was right before; no dots where it has no record."""
    found = record_of(alert, track_record)
    if found is None:
        return "", words.text(_("no track record yet")) if known(alert["probability"]) else NOTHING
    times = round(float(found["precision"]) * 10)
    share = words.plural(ngettext("{n} time in 10", "{n} times in 10"), times)
    text = words.text(_("right {times}, all routes") if found["route_id"] == ALL else _("right {times}"))
    return "●" * times + "○" * (10 - times), text.format(times=share)


def some(words: Language, names: Sequence[str], most: int) -> str:
    """The first names of a list, and how many more there are."""
    shown = ", ".join(names[:most])
    if len(names) <= most:
        return shown
    texts = ngettext("and {n} more", "and {n} more")
    return f"{shown} {words.plural(texts, len(names) - most)}"
