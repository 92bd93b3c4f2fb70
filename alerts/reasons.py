"""The one sentence of an alert, for people who decide. At most 110 characters in English: three lines on a card.

Each rule brings its templates, so that gettext finds them, and an alert keeps the template's key with its figures, so
that the same sentence can be written in any reader's language.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping

from alerts.rules import TEMPLATES
from core.calendar import frequency_of, to_period
from core.countries import display_name, known_codes
from core.languages import Language, capital
from core.languages import marked as _

LONGEST = 110
SHARES = frozenset({"chance", "share", "share_before"})
"""Figures of a sentence that are shares."""
MONTHS_OF = {"M": 1, "Q": 3, "A": 12}
"""Months of one period, by frequency; days and weeks have none."""
Params = Mapping[str, str | float]


def sentence(key: str, params: Params, language: Language | None = None) -> str:
    """Write an alert's sentence.

    Args:
        key: A key of :data:`alerts.rules.TEMPLATES`.
        params: Its figures: chances as shares, numbers as numbers, months as ``2025-01``. The window of a forecast is
            ``first`` to ``month``; releases of an earlier version know only ``month``, the last.
        language: The reader's; English by default.
    """
    language = language or Language()
    figures = {name: _figure(name, value, language) for name, value in params.items()}
    if "chance" in params:
        figures["word"] = capital(language.chance_word(float(params["chance"])))
        last = str(params["month"])
        when = language.text(_("by {month}"), month=language.month(last))
        if "first" in params:
            months = language.months(str(params["first"]), last)
            when = language.text(_("in any month of {months}"), months=months)
        figures["when"] = when
    return capital(language.text(TEMPLATES[key], **figures))


def cannot_be_judged(reason: str, since: dt.date, language: Language | None = None) -> str:
    """The sentence of an alert that stays because nobody can say whether it still holds."""
    language = language or Language()
    text = _("Cannot be judged since {day}: its figures are too old. It said: {reason}")
    return language.text(text, day=language.day(since), reason=reason)


def as_json(params: Params) -> str:
    """The figures of a sentence, for the column ``reason_params``."""
    return json.dumps(dict(params), sort_keys=True)


def period_words(period: str, language: Language) -> str:
    """A period or a day in words.

    Raises:
        InputError: The text is neither.
    """
    freq = frequency_of(period)
    last = to_period(period, freq).end_time
    return language.period(last, MONTHS_OF[freq]) if freq in MONTHS_OF else language.day(last)


def _figure(name: str, value: str | float, language: Language) -> str:
    if name in {"month", "period"}:
        return period_words(str(value), language)
    if name == "citizen":
        return display_name(str(value), language.code) if value in known_codes() else str(value)
    if isinstance(value, str):
        return value
    if name in SHARES:
        return language.percent(value)
    if name == "factor":
        return language.significant(value)
    return language.expected(value) if name in {"lower", "upper"} else language.counted(value)
