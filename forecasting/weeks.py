"""The next eight weeks of a series that is counted by day, from the paths of :mod:`forecasting.days`, and their record.

Weeks are ISO weeks, Monday to Sunday; of the first one some days may be counted already. Their record rests on past
Sundays, the same on every night: a random walk and a seasonal one say there what they make of the weeks before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core import FloatArray
from core.release import WEEK_SCORES
from core.schema import check
from forecasting import LEVELS, Model
from forecasting.days import WEEK, WEEKS, DailyHistory
from forecasting.models import baseline, snaive
from forecasting.postprocess import safe_forecast
from forecasting.quantiles import QuantileTable
from forecasting.verification import COVERAGES, covered, wis
from forecasting.verification.verdict import SCALES, compare, holm_within
from forecasting.workers import Fit

MODEL_ID = "vigie-nowcast"
REFERENCES: tuple[Model, ...] = (baseline.MODEL, snaive.MODEL)
ORIGINS = 208
"""Newest Sundays of the record, four years."""
RECORD_PATHS = 300
YEAR_OF_WEEKS = 52


@dataclass(frozen=True)
class Weeks:
    """What eight weeks are expected to bring.

    Attributes:
        origin: The Sunday before them.
        last_day: The newest day that is counted.
        so_far: Persons counted up to it in each week, shape ``(8,)``: zero after the first.
        quantiles: The weeks' totals at the 23 levels, in persons, shape ``(8, 23)``.
    """

    origin: pd.Period
    last_day: pd.Period
    so_far: FloatArray
    quantiles: FloatArray


def weeks_ahead(history: DailyHistory, place: int, *, n: int = 1000) -> Weeks | None:
    """The eight weeks from the one that holds the day after some day; None where the days are too few.

    Args:
        history: The days.
        place: The day's place; negative counts from the end.
        n: Number of paths.
    """
    ahead = history.ahead(place, n=n)
    if ahead is None:
        return None
    today = history.days[place]
    origin = today - (today.dayofweek + 1) % WEEK
    spans = [(origin + 1 + WEEK * week, origin + WEEK * (week + 1)) for week in range(WEEKS)]
    sums = [ahead.loc[:, first:last].sum(axis=1) for first, last in spans]
    quantiles = np.quantile(sums, LEVELS, axis=1, method="hazen").T
    so_far = np.asarray([history.so_far(first, min(today, last)) for first, last in spans])
    return Weeks(origin, today, so_far, quantiles)


def week_record(history: DailyHistory) -> pd.DataFrame:
    """Forecasts and outcomes of past weeks: the model's and the references', one row each, scored.

    Returns:
        ``model_id, origin_date, horizon, wis_log, wis_natural, covered_50/80/95/98``; only weeks that are counted
        whole.
    """
    sundays = history.days[history.days.dayofweek == WEEK - 1]
    totals = np.asarray([history.total(one - WEEK + 1, one) for one in sundays])
    made: list[tuple[str, pd.Period, FloatArray]] = []
    outcomes: list[FloatArray] = []
    for number in range(max(0, len(sundays) - ORIGINS - 1), len(sundays) - 1):
        found = weeks_ahead(history, history.place_of(sundays[number]) or 0, n=RECORD_PATHS)
        if found is None or np.isnan(totals[number]):
            continue
        known = totals[int(np.argmax(np.isfinite(totals))) : number + 1]
        past = Fit(MODEL_ID, "", sundays[number].asfreq("W-SUN"), known, YEAR_OF_WEEKS).history()
        answers = {MODEL_ID: found.quantiles}
        answers |= {one.model_id: safe_forecast(one, past, WEEKS).quantiles for one in REFERENCES}
        came = np.full(WEEKS, np.nan)
        outcome = totals[number + 1 : number + 1 + WEEKS]
        came[: len(outcome)] = outcome
        for model_id, quantiles in answers.items():
            made.append((model_id, sundays[number], quantiles))
            outcomes.append(came)
    if not made:
        return pd.DataFrame()
    table, observed = _table(made), np.concatenate(outcomes)
    table, observed = table.where(np.isfinite(observed)), observed[np.isfinite(observed)]
    return table.keys.assign(
        wis_log=wis(np.log1p(observed), np.log1p(table.quantiles)),
        wis_natural=wis(observed, table.quantiles),
        **covered(observed, table.quantiles),
    )


def week_scores(records: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Scores of the weeks relative to both references, all judged at once.

    Returns:
        A frame that keeps ``core.release.WEEK_SCORES``.
    """
    shares = [f"covered_{round(100 * level)}" for level in COVERAGES]
    parts = []
    for series_id, rows in records.items():
        if rows.empty:
            continue
        own = rows[rows["model_id"] == MODEL_ID].groupby("horizon")
        means = own[["wis_log", "wis_natural", *shares]].mean()
        against = compare(rows.assign(series_id=series_id), MODEL_ID, [one.model_id for one in REFERENCES])
        against = against.assign(series_id=series_id).join(means, on="horizon")
        parts.append(against.assign(wis=np.where(against["scale"] == SCALES[0], against["wis_log"],
                                                 against["wis_natural"])))  # fmt: skip
    if not parts:
        return WEEK_SCORES.empty()
    found = pd.concat(parts, ignore_index=True)
    found = found.assign(p_holm=holm_within(found, ["scale"]))
    found = found.rename(columns=lambda name: name.replace("covered", "coverage"))
    return check(found[list(WEEK_SCORES.columns)], WEEK_SCORES)


def _table(made: Sequence[tuple[str, pd.Period, FloatArray]]) -> QuantileTable:
    """Every model's eight weeks from every Sunday, one row each."""
    models, sundays, quantiles = zip(*made, strict=True)
    ends = pd.PeriodIndex(sundays).end_time.normalize().repeat(WEEKS)
    horizons = np.tile(np.arange(1, WEEKS + 1), len(made))
    keys = pd.DataFrame({
        "model_id": np.repeat(np.asarray(models, dtype=object), WEEKS), "origin_date": ends, "horizon": horizons,
        "target_end_date": ends + pd.to_timedelta(WEEK * horizons, unit="D"),
    })  # fmt: skip
    return QuantileTable(keys, np.concatenate(quantiles))
