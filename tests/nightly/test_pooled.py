"""What the pooled model learns from on a night, and how late breakdowns are looked ahead from."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from core.schema import ALL
from forecasting.panel import Panel
from forecasting.quantiles import QuantileTable
from nightly.pooled import FEWEST_MONTHS, PooledNight, _known_otherwise, counts, looked_further_ahead, newest_known
from nightly.real_time import RealTimeData

MONTHS = pd.period_range("2015-01", "2020-12", freq="M", name="period")
ROUTE = "arrivals.CMR._T._T.M"


def rows(series_id: str, values: np.ndarray, *, target: str = "conflict_deaths", late: int = 20) -> pd.DataFrame:
    months = MONTHS[: len(values)]
    known = months.end_time.normalize() + pd.Timedelta(days=late)
    return pd.DataFrame(
        {
            "source_id": "some", "series_id": series_id, "target": target, "route_id": "_Z", "geo": "_Z",
            "citizen": ALL, "freq": "M", "time_period": months.astype(str), "obs_value": values.astype(float),
            "obs_flag": "", "as_of": known, "as_of_estimated": False,
        }
    )  # fmt: skip


def panel_of(values: dict[str, np.ndarray]) -> Panel:
    matrix = pd.DataFrame(values, index=MONTHS).astype(float).rename_axis(columns="series_id")
    return Panel("M", matrix, pd.DataFrame(index=matrix.columns))


def test_only_long_series_of_whole_numbers_are_learned_from() -> None:
    count = np.arange(len(MONTHS)) + 10
    known = pd.concat(
        [
            rows("count", count),
            rows("short", count[: FEWEST_MONTHS - 1]),
            rows("rate", count / 3),
            rows("tiny", np.zeros(len(MONTHS))),
            rows("beds", count, target="capacity"),
        ]
    )
    assert counts(known, MONTHS).series_ids == ["count"]


def test_a_years_lesson_is_what_was_known_a_month_after_its_turn() -> None:
    """Figures that came later, revisions and new months alike, change no fit that was made before them."""
    then = rows("count", np.arange(len(MONTHS)) + 10)
    later = then.assign(obs_value=5.0, as_of=pd.Timestamp("2020-06-01"))
    both = pd.concat([then, later]).sort_values(["series_id", "time_period", "as_of"], ignore_index=True)
    prints = []
    for history in (then.reset_index(drop=True), both):
        cells = history.assign(cell=history.groupby(["series_id", "time_period"]).ngroup())
        night = PooledNight(RealTimeData(cells, dt.date(2021, 1, 31), 6, 24), fits=None)  # type: ignore[arg-type]  # no fit is asked for
        prints.append([night.lessons(year).fingerprint for year in (2019, 2021)])
    assert prints[0][0] == prints[1][0]
    assert prints[0][1] != prints[1][1]


def test_the_newest_month_by_nationality_is_the_last_that_was_wholly_known() -> None:
    values = rows("part", np.ones(len(MONTHS)))
    values.loc[values["time_period"] == "2020-03", "as_of"] = pd.Timestamp("2020-09-01")
    newest = newest_known(
        values[values["time_period"] < "2020-12"], panel_of({"part": np.ones(72)}), dt.date(2021, 1, 9)
    )
    assert newest["2020-03-31"] == pd.Timestamp("2020-02-29")
    assert newest["2020-04-30"] == pd.Timestamp("2020-04-30")
    assert newest["2020-12-31"] == pd.Timestamp("2020-11-30")


def test_a_late_breakdown_is_looked_ahead_from_so_much_further() -> None:
    panel = panel_of({"part": np.ones(72)})
    known = pd.Timestamp("2020-11-30")
    keys = pd.DataFrame({"series_id": ROUTE, "origin_date": known, "horizon": [1, 2, 3]})
    keys["target_end_date"] = [known + pd.offsets.MonthEnd(step) for step in (1, 2, 3)]
    sums = QuantileTable(keys, np.arange(3.0)[:, None] * np.ones(23))
    newest = pd.Series([known, known], index=pd.DatetimeIndex(["2020-11-30", "2020-12-31"]))
    found = looked_further_ahead(sums, newest, panel)
    late = found.where((found.keys["origin_date"] == "2020-12-31").to_numpy())
    assert late.keys["horizon"].tolist() == [1, 2]
    assert late.keys["target_end_date"].tolist() == keys["target_end_date"].tolist()[1:]
    assert late.quantiles[:, 0].tolist() == [1.0, 2.0]


def test_a_history_that_was_known_otherwise_is_a_series_of_its_own() -> None:
    panel = panel_of({"a": np.arange(72.0), "b": np.arange(72.0)})
    end = panel.end_dates[60]
    then = panel.until(end).matrix.copy()
    then.iloc[50, 0] = 7.0
    wanted = np.zeros((72, 2), dtype=bool)
    wanted[60] = True
    other, own = _known_otherwise(panel, wanted, {end: Panel("M", then, panel.groups)})
    assert other.series_ids == ["2020-01 a"]
    assert own.sum() == 1
    assert own[60, 0]
    assert other.matrix.iloc[50, 0] == pytest.approx(7.0)
    assert other.matrix.iloc[61:, 0].isna().all()
    assert wanted[60].tolist() == [False, True]
