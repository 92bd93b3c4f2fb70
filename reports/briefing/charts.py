"""The fan charts on paper and in mails: counts so far, then what is expected.

On the sheet one small panel per route with a legend of the bands; in a message one picture with the threshold.
"""

from __future__ import annotations

import datetime as dt
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from core import INTERVALS, interval_levels
from core.calendar import to_period
from core.languages import Language, as_expected
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from reports import colours
from reports.alert import limit_of
from reports.briefing.canvas import (
    BOLD,
    GREY,
    MARGIN,
    MOST_ROUTES,
    ROOM,
    Sheet,
    Style,
    dress_axes,
    font_of,
    heading,
    text_width,
    wrap,
)
from reports.briefing.content import Content, RouteLine
from reports.messages.announcement import Facts

LEAST_PANEL, MOST_PANEL = 42.0, 96.0
PANEL_HEAD, PANEL_GAP, COLUMN_GAP, AXIS = 10.0, 11.0, 12.0, 22.0
"""Points: name above a chart, months below it, room between charts, figures left of one."""
LEGEND = 12.0
NARROW_NAME = Style("bold", 6.8, 9.4)
HALF_MONTH = pd.Timedelta(days=15)
SMALL = Style("sans", 5.8)
HEADROOM = 1.14
"""Height of the axis over the highest value: room for the word on the line."""
MEDIAN_LABEL, GREY_LABEL = Style("sans", 6.6, 8, colours.MEDIAN), Style("sans", 6.6, 8, colours.SECONDARY)
PICTURE_SIZE, DOTS = (5.84, 2.7), 200
MONTHS_DRAWN = 6
LABEL_ROOM = 0.075
"""Height of a label, as a share of the axis."""


@dataclass(frozen=True)
class Grid:
    """How the small charts stand: columns, rows, width of one, height and style of its name and label."""

    columns: int
    rows: int
    width: float
    head: float
    name: Style


def grid_of(content: Content) -> Grid:
    """One row of charts up to four, else two; labels stand beside the names, or below where one finds no room."""
    routes = content.routes[:MOST_ROUTES]
    columns = max(1, len(routes) if len(routes) <= 4 else math.ceil(len(routes) / 2))
    width = (ROOM - (columns - 1) * COLUMN_GAP) / columns
    beside = all(
        text_width(route.name, BOLD) + text_width(_label(route, content.language), MEDIAN_LABEL) + 6 < width
        for route in routes
    )
    return Grid(
        columns,
        math.ceil(max(1, len(routes)) / columns),
        width,
        PANEL_HEAD if beside else 2 * PANEL_HEAD,
        BOLD if columns < 5 else NARROW_NAME,
    )


