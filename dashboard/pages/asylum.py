"""Asylum: applications by country of destination, what is expected next, and who applies."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard import _, asylum_view, downloads, lang, layout, reads, state, year_ahead
from dashboard.asylum_view import AsylumView
from dashboard.charts.fan import Fan, fan_alt, fan_chart, fan_key
from dashboard.layout import country
from dashboard.pictures import Picture, drawn
from dashboard.reads import Night
from dashboard.theme import current_theme
from reports import asylum
from reports.events import events_between

TITLE, PLACE = _("Asylum"), 3


def show(night: Night) -> None:
    """The page."""
    series = night.frame("asylum_series")
    found = asylum.kinds(series)
    if not found:
        layout.stop_with(_("No asylum applications in this release."))
    kind = state.choice("kind", found, found[0])
    ranked = partial(asylum.destinations, series, night.frame("observations"), kind)
    order = reads.once(night, ranked, "destinations", kind)
    geo = state.choice("country", order, order[0])
    view = reads.once(night, partial(asylum_view.build, night, kind, geo), "asylum", kind, geo)
    st.title(asylum.title(view, lang()), anchor=False)
    show_controls(view, found, order)
    chart, figures = st.columns([3.1, 1], gap="medium")
    with chart:
        show_fan(view)
        reporting, missing = asylum.reporting_words(view, lang()), asylum.missing_words(view, lang())
        if reporting or missing:
            st.markdown(layout.small(f"{reporting} {missing}".strip()))
    with figures:
        for label, value, pill in asylum.key_numbers(view, lang()):
            st.metric(label, value, pill or None, delta_color="off", delta_arrow="off")
        st.markdown(layout.small(asylum.skill_words(view, lang())))
    layout.let_draw()
    show_files(view)
    glance, largest = st.columns([1.6, 1], gap="large")
    with glance:
        asylum_view.show_grid(view, order)
    with largest:
        asylum_view.show_largest(view, order)
    asylum_view.show_citizenships(view)
    year_ahead.show_countries(night, geo)


def show_controls(view: AsylumView, found: list[str], order: list[str]) -> None:
    """What is counted, where, and whether earlier forecasts are laid over."""
    with st.container(key="controls-first", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            _("Applications"),
            found,
            format_func=lambda kind: asylum.kind_name(kind, lang()),
            width=330,
            **state.widget("kind", view.kind),
        )
        st.selectbox(
            _("Country of destination"), order, format_func=country, width=240,
            **state.widget("country", view.geo),
        )  # fmt: skip
        st.toggle(
            _("Earlier forecasts"),
            **state.toggle("earlier", default=True),
        )


def show_fan(view: AsylumView) -> None:
    """The fan chart, or why there is none."""
    if view.quantiles.empty:
        st.info(layout.plain(asylum.why_no_forecast(view, lang())), icon=":material/info:")
        return
    earlier = state.switch("earlier", default=True)
    reads.drawn_once(view.night, partial(draw_fan, view, earlier=earlier), "asylum fan", *view.key, earlier)


def draw_fan(view: AsylumView, *, earlier: bool) -> None:
    """The fan chart alone."""
    known_on = pd.Timestamp(view.night.as_of)
    since = known_on - pd.DateOffset(months=asylum_view.SHOWN[view.freq] * view.months_each)
    events = events_between(view.night.frame("events"), "asylum", since, known_on)
    fan = Fan(
        view.observed,
        view.forecast,
        view.night.as_of,
        asylum.unit(view, lang()),
        earlier=view.earlier if earlier else None,
        skill=view.skill,
        months_back=asylum_view.SHOWN[view.freq],
        months_each=view.months_each,
        events=events,
    )
    what = _("{country}: asylum applications counted and expected.").format(country=country(view.geo))
    st.html(fan_key(fan, current_theme()))
    layout.chart(fan_chart(fan, current_theme(), height=400), fan_alt(fan, name=view.geo, what=what), "asylum-fan")
    layout.show_events(events)


def show_files(view: AsylumView) -> None:
    """The figures behind the chart, and its files."""
    if view.quantiles.empty:
        return
    export = reads.once(view.night, partial(asylum_view.export, view), "asylum's file", *view.key)
    unit = asylum.unit(view, lang())
    picture = Picture(view.history, view.quantiles, export, unit=unit, earlier=view.earlier)
    downloads.figures(
        export,
        export.title,
        shown=asylum_view.in_words(export.frame),
        picture=partial(drawn, picture),
    )


show(layout.open_page())
