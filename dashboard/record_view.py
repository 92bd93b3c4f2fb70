"""The record of the alert rules in the shape in which pages show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from alerts import LEVELS
from alerts.verification import FEWEST_EVENTS, precision_cases, precision_of_all
from core.languages import NOTHING, Language, is_known
from core.schema import ALL
from dashboard import _, downloads, lang, language, layout, named, ngettext, reads, state
from dashboard.charts.calibration import reliability_alt, reliability_chart
from dashboard.layout import small
from dashboard.reads import Night
from dashboard.theme import current_theme, level_label
from reports import Row
from reports.names import COMPARED_RULES, RULES

AS_ISSUED = "0"
"""Of the months ahead: an alert as it is issued, about any month of the planning window."""


def record_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Each rule's record with its intervals as text; a share of too few cases says so instead."""
    records = rows.assign(_order=rows["level"].map({name: place for place, name in enumerate(LEVELS)}))
    records = records.sort_values(["rule", "horizon", "_order"], kind="stable")
    table = records.to_dict("records")
    return pd.DataFrame(
        {
            _("Rule"): [named(RULES, row["rule"]) for row in table],
            _("Level"): [level_label(row["level"]) if row["level"] in LEVELS else _("all") for row in table],
            _("Months ahead"): [months_words(row) for row in table],
            **_measured(table),
        }
    )


def comparison_table(record: pd.DataFrame, comparison: pd.DataFrame, rule: str, horizon: int) -> pd.DataFrame:
    """One rule beside the simple rules, at its mildest level, on the same events."""
    own = record[(record["rule"] == rule) & (record["horizon"] == horizon) & (record["level"] == LEVELS[0])]
    beside = comparison[
        (comparison["against"] == rule) & (comparison["horizon"] == horizon) & (comparison["level"] == LEVELS[0])
    ]
    table = [*own.to_dict("records"), *beside.to_dict("records")]
    names = [_("Vigie")] * len(own) + [named(COMPARED_RULES, str(name)) for name in beside["rule"]]
    return pd.DataFrame({_("Source"): names, **_measured(table)})


def months_words(row: Row) -> str:
    """How far ahead a row's alerts looked."""
    if int(row["horizon"]):
        return str(int(row["horizon"]))
    return _("any, as issued") if is_known(row["cutoff"]) or is_known(row["auc"]) else _("looks back")


def spans_words(record: pd.DataFrame, thresholds: pd.DataFrame) -> str:
    """On which origins cut-offs were learned and alerts were counted, and what a false alarm costs."""
    if "judged_from" not in record or thresholds.empty or record.empty:
        return ""
    ahead = record[record["horizon"] > 0]
    if ahead.empty:
        return ""
    row = ahead.iloc[0]
    judged = [lang().month(pd.Period(row[name], "M").to_timestamp()) for name in ("judged_from", "judged_to")]
    ratio = lang().decimal(float(thresholds["cost_loss_ratio"].iloc[0]), 2)
    cost = _("A false alarm is taken to cost {ratio} of a missed event.")
    counted = _("Alerts are counted at the origins {first} to {last}.").format(first=judged[0], last=judged[1])
    parts = [cost.format(ratio=ratio), counted]
    if row["trained_from"]:
        trained = [lang().month(pd.Period(row[name], "M").to_timestamp()) for name in ("trained_from", "trained_to")]
        text = _("Cut-offs were learned before, at {first} to {last}, and then frozen.")
        parts.insert(1, text.format(first=trained[0], last=trained[1]))
    return " ".join(parts)


def rises_table(rises: pd.DataFrame) -> pd.DataFrame:
    """Documented rises: the chance said 6, 3 and 1 months before, and the first alert."""
    rows = []
    for (_event, basis), said in rises.groupby(["event_id", "basis"], sort=False):
        first = Language(language()).record(said.iloc[0].to_dict())
        by_horizon = said.set_index("horizon")
        alerted = said[said["level"] != ""]
        rows.append(
            {
                _("Rise"): first["title"],
                **{_("{n} before").format(n=step): _chance(by_horizon, step) for step in (6, 5, 4, 3, 2, 1)},
                _("First alert"): _first(alerted),
                _("Outcome"): _occurred(by_horizon),
                _("Figures"): _basis(str(basis)),
                _("Source"): first["url"],
                _("What happened"): first["what"],
            }
        )
    return pd.DataFrame(rows)


def few(count: float) -> bool:
    """Whether so few cases say little."""
    return is_known(count) and count < FEWEST_EVENTS


def _chance(by_horizon: pd.DataFrame, step: int) -> str:
    rows = by_horizon[by_horizon.index == step]
    if rows.empty or not is_known(float(rows["chance"].iloc[0])):
        return NOTHING
    mark = {"watch": " ●", "warning": " ▲", "severe": " ◆"}.get(str(rows["level"].iloc[0]), "")
    return lang().percent(float(rows["chance"].iloc[0])) + mark


def _first(alerted: pd.DataFrame) -> str:
    if alerted.empty:
        return _("none")
    row = alerted.sort_values("horizon").iloc[-1]
    return lang().month(pd.Period(row["origin"], "M").to_timestamp())


def _occurred(by_horizon: pd.DataFrame) -> str:
    occurred = by_horizon["came"].dropna()
    if occurred.empty:
        return NOTHING
    return _("far above the mean") if bool(occurred.max()) else _("not far above the mean")


