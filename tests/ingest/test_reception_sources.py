"""People in reception: stocks at the ends of months and quarters, and the traps of their files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import rdata

from core.countries import PLACES
from ingest import Parsed, RawFile, read_raw
from ingest.sources import italy_reception, uk_asylum_support

HEADER = (
    "Regione,Data_Report,Migranti presenti negli hot spot,Migranti presenti nei centri di accoglienza,"
    "Migranti presenti nei centri SIPROIMI,Migranti presenti nei centri SAI\n"
)
REGIONAL = [name for code, name in PLACES.items() if code.startswith("ITA")]
Count = Callable[[int], int]


def report(day: str, centres: Count, sai: Count = lambda place: 100 * place, regions: int = 20) -> str:
    """Lines of one report: ten people in each region's hot spot, and counts by the region's number."""
    names = REGIONAL[:regions]
    return "".join(f"{name},{day},10,{centres(place)},,{sai(place)}\n" for place, name in enumerate(names))


def italian(*reports: str) -> Parsed:
    return italy_reception.parse(RawFile("accoglienza.csv", (HEADER + "".join(reports)).encode()))


def values(found: Parsed | pd.DataFrame, series_id: str) -> dict[str, float]:
    observations = found.observations if isinstance(found, Parsed) else found
    rows = observations[observations["series_id"] == series_id]
    return dict(zip(rows["time_period"], rows["obs_value"], strict=True))


def test_only_month_end_reports_become_stocks() -> None:
    found = italian(report("2024-01-31", lambda place: place), report("2024-02-15", lambda place: 2 * place))
    assert values(found, "reception.ITA._T.M") == {"2024-01": 200 + 190 + 19000}
    assert values(found, "reception.ITA-25._T.M") == {"2024-01": 10 + 2 + 200}
    assert found.observations["as_of"].unique().tolist() == [pd.Timestamp("2024-02-02")]


def test_regions_and_kinds_of_centre_each_sum_to_country() -> None:
    rows = italian(report("2024-01-31", lambda place: 3 * place)).observations
    whole = rows.loc[rows["series_id"] == "reception.ITA._T.M", "obs_value"].item()
    assert rows.loc[rows["geo"].str.len() > 3, "obs_value"].sum() == whole
    assert rows.loc[rows["target"] != "reception", "obs_value"].sum() == whole


def test_regions_in_another_order_are_set_aside_and_total_kept() -> None:
    days = ("2022-03-31", "2022-04-30", "2022-05-31")
    sai: list[Count] = [lambda place: 100 * place, lambda place: 100 * (19 - place), lambda place: 100 * place + 1]
    centres: list[Count] = [lambda place: place, lambda place: place + 1, lambda place: place + 2]
    found = italian(*map(report, days, centres, sai))
    assert set(values(found, "reception.ITA._T.M")) == {"2022-03", "2022-04", "2022-05"}
    assert set(values(found, "reception.ITA-25._T.M")) == {"2022-03", "2022-05"}


def test_report_that_lacks_region_gives_no_total() -> None:
    found = italian(
        report("2024-01-31", lambda place: place), report("2024-02-29", lambda place: place + 1, regions=19)
    )
    assert set(values(found, "reception.ITA._T.M")) == {"2024-01"}


def test_month_ends_take_old_total_and_set_aside_hot_spots_alone() -> None:
    header = (
        "regione,migranti_hot_spot,migranti_centri_accoglienza,migranti_siproimi_sai,totale_accoglienza,"
        "data_riferimento\n"
    )
    cells = {"2018-01-31": "0,0,0,500", "2019-07-31": "1,20,30,0", "2020-07-31": "0,0,0,9"}
    lines = "".join(f"{name},{row},{day}\n" for day, row in cells.items() for name in REGIONAL)
    found = italy_reception.parse(RawFile("dati_accoglienza.csv", (header + lines).encode()))
    assert values(found, "reception.ITA._T.M") == {"2018-01": 20 * 500, "2019-07": 20 * 51}
    assert values(found, "reception_sai.ITA._T.M") == {"2019-07": 20 * 30}
    assert set(found.rejected["rule"]) == {"the report holds the hot spots alone"}


def british(folder: Path, rows: list[tuple[str, str, str, float]]) -> Parsed:
    frame = pd.DataFrame(rows, columns=["Date", "Accommodation Type", "UK Region", "People"])
    frame["Date"] = (pd.to_datetime(frame["Date"]) - pd.Timestamp("1970-01-01")).dt.days.astype(float)
    frame = frame.assign(**{"Nationality": "Iran", "Support Type": "Section 95"})
    rdata.write_rda(folder / "support.rda", {"support_received": frame})
    return uk_asylum_support.parse(read_raw(folder / "support.rda"))


def test_people_in_need_of_no_place_are_left_out(tmp_path: Path) -> None:
    kinds = ("Dispersal Accommodation", "Subsistence Only", "Subsistence only")
    found = british(tmp_path, [("2024-09-30", kind, "London", 7) for kind in kinds])
    assert values(found, "reception.GBR._T.Q") == {"2024-Q3": 7}


def test_people_without_region_count_in_country_alone(tmp_path: Path) -> None:
    first = ("2022-09-30", "N/A - Section 98 (pre-2023)", "N/A - Section 98 (pre-Dec 2022)", 5)
    found = british(tmp_path, [first, ("2022-12-31", "Initial Accommodation", "Wales", 3)])
    assert values(found, "reception.GBR._T.Q") == {"2022-Q3": 5, "2022-Q4": 3}
    assert values(found, "reception_initial.GBR._T.Q") == {"2022-Q3": 5, "2022-Q4": 3}
    flags = found.observations.set_index("series_id")["obs_flag"]
    assert (flags["reception.GBR-TLL._T.Q"], set(flags["reception.GBR._T.Q"])) == ("b", {""})


def test_published_italian_regions_sum_to_every_month(bundled: pd.DataFrame) -> None:
    italian = bundled[bundled["source_id"] == italy_reception.SOURCE_ID]
    total = values(italian, "reception.ITA._T.M")
    assert (total["2019-09"], total["2025-08"], len(total)) == (99_599, 140_342, 70)
    months = set(pd.period_range("2019-09", "2025-08", freq="M").astype(str))
    assert months - set(total) == {"2023-06", "2024-03"}
    regions = italian[italian["geo"].str.len() > 3].groupby("time_period")["obs_value"].sum()
    assert set(total) - set(regions.index) == {"2022-04"}
    assert (regions == pd.Series(total)[regions.index]).all()


def test_published_british_totals_hold_without_subsistence(bundled: pd.DataFrame) -> None:
    total = values(bundled, "reception.GBR._T.Q")
    # The Home Office printed 123,758 and 109,024; 4,748 and 2,843 of them received subsistence only.
    assert (total["2023-Q3"], total["2024-Q3"]) == (123_758 - 4_748, 109_024 - 2_843)
