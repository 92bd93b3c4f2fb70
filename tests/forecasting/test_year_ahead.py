"""The year ahead: totals are counts plus paths, compared with the last complete ones, and judged without hindsight."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.release import YEAR_AHEAD
from core.schema import ALL, check
from forecasting import NORMAL_SCORES
from forecasting.panel import Panel, read_panel
from forecasting.quantiles import KEYS, QuantileTable
from forecasting.verification.verdict import BETTER, LIKELY, TOO_FEW, RatioInterval, with_verdicts
from forecasting.year_ahead import REACH, total_scores, windows, year_ahead

MONTHS = 116
"""From January 2015 to August 2024."""


@pytest.fixture(scope="module")
def panel() -> Panel:
    random = np.random.default_rng(1)
    season = 0.5 * np.sin(2 * np.pi * np.arange(MONTHS) / 12)[:, None]
    values = np.exp(7 + season + 0.1 * random.standard_normal((MONTHS, 2)).cumsum(axis=0)).round()
    months = pd.period_range("2015-01", periods=MONTHS, freq="M").astype(str)
    wide = pd.DataFrame(values, index=months, columns=["a", "b"]).rename_axis("time_period").reset_index()
    return read_panel(wide.melt("time_period", var_name="series_id"))


def forecasts(panel: Panel, places: range, spread: float = 0.15) -> QuantileTable:
    """The last twelve months again, with a spread that grows."""
    logs, keys, quantiles = np.log1p(panel.matrix.to_numpy()), [], []
    for place in places:
        for column, name in enumerate(panel.series_ids):
            for step in range(1, REACH + 1):
                end = (panel.periods[place] + step).end_time.normalize()
                keys.append(("vigie-ensemble", name, panel.end_dates[place], step, end))
                same_month = logs[place + step - 12 * -(-step // 12), column]
                quantiles.append(same_month + spread * np.sqrt(step) * NORMAL_SCORES)
    return QuantileTable(pd.DataFrame(keys, columns=KEYS), np.expm1(np.stack(quantiles)))


def wider(table: QuantileTable) -> QuantileTable:
    """The same medians, four times as wide on log scale."""
    logs = np.log1p(table.quantiles)
    middle = logs[:, [11]]
    return QuantileTable(table.keys, np.expm1(np.maximum(0, middle + 4 * (logs - middle))))


@pytest.fixture(scope="module")
def made(panel: Panel) -> pd.DataFrame:
    past = forecasts(panel, range(60, MONTHS - 1, 3))
    return year_ahead(forecasts(panel, range(MONTHS - 1, MONTHS)), past, wider(past), panel, n=200)


def row(made: pd.DataFrame, name: str, kind: str, ahead: int) -> pd.Series:
    chosen = (made["series_id"] == name) & (made["kind"] == kind) & (made["ahead"] == ahead)
    assert chosen.sum() == 1
    return made[chosen].iloc[0]


def test_next_year_is_within_reach_in_autumn() -> None:
    def windows_of(month: str) -> list[str]:
        return [f"{window.first} {window.ahead}" for window in windows(pd.Period(month, freq="M"))]

    assert windows_of("2024-08") == ["2024-01 0", "2025-01 1", "2024-07 0"]
    assert windows_of("2024-12") == ["2025-01 0", "2024-07 0", "2025-07 1"]
    assert windows_of("2025-03") == ["2025-01 0", "2024-07 0", "2025-07 1"]


def test_total_is_counts_plus_forecast(panel: Panel, made: pd.DataFrame) -> None:
    check(made, YEAR_AHEAD)
    running = row(made, "a", "calendar year", 0)
    assert running["counted"] == panel.matrix["a"].iloc[-8:].sum()
    assert (running["months_counted"], running["first_period"], running["last_period"]) == (8, "2024-01", "2024-12")
    assert running["last_total"] == panel.matrix["a"].iloc[-20:-8].sum()
    assert running["counted"] < running["lo_95"] < running["lo_50"] < running["median"] < running["hi_80"]
    upcoming = row(made, "a", "calendar year", 1)
    assert upcoming["months_counted"] == 0
    assert upcoming["last_total"] == running["last_total"]
    assert upcoming["hi_95"] - upcoming["lo_95"] > running["hi_95"] - running["lo_95"]


def test_chances_fall_with_what_is_to_be_exceeded(made: pd.DataFrame) -> None:
    chances = made[["chance_0", "chance_25", "chance_50", "chance_100"]].to_numpy()
    assert (np.diff(chances, axis=1) <= 0).all()
    assert ((chances >= 0) & (chances <= 1)).all()


def test_all_together_are_summed_path_by_path(made: pd.DataFrame) -> None:
    together, *single = (row(made, name, "July to June", 0) for name in (ALL, "a", "b"))
    assert together["counted"] == sum(one["counted"] for one in single)
    width = together["hi_80"] - together["lo_80"]
    assert width < sum(one["hi_80"] - one["lo_80"] for one in single)


def test_record_is_relative_to_baseline(made: pd.DataFrame) -> None:
    running = row(made, "a", "calendar year", 0)
    assert running["n"] > running["years"] >= 3
    assert 0 < running["relative_wis"] < 1


def test_baseline_itself_scores_one(panel: Panel) -> None:
    past = forecasts(panel, range(60, MONTHS - 1, 3))
    found = year_ahead(forecasts(panel, range(MONTHS - 1, MONTHS)), past, past, panel, n=50)
    assert found["relative_wis"].dropna().to_numpy() == pytest.approx(1.0)


def test_score_of_total_rests_on_months_ahead_that_are_counted(panel: Panel) -> None:
    places = range(60, MONTHS - 1)
    past = forecasts(panel, places)
    made = total_scores(past, wider(past), panel, range(2, 5), ["a", "b"]).set_index("series_id")
    counted = [place for place in places if place + 4 < MONTHS]
    assert made["n"].to_dict() == dict.fromkeys([ALL, "a", "b"], len(counted))
    assert made["relative_wis"].lt(1).all()


def test_without_past_there_are_totals_and_no_evidence(panel: Panel) -> None:
    current, past = forecasts(panel, range(MONTHS - 1, MONTHS)), forecasts(panel, range(MONTHS - 3, MONTHS - 1))
    alone = check(year_ahead(current, past, past, panel, n=50), YEAR_AHEAD)
    assert (alone["n"] == 0).all()
    assert set(with_verdicts(alone)["verdict"]) == {TOO_FEW}


def test_what_came_later_changes_no_earlier_total(panel: Panel) -> None:
    matrix = panel.matrix.copy()
    matrix.iloc[90:] *= 7
    other = Panel("M", matrix, panel.groups)
    current, past = forecasts(panel, range(89, 90)), forecasts(panel, range(60, 89, 4))
    totals = [name for name in YEAR_AHEAD.columns if name not in {
        "relative_wis", "relative_wis_lo", "relative_wis_hi", "p_holm", "coverage_50", "coverage_80", "coverage_95",
        "n", "years",
    }]  # fmt: skip
    ours, theirs = (year_ahead(current, past, past, one, n=50)[totals] for one in (panel, other))
    pd.testing.assert_frame_equal(ours, theirs)


def test_nowcast_moves_only_its_totals(panel: Panel) -> None:
    current, past = forecasts(panel, range(MONTHS - 1, MONTHS)), forecasts(panel, range(60, MONTHS - 1, 9))
    certain = np.full(23, 2.0 * panel.matrix["a"].max())

    def moved(table: QuantileTable, name: str) -> set[str]:
        plain, followed = (year_ahead(table, past, past, panel, nowcasts=of, n=50) for of in ({}, {name: certain}))
        return set(plain.loc[plain["median"] != followed["median"], "series_id"])

    assert moved(current, "a") == {"a", ALL}
    backwards = np.arange(len(current.keys))[::-1]
    assert moved(QuantileTable(current.keys.iloc[backwards], current.quantiles[backwards]), "a") == {"a", ALL}
    assert moved(current, "a series that has no forecast") == set()


def test_single_evidence_fails_multiple_correction(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    same = RatioInterval(0.5, 0.4, 0.9, 0.02)
    monkeypatch.setattr("forecasting.verification.verdict.ratio_interval", lambda *_scores, **_about: same)
    past, current = forecasts(panel, range(60, MONTHS - 1, 9)), forecasts(panel, range(MONTHS - 1, MONTHS))
    alone = [table.where((table.keys["series_id"] == "a").to_numpy()) for table in (current, past)]
    judged = [
        with_verdicts(year_ahead(now, then, then, panel, together=(), n=20)) for now, then in ([current, past], alone)
    ]
    assert [set(one["verdict"]) for one in judged] == [{LIKELY}, {BETTER}]


def test_year_before_needs_all_its_months(panel: Panel) -> None:
    def last_total(first: str) -> pd.Series:
        own = Panel("M", panel.matrix.loc[first:], panel.groups)
        months = len(own.matrix)
        past = forecasts(own, range(15, months - 1))
        found = year_ahead(forecasts(own, range(months - 1, months)), past, past, own, n=50)
        return row(found, "a", "calendar year", 0)

    whole, cut = last_total("2023-01"), last_total("2023-02")
    assert whole["last_total"] == panel.matrix["a"].loc["2023-01":"2023-12"].sum()
    assert np.isfinite(whole["chance_0"])
    assert np.isnan(cut["last_total"])
    assert np.isnan(cut["chance_0"])
