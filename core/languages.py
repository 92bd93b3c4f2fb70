"""Languages that Vigie speaks, and how numbers, chances and dates are written in each.

A language is one folder ``data/locale/<language>/LC_MESSAGES/vigie.po``, read as it is written. English is the source.

Counts are written whole. Forecasts get two significant figures, three from 10,000: more would claim a precision that
no forecast has. A chance is a word and a number, and both come from the same whole per cent.
"""

from __future__ import annotations

import datetime as dt
import gettext
import io
import math
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, TypeGuard

import pandas as pd
from babel import Locale
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

LOCALE_FOLDER = Path(__file__).resolve().parent.parent / "data" / "locale"
DEFAULT_LANGUAGE = "en"
TEXTS_OF_RECORDS = (
    "title", "publisher", "dataset", "licence", "came_through", "rhythm", "what", "known_issues", "summary",
    "weaknesses", "recipe", "advice",
)  # fmt: skip
"""Fields of sources' cards and of registers' entries that are texts for readers."""
NOTHING = "–"
_MANY = 2
"""Stands for a figure that is not there: an en dash takes the plural."""
NARROW_SPACE, MINUS, WORD_JOINER = "\u202f", "\u2212", "\u2060"
Month = dt.date | pd.Period | str
"""Any day of a month, or the month as ``2025-01``."""


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """Languages that have a catalogue, English first."""
    found = sorted(path.parent.parent.name for path in LOCALE_FOLDER.glob("*/LC_MESSAGES/vigie.po"))
    return (DEFAULT_LANGUAGE, *(name for name in found if name != DEFAULT_LANGUAGE))


@lru_cache(maxsize=8)
def catalogue(code: str) -> gettext.NullTranslations:
    """Translations of one language, read from its ``.po`` file; texts without one stay English."""
    path = LOCALE_FOLDER / code / "LC_MESSAGES" / "vigie.po"
    if not path.exists():
        return gettext.NullTranslations()
    with path.open("rb") as file:
        texts = read_po(file, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, texts)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@lru_cache(maxsize=8)
def awaits_review(code: str) -> bool:
    """Whether a catalogue is machine-translated and not reviewed: its line ``# Reviewed by:`` is empty."""
    path = LOCALE_FOLDER / code / "LC_MESSAGES" / "vigie.po"
    head = path.read_text(encoding="utf-8").partition("msgid")[0] if path.exists() else ""
    return re.search(r"^# Reviewed by:[ \t]*$", head, re.MULTILINE) is not None


def marked(text: str) -> str:
    """Mark a text for translation; import it as ``_``, by which the texts of the code are found."""
    return text


def marked_plural(singular: str, plural: str) -> tuple[str, str]:
    """Mark a text that depends on a number, which it holds as ``{n}``; import it as ``ngettext``."""
    return singular, plural


_, ngettext = marked, marked_plural

CHANCE_WORDS = (
    (5, _("very unlikely")),
    (33, _("unlikely")),
    (45, _("rather unlikely")),
    (55, _("about even")),
    (67, _("rather likely")),
    (90, _("likely")),
    (101, _("very likely")),
)
"""Per cent below which a word holds, and the word that stands beside every chance."""


def round_expected(value: float) -> float:
    """Round a forecast to two significant figures, to three from 10,000, never finer than one person."""
    if value == 0:
        return 0.0
    size = math.floor(math.log10(abs(value))) + 1
    return float(_half_up(value, max(0, size - (3 if size >= 5 else 2))))


def round_counted(value: float) -> int:
    """Round a count to whole persons, halves up: a threshold may have a fraction."""
    return int(_half_up(value, 0))


def as_counted(value: float | None) -> int:
    """The number by which words beside a count are singular or plural: the figure as it is written there."""
    return abs(round_counted(value)) if is_known(value) else _MANY


def as_expected(value: float | None) -> int:
    """The same beside a forecast, or a change of one."""
    return abs(int(round_expected(value))) if is_known(value) else _MANY


def capital(text: str) -> str:
    """The text with a capital first letter: a sentence may begin with a month, which French writes small."""
    return text[:1].upper() + text[1:]


