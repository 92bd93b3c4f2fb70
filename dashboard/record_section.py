"""The part of the Evaluation page about alerts: their record, simple rules beside it, chances, documented rises."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard import downloads, layout, memory, record_view, state
from dashboard.charts.calibration import reliability_alt, reliability_chart
from dashboard.i18n import _, ngettext
from dashboard.layout import small
from dashboard.names import rule_name
from dashboard.reads import Night
from dashboard.theme import current_theme

AS_ISSUED = "0"


def show(night: Night, route_id: str) -> None:
    """Everything that past origins say about the alert rules."""
    st.header(_("Were the alerts right?"), anchor=False)
    everywhere = night.frame("track_record")
    record = record_view.of_route(everywhere, route_id)
    if record.empty:
        st.markdown(small(_("No alert rule has a track record here yet.")))
        return
    st.markdown(small(record_view.spans_words(record, night.frame("alert_thresholds"))))
    horizon = show_horizon(record)
    show_record(night, record[record["horizon"] == horizon], route_id, horizon)
    rules = record_view.forecast_rules(record)
    if rules:
        rule = show_rule(rules)
        show_comparison(night, record, route_id, rule, horizon)
        show_reliability(night, rule, horizon)
    show_rises(night)


def show_horizon(record: pd.DataFrame) -> int:
    """Which alerts: as they are issued, or about one month so far ahead."""
    horizons = [str(step) for step in sorted(record["horizon"].astype(int).unique())]
    chosen = state.choice("ahead", horizons, horizons[0])
    st.selectbox(
        _("Alerts about"),
        horizons,
        width=240,
        format_func=lambda step: (
            _("any of three months, as issued")
            if step == AS_ISSUED
            else ngettext("the month {n} month ahead", "the month {n} months ahead", int(step)).format(n=step)
        ),
        **state.widget("ahead", chosen),
    )
    return int(chosen)


def show_record(night: Night, rows: pd.DataFrame, route_id: str, horizon: int) -> None:
    """Each rule and level."""
    table = memory.made(night, partial(record_view.record_table, rows), "record", route_id, horizon)
    st.dataframe(table, hide_index=True, alt=_("Track record of each alert rule at past origins"))
    text = _(
        "Right: share of alerts after which the event came; for rules that look back, share whose finding still held "
        "three months later. Comes anyway: share of calm months with the event, alert or not. Brackets: 90% interval "
        "from a block bootstrap over past origins, no narrower than the number of cases allows; notice: quartiles."
    )
    st.markdown(small(text))
    downloads.buttons(downloads.export_of(night, f"track-record-{horizon}", _("Track record of alert rules"), rows))


def show_rule(rules: list[str]) -> str:
    """Which rule is compared."""
    rule = state.choice("rule", rules, "surge" if "surge" in rules else rules[0])
    st.selectbox(_("Rule"), rules, width=240, format_func=rule_name, **state.widget("rule", rule))
    return rule


def show_comparison(night: Night, record: pd.DataFrame, route_id: str, rule: str, horizon: int) -> None:
    """The rule beside what anybody could say without a model."""
    comparison = record_view.of_route(night.frame("track_record_comparison"), route_id)
    if comparison.empty:
        return
    at = horizon if horizon in set(comparison["horizon"]) else int(AS_ISSUED)
    find = partial(record_view.comparison_table, record, comparison, rule, at)
    table = memory.made(night, find, "comparison", route_id, rule, at)
    title = _("Would a simple rule have done as well?")
    st.markdown(f"### {title}", anchors=False)
    st.dataframe(table, hide_index=True, alt=_("The rule beside simple rules on the same events"))
    text = _(
        "All at the level of a watch, at the same origins and on the same events, each with a cut-off learned in the "
        "same way. A control chart and an extreme are no chances, so they have no Brier skill."
    )
    st.markdown(small(text))
    rows = comparison[(comparison["against"] == rule) & (comparison["horizon"] == at)]
    downloads.buttons(downloads.export_of(night, f"comparison-{rule}-{at}", title, rows))


def show_reliability(night: Night, rule: str, horizon: int) -> None:
    """Chances against frequencies, all routes."""
    bins = night.frame("alert_reliability")
    if bins.empty:
        return
    bins = bins[(bins["rule"] == rule) & (bins["horizon"] == horizon)]
    if bins.empty:
        return
    title = _("Do the chances mean what they say? All routes")
    st.markdown(f"### {title}", anchors=False)
    memory.drawn(night, partial(draw_reliability, bins), "reliability", rule, horizon)
    downloads.figures(downloads.export_of(night, f"reliability-{rule}-{horizon}", title, bins), title)


def draw_reliability(bins: pd.DataFrame) -> None:
    """The chart alone."""
    layout.chart(reliability_chart(bins, theme=current_theme()), reliability_alt(bins), "reliability")


def show_rises(night: Night) -> None:
    """What would have been said before documented rises."""
    rises = night.frame("documented_rises")
    if rises.empty:
        return
    title = _("What would have been said before documented rises?")
    st.markdown(f"### {title}", anchors=False)
    table = memory.made(night, partial(record_view.rises_table, rises), "rises")
    link = {_("Source"): st.column_config.LinkColumn(_("Source"), display_text=_("read"))}
    st.dataframe(table, hide_index=True, column_config=link, alt=title)
    text = _(
        "Chance said so many months before that the month would be at least 1.5 times the mean of the year before, "
        "with what was known then. ● watch, ▲ warning, ◆ severe at the frozen cut-off. The rises come from the public "
        "record, "
        "not from these figures. Frontex’s counts may not be passed on: of them only chances and months are kept."
    )
    st.markdown(small(text))
    downloads.buttons(downloads.export_of(night, "documented-rises", title, rises))
