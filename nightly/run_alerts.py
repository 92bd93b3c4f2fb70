"""Alerts of a night, those that ended, and the record of the rules behind them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import pandas as pd

from alerts.rules import ended, evaluate, observed_signals
from alerts.rules.base import BY_CITIZEN, DRIVERS, Evidence
from alerts.rules.large_revision import with_typical_revision
from alerts.rules.origin_context import INDICATORS
from alerts.verification import Record, documented_rises, observed_record
from core.calendar import last_complete_period
from core.disclosure import rounded
from core.schema import ALL
from core.settings import SNAPSHOT, Settings
from ingest.registers import events, said_on_detections
from nightly import RealTimeData
from nightly.forecasts import ForecastSet
from store.releases import Release
from store.vintages import VintageStore


def revisions_since(
    vintages: VintageStore, former: Release | None, date: dt.date, settings: Settings, void: Collection[dt.datetime]
) -> pd.DataFrame:
    """What sources changed since the former release, each change beside what its source usually changes.

    Args:
        vintages: The home's vintages.
        former: The release before this one, if any.
        date: The night's date.
        settings: Sources to leave out.
        void: ``stored_at`` of rows from which nothing is learned: of editions that were withdrawn.
    """
    since = min(former.as_of, date) if former else date
    revisions = vintages.revisions(since, date, exclude_sources=settings.exclude_sources)
    return with_typical_revision(revisions, vintages.all_revisions(date, void=void)) if len(revisions) else revisions


def run_alerts(
    data: RealTimeData,
    served: ForecastSet,
    record: Record,
    fresh: pd.DataFrame,
    settings: Settings,
    revisions: pd.DataFrame,
    before: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Judge the night.

    Returns:
        Frames ``alerts``, ``ended_alerts`` and ``revisions``; ``track_record``, ``track_record_comparison``,
        ``alert_thresholds`` and ``alert_reliability`` of the rules behind them, and ``documented_rises``.
    """
    panel = data.panel.long()
    evidence = Evidence(
        data.date,
        panel,
        served.paths,
        served.past_ensemble,
        fresh,
        revisions,
        data.sources_of_routes,
        by_citizen=_counts_by_citizen(data),
        drivers=_drivers(data),
    )
    observed = observed_signals(evidence, settings.alerts)
    now = evaluate(evidence, settings.alerts, before, record.cutoffs, observed)
    catalogue = pd.DataFrame([card.model_dump() for card in events(SNAPSHOT)])
    return {
        "alerts": now,
        "ended_alerts": ended(before, now),
        "track_record": pd.concat([record.rules, observed_record(observed)], ignore_index=True),
        "track_record_comparison": record.comparisons,
        "alert_thresholds": record.thresholds,
        "alert_reliability": record.reliability,
        "documented_rises": documented_rises(record, panel, settings.alerts, catalogue, said_on_detections(SNAPSHOT)),
        "revisions": rounded(revisions),
    }


def _counts_by_citizen(data: RealTimeData) -> pd.DataFrame:
    """Monthly arrivals by nationality."""
    rows = data.routes[data.routes["citizen"] != ALL].rename(columns={"obs_value": "value"})
    return rows[list(BY_CITIZEN)].reset_index(drop=True)


def _drivers(data: RealTimeData) -> pd.DataFrame:
    """Monthly indicators of countries of origin, known on the night."""
    known = data.known
    chosen = known["target"].isin([target for target, _ in INDICATORS]) & (known["freq"] == "M")
    last = str(last_complete_period(data.date, "M"))
    rows = known[chosen & (known["time_period"] <= last)].rename(columns={"obs_value": "value"})
    return rows[list(DRIVERS)].reset_index(drop=True)
