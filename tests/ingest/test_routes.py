from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pandas as pd
import pytest

from core.release import OBSERVATIONS
from core.routes import estimated_shares
from core.schema import check
from ingest.routes import route_arrivals
from ingest.rows import observations
from ingest.sources import iom_dtm, italy_interior, uk_home_office, unhcr_odp

Rows = list[tuple[str, str, str, float]]


def _iom(rows: Rows, *, lag_days: int = 25) -> pd.DataFrame:
    """Observations of IOM from rows of route, country, month, value."""
    tidy = pd.DataFrame(rows, columns=["route_id", "geo", "time_period", "obs_value"])
    return observations(tidy, source_id="iom_dtm", lag_days=lag_days, target="arrivals", citizen="_T", freq="M")


def _series(route_id: str, geo: str, first: str, values: list[float]) -> Rows:
    months = pd.period_range(first, periods=len(values), freq="M").astype(str)
    return [(route_id, geo, month, value) for month, value in zip(months, values, strict=True)]


def _days(source_id: str, route_id: str, geo: str, days: pd.DatetimeIndex, value: float, flag: str) -> pd.DataFrame:
    tidy = pd.DataFrame({"time_period": days.strftime("%Y-%m-%d"), "obs_value": value, "obs_flag": flag})
    return observations(
        tidy, source_id=source_id, lag_days=2, target="arrivals", route_id=route_id, geo=geo, citizen="_T", freq="D"
    )


def _route(found: pd.DataFrame, route_id: str, target: str = "arrivals") -> pd.DataFrame:
    rows = found[(found["route_id"] == route_id) & (found["citizen"] == "_T") & (found["target"] == target)]
    return rows.set_index("time_period")[["obs_value", "obs_flag", "as_of"]]


def _eastern(bulgaria: list[float], cyprus: list[float]) -> pd.DataFrame:
    rows = _series("EMR", "GRC", "2024-01", [100.0] * 6)
    return _iom(rows + _series("EMR", "BGR", "2024-01", bulgaria) + _series("EMR", "CYP", "2024-01", cyprus))


def test_route_is_sum_of_its_countries() -> None:
    found = route_arrivals(_eastern([10.0] * 6, [1.0] * 6))
    assert _route(found, "EMR")["obs_value"].tolist() == [111.0] * 6
    assert found["series_id"].unique().tolist() == ["arrivals.EMR._T._T.M"]
    assert found["source_id"].unique().tolist() == ["vigie-routes"]
    check(found, OBSERVATIONS)


def test_late_minor_country_is_estimated_and_flagged() -> None:
    found = _route(route_arrivals(_eastern([90.0, 10.0, 20.0, 30.0], [1.0] * 6)), "EMR")
    assert found["obs_value"].tolist()[4:] == [121.0, 121.0]
    assert found["obs_flag"].tolist() == ["", "", "", "", "e", "e"]


def test_months_estimated_share_is_that_series_over_its_own() -> None:
    found = route_arrivals(_eastern([90.0, 10.0, 20.0, 30.0, 40.0], [1.0] * 6))
    shares = estimated_shares(found).set_axis(found["series_id"] + found["time_period"], axis=0).dropna()
    assert shares.to_dict() == {"arrivals.EMR._T._T.M2024-06": 30 / 131}


def test_small_country_is_estimated_for_six_months() -> None:
    italy = _series("CMR", "ITA", "2024-01", [1000.0] * 9)
    found = _route(route_arrivals(_iom([*italy, ("CMR", "MLT", "2024-01", 5.0)])), "CMR")
    assert found["obs_value"].tolist() == [1005.0] * 7 + [1000.0] * 2
    assert found["obs_flag"].tolist() == ["", *["e"] * 6, *["b"] * 2]


def test_without_larger_country_for_six_months_route_ends() -> None:
    rows = _series("EMR", "GRC", "2024-01", [1000.0] * 9) + _series("EMR", "CYP", "2024-01", [1.0] * 9)
    found = _route(route_arrivals(_iom([*rows, ("EMR", "BGR", "2024-01", 60.0)])), "EMR")
    assert found.index.max() == "2024-07"


def test_without_its_major_country_route_has_no_month() -> None:
    known = _eastern([10.0] * 6, [1.0] * 6)
    late = known[(known["geo"] != "GRC") | (known["time_period"] < "2024-05")]
    assert _route(route_arrivals(late), "EMR").index.max() == "2024-04"


