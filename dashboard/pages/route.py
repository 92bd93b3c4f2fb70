"""Route, for analysts: one route's forecast, how it was known on a chosen date, and how good earlier ones were."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.countries import known_codes
from core.routes import note_on
from dashboard import (
    _,
    decisions,
    downloads,
    judgement,
    lang,
    layout,
    reads,
    route_models,
    route_view,
    state,
    tables,
    time_travel,
    year_ahead,
)
from dashboard.charts.bars import (
    mix_alt,
    mix_bars,
    small_multiples,
    small_multiples_alt,
    week_alt,
    week_chart,
    week_key,
)
from dashboard.charts.fan import Beside, Fan, Window, fan_alt, fan_chart, fan_key, key_mark
from dashboard.charts.fan_labels import threshold_words, window_words
from dashboard.downloads import drawn
from dashboard.layout import country
from dashboard.reads import Night
from dashboard.route_view import RouteView
from dashboard.theme import current_theme, level_badge, level_word
from reports import cards_in, charts, context, numbers, record, route
from reports.alert import direction, event_of
from reports.changes import change_since, change_words, why_words
from reports.context import events_before
from reports.names import in_unit
from reports.numbers import LARGEST
from reports.route import WeekView

TITLE, PLACE = _("Route"), 2

HORIZONS = ("3", "6", "12")
MONTHS_BACK = 12
"""Counted months on the chart: with more, the year of a peak dwarfs those ahead."""
NONE = "none"
PARTS = ("models", "year", "nationalities", "drivers", "table", "yours")


def show(night: Night) -> None:
    """The page."""
    routes, usual = reads.once(night, partial(route_view.routes_of, night), "routes of")
    if not routes:
        layout.stop_with(_("No route in this release."))
    route_id = state.choice("route", routes, usual, always=True)
    past = reads.once(night, partial(route_view.past_origins, night, route_id), "origins", route_id)
    origin = state.choice("origin", past, "")
    horizon = int(state.choice("horizon", HORIZONS, "12"))
    asked, number = (route_id, origin, horizon), state.number("number", 0, LARGEST)

    build = partial(reads.once, night, partial(route_view.build, night, *asked), "route", *asked)
    view: RouteView = (
        build()
        if number is None
        else reads.once(night, lambda: route_view.with_number(build(), number), "route with number", *asked, number)
    )
    # At a past origin the other route would be shown with what was not known yet.
    others = [NONE, *(one for one in routes if one != route_id)] if not origin else [NONE]
    if st.query_params.get("with") == route_id:
        state.write("with", None)
    other = state.choice("with", others, NONE)
    st.title(route.title(view, night.as_of, lang()), anchor=False)
    if note := note_on(view.route_id, lang().code):
        st.markdown(layout.small(layout.plain(note)))
    show_why(view)
    show_controls(night, view, routes, past, others, other)
    with st.container(key="main-chart"):
        chart, figures = st.columns([3.1, 1], gap="medium")
    with chart:
        show_fan(view, None if other == NONE else beside(night, other, horizon))
        show_files(view)
        moved = st.container(key="why-moved")
    with figures:
        # What people decided is asked for at every run: it changes while a release is shown.
        is_dismissed = view.alert is not None and view.alert["alert_id"] in decisions.dismissed(
            decisions.statuses_of(night)
        )
        draw = partial(show_key_numbers, view, is_dismissed=is_dismissed)
        reads.drawn_once(night, draw, "key numbers", *view.forecast_key, is_dismissed)
        if not view.quantiles.empty:
            show_chances(view)
    layout.let_draw()
    with moved:
        route_models.show_moved(view)
    if not origin:
        show_weeks(view)
    show_details(view)


def show_why(view: RouteView) -> None:
    """How the forecast moved since the release before and what chiefly moved it, in one sentence under the title."""
    if not (view.origin or view.night.previous):
        first = _("First release of this copy: there is no earlier forecast to compare with.")
        st.markdown(layout.small(first))
    if (move := route_models.move_since(view)) is None:
        return
    change = why_words(move, cards_in(view.night, lang()), lang())
    said = layout.plain(_("Since {day}: {change}.").format(day=lang().day(move.then), change=change))
    label = _("Every step ↓")
    with st.container(key="why"):
        st.markdown(f"{said} [{label}](#{route_models.WHY})")


def show_controls(
    night: Night, view: RouteView, routes: list[str], past: list[str], others: list[str], other: str
) -> None:
    """Route and date of knowledge; horizon, another route and what else the chart can show stand behind a button."""
    line: dict[str, Any] = {"horizontal": True, "vertical_alignment": "bottom", "gap": "small", "width": "content"}
    with st.container(key="controls-first", **line):
        st.selectbox(
            _("Route"), routes, format_func=layout.route_name, width=240, **state.widget("route", view.route_id)
        )
        time_travel.show_control(night, view.origin, past)
        with st.popover(_("Display")):
            st.selectbox(
                _("Horizon"), HORIZONS, format_func=layout.month_count, **state.widget("horizon", str(view.horizon))
            )
            if len(others) > 1:
                st.selectbox(
                    _("Compare with"),
                    others,
                    format_func=lambda one: _("no other route") if one == NONE else layout.route_name(one),
                    **state.widget("with", other),
                )
            st.toggle(_("Log scale"), **state.toggle("log"))
            st.toggle(_("Earlier forecasts"), **state.toggle("earlier"))
    time_travel.show_replay_mark(view)


def show_fan(view: RouteView, compared: Beside | None) -> None:
    """The fan chart with what must be known about it, or why there is none."""
    if view.quantiles.empty:
        st.info(layout.plain(route.without_forecast(view.summary, lang())), icon=":material/info:")
        return
    earlier, revealed, is_log = (state.switch(one) for one in ("earlier", "reveal", "log"))
    name = compared.name if compared else ""
    draw = partial(draw_fan, view, compared, earlier=earlier, revealed=revealed, is_log=is_log)
    reads.drawn_once(view.night, draw, "fan", *view.key, earlier, revealed, is_log, name)
    time_travel.show_reveal_switch(there=not view.outcomes.empty)
    if revealed:
        did, day = time_travel.how_it_did(view.quantiles, view.outcomes), lang().day(view.known_on)
        name, key = f"{layout.route_name(view.route_id)} ({day})", f"{view.route_id}-{view.known_on}"
        time_travel.show_verdict(view.night, view.knowing, did, name, key)
    if fallback := route.fallback_words(view, lang()):
        st.markdown(layout.small(fallback))


def beside(night: Night, route_id: str, horizon: int) -> Beside | None:
    """Another route's counts and forecast on the same axis; None without a forecast of it."""
    other = reads.once(night, partial(route_view.build, night, route_id, "", horizon), "route", route_id, "", horizon)
    if other.quantiles.empty:
        return None
    return Beside(layout.route_name(route_id), other.observed, other.forecast)


