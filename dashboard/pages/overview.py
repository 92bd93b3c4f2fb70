"""Overview, for managers: what waits for a decision, what is expected on all routes together, what changed, where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from alerts import INFORMATION
from core.languages import is_known
from core.routes import ARRIVAL_ROUTES, corridor, region_of
from dashboard import _, decisions, downloads, lang, layout, ngettext, reads, state, tables, time_travel
from dashboard.maps import flow_map, map_alt
from dashboard.reads import Night
from dashboard.tables import sparkline
from dashboard.theme import current_theme
from forecasting.verification.verdict import BETTER, LIKELY
from reports import Row, asylum, numbers, reception
from reports.asylum import AsylumForecast
from reports.changes import Move, moves, reasons, total_move
from reports.citations import map_note
from reports.names import expected_title, routes_together
from reports.overview import together
from reports.record import other_figures
from reports.route import absent_words, without_forecast

TITLE, PLACE = _("Overview"), 1


def show(night: Night) -> None:
    """The page."""
    ends = numbers.window_ends(night.as_of)
    statuses = decisions.statuses_of(night)
    gone = decisions.dismissed(statuses)
    alerts = decisions.not_dismissed(night, gone)
    summary = reads.once(night, partial(numbers.route_summary, night.frame, alerts, ends), "summary", gone)
    former = reads.night(night.previous) if night.previous else None
    found = decisions.found_on(night, former, summary, statuses)
    st.title(decisions.title(night, former, found, summary, gone), anchor=False)
    show_older_forecasts(night)
    with st.container(key="overview"):
        count = int((alerts["alert_level"] != INFORMATION).sum())
        with st.container(key="sums", horizontal=True):
            with st.container(width="stretch"):
                reads.drawn_once(night, partial(show_total, night, summary), "together")
            with st.container(horizontal=True, vertical_alignment="center", width="content"):
                if len(night.frame("year_ahead")):
                    label = _("Year ahead by route →")
                    st.markdown(f":small[[{label}]({state.link('route', view='year')})]")
                downloads.briefing_button(night)
            with st.container(width="stretch"):
                st.markdown(decisions.alerts_words(night, found, count))
                with st.container(key="open-names"):
                    st.markdown(decisions.open_names(night, found))
        with st.container(key="news"):
            waiting, changed = [st.container()] * 2 if former is None else st.columns([1.7, 1], gap="medium")
        if count:
            with waiting:
                decisions.show_cards(night, found)
        with st.container() if count else waiting, st.container(key="matters"):
            reads.drawn_once(night, partial(show_plan, night), "plan")
        with st.container(key="main-chart"):
            left, right = st.columns([1, 1.65], gap="medium")
        with left:
            reads.drawn_once(night, partial(show_map, night, summary, ends), "map", gone)
            reads.drawn_once(night, partial(show_map_note, night, summary), "map's note", gone)
        with right:
            show_routes(night, former, summary, ends, gone)
        if former is not None:
            with changed:
                reads.drawn_once(night, partial(show_changes, night, former), "changes", former.run_id)


def show_older_forecasts(night: Night) -> None:
    """Routes that have no forecast in this release and had one before: the way to the newest, and its age."""
    text = _("{route}: no forecast in this release. The [newest one]({link}) is of {day}, {age}.")
    for row in reads.once(night, partial(reads.forecast_coverage, night), "coverage"):
        if row["state"] != "ok" and row["run_id"]:
            as_of = dt.date.fromisoformat(row["as_of"])
            days = (night.as_of - as_of).days
            age = ngettext("{n} day earlier", "{n} days earlier", days).format(n=days)
            route, link = layout.plain(layout.route_name(row["route_id"])), state.link("", release=row["run_id"])
            st.warning(text.format(route=route, link=link, day=lang().day(as_of), age=age))


def show_total(night: Night, summary: pd.DataFrame) -> None:
    """All routes together: median, range, and the year before."""
    total = together(night, summary, lang())
    head = "" if decisions.is_practice(night) else f"**{layout.plain(total.title)}.** "
    with st.container(key="together"):
        st.markdown(f"{head}{layout.plain(' '.join(total.sentences(lang())))}")


def show_plan(night: Night) -> None:
    """A row for asylum applicants where most are, one per country with people in reception, and what merely informs."""
    needs, most, notes = reception.countries(night), asylum.most(night), []
    table = reception.countries_table(needs, lang())
    table.iloc[:, 0] += "\n" + _("people in reception")
    links = [state.link("reception", place=need.series_id.split(".")[1]) for need in needs]
    if most and (cells := asylum.plan_cells(most, lang())):
        table, links = pd.DataFrame([cells, *table.to_numpy()], columns=table.columns), [state.link("asylum"), *links]
        text = _("{country}: where most apply for asylum; the other countries stand under Asylum.")
        notes = [text.format(country=layout.country(most.geo))]
    notes += (
        [_("+: above the last count. Reception: the aim is for every count to then, so it may exceed the interval.")]
        if needs
        else []
    )
    notes += [reception.line(need, lang()) for need in needs if is_known(need.places)]
    if links:
        st.header(_("To plan with"), anchor=False)
        shown = table.map(tables.lines)
        shown.iloc[:, 0] = list(map(tables.lines, table.iloc[:, 0], links))
        with st.container(key="numbers-plan"):
            st.table(shown, border="horizontal", hide_index=True, alt=_("To plan with"))
    said = [layout.small(layout.plain(" ".join(notes)))] if notes else []
    st.markdown("  \n".join([*said, *(f":small[{text}]" for text in decisions.context_items(night))]))


def show_map(night: Night, summary: pd.DataFrame, ends: list[pd.Timestamp]) -> None:
    """Arrows as wide as the arrivals expected; each name leads to its route."""
    months = lang().months(ends[0], ends[-1])
    st.header(expected_title(summary["route_id"], lang()).format(months=months), anchor=False)
    columns = {"expected": "median", "low": "lower10", "high": "upper90", "level": "alert_level"}
    routes = summary.rename(columns=columns).assign(
        name=[layout.route_name(route_id) for route_id in summary["route_id"]],
        label=[map_label(night, row) for row in summary.to_dict("records")],
        link=[state.link("route", route=route_id) for route_id in summary["route_id"]],
    )
    for number, (_region, rows) in enumerate(routes.groupby(routes["route_id"].map(region_of), sort=False)):
        layout.chart(flow_map(rows, theme=current_theme()), map_alt(rows), f"map{number or ''}")


def show_map_note(night: Night, summary: pd.DataFrame) -> None:
    """What the map's signs mean, and the figures' publishers."""
    with st.container(key="map-note"):
        beside = _("In brackets: against the same months a year earlier. Darker land: countries of arrival.")
        st.markdown(layout.small(f"{beside} {map_note(lang())}"))
        layout.show_sources(night, [numbers.route_series(route_id) for route_id in summary["route_id"]])


def year_before(night: Night, route_id: str) -> float | None:
    """What was counted on a route in the planning window's months a year earlier; None where a month is missing."""
    series, ends = [numbers.route_series(route_id)], numbers.window_ends(night.as_of)
    return numbers.counted_a_year_before(night.frame("observations"), series, ends)


