"""How numbers, chances and dates are written, in the reader's language.

Counted figures are written whole. Forecasts get two significant figures, three from 10,000: more would claim a
precision that no forecast has. A chance is always a word and a number, and both come from the same whole per cent, so
that they never contradict each other.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import ROUND_HALF_UP, Decimal

from babel.dates import format_date
from babel.numbers import format_decimal

from alerts.reasons import CHANCE_WORDS
from core.languages import full_date
from dashboard.i18n import _, language, ngettext

NOTHING = "–"
NARROW_SPACE, MINUS, WORD_JOINER = "\u202f", "\u2212", "\u2060"


def observed(value: float | None, locale: str | None = None) -> str:
    """A counted figure, whole: ``12,345``; an en dash where there is none."""
    if value is None or math.isnan(value):
        return NOTHING
    return _grouped(_half_up(value, 0), locale)


def round_expected(value: float) -> float:
    """Round to two significant figures, to three from 10,000, never finer than one person."""
    if value == 0:
        return 0.0
    digits = 3 if abs(value) >= 10_000 else 2
    place = max(0, math.floor(math.log10(abs(value))) + 1 - digits)
    return float(_half_up(value, place))


def expected(value: float | None, locale: str | None = None) -> str:
    """A forecast figure: ``12,300`` for 12,345; an en dash where there is none."""
    if value is None or math.isnan(value):
        return NOTHING
    return _grouped(Decimal(round_expected(value)), locale)


def signed(value: float, locale: str | None = None) -> str:
    """A change of a forecast figure with its sign: ``+180``, ``−40``; ``0`` where nothing is left after rounding."""
    size = round_expected(abs(value))
    if size == 0:
        return _grouped(Decimal(0), locale)
    return ("+" if value > 0 else MINUS) + _grouped(Decimal(size), locale)


def decimal(value: float | None, digits: int = 2, locale: str | None = None) -> str:
    """A score or an index with a fixed number of decimals: ``0.84``; an en dash where there is none."""
    if value is None or math.isnan(value):
        return NOTHING
    return _decimals(value, digits, "." + "0" * digits, locale)


def significant(value: float | None, locale: str | None = None) -> str:
    """An indicator's value: whole from 100, else three significant figures at most, without trailing zeros."""
    if value is None or math.isnan(value):
        return NOTHING
    if abs(value) >= 100 or value == int(value):
        return observed(value, locale)
    digits = 2 - math.floor(math.log10(abs(value)))
    return _decimals(value, digits, "." + "#" * digits, locale)


def interval(lower: float | None, upper: float | None, locale: str | None = None) -> str:
    """Two forecast figures with an unbreakable en dash between: ``8,900–18,800``."""
    if lower is None or upper is None or math.isnan(lower) or math.isnan(upper):
        return NOTHING
    return f"{expected(lower, locale)}{WORD_JOINER}–{WORD_JOINER}{expected(upper, locale)}"


def interval_words(lower: float, upper: float, locale: str | None = None) -> str:
    """Two forecast figures for a sentence: ``8,900 to 18,800``."""
    return _("{lower} to {upper}").format(lower=expected(lower, locale), upper=expected(upper, locale))


def percent(share: float | None, locale: str | None = None) -> str:
    """A chance as a whole per cent; below 1 and above 99 say so instead of claiming certainty.

    Raises:
        ValueError: The share is not between 0 and 1.
    """
    if share is None or math.isnan(share):
        return NOTHING
    whole = _whole_percent(share)
    if share < 0.01:
        return _("below {percent}").format(percent=_percent_sign(1, locale))
    if share > 0.99:
        return _("above {percent}").format(percent=_percent_sign(99, locale))
    return _percent_sign(whole, locale)


def share(value: float | None, locale: str | None = None) -> str:
    """A share of past cases as a whole per cent: unlike a chance it may be 0 or 100."""
    if value is None or math.isnan(value):
        return NOTHING
    return _percent_sign(_whole_percent(value), locale)


