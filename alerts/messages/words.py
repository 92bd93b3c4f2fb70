"""Words and numbers of a message, in the reader's language."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

from alerts.messages.facts import Facts
from alerts.reasons import CHANCE_WORDS, SHARES, TEMPLATES
from core.calendar import to_period
from core.countries import display_name, known_codes
from core.languages import DEFAULT_LANGUAGE, catalogue, full_date, languages, told_in
from core.routes import is_route, route_name

NARROW_SPACE = "\u202f"


def _(text: str) -> str:
    """Mark a text for translation."""
    return text


LEVEL_WORDS = {"watch": _("Watch"), "warning": _("Warning"), "severe": _("Severe")}
LEVEL_MARKS = {"watch": "●", "warning": "▲", "severe": "◆"}
FRESHNESS_WORDS = {
    "fresh": _("Fresh"), "due": _("Due"), "overdue": _("Overdue"), "delinquent": _("Long overdue"),
}  # fmt: skip


class Words:
    """One reader's language.

    Args:
        language: Its code; English where there is no catalogue of it.
    """

    def __init__(self, language: str) -> None:
        self.language = language if language in languages() else DEFAULT_LANGUAGE
        self._catalogue = catalogue(self.language)

    def text(self, text: str) -> str:
        """A text in this language."""
        return self._catalogue.gettext(text) if text else ""

    def plural(self, singular: str, plural: str, number: int) -> str:
        """A text that depends on a number, which it holds as ``{n}``."""
        return self._catalogue.ngettext(singular, plural, number).format(n=number)

    def labelled(self, label: str, text: str) -> str:
        """A label and what it stands for, with the colon of this language."""
        return self.text(_("{label}: {text}")).format(label=label, text=text)

    def listed(self, parts: Sequence[str]) -> str:
        """Several clauses in one line, with the semicolon of this language."""
        return self.text(_("; ")).join(parts)

    def counted(self, value: float) -> str:
        """A counted figure, whole: ``12,345``."""
        return self._typeset(format_decimal(_half_up(value, 0), format="#,##0", locale=self.language))

    def expected(self, value: float) -> str:
        """A forecast: two significant figures, three from 10,000."""
        digits = 3 if value >= 10_000 else 2
        place = max(0, len(str(int(value))) - digits)
        return self.counted(float(_half_up(value, place)))

    def decimal(self, value: float, places: int = 1) -> str:
        """A measure with a fixed number of decimals."""
        pattern = "#,##0." + "0" * places
        return self._typeset(format_decimal(_half_up(value, -places), format=pattern, locale=self.language))

    def percent(self, share: float) -> str:
        """A chance as a whole per cent, never 0 or 100."""
        whole = _half_up(min(max(share, 0.01), 0.99) * 100, 0) / 100
        text = self._typeset(format_percent(whole, locale=self.language))
        if share < 0.01:
            return self.text(_("below {percent}")).format(percent=text)
        return self.text(_("above {percent}")).format(percent=text) if share > 0.99 else text

    def share(self, share: float) -> str:
        """A share of past cases: unlike a chance it may be 0 or 100."""
        return self._typeset(format_percent(_half_up(share * 100, 0) / 100, locale=self.language))

    def chance_word(self, share: float) -> str:
        """The word that stands beside a chance: ``likely``."""
        whole = _half_up(share * 100, 0)
        return self.text(next(word for limit, word in CHANCE_WORDS if whole < limit))

    def month(self, period: str) -> str:
        """A month in full: ``March 2025``."""
        return format_date(to_period(period, "M").to_timestamp(), "LLLL yyyy", locale=self.language)

    def month_short(self, date: dt.date) -> str:
        """A month for an axis: ``Jan 2025``."""
        return format_date(date, "LLL yyyy", locale=self.language)

    def day(self, date: dt.date) -> str:
        """A date in full: ``31 January 2025``."""
        return full_date(date, self.language)

    def months(self, first: str, last: str) -> str:
        """One month, or from one to another."""
        return self.month(first) if first == last else f"{self.month(first)} – {self.month(last)}"

    def place(self, facts: Facts) -> str:
        """The route that an alert is about, else its source."""
        route_id = str(facts.get("route_id", ""))
        return (
            self.text(route_name(route_id))
            if is_route(route_id)
            else str(told_in(facts, self.language).get("publisher") or facts.get("source_id", ""))
        )

    def level(self, level: str) -> str:
        """The word of a level: ``Severe``."""
        return self.text(LEVEL_WORDS[level])

    def reason(self, facts: Facts) -> str:
        """The alert's one sentence; the release's own where it names no template."""
        template = TEMPLATES.get(str(facts.get("reason_key", "")))
        if template is None:
            return str(facts.get("reason", ""))
        params = json.loads(facts["reason_params"])
        if "chance" in params:
            word = self.chance_word(params["chance"])
            params["word"] = word[:1].upper() + word[1:]
        said = self.text(template).format(**{name: self._figure(name, value) for name, value in params.items()})
        # A sentence may begin with a month, which French writes small.
        return said[:1].upper() + said[1:]

    def _figure(self, name: str, value: str | float) -> str:
        if name == "month":
            return self.month(str(value))
        if name == "citizen":
            return display_name(str(value), self.language) if str(value) in known_codes() else str(value)
        if isinstance(value, str):
            return value
        if name in SHARES:
            return self.percent(value)
        if name == "factor":
            return self.decimal(value)
        return self.expected(value) if name in {"lower", "upper"} else self.counted(value)

    def _typeset(self, text: str) -> str:
        return text.replace("\u00a0", NARROW_SPACE)


def _half_up(value: float, place: int) -> Decimal:
    """Round at a power of ten, halves away from zero, as people do."""
    unit = Decimal(1).scaleb(place)
    return (Decimal(str(value)) / unit).quantize(Decimal(1), ROUND_HALF_UP) * unit
