"""The words on a fan chart, and the lines they belong to. They stand where no line is drawn: at the edges."""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import pandas as pd
import plotly.graph_objects as go

from core import interval_levels
from dashboard import _, lang
from dashboard.charts import Annotation, Scale, dated, level_line, note, quantile, unit_label
from dashboard.theme import Theme, halo, with_opacity
from forecasting.verification.verdict import BETTER, LIKELY, WORSE
from reports.numbers import Expected
from reports.skill import BRIEF

Annotations = list[Annotation]
PHONE_PIXELS = 240.0
"""Width of the plot on a phone."""
LETTER = 6.4
"""Pixels of a letter, rather too large than too small."""
TOOTH_PIXELS = 5
"""Height of the torn edge of a band that goes on beyond the chart."""
MARGIN_RIGHT, LEFT_SHARE = 72, 0.55
WINDOW_PIXELS = 30
"""How far below the top the bracket of the marked months stands: under the strip and its words."""
STRIP_WORDS = 4
"""How far below the top the words on the verdict begin."""
THRESHOLD_PIXELS = 24.0
"""Height of a line of words with the air that plotly wants around it."""


@dataclass(frozen=True)
class Room:
    """Where words may stand."""

    scale: Scale
    first: pd.Timestamp
    last: pd.Timestamp

    def across(self, when: pd.Timestamp, width: float) -> float:
        """Pixels from the left end of a plot of some width."""
        return float((when - self.first) / (self.last - self.first)) * width


def end_label(
    forecast: pd.DataFrame, carried: pd.Series, theme: Theme, months_each: int, *, with_median: bool
) -> Annotation:
    """The last median, or else its interval, beside the right end; the last count where that is carried forward."""
    median = quantile(forecast, 0.5)
    end = {"x": median.index[-1], "xanchor": "left", "yanchor": "middle", "xshift": 10}
    if len(carried):
        count, words = float(carried.iloc[0]), _("last count").replace(" ", "<br>")  # the margin is narrow
        text = f"<b>{lang().counted(count)}</b><br>{words}"
        return note(theme, text, y=count, font={"color": theme.observed}, **end)
    value, period = float(median.iloc[-1]), lang().period_short(median.index[-1], months_each)
    words = lang().expected(value)
    if not with_median:
        low, high = (float(quantile(forecast, level).iloc[-1]) for level in interval_levels(0.8))
        words, period = f"{lang().expected(low)}–<br>{lang().expected(high)}", f"({lang().percent(0.8)})<br>{period}"
        value = (low + high) / 2
    return note(theme, f"<b>{words}</b><br>{period}", y=value, font={"color": theme.median}, **end)


def window_mark(
    figure: go.Figure, ends: Sequence[pd.Timestamp], expected: Expected, room: Room, theme: Theme
) -> Annotations:
    """Months behind a light ground, and over it, above all figures, a bracket and their sum with its interval."""
    start, stop = ends[0].to_period("M").start_time, ends[-1] + pd.Timedelta(days=1)
    figure.add_shape(
        type="rect", x0=start, x1=stop, y0=0, y1=1, yref="paper", layer="above",
        fillcolor=with_opacity(theme.median, 0.1), line={"width": 0},
    )  # fmt: skip
    foot, top = (room.scale.value(room.scale.pixels - WINDOW_PIXELS - down) for down in (5, 0))
    bracket = go.Scatter(
        x=[start, start, stop, stop], y=[foot, top, top, foot], mode="lines", hoverinfo="skip", name="window",
        line={"color": theme.median, "width": 1.5},
    )  # fmt: skip
    figure.add_trace(bracket)
    name, total, interval = window_words(ends, expected)
    text = f"{name}<br><b>{total}</b> {interval}"
    return [note(theme, text, x=start, y=top, xanchor="left", yanchor="top", yshift=-2, font={"color": theme.median})]


def window_words(ends: Sequence[pd.Timestamp], expected: Expected) -> tuple[str, str, str]:
    """The name of several months' sum, its median and its 80 % interval."""
    name = _("{months} total").format(months=lang().months_short(ends[0], ends[-1]))
    return name, lang().expected(expected.median), f"({lang().interval(expected.low, expected.high)})"


