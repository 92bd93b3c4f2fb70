"""Alerts: the inbox, one alert in detail, and what people did about it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pandas as pd
import streamlit as st

from alerts.lifecycle import ENDED, PROPOSED
from core.languages import capital, is_known
from core.routes import in_order
from core.schema import ALL
from dashboard import alert_view, downloads, inbox, layout, memory, reads, state
from dashboard.charts.seasons import season_bars, season_bars_alt
from dashboard.i18n import _, lang, named, ngettext
from dashboard.inbox import AlertStatus
from dashboard.layout import plain, small
from dashboard.reads import Night
from dashboard.theme import LEVELS, current_theme, level_badge, level_label
from reports import numbers
from reports.alert import AlertReport, alert_file, alert_report, events_words, rule_record, status_words
from reports.changes import change_since, change_words
from reports.citations import uses
from reports.names import RULES, subject_name
from reports.release import Row

TITLE, PLACE = _("Alerts"), 4

HEADING_LEVELS = LEVELS[::-1]


def show(night: Night) -> None:
    """The page."""
    state.take_over("route", "on")
    inbox.show_toast()
    alerts = alert_view.all_alerts(night)
    level_now = alerts["alert_level"].where(~alerts["ended"].astype(bool), "")
    statuses = inbox.statuses(dict(zip(alerts["alert_id"], level_now, strict=True)), night.run_id)
    alerts["status"] = [
        ENDED if over else statuses[str(alert_id)].state.status
        for alert_id, over in zip(alerts["alert_id"], alerts["ended"], strict=True)
    ]
    st.title(title(alerts), anchor=False)
    chosen = show_filters(alerts)
    if chosen.empty:
        st.markdown(small(_("No alert matches these filters.") if len(alerts) else _("This release holds no alert.")))
    else:
        left, detail = st.columns([1, 1.7], gap="medium")
        with left:
            row = show_inbox(night, chosen, statuses)
        with detail, st.container(border=True):
            show_detail(night, row, statuses[row["alert_id"]])
    st.markdown(small(uses(lang())))
    if len(alerts):
        shown = alert_file(alerts.drop(columns=["key", "status"]), night.frame("track_record"), lang())
        downloads.buttons(downloads.export_of(night, "alerts", _("Alerts"), shown))


def title(alerts: pd.DataFrame) -> str:
    """How many alerts wait for somebody."""
    opened = alerts[~alerts["ended"].astype(bool)]
    if opened.empty:
        return _("No alert is open")
    waiting = int((opened["status"] == PROPOSED).sum())
    if waiting:
        return ngettext("{n} alert waits for sign-off", "{n} alerts wait for sign-off", waiting).format(n=waiting)
    return ngettext("{n} open alert, decided on", "{n} open alerts, all decided on", len(opened)).format(n=len(opened))


def show_filters(alerts: pd.DataFrame) -> pd.DataFrame:
    """Open or ended, levels, route."""
    ended = int(alerts["ended"].sum())
    waiting = int((alerts["status"] == PROPOSED).sum())
    words = {
        "open": _("Open ({n})").format(n=len(alerts) - ended),
        "waiting": _("Waiting ({n})").format(n=waiting),
        "ended": _("Ended ({n})").format(n=ended),
        "all": _("All"),
    }
    show_which = state.choice("show", tuple(words), "all")
    levels = state.many("levels", HEADING_LEVELS)
    routes = [ALL, *in_order(alerts["route_id"])]
    route_id = state.choice("on", routes, ALL)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            _("Which alerts"), list(words), format_func=words.__getitem__, required=True,
            label_visibility="collapsed", wrap=True, **state.widget("show", show_which),
        )  # fmt: skip
        st.pills(
            _("Levels"), HEADING_LEVELS, selection_mode="multi", format_func=level_label, label_visibility="collapsed",
            **state.widget("levels", levels, lambda kept: None if len(kept) == len(HEADING_LEVELS) else ",".join(kept)),
        )  # fmt: skip
        st.selectbox(
            _("Route"), routes, label_visibility="collapsed", width=240,
            format_func=lambda code: _("All routes") if code == ALL else layout.route_name(code),
            **state.widget("on", route_id),
        )  # fmt: skip
    return alert_view.chosen_alerts(alerts, show_which, levels, route_id)


def show_inbox(night: Night, chosen: pd.DataFrame, statuses: Mapping[str, AlertStatus]) -> Row:
    """The list of alerts; returns the one that is picked."""
    rows = {row["key"]: row for row in chosen.to_dict("records")}
    key = state.choice("alert", tuple(rows), next(iter(rows)))
    with st.container(border=True):
        st.radio(
            _("Alerts"),
            list(rows),
            format_func=lambda name: inbox_label(night, rows[name]),
            captions=[inbox_caption(night, row, statuses[row["alert_id"]]) for row in rows.values()],
            label_visibility="collapsed",
            **state.widget("alert", key),
        )
    return rows[key]


def inbox_label(night: Night, row: Row) -> str:
    """Badge, subject and rule of one alert. Streamlit tells options apart by their labels: no two may be the same."""
    level = "ended" if row["ended"] else row["alert_level"]
    subject = plain(subject_name(row, night.sources(), lang()))
    return f"{level_badge(level)} **{subject}** {small(named(RULES, row['rule']))}"


def report_of(night: Night, row: Row) -> AlertReport:
    """What the release says about an alert; ``ended`` where it no longer stands."""
    record = rule_record(row, night.frame("track_record"))
    return alert_report(row, record, lang(), over=ENDED if row["ended"] else "")


def inbox_caption(night: Night, row: Row, status: AlertStatus) -> str:
    """Chance, state and change of one alert in one line."""
    parts = [report_of(night, row).chance_of]
    if row["ended"]:
        parts.append(_("ended"))
    else:
        parts.append(status_words(status.state, lang()))
        former = reads.night(night.previous) if night.previous else None
        change = change_since(row, night.frame("alerts"), former.frame("alerts") if former else None)
        parts.append(change_words(change, lang()))
    if status.state.objections:
        count = len(status.state.objections)
        parts.append(ngettext("{n} open objection", "{n} open objections", count).format(n=count))
    return " · ".join(part for part in parts if part)


def show_detail(night: Night, row: Row, status: AlertStatus) -> None:
    """One alert: what, how likely, how sure, why, and its history."""
    is_newest = night.run_id == reads.nights()[0].run_id
    level = "ended" if row["ended"] else row["alert_level"]
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.header(plain(subject_name(row, night.sources(), lang())), anchor=False, width="content")
        if is_newest and not row["ended"]:
            inbox.show_actions(row, status.state)
    # What comes and goes has a place of its own, so that what stands below keeps its.
    with st.container():
        inbox.show_form(night, row, is_newest=is_newest)
    st.markdown(f"{level_badge(level)} {plain(report_of(night, row).sentence)}")
    with st.container():
        inbox.show_objections(night, row, status.state, is_newest=is_newest)
    key = (row["key"], row["alert_level"])
    memory.drawn(night, partial(show_numbers, night, row), "alert's numbers", *key)
    chart, why = st.columns([1.7, 1], gap="medium")
    with chart:
        show_season(night, row)
    with why:
        memory.drawn(night, partial(show_reasons, night, row), "alert's reasons", *key)
    memory.drawn(night, partial(show_record, night, row), "alert's record", *key)
    show_history(night, row, status)
    inbox.show_notes(night, row, is_newest=is_newest)


def show_reasons(night: Night, row: Row) -> None:
    """Facts that stand behind the alert."""
    st.markdown("### " + _("Why"), anchors=False)
    st.markdown("\n".join(f"- {plain(text)}" for text in alert_view.reasons(night, row)))


def show_numbers(night: Night, row: Row) -> None:
    """Chance, threshold, months, record; of an alert that has ended only its record, for the rest no longer holds."""
    report, record = report_of(night, row), rule_record(row, night.frame("track_record"))
    cells: list[tuple[str, str, str]] = []
    if report.chance_word and not row["ended"]:
        cells.append((_("Chance"), report.chance, capital(report.chance_word)))
    if report.event and not row["ended"]:
        cells.append((_("Threshold"), report.threshold, _("persons a month")))
    if report.chance_word and report.window and not row["ended"]:
        cells.append((_("Months"), report.window, _("in any of them")))
    if record is not None:
        cells.append((_("Record"), capital(report.record), events_words(record, lang())))
    if cells:
        with st.grid(len(cells), min_column_width=120):
            for label, value, pill in cells:
                st.metric(label, value, pill or None, delta_color="off", delta_arrow="off")


def show_season(night: Night, row: Row) -> None:
    """The same month in earlier years beside this year's forecast."""
    found = memory.made(night, partial(alert_view.season, night, row), "season", row["key"])
    if found is None:
        return
    past, quantiles, end = found
    title = _("Arrivals, {month} of each year").format(month=lang().month(end, year=False))
    st.markdown(f"### {title}", anchors=False)
    threshold = float(row["threshold"]) if is_known(row["threshold"]) else None
    memory.drawn(night, partial(draw_season, past, quantiles, end.year, threshold), "season's chart", row["key"])
    downloads.figures(
        downloads.export_of(night, f"season-{row['route_id']}", title, season_table(past, quantiles)), title
    )
    st.markdown(
        small(_("Years from {year}: earlier peaks would flatten the rest.").format(year=numbers.FIRST_COMPARED_YEAR))
    )


