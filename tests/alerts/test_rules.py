"""Every rule at its boundary, and alerts from night to night."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from alerts import LIFT, Evidence, ExceedanceRule, counts_by_series, rank
from alerts.rules import COLUMNS, EXCEEDANCE_RULES, RULES, SUBJECT, ended, evaluate, judged_ahead, no_alerts, sentence
from core import QUANTILE_LEVELS
from core.calendar import planning_window
from core.errors import SchemaError
from core.release import ALERTS
from core.schema import check
from core.settings import PROJECT, AlertSettings

from .conftest import LONGEST

Build = Callable[..., pd.DataFrame]
Night = Callable[..., Evidence]
OWN = AlertSettings(thresholds={"CMR": 1000})
FLAT = [400.0] * 48


def _only(alerts: pd.DataFrame, rule: str) -> pd.DataFrame:
    return alerts[alerts["rule"] == rule].reset_index(drop=True)


def _futures(share: float, month: int, high: float, *, months: int = 12, low: float = 100.0) -> list[list[float]]:
    """One hundred paths, of which a share is high in one month ahead."""
    count = round(share * 100)
    return [[high if path < count and m == month else low for m in range(1, months + 1)] for path in range(100)]


def test_night_without_evidence_raises_nothing(evidence: Night) -> None:
    alerts = evaluate(evidence(), OWN)
    assert alerts.empty
    check(alerts, ALERTS)
    assert list(alerts.columns) == COLUMNS


class TestCapacity:
    """Chance that any month of the window passes the reader's number."""

    @pytest.mark.parametrize(
        ("share", "level"), [(0.24, None), (0.25, "watch"), (0.46, "warning"), (0.65, "severe"), (1.0, "severe")]
    )
    def test_level_follows_chance(
        self, evidence: Night, panel: Build, paths: Build, share: float, level: str | None
    ) -> None:
        night = evidence(panel=panel(FLAT), trajectories=paths(_futures(share, 2, 1001)))
        found = _only(evaluate(night, OWN), "capacity")
        assert found["alert_level"].to_list() == ([level] if level else [])
        if level:
            assert found["probability"].to_list() == [share]

    @pytest.mark.parametrize(("share", "level"), [(0.2, None), (0.5, "information"), (0.95, "severe")])
    def test_level_needs_chance_above_usual(
        self, evidence: Night, panel: Build, paths: Build, share: float, level: str | None
    ) -> None:
        high_every_january = panel([2000.0 if month % 12 == 0 else 500.0 for month in range(96)])
        night = evidence(panel=high_every_january, trajectories=paths(_futures(share, 1, 2000)))
        found = _only(evaluate(night, OWN), "capacity")
        assert found["alert_level"].to_list() == ([level] if level else [])
        if level:
            row = found.iloc[0]
            assert row["base_rate"] > 0.75
            assert row["cutoff"] == pytest.approx(LIFT * row["base_rate"])
            assert row["prepare_from"] == pytest.approx(0.25)

    def test_chance_without_alert_is_kept(self, evidence: Night, panel: Build, paths: Build) -> None:
        night = evidence(panel=panel(FLAT), trajectories=paths(_futures(0.2, 1, 2000)))
        assert [one.probability for one in judged_ahead(night, OWN) if one.rule == "capacity"] == [0.2]

    def test_met_number_is_not_exceeded(self, evidence: Night, panel: Build, paths: Build) -> None:
        for high, raised in ((1000, 0), (1000.4, 0), (1001, 1)):
            night = evidence(panel=panel(FLAT), trajectories=paths(_futures(1.0, 1, high)))
            assert len(_only(evaluate(night, OWN), "capacity")) == raised

    def test_any_month_of_window_counts_once_per_path(self, evidence: Night, panel: Build, paths: Build) -> None:
        half = [[2000, 2000, 100] if path < 30 else [100, 100, 2000] if path < 50 else [100] * 3 for path in range(100)]
        night = evidence(panel=panel(FLAT), trajectories=paths(half))
        found = _only(evaluate(night, OWN), "capacity").iloc[0]
        assert found["probability"] == 0.5
        assert (found["first_period"], found["last_period"], found["horizon"]) == ("2025-01", "2025-03", 1)

    @pytest.mark.parametrize("month", [1, 2])
    def test_month_between_newest_count_and_release_raises_nothing(
        self, evidence: Night, panel: Build, paths: Build, month: int
    ) -> None:
        """November is the newest count of a release of December: what December brings is the nowcast's."""
        night = evidence(
            panel=panel(FLAT, end="2024-11"), trajectories=paths(_futures(0.9, month, 2000), origin="2024-11")
        )
        assert len(_only(evaluate(night, OWN), "capacity")) == (month == 2)

    @pytest.mark.parametrize("as_of", [dt.date(2025, 1, 1), dt.date(2025, 1, 31)])
    def test_probability_covers_planning_window(
        self, evidence: Night, panel: Build, paths: Build, as_of: dt.date
    ) -> None:
        futures = np.random.default_rng(0).lognormal(6.5, 0.5, (200, 12))
        night = dataclasses.replace(evidence(panel=panel(FLAT), trajectories=paths(futures)), as_of=as_of)
        found = _only(evaluate(night, OWN), "capacity").iloc[0]
        window = [str(month) for month in planning_window(as_of)]
        assert (found["first_period"], found["last_period"]) == (window[0], window[-1]) == ("2025-02", "2025-04")
        assert found["probability"] == (futures[:, 1:4] > 1000).any(axis=1).mean()
        assert found["horizon"] == 2

    def test_sentence_says_whose_number_it_is(self, evidence: Night, panel: Build, paths: Build) -> None:
        night = evidence(panel=panel(FLAT), trajectories=paths(_futures(0.7, 1, 2000)))
        own = _only(evaluate(night, OWN), "capacity")["reason"].iloc[0]
        assert own == "Likely (70%) to pass the capacity of 1,000 a month, in any month of January–March 2025."
        usual = _only(evaluate(night, AlertSettings()), "capacity").iloc[0]
        said = "Likely (70%) to pass 400 a month, the usual high, in any month of January–March 2025."
        assert usual["reason"] == said
        assert usual["threshold"] == 400

    def test_short_history_has_no_default_but_takes_readers_number(
        self, evidence: Night, panel: Build, paths: Build
    ) -> None:
        night = evidence(panel=panel(FLAT[:10]), trajectories=paths(_futures(0.7, 1, 2000)))
        assert evaluate(night, AlertSettings()).empty
        assert len(_only(evaluate(night, OWN), "capacity")) == 1


