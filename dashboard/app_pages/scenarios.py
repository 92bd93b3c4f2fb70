"""Scenarios, for analysts: what if a route passes a number, changes suddenly, or goes through a past episode again?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from dashboard import (
    downloads,
    layout,
    memory,
    numbers,
    route_view,
    scenario_controls,
    scenario_saved,
    scenario_state,
    scenario_tables,
    scenario_view,
    scenario_words,
    state,
    summaries,
)
from dashboard.charts.scenario import scenario_alt, scenario_chart
from dashboard.downloads import Export
from dashboard.i18n import _
from dashboard.layout import plain, small
from dashboard.pictures import fan_png
from dashboard.reads import Night
from dashboard.scenario_state import Values
from dashboard.scenario_view import Scenario
from dashboard.theme import current_theme

PARTS = ("months", "routes", "places", "saved")


def show(night: Night) -> None:
    """The page."""
    routes = memory.made(night, partial(scenario_state.forecast_routes, night), "forecast routes")
    if not routes:
        layout.stop_with(_("This release holds no sample paths, so no scenario can be worked out."))
    usual = memory.made(night, partial(route_view.first_route, night, routes), "first forecast route")
    route_id = state.choice("route", routes, usual if usual in routes else routes[0], always=True)
    known = memory.made(night, partial(scenario_state.levers, night, route_id, routes), "levers", route_id)
    values, bad = scenario_state.parse(scenario_controls.given(known), known)
    for name in bad:
        state.note_bad_value(name, st.query_params[name])
        state.write(name, None)
    scenario = scenario_view.build(night, values, route_id)
    badge = _("Conditional")
    st.markdown(f":violet-badge[:material/alt_route: {badge}] :gray[{scenario_words.conditional_note()}]")
    said = memory.made(night, partial(title, night, scenario, values), "scenario's title", *key_of(scenario, values))
    st.title(said, anchor=False)
    scenario_controls.show_kind(values, route_id, routes)
    left, right = st.columns([1, 2.6], gap="medium")
    with left:
        scenario_controls.show_levers(known, values)
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
            route=layout.route_name(scenario.route_id), assumption=scenario_words.assumption(values)
        )
    ends = scenario_view.title_months(night, scenario.route_id)
    then, plainly = (
        scenario_view.totals(paths, scenario.route_id, ends)
        for paths in (scenario.trajectories, night.frame("trajectories"))
    )
    text = _("{route}: {then} arrivals expected in {months} instead of {plain}, {assumption}")
    return text.format(
        route=layout.route_name(scenario.route_id),
        then=numbers.expected(then["q50"]),
        plain=numbers.expected(plainly["q50"]),
        months=numbers.month_range(ends[0], ends[-1]),
        assumption=scenario_words.assumption(values),
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
            night, f"episode-{values['episode']}", scenario_words.episode(values["episode"]), scenario.course.table,
            [scenario.course.source_id],
        )  # fmt: skip
        downloads.figures(made, _("The past episode by month: counted, compared with, ratio"))


def draw_chart(night: Night, route_id: str, trajectories: pd.DataFrame) -> None:
    """The chart alone."""
    history = summaries.series_of(night.frame("observations"), summaries.route_series(route_id))
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
    own = rows[rows["series_id"] == summaries.route_series(scenario.route_id)]
    made = downloads.export_of(night, f"scenario-{name}", title, frame, sorted(own["source_id"].unique()))
    said = _("Assumption: {assumption}.").format(assumption=scenario_words.assumption(values))
    return downloads.with_notes(made, [scenario_words.conditional_note(), said, *scenario.notes])


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
        history = summaries.series_of(night.frame("observations"), summaries.route_series(scenario.route_id))
        return fan_png(history, then, made, None)

    downloads.buttons(made, picture)
    st.table(shown, border="horizontal", hide_index=True, alt=made.title)


def by_month(
    night: Night, scenario: Scenario, trajectories: pd.DataFrame, values: Values
) -> tuple[Export, pd.DataFrame, pd.DataFrame]:
    """The files, the scenario's quantiles by month, and the table on screen."""
    forecast = scenario_view.wide(scenario_view.quantile_rows(night.frame("trajectories"), scenario.route_id))
    then = scenario_view.wide(scenario_view.quantile_rows(trajectories, scenario.route_id))
    frame = scenario_tables.months_file(forecast, then, scenario.route_id)
    made = export_of(night, scenario, values, scenario.route_id, frame, title(night, scenario, values))
    return made, then, scenario_tables.months_table(forecast, then)


def show_routes(
    night: Night, scenario: Scenario, trajectories: pd.DataFrame, values: Values, routes: Sequence[str]
) -> None:
    """What the assumption means for every route."""
    find = partial(scenario_tables.routes_table, night, trajectories, routes)
    table = memory.made(night, find, "scenario by route", *key_of(scenario, values))
    said = _("Arrivals expected on every route over its next {n} months").format(n=scenario_view.LONGEST_TOTAL)
    made = export_of(night, scenario, values, "routes", table, said)
    downloads.buttons(made)
    st.table(scenario_tables.routes_shown(table), border="horizontal", hide_index=True, alt=said)
    text = _(
        "Routes move together as they did at past dates; a shock or an episode moves another route only as assumed."
    )
    st.markdown(small(text))


def show_places(night: Night, scenario: Scenario, trajectories: pd.DataFrame, values: Values) -> None:
    """Places needed by month at the chosen confidence."""
    scenario_controls.show_places(values)
    then, together = scenario_view.places(night, trajectories, scenario.route_id, values)
    plainly, usual = scenario_view.places(night, night.frame("trajectories"), scenario.route_id, values)
    confidence = numbers.percent(float(values["confidence"]) / 100)
    text = _(
        "With {confidence} confidence, **{then} places** suffice in every month to {month} together under the "
        "assumption; {plain} by the forecast."
    )
    said = text.format(
        confidence=confidence,
        then=numbers.expected(together),
        plain=numbers.expected(usual),
        month=numbers.month_name(then["target_end_date"].iloc[-1]),
    )
    st.markdown(said)
    frame = scenario_tables.places_file(plainly, then, values)
    made = export_of(night, scenario, values, f"places-{scenario.route_id}", frame, said.replace("**", ""))
    downloads.buttons(made)
    st.table(scenario_tables.places_table(plainly, then), border="horizontal", hide_index=True, alt=said)
    text = _(
        "Places taken at the end of each month by those who arrived since and have not left. Who stays longer than the "
        "figures reach back is not counted; who moves on to another country needs no place here."
    )
    st.markdown(small(text))


show(layout.open_page())
