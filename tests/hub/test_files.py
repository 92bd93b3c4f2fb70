"""Scores of a hub from its own files alone."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from forecasting import LEVELS, NORMAL_SCORES
from hub.files import score_hub
from hub.own import config_files, tidy
from store import parquet_bytes
from store.hub import HubFiles
from tests.hub.test_submissions import ABOUT

CMR = "arrivals.CMR._T._T.M"
ORIGIN = pd.Timestamp("2024-11-30")
TEAM = "team-model"


@pytest.fixture
def place(tmp_path: Path) -> str:
    """A hub to which one team submitted one month."""
    rows = pd.DataFrame({
        "output_type_id": LEVELS, "value": 4000 * np.exp(0.3 * NORMAL_SCORES), "horizon": 1, "series_id": CMR,
        "target_end_date": ORIGIN + pd.offsets.MonthEnd(), "origin_date": ORIGIN, "output_type": "quantile",
        "target": "arrivals",
    })  # fmt: skip
    files = config_files([CMR], dt.date(2024, 12, 31), "A hub")
    files[f"model-output/{TEAM}/{ORIGIN:%Y-%m-%d}-{TEAM}.parquet"] = parquet_bytes(tidy(rows))
    files[f"model-metadata/{TEAM}.yml"] = ABOUT
    HubFiles(str(tmp_path)).write(files)
    return str(tmp_path)


@pytest.mark.parametrize("column", ["oracle_value", "target_end_date"])
def test_oracle_without_column_is_refused_by_line(place: str, column: str) -> None:
    """Columns are named in a table's first row."""
    named = {"location": "CMR", "target_end_date": "2024-12-31", "oracle_value": "1"}
    table = pd.DataFrame([named]).drop(columns=column).to_csv(index=False).encode()
    HubFiles(place).write({"target-data/oracle-output.csv": table})
    with pytest.raises(InputError, match="oracle-output") as refused:
        score_hub(HubFiles(place), TEAM)
    assert re.search(rf"\brow 1\b.*\b{column}\b", str(refused.value))
