"""Judge the alert rules on Frontex's dense routes: ``VIGIE_RAW_DATA=… python -m benchmarks.alerts [--write]``.

Cut-offs are frozen on origins before 2018, alerts are counted on those from 2018 on. What would have been said before
each documented rise is written to ``data/events_said.csv``: chances and months, none of Frontex's figures.
"""

from __future__ import annotations

import argparse
import sys
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alerts.rules.base import counts_by_series
from alerts.rules.surge import RULE as SURGE
from alerts.verification import cutoffs as training
from alerts.verification import hindcast
from alerts.verification.comparisons import Comparison, compared
from alerts.verification.contingency import contingency_table, measures, ranking, share_interval
from alerts.verification.hindcast import HORIZONS, WINDOW, Judged, outcomes_at
from benchmarks.routes import dense_parts, dense_routes, hindcasts
from benchmarks.shared import PAGE, Section, engine, interval, page_command, published_files, table
from core import FloatArray
from core.schema import ALL, make_series_id
from core.settings import SNAPSHOT, AlertSettings
from forecasting import ENSEMBLE
from forecasting.panel import Panel
from forecasting.quantiles import to_rows
from forecasting.verification.verdict import draw_weights
from ingest.registers import SAID, events

SETTINGS = AlertSettings(trained_until="2017-12")
ORIGINS = 172
BUDGET = 1.0
"""False alarms per route and year that a reader may bear."""
EARLY = 3
SHOWN = (1, 3, 6)
MEASURES = "precision | recall | false alarms per route-year"
NAMES = {
    "compare.persistence": "persistence",
    "compare.seasonal_walk": "random walk plus seasonal change",
    "compare.control_chart": "control chart, 24 months",
    "compare.highest_12": "highest in 12 months",
    "compare.highest_36": "highest in 36 months",
}


@dataclass(frozen=True)
class World:
    """Routes, what Vigie and the simple rules said of them at past origins, and how these are parted."""

    made: hindcast.PastForecasts
    counts: pd.DataFrame
    span: training.Span
    systems: Mapping[str, tuple[Judged, Comparison | None]]

    @property
    def judged(self) -> slice:
        """The judged origins."""
        return slice(self.span.first_judged, None)

    @property
    def weights(self) -> FloatArray:
        """How often each judged origin counts: in the sample and in its resamples."""
        return draw_weights(len(self.span.origins) - self.span.first_judged)

    def cells(self, past: Judged, horizon: int, cutoff: float) -> tuple[list[str], str]:
        """Precision, recall and false alarms on the judged origins as a table has them; quartiles of the notice."""
        found = measures(contingency_table(past, horizon, cutoff).rows(self.judged), self.weights)
        quartiles = [found[f"lead_months_{part}"] for part in ("q25", "median", "q75")]
        lead = "/".join(f"{months:.0f}" for months in quartiles) if np.isfinite(quartiles[0]) else "–"
        return [interval(found, name, 2) for name in ("precision", "recall", "false_alarms_per_route_year")], lead


def world(parts: Panel) -> World:
    """The rule "far above the trailing mean" and the simple rules at past origins."""
    routes, made = dense_routes(parts), hindcasts(parts, origins=ORIGINS, horizons=range(1, HORIZONS + 1))
    panel, forecasts = (
        frame.assign(series_id=[make_series_id("detections", name, ALL, ALL, "M") for name in frame["series_id"]])
        for frame in (routes.long(), to_rows(made.where(made.keys["series_id"].isin(routes.series_ids))))
    )
    counts = counts_by_series(panel)
    # A month's figures are published in the month after it.
    past = hindcast.past_forecasts(forecasts, ENSEMBLE, counts, (counts.index[-1] + 1).end_time.date())
    own = hindcast.judge(SURGE, past, counts, SETTINGS)
    simple = {NAMES[one.rule]: (said, one) for one, said in compared(SURGE, own, past, counts, SETTINGS)}
    return World(past, counts, training.part(past.origins, SETTINGS), {"Vigie": (own, None), **simple})


def ranking_lines(found: World, *, unseasonal: bool) -> list[str]:
    """Area under the ROC curve over judged origins, and Brier skill.

    ``unseasonal`` leaves out rises that are not also far above the same month's three-year mean; how many are left then
    stands in place of the skill.
    """
    rows = []
    for name, (past, simple) in found.systems.items():
        values, events_in = {}, []
        for step in SHOWN:
            pairs = past.month(step)
            if unseasonal:
                outcome = outcomes_at(found.counts, found.made, step)
                same_month = [outcomes_at(found.counts, found.made, step - 12 * year) for year in (1, 2, 3)]
                is_far_above = outcome >= SETTINGS.surge_factor * np.mean(same_month, axis=0)
                pairs = replace(pairs, calm=pairs.calm & (~pairs.occurred | is_far_above))
            pairs = pairs.rows(found.judged)
            is_probability = simple is None or simple.is_probability
            values[step] = ranking(pairs, found.weights, is_probability=is_probability)
            events_in.append(str(int((pairs.calm & pairs.occurred).sum())))
        last = " / ".join(events_in) if unseasonal else interval(values[EARLY], "brier_skill", 2)
        rows.append((name, *(interval(one, "auc") for one in values.values()), last))
    head = " | ".join(f"AUC, h={step}" for step in SHOWN)
    return table(f"| {head} | {'events' if unseasonal else f'Brier skill, h={EARLY}'}", rows)


