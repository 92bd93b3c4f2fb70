"""Eurostat's asylum applications in each of the layouts in which they come."""

from __future__ import annotations

import pandas as pd
import pytest

from core.errors import SourceError
from ingest import RawFile
from ingest.sources import eurostat
from tests.ingest import miniature_files as files

EU28_FIRST_TIME_2015, EU28_FIRST_TIME_2016 = 1_257_610, 1_206_520
EU27_FIRST_TIME_2015 = 1_217_185


def series(raw: RawFile, series_id: str) -> pd.DataFrame:
    observations = eurostat.parse(raw).observations
    return observations[observations["series_id"] == series_id].set_index("time_period")


@pytest.mark.parametrize(
    ("applicant", "kind"), [("asyl_app", "NASY_APP"), ("applicant", "FRST"), ("applicant", "NASY_APP")]
)
def test_renamed_dimension_of_applicants_reads_same(applicant: str, kind: str) -> None:
    renamed = eurostat.parse(files.eurostat_tsv(applicant=applicant, first=kind)).observations
    assert renamed.equals(eurostat.parse(files.eurostat_tsv()).observations)
    in_json = eurostat.parse(files.eurostat_json(applicant, ("ASY_APP", kind))).observations
    assert in_json.equals(eurostat.parse(files.eurostat_json()).observations)


def test_all_applicants_and_first_time_applicants_are_kept_apart() -> None:
    found = set(eurostat.parse(files.eurostat_tsv()).observations["series_id"])
    assert found == {
        "asylum_applications._Z.GRC._T.M",
        "asylum_applications_first._Z.GRC._T.M",
        "asylum_applications._Z.GBR._T.M",
    }


def test_type_not_requested_is_refused_in_answer_and_passed_over_in_file() -> None:
    raw = files.eurostat_json(kinds=("ASY_APP", "OTHER"))
    assert set(eurostat.parse(raw).observations["target"]) == {"asylum_applications"}
    with pytest.raises(SourceError, match="holds what was not requested"):
        eurostat.parse(RawFile(raw.name, b"[" + raw.content + b"]"))


def test_sparse_answer_gives_only_figures_it_holds() -> None:
    rows = eurostat.parse(files.eurostat_json()).observations
    assert rows.groupby("time_period")["obs_value"].apply(list).to_dict() == {"2020-01": [835.0], "2020-02": [900.0]}
    assert set(rows["series_id"]) == {"asylum_applications._Z.DEU._T.M"}


def test_file_without_total_of_all_citizenships_is_refused() -> None:
    raw = files.eurostat_tsv()
    with pytest.raises(SourceError, match="no row for citizen TOTAL"):
        eurostat.parse(RawFile(raw.name, raw.content.replace(b",TOTAL,T,", b",SY,T,")))


def test_newest_three_months_are_provisional() -> None:
    greece = series(files.eurostat_tsv(), "asylum_applications._Z.GRC._T.M")
    assert greece.index[greece["obs_flag"] == "p"].tolist() == ["2023-10", "2023-11", "2023-12"]


@pytest.mark.parametrize(("cell", "flag"), [("1945 p", "p"), ("1945 b", "b"), ("1945 e", "e"), ("1945 bp", "p")])
def test_eurostat_letters_become_one_flag(cell: str, flag: str) -> None:
    greece = series(files.eurostat_tsv({"2021-05": cell}), "asylum_applications._Z.GRC._T.M")
    assert (greece.loc["2021-05", "obs_flag"], greece.loc["2021-05", "obs_value"]) == (flag, 1945)


@pytest.mark.parametrize("cell", [": ", ": c"])
def test_missing_or_confidential_cell_is_no_figure_and_no_zero(cell: str) -> None:
    greece = series(files.eurostat_tsv({"2021-05": cell}), "asylum_applications._Z.GRC._T.M")
    assert "2021-05" not in greece.index
    assert len(greece) == len(files.MONTHS) - 1


