"""Names in the reader's language: passes on to ``reports.names`` until pages call it themselves."""

from __future__ import annotations

from dashboard.i18n import words
from reports import names


def model_name(model_id: str) -> str:
    """A model's name."""
    return words().text(names.MODELS.get(model_id, model_id))


def rule_name(rule: str) -> str:
    """An alert rule's name."""
    return names.name(names.RULES, rule, words())


def simple_rule_name(rule: str) -> str:
    """Name of a simple rule that alerts are compared with."""
    return words().text(names.COMPARED_RULES.get(rule, rule))


def indicator_name(target: str) -> str:
    """An indicator's name."""
    return names.name(names.INDICATORS, target, words())


def region_name(region: str) -> str:
    """A region of origin (``core.regions``)."""
    return words().text(names.REGIONS.get(region, region))


def state_name(freshness: str) -> str:
    """How fresh a source is."""
    return words().text(names.FRESHNESS.get(freshness, freshness))
