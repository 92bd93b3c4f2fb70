"""Scenarios, for analysts: what if a route passes a number, changes suddenly, or goes through a past episode again?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import _, downloads, lang, layout, reads, route_view, scenario_parts, state
from dashboard.charts.fan import Fan, Window, fan_key
from dashboard.charts.scenario import scenario_alt, scenario_chart, scenario_of
from dashboard.downloads import Export, drawn
from dashboard.layout import plain, small
from dashboard.reads import Night
from dashboard.theme import current_theme
from forecasting.scenarios import EPISODES
from reports import charts, citations, numbers, whatif
from reports import scenario as wording
from reports.names import in_unit
from reports.scenario import reception_of
from reports.skill import Verdicts, verdict_ends
from reports.whatif import EVERYBODY, KINDS, LEVERS_OF, NONE, PLACES, Lever, Scenario, Values

TITLE, PLACE = _("Scenarios"), 5

_UNSET = object()
ALONE = ""
"""The last month of a condition: no other than the first."""
PARTS = ("months", "routes", "places", "saved")


def show(night: Night) -> None:
    """The page."""
    routes = reads.once(night, partial(whatif.forecast_routes, night), "forecast routes")
    if not routes:
        layout.stop_with(_("No sample paths, so no scenario can be worked out in this release."))
    usual = reads.once(night, partial(route_view.first_route, night, routes), "first forecast route")
    route_id = state.choice("route", routes, usual if usual in routes else routes[0], always=True)
    known = reads.once(night, partial(whatif.levers, night, route_id, routes), "levers", route_id)
    at_hand = scenario_parts.kept_values(scenario_parts.kept(night, route_id))
    values, bad = whatif.parse(at_hand | given(known), known)
    for name in bad:
        state.note_bad_value(name, st.query_params[name])
        state.write(name, None)
    scenario = whatif.build(night, values, route_id, lang())
    find = partial(whatif.title, night, scenario, values, lang())
    st.title(reads.once(night, find, "scenario's title", *key_of(scenario, values)), anchor=False)
    badge = _("Conditional") if given(known) else _("Example")
    find = partial(whatif.answer, night, scenario, values, lang())
    said = reads.once(night, find, "scenario's answer", *key_of(scenario, values))
    st.markdown(f":violet-badge[:material/alt_route: {badge}] :gray[{plain(said)}]")
    with st.container(key="below-chart"):
        show_kind(values, route_id, routes)
        with st.form("scenario"):
            show_fields(known, values)
    notes = [wording.conditional_note(lang()), *scenario.notes]
    if values["kind"] == "shock":
        notes.append(_("Arrivals are counted by nationality, not by the country people left from."))
    show_chart(night, scenario, values, notes)
    if scenario.trajectories is not None:
        layout.let_draw()
        show_parts(night, scenario, scenario.trajectories, known, values, routes)


def key_of(scenario: Scenario, values: Values) -> tuple[str, ...]:
    """Return the key of a scenario among scenarios on the same release."""
    return (scenario.route_id, *(f"{name}={values[name]}" for name in sorted(values)))


def show_chart(night: Night, scenario: Scenario, values: Values, notes: Sequence[str]) -> None:
    """The scenario beside the forecast, or why there is none; what it means for reception, and what must be known."""
    if scenario.trajectories is None:
        st.warning(plain(scenario.refused), icon=":material/block:")
        return
    with st.container(key="main-chart"):
        left, right = st.columns([1.9, 1], gap="medium")
    with left:
        draw = partial(draw_chart, night, scenario.route_id, scenario.trajectories)
        reads.drawn_once(night, draw, "scenario's chart", *key_of(scenario, values))
    with right:
        st.markdown("## " + _("What it means"), anchors=False)
        scenario_parts.show_people(night, scenario.route_id, scenario.trajectories)
        st.markdown("\n".join(f"- {small(plain(text))}" for text in notes))
    if scenario.course is not None:
        made = downloads.export_of(
            night,
            f"episode-{values['episode']}",
            wording.episode_name(values["episode"], lang()),
            scenario.course.table,
            [scenario.course.source_id],
        )
        downloads.folded(made, _("The past episode by month: counted, compared with, ratio"))


def draw_chart(night: Night, route_id: str, trajectories: pd.DataFrame) -> None:
    """The chart alone."""
    history = numbers.for_chart(numbers.series_of(night.frame("observations"), numbers.route_series(route_id)))
    forecast, then = whatif.by_level(night, trajectories, route_id)
    both = whatif.both_totals(night, trajectories, route_id)
    then_total, total = (numbers.Expected(one["q50"], one["q10"], one["q90"]) for one in both)
    verdicts = verdicts_of(night, route_id)
    fan = Fan(
        history, whatif.as_rows(forecast), night.as_of, in_unit(_("{unit} per month"), route_id, lang()),
        verdicts=verdicts, months_back=12, beside=scenario_of(forecast, then, verdicts, history),
        window=Window(whatif.title_months(night, route_id), total),
    )  # fmt: skip
    st.html(fan_key(fan, current_theme()))
    said = scenario_alt(fan, name=layout.route_name(route_id))
    layout.chart(scenario_chart(fan, then_total, current_theme()), said, "scenario")


def verdicts_of(night: Night, route_id: str) -> Verdicts:
    """The verdicts on the forecast that a scenario starts from."""
    return verdict_ends(night.frame("scores"), night.frame("forecasts"), numbers.route_series(route_id))


def export_of(night: Night, scenario: Scenario, values: Values, name: str, frame: pd.DataFrame, title: str) -> Export:
    """A table of a scenario, labelled as one."""
    routes = set(frame.get("route_id", [scenario.route_id]))
    sources = citations.sources_of(night, [numbers.route_series(route_id) for route_id in sorted(routes)])
    made = downloads.export_of(night, f"scenario-{name}", title, frame, sources)
    said = [say(night, scenario, values, lang()) for say in (whatif.title, whatif.answer)]
    return downloads.with_notes(made, [wording.conditional_note(lang()), f"{said[0]}. {said[1]}", *scenario.notes])


def show_parts(
    night: Night,
    scenario: Scenario,
    trajectories: pd.DataFrame,
    known: Mapping[str, Lever],
    values: Values,
    routes: Sequence[str],
) -> None:
    """What lies under the chart: one of four views."""
    words = {
        "months": _("Month by month"),
        "routes": _("All routes"),
        "places": _("Reception places"),
        "saved": _("Saved and compared"),
    }
    chosen = state.choice("part", PARTS, "months")
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.segmented_control(
            _("More about this scenario"), PARTS, format_func=words.__getitem__, required=True,
            label_visibility="collapsed", wrap=True, **state.widget("part", chosen),
        )  # fmt: skip
        find = partial(by_month, night, scenario, trajectories, values)
        made, then, shown = reads.once(night, find, "scenario by month", *key_of(scenario, values))
        history = numbers.series_of(night.frame("observations"), numbers.route_series(scenario.route_id))
        with st.container(horizontal=True, width="content", vertical_alignment="center", gap="xsmall"):
            if st.button(_("Copy link"), key="copy-link", type="tertiary", icon=":material/link:"):
                st.toast(_("The link to this view is copied."))
            forecast = whatif.by_level(night, trajectories, scenario.route_id)[0]
            over = whatif.shown_over(forecast, then)
            unit = in_unit(_("{unit} per month"), scenario.route_id, lang())
            fan = charts.Fan(
                history, forecast, night.as_of, unit, made.title, back=12, scenario=over,
                verdicts=verdicts_of(night, scenario.route_id),
            )  # fmt: skip
            picture = partial(drawn, made, fan)
            (downloads.buttons if chosen == "months" else downloads.pictures)(made, picture)
    if chosen == "months":
        with st.container(key="numbers-months"):
            st.table(shown, border="horizontal", hide_index=True, alt=made.title)
    elif chosen == "routes":
        show_routes(night, scenario, trajectories, values, routes)
    elif chosen == "places":
        show_places(night, scenario, trajectories, known, values)
    else:
        scenario_parts.show_saved(night, values, scenario, trajectories, routes)


def by_month(
    night: Night, scenario: Scenario, trajectories: pd.DataFrame, values: Values
) -> tuple[Export, pd.DataFrame, pd.DataFrame]:
    """The files, the scenario's quantiles by month, and the table on screen."""
    forecast, then = whatif.by_level(night, trajectories, scenario.route_id)
    frame = whatif.months_file(forecast, then, scenario.route_id)
    made = export_of(night, scenario, values, scenario.route_id, frame, whatif.title(night, scenario, values, lang()))
    return made, then, whatif.months_table(forecast, then, lang())


