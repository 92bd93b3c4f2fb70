"""The record agrees with a slow count of every alert, and invents nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from alerts import ExceedanceRule, counts_by_series
from alerts.rules import ROUTE_RULES
from alerts.rules.capacity import RULE as CAPACITY
from alerts.rules.surge import RULE as SURGE
from alerts.verification import full_record, hindcast
from alerts.verification.contingency import ContingencyTable, entries, measures, ranking, rate_interval
from alerts.verification.hindcast import COMPARISONS, PATHS, USUAL_START, WINDOW, Pairs, judge, past_forecasts
from core import QUANTILE_LEVELS
from core.calendar import PLANNING_MONTHS
from core.release import ALERT_RELIABILITY, TRACK_RECORD
from core.schema import check
from core.settings import AlertSettings
from forecasting.panel import Panel
from forecasting.trajectories import sample_paths

Build = Callable[..., pd.DataFrame]
World = tuple[pd.DataFrame, pd.DataFrame]
Within = dict[tuple[str, pd.Period], NDArray[np.float64]]
SETTINGS = AlertSettings(thresholds={"EMR": 400})
SERIES = ("arrivals.CMR._T._T.M", "arrivals.EMR._T._T.M")
AS_OF = dt.date(2024, 12, 31)
"""The newest counts are December's: the planning window begins one month ahead of them."""


LATE = dt.date(2025, 2, 14)


def _world(panel: Build, issued: Build, *, seed: int, origins: int, months: int = 72, ahead: int = 7) -> World:
    """A seasonal past with shocks, and forecasts that know a part of what comes."""
    random = np.random.default_rng(seed)
    spread = np.array(QUANTILE_LEVELS) - 0.5
    outcomes, forecasts = [], []
    for series_id in SERIES:
        season = 1 + 0.5 * np.sin(2 * np.pi * np.arange(months) / 12)
        values = np.round(250 * season * np.exp(random.normal(0, 0.35, months)))
        outcomes.append(panel(values, series_id=series_id))
        calendar = pd.period_range(end="2024-12", periods=months, freq="M")
        made = {}
        for place in range(months - 1 - origins, months - 1):
            centre = np.log(250) + random.normal(0, 0.3, ahead)
            known = min(ahead, months - 1 - place)
            centre[:known] = 0.5 * centre[:known] + 0.5 * np.log(values[place + 1 : place + 1 + known])
            made[str(calendar[place])] = np.sort(np.exp(centre[:, None] + 1.5 * spread), axis=1)
        forecasts.append(issued(made, series_id=series_id))
    return pd.concat(forecasts, ignore_index=True), pd.concat(outcomes, ignore_index=True)


def track_record(
    forecasts: pd.DataFrame,
    panel: pd.DataFrame,
    settings: AlertSettings,
    *,
    as_of: dt.date = AS_OF,
    rules: Sequence[ExceedanceRule] = ROUTE_RULES,
) -> pd.DataFrame:
    return full_record(forecasts, panel, settings, as_of=as_of, rules=rules, simple_rules=()).rules


@pytest.fixture(scope="module")
def world(panel: Build, issued: Build) -> World:
    return _world(panel, issued, seed=3, origins=40)


def _paths_to(world: World, last: int) -> Within:
    """Paths of the next months, drawn from what was known on the night."""
    forecasts, panel = world
    usable = forecasts[forecasts["horizon"] <= last]
    wide = counts_by_series(panel)
    known = Panel("M", wide, pd.DataFrame(index=wide.columns))
    out: Within = {}
    night_of: Any = usable.groupby("origin_date")
    for origin, night in night_of:
        paths = sample_paths(night, usable, known, n=PATHS)
        for series_id, rows in paths.groupby("series_id"):
            futures = rows.pivot_table(index="horizon", columns="output_type_id", values="value")
            out[str(series_id), pd.Period(origin, "M")] = futures.to_numpy()[last - 3 :]
    return out


