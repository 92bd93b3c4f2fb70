"""Numbers in the reader's language: passes on to ``core.languages.Language`` until pages call it themselves."""

from __future__ import annotations

import datetime as dt

from core.languages import MINUS, NARROW_SPACE, NOTHING, WORD_JOINER, Language, round_expected, ten_dots, typeset
from dashboard.i18n import language

__all__ = ["MINUS", "NARROW_SPACE", "NOTHING", "WORD_JOINER", "round_expected", "ten_dots", "typeset"]


def _in(locale: str | None) -> Language:
    return Language(locale or language())


def observed(value: float | None, locale: str | None = None) -> str:
    """See ``Language.counted``."""
    return _in(locale).counted(value)


def expected(value: float | None, locale: str | None = None) -> str:
    """See ``Language.expected``."""
    return _in(locale).expected(value)


def signed(value: float, locale: str | None = None) -> str:
    """See ``Language.signed``."""
    return _in(locale).signed(value)


def decimal(value: float | None, digits: int = 2, locale: str | None = None) -> str:
    """See ``Language.decimal``."""
    return _in(locale).decimal(value, digits)


def significant(value: float | None, locale: str | None = None) -> str:
    """See ``Language.significant``."""
    return _in(locale).significant(value)


def interval(lower: float | None, upper: float | None, locale: str | None = None) -> str:
    """See ``Language.interval``."""
    return _in(locale).interval(lower, upper)


def interval_words(lower: float, upper: float, locale: str | None = None) -> str:
    """See ``Language.interval_words``."""
    return _in(locale).interval_words(lower, upper)


def percent(share: float | None, locale: str | None = None) -> str:
    """See ``Language.percent``."""
    return _in(locale).percent(share)


def share(value: float | None, locale: str | None = None) -> str:
    """See ``Language.share``."""
    return _in(locale).share(value)


def change(value: float | None, before: float | None, locale: str | None = None) -> str:
    """See ``Language.change``."""
    return _in(locale).change(value, before)


def chance_word(probability: float) -> str:
    """See ``Language.chance_word``."""
    return _in(None).chance_word(probability)


def times_in_ten(share: float) -> str:
    """See ``Language.times_in_ten``."""
    return _in(None).times_in_ten(share)


def day(date: dt.date, locale: str | None = None) -> str:
    """See ``Language.day``."""
    return _in(locale).day(date)


def day_short(date: dt.date, locale: str | None = None) -> str:
    """See ``Language.day_short``."""
    return _in(locale).day_short(date)


def month_name(date: dt.date, locale: str | None = None, *, year: bool = True) -> str:
    """See ``Language.month``."""
    return _in(locale).month(date, year=year)


def month_short(date: dt.date, locale: str | None = None, *, year: bool = False) -> str:
    """See ``Language.month_short``."""
    return _in(locale).month_short(date, year=year)


def month_range(first: dt.date, last: dt.date, locale: str | None = None, *, short: bool = False) -> str:
    """See ``Language.months``."""
    return _in(locale).months(first, last, short=short)


def period_name(last: dt.date, months: int = 1, locale: str | None = None) -> str:
    """See ``Language.period``."""
    return _in(locale).period(last, months)
