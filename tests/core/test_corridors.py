"""A corridor is one file; a file that is not one is refused by name and field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import InputError
from core.routes import (
    OWN_CORRIDORS,
    ROUTES,
    corridor,
    find_route,
    read_corridors,
    region_of,
    route_name,
    use_own_corridors,
)
from core.settings import load_settings
from geo import is_placed

TOY = 'names = { en = "Toy Strait", fr = "Détroit du jouet" }\n'
ARROW = "\n[arrow]\nstart = [-5.3, 35.6]\ncontrol = [-5.3, 35.8]\nend = [-5.3, 35.9]\nlabel = [-5, 35]\n"
PART = '[[parts]]\nmajor = true\ncandidates = [{ source = "iom_dtm", places = ["ITA"] }]\n'


def write(folder: Path, text: str, name: str = "TOY.toml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_corridors_stand_by_region_order_and_code(tmp_path: Path) -> None:
    for name, region, order in (("A", "oceania", 1), ("B", "europe", 2), ("C", "europe", 1), ("D", "americas", 9)):
        write(tmp_path, f'region = "{region}"\norder = {order}\n{TOY}', f"{name}{name}.toml")
    assert list(read_corridors(tmp_path)) == ["CC", "BB", "DD", "AA"]


def test_a_corridors_sources_are_those_of_its_parts(tmp_path: Path) -> None:
    assert read_corridors(write(tmp_path, TOY + PART))["TOY"].sources == {"iom_dtm"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('names = { fr = "Détroit" }', r"TOY\.toml.*names\.en is missing"),
        (TOY + PART.replace("major = true", ""), r"TOY\.toml.*one of the parts must be major"),
        (TOY + PART.replace("places", "geos"), r"TOY\.toml, field parts\.0\.candidates\.0\.places"),
        ('counts = "detections"\nadded_up = true\n' + TOY, r"TOY\.toml.*only corridors that count persons"),
        ("names = ", r"TOY\.toml: not readable as TOML"),
    ],
)
def test_a_broken_file_is_refused_by_name_and_rule(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        read_corridors(write(tmp_path, text))


@pytest.mark.parametrize("name", ["X_TOY.toml", "toy.toml", "T.OY.toml"])
def test_a_file_that_is_not_named_by_a_code_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="named by its code"):
        read_corridors(write(tmp_path, TOY, name))


OWN = "X_CEUTA_BY_LAND"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    """Return a home's folder for files of own corridors."""
    folder = tmp_path / OWN_CORRIDORS
    folder.mkdir(parents=True)
    yield folder
    use_own_corridors(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["X_CEUTA_BY_LAND.toml", "Ceuta by land.toml"])
def test_an_own_route_has_the_names_and_the_arrow_of_its_file(own: Path, tmp_path: Path, name: str) -> None:
    write(own, 'names = { en = "Ceuta on foot" }' + ARROW, name)
    assert not is_placed(OWN)
    load_settings(tmp_path)
    assert (route_name(OWN, "fr"), is_placed(OWN), region_of(OWN)) == ("Ceuta on foot", True, "europe")
    assert find_route("ceuta on foot", [OWN]) == OWN


def test_unchanged_own_file_is_parsed_once(own: Path, tmp_path: Path) -> None:
    write(own, 'names = { en = "Ceuta on foot" }', f"{OWN}.toml")
    load_settings(tmp_path)
    first = corridor(OWN)
    load_settings(tmp_path)
    assert corridor(OWN) is first
    write(own, 'names = { en = "Ceuta by foot" }', f"{OWN}.toml")
    load_settings(tmp_path)
    assert route_name(OWN) == "Ceuta by foot"


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("CMR", TOY, "CMR is a route of Vigie"),
        ("X_CEUTA", TOY + PART, "field parts: an own route's figures come by its mapping"),
        ("X_CEUTA", 'names = { en = "<b>Ceuta</b>" }', "letters, digits, spaces"),
    ],
)
def test_an_own_file_that_is_not_plain_is_refused(own: Path, tmp_path: Path, name: str, text: str, fault: str) -> None:
    write(own, text, f"{name}.toml")
    with pytest.raises(InputError, match=fault):
        load_settings(tmp_path)


def test_an_unknown_region_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    write(tmp_path, 'regions = ["atlantis"]', "settings.toml")
    with pytest.raises(InputError, match="no region 'atlantis'; known: europe, americas, horn_of_africa"):
        load_settings(tmp_path)


def test_only_corridors_of_persons_in_one_region_are_added_up() -> None:
    added = [route for route in ROUTES.values() if route.added_up]
    assert {(route.counts, route.region) for route in added} == {("arrivals", "europe")}
