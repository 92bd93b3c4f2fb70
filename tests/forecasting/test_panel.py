from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.calendar import Frequency
from core.errors import InputError
from forecasting.panel import Panel, panel_from_observations, read_panel
from forecasting.reconcile import totals_panel

GOOD = "series_id,time_period,value,route_id\na,2020-01,1,X\na,2020-02,2,X\nb,2020-01,5,Y\n"


def _write(folder: Path, text: str | bytes, name: str = "panel.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_rows_in_any_order_give_same_panel(tmp_path: Path) -> None:
    head, *rows = GOOD.splitlines()
    mixed = _write(tmp_path, "\n".join([head, *reversed(rows)]) + "\n", "mixed.csv")
    assert read_panel(mixed).matrix.equals(read_panel(_write(tmp_path, GOOD)).matrix)


def test_missing_month_is_gap_and_not_zero(tmp_path: Path) -> None:
    panel = read_panel(
        _write(tmp_path, "series_id,time_period,value\na,2020-01,1\na,2020-03,3\nb,2020-02,\nb,2020-03,0\n")
    )
    assert len(panel.matrix) == 3
    assert np.isnan(panel.matrix["a"].iloc[1])
    assert np.isnan(panel.matrix["b"].iloc[1])
    assert panel.matrix["b"].iloc[2] == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty file"),
        ("series_id,time_period,value\n", "no rows"),
        ("series_id,month,value\na,2020-01,1\n", "missing columns ['time_period']"),
        (
            "series_id,time_period,value\na,2020-01,-1\na,2020-02,\n",
            "row 2, column value: no row has a value: a count is never negative",
        ),
        ("series_id,time_period,value\na,2020-01,x\na,2020-02,y\n", "(found 'x'); 2 rows break this rule"),
        ("unique_id,ds,y\na,2020-01,1\na,2020-02,many\n", "row 3, column y: not a number (found 'many')"),
        ("unique_id,ds,y\na,2020-01,1\na,2020-1,1\n", "row 3, column ds: '2020-1' is not a period"),
        (
            "series_id,time_period,value\na,2020-01,1\na,2020-02,many\n",
            "row 3, column value: not a number (found 'many')",
        ),
        ("series_id,time_period,value\na,2020-01,inf\n", "row 2, column value: infinite"),
        ("series_id,time_period,value\na,2020-01,1\na,2020-01,1\n", "row 3, column time_period: this series already"),
        ("series_id,time_period,value\na,2020-01,1\na,2020-Q2,1\n", "row 3, column time_period: '2020-Q2' is not"),
        ("series_id,time_period,value\na,2020-13,1\n", "row 2, column time_period: '2020-13' is an impossible period"),
        ("series_id,time_period,value\na,Jan 2020,1\n", "row 2, column time_period: 'Jan 2020' is not a period"),
        ("series_id,time_period,value\n,2020-01,1\n", "row 2, column series_id: a series needs a name"),
        (
            "series_id,time_period,value,route_id\na,2020-01,1,X\na,2020-02,1,Y\n",
            "row 3, column route_id: a grouping does not change",
        ),
        ("series_id,time_period,value,passport\na,2020-01,1,X\n", "columns ['passport'] describe persons"),
        ("a,b\n1,2,3,4\n5,6,7,8,9,10\n", "not a table"),
    ],
)
def test_broken_panel_is_refused_with_file_row_column_and_rule(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        read_panel(_write(tmp_path, text))
    assert "panel.csv" in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize("rubbish", [b"\xff\xfe\x00rubbish" * 50, bytes(range(256)) * 40, b"\x00" * 5000])
def test_rubbish_is_refused_without_traceback(tmp_path: Path, rubbish: bytes) -> None:
    for name in ("panel.csv", "panel.parquet"):
        with pytest.raises(InputError, match=name):
            read_panel(_write(tmp_path, rubbish, name))


@pytest.mark.parametrize(
    ("first", "second", "freq", "season"),
    [
        ("2020-Q4", "2021-Q1", "Q", 4),
        ("2020-W53", "2021-W01", "W", 52),
        ("2020", "2021", "A", 1),
        ("2020-12-31", "2021-01-01", "D", 7),
    ],
)
def test_other_frequencies_follow_their_own_calendar(first: str, second: str, freq: str, season: int) -> None:
    rows = pd.DataFrame({"series_id": "a", "time_period": [first, second], "value": [1.0, 2.0]})
    panel = read_panel(rows)
    assert (panel.freq, panel.season_length, len(panel.matrix)) == (freq, season, 2)
    assert panel.long()["time_period"].tolist() == [first, second]


def test_groupings_stay_beside_series_and_survive_way_back(tmp_path: Path) -> None:
    panel = read_panel(_write(tmp_path, GOOD))
    assert panel.groups["route_id"].to_dict() == {"a": "X", "b": "Y"}
    assert panel.long().to_dict("list") == {
        "series_id": ["a", "a", "b"],
        "time_period": ["2020-01", "2020-02", "2020-01"],
        "value": [1.0, 2.0, 5.0],
        "route_id": ["X", "X", "Y"],
    }


def test_observations_of_another_target_do_not_enter_panel() -> None:
    observations = pd.DataFrame(
        {
            "series_id": ["x", "y"], "target": ["arrivals", "detections"], "freq": "M", "time_period": "2020-01",
            "obs_value": [3.0, 4.0], "route_id": "CMR", "geo": "_T", "citizen": "_T",
        }
    )  # fmt: skip
    assert panel_from_observations(observations, "arrivals", "M").series_ids == ["x"]
    with pytest.raises(InputError, match="observations of asylum_applications: none"):
        panel_from_observations(observations, "asylum_applications", "M")


@pytest.mark.parametrize("layout", ["%Y-%m-%d", "%Y-%m-%d 00:00:00", "%Y-%m-%dT00:00:00Z"])
def test_dates_of_one_day_of_each_month_are_months(tmp_path: Path, layout: str) -> None:
    months = pd.period_range("2019-11", periods=5, freq="M")
    rows = "".join(f"a,{date},{place}\n" for place, date in enumerate(months.start_time.strftime(layout)))
    panel = read_panel(_write(tmp_path, "series_id,time_period,value\n" + rows))
    assert panel.lines() == ["read as monthly"]
    assert panel.long()["time_period"].tolist() == months.astype(str).tolist()


def test_weeks_end_on_weekday_of_their_dates(tmp_path: Path) -> None:
    rows = "".join(f"a,{date:%Y-%m-%d},1\n" for date in pd.date_range("2020-01-04", periods=4, freq="W-SAT"))
    panel = read_panel(_write(tmp_path, "series_id,time_period,value\n" + rows))
    assert panel.lines() == ["read as weekly, ending Saturday"]
    assert panel.end_dates[0] == pd.Timestamp("2020-01-04")
    assert panel.until(dt.date(2020, 1, 12)).end_dates[-1] == pd.Timestamp("2020-01-18")
    assert panel.ends_before(np.array(["2020-01-18"], "datetime64[ns]"), 1) == pd.Timestamp("2020-01-11")


def test_chosen_frequency_reads_doubtful_dates_and_names_them(tmp_path: Path) -> None:
    path = _write(tmp_path, "series_id,time_period,value\na,2020-01-01,1\na,2020-02-01,2\na,2020-03-30,2\n")
    with pytest.raises(InputError, match=r"panel.csv, column time_period: .*2020-03-30"):
        read_panel(path)
    assert read_panel(path, "M").lines() == ["read as monthly", "1 date off the pattern of the others: 2020-03-30"]
    assert read_panel(path, "D").lines()[0] == "read as daily"


def test_negative_and_blank_values_are_set_aside_with_their_rows(tmp_path: Path) -> None:
    rows = "a,2020-01,1\n\na,2020-02,-4\na,2020-03,\na,2020-05,5\na,2020-07,\nb,2020-01,NaN\nc,2020-05,0\n"
    panel = read_panel(_write(tmp_path, "series_id,time_period,value\n" + rows))
    assert panel.series_ids == ["a", "c"]
    assert panel.lines() == [
        "read as monthly",
        "1 row set aside (a count is never negative): row 4 (a, 2020-02, -4)",
        "3 rows set aside (blank value): row 5 (a, 2020-03), row 7 (a, 2020-07), row 8 (b, 2020-01)",
        "not forecast, for they have no value: b",
        "3 gaps in 1 of 2 series filled by interpolation: a (2020-02 to 2020-04)",
    ]
    assert "row 5 (a, 2020-03) and 2 more" in panel.lines(names=1)[2]


def test_frame_with_nixtla_names_is_panel_of_its_file(tmp_path: Path) -> None:
    frame = pd.read_csv(_write(tmp_path, GOOD)).rename(
        columns={"series_id": "unique_id", "time_period": "ds", "value": "y"}
    )
    dates = frame.assign(ds=pd.to_datetime(frame["ds"]))
    for one in (frame, dates):
        assert read_panel(one).long().equals(read_panel(tmp_path / "panel.csv").long())


def test_frame_with_broken_row_names_its_position() -> None:
    frame = pd.DataFrame(
        {"series_id": "a", "time_period": ["2020-01", "2020-02"], "value": [1.0, np.inf]}, index=[5, 5]
    )
    with pytest.raises(InputError, match="panel, row 1, column value: infinite"):
        read_panel(frame)


def test_series_and_its_total_count_what_panel_says_or_its_value(tmp_path: Path) -> None:
    rows = "series_id,time_period,value,route_id,target,unit\na,2020-01,1,X,{0}\nb,2020-01,5,X,{0}\n"
    for said, counted in (("beds,places", ["beds", "places"]), ("arrivals,", ["arrivals", "persons"])):
        panel = read_panel(_write(tmp_path, rows.format(said)))
        for level in (panel, totals_panel(panel, "route_id")):
            assert level.counted().drop_duplicates().to_numpy().tolist() == [counted]
    assert read_panel(_write(tmp_path, GOOD)).counted().to_numpy().tolist() == [["value", "count"]] * 2


@pytest.mark.parametrize(
    ("freq", "periods", "within"), [("D", "D", 28), ("W", "W-SUN", 26), ("M", "M", 12), ("Q", "Q", 4), ("A", "Y", 2)]
)
def test_lagging_series_ends_after_limit(freq: Frequency, periods: str, within: int) -> None:
    matrix = pd.DataFrame(1.0, pd.period_range("2000-01-01", periods=40, freq=periods), ["late", "newest", "over"])
    matrix.iloc[40 - within :, 0] = np.nan
    matrix.iloc[40 - within - 1 :, 2] = np.nan
    panel = Panel(freq, matrix, pd.DataFrame(index=matrix.columns))
    assert panel.ended().tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("period", "value", "told"),
    [
        ("1700", "1", ""), ("2200", "1", ""), ("1699", "1", "is not between 1700 and 2200"),
        ("2201", "1", "is not between 1700 and 2200"), ("2020", "1000000000000", ""),
        ("2020", "1000000000001", "a count is at most 1e+12"), ("2020", "0", ""),
    ],
)  # fmt: skip
def test_years_and_counts_are_bounded(tmp_path: Path, period: str, value: str, told: str) -> None:
    path = _write(tmp_path, f"series_id,time_period,value\na,{period},{value}\n")
    if told:
        with pytest.raises(InputError, match=re.escape(told)):
            read_panel(path)
    else:
        assert read_panel(path).matrix.iloc[0, 0] == float(value)


@pytest.mark.parametrize(("seen", "is_judged"), [(2000, True), (2001, False)])
def test_panels_up_to_2000_series_are_calibrated(
    seen: int,
    is_judged: bool,  # noqa: FBT001  # a case
) -> None:
    matrix = pd.DataFrame(1.0, pd.period_range("2024-01", periods=1, freq="M"), ["a"])
    panel = Panel("M", matrix, pd.DataFrame(index=["a"]), seen_together=np.asarray([seen]))
    assert panel.judged.tolist() == [is_judged]


def test_monthly_series_ends_after_a_year(tmp_path: Path) -> None:
    rows = "a,2020-01,1\na,2022-01,1\nb,2021-01,1\nc,2020-12,1\n"
    panel = read_panel(_write(tmp_path, "series_id,time_period,value\n" + rows))
    assert panel.ended().tolist() == [False, False, True]
