"""Rules about counts just made say what they see, know no future, and are held to what they claim."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

from alerts import Evidence, Signal
from alerts.rules import level_change, nationality_shift, newest_months, origin_context, outside_interval
from alerts.rules.nationality_shift import distance
from alerts.verification import observed_record, signal_rows
from core import QUANTILE_LEVELS
from core.settings import AlertSettings

Build = Callable[..., pd.DataFrame]
USUAL = AlertSettings()
SERIES = "arrivals.CMR._T._T.M"


def _citizens(shares: Sequence[tuple[float, float]], *, total: float = 1000) -> pd.DataFrame:
    """Counts of two nationalities, one pair of shares a month, ending in December 2024."""
    months = pd.period_range(end="2024-12", periods=len(shares), freq="M").astype(str)
    rows = [
        {"route_id": "CMR", "citizen": code, "series_id": f"arrivals.CMR._T.{code}.M", "time_period": month,
         "value": total * pair[place]}
        for month, pair in zip(months, shares, strict=True)
        for place, code in enumerate(("TUN", "SYR"))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _evidence(
    panel: pd.DataFrame,
    *,
    backtest: pd.DataFrame | None = None,
    by_citizen: pd.DataFrame | None = None,
    drivers: pd.DataFrame | None = None,
) -> Evidence:
    nothing = pd.DataFrame()
    past, mixes, context = (nothing if frame is None else frame for frame in (backtest, by_citizen, drivers))
    return Evidence(dt.date(2024, 12, 31), panel, nothing, past, nothing, nothing, by_citizen=mixes, drivers=context)


def _shifts(by_citizen: pd.DataFrame) -> list[Signal]:
    return nationality_shift.signals(_evidence(pd.DataFrame(), by_citizen=by_citizen), USUAL)


def _changes(panel: pd.DataFrame) -> list[Signal]:
    return level_change.signals(_evidence(panel), USUAL)


def _contexts(drivers: pd.DataFrame, by_citizen: pd.DataFrame, panel: pd.DataFrame) -> list[Signal]:
    return origin_context.signals(_evidence(panel, drivers=drivers, by_citizen=by_citizen), USUAL)


def _said(signals: list[Signal]) -> dict[str, str]:
    return {str(signal.month): signal.level for signal in signals if signal.level}


class TestMisses:
    """Counts outside of the interval issued a month before."""

    @staticmethod
    def _signals(panel: Build, issued: Build, values: Sequence[float]) -> list[Signal]:
        months = pd.period_range(end="2024-12", periods=len(values) + 1, freq="M")
        made = {str(month): [[200 + 100 * level for level in QUANTILE_LEVELS]] for month in months[:-1]}
        return outside_interval.signals(_evidence(panel(values), backtest=issued(made)), USUAL)

    def test_miss_is_confirmed_by_three_months(self, panel: Build, issued: Build) -> None:
        signals = self._signals(panel, issued, [250, 600, 600, 600, 600, 250, 250, 250])
        said = [(signal.level, signal.confirmed) for signal in signals if signal.level]
        assert said[0] == ("warning", 1.0)
        assert said[-1] == ("warning", 0.0)
        assert np.isnan(signals[0].confirmed)

    def test_newest_miss_without_future_is_reported_and_not_judged(self, panel: Build, issued: Build) -> None:
        signals = self._signals(panel, issued, [250, 250, 250, 250, 600])
        assert [one.reason_key for one in newest_months({"": signals})] == ["outside_95_above"]
        rows = list(signal_rows(signals))
        assert rows == []


class TestComposition:
    """The mix of nationalities."""

    def test_distance_is_share_changing_nationality(self) -> None:
        assert distance(np.array([1.0, 1.0]), np.array([100.0, 0.0])) == pytest.approx(0.5)
        assert distance(np.array([2.0, 6.0]), np.array([1.0, 3.0])) == 0
        assert np.isnan(distance(np.array([0.0, 0.0]), np.array([1.0, 3.0])))

    def test_lasting_mix_change_names_rising_nationality(self) -> None:
        random = np.random.default_rng(0)
        calm = [(0.7 + step, 0.3 - step) for step in random.normal(0, 0.02, 60)]
        signals = _shifts(_citizens([*calm, *[(0.2, 0.8)] * 8]))
        said = _said(signals)
        assert min(said) <= "2024-06"
        first = next(signal for signal in signals if signal.level)
        assert first.reason_params["citizen"] == "SYR"
        assert first.confirmed == 1.0
        assert first.level == "warning"
        assert first.series_id == SERIES

    def test_shares_cover_last_three_and_former_twelve_months(self) -> None:
        calm = [(0.7 + 0.01 * (month % 3), 0.3 - 0.01 * (month % 3)) for month in range(60)]
        whole = _citizens([*calm, (0.5, 0.5), (0.3, 0.7), (0.1, 0.9)])
        shift = _shifts(whole)[-1].reason_params
        syrians = whole[whole["citizen"] == "SYR"]["value"].to_numpy() / 1000
        assert shift["citizen"] == "SYR"
        assert shift["share"] == pytest.approx(syrians[-3:].mean())
        assert shift["share_before"] == pytest.approx(syrians[-15:-3].mean())

    def test_shift_is_confirmed_by_three_months(self) -> None:
        new, old = np.array([8.0, 2.0]), np.array([2.0, 8.0])
        months = [[0.0, 0.0], [3.5, 6.5], [3.5, 6.5]]
        for after, held in (([9.0, 1.0], 1.0), ([1.0, 9.0], 0.0), ([0.0, 0.0], 0.0)):
            values = np.array([*months, after])
            assert nationality_shift._confirmed(values, 0, new, old) == held
        assert np.isnan(nationality_shift._confirmed(np.array(months), 0, new, old))
        assert np.isnan(nationality_shift._confirmed(np.zeros((4, 2)), 0, new, old))

    def test_mix_that_always_moves_is_not_news(self) -> None:
        swings = [(0.9, 0.1) if month // 4 % 2 else (0.1, 0.9) for month in range(80)]
        assert _said(_shifts(_citizens(swings))) == {}

    def test_later_months_change_nothing_that_was_said(self) -> None:
        random = np.random.default_rng(1)
        pairs = [(share, 1 - share) for share in random.uniform(0.2, 0.8, 70)]
        whole = _citizens(pairs)
        months = sorted(whole["time_period"].unique())
        early = _shifts(whole[whole["time_period"] <= months[59]])
        late = {signal.month: signal.level for signal in _shifts(whole)}
        assert all(late[signal.month] == signal.level for signal in early)


class TestLevelChange:
    """Change points of a route's level."""

    @staticmethod
    def _counts(levels: Sequence[float], seed: int = 0) -> list[float]:
        random = np.random.default_rng(seed)
        season = 1 + 0.4 * np.sin(2 * np.pi * np.arange(len(levels)) / 12)
        return [
            float(round(value)) for value in np.array(levels) * season * np.exp(random.normal(0, 0.08, len(levels)))
        ]

    def test_step_is_reported_after_three_months(self, panel: Build) -> None:
        signals = _changes(panel(self._counts([1000] * 60 + [4000] * 12)))
        said = _said(signals)
        assert min(said) == "2024-03"
        first = next(signal for signal in signals if signal.level)
        assert first.first_period == "2024-01"
        assert first.level == "warning"
        assert first.confirmed == 1.0
        assert max(said) <= "2024-06"

    def test_season_is_no_change(self, panel: Build) -> None:
        assert _said(_changes(panel(self._counts([1000] * 96)))) == {}

    def test_fall_is_reported_as_rise_is(self, panel: Build) -> None:
        said = _said(_changes(panel(self._counts([4000] * 60 + [1000] * 6))))
        assert min(said) == "2024-09"

    def test_one_odd_month_is_no_new_level(self, panel: Build) -> None:
        said = _said(_changes(panel(self._counts([1000] * 60 + [9000] + [1000] * 6))))
        assert not {month for month in said if month >= "2024-06"}

    def test_small_counts_say_nothing(self, panel: Build) -> None:
        assert _said(_changes(panel(self._counts([10] * 60 + [60] * 6)))) == {}


