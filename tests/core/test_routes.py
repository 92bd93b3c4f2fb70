"""A route is found by its code or by its name, in any language; one's own may be named in any script."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.languages import Language
from core.routes import ROUTES, find_route, is_own, own_route_id, route_name
from reports.names import route_name as name_in

CODES = [*ROUTES, "X_CEUTA", "X_ALMERA__7VA"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("CMR", "CMR"), ("cmr", "CMR"), ("Central Mediterranean", "CMR"), ("mediterranee  CENTRALE", "CMR"),
        ("Manche", "CHA"), ("english-channel", "CHA"), ("western african", "WAR"), ("Ceuta", "X_CEUTA"),
        ("almeria", "X_ALMERA__7VA"), ("Almería", "X_ALMERA__7VA"),
    ],
)  # fmt: skip
def test_route_is_found_by_code_or_by_name_in_any_language(text: str, code: str) -> None:
    assert find_route(text, CODES) == code


@pytest.mark.parametrize("text", ["Atlantis", "western", "", "–"])
def test_what_names_no_one_route_is_refused_with_those(text: str) -> None:
    with pytest.raises(InputError, match=r"CMR \(Central Mediterranean\)"):
        find_route(text, CODES)


@pytest.mark.parametrize(
    ("name", "code", "shown"),
    [
        ("Almería", "X_ALMERA__7VA", "Almería"), ("ALMERI\u0301A", "X_ALMERA__7VA", "Almería"),
        ("Κως", "X___VXAQU", "Κως"), ("الجزيرة الخضراء", "X____NMCQBAJUTXEF7CYKG9F", "الجزيرة الخضراء"),
        ("हिन्दी", "X___J2BD4CYAH0F", "हिन्दी"),
        ("Saint-Étienne (gare)", "X_SAINTTIENNE_GARE__FQB3664L", "Saint-étienne gare"),
        ("Côte d'Ivoire", "X_CTE_DIVOIRE__2EB7674H", "Côte d’ivoire"),
        ("Ceuta – by land", "X_CEUTA_BY_LAND", "Ceuta by land"),
    ],
)  # fmt: skip
def test_name_in_any_script_has_code_of_ascii_that_holds_it(name: str, code: str, shown: str) -> None:
    assert (own_route_id(name), route_name(code), own_route_id(code)) == (code, shown, code)
    assert {name_in(code, Language(one)) for one in ("en", "fr", "es")} == {shown}


@given(st.text(max_size=45))
def test_own_name_holds_no_markup(text: str) -> None:
    try:
        code = own_route_id(text)
    except InputError:
        return
    assert code in ROUTES or (is_own(code) and re.fullmatch(r"X_[A-Z0-9_]+", code) and len(code) <= 120)
    shown = route_name(code)
    assert own_route_id(shown) == code
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e<>&\"=+@*_`\[\]()#|$~:;\\]", shown)
    assert shown[0].isalnum()


@pytest.mark.parametrize("code", ["X__7VA", "X_A__B", "X_A__999999", "X_almera__7VA", "X___", "X_AB__C8T", "x_A"])
def test_code_that_vigie_would_not_write_names_no_route(code: str) -> None:
    assert not is_own(code)