def draw_charts(sheet: Sheet, content: Content, y: float, grid: Grid, panel: float) -> None:
    """Draw the heading, the legend and one chart per route below ``y``, each ``panel`` points high."""
    language = content.language
    y = heading(sheet, MARGIN, y, language.text(_("Arrivals per month: counted, and expected")), ROOM)
    y = _legend(sheet, content, y)
    for number, route in enumerate(content.routes[:MOST_ROUTES]):
        x = MARGIN + (number % grid.columns) * (grid.width + COLUMN_GAP)
        top = y + (number // grid.columns) * (panel + grid.head + PANEL_GAP)
        sheet.lines(x, top, wrap(route.name, grid.name, grid.width, 1), grid.name)
        style = GREY_LABEL if route.why_not else MEDIAN_LABEL
        label = wrap(_label(route, language), style, grid.width, 1)[0]
        if grid.head > PANEL_HEAD:
            sheet.lines(x, top + BOLD.leading - 1, [label], style)
        else:
            sheet.line(x + grid.width, top + BOLD.size, label, style, "right")
        axes = sheet.axes(x + AXIS, top + grid.head, grid.width - AXIS, panel)
        draw_fan(axes, route, content.release.as_of, language)


def _label(route: RouteLine, language: Language) -> str:
    """What is expected in the last month drawn, or why nothing is."""
    if route.why_not:
        return route.why_not
    value, month = float(route.quantiles[0.5].iloc[-1]), language.month_short(route.quantiles.index[-1], year=True)
    texts = ngettext("{value} expected in {month}", "{value} expected in {month}")
    return language.plural(texts, as_expected(value), month=month, value=language.expected(value))


def _legend(sheet: Sheet, content: Content, y: float) -> float:
    """What the bands and lines mean, each with its colour."""
    language, x, base = content.language, MARGIN, y + GREY.size
    entries = (
        (_("19 times in 20 (95%)"), 1),
        (_("4 times in 5 (80%)"), 2),
        (_("1 time in 2 (50%)"), 3),
    )
    x = _swatch_text(sheet, x, base, language.text(_("The count is expected within the band:")))
    for text, layers in entries:
        for opacity in colours.FAN_OPACITY[:layers]:
            sheet.box(x, base - 5.6, 10, 6.6, colours.FAN, opacity)
        x = _swatch_text(sheet, x + 13, base, language.text(text))
    sheet.rule(x, base - 2.4, 10, colours.MEDIAN, 1.1)
    x = _swatch_text(sheet, x + 13, base, language.text(_("median")))
    sheet.rule(x, base - 2.4, 10, colours.OBSERVED, 0.9)
    _swatch_text(sheet, x + 13, base, language.text(_("counted")))
    return y + LEGEND


def _swatch_text(sheet: Sheet, x: float, base: float, text: str) -> float:
    sheet.line(x, base, text, GREY)
    return x + text_width(text, GREY) + 8


def draw_fan(axes: Axes, route: RouteLine, as_of: dt.date, language: Language) -> None:
    """Draw one route: two years of counts, a line at the day of knowledge, bands of 95, 80 and 50 % and the median."""
    counted = pd.DatetimeIndex(route.history["end_date"]) - HALF_MONTH
    ahead = pd.DatetimeIndex(route.quantiles.index) - HALF_MONTH
    counts = route.history["obs_value"].to_numpy(dtype=float)
    axes.set_facecolor("none")
    axes.plot(days(counted), counts, color=colours.OBSERVED, linewidth=0.9)
    if len(ahead) and len(counts):
        lines = {level: [float(counts[-1]), *route.quantiles[level]] for level in route.quantiles}
        _bands(axes, days(counted[-1:].append(ahead)), lines, 1.1)
    axes.axvline(days(as_of), color=colours.SECONDARY, linewidth=0.6, linestyle=(0, (2, 1.5)))
    highest = [*counts, *(route.quantiles[interval_levels(max(INTERVALS))[1]] if len(ahead) else [])]
    axes.set_ylim(0, HEADROOM * max([1.0, *highest]))
    _dress(axes, pd.DatetimeIndex(counted.append(ahead)), days(as_of), language)


def days(dates: Any) -> Any:  # noqa: ANN401  # matplotlib takes and gives one date or many
    """Dates as matplotlib counts them."""
    return date2num(dates)  # type: ignore[no-untyped-call]  # matplotlib publishes no type for it


def _bands(axes: Axes, places: Sequence[Any], lines: Mapping[Any, list[float]], median_width: float) -> None:
    """Bands of 95, 80 and 50 % and the median: each level's line begins with the last count."""
    for coverage, opacity in zip(sorted(INTERVALS, reverse=True), colours.FAN_OPACITY, strict=True):
        low, high = interval_levels(coverage)
        axes.fill_between(places, lines[low], lines[high], color=colours.FAN, alpha=opacity, linewidth=0)
    axes.plot(places, lines[0.5], color=colours.MEDIAN, linewidth=median_width)


def _dress(axes: Axes, months: pd.DatetimeIndex, now: float, language: Language) -> None:
    """Axis from zero with few hairlines, Januaries in the reader's language, the word ``now`` on its line."""
    if len(months):
        axes.set_xlim(days(months[0]) - 15, max(days(months[-1]), now) + 15)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    ticks = months[months.month == 1]
    axes.set_xticks(days(ticks), [language.month_short(month, year=True) for month in ticks])
    dress_axes(axes, language, SMALL)
    axes.annotate(
        language.text(_("now")), (now, 1), (-1.5, -1), xycoords=("data", "axes fraction"), textcoords="offset points",
        fontproperties=font_of(SMALL), color=colours.SECONDARY, ha="right", va="top", parse_math=False,
    )  # fmt: skip


def fan_picture(facts: Facts, code: str) -> bytes | None:
    """Draw the fan chart of a message.

    Returns:
        A PNG, 1168 by 540 pixels; None where there is no count or no forecast to draw.
    """
    history, fan = facts.get("history") or [], facts.get("fan") or {}
    if not history or not fan.get("months"):
        return None
    language = Language(code)
    counts = pd.Series([value for _month, value in history], index=[_middle(month) for month, _value in history])
    figure = Figure(figsize=PICTURE_SIZE, dpi=DOTS, facecolor=colours.SCREEN)
    axes = figure.add_axes((0.085, 0.11, 0.745, 0.75), facecolor=colours.SCREEN)
    last, months = float(counts.iloc[-1]), [_middle(month) for month in fan["months"][:MONTHS_DRAWN]]
    lines = {float(level): [last, *values[:MONTHS_DRAWN]] for level, values in fan["levels"].items()}
    _bands(axes, [counts.index[-1], *months], lines, 1.6)
    uppers = [(interval_levels(coverage)[1], language.percent(coverage)) for coverage in INTERVALS[1:]]
    labels = [(lines[level][-1], text, colours.SECONDARY) for level, text in uppers]
    text = language.text(_("median {value}"), value=language.expected(lines[0.5][-1]))
    labels.append((lines[0.5][-1], text, colours.MEDIAN))
    axes.plot(counts.index, counts, color=colours.OBSERVED, linewidth=1.5)
    if (limit := limit_of(facts)) is not None:
        text = language.text(_("threshold {value}"), value=language.counted(limit))
        axes.axhline(limit, color=colours.INK, linewidth=0.9, linestyle="--")
        labels.append((limit, text, colours.INK))
    _dress_picture(axes, language)
    _write_labels(axes, labels)
    figure.text(0.085, 0.93, language.text(_("Arrivals per month")), fontsize=7.5, color=colours.SECONDARY)
    target = io.BytesIO()
    figure.savefig(target, format="png", metadata={"Software": "Vigie"})
    return target.getvalue()


def _write_labels(axes: Axes, labels: list[tuple[float, str, str]]) -> None:
    """Write labels (value, text, colour) at the right edge, each at its value or as near as the others leave room."""
    top = axes.get_ylim()[1]
    place = -1.0
    for value, text, colour in sorted(labels):
        place = max(value / top, place + LABEL_ROOM)
        axes.annotate(
            text, (1, place), (4, 0), xycoords="axes fraction", textcoords="offset points", color=colour, fontsize=7,
            va="center",
        )  # fmt: skip


def _dress_picture(axes: Axes, language: Language) -> None:
    axes.set_ylim(bottom=0)
    axes.locator_params(axis="y", integer=True)
    axes.grid(axis="y", color=colours.GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(colours.HAIRLINE)
    first, last = (pd.Timestamp(edge, unit="D") for edge in axes.get_xlim())
    quarters = [month for month in pd.date_range(first, last, freq="MS") if month.month in {1, 7}]
    middles = pd.DatetimeIndex(quarters) + pd.Timedelta(days=14)
    axes.set_xticks(middles.to_numpy(), [language.month_short(month, year=True) for month in quarters])
    axes.tick_params(colors=colours.SECONDARY, labelsize=7, length=0)
    axes.yaxis.set_major_formatter(lambda value, _place: language.counted(value))


def _middle(month: str) -> pd.Timestamp:
    return to_period(month, "M").to_timestamp() + pd.Timedelta(days=14)
