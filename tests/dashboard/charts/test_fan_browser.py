"""Words on the fan never lie over each other or beyond the picture: their boxes are measured in a real browser."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly
import pytest
import streamlit
from playwright.sync_api import Page

import dashboard
from core import QUANTILE_LEVELS
from core.languages import languages
from dashboard.charts.bars import WEEKS_HEIGHT, week_chart
from dashboard.charts.fan import Fan, fan_chart
from dashboard.charts.seasons import season_bars
from dashboard.theme import LIGHT
from forecasting.verification.verdict import BETTER
from tests.browser import chromium

from .test_fan import NOW

RUNNING = {
    "target_end_date": pd.Timestamp("2025-01-31"), "so_far": 890.0, "places": "",
    "q10": 980.0, "q50": 1784.0, "q90": 2880.0,
}  # fmt: skip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on the path"),
]
PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
TYPE = next(Path(streamlit.__file__).parent.glob("static/static/media/SourceSansVF-Upright*.woff2"))
LOAD = """async (font) => {
    const face = new FontFace('Source Sans', `url(data:font/woff2;base64,${font})`, {weight: '200 900'});
    document.fonts.add(await face.load());
}"""
"""Pages have the house's type, which is narrower than what stands in for it."""
WIDTHS = (358, 640, 1040)
BOXES = """() => [...document.querySelectorAll('.annotation-text, .bars .bartext')]
    .filter(text => text.textContent.trim() && text.getAttribute('display') !== 'none'
        && !(text.getAttribute('transform') || '').includes('scale(0)'))
    .map(text => { const box = text.getBoundingClientRect();
        return [text.textContent, box.left, box.top, box.right, box.bottom]; })
    .filter(box => box[3] > box[1])"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page()
        page.set_content("<body style='margin:0'><div id='chart'></div></body>")
        page.add_script_tag(path=str(PLOTLY))
        yield page


@pytest.fixture(params=languages())
def typed(request: pytest.FixtureRequest, page: Page, monkeypatch: pytest.MonkeyPatch) -> Page:
    """The page in each language, with the house's type."""
    monkeypatch.setattr(dashboard, "language", lambda: request.param)
    page.evaluate(LOAD, base64.b64encode(TYPE.read_bytes()).decode())
    return page


def forecast_of(kind: str) -> pd.DataFrame:
    ends = pd.date_range("2025-01-31", periods=12, freq="ME")
    spread = {"narrow": 0.3, "wide": 1.6, "explosive": 4.0}[kind]
    rows = [
        (end, level, 4000 * (1 + step / 24) * np.exp((0.3 + 0.06 * step) * spread * (level - 0.5)))
        for step, end in enumerate(ends)
        for level in QUANTILE_LEVELS
    ]
    return pd.DataFrame(rows, columns=["target_end_date", "output_type_id", "value"])


DRAW = """(text) => {
    const figure = JSON.parse(text);
    return Plotly.newPlot('chart', figure.data, figure.layout).then(() => 0);
}"""


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", ["narrow", "wide", "explosive"])
def test_words_of_fan_never_overlap(
    page: Page, monkeypatch: pytest.MonkeyPatch, observed: pd.DataFrame, earlier: pd.DataFrame, kind: str, language: str
) -> None:
    monkeypatch.setattr(dashboard, "language", lambda: language)
    ends = pd.date_range("2025-01-31", periods=12, freq="ME")
    chances = pd.DataFrame({"target_end_date": ends[2::3], "probability": [0.4, 0.55, 0.7, 0.6]})
    more: dict[str, Any] = {"earlier": earlier, "chances": chances, "running": pd.DataFrame([RUNNING])}
    for threshold, skill, is_log in ((4200.0, 6, False), (7000.0, 0, False), (4200.0, 3, True)):
        fan = Fan(
            observed,
            forecast_of(kind),
            NOW,
            "Arrivals per month",
            threshold=threshold,
            verdicts=dict.fromkeys(ends[:skill], BETTER),
            is_log=is_log,
            **more,
        )
        figure = fan_chart(fan, LIGHT)
        for width in WIDTHS:
            figure.update_layout(width=width)
            page.evaluate(DRAW, figure.to_json())
            boxes = page.evaluate(BOXES)
            assert len(boxes) >= 3, boxes
            assert not [box for box in boxes if box[1] < -1 or box[3] > width + 1], (width, boxes)
            meeting = [(one, other) for one, other in combinations(boxes, 2) if meet(one[1:], other[1:])]
            assert not meeting, (width, threshold, is_log, meeting)


def test_no_label_beside_bars_leaves_picture_in_any_language(typed: Page) -> None:
    past = pd.DataFrame({"year": range(2020, 2025), "value": [111_393.0, 179_943.0, 235_350.0, 322_422.0, 245_603.0]})
    values = [428_000.0 * (0.3 + 0.7 * level) for level in QUANTILE_LEVELS]
    total = pd.DataFrame({"output_type_id": QUANTILE_LEVELS, "value": values})
    figure = season_bars(past, total, year=2025, lines={}, unit="Arrivals", theme=LIGHT)
    for width in (358, 390, 440):
        figure.update_layout(width=width)
        typed.evaluate(DRAW, figure.to_json())
        boxes = typed.evaluate(BOXES)
        assert any("95" in box[0] for box in boxes)
        assert not [box for box in boxes if box[3] > width + 1], (width, boxes)


def test_names_of_weeks_stand_straight_whole_and_apart_on_phone(typed: Page) -> None:
    ends = pd.date_range("2024-09-01", periods=20, freq="W")
    counted = pd.DataFrame({"target_end_date": ends[:12], "value": 900.0})
    quantiles = {"so_far": 0.0, "q10": 200.0, "q25": 500.0, "q50": 1000.0, "q75": 2000.0, "q90": 3000.0}
    figure = week_chart(counted, pd.DataFrame({"target_end_date": ends[12:]}).assign(**quantiles), theme=LIGHT)
    figure.update_layout(width=358)
    typed.evaluate(DRAW, figure.to_json())
    names = typed.evaluate(BOXES.replace(".annotation-text, .bars .bartext", ".xtick text"))
    assert len(names) == 5
    assert not [box for box in names if box[3] > 358 or box[4] > WEEKS_HEIGHT + 1]
    assert all(box[4] - box[2] < 40 for box in names)
    assert not [(one, other) for one, other in combinations(names, 2) if meet(one[1:], other[1:])]
    assert "2024" in names[0][0] and not [box for box in names[1:] if "20" in box[0]]
    marks = sorted((shape.x0, shape.x1) for shape in figure.layout.shapes)
    assert len(marks) == 8 and all(end < start for (_start, end), (start, _end) in pairwise(marks))


def meet(one: list[float], other: list[float]) -> bool:
    """Whether two boxes (left, top, right, bottom) share more than a pixel."""
    return min(one[2], other[2]) - max(one[0], other[0]) > 1 and min(one[3], other[3]) - max(one[1], other[1]) > 1
