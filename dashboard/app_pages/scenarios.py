"""Scenarios, for analysts: what if a route passes a number, changes suddenly, or goes through a past episode again?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from dashboard import (
    downloads,
    layout,
    memory,
    route_view,
    scenario_saved,
    scenario_state,
    scenario_view,
    state,
)
from dashboard.charts.scenario import scenario_alt, scenario_chart
from dashboard.downloads import Export
from dashboard.i18n import _, lang
from dashboard.layout import plain, small
from dashboard.pictures import fan_png
from dashboard.reads import Night
from dashboard.scenario_state import KINDS, LEVERS_OF, NONE, PLACES, Lever, Values
from dashboard.scenario_view import Scenario
from dashboard.theme import current_theme
from forecasting.scenarios.analogues import EPISODES
from reports import numbers
from reports import scenario as wording

TITLE, PLACE = _("Scenarios"), 5

SIDE_AND_NUMBER = (1.25, 1)
"""Shares of the width: the words for more or fewer need more of it than the number."""
_UNSET = object()
PARTS = ("months", "routes", "places", "saved")


def show(night: Night) -> None:
    """The page."""
    routes = memory.made(night, partial(scenario_state.forecast_routes, night), "forecast routes")
    if not routes:
        layout.stop_with(_("This release holds no sample paths, so no scenario can be worked out."))
    usual = memory.made(night, partial(route_view.first_route, night, routes), "first forecast route")
    route_id = state.choice("route", routes, usual if usual in routes else routes[0], always=True)
    known = memory.made(night, partial(scenario_state.levers, night, route_id, routes), "levers", route_id)
    values, bad = scenario_state.parse(given(known), known)
    for name in bad:
        state.note_bad_value(name, st.query_params[name])
        state.write(name, None)
    scenario = scenario_view.build(night, values, route_id)
    badge = _("Conditional")
    st.markdown(f":violet-badge[:material/alt_route: {badge}] :gray[{wording.conditional_note(lang())}]")
    said = memory.made(night, partial(title, night, scenario, values), "scenario's title", *key_of(scenario, values))
    st.title(said, anchor=False)
    show_kind(values, route_id, routes)
    left, right = st.columns([1, 2.6], gap="medium")
    with left, st.form("scenario"):
        {"if": _conditions, "shock": _shock, "past": _past}[values["kind"]](known, values)
        names = ("kind", *LEVERS_OF[values["kind"]])
        st.form_submit_button(_("Show the scenario"), type="primary", on_click=_follow, args=(names, dict(values)))
    with right:
        show_chart(night, scenario, values)
    if scenario.trajectories is not None:
        layout.let_draw()
        show_parts(night, scenario, scenario.trajectories, values, routes)


def key_of(scenario: Scenario, values: Values) -> tuple[str, ...]:
    """What tells a scenario from others on the same release."""
    return (scenario.route_id, *(f"{name}={values[name]}" for name in sorted(values)))


def title(night: Night, scenario: Scenario, values: Values) -> str:
    """What follows, in one sentence."""
    if scenario.trajectories is None:
        return _("{route}: no answer {assumption}").format(
            route=layout.route_name(scenario.route_id), assumption=wording.assumption(values, lang())
        )
    ends = scenario_view.title_months(night, scenario.route_id)
    then, plainly = (
        scenario_view.totals(paths, scenario.route_id, ends)
        for paths in (scenario.trajectories, night.frame("trajectories"))
    )
    text = _("{route}: {then} arrivals expected in {months} instead of {plain}, {assumption}")
    return text.format(
        route=layout.route_name(scenario.route_id),
        then=lang().expected(then["q50"]),
        plain=lang().expected(plainly["q50"]),
        months=lang().months(ends[0], ends[-1]),
        assumption=wording.assumption(values, lang()),
    )


def show_chart(night: Night, scenario: Scenario, values: Values) -> None:
    """The scenario's fan over the forecast, or why there is none; and what must be known about it."""
    if scenario.trajectories is None:
        st.warning(plain(scenario.refused), icon=":material/block:")
        return
    draw = partial(draw_chart, night, scenario.route_id, scenario.trajectories)
    memory.drawn(night, draw, "scenario's chart", *key_of(scenario, values))
    for note in scenario.notes:
        st.markdown(small(plain(note)))
    if scenario.course is not None:
        made = downloads.export_of(
            night,
            f"episode-{values['episode']}",
            wording.episode_name(values["episode"], lang()),
            scenario.course.table,
            [scenario.course.source_id],
        )
        downloads.figures(made, _("The past episode by month: counted, compared with, ratio"))