def _basis(basis: str) -> str:
    names = {"arrivals": _("arrivals"), "detections": _("Frontex detections, chances only")}
    return names.get(basis, _("no figures"))


def _measured(table: Sequence[Row]) -> dict[str, list[str]]:
    return {
        _("Foretold an onset"): [_share(row, "precision", precision_cases(row)) for row in table],
        _("Of all raised"): [lang().share(precision_of_all(row)) for row in table],
        _("Events seen"): [_share(row, "recall", float(row["n_events"])) for row in table],
        _("False alarms per route per year"): [
            _between(row, "false_alarms_per_route_year", partial(lang().decimal, digits=1)) for row in table
        ],
        _("Lead time, months"): [_quartiles(row) for row in table],
        _("Brier skill"): [_between(row, "brier_skill", lang().decimal) for row in table],
        _("AUC"): [_between(row, "auc", lang().decimal) for row in table],
        _("Base rate"): [lang().share(row["base_rate"]) for row in table],
        _("Cut-off"): [_cutoff(row) for row in table],
        _("Alerts"): [lang().counted(row["n_alerts"]) for row in table],
        _("Repeats"): [lang().counted(row["n_repeats"]) for row in table],
        _("No onset"): [lang().counted(row["n_no_onset"]) for row in table],
        _("Events"): [lang().counted(row["n_events"]) for row in table],
    }


def _share(row: Row, name: str, cases: float) -> str:
    if not is_known(row[name]):
        return NOTHING
    text = _between(row, name, lang().share)
    return _("{text}, too few to say").format(text=text) if few(cases) else text


def _between(row: Row, name: str, write: Callable[[float], str]) -> str:
    value, low, high = (float(row.get(name + end, float("nan"))) for end in ("", "_lo", "_hi"))
    if not is_known(value):
        return NOTHING
    return f"{write(value)} ({write(low)}–{write(high)})" if is_known(low) and is_known(high) else write(value)


def _quartiles(row: Row) -> str:
    low, middle, high = (float(row.get(f"lead_months_{name}", float("nan"))) for name in ("q25", "median", "q75"))
    if not is_known(middle):
        return NOTHING
    return f"{months(middle)} ({months(low)}–{months(high)})" if is_known(low) and is_known(high) else months(middle)


def months(value: float) -> str:
    """A number of months, without a decimal where it has none."""
    return lang().counted(value) if float(value).is_integer() else lang().decimal(value, 1)


def _cutoff(row: Row) -> str:
    value = float(row["cutoff"])
    if not is_known(value):
        return NOTHING
    return lang().decimal(value, 2) if str(row["rule"]).startswith("compare.") else lang().percent(value)


def of_route(frame: pd.DataFrame, route_id: str) -> pd.DataFrame:
    """Rows of one route, or of all of them together."""
    return frame[frame["route_id"] == (route_id or ALL)] if len(frame) else frame


def show(night: Night, route_id: str) -> None:
    """Everything that past origins say about the alert rules."""
    st.header(_("How often were alerts correct?"), anchor=False)
    everywhere = night.frame("track_record")
    record = of_route(everywhere, route_id)
    if record.empty:
        st.markdown(small(_("No alert rule has a track record here yet.")))
        return
    st.markdown(small(spans_words(record, night.frame("alert_thresholds"))))
    horizon = show_horizon(record)
    show_record(night, record[record["horizon"] == horizon], route_id, horizon)
    rules = list(dict.fromkeys(record.loc[record["horizon"] > 0, "rule"])) if len(record) else []
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
            _("within three months (alerts as issued)")
            if step == AS_ISSUED
            else ngettext("the month {n} month ahead", "the month {n} months ahead", int(step)).format(n=step)
        ),
        **state.widget("ahead", chosen),
    )
    return int(chosen)


def show_record(night: Night, rows: pd.DataFrame, route_id: str, horizon: int) -> None:
    """Each rule and level."""
    table = reads.once(night, partial(record_table, rows), "record", route_id, horizon)
    st.dataframe(table, hide_index=True, alt=_("Track record of each alert rule at past origins"))
    text = _(
        "Foretold an onset (hit rate): share of alerts followed by the event; looking back: whose finding still held "
        "three months later. Of all raised: repeats and alerts about no onset count against it. Base rate: share of "
        "calm months with the event, alert or not. Brackets: 90% interval from a block bootstrap over past origins, no "
        "narrower than the number of cases allows; lead time: quartiles."
    )
    st.markdown(small(text))
    downloads.buttons(downloads.export_of(night, f"track-record-{horizon}", _("Track record of alert rules"), rows))


def show_rule(rules: list[str]) -> str:
    """Which rule is compared."""
    rule = state.choice("rule", rules, "surge" if "surge" in rules else rules[0])
    st.selectbox(_("Rule"), rules, width=240, format_func=partial(named, RULES), **state.widget("rule", rule))
    return rule


def show_comparison(night: Night, record: pd.DataFrame, route_id: str, rule: str, horizon: int) -> None:
    """The rule beside what anybody could say without a model."""
    comparison = of_route(night.frame("track_record_comparison"), route_id)
    if comparison.empty:
        return
    at = horizon if horizon in set(comparison["horizon"]) else int(AS_ISSUED)
    find = partial(comparison_table, record, comparison, rule, at)
    table = reads.once(night, find, "comparison", route_id, rule, at)
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
    st.markdown(f"### {title}", anchors=False)
    table = reads.once(night, partial(rises_table, rises), "rises")
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
