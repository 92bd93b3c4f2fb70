"""Nothing that became known later changes the data, forecasts or scores of a past origin."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest

from core import QUANTILE_LEVELS
from core.schema import ALL, NOT_APPLICABLE, make_series_id
from core.settings import Settings
from forecasting.days import daily_history
from forecasting.models import MODELS
from nightly import OWN_SETTLED_DAYS, SETTLED_DAYS, TOO_OLD, RealTimeData, forecasts, nowcasts
from nightly.forecasts import ForecastSet
from nightly.nowcasts import RouteDays
from store.figures import VintageStore
from store.releases.caches import BacktestStore
from tests.forecasting.frames import past_work

SERIES = make_series_id("arrivals", "WMR", ALL, ALL, "M")
OWN = make_series_id("arrivals", "X_LAKE", ALL, ALL, "M")
MONTHS = [str(month) for month in pd.period_range("2022-07", "2024-12", freq="M")]
ORIGIN = pd.Timestamp("2024-10-31")
NIGHT = dt.date(2025, 3, 31)
PAST_ORIGINS = 2
"""October and November 2024."""
AFTER = dt.date(2024, 12, 15)
"""Too late for October's origin, in time for November's."""


def values(series_id: str, source_id: str, geo: str, period: list[str], value: float, as_of: object) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "source_id": source_id, "series_id": series_id.replace(ALL, geo, 1), "target": "arrivals",
            "route_id": series_id.split(".")[1], "geo": geo, "citizen": ALL, "freq": "M", "time_period": period,
            "obs_value": value, "obs_flag": "", "as_of": as_of, "as_of_estimated": False,
        }
    ).astype({"as_of": "datetime64[ns]"})  # fmt: skip


def data_with(folder: Path, revised_on: dt.date, *, own: bool = False) -> RealTimeData:
    """A route, and one of an analyst's own, whose count of October 2024 was revised from 100 to 900 on a day."""
    store = VintageStore(folder)
    published = (pd.PeriodIndex(MONTHS, freq="M").end_time.normalize() + pd.Timedelta(days=20)).to_numpy()
    for series_id, source_id, geo in ((SERIES, "iom_dtm", "ESP"), (OWN, "lake_survey", NOT_APPLICABLE)):
        frame = values(series_id, source_id, geo, MONTHS, 100.0, published)
        store.append(frame, received=NIGHT)
    series_id, source_id, geo = (OWN, "lake_survey", NOT_APPLICABLE) if own else (SERIES, "iom_dtm", "ESP")
    store.append(values(series_id, source_id, geo, ["2024-10"], 900.0, pd.Timestamp(revised_on)), received=NIGHT)
    return RealTimeData(store.history(), NIGHT, 3, PAST_ORIGINS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("own", "days", "known"),
    [
        (False, SETTLED_DAYS, 900.0),
        (False, SETTLED_DAYS + 1, 100.0),
        (True, OWN_SETTLED_DAYS, 900.0),
        (True, OWN_SETTLED_DAYS + 1, 100.0),
    ],
)
def test_origin_knows_revisions_before_settling(tmp_path: Path, *, own: bool, days: int, known: float) -> None:
    data = data_with(tmp_path, ORIGIN.date() + dt.timedelta(days=days), own=own)
    series_id = OWN if own else SERIES
    assert data.past_panels[ORIGIN].matrix[series_id].loc["2024-10"] == known
    assert data.panel.matrix[series_id].loc["2024-10"] == 900.0


def test_late_revision_keeps_stored_forecast(tmp_path: Path) -> None:
    revised, never = (data_with(tmp_path / name, day) for name, day in (("a", AFTER), ("b", NIGHT)))
    hashes = [
        past_work(data.panel, origins=PAST_ORIGINS, models=["vigie-baseline"], known_at=data.past_panels)
        .table.set_index(["series_id", "origin_date"])["history_hash"]
        for data in (revised, never)
    ]  # fmt: skip
    same = hashes[0].eq(hashes[1]).xs(SERIES)
    assert same.to_dict() == {ORIGIN: True, pd.Timestamp("2024-11-30"): False}


def test_forecasts_of_night_are_made_from_what_past_origins_knew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecasts, "MODELS", {"vigie-baseline": MODELS["vigie-baseline"]})
    data = data_with(tmp_path, AFTER)
    made = forecasts.make_forecasts(
        data,
        Settings.model_construct(backtest_origins=2, slow_backtest_origins=2, trajectories=100),
        BacktestStore(tmp_path),
        lambda *_: None,
        1,
    )
    past = made.hindcasts[made.hindcasts["model_id"] == "vigie-baseline"]
    median = past[(past["horizon"] == 1) & np.isclose(past["output_type_id"], 0.5) & (past["series_id"] == SERIES)]
    by_origin = median.set_index("origin_date")["value"]
    assert by_origin[ORIGIN] == pytest.approx(100.0)
    assert by_origin.index.max() < pd.Timestamp("2024-12-31")


def test_later_figures_are_kept_apart(tmp_path: Path) -> None:
    whole = data_with(tmp_path, AFTER)
    data = RealTimeData(whole.vintages, dt.date(2024, 12, 14), 3, PAST_ORIGINS)
    assert data.known["as_of"].max() <= pd.Timestamp("2024-12-14")
    assert data.routes["time_period"].max() == "2024-10"
    assert data.panel.matrix[SERIES].loc["2024-10"] == 100.0
    assert set(data.outcomes["time_period"]) == {"2024-11", "2024-12"}


