"""The pages on what is expected: Overview, one per route, asylum by country, reception."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import mode

import pandas as pd

from alerts import INFORMATION
from core.calendar import MONTHS_EACH
from core.languages import capital, is_known
from core.languages import marked as _
from core.routes import DEFAULT_REGION, counted, region_of
from core.schema import ALL, make_series_id
from geo import is_placed
from publish.site.layout import Block, Chart, Page, View, heading, table, text
from reports import asylum, context, numbers, reception, route
from reports.alert import alert_report, limit_of, rule_record
from reports.answer import end_words, months_of
from reports.changes import changes, changes_title, new_counts
from reports.charts import Fan, flow_map, ranges
from reports.citations import limits, map_note, unsettled
from reports.names import LEVEL_MARKS, country_name, expected_title, in_unit, level_label, place_name, route_name
from reports.overview import cards, overview_title, together
from reports.year_ahead import KINDS, coverage_words, year_lines, year_table, year_title

OVERVIEW, ASYLUM, RECEPTION = "index.html", "asylum/index.html", "reception/index.html"
MOST_BARS = 12


def overview(view: View) -> Page:
    """All routes together, alerts, what changed, the map and the table of routes, the year ahead, limits."""
    language, release = view.language, view.release
    total = together(release, view.night.summary, language)
    former = None if view.night.former is None else view.night.former.frame("alerts")
    alerts, ended, record = map(release.frame, ("alerts", "ended_alerts", "track_record"))
    found = overview_title(alerts, former, ended, view.night.summary, record, language)
    labels = {level: level_label(level, language) for level in LEVEL_MARKS}
    blocks = [
        text(f"{found}.", *total.sentences(language)),
        text(*reception.lines(release, language).values()),
        Block("cards", cards(release, view.night.former, view.night.summary, language), {"labels": labels}),
        *_changes(view),
        *_maps_and_routes(view),
        *_year(view),
        heading(view.text(_("What must be known"))),
        text(*limits(release, view.night.summary, language), kind="list"),
    ]
    picture = next((block.of.name for block in blocks if block.kind == "chart"), "")
    return Page(OVERVIEW, OVERVIEW, view.text(_("Overview")), total.title, blocks, picture)


def _changes(view: View) -> Iterator[Block]:
    if view.night.former is None:
        return
    yield heading(changes_title(view.release, view.night.former, view.language))
    said = [find(view.release, view.night.former, view.language) for find in (changes, new_counts)]
    yield text(*([*said[0], *said[1]] or [view.text(_("Nothing has changed."))]), kind="list")


def _maps_and_routes(view: View) -> Iterator[Block]:
    """A map and a table of the routes of each region."""
    summary = view.night.summary
    for region, rows in summary.groupby(summary["route_id"].map(region_of), sort=False):
        name = "routes" if region == DEFAULT_REGION else f"routes-{str(region).replace('_', '-')}"
        yield from _map_and_routes(view, name, rows)


def _map_and_routes(view: View, name: str, summary: pd.DataFrame) -> Iterator[Block]:
    language, months = view.language, route.window_words(view.release.as_of, view.language)
    title = expected_title(summary["route_id"], language).format(months=months)
    series = [numbers.route_series(route_id) for route_id in summary["route_id"]]
    frame = summary[["route_id", "state", "level", "expected", "low", "high", "last_period", "last_value", "last_flag",
                     "year_earlier"]]  # fmt: skip
    if summary["route_id"].map(is_placed).any():
        drawn = Chart(name, title, title, OVERVIEW, lambda width: flow_map(summary, width, language), frame)
        yield Block("chart", view.chart(drawn, series))
        yield text(map_note(language), kind="note")
    rows = summary.to_dict("records")
    cells = {
        _("Route"): [route_name(row["route_id"], language) for row in rows],
        _("Expected"): [language.expected(row["expected"]) for row in rows],
        _("80% interval"): [language.interval(row["low"], row["high"]) for row in rows],
        _("Last month"): [language.counted(row["last_value"]) for row in rows],
        _("A year earlier"): [language.counted(row["year_earlier"]) for row in rows],
        _("Alert level"): [level_label(row["level"], language) if row["level"] else "–" for row in rows],
    }
    yield table(view.headed(cells), title, [route_path(row["route_id"]) for row in rows])
    yield text(unsettled(summary, language), kind="note")


def _year(view: View) -> Iterator[Block]:
    ahead = view.release.frame("year_ahead")
    lines = year_lines(ahead, view.release.frame("observations"), next(iter(KINDS)), view.language)
    lines = [line for line in lines if line.window == lines[0].window]
    if lines:
        yield heading(year_title(lines, view.language))
        yield table(year_table(lines, view.language, brief=True), view.text(_("The year ahead by route")))
        yield text(*(f"{capital(line)}." for line in coverage_words(lines, view.language)), kind="note")


def route_path(route_id: str) -> str:
    """Address of a route's page."""
    return f"route/{route_id.lower()}.html"


