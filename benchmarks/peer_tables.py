"""The section on peers in docs/benchmarks.md: skill on the same rows, ratios with their luck, and speed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.peer_models import PEERS
from benchmarks.shared import engine
from core.schema import ALL
from forecasting.ensemble import combine
from forecasting.hindcast import present_work, run_work
from forecasting.members import models_to_run
from forecasting.model import BASELINE, ENSEMBLE
from forecasting.panel import Panel
from forecasting.quantiles import QuantileTable
from forecasting.verification.scores import score_rows, summarise
from forecasting.verification.verdict import BETTER, WORSE, compare, same_rows

TITLE = "Peers on the same rows"
TIMED_ORIGINS = 6
TIMED_PEERS = ("statsforecast AutoETS", "statsforecast AutoTheta", "Prophet")
WORDS = {BETTER: "ensemble ahead", WORSE: "peer ahead"}
COMMAND = "python -m benchmarks.peers --cache FOLDER --write"


def section(forecasts: QuantileTable, totals: Panel) -> list[str]:
    """The section's lines.

    Args:
        forecasts: Every model's forecasts of the totals.
        totals: Outcomes.
    """
    models = list(dict.fromkeys(forecasts.keys["model_id"]))
    rows = same_rows(score_rows(forecasts, totals), models)
    others = [name for name in models if name != ENSEMBLE]
    origins = rows["origin_date"].nunique()
    return [
        engine(),
        f"Made by `{COMMAND}` with Frontex's workbook under VIGIE_RAW_DATA: {len(totals.series_ids)} dense routes, "
        f"{origins} monthly origins",
        f"({rows['origin_date'].min():%Y-%m} to {rows['origin_date'].max():%Y-%m}), every model on the same rows and "
        "fitted on what lies before each origin. Each peer with its own",
        "intervals, on log1p counts and on counts as they are (cut at zero). LightGBM: one model for routes and their "
        "nationalities on monthly",
        "differences, lags 1–3, 6, 12 and 24, means of 3, 6 and 12 months, month of the year; conformal intervals from "
        "six windows. Prophet with its defaults.",
        "",
        "### Skill against the baseline",
        "",
        *skill_lines(forecasts, rows, totals),
        "",
        "### The ensemble's score over each peer's",
        "",
        "Below 1 the ensemble is better. Brackets: 90 % circular block bootstrap over origins; p: Diebold–Mariano "
        "(HLN), Holm over all rows of a",
        "scale; the last column is the verdict on log1p scale: interval and p together.",
        "",
        *ratio_lines(compare(rows, ENSEMBLE, others)),
        "",
        "### Speed",
        "",
        *speed_lines(totals),
    ]


def skill_lines(forecasts: QuantileTable, rows: pd.DataFrame, totals: Panel) -> list[str]:
    """Relative WIS and coverage of every model on the rows that all have."""
    places = ["model_id", "series_id", "origin_date", "horizon"]
    common = pd.MultiIndex.from_frame(rows[places])
    scores = summarise(forecasts.where(pd.MultiIndex.from_frame(forecasts.keys[places]).isin(common)), totals)
    lines = ["| model | h | WIS log [90 %] | WIS natural [90 %] | coverage 50/80/95 | n |", "|---|---|---|---|---|---|"]
    chosen = scores[scores["series_id"] == ALL]
    for model_id in dict.fromkeys(forecasts.keys["model_id"]):
        for horizon in sorted(chosen["horizon"].unique()):
            both = chosen[(chosen["model_id"] == model_id) & (chosen["horizon"] == horizon)].set_index("scale")
            log, natural = both.loc["log"], both.loc["natural"]
            coverage = "/".join(f"{log[f'coverage_{level}']:.2f}" for level in (50, 80, 95))
            lines.append(
                f"| {model_id} | {horizon} | {_interval(log, 'relative_wis')} | {_interval(natural, 'relative_wis')} "
                f"| {coverage} | {log['n']} |"
            )
    return lines


def ratio_lines(table: pd.DataFrame) -> list[str]:
    """The ensemble's score over each other model's, on both scales."""
    lines = [
        "| against | h | ratio log [90 %] | p | ratio natural [90 %] | p | on log1p scale |",
        "|---|---|---|---|---|---|---|",
    ]
    for (other, horizon), rows in table.groupby(["other", "horizon"], sort=False):
        log, natural = (rows[rows["scale"] == scale].iloc[0] for scale in ("log", "natural"))
        lines.append(
            f"| {other} | {horizon} | {_interval(log, 'ratio')} | {log['p_holm']:.3f} | {_interval(natural, 'ratio')} "
            f"| {natural['p_holm']:.3f} | {WORDS.get(log['verdict'], log['verdict'])} |"
        )
    return lines


def speed_lines(totals: Panel) -> list[str]:
    """Seconds of one core for the same forecasts of the last origins, one after another in this run."""
    places = range(len(totals.periods) - 1 - TIMED_ORIGINS, len(totals.periods) - 1)
    histories = [totals.matrix.iloc[: place + 1] for place in places]
    own = _seconds(_vigie, [Panel(totals.freq, history, totals.groups) for history in histories])
    lines = [
        f"{TIMED_ORIGINS} origins, {len(totals.series_ids)} routes, 12 horizons, 23 quantiles, seconds of one core, "
        "one after another in this run. Vigie: all fast models",
        "of single series and their ensemble.",
        "",
        "| | seconds | Vigie's over its own |",
        "|---|---|---|",
        f"| Vigie | {own:.1f} | 1 |",
    ]
    taken = {name: _seconds(_peer(name), histories) for name in TIMED_PEERS}
    return lines + [f"| {name} | {seconds:.1f} | {own / seconds:.2f} |" for name, seconds in taken.items()]


def _vigie(panel: Panel) -> object:
    work = present_work(panel, models=models_to_run([ENSEMBLE, BASELINE]))
    return combine(run_work(work, horizons=range(1, 13), workers=1), panel)


def _peer(name: str) -> Callable[[pd.DataFrame], object]:
    return lambda history: PEERS[name](history.transform(np.log1p), history, 12)


def _seconds(make: Callable[[Any], object], histories: Sequence[Any]) -> float:
    make(histories[0])  # loading and compiling is not what is compared
    begun = time.process_time()
    for history in histories:
        make(history)
    return time.process_time() - begun


def _interval(row: pd.Series, name: str) -> str:
    return f"{row[name]:.3f} [{row[f'{name}_lo']:.2f}–{row[f'{name}_hi']:.2f}]"
