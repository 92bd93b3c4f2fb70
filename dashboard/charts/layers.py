"""The layers of a fan: bands, median, observed line, earlier forecasts. Each is a list of traces."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from core.quantiles import INTERVALS, interval_levels
from dashboard import numbers
from dashboard.charts.axes import dated, mid_month, quantile
from dashboard.i18n import _, labelled
from dashboard.theme import Theme, with_opacity

EARLIER_OPACITY = 0.16


def band(lower: pd.Series, upper: pd.Series, fill: str, name: str) -> go.Scatter:
    """One closed band between two lines that share an index of dates."""
    x = [*lower.index, *lower.index[::-1]]
    y = [*upper, *lower.iloc[::-1]]
    return go.Scatter(
        x=x, y=y, mode="lines", fill="toself", fillcolor=fill, line={"width": 0}, hoverinfo="skip", name=name
    )


def monthly_values(observed: pd.DataFrame, months_each: int = 1) -> pd.DataFrame:
    """Observed months in order at mid-month, gaps kept as empty values.

    Args:
        observed: ``time_period_end``, ``value`` and, where known, ``flag``.
        months_each: Months that one figure covers; longer periods stand at their last month.

    Returns:
        Index: dates at mid-month. Columns ``value``, ``flag``.
    """
    if observed.empty:
        return pd.DataFrame({"value": pd.Series(dtype=float), "flag": pd.Series(dtype=str)})
    rows = observed.assign(month=mid_month(observed["time_period_end"])).sort_values("month").set_index("month")
    if "flag" not in rows:
        rows["flag"] = ""
    months = pd.period_range(rows.index[0], rows.index[-1], freq="M")[::months_each].start_time + pd.Timedelta(days=14)
    filled = rows[["value", "flag"]].reindex(months)
    return filled.assign(flag=filled["flag"].fillna(""))


def joined(anchor: pd.Series, line: pd.Series) -> pd.Series:
    """The line with the anchor before it, if there is one."""
    return line if anchor.empty else pd.concat([anchor, line])


def fan_traces(forecast: pd.DataFrame, anchor: pd.Series, theme: Theme, months_each: int = 1) -> list[go.Scatter]:
    """Bands of 95, 80 and 50 % drawn over each other, then the median.

    Args:
        forecast: Columns ``target_end_date``, ``output_type_id``, ``value``.
        anchor: The newest observed value, from which the fan opens; one value at its date, or empty.
        theme: Colours.
        months_each: Months that one figure covers.
    """
    traces = []
    for coverage, opacity in zip(sorted(INTERVALS, reverse=True), theme.fan_opacity, strict=True):
        low, high = (joined(anchor, quantile(forecast, level)) for level in interval_levels(coverage))
        traces.append(band(low, high, with_opacity(theme.fan, opacity), f"band {coverage:.0%}"))
    median = quantile(forecast, 0.5)
    low, high = (quantile(forecast, level) for level in interval_levels(0.8))
    hover = [""] * len(anchor) + [
        "<br>".join(
            [
                numbers.period_name(date, months_each),
                _("{value} expected").format(value=f"<b>{numbers.expected(value)}</b>"),
                labelled(numbers.percent(0.8), numbers.interval(low.loc[date], high.loc[date])),
            ]
        )
        for date, value in dated(median)
    ]
    line = joined(anchor, median)
    traces.append(
        go.Scatter(
            x=line.index,
            y=line,
            mode="lines",
            line={"color": theme.median, "width": 2.2},
            text=hover,
            hovertemplate="%{text}<extra></extra>",
            name="median",
        )
    )
    return traces


def observed_traces(months: pd.DataFrame, theme: Theme, months_each: int = 1) -> list[go.Scatter]:
    """The observed line: solid, dotted into provisional months, which also take an open circle."""
    provisional = months["flag"].eq("p")
    words = {"p": _("provisional"), "e": _("estimated")}
    hover = [
        f"{numbers.period_name(date, months_each)}<br><b>{numbers.observed(value)}</b> {words.get(flag, '')}".rstrip()
        for date, value, flag in zip(pd.DatetimeIndex(months.index), months["value"], months["flag"], strict=True)
    ]
    solid = go.Scatter(
        x=months.index,
        y=months["value"].mask(provisional),
        mode="lines",
        line={"color": theme.observed, "width": 2},
        hoverinfo="skip",
        name="observed",
    )
    into = provisional | provisional.shift(-1, fill_value=False)
    dotted = go.Scatter(
        x=months.index,
        y=months["value"].where(into),
        mode="lines",
        line={"color": theme.observed, "width": 2, "dash": "dot"},
        hoverinfo="skip",
        name="into provisional",
    )
    circle = {"size": 9, "color": theme.ground, "line": {"color": theme.observed, "width": 2}}
    points = go.Scatter(
        x=months.index,
        y=months["value"],
        mode="markers",
        marker=circle | {"opacity": provisional.astype(float).tolist()},
        text=hover,
        hovertemplate="%{text}<extra></extra>",
        name="months",
    )
    return [solid, dotted, points]


def earlier_traces(earlier: pd.DataFrame, theme: Theme) -> list[go.Scatter]:
    """Forecasts made at earlier origins: an 80 % band and a dotted median for each."""
    traces = []
    for _origin, rows in earlier.groupby("origin_date"):
        ordered = rows.sort_values("target_end_date")
        lines = ordered.set_index(pd.DatetimeIndex(mid_month(ordered["target_end_date"])))
        fill = with_opacity(theme.earlier, EARLIER_OPACITY)
        traces.append(band(lines["q10"], lines["q90"], fill, "earlier 80%"))
        traces.append(
            go.Scatter(
                x=lines.index,
                y=lines["q50"],
                mode="lines",
                line={"color": theme.earlier, "width": 1.6, "dash": "dot"},
                hoverinfo="skip",
                name="earlier median",
            )
        )
    return traces


def outcome_trace(outcomes: pd.DataFrame, anchor: pd.Series, theme: Theme) -> go.Scatter:
    """What was observed after the date on which the forecast was made."""
    months = monthly_values(outcomes)
    line = joined(anchor, months["value"])
    hover = [""] * len(anchor) + [
        numbers.month_name(date)
        + "<br>"
        + _("{value} observed later").format(value=f"<b>{numbers.observed(value)}</b>")
        for date, value in dated(months["value"])
    ]
    return go.Scatter(
        x=line.index,
        y=line,
        mode="lines+markers",
        line={"color": theme.observed, "width": 1.6},
        marker={"size": 6, "color": theme.observed, "opacity": [0.0] * len(anchor) + [1.0] * len(months)},
        text=hover,
        hovertemplate="%{text}<extra></extra>",
        name="what happened next",
    )


def running_traces(running: pd.DataFrame, theme: Theme) -> list[go.Scatter]:
    """The running month: a hollow circle at its nowcast with its 80 % interval, a dash at what is counted."""
    row = running.iloc[0]
    at = [mid_month(pd.Series([row["target_end_date"]])).iloc[0]]
    lines = [
        numbers.month_name(row["target_end_date"]),
        labelled(_("nowcast"), f"<b>{numbers.expected(row['q50'])}</b>"),
        labelled(numbers.percent(0.8), numbers.interval(row["q10"], row["q90"])),
        labelled(_("counted so far"), numbers.observed(row["so_far"])),
    ]
    hover = "<br>".join(lines)
    nowcast = go.Scatter(
        x=at,
        y=[row["q50"]],
        mode="markers",
        marker={"size": 10, "color": theme.ground, "line": {"color": theme.median, "width": 2}},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [row["q90"] - row["q50"]],
            "arrayminus": [row["q50"] - row["q10"]],
            "color": theme.median,
            "thickness": 1.4,
            "width": 4,
        },
        text=[hover],
        hovertemplate="%{text}<extra></extra>",
        name="nowcast",
    )
    so_far = go.Scatter(
        x=at,
        y=[row["so_far"]],
        mode="markers",
        marker={"symbol": "line-ew", "size": 14, "line": {"color": theme.observed, "width": 2.4}},
        hoverinfo="skip",
        name="counted so far",
    )
    return [nowcast, so_far]
