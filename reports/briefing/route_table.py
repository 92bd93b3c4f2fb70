"""The table of routes beside the map, numbers aligned to the right."""

from __future__ import annotations

from core.languages import marked as _
from core.languages import marked_plural as ngettext
from reports.briefing import colours
from reports.briefing.canvas import WIDTH, Sheet, Style, text_width, wrap
from reports.briefing.content import NO_FORECAST, Content, RouteLine
from reports.briefing.styles import BODY, BOLD, GREY, MARGIN, MOST_ROUTES, PRINT, heading
from reports.names import LEVEL_MARKS, level_name

TABLE_WIDTH = 261.0
LEFT = WIDTH - MARGIN - TABLE_WIDTH
RIGHTS = tuple(WIDTH - MARGIN - distance for distance in (126.0, 65.0, 32.0, 0.0))
"""Right edges of expected, interval, last month and year before."""
HEAD_WIDTHS = (40.0, 52.0, 28.0, 30.0)
ROWS_HEIGHT, HIGHEST_ROW, TWO_LINES = 138.0, 30.0, 20.0
"""Points: room for all rows, most for one, and from where on a row has a line for the level under the name."""


def draw_routes(sheet: Sheet, content: Content, y: float) -> float:
    """Write the table below ``y``; returns where it ends."""
    words, shown = content.words, content.routes[:MOST_ROUTES]
    y = _heads(sheet, content, heading(sheet, LEFT, y, words.text(_("Routes")), TABLE_WIDTH))
    height = min(HIGHEST_ROW, ROWS_HEIGHT / max(1, len(shown)))
    for route in shown:
        sheet.rule(LEFT, y, TABLE_WIDTH)
        _name(sheet, content, route, y, height)
        _figures(sheet, content, route, y + height / 2 + BODY.size * 0.33)
        y += height
    sheet.rule(LEFT, y, TABLE_WIDTH)
    note = words.text(_("Persons. Expected: the median over {months}. Last month and year before: counted."))
    note = note.format(months=content.months)
    if left := len(content.routes) - len(shown):
        texts = ngettext("{n} more route: see the dashboard.", "{n} more routes: see the dashboard.")
        note = f"{words.plural(texts, left)} {note}"
    return sheet.lines(LEFT, y + 2, wrap(note, PRINT, TABLE_WIDTH, 3), PRINT)


def _heads(sheet: Sheet, content: Content, y: float) -> float:
    heads = (_("Expected"), _("Most likely (8\u00a0in\u00a010)"), _("Last month"), _("Year before"))
    cells = [wrap(content.words.text(head), GREY, width, 2) for head, width in zip(heads, HEAD_WIDTHS, strict=True)]
    bottom = y + max(map(len, cells)) * GREY.leading
    for right, lines in zip(RIGHTS, cells, strict=True):
        for number, text in enumerate(reversed(lines)):
            sheet.line(right, bottom - number * GREY.leading - (GREY.leading - GREY.size), text, GREY, "right")
    return bottom + 2


def _name(sheet: Sheet, content: Content, route: RouteLine, y: float, height: float) -> None:
    """The name, with mark and word of its level beneath, or in a low row the mark beside it."""
    hue, beneath = colours.LEVELS.get(route.level), height >= TWO_LINES
    name = wrap(route.name, BOLD, RIGHTS[0] - LEFT - 26, 2 if beneath and not hue else 1)
    lines = len(name) + (1 if hue and beneath else 0)
    top = y + (height - lines * BODY.leading) / 2 - 0.5
    below = sheet.lines(LEFT, top, name, BOLD)
    if hue is None:
        return
    style, mark = Style("sans", 7.0, 8.7, hue.text), LEVEL_MARKS[route.level]
    if beneath:
        sheet.lines(LEFT, below, [f"{mark} {level_name(route.level, content.words)}"], style)
    else:
        sheet.line(LEFT + text_width(name[0], BOLD) + 3, top + BODY.size, mark, style)


def _figures(sheet: Sheet, content: Content, route: RouteLine, base: float) -> None:
    if route.why_not:
        sheet.line(RIGHTS[1], base, content.words.text(NO_FORECAST), GREY, "right")
    else:
        sheet.line(RIGHTS[0], base, route.expected, BOLD, "right")
        sheet.line(RIGHTS[1], base, route.interval, BODY, "right")
    sheet.line(RIGHTS[2], base, route.last, BODY, "right")
    sheet.line(RIGHTS[3], base, route.year_before, BODY, "right")
