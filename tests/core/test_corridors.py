"""A corridor is one file; a file that is not one is refused by name and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.corridors import read_corridors
from core.errors import InputError

TOY = 'names = { en = "Toy Strait", fr = "Détroit du jouet" }\n'
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
