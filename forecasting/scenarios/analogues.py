"""Scenarios by analogue: a past episode, rescaled to the present.

An episode's course is measured against the months before: the same calendar months of a base year, or the mean of the
months just before. Its ratios are multiplied onto today's sample paths, or the persons beyond its base are added to
them: a rise from almost nothing has ratios that mean nothing on a route that is busy today. Either way the result is a
distribution. The figures are the
release's own; where no source that may be passed on covers an episode, it is not offered and the page says so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from core import FloatArray
from core.errors import InputError
from core.settings import SNAPSHOT
from forecasting import BoolArray

LARGEST_MULTIPLE = 20.0
"""Ratios are cut here: a base of a few persons must not make millions."""


@dataclass(frozen=True)
class Episode:
    """A past episode.

    Attributes:
        episode_id: Name in addresses.
        route_id: The route on which it took place.
        first: First month, ``YYYY-MM``.
        last: Last month that is replayed.
        base: First and last month of what it is compared with.
        seasonal: Compare with the same calendar months of the base; else with the base's mean.
        usual: ``ratio`` or ``persons``: how its course is brought to the present unless a reader chooses.
        series: Places to look for the figures, in order: ``(source_id, series_id)``.
    """

    episode_id: str
    route_id: str
    first: str
    last: str
    base: Sequence[str]
    seasonal: bool
    usual: Literal["ratio", "persons"]
    series: Sequence[Sequence[str]]


EPISODES: dict[str, Episode] = {
    episode_id: Episode(episode_id, **facts)
    for episode_id, facts in tomllib.loads((SNAPSHOT / "episodes.toml").read_text("utf-8")).items()
}
"""Episodes that people ask about, from ``data/episodes.toml``."""


@dataclass(frozen=True)
class Course:
    """An episode's figures.

    Attributes:
        source_id: Where they come from.
        series_id: Which series.
        table: ``time_period, value, base, multiple``, one row per month.
    """

    source_id: str
    series_id: str
    table: pd.DataFrame

    @property
    def multiples(self) -> FloatArray:
        """Ratio of each month to its base."""
        return self.table["multiple"].to_numpy(dtype=float)

    @property
    def beyond(self) -> FloatArray:
        """Persons of each month beyond its base; negative where fewer came."""
        return (self.table["value"] - self.table["base"]).to_numpy(dtype=float)


def course(observations: pd.DataFrame, episode: Episode) -> Course | None:
    """Find an episode's figures among a release's, and its course.

    Returns:
        None where no series covers the episode and its base.
    """
    for source_id, series_id in episode.series:
        rows = observations[(observations["source_id"] == source_id) & (observations["series_id"] == series_id)]
        values = rows.drop_duplicates("time_period", keep="last").set_index("time_period")["obs_value"]
        months = _months(episode.first, episode.last)
        before = _months(*episode.base)
        if not len(values) or not set(months) | set(before) <= set(values.index):
            continue
        base = values.loc[before]
        if episode.seasonal:
            of_month = {month[5:]: max(float(base.loc[month]), 1.0) for month in before}
            compared = np.asarray([of_month[month[5:]] for month in months])
        else:
            compared = np.full(len(months), max(float(base.mean()), 1.0))
        counted = values.loc[months].to_numpy(dtype=float)
        multiple = np.minimum(counted / compared, LARGEST_MULTIPLE)
        table = pd.DataFrame({"time_period": months, "value": counted, "base": compared, "multiple": multiple})
        return Course(source_id, series_id, table)
    return None


def replay(
    trajectories: pd.DataFrame,
    series_id: str,
    episode: Course,
    by: str,
    *,
    first: pd.Timestamp,
    strength: float = 1.0,
) -> pd.DataFrame:
    """Let an episode begin on one route.

    Args:
        trajectories: Frame that keeps ``TRAJECTORIES``.
        series_id: The route's series.
        episode: The episode's figures.
        by: ``ratio``: multiply each path by the episode's ratios; ``persons``: add its persons beyond the base, and
            keep paths at zero or above.
        first: Last day of the month in which it begins.
        strength: Power of each ratio, or share of the persons: 1 is the episode itself.

    Returns:
        The same rows; months after the episode's last one are as forecast.

    Raises:
        InputError: The series has no paths, or the strength is negative.
    """
    if strength < 0 or not np.isfinite(strength):
        raise InputError(f"an episode's strength is at least 0 (found {strength})")
    own: BoolArray = (trajectories["series_id"] == series_id).to_numpy()
    if not own.any():
        raise InputError(f"no sample paths of {series_id}")
    ends = pd.DatetimeIndex(trajectories.loc[own, "target_end_date"])
    since = np.asarray((ends.year * 12 + ends.month) - (first.year * 12 + first.month))
    values = episode.multiples if by == "ratio" else episode.beyond
    inside, now = (since >= 0) & (since < len(values)), values[np.clip(since, 0, len(values) - 1)]
    before = trajectories.loc[own, "value"].to_numpy()
    after = before * np.power(now, strength) if by == "ratio" else np.maximum(before + strength * now, 0.0)
    out = trajectories.copy()
    out.loc[own, "value"] = np.where(inside, after, before)
    return out


def _months(first: str, last: str) -> list[str]:
    return [str(month) for month in pd.period_range(first, last, freq="M")]
