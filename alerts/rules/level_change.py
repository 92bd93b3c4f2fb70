"""Has the level of a route changed for good, rather than for a month?

Penalised segmentation of the log counts, less their season, into stretches of equal mean (PELT: Killick, Fearnhead &
Eckley 2012, J. American Statistical Association 107), by the library ruptures (Truong, Oudre & Vayatis 2020, Signal
Processing 167). A change is reported when the newest stretch is just long enough to be one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from alerts import FOLLOWED_MONTHS, WARNING, WATCH, YEAR, Evidence, ObservedRule, Signal, counts_by_series, route_of
from core import FloatArray
from core.languages import marked as _
from core.settings import AlertSettings

NAME = "level_change"
MONTHS, FEWEST = 60, 36
"""Months looked at, and the fewest of them."""
SHORTEST = 3
"""Months from which a stretch counts."""
NEWS_MONTHS = 3
"""Months for which a new stretch is news."""
PENALTY = 3.0
"""Price of a further stretch, in multiples of noise variance times the log of the number of months."""
FACTOR, WARNING_FACTOR = 1.5, 2.5
"""Least ratio of the two levels, either way, for a watch and for a warning."""
_MAD_TO_DEVIATION = 1.4826


def signals(evidence: Evidence, settings: AlertSettings) -> list[Signal]:
    """Each route's months with history enough; those that follow a change of level have a level.

    The claim: the mean of the next three months, less their season, is nearer to the new level than to the old one.
    """
    counts = counts_by_series(evidence.panel)
    return [
        signal
        for series_id in counts.columns
        if route_of(str(series_id)) is not None
        for signal in _route(counts[series_id].dropna(), settings)
    ]


def level_of(ratio: float) -> str:
    """The level that a ratio of new to old level reaches; empty below a watch."""
    size = max(ratio, 1 / ratio)
    if size >= WARNING_FACTOR:
        return WARNING
    return WATCH if size >= FACTOR else ""


def newest_stretch(logs: FloatArray) -> tuple[int, FloatArray]:
    """Where the newest stretch begins, and the season that was taken off.

    Args:
        logs: Log counts of consecutive months, the newest last.

    Returns:
        Place of the stretch's first month (0 where there is only one stretch), and the season by month, same length.
    """
    season = _season(logs)
    adjusted = logs - season
    steps = np.diff(adjusted)
    noise = _MAD_TO_DEVIATION * float(np.median(np.abs(steps - np.median(steps)))) / np.sqrt(2)
    if noise == 0:
        return 0, season
    import ruptures  # noqa: PLC0415  # pages that only write sentences need not wait for it

    price = PENALTY * noise**2 * np.log(len(logs))
    model = ruptures.KernelCPD(kernel="linear", min_size=SHORTEST).fit(adjusted.reshape(-1, 1))
    ends = model.predict(pen=price)
    return (int(ends[-2]) if len(ends) > 1 else 0), season


def _route(counts: pd.Series, settings: AlertSettings) -> Iterator[Signal]:
    for place in range(FEWEST - 1, len(counts)):
        window = counts.iloc[max(0, place + 1 - MONTHS) : place + 1]
        if (window.index[-1] - window.index[0]).n == len(window) - 1:
            yield _signal(window, counts.iloc[place + 1 : place + 1 + FOLLOWED_MONTHS], settings)


def _signal(window: pd.Series, after: pd.Series, settings: AlertSettings) -> Signal:
    logs = np.log1p(window.to_numpy(dtype=float))
    start, season = newest_stretch(logs)
    series_id = str(window.name)
    quiet = Signal(rule=NAME, route_id=str(route_of(series_id)), series_id=series_id, month=window.index[-1])
    if start == 0 or len(logs) - start >= SHORTEST + NEWS_MONTHS:
        return quiet
    before = max(0, start - YEAR)
    old, new = (float(np.mean((logs - season)[part])) for part in (slice(before, start), slice(start, None)))
    stretch = (logs - season)[start:]
    if (np.abs(stretch - new) >= np.abs(stretch - old)).any():
        return quiet  # a stretch may be drawn to its least length around one odd month: that is no new level
    level = level_of(float(np.exp(new - old)))
    means = float(np.expm1(old)), float(np.expm1(new))
    if not level or max(means) < settings.surge_minimum:
        return quiet
    found = replace(quiet, confirmed=_confirmed(after, season, old, new))
    since = window.index[start]
    return found.says(level, NAME, since, month=str(since), after=means[1], before=means[0])


def _season(logs: FloatArray) -> FloatArray:
    """Median distance of each calendar month from the mean of the year that ends with it."""
    mean = pd.Series(logs).rolling(YEAR).mean().to_numpy()
    place = np.arange(len(logs)) % YEAR
    distances = pd.Series(logs - mean).groupby(place).median()
    season: FloatArray = distances.to_numpy()[place]
    return season - float(np.mean(distances))


def _confirmed(after: pd.Series, season: FloatArray, old: float, new: float) -> float:
    if len(after) < FOLLOWED_MONTHS:
        return float("nan")
    same_months = season[len(season) - YEAR : len(season) - YEAR + FOLLOWED_MONTHS]
    level = float(np.mean(np.log1p(after.to_numpy(dtype=float)) - same_months))
    return float(abs(level - new) < abs(level - old))


RULE = ObservedRule(
    rule=NAME,
    title=_("New level for months"),
    signals=signals,
    sentences={NAME: _("Since {month} about {after} a month, season taken out; {before} before.")},
)
