"""Where each route is drawn on the map. For display only.

The points come from general geographic knowledge of where a route begins and ends. They trace no actual path, no
departure place and no landing place, and nothing is computed from them but the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geo.projection import project

Degrees = tuple[float, float]
FRAME_KM = ((-3250.0, 3250.0), (-2600.0, 1850.0))
"""x and y range of the map that every screen shows; wider or taller screens see more land around it."""


@dataclass(frozen=True)
class RouteGeometry:
    """The arrow of one route and the place of its label, in (longitude, latitude).

    Attributes:
        start: Where the arrow's tail is.
        control: Point that bends the arrow (quadratic Bézier).
        end: Where the arrow's tip is.
        label: Anchor of the label, chosen so that labels fit from 358 pixels to full width.
        align: The side of the label that stands on the anchor, and on which its lines are flush.
    """

    start: Degrees
    control: Degrees
    end: Degrees
    label: Degrees
    align: Literal["left", "right", "center"] = "left"


ROUTE_GEOMETRY: dict[str, RouteGeometry] = {
    "CMR": RouteGeometry((13.5, 26.5), (15.9, 32.1), (14.0, 36.6), (15.6, 26.6)),
    "EMR": RouteGeometry((41.7, 37.6), (33.5, 37.4), (26.5, 38.4), (43.8, 30.2), "right"),
    "WMR": RouteGeometry((-3.1, 31.2), (-1.7, 33.8), (-2.4, 36.9), (-2.0, 28.8), "center"),
    "WAR": RouteGeometry((-15.1, 13.3), (-19.2, 20.5), (-15.8, 27.5), (-13.9, 19.0)),
    "CHA": RouteGeometry((4.3, 46.6), (2.4, 48.6), (0.9, 51.2), (5.3, 49.6)),
    "WBR": RouteGeometry((22.0, 40.6), (20.2, 43.6), (18.6, 46.6), (23.4, 44.9)),
    "EBR": RouteGeometry((32.0, 50.2), (28.0, 52.4), (23.2, 51.4), (27.4, 48.6)),
    "ALB": RouteGeometry((19.4, 42.0), (20.9, 41.2), (21.6, 39.4), (17.6, 40.4), "right"),
    "BSR": RouteGeometry((36.0, 42.6), (32.0, 44.6), (28.6, 43.6), (36.6, 44.0)),
}


def centre_line(route_id: str) -> NDArray[np.float64]:
    """Start, control and end point of a route in kilometres, shape ``(3, 2)``.

    Raises:
        KeyError: The route has no place on the map.
    """
    geometry = ROUTE_GEOMETRY[route_id]
    return project([geometry.start, geometry.control, geometry.end])


def label_place(route_id: str) -> tuple[float, float]:
    """Anchor of a route's label in kilometres."""
    x, y = project([ROUTE_GEOMETRY[route_id].label])[0]
    return float(x), float(y)
