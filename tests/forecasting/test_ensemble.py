"""The ensemble: who takes part, on what evidence, and never with hindsight."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from core.errors import InputError
from core.release import FORECASTS
from core.schema import check
from forecasting import LEVELS
from forecasting.calibration import FEWEST_TO_LEARN_FROM
from forecasting.ensemble import FEWEST_SCORED, MOST_RECORDS, NO_SKILL, WINDOW, _choose, _judge, combine
from forecasting.panel import Panel, panel_from_rows
from forecasting.quantiles import QuantileTable, to_rows

MONTHS = 72
FIRST = FEWEST_TO_LEARN_FROM
"""Place of the first origin that is learned from."""
FLAT = 100.5
"""No whole number: quantiles of counts are drawn to whole ones, see test_whole_counts."""


def world() -> Panel:
    """One series that stays where it is."""
    months = pd.period_range("2014-01", periods=MONTHS, freq="M").astype(str)
    return panel_from_rows(pd.DataFrame({"series_id": "a", "time_period": months, "value": FLAT}))


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
        }
    )
    logs = np.stack([np.log1p(FLAT) + miss(place) + spread * (LEVELS - 0.5) for place in places])
    return to_rows(QuantileTable(keys, np.expm1(logs)))


def wave(height: float, speed: int) -> Callable[[int], float]:
    """Misses that come and go, at another pace for every model."""
    return lambda place: height * float(np.sin(place * speed))


def weight_of(weights: pd.DataFrame, model_id: str) -> list[float]:
    return weights[weights["model_id"] == model_id].sort_values("origin_date")["weight"].tolist()


def test_the_ensemble_is_the_mean_on_log1p_scale_of_members_with_skill() -> None:
    panel = world()
    members = pd.concat(
        [member(panel, "vigie-baseline", 1.0), member(panel, "vigie-ets", 0.2), member(panel, "vigie-theta", -0.4)]
    )
    made = check(to_rows(combine(members, panel).forecasts), FORECASTS)
    median = made[made["output_type_id"] == 0.5]["value"]
    assert np.allclose(np.log1p(median), np.log1p(FLAT) - 0.1)
    assert not made["fallback"].any()


def test_a_trusted_member_takes_part_without_a_record_and_an_untrusted_one_only_after_it() -> None:
    panel = world()
    members = pd.concat(
        [member(panel, "vigie-baseline", 1.0), member(panel, "vigie-ets", 0.2), member(panel, "vigie-prophet", 0.1)]
    )
    weights = combine(members, panel).weights
    waiting = FEWEST_SCORED
    assert weight_of(weights, "vigie-ets") == [1.0] * waiting + [0.5] * (MONTHS - FIRST - waiting)
    assert weight_of(weights, "vigie-prophet") == [0.0] * waiting + [0.5] * (MONTHS - FIRST - waiting)


def test_a_member_without_skill_leaves_and_returns_when_it_has_earned_it() -> None:
    panel = world()
    members = pd.concat(
        [
            member(panel, "vigie-baseline", 0.5),
            member(panel, "vigie-ets", 0.2),
            drifting(panel, "vigie-theta", lambda place: 2.0 if place < FIRST + 8 else 0.0),
        ]
    )
    weights = weight_of(combine(members, panel).weights, "vigie-theta")
    assert weights[FEWEST_SCORED] == 0.0
    assert weights[-1] == 0.5
    assert weights.index(0.5, FEWEST_SCORED) <= 8 + WINDOW


def test_where_no_member_has_skill_the_ensemble_is_the_baseline_and_says_so() -> None:
    panel = world()
    baseline = member(panel, "vigie-baseline", 0.1)
    made = combine(pd.concat([baseline, member(panel, "vigie-ets", 1.0)]), panel)
    forecasts = to_rows(made.forecasts)
    last = forecasts[forecasts["origin_date"] == panel.end_dates[-1]]
    assert last["fallback"].all()
    assert (last["reason"] == NO_SKILL).all()
    expected = baseline[baseline["origin_date"] == panel.end_dates[-1]]["value"]
    assert np.allclose(last["value"], expected, rtol=1e-12)
    assert weight_of(made.weights, "vigie-baseline")[-1] == 1.0


def test_the_weights_of_an_origin_and_horizon_sum_to_one() -> None:
    panel = world()
    parts = [
        drifting(panel, model_id, wave(0.3, k), horizon=h)
        for k, model_id in enumerate(("vigie-baseline", "vigie-ets", "vigie-theta", "vigie-arima"), start=1)
        for h in (1, 6)
    ]
    weights = combine(pd.concat(parts), panel).weights
    assert np.allclose(weights.groupby(["origin_date", "horizon"])["weight"].sum(), 1.0)


def test_changing_the_future_does_not_change_a_past_ensemble() -> None:
    panel = world()
    members = pd.concat(
        [
            drifting(panel, name, wave(0.5, k), horizon=3)
            for k, name in enumerate(("vigie-baseline", "vigie-ets", "vigie-theta", "vigie-pooled"), start=1)
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
    assert not ours.weights.equals(other.weights)


def test_a_member_that_fell_back_is_left_out_for_that_series() -> None:
    panel = world()
    fallen = member(panel, "vigie-theta", -3.0).assign(fallback=True)
    members = pd.concat([member(panel, "vigie-baseline", 1.0), member(panel, "vigie-ets", 0.2), fallen])
    made = to_rows(combine(members, panel).forecasts)
    assert np.allclose(np.log1p(made[made["output_type_id"] == 0.5]["value"]), np.log1p(FLAT) + 0.2)


def test_where_every_member_fell_back_the_baseline_stands_in_and_is_marked() -> None:
    panel = world()
    members = pd.concat(
        [member(panel, "vigie-baseline", 1.0), member(panel, "vigie-ets", 1.0).assign(fallback=True, reason="short")]
    )
    made = to_rows(combine(members, panel).forecasts)
    assert made["fallback"].all()
    assert (made["reason"] != "").all()


def test_members_without_the_baseline_are_refused() -> None:
    panel = world()
    with pytest.raises(InputError, match="vigie-baseline"):
        combine(member(panel, "vigie-ets", 0.0), panel)


def test_rows_in_any_order_give_the_same_ensemble() -> None:
    panel = world()
    members = pd.concat([member(panel, "vigie-baseline", 1.0), member(panel, "vigie-ets", 0.2)], ignore_index=True)
    mixed = members.sample(frac=1, random_state=1)
    ours, other = (combine(rows, panel).forecasts.quantiles for rows in (members, mixed))
    assert np.array_equal(ours, other)


def records_of(weights: pd.DataFrame, model_id: str) -> NDArray[np.float64]:
    return weights[weights["model_id"] == model_id].sort_values("origin_date")["relative_wis"].to_numpy(dtype=float)


def test_far_ahead_a_record_needs_outcomes_of_twice_the_horizon() -> None:
    panel, horizon = world(), 8
    members = [member(panel, "vigie-baseline", 0.5, horizon=horizon), member(panel, "vigie-ets", 0.2, horizon=horizon)]
    found = records_of(combine(pd.concat(members), panel).weights, "vigie-ets")
    # An outcome is known eight months after its origin.
    assert np.isnan(found[: 2 * horizon + horizon - 1]).all()
    assert np.isfinite(found[2 * horizon + horizon - 1 :]).all()


def test_a_record_is_that_of_the_last_24_scored_origins_alone() -> None:
    panel = world()
    turned = drifting(panel, "vigie-ets", lambda place: 2.0 if place < FIRST + 18 else 0.2)
    always = member(panel, "vigie-ets", 0.2)
    baseline = member(panel, "vigie-baseline", 0.5)
    late, expected = (
        records_of(combine(pd.concat([baseline, own]), panel).weights, "vigie-ets") for own in (turned, always)
    )
    assert late[-1] == pytest.approx(expected[-1])
    assert late[-7] > expected[-7]


@pytest.mark.parametrize(("horizon", "stays"), [(1, False), (6, True)])
def test_a_trusted_member_may_be_worse_by_its_standard_error_which_grows_with_the_horizon(
    horizon: int, *, stays: bool
) -> None:
    """Its ratio is 1.05 at both horizons; overlapping forecasts count as fewer."""
    own, below = (np.tile(pair, 12) for pair in ([1.3, 0.8], [1.0, 1.0]))
    ratio, error = _judge(own, below, horizon)
    assert ratio == pytest.approx(1.05)
    assert error == pytest.approx(0.25 / np.sqrt(24 / horizon))
    one = pd.DataFrame({"vigie-ets": [ratio + 0.05]})
    assert _choose(one, pd.DataFrame({"vigie-ets": [error]}), ["vigie-ets"]).iloc[0, 0] == stays


def test_kinds_weigh_alike_until_outcomes_tell_them_apart() -> None:
    panel = world()
    parts = [
        member(panel, "vigie-baseline", 1.0),
        drifting(panel, "vigie-ets", wave(0.4, 1)),
        member(panel, "vigie-pooled", 0.0),
    ]
    weights = weight_of(combine(pd.concat(parts), panel).weights, "vigie-pooled")
    assert weights[:FEWEST_SCORED] == [0.5] * FEWEST_SCORED
    assert weights[-1] > 0.7


def test_the_pooled_model_stays_beside_models_of_single_series_however_it_fared() -> None:
    panel = world()
    parts = [
        member(panel, "vigie-baseline", 0.3),
        member(panel, "vigie-ets", 0.0),
        drifting(panel, "vigie-pooled", wave(2.0, 1)),
    ]
    weights = combine(pd.concat(parts), panel).weights
    assert 0 < weight_of(weights, "vigie-pooled")[-1] < 0.3
    assert records_of(weights, "vigie-pooled")[-1] > 1


def test_no_quantile_lies_far_above_the_record_and_what_was_cut_is_marked() -> None:
    panel = world()
    members = pd.concat([member(panel, "vigie-baseline", 0.0), member(panel, "vigie-ets", 2.0, spread=4.0)])
    early = members[members["origin_date"] < panel.end_dates[FIRST + FEWEST_SCORED]]
    made = combine(early, panel).forecasts
    assert np.allclose(made.quantiles[:, -1], MOST_RECORDS * FLAT, atol=1.0)
    assert made.keys["capped"].all()
    wide = combine(early.assign(value=early["value"] / np.exp(3.0)), panel).forecasts
    assert (wide.quantiles[:, -1] > 1.5 * FLAT).all()
    assert (wide.quantiles[:, -1] < 2 * FLAT).all()
    assert not wide.keys["capped"].any()
    calm = combine(member(panel, "vigie-baseline", 0.0), panel).forecasts
    assert not calm.keys["capped"].any()


def test_a_baseline_that_stands_in_is_bounded_as_the_members_are() -> None:
    panel = world()
    wide = member(panel, "vigie-baseline", 0.0, spread=9.0)
    made = combine(pd.concat([wide, member(panel, "vigie-ets", 0.0).assign(fallback=True)]), panel).forecasts
    assert made.keys[["fallback", "capped"]].all(axis=None)
    assert np.allclose(made.quantiles[:, -1], MOST_RECORDS * FLAT)
    assert np.allclose(to_rows(made)["value"], wide["value"].clip(upper=MOST_RECORDS * FLAT))