def routes(view: View) -> Iterator[Page]:
    """A page per route."""
    for found in view.night.routes:
        name, path = route_name(found.route_id, view.language), route_path(found.route_id)
        title = route.title(found, view.release.as_of, view.language)
        blocks = [Block("numbers", route.key_numbers(found, view.release.as_of, view.language))]
        picture = ""
        if not found.quantiles.empty:
            picture = f"route-{found.route_id.lower()}"
            blocks += _route_fan(view, found, picture, title)
        blocks += [*_alerts(view, found.route_id), *_weeks(view, found), *_nationalities(view, found)]
        yield Page(path, OVERVIEW, name, title, blocks, picture)


def _route_fan(view: View, found: route.RouteForecast, picture: str, title: str) -> list[Block]:
    language, alerts = view.language, view.release.frame("alerts")
    own = alerts[(alerts["route_id"] == found.route_id) & (alerts["alert_level"] != INFORMATION)]
    own = numbers.by_level(own, view.release.frame("track_record"))
    limit = next((value for row in own.to_dict("records") if (value := limit_of(row)) is not None), None)
    words = "" if limit is None else view.text(_("threshold {value}"), value=language.counted(limit))
    name = route_name(found.route_id, language)
    shown = Fan(
        found.history, found.quantiles, found.known_on,
        in_unit(view.text(_("{unit} per month")), found.route_id, language),
        in_unit(view.text(_("{name}: observed {unit} and forecast.")), found.route_id, language, name=name),
        limit=None if limit is None else (limit, words), verdicts=found.summary["verdicts"],
    )  # fmt: skip
    chart = view.fan_chart(picture, title, route_path(found.route_id), shown, numbers.route_series(found.route_id))
    said = (route.running_words(found, language), route.fallback_words(found, language))
    return [Block("chart", chart), text(*said, kind="note"), text(route.skill_words(found, language))]


def _alerts(view: View, route_id: str) -> Iterator[Block]:
    """Each alert of the route that was signed off: what is the matter, how likely, its record, what would end it."""
    language, release = view.language, view.release
    alerts, record = release.frame("alerts"), release.frame("track_record")
    for row in numbers.by_level(alerts[alerts["route_id"] == route_id], record).to_dict("records"):
        report = alert_report(row, rule_record(row, record), language)
        yield heading(f"{report.badge}: {report.sentence}")
        yield text(report.chance_of, report.record, end_words(row, language))
        if months := months_of(row, release, language):
            heads = (_("Month"), _("Chance"))
            rows = pd.DataFrame(months, columns=[view.text(head) for head in heads])
            yield table(rows, view.text(_("Chance by month")))


