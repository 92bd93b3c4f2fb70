from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence

import pandas as pd
import pytest

from core.errors import SchemaError, SourceError
from ingest import RawFile
from ingest.rows import (
    Reading,
    count_rules,
    duplicate_rules,
    flags,
    melt,
    newest,
    observations,
    set_aside,
    since,
    to_days,
    to_months,
    to_numbers,
)


def _rows(values: Sequence[object]) -> pd.DataFrame:
    days = pd.date_range("2024-01-01", periods=len(values)).strftime("%Y-%m-%d")
    return pd.DataFrame({"day": days, "n": values}, index=range(2, len(values) + 2))


def test_date_of_knowledge_is_end_plus_lag() -> None:
    tidy = pd.DataFrame({"time_period": ["2024-12", "2024-Q4"], "freq": ["M", "Q"], "obs_value": [7, 8]})
    frame = observations(tidy, source_id="s", lag_days=25, target="arrivals", route_id="CMR", geo="ITA", citizen="_T")
    assert frame["as_of"].dt.strftime("%Y-%m-%d").tolist() == ["2025-01-25", "2025-01-25"]
    assert frame["as_of_estimated"].all()
    assert frame["series_id"].tolist() == ["arrivals.CMR.ITA._T.M", "arrivals.CMR.ITA._T.Q"]


def test_known_vintage_is_kept_and_not_marked() -> None:
    tidy = pd.DataFrame({"time_period": ["2024-12"], "obs_value": [7], "as_of": [pd.Timestamp("2025-06-03")]})
    frame = observations(tidy, source_id="s", target="detections", route_id="CMR", geo="_T", citizen="_T", freq="M")
    assert not frame["as_of_estimated"].any()
    assert frame["as_of"].iloc[0] == pd.Timestamp("2025-06-03")


def test_figure_given_twice_breaks_contract() -> None:
    tidy = pd.DataFrame({"time_period": ["2024-12", "2024-12"], "obs_value": [7, 8]})
    with pytest.raises(SchemaError):
        observations(tidy, source_id="s", lag_days=1, target="arrivals", route_id="C", geo="I", citizen="_T", freq="M")


def test_bad_row_is_set_aside_with_its_place_rule_and_record() -> None:
    frame = _rows(["1"] * 30 + ["-4"] + ["2"] * 9)
    good, rejected = set_aside(frame, count_rules(frame["n"], "n"), source_id="s", file="f.csv")
    assert len(good) == 39
    row = rejected.iloc[0]
    assert (row["row"], row["column"], row["rule"]) == ("32", "n", "the count is negative")
    assert json.loads(row["record"]) == {"day": "2024-01-31", "n": "-4"}


def test_file_with_too_many_bad_rows_is_refused_naming_first() -> None:
    frame = _rows(["1"] * 8 + ["many", "-4"])
    message = r"f\.csv, row 10, column n: the count is not a whole number \(2 of 10"
    with pytest.raises(SourceError, match=message):
        set_aside(frame, count_rules(frame["n"], "n"), source_id="s", file="f.csv")


def test_whole_history_is_refused_for_one_bad_row() -> None:
    frame = _rows(["1"] * 1000 + ["-4"])
    with pytest.raises(SourceError, match=r"row 1002, column n: the count is negative$"):
        set_aside(frame, count_rules(frame["n"], "n"), source_id="s", file="f.csv", tolerated=0)


@pytest.mark.parametrize(
    ("value", "rule"),
    [("", "missing"), (None, "missing"), (float("nan"), "missing"), ("0[VALORE]0", "whole"), ("1.5", "whole"),
     ("1e3", "whole"), ("inf", "whole"), ("1,234", "whole"), (-4.0, "negative"), ("-4", "negative")],
)  # fmt: skip
def test_what_is_no_count_breaks_rule(value: object, rule: str) -> None:
    broken = [str(each.rule) for each in count_rules(pd.Series([value], dtype=object), "n") if each.broken.all()]
    assert rule in broken[0]


@pytest.mark.parametrize("value", ["0", "12", " 12 ", 12, 12.0, "12.0"])
def test_whole_numbers_in_any_dress_are_counts(value: object) -> None:
    assert not any(rule.broken.any() for rule in count_rules(pd.Series([value]), "n"))


def test_repeated_figure_stays_contradicting_goes() -> None:
    frame = pd.DataFrame({"day": ["a", "a", "b", "b", "c"], "n": ["1", "1", "2", "3", "4"]})
    different, repeated = duplicate_rules(frame, ["day"], "n")
    assert different.broken.tolist() == [False, False, True, True, False]
    assert repeated.broken.tolist() == [False, True, False, False, False]


@pytest.mark.parametrize(("bad", "total", "is_used"), [(1, 20, True), (2, 40, True), (2, 39, False), (1, 19, False)])
def test_file_is_used_while_at_most_one_row_in_twenty_is_bad(
    bad: int,
    total: int,
    is_used: bool,  # noqa: FBT001  # a case
) -> None:
    frame = _rows(["-4"] * bad + ["1"] * (total - bad))
    try:
        good, rejected = set_aside(frame, count_rules(frame["n"], "n"), source_id="s", file="f.csv")
    except SourceError:
        assert not is_used
    else:
        assert is_used and (len(good), len(rejected)) == (total - bad, bad)