def uncapital(text: str) -> str:
    """The text with a small first letter, as it stands after a colon."""
    return text[:1].lower() + text[1:]


class Language:
    """One reader's language: texts, numbers, chances and dates.

    Args:
        code: Its code; English where there is no catalogue of it.
    """

    def __init__(self, code: str = DEFAULT_LANGUAGE) -> None:
        self.code = code if code in languages() else DEFAULT_LANGUAGE
        self._catalogue = catalogue(self.code)

    def text(self, text: str, /, **fields: str | float) -> str:
        """A text in this language, its places filled with ``fields`` as they are."""
        translated = self._catalogue.gettext(text) if text else ""
        return translated.format(**fields) if fields else translated

    def record(self, fields: Mapping[Any, Any]) -> dict[str, Any]:
        """Return a card or a register's entry with its texts in this language."""
        known = {name: self._texts(fields[name]) for name in TEXTS_OF_RECORDS if name in fields}
        return {**{str(name): value for name, value in fields.items()}, **known}

    def _texts(self, value: object) -> object:
        if isinstance(value, list):
            return [self._texts(item) for item in value]
        return self.text(value) if isinstance(value, str) else value

    def plural(self, texts: tuple[str, str], number: int, **fields: str | float) -> str:
        """A text that depends on a number, which it holds as ``{n}``.

        A figure that the text holds as it is written, rounded and grouped, comes with ``fields``; then ``number`` is
        :func:`as_counted` or :func:`as_expected` of it.
        """
        return self.form(*texts, number).format(n=number, **fields)

    def form(self, one: str, many: str, number: int) -> str:
        """Of a text that depends on a number the form for that number, its places still empty."""
        return self._catalogue.ngettext(one, many, number)

    def labelled(self, label: str, text: str) -> str:
        """A label and what it stands for, with the colon of this language."""
        return self.text(_("{label}: {text}"), label=label, text=text)

    def listed(self, parts: Iterable[str]) -> str:
        """Several clauses in one line, with the semicolon of this language."""
        return self.text(_("; ")).join(parts)

    def counted(self, value: float | None) -> str:
        """A counted figure, whole: ``12,345``; an en dash where there is none."""
        return self._grouped(Decimal(round_counted(value))) if is_known(value) else NOTHING

    def expected(self, value: float | None) -> str:
        """A forecast figure: ``12,300`` for 12,345; an en dash where there is none."""
        return self._grouped(Decimal(round_expected(value))) if is_known(value) else NOTHING

    def signed(self, value: float) -> str:
        """A change of a forecast with its sign: ``+180``, ``−40``; ``0`` where nothing is left after rounding."""
        return self._signed(value, round_expected(abs(value)))

    def signed_count(self, value: float) -> str:
        """A difference in whole persons with its sign: ``+183``, ``−40``; ``0`` where there is none."""
        return self._signed(value, round_counted(abs(value)))

    def _signed(self, value: float, size: float) -> str:
        sign = "" if size == 0 else "+" if value > 0 else MINUS
        return sign + self._grouped(Decimal(size))

    def decimal(self, value: float | None, digits: int = 2) -> str:
        """A score or an index with a fixed number of decimals: ``0.84``; an en dash where there is none."""
        return self._decimals(value, digits, "0" * digits) if is_known(value) else NOTHING

    def significant(self, value: float | None) -> str:
        """An indicator's value: whole from 100, else three significant figures at most, without trailing zeros."""
        if is_known(value) and abs(value) < 100 and value != int(value):
            digits = 2 - math.floor(math.log10(abs(value)))
            return self._decimals(value, digits, "#" * digits)
        return self.counted(value)

    def interval(self, lower: float | None, upper: float | None) -> str:
        """Two forecast figures with an unbreakable en dash between: ``8,900–18,800``."""
        if is_known(lower) and is_known(upper):
            return f"{self.expected(lower)}{WORD_JOINER}–{WORD_JOINER}{self.expected(upper)}"
        return NOTHING

    def interval_words(self, lower: float, upper: float) -> str:
        """Two forecast figures for a sentence: ``8,900 to 18,800``."""
        return self.text(_("{lower} to {upper}"), lower=self.expected(lower), upper=self.expected(upper))

    def percent(self, chance: float | None, *, brief: bool = False) -> str:
        """A chance as a whole per cent; below 1 and above 99 say so instead of claiming certainty.

        Args:
            chance: Between 0 and 1.
            brief: With a sign in place of the word, for tables.

        Raises:
            ValueError: The chance is not between 0 and 1.
        """
        whole = _whole_percent(chance) if is_known(chance) else None
        if whole is None or chance is None:
            return NOTHING
        if chance < 0.01:
            least = self._percent_sign(1)
            return f"<{least}" if brief else self.text(_("below {percent}"), percent=least)
        if chance > 0.99:
            most = self._percent_sign(99)
            return f">{most}" if brief else self.text(_("above {percent}"), percent=most)
        return self._percent_sign(whole)

    def share(self, value: float | None) -> str:
        """A share of past cases as a whole per cent: unlike a chance it may be 0 or 100."""
        return self._percent_sign(_whole_percent(value)) if is_known(value) else NOTHING

    def change(self, value: float | None, before: float | None) -> str:
        """Change against an earlier count in whole per cent, signed: ``−7%``; an en dash without an earlier count."""
        if is_known(value) and is_known(before) and before != 0:
            whole = _in_hundredths((value - before) / before)
            return ("+" if whole > 0 else "") + self._percent_sign(whole)
        return NOTHING

    def chance_word(self, chance: float) -> str:
        """The word that stands beside a chance, in lower case: ``likely``.

        Raises:
            ValueError: The chance is not between 0 and 1.
        """
        whole = _whole_percent(chance)
        return self.text(next(word for limit, word in CHANCE_WORDS if whole < limit))

    def chance_scale(self) -> tuple[str, str]:
        """``Words of chance``, and these with their limits: ``very unlikely below 5%, unlikely below 33%, …``."""
        below, rest = _("{word} below {chance}"), _("{word} from {chance}")
        *lower, (_end, last) = CHANCE_WORDS
        words = [self.text(below, word=self.text(word), chance=self.percent(limit / 100)) for limit, word in lower]
        words.append(self.text(rest, word=self.text(last), chance=self.percent(lower[-1][0] / 100)))
        return self.text(_("Words of chance")), ", ".join(words)

    def currency(self, code: str) -> str:
        """A currency by its code of three letters: ``US dollar``."""
        return str(Locale.parse(self.code).currencies.get(code, code))

    def language_name(self, code: str) -> str:
        """A language's name in this one; the code itself if the CLDR has none."""
        return Locale.parse(code).get_language_name(self.code) or code

    def day(self, date: dt.date) -> str:
        """A date in full: ``31 January 2025``, ``1er janvier 2025``, ``31 de enero de 2025``."""
        # Translators: a date in full, in the letters of the CLDR; words of its own stand between ' and '.
        text = format_date(date, self.text(_("d MMMM yyyy")), locale=self.code)
        # Translators: the first day of a month in a date: the CLDR writes no ordinal, which French has for it alone.
        first = _("1")
        return text.replace(first, self.text(first), 1) if date.day == 1 else text

    def day_short(self, date: dt.date, *, year: bool = True) -> str:
        """A date for charts: ``31 Jan 2025``, or ``31 Jan``."""
        return format_date(date, "d MMM yyyy" if year else "d MMM", locale=self.code)

    def month(self, month: Month, *, year: bool = True) -> str:
        """A month in full: ``December 2024``, or ``December``."""
        # Translators: a month and its year, in the letters of the CLDR; words of its own stand between ' and '.
        return format_date(_day_of(month), self.text(_("LLLL yyyy")) if year else "LLLL", locale=self.code)

    def month_short(self, month: Month, *, year: bool = False) -> str:
        """A month for axes: ``Dec``, or ``Dec 2024``."""
        return format_date(_day_of(month), "LLL yyyy" if year else "LLL", locale=self.code)

    def months_short(self, first: Month, last: Month) -> str:
        """Months from one to another for charts: ``Feb–Apr``, ``Mar``."""
        return f"{WORD_JOINER}–{WORD_JOINER}".join(dict.fromkeys([self.month_short(first), self.month_short(last)]))

    def period_short(self, last: Month, months: int = 1) -> str:
        """A period of one month or three for charts: ``Dec 2024``, ``Q4 2024``."""
        return format_date(_day_of(last), "LLL yyyy" if months == 1 else "QQQ yyyy", locale=self.code)

    def months(self, first: Month, last: Month) -> str:
        """Months from one to another: ``February–April 2025``, ``November 2024–January 2025``."""
        first, last = _day_of(first), _day_of(last)
        if (first.year, first.month) == (last.year, last.month):
            return self.month(first)
        return f"{self.month(first, year=first.year != last.year)}–{self.month(last)}"

    def in_months(self, first: Month, last: Month) -> str:
        """The same as the time of an event: ``in February–April 2025``, ``in March 2025``."""
        first, last = _day_of(first), _day_of(last)
        if (first.year, first.month) == (last.year, last.month):
            return self.text(_("in {month}"), month=self.month(first))
        begin = self.month(first, year=first.year != last.year)
        said = self.text(_("in {first}–{last}"), first=begin, last=self.month(last))
        return re.sub(r"\bde (?=[ao])", "d’", said) if self.code == "fr" else said

    def in_period(self, last: dt.date, months: int = 1) -> str:
        """Name a period of ``months`` months by a day of its last one, as the time of an event."""
        return self.in_months(_first_of(last, months), last)

    def period(self, last: dt.date, months: int = 1) -> str:
        """Name a period of ``months`` months by a day of its last one: ``December 2024``, ``October–December 2024``."""
        return self.months(_first_of(last, months), last)

    def _grouped(self, value: Decimal) -> str:
        return typeset(format_decimal(value, format="#,##0", locale=self.code))

    def _decimals(self, value: float, digits: int, decimals: str) -> str:
        pattern = f"#,##0.{decimals}".rstrip(".")
        return typeset(format_decimal(_half_up(value, -digits), format=pattern, locale=self.code))

    def _percent_sign(self, whole: int) -> str:
        return typeset(format_percent(Decimal(whole) / 100, locale=self.code))


