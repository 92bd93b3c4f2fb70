"""Judge the alert rules on Frontex's dense routes and put the tables into docs/benchmarks.md.

    VIGIE_RAW_DATA=… python -m benchmarks.alerts [--kept routes.parquet]

Cut-offs are frozen on origins before 2018 and alerts are counted on those from 2018 on. ``--kept`` names a file for the
routes' past forecasts: read where it exists, else written, for they take long. What would have been said before each
documented rise is written to ``data/events_said.csv``: chances and months, none of Frontex's figures.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
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
from benchmarks.shared import PAGE, TOTALS, dense_parts, dense_routes, engine, published_files, replace_section
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
    """Vigie or a simple rule at past origins.

    Attributes:
        name: Which.
        past: What it said, and what came.
        simple: The simple rule; None for Vigie.
    """

    name: str
    past: Judged
    simple: Comparison | None

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
    def judged(self) -> FloatArray:
        """Weights of the judged origins: the sample and its resamples."""
        return draw_weights(len(self.span.origins) - self.span.first_judged)


def routes_forecasts(parts: Panel, kept: Path | None) -> pd.DataFrame:
    """The routes' past forecasts, coherent with their nationalities, from a kept file or made now."""
    if kept is not None and kept.exists():
        return pd.read_parquet(kept)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "parts.parquet"
        parts.long().to_parquet(path)
        made = to_rows(
            backtest_file(
                path, origins=ORIGINS, horizons=range(1, HORIZONS + 1), totals=TOTALS, models="ensemble"
            ).table
        )
    routes = made[made["series_id"].isin(dense_routes(parts).series_ids)].reset_index(drop=True)
    if kept is not None:
        routes.to_parquet(kept)
    return routes


def world(parts: Panel, forecasts: pd.DataFrame) -> World:
    """Replay the rule "far above the trailing mean" and the simple rules."""
    settings = AlertSettings(trained_until=TRAINED_UNTIL)
    panel = dense_routes(parts).long()
    renamed = [frame.assign(series_id=[_series(name) for name in frame["series_id"]]) for frame in (panel, forecasts)]
    counts = counts_by_series(renamed[0])
    # A month's figures are published in the month after it.
    made = past_forecasts(renamed[1], ENSEMBLE, counts, (counts.index[-1] + 1).end_time.date())
    past = judge(SURGE, made, counts, settings)
    simple = [System(one.rule, said, one) for one, said in compared(SURGE, past, made, counts, settings)]
    span = training.part(made.origins, settings)
    return World(made, counts, span, settings, [System("vigie", past, None), *simple])


def ranking_lines(found: World) -> Iterator[str]:
    """Area under the ROC curve and Brier skill, over judged origins."""
    yield "| | " + " | ".join(f"AUC, h={step}" for step in SHOWN) + " | Brier skill, h=3 |"
    yield "|---" * (len(SHOWN) + 2) + "|"
    for system in found.systems:
        is_probability = system.simple is None or system.simple.is_probability
        cells = []
        for step in SHOWN:
            pairs = system.past.month(step).rows(slice(found.span.first_judged, None))
            values = ranking(pairs, found.judged, is_probability=is_probability)
            cells.append(_cell(values, "auc", 3))
            if step == EARLY:
                skill = _cell(values, "brier_skill", 2)
        yield f"| {_NAMES[system.name]} | " + " | ".join(cells) + f" | {skill} |"


def unseasonal_lines(found: World) -> Iterator[str]:
    """The same for rises that are also far above the same month's three-year mean; other rises are left out."""
    yield "| | " + " | ".join(f"AUC, h={step}" for step in SHOWN) + " | events |"
    yield "|---" * (len(SHOWN) + 2) + "|"
    for system in found.systems:
        cells, events_in = [], []
        for step in SHOWN:
            pairs = system.past.month(step)
            calm = pairs.calm & (~pairs.occurred | _unseasonal(found, step))
            some = replace(pairs, calm=calm).rows(slice(found.span.first_judged, None))
            cells.append(_cell(ranking(some, found.judged), "auc", 3))
            events_in.append(str(int((some.calm & some.occurred).sum())))
        yield f"| {_NAMES[system.name]} | " + " | ".join(cells) + f" | {' / '.join(events_in)} |"


def budget_lines(found: World, *, confident: bool) -> Iterator[str]:
    """Precision and recall at h=3 where the cut-off keeps false alarms of the training span within the budget."""
    yield "| | cut-off | precision | recall | false alarms per route-year | seen, h 1–6 | seen, h 3–6 |"
    yield "|---|---|---|---|---|---|---|"
    for system in found.systems:
        cutoffs = {
            step: budget_cutoff(system.past, step, found.span, confident=confident) for step in range(1, HORIZONS + 1)
        }
        table = contingency(system.past, EARLY, cutoffs[EARLY]).rows(slice(found.span.first_judged, None))
        values = measures(table, found.judged)
        shares = [_episodes(system.past, cutoffs, found.span, least) for least in (1, EARLY)]
        yield (
            f"| {_NAMES[system.name]} | {cutoffs[EARLY]:.2f} | {_cell(values, 'precision', 2)} "
            f"| {_cell(values, 'recall', 2)} | {_cell(values, 'false_alarms_per_route_year', 2)} "
            f"| {shares[0]} | {shares[1]} |"
        )