def map_label(night: Night, row: Row) -> str:
    """What is expected on a route, and its change against the same months a year earlier."""
    if row["state"] != "ok":
        return _("no forecast")
    before = year_before(night, str(row["route_id"]))
    expected = lang().expected(row["expected"])
    return expected if before is None else f"{expected} ({lang().change(row['expected'], before)})"


def show_routes(
    night: Night, former: Night | None, summary: pd.DataFrame, ends: list[pd.Timestamp], gone: tuple[str, ...]
) -> None:
    """The table of routes, its files, its note, and what was counted since."""
    months = lang().months(ends[0], ends[-1])
    find = partial(counted_since, night, list(summary.loc[summary["state"] == "ok", "route_id"]), ends)
    rows, knowing = reads.once(night, find, "counted since")
    is_counted = bool(rows.get("months", pd.Series(dtype=float)).gt(0).any())  # a release may hold no route
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(_("Routes"), anchor=False)
        if is_counted:
            time_travel.show_reveal_switch(there=True)
        title = _("Arrivals expected by route, {months}").format(months=months)
        skilled = {
            name: [
                " ".join(f"{end:%Y-%m}" for end, one in (verdicts or {}).items() if one == verdict)
                for verdicts in summary["verdicts"]
            ]
            for name, verdict in (("better", BETTER), ("likely", LIKELY))
        }
        exported = summary.drop(columns=["verdicts", "record"]).assign(**skilled)
        downloads.buttons(downloads.export_of(night, "routes", title, exported))
    draw = partial(show_table, night, former, summary)
    reads.drawn_once(night, draw, "routes", gone, former.run_id if former else None)
    if is_counted and state.switch("reveal"):
        show_outcomes(night, rows, knowing, ends)


def moves_since(night: Night, former: Night) -> list[Move]:
    """How each route's forecast moved since the release before, worked out once."""
    return reads.once(night, partial(moves, night, former), "moves", former.run_id)


