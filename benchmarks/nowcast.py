"""Score the nowcast by day of the month, or with ``--weeks`` the next eight weeks: ``python -m benchmarks.nowcast``.

Every past month is nowcast from each of its days, from that day and the days before it alone. Rivals: the month before,
and the month's own rate so far, each with the errors it had itself on the same day of the past months. The daily files
are read from the folder that VIGIE_RAW_DATA names.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.shared import PAGE, Options, Section, coverage, interval, page_command, published_files, table
from core import FloatArray
from forecasting import LEVELS, symmetric_errors
from forecasting.days import REFERENCES, DailyHistory, daily_history, week_record, week_scores
from forecasting.verification import covered, wis
from forecasting.verification.verdict import ratio_interval
from ingest import read_raw
from ingest.sources import SOURCES

DAYS, WEEKS = (1, 8, 15, 22, 28), (1, 2, 4, 8)
FEWEST_MONTHS = 24
ERRORS = 84
"""Past months whose errors a rival's interval is made of."""
SERIES = {
    "English Channel": ("uk_home_office", "uk_small_boats/uk-migrant-data/daily_small_boats.csv"),
    "Italy": ("italy_interior", "italy_interior_cruscotto/ondata/sbarchi-per-giorno.csv"),
}
RATIOS = [(measure, rival) for measure in ("log", "distance") for rival in ("last month", "run-rate")]


def daily_counts(raw_data: Path, name: str) -> pd.Series:
    """Persons by day."""
    source_id, file = SERIES[name]
    rows = SOURCES[source_id].parse(read_raw(raw_data / file)).observations.sort_values("time_period")
    return pd.Series(rows["obs_value"].to_numpy(), index=pd.PeriodIndex(rows["time_period"], freq="D"))


def scores(history: DailyHistory) -> pd.DataFrame:
    """Scores of the three forecasters: one row per whole month and day of :data:`DAYS`.

    Returns:
        ``month``, ``day``, ``forecaster``, ``log`` and ``natural`` (WIS), ``distance`` (of the median to the outcome),
        and ``covered_80`` and so on.
    """
    return pd.DataFrame([row for day in DAYS for row in _scores_of_day(history, day)])


def _scores_of_day(history: DailyHistory, day: int) -> Iterator[dict[str, Any]]:
    days = [one for one in history.days if one.day == day]
    starts, ends = ([one.asfreq("M").asfreq("D", how) for one in days] for how in ("start", "end"))
    total = np.asarray([history.total(first, last) for first, last in zip(starts, ends, strict=True)])
    so_far = np.asarray([history.so_far(first, one) for first, one in zip(starts, days, strict=True)])
    before = np.concatenate([[np.nan], total[:-1]])
    run_rate = so_far / day * np.asarray([one.days_in_month for one in days])
    for number in map(int, np.flatnonzero(np.isfinite(total))):
        known = history.nowcast(history.place_of(days[number]) or 0) if number >= FEWEST_MONTHS else None
        if known is None:
            continue
        rivals = {"last month": _rival(before, total, number), "run-rate": _rival(run_rate, total, number)}
        one = total[[number]]
        for name, quantiles in {"nowcast": known.quantiles, **rivals}.items():
            row = quantiles[None, :]
            measures = {
                "log": wis(np.log1p(one), np.log1p(row)), "natural": wis(one, row), **covered(one, row),
                "distance": abs(one - row[:, len(LEVELS) // 2]),
            }  # fmt: skip
            found = {measure: values[0] for measure, values in measures.items()}
            yield {"month": str(known.month), "day": day, "forecaster": name, **found}


def _rival(points: FloatArray, outcomes: FloatArray, number: int) -> FloatArray:
    """A rival's quantiles: its point with the errors on log scale that it had in the months before."""
    errors = (np.log1p(outcomes) - np.log1p(points))[:number]
    past = errors[np.isfinite(errors)][-ERRORS:]
    return np.clip(np.expm1(symmetric_errors(float(np.log1p(points[number])), past)), 0, None)


def by_day(name: str, found: pd.DataFrame) -> list[tuple[object, ...]]:
    """Ratios of the nowcast to its rivals by day, with 90 % block-bootstrap intervals over months: rows of a table."""
    lines: list[tuple[object, ...]] = []
    for day, rows in found.groupby("day"):
        wide = rows.pivot_table(index="month", columns="forecaster", values=["log", "distance"], sort=True)
        ratios = [_ratio(wide[measure, "nowcast"], wide[measure, rival]) for measure, rival in RATIOS]
        own = rows[rows["forecaster"] == "nowcast"]
        held = "/".join(f"{own[f'covered_{level}'].mean():.2f}" for level in (80, 95))
        lines.append((name, day, *ratios, held, len(own)))
    return lines


def _ratio(own: pd.Series, rival: pd.Series) -> str:
    found = ratio_interval(own.to_numpy(), rival.to_numpy(), horizon=1)
    return interval({"ratio": found.ratio, "ratio_lo": found.low, "ratio_hi": found.high}, "ratio", 2)


def days_section() -> Section:
    """The running month by day of the month, of each series."""
    spans, lines = [], list[tuple[object, ...]]()
    for name in SERIES:
        found = scores(daily_history(daily_counts(published_files(), name)))
        spans.append(f"{name} {found['month'].min()} to {found['month'].max()}")
        lines += by_day(name, found)
    head = "WIS log to last month | WIS log to run-rate | error to last month | error to run-rate"
    table_lines = table(f"series | day | {head} | coverage 80/95 | months", lines)
    return [f"Measured: {', '.join(spans)}.", "", *table_lines], True


def weeks_section() -> Section:
    """The next eight weeks against a random walk and a seasonal one."""
    every = {name: daily_counts(published_files(), name) for name in SERIES}
    found = week_scores({name: week_record(daily_history(counts)) for name, counts in every.items()})
    found = found[found["scale"] == "log"]
    rows = []
    for (name, horizon), both in found[found["horizon"].isin(WEEKS)].groupby(["series_id", "horizon"]):
        against = both.set_index("reference")
        ratios = [interval(against.loc[one.model_id], "relative_wis") for one in REFERENCES]
        rows.append((name, horizon, *ratios, coverage(both.iloc[0]), both["n"].iloc[0]))
    last = ", ".join(f"{name} to {counts.index[-1]}" for name, counts in every.items())
    measured = f"Measured: {last}. Largest p after Holm's correction: {found['p_holm'].max():.2g}."
    head = "series | weeks ahead | WIS log to a random walk | to the same week of the year before | coverage | n"
    return [measured, "", *table(head, rows)], True


def section(options: argparse.Namespace) -> Section:
    """What is asked for: the running month, or the next eight weeks."""
    return weeks_section() if options.weeks else days_section()


def title(options: argparse.Namespace) -> str:
    """The section of the page in which it stands."""
    return "The next eight weeks" if options.weeks else "Nowcast of the running month, by day of the month"


OPTIONS: Options = {"--weeks": {"action": "store_true", "help": "the next eight weeks, not the running month"}}

if __name__ == "__main__":
    sys.exit(page_command(PAGE, title, section, options=OPTIONS))
