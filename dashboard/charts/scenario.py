"""A scenario beside the forecast: its fan in the hue of everything that is not today's forecast, and interval bars."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pandas as pd
import plotly.graph_objects as go

from core.quantiles import interval_levels
from dashboard import numbers
from dashboard.charts.axes import Annotation, Row, count_axis, dated, finish, nice_ticks, note, quantile, require
from dashboard.charts.fan import fan_chart
from dashboard.i18n import _, labelled, listed
from dashboard.theme import Theme, halo, with_opacity

BAR_PIXELS, ROW_PIXELS, FRAME_PIXELS = 8, 40, 74
NAME_PIXELS = 210
LABELLED_MONTH = 0.35


def scenario_theme(theme: Theme) -> Theme:
    """The same colours with a fan in the hue of replays and scenarios."""
    return dataclasses.replace(theme, fan=theme.replay.fill, median=theme.replay.text)


def scenario_chart(
    observed: pd.DataFrame, forecast: pd.DataFrame, scenario: pd.DataFrame, *, now: dt.date, theme: Theme, unit: str
) -> go.Figure:
    """Draw the scenario as a fan, and the forecast as the outline of its 80 % band with a dashed median.

    Args:
        observed: Columns ``time_period_end``, ``value``, ``flag``.
        forecast: Columns ``target_end_date``, ``output_type_id``, ``value`` at the hub's levels.
        scenario: The same under the assumption.
        now: The date on which all of it was known.
        theme: Colours.
        unit: What is counted.

    Raises:
        SchemaError: A frame lacks a column or a quantile level.
    """
    figure = fan_chart(observed, scenario, now=now, theme=scenario_theme(theme), unit=unit)
    low, high = (quantile(forecast, level) for level in interval_levels(0.8))
    median = quantile(forecast, 0.5)
    lines = ((low, "forecast low", "dot"), (high, "forecast high", "dot"), (median, "forecast", "dash"))
    for line, name, dash in lines:
        hover = [
            numbers.month_name(month)
            + "<br>"
            + _("{value} by the forecast").format(value=f"<b>{numbers.expected(value)}</b>")
            for month, value in dated(line)
        ]
        figure.add_trace(
            go.Scatter(
                x=line.index, y=line, mode="lines", line={"color": theme.fan, "width": 1.6, "dash": dash},
                text=hover, hovertemplate="%{text}<extra></extra>", hoverinfo="text" if dash == "dash" else "skip",
                name=name,
            )
        )  # fmt: skip
    _make_room(figure, float(high.max()))
    at = int(len(median) * LABELLED_MONTH)
    ink = {"color": theme.information.text, "shadow": halo(theme.ground)}
    figure.add_annotation(
        note(
            theme,
            _("forecast: median and 80%"),
            x=high.index[at],
            y=high.iloc[at],
            yanchor="bottom",
            yshift=2,
            font=ink,
        )
    )
    return figure


def _make_room(figure: go.Figure, highest: float) -> None:
    """Let the axis reach the forecast where the scenario lies below it."""
    top = figure.layout.yaxis.range[1]
    if highest > top:
        figure.update_yaxes(count_axis(highest))


def scenario_alt(forecast: pd.DataFrame, scenario: pd.DataFrame, *, name: str) -> str:
    """The chart in words: medians and 80 % intervals at the next month and the last one, with and without."""
    parts = [_("{name}: scenario beside the forecast.").format(name=name)]
    low, high = (quantile(scenario, level) for level in interval_levels(0.8))
    median, plain = quantile(scenario, 0.5), quantile(forecast, 0.5)
    for month in (median.index[0], median.index[-1]):
        text = _("{month}: {median} expected under the assumption, 80% interval {interval}; {plain} by the forecast.")
        parts.append(
            text.format(
                month=numbers.month_name(month),
                median=numbers.expected(float(median.loc[month])),
                interval=numbers.interval_words(float(low.loc[month]), float(high.loc[month])),
                plain=numbers.expected(float(plain.loc[month])),
            )
        )
    return " ".join(parts)


def compare_chart(rows: pd.DataFrame, *, unit: str, theme: Theme) -> go.Figure:
    """Interval bars, one per scenario, the forecast first.

    Args:
        rows: ``name``, ``is_forecast`` and ``q10, q25, q50, q75, q90`` (persons), in the order drawn.
        unit: What the numbers are.
        theme: Colours.

    Raises:
        SchemaError: A column is missing.
    """
    require(rows, ("name", "is_forecast", "q10", "q25", "q50", "q75", "q90"), "scenario bars")
    figure = go.Figure()
    top = {"yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 6, "xref": "paper"}
    labels = [note(theme, _("{unit}: 50% and 80%").format(unit=unit), x=0, xanchor="left", xshift=-NAME_PIXELS, **top)]
    for place, row in enumerate(rows.to_dict("records")):
        labels += _bar(figure, row, place, theme)
    largest = float(rows["q90"].max()) or 1.0
    ticks = nice_ticks(largest)[:: 1 if len(nice_ticks(largest)) < 5 else 2]
    figure.update_layout(
        margin={"l": NAME_PIXELS, "r": 70, "t": 40, "b": 34},
        hovermode="closest",
        xaxis={
            "range": [0, largest * 1.02], "tickvals": ticks, "ticktext": [numbers.observed(tick) for tick in ticks],
            "ticks": "", "showgrid": True, "gridcolor": theme.grid,
        },
        yaxis={"range": [len(rows) - 0.4, -0.6], "visible": False, "showgrid": False, "zeroline": False},
    )  # fmt: skip
    return finish(figure, theme, height=ROW_PIXELS * len(rows) + FRAME_PIXELS, annotations=labels)


def _bar(figure: go.Figure, row: Row, place: int, theme: Theme) -> list[Annotation]:
    strong, edge = (theme.fan, theme.median) if row["is_forecast"] else (theme.replay.fill, theme.replay.text)
    for low, high, opacity in (("q10", "q90", 0.36), ("q25", "q75", 0.80)):
        line = {"color": with_opacity(strong, opacity), "width": BAR_PIXELS}
        figure.add_trace(
            go.Scatter(x=[row[low], row[high]], y=[place, place], mode="lines", line=line, hoverinfo="skip", name=low)
        )
    spread = labelled(numbers.percent(0.8), numbers.interval(row["q10"], row["q90"]))
    hover = f"{numbers.expected(row['q50'])}<br>{spread}<extra></extra>"
    figure.add_trace(
        go.Scatter(
            x=[row["q50"]], y=[place], mode="markers",
            marker={"size": 11, "color": theme.ground, "line": {"color": edge, "width": 2.2}},
            hovertemplate=hover,
            name="median",
        )
    )  # fmt: skip
    middle, ink = {"y": place, "yanchor": "middle"}, {"size": 13, "color": theme.ink}
    return [
        note(theme, str(row["name"]), xref="paper", x=0, xanchor="right", xshift=-12, font=ink, **middle),
        note(theme, numbers.expected(row["q50"]), x=row["q90"], xanchor="left", xshift=8, **middle),
    ]


def compare_alt(rows: pd.DataFrame, *, unit: str) -> str:
    """The bars in words."""
    parts = [
        labelled(row["name"], f"{numbers.expected(row['q50'])} ({numbers.interval_words(row['q10'], row['q90'])})")
        for row in rows.to_dict("records")
    ]
    return _("{unit}: {parts}.").format(unit=unit, parts=listed(parts))
