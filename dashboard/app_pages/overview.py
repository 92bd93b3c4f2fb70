"""Overview, for managers: what changed, where an alert is open, what is expected on each route."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from core.languages import is_known
from dashboard import (
    downloads,
    layout,
    memory,
    reads,
    state,
    tables,
    time_travel,
)
from dashboard.app_pages import FOLDER
from dashboard.charts.sparkline import sparkline
from dashboard.i18n import _, lang, ngettext
from dashboard.maps import flow_map, map_alt, map_note
from dashboard.reads import Night
from dashboard.theme import current_theme, level_badge
from reports import numbers
from reports.changes import changes
from reports.route import Card, cards, overview_title, without_forecast

TITLE, PLACE = _("Overview"), 1

MOST_CARDS = 4


def show(night: Night) -> None:
    """The page."""
    ends = numbers.window_ends(night.as_of)
    summary = memory.made(night, partial(summarise, night, ends), "summary")
    former = reads.night(night.previous) if night.previous else None
    alerts, ended = night.frame("alerts"), night.frame("ended_alerts")
    before = former.frame("alerts") if former else None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.title(
            memory.made(night, partial(overview_title, alerts, before, ended, summary, lang()), "title"), anchor=False
        )
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            downloads.briefing_button(night)
            link_to_alerts(len(alerts))
    show_older_forecasts(night)
    since = former.run_id if former else None
    memory.drawn(night, lambda: show_cards(night, former, summary), "cards", since)
    left, right = st.columns([1, 1.12], gap="medium")
    months = lang().months(ends[0], ends[-1])
    with left:
        memory.drawn(night, lambda: show_map(summary, months), "map")
    with right:
        show_routes(night, summary, months)
        show_outcomes(night, summary, ends)
        memory.drawn(night, lambda: show_changes(night, former), "changes", since)


def summarise(night: Night, ends: list[pd.Timestamp]) -> pd.DataFrame:
    """What is expected on each route over the next months."""
    return numbers.route_summary(
        night.frame("routes"), night.frame("observations"), night.frame("trajectories"), night.frame("alerts"), ends
    )


def link_to_alerts(count: int) -> None:
    """The way to the alerts, with their number."""
    if count:
        text = ngettext("{n} open alert", "{n} open alerts", count).format(n=count)
        st.page_link(f"{FOLDER}/alerts.py", label=text, icon=":material/arrow_forward:", icon_position="right")


def show_cards(night: Night, former: Night | None, summary: pd.DataFrame) -> None:
    """Up to four cards: open alerts by level, then ended ones, then routes where nothing is unusual."""
    with st.grid(4, min_column_width=210):
        for card in cards(night, former, summary, lang())[:MOST_CARDS]:
            with st.container(border=True, height="stretch", gap="xsmall"):
                show_card(card)


def show_older_forecasts(night: Night) -> None:
    """Routes that have no forecast in this release and had one before: the way to the newest, and its age."""
    text = _("{route}: no forecast in this release. The [newest one]({link}) is of {day}, {age}.")
    for row in memory.made(night, partial(reads.forecast_coverage, night), "coverage"):
        if row["state"] != "ok" and row["run_id"]:
            as_of = dt.date.fromisoformat(row["as_of"])
            days = (night.as_of - as_of).days
            age = ngettext("{n} day earlier", "{n} days earlier", days).format(n=days)
            route, link = layout.plain(layout.route_name(row["route_id"])), state.link("", release=row["run_id"])
            st.warning(text.format(route=route, link=link, day=lang().day(as_of), age=age))


def show_card(card: Card) -> None:
    """One card, top to bottom: level and change, route, sentence, chance, record."""
    badge = level_badge(card.level) if card.level else ":gray-badge[" + _("No alert") + "]"
    st.markdown(f"{badge} {layout.small(layout.plain(card.change))}")
    st.markdown(f"## {layout.plain(card.title)}", anchors=False)
    st.markdown(layout.plain(card.sentence))
    if card.figure:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.metric(card.title, card.figure, label_visibility="collapsed", width="content")
            with st.container(gap=None, width="stretch"):
                st.markdown(f":small[**{layout.plain(card.figure_means)}**]  \n{layout.small(card.when)}")
    if card.record:
        st.markdown(layout.small(card.record))


def show_map(summary: pd.DataFrame, months: str) -> None:
    """Arrows as wide as the arrivals expected."""
    st.header(_("Arrivals expected, {months}").format(months=months), anchor=False)
    routes = pd.DataFrame(
        {
            "route_id": summary["route_id"],
            "name": [layout.route_name(route_id) for route_id in summary["route_id"]],
            "median": summary["expected"],
            "upper90": summary["high"],
            "alert_level": summary["level"],
            "label": [_("no forecast") if state != "ok" else "" for state in summary["state"]],
        }
    )
    layout.chart(flow_map(routes, theme=current_theme()), map_alt(routes), "map")
    st.markdown(layout.small(map_note()))


def show_routes(night: Night, summary: pd.DataFrame, months: str) -> None:
    """The table of routes, its files, its note."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(_("Routes"), anchor=False)
        title = _("Arrivals expected by route, {months}").format(months=months)
        downloads.buttons(downloads.export_of(night, "routes", title, summary))
    memory.drawn(night, lambda: show_table(night, summary, months), "routes")


