"""What is assumed in a scenario, in words."""

from __future__ import annotations

import pandas as pd
import pytest

from core.languages import Language
from forecasting.scenarios.shocks import DiversionEstimate
from reports.scenario import NONE, assumed, assumption, diversion, first_short, places_enough, reception_of

ENGLISH = Language("en")


@pytest.mark.parametrize(
    ("size", "change"), [("-30", "fall by 30%"), ("150", "rise by 150%"), ("100", "double"), ("-50", "halve")]
)
@pytest.mark.parametrize("share", ["5", "40", "100"])
def test_shock_names_percentages_that_were_set(size: str, change: str, share: str) -> None:
    values = {
        "kind": "shock", "shock_size": size, "shock_months": "3", "shock_from": "2025-02", "to_route": "WAR",
        "to_share": share, "shock_onset": "0", "shock_decay": "0",
    }  # fmt: skip
    said = assumption(values, ENGLISH)
    assert f"{change} in February–April 2025, {share}%" in said
    assert f", {share}% of the change moving to the Western African / Atlantic route" in said
    slow = assumption(values | {"to_route": NONE, "shock_onset": "2", "shock_decay": "2"}, ENGLISH)
    assert slow.endswith(" in April–June 2025 (building up from February 2025; the change then halves every 2 months)")


@pytest.mark.parametrize(("share", "is_own"), [(0.4, False), (0.404, False), (0.396, False), (0.41, True), (0.0, True)])
@pytest.mark.parametrize(("episodes", "words"), [(1, "1 past episode"), (4, "4 past episodes")])
def test_diverted_share_names_its_origin(
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
        sentence := said(evidence=True)
    )
    assert ("your own assumption" in sentence) == is_own
    assert f"no evidence that changes on Central Mediterranean move to Western African / Atlantic ({words})" in (
        sentence := said(evidence=False)
    )
    assert "your own assumption, without an interval" in sentence


def test_planned_places_are_read_from_texts() -> None:
    values = {"stock": "2000", "stay": "3", "stay_kind": "fixed", "needs_place": "80", "confidence": "95"}
    read = reception_of(values, "CMR", "Ada")
    assert (read.stock, read.confidence, read.needs.share, read.needs.stay, read.who) == (
        2000.0,
        0.95,
        0.8,
        "fixed",
        "Ada",
    )
    assert reception_of(values | {"stay_kind": "other"}, "CMR").needs.stay == "open"
    assert "2,000 places" in assumed(read, ENGLISH)
    assert "80%" in assumed(read, ENGLISH)
    for wrong in ({"stay": "long"}, {"stock": ""}):
        with pytest.raises(ValueError, match="could not convert"):
            reception_of(values | wrong, "CMR")


NEEDED = pd.DataFrame({
    "target_end_date": pd.to_datetime(["2025-02-28", "2025-03-31", "2025-04-30"]), "places": [100.0, 250.0, 260.0],
})  # fmt: skip


@pytest.mark.parametrize(
    ("stock", "said"),
    [
        (260.0, "260 places are enough up to April 2025 at 90% confidence."),
        (259.0, "April 2025 is the first month short; 1 place more than 259 is needed at 90% confidence."),
        (200.0, "March 2025 is the first month short; 50 places more than 200 are needed at 90% confidence."),
    ],
)
def test_first_short_month_needs_more_places(stock: float, said: str) -> None:
    assert first_short(NEEDED, stock, 0.9, ENGLISH) == said


def test_sufficient_places_are_stated_twice() -> None:
    assert places_enough(NEEDED, 300.0, 200.0, 0.9, ENGLISH) == (
        "At 90% confidence, **300 places** for new arrivals alone are enough in each month to April 2025 under the "
        "assumption; by the forecast, 200."
    )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "if Central Mediterranean exceeds 5,000 a month in every month, February–April 2025"),
        ({"if_side": "below"},
         "if Central Mediterranean stays at or below 5,000 a month in every month, February–April 2025"),
        ({"if_from": "2025-04", "if_to": "2025-02"},
         "if Central Mediterranean exceeds 5,000 a month in every month, February–April 2025"),
        ({"if_to": "2025-02"}, "if Central Mediterranean exceeds 5,000 in February 2025"),
        ({"and_route": "EMR"},
         "if Central Mediterranean exceeds 5,000 a month and Eastern Mediterranean stays at or below 1,000 a month "
         "in every month, February–April 2025"),
    ],
)  # fmt: skip
def test_condition_names_routes_and_months(changed: dict[str, str], said: str) -> None:
    values = {
        "kind": "if", "if_from": "2025-02", "if_to": "2025-04", "if_how": "every", "if_route": "CMR",
        "if_side": "above", "if_value": "5000", "and_route": NONE, "and_side": "below", "and_value": "1000",
    }  # fmt: skip
    assert assumption(values | changed, ENGLISH) == said
