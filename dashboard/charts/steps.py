"""How one number became another, step by step: bars that begin where the one before ended."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from dashboard import numbers
from dashboard.charts.axes import Annotation, finish, note, require
from dashboard.i18n import _
from dashboard.theme import Theme, with_opacity

COLUMNS = ("name", "change", "value", "kind")
TOTAL, STEP = "total", "step"
ROW_PIXELS, NAME_PIXELS, FIGURE_PIXELS = 36, 230, 64


def steps_chart(steps: pd.DataFrame, *, unit: str, theme: Theme) -> go.Figure:
    """Draw totals as whole bars and steps as bars between the number before and the number after.

    Args:
        steps: Columns ``name``, ``change`` and ``value`` (after the step; persons) and ``kind`` (``total`` or
            ``step``), in order.
        unit: What is counted.
        theme: Colours.

    Raises:
        SchemaError: A column is missing.
    """
    rows = require(steps, COLUMNS, "steps chart").reset_index(drop=True)
    figure = go.Figure()
    labels: list[Annotation] = [
        note(theme, unit, xref="paper", x=0, xanchor="left", yref="paper", y=1, yanchor="bottom", xshift=-NAME_PIXELS)
    ]
    for place, row in enumerate(rows.to_dict("records")):
        whole = row["kind"] == TOTAL
        begin = 0.0 if whole else row["value"] - row["change"]
        colour = with_opacity(theme.neutral, 0.62) if whole else with_opacity(theme.fan, 0.85)
        text = numbers.expected(row["value"]) if whole else numbers.signed(row["change"])
        bar = go.Bar(x=[row["value"] - begin], base=[begin], y=[place], orientation="h", width=0.42)
        hover = f"<b>{row['name']}</b><br>{text}<extra></extra>"
        figure.add_trace(bar.update(marker={"color": colour}, hovertemplate=hover, name=str(row["name"])))
        middle = {"y": place, "yanchor": "middle"}
        ink = {"size": 13, "color": theme.ink}
        name, figure_text = (f"<b>{part}</b>" if whole else part for part in (str(row["name"]), text))
        labels.append(note(theme, name, xref="paper", x=0, xanchor="right", xshift=-10, font=ink, **middle))
        labels.append(note(theme, figure_text, x=max(begin, row["value"]), xanchor="left", xshift=8, **middle))
    largest = float(rows["value"].max()) if len(rows) else 1.0
    figure.update_layout(
        margin={"l": NAME_PIXELS, "r": FIGURE_PIXELS, "t": 30, "b": 10},
        hovermode="closest",
        showlegend=False,
        xaxis={"range": [0, largest or 1.0], "visible": False},
        yaxis={"range": [len(rows) - 0.4, -0.6], "visible": False, "showgrid": False, "zeroline": False},
    )
    return finish(figure, theme, height=ROW_PIXELS * len(rows) + 44, annotations=labels)


def steps_alt(steps: pd.DataFrame) -> str:
    """The chart in words: where it begins, the largest step, where it ends."""
    totals, moves = steps[steps["kind"] == TOTAL], steps[steps["kind"] == STEP]
    text = _("From {former} to {now}.").format(
        former=numbers.expected(totals["value"].iloc[0]), now=numbers.expected(totals["value"].iloc[-1])
    )
    if moves.empty:
        return text
    largest = moves.iloc[int(moves["change"].abs().argmax())]
    most = _("The largest step: {name}, {change}.").format(
        name=largest["name"], change=numbers.signed(largest["change"])
    )
    return f"{text} {most}"