def show_table(night: Night, summary: pd.DataFrame, months: str) -> None:
    """What is expected on each route, with its trend, and what must be known about it."""
    theme = current_theme()
    links = {route_id: state.link("route", route=route_id) for route_id in summary["route_id"]}
    trends = {}
    for route_id in summary["route_id"]:
        series_id = numbers.route_series(route_id)
        history = numbers.series_of(night.frame("observations"), series_id)
        quantiles = numbers.quantiles_of(night.frame("forecasts"), series_id)
        trends[route_id] = sparkline(history, quantiles, theme=theme)
    st.table(
        tables.route_table(summary, trends, links),
        border="horizontal",
        hide_index=True,
        alt=_("Arrivals expected on each route, with the last month and the year before"),
    )
    note = _("Persons, {months}. Expected is the median. Trend: two years, then six months with the 80% interval.")
    st.markdown(layout.small(note.format(months=months)))
    for row in summary[summary["state"] != "ok"].to_dict("records"):
        st.markdown(layout.small(layout.plain(without_forecast(row, lang()))))


def show_changes(night: Night, former: Night | None) -> None:
    """What the release before this one said otherwise."""
    if former is None:
        st.header(_("Since the last release"), anchor=False)
        st.markdown(layout.small(_("This is the first release; there is none to compare it with.")))
        return
    st.header(_("Since the last release, {day}").format(day=lang().day(former.as_of)), anchor=False)
    found = changes(night, former, lang())
    st.markdown("\n".join(f"- {layout.plain(text)}" for text in found) or layout.small(_("Nothing has changed.")))


def show_outcomes(night: Night, summary: pd.DataFrame, ends: Sequence[pd.Timestamp]) -> None:
    """The switch and, where it is on, one line per route; nothing where no month has been counted since.

    Args:
        night: The release.
        summary: Result of ``numbers.route_summary``.
        ends: Last days of the months that were looked ahead to.
    """
    routes = list(summary.loc[summary["state"] == "ok", "route_id"])
    rows, knowing = memory.made(night, lambda: counted_since(night, routes, ends), "counted since")
    if rows["months"].eq(0).all():
        return
    time_travel.show_reveal_switch(there=True)
    if not state.switch("reveal"):
        return
    title = _("What happened next, {months}").format(months=lang().months(ends[0], ends[-1]))
    st.header(title, anchor=False)
    st.table(outcomes_in_words(rows, len(ends)), border="horizontal", hide_index=True, alt=title)
    if knowing.run_id != night.run_id:
        text = _("Outcomes as known in the release of {day}.")
        st.markdown(layout.small(text.format(day=lang().day(knowing.as_of))))
    downloads.buttons(downloads.export_of(night, "next", title, rows))


def counted_since(night: Night, route_ids: Sequence[str], ends: Sequence[pd.Timestamp]) -> tuple[pd.DataFrame, Night]:
    """What was expected on each route over some months, and what was counted.

    Returns:
        ``route_id, months`` (counted so far), ``expected, low, high, counted`` (empty until all months are),
        ``inside``; and the release that knows the outcomes.
    """
    rows: list[dict[str, object]] = []
    knowing = night
    for route_id in route_ids:
        series_id = numbers.route_series(route_id)
        later, source = time_travel.came_later(night, series_id, ends[0] - pd.offsets.MonthEnd(1))
        counted = later[later["end_date"].isin(ends)]["obs_value"]
        if len(counted):
            knowing = source
        expected = time_travel.sum_quantiles(night.frame("trajectories"), series_id, ends)
        whole = len(counted) == len(ends) and len(expected) > 0
        rows.append(
            {
                "route_id": route_id,
                "months": len(counted),
                "expected": expected.get(0.5, np.nan),
                "low": expected.get(0.1, np.nan),
                "high": expected.get(0.9, np.nan),
                "counted": float(counted.sum()) if whole else np.nan,
                "inside": time_travel.narrowest(expected, float(counted.sum())) if whole else np.nan,
            }
        )
    columns = ["route_id", "months", "expected", "low", "high", "counted", "inside"]
    return pd.DataFrame(rows, columns=columns), knowing


def outcomes_in_words(rows: pd.DataFrame, months: int) -> pd.DataFrame:
    """The table on screen.

    Args:
        rows: Result of :func:`counted_since`.
        months: Months in the sum.
    """
    partly = _("{n} of {months} months counted")
    return pd.DataFrame(
        {
            _("Route"): [layout.route_name(route_id) for route_id in rows["route_id"]],
            _("Expected"): [lang().expected(value) for value in rows["expected"]],
            tables.no_break(_("80% interval")): [
                lang().interval(low, high) for low, high in zip(rows["low"], rows["high"], strict=True)
            ],
            _("Counted"): [lang().counted(value) for value in rows["counted"]],
            _("Where it fell"): [
                time_travel.held_words(row["inside"])
                if is_known(row["inside"])
                else partly.format(n=row["months"], months=months)
                for row in rows.to_dict("records")
            ],
        }
    )


show(layout.open_page())
