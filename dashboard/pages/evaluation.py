"""Track record: is the forecast better than the baseline, do intervals hold, were alerts right; other teams."""

from __future__ import annotations

import datetime as dt
import html
from functools import partial

import pandas as pd
import streamlit as st

from access import HAND_IN
from core.calendar import Frequency
from core.languages import NOTHING
from core.routes import in_order
from core.schema import ALL
from dashboard import _, downloads, lang, layout, named, ngettext, reads, state
from dashboard.charts.calibration import (
    coverage_alt,
    coverage_chart,
    pit_alt,
    pit_histogram,
    reliability_alt,
    reliability_chart,
)
from dashboard.charts.models import skill_alt, skill_chart
from dashboard.charts.teams import round_period, teams_alt, teams_chart, teams_key
from dashboard.layout import plain, small
from dashboard.reads import Night
from dashboard.tables import localised
from dashboard.theme import current_theme
from decisions.judgements import departures, said_by_panels
from forecasting import BASELINE, ENSEMBLE
from forecasting.verification.verdict import BETTER, WORSE
from hub.score import SPANS
from reports import hub, record, rules
from reports.names import RULES, series_place
from reports.record import PART_SERIES
from store.status import issued_skill

TITLE, PLACE = _("Track record"), 7

SCALES = ("log", "natural")
HUB = "hub"
GROUPS = ("region", "citizen", "route")
MATRIX = "evaluation_matrix.md"
AS_ISSUED = "0"
"""Of the months ahead: an alert as it is issued, about any month of the planning window."""
EVERYTHING, IN_TIME = "all", "in time"
MARKS = {BETTER: "+", WORSE: "−"}
CLASSES = {BETTER: "better", WORSE: "worse"}
PARTS = ("skill", "issued", "intervals", "groups", "situations", "alerts", "drivers", HUB)


def show(night: Night) -> None:
    """The page."""
    part = state.choice("part", PARTS, PARTS[0])
    if part != HUB:  # whose route is another choice
        state.take_over_route()
    scores = night.frame("scores")
    routes = [ALL, *in_order(str(name).split(".")[1] for name in scores["series_id"].unique() if "." in str(name))]
    route_id = state.choice("on", routes, ALL)
    scale = state.choice("scale", SCALES, "log")
    find = partial(record.skill_rows, scores, record.series_of(route_id), scale, lang())
    rows = reads.once(night, find, "skill", route_id, scale)
    st.title(record.title(rows, lang()), anchor=False)
    reads.drawn_once(night, partial(show_map, night), "skill map")
    st.header(_("For statisticians"), anchor=False)
    parts = {
        "skill": (_("Skill"), partial(show_skill, night, rows, route_id, scale)),
        "issued": (_("As issued"), partial(show_issued, night)),
        "intervals": (_("Intervals"), partial(show_calibration, night, route_id)),
        "groups": (_("Groups"), partial(show_groups, night)),
        "situations": (_("Situations"), partial(show_situations, night, scale)),
        "alerts": (_("Alerts"), partial(show_rules, night, route_id)),
        "drivers": (_("Drivers"), partial(show_driver_tests, night)),
        HUB: (_("Other teams"), partial(show_hub, night)),
    }
    st.segmented_control(
        _("Which scores"), PARTS, format_func=lambda one: parts[one][0], required=True,
        label_visibility="collapsed", wrap=True, **state.widget("part", part),
    )  # fmt: skip
    if part != HUB:
        show_controls(routes, route_id, scale)
    parts[part][1]()


def show_map(night: Night) -> None:
    """Sentences and map."""
    grid = record.verdicts(night.frame("scores"))
    if grid.empty:
        return
    said, drawn = st.columns([1, 1.3], gap="medium")
    with said:
        st.markdown("\n".join(f"- {plain(text)}" for text in record.sentences(night, grid, lang())))
        text = _(
            "+ better than the baseline; · no evidence; − worse. Relative errors at all past origins, corrected for "
            "many tests."
        )
        st.markdown(small(plain(text)))
    with drawn:
        st.html(as_html(grid))


