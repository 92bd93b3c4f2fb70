from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from core.errors import SourceError
from ingest import Parsed, RawFile, read_raw
from ingest.sources import INTAKE, unhcr_odp

HEADER = (
    "month,year,month-year,italy_all,greece_all,greece_sea,greece_land,"
    "spain_all,spain_land,spain_sea,cyprus_all,malta_all\n"
)
COMBINED = (
    "\ufeff" + HEADER + "1,2019,Jan-2019,202,2652,1851,801,4612,508,4104,83,50\n"
    "2,2019,Feb-2019,60,2316,1486,830,1366,430,936,NA,0\n"
    "3,2019,Mar-2019,262,3159,1904,1255,995,426,569,174,NA"
)
CANARIES = "date,arrivals_canary,canary_wind\n2025-04-30,1114,1.5\n2025-05-31,594,\n2025-06-30,306,2.5\n"


def _parse(text: str, name: str = "arrivals.csv") -> Parsed:
    return unhcr_odp.parse(RawFile(name, text.encode()))


def _values(parsed: Parsed) -> dict[str, dict[str, float]]:
    return {
        str(name): dict(zip(rows["time_period"], rows["obs_value"], strict=True))
        for name, rows in parsed.observations.groupby("series_id")
    }


def test_combined_table_gives_country_totals() -> None:
    assert _values(_parse(COMBINED)) == {
        "arrivals.CMR.ITA._T.M": {"2019-01": 202, "2019-02": 60, "2019-03": 262},
        "arrivals.CMR.MLT._T.M": {"2019-01": 50, "2019-02": 0},
        "arrivals.EMR.CYP._T.M": {"2019-01": 83, "2019-03": 174},
        "arrivals.EMR.GRC._T.M": {"2019-01": 2652, "2019-02": 2316, "2019-03": 3159},
        "arrivals._Z.ESP._T.M": {"2019-01": 4612, "2019-02": 1366, "2019-03": 995},
    }


@pytest.mark.parametrize(
    ("column", "series_id"),
    [
        ("arrivals_canary", "arrivals.WAR.ESP._T.M"),
        ("arrivals_mainland_sea", "arrivals.WMR.ESP_SEA._T.M"),
        ("arrivals_mainland_land", "arrivals.WMR.ESP_LAND._T.M"),
    ],
)
def test_spains_ways_stand_apart_and_weather_is_left_alone(column: str, series_id: str) -> None:
    values = _values(_parse(CANARIES.replace("arrivals_canary", column)))
    assert values == {series_id: {"2025-04": 1114, "2025-05": 594, "2025-06": 306}}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("594", "-594", "row 3, column arrivals_canary: the count is negative"),
        ("594", "many", "row 3, column arrivals_canary: the count is not a whole number$"),
        ("594", "", "row 3, column arrivals_canary: the count is missing"),
        ("2025-05-31", "2025-05-32", "row 3, column month: the month does not exist"),
        ("2025-05-31", "2099-05-31", "row 3, column month: the period lies in the future"),
        ("2025-05-31", "2025-04-30", "row 2, column arrivals_canary: different figures"),
        ("date", "day", "missing columns"),
        ("arrivals_canary", "arrivals", "exactly one column of"),
        ("2.5\n", "2.5", "cut off"),
    ],
)
def test_one_bad_cell_refuses_file(old: str, new: str, message: str) -> None:
    with pytest.raises(SourceError, match=rf"canary\.csv.*{message}"):
        _parse(CANARIES.replace(old, new), "canary.csv")


@pytest.mark.raw_data
def test_published_files_agree_with_checked_years(raw_data: Path) -> None:
    found = pd.concat(
        unhcr_odp.parse(read_raw(path)).observations
        for pattern in INTAKE["unhcr_odp"]["files"]
        for path in sorted(raw_data.glob(pattern))
    )
    found = found[found["citizen"].eq("_T")].drop_duplicates(["series_id", "time_period"], keep="last")
    years = found.groupby(["series_id", found["time_period"].str[:4]])["obs_value"].sum()
    flags = found.set_index(["series_id", "time_period"])["obs_flag"]
    assert years["arrivals.CMR.ITA._T.M", "2014"] == 170_100
    assert years["arrivals.CMR.ITA._T.M", "2016"] == 181_436
    assert years["arrivals.CMR.ITA._T.M", "2018"] == 23_370
    assert years["arrivals.EMR.GRC._T.M", "2015"] == 856_723
    assert years["arrivals.WMR.ESP_SEA._T.M", "2018"] == 57_264
    assert years["arrivals.WAR.ESP._T.M", "2024"] == 46_843
    assert flags["arrivals.WAR.ESP._T.M", "2025-06"] == "p"
    assert flags["arrivals.CMR.ITA._T.M", "2019-11"] == "p"
    assert ("arrivals.CMR.ITA._T.M", "2019-12") not in flags.index


def sums(**since: dict[str, dict[str, int]]) -> RawFile:
    """The portal's sums since the first of each month: month -> group -> country -> persons."""
    body = {
        month.replace("_", "-")[1:]: {
            group: [
                {"geomaster_name": country, "individuals": str(count), "date": "2026-05-20"}
                for country, count in groups.get(group, {}).items()
            ]
            for group in unhcr_odp.GROUPS
        }
        for month, groups in since.items()
    }
    return RawFile(unhcr_odp.SUBLOCATION, json.dumps(body).encode())


def test_month_is_difference_of_two_sums() -> None:
    raw = sums(
        m2026_03={"4797": {"Italy": 900, "Malta": 5, "Greece": 400}, "4798": {"Greece": 60}, "5634": {"Spain": 70}},
        m2026_04={"4797": {"Italy": 500, "Malta": 5, "Greece": 150}, "4798": {"Greece": 20}, "5634": {"Spain": 30}},
        m2026_05={"4797": {"Italy": 100, "Greece": 50}, "4798": {"Greece": 5}},
        m2026_06={},
    )
    assert _values(unhcr_odp.parse(raw)) == {
        "arrivals.CMR.ITA._T.M": {"2026-03": 400, "2026-04": 400, "2026-05": 100},
        "arrivals.CMR.MLT._T.M": {"2026-03": 0, "2026-04": 5, "2026-05": 0},
        "arrivals.EMR.GRC._T.M": {"2026-03": 290, "2026-04": 115, "2026-05": 55},
        "arrivals.WAR.ESP._T.M": {"2026-03": 40, "2026-04": 30, "2026-05": 0},
    }
