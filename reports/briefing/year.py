"""The second page of the briefing: the year ahead by route and country against the last five years."""

from __future__ import annotations

from itertools import accumulate

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.languages import WORD_JOINER, capital
from core.languages import marked as _
from reports.briefing import colours
from reports.briefing.canvas import (
    BODY,
    BOLD,
    DRAWING,
    GREY,
    HEIGHT,
    MARGIN,
    ROOM,
    Sheet,
    Style,
    font_of,
    heading,
    text_width,
    wrap,
)
from reports.briefing.content import Content
from reports.year_ahead import YearLine, counted_words, record_words, year_table, year_title

MOST_ROWS, MOST_CHARTS, COLUMNS = 14, 9, 3
ROW, MOST_CHART, NAME_WIDTH = 14.0, 170.0, 128.0
TITLE, SMALL = Style("serif", 15, 18.5), Style("sans", 5.8)


def draw_year(content: Content) -> Figure:
    """Lay the page out; only for a release that has a year ahead."""
    language, lines = content.language, content.year
    with DRAWING:
        sheet = Sheet()
        y = heading(sheet, MARGIN, MARGIN, language.text(_("The year ahead")), ROOM)
        y = sheet.lines(MARGIN, y + 2, wrap(year_title(list(lines), language), TITLE, ROOM, 2), TITLE) + 6
        shown = [line for line in lines if line.window == lines[0].window][:MOST_ROWS]
        y = _table(sheet, content, shown, y)
        said = f"{capital(counted_words(lines[0].row, language))} · {record_words(lines[0].row, language)}."
        y = sheet.lines(MARGIN, y + 4, wrap(said, GREY, ROOM, 2), GREY) + 10
        width = (ROOM - (COLUMNS - 1) * 18) / COLUMNS
        drawn = [one for one in shown if len(one.past)][:MOST_CHARTS]
        height = min(MOST_CHART, (HEIGHT - MARGIN - y) / max(1, -(-len(drawn) // COLUMNS)) - 34)
        for place, line in enumerate(drawn):
            x = MARGIN + (place % COLUMNS) * (width + 18)
            top = y + (place // COLUMNS) * (height + 34)
            sheet.lines(x, top, wrap(line.name, BOLD, width, 1), BOLD)
            _bars(sheet.axes(x + 30, top + 14, width - 30, height), line, content)
    return sheet.figure


def _table(sheet: Sheet, content: Content, lines: list[YearLine], y: float) -> float:
    table = year_table(lines, content.language, brief=True)
    names = list(table.columns)
    cells = {name: [str(cell).replace(WORD_JOINER, "") for cell in table[name]] for name in names[1:]}
    widest = [max(text_width(cell, BODY) for cell in column) for column in cells.values()]
    spare = (ROOM - NAME_WIDTH - sum(widest)) / len(widest)
    rooms = [width + spare for width in widest]
    rights = [MARGIN + NAME_WIDTH + right for right in accumulate(rooms)]
    heads = [wrap(name, GREY, room - 4, 2) for name, room in zip(cells, rooms, strict=True)]
    bottom = y + 2 * GREY.leading
    for right, head in zip(rights, heads, strict=True):
        for number, text in enumerate(reversed(head)):
            sheet.line(right, bottom - number * GREY.leading - 2, text, GREY, "right")
    for place, title in enumerate(table[names[0]]):
        sheet.rule(MARGIN, bottom, ROOM)
        base = bottom + ROW / 2 + BODY.size * 0.33
        sheet.line(MARGIN, base, wrap(str(title), BOLD, NAME_WIDTH, 1)[0], BOLD)
        for column, right in zip(cells.values(), rights, strict=True):
            sheet.line(right, base, column[place], BODY, "right")
        bottom += ROW
    sheet.rule(MARGIN, bottom, ROOM)
    return bottom


def _bars(axes: Axes, line: YearLine, content: Content) -> None:
    """The last five years as bars, the year ahead as its 80 and 50 % interval with the median."""
    axes.set_facecolor("none")
    years, row, here = list(line.past.index), line.row, len(line.past)
    axes.bar(range(here), line.past.to_numpy(), width=0.62, color=colours.OBSERVED, alpha=0.45)
    for low, high, opacity in (("lo_80", "hi_80", 0.3), ("lo_50", "hi_50", 0.45)):
        axes.bar(here, row[high] - row[low], bottom=row[low], width=0.62, color=colours.FAN, alpha=opacity)
    axes.hlines(row["median"], here - 0.31, here + 0.31, color=colours.MEDIAN, linewidth=1.4)
    axes.set_ylim(0, 1.08 * max([*line.past, float(row["hi_80"]), 1.0]))
    axes.set_xticks(range(here + 1), [*map(str, years), str(row["first_period"])[:4]])
    axes.grid(axis="y", color=colours.GRID, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set(color=colours.HAIRLINE, linewidth=0.6)
    axes.tick_params(colors=colours.SECONDARY, length=0, pad=1.5)
    axes.yaxis.set_major_formatter(lambda value, _place: content.language.counted(value))
    for label in [*axes.get_xticklabels(), *axes.get_yticklabels()]:
        label.set(fontproperties=font_of(SMALL), parse_math=False)
