from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence

import pandas as pd
import pytest

from core.errors import SchemaError, SourceError
from core.release import OBSERVATIONS, REJECTED
from core.schema import check
from ingest.rows import (
    RowRule,
    count_rules,
    duplicate_rules,
    future_rule,
    nothing_rejected,
    observations,
    require_rows,
    set_aside,
)


def _rows(values: Sequence[object]) -> pd.DataFrame:
    days = pd.date_range("2024-01-01", periods=len(values)).strftime("%Y-%m-%d")
    return pd.DataFrame({"day": days, "n": values}, index=range(2, len(values) + 2))


def test_a_date_of_knowledge_is_the_periods_end_plus_the_lag_and_marked_as_estimated() -> None:
    tidy = pd.DataFrame({"time_period": ["2024-12", "2024-Q4"], "freq": ["M", "Q"], "obs_value": [7, 8]})
    frame = observations(tidy, source_id="s", lag_days=25, target="arrivals", route_id="CMR", geo="ITA", citizen="_T")
    assert frame["as_of"].dt.strftime("%Y-%m-%d").tolist() == ["2025-01-25", "2025-01-25"]
    assert frame["as_of_estimated"].all()
    assert frame["series_id"].tolist() == ["arrivals.CMR.ITA._T.M", "arrivals.CMR.ITA._T.Q"]


def test_a_known_vintage_is_kept_and_not_marked() -> None:
    tidy = pd.DataFrame({"time_period": ["2024-12"], "obs_value": [7], "as_of": [pd.Timestamp("2025-06-03")]})
    frame = observations(tidy, source_id="s", target="detections", route_id="CMR", geo="_T", citizen="_T", freq="M")
    assert not frame["as_of_estimated"].any()
    assert frame["as_of"].iloc[0] == pd.Timestamp("2025-06-03")


def test_no_rows_make_an_empty_frame_that_keeps_the_contract() -> None:
    empty = pd.DataFrame({"time_period": [], "obs_value": [], "as_of": []})
    frame = observations(empty, source_id="s", target="arrivals", route_id="CMR", geo="_T", citizen="_T", freq="M")
    assert frame.empty
    check(frame, OBSERVATIONS)
    check(nothing_rejected(), REJECTED)


def test_a_figure_given_twice_breaks_the_contract() -> None:
    tidy = pd.DataFrame({"time_period": ["2024-12", "2024-12"], "obs_value": [7, 8]})
    with pytest.raises(SchemaError):
        observations(tidy, source_id="s", lag_days=1, target="arrivals", route_id="C", geo="I", citizen="_T", freq="M")


def test_a_bad_row_is_set_aside_with_its_place_rule_and_record() -> None:
    frame = _rows(["1"] * 30 + ["-4"] + ["2"] * 9)
    good, rejected = set_aside(frame, count_rules(frame["n"], "n"), source_id="s", file="f.csv")
    assert len(good) == 39
    row = rejected.iloc[0]
    assert (row["row"], row["column"], row["rule"]) == ("32", "n", "the count is negative")
    assert json.loads(row["record"]) == {"day": "2024-01-31", "n": "-4"}


def test_a_file_with_too_many_bad_rows_is_refused_naming_the_first() -> None:
    frame = _rows(["1"] * 8 + ["many", "-4"])
    message = r"f\.csv, row 10, column n: the count is not a whole number \(2 of 10"
    with pytest.raises(SourceError, match=message):
        set_aside(frame, count_rules(frame["n"], "n"), source_id="s", file="f.csv")


def test_a_whole_history_is_refused_for_one_bad_row() -> None:
    frame = _rows(["1"] * 1000 + ["-4"])
    with pytest.raises(SourceError, match=r"row 1002, column n: the count is negative$"):
        set_aside(frame, count_rules(frame["n"], "n"), source_id="s", file="f.csv", tolerated=0)


@pytest.mark.parametrize(
    ("value", "rule"),
    [("", "missing"), (None, "missing"), (float("nan"), "missing"), ("0[VALORE]0", "whole"), ("1.5", "whole"),
     ("1e3", "whole"), ("inf", "whole"), ("1,234", "whole"), (-4.0, "negative"), ("-4", "negative")],
)  # fmt: skip
def test_what_is_no_count_breaks_a_rule(value: object, rule: str) -> None:
    broken = [str(each.rule) for each in count_rules(pd.Series([value], dtype=object), "n") if each.broken.all()]
    assert rule in broken[0]


@pytest.mark.parametrize("value", ["0", "12", " 12 ", 12, 12.0, "12.0"])
def test_whole_numbers_in_any_dress_are_counts(value: object) -> None:
    assert not any(rule.broken.any() for rule in count_rules(pd.Series([value]), "n"))


def test_a_day_after_today_lies_in_the_future() -> None:
    days = pd.Series([pd.Timestamp("2025-01-31"), pd.Timestamp("2025-02-01"), pd.NaT])
    rule = future_rule(days, "day", today=dt.date(2025, 1, 31))
    assert rule.broken.tolist() == [False, True, False]


def test_of_a_repeated_figure_one_stays_and_of_contradicting_figures_none() -> None:
    frame = pd.DataFrame({"day": ["a", "a", "b", "b", "c"], "n": ["1", "1", "2", "3", "4"]})
    different, repeated = duplicate_rules(frame, ["day"], "n")
    assert different.broken.tolist() == [False, False, True, True, False]
    assert repeated.broken.tolist() == [False, True, False, False, False]


def test_an_unanswerable_rule_counts_as_broken() -> None:
    frame = _rows(["1"] * 40)
    unanswerable = RowRule("n", "must hold", pd.Series([None] + [False] * 39, index=frame.index, dtype=object))
    good, rejected = set_aside(frame, [unanswerable], source_id="s", file="f")
    assert (len(good), len(rejected)) == (39, 1)


def test_a_file_without_figures_is_refused() -> None:
    with pytest.raises(SourceError, match=r"f\.csv: the file holds no figures"):
        require_rows(_rows([]), "f.csv")
