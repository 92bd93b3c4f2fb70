"""Names on screen of models, rules and indicators; a code that has none is shown as it is."""

from __future__ import annotations

from dashboard.i18n import _


def model_name(model_id: str) -> str:
    """A model's name."""
    names = {
        "vigie-ensemble": _("Ensemble"),
        "vigie-baseline": _("Baseline"),
        "vigie-snaive": _("Seasonal baseline"),
        "vigie-ets": _("Exponential smoothing"),
        "vigie-theta": _("Theta"),
        "vigie-arima": _("ARIMA"),
        "vigie-seasonal-walk": _("Seasonal walk"),
        "vigie-structural": _("Structural model"),
        "vigie-prophet": _("Prophet"),
    }
    return names.get(model_id, model_id)


def rule_name(rule: str) -> str:
    """An alert rule's name."""
    names = {
        "capacity": _("Capacity passed"),
        "threshold": _("Capacity passed"),
        "surge": _("Far above the past year"),
        "fall": _("Far below the past year"),
        "record_12": _("Highest in 12 months"),
        "record_36": _("Highest in 36 months"),
        "outside_95": _("Outside the 95% interval"),
        "level_change": _("New level for months"),
        "nationality_shift": _("Other nationalities than usual"),
        "origin_context": _("Context in a country of origin"),
        "stale_source": _("Figures late"),
        "large_revision": _("Large revision"),
    }
    return names.get(rule, rule.replace("_", " "))


def simple_rule_name(rule: str) -> str:
    """Name of a simple rule that alerts are compared with."""
    names = {
        "compare.persistence": _("Last count stays, with its past errors"),
        "compare.seasonal_walk": _("Last count plus the usual change of season"),
        "compare.control_chart": _("Control chart of 24 months"),
        "compare.highest_12": _("Extreme of 12 months"),
        "compare.highest_36": _("Extreme of 36 months"),
    }
    return names.get(rule, rule)


def indicator_name(target: str) -> str:
    """An indicator's name."""
    names = {
        "conflict_deaths": _("Deaths in armed conflict, persons"),
        "new_displacement": _("New internal displacement, persons"),
        "deaths_and_disappearances": _("Deaths and disappearances on the way, persons"),
        "food_price_index": _("FAO food price index"),
        "arrivals": _("Arrivals"),
        "asylum_applications": _("Asylum applications"),
        "asylum_applications_first": _("First asylum applications"),
        "detections": _("Detections at borders"),
        "temporary_protection": _("Grants of temporary protection"),
    }
    return names.get(target, target.replace("_", " "))


def region_name(region: str) -> str:
    """A region of origin (``core.regions``)."""
    names = {
        "Northern Africa": _("Northern Africa"),
        "Western Africa": _("Western Africa"),
        "Eastern Africa": _("Eastern Africa"),
        "Middle Africa": _("Middle Africa"),
        "Southern Africa": _("Southern Africa"),
        "Western Asia": _("Western Asia"),
        "Southern Asia": _("Southern Asia"),
        "Central Asia": _("Central Asia"),
        "Eastern and South-eastern Asia": _("Eastern and South-eastern Asia"),
        "Europe": _("Europe"),
        "Americas": _("Americas"),
        "Oceania": _("Oceania"),
        "Unknown or stateless": _("Unknown or stateless"),
    }
    return names.get(region, region)


def state_name(freshness: str) -> str:
    """How fresh a source is."""
    names = {"fresh": _("Fresh"), "due": _("Due"), "overdue": _("Overdue"), "delinquent": _("Long overdue")}
    return names.get(freshness, freshness)