def draw_season(past: pd.DataFrame, quantiles: pd.DataFrame, year: int, threshold: float | None) -> None:
    """The chart alone."""
    figure = season_bars(past, quantiles, year=year, threshold=threshold, unit=_("Arrivals"), theme=current_theme())
    layout.chart(figure, season_bars_alt(past, quantiles, year=year, threshold=threshold), "season")


def season_table(past: pd.DataFrame, quantiles: pd.DataFrame) -> pd.DataFrame:
    """The figures behind the bars: counted years, then the quantiles of this year's forecast."""
    expected = quantiles.rename(columns={"output_type_id": "quantile"}).round(4)
    return pd.concat([past, expected], ignore_index=True)


def show_record(night: Night, row: Row) -> None:
    """How this rule did at past origins."""
    rows = alert_view.record_rows(row, night.frame("track_record"))
    st.markdown("### " + _("Track record of this rule"), anchors=False)
    if rows.empty:
        none = _("This rule has no track record: it reports what is known, it does not forecast.")
        st.markdown(small(capital(report_of(night, row).record) if is_known(row["probability"]) else none))
        return
    rows.columns = pd.Index([_("Measure"), _("Value"), _("90% interval")])
    st.table(rows, border="horizontal", hide_index=True, alt=_("Track record of this rule with 90% intervals"))


def show_history(night: Night, row: Row, status: AlertStatus) -> None:
    """What happened to the alert."""
    st.markdown("### " + _("History"), anchors=False)
    events = alert_view.history(night, reads.nights(), row, status.rows, status.state)
    if events.empty:
        st.markdown(small(_("Nothing is recorded about this alert yet.")))
        return
    shown = events.map(plain)
    shown.columns = pd.Index([_("When"), _("What"), _("Who")])
    st.table(shown, border="horizontal", hide_index=True, hide_header=True, alt=_("History of this alert"))


show(layout.open_page())