def shown_events(view: RouteView) -> pd.DataFrame:
    """The events in the counted months on the chart."""
    return events_before(view.night.frame("events"), view.route_id, view.known_on, MONTHS_BACK)


def draw_fan(view: RouteView, compared: Beside | None, *, earlier: bool, revealed: bool, is_log: bool) -> None:
    """The fan chart, and the month that is running."""
    events = shown_events(view)
    fan = Fan(
        view.observed,
        view.forecast,
        view.known_on,
        in_unit(_("{unit} per month"), view.route_id, lang()),
        earlier=view.earlier if earlier and compared is None else None,
        beside=compared,
        outcomes=view.outcomes if revealed else None,
        running=view.running,
        threshold=view.threshold,
        limit=view.limit,
        chances=view.chances,
        event=event_of(view.event, lang()),
        # At a past origin the record of today was not known yet.
        verdicts=None if view.origin else view.summary["verdicts"],
        months_back=MONTHS_BACK,
        is_log=is_log,
        events=events,
        window=window_of(view),
    )
    name = layout.route_name(view.route_id)
    what = in_unit(_("{name}: observed {unit} and forecast."), view.route_id, lang(), name=name)
    alt = fan_alt(fan, name=name, what=what)
    figure = fan_chart(fan, current_theme())
    layout.chart(figure, alt, "fan")
    running = route.running_words(view, lang())
    ring = f"width: 0.7em; height: 0.7em; border: 2px solid {current_theme().median}; border-radius: 50%"
    mark = ring if len(view.running) else "width: 0"
    st.html(fan_key(fan, current_theme(), [key_mark(mark, running)] if running else ()))
    layout.show_events(events)


def window_of(view: RouteView) -> Window | None:
    """The months of the title with their sum."""
    ends = numbers.window_ends(view.known_on)
    if view.origin or not set(ends) <= set(view.quantiles.index):
        return None
    return Window(ends, numbers.Expected(*(float(view.summary[name]) for name in ("expected", "low", "high"))))


