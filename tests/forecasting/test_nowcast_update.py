"""A nowcast takes the first month's place, and later months follow as far as they move together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core import FloatArray
from core.release import FORECASTS, TRAJECTORIES
from core.schema import check
from forecasting import LEVELS, NORMAL_SCORES
from forecasting.panel import Panel
from forecasting.trajectories import sample_paths, update_with_nowcasts

ORIGIN = pd.Timestamp("2024-12-31")
ENDS = pd.to_datetime(["2025-01-31", "2025-02-28", "2025-03-31"])
NARROW: FloatArray = 900 * np.exp(0.05 * NORMAL_SCORES)


def rows(series_id: str) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"horizon": step, "target_end_date": end, "output_type_id": LEVELS,
                      "value": 400 * np.exp(0.4 * np.sqrt(step) * NORMAL_SCORES)})
        for step, end in enumerate(ENDS, start=1)
    ]  # fmt: skip
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(model_id="m", series_id=series_id, origin_date=ORIGIN, output_type="quantile")


@pytest.fixture(scope="module")
def before() -> tuple[pd.DataFrame, pd.DataFrame]:
    forecasts = pd.concat([rows("a"), rows("b")], ignore_index=True)
    matrix = pd.DataFrame({"a": [1.0], "b": [1.0]}, index=pd.period_range("2024-12", periods=1, freq="M"))
    panel = Panel("M", matrix, pd.DataFrame(index=["a", "b"]))
    return forecasts, sample_paths(forecasts, forecasts.iloc[:0], panel, n=2000)


def of(frame: pd.DataFrame, series_id: str, horizon: int) -> FloatArray:
    chosen = frame[(frame["series_id"] == series_id) & (frame["horizon"] == horizon)]
    return chosen["value"].to_numpy()


def test_first_month_is_nowcast_and_other_series_is_untouched(before: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    forecasts, paths = update_with_nowcasts(*before, {"a": NARROW})
    check(forecasts, FORECASTS)
    check(paths, TRAJECTORIES)
    assert np.allclose(of(forecasts, "a", 1), NARROW)
    pd.testing.assert_frame_equal(
        paths[paths["series_id"] == "b"], before[1][before[1]["series_id"] == "b"], check_exact=True
    )
    assert np.array_equal(of(forecasts, "b", 2), of(before[0], "b", 2))


def test_later_months_follow_and_their_intervals_narrow_little(before: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    forecasts, _ = update_with_nowcasts(*before, {"a": NARROW})
    for horizon, least in ((2, 1.3), (3, 1.2)):
        old, new = of(before[0], "a", horizon), of(forecasts, "a", horizon)
        assert new[11] > least * old[11]
        assert np.ptp(np.log(new[[3, 19]])) < np.ptp(np.log(old[[3, 19]]))
        assert (np.diff(new) >= 0).all()


def test_paths_keep_new_forecasts_as_their_margins(before: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    forecasts, paths = update_with_nowcasts(*before, {"a": NARROW})
    for horizon in (1, 2, 3):
        drawn = np.quantile(of(paths, "a", horizon), LEVELS[2:-2])
        assert np.allclose(np.log(drawn), np.log(of(forecasts, "a", horizon)[2:-2]), atol=0.05)


def test_conditional_law_is_that_of_chosen_paths() -> None:
    """The oracle keeps, of very many paths, those whose first month fell where the nowcast lies."""
    forecasts = rows("a")
    panel = Panel(
        "M",
        pd.DataFrame({"a": [1.0]}, index=pd.period_range("2024-12", periods=1, freq="M")),
        pd.DataFrame(index=["a"]),
    )
    many = sample_paths(forecasts, forecasts.iloc[:0], panel, n=40_000, seed=2)
    first, second = of(many, "a", 1), of(many, "a", 2)
    chosen = second[(first > 680) & (first < 720)]
    sharpened, _ = update_with_nowcasts(
        forecasts,
        sample_paths(forecasts, forecasts.iloc[:0], panel, n=2000),
        {"a": 700 * np.exp(0.015 * NORMAL_SCORES)},
    )
    assert np.allclose(np.log(of(sharpened, "a", 2)[3:20]), np.log(np.quantile(chosen, LEVELS[3:20])), atol=0.06)