def draw_chart(night: Night, route_id: str, trajectories: pd.DataFrame) -> None:
    """The chart alone."""
    history = numbers.series_of(night.frame("observations"), numbers.route_series(route_id))
    forecast = scenario_view.quantile_rows(night.frame("trajectories"), route_id)
    then = scenario_view.quantile_rows(trajectories, route_id)
    figure = scenario_chart(
        route_view.for_chart(history), forecast, then,
        now=night.as_of, theme=current_theme(), unit=_("Arrivals per month"),
    )  # fmt: skip
    layout.chart(figure, scenario_alt(forecast, then, name=layout.route_name(route_id)), "scenario")


def export_of(night: Night, scenario: Scenario, values: Values, name: str, frame: pd.DataFrame, title: str) -> Export:
    """A table of a scenario, labelled as one."""
    rows = night.frame("observations")
    own = rows[rows["series_id"] == numbers.route_series(scenario.route_id)]
    made = downloads.export_of(night, f"scenario-{name}", title, frame, sorted(own["source_id"].unique()))
    said = _("Assumption: {assumption}.").format(assumption=wording.assumption(values, lang()))
    return downloads.with_notes(made, [wording.conditional_note(lang()), said, *scenario.notes])


def show_parts(
    night: Night, scenario: Scenario, trajectories: pd.DataFrame, values: Values, routes: Sequence[str]
) -> None:
    """What lies under the chart: one of four views."""
    words = {
        "months": _("Month by month"),
        "routes": _("All routes"),
        "places": _("Reception places"),
        "saved": _("Saved and compared"),
    }
    chosen = state.choice("part", PARTS, "months")
    st.segmented_control(
        _("More about this scenario"), PARTS, format_func=words.__getitem__, required=True,
        label_visibility="collapsed", wrap=True, **state.widget("part", chosen),
    )  # fmt: skip
    if chosen == "months":
        show_months(night, scenario, trajectories, values)
    elif chosen == "routes":
        show_routes(night, scenario, trajectories, values, routes)
    elif chosen == "places":
        show_places(night, scenario, trajectories, values)
    else:
        scenario_saved.show(night, values, scenario, trajectories, routes)


def show_months(night: Night, scenario: Scenario, trajectories: pd.DataFrame, values: Values) -> None:
    """Forecast and scenario by month, and the files."""
    find = partial(by_month, night, scenario, trajectories, values)
    made, then, shown = memory.made(night, find, "scenario by month", *key_of(scenario, values))

    def picture() -> bytes:
        history = numbers.series_of(night.frame("observations"), numbers.route_series(scenario.route_id))
        return fan_png(history, then, made, None)

    downloads.buttons(made, picture)
    st.table(shown, border="horizontal", hide_index=True, alt=made.title)


def by_month(
    night: Night, scenario: Scenario, trajectories: pd.DataFrame, values: Values
) -> tuple[Export, pd.DataFrame, pd.DataFrame]:
    """The files, the scenario's quantiles by month, and the table on screen."""
    forecast = scenario_view.wide(scenario_view.quantile_rows(night.frame("trajectories"), scenario.route_id))
    then = scenario_view.wide(scenario_view.quantile_rows(trajectories, scenario.route_id))
    frame = scenario_view.months_file(forecast, then, scenario.route_id)
    made = export_of(night, scenario, values, scenario.route_id, frame, title(night, scenario, values))
    return made, then, scenario_view.months_table(forecast, then)


def show_routes(
    night: Night, scenario: Scenario, trajectories: pd.DataFrame, values: Values, routes: Sequence[str]
) -> None:
    """What the assumption means for every route."""
    find = partial(scenario_view.routes_table, night, trajectories, routes)
    table = memory.made(night, find, "scenario by route", *key_of(scenario, values))
    said = _("Arrivals expected on every route over its next {n} months").format(n=scenario_view.LONGEST_TOTAL)
    made = export_of(night, scenario, values, "routes", table, said)
    downloads.buttons(made)
    st.table(scenario_view.routes_shown(table), border="horizontal", hide_index=True, alt=said)
    text = _(
        "Routes move together as they did at past dates; a shock or an episode moves another route only as assumed."
    )
    st.markdown(small(text))


