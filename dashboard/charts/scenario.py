"""A scenario beside the forecast, in the hue of everything that is not today's forecast, and interval bars."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from core import interval_levels
from dashboard import _, labelled, lang, listed
from dashboard.charts import (
    count_axis,
    finish,
    interval_row,
    interval_rows,
    level_line,
    month_ticks,
    note,
    quantile,
    unit_label,
)
from dashboard.charts.fan import WINDOW_ROOM, Beside, Fan, fan_chart
from dashboard.charts.fan_labels import window_words
from dashboard.theme import Theme
from reports.numbers import Expected
from reports.skill import Verdicts, may_beat
from reports.whatif import as_rows, changed, shown_over

CHART_HEIGHT, PLACES_HEIGHT = 400, 300
ROW_PIXELS, FRAME_PIXELS = 40, 74
NAME_PIXELS = 210


def scenario_of(forecast: pd.DataFrame, then: pd.DataFrame, verdicts: Verdicts, history: pd.DataFrame) -> Beside:
    """The scenario in the months that :func:`shown_over` gives.

    Args:
        forecast: One row per month's last day, one column per level.
        then: The same under the assumption.
        verdicts: The verdicts on the forecast: a month without gain has no median.
        history: What was counted, as in :class:`Fan`.
    """
    rows = as_rows(shown_over(forecast, then))
    is_known = rows["target_end_date"].map(lambda end: may_beat(verdicts, end))
    opens = history.tail(1) if changed(forecast, then).iloc[0] else history.iloc[:0]
    return Beside(_("scenario"), opens, rows[is_known | rows["output_type_id"].ne(0.5)], is_scenario=True)


def scenario_chart(fan: Fan, then: Expected, theme: Theme) -> go.Figure:
    """Draw the forecast with the scenario beside it, and the scenario's sum under the forecast's.

    Args:
        fan: The forecast, with :func:`scenario_of` beside it and the window whose sum is expected.
        then: That sum under the assumption.
        theme: Colours.
    """
    figure = fan_chart(fan, theme, height=CHART_HEIGHT)
    if (window := fan.window) is None:
        return figure
    _name, total, interval = window_words(window.ends, then)
    text = f"{labelled(_('Scenario'), f'<b>{total}</b>')} {interval}"
    place = {"yref": "paper", "y": 1, "yanchor": "top", "yshift": 4 - WINDOW_ROOM, "font": {"color": theme.replay.text}}
    figure.add_annotation(note(theme, text, x=window.ends[0].to_period("M").start_time, xanchor="left", **place))
    return figure


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


def scenario_alt(fan: Fan, *, name: str) -> str:
    """The chart in words: the first and the last median that the assumption changes, with and without it."""
    parts = [_("{name}: scenario beside the forecast.").format(name=name)]
    then = fan.beside.forecast if fan.beside else fan.forecast.iloc[:0]
    low, high = (quantile(then, level) for level in interval_levels(0.8))
    median, plain = quantile(then, 0.5), quantile(fan.forecast, 0.5)
    months = [month for month in median.index if median[month] != plain[month]]
    for month in dict.fromkeys([*months[:1], *months[-1:]]):
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