class TestSurge:
    """One and a half times the trailing mean, reached in any month of the window."""

    def test_reaching_multiple_exactly_is_enough(self, evidence: Night, panel: Build, paths: Build) -> None:
        for high, raised in ((600, 1), (599, 0)):
            night = evidence(panel=panel(FLAT), trajectories=paths(_futures(0.5, 2, high)))
            found = _only(evaluate(night, OWN), "surge")
            assert len(found) == raised
        night = evidence(panel=panel(FLAT), trajectories=paths(_futures(0.5, 2, 600)))
        found = _only(evaluate(night, OWN), "surge")
        assert found[["threshold", "alert_level"]].to_numpy().tolist() == [[600, "warning"]]
        expected = "About even (50%) to reach 600, 1.5× the 12-month mean, in any month of January–March 2025."
        assert found["reason"].to_list() == [expected]

    def test_small_numbers_are_no_surge(self, evidence: Night, panel: Build, paths: Build) -> None:
        for level, raised in ((100.0, 1), (99.9, 0)):
            night = evidence(panel=panel([level] * 24), trajectories=paths(_futures(1.0, 1, 10_000)))
            assert len(_only(evaluate(night, OWN), "surge")) == raised


class TestRecords:
    """Above the highest of the last 12 or 36 months."""

    def test_each_record_looks_back_over_its_own_months(self, evidence: Night, panel: Build, paths: Build) -> None:
        history = [200.0] * 12 + [900.0] + [200.0] * 20 + [500.0] + [200.0] * 2
        night = evidence(panel=panel(history), trajectories=paths(_futures(0.7, 1, 600)))
        alerts = evaluate(night, AlertSettings(thresholds={"CMR": 10_000}))
        assert _only(alerts, "record_12")["threshold"].to_list() == [500]
        assert _only(alerts, "record_36").empty
        night = evidence(panel=panel(history), trajectories=paths(_futures(0.7, 1, 901)))
        assert _only(evaluate(night, OWN), "record_36")["threshold"].to_list() == [900]

    def test_tie_with_record_is_no_record(self, evidence: Night, panel: Build, paths: Build) -> None:
        night = evidence(panel=panel(FLAT), trajectories=paths(_futures(1.0, 1, 400)))
        alerts = evaluate(night, OWN)
        assert _only(alerts, "record_12").empty
        assert _only(alerts, "record_36").empty


