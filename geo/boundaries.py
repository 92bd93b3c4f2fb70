"""Country shapes for the flow map: made once from Natural Earth, bundled small, read fast.

Natural Earth is in the public domain. The shapes are for orientation only; names and boundaries imply no endorsement.
Where Natural Earth draws who holds a territory, the map follows the United Nations' practice instead: Northern Cyprus
is drawn with Cyprus, Somaliland with Somalia, Crimea with Ukraine, and Western Sahara whole. Kosovo is drawn by
itself, as XKX.

One projection serves the whole map: Lambert azimuthal equal-area, centred between the coasts, in kilometres. Equal area
keeps the weight of arrows and countries honest over the whole frame (Snyder, Map Projections: A Working Manual, USGS
1987, p. 182).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pycountry
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from shapely import MultiPolygon, Polygon, box, get_parts, make_valid, segmentize, set_precision
from shapely.geometry.base import BaseGeometry

from core.errors import SourceError

CENTRE_LATITUDE, CENTRE_LONGITUDE = 38, 10
MAP_CRS = CRS.from_proj4(
    f"+proj=laea +lat_0={CENTRE_LATITUDE} +lon_0={CENTRE_LONGITUDE} +datum=WGS84 +units=km +no_defs"
)


@lru_cache(maxsize=1)
def _transformer() -> Transformer:
    return Transformer.from_crs("EPSG:4326", MAP_CRS, always_xy=True)


def project(points: Iterable[tuple[float, float]]) -> NDArray[np.float64]:
    """Bring (longitude, latitude) in degrees to (x, y) in kilometres.

    Returns:
        An array of shape ``(n, 2)``; x grows eastwards, y northwards, (0, 0) is 38° N 10° E.
    """
    degrees = np.asarray(list(points), dtype=np.float64).reshape(-1, 2)
    x, y = _transformer().transform(degrees[:, 0], degrees[:, 1])
    return np.column_stack([x, y])


FILE_NAME = "boundaries.parquet"
CUT_DEGREES = box(-85, -20, 115, 86)
CLIP_KM = box(-4600, -4300, 4600, 3600)
DENSIFY_DEGREES = 0.5
SIMPLIFY_KM = 5.0
SMALLEST_KM2 = 120.0

_WITHOUT_CODE = {"Kosovo": "XKX", "N. Cyprus": "CYP", "Somaliland": "SOM"}
_OUT_OF_FRAME = frozenset({"Indian Ocean Ter.", "Siachen Glacier"})
_MOVED = (("RUS", "UKR", box(32.0, 44.0, 36.6, 46.3)), ("MAR", "ESH", box(-18.0, 20.0, -8.6, 27.667)))


def build(topojson_path: Path, target: Path) -> Path:
    """Make the bundled file from Natural Earth's 50 m TopoJSON.

    Args:
        topojson_path: ``countries-50m.json`` of Natural Earth, object ``countries``.
        target: Folder to write ``boundaries.parquet`` into.

    Returns:
        The path written. The same input gives the same bytes.

    Raises:
        SourceError: The file is no TopoJSON of countries, or a country's code is unknown.
    """
    shapes = _read_countries(topojson_path)
    shapes["geo"] = [
        _alpha3(code, name, topojson_path.name) for code, name in zip(shapes["id"], shapes["name"], strict=True)
    ]
    shapes["geometry"] = shapes.geometry.make_valid().intersection(CUT_DEGREES)
    shapes = shapes[shapes["geo"] != ""].pipe(_move_territories)
    shapes = shapes[~shapes.geometry.is_empty].dissolve(by="geo", aggfunc="first")
    shapes = shapes.set_geometry(segmentize(shapes.geometry.values, DENSIFY_DEGREES), crs="EPSG:4326").to_crs(MAP_CRS)
    shapes["geometry"] = [_fit_to_frame(shape) for shape in shapes.geometry]
    shapes = shapes[~shapes.geometry.is_empty].sort_index().reset_index()
    path = target / FILE_NAME
    shapes[["geo", "geometry"]].to_parquet(path, index=False, compression="zstd")
    return path


def load(folder: Path) -> gpd.GeoDataFrame:
    """Read the bundled shapes.

    Returns:
        Columns ``geo`` (ISO 3166 alpha-3, Kosovo as XKX) and ``geometry`` (kilometres of ``MAP_CRS``).

    Raises:
        SourceError: The bundled file is not there.
    """
    path = folder / FILE_NAME
    if not path.exists():
        raise SourceError(FILE_NAME, f"the bundled shapes are missing from the folder '{folder.name}'")
    return gpd.read_parquet(path)


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


def _read_countries(path: Path) -> gpd.GeoDataFrame:
    try:
        shapes = gpd.read_file(path, layer="countries")
    except (OSError, RuntimeError, ValueError) as error:
        raise SourceError(path.name, f"not readable as TopoJSON with an object 'countries': {error}") from None
    missing = {"id", "name"} - set(shapes.columns)
    if missing or shapes.empty:
        raise SourceError(path.name, f"countries must have an id and a name; missing {sorted(missing)}")
    return shapes


def _alpha3(numeric: str | None, name: str, file: str) -> str:
    if not numeric:
        if name in _OUT_OF_FRAME:
            return ""
        if name not in _WITHOUT_CODE:
            raise SourceError(file, f"'{name}' has no numeric code and no known place", column="id")
        return _WITHOUT_CODE[name]
    country = pycountry.countries.get(numeric=numeric)
    if country is None:
        raise SourceError(file, f"'{name}': {numeric} is no ISO 3166 numeric code", column="id")
    code: str = country.alpha_3
    return code


def _move_territories(shapes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    for drawn_with, belongs_to, area in _MOVED:
        moved = shapes[shapes["geo"] == drawn_with].copy()
        kept = moved.copy()
        moved["geometry"], kept["geometry"] = moved.intersection(area), kept.difference(area)
        moved["geo"] = belongs_to
        shapes = pd.concat([shapes[shapes["geo"] != drawn_with], kept, moved[~moved.is_empty]])
    return shapes


def _fit_to_frame(shape: BaseGeometry) -> MultiPolygon:
    """Clip in kilometres, simplify, and keep what has an area; the largest part always stays."""
    clipped = make_valid(shape).intersection(CLIP_KM)
    rounded = set_precision(make_valid(clipped.simplify(SIMPLIFY_KM)), 0.1)
    polygons = [part for part in get_parts(get_parts(rounded)) if isinstance(part, Polygon)]
    polygons.sort(key=lambda part: -part.area)
    return MultiPolygon([part for rank, part in enumerate(polygons) if rank == 0 or part.area >= SMALLEST_KM2])
