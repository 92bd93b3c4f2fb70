"""What is assumed in a scenario, in words."""

from __future__ import annotations

import pytest

from core.languages import Language
from reports.scenario import NONE, assumption

ENGLISH = Language("en")


@pytest.mark.parametrize(("size", "change"), [("-30", "fall by 30%"), ("150", "rise by 150%")])
@pytest.mark.parametrize("share", ["5", "40", "100"])
def test_a_shock_names_the_percentages_that_were_set(size: str, change: str, share: str) -> None:
    values = {
        "kind": "shock", "shock_size": size, "shock_months": "3", "shock_from": "2025-02", "to_route": "WAR",
        "to_share": share,
    }  # fmt: skip
    said = assumption(values, ENGLISH)
    assert f"{change} from February 2025 for 3 months" in said
    assert f", {share}% of the change moving to the Western African / Atlantic route" in said
    assert "moving" not in assumption(values | {"to_route": NONE}, ENGLISH)


@pytest.mark.parametrize(("strength", "said"), [("100", ""), ("50", ", at 50% of its strength")])
def test_a_past_episode_tells_its_strength_where_it_is_not_its_own(strength: str, said: str) -> None:
    values = {"kind": "past", "episode": "some", "past_from": "2025-02", "past_strength": strength}
    assert assumption(values, ENGLISH) == f"if an episode like “some” began there in February 2025{said}"
