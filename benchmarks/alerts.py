"""Judge the alert rules on Frontex's dense routes and put the tables into docs/benchmarks.md.

    VIGIE_RAW_DATA=… python -m benchmarks.alerts [--kept routes.parquet] [--write]

Cut-offs are frozen on origins before 2018 and alerts are counted on those from 2018 on. ``--kept`` names a file for the
routes' past forecasts: read where it exists, else written, for they take long. What would have been said before each
documented rise is written to ``data/events_said.csv``: chances and months, none of Frontex's figures.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from alerts.rules.base import counts_by_series
from alerts.rules.surge import RULE as SURGE
from alerts.verification import cutoffs as training
from alerts.verification.comparisons import Comparison, compared
from alerts.verification.contingency import ContingencyTable, contingency, measures, ranking
from alerts.verification.hindcast import (
    HORIZONS,
    WINDOW,
    BoolArray,
    Judged,
    PastForecasts,
    judge,
    outcomes_at,
    past_forecasts,
)
from alerts.verification.known_events import COLUMNS, KnownEvent, retrospective_alerts
from benchmarks.shared import (
    PAGE,
    TOTALS,
    dense_parts,
    dense_routes,
    engine,
    interval,
    page_command,
    published_files,
    table,
)
from core.quantiles import FloatArray
from core.schema import ALL, make_series_id
from core.settings import SNAPSHOT, AlertSettings
from forecasting.model import ENSEMBLE
from forecasting.panel import Panel
from forecasting.quantiles import to_rows
from forecasting.runs import backtest_file
from forecasting.verification.bootstrap import draw_weights, share_interval
from ingest.registers import SAID, events

TRAINED_UNTIL = "2017-12"
ORIGINS = 172
BUDGET = 1.0
"""False alarms per route and year that a reader may bear."""
EARLY = 3
SHOWN = (1, 3, 6)
TITLE = "Alerts on seven dense Frontex routes"
MEASURES = "precision | recall | false alarms per route-year"
_NAMES = {
    "vigie": "Vigie",
    "compare.persistence": "persistence",
    "compare.seasonal_walk": "random walk plus seasonal change",
    "compare.control_chart": "control chart, 24 months",
    "compare.highest_12": "highest in 12 months",
    "compare.highest_36": "highest in 36 months",
}


@dataclass(frozen=True)
class System:
    """Vigie, or a simple rule: what it said at past origins, and what came."""

    past: Judged
    simple: Comparison | None = None

    @property
    def name(self) -> str:
        """As the tables name it."""
        return _NAMES[self.simple.rule if self.simple else "vigie"]

    @property
    def conventional(self) -> float | None:
        """Cut-off by convention where its scores are no probabilities."""
        return self.simple.conventional if self.simple else None


@dataclass(frozen=True)
class World:
    """Routes, what was said about them, and how the origins are parted."""

    made: PastForecasts
    counts: pd.DataFrame
    span: training.Span
    settings: AlertSettings
    systems: list[System]

    @property
    def judged(self) -> slice:
        """The judged origins."""
        return slice(self.span.first_judged, None)

    @property
    def weights(self) -> FloatArray:
        """How often each judged origin counts: in the sample and in its resamples."""
        return draw_weights(len(self.span.origins) - self.span.first_judged)

    def measures(self, system: System, horizon: int, cutoff: float) -> dict[str, float]:
        """Precision, recall and more of a system's alerts on the judged origins."""
        return measures(contingency(system.past, horizon, cutoff).rows(self.judged), self.weights)


