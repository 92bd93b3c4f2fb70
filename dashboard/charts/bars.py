"""Bars: who arrives, how one number became another, weeks counted and to come; and small lines of context."""

from __future__ import annotations

import datetime as dt
import math
import textwrap

import pandas as pd
import plotly.graph_objects as go

from dashboard import _, labelled, lang, listed
from dashboard.charts import Annotation, count_axis, finish, mid_month, named_rows, nice_ticks, note, unit_label
from dashboard.charts.fan import band_words, key_line, key_mark
from dashboard.charts.seasons import HEADROOM, counted_bars, interval_box, median_line
from dashboard.theme import Theme, with_opacity

NAME_PIXELS, FIGURE_PIXELS = 150, 96
ROW_PIXELS, PANEL_PIXELS, PANEL_GAP = 30, 120, 0.34
WEEKS_HEIGHT = 230
WEEKS_MARGIN = 24
WEEKS_BETWEEN_NAMES = 4
"""Weeks from one name on the axis to the next."""


def mix_bars(mix: pd.DataFrame, *, unit: str, theme: Theme) -> go.Figure:
    """Horizontal bars, the largest on top, with count and share beside each.

    Args:
        mix: Columns ``name``, ``share`` (of the total) and, where they may be shown, ``value`` (persons). An "other"
            row keeps the place it has.
        unit: What is counted, and when.
        theme: Colours.
    """
    rows = mix.reset_index(drop=True)
    places = list(range(len(rows)))
    texts = [_part_of_all(share) for share in rows["share"]]
    lengths = rows["value" if "value" in rows else "share"]
    if "value" in rows:
        texts = [f"{lang().counted(value)} · {text}" for value, text in zip(lengths, texts, strict=True)]
    figure = go.Figure(
        go.Bar(
            x=lengths,
            y=places,
            orientation="h",
            width=0.42,
            marker={"color": with_opacity(theme.neutral, 0.62)},
            text=[f"<b>{name}</b><br>{text}" for name, text in zip(rows["name"], texts, strict=True)],
            textposition="none",
            hovertemplate="%{text}<extra></extra>",
            name="nationalities",
        )
    )
    labels = [
        note(theme, unit, xref="paper", x=0, xanchor="left", yref="paper", y=1, yanchor="bottom", xshift=-NAME_PIXELS)
    ]
    for place, name, value, text in zip(places, rows["name"], lengths, texts, strict=True):
        middle = {"y": place, "yanchor": "middle"}
        ink = {"size": 13, "color": theme.ink}
        labels.append(note(theme, name, xref="paper", x=0, xanchor="right", xshift=-10, font=ink, **middle))
        labels.append(note(theme, text, x=value, xanchor="left", xshift=8, **middle))
    largest = float(lengths.max()) if len(rows) else 1.0
    named_rows(figure, len(rows), largest, {"l": NAME_PIXELS, "r": FIGURE_PIXELS, "t": 30, "b": 10})
    return finish(figure, theme, height=ROW_PIXELS * len(rows) + 44, annotations=labels)


def mix_alt(mix: pd.DataFrame, *, unit: str) -> str:
    """The bars in words: the three largest with their shares."""
    top = mix.sort_values("share", ascending=False).head(3)
    parts = [f"{row['name']} {_part_of_all(row['share'])}" for row in top.to_dict("records")]
    return _("{unit}: {parts}.").format(unit=unit, parts=", ".join(parts))


def _part_of_all(share: float) -> str:
    """Write 0 % and 100 % only for zero and for all; other shares are never rounded to them."""
    return lang().share(share) if share in (0.0, 1.0) else lang().percent(share)


