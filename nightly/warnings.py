"""Alerts of a night, those that ended, and the record of the rules behind them."""

from __future__ import annotations

import pandas as pd

from alerts.evidence import Evidence
from alerts.rules import ended, evaluate, no_alerts
from alerts.track_record import full_record
from core.settings import Settings
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
        ``alert_thresholds`` and ``alert_reliability`` of the rules behind them.
    """
    panel = knowledge.panel.long()
    since = min(former.as_of, knowledge.as_of) if former else knowledge.as_of
    revisions = vintages.revisions(since, knowledge.as_of)
    revisions = revisions[~revisions["source_id"].isin(settings.exclude_sources)]
    evidence = Evidence(knowledge.as_of, panel, paths, past, fresh, revisions, knowledge.feeding)
    before = former.read("alerts") if former else no_alerts()
    record = full_record(past, panel, settings.alerts)
    now = evaluate(evidence, settings.alerts, before, record.cutoffs)
    return {
        "alerts": now,
        "ended_alerts": ended(before, now),
        "track_record": record.rules,
        "track_record_comparison": record.comparisons,
        "alert_thresholds": record.thresholds,
        "alert_reliability": record.reliability,
        "revisions": revisions,
    }
