"""Every alert rule in one table, for people to read: what it watches, what counts, what each level needs."""

from __future__ import annotations

import pandas as pd

from alerts.change_points import CHANGE
from alerts.composition import SHIFT
from alerts.exceedance import EXCEEDANCE_RULES, ExceedanceRule
from alerts.facts import REVISION, STALE
from alerts.levels import LEVELS
from alerts.misses import MISS
from alerts.origin_context import SHOCK
from alerts.thresholds import CAPACITY_MONTHS, CAPACITY_QUANTILE, LOWEST_MONTHS
from core.calendar import PLANNING_MONTHS
from core.settings import AlertSettings

COLUMNS = ["rule", "watches", "event", "minimum", "months_ahead", "watch", "warning", "severe"]


def catalogue(settings: AlertSettings, thresholds: pd.DataFrame | None = None) -> pd.DataFrame:
    """The table of rules.

    Args:
        settings: The reader's numbers.
        thresholds: Frozen cut-offs (:func:`alerts.training.table`); those of honest chances where there are none.

    Returns:
        :data:`COLUMNS`, in English: one row per rule. ``months_ahead`` is 0 where a rule looks back.
    """
    rows = [_ahead(rule, settings, thresholds) for rule in EXCEEDANCE_RULES]
    rows += [_miss(), _change(settings), _shift(), _context(settings), _revision(), _stale()]
    return pd.DataFrame(rows, columns=COLUMNS)


def _ahead(rule: ExceedanceRule, settings: AlertSettings, thresholds: pd.DataFrame | None) -> list[object]:
    smallest = f"{settings.surge_minimum:g} a month"
    events = {
        "capacity": f"a month above the number set for the route, else the {CAPACITY_QUANTILE:.0%} quantile of "
        f"{CAPACITY_MONTHS} months",
        "surge": f"a month of at least {settings.surge_factor:g} times the mean of the last 12",
        "fall": f"a month of at most {settings.fall_factor:g} times the mean of the last 12, and no higher than any of "
        f"the last {LOWEST_MONTHS}",
        "record_12": "a month above the highest of the last 12",
        "record_36": "a month above the highest of the last 36",
    }
    cutoffs = rule.honest(settings)
    levels = {level: cutoffs.of(level) for level in LEVELS}
    if thresholds is not None:
        own = thresholds[(thresholds["rule"] == rule.rule) & (thresholds["horizon"] == 0)]
        levels |= dict(zip(own["level"], own["cutoff"], strict=True))
    texts = [f"chance from {levels[level]:.0%}" for level in LEVELS]
    return [rule.rule, "sample paths of the forecast", events[rule.rule], smallest, PLANNING_MONTHS, *texts]


def _miss() -> list[object]:
    watches = f"the newest count against the {MISS.coverage:.0%} interval issued a month before"
    return [
        MISS.rule, watches, "a count outside of it", f"{MISS.minimum:g} beyond it", 0, "outside of it",
        "outside of the outermost quantiles", "",
    ]  # fmt: skip


def _change(settings: AlertSettings) -> list[object]:
    return [
        CHANGE.rule, f"{CHANGE.months} months of counts, season taken out",
        f"a new level that has lasted {CHANGE.shortest} months", f"{settings.surge_minimum:g} a month", 0,
        f"{CHANGE.factor:g} times higher or lower", f"{CHANGE.warning_factor:g} times higher or lower", "",
    ]  # fmt: skip


def _shift() -> list[object]:
    return [
        SHIFT.rule, f"shares of nationalities in {SHIFT.recent} months against the {SHIFT.before} before",
        f"{SHIFT.distance:.0%} of people or more would have to be of another nationality",
        f"{SHIFT.minimum:g} arrivals", 0, f"further than {SHIFT.usual:.0%} of its own past", "further than ever", "",
    ]  # fmt: skip


def _context(settings: AlertSettings) -> list[object]:
    least = " or ".join(f"{value:,.0f} ({target.replace('_', ' ')})" for target, value in SHOCK.indicators)
    return [
        SHOCK.rule, "conflict deaths and displacement in countries of origin: context, not cause",
        f"{SHOCK.recent} months higher than in {SHOCK.past}, where at least {SHOCK.share:.0%} of arrivals are from; "
        f"the record counts months of {settings.surge_factor:g} times the mean within {SHOCK.ahead}",
        least, 0, "always", "", "",
    ]  # fmt: skip


def _revision() -> list[object]:
    steps = {level: f"{share:.0%} and {size:,.0f}" for level, share, size in REVISION.steps}
    return [
        REVISION.rule, "figures changed since the former release", "a monthly total revised by much", "see levels", 0,
        *(steps.get(level, "") for level in LEVELS),
    ]  # fmt: skip


def _stale() -> list[object]:
    return [
        STALE.rule, "each source's newest figure against its rhythm", "later than usual", "", 0, "overdue",
        "long overdue, and forecast from", "",
    ]  # fmt: skip
