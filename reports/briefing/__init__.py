"""What a release says in short, laid out on one sheet and written as a PDF: the same bytes for the same release.

Frames in, bytes out. What is fixed is measured first, and alerts and charts share what is left.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import matplotlib as mpl
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from pypdf import PdfWriter
from pypdf.generic import BooleanObject, DictionaryObject, NameObject, TextStringObject

from core.languages import Language, capital
from core.languages import marked as _
from reports import Decisions, LoadedRelease, colours
from reports.briefing.canvas import (
    BODY,
    BOLD,
    DRAWING,
    GAP,
    GREY,
    GREY_BOLD,
    HEADING,
    HEIGHT,
    MARGIN,
    PRINT,
    ROOM,
    WIDTH,
    Sheet,
    Style,
    heading,
    page_head,
    wrap,
)
from reports.briefing.charts import LEAST_PANEL, LEGEND, MOST_PANEL, PANEL_GAP, draw_charts, grid_of
from reports.briefing.content import AND_MORE, AlertLine, Content, compose
from reports.briefing.further_pages import draw_places, draw_year
from reports.briefing.routes import draw_map, draw_routes
from reports.citations import map_note
from reports.units import expected_title

MAP_WIDTH, MAP_HEIGHT = 252.0, 162.0
TITLE, SUMMARY = Style("serif", 17, 20.5), Style("sans", 9.4, 12)
LEFT_COLUMN = 256.0
LEAST_CHANGES, MOST_CITATIONS = 5, 9
AUTHOR = "Vigie"
ALERT_PAD = 4.4
ALERT_COLUMNS = ((68.0, 86.0), (157.0, 188.0), (349.0, 33.0), (386.0, 97.0), (487.0, 40.3))
"""Left edge and width of subject, sentence, chance, record and status; the badge stands left of them."""
BADGE = Style("bold", 7.2, 9)
SMALL = Style("sans", 6.5, BODY.leading, colours.SECONDARY)
ALERT_STYLES = (BOLD, BODY, BOLD, SMALL, SMALL)
DOTS = Style("sans", 5.2, BODY.leading, colours.SECONDARY)
_TRUETYPE = 42
"""Kind of embedded font: letters stay letters, so that text can be searched, copied and read aloud."""


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
    name = content.language.text(_("Briefing on arrivals expected"))
    y = page_head(sheet, name, content.known, content.exercise)
    y = sheet.lines(MARGIN, y + 3, wrap(content.title, TITLE, ROOM, 2), TITLE)
    return sheet.lines(MARGIN, y + 2, wrap(content.summary, SUMMARY, ROOM, 3), SUMMARY) + 8


def _map_and_routes(sheet: Sheet, content: Content, y: float) -> float:
    language = content.language
    title = expected_title([route.route_id for route in content.routes], language).format(months=content.months)
    top = heading(sheet, MARGIN, y, title, MAP_WIDTH)
    draw_map(sheet.axes(MARGIN, top, MAP_WIDTH, MAP_HEIGHT), content.routes, language)
    below = sheet.lines(MARGIN, top + MAP_HEIGHT + 2, wrap(map_note(language), PRINT, MAP_WIDTH, 3), PRINT)
    return max(below, draw_routes(sheet, content, y)) + 8


def draw_alerts(sheet: Sheet, content: Content, y: float, until: float) -> float:
    """As many alerts as there is room for, the gravest first, then how many more there are."""
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
    usual = f" ({', '.join(report.usual)})" if report.usual else ""
    texts = (alert.subject, f"{report.sentence}{usual}", report.chance, report.record, alert.status)
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


@dataclass(frozen=True)
class Foot:
    """The lower part of the page, wrapped: changes, limits, small print, and the height that they take."""

    changes: list[list[str]]
    limits: list[list[str]]
    uses: list[str]
    print: list[str]
    trace: list[str]
    height: float


def measure_foot(content: Content) -> Foot:
    """Wrap the lower part, to know how high it will be."""
    language, right = content.language, ROOM - LEFT_COLUMN - GAP
    none = _("There is no earlier release at hand to compare it with.")
    nothing = none if content.changes is None else _("Nothing has changed.")
    changed = content.changes or [language.text(nothing)]
    limits = [wrap(text, BODY, right - 8, 2) for text in content.limits]
    lines = max(LEAST_CHANGES, sum(map(len, limits)))
    changes = _first_that_fit([wrap(text, BODY, LEFT_COLUMN - 8, 4) for text in changed], lines, language)
    uses = wrap(content.uses, BOLD, ROOM, 3)
    *cited, ground = content.citations
    if (left := len(cited) - MOST_CITATIONS) > 0:
        cited = [*cited[:MOST_CITATIONS], f"{capital(language.plural(AND_MORE, left))}."]
    cited.append(ground)
    small = wrap(language.labelled(language.text(_("Sources and licences")), " ".join(cited)), PRINT, ROOM, 7)
    trace = wrap(content.trace, PRINT, ROOM, 2)
    blocks = max(sum(map(len, changes)) * BODY.leading, sum(map(len, limits)) * BODY.leading)
    height = HEADING.leading + 2 + blocks + 5
    height += len(uses) * BOLD.leading + 4 + len(small) * PRINT.leading + 3 + len(trace) * PRINT.leading
    return Foot(changes, limits, uses, small, trace, height)


def _first_that_fit(entries: list[list[str]], lines: int, language: Language) -> list[list[str]]:
    """Return the first entries that fit, with a last line that counts the others."""
    if sum(map(len, entries)) <= lines:
        return entries
    kept: list[list[str]] = []
    for entry in entries:
        if sum(map(len, kept)) + len(entry) >= lines:
            break
        kept.append(entry)
    return [*kept, [language.plural(AND_MORE, len(entries) - len(kept))]]


def draw_foot(sheet: Sheet, content: Content, foot: Foot, y: float) -> None:
    """Write the lower part below ``y``."""
    language, right = content.language, MARGIN + LEFT_COLUMN + GAP
    head = language.text(_("Since the last release"))
    if content.changed_since:
        head = language.text(_("Since the last release, {day}"), day=content.changed_since)
    top = heading(sheet, MARGIN, y, head, LEFT_COLUMN)
    heading(sheet, right, y, language.text(_("What must be known")), ROOM - LEFT_COLUMN - GAP)
    below = max(_bullets(sheet, MARGIN, top, foot.changes), _bullets(sheet, right, top, foot.limits)) + 5
    sheet.rule(MARGIN, below - 2, ROOM)
    below = sheet.lines(MARGIN, below, foot.uses, BOLD) + 2
    sheet.rule(MARGIN, below, ROOM)
    below = sheet.lines(MARGIN, below + 2, foot.print, PRINT) + 3
    sheet.lines(MARGIN, below, foot.trace, PRINT)


def _bullets(sheet: Sheet, x: float, y: float, entries: list[list[str]]) -> float:
    for lines in entries:
        sheet.line(x, y + BODY.size, "•", GREY)
        y = sheet.lines(x + 8, y, lines, BODY)
    return y


def briefing_pdf(
    release: LoadedRelease, former: LoadedRelease | None, language: str, decisions: Decisions | None = None
) -> bytes:
    """Make the briefing of a release: one page, and further ones for the year ahead and for the places that are kept.

    Args:
        release: The release, with the frames of ``reports.BRIEFING_FRAMES``.
        former: The release before it, or None.
        language: Code of the language; English where there is no catalogue of it.
        decisions: What people have decided about its alerts; by default nothing.

    Returns:
        A PDF of one to four pages of A4.
    """
    content = compose(release, former, language, decisions or Decisions())
    return _with_language(_drawn(content), content)


def _drawn(content: Content) -> bytes:
    release, target = content.release, io.BytesIO()
    metadata = {
        "Title": f"Vigie: {content.title}. {content.known}",
        "Author": AUTHOR,
        "Subject": content.summary,
        "Keywords": f"{release.run_id}, {release.manifest_hash}",
        "Creator": AUTHOR,
        "CreationDate": release.created_at,
    }
    with DRAWING, mpl.rc_context({"pdf.fonttype": _TRUETYPE}), PdfPages(target, metadata=metadata) as pages:
        pages.savefig(draw_page(content))
        if content.year:
            for page in draw_year(content):
                pages.savefig(page)
        if content.places:
            pages.savefig(draw_places(content))
    return target.getvalue()


def _with_language(document: bytes, content: Content) -> bytes:
    """Say in which language it is written, and have its title shown in place of the file's name."""
    writer, target = PdfWriter(clone_from=io.BytesIO(document)), io.BytesIO()
    root = writer.root_object
    root[NameObject("/Lang")] = TextStringObject(content.language.code)
    root[NameObject("/ViewerPreferences")] = DictionaryObject({NameObject("/DisplayDocTitle"): BooleanObject(True)})
    writer.write(target)
    return target.getvalue()