@pytest.fixture(scope="module")
def within(world: World) -> dict[int, Within]:
    return {start: _paths_to(world, start + 2) for start in (1, 3)}


def test_forecaster_who_knows_future_is_always_right(panel: Build, issued: Build) -> None:
    values = [200.0] * 30 + ([200.0] * 6 + [900.0] * 2) * 5
    calendar = pd.period_range(end="2024-12", periods=len(values), freq="M")
    made = {
        str(calendar[place]): [[values[place + ahead]] * 23 for ahead in range(1, 7)]
        for place in range(20, len(values) - 6)
    }
    record = track_record(issued(made), panel(values), AlertSettings(), rules=[SURGE])
    rows = record[(record["n_events"] > 0) & (record["n_alerts"] > 0)]
    assert len(rows) > 10
    assert (rows["precision"] == 1).all()
    assert (rows["recall"] == 1).all()
    assert (rows["auc"] == 1).all()
    assert (rows["false_alarms_per_route_year"] == 0).all()
    as_issued = rows[(rows["horizon"] == WINDOW) & (rows["route_id"] == "_T")]
    assert as_issued["lead_months_median"].to_list() == [3.0] * 3


def test_alert_is_judged_on_months_it_names(panel: Build, issued: Build) -> None:
    """Counts lag one month: the release of January speaks of February to April, two to four months after December."""
    values = [200.0] * 30 + ([200.0] * 7 + [900.0]) * 5
    calendar = pd.period_range(end="2024-12", periods=len(values), freq="M")

    def record(named: Callable[[float, int], float]) -> Mapping[Any, Any]:
        made = {
            str(calendar[place]): [[named(values[place + ahead], ahead)] * 23 for ahead in range(1, 7)]
            for place in range(20, len(values) - 6)
        }
        backtest, counts = issued(made), panel(values)
        rows = track_record(backtest, counts, AlertSettings(), as_of=dt.date(2025, 1, 31), rules=[SURGE])
        found = rows[(rows["horizon"] == WINDOW) & (rows["route_id"] == "_T") & (rows["level"] == "watch")]
        return dict(found.iloc[0])

    whole = record(lambda value, _: value)
    assert (whole["precision"], whole["recall"], whole["lead_months_median"]) == (1, 1, 3)
    before = record(lambda value, ahead: value if ahead == 1 else 200.0)
    assert before["n_alerts"] == 0
    last = record(lambda value, ahead: value if ahead == 4 else 200.0)
    assert (last["precision"], last["recall"], last["lead_months_median"]) == (1, 1, 3)


def test_past_without_events_gives_no_precision_and_no_recall(panel: Build, issued: Build) -> None:
    values = [200.0] * 60
    calendar = pd.period_range(end="2024-12", periods=60, freq="M")
    made = {str(calendar[place]): [[100.0 + 25 * n for n in range(23)]] * 6 for place in range(20, 54)}
    record = track_record(issued(made), panel(values), AlertSettings(), rules=[SURGE])
    assert (record["n_events"] == 0).all()
    assert record[["recall", "recall_lo", "recall_hi", "auc", "auc_lo", "lead_months_median"]].isna().all().all()
    loud = record[(record["false_alarms_per_route_year"] > 0) & (record["level"] == "watch")]
    assert len(loud) > 0
    assert (loud["precision"] == 0).all()


def test_empty_record_keeps_contract(panel: Build, issued: Build) -> None:
    for backtest in (issued({}), issued({"2024-01": [[200.0] * 23] * 6}, model_id="vigie-ets")):
        record = track_record(backtest, panel([200.0] * 36), SETTINGS)
        assert record.empty
        check(record, TRACK_RECORD)


def test_route_with_nobody_counts_no_event(panel: Build, issued: Build) -> None:
    made = {str(month): [[0.0] * 23] * 6 for month in pd.period_range("2021-01", "2024-06", freq="M")}
    record = track_record(issued(made), panel([0.0] * 72), AlertSettings(surge_minimum=0))
    assert (record["n_events"] == 0).all()
    assert record["false_alarms_per_route_year"].isna().all()


