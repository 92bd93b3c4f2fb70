"""Who arrives on a route, and the indicators that people ask about. Context is never a cause."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core.countries import known_codes
from dashboard import _, downloads, lang, layout, reads, state
from dashboard.charts.bars import mix_alt, mix_bars, small_multiples, small_multiples_alt
from dashboard.layout import country
from dashboard.route_view import RouteView
from dashboard.theme import current_theme
from reports import context


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
    draw = partial(draw_mix, mix.rows, mix.unit, mix.title, "nationalities")
    reads.drawn_once(view.night, draw, "nationalities", *at)
    notes = [mix.note] if mix.note else []
    for note in notes:
        st.markdown(layout.small(note))
    made = downloads.export_of(
        view.night, f"nationalities-{view.route_id}", mix.title, mix.cells, list(view.night.sources())
    )
    made = downloads.cut_at(downloads.with_notes(made, notes), view.origin)
    downloads.figures(made, mix.title, shown=mix.rows)


def draw_mix(mix: pd.DataFrame, unit: str, title: str, key: str) -> None:
    """Shares as bars: the chart alone."""
    layout.chart(mix_bars(mix, unit=unit, theme=current_theme()), mix_alt(mix, unit=title), key)


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
