import numpy as np
import pytest
from numpy.typing import NDArray
from shapely import LineString, Polygon

from core.routes import ROUTES
from geo import MAPS, arrow_width, centre_line, curve, is_placed, km_per_person, label_place, project, tapered_arrow

STRAIGHT = np.column_stack([np.linspace(0, 1000, 40), np.zeros(40)])


def shaft_width(ring: NDArray[np.float64], x: float) -> float:
    crossing = Polygon(ring).intersection(LineString([(x, -5000), (x, 5000)]))
    return float(crossing.length)


def test_shaft_grows_from_45_percent_to_its_width() -> None:
    ring = tapered_arrow(STRAIGHT, 100)
    neck = 1000 - 180
    assert np.diff(ring[:40, 0]) == pytest.approx(np.full(39, neck / 39))
    assert shaft_width(ring, 0.001) == pytest.approx(45, abs=0.1)
    assert shaft_width(ring, neck / 2) == pytest.approx(72.5, abs=0.1)
    assert shaft_width(ring, neck - 0.001) == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize(
    ("persons", "width"), [(0, 22), (1_000, 22), (1_157, 22), (1_158, 22.002), (5_000, 95), (10_000, 190)]
)
def test_width_is_linear_in_persons_with_floor(persons: float, width: float) -> None:
    assert arrow_width(persons) == pytest.approx(width)


NAN = float("nan")


@pytest.mark.parametrize(
    ("medians", "uppers", "metres"),
    [
        ([], [], 19.0), ([0.0, NAN], [0.0, NAN], 19.0), ([12_000.0, 500.0], [], 19.0), ([], [17_000.0, 500.0], 19.0),
        ([NAN, 500.0, 17_000.0], [NAN], 240_000 / 17_000), ([NAN, 500.0], [500.0, 2_000_000.0], 0.17),
        ([2_000_000.0], [2_500_000.0], 0.12), ([0.5], [0.5], 19.0),
    ],
)  # fmt: skip
def test_arrow_width_is_proportional_up_to_limit(medians: list[float], uppers: list[float], metres: float) -> None:
    assert 1000 * km_per_person(medians, uppers) == pytest.approx(metres)


@pytest.mark.parametrize(
    ("length", "width", "head", "barbs"), [(1000, 100, 180, 252), (1000, 10, 81, 63), (200, 100, 110, 252)]
)
def test_arrow_head_is_at_most_55_hundredths(length: float, width: float, head: float, barbs: float) -> None:
    ring = tapered_arrow(STRAIGHT * length / 1000, width)
    assert (ring[0] == ring[-1]).all()
    widest = ring[abs(ring[:, 1]) == abs(ring[:, 1]).max()]
    np.testing.assert_allclose(np.sort(widest[:, 1]), [-barbs / 2, barbs / 2])
    np.testing.assert_allclose(widest[:, 0], length - head)


@pytest.mark.parametrize("route_id", sorted(ROUTES))
@pytest.mark.parametrize("width", [22, 60, 190, 320, 420])
def test_arrow_of_every_route_is_valid_polygon_at_any_width(route_id: str, width: float) -> None:
    polygon = Polygon(tapered_arrow(curve(*centre_line(route_id)), width))
    assert polygon.is_valid
    assert polygon.area > 0


def test_every_route_has_place_on_map() -> None:
    assert all(map(is_placed, ROUTES))


@pytest.mark.parametrize("route_id", sorted(ROUTES))
def test_arrows_and_labels_lie_inside_frame_of_every_screen(route_id: str) -> None:
    (west, east), (south, north) = MAPS[ROUTES[route_id].region].frame
    for x, y in [*centre_line(route_id)[[0, 2]], label_place(route_id)]:
        assert west <= x <= east
        assert south <= y <= north


def test_one_degree_along_central_meridian_is_about_111_km() -> None:
    np.testing.assert_allclose(project([(10, 39)]), [[0, 111.0]], atol=0.5)


def test_tip_is_end_of_path() -> None:
    ring = tapered_arrow(STRAIGHT, 100)
    assert (1000.0, 0.0) in {tuple(point) for point in ring.tolist()}
    assert Polygon(ring).bounds[2] == 1000


def test_barbs_are_perpendicular() -> None:
    path = curve(np.array([0, 0]), np.array([800, 0]), np.array([800, 800]))
    ring = tapered_arrow(path, 60)
    tip_at = int(np.flatnonzero((ring == path[-1]).all(axis=1))[0])
    left, right = ring[tip_at - 1], ring[tip_at + 1]
    neck = (left + right) / 2
    assert np.dot(left - right, path[-1] - neck) == pytest.approx(0, abs=1e-6)
    assert np.hypot(*(left - right)) > 60


def test_bent_line_keeps_its_ends() -> None:
    line = curve(np.array([0, 0]), np.array([4, 8]), np.array([8, 0]), points=3)
    np.testing.assert_allclose(line, [[0, 0], [4, 4], [8, 0]])
    assert len(tapered_arrow(line, 1)) == 2 * 3 + 4
    assert len(curve(*STRAIGHT[:3])) == 40
