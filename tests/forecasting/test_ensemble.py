"""The ensemble: whose mean it is, with what spread, and never with hindsight."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from core.release import FORECASTS
from core.schema import check
from forecasting import LEVELS
from forecasting.ensemble import FEWEST_SCORED, FEWEST_TO_LEARN_FROM, MOST_RECORDS, NO_MEMBER, combine
from forecasting.panel import Panel, read_panel
from forecasting.quantiles import QuantileTable, to_rows

MONTHS = 72
FIRST = FEWEST_TO_LEARN_FROM
"""Place of the first origin that is learned from."""
FLAT = 100.5
"""No whole number: quantiles of counts are drawn to whole ones, see test_whole_counts."""


def world() -> Panel:
    """One series that stays where it is."""
    months = pd.period_range("2014-01", periods=MONTHS, freq="M").astype(str)
    return read_panel(pd.DataFrame({"series_id": "a", "time_period": months, "value": FLAT}))


def member(panel: Panel, model_id: str, miss: float, *, spread: float = 0.2, horizon: int = 1) -> pd.DataFrame:
    """A model that misses the flat series by ``miss`` on log scale at every origin that is learned from."""
    return drifting(panel, model_id, lambda _: miss, spread=spread, horizon=horizon)


def drifting(
    panel: Panel, model_id: str, miss: Callable[[int], float], *, spread: float = 0.2, horizon: int = 1
) -> pd.DataFrame:
    places = range(FIRST, MONTHS)
    keys = pd.DataFrame(
        {
            "model_id": model_id,
            "series_id": "a",
            "origin_date": [panel.end_dates[place] for place in places],
            "horizon": horizon,
            "target_end_date": [(panel.periods[place] + horizon).end_time.normalize() for place in places],
            "fallback": False,
            "capped": False,
            "history_hash": "",
        }
    )
    logs = np.stack([np.log1p(FLAT) + miss(place) + spread * (LEVELS - 0.5) for place in places])
    return to_rows(QuantileTable(keys, np.expm1(logs)))


def wave(height: float, speed: int) -> Callable[[int], float]:
    """Misses that come and go, at another pace for every model."""
    return lambda place: height * float(np.sin(place * speed))


def newest_weights(*members: pd.DataFrame) -> dict[str, float]:
    weights = combine(pd.concat(members), world()).weights
    newest = weights[weights["origin_date"] == weights["origin_date"].max()]
    return dict(zip(newest["model_id"], newest["weight"], strict=True))


def test_it_is_mean_on_log1p_scale_of_its_members() -> None:
    panel = world()
    misses = {"vigie-baseline": 1.0, "vigie-structural": -0.4, "vigie-pooled": 0.5, "vigie-bottom-up": 0.2}
    members = pd.concat([member(panel, name, miss) for name, miss in misses.items()])
    made = check(to_rows(combine(members, panel).forecasts), FORECASTS)
    median = made[made["output_type_id"] == 0.5]["value"]
    assert np.allclose(np.log1p(median), np.log1p(FLAT) + 0.1)
    assert not made["fallback"].any()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["vigie-structural"], {"vigie-structural": 1.0}),
        (["vigie-pooled"], {"vigie-baseline": 0.5, "vigie-pooled": 0.5}),
        (["vigie-structural", "vigie-pooled"], {"vigie-structural": 0.5, "vigie-pooled": 0.5}),
        (
            ["vigie-structural", "vigie-pooled", "vigie-bottom-up"],
            {"vigie-structural": 1 / 3, "vigie-pooled": 1 / 3, "vigie-bottom-up": 1 / 3},
        ),
        ([], {"vigie-baseline": 1.0}),
    ],
)
def test_members_without_forecast_have_no_weight(names: list[str], expected: dict[str, float]) -> None:
    panel = world()
    fallen = [
        member(panel, name, -3.0).assign(fallback=True) for name in {"vigie-structural", "vigie-pooled"} - set(names)
    ]
    own = [member(panel, name, 0.2) for name in names]
    assert newest_weights(member(panel, "vigie-baseline", 1.0), *own, *fallen) == pytest.approx(expected)


def test_weights_are_those_of_each_series() -> None:
    """One series has a forecast of the pooled model, the other has none."""
    panel = world()
    two = Panel("M", panel.matrix.assign(b=FLAT), pd.DataFrame(index=["a", "b"]))
    own = [member(panel, "vigie-baseline", 1.0), member(panel, "vigie-structural", 0.2)]
    members = pd.concat([*own, *(one.assign(series_id="b") for one in own), member(panel, "vigie-pooled", 0.1)])
    weights = combine(members, two).weights
    newest = weights[weights["origin_date"] == weights["origin_date"].max()]
    found = newest.set_index("model_id")["weight"]
    assert found.to_dict() == pytest.approx({"vigie-structural": 0.5 + 1.0, "vigie-pooled": 0.5 + 0.0})


def test_changing_future_does_not_change_past_ensemble() -> None:
    panel = world()
    members = pd.concat(
        [
            drifting(panel, name, wave(0.5, k), spread=3.0, horizon=3)
            for k, name in enumerate(("vigie-baseline", "vigie-structural", "vigie-pooled"), start=1)
        ]
    )
    changed = 52
    matrix = panel.matrix.copy()
    matrix.iloc[changed + 1 :] = 5.0
    other = combine(members, Panel("M", matrix, panel.groups))
    ours = combine(members, panel)
    cut = panel.end_dates[changed]
    for one, two in ((to_rows(ours.forecasts), to_rows(other.forecasts)), (ours.weights, other.weights)):
        before = one["origin_date"] <= cut
        pd.testing.assert_frame_equal(one[before], two[before])
    assert not np.array_equal(ours.forecasts.quantiles, other.forecasts.quantiles)


def test_baseline_stands_in_and_is_marked() -> None:
    panel = world()
    members = pd.concat(
        [
            member(panel, "vigie-baseline", 1.0),
            member(panel, "vigie-structural", 1.0).assign(fallback=True, reason="short"),
        ]
    )
    made = to_rows(combine(members, panel).forecasts)
    assert made["fallback"].all()
    assert (made["reason"] == NO_MEMBER).all()


def test_capped_quantile_is_marked() -> None:
    panel = world()
    members = pd.concat([member(panel, "vigie-baseline", 0.0), member(panel, "vigie-structural", 2.0, spread=4.0)])
    early = members[members["origin_date"] < panel.end_dates[FIRST + FEWEST_SCORED]]
    made = combine(early, panel).forecasts
    assert np.allclose(made.quantiles[:, -1], MOST_RECORDS * FLAT, atol=1.0)
    assert made.keys["capped"].all()
    calm = combine(member(panel, "vigie-baseline", 0.0), panel).forecasts
    assert not calm.keys["capped"].any()