def small_multiples(lines: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """One small line chart per indicator, all over the same months. Context, not cause.

    Args:
        lines: Columns ``panel`` (name and unit on screen), ``time_period_end``, ``value``.
        theme: Colours.
    """
    panels = list(dict.fromkeys(lines["panel"]))
    figure, labels, count = go.Figure(), [], max(1, len(panels))
    axes: dict[str, object] = {}
    for rank, panel in enumerate(panels):
        rows = lines[lines["panel"] == panel].sort_values("time_period_end")
        suffix = "" if rank == 0 else f"{rank + 1}"
        top = 1 - rank / count
        figure.add_trace(_panel_line(panel, rows, f"y{suffix}", theme))
        axes[f"yaxis{suffix}"] = _panel_axis(rows["value"], (top - (1 - PANEL_GAP) / count, top))
        labels.append(
            note(theme, panel, xref="paper", x=0, xshift=-6, xanchor="left", yref="paper", y=top, yanchor="bottom")
        )
        last = rows.dropna(subset=["value"]).tail(1)
        if len(last):
            where = {"x": mid_month(last["time_period_end"]).iloc[0], "y": last["value"].iloc[0], "yref": f"y{suffix}"}
            labels.append(
                note(
                    theme,
                    lang().significant(last["value"].iloc[0]),
                    xanchor="left",
                    yanchor="middle",
                    xshift=8,
                    **where,
                )
            )
    if len(lines):
        months = mid_month(lines["time_period_end"])
        axes["xaxis"] = _years(months.min(), months.max(), f"y{len(panels)}" if len(panels) > 1 else "y")
    figure.update_layout(margin={"l": 52, "r": 64, "t": 30, "b": 34}, hovermode="closest", **axes)
    return finish(figure, theme, height=PANEL_PIXELS * count + 64, annotations=labels)


def small_multiples_alt(lines: pd.DataFrame) -> str:
    """The lines in words: the newest value of each against a year earlier. Context only."""
    parts = []
    for panel, rows in lines.dropna(subset=["value"]).groupby("panel", sort=False):
        values = pd.Series(rows["value"].to_numpy(), index=pd.to_datetime(rows["time_period_end"])).sort_index()
        newest = values.index[-1]
        before = values[values.index <= newest - pd.DateOffset(months=12)]
        text = labelled(str(panel), f"{lang().significant(values.iloc[-1])} ({lang().month(newest)})")
        if len(before):
            text += _(", {value} a year earlier").format(value=lang().significant(before.iloc[-1]))
        parts.append(text)
    return _("Context, not causes. {parts}.").format(parts=listed(parts))


def _panel_line(panel: str, rows: pd.DataFrame, axis: str, theme: Theme) -> go.Scatter:
    months = mid_month(rows["time_period_end"])
    return go.Scatter(
        x=months,
        y=rows["value"],
        yaxis=axis,
        mode="lines",
        line={"color": theme.neutral, "width": 1.6},
        text=[
            f"{lang().month(month)}<br><b>{lang().significant(value)}</b>"
            for month, value in zip(months, rows["value"], strict=True)
        ],
        hovertemplate="%{text}<extra></extra>",
        name=panel,
    )


def _panel_axis(values: pd.Series, domain: tuple[float, float]) -> dict[str, object]:
    """From zero where nothing is negative, and up to it where nothing is positive, with one or two grid lines."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    chosen = [0.0, nice_ticks(high)[-1]] if low == 0 else sorted({low, 0.0, high})
    top = 1.06 if low == high == 0 else 1.06 * high
    return {
        "domain": list(domain),
        "range": [low, top],
        "tickvals": chosen,
        "ticktext": [lang().significant(tick) for tick in chosen],
    }


def _years(first: pd.Timestamp, last: pd.Timestamp, anchor: str) -> dict[str, object]:
    years = range(first.year, last.year + 1)
    step = math.ceil(len(years) / 8)
    ticks = [
        dt.date(year, 1, 15)
        for year in years
        if (year - last.year) % step == 0 and dt.date(year, 1, 15) >= first.date()
    ]
    return {"range": [first, last], "anchor": anchor, "tickvals": ticks, "ticktext": [f"{tick.year}" for tick in ticks]}


TOTAL, STEP = "total", "step"
STEP_ROW_PIXELS, STEP_LINE_PIXELS, STEP_NAME_PIXELS, STEP_FIGURE_PIXELS = 44, 19, 210, 64
STEP_NAME_LETTERS = 30


def steps_chart(steps: pd.DataFrame, *, unit: str, theme: Theme) -> go.Figure:
    """Draw totals as whole bars and steps as bars between the number before and the number after.

    Args:
        steps: Columns ``name``, ``change`` and ``value`` (after the step; persons) and ``kind`` (``total`` or
            ``step``), in order.
        unit: What is counted.
        theme: Colours.
    """
    rows = steps.reset_index(drop=True)
    figure = go.Figure()
    corner = {"xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": 1, "yanchor": "bottom"}
    labels: list[Annotation] = [note(theme, unit, xshift=-STEP_NAME_PIXELS, **corner)]
    largest = float(rows["value"].max()) if len(rows) else 1.0
    names = [textwrap.wrap(str(name), STEP_NAME_LETTERS, break_on_hyphens=False) for name in rows["name"]]
    row_pixels = max(STEP_ROW_PIXELS, STEP_LINE_PIXELS * max(map(len, names), default=1))
    for place, row in enumerate(rows.to_dict("records")):
        whole = row["kind"] == TOTAL
        begin = 0.0 if whole else row["value"] - row["change"]
        colour = with_opacity(theme.neutral, 0.62) if whole else with_opacity(theme.fan, 0.85)
        text = lang().expected(row["value"]) if whole else lang().signed(row["change"])
        bar = go.Bar(x=[row["value"] - begin], base=[begin], y=[place], orientation="h", width=0.42)
        hover = f"<b>{row['name']}</b><br>{text}<extra></extra>"
        figure.add_trace(bar.update(marker={"color": colour}, hovertemplate=hover, name=str(row["name"])))
        middle = {"y": place, "yanchor": "middle"}
        ink = {"size": 13, "color": theme.ink}
        name, figure_text = (f"<b>{part}</b>" if whole else part for part in ("<br>".join(names[place]), text))
        left = {"xref": "paper", "x": 0, "xanchor": "right", "xshift": -10, "align": "right"}
        # Plotly drops a word that stands beyond its axis.
        right = {"x": min(max(begin, row["value"]), largest), "xanchor": "left", "xshift": 8}
        labels += [note(theme, name, font=ink, **left, **middle), note(theme, figure_text, **right, **middle)]
    named_rows(figure, len(rows), largest, {"l": STEP_NAME_PIXELS, "r": STEP_FIGURE_PIXELS, "t": 30, "b": 10})
    return finish(figure, theme, height=row_pixels * len(rows) + 44, annotations=labels)


def steps_alt(steps: pd.DataFrame) -> str:
    """The chart in words: where it begins, the largest step, where it ends."""
    totals, moves = steps[steps["kind"] == TOTAL], steps[steps["kind"] == STEP]
    text = _("From {former} to {now}.").format(
        former=lang().expected(totals["value"].iloc[0]), now=lang().expected(totals["value"].iloc[-1])
    )
    if moves.empty:
        return text
    largest = moves.iloc[int(moves["change"].abs().argmax())]
    most = _("The largest step: {name}, {change}.").format(
        name=largest["name"], change=lang().signed(largest["change"])
    )
    return f"{text} {most}"


def week_chart(counted: pd.DataFrame, ahead: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """Draw weeks counted and weeks to come side by side.

    Args:
        counted: ``target_end_date``, ``value``.
        ahead: ``target_end_date``, ``so_far``, ``q10``, ``q25``, ``q50``, ``q75``, ``q90``.
        theme: Colours.
    """
    ends = [*counted["target_end_date"], *ahead["target_end_date"]]
    names = [lang().day_short(end) for end in ends]
    figure = go.Figure(counted_bars([*counted["value"], *ahead["so_far"]], names, theme, "counted"))
    for place, row in enumerate(ahead.to_dict("records"), start=len(counted)):
        for low, high, coverage, opacity in (("q10", "q90", 0.8, 0.36), ("q25", "q75", 0.5, 0.5)):
            figure.add_trace(interval_box(place, row[low], row[high], coverage, with_opacity(theme.fan, opacity)))
        median_line(figure, place, row["q50"], theme)
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
    largest = max([*counted["value"], *ahead["q90"], 1.0])
    places = list(range(len(counted) % WEEKS_BETWEEN_NAMES, len(ends), WEEKS_BETWEEN_NAMES))
    # With no room kept at the right and the year beneath, names stand straight on a phone: slanted ones are cut.
    figure.update_layout(
        barmode="overlay",
        hovermode="closest",
        margin={"r": WEEKS_MARGIN},
        xaxis={
            "range": [-0.6, len(ends) - 0.4],
            "tickangle": 0,
            "tickvals": places,
            "ticktext": _week_names([ends[place] for place in places]),
        },
        yaxis=count_axis(largest, HEADROOM),
    )
    return finish(
        figure, theme, height=WEEKS_HEIGHT, annotations=[unit_label(theme, _("Arrivals per week, to the Sunday shown"))]
    )


def _week_names(days: list[dt.date]) -> list[str]:
    """Day and month, the year beneath the first of each year."""
    years = [None, *(day.year for day in days)]
    return [
        f"{lang().day_short(day, year=False)}<br>{day.year if day.year != before else ''}".removesuffix("<br>")
        for day, before in zip(days, years, strict=False)
    ]


def week_key(theme: Theme) -> str:
    """What the marks of the chart mean, as a line of HTML."""
    box = "height: 0.7em; background: "
    parts = [key_mark(box + with_opacity(theme.neutral, 0.55), _("counted"))]
    parts.append(key_mark(f"border-top: 3px solid {theme.median}", _("median")))
    for coverage, opacity in ((0.5, 0.75), (0.8, 0.36)):
        parts.append(key_mark(box + with_opacity(theme.fan, opacity), band_words(coverage)))
    return key_line(parts)


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
