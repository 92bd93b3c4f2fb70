"""Rounds of the past that the snapshot holds: written as they are read, and only on request."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from forecasting import LEVELS
from hub import night as hub

with patch("tempfile.TemporaryDirectory", side_effect=AssertionError("rounds are made on request")):
    from benchmarks import hub_rounds


def submissions() -> pd.DataFrame:
    """Rows of two models as peers hand them in: one row per level, days as such, not in order."""
    rows = [
        {"origin_date": pd.Timestamp("2024-11-30").date(), "target": "arrivals", "series_id": "arrivals.CMR._T._T.M",
         "horizon": step, "target_end_date": (pd.Period("2024-11", "M") + step).end_time.date(),
         "output_type": "quantile", "output_type_id": level, "value": size * (1 + level), "model_id": model_id}
        for model_id, size in (("peers-b", 100.0), ("peers-a", 10.0))
        for step in (2, 1)
        for level in LEVELS
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (hub_rounds, hub):
        monkeypatch.setattr(module, "SNAPSHOT", tmp_path)
    return tmp_path


def test_rounds_are_read_as_written() -> None:
    assert hub.read_rounds() == (None, {})
    hub_rounds.write_rounds(submissions(), {"peers-a": {"model_name": "A"}})
    table, about = hub.read_rounds()
    assert table is not None
    assert about == {"peers-a": {"model_name": "A"}}
    assert table.keys[["model_id", "horizon"]].to_numpy().tolist() == [
        ["peers-a", 1], ["peers-a", 2], ["peers-b", 1], ["peers-b", 2]
    ]  # fmt: skip
    size = np.array([10.0, 10.0, 100.0, 100.0])[:, None]
    assert table.quantiles == pytest.approx(np.round(size * (1 + np.asarray(LEVELS))))


def test_rounds_that_are_not_those_of_their_record_are_refused(folder: Path) -> None:
    hub_rounds.write_rounds(submissions(), {})
    about = folder / hub.ROUNDS_ABOUT
    for changed in (about.read_text().replace('"sha256": "', '"sha256": "0'), "{}"):
        about.write_text(changed)
        with pytest.raises(InputError, match=r"run `python -m benchmarks\.hub_rounds`"):
            hub.read_rounds()
