"""Do the models agree? One interval bar per model, and how good each was against the baseline."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from dashboard import numbers
from dashboard.charts.axes import Annotation, Row, finish, nice_ticks, note, require
from dashboard.i18n import _, labelled
from dashboard.theme import Theme, with_opacity

COLUMNS = ("model_id", "name", "q10", "q25", "q50", "q75", "q90", "relative_wis")
ENSEMBLE = "vigie-ensemble"
ROW_PIXELS, FRAME_PIXELS = 36, 74
BAR_PIXELS = 8
NAME_PIXELS, SCORE_PIXELS = 150, 74


def members_chart(members: pd.DataFrame, *, unit: str, theme: Theme, highlight: str = ENSEMBLE) -> go.Figure:
    """Draw the 80 % and 50 % interval and the median of each model, in the order given.

    Args:
        members: Columns ``model_id``, ``name``, ``q10``, ``q25``, ``q50``, ``q75``, ``q90`` (persons) and
            ``relative_wis`` (empty where nothing was scored).
        unit: What the numbers are, such as "Arrivals expected, Feb–Apr".
        theme: Colours.
        highlight: The model drawn in the forecast's hue.

    Raises:
        SchemaError: A column is missing.
    """
    require(members, COLUMNS, "members chart")
    rows = members.reset_index(drop=True)
    figure = go.Figure()
    labels = _headings(unit, theme)
    for place, row in enumerate(rows.to_dict("records")):
        leads = row["model_id"] == highlight
        strong = theme.fan if leads else theme.neutral
        for low, high, opacity in (("q10", "q90", 0.36), ("q25", "q75", 0.80)):
            line = {"color": with_opacity(strong, opacity), "width": BAR_PIXELS}
            bar = go.Scatter(x=[row[low], row[high]], y=[place, place], mode="lines", line=line, hoverinfo="skip")
            figure.add_trace(bar.update(name=f"{row['model_id']} {low}-{high}"))
        figure.add_trace(_median(row, place, theme, leads=leads))
        labels += _row_labels(row, place, theme, leads=leads)
    figure.update_layout(
        margin={"l": NAME_PIXELS, "r": SCORE_PIXELS, "t": 40, "b": 34},
        hovermode="closest",
        xaxis={
            "range": [0, float(rows["q90"].max()) * 1.16],
            "tickvals": (ticks := nice_ticks(float(rows["q90"].max())))[:: 1 if len(ticks) < 5 else 2],
            "ticktext": [numbers.observed(tick) for tick in ticks][:: 1 if len(ticks) < 5 else 2],
            "ticks": "",
            "showgrid": True,
            "gridcolor": theme.grid,
        },
        yaxis={"range": [len(rows) - 0.4, -0.6], "visible": False, "showgrid": False, "zeroline": False},
    )
    return finish(figure, theme, height=ROW_PIXELS * len(rows) + FRAME_PIXELS, annotations=labels)


def members_alt(members: pd.DataFrame, *, highlight: str = ENSEMBLE) -> str:
    """The chart in words: the combined median, and the lowest and highest of the models."""
    lead = members[members["model_id"] == highlight]
    others = members[members["model_id"] != highlight]
    parts = []
    if len(lead):
        row = lead.iloc[0]
        parts.append(
            _("{name}: {median} expected, 80% interval {interval}.").format(
                name=row["name"],
                median=numbers.expected(row["q50"]),
                interval=numbers.interval_words(row["q10"], row["q90"]),
            )
        )
    if len(others):
        parts.append(
            _("Medians of {n} models from {low} to {high}.").format(
                n=len(others), low=numbers.expected(others["q50"].min()), high=numbers.expected(others["q50"].max())
            )
        )
    return " ".join(parts)


def _headings(unit: str, theme: Theme) -> list[Annotation]:
    top = {"yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 6, "xref": "paper"}
    return [
        note(theme, _("{unit}: 50% and 80%").format(unit=unit), x=0, xanchor="left", xshift=-NAME_PIXELS, **top),
        note(theme, _("relative WIS"), x=1, xanchor="right", xshift=SCORE_PIXELS, **top),
    ]


def _median(row: Row, place: int, theme: Theme, *, leads: bool) -> go.Scatter:
    edge = theme.median if leads else theme.neutral
    median = _("{value} expected").format(value=numbers.expected(row["q50"]))
    spread = labelled(numbers.percent(0.8), numbers.interval(row["q10"], row["q90"]))
    return go.Scatter(
        x=[row["q50"]],
        y=[place],
        mode="markers",
        marker={"size": 11, "color": theme.ground, "line": {"color": edge, "width": 2.2}},
        hovertemplate=f"<b>{row['name']}</b><br>{median}<br>{spread}<extra></extra>",
        name=f"{row['model_id']} median",
    )


def _row_labels(row: Row, place: int, theme: Theme, *, leads: bool) -> list[Annotation]:
    def bold(text: str) -> str:
        return f"<b>{text}</b>" if leads else text

    middle = {"y": place, "yanchor": "middle"}
    ink = {"size": 13, "color": theme.ink}
    score = bold(numbers.decimal(row["relative_wis"]))
    median = numbers.expected(row["q50"])
    return [
        note(theme, bold(str(row["name"])), xref="paper", x=0, xanchor="right", xshift=-12, font=ink, **middle),
        note(theme, median, x=row["q90"], xanchor="left", xshift=8, **middle),
        note(theme, score, xref="paper", x=1, xanchor="right", xshift=SCORE_PIXELS, font=ink, **middle),
    ]