def show_places(night: Night, scenario: Scenario, trajectories: pd.DataFrame, values: Values) -> None:
    """Places needed by month at the chosen confidence."""
    with st.form("places"), st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _number("stay", _("Mean stay, months"), values, step=0.5)
        _choice("stay_kind", _("A stay"), tuple(wording.STAYS), lambda code: _(wording.STAYS[code]), values)
        _number("needs_place", _("Need a place, %"), values, step=5.0)
        levels = ("50", "75", "80", "90", "95", "99")
        _choice("confidence", _("Confidence, %"), levels, str, values)
        st.form_submit_button(_("Count the places"), on_click=_follow, args=(PLACES, dict(values)))
    then, together = scenario_view.places(night, trajectories, scenario.route_id, values)
    plainly, usual = scenario_view.places(night, night.frame("trajectories"), scenario.route_id, values)
    confidence = lang().percent(float(values["confidence"]) / 100)
    text = _(
        "With {confidence} confidence, **{then} places** suffice in every month to {month} together under the "
        "assumption; {plain} by the forecast."
    )
    said = text.format(
        confidence=confidence,
        then=lang().expected(together),
        plain=lang().expected(usual),
        month=lang().month(then["target_end_date"].iloc[-1]),
    )
    st.markdown(said)
    frame = scenario_view.places_file(plainly, then, values)
    made = export_of(night, scenario, values, f"places-{scenario.route_id}", frame, said.replace("**", ""))
    downloads.buttons(made)
    st.table(scenario_view.places_table(plainly, then), border="horizontal", hide_index=True, alt=said)
    text = _(
        "Places taken at the end of each month by those who arrived since and have not left. Who stays longer than the "
        "figures reach back is not counted; who moves on to another country needs no place here."
    )
    st.markdown(small(text))


def given(known: Mapping[str, Lever]) -> dict[str, str]:
    """What the address says about the levers."""
    return {name: st.query_params[name] for name in known if name in st.query_params}


def show_kind(values: Values, route_id: str, routes: Sequence[str]) -> None:
    """The route looked at, and the kind of scenario."""
    kinds = {kind: _(text) for kind, text in wording.KINDS.items()}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.selectbox(_("Route"), routes, format_func=layout.route_name, width=240, **state.widget("route", route_id))
        st.segmented_control(
            _("Kind of scenario"),
            KINDS,
            format_func=kinds.__getitem__,
            required=True,
            wrap=True,
            label_visibility="collapsed",
            **state.widget("kind", values["kind"]),
        )


def _conditions(known: Mapping[str, Lever], values: Values) -> None:
    _choice("if_route", _("If arrivals on this route"), known["if_route"].options, layout.route_name, values)
    left, right = st.columns(SIDE_AND_NUMBER, gap="small", vertical_alignment="bottom")
    with left:
        _choice("if_side", _("are"), known["if_side"].options, lambda code: _(wording.SIDES[code]), values)
    with right:
        _number("if_value", _("persons"), values, step=100.0)
    left, right = st.columns(2, gap="small", vertical_alignment="bottom")
    with left:
        _choice("if_from", _("from"), known["if_from"].options, _month, values)
    with right:
        _choice("if_to", _("to"), known["if_to"].options, _month, values)
    _choice("if_how", _("Several months"), known["if_how"].options, lambda code: _(wording.HOWS[code]), values)
    _choice("and_route", _("and, in the same months, on"), known["and_route"].options, _route_or_none, values)
    left, right = st.columns(SIDE_AND_NUMBER, gap="small", vertical_alignment="bottom")
    with left:
        _choice("and_side", _("are too"), known["and_side"].options, lambda code: _(wording.SIDES[code]), values)
    with right:
        _number("and_value", _("persons there"), values, step=100.0)


def _shock(known: Mapping[str, Lever], values: Values) -> None:
    left, right = st.columns(2, gap="small", vertical_alignment="bottom")
    with left:
        _number("shock_size", _("Size, %"), values, step=10.0, low=-100.0)
        _number("shock_onset", _("Onset, months"), values, step=1.0)
    with right:
        _choice("shock_from", _("Begins in"), known["shock_from"].options, _month, values)
        _number("shock_months", _("Lasts, months"), values, step=1.0, low=1.0)
    _number("shock_decay", _("Half of it fades in, months"), values, step=1.0)
    _choice("to_route", _("A part moves to"), known["to_route"].options, _route_or_none, values)
    _number("to_share", _("Part that moves, %"), values, step=5.0)


def _past(known: Mapping[str, Lever], values: Values) -> None:
    _choice("episode", _("Episode"), tuple(EPISODES), lambda code: wording.episode_name(code, lang()), values)
    _choice("past_from", _("Begins in"), known["past_from"].options, _month, values)
    scales = {code: _(text) for code, text in wording.SCALES.items()}
    _choice("past_as", _("Brought to the present as"), known["past_as"].options, scales.__getitem__, values)
    _number("past_strength", _("Strength, %"), values, step=10.0, low=10.0)


def _route_or_none(route_id: str) -> str:
    return _("no other route") if route_id == NONE else layout.route_name(route_id)


def _choice(name: str, label: str, options: Sequence[str], name_of: Callable[[str], str], values: Values) -> None:
    st.selectbox(label, options, format_func=name_of, key=_key(name, values[name]))


def _number(name: str, label: str, values: Values, *, step: float, low: float = 0.0) -> None:
    st.number_input(label, min_value=low, step=step, format="%g", key=_key(name, float(values[name])))


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
        state.write(name, f"{chosen:g}" if isinstance(chosen, float) else str(chosen))


def _month(month: str) -> str:
    return lang().month_short(month, year=True)


show(layout.open_page())
