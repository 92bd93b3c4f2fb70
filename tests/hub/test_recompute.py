"""The page ``docs/recompute.sql`` recomputes a hub's league from its files, with DuckDB alone."""

from __future__ import annotations

import datetime as dt
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from core.settings import PROJECT
from forecasting import LEVELS, NORMAL_SCORES
from hub.files import score_hub
from hub.own import ORACLE, config_files, tidy
from store import parquet_bytes
from store.hub import HubFiles
from tests.hub.test_submissions import ABOUT

SERIES = ["arrivals.CMR._T._T.M", "arrivals.EMR._T._T.M"]
ORIGINS = pd.date_range("2023-01-31", periods=9, freq="ME")
MODELS = {"vigie-baseline": 1.0, "team-model": 0.7, "other-model": 1.4}


def write_hub(place: Path, in_csv: str = "team-model") -> None:
    """Write a hub of three models: one may hand in CSV, one leaves out a series in some rounds."""
    rng = np.random.default_rng(5)
    off = partial(rng.normal, 0, 0.2)
    files = config_files(SERIES, dt.date(2023, 2, 28), "A hub")
    for model, spread in MODELS.items():
        files[f"model-metadata/{model}.yml"] = ABOUT
        for number, origin in enumerate(ORIGINS):
            parts = [
                pd.DataFrame({
                    "output_type_id": LEVELS, "value": 3000 * np.exp(spread * (0.3 * NORMAL_SCORES + off())),
                    "horizon": ahead, "series_id": name, "target_end_date": origin + pd.offsets.MonthEnd(ahead),
                    "origin_date": origin, "output_type": "quantile", "target": "arrivals",
                })
                for name in SERIES[: 1 if model == "other-model" and number % 3 else 2]
                for ahead in (1, 3, 6, 12)
            ]  # fmt: skip
            rows, path = tidy(pd.concat(parts)), f"model-output/{model}/{origin:%Y-%m-%d}-{model}"
            is_text = model == in_csv
            content = rows.to_csv(index=False).encode() if is_text else parquet_bytes(rows)
            files[f"{path}.{'csv' if is_text else 'parquet'}"] = content
    ends = pd.date_range("2023-02-28", periods=14, freq="ME")
    known = [
        (name, end.date(), round(float(value)))
        for name in SERIES
        for end, value in zip(ends, rng.normal(3000, 500, 14), strict=True)
    ]
    files[ORACLE] = (
        pd.DataFrame(known, columns=["series_id", "target_end_date", "oracle_value"]).to_csv(index=False).encode()
    )
    HubFiles(str(place)).write(files)


@pytest.mark.parametrize("in_csv", ["team-model", ""])
def test_league_is_recomputed_to_a_billionth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_csv: str) -> None:
    write_hub(tmp_path, in_csv)
    expected = score_hub(HubFiles(str(tmp_path)), "vigie-baseline").set_index(["kind", "group", "model_id"])
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as connection:
        rows = connection.sql((PROJECT / "docs" / "recompute.sql").read_text()).df()
    found = rows.set_index(["kind", "group", "model_id"])
    assert set(found.index) == set(expected.index)
    wanted = expected.loc[found.index, found.columns]
    assert {"wis", "pairwise_wis", "relative_wis", "coverage_80", "n", "missing", "rounds"} <= {*found.columns}
    assert (found["missing"] > 0).any()
    np.testing.assert_allclose(found.to_numpy(dtype=float), wanted.to_numpy(dtype=float), rtol=0, atol=1e-9)