def show_files(view: RouteView) -> None:
    """Who counted what the chart shows, and its files."""
    export = reads.once(view.night, partial(route_view.export, view), "route's file", *view.key)
    limit = view.threshold, threshold_words(view.threshold, view.limit)
    unit = in_unit(_("{unit} per month"), view.route_id, lang())
    window = window_of(view)
    fan = charts.Fan(
        view.history, view.quantiles, view.known_on, unit, export.title, back=MONTHS_BACK, limit=limit,
        window=(window.ends, " ".join(window_words(window.ends, window.expected))) if window else None,
        earlier=view.earlier, verdicts=None if view.origin else view.summary["verdicts"], events=shown_events(view),
    )  # fmt: skip
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="files"):
        layout.show_sources(view.night, [view.series_id])
        text = _("Chances: {event}.").format(event=event_of(view.event, lang()))
        notes = [*export.notes, *([text] if len(view.chances) else [])]
        downloads.buttons(downloads.with_notes(export, notes), partial(drawn, export, fan))


def show_key_numbers(view: RouteView, *, is_dismissed: bool) -> None:
    """Level, what is expected and last month."""
    if view.alert:
        level = str(view.alert["alert_level"])
        badge = level_badge(level, direction(view.alert))
        alerts, proof = view.night.frame("alerts"), view.night.frame("track_record")
        change = change_words(change_since(view.alert, alerts, view.former_alerts, proof), lang())
        if is_dismissed:
            badge, change = f":gray-badge[{_('Dismissed')}]", _("was {level}").format(level=level_word(level))
        st.markdown(f"{badge} {layout.small(change)}")
    is_own = not (view.origin or view.quantiles.empty)
    for place, (label, value, pill) in enumerate(route.key_numbers(view, view.night.as_of, lang())):
        with st.container(gap=None):
            st.metric(label, value, pill or None, delta_color="off", delta_arrow="off")
            if not place and is_own and (held := record.held_words(view.night, view.route_id, lang())):
                st.markdown(layout.small(layout.plain(held)))


def show_chances(view: RouteView) -> None:
    """The reader's number and the chance that a month passes it."""
    title = _("Chance {event}").format(event=event_of(view.event, lang()))
    st.markdown(f"## {title}", anchors=False)
    typed = int(view.threshold) if view.is_own else None
    st.number_input(
        _("Your number (a month)"),
        min_value=0,
        max_value=LARGEST,
        step=100,
        help=_("A capacity or any count of persons: the page gives the chance that a month passes it."),
        placeholder=lang().counted(view.threshold),
        **state.widget("number", typed, lambda value: None if value is None else str(int(value))),
    )
    reads.drawn_once(view.night, partial(draw_chances, view, title), "chances", *view.key)


def draw_chances(view: RouteView, title: str) -> None:
    """The table, and how far the forecast can be trusted."""
    ends = numbers.window_ends(view.known_on)
    paths, series_id = view.night.frame("trajectories"), numbers.route_series(view.route_id)
    # Of a past origin no sample paths are kept.
    any_of = None if view.origin else numbers.chance_of_any(paths, series_id, ends, view.threshold, view.rule)
    together = None if any_of is None else (ends, any_of)
    shown = route_view.months_and_highest(view.chances, ends[0])
    with st.container(key="chances"):
        if not view.is_own:
            st.markdown(layout.small(layout.plain(route_view.threshold_origin(view))))
        st.table(
            tables.chance_table(shown, view.history, view.threshold, view.rule, together),
            border="horizontal",
            hide_index=True,
            alt=title,
        )
    label = _("How we know →")
    how = f"[{label}]({state.link('evaluation', on=view.route_id)})"
    st.markdown(f"{layout.small(layout.plain(route.skill_words(view, lang())))} :small[{how}]")


def show_weeks(view: RouteView) -> None:
    """The next weeks, where the route is counted by day; the files hold eight."""
    known, scores, rows = (view.night.frame(name) for name in ("weeks", "week_scores", "observations"))
    found = reads.once(view.night, partial(route.week_view, known, scores, rows, view.route_id), "weeks", view.route_id)
    if found is not None:
        reads.drawn_once(view.night, partial(draw_weeks, found, view.quantiles), "weeks drawn", *view.forecast_key)
        sources = sorted(rows.loc[rows["series_id"] == found.days, "source_id"].unique())
        title = route.week_title(found, lang())
        export = downloads.export_of(view.night, f"weeks-{view.route_id}", title, found.ahead, sources)
        downloads.figures(export, title)


def draw_weeks(found: WeekView, quantiles: pd.DataFrame) -> None:
    """What they are for, the chart, its record and what it rests on."""
    title = route.week_title(found, lang())
    st.header(layout.plain(title), anchor=False)
    st.markdown(layout.small(layout.plain(route.week_place(found, quantiles, lang()))))
    ahead = found.ahead.head(route.WEEKS_SHOWN)
    st.html(week_key(current_theme()))
    layout.chart(week_chart(found.counted, ahead, theme=current_theme()), week_alt(ahead), "weeks")
    said = f"{route.week_record(found, lang())} {route.week_basis(found, lang())}"
    st.markdown(layout.small(layout.plain(said)))


