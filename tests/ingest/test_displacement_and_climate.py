"""New displacement (IDMC) and the Oceanic Niño Index (NOAA)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.errors import SourceError
from ingest import RawFile, read_raw
from ingest.sources import INTAKE, idmc, noaa_enso
from tests.ingest import miniature_files as files


def test_blank_displacement_is_no_figure() -> None:
    assert set(idmc.parse(files.idmc()).observations["geo"]) == {"AFG"}


@pytest.mark.parametrize(("cell", "rule"), [("-1", "the count is negative"), ("1.500,0", "fewer cells")])
def test_wrong_cell_of_displacement_is_named(cell: str, rule: str) -> None:
    if rule == "fewer cells":
        with pytest.raises(SourceError, match=r"Hist\.csv"):
            idmc.parse(files.idmc({"2021-05": cell}))
    else:
        rejected = idmc.parse(files.idmc({"2021-05": cell})).rejected
        assert rejected[["row", "rule"]].to_numpy().tolist() == [["18, AFG", rule]]


def test_other_build_of_history_is_refused() -> None:
    with pytest.raises(SourceError, match="another build"):
        idmc.parse(RawFile("Hist_original.csv", files.idmc().content))


def test_nino_index_belongs_to_middle_month() -> None:
    rows = noaa_enso.parse(files.noaa_enso()).observations
    assert rows["obs_value"].unique().tolist() == [-0.37]
    assert rows["time_period"].tolist() == files.MONTHS


def test_nino_index_is_known_after_third_month() -> None:
    rows = noaa_enso.parse(files.noaa_enso()).observations
    assert (rows.loc[rows["time_period"] == "2021-05", "as_of"] > pd.Timestamp("2021-06-30")).tolist() == [True]


def test_season_listed_twice_is_used_once() -> None:
    raw = files.noaa_enso()
    parsed = noaa_enso.parse(RawFile(raw.name, raw.content.replace(b"2021,XYZ,-0.37,6", b"2021,XYZ,-0.37,5")))
    assert parsed.rejected["rule"].tolist() == ["the same time_period is listed twice"]
    assert len(parsed.observations) == len(files.MONTHS) - 1


@pytest.mark.raw_data
def test_published_displacement_and_nino_index_are_read_whole(raw_data: Path) -> None:
    moved, nino = (
        source.parse(read_raw(raw_data / INTAKE[source.SOURCE_ID]["files"][0])) for source in (idmc, noaa_enso)
    )
    assert moved.observations.groupby("time_period")["obs_value"].sum()["2026-04"] == pytest.approx(180_000, rel=0.01)
    djf = nino.observations.set_index("time_period").loc["2026-01", "obs_value"]
    assert (len(moved.rejected), len(nino.rejected), djf) == (0, 0, -0.37)
