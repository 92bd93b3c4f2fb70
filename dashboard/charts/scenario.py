"""A scenario beside the forecast: its fan in the hue of everything that is not today's forecast, and interval bars."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core import interval_levels
from core.languages import MINUS, as_expected
from dashboard import _, labelled, lang, listed, ngettext
from dashboard.charts import (
    count_axis,
    dated,
    finish,
    interval_row,
    interval_rows,
    level_line,
    month_ticks,
    nice_ticks,
    note,
    quantile,
    unit_label,
)
from dashboard.charts.fan import WINDOW_ROOM, Fan, fan_chart, fan_key, key_mark
from dashboard.charts.fan_labels import window_words
from dashboard.theme import Theme, with_opacity
from reports.skill import may_beat, median_shown

CHART_HEIGHT, PLACES_HEIGHT = 400, 300
ROW_PIXELS, FRAME_PIXELS = 40, 74
NAME_PIXELS = 210


def scenario_chart(fan: Fan, forecast: pd.DataFrame, theme: Theme) -> go.Figure:
    """Draw the scenario as a fan, and the forecast as the outline of its 80 % band with a dashed median.

    Args:
        fan: The scenario, its window with the sum by the forecast, and the verdicts on the forecast.
        forecast: Columns ``target_end_date``, ``output_type_id``, ``value`` at the hub's levels.
        theme: Colours.
    """
    low, high = (quantile(forecast, level) for level in interval_levels(0.8))
    median = median_shown(quantile(forecast, 0.5), fan.verdicts, fan.ends)
    figure = fan_chart(dataclasses.replace(fan, reach=float(high.max())), _own_hue(theme), height=CHART_HEIGHT)
    lines = (
        (low, "forecast low", "dot", 1.6), (high, "forecast high", "dot", 1.6), (median, "forecast", "dash", 2.4),
    )  # fmt: skip
    for line, name, dash, width in lines:
        hover = [
            lang().month(month) + "<br>" + _("{value} by the forecast").format(value=f"<b>{lang().expected(value)}</b>")
            for month, value in dated(line)
        ]
        figure.add_trace(
            go.Scatter(
                x=line.index, y=line, mode="lines", line={"color": theme.fan, "width": width, "dash": dash},
                text=hover, hovertemplate="%{text}<extra></extra>", hoverinfo="text" if dash == "dash" else "skip",
                name=name,
            )
        )  # fmt: skip
    if (window := fan.window) is None:
        return figure
    _name, total, interval = window_words(window.ends, window.usual or window.expected)
    text = f"{labelled(_('Forecast'), f'<b>{total}</b>')} {interval}"
    place = {"yref": "paper", "y": 1, "yanchor": "top", "yshift": 4 - WINDOW_ROOM, "font": {"color": theme.fan}}
    figure.add_annotation(note(theme, text, x=window.ends[0].to_period("M").start_time, xanchor="left", **place))
    return figure


def scenario_key(fan: Fan, theme: Theme) -> str:
    """What the chart's marks mean, as a line of HTML: the scenario's and the forecast's."""
    marks = (("dashed", _("forecast: median")), ("dotted", _("forecast: 80% interval")))
    more = [key_mark(f"border-top: 2px {style} {theme.fan}", text) for style, text in marks]
    return fan_key(fan, _own_hue(theme), more)


def _own_hue(theme: Theme) -> Theme:
    """Everything that is not today's forecast has this hue: past dates and scenarios."""
    return dataclasses.replace(theme, fan=theme.replay.fill, median=theme.replay.text)


def difference_chart(difference: pd.DataFrame, *, unit: str, theme: Theme) -> go.Figure:
    """Bars of the scenario's median less the forecast's, by month, with their interval if there is one.

    Args:
        difference: Result of ``whatif.differences``.
        unit: What is counted.
        theme: Colours.
    """
    months = [lang().month_short(end, year=True) for end in difference.index]
    texts = [
        f"{month}<br><b>{lang().signed(row['median'])}</b><br>{difference_interval(row)}"
        for month, row in zip(months, difference.to_dict("records"), strict=True)
    ]
    bars = go.Bar(
        x=list(range(len(difference))),
        y=difference["median"],
        marker={"color": with_opacity(theme.replay.fill, 0.8)},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": difference["q90"] - difference["median"],
            "arrayminus": difference["median"] - difference["q10"],
            "color": theme.replay.text,
            "thickness": 1.4,
            "width": 3,
            "visible": bool(difference["q10"].notna().all()),
        },
        text=texts,
        textposition="none",
        hovertemplate="%{text}<extra></extra>",
        name="difference",
    )
    figure = go.Figure(bars)
    least, most = float(difference.min().min()), float(difference.max().max())
    reach = max(-least, most, 1.0)
    low, high = 1.1 * min(0.0, least), 1.1 * max(0.0, most)
    ticks = sorted(
        {side * tick for side in (1, -1) for tick in nice_ticks(1.1 * reach, whole=True) if low <= side * tick <= high}
    )
    places = list(range(0, len(months), 3))
    figure.update_layout(
        margin={"r": 12},
        xaxis={"tickvals": places, "ticktext": [months[place] for place in places]},
        yaxis={
            "range": [low, high or 1.0],
            "tickvals": ticks,
            # Not as a forecast is written: 1,250 rounded to 1,300 would stand where 1,250 is.
            "ticktext": [f"{'+' if tick > 0 else MINUS * (tick < 0)}{lang().significant(abs(tick))}" for tick in ticks],
        },
    )
    return finish(figure, theme, height=CHART_HEIGHT, annotations=[unit_label(theme, unit)])


