"""A line of persons on which a reader draws a forecast by dragging."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dashboard.charts.axes import count_axis, finish
from dashboard.i18n import lang
from dashboard.theme import Theme, with_opacity

HEIGHT, STEPS = 130, 240


def scale(ensemble: Sequence[float], said: Sequence[float]) -> float:
    """The largest number on the line."""
    return 1.6 * max(*ensemble, *said, 50.0)


def line_to_draw_on(ensemble: Sequence[float], said: Sequence[float], theme: Theme) -> go.Figure:
    """The ensemble's range and middle above, the reader's below, and places to drag across.

    Args:
        ensemble: Low, middle and high.
        said: The same of the reader.
        theme: Colours.
    """
    largest = scale(ensemble, said)
    figure = go.Figure()
    for row, (low, middle, high), colour in ((1, ensemble, theme.fan), (0, said, theme.median)):
        line = {"color": with_opacity(colour, 0.5), "width": 12}
        figure.add_trace(go.Scatter(x=[low, high], y=[row, row], mode="lines", line=line, hoverinfo="skip"))
        mark = {"color": theme.median, "size": 11, "symbol": "line-ns-open", "line": {"width": 3}}
        figure.add_trace(go.Scatter(x=[middle], y=[row], mode="markers", marker=mark, hoverinfo="skip"))
    steps = np.linspace(0, largest, STEPS).round()
    unseen = {"color": with_opacity(theme.median, 0.0), "size": 16}  # a drag must meet points to be told
    hover = [lang().counted(step) for step in steps]
    figure.add_trace(
        go.Scatter(x=steps, y=np.full(STEPS, 0.5), mode="markers", marker=unseen, text=hover,
                   hovertemplate="%{text}<extra></extra>")
    )  # fmt: skip
    figure.update_layout(
        showlegend=False, dragmode="select", selectdirection="h", hovermode="closest",
        margin={"l": 12, "r": 12, "t": 6, "b": 28}, xaxis=count_axis(largest, 0.0),
        yaxis={"range": [-0.7, 1.7], "visible": False},
    )  # fmt: skip
    return finish(figure, theme, height=HEIGHT, annotations=[])
