"""Bars: what stands beneath them."""

from __future__ import annotations

import datetime as dt

from dashboard.charts.bars import _week_names


def test_the_year_stands_once_beneath_the_first_week_of_each() -> None:
    days = [dt.date(2024, 12, 22), dt.date(2024, 12, 29), dt.date(2025, 1, 5), dt.date(2025, 1, 12)]
    assert _week_names(days) == ["22 Dec<br>2024", "29 Dec", "5 Jan<br>2025", "12 Jan"]
