"""One alert, answering itself: chance month by month, record, end, what people decided, and why."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from alerts.lifecycle import DISMISSED, ENDED
from core.languages import capital, is_known
from dashboard import alert_view, downloads, inbox, layout, memory, reads, state
from dashboard.alert_view import OVER
from dashboard.charts.seasons import season_bars, season_bars_alt
from dashboard.i18n import _, lang, named
from dashboard.inbox import AlertStatus
from dashboard.layout import plain, small
from dashboard.reads import Night
from dashboard.theme import current_theme
from reports import answer, numbers
from reports.alert import CONTEXT, AlertReport, alert_report, events_words, rule_record
from reports.names import RULES, subject_name
from reports.release import Row


def report_of(night: Night, row: Row) -> AlertReport:
    """What the release says about an alert; ``ended`` where it no longer stands."""
    record = rule_record(row, night.frame("track_record"))
    return alert_report(row, record, lang(), over=ENDED if row["ended"] else "")


def show(night: Night, row: Row, status: AlertStatus) -> None:
    """One alert, top to bottom."""
    is_newest = night.run_id == reads.newest_run_id()
    decides = is_newest and not row["ended"] and row["rule"] not in CONTEXT
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.header(plain(subject_name(row, night.sources(), lang())), anchor=False, width="content")
        if decides:
            inbox.show_actions(row, status.state)
    # What comes and goes has a place of its own, so that what stands below keeps its.
    with st.container():
        inbox.show_form(night, row, is_newest=is_newest)
    report = report_of(night, row)
    colour = "gray" if row["group"] in {OVER, DISMISSED} else "blue" if row["rule"] in CONTEXT else ""
    said = plain(report.sentence)
    if row["group"] == DISMISSED:
        st.markdown(f":gray-badge[{_('Dismissed')}] :gray[{plain(report.badge)} · {said}]")
    else:
        st.markdown(f":{colour}[{said}]" if colour else f"**{report.badge}** · {said}")
    if row["rule"] not in CONTEXT and not row["ended"]:
        signed = answer.sign_off_words(status.state, lang())
        until = answer.needed_by(row, night.as_of, lang())
        line = " · ".join(capital(text) for text in (signed, until if signed else "") if text)
        st.markdown(small(plain(line)))
    if not is_newest:
        text = _("As known and decided up to {day}; what was decided later is not shown.")
        st.markdown(small(text.format(day=lang().day(night.as_of))))
    with st.container():
        inbox.show_objections(night, row, status.state, is_newest=is_newest)
    key = (row["key"], row["alert_level"])
    asks, chart = st.columns([1, 1.25], gap="medium")
    with asks:
        memory.drawn(night, partial(show_answer, night, row), "alert's answer", *key)
        memory.drawn(night, partial(show_reasons, night, row), "alert's reasons", *key)
    with chart:
        if not row["ended"]:
            show_season(night, row)
    show_history(night, row, status)
    if st.toggle(
        _("Track record in detail"),
        **state.widget("record", state.switch("record"), lambda on: "1" if on else None),
    ):
        memory.drawn(night, partial(show_record, night, row), "alert's record", *key)
    inbox.show_notes(night, row, is_newest=is_newest)


def show_answer(night: Night, row: Row) -> None:
    """Each month of the window with threshold and chance, any of them, the record and what would end it."""
    said = answer.answer(row, night, lang())
    if said.any_month and not row["ended"]:
        months = [*said.months, (f"**{said.any_month[0]}**", "", f"**{said.any_month[1]}**")]
        table = pd.DataFrame(months, columns=[_("Month"), _("Threshold"), _("Chance")])
        with st.container(key="numbers-window"):
            st.table(table, border="horizontal", hide_index=True, alt=_("Chance in each month of the alert’s window"))
    lines = [said.record] if said.record else []
    if not row["ended"]:
        lines.append(said.ends)
    record = rule_record(row, night.frame("track_record"))
    if record is not None and said.record:
        lines.append(small(plain(events_words(record, lang()))))
    st.markdown("  \n".join(plain(line) if not line.startswith(":small") else line for line in lines))


def show_reasons(night: Night, row: Row) -> None:
    """Facts that stand behind the alert."""
    st.markdown("### " + _("Why"), anchors=False)
    st.markdown("\n".join(f"- {plain(text)}" for text in alert_view.reasons(night, row)))


def show_season(night: Night, row: Row) -> None:
    """The first likely month in earlier years beside this year's forecast."""
    found = memory.made(night, partial(alert_view.season, night, row), "season", row["key"])
    if found is None:
        return
    past, quantiles, end = found
    title = _("Arrivals in {month} of each year").format(month=lang().month(end, year=False))
    st.markdown(f"### {title}", anchors=False)
    threshold = float(row["threshold"]) if is_known(row["threshold"]) else None
    memory.drawn(night, partial(draw_season, past, quantiles, end.year, threshold), "season's chart", row["key"])
    downloads.figures(
        downloads.export_of(night, f"season-{row['route_id']}", title, season_table(past, quantiles)), title
    )
    history = numbers.series_of(night.frame("observations"), row["series_id"])
    which = _("The first month whose chance is at least half of the likeliest one’s.")
    st.markdown(small(f"{which} {layout.since_words(history['end_date'])}".rstrip()))


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
        none = _("This rule reports what is known; it has no track record at this level.")
        st.markdown(small(capital(report_of(night, row).record) if is_known(row["probability"]) else none))
        return
    st.markdown(small(plain(_("Rule: {rule}.").format(rule=named(RULES, row["rule"])))))
    rows.columns = pd.Index([_("Measure"), _("Value"), _("90% interval")])
    st.table(rows, border="horizontal", hide_index=True, alt=_("Track record of this rule with 90% intervals"))


def show_history(night: Night, row: Row, status: AlertStatus) -> None:
    """What happened to the alert, and what people decided."""
    st.markdown("### " + _("What happened and who decided"), anchors=False)
    events = alert_view.history(night, reads.nights(), row, status.rows, status.state)
    if events.empty:
        st.markdown(small(_("Nothing is recorded about this alert yet.")))
        return
    shown = events.map(plain)
    shown.columns = pd.Index([_("When"), _("What"), _("Who")])
    st.table(shown, border="horizontal", hide_index=True, hide_header=True, alt=_("History of this alert"))
