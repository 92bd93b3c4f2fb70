"""Conditions, shocks, diversion, analogues and places: each against a count on fingers or a slower way."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from core.errors import InputError
from forecasting.scenarios import (
    EPISODES,
    Condition,
    Course,
    Needs,
    TooFewPathsError,
    course,
    given,
    occupancy,
    shocks,
    still_present,
)
from forecasting.scenarios.shocks import Diversion, Shock, apply_shock, estimate_diversion, profile

ENDS = pd.date_range("2025-01-31", periods=12, freq="ME")
PATHS = 400


def stepped(change: float, base: float = 1000.0) -> pd.Series:
    """Five years of months of which the last six are together changed by so many persons."""
    values = np.full(60, base)
    values[-6:] += change / 6
    return pd.Series(values, index=pd.period_range("2015-01", periods=60, freq="M"))


@pytest.fixture(scope="module")
def trajectories() -> pd.DataFrame:
    """Two series that move together, twelve months, 400 paths."""
    random = np.random.default_rng(3)
    common = random.standard_normal((PATHS, 12)).cumsum(axis=1)
    frames = []
    for name, level, share in (("a", 1000.0, 0.9), ("b", 300.0, 0.6)):
        own = random.standard_normal((PATHS, 12)).cumsum(axis=1)
        values = level * np.exp(0.1 * (share * common + (1 - share) * own))
        frames.append(
            pd.DataFrame(
                {
                    "series_id": name,
                    "output_type_id": np.repeat(np.arange(PATHS), 12),
                    "horizon": np.tile(np.arange(1, 13), PATHS),
                    "target_end_date": np.tile(ENDS, PATHS),
                    "value": values.ravel(),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def table(trajectories: pd.DataFrame, series_id: str) -> pd.DataFrame:
    rows = trajectories[trajectories["series_id"] == series_id]
    return rows.pivot_table(index="output_type_id", columns="target_end_date", values="value")


def condition(how: str = "any", value: float = 1000.0, *, above: bool = True, months: int = 3) -> Condition:
    return Condition("a", ENDS[0], ENDS[months - 1], how, above, value)  # type: ignore[arg-type]  # texts of the parameters


@pytest.mark.parametrize("above", [True, False])
@pytest.mark.parametrize("how", ["any", "every", "total"])
def test_conditioning_keeps_exactly_paths_on_which_it_holds(
    trajectories: pd.DataFrame,
    how: str,
    above: bool,  # noqa: FBT001  # a parameter of the test, not a switch
) -> None:
    value = 3000.0 if how == "total" else 1000.0
    found = given(trajectories, [condition(how, value, above=above)])
    kept = []
    for path, row in table(trajectories, "a").iterrows():
        months = [float(row[end]) for end in ENDS[:3]]
        values = [sum(months)] if how == "total" else months
        met = [round(one) > value if above else round(one) <= value for one in values]
        if all(met) if how == "every" else any(met):
            kept.append(path)
    assert sorted(found.trajectories["output_type_id"].unique()) == kept
    assert (found.effective, found.probability) == (len(kept), len(kept) / PATHS)


def test_condition_on_one_route_moves_other_that_moves_with_it(trajectories: pd.DataFrame) -> None:
    found = given(trajectories, [condition("every", 1050.0)])
    assert table(found.trajectories, "b")[ENDS[2]].median() > table(trajectories, "b")[ENDS[2]].median()


def test_condition_and_its_contrary_make_up_forecast(trajectories: pd.DataFrame) -> None:
    parts = [given(trajectories, [condition("total", 3000.0, above=above)]) for above in (True, False)]
    means = [table(part.trajectories, "b")[ENDS[5]].mean() for part in parts]
    mixed = sum(part.probability * mean for part, mean in zip(parts, means, strict=True))
    assert mixed == pytest.approx(table(trajectories, "b")[ENDS[5]].mean())


def test_condition_that_is_too_rare_is_refused_with_its_count(trajectories: pd.DataFrame) -> None:
    with pytest.raises(TooFewPathsError, match="of 400 sample paths; at least 50 are needed") as refused:
        given(trajectories, [condition("every", 1500.0)])
    assert refused.value.effective < 50


def test_condition_on_what_has_no_paths_is_named(trajectories: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="no sample paths of c from"):
        given(trajectories, [Condition("c", ENDS[0], ENDS[0], "any", above=True, value=1)])
    with pytest.raises(InputError, match="at least 0"):
        given(trajectories, [condition(value=-1)])


def test_shock_rises_lasts_and_fades() -> None:
    shock = Shock("a", ENDS[2], size=0.5, onset=2, duration=2, half_life=1)
    assert np.allclose(profile(ENDS, shock)[:9], [0, 0, 1 / 3, 2 / 3, 1, 1, 0.5, 0.25, 0.125])


def test_shock_changes_only_its_route(trajectories: pd.DataFrame) -> None:
    after = apply_shock(trajectories, Shock("a", ENDS[0], 0.5, 0, 12, 0))
    assert np.allclose(table(after, "a"), 1.5 * table(trajectories, "a"))
    assert np.allclose(table(after, "b"), table(trajectories, "b"))


def test_what_is_assumed_to_move_appears_in_full_on_other_route(trajectories: pd.DataFrame) -> None:
    after = apply_shock(trajectories, Shock("a", ENDS[0], -0.5, 0, 12, 0), [Diversion("b", 1.0, 1.0, 1.0)])
    before = table(trajectories, "a") + table(trajectories, "b")
    assert np.allclose(table(after, "a") + table(after, "b"), before)


def test_uncertain_share_widens_result(trajectories: pd.DataFrame) -> None:
    shock = Shock("a", ENDS[0], -0.5, 0, 12, 0)
    sure, unsure = (
        table(apply_shock(trajectories, shock, [Diversion("b", 0.4, low, high)]), "b") - table(trajectories, "b")
        for low, high in ((0.4, 0.4), (0.1, 0.7))
    )
    assert (unsure / table(trajectories, "a"))[ENDS[0]].std() > 2 * (sure / table(trajectories, "a"))[ENDS[0]].std()


def test_shock_on_what_has_no_paths_is_refused(trajectories: pd.DataFrame) -> None:
    with pytest.raises(InputError):
        apply_shock(trajectories, Shock("c", ENDS[0], 1))


def world(seed: int, share: float) -> tuple[pd.Series, pd.Series]:
    """Ten years in which every other year a route falls by half and ``share`` of it shows on another."""
    random = np.random.default_rng(seed)
    months = pd.period_range("2014-01", periods=132, freq="M")
    years = np.arange(132) // 12
    first = np.where(years % 2 == 0, 2000.0, 800.0) * np.exp(0.05 * random.standard_normal(132))
    second = 3000 - share * first + 150 * random.standard_normal(132)
    return pd.Series(first, months), pd.Series(second, months)


def test_share_that_moves_is_found() -> None:
    found = estimate_diversion(*world(1, 0.5))
    assert found.share == pytest.approx(0.5, abs=0.05)
    assert found.low < found.share < found.high
    assert found.evidence
    assert len(found.episodes) >= 4


def test_unrelated_routes_give_no_evidence() -> None:
    verdicts = [estimate_diversion(world(seed, 0.0)[0], world(seed + 50, 0.0)[1]).evidence for seed in range(12)]
    assert sum(verdicts) <= 2


def observed(first: str, values: list[float], source: str = "vigie-routes", route: str = "CMR") -> pd.DataFrame:
    periods = [str(month) for month in pd.period_range(first, periods=len(values), freq="M")]
    return pd.DataFrame(
        {
            "source_id": source, "series_id": f"arrivals.{route}._T._T.M", "time_period": periods, "obs_value": values,
        }
    )  # fmt: skip


def test_episode_is_reported_as_ratios_to_same_months_before() -> None:
    frame = observed("2022-06", [100.0] * 6 + [50.0] * 6 + [300.0, 200.0, 100.0, 50.0])
    found = course(frame, EPISODES["lampedusa-2023"])
    assert isinstance(found, Course)
    assert found.table["multiple"].tolist() == [3, 2, 1, 0.5]


def test_episode_takes_users_own_detections_where_there_are_any() -> None:
    own = observed("2020-07", [10.0] * 12 + [80.0] * 6, source="frontex", route="EBR")
    found = course(own.assign(series_id="detections.EBR._T._T.M"), EPISODES["belarus-2021"])
    assert found is not None
    assert (found.source_id, found.table["multiple"].tolist()) == ("frontex", [8.0] * 6)


@pytest.mark.parametrize("stay", ["fixed", "open"])
def test_steady_flow_fills_arrivals_times_stay(stay: str) -> None:
    """Little's law, the oracle of every queue."""
    paths = pd.DataFrame(np.full((3, 12), 100.0), columns=ENDS)
    history = pd.Series(100.0, pd.date_range("2015-01-31", "2024-12-31", freq="ME"))
    taken = occupancy(paths, history, Needs(4.5, stay, 0.6))  # type: ignore[arg-type]  # texts of the parameters
    assert np.allclose(taken, 0.6 * 100 * 4.5, rtol=0.002)


