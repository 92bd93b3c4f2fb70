"""Tables of a release: forecasts and their scores, figures, alerts with the record of their rules.

Figures and forecasts as of past origins are kept compactly, so that a reader can go back to any of them.
"""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from alerts import BY_CITIZEN, DRIVERS, Evidence
from alerts.rules import ended, evaluate, judged_ahead, observed_signals
from alerts.rules.large_revision import with_typical_revision
from alerts.rules.origin_context import INDICATORS
from alerts.rules.reception_full import RULE as RECEPTION_FULL
from alerts.verification import Record, documented_rises, full_record, observed_record
from core.calendar import last_complete_period, write_period
from core.release import RELEASE, rounded, without_own_rows
from core.schema import ALL, concat_filled, typed
from core.settings import SNAPSHOT, AlertSettings, Settings
from forecasting import ENSEMBLE
from forecasting.panel import Panel
from forecasting.quantiles import to_matrix
from forecasting.reception import MODEL_ID as RECEPTION_MODEL
from forecasting.verification import calibration, observed_at, pit_histogram, score_rows, summarise, with_bounds
from forecasting.verification.situations import situation_scores
from forecasting.workers import Workers, run_tasks
from ingest import SourceCard
from ingest.newest import changes, freshness, reporting
from ingest.snapshot import driver_tests, events, said_on_detections
from ingest.sources import elsewhere
from nightly import RealTimeData
from nightly.forecasts import ForecastSet, PanelEngine
from nightly.nowcasts import past_nowcasts
from nightly.reception import ReceptionNight
from store.figures import VintageStore
from store.releases import Release

_PLACE = ["series_id", "origin_date", "horizon"]
MONTHS_BACK = 60
"""Months before an origin whose values are compared: what a page shows."""


@dataclass(frozen=True)
class NightForecasts:
    """What a night forecast.

    Attributes:
        made: Forecasts of arrivals as the models made them.
        served: The same after the nowcasts.
        nowcasts: Those of the running month.
        reception: Returns people in reception when they are forecast.
        engine: What forecasts other panels.
    """

    made: ForecastSet
    served: ForecastSet
    nowcasts: pd.DataFrame
    reception: Callable[[], ReceptionNight]
    engine: PanelEngine


def forecast_tables(
    data: RealTimeData, night: NightForecasts, settings: AlertSettings, workers: Workers = 1
) -> tuple[dict[str, pd.DataFrame], Record]:
    """Forecasts as they are served, what past origins said, and scores; and the record of the rules about them.

    The longest calculations do not need each other and run side by side.
    """
    made, served, panel, replayed = night.made, night.served, data.panel, to_matrix(night.made.hindcasts)
    past, as_of = made.past_ensemble, pd.Timestamp(data.date)
    nowcasts = past_nowcasts(data, served.nowcasts, past)
    results: list[Any] = run_tasks(
        operator.call,  # type: ignore[arg-type]  # mypy does not infer that it is given no arguments
        [
            served.year_ahead(panel),
            served.total_scores(panel, data.date),
            partial(full_record, past, panel.long(), settings, as_of=data.date, nowcasts=nowcasts),
            partial(summarise, replayed, panel),
            partial(situation_scores, replayed, panel),
        ],
        workers=workers,
        is_small=True,
    )
    year_ahead, total_scores, record, scores, situations = results
    tables = {
        "forecasts": served.current.assign(target=served.current["series_id"].str.partition(".")[0], as_of=as_of),
        "trajectories": served.paths,
        "year_ahead": year_ahead,
        "total_scores": total_scores,
        "nowcasts": night.nowcasts,
        "backtest": past,
        "replays": hindcast_table(made.hindcasts, data.outcome_panel),
        "figures_then": earlier_values(data, past),
        "scores": scores,
        "calibration": calibration_table(past, panel),
        "situation_scores": situations,
        "driver_tests": driver_tests(SNAPSHOT),
    }
    return tables, record