def budget_lines(found: World, *, confident: bool) -> list[str]:
    """Precision and recall at h=3 where the cut-off keeps false alarms of the training span within the budget.

    If ``confident`` the rate's upper bound must keep it: the years that follow will not be the very same.
    """
    rows = []
    for name, (past, _simple) in found.systems.items():
        cutoffs = [budget_cutoff(past, step, found.span, confident=confident) for step in range(1, HORIZONS + 1)]
        cells, _lead = found.cells(past, EARLY, cutoffs[EARLY - 1])
        alert = past.calm & (past.probability >= cutoffs)
        shares = [_episodes(past.onset[:, :, 0], alert, found.span, least) for least in (1, EARLY)]
        rows.append((name, f"{cutoffs[EARLY - 1]:.2f}", *cells, *shares))
    return table(f"| cut-off | {MEASURES} | seen, h 1–6 | seen, h 3–6", rows)


def budget_cutoff(past: Judged, step: int, span: training.Span, *, confident: bool) -> float:
    """The lowest cut-off with which the budget held on the training span, by horizon."""
    last = span.first_judged - step + 1
    weights = draw_weights(last) if confident else np.ones((1, last))
    rate = "false_alarms_per_route_year" + ("_hi" if confident else "")
    scores = np.unique(past.probability[:last, :, step - 1][past.calm[:last, :, step - 1]])

    def is_affordable(cutoff: float) -> bool:
        return bool(measures(contingency_table(past, step, cutoff).rows(slice(last)), weights)[rate] <= BUDGET)

    # False alarms never rise with the cut-off; where none is affordable the highest is taken.
    return float(scores[bisect_left(scores, True, hi=len(scores) - 1, key=is_affordable)])


def _episodes(onset: NDArray[np.bool_], alert: NDArray[np.bool_], span: training.Span, least: int) -> str:
    """Share of onsets that were said ``least`` months ahead or more, at some horizon."""
    seen = np.zeros_like(onset)
    for back in range(least - 1, HORIZONS):
        seen[back:] |= alert[: len(alert) - back, :, back]
    judged = onset[span.first_judged :]
    number, whole = int((seen[span.first_judged :] & judged).sum()), int(judged.sum())
    low, high = share_interval(number, whole)
    return f"{number / whole:.2f} [{low:.2f}–{high:.2f}] ({number} of {whole})"


def cost_lines(found: World) -> list[str]:
    """Alerts as issued and at h=3, with cut-offs from the cost-loss ratio."""
    rows = []
    for name, (past, simple) in found.systems.items():
        frozen = training.freeze(past, SURGE.costs, found.span, SETTINGS, simple.conventional if simple else None)
        for horizon, label in ((WINDOW, "planning window"), (EARLY, "in 3 months")):
            for level in ("watch",) if simple else ("watch", "warning", "severe"):
                cutoff = frozen[horizon].of(level)
                cells, lead = found.cells(past, horizon, cutoff)
                rows.append((name, label, level, f"{cutoff:.2f}", *cells, lead))
    return table(f"| alert | level | cut-off | {MEASURES} | notice, quartiles", rows)


def known_rises(found: World) -> pd.DataFrame:
    """What would have been said before each documented rise."""
    frozen = training.freeze(found.systems["Vigie"][0], SURGE.costs, found.span, SETTINGS)
    cards = {card.event_id: (card.route_id, card.month) for card in events(SNAPSHOT) if card.kind == "rise"}
    first = found.span.first_judged
    return hindcast.retrospective_alerts(cards, found.made, found.counts, frozen, first, SETTINGS, basis="detections")


def known_rises_lines(said: pd.DataFrame) -> list[str]:
    """One row per event: the chance at each lead, alerts marked."""
    leads, rows = range(HORIZONS, 0, -1), []
    for card in (one for one in events(SNAPSHOT) if one.kind == "rise"):
        found = said[said["event_id"] == card.event_id].set_index("horizon")
        alerted = found.index[found["level"] != ""]
        cells = {step: f"**{one:.0%}**" if step in alerted else f"{one:.0%}" for step, one in found["chance"].items()}
        came = "yes" if found["came"].head(1).eq(1).any() else "no"
        first = f"{alerted.max()} before" if len(alerted) else "none"
        rows.append((card.title, came, *(cells.get(step, "–") for step in leads), first))
    return table("rise | came | " + " | ".join(f"{step} before" for step in leads) + " | first alert", rows)


def section(options: argparse.Namespace) -> Section:
    """Measure; with ``--write`` what was said of known rises is kept too."""
    found = world(dense_parts(published_files()))
    said = known_rises(found)
    if options.write:
        said[hindcast.EVENT_COLUMNS].round({"chance": 4, "cutoff": 4}).to_csv(SNAPSHOT / SAID, index=False)
    trained, judged = found.span.trained, found.span.judged
    learned = f"cut-offs learned on origins {trained[0]} to {trained[1]}, judged on {judged[0]} to {judged[1]}"
    tables = [
        *(ranking_lines(found, unseasonal=unseasonal) for unseasonal in (False, True)),
        *(budget_lines(found, confident=confident) for confident in (True, False)),
        cost_lines(found),
        known_rises_lines(said),
    ]
    return [engine(), f"Measured: {learned}.", *(line for rows in tables for line in ("", *rows))], True


if __name__ == "__main__":
    sys.exit(page_command(PAGE, "Alerts on seven dense Frontex routes", section))