def test_greece_continues_by_unhcr() -> None:
    tidy = pd.DataFrame({"time_period": ["2024-06", "2024-07"], "obs_value": [999.0, 150.0], "geo": "GRC"})
    later = observations(
        tidy, source_id="unhcr_odp", lag_days=10, target="arrivals", route_id="EMR", citizen="_T", freq="M"
    )
    found = _route(route_arrivals(pd.concat([_eastern([10.0] * 6, [1.0] * 6), later])), "EMR")
    assert found.loc["2024-06":"2024-07", "obs_value"].tolist() == [111.0, 161.0]
    assert found.loc["2024-07", "obs_flag"] == "e"


def test_absent_month_of_malta_is_zero_once_later_one_is_listed() -> None:
    italy = _series("CMR", "ITA", "2024-01", [100.0] * 4)
    malta: Rows = [("CMR", "MLT", "2024-01", 5.0), ("CMR", "MLT", "2024-03", 7.0)]
    found = _route(route_arrivals(_iom(italy + malta)), "CMR")
    assert found["obs_value"].tolist() == [105.0, 100.0, 107.0, 104.0]  # the zero counts in the mean
    assert found["obs_flag"].tolist() == ["", "", "", "e"]
    assert found.loc["2024-02", "as_of"] == pd.Timestamp("2024-04-25")


def test_absent_cyprus_month_is_gap_since_2017() -> None:
    for year, filled, flag in (("2016", 0.0, ""), ("2020", 8.0, "e")):
        rows = _series("EMR", "GRC", f"{year}-01", [100.0] * 3) + _series("EMR", "BGR", f"{year}-01", [10.0] * 3)
        cyprus: Rows = [("EMR", "CYP", f"{year}-01", 8.0), ("EMR", "CYP", f"{year}-03", 4.0)]
        found = _route(route_arrivals(_iom(rows + cyprus)), "EMR")
        assert found.loc[f"{year}-02", "obs_value"] == 110.0 + filled
        assert found.loc[f"{year}-02", "obs_flag"] == flag


def test_italian_days_replace_missing_month() -> None:
    iom = _iom(_series("CMR", "ITA", "2024-01", [310.0]) + _series("CMR", "MLT", "2024-01", [0.0] * 3))
    days = _days("italy_interior", "CMR", "ITA", pd.date_range("2024-01-01", "2024-03-30"), 9.0, "p")
    found = _route(route_arrivals(pd.concat([iom, days])), "CMR")
    assert found["obs_value"].to_dict() == {"2024-01": 310.0, "2024-02": 29 * 9.0}
    assert found["obs_flag"].tolist() == ["", "p"]


def test_spanish_ways_extend_iom_if_both_known() -> None:
    iom = _iom(_series("WMR", "ESP", "2024-01", [100.0]))
    tidy = pd.DataFrame(
        {
            "geo": ["ESP_SEA", "ESP_SEA", "ESP_SEA", "ESP_LAND", "ESP_LAND"],
            "time_period": ["2024-01", "2024-02", "2024-03", "2024-01", "2024-02"],
            "obs_value": [1.0, 20.0, 30.0, 2.0, 3.0],
            "obs_flag": ["", "", "p", "", "p"],
        }
    )
    odp = observations(
        tidy, source_id="unhcr_odp", lag_days=10, target="arrivals", route_id="WMR", citizen="_T", freq="M"
    )
    found = _route(route_arrivals(pd.concat([iom, odp])), "WMR")
    assert found["obs_value"].to_dict() == {"2024-01": 100.0, "2024-02": 23.0}
    assert found["obs_flag"].tolist() == ["", "p"]


def test_months_date_of_knowledge_is_its_latest_components() -> None:
    greece = _iom(_series("EMR", "GRC", "2024-01", [100.0]))
    others = _iom(_series("EMR", "BGR", "2024-01", [1.0]) + _series("EMR", "CYP", "2024-01", [1.0]), lag_days=40)
    found = route_arrivals(pd.concat([greece, others]))
    assert found["as_of"].tolist() == [pd.Timestamp("2024-03-11")]
    assert found["as_of_estimated"].all()


def _by_citizen(rows: list[tuple[str, str, str, str, float]]) -> pd.DataFrame:
    tidy = pd.DataFrame(rows, columns=["route_id", "geo", "citizen", "time_period", "obs_value"])
    return observations(tidy, source_id="iom_dtm", lag_days=25, target="arrivals", freq="M")