def data_tables(
    data: RealTimeData, cards: Mapping[str, SourceCard], rejected: pd.DataFrame, former: Release | None
) -> dict[str, pd.DataFrame]:
    """What was known, how fresh it is, and what came after the night."""
    fresh = freshness(data.known, data.date, cards, data.published)
    editions = data.editions()
    return {
        "observations": rounded(data.observations),
        "outcomes": data.outcomes,
        "freshness": fresh,
        "freshness_changes": changes(former.read("freshness") if former else fresh, fresh),
        "reporting": reporting(data.known),
        "routes": data.states.assign(editions=data.states["route_id"].map(editions).fillna(0).astype("int64")),
        "rejected": without_own_rows(rejected),
    }


def hindcast_table(past: pd.DataFrame, outcomes: Panel) -> pd.DataFrame:
    """Every model's hindcasts, reduced to the bounds that pages show, each with its score.

    Returns:
        A frame that keeps the table ``replays``.
    """
    table = to_matrix(past)
    return typed(with_bounds(table, observed_at(table.keys, outcomes)), RELEASE["replays"])


def earlier_values(data: RealTimeData, past: pd.DataFrame) -> pd.DataFrame:
    """Return the values that differ from those known at each past origin, over the five years before it.

    Args:
        data: What is known tonight, and was at past origins.
        past: Hindcasts: their origins are looked at.

    Returns:
        A frame that keeps the table ``figures_then``.
    """
    origins = [pd.Timestamp(origin) for origin in np.sort(past["origin_date"].unique())]
    parts = [differences(data.past_panels[origin], data.panel, origin) for origin in origins]
    return typed(concat_filled(parts, RELEASE["figures_then"].empty()), RELEASE["figures_then"])


def differences(then: Panel, now: Panel, origin: pd.Timestamp) -> pd.DataFrame:
    """Cells up to an origin that two panels hold differently, with the value of the first."""
    recent = now.until(origin.date()).matrix.tail(MONTHS_BACK)
    former = then.matrix.reindex(index=recent.index, columns=recent.columns)
    differ = ~((former == recent) | (former.isna() & recent.isna()))
    row, column = np.nonzero(differ.to_numpy())
    return pd.DataFrame(
        {
            "series_id": recent.columns.to_numpy()[column],
            "origin_date": origin,
            "time_period": [write_period(period, now.freq) for period in recent.index[row]],
            "obs_value": former.to_numpy()[row, column],
        }
    )


