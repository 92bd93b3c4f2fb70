"""Reception: people in reception against places, entries and exits, and the regions that need most."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.languages import Language, is_known, round_expected
from dashboard import _, downloads, labelled, lang, layout, reads, scenario_parts, state, tables, time_travel
from dashboard.charts.fan import Fan, fan_alt, fan_chart, fan_key
from dashboard.layout import plain, small
from dashboard.reads import Night
from dashboard.theme import current_theme
from reports import citations, numbers, reception
from reports.names import place_name
from reports.reception import MONTHS_BACK, Need

TITLE, PLACE = _("Reception"), 3
MOST_PLACES = 10_000_000


def show(night: Night) -> None:
    """The page."""
    needs = night.frame("reception_needs")
    if needs.empty:
        layout.stop_with(_("No forecast of people in reception in this release."))
    found = reads.once(night, partial(reception.stocks, needs), "stocks")
    chosen = state.choice("place", [name.split(".")[1] for name in found], found[0].split(".")[1])
    series_id = next(name for name in found if name.split(".")[1] == chosen)
    own = needs[needs["series_id"] == series_id]
    factor = scenario_parts.chosen_factor(own)
    places = state.number("places", 0, MOST_PLACES)
    need = need_of(night, series_id, factor, places)
    find = partial(time_travel.since, night, series_id, need.quantiles)
    outcomes, knowing = reads.once(night, find, "since", series_id)
    revealed = state.switch("reveal")
    st.title(labelled(place_name(chosen, lang()), reception.enough_words(need, lang())), anchor=False)
    if factor != 1:
        usual = need_of(night, series_id, 1.0, places)
        said = " ".join((reception.scenario_words(need, usual, lang()), _("A scenario has no record of its own.")))
        st.markdown(small(plain(said)))
    line: dict[str, Any] = {"horizontal": True, "vertical_alignment": "bottom", "gap": "small", "width": "content"}
    with st.container(key="controls", **line):
        with st.container(key="controls-first", **line):
            show_place(need, found)
            time_travel.show_reveal_switch(there=len(outcomes) > 0)
        with st.container(key="controls-more", **line):
            show_places(need)
            scenario_parts.show_factor(own, factor)
    with st.container(key="main-chart"):
        chart, figures = st.columns([3.1, 1], gap="medium")
    with chart:
        draw = partial(draw_fan, night, need, outcomes if revealed else None)
        reads.drawn_once(night, draw, "reception fan", series_id, factor, places, revealed)
        if revealed:
            named = f"{place_name(chosen, lang())} ({lang().day(night.as_of)})"
            did = time_travel.how_it_did(need.quantiles.assign(horizon=need.rows["horizon"].to_numpy()), outcomes)
            time_travel.show_verdict(night, knowing, did, named, f"{chosen}-{night.as_of}", need.months_each)
    with figures:
        words = (reception.places_words(need, lang()), *reception.record_words(need, lang()))
        for label, value, pill in reception.key_numbers(need, lang()):
            st.metric(label, value, pill or None, delta_color="off", delta_arrow="off")
        st.markdown("\n".join(f"- {plain(text)}" for text in words))
    layout.let_draw()
    layout.show_sources(night, [need.series_id])
    if gaps := reception.gaps_words(need, night, lang()):
        st.markdown(small(plain(gaps)))
    show_tables(night, need, found, factor)


def show_tables(night: Night, need: Need, found: list[str], factor: float) -> None:
    """The periods ahead, the other countries, kinds of accommodation, regions and the record."""
    left, right = st.columns([1.2, 1], gap="medium")
    with left:
        show_months(night, need)
    with right:
        show_others(night, [name for name in found if "-" not in name and name != need.series_id], factor)
        show_kinds(night, need.series_id)
    show_regions(night, found, need.series_id, factor)
    show_record(night, need)


def need_of(night: Night, series_id: str, factor: float, places: float | None) -> Need:
    """One stock in one scenario, against the reader's places or those known."""
    make = partial(reception.needs_of, [*map(night.frame, reception.FRAMES)], series_id, factor, places)
    found: Need = reads.once(night, make, "need", series_id, factor, places)
    return found


def show_place(need: Need, found: list[str]) -> None:
    """Which country or region, countries first."""
    codes = sorted((name.split(".")[1] for name in found), key=lambda code: "-" in code)
    st.selectbox(
        _("Country or region"), codes, format_func=lambda code: place_name(code, lang()), width=240,
        **state.widget("place", need.series_id.split(".")[1]),
    )  # fmt: skip


def show_places(need: Need) -> None:
    """How many places there are."""
    given = None if pd.isna(need.places) else int(need.places)
    st.number_input(
        _("Places you have"), 0, MOST_PLACES, step=500, width=160, placeholder=_("unknown"),
        **state.widget("places", given),
    )  # fmt: skip