def show_details(view: RouteView) -> None:
    """What lies under the chart: one of six views."""
    names = _("Models and seasons"), _("Year ahead"), _("Nationalities"), _("Drivers"), _("Table"), _("Your forecast")
    parts = dict(zip(PARTS, names, strict=True))
    chosen = state.choice("view", PARTS, PARTS[0])
    st.segmented_control(
        _("More about this route"),
        list(parts),
        format_func=parts.__getitem__,
        required=True,
        label_visibility="collapsed",
        wrap=True,
        **state.widget("view", chosen),
    )
    draw = {
        "models": route_models.show_models,
        "year": lambda view: year_ahead.show_routes(view.night, view.series_id),
        "nationalities": show_nationalities,
        "drivers": show_drivers,
        "table": show_table,
        "yours": judgement.show,
    }
    draw[chosen](view)


def show_nationalities(view: RouteView) -> None:
    """The largest nationalities of the past year."""
    at = (view.route_id, view.known_on)
    mix = reads.once(view.night, partial(context.route_mix, view.night, view, lang()), "nationality mix", *at)
    if mix is None:
        st.header(_("Nationalities"), anchor=False)
        st.markdown(layout.small(_("No source of this release publishes this route by nationality.")))
        return
    st.header(mix.title, anchor=False)
    show_cut(view)
    reads.drawn_once(view.night, partial(draw_mix, mix), "nationalities", *at)
    notes = [mix.note] if mix.note else []
    for note in notes:
        st.markdown(layout.small(note))
    made = downloads.export_of(
        view.night, f"nationalities-{view.route_id}", mix.title, mix.cells, list(view.night.sources())
    )
    made = downloads.cut_at(downloads.with_notes(made, notes), view.origin)
    downloads.figures(made, mix.title, shown=mix.rows)


def draw_mix(mix: context.Mix) -> None:
    """Shares as bars: the chart alone."""
    bars = mix_bars(mix.rows, unit=mix.unit, theme=current_theme())
    layout.chart(bars, mix_alt(mix.rows, unit=mix.title), "nationalities")


def show_cut(view: RouteView) -> None:
    """At a past origin: how these figures were cut."""
    if view.origin:
        st.markdown(layout.small(downloads.cut_words(view.origin)))


def show_drivers(view: RouteView) -> None:
    """Indicators that people ask about, as context."""
    st.header(_("Context: no evidence that it improves the forecast"), anchor=False)
    show_cut(view)
    text = _(
        "Conflict, displacement, prices and exchange rates are shown because people ask for them. On past data there "
        "is no evidence that they improve the forecast of a route; the forecast does not use them. Shown as context, "
        "never as cause."
    )
    st.markdown(text)
    rows = context.indicators(view.night)
    if rows.empty:
        st.markdown(layout.small(_("No indicators in this release.")))
        return
    places = sorted(set(rows["geo"]) & known_codes(), key=country)
    usual = reads.once(
        view.night, partial(context.usual_place, view.night, view, places), "usual place", view.route_id, view.known_on
    )
    place = state.choice("place", places, usual) if places else ""
    if places:
        st.selectbox(_("Country of origin"), places, format_func=country, width=240, **state.widget("place", place))
    at = (view.route_id, view.known_on, place)
    lines = reads.once(view.night, partial(context.context_lines, view, rows, place, lang()), "context", *at)
    if lines.empty:
        st.markdown(layout.small(_("No indicator for this place in this release.")))
        return

    def draw() -> None:
        layout.chart(small_multiples(lines, theme=current_theme()), small_multiples_alt(lines), "context")

    reads.drawn_once(view.night, draw, "context's chart", *at)
    made = downloads.export_of(
        view.night, f"context-{view.route_id}", _("Context of the route"), lines, list(view.night.sources())
    )
    made = downloads.cut_at(downloads.with_notes(made, [_("Shown as context, never as cause.")]), view.origin)
    downloads.figures(made, _("Context of the route"))


def show_table(view: RouteView) -> None:
    """The figures behind the chart."""
    frame = tables.forecast_table(view.history.tail(60), view.quantiles, view.chances, view.known_on)
    st.dataframe(
        tables.localised(tables.with_words(frame.iloc[::-1])),
        hide_index=True,
        height=420,
        placeholder="",
        alt=_("Counted months and expected ones with their intervals, the newest first"),
    )


show(layout.open_page(with_switch=False))
