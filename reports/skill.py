"""The one verdict of skill, and a measure beside its interval: the same words on every page and in every file."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from core.languages import NOTHING, Language, is_known
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from forecasting.verification.verdict import BETTER, NO_EVIDENCE, WORSE, skill

WORDS = {BETTER: BETTER, NO_EVIDENCE: _("not shown to beat the baseline"), WORSE: WORSE}
"""Each verdict as a sentence says it."""
Span = tuple[int, int]
"""First and last of the periods ahead in which the forecast beats the baseline; ``(1, 0)`` where it does in none."""


def verdict_words(verdict: str, language: Language) -> str:
    """One verdict in words."""
    return language.text(WORDS[verdict])


def skill_span(scores: pd.DataFrame, series_id: str) -> Span | None:
    """The longest stretch of scored periods ahead in which the ensemble's verdict is better than the baseline.

    Args:
        scores: From :func:`forecasting.verification.summarise`.
        series_id: The series.

    Returns:
        None without scores of the series.
    """
    judged = skill(scores[scores["series_id"] == series_id])
    if judged.empty:
        return None
    is_better = judged["verdict"] == BETTER
    stretches = judged["horizon"][is_better].groupby((~is_better).cumsum()).agg(["min", "max"])
    if stretches.empty:
        return 1, 0
    longest = stretches.iloc[int((stretches["max"] - stretches["min"]).to_numpy().argmax())]
    return int(longest["min"]), int(longest["max"])


def with_interval(write: Callable[[float], str], value: float, low: float, high: float) -> str:
    """Return a measure with its interval, ``1.01 (0.99–1.03)``: alone where the interval is not known."""
    if not is_known(value):
        return NOTHING
    return f"{write(value)} ({write(low)}–{write(high)})" if is_known(low) and is_known(high) else write(value)


def span_words(span: Span | None, language: Language) -> str:
    """The months ahead in which a forecast beats the baseline: ``better than the baseline 2 to 5 months ahead``."""
    if span is None:
        return language.text(_("not scored"))
    first, last = span
    if last == 0:
        return verdict_words(NO_EVIDENCE, language)
    if first == last:
        texts = ngettext("better than the baseline {n} month ahead", "better than the baseline {n} months ahead")
        return language.plural(texts, last)
    return language.text(_("better than the baseline {first} to {last} months ahead"), first=first, last=last)
