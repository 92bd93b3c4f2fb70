import dataclasses
import json
import tomllib

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from alerts import LEVELS
from core.settings import PROJECT
from dashboard.theme import BADGE_COLOURS, DARK, LIGHT, Theme, drawn_once, template
from reports.colours import Hue
from reports.names import LEVEL_MARKS

CONFIG = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@THEMES
def test_streamlit_and_charts_use_same_colours(theme: Theme) -> None:
    toml = CONFIG["theme"][theme.name]
    assert toml["backgroundColor"] == theme.ground
    assert toml["secondaryBackgroundColor"] == theme.input_ground
    assert toml["textColor"] == theme.ink
    assert toml["borderColor"] == theme.hairline
    assert toml["dataframeBorderColor"] == theme.grid
    assert toml["primaryColor"] == toml["linkColor"] == theme.accent
    for level in (*LEVELS, "ended"):
        name, hue = BADGE_COLOURS[level], theme.level(level)
        assert Hue(toml[f"{name}TextColor"], toml[f"{name}BackgroundColor"], toml[f"{name}Color"]) == hue
    for name, hue in (("violet", theme.replay), ("blue", theme.information)):
        assert Hue(toml[f"{name}TextColor"], toml[f"{name}BackgroundColor"], toml[f"{name}Color"]) == hue


@THEMES
def test_every_text_colour_reads_at_four_and_half_to_one(theme: Theme) -> None:
    for text in (theme.ink, theme.secondary, theme.accent, theme.median):
        assert contrast(text, theme.ground) >= 4.5
    for field in dataclasses.fields(theme):
        hue = getattr(theme, field.name)
        if isinstance(hue, Hue):
            assert contrast(hue.text, hue.ground) >= 4.5, field.name
            assert contrast(hue.text, theme.ground) >= 4.5, field.name
    for level in LEVELS:
        assert contrast(theme.level(level).text, theme.land) >= 4.5, level


def test_no_two_levels_share_mark() -> None:
    assert len(set(LEVEL_MARKS.values())) == len(LEVEL_MARKS) == 5


def test_no_font_or_statistics_are_asked_of_another_host() -> None:
    assert CONFIG["theme"]["font"] == "sans-serif"
    assert CONFIG["theme"]["headingFont"] == "serif"
    assert CONFIG["browser"]["gatherUsageStats"] is False


def some_chart(last: float = 3.0) -> go.Figure:
    mark = {"size": np.array([4, 5])}
    months = pd.DatetimeIndex(["2024-01-01", "2024-02-01", None])
    figure = go.Figure(go.Scatter(x=months, y=np.array([1.0, last, np.nan]), marker=mark, xaxis="x2"))
    return figure.update_layout(template=template(LIGHT), xaxis2={"range": [0, 1], "showgrid": True}, margin={"l": 3})


def test_chart_is_sent_without_redraw_triggers() -> None:
    sent = json.loads(drawn_once(some_chart()).to_json())
    assert "template" not in sent["layout"]
    assert sent["data"][0] | {"type": ""} == {
        "type": "", "x": ["2024-01-01T00:00:00", "2024-02-01T00:00:00", None], "y": [1.0, 3.0, None],
        "marker": {"size": [4, 5]}, "xaxis": "x2",
    }  # fmt: skip


def test_chart_revision_follows_its_figures() -> None:
    revision = drawn_once(some_chart()).layout.datarevision
    assert drawn_once(some_chart().update_layout(height=300)).layout.datarevision == revision
    assert drawn_once(some_chart(4.0)).layout.datarevision != revision