def as_html(grid: pd.DataFrame) -> str:
    """The map as a table: a sign, a colour and a hidden word in every cell."""
    words = {BETTER: _("better"), WORSE: _("worse")}
    corner, none = _("Months ahead"), _("no evidence")
    heads = "".join(f'<th scope="col">{step}</th>' for step in grid.columns)
    lines = []
    for route_id, row in grid.iterrows():
        name = _("All routes") if route_id == ALL else layout.route_name(str(route_id))
        cells = "".join(
            f'<td class="vigie-{CLASSES.get(verdict, "none")}">{MARKS.get(verdict, "·")}'
            f'<span class="vigie-hidden">{html.escape(words.get(verdict, none))}</span></td>'
            if isinstance(verdict, str)
            else "<td></td>"
            for verdict in row
        )
        lines.append(f'<tr><th scope="row">{html.escape(name)}</th>{cells}</tr>')
    return (
        f'<table class="vigie-map"><thead><tr><th scope="col">{html.escape(corner)}</th>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def show_situations(night: Night, scale: str) -> None:
    """One row per situation, and what each means."""
    st.header(_("How good is it where it matters?"), anchor=False)
    rows = night.frame("situation_scores")
    if rows.empty:
        st.markdown(small(_("No scores by situation in this release.")))
        return
    title = _("Scores by situation, over the baseline’s")
    st.table(
        record.situation_table(rows[rows["scale"] == scale], lang()), border="horizontal", hide_index=True, alt=title
    )
    st.markdown("\n".join(f"- {text}" for text in situation_meanings()))
    downloads.buttons(downloads.export_of(night, "situation-scores", title, rows))


def situation_meanings() -> list[str]:
    """How to read each kind of row, in one sentence."""
    return [
        _("Size: how good the forecast is for routes with few and with many people a month in the year before."),
        _(
            "Surge: months with at least 1.5 times the mean of the year before. Who always warns does well here, so "
            "read the next row too."
        ),
        _("High figures: only errors above the level that nine in ten earlier months stayed under, in any month."),
        _(
            "Whole paths: whether twelve months in a row, as totals and scenarios use them, come nearer to what "
            "happened than the baseline’s."
        ),
    ]


def show_controls(routes: list[str], route_id: str, scale: str) -> None:
    """Route and scale."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            _("Route"), routes, width=240,
            format_func=lambda code: _("All routes") if code == ALL else layout.route_name(code),
            **state.widget("on", route_id),
        )  # fmt: skip
        words = {"log": _("Logarithmic: relative errors"), "natural": _("Natural: errors in persons")}
        st.selectbox(_("Scale"), SCALES, width=240, format_func=words.__getitem__, **state.widget("scale", scale))


def show_skill(night: Night, rows: pd.DataFrame, route_id: str, scale: str) -> None:
    """Relative WIS by horizon and model: the chart, the table and its files."""
    if rows.empty:
        st.markdown(small(_("No scores here in this release.")))
        return
    reads.drawn_once(night, partial(draw_skill, rows), "skill's chart", route_id, scale)
    layout.let_draw()
    reads.drawn_once(night, partial(show_table, rows), "skill's table", route_id, scale)
    title = _("Scores at past origins")
    downloads.buttons(downloads.export_of(night, f"scores-{route_id.strip('_')}", title, rows.drop(columns="name")))


def draw_skill(rows: pd.DataFrame) -> None:
    """The chart alone."""
    st.header(_("Skill against the baseline, by months ahead"), anchor=False)
    drawn = rows[rows["model_id"] != BASELINE]
    with st.container(key="skill-chart"):
        layout.chart(skill_chart(drawn, theme=current_theme()), skill_alt(drawn), "skill")


def show_table(rows: pd.DataFrame) -> None:
    """The same as a sortable table."""
    text = _(
        "Relative WIS: the weighted interval score divided by the baseline’s on the same months. Below 1 is better "
        "than the baseline, whose forecast is the last value with its own past errors. Where the 90% interval includes "
        "1, or a ratio does not stand after Holm’s correction for all routes and months, there is no evidence."
    )
    st.markdown(small(text))
    table = record.skill_table(rows, lang())
    with st.container(key="skill-screen"):
        st.dataframe(
            localised(table),
            hide_index=True,
            height=420,
            placeholder=NOTHING,
            alt=_("Scores of every model at every horizon; click a column to sort"),
        )
    if note := record.baseline_note(rows, lang()):
        st.markdown(small(note))
    # Paper shows of a table that scrolls only what happens to stand on the screen.
    own = localised(table[(rows["model_id"] == ENSEMBLE).to_numpy()].drop(columns=_("Model")))
    with st.container(key="skill-paper"):
        st.table(own, border="horizontal", hide_index=True, alt=_("Scores of the ensemble at every horizon"))
        st.markdown(small(_("The ensemble’s rows; those of every model are in the file.")))


def show_calibration(night: Night, route_id: str) -> None:
    """Coverage and PIT of the ensemble at one horizon."""
    rows = night.frame("calibration")
    rows = rows[(rows["series_id"] == record.series_of(route_id)) & (rows["model_id"] == ENSEMBLE)]
    st.header(_("Are the intervals well calibrated?"), anchor=False)
    if rows.empty:
        st.markdown(small(_("No calibration here in this release.")))
        return
    horizons = [str(step) for step in sorted(rows["horizon"].astype(int).unique())]
    horizon = state.choice("horizon", horizons, horizons[0])
    st.selectbox(
        _("Horizon"),
        horizons,
        width=160,
        format_func=lambda step: ngettext("{n} month", "{n} months", int(step)).format(n=step),
        **state.widget("horizon", horizon),
    )
    at = rows[rows["horizon"].astype(int) == int(horizon)]
    reads.drawn_once(night, partial(draw_calibration, at), "calibration", route_id, horizon)
    export = downloads.export_of(night, f"calibration-{horizon}", _("Calibration at past origins"), at)
    downloads.figures(export, _("Coverage and PIT at the chosen horizon"))


def draw_calibration(at: pd.DataFrame) -> None:
    """Coverage and PIT side by side."""
    coverage, pit = record.coverage_rows(at), record.pit_rows(at)
    left, right = st.columns(2, gap="medium")
    with left:
        layout.chart(coverage_chart(coverage, theme=current_theme()), coverage_alt(coverage), "coverage")
    with right:
        if not pit.empty:
            layout.chart(pit_histogram(pit, theme=current_theme()), pit_alt(pit), "pit")


def show_issued(night: Night) -> None:
    """Forecasts scored as they were issued: the one score that no choice of a recipe can have touched."""
    st.header(_("How did forecasts fare that were issued beforehand?"), anchor=False)
    found = issued_skill(night.frame("issued_scores"))
    text = ngettext(
        "Scores at past origins may owe something to the choice of the recipe; these cannot: {n} forecast has had its "
        "outcome since a release issued it. Forecasts of replayed nights do not count.",
        "Scores at past origins may owe something to the choice of the recipe; these cannot: {n} forecasts have had "
        "their outcome since a release issued them. Forecasts of replayed nights do not count.",
        int(found["n"].sum()),
    )
    st.markdown(small(text.format(n=lang().counted(float(found["n"].sum())))))
    if len(found):
        st.dataframe(
            localised(record.issued_table(found, lang())),
            hide_index=True,
            placeholder=NOTHING,
            alt=_("Scores of forecasts as they were issued"),
        )


def show_groups(night: Night) -> None:
    """Errors of one kind of group at one distance, the worst marked; and the evaluation matrix as a file."""
    rows = night.frame("group_errors")
    st.header(_("Is it as good for everybody?"), anchor=False)
    if rows.empty:
        st.markdown(small(_("No errors by group in this release.")))
        return
    words = {"region": _("Region of origin"), "citizen": _("Nationality"), "route": _("Route")}
    kind = state.choice("group", GROUPS, "region")
    steps = [str(step) for step in sorted(rows["horizon"].astype(int).unique()) if step in {1, 3, 6, 12}]
    ahead = state.choice("group_ahead", steps, "3" if "3" in steps else steps[0])
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.segmented_control(
            _("Groups by"), GROUPS, format_func=words.__getitem__, required=True, **state.widget("group", kind)
        )
        st.selectbox(
            _("Months ahead"),
            steps,
            width=160,
            format_func=lambda step: ngettext("{n} month", "{n} months", int(step)).format(n=step),
            **state.widget("group_ahead", ahead),
        )
    chosen = rows[(rows["kind"] == kind) & (rows["horizon"].astype(int) == int(ahead))]
    reads.drawn_once(night, partial(draw_groups, chosen), "groups", kind, ahead)
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"):
        downloads.document_button(night, MATRIX, _("Evaluation matrix"))
        downloads.buttons(downloads.export_of(night, "errors-by-group", _("Errors of the forecast by group"), rows))


def draw_groups(chosen: pd.DataFrame) -> None:
    """The groups_finding, the groups_table, and how to read it."""
    st.markdown(plain(record.groups_finding(chosen, lang())))
    st.table(
        record.groups_table(chosen, lang()),
        border="horizontal",
        hide_index=True,
        alt=_("Errors of the forecast by group"),
    )
    text = _(
        "Relative WIS below 1: better than the baseline. Bias from −1 to 1: positive where forecasts were too high. By "
        "nationality the ensemble forecasts each route’s ten largest groups at past dates, from final figures cut at "
        "each date; releases themselves forecast routes only."
    )
    st.markdown(small(text))


def show_driver_tests(night: Night) -> None:
    """The finding, the drivers_table, where it comes from, and the files."""
    tests = night.frame("driver_tests")
    tests = tests[tests["scale"] == "log"]
    st.header(record.drivers_title(tests[tests["series_id"] == ALL], lang()), anchor=False)
    if tests.empty:
        st.markdown(layout.small(_("No test of drivers in this release.")))
        return
    text = _(
        "Each driver is added to the pooled model and judged on the same past months as the model without it. A gain "
        "counts only if the 90% interval of the ratio lies below 1 against three rivals: no driver; the same driver "
        "late by two and a half years, in the wrong months; a constant that tells only where figures exist. And it "
        "must stand after Holm’s correction for the number of tests."
    )
    st.markdown(text)
    places = [ALL, PART_SERIES, *sorted(set(tests["series_id"]) - {ALL, PART_SERIES})]
    place = state.choice("driver_rows", places, ALL)
    st.selectbox(
        _("Series"),
        places,
        width=320,
        format_func=lambda one: record.place_name(one, lang()),
        **state.widget("driver_rows", place),
    )
    shown = tests[tests["series_id"] == place]
    st.dataframe(
        record.drivers_table(shown, lang()),
        hide_index=True,
        alt=_("Ratios of scores with and without each driver, by months ahead"),
    )
    st.markdown(layout.small(record.origin_words(shown, lang())))
    downloads.buttons(downloads.export_of(night, "driver-tests", _("Tests of drivers"), tests, []))


def show_rules(night: Night, route_id: str) -> None:
    """Everything that past origins say about the alert rules."""
    st.header(_("How often were alerts correct?"), anchor=False)
    everywhere = night.frame("track_record")
    found = rules.of_route(everywhere, route_id)
    if found.empty:
        st.markdown(small(_("No alert rule has a track record here yet.")))
        return
    st.markdown(small(rules.spans_words(found, night.frame("alert_thresholds"), lang())))
    horizon = show_horizon(found)
    show_record(night, found[found["horizon"] == horizon], route_id, horizon)
    names = list(dict.fromkeys(found.loc[found["horizon"] > 0, "rule"])) if len(found) else []
    if names:
        rule = show_rule(names)
        show_comparison(night, found, route_id, rule, horizon)
        show_reliability(night, rule, horizon)
    show_rises(night)


def show_horizon(found: pd.DataFrame) -> int:
    """Which alerts: as they are issued, or about one month so far ahead."""
    horizons = [str(step) for step in sorted(found["horizon"].astype(int).unique())]
    chosen = state.choice("ahead", horizons, horizons[0])
    st.selectbox(
        _("Alerts about"),
        horizons,
        width=320,
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
    table = reads.once(night, partial(rules.record_table, rows, lang()), "record", route_id, horizon)
    st.dataframe(table, hide_index=True, alt=_("Track record of each alert rule at past origins"))
    text = _(
        "Foretold an onset (hit rate): share of alerts followed by the event; looking back: whose finding still held "
        "three months later. Of all raised: repeats and alerts about no onset count against it. Base rate: share of "
        "calm months with the event, alert or not. Brackets: 90% interval from a block bootstrap over past origins, no "
        "narrower than the number of cases allows; lead time: quartiles."
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


def show_hub(night: Night) -> None:
    """The part."""
    scores = hub.scores_of(night)
    if scores.empty:
        st.header(hub.finding(scores, lang()), anchor=False)
        show_how(night)
        return
    names = hub.model_names(night.frame("hub_models"), lang())
    units = hub.unit_names(scores, lang())
    unit = state.choice("what", list(units), next(iter(units)))
    scores = scores[scores["unit"] == unit]
    spans = SPANS.get(unit[-1], SPANS["M"])
    timings = [name for name in (EVERYTHING, IN_TIME) if name in set(scores["timing"])]
    timing = state.choice("timing", timings, timings[0])
    span = state.choice("ahead", spans, spans[0])
    key = (unit, timing, span)
    rows = reads.once(night, partial(hub.league, scores, timing, "span", span, names), "league", *key)
    st.header(hub.finding(rows, lang()), anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        words = {EVERYTHING: _("All, replays among them"), IN_TIME: _("Submitted in time")}
        st.selectbox(_("What"), list(units), width=260, format_func=units.__getitem__, **state.widget("what", unit))
        st.selectbox(
            _("Forecasts"), timings, width=240, format_func=words.__getitem__, **state.widget("timing", timing)
        )
        st.selectbox(
            _("Horizon"), spans, width=200, format_func=lambda one: hub.span_words(one, unit, lang()),
            **state.widget("ahead", span),
        )  # fmt: skip
    reads.drawn_once(night, partial(draw_league, rows, timing), "league's table", *key)
    title = _("League table of the forecast hub")
    downloads.buttons(
        downloads.export_of(
            night, f"hub-league-{unit}-{span}", title, rows.drop(columns=["name", "unit"]), list(night.sources())
        )
    )
    show_round(night, scores, unit, timing, names)
    show_panels(night)
    show_how(night)


def draw_league(rows: pd.DataFrame, timing: str) -> None:
    """The table with what must be known about it."""
    with st.container(key="league"):
        alt = _("Scores of every model on the same rows, the best first")
        st.table(hub.league_table(rows, lang()).map(plain), border="horizontal", hide_index=True, alt=alt)
    text = _(
        "Weighted interval score on log scale. Pairwise: against every other model on the months that both forecast, "
        "the baseline being 1. Relative: against the baseline alone, with its 90% interval over rounds. Below 1 is "
        "better; where the interval includes 1, or a ratio does not stand after Holm’s correction for all models, "
        "there is no evidence."
    )
    st.markdown(small(" ".join(part for part in (text, hub.interval_words(rows, lang())) if part)))
    if timing == EVERYTHING:
        replays = _(
            "Replays were computed afterwards, on what was known when the round closed. They show how a method would "
            "have done; only forecasts submitted in time are proof."
        )
        st.markdown(small(replays))


def show_round(night: Night, scores: pd.DataFrame, unit: str, timing: str, names: dict[str, str]) -> None:
    """One round's forecasts over what was counted, and the record of the model that is looked at."""
    freq, of_routes = unit[-1], unit.startswith("arrivals")
    scored = sorted(scores.loc[scores["kind"] == "series", "group"].unique())
    series = {hub.place_of(one): one for one in scored}
    in_address = "route" if of_routes else "country"
    place = state.choice(in_address, list(series), next(iter(series)))
    series_id = series[place]
    own = night.frame("hub_forecasts")
    found = own.loc[own["series_id"] == series_id, "origin_date"]
    origins = [f"{day:%Y-%m-%d}" for day in sorted(found.unique(), reverse=True)]
    origin = state.choice("round", origins, origins[min(12, len(origins) - 1)])
    rows = reads.once(night, partial(hub.round_rows, night, series_id, origin, names), "round", series_id, origin)
    models = list(rows["model_id"].unique())
    model_id = state.choice("model", models, ENSEMBLE if ENSEMBLE in models else models[0])
    st.header(_("What each expected, and what was counted"), anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            _("Route") if of_routes else _("Country of destination"), list(series), width=240,
            format_func=lambda one: series_place(series[one], lang()), **state.widget(in_address, place),
        )  # fmt: skip
        st.selectbox(
            _("Round"), origins, width=180, format_func=lambda day: round_period(pd.Timestamp(day), freq),
            **state.widget("round", origin),
        )  # fmt: skip
        st.selectbox(
            _("Model"),
            models,
            width=360,
            format_func=lambda one: names.get(one, one),
            **state.widget("model", model_id),
        )
    seen = reads.once(night, partial(hub.counted, night, series_id, origin), "counted", series_id, origin)
    reads.drawn_once(
        night, partial(draw_round, seen, rows, model_id, unit), "round's chart", series_id, origin, model_id
    )
    title = _("Forecasts of the round {round}").format(round=origin)
    export = downloads.export_of(
        night, f"hub-{series_id}-{origin}", title, rows.drop(columns="name"), list(night.sources())
    )
    downloads.figures(export, title)
    reads.drawn_once(
        night, partial(draw_model, night, scores, timing, model_id, names), "model", unit, timing, model_id
    )


def draw_round(seen: pd.DataFrame, rows: pd.DataFrame, model_id: str, unit: str) -> None:
    """The chart alone."""
    units = {
        "arrivals.M": _("Arrivals per month"), "arrivals.W": _("Arrivals per week"), "M": _("Applicants per month"),
        "Q": _("Applicants per quarter"),
    }  # fmt: skip
    axis = units.get(unit) or units.get(unit[-1], "")
    st.html(teams_key(seen, rows, highlight=model_id, theme=current_theme()))
    figure = teams_chart(seen, rows, highlight=model_id, unit=axis, freq=unit[-1], theme=current_theme())
    layout.chart(figure, teams_alt(seen, rows, highlight=model_id, freq=unit[-1]), "teams")


def draw_model(night: Night, scores: pd.DataFrame, timing: str, model_id: str, names: dict[str, str]) -> None:
    """One model: what its team says of it, and its record by months ahead, route and season."""
    st.header(layout.plain(names.get(model_id, model_id)), anchor=False)
    about = night.frame("hub_models")
    about = about[about["model_id"] == model_id]
    if len(about):
        row = about.iloc[0]
        licence = _("Licence: {licence}").format(licence=row["licence"])
        st.markdown(small(layout.plain(f"{lang().text(row['methods'])} {licence}.")))
    found = hub.record(scores, timing, model_id)
    if found.empty:
        st.markdown(small(_("Nothing of this model has been scored here yet.")))
        return
    alt = _("Scores of one model by months ahead, route and season")
    with st.container(key="league-record"):
        own = pd.concat([night.frame("scores"), night.frame("asylum_scores")], ignore_index=True)
        st.table(hub.record_table(found, own, lang()), border="horizontal", hide_index=True, alt=alt)
    if said := hub.interval_words(found, lang()):
        st.markdown(small(said))


def show_panels(night: Night) -> None:
    """Whether departures from the ensemble helped, of panels large enough to keep members anonymous."""
    said = said_by_panels(reads.journal().entries(action=HAND_IN))
    rows = departures(night.frame("hub_forecasts"), night.frame("replays"), said)
    if rows.empty:
        return
    st.header(_("Panels beside the ensemble"), anchor=False)
    columns = {
        "panel": _("Panel"), "n": _("Cases"), "helped": _("Nearer than the ensemble"),
        "relative_wis": _("Score beside the ensemble’s"),
    }  # fmt: skip
    shown = rows.assign(relative_wis=rows["relative_wis"].round(3)).rename(columns=columns)
    st.dataframe(
        localised(shown),
        hide_index=True,
        placeholder=NOTHING,
        alt=_("Whether panels’ departures from the ensemble helped"),
    )
    words = _("Panels of five or more people; what they handed in in time, on months counted since. Below 1 is better.")
    st.markdown(small(words))


def show_how(night: Night) -> None:
    """Deadlines and how to take part."""
    st.header(_("Take part"), anchor=False)
    today = dt.datetime.now(dt.UTC).date()
    rounds: tuple[tuple[Frequency, str], ...] = (
        ("M", _("The monthly round of {round} is open until {day}.")),
        ("W", _("The weekly round of {round} is open until {day}.")),
    )  # fmt: skip
    said = [
        words.format(round=round_period(pd.Timestamp(found[0]), freq), day=lang().day(found[1]))
        for freq, words in rounds
        if (found := hub.next_deadline(today, freq))
    ]
    text = _(
        "A ministry, a research team or a student may hand in forecasts of any of these series: one file with the 23 "
        "quantiles, in hubverse’s format. Every file is checked, kept as it came and scored on the same rows as all "
        "others; a late one is marked."
    )
    guide = _("The guide “The forecast hub” in Vigie’s documentation goes through it step by step.")
    st.markdown(" ".join([*said, text, guide]))
    received = night.frame("hub_editions")
    if len(received):
        st.subheader(_("Received"), anchor=False)
        shown = received.sort_values("received", ascending=False)[
            ["model_id", "round_id", "received", "late", "sha256"]
        ]
        columns = {
            "model_id": _("Model"), "round_id": _("Round"), "received": _("Received"), "late": _("Late"),
            "sha256": _("Hash of the file"),
        }  # fmt: skip
        late = shown["late"].map({True: _("late"), False: _("in time")})
        st.dataframe(
            localised(shown.assign(late=late).rename(columns=columns)), hide_index=True, alt=_("Files received")
        )
        title = _("Submissions received by the hub")
        downloads.buttons(downloads.export_of(night, "hub-editions", title, received, []))


show(layout.open_page())
