"""Shapes of the maps, ``data/boundaries*.parquet``, made from Natural Earth: ``python -m benchmarks.boundaries FILE``.

Natural Earth is in the public domain. Where it draws who holds a territory, the map follows the United Nations'
practice instead: Northern Cyprus is drawn with Cyprus, Somaliland with Somalia, Crimea with Ukraine, and Western Sahara
whole. Kosovo is drawn by itself, as XKX.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pycountry
from shapely import MultiPolygon, Polygon, box, get_parts, make_valid, segmentize, set_precision
from shapely.geometry.base import BaseGeometry

from core.errors import SourceError
from core.routes import DEFAULT_REGION
from core.settings import SNAPSHOT
from geo import MAPS, RegionMap

CUT_DEGREES = {
    "europe": box(-85, -20, 115, 86),
    "americas": box(-180, -25, -20, 86),
    "horn_of_africa": box(-20, -45, 105, 65),
}
"""Degrees around each clip."""
MARGIN_KM = (1350, 1700, 1750)
"""Land beyond the frame: in x, to the south and to the north."""
DENSIFY_DEGREES, SIMPLIFY_KM, SMALLEST_KM2 = 0.5, 5.0, 120.0
_PLACED = {"Kosovo": "XKX", "N. Cyprus": "CYP", "Somaliland": "SOM", "Indian Ocean Ter.": "", "Siachen Glacier": ""}
"""Places without a code of their own; those out of the frame have none."""
_MOVED = (("RUS", "UKR", box(32.0, 44.0, 36.6, 46.3)), ("MAR", "ESH", box(-18.0, 20.0, -8.6, 27.667)))


def clip_of(map_of: RegionMap) -> Polygon:
    """The land that is kept: the frame with its margin, in kilometres."""
    ((west, east), (south, north)), (wide, down, up) = map_of.frame, MARGIN_KM
    return box(west - wide, south - down, east + wide, north + up)


def build(topojson_path: Path, target: Path, region: str = DEFAULT_REGION) -> Path:
    """Make a region's shapes in a folder from ``countries-50m.json``; the same input gives the same bytes.

    Raises:
        SourceError: The file is no TopoJSON of countries, or a country's code is unknown.
    """
    name = topojson_path.name
    try:
        shapes = gpd.read_file(topojson_path, layer="countries")
    except (OSError, RuntimeError, ValueError) as error:
        raise SourceError(name, f"not readable as TopoJSON with an object 'countries': {error}") from None
    missing = {"id", "name"} - set(shapes.columns)
    if missing or shapes.empty:
        raise SourceError(name, f"countries must have an id and a name; missing {sorted(missing)}")
    shapes["geo"] = [_alpha3(code, country, name) for code, country in zip(shapes["id"], shapes["name"], strict=True)]
    shapes["geometry"] = shapes.geometry.make_valid().intersection(CUT_DEGREES[region])
    shapes = shapes[shapes["geo"] != ""].pipe(_move_territories)
    shapes = shapes[~shapes.geometry.is_empty].dissolve(by="geo", aggfunc="first")
    shapes = shapes.set_geometry(segmentize(shapes.geometry.values, DENSIFY_DEGREES), crs="EPSG:4326").to_crs(
        MAPS[region].crs
    )
    shapes["geometry"] = [_fit_to_frame(shape, clip_of(MAPS[region])) for shape in shapes.geometry]
    shapes = shapes[~shapes.geometry.is_empty].sort_index().reset_index()
    path = target / MAPS[region].file
    shapes[["geo", "geometry"]].to_parquet(path, index=False, compression="zstd")
    return path


def _alpha3(numeric: str | None, name: str, file: str) -> str:
    if not numeric and name in _PLACED:
        return _PLACED[name]
    country = pycountry.countries.get(numeric=numeric) if numeric else None
    if country is None:
        raise SourceError(file, f"'{name}' has no known place: {numeric} is no ISO 3166 numeric code", column="id")
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


def _fit_to_frame(shape: BaseGeometry, clip: Polygon) -> MultiPolygon:
    """Clip in kilometres, simplify, and keep what has an area; the largest part always stays."""
    clipped = make_valid(shape).intersection(clip)
    rounded = set_precision(make_valid(clipped.simplify(SIMPLIFY_KM)), 0.1)
    polygons = [part for part in get_parts(get_parts(rounded)) if isinstance(part, Polygon)]
    polygons.sort(key=lambda part: -part.area)
    return MultiPolygon([part for rank, part in enumerate(polygons) if rank == 0 or part.area >= SMALLEST_KM2])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make data/boundaries*.parquet, the shapes of the maps.")
    parser.add_argument("file", type=Path, help="countries-50m.json of Natural Earth, as TopoJSON")
    try:
        made = [build(parser.parse_args().file, SNAPSHOT, region).name for region in MAPS]
    except SourceError as error:
        sys.exit(str(error))
    sys.stderr.write(f"{', '.join(made)} written\n")