@pytest.mark.parametrize(("cell", "rule"), [("-5 ", "the count is negative"), ("1 945 ", "the figure is not a number")])
def test_impossible_cell_is_set_aside_with_line(cell: str, rule: str) -> None:
    rejected = eurostat.parse(files.eurostat_tsv({"2021-05": cell})).rejected
    assert rejected["rule"].tolist() == [rule] * 2
    assert rejected["row"].str.startswith(("2, 2021-05", "3, 2021-05")).all()


def test_quarterly_sums_are_separate_series() -> None:
    austria = series(files.eurostat_quarterly(), "asylum_applications_first._Z.AUT._T.Q")
    assert austria["obs_value"].tolist() == [3535.0, 2510.0]
    assert austria["obs_flag"].tolist() == ["", "p"]


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ({"asylum_first_apps_q": [-5.0, 2510.0, None]}, "the count is negative"),
        ({"time_period": ["2025-Q3", "2025-Q5", "2025-Q3"]}, "the period is not a quarter"),
        ({"time_period": ["2025-Q3", "2099-Q4", "2025-Q3"]}, "lies in the future"),
        ({"time_period": ["2025-Q3", "2025-Q3", "2025-Q3"]}, "different figures for the same"),
        ({"geo": ["AT", "QQ", "BE"]}, "row 2, column geo: unknown country"),
        ({"asylum_first_apps_q": ["many", "2510", None]}, "not a number"),
        ({"asylum_first_apps_q": [None, None, None]}, "no figures"),
    ],
)
def test_broken_panel_of_quarters_is_refused_with_rule(columns: dict[str, list[object]], rule: str) -> None:
    with pytest.raises(SourceError, match=rule):
        eurostat.parse(files.eurostat_quarterly(**columns))


@pytest.fixture(scope="module")
def published(bundled: pd.DataFrame) -> pd.DataFrame:
    return bundled[bundled["source_id"] == eurostat.SOURCE_ID]


def _year(published: pd.DataFrame, year: int, *, without: tuple[str, ...]) -> float:
    rows = published[(published["target"] == "asylum_applications_first") & (published["freq"] == "M")]
    rows = rows[rows["time_period"].str.startswith(str(year)) & ~rows["geo"].isin(without)]
    return float(rows["obs_value"].sum())


OUTSIDE_EU28 = ("CHE", "NOR", "ISL", "LIE")


@pytest.mark.parametrize(
    ("year", "without", "total"),
    [
        (2015, OUTSIDE_EU28, EU28_FIRST_TIME_2015),
        (2016, OUTSIDE_EU28, EU28_FIRST_TIME_2016),
        (2015, (*OUTSIDE_EU28, "GBR"), EU27_FIRST_TIME_2015),
    ],
)
def test_sum_of_countries_is_published_total_but_for_rounding(
    published: pd.DataFrame, year: int, without: tuple[str, ...], total: int
) -> None:
    assert _year(published, year, without=without) == pytest.approx(total, rel=0.0005)


def test_published_months_and_quarters_agree_where_both_exist(published: pd.DataFrame) -> None:
    first = published[published["target"] == "asylum_applications_first"]
    months = first[(first["freq"] == "M") & (first["obs_flag"] != "p")]
    quarter = pd.PeriodIndex(months["time_period"], freq="Q").strftime("%Y-Q%q")
    sums = months.groupby([months["geo"], quarter])["obs_value"].agg(["sum", "size"])
    quarters = first[first["freq"] == "Q"].set_index(["geo", "time_period"])["obs_value"]
    both = sums[sums["size"] == 3].join(quarters.rename_axis(["geo", "time_period"]), how="inner")
    assert len(both) > 1000
    assert (both["sum"] == both["obs_value"]).mean() > 0.97


def test_table_of_decisions_is_not_read_as_applications() -> None:
    text = '"TIME","GEO","CITIZEN","DECISION","Value"\n"2019Q4","Austria","Total","Total","1,205"\n'
    with pytest.raises(SourceError, match="decisions on applications, not applications"):
        eurostat.parse(RawFile("decisions.csv", text.encode()))
