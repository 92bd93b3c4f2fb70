"""The year ahead: past totals of the same months, the finding, the table, the record, the briefing's second page."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pandas as pd
import pytest
from pypdf import PdfReader

from core.languages import Language
from reports import Decisions, year_ahead
from reports.briefing import briefing_data, briefing_pdf
from reports.year_ahead import YearLine, country_words, record_words, year_lines, year_table, year_title

from .conftest import MakeRelease, year_row

ENGLISH = Language("en")


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        [year_row("arrivals.CMR._T._T.M"), year_row("_T"), year_row("arrivals.EMR._T._T.M", median=15_000.0)]
    )


def test_all_routes_come_first_then_most_expected(make_release: MakeRelease, table: pd.DataFrame) -> None:
    lines = year_lines(table, make_release(2, 0).frame("observations"), "calendar year", ENGLISH)
    assert [line.name for line in lines] == ["2 routes together", "Eastern Mediterranean", "Central Mediterranean"]
    assert lines[0].past.to_dict() == {
        2023: lines[1].past[2023] + lines[2].past[2023],
        2024: lines[1].past[2024] + lines[2].past[2024],
    }


def test_countries_are_totalled_by_quarter(make_release: MakeRelease, table: pd.DataFrame) -> None:
    name = "asylum_applications_first._Z.DEU._T.Q"
    quarters = pd.DataFrame(
        [(name, f"{year}-Q{one}", 100.0 * one, "") for year in (2023, 2024) for one in (1, 2, 3, 4)],
        columns=["series_id", "time_period", "obs_value", "obs_flag"],
    )
    counted = pd.concat([make_release(2, 0).frame("observations"), quarters], ignore_index=True)
    table = pd.concat([table, pd.DataFrame([year_row(name, first_period="2024-07", last_period="2025-06")])])
    (country,) = year_lines(table, counted, "calendar year", ENGLISH, asylum=True)
    assert (country.name, country.past.to_dict(), country.repeated) == ("Germany", {2023: 1_000.0}, 1_600.0)
    routes = year_lines(table, counted, "calendar year", ENGLISH)
    assert [line.name for line in routes][1:] == ["Eastern Mediterranean", "Central Mediterranean"]
    assert routes[0].past[2024] == routes[1].past[2024] + routes[2].past[2024]
    shown = year_table([country], ENGLISH).iloc[0]
    assert list(shown[-6:]) == ["40%", "10%", "5%", "1%", "−10% ✓", "75%"]


def test_country_interval_wider_than_past_years_is_said() -> None:
    past = pd.Series({year: 1_000.0 * (year - 2010) for year in range(2020, 2025)})
    row = year_row("asylum_applications_first._Z.DEU._T.Q", 12_500.0, hi_80=15_000.0, months_counted=9, counted=8_000.0)
    usual, wide = (YearLine("Germany", "2025", past, row | {"lo_80": low}) for low in (11_000.0, 9_000.0))
    by_last = replace(usual, row={**usual.row, "relative_wis_hi": 1.3}, repeated=12_345.0)
    narrow, said, repeated = country_words([usual, wide, by_last], ENGLISH)
    assert repeated.startswith("2025: plan with 12,345, the last count repeated for what is not counted; the models’ ")
    assert narrow.startswith("2025: 80% interval 11,000 to 15,000, 12,500 expected. 9 months counted so far: 8,000. B")
    assert ", too wide to plan by one number. 2020–2024 were 10,000 to 14,000. 9 months counted" in said
    assert year_table([usual, wide, by_last], ENGLISH)["Plan with, 2025"].tolist() == ["12,500", "too wide", "12,345"]
    assert 12_500.0 not in [*wide.quantiles["value"], *by_last.quantiles["value"]]


def test_finding_and_table_say_same(make_release: MakeRelease, table: pd.DataFrame) -> None:
    lines = year_lines(table, make_release(2, 0).frame("observations"), "calendar year", ENGLISH)
    before = round(sum(12 * 1000.0 * one + 7 * sum(range(12, 24)) for one in (1, 2)))
    said = "2 routes together: 7,200 to 16,800 arrivals in 2025 (80% interval); the year before"
    assert year_title(lines, ENGLISH) == f"{said} {before:,}"
    shown = year_table(lines, ENGLISH)
    assert list(shown.columns)[:4] == ["Route", "2023", "2024", "Expected, 2025"]
    assert shown["Expected, 2025"].tolist() == ["12,000", "15,000", "12,000"]
    assert shown["More than 2024"].tolist() == ["40%"] * 3


def test_record_names_years_and_coverage() -> None:
    repeated = "smaller than those of the last count repeated (6 years); 80% intervals held 75% of past totals"
    assert record_words(year_row("_T"), ENGLISH) == f"better: past errors 10% {repeated}"
    worse = record_words(year_row("_T", relative_wis=1.09, relative_wis_hi=1.3), ENGLISH)
    assert worse.startswith("no sign of a gain: past errors 9% larger than those")
    assert record_words(year_row("_T", p_holm=0.2), ENGLISH).startswith("likely better: ")
    assert record_words(year_row("_T", relative_wis=float("nan"), n=0), ENGLISH) == "no record yet"


@pytest.mark.parametrize(("coverage", "said"), [(0.58, ", too narrow"), (0.7, ""), (float("nan"), "")])
def test_interval_that_held_too_few_totals_is_called_too_narrow(
    make_release: MakeRelease, table: pd.DataFrame, coverage: float, said: str
) -> None:
    lines = year_lines(
        table.assign(coverage_80=coverage), make_release(2, 0).frame("observations"), "calendar year", ENGLISH
    )
    shown = year_table(lines, ENGLISH)["80% interval"]
    assert set(shown) == {f"{ENGLISH.interval(line.row['lo_80'], line.row['hi_80'])}{said}" for line in lines}
    assert record_words(lines[0].row, ENGLISH).endswith("too narrow") == bool(said)


@pytest.mark.slow
def test_second_page_lists_next_year(make_release: MakeRelease, table: pd.DataFrame) -> None:
    later = table.assign(kind="July to June", ahead=1, first_period="2025-07", last_period="2026-06")
    codes = ("DEU", "FRA", "ITA", "ESP", "BEL", "NLD", "AUT", "SWE", "POL", "IRL", "GRC", "CYP", "BGR", "NOR", "DNK")
    countries = pd.DataFrame([year_row(f"asylum_applications_first._Z.{code}._T.Q") for code in codes])
    whole = pd.concat([table, later, countries], ignore_index=True)
    for language in ("en", "fr", "es"):
        release = make_release(2, 1).with_frame("year_ahead", whole)
        page = PdfReader(io.BytesIO(briefing_pdf(release, None, language))).pages[1].extract_text()
        assert "2025/26" in page
        assert Language(language).day(release.as_of) in page
        assert Language(language).text("and {n} more: see the dashboard", n=1) in page  # fmt: skip


def test_briefing_has_second_page_where_there_is_year_ahead(make_release: MakeRelease, table: pd.DataFrame) -> None:
    release = make_release(2, 1)
    assert len(PdfReader(io.BytesIO(briefing_pdf(release, None, "en"))).pages) == 1
    pages = PdfReader(io.BytesIO(briefing_pdf(release.with_frame("year_ahead", table), None, "en"))).pages
    assert len(pages) == 2
    assert "The year ahead" in pages[1].extract_text()


def test_briefing_names_routes_with_narrow_intervals(make_release: MakeRelease) -> None:
    years = pd.DataFrame([year_row("_T"), year_row("arrivals.CMR._T._T.M", coverage_80=0.58)])
    release = make_release(1, 0).with_frame("year_ahead", years)
    (block,) = briefing_data(release, None, Language(), Decisions())["year"]["blocks"]
    assert block["note"].endswith("80% intervals too narrow in past years: Central Mediterranean (58%)")


@pytest.mark.parametrize("routes", [4, 20])
def test_yearly_table_counts_hidden_rows(make_release: MakeRelease, routes: int) -> None:
    codes = [f"X_R{number}" for number in range(routes)]
    running = pd.DataFrame([year_row(f"arrivals.{code}._T._T.M") for code in codes])
    release = make_release(codes, 0).with_frame("year_ahead", running)
    page = briefing_data(release, None, Language(), Decisions())["year"]
    (block,) = page["blocks"]
    assert len(block["rows"]) == min(routes, 14)
    left = [int(found) for found in re.findall(r"and (\d+) more", block["note"])]
    assert left == ([routes - 14] if routes > 14 else [])
    assert [chart["name"] for chart in page["charts"]] == [row[0] for row in block["rows"]][:9]


@pytest.mark.parametrize(
    ("year", "counted_to", "said"),
    [
        (2025, "2024-12-31", "2025: 7,200 to 16,800 arrivals (80% interval); 13,932 in 2024"),
        (2025, "2024-11-30", "2025: 7,200 to 16,800 arrivals (80% interval); 13,932 in 2023"),
        (2026, "2024-12-31", "2026 beside earlier years"),
    ],
)
def test_a_routes_year_stands_beside_the_newest_complete_one(year: int, counted_to: str, said: str) -> None:
    row = year_row("arrivals.CMR._T._T.M", origin_date=pd.Timestamp(counted_to))
    assert year_ahead.year_words(pd.DataFrame([row]), "arrivals.CMR._T._T.M", year, ENGLISH) == said


def test_a_route_whose_intervals_were_too_narrow_is_named(make_release: MakeRelease) -> None:
    rows = [year_row("_T"), year_row("arrivals.CMR._T._T.M", coverage_80=0.58)]
    lines = year_lines(pd.DataFrame(rows), make_release(1, 0).frame("observations"), "calendar year", ENGLISH)
    assert (
        year_ahead.coverage_words(lines, ENGLISH)[-1]
        == "80% intervals too narrow in past years: Central Mediterranean (58%)"
    )
    assert "(80% interval, too narrow: held 58% of" in year_ahead.year_words(
        pd.DataFrame(rows), "arrivals.CMR._T._T.M", 2025, ENGLISH
    )


@pytest.mark.parametrize(
    ("origins", "said"),
    [
        (["2024-12-31", "2024-12-31"], "More than 2024"),
        (["2024-09-30", "2024-11-30"], "More than 2023, the newest complete total"),
        (["2024-12-31", "2024-11-30"], "More than the last total"),
    ],
)
def test_a_chance_of_more_names_the_year_compared(make_release: MakeRelease, origins: list[str], said: str) -> None:
    rows = [
        year_row(f"arrivals.{code}._T._T.M", origin_date=pd.Timestamp(day))
        for code, day in zip(("CMR", "EMR"), origins, strict=True)
    ]
    lines = year_lines(pd.DataFrame(rows), make_release(2, 0).frame("observations"), "calendar year", ENGLISH)
    assert said in year_table(lines, ENGLISH)
