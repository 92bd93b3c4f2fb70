"""What is assumed in a scenario, in words."""

from __future__ import annotations

import pandas as pd
import pytest

from core.languages import Language
from forecasting.scenarios.shocks import DiversionEstimate
from reports.scenario import NONE, assumption, diversion

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


@pytest.mark.parametrize(("share", "is_own"), [(0.4, False), (0.404, False), (0.396, False), (0.41, True), (0.0, True)])
@pytest.mark.parametrize(("episodes", "words"), [(1, "1 past episode"), (4, "4 past episodes")])
def test_a_share_that_moves_elsewhere_is_the_past_s_or_said_to_be_the_readers_own(
    share: float,
    is_own: bool,  # noqa: FBT001  # a case
    episodes: int,
    words: str,
) -> None:
    past = pd.DataFrame({"last_period": ["2024-06"] * episodes})

    def said(*, evidence: bool) -> str:
        found = DiversionEstimate(0.4, 0.21, 0.58, 0.01, evidence=evidence, episodes=past)
        return diversion(found, "CMR", "WAR", share, ENGLISH)

    assert f"40% showed on Western African / Atlantic with the opposite sign ({words}, 90% interval 21% to 58%)" in (
        told := said(evidence=True)
    )
    assert ("your own assumption" in told) == is_own
    assert f"no evidence that changes on Central Mediterranean move to Western African / Atlantic ({words})" in (
        told := said(evidence=False)
    )
    assert "your own assumption, without an interval" in told