def show_routes(
    night: Night, scenario: Scenario, trajectories: pd.DataFrame, values: Values, routes: Sequence[str]
) -> None:
    """What the assumption means for every route."""
    find = partial(whatif.routes_table, night, trajectories, routes)
    table = reads.once(night, find, "scenario by route", *key_of(scenario, values))
    said = _("Arrivals expected on every route over its next {n} months").format(n=whatif.LONGEST_TOTAL)
    made = export_of(night, scenario, values, "routes", table, said)
    downloads.buttons(made)
    with st.container(key="numbers-routes"):
        st.table(whatif.routes_shown(table, lang()), border="horizontal", hide_index=True, alt=said)
    text = _(
        "Routes move together as they did at past dates; a shock or an episode moves another route only as assumed."
    )
    st.markdown(small(text))


def show_places(
    night: Night, scenario: Scenario, trajectories: pd.DataFrame, known: Mapping[str, Lever], values: Values
) -> None:
    """Places for new arrivals alone, at the chosen confidence."""
    st.markdown("## " + _("New arrivals alone, with your own numbers"), anchors=False)
    text = _(
        "Places for those who arrive from now on, if each stays as long as you enter. They are among everyone in "
        "reception: never add the two."
    )
    st.markdown(small(text))
    with st.form("places"), st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _number("stock", _("Places there are"), known, values, step=100.0)
        _number("stay", _("Mean stay, months"), known, values, step=0.5)
        _choice("stay_kind", _("A stay"), tuple(wording.STAYS), lambda code: _(wording.STAYS[code]), values)
        _number("needs_place", _("Need a place, %"), known, values, step=5.0)
        levels = ("50", "75", "80", "90", "95", "99")
        _choice("confidence", _("Confidence, %"), levels, str, values, wide=130)
        st.form_submit_button(_("Count the places"), on_click=_follow, args=(PLACES, dict(values)))
    row = scenario_parts.kept(night, scenario.route_id)
    wanted = reception_of(values, scenario.route_id)
    scenario_parts.show_keeping(night, row, wanted, values)
    frame, said = scenario_parts.show_demand(night, wanted, trajectories)
    downloads.buttons(export_of(night, scenario, values, f"places-{scenario.route_id}", frame, said))


