"""The briefing's page about reception: demand against the places that are kept, one chart per route."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.languages import marked as _
from reports.briefing import colours
from reports.briefing.canvas import (
    BODY,
    BOLD,
    DRAWING,
    GREY,
    MARGIN,
    PRINT,
    ROOM,
    Sheet,
    Style,
    font_of,
    page_head,
    wrap,
)
from reports.briefing.content import AND_MORE, Content, PlacesLine
from reports.scenario import counted_places

MOST_CHARTS, COLUMNS, GAP, CHART_HEIGHT = 6, 2, 24.0, 128.0
AXIS_WIDTH = 34.0
SMALL = Style("sans", 6.6, 8.4)


def draw_places(content: Content) -> Figure:
    """Lay the page out; only for a briefing that has places."""
    language, width = content.language, (ROOM - (COLUMNS - 1) * GAP) / COLUMNS
    with DRAWING:
        sheet = Sheet()
        y = page_head(sheet, language.text(_("Reception places")), content.known, content.exercise) + 6
        key = _(
            "Full line: places needed at the chosen confidence. Dotted: the median. Dashed: the places there are. Kept "
            "by {people}."
        )
        shown = content.places[:MOST_CHARTS]
        people = ", ".join(sorted({line.who for line in shown}))
        y = sheet.lines(MARGIN, y, wrap(language.text(key, people=people), GREY, ROOM), GREY) + 8
        for start in range(0, len(shown), COLUMNS):
            row = shown[start : start + COLUMNS]
            said = [(wrap(line.short, BODY, width, 3), wrap(line.assumed, GREY, width, 2)) for line in row]
            head = max(len(short) * BODY.leading + len(basis) * GREY.leading for short, basis in said)
            for place, (line, (short, basis)) in enumerate(zip(row, said, strict=True)):
                x = MARGIN + place * (width + GAP)
                below = sheet.lines(x, y, wrap(line.name, BOLD, width, 1), BOLD) + 1
                sheet.lines(x, sheet.lines(x, below, short, BODY), basis, GREY)
                top = y + BOLD.leading + head + 10
                _chart(sheet.axes(x + AXIS_WIDTH, top, width - AXIS_WIDTH - 8, CHART_HEIGHT), line, content)
            y += BOLD.leading + head + CHART_HEIGHT + 44
        if left := len(content.places) - len(shown):
            y = sheet.lines(MARGIN, y, [language.plural(AND_MORE, left)], GREY) + 4
        sheet.lines(MARGIN, y, wrap(language.text(counted_places()), PRINT, ROOM, 3), PRINT)
    return sheet.figure


def _chart(axes: Axes, line: PlacesLine, content: Content) -> None:
    """Places needed at the chosen confidence, the median beneath, and the line of the places there are."""
    axes.set_facecolor("none")
    language, table = content.language, line.demand
    places = range(len(table))
    axes.fill_between(places, table["median"], table["places"], color=colours.FAN, alpha=0.25, linewidth=0)
    axes.plot(places, table["places"], color=colours.FAN, linewidth=1.2)
    axes.plot(places, table["median"], color=colours.MEDIAN, linewidth=1.0, linestyle=(0, (2, 1.5)))
    axes.axhline(line.stock, color=colours.INK, linewidth=0.9, linestyle=(0, (4, 2)))
    top = 1.12 * max(float(table["places"].max()), line.stock)
    axes.set_ylim(0, top)
    axes.locator_params(axis="y", integer=True)
    axes.set_xlim(-0.2, len(table) - 0.8)
    shown = [place for place in places if place % 3 == 0 or place == len(table) - 1]
    months = [language.month_short(table["target_end_date"].iloc[place], year=place == 0) for place in shown]
    axes.set_xticks(shown, months)
    axes.grid(axis="y", color=colours.GRID, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set(color=colours.HAIRLINE, linewidth=0.6)
    axes.tick_params(colors=colours.SECONDARY, length=0, pad=2)
    axes.yaxis.set_major_formatter(lambda value, _place: language.counted(value))
    for label in [*axes.get_xticklabels(), *axes.get_yticklabels()]:
        label.set(fontproperties=font_of(SMALL), parse_math=False)
    # In the middle of its tick the first month would touch the zero of the other axis.
    axes.get_xticklabels()[0].set(horizontalalignment="left")