def _weeks(view: View, of: route.RouteForecast) -> Iterator[Block]:
    """The next weeks, where the route is counted by day."""
    weeks, scores, observations = (view.release.frame(name) for name in ("weeks", "week_scores", "observations"))
    if (found := route.week_view(weeks, scores, observations, of.route_id)) is None:
        return
    language, rows = view.language, found.ahead.head(route.WEEKS_SHOWN).to_dict("records")
    title = route.week_title(found, language)
    cells = {
        _("Week to"): [language.day_short(row["target_end_date"]) for row in rows],
        _("Expected"): [language.expected(row["q50"]) for row in rows],
        _("80% interval"): [language.interval(row["q10"], row["q90"]) for row in rows],
    }
    yield heading(title)
    yield table(view.headed(cells), title)
    yield text(route.week_place(found, of.quantiles, language))
    yield text(route.week_record(found, language), route.week_basis(found, language), kind="note")


def _nationalities(view: View, found: route.RouteForecast) -> Iterator[Block]:
    """Who arrived in the past twelve months, where a source publishes it."""
    if (mix := context.route_mix(view.release, found, view.language)) is None:
        return
    cells = {_("Nationality"): list(mix.rows["name"]), _("Share"): list(map(view.language.share, mix.rows["share"]))}
    yield heading(mix.title)
    yield table(view.headed(cells), mix.title)
    yield text(mix.unit, mix.note, kind="note")
    name, route_id = f"nationalities-{found.route_id.lower()}", found.route_id
    series = [make_series_id(counted(route_id), route_id, ALL, citizen, "M") for citizen in mix.cells["citizen"]]
    yield Block("files", view.chart(Chart(name, mix.title, mix.unit, route_path(route_id), None, mix.cells), series))


def countries(view: View) -> Iterator[Page]:
    """Asylum: the destinations with most applicants expected, then a page per country."""
    night, language = view.night, view.language
    if not night.asylum:
        return
    pages = [_country(view, found) for found in night.asylum]
    title = view.text(_("Asylum applications by country"))
    firsts = [found.to_plan_with.ahead.head(1) for found in night.asylum]
    cells = {
        _("Country"): [page.name for page in pages],
        _("Period"): [
            asylum.period(found, first.index[0], language) if len(first) else "–"
            for found, first in zip(night.asylum, firsts, strict=True)
        ],
        _("Expected"): [language.expected(first[0.5].iloc[0]) if len(first) else "–" for first in firsts],
        _("80% interval"): [
            language.interval(first[0.1].iloc[0], first[0.9].iloc[0]) if len(first) else "–" for first in firsts
        ],
    }
    kind = asylum.kind_name(night.asylum[0].kind, language)
    chart = _destinations(view, kind)
    blocks = [
        *([Block("chart", chart)] if chart else []),
        heading(kind),
        table(view.headed(cells), kind, [page.path for page in pages]),
        heading(view.text(_("What is missing here, and why"))),
        text(
            *(words(night.asylum[0], language) for words in (asylum.who_words, asylum.absent_words)),
            *asylum.missing_words(night.asylum[0], language),
            kind="list",
        ),
    ]
    yield Page(ASYLUM, ASYLUM, view.text(_("Asylum")), title, blocks, "asylum" if chart else "")
    yield from pages


def _destinations(view: View, unit: str) -> Chart | None:
    """The countries with most applicants expected in the first period that has not ended."""
    language, rows, ids = view.language, [], []
    for found in (one.to_plan_with for one in view.night.asylum):
        if not found.ahead.empty:
            first = found.ahead.iloc[0]
            last = asylum.period(found, found.ahead.index[0], language)
            rows.append({"geo": found.geo, "period": last, "target_end_date": found.ahead.index[0].date(),
                         "expected": first[0.5], "low": first[0.1], "high": first[0.9]})  # fmt: skip
            ids.append(str(found.state["series_id"]))
    if not rows:
        return None
    frame = pd.DataFrame(rows).sort_values("expected", ascending=False, ignore_index=True)
    shown = frame.head(MOST_BARS).assign(name=[country_name(geo, language) for geo in frame["geo"].head(MOST_BARS)])
    title = view.text(_("Largest destinations: applicants expected, {period}"), period=mode(frame["period"]))
    drawn = Chart("asylum", title, unit, ASYLUM, lambda width: ranges(shown, unit, f"{title}:", width, language),
                  frame.drop(columns="period"))  # fmt: skip
    return view.chart(drawn, ids)