def given(known: Mapping[str, Lever]) -> dict[str, str]:
    """What the address says about the whatif."""
    return {name: st.query_params[name] for name in known if name in st.query_params}


def show_kind(values: Values, route_id: str, routes: Sequence[str]) -> None:
    """The route looked at, and the kind of scenario."""
    kinds = {kind: _(text) for kind, text in wording.KINDS.items()}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.selectbox(
            _("Show the effect on"), routes, format_func=layout.route_name, width=240, **state.widget("route", route_id)
        )
        st.segmented_control(
            _("Kind of scenario"),
            KINDS,
            format_func=kinds.__getitem__,
            required=True,
            wrap=True,
            label_visibility="collapsed",
            **state.widget("kind", values["kind"]),
        )


def show_fields(known: Mapping[str, Lever], values: Values) -> None:
    """What is assumed, as labelled fields; those that are seldom needed stand folded below."""
    fields = {"if": _conditions, "shock": _shock, "past": _past}
    line: dict[str, Any] = {"horizontal": True, "vertical_alignment": "bottom", "gap": "small"}
    with st.container(key="sentence", **line):
        fields[values["kind"]](known, values)
        names = ("kind", *LEVERS_OF[values["kind"]])
        st.form_submit_button(_("Show the scenario"), type="primary", on_click=_follow, args=(names, dict(values)))
    more = {
        "if": (_("More months, a second route"), _more_conditions),
        "shock": (_("Slow start, slow end, a part that moves to another route"), _more_of_shock),
    }
    if values["kind"] in more:
        label, show_more = more[values["kind"]]
        is_used = values["if_from"] != values["if_to"] or values["and_route"] != NONE
        if values["kind"] == "shock":
            is_used = values["to_route"] != NONE or float(values["shock_onset"]) + float(values["shock_decay"]) > 0
        with st.expander(label, expanded=is_used), st.container(key="sentence-more", **line):
            show_more(known, values)


def _conditions(known: Mapping[str, Lever], values: Values) -> None:
    _choice("if_route", _("If arrivals on"), known["if_route"].options, layout.route_name, values)
    _choice("if_side", _("are"), known["if_side"].options, _side, values)
    _number("if_value", _("persons"), known, values, step=100.0)
    _choice(
        "if_from",
        _("in") if values["if_from"] == values["if_to"] else _("from"),
        known["if_from"].options,
        _month,
        values,
    )