def _first_of(last: dt.date, months: int) -> dt.date:
    before = last.year * 12 + last.month - months
    return dt.date(before // 12, before % 12 + 1, 1)


def typeset(text: str) -> str:
    """A true minus, and the narrow space in place of every no-break space."""
    return text.replace("-", MINUS).replace("\u00a0", NARROW_SPACE)


def is_known(value: float | None) -> TypeGuard[float]:
    """Whether a number is there: neither None nor not-a-number."""
    return value is not None and not math.isnan(value)


def _half_up(value: float, place: int) -> Decimal:
    """Round at a power of ten, halves away from zero, as people do; what rounds to zero has no sign."""
    unit = Decimal(1).scaleb(place)
    return (Decimal(str(value)) / unit).quantize(Decimal(1), ROUND_HALF_UP) * unit + 0


def _whole_percent(share: float) -> int:
    if not 0 <= share <= 1:
        raise ValueError(f"{share} is not between 0 and 1")
    return _in_hundredths(share)


def _in_hundredths(share: float) -> int:
    # Times 100 as a binary number, 57 of 200 would be a little less than the half that it is.
    return int(_half_up(share, -2) * 100)


def _day_of(month: Month) -> dt.date:
    if isinstance(month, str):
        return dt.date(int(month[:4]), int(month[5:7]), 1)
    return month.to_timestamp() if isinstance(month, pd.Period) else month


def extract_register(
    file: IO[bytes], _keywords: Collection[str], _comment_tags: Collection[str], **_options: object
) -> Iterator[tuple[int, None, str, list[str]]]:
    """Texts of a register under ``data/`` for Babel (``make texts``): line, function, text, comments of each."""
    register = tomllib.load(file)
    lists = [entries for entries in register.values() if isinstance(entries, list)]
    for entry in [register, *(one for entries in lists for one in entries if isinstance(one, dict))]:
        for text in (entry[name] for name in TEXTS_OF_RECORDS if name in entry):
            # Repositories and their hashes are the same in every language.
            found = [one for one in (text if isinstance(text, list) else [text]) if not one.startswith("github.com/")]
            yield from ((0, None, one, []) for one in found)