class TestWhatIsNotForecast:
    """Routes without figures or forecasts raise no alert about months ahead."""

    def test_route_with_nobody_raises_nothing(self, evidence: Night, panel: Build, paths: Build) -> None:
        night = evidence(panel=panel([0.0] * 48), trajectories=paths([[0.0] * 12] * 100))
        assert evaluate(night, AlertSettings()).empty
        assert evaluate(night, AlertSettings(surge_minimum=0)).empty
        assert evaluate(night, AlertSettings(thresholds={"CMR": 0})).empty

    def test_route_without_forecast_or_without_history_is_left_out(
        self, evidence: Night, panel: Build, paths: Build
    ) -> None:
        certain = paths(_futures(1.0, 1, 9999))
        assert evaluate(evidence(panel=panel(FLAT)), OWN).empty
        assert evaluate(evidence(trajectories=certain), OWN).empty
        other = panel(FLAT, series_id="arrivals.EMR._T._T.M")
        assert evaluate(evidence(panel=other, trajectories=certain), OWN).empty


class TestMiss:
    """The newest count against the interval issued a month before."""

    @staticmethod
    def _night(evidence: Night, panel: Build, issued: Build, value: float, *, scale: float = 1000.0) -> pd.DataFrame:
        quantiles = [[scale * (1 + level) for level in QUANTILE_LEVELS]] * 2
        frame = issued({"2024-10": quantiles, "2024-11": quantiles})
        return _only(evaluate(evidence(panel=panel([1500.0] * 5 + [value]), backtest=frame), OWN), "outside_95")

    @pytest.mark.parametrize(
        ("value", "level", "threshold"),
        [
            (1500.0, None, None), (1975.0, None, None), (2024.9, None, None), (2025.0, "warning", 1975.0),
            (1025.0, None, None), (975.0, "warning", 1025.0), (0.0, "warning", 1025.0),
        ],
    )  # fmt: skip
    def test_miss_is_reported_from_smallest_distance_on(
        self, evidence: Night, panel: Build, issued: Build, value: float, level: str | None, threshold: float | None
    ) -> None:
        found = self._night(evidence, panel, issued, value)
        assert found["alert_level"].to_list() == ([level] if level else [])
        if level:
            assert found["threshold"].iloc[0] == pytest.approx(threshold)
            assert np.isnan(found["probability"].iloc[0])
            assert (found["first_period"].iloc[0], found["horizon"].iloc[0]) == ("2024-12", 0)

    def test_between_95_and_outermost_quantiles_it_is_watch(self, evidence: Night, panel: Build, issued: Build) -> None:
        found = self._night(evidence, panel, issued, 19_850.0, scale=10_000.0)
        assert found["alert_level"].to_list() == ["watch"]
        assert found["reason"].to_list() == [
            "December 2024 counted 19,850, above the 10,300 to 19,800 expected before."
        ]

    def test_only_forecast_of_month_before_is_compared(self, evidence: Night, panel: Build, issued: Build) -> None:
        older = issued({"2024-10": [[1000 * (1 + level) for level in QUANTILE_LEVELS]] * 2})
        night = evidence(panel=panel([1500.0] * 5 + [9000.0]), backtest=older)
        assert _only(evaluate(night, OWN), "outside_95").empty