def calibration_table(past: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    """Coverage by interval and the PIT histogram in one frame, distinguished by ``kind``."""
    covered = calibration(score_rows(past, panel)).rename(columns={"nominal": "level", "observed": "value"})
    pit = pit_histogram(past, panel).rename(columns={"bin_low": "level", "share": "value"}).assign(series_id=ALL)
    columns = ["model_id", "series_id", "horizon", "kind", "level", "value", "n"]
    both = pd.concat([covered.assign(kind="coverage"), pit.assign(kind="pit")], ignore_index=True)
    return both[columns].astype({"level": float, "value": float, "n": int, "horizon": int})


def issued_scores(releases: Sequence[Release], former: Release | None, data: RealTimeData) -> pd.DataFrame:
    """The prospective score: forecasts as releases issued them, scored when their outcomes come.

    A backtest may have been tuned on the outcomes that it is scored on; what a release said before the outcome cannot
    have been, and releases are chained by their hashes, so no one can have changed it since. A forecast from one origin
    that several nights issued counts once, as the first of them gave it. It counts only where its outcome became known
    after the release was made; replays never do.

    Args:
        releases: The home's releases that are as they were published, oldest first.
        former: The release before this one: what it scored is taken over, also from releases that are gone.
        data: What is known tonight.

    Returns:
        A frame that keeps the table ``issued_scores``.
    """
    table, first_known = RELEASE["issued_scores"], _first_known(data)
    kept = former.read(table.name) if former is not None else table.empty()
    found = [kept]
    for release in releases:
        if release.manifest["replay"]:
            continue
        forecasts = release.read("forecasts")
        forecasts = forecasts[forecasts["model_id"] == ENSEMBLE]
        place = pd.MultiIndex.from_frame(forecasts[["series_id", "target_end_date"]])
        known = first_known.reindex(place).to_numpy()
        made = pd.Timestamp(release.manifest["created_at"]).tz_localize(None).to_datetime64()
        scored = pd.MultiIndex.from_frame(pd.concat(found)[_PLACE])
        chosen = forecasts[~pd.MultiIndex.from_frame(forecasts[_PLACE]).isin(scored) & (known > made)]
        if chosen.empty:
            continue
        rows = score_rows(to_matrix(chosen), data.panel).assign(run_id=release.run_id)
        found.append(rows[list(table.columns)])
    return concat_filled(found, kept)


def _first_known(data: RealTimeData) -> pd.Series:
    """The day on which each month of a route was known as it is now, by series and month's end."""
    totals = data.routes[data.routes["citizen"] == ALL]
    ends = pd.PeriodIndex(totals["time_period"].astype(str), freq="M").end_time.normalize()
    place = pd.MultiIndex.from_arrays([totals["series_id"], ends])
    days = pd.Series(totals["as_of"].to_numpy(), index=place)
    # What was estimated to have been known by then proves nothing.
    return days[~totals["as_of_estimated"].to_numpy(dtype=bool)]


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
    left_out = {*settings.exclude_sources, *elsewhere(settings.regions)}
    revisions = vintages.revisions(since, date, exclude_sources=left_out)
    return with_typical_revision(revisions, vintages.all_revisions(date, void=void)) if len(revisions) else revisions


def run_alerts(
    data: RealTimeData,
    forecasts: NightForecasts,
    record: Record,
    fresh: pd.DataFrame,
    settings: Settings,
    revisions: pd.DataFrame,
    before: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Judge the night.

    Returns:
        Frames ``alerts``, ``ended_alerts``, ``alert_chances`` and ``revisions``; ``track_record``,
        ``track_record_comparison``, ``alert_thresholds`` and ``alert_reliability`` of the rules behind them,
        ``documented_rises`` and ``events``.
    """
    panel, served, reception = data.panel.long(), forecasts.served, forecasts.reception()
    records = [record]
    if len(reception.panel):
        past = reception.tables["reception_backtest"]
        records.append(
            full_record(
                past, reception.panel, settings.alerts,
                as_of=data.date, rules=[RECEPTION_FULL], model_id=RECEPTION_MODEL, simple_rules=(),
            )
        )  # fmt: skip
    evidence = Evidence(
        data.date,
        pd.concat([panel, reception.panel], ignore_index=True),
        pd.concat([served.paths, reception.paths], ignore_index=True),
        served.past_ensemble,
        fresh,
        revisions,
        by_citizen=_counts_by_citizen(data),
        drivers=_drivers(data),
    )
    observed = observed_signals(evidence, settings.alerts)
    cutoffs = {rule: found for one in records for rule, found in one.cutoffs.items()}
    ahead = judged_ahead(evidence, settings.alerts, cutoffs)
    now = evaluate(evidence, settings.alerts, before, observed, ahead)
    catalogue = pd.DataFrame([card.model_dump() for card in events(SNAPSHOT)])
    rises, chances = catalogue[catalogue["kind"] == "rise"].drop(columns="kind"), RELEASE["alert_chances"]
    return {
        "alerts": now,
        "ended_alerts": ended(before, now),
        "alert_chances": typed(pd.DataFrame(ahead, columns=[*chances.columns]), chances),
        "track_record": pd.concat([*(one.rules for one in records), observed_record(observed)], ignore_index=True),
        "track_record_comparison": record.comparisons,
        "alert_thresholds": pd.concat([one.thresholds for one in records], ignore_index=True),
        "alert_reliability": pd.concat([one.reliability for one in records], ignore_index=True),
        "documented_rises": documented_rises(record, panel, settings.alerts, rises, said_on_detections(SNAPSHOT)),
        "events": catalogue,
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