def _more_conditions(known: Mapping[str, Lever], values: Values) -> None:
    """More months, and a second route, whose number is asked once it is named."""
    is_one = values["if_from"] == values["if_to"]
    shown = values | {"if_to": ALONE if is_one else values["if_to"]}
    _choice("if_to", _("to"), (ALONE, *known["if_to"].options), _to_month, shown)
    if not is_one:
        _choice("if_how", _("Several months"), known["if_how"].options, lambda code: _(wording.HOWS[code]), values)
    _choice("and_route", _("and, in the same months, on"), known["and_route"].options, _route_or_none, values)
    if values["and_route"] != NONE:
        _choice("and_side", _("are too"), known["and_side"].options, _side, values)
        _number("and_value", _("persons there"), known, values, step=100.0)


def _shock(known: Mapping[str, Lever], values: Values) -> None:
    _choice("shock_of", _("Nationality"), known["shock_of"].options, _people, values)
    _number("shock_size", _("Change, %"), known, values, step=10.0)
    _choice("shock_from", _("Begins in"), known["shock_from"].options, _month, values)
    _number("shock_months", _("Lasts, months"), known, values, step=1.0)


def _more_of_shock(known: Mapping[str, Lever], values: Values) -> None:
    _number("shock_onset", _("Months to build up"), known, values, step=1.0)
    _number("shock_decay", _("Then halves every … months"), known, values, step=1.0)
    _number("to_share", _("Part that moves, %"), known, values, step=5.0)
    _choice("to_route", _("A part moves to"), known["to_route"].options, _route_or_none, values)


def _past(known: Mapping[str, Lever], values: Values) -> None:
    name_of = partial(wording.episode_name, language=lang())
    own = EPISODES[values["episode"]].usual
    usual = _("{scale} (default)").format(scale=_(wording.SCALES[own]))
    scales = {one: _(text) for one, text in wording.SCALES.items()} | {"usual": usual}
    _choice("episode", _("Episode"), tuple(EPISODES), name_of, values, wide=300)
    _choice("past_from", _("Begins in"), known["past_from"].options, _month, values)
    _choice("past_as", _("Scaling method"), known["past_as"].options, scales.__getitem__, values, wide=340)
    _number("past_strength", _("Strength, %"), known, values, step=10.0)


def _side(code: str) -> str:
    return _(wording.SIDES[code])


def _people(citizen: str) -> str:
    return _("everybody") if citizen == EVERYBODY else layout.country(citizen)


def _route_or_none(route_id: str) -> str:
    return _("no other route") if route_id == NONE else layout.route_name(route_id)


def _choice(
    name: str, label: str, options: Sequence[str], name_of: Callable[[str], str], values: Values, *, wide: int = 0
) -> None:
    widest = max((len(name_of(option)) for option in options), default=8)
    width = wide or min(240, 60 + 9 * widest)
    st.selectbox(label, options, format_func=name_of, width=width, key=_key(name, values[name]))


def _number(name: str, label: str, known: Mapping[str, Lever], values: Values, *, step: float) -> None:
    """A number within its lever's bounds: what the form lets through, the address takes."""
    st.number_input(
        label, min_value=float(known[name].low), max_value=float(known[name].high), step=step, format="%g",
        width=max(150, 9 * len(label)),
        key=_key(name, float(values[name])),
    )  # fmt: skip


def _key(name: str, value: object) -> str:
    """Key of a lever's widget, whose value is what the address says."""
    key = f"lever:{name}"
    if st.session_state.get(key, _UNSET) != value:
        st.session_state[key] = value
    return key


def _follow(names: Sequence[str], values: Values) -> None:
    """Write a whole form into the address: nothing of a shared link rests on a default."""
    for name in names:
        chosen = st.session_state.get(f"lever:{name}", values[name])
        if chosen == ALONE:
            chosen = st.session_state["lever:if_from"]
        state.write(name, f"{chosen:g}" if isinstance(chosen, float) else str(chosen))


def _to_month(month: str) -> str:
    return _("only") if month == ALONE else _("to {month}").format(month=_month(month))


def _month(month: str) -> str:
    return lang().month_short(month, year=True)


show(layout.open_page())
