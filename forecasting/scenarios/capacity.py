"""Reception places needed by month: arrivals, how many of them need a place, and how long they stay.

People present at a month's end are those of each month since who have not left. Arrivals are spread evenly over their
month; a stay is of fixed length, or ends with the same chance at any time (exponential, as in a stationary queue:
Little 1961, Operations Research 9(3)).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from core.errors import InputError
from core.quantiles import FloatArray

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
        part: FloatArray = np.clip(needs.stay_months - ages, 0.0, 1.0)
        return part
    length = needs.stay_months
    ages = np.arange(int(np.ceil(-length * np.log(NEGLIGIBLE))) + 1)
    open_stay: FloatArray = length * (np.exp(-ages / length) - np.exp(-(ages + 1) / length))
    return open_stay


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
