"""Tapered arrows as polygons: the width of the line is the number of people."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

KM_PER_PERSON = 190 / 10_000
NARROWEST_KM = 22.0
WIDEST_MEDIAN_KM, WIDEST_UPPER_KM = 320.0, 460.0
"""Of the arrow of the median, and of the pale one of the 90 % quantile under it."""
UPPER_OPACITY = 0.22
"""Of that pale arrow."""
TAIL_SHARE = 0.45
_HEAD_TO_SHAFT = 2.1
_HEAD_MARGIN_KM = 42.0
_LONGEST_HEAD_SHARE = 0.55


def curve(start: FloatArray, control: FloatArray, end: FloatArray, points: int = 40) -> FloatArray:
    """Sample a quadratic Bézier curve, shape ``(points, 2)``."""
    t = np.linspace(0, 1, points)[:, None]
    sampled: FloatArray = (1 - t) ** 2 * start + 2 * (1 - t) * t * control + t**2 * end
    return sampled


def km_per_person(medians: Iterable[float], uppers: Iterable[float]) -> float:
    """Width of a map's arrows per person: 19 m, less where the largest flow would cover the map.

    Args:
        medians: Persons expected on each route; NaN where there is no forecast.
        uppers: 90 % quantiles of the same.
    """
    limits = [KM_PER_PERSON]
    for values, widest in ((medians, WIDEST_MEDIAN_KM), (uppers, WIDEST_UPPER_KM)):
        if largest := max((value for value in values if value > 0), default=0.0):
            limits.append(widest / largest)
    return min(limits)


def arrow_width(persons: float, km_per_person: float = KM_PER_PERSON) -> float:
    """Width of the shaft in kilometres: linear in persons, with a floor so that a small flow stays visible."""
    return max(NARROWEST_KM, persons * km_per_person)


def tapered_arrow(path_points: FloatArray, width_km: float) -> FloatArray:
    """Draw one arrow along a path.

    The shaft grows evenly from 45 % of its width at the tail to the full width at the neck. The barbs stand
    perpendicular to the line from neck to tip, so that a bent arrow keeps a straight head.

    Args:
        path_points: Centre line from tail to tip in kilometres, shape ``(n, 2)``, at least three points.
        width_km: Width of the shaft where the head begins.

    Returns:
        The closed ring of the polygon, shape ``(m, 2)``; its first point is repeated at the end.

    Raises:
        ValueError: Fewer than three points, or a width that is not positive.
    """
    path = np.asarray(path_points, dtype=np.float64)
    if len(path) < 3 or width_km <= 0:
        raise ValueError("an arrow needs at least three points and a positive width")
    shaft = _shaft(path, _head_length(path, width_km))
    neck, tip = shaft[-1], path[-1]
    half = np.linspace(TAIL_SHARE, 1, len(shaft))[:, None] * width_km / 2
    normals = _normals(shaft)
    across = _left_of(tip - neck)
    normals[-1] = across
    barb = across * (width_km * _HEAD_TO_SHAFT + _HEAD_MARGIN_KM) / 2
    left, right = shaft + normals * half, shaft - normals * half
    return np.vstack([left, neck + barb, tip, neck - barb, right[::-1], left[:1]])


def _head_length(path: FloatArray, width_km: float) -> float:
    length = float(np.hypot(*np.diff(path, axis=0).T).sum())
    return min(width_km * 1.1 + 70, length * _LONGEST_HEAD_SHARE)


def _shaft(path: FloatArray, head_length: float) -> FloatArray:
    """The path without its last ``head_length`` kilometres, resampled evenly."""
    travelled = np.concatenate([[0.0], np.hypot(*np.diff(path, axis=0).T).cumsum()])
    kept = np.linspace(0, travelled[-1] - head_length, len(path))
    return np.column_stack([np.interp(kept, travelled, path[:, axis]) for axis in (0, 1)])


def _normals(path: FloatArray) -> FloatArray:
    return np.apply_along_axis(_left_of, 1, np.gradient(path, axis=0))


def _left_of(direction: FloatArray) -> FloatArray:
    turned = np.array([-direction[1], direction[0]])
    unit: FloatArray = turned / np.hypot(*turned)
    return unit
