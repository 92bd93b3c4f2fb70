"""Is this season unusual? The same months of earlier years beside this year's interval."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from core.quantiles import INTERVALS, interval_levels
from dashboard import numbers
from dashboard.charts.axes import (
    LABEL_PIXELS,
    MARGIN_BOTTOM,
    MARGIN_TOP,
    count_axis,
    finish,
    note,
    require,
    spread,
    unit_label,
)
from dashboard.i18n import _, labelled
from dashboard.theme import Theme, with_opacity

HEIGHT = 280
HEADROOM = 0.06
BAR_WIDTH = 0.62


def season_bars(
    history: pd.DataFrame,
    forecast: pd.DataFrame,
    *,
    year: int,
    threshold: float | None,
    unit: str,
    theme: Theme,
    height: int = 280,
) -> go.Figure:  # fmt: skip
    """Bars of the same season in earlier years beside this year's forecast as a stacked interval box.

    Args:
        history: Columns ``year``, ``value`` (the season's total of each earlier year).
        forecast: Columns ``output_type_id``, ``value`` (quantiles of this year's total).
        year: This year.
        threshold: The alert's threshold for the season, if it has one.
        unit: What is counted.
        theme: Colours.
        height: Pixels.
    """
    require(history, ("year", "value"), "season bars, history")
    at = forecast.set_index(forecast["output_type_id"].round(4))["value"]
    names = [*(f"{value}" for value in history["year"].astype(int)), f"<b>{year}</b>"]
    here = len(history)
    figure = go.Figure(
        go.Bar(
            x=list(range(here)),
            y=history["value"],
            width=0.62,
            marker={"color": with_opacity(theme.neutral, 0.55)},
            text=[f"{name}<br><b>{numbers.observed(v)}</b>" for name, v in zip(names, history["value"], strict=False)],
            textposition="none",
            hovertemplate="%{text}<extra></extra>",
            name="earlier years",
        )
    )
    for coverage, opacity in zip(sorted(INTERVALS, reverse=True), theme.fan_opacity, strict=True):
        low, high = (float(at[level]) for level in interval_levels(coverage))
        figure.add_trace(_box(here, low, high, coverage, with_opacity(theme.fan, opacity)))
    median, upper = float(at[0.5]), float(at[interval_levels(0.8)[1]])
    line = {"color": theme.median, "width": 2.4}
    figure.add_shape(type="line", x0=here - 0.31, x1=here + 0.31, y0=median, y1=median, line=line)
    values = [*history["value"], float(at[interval_levels(0.95)[1]])]
    largest = max([*values, threshold] if threshold is not None else values)
    texts = [
        (median, _("<b>median {value}</b>").format(value=numbers.expected(median)), theme.median),
        (upper, _("80%: up to {value}").format(value=numbers.expected(upper)), theme.secondary),
    ]
    if threshold is not None:
        dashed = {"color": theme.ink, "width": 1.2, "dash": "6px,4px"}
        figure.add_shape(type="line", xref="paper", x0=0, x1=1, y0=threshold, y1=threshold, line=dashed)
        texts.append((threshold, _("threshold {value}").format(value=numbers.observed(threshold)), theme.ink))
    gap = LABEL_PIXELS * largest / (1 - HEADROOM) / (height - MARGIN_TOP - MARGIN_BOTTOM)
    right = {"xref": "paper", "x": 1, "xanchor": "left", "yanchor": "middle", "xshift": 6}
    labels = [
        note(theme, text, y=place, font={"color": ink}, **right)
        for (_place, text, ink), place in zip(texts, spread([text[0] for text in texts], gap), strict=True)
    ]
    figure.update_layout(
        barmode="overlay",
        hovermode="closest",
        xaxis={"range": [-0.6, here + 0.6], "tickvals": list(range(here + 1)), "ticktext": names, "ticks": ""},
        yaxis=count_axis(largest, HEADROOM),
    )
    return finish(figure, theme, height=height, annotations=[unit_label(theme, unit), *labels])


def season_bars_alt(history: pd.DataFrame, forecast: pd.DataFrame, *, year: int, threshold: float | None = None) -> str:
    """The bars in words: this year's interval, and how many earlier years lay above its median or the threshold.

    Args:
        history: Columns ``year``, ``value``.
        forecast: Columns ``output_type_id``, ``value``.
        year: This year.
        threshold: The number that earlier years are compared with; the median where there is none.
    """
    at = forecast.set_index(forecast["output_type_id"].round(4))["value"]
    low, high = (at[level] for level in interval_levels(0.8))
    against = at[0.5] if threshold is None else threshold
    return _(
        "{year}: {median} expected, 80% interval {interval}. {above} of {count} earlier years lay above {number}."
    ).format(
        year=year,
        median=numbers.expected(at[0.5]),
        interval=numbers.interval_words(low, high),
        above=int((history["value"] > against).sum()),
        count=len(history),
        number=numbers.expected(against) if threshold is None else numbers.observed(against),
    )


def _box(place: int, low: float, high: float, coverage: float, fill: str) -> go.Bar:
    return go.Bar(
        x=[place],
        y=[high - low],
        base=[low],
        width=BAR_WIDTH,
        marker={"color": fill, "line": {"width": 0}},
        hovertemplate=labelled(numbers.percent(coverage), numbers.interval(low, high)) + "<extra></extra>",
        name=f"box {coverage:.0%}",
    )