def routes_forecasts(parts: Panel, kept: Path | None) -> pd.DataFrame:
    """The routes' past forecasts, coherent with their nationalities, from a kept file or made now."""
    if kept is not None and kept.exists():
        return pd.read_parquet(kept)
    horizons = range(1, HORIZONS + 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "parts.parquet"
        parts.long().to_parquet(path)
        made = backtest_file(path, origins=ORIGINS, horizons=horizons, totals=TOTALS, models="ensemble").table
    routes = to_rows(made.where(made.keys["series_id"].isin(dense_routes(parts).series_ids)))
    if kept is not None:
        routes.to_parquet(kept)
    return routes


def world(parts: Panel, forecasts: pd.DataFrame) -> World:
    """The rule "far above the trailing mean" and the simple rules at past origins."""
    settings = AlertSettings(trained_until=TRAINED_UNTIL)
    panel, renamed = (
        frame.assign(series_id=[make_series_id("detections", name, ALL, ALL, "M") for name in frame["series_id"]])
        for frame in (dense_routes(parts).long(), forecasts)
    )
    counts = counts_by_series(panel)
    # A month's figures are published in the month after it.
    made = past_forecasts(renamed, ENSEMBLE, counts, (counts.index[-1] + 1).end_time.date())
    past = judge(SURGE, made, counts, settings)
    simple = [System(said, one) for one, said in compared(SURGE, past, made, counts, settings)]
    return World(made, counts, training.part(made.origins, settings), settings, [System(past), *simple])


def ranking_lines(found: World, *, unseasonal: bool) -> list[str]:
    """Area under the ROC curve over judged origins, and Brier skill.

    Args:
        found: The world.
        unseasonal: Whether rises are left out that are not also far above the same month's three-year mean; how many
            are left stands in place of the skill.
    """
    rows = []
    for system in found.systems:
        values, events_in = {}, []
        for step in SHOWN:
            pairs = system.past.month(step)
            if unseasonal:
                pairs = replace(pairs, calm=pairs.calm & (~pairs.occurred | _unseasonal(found, step)))
            pairs = pairs.rows(found.judged)
            is_probability = system.simple is None or system.simple.is_probability
            values[step] = ranking(pairs, found.weights, is_probability=is_probability)
            events_in.append(str(int((pairs.calm & pairs.occurred).sum())))
        last = " / ".join(events_in) if unseasonal else interval(values[EARLY], "brier_skill", 2)
        rows.append((system.name, *(interval(one, "auc") for one in values.values()), last))
    head = " | ".join(f"AUC, h={step}" for step in SHOWN)
    return table(f"| {head} | {'events' if unseasonal else f'Brier skill, h={EARLY}'}", rows)


def budget_lines(found: World, *, confident: bool) -> list[str]:
    """Precision and recall at h=3 where the cut-off keeps false alarms of the training span within the budget."""
    rows = []
    for system in found.systems:
        cutoffs = {
            step: budget_cutoff(system.past, step, found.span, confident=confident) for step in range(1, HORIZONS + 1)
        }
        values = found.measures(system, EARLY, cutoffs[EARLY])
        shares = [_episodes(system.past, cutoffs, found.span, least) for least in (1, EARLY)]
        rows.append((system.name, f"{cutoffs[EARLY]:.2f}", *_cells(values), *shares))
    return table(f"| cut-off | {MEASURES} | seen, h 1–6 | seen, h 3–6", rows)


def cost_lines(found: World) -> list[str]:
    """Alerts as issued and at h=3, with cut-offs from the cost-loss ratio."""
    rows = []
    for system in found.systems:
        frozen = training.freeze(system.past, SURGE.costs, found.span, found.settings, system.conventional)
        for horizon, label in ((WINDOW, "planning window"), (EARLY, "in 3 months")):
            for level in ("watch",) if system.simple else ("watch", "warning", "severe"):
                cutoff = frozen[horizon].of(level)
                values = found.measures(system, horizon, cutoff)
                quartiles = [values[f"lead_months_{part}"] for part in ("q25", "median", "q75")]
                lead = "/".join(f"{months:.0f}" for months in quartiles) if np.isfinite(quartiles[0]) else "–"
                rows.append((system.name, label, level, f"{cutoff:.2f}", *_cells(values), lead))
    return table(f"| alert | level | cut-off | {MEASURES} | notice, quartiles", rows)


def _cells(values: dict[str, float]) -> list[str]:
    return [interval(values, name, 2) for name in ("precision", "recall", "false_alarms_per_route_year")]


def budget_cutoff(past: Judged, step: int, span: training.Span, *, confident: bool) -> float:
    """The lowest cut-off with which the budget held on the training span.

    Args:
        past: What was said, and what came.
        step: Months ahead.
        span: How the origins are parted.
        confident: Whether the rate's upper bound must hold the budget, and not only the rate: the years that follow
            will not be the very same.
    """
    last = span.first_judged - step + 1
    scores = np.unique(past.probability[:last, :, step - 1][past.calm[:last, :, step - 1]])
    low, high = 0, len(scores) - 1
    # False alarms never rise with the cut-off: halve the range until the lowest affordable one is left.
    while low < high:
        middle = (low + high) // 2
        if _false_alarms(contingency(past, step, float(scores[middle])), last, confident=confident) <= BUDGET:
            high = middle
        else:
            low = middle + 1
    return float(scores[low])


def known_rises(found: World) -> pd.DataFrame:
    """What would have been said before each documented rise."""
    past = found.systems[0].past
    frozen = training.freeze(past, SURGE.costs, found.span, found.settings)
    cards = [KnownEvent(card.event_id, card.route_id, card.month) for card in events(SNAPSHOT)]
    first = found.span.first_judged
    return retrospective_alerts(cards, found.made, found.counts, frozen, first, found.settings, basis="detections")


def known_rises_lines(said: pd.DataFrame) -> list[str]:
    """One row per event: the chance at each lead, alerts marked."""
    leads, rows = range(HORIZONS, 0, -1), []
    for card in events(SNAPSHOT):
        found = said[said["event_id"] == card.event_id].set_index("horizon")
        cells = {
            step: f"**{chance:.0%}**" if level else f"{chance:.0%}"
            for step, chance, level in zip(found.index, found["chance"], found["level"], strict=True)
        }
        alerted = found.index[found["level"] != ""]
        came = "yes" if found["came"].head(1).eq(1).any() else "no"
        first = f"{alerted.max()} before" if len(alerted) else "none"
        rows.append((card.title, came, *(cells.get(step, "–") for step in leads), first))
    return table("rise | came | " + " | ".join(f"{step} before" for step in leads) + " | first alert", rows)


def _episodes(past: Judged, cutoffs: dict[int, float], span: training.Span, least: int) -> str:
    """Share of onsets that were said ``least`` months ahead or more, at some horizon."""
    onset = past.onset[:, :, 0]
    seen = np.zeros_like(onset)
    for step in range(least, HORIZONS + 1):
        alert = past.calm[:, :, step - 1] & (past.probability[:, :, step - 1] >= cutoffs[step])
        back = step - 1
        seen[back:] |= alert[: len(alert) - back]
    judged = onset[span.first_judged :]
    number, whole = int((seen[span.first_judged :] & judged).sum()), int(judged.sum())
    low, high = share_interval(number, whole)
    return f"{number / whole:.2f} [{low:.2f}–{high:.2f}] ({number} of {whole})"


def _unseasonal(found: World, step: int) -> BoolArray:
    """Whether the month is also far above the mean of the same month of the three years before."""
    outcome = outcomes_at(found.counts, found.made, step)
    earlier = np.stack([outcomes_at(found.counts, found.made, step - 12 * year) for year in (1, 2, 3)])
    return np.asarray(outcome >= found.settings.surge_factor * earlier.mean(axis=0))


def _false_alarms(found: ContingencyTable, last: int, *, confident: bool) -> float:
    """False alarms per route-year up to an origin, or their upper bound."""
    weights = draw_weights(last) if confident else np.ones((1, last))
    return measures(found.rows(slice(last)), weights)["false_alarms_per_route_year" + ("_hi" if confident else "")]


def section(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Measure; gives the section of docs/benchmarks.md, and with ``--write`` keeps what was said of known rises."""
    parts = dense_parts(published_files())
    found = world(parts, routes_forecasts(parts, options.kept))
    said = known_rises(found)
    if options.write:
        said[COLUMNS].round({"chance": 4, "cutoff": 4}).to_csv(SNAPSHOT / SAID, index=False)
    return lines_of(found, said), True


def lines_of(found: World, said: pd.DataFrame) -> list[str]:
    """The section, line by line."""
    trained, judged = found.span.trained, found.span.judged
    return [
        engine(),
        "By `python -m benchmarks.alerts --write`. Event: at least 1.5 times the trailing 12-month mean (mean at least",
        "100), seen from a month without it. Past forecasts are coherent with nationalities, refitted on the way.",
        f"Cut-offs learned on origins {trained[0]} to {trained[1]}, judged on {judged[0]} to {judged[1]}: nothing",
        "later touched them. Brackets: 90 %, block bootstrap over origins, at least as wide as the cases allow.",
        "",
        *ranking_lines(found, unseasonal=False),
        "",
        "Unseasonal rises only (also at least 1.5 times the same month's three-year mean):",
        "",
        *ranking_lines(found, unseasonal=True),
        "",
        "Alerts about the third month ahead, and episodes (onsets) seen at some horizon. Cut-off: the lowest with",
        f"which {BUDGET:.0f} false alarm per route-year was kept on the training span with 95 % confidence:",
        "",
        *budget_lines(found, confident=True),
        "",
        "The same where the span's own rate had to keep it, without a margin; since 2018 it is then overrun:",
        "",
        *budget_lines(found, confident=False),
        "",
        f"Cut-offs from the default cost-loss ratio ({found.settings.cost_loss_ratio:.2f}):",
        "",
        *cost_lines(found),
        "",
        "Chance said before each documented rise (`data/events.toml`) that its month would be far above the mean;",
        "bold: a watch or more, before 2018 with the Bayes cut-off. In 2011 little history was known.",
        "",
        *known_rises_lines(said),
    ]


if __name__ == "__main__":
    kept = {"type": Path, "help": "file of the routes' past forecasts"}
    sys.exit(page_command(PAGE, TITLE, section, options={"--kept": kept}))