def test_a_later_figure_changes_no_earlier_base_rate(panel: Build) -> None:
    values = [float(150 + 37 * n % 211) for n in range(72)]
    whole, short = counts_by_series(panel(values)), counts_by_series(panel(values[:-6], end="2024-06"))
    for rule in EXCEEDANCE_RULES:
        ours, theirs = (rule.base_rates(counts, OWN, 2) for counts in (whole.iloc[:-6], short))
        pd.testing.assert_frame_equal(ours, theirs, check_freq=False)
        assert ((ours >= 0) & (ours <= 1) | ours.isna()).to_numpy().all()


class TestSourcesAndRevisions:
    """Late sources, and figures changed since the former release."""

    def test_late_source_informs_however_late(self, evidence: Night, freshness: Build) -> None:
        states = freshness(("a", "fresh"), ("b", "due"), ("c", "overdue"), ("d", "delinquent"))
        alerts = evaluate(evidence(freshness=states), OWN)
        assert alerts[["rule", "source_id", "alert_level"]].to_numpy().tolist() == [
            ["stale_source", "c", "information"],
            ["stale_source", "d", "information"],
        ]
        assert alerts["reason"].iloc[0] == "Figures are late: newest November 2024, 62 days old, expected within 35."
        assert alerts["probability"].isna().all()
        assert alerts["threshold"].isna().all()
        assert (alerts["route_id"] == "_Z").all()

    @staticmethod
    def _revision(before: float, after: float, **columns: str) -> pd.DataFrame:
        row: dict[str, object] = {
            "source_id": "iom-dtm",
            "series_id": "arrivals.CMR._T._T.M",
            "time_period": "2024-10",
            "target": "arrivals",
            "route_id": "CMR",
            "citizen": "_T",
            "freq": "M",
        }
        change = {"before": before, "after": after, "share": (after - before) / before, "usual": 0.0999}
        return pd.DataFrame([row | columns | change])

    @pytest.mark.parametrize(
        ("before", "after", "told"), [(2000, 2200, 1), (2000, 2199, 0), (1000, 1199, 0), (2000, 1000, 1)]
    )
    def test_large_revision_beyond_typical_informs(
        self, evidence: Night, before: float, after: float, told: int
    ) -> None:
        alerts = evaluate(evidence(revisions=self._revision(before, after)), OWN)
        assert alerts["alert_level"].to_list() == ["information"] * told

    def test_largest_revision_of_route_is_reported(self, evidence: Night) -> None:
        rows = pd.concat([self._revision(2000, 2300), self._revision(9000, 4000, time_period="2024-09")])
        alerts = evaluate(evidence(revisions=rows), OWN)
        assert alerts["reason"].to_list() == ["September 2024 was revised from 9,000 to 4,000."]
        assert alerts[["route_id", "source_id", "first_period"]].to_numpy().tolist() == [["CMR", "iom-dtm", "2024-09"]]

    @pytest.mark.parametrize(
        "columns", [{"citizen": "SYR"}, {"freq": "A"}, {"target": "food_price_index"}, {"route_id": "_Z"}]
    )
    def test_revisions_of_anything_but_monthly_total_raise_nothing(
        self, evidence: Night, columns: dict[str, str]
    ) -> None:
        assert evaluate(evidence(revisions=self._revision(2000, 9000, **columns)), OWN).empty


