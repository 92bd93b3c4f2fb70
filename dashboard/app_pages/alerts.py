"""Alerts: the inbox, one alert in detail, and what people did about it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from alerts.own_record import record_of
from core.errors import VigieError
from core.routes import ROUTES
from core.schema import ALL
from dashboard import alert_view, headlines, layout, numbers, purpose, reads, state, summaries
from dashboard.charts.season_bars import season_bars, season_bars_alt
from dashboard.headlines import Row
from dashboard.i18n import _, ngettext
from dashboard.layout import plain, small
from dashboard.names import rule_name
from dashboard.reads import Night
from dashboard.summaries import known
from dashboard.theme import LEVELS, current_theme, level_badge, level_label
from store.journal import Entry

HEADING_LEVELS = LEVELS[::-1]
LONGEST_NAME, LONGEST_REASON = 80, 1000


def show(night: Night) -> None:
    """The page."""
    alerts = alert_view.all_alerts(night)
    if said := st.session_state.pop("said", ""):
        st.toast(said)
    st.title(title(alerts), anchor=False)
    chosen = show_filters(alerts)
    if chosen.empty:
        st.markdown(small(_("No alert matches these filters.") if len(alerts) else _("This release holds no alert.")))
    else:
        inbox, detail = st.columns([1, 1.7], gap="medium")
        with inbox:
            row = show_inbox(night, chosen)
        with detail, st.container(border=True):
            show_detail(night, row)
    show_purpose()
    if len(alerts):
        layout.downloads(layout.export_of(night, "alerts", _("Alerts"), alerts.drop(columns="key")))


def title(alerts: pd.DataFrame) -> str:
    """How many alerts wait for somebody."""
    opened = alerts[~alerts["ended"].astype(bool)]
    if opened.empty:
        return _("No alert is open")
    waiting = len(opened) - sum(is_acknowledged(alert_id) for alert_id in opened["alert_id"])
    if waiting == 0:
        return ngettext("{n} open alert, acknowledged", "{n} open alerts, all acknowledged", len(opened)).format(
            n=len(opened)
        )
    return ngettext("{n} alert waits for acknowledgement", "{n} alerts wait for acknowledgement", waiting).format(
        n=waiting
    )


def is_acknowledged(alert_id: str) -> bool:
    """Whether somebody has acknowledged an alert."""
    return any(entry.action == "acknowledged" for entry in entries(alert_id))


def entries(alert_id: str) -> list[Entry]:
    """What people did about an alert; nothing where the journal cannot be opened (the form says so)."""
    try:
        return reads.journal_entries(alert_id)
    except VigieError:
        return []


def show_filters(alerts: pd.DataFrame) -> pd.DataFrame:
    """Open or ended, levels, route."""
    ended = int(alerts["ended"].sum())
    counts = {"open": len(alerts) - ended, "ended": ended, "all": len(alerts)}
    words = {
        "open": _("Open ({n})").format(n=counts["open"]),
        "ended": _("Ended ({n})").format(n=counts["ended"]),
        "all": _("All"),
    }
    show_which = state.choice("show", tuple(words), "all")
    levels = state.many("levels", HEADING_LEVELS)
    routes = [ALL, *[route_id for route_id in ROUTES if route_id in set(alerts["route_id"])]]
    route_id = state.choice("on", routes, ALL)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            _("Which alerts"), list(words), format_func=words.__getitem__, required=True,
            label_visibility="collapsed", **state.widget("show", show_which),
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


def show_inbox(night: Night, chosen: pd.DataFrame) -> Row:
    """The list of alerts; returns the one that is picked."""
    rows = {row["key"]: row for row in chosen.to_dict("records")}
    key = state.choice("alert", tuple(rows), next(iter(rows)))
    with st.container(border=True):
        st.radio(
            _("Alerts"),
            list(rows),
            format_func=lambda name: inbox_label(night, rows[name]),
            captions=[inbox_caption(night, row) for row in rows.values()],
            label_visibility="collapsed",
            **state.widget("alert", key),
        )
    return rows[key]


def inbox_label(night: Night, row: Row) -> str:
    """Badge, subject and rule of one alert. Streamlit tells options apart by their labels: no two may be the same."""
    level = "ended" if row["ended"] else row["alert_level"]
    subject = plain(headlines.subject_name(night, row))
    return f"{level_badge(level)} **{subject}** {small(rule_name(row['rule']))}"


def inbox_caption(night: Night, row: Row) -> str:
    """Chance, state and change of one alert in one line."""
    parts: list[str] = []
    if known(row["probability"]) and known(row["threshold"]):
        text = _("{chance} to pass {threshold}")
        chance, threshold = numbers.percent(row["probability"]), numbers.observed(row["threshold"])
        parts.append(text.format(chance=chance, threshold=threshold))
    if row["ended"]:
        parts.append(_("ended"))
    else:
        parts.append(_("acknowledged") if is_acknowledged(row["alert_id"]) else _("waits for acknowledgement"))
        former = reads.night(night.previous) if night.previous else None
        before = former.frame("alerts") if former else pd.DataFrame(columns=["route_id", "rule", "alert_level"])
        parts.append(headlines.change_words(row, before))
    return " · ".join(parts)


def show_detail(night: Night, row: Row) -> None:
    """One alert: what, how likely, how sure, why, and its history."""
    level = "ended" if row["ended"] else row["alert_level"]
    st.markdown(f"### {plain(headlines.subject_name(night, row))}", anchors=False)
    st.markdown(f"{level_badge(level)} {plain(headlines.reason(row))}")
    show_numbers(night, row)
    chart, why = st.columns([1.7, 1], gap="medium")
    with chart:
        show_season(night, row)
    with why:
        st.markdown(f"##### {_('Why')}", anchors=False)
        st.markdown("\n".join(f"- {plain(text)}" for text in alert_view.reasons(night, row)))
    show_record(night, row)
    show_history(night, row)
    if not row["ended"]:
        show_form(night, row)


def show_numbers(night: Night, row: Row) -> None:
    """Chance, threshold, lead time, record."""
    found = record_of(row, night.frame("track_record"))
    cells: list[tuple[str, str, str]] = []
    if known(row["probability"]):
        word = headlines.chance_means({**row, "threshold": float("nan")}).replace("*", "")
        cells.append((_("Chance"), numbers.percent(row["probability"]), word))
    if known(row["threshold"]):
        cells.append((_("Threshold"), numbers.observed(row["threshold"]), _("persons a month")))
    if when := headlines.lead_words(row, night.as_of):
        last = pd.Period(row["last_period"], "M").to_timestamp()
        cells.append((_("Lead time"), when, _("to {month}").format(month=numbers.month_name(last))))
    if found is not None:
        share = numbers.times_in_ten(float(found["precision"]))
        events = ngettext("{n} past event", "{n} past events", int(found["n_events"])).format(n=int(found["n_events"]))
        where = _("{events}, all routes").format(events=events) if found["route_id"] == ALL else events
        cells.append((_("Right"), share, where))
    if cells:
        with st.grid(len(cells), min_column_width=120):
            for label, value, pill in cells:
                st.metric(label, value, pill or None, delta_color="off", delta_arrow="off")


def show_season(night: Night, row: Row) -> None:
    """The same month in earlier years beside this year's forecast."""
    found = alert_view.season(night, row)
    if found is None:
        return
    past, quantiles, end = found
    month = numbers.month_name(end, year=False)
    st.markdown("##### " + _("Arrivals, {month} of each year").format(month=month), anchors=False)
    threshold = float(row["threshold"]) if known(row["threshold"]) else None
    figure = season_bars(past, quantiles, year=end.year, threshold=threshold, unit=_("Arrivals"), theme=current_theme())
    layout.chart(figure, season_bars_alt(past, quantiles, year=end.year, threshold=threshold), "season")
    title = _("Arrivals, {month} of each year").format(month=month)
    layout.figures(layout.export_of(night, f"season-{row['route_id']}", title, season_table(past, quantiles)), title)
    st.markdown(
        small(_("Years from {year}: earlier peaks would flatten the rest.").format(year=summaries.FIRST_COMPARED_YEAR))
    )


