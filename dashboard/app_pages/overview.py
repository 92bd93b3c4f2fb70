"""Overview, for managers: what changed, where an alert is open, what is expected on each route."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard import (
    changes,
    downloads,
    headlines,
    layout,
    memory,
    next_section,
    numbers,
    reads,
    state,
    summaries,
    tables,
)
from dashboard.charts.sparkline import sparkline
from dashboard.i18n import _, ngettext
from dashboard.maps import flow_map, map_alt, map_note
from dashboard.reads import Night
from dashboard.theme import current_theme, level_badge

MOST_CARDS = 4


def show(night: Night) -> None:
    """The page."""
    ends = summaries.months_ahead(night.as_of)
    summary = memory.made(night, partial(summarise, night, ends), "summary")
    former = reads.night(night.previous) if night.previous else None
    alerts, ended = summaries.by_level(night.frame("alerts")), night.frame("ended_alerts")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.title(memory.made(night, partial(headlines.overview, alerts, ended, summary), "title"), anchor=False)
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            downloads.briefing_button(night)
            link_to_alerts(len(alerts))
    before = former.run_id if former else None
    memory.drawn(night, lambda: show_cards(night, former, summary), "cards", before)
    left, right = st.columns([1, 1.12], gap="medium")
    months = numbers.month_range(ends[0], ends[-1])
    with left:
        memory.drawn(night, lambda: show_map(summary, months), "map")
    with right:
        show_routes(night, summary, months)
        next_section.show(night, summary, ends)
        memory.drawn(night, lambda: show_changes(night, former), "changes", before)


def summarise(night: Night, ends: list[pd.Timestamp]) -> pd.DataFrame:
    """What is expected on each route over the next months."""
    return summaries.route_summary(
        night.frame("routes"), night.frame("observations"), night.frame("trajectories"), night.frame("alerts"), ends
    )


def link_to_alerts(count: int) -> None:
    """The way to the alerts, with their number."""
    if count:
        text = ngettext("{n} open alert", "{n} open alerts", count).format(n=count)
        st.page_link(f"{layout.PAGES}/alerts.py", label=text, icon=":material/arrow_forward:", icon_position="right")


def show_cards(night: Night, former: Night | None, summary: pd.DataFrame) -> None:
    """Up to four cards: open alerts by level, then ended ones, then routes where nothing is unusual."""
    cards = headlines.cards(night, former, summary)
    with st.grid(4, min_column_width=210):
        for card in cards[:MOST_CARDS]:
            with st.container(border=True, height="stretch", gap="xsmall"):
                show_card(card)


def show_card(card: headlines.Card) -> None:
    """One card, top to bottom: level and change, route, sentence, chance, record."""
    badge = level_badge(card.level) if card.level else ":gray-badge[" + _("No alert") + "]"
    st.markdown(f"{badge} {layout.small(layout.plain(card.change))}")
    st.markdown(f"## {layout.plain(card.title)}", anchors=False)
    st.markdown(layout.plain(card.sentence))
    if card.figure:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.metric(card.title, card.figure, label_visibility="collapsed", width="content")
            with st.container(gap=None, width="stretch"):
                st.markdown(f":small[{card.figure_means}]  \n{layout.small(card.when)}")
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
        series_id = summaries.route_series(route_id)
        history = summaries.series_of(night.frame("observations"), series_id)
        quantiles = summaries.quantiles_of(night.frame("forecasts"), series_id)
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
        st.markdown(layout.small(layout.plain(headlines.without_forecast(row))))


def show_changes(night: Night, former: Night | None) -> None:
    """What the release before this one said otherwise."""
    if former is None:
        st.header(_("Since the last release"), anchor=False)
        st.markdown(layout.small(_("This is the first release; there is none to compare it with.")))
        return
    st.header(_("Since the last release, {day}").format(day=numbers.day(former.as_of)), anchor=False)
    found = changes.changes(night, former)
    st.markdown("\n".join(f"- {layout.plain(text)}" for text in found) or layout.small(_("Nothing has changed.")))


show(layout.open_page())
