"""The colours of Vigie, light and dark, and what every chart shares.

Alert levels have a mark, a word and a colour together, never by colour alone. Every text colour is at least 4.5:1 on
its ground. ``.streamlit/config.toml`` repeats these values for Streamlit's own widgets; a test holds the two together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from babel.numbers import get_decimal_symbol, get_group_symbol

from dashboard import lang, language
from reports import colours, names
from reports.colours import Hue

FONT = '"Source Sans", "Source Sans 3", sans-serif'
CHART_CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False, "showTips": False}
"""Plotly settings for every chart."""

BADGE_COLOURS = {"information": "blue", "watch": "yellow", "warning": "orange", "severe": "red", "ended": "gray"}
"""Streamlit's names of the colours that the theme gives to each level."""


@dataclass(frozen=True)
class Theme:
    """Every colour that charts and the map draw with."""

    name: Literal["light", "dark"]
    ground: str
    input_ground: str
    ink: str
    secondary: str
    hairline: str
    grid: str
    accent: str
    observed: str
    fan: str
    median: str
    fan_opacity: tuple[float, float, float]
    neutral: str
    earlier: str
    hover_ground: str
    sea: str
    land: str
    receiving: str
    border: str
    watch: Hue
    warning: Hue
    severe: Hue
    ended: Hue
    replay: Hue
    information: Hue

    def level(self, alert_level: str) -> Hue:
        """Colours of an alert level.

        Raises:
            KeyError: The level is unknown.
        """
        hues: dict[str, Hue] = {name: getattr(self, name) for name in BADGE_COLOURS}
        return hues[alert_level]


def _theme(name: Literal["light", "dark"], inks: Mapping[str, Any], **others: Any) -> Theme:  # noqa: ANN401  # a colour
    return Theme(name, **inks, **others)


LIGHT = _theme(
    "light", colours.LIGHT, **colours.LEVELS, ended=colours.ENDED, replay=colours.REPLAY, input_ground="#F1F3F2",
    hover_ground="#FFFFFF", earlier="#5A5AA0", fan_opacity=colours.FAN_OPACITY,
)  # fmt: skip
DARK = _theme(
    "dark", colours.DARK, **colours.DARK_LEVELS, ended=colours.DARK_ENDED, replay=colours.DARK_REPLAY,
    input_ground="#1A262C", hover_ground="#1A262C", earlier="#A9A9E6", fan_opacity=(0.18, 0.24, 0.34),
)  # fmt: skip


def current_theme() -> Theme:
    """The theme the reader sees now; light outside a running dashboard."""
    if not st.runtime.exists():
        return LIGHT
    return DARK if st.context.theme.type == "dark" else LIGHT


def level_word(alert_level: str) -> str:
    """The word of an alert level: ``Severe``.

    Raises:
        KeyError: The level is unknown.
    """
    return names.level_name(alert_level, lang())


def level_label(alert_level: str) -> str:
    """Mark and word of an alert level: ``◆ Severe``."""
    return names.level_label(alert_level, lang())


def level_badge(alert_level: str, direction: str = "") -> str:
    """The alert level as a Streamlit badge in markdown, with the direction of its alert."""
    return f":{BADGE_COLOURS[alert_level]}-badge[{f'{level_label(alert_level)} {direction}'.rstrip()}]"


def with_opacity(colour: str, opacity: float) -> str:
    """``#1F6F8B`` at .2 as ``rgba(31,111,139,0.2)``."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def halo(colour: str) -> str:
    """A text shadow in the ground's colour, so that labels over fills and lines stay readable without a box."""
    return ", ".join([f"0 0 3px {colour}"] * 3)


def template(theme: Theme) -> go.layout.Template:
    """The plotly template: transparent ground, hairlines, no legend, no dragging."""
    return _template(theme, language())


@lru_cache(maxsize=16)
def _template(theme: Theme, reader_language: str) -> go.layout.Template:
    axis = {
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "fixedrange": True,
        "ticks": "",
        "tickfont": {"size": 12, "color": theme.secondary},
    }
    return go.layout.Template(
        layout={
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": 13, "color": theme.ink},
            "showlegend": False,
            "dragmode": False,
            "margin": {"l": 46, "r": 118, "t": 34, "b": 40},
            "hoverlabel": {
                "bgcolor": theme.hover_ground,
                "bordercolor": theme.hairline,
                "font": {"family": FONT, "size": 13, "color": theme.ink},
                "align": "left",
            },
            "xaxis": axis | {"ticks": "outside", "ticklen": 6, "tickcolor": theme.hairline},
            "yaxis": axis
            | {"showgrid": True, "gridcolor": theme.grid, "gridwidth": 1}
            | {"zeroline": True, "zerolinecolor": theme.hairline, "zerolinewidth": 1},
            "separators": get_decimal_symbol(reader_language) + get_group_symbol(reader_language),
            "uniformtext": {"mode": "hide", "minsize": 12},
        }
    )


def drawn_once(figure: go.Figure) -> go.Figure:
    """The same chart, written so that a browser draws it once.

    Streamlit's page hands each chart to Plotly twice, the second time as a copy, and Plotly draws all of it anew unless
    it can detect that nothing changed. It cannot where there is a template, where numbers come packed, or where nothing
    says which data these are. Here the template's settings stand in the layout, numbers are lists, and a hash of them
    is their revision.
    """
    given = figure.layout.to_plotly_json()
    shared = given.pop("template", {}).get("layout", {})
    axes = {name: shared.get(name[:5], {}) for name in ("xaxis", "yaxis", *given) if name[1:5] == "axis"}
    data = [_plain(trace.to_plotly_json()) for trace in figure.data]
    revision = hashlib.blake2b(repr(data).encode(), digest_size=8).hexdigest()
    once = go.Figure(data=data, layout=_under(shared | axes, given) | {"datarevision": revision})
    once.layout.template = None
    return once


def _plain(value: Any) -> Any:  # noqa: ANN401  # any setting of a chart
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "M":
            return [None if np.isnat(day) else str(day) for day in value.astype("datetime64[s]")]
        return value.tolist()
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _under(shared: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """What is given, and what all share where nothing is given."""
    both = {name: _under(shared[name], given[name]) for name in shared if isinstance(given.get(name), dict)}
    return shared | given | both
