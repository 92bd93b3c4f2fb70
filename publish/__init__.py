"""What others read: the public site, the read-only HTTP interface, and routes as files for maps.

Here: routes as features with what is expected, as GeoJSON for the web and GeoPackage for QGIS.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import geopandas as gpd
from shapely import LineString

from core.calendar import planning_window
from core.languages import Language
from geo import is_placed, path_in_degrees
from reports import numbers
from reports.names import route_name
from store.releases import Release

_DEGREES = "EPSG:4326"
_FIGURES = ["state", "expected", "low", "high", "last_period", "last_value"]


def route_features(release: Release, language: Language) -> gpd.GeoDataFrame:
    """Return one line per route with the arrivals expected over the release's planning window.

    Args:
        release: ``alerts`` and the tables of ``route_summary`` are read.
        language: The reader's, for names.

    Returns:
        ``route_id``, ``name``, ``state``, ``expected`` (median), ``low`` and ``high`` (80 % interval) of the sum over
        ``first_month`` to ``last_month``, ``last_period``, ``last_value``, all in persons; ``alert_level`` (empty
        without an alert), ``release``, ``as_of``; ``geometry`` in degrees (WGS 84), empty for a route without a place
        on the map.

    Raises:
        StoreError: A table cannot be read.
    """
    months, ends = planning_window(release.as_of), numbers.window_ends(release.as_of)
    found = numbers.route_summary(release.read, release.read("alerts"), ends)
    lines = [LineString(path_in_degrees(one)) if is_placed(one) else None for one in found["route_id"]]
    features = found[["route_id"]].assign(
        name=[route_name(one, language) for one in found["route_id"]],
        **{name: found[name] for name in _FIGURES},
        first_month=str(months[0]), last_month=str(months[-1]), alert_level=found["level"],
        release=release.run_id, as_of=release.as_of.isoformat(),
    )  # fmt: skip
    return gpd.GeoDataFrame(features, geometry=lines, crs=_DEGREES)


def geojson_bytes(features: gpd.GeoDataFrame) -> bytes:
    """Return features as GeoJSON (RFC 7946); a missing number is null."""
    return bytes(features.to_json(na="null", drop_id=True, ensure_ascii=False).encode())


def geopackage_bytes(features: gpd.GeoDataFrame) -> bytes:
    """Return features as a GeoPackage (OGC 12-128) with one layer, ``routes``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "routes.gpkg"
        features.to_file(path, layer="routes", driver="GPKG", engine="pyogrio")
        return path.read_bytes()
