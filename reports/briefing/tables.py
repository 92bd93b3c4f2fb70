"""The two tables of the page: routes beside the map, and as many alerts as there is room for, the gravest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.languages import marked as _
from core.languages import marked_plural as ngettext
from reports import colours
from reports.briefing.canvas import (
    BODY,
    BOLD,
    GREY,
    GREY_BOLD,
    MARGIN,
    MOST_ROUTES,
    PRINT,
    ROOM,
    WIDTH,
    Sheet,
    Style,
    heading,
    text_width,
    wrap,
)
from reports.briefing.content import AND_MORE, NO_FORECAST, AlertLine, Content, RouteLine
from reports.names import LEVEL_MARKS, level_name

TABLE_WIDTH = 261.0
LEFT = WIDTH - MARGIN - TABLE_WIDTH
RIGHTS = tuple(WIDTH - MARGIN - distance for distance in (126.0, 65.0, 32.0, 0.0))
"""Right edges of expected, interval, last month and year before."""
HEAD_WIDTHS = (40.0, 52.0, 28.0, 30.0)
ROWS_HEIGHT, HIGHEST_ROW, TWO_LINES = 138.0, 30.0, 20.0
"""Points: room for all rows, most for one, and from where on a row has a line for the level under the name."""
ALERT_PAD = 4.4
ALERT_COLUMNS = ((68.0, 86.0), (157.0, 188.0), (349.0, 33.0), (386.0, 97.0), (487.0, 40.3))
"""Left edge and width of subject, sentence, chance, record and status; the badge stands left of them."""
BADGE = Style("bold", 7.2, 9)
SMALL = Style("sans", 6.5, BODY.leading, colours.SECONDARY)
ALERT_STYLES = (BOLD, BODY, BOLD, SMALL, SMALL)
DOTS = Style("sans", 5.2, BODY.leading, colours.SECONDARY)


def draw_routes(sheet: Sheet, content: Content, y: float) -> float:
    """Write the table below ``y``; returns where it ends."""
    language, shown = content.language, content.routes[:MOST_ROUTES]
    y = _heads(sheet, content, heading(sheet, LEFT, y, language.text(_("Routes")), TABLE_WIDTH))
    height = min(HIGHEST_ROW, ROWS_HEIGHT / max(1, len(shown)))
    for route in shown:
        sheet.rule(LEFT, y, TABLE_WIDTH)
        _name(sheet, content, route, y, height)
        _figures(sheet, content, route, y + height / 2 + BODY.size * 0.33)
        y += height
    sheet.rule(LEFT, y, TABLE_WIDTH)
    note = language.text(
        _(
            "Persons. Expected: the median over {months}; medians do not add up to that of all routes together. Last "
            "month and year before: counted."
        ),
        months=content.months,
    )
    if left := len(content.routes) - len(shown):
        texts = ngettext("{n} more route: see the dashboard.", "{n} more routes: see the dashboard.")
        note = f"{language.plural(texts, left)} {note}"
    return sheet.lines(LEFT, y + 2, wrap(note, PRINT, TABLE_WIDTH, 3), PRINT)


def _heads(sheet: Sheet, content: Content, y: float) -> float:
    heads = (_("Expected"), _("Most likely (8\u00a0in\u00a010)"), _("Last month"), _("Year before"))
    cells = [wrap(content.language.text(head), GREY, width, 2) for head, width in zip(heads, HEAD_WIDTHS, strict=True)]
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
        sheet.lines(LEFT, below, [f"{mark} {level_name(route.level, content.language)}"], style)
    else:
        sheet.line(LEFT + text_width(name[0], BOLD) + 3, top + BODY.size, mark, style)


def _figures(sheet: Sheet, content: Content, route: RouteLine, base: float) -> None:
    if route.why_not:
        sheet.line(RIGHTS[1], base, content.language.text(NO_FORECAST), GREY, "right")
    else:
        sheet.line(RIGHTS[0], base, route.expected, BOLD, "right")
        sheet.line(RIGHTS[1], base, route.interval, BODY, "right")
    sheet.line(RIGHTS[2], base, route.last, BODY, "right")
    sheet.line(RIGHTS[3], base, route.year_before, BODY, "right")


def draw_alerts(sheet: Sheet, content: Content, y: float, until: float) -> float:
    """As many alerts as there is room for, then how many more there are."""
    language = content.language
    y = heading(sheet, MARGIN, y, language.text(_("Alerts")), 200)
    note = wrap(content.alerts_note, GREY, ROOM - 60, 1)
    if note:
        sheet.line(WIDTH - MARGIN, y - 4.5, note[0], GREY, "right")
    if not content.alerts:
        sheet.rule(MARGIN, y, ROOM)
        return sheet.lines(MARGIN, y + 3, [language.text(_("No alert."))], BODY) + 8
    rows = [_alert_cells(alert) for alert in content.alerts]
    heights = [_alert_height(alert, cells) for alert, cells in zip(content.alerts, rows, strict=True)]
    count = _how_many(heights, until - y)
    for alert, cells, height in zip(content.alerts[:count], rows, heights, strict=False):
        sheet.rule(MARGIN, y, ROOM)
        _alert_row(sheet, alert, cells, y + ALERT_PAD / 2)
        y += height
    sheet.rule(MARGIN, y, ROOM)
    if left := len(content.alerts) - count:
        text = language.plural(AND_MORE, left)
        y = sheet.lines(MARGIN, y + 2, [text], GREY_BOLD)
    return y + 8


def _alert_cells(alert: AlertLine) -> list[list[str]]:
    """The cells right of the badge, each wrapped."""
    report = alert.report
    texts = (alert.subject, report.sentence, report.chance, report.record, alert.status)
    most = (2, 3, 2, 2, 3)
    return [
        wrap(text, style, width, count)
        for text, style, (_left, width), count in zip(texts, ALERT_STYLES, ALERT_COLUMNS, most, strict=True)
    ]


def _alert_height(alert: AlertLine, cells: list[list[str]]) -> float:
    lines = [len(cell) + (1 if alert.report.dots and number == 3 else 0) for number, cell in enumerate(cells)]
    return max(lines) * BODY.leading + ALERT_PAD


def _alert_row(sheet: Sheet, alert: AlertLine, cells: list[list[str]], y: float) -> None:
    hue = colours.LEVELS[alert.report.level]
    badge = replace(BADGE, colour=hue.text)
    sheet.badge(MARGIN, y + BODY.size, alert.report.badge, badge, hue.ground)
    for number, (lines, style, (left, _width)) in enumerate(zip(cells, ALERT_STYLES, ALERT_COLUMNS, strict=True)):
        top = y
        if number == 3 and alert.report.dots:
            sheet.line(MARGIN + left, y + BODY.size - 0.8, alert.report.dots, DOTS)
            top += BODY.leading - 0.6
        sheet.lines(MARGIN + left, top, lines, style)


def _how_many(heights: Sequence[float], room: float) -> int:
    """How many rows fit, with a line for the count of those that do not; at least one."""
    taken, count = 0.0, 0
    for number, height in enumerate(heights, 1):
        taken += height
        if taken + (0 if number == len(heights) else GREY.leading + 2) <= room:
            count = number
    return max(1, count)
