"""A route is found by its code or by its name, in any language."""

from __future__ import annotations

import pytest

from core.errors import InputError
from core.routes import ROUTES, find_route

CODES = [*ROUTES, "X_CEUTA"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("CMR", "CMR"), ("cmr", "CMR"), ("Central Mediterranean", "CMR"), ("mediterranee  CENTRALE", "CMR"),
        ("Manche", "CHA"), ("english-channel", "CHA"), ("western african", "WAR"), ("Ceuta", "X_CEUTA"),
    ],
)  # fmt: skip
def test_a_route_is_found_by_code_or_by_name_in_any_language(text: str, code: str) -> None:
    assert find_route(text, CODES) == code


@pytest.mark.parametrize("text", ["Atlantis", "western", "", "–"])
def test_what_names_no_one_route_is_refused_with_those_that_there_are(text: str) -> None:
    with pytest.raises(InputError, match=r"CMR \(Central Mediterranean\)"):
        find_route(text, CODES)