@pytest.fixture(scope="module")
def route() -> RouteDays:
    days = pd.period_range("2019-01-01", "2024-12-15", freq="D")
    counts = np.random.default_rng(5).poisson(40 * (1 + 0.4 * np.sin(np.arange(len(days)) / 58))).astype(float)
    daily = pd.Series(counts, index=days)
    return RouteDays(daily_history(daily), daily.groupby(days.asfreq("M")).sum())


def days_until(last: str) -> pd.Series:
    days = pd.period_range("2019-01-01", last, freq="D")
    counts = np.random.default_rng(5).poisson(40 * (1 + 0.4 * np.sin(np.arange(len(days)) / 58))).astype(float)
    return pd.Series(counts, index=days, name="arrivals.CHA.GBR._T.D")


@pytest.mark.parametrize(
    ("last", "origin", "made"),
    [
        ("2024-12-15", "2024-11-30", True),
        ("2024-12-30", "2024-11-30", True),
        ("2024-12-31", "2024-11-30", False),  # its month is whole already
        ("2024-12-15", "2024-10-31", False),  # its month is not the one after the origin
        ("2024-11-30", "2024-11-30", False),  # its days have not begun
    ],
)
def test_month_with_some_days_is_nowcast(
    monkeypatch: pytest.MonkeyPatch, last: str, origin: str, *, made: bool
) -> None:
    daily = days_until(last)
    months = daily.groupby(pd.PeriodIndex(daily.index).asfreq("M")).sum()
    series = make_series_id("arrivals", "CHA", ALL, ALL, "M")
    states = pd.DataFrame(
        {"route_id": ["CHA", "EMR"], "series_id": [series, "b"], "origin_date": pd.to_datetime([origin, origin])}
    )
    data = SimpleNamespace(
        known=None,
        date=dt.date(2025, 1, 5),
        states=states,
        panel=SimpleNamespace(matrix=pd.DataFrame({series: months})),
    )
    present = pd.DataFrame(
        [{"series_id": name, "horizon": step, "output_type_id": level, "value": 100.0 * step + level}
         for name in (series, "b") for step in (1, 2) for level in QUANTILE_LEVELS]
    )  # fmt: skip
    forecasts = SimpleNamespace(current_ensemble=present, past_ensemble=pd.DataFrame({"series_id": []}))
    monkeypatch.setattr(nowcasts, "daily_arrivals", lambda _known: {"CHA": daily})
    monkeypatch.setattr(nowcasts, "past_skill", lambda *_: (0.5, 24))
    found = nowcasts.make_nowcasts(cast(RealTimeData, data), cast(ForecastSet, forecasts))
    assert len(found) == (len(QUANTILE_LEVELS) if made else 0)
    if made:
        assert set(found["series_id"]) == {series}
        assert found["unsharpened"].tolist() == pytest.approx([100.0 + level for level in QUANTILE_LEVELS])
        assert set(found["last_day"]) == {pd.Timestamp(last)}
        assert set(found["as_of"]) == {pd.Timestamp("2025-01-05")}
        assert set(found["target_end_date"]) == {pd.Timestamp("2024-12-31")}
        assert found["used"].all()


@pytest.mark.parametrize(("late", "told"), [(0, True), (28, True), (29, False)])
def test_eight_weeks_are_kept_until_half_are_over(monkeypatch: pytest.MonkeyPatch, late: int, *, told: bool) -> None:
    last = dt.date(2024, 12, 18)
    monkeypatch.setattr(nowcasts, "daily_arrivals", lambda _known: {"CHA": days_until(str(last))})
    monkeypatch.setattr(nowcasts, "week_record", lambda _days: None)
    monkeypatch.setattr(nowcasts, "week_scores", sorted)
    data = SimpleNamespace(known=None, date=last + dt.timedelta(days=late))
    found = nowcasts.make_weeks(cast(RealTimeData, data))
    weeks = found["weeks"]
    assert found["week_scores"] == (["arrivals.CHA.GBR._T.W"] if told else [])
    if not told:
        assert weeks.empty
        return
    assert set(weeks["origin_date"]) == {pd.Timestamp("2024-12-15")}, "the Sunday before"
    ends = weeks.drop_duplicates("horizon").set_index("horizon")["target_end_date"]
    assert ends.to_dict() == {step: pd.Timestamp("2024-12-15") + pd.Timedelta(days=7 * step) for step in range(1, 9)}
    so_far = weeks.drop_duplicates("horizon")["so_far"].tolist()
    assert so_far == [days_until(str(last)).loc["2024-12-16":].sum(), *[0.0] * 7]
    assert len(weeks) == 8 * len(QUANTILE_LEVELS)
    assert (weeks.groupby("horizon")["value"].diff().dropna() >= 0).all()


def test_months_settle_after_one_or_four_months() -> None:
    assert (SETTLED_DAYS, OWN_SETTLED_DAYS) == (31, 125)


def test_route_is_outdated_beyond_set_months(tmp_path: Path) -> None:
    whole = data_with(tmp_path, AFTER)
    last = {
        day: RealTimeData(whole.vintages, day, 3, PAST_ORIGINS).states.set_index("route_id").loc["WMR", "state"]
        for day in (dt.date(2025, 4, 29), dt.date(2025, 4, 30))
    }
    assert last == {dt.date(2025, 4, 29): "ok", dt.date(2025, 4, 30): TOO_OLD}