def test_citizenships_begin_after_last_mismatch() -> None:
    totals = _iom(_series("CMR", "ITA", "2024-01", [100.0] * 3) + _series("CMR", "MLT", "2024-01", [1.0] * 3))
    cells = _by_citizen(
        [
            ("CMR", "ITA", "SYR", "2024-01", 60.0),
            ("CMR", "ITA", "SYR", "2024-02", 95.0),
            ("CMR", "ITA", "SYR", "2024-03", 50.0),
            ("CMR", "ITA", "MLI", "2024-03", 50.0),
            ("CMR", "MLT", "SYR", "2024-03", 1.0),
        ]
    )
    found = route_arrivals(pd.concat([totals, cells]))
    citizens = found[found["citizen"] != "_T"].set_index(["citizen", "time_period"])["obs_value"]
    assert citizens.to_dict() == {("MLI", "2024-03"): 50.0, ("SYR", "2024-02"): 95.0, ("SYR", "2024-03"): 51.0}


def test_citizenships_over_total_are_scaled() -> None:
    totals = _iom(_series("CMR", "ITA", "2024-01", [100.0] * 2))
    cells = [("MLI", "2024-01", 100.0), ("MLI", "2024-02", 90.0), ("SDN", "2024-02", 10.0), ("SYR", "2024-02", 50.0)]
    found = route_arrivals(pd.concat([totals, _by_citizen([("CMR", "ITA", *cell) for cell in cells])]))
    rows = found[found["citizen"] != "_T"].set_index(["time_period", "citizen"])
    assert rows["obs_value"].to_dict() == {
        ("2024-01", "MLI"): 100.0, ("2024-02", "MLI"): 60.0, ("2024-02", "SDN"): 7.0, ("2024-02", "SYR"): 33.0,
    }  # fmt: skip
    assert rows["obs_flag"].tolist() == ["", "e", "e", "e"]


@pytest.fixture(scope="module")
def published(bundled: pd.DataFrame) -> Callable[[str], pd.DataFrame]:
    """What was known on a date, by the published files."""
    names = [source.SOURCE_ID for source in (iom_dtm, italy_interior, uk_home_office, unhcr_odp)]
    everything = bundled[bundled["source_id"].isin(names)]
    return lambda date: everything[everything["as_of"] <= date]


def test_all_routes_reach_december_2024(published: Callable[[str], pd.DataFrame]) -> None:
    found = route_arrivals(published("2025-01-31"))
    for route_id, first in (("CMR", "2014-01"), ("EMR", "2016-01"), ("WMR", "2017-01"), ("WAR", "2017-01"),
                            ("CHA", "2018-01")):  # fmt: skip
        months = _route(found, route_id).index
        assert months.tolist() == pd.period_range(first, "2024-12", freq="M").astype(str).tolist()
    assert found["as_of"].max() <= pd.Timestamp(dt.date(2025, 1, 31))


def test_years_agree_with_published_totals(published: Callable[[str], pd.DataFrame]) -> None:
    found = route_arrivals(published("2026-11-01"))
    for route_id, year, official, tolerance in (
        ("CMR", "2016", 181_436 + 24, 0.001),
        ("CMR", "2017", 119_369 + 20, 0.001),
        ("CMR", "2023", 157_652 + 380, 0.0),
        ("CMR", "2024", 66_617 + 238, 0.0),
        ("WAR", "2018", 1_307, 0.0),
        ("WAR", "2023", 39_827, 0.0),
        ("WAR", "2024", 46_843, 0.0),
        ("WMR", "2018", 64_298 - 1_307, 0.0),
        ("CHA", "2018", 299, 0.0),
        ("CHA", "2022", 45_774, 0.001),
        ("CHA", "2024", 36_816, 0.0),
        ("CHA", "2025", 41_472, 0.0),
        ("EMR", "2024", 61_181 + 9_069 + 6_125, 0.03),
    ):
        rows = _route(found, route_id)
        total = rows.loc[rows.index.str.startswith(year), "obs_value"].sum()
        assert total == pytest.approx(official, rel=tolerance, abs=0.5), (route_id, year)


def test_no_spanish_citizenship_is_passed_on(published: Callable[[str], pd.DataFrame]) -> None:
    known = published("2026-11-01")
    by_citizen = known[(known["citizen"] != "_T") & (known["source_id"] == "iom_dtm")]
    assert set(by_citizen["geo"]) == {"ITA", "MLT", "GRC", "CYP", "BGR"}
    found = route_arrivals(known)
    assert set(found.loc[found["citizen"] != "_T", "route_id"]) == {"CMR", "EMR"}


def test_no_month_of_citizenships_exceeds_its_total(published: Callable[[str], pd.DataFrame]) -> None:
    found = route_arrivals(published("2026-11-01"))
    found = found[found["target"] == "arrivals"]
    totals, cells = (found[(found["citizen"] == "_T") == whole] for whole in (True, False))
    month = ["route_id", "time_period"]
    left = totals.groupby(month)["obs_value"].sum() - cells.groupby(month)["obs_value"].sum()
    assert left.min() == 0
