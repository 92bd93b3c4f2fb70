"""One forecaster against others on the same rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from forecasting.verification.verdict import BETTER, NO_EVIDENCE, WORSE, compare, same_rows


def scored(scores: dict[str, np.ndarray], horizon: int = 1) -> pd.DataFrame:
    """Rows of one series, one per origin and model."""
    origins = pd.period_range("2018-01", periods=len(next(iter(scores.values()))), freq="M").end_time.normalize()
    frames = [
        pd.DataFrame({"model_id": name, "series_id": "north", "origin_date": origins, "horizon": horizon})
        .assign(wis_log=values, wis_natural=values * 100)
        for name, values in scores.items()
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def noise(seed: int, size: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.5, 1.5, size)


def test_model_that_scores_half_is_ahead_with_that_ratio() -> None:
    other = noise(1)
    row = compare(scored({"own": other / 2, "other": other}), "own", ["other"]).iloc[0]
    assert row["relative_wis"] == pytest.approx(0.5)
    assert row["relative_wis_lo"] == pytest.approx(0.5)
    assert row["verdict"] == BETTER
    assert row["p_value"] < 0.001


def test_model_that_scores_double_is_behind() -> None:
    other = noise(1)
    assert compare(scored({"own": other * 2, "other": other}), "own", ["other"])["verdict"].eq(WORSE).all()


def test_luck_alone_is_no_evidence() -> None:
    rows = compare(scored({"own": noise(1), "other": noise(2)}), "own", ["other"])
    assert set(rows["verdict"]) == {NO_EVIDENCE}
    assert (rows["relative_wis_lo"] < 1).all()
    assert (rows["relative_wis_hi"] > 1).all()


def test_rows_that_one_model_lacks_count_for_nobody() -> None:
    other = noise(3)
    rows = scored({"own": other, "other": other})
    lacking = rows.drop(rows.index[(rows["model_id"] == "other")][:10])
    kept = same_rows(lacking, ["own", "other"])
    assert kept.groupby("model_id").size().to_dict() == {"own": 50, "other": 50}
    assert compare(lacking, "own", ["other"])["n"].eq(50).all()


def test_models_without_common_row_are_refused() -> None:
    with pytest.raises(InputError, match="common"):
        compare(scored({"own": noise(1)}), "own", ["other"])
