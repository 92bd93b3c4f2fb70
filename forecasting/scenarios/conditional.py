"""Scenarios by condition: the exact distribution of everything else, given that something happens.

Joint sample paths make this a matter of counting: the paths on which the condition holds are a sample of the
conditional distribution, routes and months together. Where few paths are left, the answer is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import InputError
from core.quantiles import FloatArray
from forecasting.model import BoolArray

FEWEST_EFFECTIVE = 50
"""Effective paths below which no distribution is shown: a chance would be off by more than 7 points (one standard
error), a 90 % level by more than its distance to the next."""
How = Literal["any", "every", "total"]
HOWS: tuple[How, ...] = ("any", "every", "total")


class TooFewPathsError(InputError):
    """The condition is too rare among the sample paths for an answer.

    Attributes:
        effective: Effective number of paths left.
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
        effective: Effective number of paths: Kish's (Σw)²/Σw², here the count of paths kept.
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
        TooFewPathsError: Fewer than :data:`FEWEST_EFFECTIVE` effective paths are left.
        InputError: A condition is about a series or period without paths, or its number is not usable.
    """
    paths = np.unique(trajectories["output_type_id"])
    weights = np.ones(len(paths))
    for condition in conditions:
        weights = weights * _holds(trajectories, condition, paths)
    effective = effective_size(weights)
    if effective < FEWEST_EFFECTIVE:
        raise TooFewPathsError(effective, len(paths))
    kept = trajectories[trajectories["output_type_id"].isin(paths[weights > 0])].reset_index(drop=True)
    return Conditional(kept, float(weights.mean()), effective)


def effective_size(weights: FloatArray) -> float:
    """Effective sample size of weighted paths: Kish 1965, *Survey Sampling*; 0 where no weight is left."""
    squares = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


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
    met = values > condition.value if condition.above else values <= condition.value
    holds: BoolArray = np.asarray(met.all(axis=1) if condition.how == "every" else met.any(axis=1))
    return holds