def show_table(night: Night, former: Night | None, summary: pd.DataFrame) -> None:
    """What is expected on each route, with its trend, and what must be known about it."""
    theme = current_theme()
    links = {route_id: state.link("route", route=route_id) for route_id in summary["route_id"]}
    trends, filled = {}, []
    for route_id in summary["route_id"]:
        series_id = numbers.route_series(route_id)
        history = numbers.series_of(night.frame("observations"), series_id)
        quantiles = numbers.quantiles_of(night.frame("forecasts"), series_id)
        trends[route_id] = sparkline(history, quantiles, theme=theme)
        filled.append(
            numbers.with_shares(history, night.frame("observations"), series_id)["estimated_share"].tail(1).sum()
        )
    before = [year_before(night, route_id) for route_id in summary["route_id"]]
    total = together(night, summary, lang())
    found = [] if former is None else [*moves_since(night, former), total_move(night, former)]
    moved = {move.route_id: move for move in found if move is not None}
    st.table(
        tables.route_table(summary.assign(filled_in=filled), before, trends, links, total, moved),
        border="horizontal",
        hide_index=True,
        alt=_("Arrivals expected on each route, with the year before and the last month"),
    )
    has_units = any(corridor(route_id).unit for route_id in summary["route_id"])
    note = _(
        "Track record of three-month totals: share held by their 80% interval; ✓ better than the last count repeated, "
        "◐ likely better, ○ no sign. Single months may differ. Above or below: outside the 80% interval forecast "
        "before."
    )
    sums = _("Medians do not add up.") if total.number > 1 else ""
    notes = _("In each route’s unit.") if has_units else "", note, sums, absent_words(list(summary["route_id"]), lang())
    st.markdown(layout.small(layout.plain(" ".join(filter(None, notes)))))
    for row in summary[summary["state"] != "ok"].to_dict("records"):
        st.markdown(layout.small(layout.plain(without_forecast(row, lang()))))


def show_changes(night: Night, former: Night) -> None:
    """Why forecasts moved since the release before, which alerts changed, which sources are late."""
    if found := reasons(night, former, moves_since(night, former), lang()):
        st.header(_("Why forecasts moved since {day}").format(day=lang().day(former.as_of)), anchor=False)
        st.markdown("\n".join(f"- :small[{layout.plain(text)}]" for text in found))


def show_outcomes(night: Night, rows: pd.DataFrame, knowing: Night, ends: Sequence[pd.Timestamp]) -> None:
    """One line per route, the farthest misses first, then their sum, asylum applications and people in reception."""
    title = _("What happened next, {months}").format(months=lang().months(ends[0], ends[-1]))
    st.header(title, anchor=False)
    with st.container(key="numbers-outcomes"):
        st.table(time_travel.verdict_table(rows), border="horizontal", hide_index=True, alt=title)
    if said := time_travel.source_words(night, knowing):
        st.markdown(said)
    downloads.buttons(downloads.export_of(night, "next", title, rows))


def counted_since(night: Night, route_ids: Sequence[str], ends: Sequence[pd.Timestamp]) -> tuple[pd.DataFrame, Night]:
    """What was expected over some months, and what was counted: rows of :func:`time_travel.outcome_row`.

    Returns:
        Routes, the farthest misses first, then those together that are counted, with ``months`` counted so far; asylum
        applications and people in reception in the period of their headline; and the release that holds the outcomes.
    """
    paths, knowing, rows, whole = night.frame("trajectories"), night, [], {}
    for route_id in route_ids:
        series_id = numbers.route_series(route_id)
        later, source = time_travel.came_later(night, series_id, ends[0] - pd.offsets.MonthEnd(1))
        counts = later[later["end_date"].isin(ends)]["obs_value"]
        knowing = source if len(counts) else knowing
        total = float(counts.sum()) if len(counts) == len(ends) else np.nan
        expected = time_travel.sum_quantiles(paths, [series_id], ends)
        rows.append(time_travel.outcome_row(layout.route_name(route_id), expected, total) | {"months": len(counts)})
        if is_known(total) and route_id in ARRIVAL_ROUTES:
            whole[series_id] = total
    rows.sort(key=time_travel.nearness)
    if len(whole) > 1:
        name = routes_together(len(whole), lang())
        expected = time_travel.sum_quantiles(paths, list(whole), ends)
        rows.append(time_travel.outcome_row(name, expected, sum(whole.values())))
    for name, one in other_figures(night, lang()).items():
        for end in one.ahead.index[:1] if isinstance(one, AsylumForecast) else one.quantiles.index[-1:]:
            later, _source = time_travel.came_later(night, one.series_id, end - pd.Timedelta(days=1))
            count = later.loc[later["end_date"] == end, "obs_value"]
            label = f"{name}, {lang().period(end, one.months_each)}"
            outcome = float(count.iloc[0]) if len(count) else np.nan
            rows.append(time_travel.outcome_row(label, one.quantiles.loc[end], outcome))
    return pd.DataFrame(rows), knowing


show(layout.open_page())
