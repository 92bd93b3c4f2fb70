"""What lies under the fan of asylum applications: citizenships, and the largest corridors and destinations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from core.schema import ALL
from dashboard import asylum_view, downloads, layout, memory, numbers, route_details, state, tables
from dashboard.asylum_view import AsylumView
from dashboard.i18n import _
from dashboard.route_details import country

__all__ = ["country", "in_words", "show_citizenships", "show_largest"]


def show_citizenships(view: AsylumView) -> None:
    """Who applied in the newest year that is told by citizenship, or that nothing is."""
    cells = memory.made(view.night, partial(citizenships, view), "citizenships", *view.key)
    if cells.empty:
        st.header(_("Citizenships"), anchor=False)
        text = _(
            "This release holds no applications by citizenship. Eurostat publishes them by month; they are in releases "
            "of nights that ask it for its newest figures."
        )
        st.markdown(layout.small(text))
        return
    table, newest = route_details.yearly_breakdown(cells)
    period = pd.Period(newest.replace("-Q", "Q"), view.freq).end_time
    title = _("{country}: applicants by citizenship, year to {period}").format(
        country=country(view.geo), period=numbers.period_name(period, view.months_each)
    )
    st.header(title, anchor=False)
    mix = route_details.largest(table)
    unit = _("Persons, share of those shown")
    draw = partial(route_details.draw_mix, mix, unit, title, "citizenships")
    memory.drawn(view.night, draw, "citizenships' chart", *view.key)
    st.markdown(layout.small(route_details.withheld_note()))
    made = downloads.export_of(
        view.night, f"asylum-citizenships-{view.geo}", title, route_details.monthly_breakdown(cells),
        [asylum_view.SOURCE_ID],
    )  # fmt: skip
    downloads.figures(downloads.with_notes(made, [route_details.withheld_note()]), title, shown=mix)


def citizenships(view: AsylumView) -> pd.DataFrame:
    """Applications by citizenship in the country, small counts withheld: ``citizen, time_period, obs_value, …``."""
    rows = asylum_view.of_kind(view.night.published("observations"), view.kind)
    own = rows[(rows["geo"] == view.geo) & ~rows["citizen"].isin([ALL, "_Z"])]
    return own[["citizen", "time_period", "obs_value", "suppressed"]].reset_index(drop=True)


def show_largest(view: AsylumView, order: Sequence[str]) -> None:
    """The largest corridors, where citizenship is known; else the largest destinations."""
    corridors = memory.made(view.night, partial(asylum_view.by_corridor, view.night, view.kind), "corridors", view.kind)
    if len(corridors):
        title = _("Largest corridors")
        names = [f"{country(row['citizen'])} → {country(row['geo'])}" for row in corridors.to_dict("records")]
        table, heading, name = corridors, _("Corridor"), "corridors"
    else:
        title = _("Largest destinations")
        find = partial(asylum_view.by_destination, view.night, view.kind, order)
        table = memory.made(view.night, find, "by destination", view.kind)
        heading, name = _("Country of destination"), "destinations"
        links = {geo: state.link("asylum", kind=view.kind, country=geo) for geo in table["geo"]}
        names = [f"[{tables.no_break(country(geo))}]({links[geo]})" for geo in table["geo"]]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(title, anchor=False)
        if len(table):
            full = f"{title}: {view.kind}"
            made = downloads.export_of(view.night, f"asylum-{name}-{view.freq}", full, table, [asylum_view.SOURCE_ID])
            downloads.buttons(made)
    if table.empty:
        st.markdown(layout.small(_("No forecast of this kind in this release.")))
        return
    st.table(largest_in_words(table, names, heading), border="horizontal", hide_index=True, alt=title)
    end = pd.Timestamp(view.quantiles.index[0]) if len(view.quantiles) else None
    note = _("Applicants; expected is the median of the first period after each country's last count.")
    st.markdown(layout.small(note))
    if end is None:
        st.markdown(layout.small(_("The country chosen has no forecast.")))


def largest_in_words(table: pd.DataFrame, names: list[str], heading: str) -> pd.DataFrame:
    """The table on screen, numbers in the reader's format; four columns, so that a phone shows all of them."""
    return pd.DataFrame(
        {
            heading: names,
            _("Expected"): [numbers.expected(value) for value in table["expected"]],
            _("80% interval"): [
                numbers.interval(low, high) for low, high in zip(table["low"], table["high"], strict=True)
            ],
            _("Last count"): [numbers.observed(value) for value in table["last_value"]],
        }
    )


def in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """The figures behind the chart, the newest first, under names in the reader's language."""
    shown = tables.with_words(frame.rename(columns={"period": "month"}).iloc[::-1])
    return shown.rename(columns={_("Month"): _("Period")})
