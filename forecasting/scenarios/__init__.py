"""What if: paths under a reader's assumptions, stored apart from forecasts and never scored as such.

Here: what paths say under a condition, and the reception places that they need.

Joint sample paths make a conditional distribution a matter of counting: the paths on which the condition holds are a
sample of it, routes and months together. Where few paths are left, the answer is refused.

People present at a month's end are those of each month since who have not left. Arrivals are spread evenly over their
month; a stay is of fixed length, or ends with the same chance at any time (exponential, as in a stationary queue:
Little 1961, Operations Research 9(3)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import FloatArray, whole
from core.errors import InputError
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
    arrivals = np.hstack([np.tile(before, (len(paths), 1)), paths.to_numpy(dtype=float)])
    out = np.zeros(paths.shape)
    for column in range(paths.shape[1]):
        at = len(before) + column
        reach = min(at + 1, len(part))
        out[:, column] = arrivals[:, at - reach + 1 : at + 1] @ part[:reach][::-1]
    return pd.DataFrame(needs.share * out, index=paths.index, columns=ends)


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