def test_month_agrees_with_adding_up_people_one_by_one() -> None:
    needs = Needs(1.5, "fixed")
    paths = pd.DataFrame([[40.0, 10.0, 0.0]], columns=ENDS[:3])
    people = [
        (month + (place + 0.5) / 1000, count / 1000) for month, count in enumerate([40, 10, 0]) for place in range(1000)
    ]
    expected = [
        sum(weight for arrived, weight in people if arrived <= end < arrived + needs.stay_months) for end in (1, 2, 3)
    ]
    assert np.allclose(occupancy(paths, pd.Series(dtype=float), needs).iloc[0], expected, atol=0.05)


@settings(max_examples=30)
@for_all(st.floats(0.1, 24), st.floats(0.1, 24))
def test_longer_stays_never_need_fewer_places(one: float, other: float) -> None:
    short, long = sorted((one, other))
    for stay in ("fixed", "open"):
        totals = [still_present(Needs(length, stay)).sum() for length in (short, long)]
        assert totals[0] <= totals[1] + 0.01 * long


@pytest.mark.parametrize("needs", [Needs(0), Needs(61), Needs(3, share=1.2)])
def test_needs_that_mean_nothing_are_refused(needs: Needs) -> None:
    with pytest.raises(InputError):
        still_present(needs)


