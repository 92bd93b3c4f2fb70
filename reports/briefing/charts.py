"""The small charts: where each stands, its name and label, and what its bands mean in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.languages import Language
from core.languages import marked as _
from reports.briefing import colours
from reports.briefing.canvas import Sheet, Style, text_width, wrap
from reports.briefing.content import Content, RouteLine
from reports.briefing.fans import draw_fan
from reports.briefing.styles import BOLD, GREY, MARGIN, MOST_ROUTES, ROOM, heading

LEAST_PANEL, MOST_PANEL = 42.0, 96.0
PANEL_HEAD, PANEL_GAP, COLUMN_GAP, AXIS = 10.0, 11.0, 12.0, 22.0
"""Points: name above a chart, months below it, room between charts, figures left of one."""
LEGEND = 12.0
NARROW_NAME = Style("bold", 6.8, 9.4)
MEDIAN_LABEL, GREY_LABEL = Style("sans", 6.6, 8, colours.MEDIAN), Style("sans", 6.6, 8, colours.SECONDARY)


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
        text_width(route.name, BOLD) + text_width(_label(route, content.words), MEDIAN_LABEL) + 6 < width
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
    words = content.words
    y = heading(sheet, MARGIN, y, words.text(_("Arrivals per month: counted, and expected")), ROOM)
    y = _legend(sheet, content, y)
    for number, route in enumerate(content.routes[:MOST_ROUTES]):
        x = MARGIN + (number % grid.columns) * (grid.width + COLUMN_GAP)
        top = y + (number // grid.columns) * (panel + grid.head + PANEL_GAP)
        sheet.lines(x, top, wrap(route.name, grid.name, grid.width, 1), grid.name)
        style = GREY_LABEL if route.why_not else MEDIAN_LABEL
        label = wrap(_label(route, words), style, grid.width, 1)[0]
        if grid.head > PANEL_HEAD:
            sheet.lines(x, top + BOLD.leading - 1, [label], style)
        else:
            sheet.line(x + grid.width, top + BOLD.size, label, style, "right")
        axes = sheet.axes(x + AXIS, top + grid.head, grid.width - AXIS, panel)
        draw_fan(axes, route, content.edition.as_of, words)


def _label(route: RouteLine, words: Language) -> str:
    """What is expected in the last month drawn, or why nothing is."""
    if route.why_not:
        return route.why_not
    text = words.text(_("{value} expected in {month}"))
    value = words.expected(float(route.quantiles[0.5].iloc[-1]))
    return text.format(month=words.month_short(route.quantiles.index[-1], year=True), value=value)


def _legend(sheet: Sheet, content: Content, y: float) -> float:
    """The bands in words, each with its colour."""
    words, x, base = content.words, MARGIN, y + GREY.size
    entries = (
        (_("19 times in 20 (95%)"), 1),
        (_("4 times in 5 (80%)"), 2),
        (_("1 time in 2 (50%)"), 3),
    )
    x = _swatch_text(sheet, x, base, words.text(_("The count is expected within the band:")))
    for text, layers in entries:
        for opacity in colours.FAN_OPACITY[:layers]:
            sheet.box(x, base - 5.6, 10, 6.6, colours.FAN, opacity)
        x = _swatch_text(sheet, x + 13, base, words.text(text))
    sheet.rule(x, base - 2.4, 10, colours.MEDIAN, 1.1)
    x = _swatch_text(sheet, x + 13, base, words.text(_("median")))
    sheet.rule(x, base - 2.4, 10, colours.OBSERVED, 0.9)
    _swatch_text(sheet, x + 13, base, words.text(_("counted")))
    return y + LEGEND


def _swatch_text(sheet: Sheet, x: float, base: float, text: str) -> float:
    sheet.line(x, base, text, GREY)
    return x + text_width(text, GREY) + 8


LEFT_COLUMN = 256.0