@pytest.mark.parametrize("rule", ROUTE_RULES, ids=lambda rule: rule.rule)
def test_later_figure_changes_no_chance_of_earlier_origin(world: World, rule: ExceedanceRule) -> None:
    forecasts, panel = world
    made = past_forecasts(forecasts, "vigie-ensemble", counts_by_series(panel), AS_OF)
    later = panel.assign(value=panel["value"].where(panel["time_period"] < "2024-06", 9999.0))
    early = made.origins < pd.Period("2024-06", "M")
    chances = [judge(rule, made, counts_by_series(known), SETTINGS).probability for known in (panel, later)]
    assert np.isfinite(chances[0][early]).any()
    np.testing.assert_array_equal(chances[0][early], chances[1][early])
    assert not np.array_equal(chances[0][~early], chances[1][~early], equal_nan=True)


def test_cut_offs_are_frozen_on_span_that_record_leaves_out(panel: Build, issued: Build) -> None:
    forecasts, outcomes = _world(panel, issued, seed=4, origins=50)
    found = full_record(forecasts, outcomes, SETTINGS, as_of=AS_OF, rules=[SURGE], simple_rules=COMPARISONS[:1])
    spans = found.rules[["trained_from", "trained_to", "judged_from", "judged_to"]].drop_duplicates()
    assert spans.to_numpy().tolist() == [["2020-10", "2022-05", "2022-06", "2024-11"]]
    judged = outcomes["time_period"] >= "2022-07"
    elsewhere = outcomes.assign(value=outcomes["value"].where(~judged, outcomes["value"] * 3))
    other = full_record(forecasts, elsewhere, SETTINGS, as_of=AS_OF, rules=[SURGE], simple_rules=COMPARISONS[:1])
    pd.testing.assert_frame_equal(found.thresholds, other.thresholds)
    assert not found.rules["precision"].equals(other.rules["precision"])
    assert set(found.cutoffs) == {"surge"}
    assert (found.thresholds["honest_cutoff"] > 0).all()


def test_span_ends_where_reader_says(panel: Build, issued: Build) -> None:
    settings = SETTINGS.model_copy(update={"trained_until": "2022-03"})
    forecasts, outcomes = _world(panel, issued, seed=4, origins=40)
    found = full_record(forecasts, outcomes, settings, as_of=AS_OF, rules=[SURGE], simple_rules=())
    assert set(found.rules["trained_to"]) == {"2022-03"}
    assert set(found.rules["judged_from"]) == {"2022-04"}


def test_simple_rules_are_judged_at_same_origins_on_same_events(world: World) -> None:
    found = full_record(*world, SETTINGS, as_of=AS_OF, rules=[SURGE])
    keys = ["level", "route_id", "horizon"]
    own = found.rules.set_index(keys)["n_events"]
    for _, rows in found.comparisons.groupby("rule"):
        assert rows.set_index(keys)["n_events"].to_dict() == own.loc[rows.set_index(keys).index].to_dict()
    assert set(found.comparisons["rule"]) == {simple.rule for simple in COMPARISONS}
    chart = found.comparisons[found.comparisons["rule"] == "compare.control_chart"]
    assert chart["brier_skill"].isna().all()
    assert chart["auc"].notna().any()


