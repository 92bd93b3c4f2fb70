"""The briefing laid out on one sheet: what is fixed is measured first, and alerts and charts share what is left."""

from __future__ import annotations

from matplotlib.figure import Figure

from core.languages import marked as _
from reports.briefing import colours
from reports.briefing.alert_rows import draw_alerts
from reports.briefing.canvas import DRAWING, HEIGHT, WIDTH, Sheet, Style, text_width, wrap
from reports.briefing.charts import LEAST_PANEL, LEGEND, MOST_PANEL, PANEL_GAP, draw_charts, grid_of
from reports.briefing.content import Content
from reports.briefing.flow_map import draw_map
from reports.briefing.foot import draw_foot, measure_foot
from reports.briefing.route_table import draw_routes
from reports.briefing.styles import HEADING, MARGIN, PRINT, ROOM, heading

MAP_WIDTH, MAP_HEIGHT = 252.0, 162.0
BRAND, TITLE, SUMMARY = Style("serif", 12, 14), Style("serif", 17, 20.5), Style("sans", 9.4, 12)
KIND, KNOWN = Style("sans", 8.6, 11, colours.SECONDARY), Style("sans", 8.6, 11)
KNOWN_WIDTH = ROOM - 190
EXERCISE = Style("bold", 7.8, 10, colours.REPLAY.text)


def draw_page(content: Content) -> Figure:
    """Lay the briefing out on one sheet of A4."""
    with DRAWING:
        sheet = Sheet()
        y = _head(sheet, content)
        y = _map_and_routes(sheet, content, y)
        foot = measure_foot(content)
        bottom = HEIGHT - MARGIN + 8 - foot.height
        grid = grid_of(content)
        fixed = HEADING.leading + LEGEND + grid.rows * (grid.head + PANEL_GAP)
        y = draw_alerts(sheet, content, y, bottom - fixed - grid.rows * LEAST_PANEL - 6)
        draw_charts(sheet, content, y, grid, min(MOST_PANEL, (bottom - y - fixed - 6) / grid.rows))
        draw_foot(sheet, content, foot, bottom)
    return sheet.figure


def _head(sheet: Sheet, content: Content) -> float:
    """Name and day on one line, then the finding and the summary."""
    words, y = content.words, MARGIN + 2
    sheet.line(MARGIN, y, "Vigie", BRAND)
    name = words.text(_("Briefing on arrivals expected"))
    sheet.line(MARGIN + text_width("Vigie", BRAND) + 8, y, name, KIND)
    sheet.line(WIDTH - MARGIN, y, wrap(content.known, KNOWN, KNOWN_WIDTH, 1)[0], KNOWN, "right")
    sheet.rule(MARGIN, y + 6, ROOM, colours.ACCENT, 1.2)
    y += 10
    if content.exercise:
        lines = wrap(content.exercise, EXERCISE, ROOM - 12, 2)
        sheet.box(MARGIN, y, ROOM, len(lines) * EXERCISE.leading + 5, colours.REPLAY.ground)
        y = sheet.lines(MARGIN + 6, y + 2, lines, EXERCISE) + 4
    y = sheet.lines(MARGIN, y + 3, wrap(content.title, TITLE, ROOM, 2), TITLE)
    return sheet.lines(MARGIN, y + 2, wrap(content.summary, SUMMARY, ROOM, 3), SUMMARY) + 8


def _map_and_routes(sheet: Sheet, content: Content, y: float) -> float:
    words = content.words
    title = words.text(_("Arrivals expected, {months}")).format(months=content.months)
    top = heading(sheet, MARGIN, y, title, MAP_WIDTH)
    draw_map(sheet.axes(MARGIN, top, MAP_WIDTH, MAP_HEIGHT), content.routes, words)
    note = words.text(
        _(
            "Arrow width: arrivals expected. Pale edge: upper end of the 80% interval. "
            "Arrows do not trace actual paths. Boundaries imply no endorsement."
        )
    )
    below = sheet.lines(MARGIN, top + MAP_HEIGHT + 2, wrap(note, PRINT, MAP_WIDTH, 3), PRINT)
    return max(below, draw_routes(sheet, content, y)) + 8
