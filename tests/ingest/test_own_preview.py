"""How people write months, figures and tables, and what a suggested mapping makes of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping

import pandas as pd
import pytest

from core.errors import SourceError
from ingest import RawFile
from ingest.own import _number, _period, month_of_name, parse_own
from ingest.own_mapping import OwnMapping, mapping_of_text
from ingest.own_preview import _kind, _written_numbers, _written_periods, suggest

SOURCE = """
[source]
source_id = "own_post"
publisher = "Border post"
dataset = "Arrivals"
lag_days = {lag}
[table]
what = "{what}"
{table}
[columns]
time_period = "Month"
value = "Persons"
[fixed]
route = "Ceuta"
name = "places"
"""


def mapping(what: str = "arrivals", table: Mapping[str, object] | None = None, *, lag: int = 10) -> OwnMapping:
    lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in (table or {}).items())
    return mapping_of_text(SOURCE.format(what=what, lag=lag, table=lines), "m.toml")


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("janv. 2024", "2024-01"), ("January 2024", "2024-01"), ("févr 2024", "2024-02"), ("Sept/2024", "2024-09"),
        ("diciembre de 2019", "2019-12"), ("AOÛT 2024", "2024-08"), ("aout 2024", "2024-08"), ("January 1899", ""),
        ("Month 2024", ""), ("2024", ""), ("January", ""),
    ],
)  # fmt: skip
def test_months_name_in_any_language_with_its_year_is_month(text: str, month: str) -> None:
    assert month_of_name(text) == month


@pytest.mark.parametrize(
    ("cell", "table", "text"),
    [
        ("1 234,5", {"thousands": " ", "decimal": ","}, "1234.5"), ("1\u202f234", {"thousands": " "}, "1234"),
        ("1.234", {"thousands": ".", "decimal": ","}, "1234"), ("1'234", {"thousands": "'"}, "1234"),
        ("1,5", {}, "1,5"), (" 7 ", {}, "7"), (1234567890.0, {}, "1234567890"), (0.1, {}, "0.1"),
        (float("nan"), {}, ""), (None, {}, ""), (True, {}, "True"),
    ],
)  # fmt: skip
def test_figure_is_read_by_marks_that_mapping_names(cell: object, table: dict[str, str], text: str) -> None:
    assert _number(cell, mapping(table=table)) == text


@pytest.mark.parametrize(
    ("cell", "what", "table", "period"),
    [
        (dt.date(2024, 2, 29), "arrivals", {}, "2024-02"),
        (pd.Timestamp("2024-12-31"), "indicator", {"freq": "Q"}, "2024-Q4"),
        (pd.Timestamp("2024-03-31"), "indicator", {"freq": "Q"}, "2024-Q1"),
        (pd.Timestamp("2024-04-01"), "indicator", {"freq": "Q"}, "2024-Q2"),
        (dt.date(2024, 2, 29), "indicator", {"freq": "A"}, "2024"),
        (dt.date(2024, 2, 29), "arrivals", {"sum_days": True}, "2024-02-29"),
        ("02/2024", "arrivals", {"period_format": "%m/%Y"}, "2024-02"),
        ("soon", "arrivals", {"period_format": "%m/%Y"}, "soon"), ("mars 2024", "arrivals", {}, "2024-03"),
        ("mars 2024", "indicator", {"freq": "A"}, "mars 2024"), (None, "arrivals", {}, ""),
        (float("nan"), "arrivals", {}, ""), (pd.NaT, "arrivals", {}, ""),
    ],
)  # fmt: skip
def test_period_is_read_as_its_frequency_and_mapping_say(
    cell: object, what: str, table: dict[str, object], period: str
) -> None:
    assert _period(cell, mapping(what, table)) == period


@pytest.mark.parametrize(("what", "days"), [("arrivals", 75), ("capacity", 400), ("indicator", 120)])
def test_own_figures_are_never_redistributed(what: str, days: int) -> None:
    card = mapping(what).card
    assert (card.expected_days, card.redistribution, card.citation) == (days, False, "Border post, Arrivals.")


@pytest.mark.parametrize(
    ("cells", "settings"),
    [
        (["2024-01", "2024-02"], {}), (["01/2024", "02/2024"], {"period_format": '"%m/%Y"'}),
        (["01.2024"], {"period_format": '"%m.%Y"'}), (["2024/1"], {"period_format": '"%Y/%m"'}),
        (["202401"], {"period_format": '"%Y%m"'}), (["2024-01-01", "2024-01-02"], {"sum_days": "true"}),
        (["2024-01-01", "2024-02-01"], {}),
        (["1/1/2024", "2/1/2024"], {"period_format": '"%d/%m/%Y"', "sum_days": "true"}),
        (["1.1.2024", "1.2.2024"], {"period_format": '"%d.%m.%Y"'}), (["Q1", "Q2"], {}),
    ],
)  # fmt: skip
def test_period_layout_is_detected(cells: list[str], settings: dict[str, str]) -> None:
    assert _written_periods(pd.Series(cells)) == settings


LAYOUTS = {
    ",By sea,,By land,\nMonth,Men,Women,Men,Women\n2024-01,1,2,3,4\n": "stands in two rows.+`Month,Men by sea",
    "Year,Jan,Feb,Mar\n2023,1,2,3\n2024,1,2,3\n": "a matrix of years and months.+`2024-01,120`",
    "Mois,2021,2022,2023\njanvier,1,2,3\nfévrier,1,2,3\n": "a matrix of years and months.+`2024-01,120`",
}


@pytest.mark.parametrize(("text", "reason"), LAYOUTS.items(), ids=["two rows", "year by month", "month by year"])
def test_layout_that_is_no_table_is_refused_with_example(text: str, reason: str) -> None:
    raw = RawFile("x.csv", text.encode())
    with pytest.raises(SourceError, match=reason):
        suggest(raw)
    with pytest.raises(SourceError, match=reason):
        parse_own(raw, mapping())


@pytest.mark.parametrize(("lag", "is_taken"), [(0, True), (120, True), (-1, False), (121, False)])
def test_usual_lag_is_at_most_120_days(lag: int, is_taken: bool) -> None:  # noqa: FBT001  # a case
    if is_taken:
        assert mapping(lag=lag).source.lag_days == lag
    else:
        with pytest.raises(Exception, match=r"source\.lag_days"):
            mapping(lag=lag)


@pytest.mark.parametrize(
    ("cells", "marks"),
    [
        (["1,234", "12"], {"thousands": '","'}), (["1.234"], {"thousands": '"."', "decimal": '","'}),
        (["1 234,5"], {"thousands": '" "', "decimal": '","'}), (["1,5"], {"decimal": '","'}), (["1.5", "7"], {}),
        (["1,2345"], {"decimal": '","'}), (["1'234"], {"thousands": '"\'"'}), (["1\u00a0234"], {"thousands": '" "'}),
    ],
)  # fmt: skip
def test_three_digits_behind_mark_are_thousands(cells: list[str], marks: dict[str, str]) -> None:
    assert _written_numbers(cells) == marks


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["2024-01", "2024-02", "2024-03", "x", "y"], "period"), (["2024-01", "2024-02", "x", "y", "z"], "other"),
        (["1", "2,5", "1 000", "x", "y"], "number"), (["1", "2", "x", "y", "z"], "other"), (["", " ", "7"], "number"),
        (["", ""], "other"), (["01/2024", "mars 2024", "202401"], "period"),
    ],
)  # fmt: skip
def test_column_kind_needs_six_in_ten_cells(cells: list[str], kind: str) -> None:
    assert _kind(cells) == kind