def test_alarm_that_is_always_on_is_not_one_alert() -> None:
    alert = np.ones((9, 1), dtype=bool)
    came = np.zeros((9, 1), dtype=bool)
    came[8] = True
    raised, fulfilled = entries(alert, came, 3)
    assert np.flatnonzero(raised).tolist() == [0, 3, 6]
    assert fulfilled[[0, 3, 6], 0].tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("chances", "came", "area", "skill"),
    [
        ([1.0, 1.0, 0.0, 0.0], [1, 1, 0, 0], 1.0, 1.0),  # perfect forecast
        ([0.5, 0.5, 0.5, 0.5], [1, 1, 0, 0], 0.5, 0.0),  # base rate alone
        ([0.0, 0.0, 1.0, 1.0], [1, 1, 0, 0], 0.0, -3.0),  # who is always wrong
        ([0.9, 0.2, 0.2, 0.1], [1, 0, 0, 0], 1.0, 1 - 0.1 / 4 / (1 / 4 * 3 / 4)),
        ([0.9, 0.2, 0.2, 0.1], [0, 1, 0, 0], 0.5, 1 - (0.81 + 0.64 + 0.04 + 0.01) / 4 / (1 / 4 * 3 / 4)),
        ([0.9, 0.2, 0.2, 0.1], [0, 0, 0, 0], np.nan, np.nan),
        ([0.9, 0.2, 0.2, 0.1], [1, 1, 1, 1], np.nan, np.nan),
    ],
)
def test_chances_are_scored_over_calm_months(chances: list[float], came: list[int], area: float, skill: float) -> None:
    # The last month is not calm: it would change every measure.
    calm = np.array([True] * 4 + [False])
    pairs = Pairs(np.array([*chances, 0.7])[:, None], np.array([*came, 1], dtype=bool)[:, None], calm[:, None])
    for is_probability in (True, False):
        found = ranking(pairs, np.ones((1, 5)), is_probability=is_probability)
        assert found["auc"] == pytest.approx(area, nan_ok=True)
        assert found["brier_skill"] == pytest.approx(skill if is_probability else np.nan, nan_ok=True)
        assert found["base_rate"] == sum(came) / 4


def test_reliability_counts_every_calm_month_once(world: World) -> None:
    found = full_record(*world, SETTINGS, as_of=AS_OF, rules=[SURGE], simple_rules=()).reliability
    made = past_forecasts(world[0], "vigie-ensemble", counts_by_series(world[1]), AS_OF)
    past = judge(SURGE, made, counts_by_series(world[1]), SETTINGS)
    for ahead in (1, 4):
        rows = found[found["horizon"] == ahead]
        assert rows["n"].sum() == past.calm[:, :, ahead - 1].sum()
        assert (rows["came"] * rows["n"]).sum() == pytest.approx((past.calm & past.event)[:, :, ahead - 1].sum())
        assert ((rows["chance"] >= rows["bin_low"]) & (rows["chance"] <= rows["bin_high"])).all()
        assert ((rows["came_lo"] <= rows["came"]) & (rows["came"] <= rows["came_hi"])).all()


