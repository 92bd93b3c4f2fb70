"""The one verdict of skill, and a measure beside its interval: the same words on every page and in every file."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pandas as pd

from core.languages import NOTHING, Language, is_known
from core.languages import marked as _
from forecasting import ENSEMBLE
from forecasting.verification.verdict import BETTER, NO_EVIDENCE, WORSE, skill

WORDS = {BETTER: BETTER, NO_EVIDENCE: _("not shown to beat the baseline"), WORSE: WORSE}
"""Each verdict as a sentence says it."""
Better = tuple[pd.Timestamp, ...] | None
"""Last days of the periods of a release in which the forecast beats the baseline; None if the series is not scored."""


def verdict_words(verdict: str, language: Language) -> str:
    """One verdict in words."""
    return language.text(WORDS[verdict])


def better_steps(scores: pd.DataFrame, series_id: str) -> list[int] | None:
    """Periods ahead in which the ensemble's verdict is better than the baseline; None without scores of the series."""
    judged = skill(scores[scores["series_id"] == series_id])
    return None if judged.empty else [int(step) for step in judged.loc[judged["verdict"] == BETTER, "horizon"]]


def better_ends(scores: pd.DataFrame, forecasts: pd.DataFrame, series_id: str) -> Better:
    """The periods of a release's forecast in which the ensemble's verdict is better than the baseline.

    Args:
        scores: From :func:`forecasting.verification.summarise`.
        forecasts: ``model_id, series_id, horizon, target_end_date``.
        series_id: The series.
    """
    if (steps := better_steps(scores, series_id)) is None:
        return None
    is_own = forecasts["series_id"].eq(series_id) & forecasts["model_id"].eq(ENSEMBLE)
    ends = forecasts.loc[is_own & forecasts["horizon"].isin(steps), "target_end_date"]
    return tuple(sorted(pd.Timestamp(end) for end in ends.unique()))


def with_interval(write: Callable[[float], str], value: float, low: float, high: float) -> str:
    """Return a measure with its interval, ``1.01 (0.99–1.03)``: alone where the interval is not known."""
    if not is_known(value):
        return NOTHING
    return f"{write(value)} ({write(low)}–{write(high)})" if is_known(low) and is_known(high) else write(value)


def stretches(ends: Iterable[pd.Timestamp], language: Language, months_each: int = 1) -> str:
    """Periods by their names, those that follow each other as one: ``January 2025, March–April 2025``."""
    days = pd.Series(sorted(ends))
    months = days.dt.year * 12 + days.dt.month
    parts = days.groupby(months.diff().ne(months_each).cumsum())
    return ", ".join(
        language.months(part.iloc[0] - pd.DateOffset(months=months_each - 1), part.iloc[-1]) for _number, part in parts
    )


def better_words(better: Better, shown: Iterable[pd.Timestamp], language: Language, months_each: int = 1) -> str:
    """The verdict on the periods that are shown.

    ``better than the baseline: February–March 2025; not shown: April 2025``.

    Args:
        better: Result of :func:`better_ends`.
        shown: Last days of the periods that are shown.
        language: The reader's.
        months_each: Months of a period.
    """
    if better is None:
        return language.text(_("not scored"))
    above = [end for end in shown if end in better]
    if not above:
        return verdict_words(NO_EVIDENCE, language)
    said = language.text(_("better than the baseline: {months}"), months=stretches(above, language, months_each))
    if not (others := [end for end in shown if end not in better]):
        return said
    text = language.text(_("not shown: {months}"), months=stretches(others, language, months_each))
    return language.listed([said, text])


def better_mark(better: Better, shown: Iterable[pd.Timestamp], language: Language) -> str:
    """The same as a mark with the months: ``✓ February–March 2025``; ``not shown to beat the baseline``."""
    above = [end for end in shown if end in (better or ())]
    return f"✓ {stretches(above, language)}" if above else better_words(better, shown, language)