class TestContext:
    """Unusual context in a country that people on the route are from."""

    @staticmethod
    def _drivers(peak: float, country: str = "SYR", target: str = "conflict_deaths") -> pd.DataFrame:
        months = pd.period_range(end="2024-12", periods=60, freq="M").astype(str)
        values = [50.0 + month % 7 for month in range(59)] + [peak]
        return pd.DataFrame({"target": target, "geo": country, "time_period": months, "value": values})

    def test_conflict_in_origin_country_is_watch(self, panel: Build) -> None:
        counts = panel([1000.0] * 60)
        signals = _contexts(self._drivers(900), _citizens([(0.8, 0.2)] * 60), counts)
        assert _said(signals) == {"2024-12": "watch"}
        (alert,) = newest_months({"": signals})
        assert alert.reason_params["citizen"] == "SYR"
        assert alert.reason_params["share"] == pytest.approx(0.2)
        assert (alert.reason_key, alert.first_period) == ("origin_conflict_deaths", "2024-10")

    @pytest.mark.parametrize(
        ("peak", "country", "shares"),
        [(60, "SYR", (0.8, 0.2)), (900, "AFG", (0.8, 0.2)), (900, "SYR", (0.97, 0.03)), (9e9, "SYR", (0.8, 0.2))],
    )
    def test_usual_unlinked_or_impossible_figures_say_nothing(
        self, panel: Build, peak: float, country: str, shares: tuple[float, float]
    ) -> None:
        signals = _contexts(self._drivers(peak, country), _citizens([shares] * 60), panel([1000.0] * 60))
        assert signals
        assert _said(signals) == {}

    def test_without_figures_by_nationality_there_is_no_link(self, panel: Build) -> None:
        assert _contexts(self._drivers(900), _citizens([]), panel([1000.0] * 60)) == []


def test_record_counts_standing_signals_once() -> None:
    months = pd.period_range("2020-01", periods=30, freq="M")
    signals = [
        Signal(rule="outside_95", route_id="CMR", series_id=SERIES, month=month,
               level="watch" if 5 <= place < 8 or place == 20 else "",
               confirmed=1.0 if place < 10 else 0.0)
        for place, month in enumerate(months)
    ]  # fmt: skip
    frame = observed_record({"outside_95": signals})
    rows = frame[(frame["route_id"] == "_T") & (frame["level"] == "watch")]
    assert rows[["n_alerts", "precision"]].to_numpy().tolist() == [[2.0, 0.5]]
    assert rows["precision_lo"].iloc[0] < 0.5 < rows["precision_hi"].iloc[0]
    assert set(frame["level"]) == {"watch"}
    assert observed_record({}).empty
