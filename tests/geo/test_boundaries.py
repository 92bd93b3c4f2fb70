import json
import os
import runpy
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from shapely import MultiPolygon, Point, box

from benchmarks import boundaries
from core.errors import SourceError
from core.routes import ROUTES
from core.settings import SNAPSHOT
from geo import MAPS, load_shapes, outline, project


@pytest.fixture(scope="module")
def bundled() -> gpd.GeoDataFrame:
    return load_shapes(SNAPSHOT)


def holder_of(shapes: gpd.GeoDataFrame, longitude: float, latitude: float) -> list[str]:
    x, y = project([(longitude, latitude)])[0]
    return list(shapes.loc[shapes.contains(Point(x, y)), "geo"])


def square(west: float, south: float, size: float = 2.0) -> list[list[list[float]]]:
    ring = [[west, south], [west, south + size], [west + size, south + size], [west + size, south], [west, south]]
    return [ring]


def topojson(tmp_path: Path, countries: list[tuple[str | None, str, float, float]], size: float = 2.0) -> Path:
    arcs, geometries = [], []
    for position, (code, name, west, south) in enumerate(countries):
        arcs.append(square(west, south, size)[0])
        geometry: dict[str, object] = {"type": "Polygon", "arcs": [[position]], "properties": {"name": name}}
        geometries.append(geometry | ({"id": code} if code else {}))
    text = {
        "type": "Topology",
        "objects": {"countries": {"type": "GeometryCollection", "geometries": geometries}},
        "arcs": arcs,
    }
    path = tmp_path / "countries.json"
    path.write_text(json.dumps(text), encoding="utf-8")
    return path


@pytest.mark.parametrize("region", MAPS)
def test_every_bundled_shape_is_valid_and_lies_inside_clip(region: str) -> None:
    shapes = load_shapes(SNAPSHOT, region)
    assert shapes.geometry.is_valid.all()
    assert boundaries.clip_of(MAPS[region]).buffer(0.2).covers(box(*shapes.total_bounds))


@pytest.mark.parametrize("region", MAPS)
def test_codes_are_unique_and_hold_every_country_of_arrival(region: str) -> None:
    codes = load_shapes(SNAPSHOT, region)["geo"]
    assert codes.is_unique
    assert {code for route in ROUTES.values() if route.region == region for code in route.countries} <= set(codes)


@pytest.mark.parametrize(
    ("place", "longitude", "latitude", "geo"),
    [
        ("Rome", 12.5, 41.9, "ITA"), ("Pristina", 21.1, 42.6, "XKX"), ("north of Nicosia", 33.4, 35.28, "CYP"),
        ("Hargeisa", 44.06, 9.56, "SOM"), ("Simferopol", 34.1, 45.0, "UKR"), ("Laayoune", -12.0, 26.5, "ESH"),
    ],
)  # fmt: skip
def test_place_lies_in_country_it_is_drawn_with(
    bundled: gpd.GeoDataFrame, place: str, longitude: float, latitude: float, geo: str
) -> None:
    assert holder_of(bundled, longitude, latitude) == [geo], place


def test_outline_holds_one_ring_per_polygon(bundled: gpd.GeoDataFrame) -> None:
    x, y = outline(bundled)
    assert len(x) == len(y)
    assert [position for position, value in enumerate(x) if value is None] == [
        position for position, value in enumerate(y) if value is None
    ]
    assert x.count(None) + 1 == len(bundled.geometry.explode(index_parts=False))


def test_neighbouring_squares_keep_their_area_through_projection(tmp_path: Path) -> None:
    path = topojson(tmp_path, [("380", "Italy", 10, 38), (None, "Kosovo", 12, 38)])
    shapes = load_shapes(boundaries.build(path, tmp_path).parent)
    assert list(shapes["geo"]) == ["ITA", "XKX"]
    areas = shapes.geometry.area.to_numpy()
    sphere = 6371.0**2 * np.radians(2) * (np.sin(np.radians(40)) - np.sin(np.radians(38)))
    np.testing.assert_allclose(areas, sphere, rtol=0.01)
    assert shapes.crs == MAPS["europe"].crs


def test_parts_of_one_country_become_one_row(tmp_path: Path) -> None:
    path = topojson(tmp_path, [("196", "Cyprus", 32, 34), (None, "N. Cyprus", 36, 34)])
    shapes = load_shapes(boundaries.build(path, tmp_path).parent)
    assert list(shapes["geo"]) == ["CYP"]
    assert len(shapes.geometry.iloc[0].geoms) == 2


@pytest.mark.parametrize(("sides", "kept"), [((12.0, 10.0), 2), ((12.0, 9.9), 1)])
def test_islands_from_120_square_kilometres_are_drawn(sides: tuple[float, float], kept: int) -> None:
    coast = MultiPolygon([box(0, 0, 100, 100), box(200, 0, 200 + sides[0], sides[1])])
    assert len(boundaries._fit_to_frame(coast, boundaries.clip_of(MAPS["europe"])).geoms) == kept


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Kosovo", "XKX"),
        ("N. Cyprus", "CYP"),
        ("Somaliland", "SOM"),
        ("Indian Ocean Ter.", ""),
        ("Siachen Glacier", ""),
    ],
)
def test_place_without_code_is_drawn_as_given(name: str, code: str) -> None:
    assert boundaries._alpha3(None, name, "a file") == code


def test_unknown_place_without_code_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"countries\.json.*'Atlantis'"):
        boundaries.build(topojson(tmp_path, [(None, "Atlantis", 10, 38)]), tmp_path)


@pytest.mark.parametrize("text", ["", "{", '{"type": "Topology", "objects": {}, "arcs": []}', "id;name\n1;2\n"])
def test_file_that_is_no_topojson_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "countries-50m.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=r"countries-50m\.json"):
        boundaries.build(path, tmp_path)


@pytest.mark.raw_data
@pytest.mark.skipif("VIGIE_RAW_DATA" not in os.environ, reason="VIGIE_RAW_DATA names no folder of published files")
@pytest.mark.parametrize("region", MAPS)
def test_bundled_file_is_what_published_file_gives(tmp_path: Path, region: str) -> None:
    raw = Path(os.environ["VIGIE_RAW_DATA"]) / "geo_natural_earth" / "countries-50m.json"
    built, bundled = load_shapes(boundaries.build(raw, tmp_path, region).parent, region), load_shapes(SNAPSHOT, region)
    assert list(built["geo"]) == list(bundled["geo"])
    assert built.geometry.geom_equals(bundled.geometry).all()


@pytest.mark.parametrize(("given", "ending"), [([], 2), (["no_such_file.json"], "no_such_file.json")])
def test_missing_file_is_named_without_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: list[str], ending: int | str
) -> None:
    monkeypatch.setattr(sys, "argv", ["boundaries", *(str(tmp_path / name) for name in given)])
    monkeypatch.delitem(sys.modules, "benchmarks.boundaries")
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module("benchmarks.boundaries", run_name="__main__")
    assert stopped.value.code == ending or str(ending) in str(stopped.value.code)
