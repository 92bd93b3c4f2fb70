from __future__ import annotations

import base64
import datetime as dt
import re

import numpy as np
import pandas as pd
import pytest

from core import QUANTILE_LEVELS
from core.languages import Language
from dashboard.tables import LINE_HEIGHT, LINE_WIDTH, PADDING, forecast_table, sparkline, with_words
from dashboard.theme import LIGHT
from reports.files import for_people
from reports.numbers import chances

HISTORY = pd.DataFrame({"end_date": pd.to_datetime(["2024-11-30"]), "obs_value": [900.0], "obs_flag": ["p"]})


def quantiles(months: int) -> pd.DataFrame:
    ends = pd.date_range("2024-12-31", periods=months, freq="ME")
    table = pd.DataFrame(np.tile(np.arange(23.0), (months, 1)), index=ends, columns=list(QUANTILE_LEVELS))
    return table.assign(horizon=range(1, months + 1))


def test_uncounted_months_are_nowcasts() -> None:
    table = forecast_table(HISTORY, quantiles(3), None, dt.date(2025, 1, 15))
    assert dict(zip(table["month"], table["kind"], strict=True)) == {
        "2024-11": "observed",
        "2024-12": "nowcast",
        "2025-01": "nowcast",
        "2025-02": "forecast",
    }


def test_months_two_flags_and_estimated_share_are_read_as_words() -> None:
    history = HISTORY.tail(1).assign(obs_flag="ep", estimated_share=0.24)
    shown = with_words(forecast_table(history, quantiles(1), None, dt.date(2025, 1, 15)))
    assert (shown["Note"].iloc[0], shown["Share estimated"].iloc[0]) == ("estimated, provisional", "24%")


def test_chance_stands_beside_every_month_ahead() -> None:
    table = forecast_table(HISTORY, quantiles(2), chances(quantiles(2), 11.0), dt.date(2025, 1, 15))
    assert table["event_chance"].notna().to_list() == [False, True, True]


def test_figures_ahead_are_rounded_once() -> None:
    exact = quantiles(2) * 0.0 + 5349.97
    table = forecast_table(HISTORY, exact, None, dt.date(2025, 1, 15))
    assert table["q90"].tolist()[1:] == [5349.97, 5349.97]
    in_file, on_screen = for_people(table, Language("en"))[0]["80% to"], with_words(table)["80% to"]
    assert in_file.tolist()[1:] == on_screen.tolist()[1:] == [5300, 5300]


def drawn_lines(address: str) -> list[list[tuple[float, float]]]:
    """Points of each line and area of a picture, in its own units."""
    svg = base64.b64decode(address.partition("base64,")[2]).decode()
    paths = re.findall(r'd="M([^"Z]*)Z?"', svg)
    return [[(float(x), float(y)) for x, y in (one.split(",") for one in path.split("L"))] for path in paths]


def test_sparkline_fills_its_cell() -> None:
    ends = pd.date_range("2024-07-31", periods=5, freq="ME")
    counts = pd.DataFrame({"end_date": ends, "obs_value": [0.0, 50.0, np.nan, 100.0, 50.0]})
    one, other = drawn_lines(sparkline(counts, quantiles(0), theme=LIGHT))
    months = np.linspace(PADDING, LINE_WIDTH - PADDING, 5)
    assert [x for x, _y in (*one, *other)] == pytest.approx(months[[0, 1, 3, 4]], abs=0.05)
    low, high = LINE_HEIGHT - PADDING, PADDING
    assert [y for _x, y in (*one, *other)] == pytest.approx([low, (low + high) / 2, high, (low + high) / 2], abs=0.05)
    area, middle, *_counts = drawn_lines(sparkline(counts, quantiles(3), theme=LIGHT))
    assert [x for x, _y in middle] == pytest.approx(np.linspace(PADDING, LINE_WIDTH - PADDING, 8)[4:], abs=0.05)
    assert len(area) == 2 * len(middle)
