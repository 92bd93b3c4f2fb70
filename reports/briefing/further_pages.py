"""The pages after the first: the year ahead by route and country, and demand against the reception places kept."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.languages import WORD_JOINER, capital
from core.languages import marked as _
from reports import colours
from reports.briefing.canvas import (
    BODY,
    BOLD,
    DRAWING,
    GREY,
    HEADING,
    HEIGHT,
    MARGIN,
    PRINT,
    ROOM,
    Sheet,
    Style,
    dress_axes,
    heading,
    page_head,
    text_width,
    wrap,
)
from reports.briefing.content import AND_MORE, Content, PlacesLine
from reports.scenario import counted_places
from reports.year_ahead import YearLine, coverage_words, year_table, year_title

MOST_ROWS, MOST_CHARTS, COLUMNS, CHART_GAP = 14, 9, 3, 30.0
ROW, MOST_CHART, LEAST_CHART, NAME_WIDTH = 13.0, 150.0, 60.0, 128.0
TITLE, SMALL = Style("serif", 15, 18.5), Style("sans", 5.8)
MOST_PLACES, PLACES_COLUMNS, PLACES_GAP, PLACES_HEIGHT = 6, 2, 24.0, 128.0
AXIS_WIDTH = 34.0
PLACES_SMALL = Style("sans", 6.6, 8.4)
_HEADS = {
    False: _("Arrivals by route, {window}"),
    True: _("First asylum applications by country of destination, {window}"),
}
"""Of the blocks below the running year, by whether they count asylum applications."""


def draw_year(content: Content) -> list[Figure]:
    """Lay the page out, and a further one where not all blocks find room; only for a release that has a year ahead."""
    language, (running, *others) = content.language, content.year
    with DRAWING:
        sheet, y = _begin(content)
        y = sheet.lines(MARGIN, y, wrap(year_title(list(running), language), TITLE, ROOM, 2), TITLE) + 6
        y = _block(sheet, content, running, y) + 8
        drawn = [one for one in running if len(one.past)][:MOST_CHARTS]
        rows = -(-len(drawn) // COLUMNS)
        here = len(others)
        while here and _room(y, others[:here]) < rows * (LEAST_CHART + CHART_GAP):
            here -= 1
        height = _room(y, others[:here]) / max(1, rows) - CHART_GAP
        y = _charts(sheet, content, drawn, y, min(MOST_CHART, height))
        _blocks(sheet, content, others[:here], y)
        figures = [sheet.figure]
        if here < len(others):
            sheet, y = _begin(content)
            _blocks(sheet, content, others[here:], y, _rows_with_room(y, others[here:]))
            figures.append(sheet.figure)
    return figures


def _begin(content: Content) -> tuple[Sheet, float]:
    """A new sheet, and where it has room."""
    sheet = Sheet()
    return sheet, page_head(sheet, content.language.text(_("The year ahead")), content.known, content.exercise) + 4


def _room(y: float, below: Sequence[Sequence[YearLine]], most: int = MOST_ROWS) -> float:
    """Points between ``y`` and the blocks at the foot of the sheet, each of at most ``rows`` rows."""
    return HEIGHT - MARGIN - y - sum(_height(block, most) for block in below)


def _rows_with_room(y: float, blocks: Sequence[Sequence[YearLine]]) -> int:
    """How many rows each block may have on a sheet that is theirs alone."""
    more = range(max(map(len, blocks)), MOST_ROWS, -1)
    return next((most for most in more if _room(y, blocks, most) >= 0), MOST_ROWS)


def _blocks(
    sheet: Sheet, content: Content, blocks: Sequence[Sequence[YearLine]], y: float, most: int = MOST_ROWS
) -> None:
    """The blocks below the running year, each with its heading."""
    for block in blocks:
        head = content.language.text(_HEADS[block[0].is_asylum], window=block[0].window)
        y = _block(sheet, content, block, heading(sheet, MARGIN, y, head, ROOM), most) + 10


def _height(block: Sequence[YearLine], most: int) -> float:
    """What a block takes, its head and note included."""
    return HEADING.leading + 2 + 3 * GREY.leading + min(most, len(block)) * ROW + 4 + GREY.leading + 10


def _block(sheet: Sheet, content: Content, lines: Sequence[YearLine], y: float, most: int = MOST_ROWS) -> float:
    """A table, and beneath it what it has no room for, what is counted of it, and the record."""
    language = content.language
    y = _table(sheet, content, lines[:most], y)
    said = []
    if not lines[0].is_asylum:
        counted, record = coverage_words(list(lines), language)
        said = [capital(counted), f"{record}."]
    if (left := len(lines) - most) > 0:
        said = [language.plural(AND_MORE, left), *said]
    return sheet.lines(MARGIN, y + 4, wrap(" · ".join(said), GREY, ROOM, 2), GREY) if said else y


def _charts(sheet: Sheet, content: Content, drawn: Sequence[YearLine], y: float, height: float) -> float:
    """Small charts in rows; returns where the next block begins."""
    width = (ROOM - (COLUMNS - 1) * 18) / COLUMNS
    for place, line in enumerate(drawn):
        x = MARGIN + (place % COLUMNS) * (width + 18)
        top = y + (place // COLUMNS) * (height + CHART_GAP)
        sheet.lines(x, top, wrap(line.name, BOLD, width, 1), BOLD)
        _bars(sheet.axes(x + 30, top + 14, width - 30, height), line, content)
    return y + -(-len(drawn) // COLUMNS) * (height + CHART_GAP)


def _table(sheet: Sheet, content: Content, lines: Sequence[YearLine], y: float) -> float:
    table = year_table(list(lines), content.language, brief=True)
    names = list(table.columns)
    cells = {name: [str(cell).replace(WORD_JOINER, "") for cell in table[name]] for name in names[1:]}
    widest = [max(text_width(cell, BODY) for cell in column) for column in cells.values()]
    spare = (ROOM - NAME_WIDTH - sum(widest)) / len(widest)
    rooms = [width + spare for width in widest]
    rights = [MARGIN + NAME_WIDTH + right for right in accumulate(rooms)]
    heads = [wrap(name, GREY, room - 4, 3) for name, room in zip(cells, rooms, strict=True)]
    bottom = y + max(map(len, heads)) * GREY.leading + 1
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
    # The ground beneath each bar keeps the lines of the grid from showing through it.
    axes.bar(range(here), line.past.to_numpy(), width=0.62, color=colours.PAPER)
    axes.bar(here, row["hi_80"] - row["lo_80"], bottom=row["lo_80"], width=0.62, color=colours.PAPER)
    axes.bar(range(here), line.past.to_numpy(), width=0.62, color=colours.OBSERVED, alpha=0.45)
    for low, high, opacity in (("lo_80", "hi_80", 0.3), ("lo_50", "hi_50", 0.45)):
        axes.bar(here, row[high] - row[low], bottom=row[low], width=0.62, color=colours.FAN, alpha=opacity)
    axes.hlines(row["median"], here - 0.31, here + 0.31, color=colours.MEDIAN, linewidth=1.4)
    axes.set_ylim(0, 1.08 * max([*line.past, float(row["hi_80"]), 1.0]))
    axes.set_xticks(range(here + 1), [*map(str, years), str(row["first_period"])[:4]])
    dress_axes(axes, content.language, SMALL)


def draw_places(content: Content) -> Figure:
    """Lay the page out; only for a briefing that has places."""
    language, width = content.language, (ROOM - (PLACES_COLUMNS - 1) * PLACES_GAP) / PLACES_COLUMNS
    with DRAWING:
        sheet = Sheet()
        y = page_head(sheet, language.text(_("Reception places")), content.known, content.exercise) + 6
        key = _(
            "Full line: places needed at the chosen confidence. Dotted: the median. Dashed: the places there are. Kept "
            "by {people}."
        )
        shown = content.places[:MOST_PLACES]
        people = ", ".join(sorted({line.who for line in shown}))
        y = sheet.lines(MARGIN, y, wrap(language.text(key, people=people), GREY, ROOM), GREY) + 8
        for start in range(0, len(shown), PLACES_COLUMNS):
            row = shown[start : start + PLACES_COLUMNS]
            said = [(wrap(line.short, BODY, width, 3), wrap(line.assumed, GREY, width, 2)) for line in row]
            head = max(len(short) * BODY.leading + len(basis) * GREY.leading for short, basis in said)
            for place, (line, (short, basis)) in enumerate(zip(row, said, strict=True)):
                x = MARGIN + place * (width + PLACES_GAP)
                below = sheet.lines(x, y, wrap(line.name, BOLD, width, 1), BOLD) + 1
                sheet.lines(x, sheet.lines(x, below, short, BODY), basis, GREY)
                top = y + BOLD.leading + head + 10
                _demand(sheet.axes(x + AXIS_WIDTH, top, width - AXIS_WIDTH - 8, PLACES_HEIGHT), line, content)
            y += BOLD.leading + head + PLACES_HEIGHT + 44
        if left := len(content.places) - len(shown):
            y = sheet.lines(MARGIN, y, [language.plural(AND_MORE, left)], GREY) + 4
        sheet.lines(MARGIN, y, wrap(language.text(counted_places()), PRINT, ROOM, 3), PRINT)
    return sheet.figure


def _demand(axes: Axes, line: PlacesLine, content: Content) -> None:
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
    axes.set_xlim(-0.2, len(table) - 0.8)
    shown = [place for place in places if place % 3 == 0 or place == len(table) - 1]
    months = [language.month_short(table["target_end_date"].iloc[place], year=place == 0) for place in shown]
    axes.set_xticks(shown, months)
    dress_axes(axes, language, PLACES_SMALL, pad=2)
    # In the middle of its tick the first month would touch the zero of the other axis.
    axes.get_xticklabels()[0].set(horizontalalignment="left")
