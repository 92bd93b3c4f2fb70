import numpy as np
import pandas as pd
import pytest

from core import QUANTILE_LEVELS
from dashboard.charts.seasons import season_bars
from dashboard.theme import LIGHT


@pytest.fixture
def history() -> pd.DataFrame:
    return pd.DataFrame({"year": [2021, 2022, 2023, 2024], "value": [5_800.0, 12_800.0, 8_700.0, 14_200.0]})


@pytest.fixture
def total() -> pd.DataFrame:
    values = [13_200 * np.exp(level - 0.5) for level in QUANTILE_LEVELS]
    return pd.DataFrame({"output_type_id": QUANTILE_LEVELS, "value": values})


def test_widest_interval_is_named_if_it_fits(history: pd.DataFrame, total: pd.DataFrame) -> None:
    figure = season_bars(history.replace(14_200.0, 30_000.0), total, year=2025, lines={}, unit="a", theme=LIGHT)
    (label,) = [label for label in figure.layout.annotations if label.text.startswith("95%")]
    assert label.text.replace("\u2060", "") == "95%: 8,200–21,200"
    top = total.loc[total["output_type_id"] == 0.975, "value"].iloc[0]
    assert top < label.y < 1.1 * top
