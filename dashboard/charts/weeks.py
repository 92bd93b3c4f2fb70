"""Weeks counted as bars, weeks to come as interval boxes with their median."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.axes import count_axis, finish, require, unit_label
from dashboard.charts.seasons import BAR_WIDTH, HEADROOM, interval_box
from dashboard.i18n import _, labelled, lang
from dashboard.theme import Theme, with_opacity

HEIGHT = 230
MARGIN_RIGHT = 24
EVERY = 4
"""Weeks from one name on the axis to the next."""


def week_chart(counted: pd.DataFrame, ahead: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """Draw them side by side.

    Args:
        counted: ``target_end_date``, ``value``.
        ahead: ``target_end_date``, ``so_far``, ``q10``, ``q25``, ``q50``, ``q75``, ``q90``.
        theme: Colours.
    """
    require(ahead, ("target_end_date", "so_far", "q10", "q25", "q50", "q75", "q90"), "weeks")
    ends = [*counted["target_end_date"], *ahead["target_end_date"]]
    names = [lang().day_short(end) for end in ends]
    solid = [*counted["value"], *ahead["so_far"]]
    figure = go.Figure(
        go.Bar(
            x=list(range(len(solid))), y=solid, width=BAR_WIDTH, marker={"color": with_opacity(theme.neutral, 0.55)},
            text=[f"{name}<br><b>{lang().counted(value)}</b>" for name, value in zip(names, solid, strict=True)],
            textposition="none", hovertemplate="%{text}<extra></extra>", name="counted",
        )
    )  # fmt: skip
    for place, row in enumerate(ahead.to_dict("records"), start=len(counted)):
        for low, high, coverage, opacity in (("q10", "q90", 0.8, 0.36), ("q25", "q75", 0.5, 0.5)):
            figure.add_trace(interval_box(place, row[low], row[high], coverage, with_opacity(theme.fan, opacity)))
        line = {"color": theme.median, "width": 2.4}
        left, right = place - BAR_WIDTH / 2, place + BAR_WIDTH / 2
        figure.add_shape(type="line", x0=left, x1=right, y0=row["q50"], y1=row["q50"], line=line)
    here = list(range(len(counted), len(ends)))
    hover = [
        f"{name}<br><b>{lang().expected(row['q50'])}</b><br>"
        + labelled(lang().percent(0.8), lang().interval(row["q10"], row["q90"]))
        for name, row in zip(names[len(counted) :], ahead.to_dict("records"), strict=True)
    ]
    figure.add_trace(
        go.Scatter(
            x=here, y=ahead["q50"], mode="markers", marker={"opacity": 0}, text=hover,
            hovertemplate="%{text}<extra></extra>", name="median",
        )
    )  # fmt: skip
    largest = max([*solid, *ahead["q90"], 1.0])
    places = list(range(len(counted) % EVERY, len(ends), EVERY))
    # With no room kept at the right and the year beneath, names stand straight on a phone: slanted ones are cut.
    figure.update_layout(
        barmode="overlay",
        hovermode="closest",
        margin={"r": MARGIN_RIGHT},
        xaxis={
            "range": [-0.6, len(ends) - 0.4],
            "tickangle": 0,
            "tickvals": places,
            "ticktext": _ticks([ends[place] for place in places]),
        },
        yaxis=count_axis(largest, HEADROOM),
    )
    return finish(figure, theme, height=HEIGHT, annotations=[unit_label(theme, _("Arrivals in the week to that day"))])


def _ticks(days: list[dt.date]) -> list[str]:
    """Day and month, the year beneath the first of each year."""
    years = [None, *(day.year for day in days)]
    return [
        f"{lang().day_short(day, year=False)}<br>{day.year if day.year != before else ''}".removesuffix("<br>")
        for day, before in zip(days, years, strict=False)
    ]


def week_alt(ahead: pd.DataFrame) -> str:
    """The weeks to come in words."""
    text = _("{day}: {median}, 80% interval {interval}.")
    return " ".join(
        text.format(
            day=lang().day_short(row["target_end_date"]),
            median=lang().expected(row["q50"]),
            interval=lang().interval_words(row["q10"], row["q90"]),
        )
        for row in ahead.to_dict("records")
    )