def season_table(past: pd.DataFrame, quantiles: pd.DataFrame) -> pd.DataFrame:
    """The figures behind the bars: counted years, then the quantiles of this year's forecast."""
    expected = quantiles.rename(columns={"output_type_id": "quantile"}).round(4)
    return pd.concat([past, expected], ignore_index=True)


def show_record(night: Night, row: Row) -> None:
    """How this rule did at past origins."""
    rows = alert_view.record_rows(row, night.frame("track_record"))
    st.markdown(f"##### {_('Track record of this rule')}", anchors=False)
    if rows.empty:
        st.markdown(small(_("This rule has no track record: it reports what is known, it does not forecast.")))
        return
    rows.columns = pd.Index([_("Measure"), _("Value"), _("90% interval")])
    st.table(rows, border="horizontal", hide_index=True, alt=_("Track record of this rule with 90% intervals"))


def show_history(night: Night, row: Row) -> None:
    """What happened to the alert."""
    st.markdown(f"##### {_('History')}", anchors=False)
    events = alert_view.history(night, reads.nights(), row, entries(row["alert_id"]))
    if events.empty:
        st.markdown(small(_("Nothing is recorded about this alert yet.")))
        return
    shown = events.map(plain)
    shown.columns = pd.Index([_("When"), _("What"), _("Who")])
    st.table(shown, border="horizontal", hide_index=True, hide_header=True, alt=_("History of this alert"))


def show_form(night: Night, row: Row) -> None:
    """Acknowledge or comment: one row is added to the journal, none is ever changed."""
    st.markdown(f"##### {_('Acknowledge or comment')}", anchors=False)
    with st.form("act", border=False, clear_on_submit=True):
        name = st.text_input(_("Your name"), max_chars=LONGEST_NAME, autocomplete="name")
        reason = st.text_area(_("Reason"), max_chars=LONGEST_REASON, height=80)
        with st.container(horizontal=True):
            acknowledged = st.form_submit_button(_("Acknowledge"), type="primary")
            commented = st.form_submit_button(_("Comment"))
    st.markdown(small(_("Name, time and reason are kept for good in the journal.")))
    if not (acknowledged or commented):
        return
    if not name.strip() or not reason.strip():
        st.error(_("Give your name and a reason: both are kept with the decision."))
        return
    action = "acknowledged" if acknowledged else "commented"
    try:
        reads.journal().record(Entry(name.strip(), action, row["alert_id"], night.run_id, reason.strip()))
    except VigieError as error:
        st.error(plain(_("Not recorded: {error}").format(error=error)))
        return
    st.session_state["said"] = _("Recorded in the journal")
    st.rerun()


def show_purpose() -> None:
    """What alerts are for, and what nobody may do with them."""
    uses = "; ".join(purpose.prohibited_uses())
    st.markdown(small(f"{purpose.intended_use()} " + _("Not to be used for: {uses}.").format(uses=uses)))


show(layout.open_page())
