"""What if: paths under a reader's assumptions, stored apart from forecasts and never scored as such.

Here: what paths say under a condition, and the reception places that they need.

Joint sample paths make a conditional distribution a matter of counting: the paths on which the condition holds are a
sample of it, routes and months together. Where few paths are left, the answer is refused.

People present at a month's end are those of each month since who have not left. Arrivals are spread evenly over their
month; a stay is of fixed length, or ends with the same chance at any time (exponential, as in a stationary queue:
Little 1961, Operations Research 9(3)).
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from core import FloatArray, whole
from core.errors import InputError
from core.settings import SNAPSHOT
from forecasting import BoolArray

FEWEST_EFFECTIVE = 50
"""Paths below which no distribution is shown: a chance would be off by more than 7 points (one standard
error), a 90 % level by more than its distance to the next."""
How = Literal["any", "every", "total"]
HOWS: tuple[How, ...] = ("any", "every", "total")


class TooFewPathsError(InputError):
    """The condition is too rare among the sample paths for an answer.

    Attributes:
        effective: Number of paths left.
        paths: Number of paths in all.
    """

    def __init__(self, effective: float, paths: int) -> None:
        self.effective, self.paths = effective, paths
        super().__init__(
            f"the condition holds on {effective:.0f} of {paths} sample paths; at least {FEWEST_EFFECTIVE} are needed"
        )


@dataclass(frozen=True)
class Condition:
    """Something that is supposed to happen.

    Attributes:
        series_id: The series it is about.
        first: Last day of the first period concerned.
        last: Last day of the last period concerned.
        how: ``any`` of the periods, ``every`` one of them, or their ``total``.
        above: True: passes ``value``; False: stays at or below it.
        value: The number.
    """

    series_id: str
    first: pd.Timestamp
    last: pd.Timestamp
    how: How
    above: bool
    value: float


@dataclass(frozen=True)
class Conditional:
    """What follows from a condition.

    Attributes:
        trajectories: The paths on which it holds, with their numbers.
        probability: Chance of the condition itself.
        effective: Number of paths kept.
    """

    trajectories: pd.DataFrame
    probability: float
    effective: float


def given(trajectories: pd.DataFrame, conditions: Sequence[Condition]) -> Conditional:
    """Condition joint sample paths on all of several things.

    Args:
        trajectories: Frame that keeps ``TRAJECTORIES``; one ``output_type_id`` is one future of all series together.
        conditions: What is supposed to happen, all of it.

    Raises:
        TooFewPathsError: Fewer than :data:`FEWEST_EFFECTIVE` paths are left.
        InputError: A condition is about a series or period without paths, or its number is not usable.
    """
    paths = np.unique(trajectories["output_type_id"])
    holds = np.ones(len(paths), dtype=bool)
    for condition in conditions:
        holds &= _holds(trajectories, condition, paths)
    if holds.sum() < FEWEST_EFFECTIVE:
        raise TooFewPathsError(int(holds.sum()), len(paths))
    kept = trajectories[trajectories["output_type_id"].isin(paths[holds])].reset_index(drop=True)
    return Conditional(kept, float(holds.mean()), int(holds.sum()))


def _holds(trajectories: pd.DataFrame, condition: Condition, paths: NDArray[np.int64]) -> BoolArray:
    """Whether a condition holds on each path."""
    if not np.isfinite(condition.value) or condition.value < 0:
        raise InputError(f"a condition's number is at least 0 (found {condition.value})")
    rows = trajectories[
        (trajectories["series_id"] == condition.series_id)
        & trajectories["target_end_date"].between(condition.first, condition.last)
    ]
    if rows.empty:
        raise InputError(
            f"no sample paths of {condition.series_id} from {condition.first.date()} to {condition.last.date()}"
        )
    table = rows.pivot_table(index="output_type_id", columns="target_end_date", values="value").reindex(paths)
    values = table.to_numpy(dtype=float)
    if condition.how == "total":
        values = values.sum(axis=1, keepdims=True)
    values = whole(values)
    met = values > condition.value if condition.above else values <= condition.value
    return np.asarray(met.all(axis=1) if condition.how == "every" else met.any(axis=1))


Stay = Literal["fixed", "open"]
STAYS: tuple[Stay, ...] = ("open", "fixed")
NEGLIGIBLE = 0.001


@dataclass(frozen=True)
class Needs:
    """What reception is planned with.

    Attributes:
        stay_months: Mean length of stay.
        stay: ``fixed``: everybody stays as long; ``open``: a stay may end at any time with the same chance.
        share: Part of those who arrive that needs a place, 0 to 1.
    """

    stay_months: float
    stay: Stay = "open"
    share: float = 1.0


def still_present(needs: Needs) -> FloatArray:
    """Part of a month's arrivals present at the end of that month, of the next one, and so on, until hardly any is.

    Raises:
        InputError: The stay or the share is not usable.
    """
    if not 0 < needs.stay_months <= 60 or not 0 <= needs.share <= 1:
        raise InputError("a stay lasts more than 0 and at most 60 months, and the share lies between 0 and 1")
    if needs.stay == "fixed":
        ages = np.arange(int(np.ceil(needs.stay_months)))
        return np.asarray(np.clip(needs.stay_months - ages, 0.0, 1.0))
    length = needs.stay_months
    ages = np.arange(int(np.ceil(-length * np.log(NEGLIGIBLE))) + 1)
    return np.asarray(length * (np.exp(-ages / length) - np.exp(-(ages + 1) / length)))


def occupancy(paths: pd.DataFrame, history: pd.Series, needs: Needs) -> pd.DataFrame:
    """Places taken at the end of each month, path by path.

    Args:
        paths: Arrivals, one row per path, one column per month (its last day), in order and without gaps.
        history: Counted arrivals of earlier months, indexed by their last day; those who still stay count.
        needs: What reception is planned with.

    Returns:
        Same shape as ``paths``.
    """
    part = still_present(needs)
    ends = pd.DatetimeIndex(paths.columns)
    before = history[pd.DatetimeIndex(history.index) < ends[0]].sort_index().tail(len(part) - 1).to_numpy(dtype=float)
    before = np.pad(before, (len(part) - 1 - len(before), 0))
    arrivals = np.hstack([np.tile(before, (len(paths), 1)), paths.to_numpy(dtype=float)])
    present = sliding_window_view(arrivals, len(part), axis=1) @ part[::-1]
    return pd.DataFrame(needs.share * present, index=paths.index, columns=ends)


def places_needed(taken: pd.DataFrame, confidence: float) -> tuple[pd.DataFrame, float]:
    """Places that suffice with a chosen confidence.

    Args:
        taken: From :func:`occupancy`.
        confidence: Such as 0.9: nine times in ten the places suffice.

    Returns:
        ``target_end_date, median, places``, each month looked at alone; and the places that suffice in all months
        together: the quantile of each path's largest month.

    Raises:
        InputError: The confidence is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise InputError(f"a confidence lies between 0 and 1 (found {confidence})")
    table = pd.DataFrame(
        {
            "target_end_date": pd.DatetimeIndex(taken.columns),
            "median": np.quantile(taken, 0.5, axis=0),
            "places": np.quantile(taken, confidence, axis=0),
        }
    )
    return table, float(np.quantile(taken.max(axis=1), confidence))


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
    months = episode.table
    values = (months["multiple"] if by == "ratio" else months["value"] - months["base"]).to_numpy(dtype=float)
    inside, now = (since >= 0) & (since < len(values)), values[np.clip(since, 0, len(values) - 1)]
    before = trajectories.loc[own, "value"].to_numpy()
    after = before * np.power(now, strength) if by == "ratio" else np.maximum(before + strength * now, 0.0)
    out = trajectories.copy()
    out.loc[own, "value"] = np.where(inside, after, before)
    return out


def _months(first: str, last: str) -> list[str]:
    return [str(month) for month in pd.period_range(first, last, freq="M")]
