"""The alert rules and the sentence of an alert. Each module of this package holds a rule: adding one is adding a file.

Each rule brings the templates of its sentences, so that gettext finds them. An alert keeps the template's key with its
figures, so that the same sentence can be written in any reader's language.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import pkgutil
from collections.abc import Mapping

import pandas as pd

from alerts import LEVELS
from alerts.rules.base import DataRule, ExceedanceRule, ObservedRule, Rule
from core.calendar import MONTHS_EACH, PLANNING_MONTHS, frequency_of, to_period
from core.countries import display_name, known_codes
from core.languages import Language, capital
from core.languages import marked as _
from core.settings import AlertSettings

LONGEST = 110
"""Characters of a sentence in English: three lines on a card."""
_SHARES = frozenset({"chance", "share", "share_before"})
"""Figures of a sentence that are shares."""
Params = Mapping[str, str | float]
CATALOGUE_COLUMNS = ["rule", "watches", "event", "minimum", "months_ahead", *LEVELS]


def _found() -> tuple[Rule, ...]:
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return tuple(value for module in modules for value in vars(module).values() if isinstance(value, Rule))


RULES = _found()
EXCEEDANCE_RULES = tuple(rule for rule in RULES if isinstance(rule, ExceedanceRule))
OBSERVED_RULES = tuple(rule for rule in RULES if isinstance(rule, ObservedRule))
DATA_RULES = tuple(rule for rule in RULES if isinstance(rule, DataRule))
TEMPLATES: Mapping[str, str] = {key: text for rule in RULES for key, text in rule.sentences.items()}
"""Every sentence that an alert may say, by ``reason_key``."""
_EXCEEDANCE: Mapping[str, ExceedanceRule] = {rule.rule: rule for rule in EXCEEDANCE_RULES}
_LIMITED: Mapping[str, ExceedanceRule] = {key: rule for rule in EXCEEDANCE_RULES for key in rule.sentences}


def catalogue(settings: AlertSettings, thresholds: pd.DataFrame | None = None) -> pd.DataFrame:
    """The table of rules for people to read: what each watches, what counts, what each level needs.

    Args:
        settings: The reader's numbers.
        thresholds: Frozen cut-offs (release table ``alert_thresholds``); Bayes cut-offs where there are none.

    Returns:
        :data:`CATALOGUE_COLUMNS`, in English: one row per rule. ``months_ahead`` is 0 where a rule looks back.
    """
    rows = []
    for rule in RULES:
        needs = dict(zip(LEVELS, rule.levels, strict=True))
        if isinstance(rule, ExceedanceRule):
            cutoffs = {level: rule.bayes_cutoffs(settings).of(level) for level in LEVELS}
            if thresholds is not None:
                own = thresholds[(thresholds["rule"] == rule.rule) & (thresholds["horizon"] == 0)]
                cutoffs |= dict(zip(own["level"], own["cutoff"], strict=True))
            needs = {level: f"probability from {cutoff:.0%}" for level, cutoff in cutoffs.items()}
        months = PLANNING_MONTHS if isinstance(rule, ExceedanceRule) else 0
        texts = rule.rule, rule.watches, rule.event(settings), rule.minimum(settings)
        rows.append([*texts, months, *needs.values()])
    return pd.DataFrame(rows, columns=CATALOGUE_COLUMNS)


def sentence(key: str, params: Params, language: Language | None = None) -> str:
    """Write an alert's sentence.

    Args:
        key: A key of :data:`TEMPLATES`.
        params: Its figures: chances as shares, numbers as numbers, months as ``2025-01``. The window of a forecast is
            ``first`` to ``month``; releases of an earlier version know only ``month``, the last.
        language: The reader's; English by default.
    """
    language = language or Language()
    if key in _LIMITED and "threshold" in params:
        params = {**params, "threshold": _LIMITED[key].whole_limit(float(params["threshold"]))}
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


def whole_limit(rule: str, limit: float) -> float:
    """An alert's number as words name it, see :meth:`ExceedanceRule.whole_limit`; as it is where a rule has none."""
    return _EXCEEDANCE[rule].whole_limit(limit) if rule in _EXCEEDANCE else limit


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
    return language.period(last, MONTHS_EACH[freq]) if freq in MONTHS_EACH else language.day(last)


def _figure(name: str, value: str | float, language: Language) -> str:
    if name in {"month", "period"}:
        return period_words(str(value), language)
    if name == "citizen":
        return display_name(str(value), language.code) if value in known_codes() else str(value)
    if isinstance(value, str):
        return value
    if name in _SHARES:
        return language.percent(value)
    if name == "factor":
        return language.significant(value)
    return language.expected(value) if name in {"lower", "upper"} else language.counted(value)
