"""The cache of past forecasts: computed once, read by key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from core.errors import SchemaError
from core.release import FORECASTS
from core.schema import check
from store import parquet_bytes, sha256_of_bytes
from store.releases.caches import KEY, BacktestStore, altered_caches

Rows = Callable[..., pd.DataFrame]


@pytest.fixture
def store(tmp_path: Path) -> BacktestStore:
    return BacktestStore(tmp_path)


@pytest.fixture
def cached(forecasts: Rows) -> Rows:
    """Build forecasts with the cache's further columns."""

    def build(**columns: str | pd.Timestamp | bool) -> pd.DataFrame:
        defaults: dict[str, str | bool] = {
            "model_version": "1",
            "history_hash": "aa",
            "fallback": False,
            "capped": False,
        }
        return forecasts(**(defaults | columns))

    return build


def _keys(*frames: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(frames)[KEY].drop_duplicates(ignore_index=True)


def test_stored_forecasts_come_back_by_key(store: BacktestStore, cached: Rows) -> None:
    one, other = cached(model_id="vigie-ets", capped=True), cached(model_id="vigie-structural")
    assert store.append(pd.concat([one, other], ignore_index=True)) == 12
    read = store.read(_keys(one))
    check(read, FORECASTS)
    pd.testing.assert_frame_equal(read[one.columns], one.sort_values(["horizon", "output_type_id"], ignore_index=True))
    assert len(store.read(_keys(one, other))) == 12


def _missing(store: BacktestStore, keys: pd.DataFrame) -> pd.DataFrame:
    """The keys under which nothing is stored, in their order."""
    stored = pd.MultiIndex.from_frame(store.read(keys)[KEY])
    return keys[~pd.MultiIndex.from_frame(keys[KEY]).isin(stored)]


def test_what_is_stored_under_key_stays_as_it_is(store: BacktestStore, cached: Rows) -> None:
    store.append(cached())
    assert store.append(cached().assign(value=1.0)) == 0
    assert 1.0 not in store.read(_keys(cached()))["value"].to_list()


@pytest.mark.slow
def test_many_nights_leave_few_files_and_every_forecast(
    tmp_path: Path, store: BacktestStore, cached: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.MANY_FILES", 16)
    nights = [cached(history_hash=f"h{night}") for night in range(20)]
    for night in nights:
        store.append(night)
    assert len(list((tmp_path / "backtests").glob("*.parquet"))) < 16
    assert _missing(store, _keys(*nights)).empty
    assert len(store.read(_keys(*nights))) == 6 * len(nights)


@pytest.mark.parametrize("column", ["value", "horizon"])
def test_missing_column_is_named_and_nothing_is_stored(store: BacktestStore, cached: Rows, column: str) -> None:
    with pytest.raises(SchemaError, match=column):
        store.append(cached().drop(columns=column))
    assert len(_missing(store, _keys(cached()))) == 1


def test_duplicate_forecast_is_refused(store: BacktestStore, cached: Rows) -> None:
    with pytest.raises(SchemaError, match="forecasts"):
        store.append(pd.concat([cached(), cached().assign(value=7.0)]))
    assert len(_missing(store, _keys(cached()))) == len(_keys(cached()))


def test_rewritten_file_named_by_its_own_hash_is_never_read(tmp_path: Path, store: BacktestStore, cached: Rows) -> None:
    store.append(cached())
    (path,) = (tmp_path / "backtests").glob("*.parquet")
    rewritten = parquet_bytes(pd.read_parquet(path).assign(value=0.4))
    path.unlink()
    forged = path.with_name(f"{sha256_of_bytes(rewritten)[:32]}.parquet")
    forged.write_bytes(rewritten)
    assert store.read(_keys(cached())).empty
    assert altered_caches(tmp_path) == [forged]
    assert store.heal() == [forged.name]


def test_damaged_file_is_set_aside(store: BacktestStore, cached: Rows, tmp_path: Path) -> None:
    one, other = cached(model_id="vigie-ets"), cached(model_id="vigie-structural")
    store.append(one)
    (damaged,) = (tmp_path / "backtests").glob("*.parquet")
    store.append(other)
    damaged.write_bytes(damaged.read_bytes()[:-100])
    assert set(store.read(_keys(one, other))["model_id"]) == {"vigie-structural"}
    assert store.heal() == [damaged.name]
    assert store.heal() == []
    assert set(_missing(store, _keys(one, other))["model_id"]) == {"vigie-ets"}