def fixed_labels(figure: go.Figure, unit: str, now: dt.date, room: Room, theme: Theme) -> Annotations:
    """The unit at the top left, and a line at the date of knowledge with that date on top.

    After a short history the date begins at its line: in the middle over it, on a phone, it would meet the unit. A unit
    that would meet it all the same stands on two lines.
    """
    when = pd.Timestamp(now)
    figure.add_shape(
        type="line", x0=when, x1=when, y0=0, y1=1, yref="paper", line={"color": theme.secondary, "width": 1}
    )
    date = f"<b>{lang().day_short(now)}</b>"
    above = {"yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 4, "font": {"color": theme.secondary}}
    side = "left" if room.across(when, 1.0) < LEFT_SHARE else "center"
    free = room.across(when, PHONE_PIXELS) - (LETTER * len(lang().day_short(now)) / 2 if side == "center" else 0.0)
    unit = "<br>".join(textwrap.wrap(unit, max(int(free / LETTER), 1 + len(unit) // 2)))
    return [unit_label(theme, unit), note(theme, date, x=when, xanchor=side, **above)]


def threshold_line(
    figure: go.Figure, threshold: float | None, limit: str, history: pd.Series, scale: Scale, theme: Theme
) -> None:
    """The number as a dashed line, with its words where the line of counts leaves room for them.

    Where it lies far above everything, or below an axis of ratios, only the words show. Where they do not fit, on a
    phone, the key has them.
    """
    if threshold is None:
        return
    foot, top = scale.pixel(min(threshold, scale.largest)), THRESHOLD_PIXELS
    if threshold > scale.largest:
        foot -= top
    elif threshold >= scale.foot:
        level_line(figure, threshold, theme)
    start, stop = _longest_gap(history.map(scale.pixel), foot, foot + top)
    if start == stop:
        return
    text, place = threshold_words(threshold, limit, scale), (scale.value(foot), scale.value(foot + top))
    words = _words_that_fit(text, start, stop, place, theme, name="your number")
    figure.add_trace(words.update(textfont_color=theme.ink))


def threshold_words(threshold: float, limit: str, scale: Scale | None = None) -> str:
    """The number in words, see :class:`Fan`, with an arrow where it lies above or below the chart."""
    words = (limit or _("threshold: {value}")).format(value=lang().counted(threshold))
    if scale is not None and threshold > scale.largest:
        return f"{words} ↑"
    return f"{words} ↓" if scale is not None and threshold < scale.foot else words


def _longest_gap(heights: pd.Series, foot: float, top: float) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The longest stretch of time in which a line stays out of a band; its two ends are one where there is none."""
    points = dated(heights.dropna())
    start = points[0][0] if points else pd.Timestamp(0)
    longest = (start, start)
    for (_before, low), (when, high) in pairwise(points):
        if min(low, high) <= top and max(low, high) >= foot:
            start = when
        elif when - start > longest[1] - longest[0]:
            longest = (start, when)
    return longest


def skill_strip(
    figure: go.Figure,
    targets: pd.DatetimeIndex,
    now: dt.date,
    verdicts: Sequence[str],
    scale: Scale,
    theme: Theme,
) -> None:
    """A bar under the top edge, with words where they fit: the verdict on the forecast, month by month.

    The key below the chart names the lines.

    Args:
        figure: The chart, which gets the bars.
        targets: Months ahead, at mid-month.
        now: Date of knowledge.
        verdicts: One per month ahead.
        scale: The vertical axis.
        theme: Colours.
    """
    stop, gap = targets[-1] + pd.Timedelta(days=2), pd.Timedelta(days=2)
    ends = [*targets.to_period("M").end_time.normalize()[:-1], stop]
    start = pd.Timestamp(now)
    top = scale.pixels - STRIP_WORDS
    place = scale.value(top - THRESHOLD_PIXELS), scale.value(top)
    for verdict, part in groupby(zip(ends, verdicts, strict=True), key=lambda one: one[1]):
        end = [last for last, _verdict in part][-1]
        if end > start:
            _bar(figure, start + gap, end, *strip_style(verdict, theme))
            figure.add_trace(_words_that_fit(_(BRIEF[verdict]), start, end, place, theme, name="verdict"))
            start = end


def strip_style(verdict: str, theme: Theme) -> tuple[str, str]:
    """The colour and the dash of a verdict's bar."""
    colour = {BETTER: theme.fan, LIKELY: theme.fan, WORSE: theme.warning.fill}.get(verdict, theme.ended.fill)
    return colour, "dot" if verdict == LIKELY else "solid"


def _words_that_fit(
    text: str, start: pd.Timestamp, stop: pd.Timestamp, room: tuple[float, float], theme: Theme, *, name: str
) -> go.Bar:
    """Words in an unseen bar: plotly hides a text that does not fit its bar, so that nothing overlaps on a phone."""
    foot, top = room
    return go.Bar(
        x=[start + (stop - start) / 2],
        y=[top - foot],
        base=foot,
        width=(stop - start) / pd.Timedelta(milliseconds=1),
        text=[text],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"size": 12, "color": theme.secondary, "shadow": halo(theme.ground)},
        marker={"color": "rgba(0,0,0,0)", "line": {"width": 0}},
        hoverinfo="skip",
        name=name,
    )


def _bar(figure: go.Figure, start: pd.Timestamp, stop: pd.Timestamp, colour: str, dash: str) -> None:
    line = {"color": colour, "width": 3, "dash": dash}
    figure.add_shape(type="line", x0=start, x1=stop, y0=0.99, y1=0.99, yref="paper", line=line)