def places_chart(forecast: pd.DataFrame, then: pd.DataFrame, stock: float, *, unit: str, theme: Theme) -> go.Figure:
    """Places needed month by month, by the forecast and under the assumption, against the places there are.

    Args:
        forecast: ``target_end_date`` and ``places``.
        then: The same under the assumption.
        stock: Places there are; 0 draws no line.
        unit: What is counted.
        theme: Colours.
    """
    figure = go.Figure()
    largest = max(float(forecast["places"].max()), float(then["places"].max()), stock)
    names = {
        "by the forecast": (forecast, theme.fan, "dash"),
        "under the assumption": (then, theme.replay.fill, "solid"),
    }
    for name, (table, colour, dash) in names.items():
        hover = [
            f"{lang().month(end)}<br><b>{lang().expected(value)}</b>"
            for end, value in zip(table["target_end_date"], table["places"], strict=True)
        ]
        figure.add_trace(
            go.Scatter(
                x=table["target_end_date"], y=table["places"], mode="lines+markers", name=name, text=hover,
                line={"color": colour, "width": 2, "dash": dash}, hovertemplate="%{text}<extra></extra>",
            )
        )  # fmt: skip
    labels = [unit_label(theme, unit)]
    if stock:
        level_line(figure, stock, theme)
        text = _("places there are: {value}").format(value=lang().counted(stock))
        place = {"xref": "paper", "x": 1, "xanchor": "right", "yanchor": "bottom", "y": stock}
        labels.append(note(theme, text, font={"color": theme.ink}, **place))
    first, last = then["target_end_date"].iloc[0], then["target_end_date"].iloc[-1]
    figure.update_layout(margin={"r": 12}, xaxis=month_ticks(first, last), yaxis=count_axis(largest, 0.12))
    return finish(figure, theme, height=PLACES_HEIGHT, annotations=labels)


def difference_interval(row: Mapping[Hashable, Any]) -> str:
    """The 80 % interval of a difference; empty if it has none."""
    if pd.isna(row["q10"]):
        return ""
    ends = _("{lower} to {upper}").format(lower=lang().signed(row["q10"]), upper=lang().signed(row["q90"]))
    return labelled(lang().percent(0.8), ends)


def difference_alt(difference: pd.DataFrame) -> str:
    """The bars in words: the month with the largest difference."""
    month = pd.Timestamp(str(difference["median"].abs().idxmax()))
    row = difference.loc[[month]].to_dict("records")[0]
    text = ngettext(
        "The scenario differs most in {month}: {value} arrival.",
        "The scenario differs most in {month}: {value} arrivals.",
        as_expected(row["median"]),
    )
    said = text.format(month=lang().month(month), value=lang().signed(row["median"]))
    return f"{said} {difference_interval(row)}".rstrip()


def scenario_alt(fan: Fan, forecast: pd.DataFrame, *, name: str) -> str:
    """The chart in words: the next and the last month with a median, each with its 80 % interval, with and without."""
    parts = [_("{name}: scenario beside the forecast.").format(name=name)]
    low, high = (quantile(fan.forecast, level) for level in interval_levels(0.8))
    median, plain = quantile(fan.forecast, 0.5), quantile(forecast, 0.5)
    known = [month for month, end in zip(median.index, fan.ends, strict=True) if may_beat(fan.verdicts, end)]
    for month in dict.fromkeys([*known[:1], *known[-1:]]):
        text = _("{month}: {median} expected under the assumption, 80% interval {interval}; {plain} by the forecast.")
        parts.append(
            text.format(
                month=lang().month(month),
                median=lang().expected(float(median.loc[month])),
                interval=lang().interval_words(float(low.loc[month]), float(high.loc[month])),
                plain=lang().expected(float(plain.loc[month])),
            )
        )
    return " ".join(parts)


def compare_chart(rows: pd.DataFrame, *, unit: str, theme: Theme) -> go.Figure:
    """Interval bars, one per scenario, the forecast first.

    Args:
        rows: ``name``, ``is_forecast`` and ``q10, q25, q50, q75, q90`` (persons), in the order drawn.
        unit: What the numbers are.
        theme: Colours.
    """
    figure = go.Figure()
    top = {"yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 6, "xref": "paper"}
    labels = [note(theme, _("{unit}: 50% and 80%").format(unit=unit), x=0, xanchor="left", xshift=-NAME_PIXELS, **top)]
    for place, row in enumerate(rows.to_dict("records")):
        fill, edge = (theme.fan, theme.median) if row["is_forecast"] else (theme.replay.fill, theme.replay.text)
        median = lang().expected(row["q50"])
        figure.add_traces(interval_row(row, place, fill, edge, theme, median))
        middle, ink = {"y": place, "yanchor": "middle"}, {"size": 13, "color": theme.ink}
        labels += [
            note(theme, str(row["name"]), xref="paper", x=0, xanchor="right", xshift=-12, font=ink, **middle),
            note(theme, median, x=row["q90"], xanchor="left", xshift=8, **middle),
        ]
    interval_rows(figure, len(rows), float(rows["q90"].max()) or 1.0, 1.02, theme, sides=(NAME_PIXELS, 70))
    return finish(figure, theme, height=ROW_PIXELS * len(rows) + FRAME_PIXELS, annotations=labels)


def compare_alt(rows: pd.DataFrame, *, unit: str) -> str:
    """The bars in words."""
    parts = [
        labelled(row["name"], f"{lang().expected(row['q50'])} ({lang().interval_words(row['q10'], row['q90'])})")
        for row in rows.to_dict("records")
    ]
    return _("{unit}: {parts}.").format(unit=unit, parts=listed(parts))