def draw_fan(night: Night, need: Need, outcomes: pd.DataFrame | None) -> None:
    """People counted and expected, against the places, or else against how many to aim at."""
    limit = _("aim: {value}")
    if is_known(need.places):
        limit = "" if need.places in {*need.rows["places"]} else _("your number: {value}")
    long = need.quantiles.melt(var_name="output_type_id", ignore_index=False).reset_index()
    fan = Fan(
        numbers.for_chart(need.history), long, night.as_of, _("People in reception"),
        threshold=round_expected(need.aim) if pd.isna(need.places) else need.places, limit=limit,
        months_back=MONTHS_BACK // need.months_each, months_each=need.months_each, outcomes=outcomes,
        verdicts=need.verdicts, is_stock=True,
    )  # fmt: skip
    name = place_name(need.series_id.split(".")[1], lang())
    what = _("{place}: people in reception, counted and expected.").format(place=name)
    layout.chart(fan_chart(fan, current_theme(), height=400), fan_alt(fan, name=name, what=what), "reception-fan")
    st.html(fan_key(fan, current_theme()))


def show_months(night: Night, need: Need) -> None:
    """The periods ahead as a table, and its file."""
    st.header(_("Entries, exits and places"), anchor=False)
    name = place_name(need.series_id.split(".")[1], lang())
    title = _("{place}: people in reception, entries, exits and places").format(place=name)
    with st.container(key="numbers-months"):
        st.table(reception.table(need, lang()).map(plain), border="horizontal", hide_index=True, alt=title)
    rows = need.rows.assign(places=need.places, chance=need.chances.to_numpy())
    file_name = f"reception-{need.series_id.split('.')[1].lower()}"
    downloads.buttons(downloads.export_of(night, file_name, title, rows, citations.sources_of(night, [need.series_id])))
    said = [_(reception.TABLE_NOTE)]
    if need.rows["factor"].eq(1).all():
        said.append(reception.entries_words(need, night.frame("trajectories"), lang()))
    st.markdown(small(plain(" ".join(filter(None, said)))))


def show_record(night: Night, need: Need) -> None:
    """The error of this forecast and of simpler ones; nothing where only this one is scored."""
    made = partial(reception.compared, night.frame("reception_scores"), need.series_id, lang())
    rows: pd.DataFrame = reads.once(night, made, "reception record", need.series_id)
    if len(rows) > 1:
        st.header(_("Compared with simpler forecasts"), anchor=False)
        title = _("Error relative to “the last count stays”, with its 90% interval; below 1 is better")
        st.markdown(small(f"{title}."))
        with st.container(key="numbers-record"):
            st.table(rows, border="horizontal", width="content", hide_index=True, alt=title)


def show_others(night: Night, names: list[str], factor: float) -> None:
    """The countries that the page is not about; nothing where there is none."""
    if names:
        st.header(_("Other countries"), anchor=False)
        draw = partial(draw_stocks, night, names, factor, reception.countries_table, _("Other countries"))
        with st.container(key="numbers-others"):
            reads.drawn_once(night, draw, "reception countries", *names, factor)
        st.markdown(small(_("No other source of Vigie counts people in reception; you can add your own counts.")))


def show_regions(night: Night, found: list[str], series_id: str, factor: float) -> None:
    """A country's regions, those with the largest reserve first."""
    country = series_id.split(".")[1][:3]
    regions = [name for name in found if name.split(".")[1].startswith(f"{country}-")]
    if not regions:
        return
    title = _(reception.BY_REGION)
    st.header(title, anchor=False)
    names = [name for name in found if name.split(".")[1] == country] + regions
    draw = partial(draw_stocks, night, names, factor, reception.regions_table, title)
    with st.container(key="numbers-regions"):
        reads.drawn_once(night, draw, "reception regions", country, factor)
    st.markdown(small(" ".join((_(reception.REGIONS_NOTE), _("Each line has its own scale from zero.")))))


def draw_stocks(
    night: Night, names: list[str], factor: float, table: Callable[[list[Need], Language], pd.DataFrame], title: str
) -> None:
    """A row for each stock with its line, countries first, then regions by reserve."""
    needs = [need_of(night, name, factor, None) for name in names]
    needs.sort(key=lambda need: -need.above_now if "-" in need.series_id else -math.inf)
    rows = table(needs, lang())
    first = str(rows.columns[0])
    links = [state.link("reception", place=need.series_id.split(".")[1]) for need in needs]
    alt = _("Two years of people in reception and the forecast")
    draw = partial(tables.sparkline, theme=current_theme(), months_back=MONTHS_BACK)
    lines = [
        draw(need.history, need.quantiles, months_each=need.months_each, is_last=not need.has_median) for need in needs
    ]
    named = {first: list(map(tables.lines, rows[first], links))}
    rows = rows.map(tables.lines).assign(**named, **{_("Two years"): [f"![{alt}]({line})" for line in lines]})
    st.table(rows, border="horizontal", hide_index=True, alt=title)


def show_kinds(night: Night, series_id: str) -> None:
    """People by kind of accommodation, as counted last."""
    make = partial(reception.kinds, night.frame("observations"), series_id, lang())
    found: pd.DataFrame = reads.once(night, make, "reception kinds", series_id)
    if found.empty:
        return
    st.header(_("Kinds of accommodation"), anchor=False)
    with st.container(key="numbers-kinds"):
        st.table(found, border="horizontal", width="content", hide_index=True, alt=_("People by kind of accommodation"))


show(layout.open_page())
