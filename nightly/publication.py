"""The frames and texts of a release."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from core.schema import ALL
from core.settings import SNAPSHOT, Settings
from forecasting.model import ENSEMBLE
from forecasting.panel import Panel
from forecasting.trajectories import sample_paths
from forecasting.verification.scores import calibration, pit_histogram, score_rows, summarise
from forecasting.workers import Workers
from ingest.catalogue import SourceCard
from ingest.delays import delay_profile, reporting
from ingest.freshness import changes, freshness
from nightly.driver_tests import driver_tests
from nightly.knowledge import TARGET, Knowledge
from nightly.nowcasts import nowcasts, sharpened
from nightly.projections import Projections, explained
from nightly.replays import editions, figures_then, outcome_panel, replays
from nightly.warnings import warn
from store.releases import Release
from store.vintages import VintageStore


def frames(  # everything a release is made of
    knowledge: Knowledge,
    projections: Projections,
    settings: Settings,
    cards: Mapping[str, SourceCard],
    vintages: VintageStore,
    former: Release | None,
    workers: Workers = None,
) -> dict[str, pd.DataFrame]:
    """Every frame of the release, by name (see docs/architecture.md)."""
    panel = knowledge.panel
    now = _of_ensemble(projections.present)
    past = _of_ensemble(projections.past)
    running = nowcasts(knowledge, now, past)
    now, paths = sharpened(now, sample_paths(now, past, panel, n=settings.trajectories), running)
    present = pd.concat([_of_members(projections.present), now], ignore_index=True)
    published = knowledge.vintages[knowledge.vintages["as_of"] <= pd.Timestamp(knowledge.as_of)]
    fresh = freshness(knowledge.known, knowledge.as_of, cards, published)
    known = pd.concat([knowledge.known, knowledge.route_figures], ignore_index=True)
    return {
        "forecasts": present.assign(target=TARGET, as_of=pd.Timestamp(knowledge.as_of)),
        "trajectories": paths,
        "nowcasts": running,
        "backtest": past,
        "replays": replays(projections.past, outcome_panel(knowledge)),
        "figures_then": figures_then(knowledge, past),
        "scores": summarise(projections.past, panel),
        "calibration": _calibration(past, panel),
        "weights": projections.weights,
        "explanations": explained(knowledge, projections, now, workers),
        "driver_tests": driver_tests(SNAPSHOT),
        "observations": known,
        "outcomes": knowledge.outcomes(),
        "freshness": fresh,
        "freshness_changes": changes(former.read("freshness") if former else fresh, fresh),
        "delays": delay_profile(published),
        "reporting": reporting(knowledge.known),
        "routes": knowledge.states.assign(editions=_editions(knowledge)),
        "rejected": vintages.rejected(),
        **warn(knowledge, past, paths, fresh, settings, vintages, former),
    }


def _editions(knowledge: Knowledge) -> list[int]:
    """Editions on record of each route's figures, in the order of ``states``."""
    found = editions(knowledge)
    return [found.get(str(route_id), 0) for route_id in knowledge.states["route_id"]]


def _of_ensemble(forecasts: pd.DataFrame) -> pd.DataFrame:
    return forecasts[forecasts["model_id"] == ENSEMBLE].reset_index(drop=True)


def _of_members(forecasts: pd.DataFrame) -> pd.DataFrame:
    return forecasts[forecasts["model_id"] != ENSEMBLE].reset_index(drop=True)


def _calibration(past: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    """Coverage by interval and the PIT histogram in one frame, told apart by ``kind``."""
    covered = calibration(score_rows(past, panel)).rename(columns={"nominal": "level", "observed": "value"})
    pit = pit_histogram(past, panel).rename(columns={"bin_low": "level", "share": "value"}).assign(series_id=ALL)
    columns = ["model_id", "series_id", "horizon", "kind", "level", "value", "n"]
    both = pd.concat([covered.assign(kind="coverage"), pit.assign(kind="pit")], ignore_index=True)
    return both[columns].astype({"level": float, "value": float, "n": int, "horizon": int})
