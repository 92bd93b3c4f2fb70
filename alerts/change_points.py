"""Has the level of a route changed for good, rather than for a month?

Penalised segmentation of the log counts, less their season, into stretches of equal mean (PELT: Killick, Fearnhead &
Eckley 2012, J. American Statistical Association 107), by the library ruptures (Truong, Oudre & Vayatis 2020, Signal
Processing 167). A change is told when the newest stretch is just long enough to be one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import ruptures

from alerts import thresholds
from alerts.levels import WARNING, WATCH
from alerts.signals import FOLLOWED_MONTHS, Signal
from core.quantiles import FloatArray
from core.settings import AlertSettings

YEAR = 12
_MAD_TO_DEVIATION = 1.4826


@dataclass(frozen=True)
class ChangeRule:
    """The newest months are a stretch of their own, on another level.

    Attributes:
        months: Months looked at.
        fewest: Fewest months looked at.
        shortest: Months from which a stretch counts.
        told: Months for which a new stretch is news.
        penalty: Price of a further stretch, in multiples of noise variance times the log of the number of months.
        factor: Least ratio of the two levels, either way: a watch.
        warning_factor: Least ratio for a warning.
    """

    rule: str = "level_change"
    months: int = 60
    fewest: int = 36
    shortest: int = 3
    told: int = 3
    penalty: float = 3.0
    factor: float = 1.5
    warning_factor: float = 2.5

    def level(self, ratio: float) -> str:
        """The level that a ratio of new to old level reaches; empty below a watch."""
        size = max(ratio, 1 / ratio)
        if size >= self.warning_factor:
            return WARNING
        return WATCH if size >= self.factor else ""


CHANGE = ChangeRule()


def changes(panel: pd.DataFrame, settings: AlertSettings) -> list[Signal]:
    """Each route's months with history enough; those that follow a change of level have a level.

    The claim: the mean of the next three months, less their season, is nearer to the new level than to the old one.

    Args:
        panel: Outcomes (``core.release.PANEL``), monthly.
        settings: For the smallest count that means something.
    """
    counts = thresholds.by_route(panel)
    return [
        signal
        for series_id in counts.columns
        if thresholds.route_of(str(series_id)) is not None
        for signal in _route(counts[series_id].dropna(), settings)
    ]


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
    price = CHANGE.penalty * noise**2 * np.log(len(logs))
    model = ruptures.KernelCPD(kernel="linear", min_size=CHANGE.shortest).fit(adjusted.reshape(-1, 1))
    ends = model.predict(pen=price)
    return (int(ends[-2]) if len(ends) > 1 else 0), season


def _route(counts: pd.Series, settings: AlertSettings) -> list[Signal]:
    found = []
    for place in range(CHANGE.fewest - 1, len(counts)):
        window = counts.iloc[max(0, place + 1 - CHANGE.months) : place + 1]
        if (window.index[-1] - window.index[0]).n == len(window) - 1:
            found.append(_judge(window, counts.iloc[place + 1 : place + 1 + FOLLOWED_MONTHS], settings))
    return found


def _judge(window: pd.Series, after: pd.Series, settings: AlertSettings) -> Signal:
    values = window.to_numpy(dtype=float)
    logs = np.log1p(values)
    start, season = newest_stretch(logs)
    quiet = Signal(CHANGE.rule, str(thresholds.route_of(str(window.name))), str(window.name), window.index[-1])
    length = len(logs) - start
    if start == 0 or length >= CHANGE.shortest + CHANGE.told:
        return quiet
    before = max(0, start - YEAR)
    old, new = (float(np.mean((logs - season)[part])) for part in (slice(before, start), slice(start, None)))
    stretch = (logs - season)[start:]
    if (np.abs(stretch - new) >= np.abs(stretch - old)).any():
        return quiet  # a stretch may be drawn to its least length around one odd month: that is no new level
    level = CHANGE.level(float(np.exp(new - old)))
    means = float(np.expm1(old)), float(np.expm1(new))
    if not level or max(means) < settings.surge_minimum:
        return quiet
    return Signal(
        quiet.rule,
        quiet.route_id,
        quiet.series_id,
        quiet.month,
        level=level,
        held=_held(after, season, old, new),
        reason_key="level_change",
        reason_params={"month": str(window.index[start]), "after": means[1], "before": means[0]},
        since=window.index[start],
    )


def _season(logs: FloatArray) -> FloatArray:
    """Median distance of each calendar month from the mean of the year that ends with it."""
    mean = pd.Series(logs).rolling(YEAR).mean().to_numpy()
    place = np.arange(len(logs)) % YEAR
    distances = pd.Series(logs - mean).groupby(place).median()
    season: FloatArray = distances.to_numpy()[place]
    return season - float(np.mean(distances))


def _held(after: pd.Series, season: FloatArray, old: float, new: float) -> float:
    if len(after) < FOLLOWED_MONTHS:
        return float("nan")
    same_months = season[len(season) - YEAR : len(season) - YEAR + FOLLOWED_MONTHS]
    level = float(np.mean(np.log1p(after.to_numpy(dtype=float)) - same_months))
    return float(abs(level - new) < abs(level - old))
