"""The table of alerts: as many rows as there is room for, the gravest first."""

from __future__ import annotations

from collections.abc import Sequence

from core.languages import marked as _
from core.languages import marked_plural as ngettext
from reports.briefing import colours
from reports.briefing.canvas import WIDTH, Sheet, Style, wrap
from reports.briefing.content import AlertLine, Content
from reports.briefing.styles import BODY, BOLD, GREY, GREY_BOLD, MARGIN, ROOM, heading

ALERT_PAD = 4.4
ALERT_COLUMNS = ((62.0, 88.0), (153.0, 190.0), (349.0, 33.0), (386.0, 97.0), (487.0, 40.3))
"""Left edge and width of subject, sentence, chance, record and standing; the badge stands left of them."""
SMALL = Style("sans", 6.5, BODY.leading, colours.SECONDARY)
ALERT_STYLES = (BOLD, BODY, BOLD, SMALL, SMALL)
DOTS = Style("sans", 5.2, BODY.leading, colours.SECONDARY)


def draw_alerts(sheet: Sheet, content: Content, y: float, until: float) -> float:
    """As many alerts as there is room for, then how many more there are."""
    words = content.words
    y = heading(sheet, MARGIN, y, words.text(_("Alerts")), 200)
    note = wrap(content.alerts_note, GREY, ROOM - 60, 1)
    if note:
        sheet.line(WIDTH - MARGIN, y - 4.5, note[0], GREY, "right")
    if not content.alerts:
        sheet.rule(MARGIN, y, ROOM)
        return sheet.lines(MARGIN, y + 3, [words.text(_("No alert."))], BODY) + 8
    rows = [_alert_cells(alert) for alert in content.alerts]
    heights = [_alert_height(alert, cells) for alert, cells in zip(content.alerts, rows, strict=True)]
    count = _how_many(heights, until - y)
    for alert, cells, height in zip(content.alerts[:count], rows, heights, strict=False):
        sheet.rule(MARGIN, y, ROOM)
        _alert_row(sheet, alert, cells, y + ALERT_PAD / 2)
        y += height
    sheet.rule(MARGIN, y, ROOM)
    if left := len(content.alerts) - count:
        text = words.plural(ngettext("and {n} more: see the dashboard", "and {n} more: see the dashboard"), left)
        y = sheet.lines(MARGIN, y + 2, [text], GREY_BOLD)
    return y + 8


ALERT_COLUMNS = ((62.0, 88.0), (153.0, 190.0), (349.0, 33.0), (386.0, 97.0), (487.0, 40.3))
"""Left edge and width of subject, sentence, chance, record and standing; the badge stands left of them."""
SMALL = Style("sans", 6.5, BODY.leading, colours.SECONDARY)
ALERT_STYLES = (BOLD, BODY, BOLD, SMALL, SMALL)
DOTS = Style("sans", 5.2, BODY.leading, colours.SECONDARY)


def _alert_cells(alert: AlertLine) -> list[list[str]]:
    """The cells right of the badge, each wrapped: three lines of sentence at most, two of all others."""
    texts = (alert.subject, alert.sentence, alert.chance, alert.record, alert.standing)
    most = (2, 3, 2, 1, 2)
    return [
        wrap(text, style, width, count)
        for text, style, (_left, width), count in zip(texts, ALERT_STYLES, ALERT_COLUMNS, most, strict=True)
    ]


def _alert_height(alert: AlertLine, cells: list[list[str]]) -> float:
    lines = [len(cell) + (1 if alert.dots and number == 3 else 0) for number, cell in enumerate(cells)]
    return max(lines) * BODY.leading + ALERT_PAD


def _alert_row(sheet: Sheet, alert: AlertLine, cells: list[list[str]], y: float) -> None:
    hue = colours.LEVELS[alert.level]
    sheet.badge(MARGIN, y + BODY.size, alert.badge, Style("bold", 7.2, 9, hue.text), hue.ground)
    for number, (lines, style, (left, _width)) in enumerate(zip(cells, ALERT_STYLES, ALERT_COLUMNS, strict=True)):
        top = y
        if number == 3 and alert.dots:
            sheet.line(MARGIN + left, y + BODY.size - 0.8, alert.dots, DOTS)
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