@pytest.mark.parametrize(
    ("shock", "fault"),
    [
        (Shock("a", ENDS[0], -1.0, 0, 1, 0), ""),
        (Shock("a", ENDS[0], -1.001, 0, 1, 0), "at most everything"),
        (Shock("a", ENDS[0], float("inf"), 0, 1, 0), "at most everything"),
        (Shock("a", ENDS[0], 0.5, -1, 1, 0), "at least one period"),
        (Shock("a", ENDS[0], 0.5, 0, 0, 0), "at least one period"),
        (Shock("a", ENDS[0], 0.5, 0, 1, -0.1), "at least one period"),
    ],
)
def test_shock_size_and_length_are_bounded(shock: Shock, fault: str) -> None:
    if fault:
        with pytest.raises(InputError, match=fault):
            profile(ENDS, shock)
    else:
        assert profile(ENDS, shock).tolist() == [1.0] + [0.0] * 11


@pytest.mark.parametrize(
    ("line", "episodes"),
    [
        (stepped(3000.0), 1), (stepped(2999.0), 0), (stepped(-2001.0), 1), (stepped(-1999.0), 0),
        (stepped(2000.0, base=100.0), 1), (stepped(1999.0, base=100.0), 0),
    ],
    ids=["half more", "less", "a third gone", "less", "two thousand persons", "fewer"],
)  # fmt: skip
def test_episode_needs_change_by_half_and_2000(line: pd.Series, episodes: int) -> None:
    found = shocks._episodes(line, shocks._year_on_year(line))
    assert len(found) == episodes
    assert found in ([], [59])
