"""What was forecast of past months beside what was counted."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from dashboard import _, lang
from dashboard.charts import band, count_axis, finish, mid_month, month_ticks, unit_label
from dashboard.charts.fan import key_line, key_mark
from dashboard.theme import Theme, with_opacity

HEIGHT, SMALL = 280, 220


def past_chart(rows: pd.DataFrame, *, is_small: bool, unit: str, theme: Theme) -> go.Figure:
    """Draw counts over the median and the 80 % band that were forecast of them; counts outside stand out.

    Args:
        rows: Result of :func:`reports.record.said_and_counted`, of one route.
        is_small: Whether it is one of several beside each other.
        unit: What is counted.
        theme: Colours.
    """
    rows = rows.set_index(pd.DatetimeIndex(mid_month(rows["target_end_date"])))
    figure = go.Figure(band(rows["q10"], rows["q90"], with_opacity(theme.fan, 0.25), "80%"))
    median = {"color": theme.fan, "width": 1.6, "dash": "dash"}
    figure.add_trace(
        go.Scatter(x=rows.index, y=rows["q50"], mode="lines", line=median, hoverinfo="skip", name="median")
    )
    small, large = (3, 6) if is_small else (5, 9)
    marker = {
        "opacity": 1,
        "color": [theme.observed if inside else theme.warning.fill for inside in rows["inside"]],
        "size": [small if inside else large for inside in rows["inside"]],
        "symbol": ["circle" if inside else "diamond" for inside in rows["inside"]],
    }
    figure.add_trace(
        go.Scatter(
            x=rows.index, y=rows["obs_value"], mode="lines+markers", line={"color": theme.observed, "width": 1.6},
            marker=marker, text=_hover(rows), hovertemplate="%{text}<extra></extra>", name="counted",
        )
    )  # fmt: skip
    pad = pd.Timedelta(days=12)
    figure.update_layout(
        margin={"r": 12},
        hovermode="closest",
        xaxis={"range": [rows.index[0] - pad, rows.index[-1] + pad], **month_ticks(rows.index[0], rows.index[-1])},
        yaxis=count_axis(float(rows[["q90", "obs_value"]].max().max())),
    )
    return finish(figure, theme, height=SMALL if is_small else HEIGHT, annotations=[unit_label(theme, unit)])


def past_key(theme: Theme) -> str:
    """What the marks mean, as a line of HTML above the chart."""
    dots = f"height: 5px; background: radial-gradient(circle, {theme.observed} 2.5px, transparent 3px) 0 / 8px 5px"
    outside = _("counted, outside the interval")
    return key_line(
        [
            key_mark(dots, _("counted")),
            f'<span><b style="color: {theme.warning.fill}">◆</b> {outside}</span>',
            key_mark(f"border-top: 2px dashed {theme.fan}", _("forecast: median")),
            key_mark(f"height: 0.7em; background: {with_opacity(theme.fan, 0.25)}", _("forecast: 80% interval")),
        ]
    )


def _hover(rows: pd.DataFrame) -> list[str]:
    return [
        "<br>".join(
            [
                lang().month(row["target_end_date"]),
                _("counted: {value}").format(value=f"<b>{lang().counted(row['obs_value'])}</b>"),
                _("{median} expected ({interval})").format(
                    median=lang().expected(row["q50"]), interval=lang().interval(row["q10"], row["q90"])
                ),
            ]
        )
        for row in rows.to_dict("records")
    ]