def cost_lines(found: World) -> Iterator[str]:
    """Alerts as issued and at h=3, with cut-offs from the cost-loss ratio."""
    yield "| | alert | level | cut-off | precision | recall | false alarms per route-year | notice, quartiles |"
    yield "|---|---|---|---|---|---|---|---|"
    for system in found.systems:
        frozen = training.freeze(system.past, SURGE.costs, found.span, found.settings, system.conventional)
        for horizon, label in ((WINDOW, "planning window"), (EARLY, "in 3 months")):
            for level in ("watch", "warning", "severe") if system.simple is None else ("watch",):
                cutoff = frozen[horizon].of(level)
                table = contingency(system.past, horizon, cutoff).rows(slice(found.span.first_judged, None))
                values = measures(table, found.judged)
                yield (
                    f"| {_NAMES[system.name]} | {label} | {level} | {cutoff:.2f} | {_cell(values, 'precision', 2)} "
                    f"| {_cell(values, 'recall', 2)} | {_cell(values, 'false_alarms_per_route_year', 2)} "
                    f"| {_lead(values)} |"
                )


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


def known_rises_lines(said: pd.DataFrame) -> Iterator[str]:
    """One row per event: the chance at each lead, alerts marked."""
    yield "| rise | came | " + " | ".join(f"{step} before" for step in range(HORIZONS, 0, -1)) + " | first alert |"
    yield "|---" * (HORIZONS + 3) + "|"
    for card in events(SNAPSHOT):
        rows = said[said["event_id"] == card.event_id].set_index("horizon")
        cells = []
        for step in range(HORIZONS, 0, -1):
            if step not in rows.index:
                cells.append("–")
                continue
            mark = "**" if rows.loc[step, "level"] else ""
            cells.append(f"{mark}{float(str(rows.loc[step, 'chance'])):.0%}{mark}")
        alerted = rows[rows["level"] != ""]
        first = f"{alerted.index.max()} before" if len(alerted) else "none"
        came = "yes" if len(rows) and bool(rows["came"].iloc[0]) else "no"
        yield f"| {card.title} | {came} | " + " | ".join(cells) + f" | {first} |"


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


def _false_alarms(table: ContingencyTable, last: int, *, confident: bool) -> float:
    """False alarms per route-year up to an origin, or their upper bound."""
    weights = draw_weights(last) if confident else np.ones((1, last))
    return measures(table.rows(slice(last)), weights)["false_alarms_per_route_year" + ("_hi" if confident else "")]


def _cell(values: dict[str, float], name: str, digits: int) -> str:
    value, low, high = (values[name + end] for end in ("", "_lo", "_hi"))
    if not np.isfinite(value):
        return "–"
    bounds = f" [{low:.2f}–{high:.2f}]" if np.isfinite(low) else ""
    return f"{value:.{digits}f}{bounds}"


def _lead(values: dict[str, float]) -> str:
    quartiles = [values[f"lead_months_{part}"] for part in ("q25", "median", "q75")]
    return "/".join(f"{months:.0f}" for months in quartiles) if np.isfinite(quartiles[0]) else "–"


def _series(route_id: str) -> str:
    return make_series_id("detections", route_id, ALL, ALL, "M")


def section(found: World, said: pd.DataFrame) -> Sequence[str]:
    """The section of docs/benchmarks.md, line by line."""
    trained, judged = found.span.trained, found.span.judged
    return [
        engine(),
        "By `python -m benchmarks.alerts`. Event: at least 1.5 times the trailing 12-month mean (mean at least 100),",
        "seen from a month without it. Past forecasts are coherent with nationalities, refitted on the way.",
        f"Cut-offs learned on origins {trained[0]} to {trained[1]}, judged on {judged[0]} to {judged[1]}: nothing",
        "later touched them. Brackets: 90 %, block bootstrap over origins, at least as wide as the cases allow.",
        "",
        *ranking_lines(found),
        "",
        "Unseasonal rises only (also at least 1.5 times the same month's three-year mean):",
        "",
        *unseasonal_lines(found),
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


def main() -> None:
    """Measure and write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kept", type=Path, help="file of the routes' past forecasts")
    parts = dense_parts(published_files())
    found = world(parts, routes_forecasts(parts, options.parse_args().kept))
    said = known_rises(found)
    said[COLUMNS].round({"chance": 4, "cutoff": 4}).to_csv(SNAPSHOT / SAID, index=False)
    replace_section(PAGE, TITLE, section(found, said))


if __name__ == "__main__":
    main()