def change(value: float | None, before: float | None, locale: str | None = None) -> str:
    """Change against an earlier count in whole per cent, signed: ``−7%``; an en dash without an earlier count."""
    if value is None or before is None or math.isnan(value) or math.isnan(before) or before == 0:
        return NOTHING
    whole = int(_half_up((value - before) / before * 100, 0))
    return ("+" if whole > 0 else "") + _percent_sign(whole, locale)


def chance_word(probability: float) -> str:
    """The word that always stands beside a chance, in lower case: ``likely``.

    Raises:
        ValueError: The probability is not between 0 and 1.
    """
    whole = _whole_percent(probability)
    return _(next(word for limit, word in CHANCE_WORDS if whole < limit))


def times_in_ten(share: float) -> str:
    """A share as natural frequency: ``6 times in 10``.

    Raises:
        ValueError: The share is not between 0 and 1.
    """
    _whole_percent(share)
    times = int(_half_up(share * 10, 0))
    return ngettext("{n} time in 10", "{n} times in 10", times).format(n=times)


def ten_dots(share: float) -> str:
    """A share as ten dots: ``●●●●●●○○○○``."""
    _whole_percent(share)
    times = int(_half_up(share * 10, 0))
    return "●" * times + "○" * (10 - times)


def day(date: dt.date, locale: str | None = None) -> str:
    """A date in full: ``31 January 2025``."""
    return full_date(date, locale or language())


def day_short(date: dt.date, locale: str | None = None) -> str:
    """A date for charts: ``31 Jan 2025``."""
    return format_date(date, "d MMM yyyy", locale=locale or language())


def month_name(date: dt.date, locale: str | None = None, *, year: bool = True) -> str:
    """A month in full: ``December 2024``, or ``December``."""
    return format_date(date, "LLLL yyyy" if year else "LLLL", locale=locale or language())


def month_short(date: dt.date, locale: str | None = None, *, year: bool = False) -> str:
    """A month for axes: ``Dec``, or ``Dec 2024``."""
    return format_date(date, "LLL yyyy" if year else "LLL", locale=locale or language())


def month_range(first: dt.date, last: dt.date, locale: str | None = None, *, short: bool = False) -> str:
    """Months from one to another: ``February–April 2025``, ``November 2024–January 2025``, ``Feb–Apr``."""
    name = month_short if short else month_name
    if (first.year, first.month) == (last.year, last.month):
        return name(first, locale, year=not short)
    same_year = first.year == last.year
    return f"{name(first, locale, year=not same_year)}–{name(last, locale, year=not (short and same_year))}"


def period_name(last: dt.date, months: int = 1, locale: str | None = None) -> str:
    """A period of so many months by any day of its last one: ``December 2024``, ``October–December 2024``."""
    if months == 1:
        return month_name(last, locale)
    before = last.year * 12 + last.month - months
    return month_range(dt.date(before // 12, before % 12 + 1, 1), last, locale)


def _half_up(value: float, place: int) -> Decimal:
    """Round at a power of ten, halves away from zero, as people do."""
    unit = Decimal(1).scaleb(place)
    return (Decimal(str(value)) / unit).quantize(Decimal(1), ROUND_HALF_UP) * unit


def _whole_percent(share: float) -> int:
    if not 0 <= share <= 1:
        raise ValueError(f"{share} is not between 0 and 1")
    return int(_half_up(share * 100, 0))


def _grouped(value: Decimal, locale: str | None) -> str:
    return typeset(format_decimal(value, format="#,##0", locale=locale or language()))


def _decimals(value: float, digits: int, pattern: str, locale: str | None) -> str:
    text = format_decimal(_half_up(value, -digits), format="#,##0" + pattern.rstrip("."), locale=locale or language())
    return typeset(text)


def typeset(text: str) -> str:
    """A true minus, and the narrow space in place of every no-break space."""
    return text.replace("-", MINUS).replace("\u00a0", NARROW_SPACE)


def _percent_sign(whole: int, locale: str | None) -> str:
    space = NARROW_SPACE if (locale or language()).startswith("fr") else ""
    return f"{_grouped(Decimal(whole), locale)}{space}%"
