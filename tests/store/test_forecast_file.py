"""Forecasts written block by block are the same table, whole or not there at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from core.errors import InputError
from store.export import write_forecasts


def block(first: int) -> pd.DataFrame:
    frame = pd.DataFrame({"series_id": ["a", "b"], "horizon": [first, first + 1], "value": [0.5, 2.0]})
    return frame.assign(origin_date=pd.Timestamp("2024-12-31"), reason=["", "short"], fallback=[False, True])


def test_blocks_are_one_table_with_text_beside_it(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out.parquet"
    rows, about = write_forecasts((block(first) for first in (1, 3, 5)), "all is well\n", out)
    assert rows == 6
    assert about.read_text(encoding="utf-8") == "all is well\n"
    expected = pd.concat([block(1), block(3), block(5)], ignore_index=True)
    pd.testing.assert_frame_equal(pd.read_parquet(out), expected, check_dtype=False)
    assert sorted(path.name for path in out.parent.iterdir()) == ["out.parquet", "out.parquet.about.txt"]


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_file_is_of_kind_that_its_name_says(tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"out.{ending}"
    write_forecasts([block(1), block(3)], "", out)
    expected = pd.concat([block(1), block(3)], ignore_index=True).assign(origin_date="2024-12-31")
    read = pd.read_csv(out, keep_default_na=False) if ending == "csv" else pd.read_json(out, lines=True)
    pd.testing.assert_frame_equal(read.astype({"origin_date": str}), expected, check_dtype=False)
    by_duckdb = duckdb.read_csv(str(out)) if ending == "csv" else duckdb.read_json(str(out))
    assert len(by_duckdb.fetchall()) == 4


@pytest.mark.parametrize("ending", ["xlsx", "json"])
def test_kind_that_must_be_held_whole_is_refused(tmp_path: Path, ending: str) -> None:
    with pytest.raises(InputError, match=r"\.parquet, \.csv or \.ndjson"):
        write_forecasts([block(1)], "", tmp_path / f"out.{ending}")
    assert list(tmp_path.iterdir()) == []


def test_failure_midway_leaves_former_file_and_nothing_else(tmp_path: Path) -> None:
    def failing() -> Iterator[pd.DataFrame]:
        yield block(1)
        raise RuntimeError("the second block could not be made")

    out = tmp_path / "out.parquet"
    write_forecasts([block(1)], "former", out)
    before = out.read_bytes()
    with pytest.raises(RuntimeError, match="second block"):
        write_forecasts(failing(), "newer", out)
    assert out.read_bytes() == before
    assert (tmp_path / "out.parquet.about.txt").read_text(encoding="utf-8") == "former"
    assert len(list(tmp_path.iterdir())) == 2