def _country(view: View, found: asylum.AsylumForecast) -> Page:
    language = view.language
    name, path = country_name(found.geo, language), f"asylum/{found.geo.lower()}.html"
    title = asylum.title(found, language)
    blocks = [Block("numbers", asylum.key_numbers(found, language))]
    if found.quantiles.empty:
        return Page(path, ASYLUM, name, title, [*blocks, text(asylum.why_no_forecast(found, language))])
    served, notes = found.to_plan_with, [_("Figures are rounded to the nearest 5 by Eurostat.")]
    notes += [asylum.LAST_REPEATED] if served.model_id != found.model_id else []
    shown = Fan(
        served.history, served.quantiles, view.release.as_of, asylum.unit(found, language),
        view.text(_("{country}: asylum applications counted and expected."), country=name),
        MONTHS_EACH[found.freq], 24 // MONTHS_EACH[found.freq] * 2,
    )  # fmt: skip
    picture = f"asylum-{found.geo.lower()}"
    blocks += [
        Block("chart", view.fan_chart(picture, title, path, shown, str(found.state["series_id"]))),
        text(asylum.kind_name(found.kind, language), kind="note"),
        text(*asylum.skill_words(found, language), kind="list"),
        text(*map(view.text, notes), kind="note"),
    ]
    return Page(path, ASYLUM, name, title, blocks, picture)


def stocks(view: View) -> Iterator[Page]:
    """Reception: the countries, then a page for each with its regions."""
    if not (own := [need for name, need in view.night.stocks.items() if "-" not in name]):
        return
    pages = [_stock(view, need) for need in own]
    listed = view.headed({_("Country"): [page.name for page in pages], _("Expected"): [page.title for page in pages]})
    name = view.text(_("Reception"))
    title = view.text(_("People in reception, counted and expected"))
    blocks = [table(listed, title, [page.path for page in pages], words=True)]
    yield Page(RECEPTION, RECEPTION, name, title, blocks, pages[0].picture)
    yield from pages


def _stock(view: View, need: reception.Need) -> Page:
    language, series_id = view.language, need.series_id
    name, code = place_name(series_id.split(".")[1], language), series_id.split(".")[1].lower()
    path, title, picture = f"reception/{code}.html", reception.title(need, language), f"reception-{code}"
    places = None if not is_known(need.places) else (need.places, view.text(_("Places")))
    shown = Fan(
        need.history, need.quantiles, view.release.as_of, view.text(_("People in reception")),
        view.text(_("{place}: people in reception, counted and expected."), place=name),
        need.months_each, reception.MONTHS_BACK // need.months_each, places, verdicts=need.verdicts,
    )  # fmt: skip
    caption = view.text(_("{place}: people in reception, entries, exits and places"), place=name)
    blocks = [
        Block("numbers", reception.key_numbers(need, language)),
        text(f"{reception.enough_words(need, language)}."),
        Block("chart", view.fan_chart(picture, title, path, shown, series_id)),
        text(reception.places_words(need, language)) if places else text(),
        text(*reception.record_words(need, language), kind="list"),
        table(reception.table(need, language), caption),
        text(
            view.text(reception.TABLE_NOTE),
            reception.entries_words(need, view.release.frame("trajectories"), language),
            reception.gaps_words(need, view.release, language),
            kind="note",
        ),
        *_regions(view, series_id),
    ]
    return Page(path, RECEPTION, name, title, blocks, picture)


def _regions(view: View, series_id: str) -> Iterator[Block]:
    """A country's regions, those with the largest reserve first."""
    country, language = series_id.split(".")[1], view.language
    needs = [need for name, need in view.night.stocks.items() if name.split(".")[1].startswith(f"{country}-")]
    if not needs:
        return
    needs.sort(key=lambda need: -need.above_now)
    title = view.text(reception.BY_REGION)
    yield heading(title)
    yield table(reception.regions_table(needs, language), title)
    yield text(view.text(reception.REGIONS_NOTE), kind="note")
