"""What a release says in short, set as a PDF by a template of typst: the same bytes for the same release.

The PDF is tagged (PDF/UA-1): it can be read aloud, charts by their words.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typst

from core.languages import Language, as_expected, capital
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from reports import Decisions, LoadedRelease, colours
from reports.briefing.content import AND_MORE, NO_FORECAST, AlertLine, Content, PlacesLine, RouteLine, compose
from reports.charts import Fan, demand, flow_map, legend, small_fan, year_bars
from reports.citations import map_note
from reports.drawing import Drawing, print_svg
from reports.names import LEVEL_MARKS, level_label
from reports.scenario import counted_places
from reports.typeface import Style, typst_fonts, usable
from reports.units import expected_title
from reports.year_ahead import YearLine, coverage_words, year_table, year_title

TEMPLATE = Path(__file__).with_name("briefing.typ")
ROOM, GAP = 527.0, 12.0
"""Width of the text and of the gap between charts, points."""
POINT = 2.0
"""Pixels of a drawing to a point on paper: its words have 6 points."""
MOST_ROUTES, MOST_CHANGES, MOST_CITATIONS, MOST_ROWS, MOST_YEARS, MOST_PLACES = 9, 5, 9, 14, 9, 6
COLOURS = {
    "ink": colours.INK, "secondary": colours.SECONDARY, "hairline": colours.HAIRLINE, "accent": colours.ACCENT,
    "median": colours.MEDIAN, "exercise-text": colours.REPLAY.text, "exercise-ground": colours.REPLAY.ground,
    **{f"{name}-text": hue.text for name, hue in colours.LEVELS.items()},
    **{f"{name}-ground": hue.ground for name, hue in colours.LEVELS.items()},
}  # fmt: skip
_HEADS = {
    False: _("Arrivals by route, {window}"),
    True: _("First asylum applications by country of destination, {window}"),
}
"""Of the blocks below the running year, by whether they count asylum applications."""


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
    shown = briefing_data(compose(release, former, language, decisions or Decisions()))
    return typst.compile(
        TEMPLATE, font_paths=typst_fonts(), ignore_system_fonts=True, pdf_standards="ua-1",
        timestamp=int(release.created_at.timestamp()),
        sys_inputs={"data": usable(json.dumps(shown, ensure_ascii=False), Style())},
    )  # fmt: skip


def briefing_data(content: Content) -> dict[str, Any]:
    """Return what the template sets: texts, rows of tables, and charts as SVG with their words."""
    language, release = content.language, content.release
    return {
        "language": language.code,
        "title": " ".join(filter(None, (f"Vigie: {content.title}. {content.known}.", content.exercise))),
        "about": content.summary,
        "keywords": [release.run_id, release.manifest_hash],
        "known": content.known,
        "exercise": content.exercise,
        "colours": COLOURS,
        "first": {
            "name": language.text(_("Briefing on arrivals expected")),
            "title": content.title,
            "summary": content.summary,
            "map": _map(content),
            "routes": _routes(content),
            "alerts": _alerts(content),
            "fans": _fans(content),
            **_foot(content),
        },
        "year": _year(content) if content.year else None,
        "places": _places(content) if content.places else None,
    }


def _chart(drawing: Drawing) -> dict[str, str]:
    return {"svg": print_svg(drawing), "alt": drawing.alt}


def _map(content: Content) -> dict[str, Any]:
    title = expected_title([route.route_id for route in content.routes], content.language)
    return {
        "head": title.format(months=content.months),
        "chart": _chart(flow_map(content.flows, 252.0 * 1.9, content.language)),
        "note": map_note(content.language),
    }


def _routes(content: Content) -> dict[str, Any]:
    language, shown = content.language, content.routes[:MOST_ROUTES]
    heads = (_("Expected"), _("Most likely (8\u00a0in\u00a010)"), _("Last month"), _("Year before"))
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
    return {
        "head": language.text(_("Routes")),
        "heads": ["", *map(language.text, heads)],
        "rows": [_route(route, language) for route in shown],
        "note": note,
    }


def _route(route: RouteLine, language: Language) -> dict[str, Any]:
    ahead = ["", language.text(NO_FORECAST)] if route.why_not else [route.expected, route.interval]
    return {
        "name": route.name,
        "level": route.level,
        "mark": LEVEL_MARKS.get(route.level, ""),
        "word": level_label(route.level, language) if route.level else "",
        "cells": [*ahead, route.last, route.year_before],
    }


def _alerts(content: Content) -> dict[str, Any]:
    language = content.language
    return {
        "head": language.text(_("Alerts")),
        "note": content.alerts_note,
        "none": language.text(_("No alert.")),
        "rows": [_alert(alert) for alert in content.alerts],
        "more": [language.plural(AND_MORE, left) for left in range(len(content.alerts) + 1)],
    }


def _alert(alert: AlertLine) -> dict[str, str]:
    report = alert.report
    usual = f" ({', '.join(report.usual)})" if report.usual else ""
    return {
        "level": report.level,
        "badge": report.badge,
        "subject": alert.subject,
        "sentence": f"{report.sentence}{usual}",
        "chance": report.chance,
        "dots": report.dots,
        "record": report.record,
        "status": alert.status,
    }


def _fans(content: Content) -> dict[str, Any]:
    """One row of charts up to four, else two; each chart in three heights, of which the template takes one."""
    language, routes = content.language, content.routes[:MOST_ROUTES]
    columns = len(routes) if len(routes) <= 4 else math.ceil(len(routes) / 2)
    width = POINT * (ROOM - (columns - 1) * GAP) / max(1, columns)
    charts = [_fan(route, content, width) for route in routes]
    words = (
        ("band95", _("19 times in 20 (95%)")), ("band80", _("4 times in 5 (80%)")), ("band50", _("1 time in 2 (50%)")),
        ("median", _("median")), ("observed", _("counted")),
    )  # fmt: skip
    entries = [("", language.text(_("The count is expected within the band:")))]
    entries += [(role, language.text(text)) for role, text in words]
    if any(route.history["obs_flag"].str.contains("[pe]").any() for route in routes):
        entries.append(("open", language.text(_("provisional or estimated"))))
    items, height = legend(entries, 1.7 * ROOM, wider=1.0)
    alt = " ".join(text for _role, text in entries)
    return {
        "head": language.text(_("Arrivals per month: counted, and expected")),
        "legend": _chart(Drawing(1.7 * ROOM, height, items, alt)) | {"width": ROOM},
        "columns": columns,
        "rows": [charts[start : start + columns] for start in range(0, len(charts), max(1, columns))],
    }


def _fan(route: RouteLine, content: Content, width: float) -> dict[str, Any]:
    language = content.language
    label = route.why_not
    if not label:
        value, end = float(route.quantiles[0.5].iloc[-1]), route.quantiles.index[-1]
        texts = ngettext("{value} expected in {month}", "{value} expected in {month}")
        month = language.month_short(end, year=True)
        label = language.plural(texts, as_expected(value), month=month, value=language.expected(value))
    shown = Fan(route.history, route.quantiles, content.release.as_of, "", language.labelled(route.name, label) + ".")
    heights = {"tall": 210.0, "middle": 160.0, "low": 120.0}
    return {
        "name": route.name,
        "label": label,
        "hue": "secondary" if route.why_not else "median",
        **{size: _chart(small_fan(shown, width, height, language)) for size, height in heights.items()},
    }


def _foot(content: Content) -> dict[str, Any]:
    """Changes, limits and small print; of what there is too much the first are shown and the others counted."""
    language = content.language
    head = language.text(_("Since the last release"))
    if content.changed_since:
        head = language.text(_("Since the last release, {day}"), day=content.changed_since)
    none = _("There is no earlier release at hand to compare it with.")
    changed = content.changes or [language.text(none if content.changes is None else _("Nothing has changed."))]
    *cited, ground = content.citations
    cited = _first(cited, MOST_CITATIONS, language)
    return {
        "changes": {"head": head, "items": _first(changed, MOST_CHANGES, language)},
        "limits": {"head": language.text(_("What must be known")), "items": content.limits},
        "uses": content.uses,
        "sources": language.labelled(language.text(_("Sources and licences")), " ".join([*cited, ground])),
        "trace": content.trace,
    }


def _first(entries: Sequence[str], most: int, language: Language) -> list[str]:
    left = len(entries) - most
    return [*entries[:most], *([f"{capital(language.plural(AND_MORE, left))}."] if left > 0 else [])]


def _year(content: Content) -> dict[str, Any]:
    """The running year with its charts, then the blocks below it."""
    language, (running, *others) = content.language, content.year
    width = POINT * (ROOM - 36) / 3
    return {
        "name": language.text(_("The year ahead")),
        "title": year_title(list(running), language),
        "blocks": [
            _block(running, "", language),
            *(_block(one, language.text(_HEADS[one[0].is_asylum], window=one[0].window), language) for one in others),
        ],
        "charts": [
            {"name": line.name}
            | _chart(year_bars(line.past, line.row, str(line.row["first_period"])[:4], width, 150.0, language))
            for line in running
            if len(line.past)
        ][:MOST_YEARS],
    }


def _block(lines: Sequence[YearLine], head: str, language: Language) -> dict[str, Any]:
    """A table, and beneath it what it has no room for, what is counted of it, and the record."""
    table = year_table(list(lines[:MOST_ROWS]), language, brief=True)
    heads, rows = ["", *table.columns[1:]], table.to_numpy().tolist()
    said = [] if lines[0].is_asylum else [capital(" · ".join(coverage_words(list(lines), language)))]
    if (left := len(lines) - MOST_ROWS) > 0:
        said = [language.plural(AND_MORE, left), *said]
    return {"head": head, "heads": heads, "rows": rows, "note": " · ".join(said)}


def _places(content: Content) -> dict[str, Any]:
    language, shown = content.language, content.places[:MOST_PLACES]
    key = _(
        "Full line: places needed at the chosen confidence. Dotted: the median. Dashed: the places there are. Kept "
        "by {people}."
    )
    left = len(content.places) - len(shown)
    return {
        "name": language.text(_("Reception places")),
        "key": language.text(key, people=", ".join(sorted({line.who for line in shown}))),
        "rows": [_place(line, language) for line in shown],
        "more": language.plural(AND_MORE, left) if left > 0 else "",
        "note": language.text(counted_places()),
    }


def _place(line: PlacesLine, language: Language) -> dict[str, str]:
    alt = f"{language.labelled(line.name, line.short)} {line.assumed}"
    drawing = demand(line.demand, line.stock, alt, POINT * (ROOM - 24) / 2, 300.0, language)
    return {"name": line.name, "short": line.short, "assumed": line.assumed} | _chart(drawing)
