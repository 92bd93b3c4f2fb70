"""The lower part of the page: what changed, what must be known, uses, sources, and the release's trace."""

from __future__ import annotations

from dataclasses import dataclass

from core.languages import Language
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from reports.briefing.canvas import Sheet, wrap
from reports.briefing.content import Content
from reports.briefing.styles import BODY, BOLD, GAP, GREY, HEADING, MARGIN, PRINT, ROOM, heading

LEFT_COLUMN = 256.0
LEAST_CHANGES, MOST_CITATIONS = 5, 9


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
    words, right = content.words, ROOM - LEFT_COLUMN - GAP
    told = (
        [words.text(_("There is no earlier release at hand to compare it with."))]
        if content.changes is None
        else list(content.changes)
    )
    if not told:
        told = [words.text(_("Nothing has changed."))]
    limits = [wrap(text, BODY, right - 8, 2) for text in content.limits]
    lines = max(LEAST_CHANGES, sum(map(len, limits)))
    changes = _first_that_fit([wrap(text, BODY, LEFT_COLUMN - 8, 2) for text in told], lines, words)
    uses = wrap(content.uses, BOLD, ROOM, 3)
    cited = content.citations[:MOST_CITATIONS]
    small = wrap(words.labelled(words.text(_("Sources and licences")), " ".join(cited)), PRINT, ROOM, 7)
    trace = wrap(content.trace, PRINT, ROOM, 2)
    blocks = max(sum(map(len, changes)) * BODY.leading, sum(map(len, limits)) * BODY.leading)
    height = HEADING.leading + 2 + blocks + 5
    height += len(uses) * BOLD.leading + 4 + len(small) * PRINT.leading + 3 + len(trace) * PRINT.leading
    return Foot(changes, limits, uses, small, trace, height)


def _first_that_fit(entries: list[list[str]], lines: int, words: Language) -> list[list[str]]:
    """The first entries, of so many lines together, the last of which tells how many more there are."""
    if sum(map(len, entries)) <= lines:
        return entries
    kept: list[list[str]] = []
    for entry in entries:
        if sum(map(len, kept)) + len(entry) >= lines:
            break
        kept.append(entry)
    texts = ngettext("and {n} more: see the dashboard", "and {n} more: see the dashboard")
    return [*kept, [words.plural(texts, len(entries) - len(kept))]]


def draw_foot(sheet: Sheet, content: Content, foot: Foot, y: float) -> None:
    """Write the lower part below ``y``."""
    words, right = content.words, MARGIN + LEFT_COLUMN + GAP
    head = words.text(_("Since the last release"))
    if content.changed_since:
        head = words.text(_("Since the last release, {day}")).format(day=content.changed_since)
    top = heading(sheet, MARGIN, y, head, LEFT_COLUMN)
    heading(sheet, right, y, words.text(_("What must be known")), ROOM - LEFT_COLUMN - GAP)
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