class TestFromNightToNight:
    """New, up, down, unchanged, ended."""

    def test_alert_keeps_its_identity_while_it_goes_on(self, evidence: Night, panel: Build, paths: Build) -> None:
        def night(share: float, day: dt.date, previous: pd.DataFrame | None) -> pd.DataFrame:
            found = evidence(panel=panel(FLAT), trajectories=paths(_futures(share, 2, 1001)))
            return _only(evaluate(dataclasses.replace(found, as_of=day), OWN, previous), "capacity")

        earlier, later = dt.date(2024, 12, 31), dt.date(2025, 1, 1)
        first = night(0.5, earlier, None)
        assert (first["change"].iloc[0], first["alert_id"].iloc[0]) == ("new", "capacity.CMR.2024-12-31")
        again = night(0.5, later, first)
        assert (again["change"].iloc[0], again["alert_id"].iloc[0]) == ("unchanged", "capacity.CMR.2024-12-31")
        assert night(0.9, later, again)["change"].iloc[0] == "up"
        assert night(0.3, later, again)["change"].iloc[0] == "down"
        gone = night(0.1, later, again)
        assert gone.empty
        pd.testing.assert_frame_equal(ended(again, gone), again)
        assert ended(again, again).empty
        assert ended(no_alerts(), again).empty

    def test_alert_without_forecast_stays_unjudged(self, evidence: Night, panel: Build, paths: Build) -> None:
        def night(day: dt.date, previous: pd.DataFrame | None, share: float | None) -> pd.DataFrame:
            known = {} if share is None else {"trajectories": paths(_futures(share, 2, 1001)), "panel": panel(FLAT)}
            return evaluate(dataclasses.replace(evidence(**known), as_of=day), OWN, previous)

        days = [dt.date(2024, 12, 31) + dt.timedelta(days=n) for n in range(4)]
        first = _only(night(days[0], None, 0.9), "capacity")
        blind = night(days[1], first, None)
        assert blind["alert_id"].to_list() == first["alert_id"].to_list()
        assert blind["unjudged_since"].to_list() == ["2025-01-01"]
        assert blind["probability"].isna().all()
        assert ended(first, blind).empty
        still = night(days[2], blind, None)
        assert still[["unjudged_since", "reason"]].equals(blind[["unjudged_since", "reason"]])
        seen = _only(night(days[3], still, 0.9), "capacity")
        assert seen[["alert_id", "unjudged_since"]].to_numpy().tolist() == [[first["alert_id"].iloc[0], ""]]
        assert _only(night(days[3], still, 0.1), "capacity").empty

    def test_former_release_that_breaks_contract_is_refused(self, evidence: Night) -> None:
        with pytest.raises(SchemaError, match="alert_id"):
            evaluate(evidence(), OWN, no_alerts().drop(columns="alert_id"))


@pytest.fixture
def busy_night(evidence: Night, panel: Build, paths: Build, issued: Build, freshness: Build) -> Evidence:
    series = [f"arrivals.{route}._T._T.M" for route in ("CMR", "EMR", "WMR")]
    rising = [[3000.0 * month for month in range(1, 13)]] * 100
    missed = {"2024-11": [[200 + level for level in QUANTILE_LEVELS]]}
    return evidence(
        panel=pd.concat([panel(FLAT, series_id=name) for name in series], ignore_index=True),
        trajectories=pd.concat([paths(rising, series_id=name) for name in series], ignore_index=True),
        backtest=pd.concat([issued(missed, series_id=name) for name in series], ignore_index=True),
        freshness=freshness(("a", "overdue"), ("b", "delinquent")),
        revisions=TestSourcesAndRevisions._revision(2000, 9000),
    )


def test_one_alert_per_rule_and_route_gravest_first(busy_night: Evidence) -> None:
    alerts = evaluate(busy_night, OWN)
    assert len(alerts) == 3 * 5 + 2 + 1
    assert not alerts.duplicated(SUBJECT).any()
    assert alerts["alert_level"].map(rank).is_monotonic_decreasing


def test_every_alert_has_short_sentence_and_says_what_it_is_for(busy_night: Evidence) -> None:
    alerts = evaluate(busy_night, OWN)
    assert (alerts["reason"].str.len() <= LONGEST).all()
    assert (alerts["intended_use"].str.len() > 0).all()
    for row in alerts.to_dict("records"):
        assert sentence(row["reason_key"], json.loads(row["reason_params"])) == row["reason"]


@pytest.mark.parametrize("rule", EXCEEDANCE_RULES, ids=lambda rule: rule.rule)
@pytest.mark.parametrize("limit", [1234.0, 1234.2, 1234.5, 1234.7])
def test_event_equals_that_of_whole_limit(rule: ExceedanceRule, limit: float) -> None:
    counts = np.arange(1230.0, 1240.0)
    named = np.full(1, rule.whole_limit(limit))
    assert (rule.happened(counts, named) == rule.happened(counts, np.full(1, limit))).all()
    assert float(named[0]).is_integer()


def test_page_about_alerts_has_a_row_for_each_rule() -> None:
    page = (PROJECT / "docs" / "alerts.md").read_text(encoding="utf-8")
    assert [rule.rule for rule in RULES if f"\n| {rule.rule} | " not in page] == []
