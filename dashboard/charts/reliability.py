"""Do chances mean what they say? How often the event came against the chance that was said.

Reliability diagram (Bröcker & Smith 2007, Weather and Forecasting 22): on the diagonal, chances are honest.
"""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from dashboard import numbers
from dashboard.charts.axes import finish, note, require
from dashboard.i18n import _, listed, ngettext
from dashboard.theme import Theme, with_opacity

COLUMNS = ("chance", "came", "came_lo", "came_hi", "n")


def reliability_chart(bins: pd.DataFrame, *, theme: Theme, height: int = 300) -> go.Figure:
    """Draw one point per bin of the chance, larger where it holds more months.

    Args:
        bins: Columns ``chance``, ``came``, ``came_lo``, ``came_hi`` (shares between 0 and 1) and ``n``.
        theme: Colours.
        height: Pixels.

    Raises:
        SchemaError: A column is missing.
    """
    rows = require(bins, COLUMNS, "reliability chart").sort_values("chance")
    bars = {"type": "data", "symmetric": False, "thickness": 1.6, "width": 0, "color": with_opacity(theme.fan, 0.7)}
    bars |= {"array": (rows["came_hi"] - rows["came"]).tolist()}
    bars |= {"arrayminus": (rows["came"] - rows["came_lo"]).tolist()}
    sizes = 8 + 10 * (rows["n"] / max(float(rows["n"].max()), 1.0)) ** 0.5
    figure = go.Figure(
        go.Scatter(
            x=rows["chance"],
            y=rows["came"],
            mode="lines+markers",
            line={"color": theme.fan, "width": 1.4},
            marker={"size": sizes.tolist(), "color": theme.fan},
            error_y=bars,
            text=[_clause(row) for row in rows.to_dict("records")],
            hovertemplate="%{text}<extra></extra>",
            name="reliability",
        )
    )
    dashed = {"color": theme.secondary, "width": 1, "dash": "6px,4px"}
    figure.add_shape(type="line", x0=0, y0=0, x1=1, y1=1, line=dashed, layer="below")
    shares = [0, 0.25, 0.5, 0.75, 1]
    ticks = {"range": [0, 1.04], "tickvals": shares, "ticktext": [numbers.share(share) for share in shares]}
    figure.update_layout(margin={"l": 50, "r": 24}, hovermode="closest", xaxis=ticks, yaxis=ticks)
    corner = {"xanchor": "left", "yanchor": "bottom", "xref": "paper", "yref": "paper"}
    labels = [
        note(theme, _("How often it came"), x=0, y=1, xshift=-6, yshift=4, **corner),
        note(theme, _("chance said"), x=1, y=0, yshift=4, **corner | {"xanchor": "right"}),
        note(theme, _("said too low"), x=0.24, y=0.7, xref="x", yref="y", xanchor="center", yanchor="middle"),
        note(theme, _("said too high"), x=0.74, y=0.24, xref="x", yref="y", xanchor="center", yanchor="middle"),
    ]
    return finish(figure, theme, height=height, annotations=labels)


def reliability_alt(bins: pd.DataFrame) -> str:
    """The same in words, one clause per bin."""
    rows = require(bins, COLUMNS, "reliability chart").sort_values("chance")
    return listed(_clause(row) for row in rows.to_dict("records")) + "."


def _clause(row: dict[object, object]) -> str:
    said, came, months = float(str(row["chance"])), float(str(row["came"])), int(float(str(row["n"])))
    text = ngettext(
        "{said} said on average: came in {came} of {n} month",
        "{said} said on average: came in {came} of {n} months",
        months,
    )
    return text.format(said=numbers.percent(said), came=numbers.share(came), n=months)
