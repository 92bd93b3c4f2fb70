import base64
import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from core.errors import SchemaError
from dashboard.charts.bars import mix_alt, mix_bars, small_multiples
from dashboard.tables import LINE_HEIGHT, LINE_WIDTH, sparkline
from dashboard.theme import LIGHT

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def history(observed: pd.DataFrame) -> pd.DataFrame:
    return observed.rename(columns={"time_period_end": "end_date", "value": "obs_value"})


@pytest.fixture
def quantiles(forecast: pd.DataFrame) -> pd.DataFrame:
    return forecast.pivot_table(index="target_end_date", columns="output_type_id", values="value")


@pytest.fixture
def mix() -> pd.DataFrame:
    return pd.DataFrame({"name": ["Syria", "Egypt", "other"], "value": [600.0, 300.0, 100.0], "share": [0.6, 0.3, 0.1]})


@pytest.fixture
def lines() -> pd.DataFrame:
    ends = pd.date_range("2023-01-31", periods=24, freq="ME")
    parts = [
        pd.DataFrame({"panel": panel, "time_period_end": ends, "value": values})
        for panel, values in (("Food prices", np.linspace(100, 123, 24)), ("NINO3.4, °C", np.linspace(-1, 1.3, 24)))
    ]
    return pd.concat(parts, ignore_index=True)


def read(address: str) -> ET.Element:
    head, body = address.split(",", 1)
    assert head == "data:image/svg+xml;base64"
    return ET.fromstring(base64.b64decode(body))  # noqa: S314  # our own text, made a line above


def points(path: ET.Element) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+),([\d.]+)", path.attrib["d"])]


def test_a_sparkline_stays_inside_its_frame(history: pd.DataFrame, quantiles: pd.DataFrame) -> None:
    for path in read(sparkline(history, quantiles, theme=LIGHT)).findall(f"{SVG}path"):
        assert all(0 <= x <= LINE_WIDTH and 0 <= y <= LINE_HEIGHT for x, y in points(path))


def test_a_sparkline_without_forecast_or_without_anything_still_draws(
    history: pd.DataFrame, quantiles: pd.DataFrame
) -> None:
    assert len(read(sparkline(history, quantiles.iloc[:0], theme=LIGHT)).findall(f"{SVG}path")) == 1
    assert not read(sparkline(history.iloc[:0], quantiles.iloc[:0], theme=LIGHT)).findall(f"{SVG}path")
    assert len(read(sparkline(history.iloc[:0], quantiles, theme=LIGHT)).findall(f"{SVG}path")) == 2


def test_bars_call_all_all_none_none_and_nearly_all_nearly_all() -> None:
    alone = pd.DataFrame({"name": ["Syria", "Egypt"], "share": [1.0, 0.0]})
    assert mix_alt(alone, unit="2024") == "2024: Syria 100%, Egypt 0%."
    nearly = alone.assign(share=[0.996, 0.004])
    assert mix_alt(nearly, unit="2024") == "2024: Syria above 99%, Egypt below 1%."
    assert "below 1%" in [label.text for label in mix_bars(nearly, unit="2024", theme=LIGHT).layout.annotations]


def test_missing_columns_are_named(mix: pd.DataFrame, lines: pd.DataFrame, history: pd.DataFrame) -> None:
    with pytest.raises(SchemaError, match="share"):
        mix_bars(mix.drop(columns="share"), unit="Arrivals", theme=LIGHT)
    with pytest.raises(SchemaError, match="panel"):
        small_multiples(lines.drop(columns="panel"), theme=LIGHT)
    with pytest.raises(SchemaError, match="end_date"):
        sparkline(history.drop(columns="end_date"), pd.DataFrame(), theme=LIGHT)
