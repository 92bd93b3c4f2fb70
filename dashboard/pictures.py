"""The fan chart as a PNG file, with its source and caveats in the picture and in the file's text fields.

Drawn with matplotlib: plotly's own export needs a browser.
"""

from __future__ import annotations

import io
import textwrap

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.quantiles import INTERVALS, interval_levels
from dashboard.downloads import Export
from dashboard.i18n import _, labelled, lang
from dashboard.theme import LIGHT

WIDTH, CHART_HEIGHT, TOP, LINE = 10.0, 4.3, 0.95, 0.145
"""Inches: whole width, chart, room above it, one line of small print."""
DOTS_PER_INCH = 150
LEFT, RIGHT = 0.075, 0.90
MONTHS_BACK = 24
TITLE_LETTERS, PRINT_LETTERS = 84, 150
HALF_MONTH = pd.Timedelta(days=15)
MONTHS_BETWEEN_TICKS = 6


def fan_png(
    history: pd.DataFrame, quantiles: pd.DataFrame, export: Export, threshold: float | None, unit: str | None = None
) -> bytes:
    """Draw history, fan and threshold.

    Args:
        history: ``end_date`` and ``obs_value``, in time order.
        quantiles: Result of ``summaries.quantiles_of``; may be empty.
        export: Title, citations and caveats that stand under the picture.
        threshold: The reader's number, or None.
        unit: What is counted; arrivals per month by default.

    Returns:
        A PNG on a light ground, 1500 pixels wide and as high as its small print needs.
    """
    small_print = [
        part
        for label, text in export.about()[1:]
        for part in textwrap.wrap(labelled(label, text), PRINT_LETTERS, subsequent_indent="    ")
    ]
    below = LINE * (len(small_print) + 1) + 0.5
    height = TOP + CHART_HEIGHT + below
    figure = Figure(figsize=(WIDTH, height), dpi=DOTS_PER_INCH, facecolor=LIGHT.ground)
    axes = figure.add_axes((LEFT, below / height, RIGHT - LEFT, CHART_HEIGHT / height), facecolor=LIGHT.ground)
    recent = history.tail(MONTHS_BACK)
    counts = pd.Series(recent["obs_value"].to_numpy(), index=pd.DatetimeIndex(recent["end_date"]) - HALF_MONTH)
    if not quantiles.empty:
        _fan(axes, counts.tail(1), quantiles)
    axes.plot(counts.index, counts, color=LIGHT.observed, linewidth=1.6)
    if threshold is not None:
        _threshold(axes, threshold)
    _dress(axes, pd.DatetimeIndex([*counts.index, *(pd.DatetimeIndex(quantiles.index) - HALF_MONTH)]))
    title = textwrap.fill(export.title, TITLE_LETTERS)
    inch = 1 / height
    figure.text(LEFT, 1 - 0.2 * inch, title, fontsize=12.5, color=LIGHT.ink, family="serif", weight="bold", va="top")
    figure.text(LEFT, 1 - (TOP - 0.08) * inch, unit or _("Arrivals per month"), fontsize=8, color=LIGHT.secondary)
    place = (below - 0.45) / height
    figure.text(LEFT, place, "\n".join(small_print), fontsize=6.5, color=LIGHT.secondary, va="top", linespacing=1.45)
    about = "\n".join(labelled(label, text) for label, text in export.about())
    target = io.BytesIO()
    figure.savefig(target, format="png", metadata={"Title": export.title, "Description": about, "Software": "Vigie"})
    return target.getvalue()


def _fan(axes: Axes, anchor: pd.Series, quantiles: pd.DataFrame) -> None:
    """Bands of 95, 80 and 50 % that open from the last count, and the median."""
    months = anchor.index.append(pd.DatetimeIndex(quantiles.index) - HALF_MONTH)

    def line(level: float) -> list[float]:
        return [*anchor.tolist(), *quantiles[level].tolist()]

    for coverage, opacity in zip(sorted(INTERVALS, reverse=True), LIGHT.fan_opacity, strict=True):
        low, high = interval_levels(coverage)
        axes.fill_between(months, line(low), line(high), color=LIGHT.fan, alpha=opacity, linewidth=0)
        _label(axes, lang().percent(coverage), (months[-1], line(high)[-1]), LIGHT.secondary)
    axes.plot(months, line(0.5), color=LIGHT.median, linewidth=1.8)
    median = _("median {value}").format(value=lang().expected(line(0.5)[-1]))
    _label(axes, median, (months[-1], line(0.5)[-1]), LIGHT.median)


def _label(axes: Axes, text: str, place: tuple[pd.Timestamp, float], colour: str) -> None:
    axes.annotate(text, place, (6, 0), textcoords="offset points", color=colour, fontsize=7.5, va="center")


def _threshold(axes: Axes, threshold: float) -> None:
    axes.axhline(threshold, color=LIGHT.ink, linewidth=1, linestyle="--")
    label = _("your number: {value}").format(value=lang().counted(threshold))
    axes.annotate(
        label,
        (0.01, threshold),
        (0, 3),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        fontsize=7.5,
        color=LIGHT.ink,
    )


def _dress(axes: Axes, months: pd.DatetimeIndex) -> None:
    """Axis from zero, hairlines, month names in the reader's language."""
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color=LIGHT.grid)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(LIGHT.hairline)
    ticks = months[(months.month - 1) % MONTHS_BETWEEN_TICKS == 0]
    axes.set_xticks(ticks.to_numpy(), [lang().month_short(month, year=True) for month in ticks])
    axes.tick_params(colors=LIGHT.secondary, labelsize=7.5, length=0)
    axes.yaxis.set_major_formatter(lambda value, _place: lang().counted(value))
