"""The yearly test of drivers is read back whole, and only if its provenance matches."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.drivers import write_driver_tests
from core.errors import InputError
from core.release import DRIVER_TESTS
from core.schema import ALL
from core.settings import SNAPSHOT
from ingest.snapshot import DRIVER_PROVENANCE, DRIVER_TABLE, PROVENANCE, driver_tests

ABOUT_IT = dict.fromkeys(PROVENANCE, "something") | {"made_on": "2026-11-25"}


def one_test() -> pd.DataFrame:
    row = {
        "driver": "el_nino", "series_id": ALL, "horizon": 3, "scale": "log", "ratio": 1.01, "ratio_lo": 0.99,
        "ratio_hi": 1.03, "shifted": 1.0, "shifted_lo": 0.98, "shifted_hi": 1.02, "missing": 1.01,
        "missing_lo": 0.99, "missing_hi": 1.03, "p_value": 0.4, "p_holm": 1.0, "n": 609, "verdict": "no evidence",
    }  # fmt: skip
    return pd.DataFrame([row])


def test_test_is_read_back_with_its_provenance_in_every_row(tmp_path: Path) -> None:
    write_driver_tests(one_test(), dict(ABOUT_IT), tmp_path)
    found = driver_tests(tmp_path)
    pd.testing.assert_frame_equal(found[list(DRIVER_TESTS.columns)], one_test())
    assert list(found["made_on"]) == ["2026-11-25"]


def test_table_altered_by_hand_is_refused(tmp_path: Path) -> None:
    write_driver_tests(one_test(), dict(ABOUT_IT), tmp_path)
    path = tmp_path / DRIVER_TABLE
    path.write_text(path.read_text().replace("no evidence", "evidence"))
    with pytest.raises(InputError, match=DRIVER_PROVENANCE):
        driver_tests(tmp_path)


def test_bundled_test_covers_every_driver() -> None:
    found = driver_tests(SNAPSHOT)
    overall = found[(found["series_id"] == ALL) & (found["scale"] == "log")]
    assert overall.groupby("driver")["horizon"].nunique().min() == 3
    assert {"conflict_deaths", "new_displacement", "exchange_rates", "food_prices", "el_nino"} <= set(found["driver"])
    assert (found[list(PROVENANCE)] != "").all(axis=None)
    assert overall["ratio_lo"].notna().all()
    assert overall.loc[overall["ratio_hi"] < 1, ["shifted_lo", "missing_lo"]].notna().all(axis=None)
