"""The track record's part on alerts: how often rules were right, beside simple rules, and whether chances hold."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard import _, downloads, lang, layout, named, ngettext, reads, state
from dashboard.charts.models import reliability_alt, reliability_chart
from dashboard.layout import small
from dashboard.reads import Night
from dashboard.theme import current_theme
from reports import rules
from reports.names import RULES

AS_ISSUED = "0"
"""Of the months ahead: an alert as it is issued, about any month of the planning window."""


def show(night: Night, route_id: str) -> None:
    """Everything that past origins say about the alert rules."""
    st.header(_("How often were alerts correct?"), anchor=False)
    found = rules.of_route(night.frame("track_record"), route_id)
    if found.empty:
        st.markdown(small(_("No alert rule has a track record here yet.")))
    else:
        show_rules(night, route_id, found)
    show_rises(night)


def show_rules(night: Night, route_id: str, found: pd.DataFrame) -> None:
    """The rules' record, one of them beside simple rules, and its chances against frequencies."""
    st.markdown(small(rules.spans_words(found, night.frame("alert_thresholds"), lang())))
    horizon = show_horizon(found)
    show_record(night, found[found["horizon"] == horizon], route_id, horizon)
    names = list(dict.fromkeys(found.loc[found["horizon"] > 0, "rule"]))
    if names:
        rule = show_rule(names)
        show_comparison(night, found, route_id, rule, horizon)
        show_reliability(night, rule, horizon)


def show_horizon(found: pd.DataFrame) -> int:
    """Which alerts: as they are issued, or about one month so far ahead."""
    horizons = [str(step) for step in sorted(found["horizon"].astype(int).unique())]
    chosen = state.choice("ahead", horizons, horizons[0])
    st.selectbox(
        _("Alerts about"), horizons, width=320, **state.widget("ahead", chosen),
        format_func=lambda step: (
            _("within three months (alerts as issued)") if step == AS_ISSUED
            else ngettext("the month {n} month ahead", "the month {n} months ahead", int(step)).format(n=step)
        ),
    )  # fmt: skip
    return int(chosen)


def show_record(night: Night, rows: pd.DataFrame, route_id: str, horizon: int) -> None:
    """Each rule and level."""
    table = reads.once(night, partial(rules.record_table, rows, lang()), "record", route_id, horizon)
    alt = _("Track record of each alert rule at past origins")
    st.dataframe(table, hide_index=True, height="content", alt=alt)
    text = _(
        "Came true: of all alerts, of ▲ and graver, of ◆, those followed by the event; looking back: whose finding "
        "still held three months later. By chance: share of calm months, alert or not, that the event followed. "
        "Brackets: 90% interval; lead time: quartiles. Repeats and events under way count neither way, but against "
        "the rule in “of all raised”. More is in the file."
    )
    st.markdown(small(text))
    downloads.buttons(downloads.export_of(night, f"track-record-{horizon}", _("Track record of alert rules"), rows))


def show_rule(names: list[str]) -> str:
    """Which rule is compared."""
    rule = state.choice("rule", names, "surge" if "surge" in names else names[0])
    st.selectbox(_("Rule"), names, width=240, format_func=partial(named, RULES), **state.widget("rule", rule))
    return rule


def show_comparison(night: Night, found: pd.DataFrame, route_id: str, rule: str, horizon: int) -> None:
    """The rule beside what anybody could say without a model."""
    comparison = rules.of_route(night.frame("track_record_comparison"), route_id)
    if comparison.empty:
        return
    at = horizon if horizon in set(comparison["horizon"]) else int(AS_ISSUED)
    find = partial(rules.comparison_table, found, comparison, rule, at, lang())
    table = reads.once(night, find, "comparison", route_id, rule, at)
    title = _("Would a simple rule have done as well?")
    st.markdown(f"### {title}", anchors=False)
    st.dataframe(table, hide_index=True, alt=_("The rule beside simple rules on the same events"))
    text = _(
        "All at the level of a watch, at the same origins and on the same events, each with a cut-off learned in the "
        "same way."
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
    title = _("Are the probabilities reliable? All routes")
    st.markdown(f"### {title}", anchors=False)

    def draw() -> None:
        layout.chart(reliability_chart(bins, theme=current_theme()), reliability_alt(bins), "reliability")

    reads.drawn_once(night, draw, "reliability", rule, horizon)
    downloads.figures(downloads.export_of(night, f"reliability-{rule}-{horizon}", title, bins), title)


def show_rises(night: Night) -> None:
    """What would have been said before documented rises."""
    rises = night.frame("documented_rises")
    if rises.empty:
        return
    title = _("What would have been said before documented rises?")
    st.header(title, anchor=False)
    table = reads.once(night, partial(rules.rises_table, rises, lang()), "rises")
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
