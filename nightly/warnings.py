"""Alerts of a night, those that ended, and the record of the rules behind them."""

from __future__ import annotations

import pandas as pd

from alerts.evaluate import ended, evaluate, no_alerts, observed_signals
from alerts.rules.base import BY_CITIZEN, DRIVERS, Evidence
from alerts.rules.large_revision import with_typical_revision
from alerts.rules.origin_context import INDICATORS
from alerts.verification.record import full_record, observed_record
from core.calendar import last_complete_period
from core.schema import ALL
from core.settings import Settings
from nightly.documented import documented_rises
from nightly.knowledge import Knowledge
from store.releases import Release
from store.vintages import VintageStore


def warn(  # what a night knows comes from seven places
    knowledge: Knowledge,
    past: pd.DataFrame,
    paths: pd.DataFrame,
    fresh: pd.DataFrame,
    settings: Settings,
    vintages: VintageStore,
    former: Release | None,
) -> dict[str, pd.DataFrame]:
    """Judge the night.

    Args:
        knowledge: What was known.
        past: The ensemble's forecasts at past origins.
        paths: Joint sample paths of the present.
        fresh: Freshness of the sources.
        settings: The reader's numbers.
        vintages: For revisions since the former release.
        former: The release before this one, if any.

    Returns:
        Frames ``alerts``, ``ended_alerts`` and ``revisions``; ``track_record``, ``track_record_comparison``,
        ``alert_thresholds`` and ``alert_reliability`` of the rules behind them, and ``documented_rises``.
    """
    panel = knowledge.panel.long()
    since = min(former.as_of, knowledge.as_of) if former else knowledge.as_of
    revisions = vintages.revisions(since, knowledge.as_of, exclude_sources=settings.exclude_sources)
    if len(revisions):
        revisions = with_typical_revision(revisions, vintages.all_revisions(knowledge.as_of))
    evidence = Evidence(
        knowledge.as_of,
        panel,
        paths,
        past,
        fresh,
        revisions,
        knowledge.feeding,
        by_citizen=_counts_by_citizen(knowledge),
        drivers=_drivers(knowledge),
    )
    before = former.read("alerts") if former else no_alerts()
    record = full_record(past, panel, settings.alerts, as_of=knowledge.as_of)
    observed = observed_signals(evidence, settings.alerts)
    now = evaluate(evidence, settings.alerts, before, record.cutoffs, observed)
    return {
        "alerts": now,
        "ended_alerts": ended(before, now),
        "track_record": pd.concat([record.rules, observed_record(observed)], ignore_index=True),
        "track_record_comparison": record.comparisons,
        "alert_thresholds": record.thresholds,
        "alert_reliability": record.reliability,
        "documented_rises": documented_rises(record, panel, settings.alerts),
        "revisions": revisions,
    }


def _counts_by_citizen(knowledge: Knowledge) -> pd.DataFrame:
    """Monthly arrivals by nationality."""
    figures = knowledge.route_figures
    rows = figures[figures["citizen"] != ALL].rename(columns={"obs_value": "value"})
    return rows[list(BY_CITIZEN)].reset_index(drop=True)


def _drivers(knowledge: Knowledge) -> pd.DataFrame:
    """Monthly indicators of countries of origin, known on the night."""
    known = knowledge.known
    wanted = known["target"].isin([target for target, _ in INDICATORS]) & (known["freq"] == "M")
    last = str(last_complete_period(knowledge.as_of, "M"))
    rows = known[wanted & (known["time_period"] <= last)].rename(columns={"obs_value": "value"})
    return rows[list(DRIVERS)].reset_index(drop=True)
