"""Measures and styles of the page that several of its parts share, in points."""

from __future__ import annotations

from reports.briefing import colours
from reports.briefing.canvas import WIDTH, Sheet, Style, wrap

MARGIN, GAP = 34.0, 14.0
ROOM = WIDTH - 2 * MARGIN
MOST_ROUTES = 9
HEADING = Style("serif", 9.6, 12)
BODY, BOLD = Style("sans", 7.6, 9.4), Style("bold", 7.6, 9.4)
GREY, GREY_BOLD = Style("sans", 7.0, 8.7, colours.SECONDARY), Style("bold", 7.0, 8.7, colours.SECONDARY)
PRINT = Style("sans", 5.6, 6.8, colours.SECONDARY)


def heading(sheet: Sheet, x: float, y: float, text: str, width: float) -> float:
    """Write the heading of a block on one line; returns where the block begins."""
    return sheet.lines(x, y, wrap(text, HEADING, width, 1), HEADING) + 2
