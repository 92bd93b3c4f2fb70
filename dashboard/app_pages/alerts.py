"""Alerts: the list, parted by what it asks of the reader, and one alert in detail."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pandas as pd
import streamlit as st

from alerts.lifecycle import DISMISSED
from core.routes import in_order
from core.schema import ALL
from dashboard import alert_detail, alert_view, decisions, downloads, inbox, layout, reads, state
from dashboard.alert_view import DECIDED, INFORMS, OVER, WAITS
from dashboard.i18n import _, lang, named, ngettext
from dashboard.inbox import AlertStatus
from dashboard.layout import plain, small
from dashboard.reads import Night
from dashboard.theme import LEVELS, level_badge, level_label
from reports.alert import alert_file, status_words
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
    alerts = alert_view.grouped(alerts, {name: one.state.status for name, one in statuses.items()})
    st.title(title(alerts, is_newest=decisions.is_newest(night)), anchor=False)
    # On a phone the list and the detail are two views: which one, the address says.
    is_chosen = "alert" in st.query_params
    with st.container(key="alerts-chosen" if is_chosen else "alerts-all"):
        if is_chosen:
            back = _("All alerts")
            st.button(f"← {back}", key="all-alerts", type="tertiary", on_click=partial(state.write, "alert", None))
        chosen = show_filters(alerts)
        if chosen.empty:
            none = _("No alert matches these filters.") if len(alerts) else _("No alert in this release.")
            st.markdown(small(none))
        else:
            left, detail = st.columns([1, 1.7], gap="medium")
            with left, st.container(key="alerts-list", gap="xsmall"):
                row = show_list(night, chosen, statuses)
            with detail, st.container(border=True, key="alert-detail"):
                alert_detail.show(night, row, statuses[row["alert_id"]])
    st.markdown(small(uses(lang())))
    if len(alerts):
        shown = alert_file(alerts.drop(columns=["key", "group"]), night.frame("track_record"), lang())
        downloads.buttons(downloads.export_of(night, "alerts", _("Alerts"), shown))


def title(alerts: pd.DataFrame, *, is_newest: bool = True) -> str:
    """How many alerts wait for somebody; of a release that is not the newest, how many did when it was."""
    waiting, decided = (int((alerts["group"] == group).sum()) for group in (WAITS, DECIDED))
    if waiting and not is_newest:
        text = ngettext(
            "{n} alert was still waiting for sign-off", "{n} alerts were still waiting for sign-off", waiting
        )
        return text.format(n=waiting)
    if waiting:
        return ngettext("{n} alert waits for sign-off", "{n} alerts wait for sign-off", waiting).format(n=waiting)
    if decided:
        return ngettext("{n} open alert, decided on", "{n} open alerts, all decided on", decided).format(n=decided)
    return _("No alert is open")


def show_filters(alerts: pd.DataFrame) -> pd.DataFrame:
    """Which groups, levels, route."""
    counts = alerts["group"].value_counts()

    def count(*groups: str) -> int:
        return int(sum(counts.get(group, 0) for group in groups))

    words = {
        "all": _("All"),
        "waiting": _("To decide ({n})").format(n=count(WAITS)),
        "open": _("Open ({n})").format(n=count(WAITS, DECIDED)),
        "context": _("For information ({n})").format(n=count(INFORMS)),
        "ended": _("Ended ({n})").format(n=count(OVER, DISMISSED)),
    }
    show_which = state.choice("show", tuple(words), "all")
    levels = state.many("levels", HEADING_LEVELS)
    routes = [ALL, *in_order(alerts["route_id"])]
    route_id = state.choice("on", routes, ALL)
    with st.container(key="alert-filters", horizontal=True, vertical_alignment="center", gap="small"):
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


def show_list(night: Night, chosen: pd.DataFrame, statuses: Mapping[str, AlertStatus]) -> Row:
    """The list of alerts, group by group; returns the one that is picked."""
    heads = {
        WAITS: _("Wait for sign-off"),
        DECIDED: _("Open, decided on"),
        INFORMS: _("For information: nothing to decide"),
        DISMISSED: _("Dismissed"),
        OVER: _("Ended"),
    }
    rows = {row["key"]: row for row in chosen.to_dict("records")}
    key = state.choice("alert", tuple(rows), next(iter(rows)), always="alert" in st.query_params)
    group = ""
    for name, row in rows.items():
        if row["group"] != group:
            group = row["group"]
            st.markdown(f"## {heads[group]}", anchors=False)
        with st.container(border=name == key, gap=None, key=f"listed-{name}"):
            st.button(
                list_label(night, row),
                key=f"open:{name}",
                type="tertiary",
                width="stretch",
                on_click=partial(state.write, "alert", name),
            )
            st.markdown(small(list_caption(night, row, statuses[row["alert_id"]])))
    return rows[key]


def list_label(night: Night, row: Row) -> str:
    """Badge, subject and rule of one alert."""
    subject = plain(subject_name(row, night.sources(), lang()))
    return f"{badge(row)} **{subject}** {small(named(RULES, row['rule']))}"


def badge(row: Row) -> str:
    """The level as it stands: grey where it is over or was dismissed, blue where it only informs."""
    if row["group"] == DISMISSED:
        return ":gray-badge[" + _("Dismissed") + "]"
    if row["group"] == INFORMS:
        return ":blue-badge[" + _("Information") + "]"
    return level_badge("ended" if row["group"] == OVER else row["alert_level"])


def list_caption(night: Night, row: Row, status: AlertStatus) -> str:
    """Chance, state and change of one alert in one line; what is over has no chance any more."""
    parts = []
    if row["group"] in {WAITS, DECIDED}:
        parts += [alert_detail.report_of(night, row).chance_of, status_words(status.state, lang())]
        former = reads.night(night.previous) if night.previous else None
        change = change_since(row, night.frame("alerts"), former.frame("alerts") if former else None)
        parts.append(change_words(change, lang()))
    elif row["group"] == OVER:
        parts.append(_("was {level}").format(level=level_label(row["alert_level"])))
    if status.state.objections:
        count = len(status.state.objections)
        parts.append(ngettext("{n} open objection", "{n} open objections", count).format(n=count))
    return plain(" · ".join(part for part in parts if part))


show(layout.open_page())