@pytest.mark.parametrize(
    ("period", "is_kept"),
    [
        ("2009-01", True), ("2008-12", False), ("2009-Q1", True), ("2008-Q4", False), ("2009", True), ("2008", False),
        ("2008-13", True), ("1899", True), ("", True),
    ],
)  # fmt: skip
def test_indicators_are_kept_from_2009(
    period: str,
    is_kept: bool,  # noqa: FBT001  # a case
) -> None:
    assert len(since(pd.DataFrame({"time_period": [period]}))) == is_kept


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (" 1.5 ", 1.5), ("-4", -4.0), ("+3", 3.0), ("1e3", 1000.0), ("1E-2", 0.01), ("7.", 7.0), (12, 12.0),
        ("1,5", None), ("1e100", None), ("", None), ("nan", None), ("inf", None), ("1" * 15, 1.11111111111111e14),
        ("1" * 16, None), ("0x1F", None), ("1 000", None), ("1_000", None), ("٣", None), ("1e999", None),
    ],
)  # fmt: skip
def test_number_has_point_and_at_most_fifteen_digits_before_it(text: object, number: float | None) -> None:
    (found,) = to_numbers(pd.Series([text], dtype=object))
    assert pd.isna(found) if number is None else found == pytest.approx(number)


def test_only_written_days_and_months_are_read() -> None:
    days = to_days(pd.Series(["2024-02-29", "2023-02-29", "2024-2-9", "29.02.2024", "2024-05-31 12:00", "1800-01-01"]))
    assert days.notna().tolist() == [True, False, False, False, False, False]
    assert to_days(pd.Series([" 2024-05-31 12:00"]), timed=True).tolist() == [pd.Timestamp("2024-05-31")]
    months = to_months(pd.Series(["2024-12", "2024-13", "2024-00", "2024", "2024-1"]))
    assert months.notna().tolist() == [True, False, False, False, False]


def test_wide_table_becomes_one_row_per_cell() -> None:
    wide = pd.DataFrame({"month": ["2024-01 ", "2024-02"], "Malta": [" 7", ":"], "Italy": ["", "9"]}, index=[14, 15])
    long = melt(wide, "month", ["Malta", "Italy"], {":", ""})
    assert long.reset_index().to_numpy().tolist() == [
        ["14, Malta", "2024-01", "Malta", "7"],
        ["15, Italy", "2024-02", "Italy", "9"],
    ]


@pytest.mark.parametrize(
    ("freq", "running", "later"), [("M", "2024-05", "2024-06"), ("Q", "2024-Q2", "2024-Q3"), ("A", "2024", "2025")]
)
def test_running_period_may_be_reported_early(freq: str, running: str, later: str) -> None:
    cells = pd.DataFrame({"time_period": [running], "value": ["7"]})
    today, raw = dt.date(2024, 5, 15), RawFile("f.csv", b"")
    fixed = {"target": "food_price_index", "freq": freq}
    reading = Reading(raw, "s", 1)
    found = reading.figures(cells, counts=True, today=today, **fixed)  # type: ignore[arg-type]  # dimensions are texts
    assert found.observations["obs_value"].tolist() == [7.0]
    with pytest.raises(SourceError, match="the period lies in the future"):
        reading.figures(cells.assign(time_period=later), counts=True, today=today, **fixed)  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    ("value", "counts", "whole", "fault"),
    [
        ("-1", True, True, "negative"), ("-1", False, True, ""), ("1.5", True, True, "not a whole number"),
        ("1.5", True, False, ""), ("1.5", False, True, ""), ("-1", True, False, "negative"), ("0", True, True, ""),
        ("many", False, False, "not a number"),
    ],
)  # fmt: skip
def test_counts_indices_and_anomalies_have_bounds(
    value: str,
    counts: bool,  # noqa: FBT001  # a case
    whole: bool,  # noqa: FBT001  # a case
    fault: str,
) -> None:
    cells = pd.DataFrame({"time_period": ["2024-01"], "value": [value]})

    def read() -> float:
        reading = Reading(RawFile("f.csv", b""), "s", 1)
        found = reading.figures(cells, counts=counts, whole=whole, target="oil_price")
        return float(found.observations["obs_value"].iloc[0])

    if fault:
        with pytest.raises(SourceError, match=fault):
            read()
    else:
        assert read() == float(value)


def test_newest_periods_are_flagged() -> None:
    periods = pd.Series(["2024-01", "2024-03", "unknown", "2024-02", "2024-03"])
    assert newest(periods, 1).tolist() == [False, True, False, False, True]
    assert newest(periods, 2).tolist() == [False, True, False, True, True]
    assert newest(periods, 9).tolist() == [True, True, False, True, True]
    assert flags(newest(periods, 1)).tolist() == ["", "p", "", "", "p"]