@pytest.mark.parametrize(("thresholds", "rules"), [({}, set()), ({"CMR": 4}, {"capacity"})])
def test_rules_without_case_leave_reliability_that_release_takes(
    panel: Build, issued: Build, thresholds: dict[str, float], rules: set[str]
) -> None:
    forecasts, outcomes = _world(panel, issued, seed=6, origins=24, months=48, ahead=6)
    small = forecasts.assign(value=forecasts["value"] / 100), outcomes.assign(value=outcomes["value"] // 100)
    own = AlertSettings(thresholds=thresholds)
    found = full_record(*small, own, as_of=AS_OF, rules=[SURGE, CAPACITY], simple_rules=()).reliability
    assert {*check(found, ALERT_RELIABILITY)["rule"]} == rules


def test_further_alerts_of_one_onset_are_repeats(panel: Build, issued: Build) -> None:
    """An alert that stands for months before a rise is right once, however often it was raised anew."""
    values = [200.0] * 60 + [900.0] + [200.0] * 9
    calendar = pd.period_range(end="2024-12", periods=len(values), freq="M")
    alarmed = set(range(55, 60))
    made = {
        str(calendar[place]): [[900.0 if place in alarmed else 200.0] * 23] * 6 for place in range(20, len(values) - 6)
    }
    rows = track_record(issued(made), panel(values), AlertSettings(), rules=[SURGE], as_of=dt.date(2024, 12, 31))
    found = rows[(rows["horizon"] == WINDOW) & (rows["route_id"] == "_T") & (rows["level"] == "watch")].iloc[0]
    assert found["n_alerts"] == 2
    assert (found["n_repeats"], found["n_no_onset"]) == (1, 0)
    assert (found["precision"], found["recall"]) == (1.0, 1.0)


def test_yearly_false_alarm_is_one_per_route_year() -> None:
    months = pd.period_range("2021-01", "2024-12", freq="M")
    judged = np.ones((len(months), 1), dtype=bool)
    wrong, never = (months.month == 7)[:, None], np.zeros_like(judged)
    table = ContingencyTable(never, never, never, wrong, never, never.astype(float), judged)
    found = measures(table, np.ones((3, len(months))))
    # Resamples that all are the sample leave the interval of a plain rate: four cases in four years.
    rates = [found[f"false_alarms_per_route_year{suffix}"] for suffix in ("", "_lo", "_hi")]
    assert rates == pytest.approx([1.0, *rate_interval(4.0, 4.0)])


def test_past_forecasts_follow_nowcast(world: World) -> None:
    forecasts, panel = world
    counts = counts_by_series(panel)
    plain = past_forecasts(forecasts, "vigie-ensemble", counts, AS_OF)
    place, date = (len(plain.origins) - 8, 0), plain.origins[-8].end_time.normalize()
    nowcast = np.sort(2.0 * plain.quantiles[(*place, 0)])
    made = past_forecasts(forecasts, "vigie-ensemble", counts, AS_OF, {(plain.series[0], date): nowcast})
    assert np.allclose(made.quantiles[(*place, 0)], nowcast)
    # The window begins with the first month here: its paths are the nowcast's.
    assert plain.starts[0] == 1
    assert np.median(made.paths[(*place, 0)]) == pytest.approx(np.median(nowcast), rel=0.02)
    others = np.ones(plain.paths.shape[:2], dtype=bool)
    others[place] = False
    assert np.array_equal(made.paths[others], plain.paths[others], equal_nan=True)
    assert np.array_equal(made.quantiles[others], plain.quantiles[others], equal_nan=True)


@pytest.mark.parametrize(
    ("newest", "horizons", "start"),
    [
        ("2024-12", 12, 2), ("2024-11", 12, 3), ("2025-01", 12, 1), ("2025-02", 12, USUAL_START),
        ("2025-03", 12, USUAL_START), ("2024-04", 12, 10), ("2024-03", 12, USUAL_START), ("2024-11", 5, 3),
        ("2024-10", 5, USUAL_START),        ("2024-12", 2, 1),
    ],
)  # fmt: skip
def test_window_begins_after_newest_count(newest: str, horizons: int, start: int) -> None:
    months = pd.period_range("2024-01", newest, freq="M")
    counts = pd.DataFrame({"a": np.ones(len(months))}, index=months.astype(str))
    assert hindcast._starts(counts, dt.date(2025, 1, 31), horizons).tolist() == [start]


@pytest.mark.parametrize(
    ("reach", "as_of", "start"),
    [
        (7, dt.date(2025, 4, 14), 5),
        (7, dt.date(2025, 5, 14), USUAL_START),
        (PLANNING_MONTHS, AS_OF, 1),
        (2, AS_OF, 1),
        (2, LATE, 1),
    ],
    ids=["the last reached", "one beyond", "the first, just reached", "the first, not reached", "far from reached"],
)
def test_window_is_judged_where_forecasts_reach(world: World, reach: int, as_of: dt.date, start: int) -> None:
    """Where forecasts do not reach the usual one's end either, it is the first one."""
    forecasts, panel = world
    some = forecasts[(forecasts["horizon"] <= reach) & (forecasts["origin_date"] >= "2024-09-01")]
    assert past_forecasts(some, "vigie-ensemble", counts_by_series(panel), as_of).starts.tolist() == [start, start]
