"""Geometry of the flow map: country shapes, one projection, and arrows as wide as the number of people.

The shapes were made once from Natural Earth (``python -m benchmarks.boundaries``) and are bundled small. They are for
orientation only; names and boundaries imply no endorsement.

One projection serves the whole map of a region: Lambert azimuthal equal-area, centred in it, in kilometres. Equal area
keeps the weight of arrows and countries honest over the whole frame (Snyder, Map Projections: A Working Manual, USGS
1987, p. 182).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from shapely import box, get_parts

from core.errors import SourceError
from core.routes import DEFAULT_REGION, Arrow, corridor, receiving, region_of

Range = tuple[float, float]


@dataclass(frozen=True)
class RegionMap:
    """The map of one region.

    Attributes:
        longitude: Of the projection's centre, degrees.
        latitude: The same.
        frame: x and y range, in kilometres, that every screen shows; wider or taller screens see more land around it.
        file: The bundled shapes.
    """

    longitude: float
    latitude: float
    frame: tuple[Range, Range]
    file: str

    @property
    def crs(self) -> CRS:
        """Its projection."""
        return CRS.from_proj4(
            f"+proj=laea +lat_0={self.latitude} +lon_0={self.longitude} +datum=WGS84 +units=km +no_defs"
        )


MAPS: dict[str, RegionMap] = {
    "europe": RegionMap(10, 38, ((-3000.0, 2900.0), (-2000.0, 1900.0)), "boundaries.parquet"),
    "americas": RegionMap(-92, 28, ((-3870.0, 3870.0), (-2750.0, 2550.0)), "boundaries_americas.parquet"),
    "horn_of_africa": RegionMap(42, 6, ((-3250.0, 3250.0), (-2200.0, 2250.0)), "boundaries_horn_of_africa.parquet"),
}
"""By region; a corridor of any other region is not drawn."""


@lru_cache(maxsize=len(MAPS))
def _transformer(region: str) -> Transformer:
    return Transformer.from_crs("EPSG:4326", MAPS[region].crs, always_xy=True)


def project(points: Iterable[tuple[float, float]], region: str = DEFAULT_REGION) -> NDArray[np.float64]:
    """Bring (longitude, latitude) in degrees to (x, y) in kilometres of a region's map.

    Returns:
        An array of shape ``(n, 2)``; x grows eastwards, y northwards, (0, 0) is the centre of the region's map.
    """
    degrees = np.asarray(list(points), dtype=np.float64).reshape(-1, 2)
    x, y = _transformer(region).transform(degrees[:, 0], degrees[:, 1])
    return np.column_stack([x, y])


def load_shapes(folder: Path, region: str = DEFAULT_REGION) -> gpd.GeoDataFrame:
    """Read the bundled shapes of a region.

    Returns:
        Columns ``geo`` (ISO 3166 alpha-3, Kosovo as XKX) and ``geometry`` (kilometres of the region's map).

    Raises:
        SourceError: The bundled file is not there.
    """
    path = folder / MAPS[region].file
    if not path.exists():
        raise SourceError(path.name, f"the bundled shapes are missing from the folder '{folder.name}'")
    return gpd.read_parquet(path)


def coarse_rings(
    folder: Path, region: str, *, margin: float, detail: float, least_area: float = 0.0
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Outer rings of all other countries, and of those where people arrive, cut to the frame and simplified.

    Args:
        folder: As for :func:`load_shapes`.
        region: The region.
        margin: Kilometres of land that are kept around the frame.
        detail: Smaller bends are left out, in kilometres.
        least_area: Polygons up to this many square kilometres are left out.

    Returns:
        Rings of shape ``(n, 2)`` in kilometres of the region's map.

    Raises:
        SourceError: The bundled file is not there.
    """
    shapes = load_shapes(folder, region)
    (west, east), (south, north) = MAPS[region].frame
    frame = box(west - margin, south - margin, east + margin, north + margin)
    shapes["geometry"] = shapes.geometry.intersection(frame).simplify(detail)
    receives = shapes["geo"].isin(receiving(region))
    others, entered = (
        [
            np.round(np.asarray(part.exterior.coords), 1)
            for part in get_parts(get_parts(group.to_numpy()))
            if part.geom_type == "Polygon" and part.area > least_area
        ]
        for group in (shapes.geometry[~receives], shapes.geometry[receives])
    )
    return others, entered


def outline(shapes: gpd.GeoDataFrame) -> tuple[list[float | None], list[float | None]]:
    """Flatten shapes into the x and y of one filled line; None parts the rings.

    Holes are left out: an enclave is a country of its own and is drawn over them.
    """
    x: list[float | None] = []
    y: list[float | None] = []
    for polygon in shapes.geometry.explode(index_parts=False):
        ring = np.round(np.asarray(polygon.exterior.coords), 1)
        x += [*ring[:, 0].tolist(), None]
        y += [*ring[:, 1].tolist(), None]
    return x[:-1], y[:-1]


FloatArray = NDArray[np.float64]

KM_PER_PERSON = 190 / 10_000
NARROWEST_KM = 22.0
WIDEST_MEDIAN_KM, WIDEST_UPPER_KM = 240.0, 340.0
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
    normals = np.apply_along_axis(_left_of, 1, np.gradient(shaft, axis=0))
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


def _left_of(direction: FloatArray) -> FloatArray:
    turned = np.array([-direction[1], direction[0]])
    unit: FloatArray = turned / np.hypot(*turned)
    return unit


def is_placed(route_id: str) -> bool:
    """Whether a route has an arrow on the map of its region."""
    return region_of(route_id) in MAPS and corridor(route_id).arrow is not None


def arrow_of(route_id: str) -> Arrow:
    """The arrow of a route.

    Raises:
        KeyError: The route has no place on the map.
    """
    found = corridor(route_id).arrow
    if found is None:
        raise KeyError(route_id)
    return found


def centre_line(route_id: str) -> NDArray[np.float64]:
    """Start, control and end point of a route in kilometres, shape ``(3, 2)``.

    Raises:
        KeyError: The route has no place on the map.
    """
    arrow = arrow_of(route_id)
    return project([arrow.start, arrow.control, arrow.end], region_of(route_id))


def path_in_degrees(route_id: str) -> NDArray[np.float64]:
    """Centre line of a route's arrow in (longitude, latitude), shape ``(n, 2)``, to a hundredth of a degree.

    Raises:
        KeyError: The route has no place on the map.
    """
    x, y = curve(*centre_line(route_id)).T
    return np.column_stack(_transformer(region_of(route_id)).transform(x, y, direction="INVERSE")).round(2)


def label_place(route_id: str) -> tuple[float, float]:
    """Anchor of a route's label in kilometres."""
    x, y = project([arrow_of(route_id).label], region_of(route_id))[0]
    return float(x), float(y)
