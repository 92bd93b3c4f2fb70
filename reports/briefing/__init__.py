"""What a release says in short, set as a PDF by a template of typst: the same bytes for the same release.

The PDF is tagged (PDF/UA-1): it can be read aloud, charts by their words. Every number comes from the release.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import typst

from core import QUANTILE_LEVELS
from core.languages import Language, capital, is_known
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from reports import Decisions, LoadedRelease, Reception, Row, cards_in, citations, colours, numbers
from reports.alert import alert_report, informs, marked_level, rule_record, status_words
from reports.changes import changes, changes_title, new_counts
from reports.charts import MONTHS_AHEAD, Fan, demand, flow_map, legend, small_fan, year_bars
from reports.drawing import Drawing, Style, print_svg, typst_fonts, usable
from reports.names import LEVEL_MARKS, expected_title, level_label, route_name, subject_name
from reports.overview import together
from reports.reception import lines as reception
from reports.route import known_to, window_words
from reports.scenario import assumed, counted_places, first_short
from reports.scenario import demand as places_by_month
from reports.year_ahead import KINDS, YearLine, coverage_words, year_lines, year_table, year_title

TEMPLATE = Path(__file__).with_name("briefing.typ")
ROOM, GAP = 527.0, 12.0
"""Width of the text and of the gap between charts, points."""
POINT = 2.0
"""Pixels of a drawing to a point on paper: its words have 6 points."""
MONTHS_BACK, MOST_NAMED = 24, 4
MOST_ROUTES, MOST_CHANGES, MOST_CITATIONS, MOST_ROWS, MOST_YEARS, MOST_PLACES = 9, 4, 9, 14, 9, 6
AND_MORE = _("and {n} more: see the dashboard")
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
    release: LoadedRelease, former: LoadedRelease | None, code: str, decisions: Decisions | None = None
) -> bytes:
    """Make the briefing of a release: one page, and further ones for the year ahead and for the places that are kept.

    Args:
        release: The release, with the frames of ``reports.BRIEFING_FRAMES``.
        former: The release before it, or None.
        code: Code of the language; English where there is no catalogue of it.
        decisions: What people have decided about its alerts; by default nothing.

    Returns:
        A PDF of one to four pages of A4.
    """
    shown = briefing_data(release, former, Language(code), decisions or Decisions())
    return typst.compile(
        TEMPLATE, font_paths=typst_fonts(), ignore_system_fonts=True, pdf_standards="ua-1",
        timestamp=int(release.created_at.timestamp()),
        sys_inputs={"data": usable(json.dumps(shown, ensure_ascii=False), Style())},
    )  # fmt: skip


def briefing_data(
    release: LoadedRelease, former: LoadedRelease | None, language: Language, decisions: Decisions
) -> dict[str, Any]:
    """Return what the template sets: texts, rows of tables, and charts as SVG with their words."""
    alerts = numbers.by_level(decisions.shown(release.frame("alerts")), release.frame("track_record"))
    summary = numbers.route_summary(release.frame, alerts, numbers.window_ends(release.as_of))
    total = together(release, summary, language)
    known = language.text(_("As known on {day}"), day=language.day(release.as_of))
    known = f"{known} · {known_to(release, language)}"
    exercise = [citations.exercise(release.as_of, language)] if release.replay else []
    if release.drill:
        exercise.append(language.text(_("Drill: read from a restored copy that is not in service.")))
    in_words = _alerts_in_words(alerts, release.frame("track_record"), language, signed_only=decisions.signed_only)
    said = [*total.sentences(language), in_words, *reception(release, language).values()]
    return {
        "language": language.code,
        "title": " ".join([f"Vigie: {total.title}. {known}.", *exercise]),
        "about": " ".join(said),
        "keywords": [release.run_id, release.manifest_hash],
        "known": known,
        "exercise": " ".join(exercise),
        "colours": COLOURS,
        "first": {
            "name": language.text(_("Briefing on arrivals expected")),
            "title": total.title,
            "summary": " ".join(said),
            "map": _map(release, summary, language),
            "routes": _routes(release, summary, language),
            "alerts": _alerts(release, alerts, decisions, language),
            "fans": _fans(release, summary.head(MOST_ROUTES), language),
            "changes": _changes(release, former, decisions, language),
            "limits": {
                "head": language.text(_("What must be known")),
                "items": citations.limits(release, summary, language),
            },
            "uses": citations.uses(language),
            "sources": _sources(release, alerts, language),
            "trace": _trace(release, language),
        },
        "year": _year(release, language),
        "places": _places(release, decisions.reception, language),
    }


def _chart(drawing: Drawing) -> dict[str, str]:
    return {"svg": print_svg(drawing), "alt": drawing.alt}


def _map(release: LoadedRelease, summary: pd.DataFrame, language: Language) -> dict[str, Any]:
    title = expected_title(summary["route_id"], language)
    return {
        "head": title.format(months=window_words(release.as_of, language)),
        "chart": _chart(flow_map(summary, 252.0 * 1.9, language)),
        "note": citations.map_note(language),
    }


def _routes(release: LoadedRelease, summary: pd.DataFrame, language: Language) -> dict[str, Any]:
    """The table of routes, the most arrivals expected first."""
    heads = (_("Expected"), _("80% interval"), _("Last month"), _("Year before"))
    note = language.text(
        _(
            "Persons. Expected: the median over {months}; medians do not add up to that of all routes together. Last "
            "month and year before: counted."
        ),
        months=window_words(release.as_of, language),
    )
    if (left := len(summary) - MOST_ROUTES) > 0:
        texts = ngettext("{n} more route: see the dashboard.", "{n} more routes: see the dashboard.")
        note = f"{language.plural(texts, left)} {note}"
    return {
        "head": language.text(_("Routes")),
        "heads": ["", *map(language.text, heads)],
        "rows": [_route(row, language) for row in summary.head(MOST_ROUTES).to_dict("records")],
        "note": note,
    }


def _route(row: Row, language: Language) -> dict[str, Any]:
    level, ahead = str(row["level"]), ["", language.text(_("no forecast"))]
    if is_known(row["expected"]):
        ahead = [language.expected(row["expected"]), language.interval(row["low"], row["high"])]
    return {
        "name": route_name(str(row["route_id"]), language),
        "level": level,
        "mark": LEVEL_MARKS.get(level, ""),
        "word": level_label(level, language) if level else "",
        "cells": [*ahead, language.counted(row["last_value"]), language.counted(row["year_earlier"])],
    }


def _alerts(release: LoadedRelease, alerts: pd.DataFrame, decisions: Decisions, language: Language) -> dict[str, Any]:
    cards, rows = cards_in(release, language), alerts.to_dict("records")
    return {
        "head": language.text(_("Alerts")),
        "note": _alerts_note(len(rows), len(release.frame("alerts")) - len(rows), decisions, language),
        "none": language.text(_("No alert.")),
        "rows": [_alert(row, release, cards, decisions, language) for row in rows],
        "more": [language.text(AND_MORE, n=left) for left in range(len(rows) + 1)],
    }


def _alert(
    row: Row, release: LoadedRelease, cards: citations.Cards, decisions: Decisions, language: Language
) -> dict[str, str]:
    """One alert: what merely informs has neither level nor record, and asks for nothing."""
    report = alert_report(row, rule_record(row, release.frame("track_record")), language)
    usual = f" ({', '.join(report.usual)})" if report.usual else ""
    shown = {
        "level": report.level, "badge": report.badge, "subject": subject_name(row, cards, language),
        "sentence": f"{report.sentence}{usual}", "chance": report.chance,
    }  # fmt: skip
    if informs(row):
        asks = language.text(_("For information: nothing to decide"))
        return shown | {"dots": "", "record": asks, "status": ""}
    return shown | {
        "dots": report.dots, "record": report.record, "status": status_words(decisions.state(row), language)
    }  # fmt: skip


def _alerts_note(shown: int, others: int, decisions: Decisions, language: Language) -> str:
    """How many alerts the release has beside those shown, and what a proposal is worth."""
    if decisions.signed_only:
        texts = ngettext(
            "{n} more was proposed by a rule; it is shown here once a person has signed it off.",
            "{n} more were proposed by rules; they are shown here once a person has signed them off.",
        )
        return language.plural(texts, others) if others else ""
    text = language.text(_("An alert that is not signed off is a rule’s proposal: a person decides."))
    dismissed = language.plural(ngettext("{n} was dismissed.", "{n} were dismissed."), others) if others else ""
    return f"{text} {dismissed}".strip() if shown else dismissed


def _alerts_in_words(alerts: pd.DataFrame, record: pd.DataFrame, language: Language, *, signed_only: bool) -> str:
    """Which routes have an alert, the gravest first."""
    on_routes = numbers.gravest_by_route(alerts, record)
    if on_routes.empty:
        signed, any_ = _("No alert on any route is signed off."), _("No alert is open on any route.")
        return language.text(signed if signed_only else any_)
    listed = [
        f"{route_name(row['route_id'], language)} ({marked_level(row, rule_record(row, record), language)})"
        for row in on_routes.to_dict("records")
    ]
    return language.text(_("Alerts: {routes}."), routes=citations.some(listed, language, MOST_NAMED))


def _fans(release: LoadedRelease, summary: pd.DataFrame, language: Language) -> dict[str, Any]:
    """One row of charts up to four, else two; each chart in three heights, of which the template takes one."""
    columns = len(summary) if len(summary) <= 4 else math.ceil(len(summary) / 2)
    width = POINT * (ROOM - (columns - 1) * GAP) / max(1, columns)
    fans = [_fan(release, row, language) for row in summary.to_dict("records")]
    words = (
        ("band95", _("19 times in 20 (95%)")), ("band80", _("4 times in 5 (80%)")), ("band50", _("1 time in 2 (50%)")),
        ("median", _("median")), ("observed", _("counted")),
    )  # fmt: skip
    entries = [("", language.text(_("The count is expected within the band:")))]
    entries += [(role, language.text(text)) for role, text in words]
    if any(shown.history["obs_flag"].str.contains("[pe]").any() for _texts, shown in fans):
        entries.append(("open", language.text(_("provisional or estimated"))))
    items, height = legend(entries, 1.7 * ROOM, wider=1.0)
    alt = " ".join(text for _role, text in entries)
    sizes = {"tall": 210.0, "middle": 160.0, "low": 120.0}
    charts = [
        texts | {size: _chart(small_fan(shown, width, high, language)) for size, high in sizes.items()}
        for texts, shown in fans
    ]
    return {
        "head": language.text(_("Arrivals per month: counted, and expected")),
        "legend": _chart(Drawing(1.7 * ROOM, height, items, alt)) | {"width": ROOM},
        "columns": columns,
        "rows": [charts[start : start + columns] for start in range(0, len(charts), max(1, columns))],
    }


def _fan(release: LoadedRelease, row: Row, language: Language) -> tuple[dict[str, Any], Fan]:
    """The chart of one route and the words above it: the last median, or why there is no forecast."""
    series_id, name = numbers.route_series(str(row["route_id"])), route_name(str(row["route_id"]), language)
    history = numbers.series_of(release.frame("observations"), series_id).tail(MONTHS_BACK)
    quantiles = numbers.quantiles_of(release.frame("forecasts"), series_id).head(MONTHS_AHEAD)
    hue = "median"
    if is_known(row["expected"]):
        value, end = float(quantiles[0.5].iloc[-1]), quantiles.index[-1]
        month = language.month_short(end, year=True)
        label = language.text(_("{value} expected in {month}"), month=month, value=language.expected(value))
    else:
        hue, quantiles = "secondary", quantiles.iloc[:0].reindex(columns=list(QUANTILE_LEVELS))
        label = language.text(_("no figures, so no forecast"))
        if row["last_period"]:
            month = language.month(str(row["last_period"]))
            label = language.text(_("figures end in {month}: no forecast"), month=month)
    shown = Fan(history, quantiles, release.as_of, "", language.labelled(name, label) + ".")
    return {"name": name, "label": label, "hue": hue}, shown


def _changes(
    release: LoadedRelease, former: LoadedRelease | None, decisions: Decisions, language: Language
) -> dict[str, Any]:
    """What the release before said otherwise; of too much the first are shown and the others counted."""
    if former is None:
        none = language.text(_("There is no earlier release at hand to compare it with."))
        return {"head": language.text(_("Since the last release")), "items": [none]}
    alerts = release.frame("alerts")
    now = release.with_frame("alerts", decisions.shown(alerts))
    before = former.with_frame("alerts", decisions.shown_before(former.frame("alerts"), alerts))
    said = [*changes(now, before, language), *new_counts(now, before, language)] or [
        language.text(_("Nothing has changed."))
    ]
    return {"head": changes_title(now, before, language), "items": _first(said, MOST_CHANGES, language)}


def _sources(release: LoadedRelease, alerts: pd.DataFrame, language: Language) -> str:
    behind = citations.sources_behind(release, alerts)
    cited = _first(citations.citations(cards_in(release, language), behind, language), MOST_CITATIONS, language)
    ground = language.text(_("Map: Natural Earth, public domain. Boundaries imply no endorsement."))
    return language.labelled(language.text(_("Sources and licences")), " ".join([*cited, ground]))


def _trace(release: LoadedRelease, language: Language) -> str:
    """By what the release can be found and checked."""
    return language.text(
        _(
            "Release {run_id}, made {time} UTC. Its seal: {hash} (SHA-256 of its list of files). Whoever runs Vigie "
            "can check by it that nothing was changed since."
        ),
        run_id=release.run_id,
        time=f"{release.created_at:%Y-%m-%d %H:%M}",
        hash=release.manifest_hash,
    )


def _first(entries: Sequence[str], most: int, language: Language) -> list[str]:
    left = len(entries) - most
    return [*entries[:most], *([f"{capital(language.text(AND_MORE, n=left))}."] if left > 0 else [])]


def _year(release: LoadedRelease, language: Language) -> dict[str, Any] | None:
    """The running calendar year by route with its charts, the next twelve months, the newest year by country."""
    table = release.frame("year_ahead")
    if table.empty:
        return None
    find = partial(year_lines, table, release.frame("observations"), language=language)
    lines = [line for kind in KINDS for line in find(kind=kind)]
    countries = find(kind=next(iter(KINDS)), asylum=True)
    parts = (
        lines,
        [line for line in lines if int(line.row["ahead"]) > 0],
        sorted(countries, key=lambda line: str(line.row["first_period"]), reverse=True),
    )
    running, *others = ([line for line in part if line.window == part[0].window] for part in parts if part)
    width = POINT * (ROOM - 36) / 3
    return {
        "name": language.text(_("The year ahead")),
        "title": year_title(running, language),
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


def _block(lines: list[YearLine], head: str, language: Language) -> dict[str, Any]:
    """A table, and beneath it what it has no room for, what is counted of it, and the record."""
    table = year_table(lines[:MOST_ROWS], language, brief=True)
    heads, rows = ["", *table.columns[1:]], table.to_numpy().tolist()
    said = [] if lines[0].is_asylum else [capital(" · ".join(coverage_words(lines, language)))]
    if (left := len(lines) - MOST_ROWS) > 0:
        said = [language.text(AND_MORE, n=left), *said]
    return {"head": head, "heads": heads, "rows": rows, "note": " · ".join(said)}


def _places(release: LoadedRelease, kept: Sequence[Reception], language: Language) -> dict[str, Any] | None:
    """Places kept, in the order of the routes; a route without a forecast has no demand."""
    forecast = set(release.frame("trajectories")["series_id"])
    found = [one for one in kept if numbers.route_series(one.route_id) in forecast]
    if not found:
        return None
    shown = sorted(found, key=lambda one: one.route_id)[:MOST_PLACES]
    key = _(
        "Full line: places needed at the chosen confidence. Dotted: the median. Dashed: the places there are. Kept "
        "by {people}."
    )
    left = len(found) - len(shown)
    return {
        "name": language.text(_("Reception places")),
        "key": language.text(key, people=", ".join(sorted({one.who for one in shown}))),
        "rows": [_place(release, one, language) for one in shown],
        "more": language.text(AND_MORE, n=left) if left > 0 else "",
        "note": language.text(counted_places()),
    }


def _place(release: LoadedRelease, kept: Reception, language: Language) -> dict[str, str]:
    needed, _together = places_by_month(release, kept)
    words = {
        "name": route_name(kept.route_id, language),
        "short": capital(first_short(needed, kept.stock, kept.confidence, language)),
        "assumed": assumed(kept, language),
    }
    alt = f"{language.labelled(words['name'], words['short'])} {words['assumed']}"
    return words | _chart(demand(needed, kept.stock, alt, POINT * (ROOM - 24) / 2, 300.0, language))
