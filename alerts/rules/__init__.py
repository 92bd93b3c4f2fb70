"""The alert rules. Each module of this package holds one: adding a rule is adding a file (and its texts)."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

import pandas as pd

from alerts.levels import LEVELS
from alerts.rules.base import DataRule, ExceedanceRule, ObservedRule, Rule
from core.calendar import PLANNING_MONTHS
from core.settings import AlertSettings

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
