"""Asylum: applications by country of destination, what is expected next, and who applies."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from dashboard import _, downloads, labelled, lang, layout, reads, state, tables, year_ahead
from dashboard.charts.bars import mix_alt, mix_bars
from dashboard.charts.fan import Fan, fan_alt, fan_chart, fan_key
from dashboard.downloads import Export
from dashboard.layout import country
from dashboard.pictures import drawn
from dashboard.reads import Night
from dashboard.tables import sparkline
from dashboard.theme import current_theme
from reports import asylum, charts, context, numbers
from reports.asylum import AsylumForecast
from reports.events import events_between

TITLE, PLACE = _("Asylum"), 3
SHOWN = {"M": 24, "Q": 16}
"""Observed figures on the chart."""


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
    view = reads.once(night, partial(asylum.forecast_of, night, kind, geo), "asylum", kind, geo)
    st.title(asylum.title(view, lang()), anchor=False)
    show_controls(view, found, order)
    chart, figures = st.columns([3.1, 1], gap="medium")
    with chart:
        show_fan(night, view)
        reporting, missing = asylum.reporting_words(view, lang()), asylum.missing_words(view, lang())
        if reporting or missing:
            st.markdown(layout.small(f"{reporting} {missing}".strip()))
    with figures:
        for label, value, pill in asylum.key_numbers(view, lang()):
            st.metric(label, value, pill or None, delta_color="off", delta_arrow="off")
        st.markdown(layout.small(asylum.skill_words(view, lang())))
    layout.let_draw()
    show_files(night, view)
    glance, largest = st.columns([1.6, 1], gap="large")
    with glance:
        show_grid(night, view, order)
    with largest:
        show_largest(night, view, order)
    show_citizenships(night, view)
    year_ahead.show_countries(night, geo)


def show_controls(view: AsylumForecast, found: list[str], order: list[str]) -> None:
    """What is counted, where, and whether earlier forecasts are laid over."""
    with st.container(key="asylum-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
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


def show_fan(night: Night, view: AsylumForecast) -> None:
    """The fan chart, or why there is none."""
    if view.quantiles.empty:
        st.info(layout.plain(asylum.why_no_forecast(view, lang())), icon=":material/info:")
        return
    earlier = state.switch("earlier", default=True)
    reads.drawn_once(night, partial(draw_fan, night, view, earlier=earlier), "asylum fan", *view.key, earlier)


def draw_fan(night: Night, view: AsylumForecast, *, earlier: bool) -> None:
    """The fan chart alone."""
    known_on = pd.Timestamp(night.as_of)
    since = known_on - pd.DateOffset(months=SHOWN[view.freq] * view.months_each)
    events = events_between(night.frame("events"), "asylum", since, known_on)
    fan = Fan(
        numbers.for_chart(view.history),
        view.forecast,
        night.as_of,
        asylum.unit(view, lang()),
        earlier=earlier_of(night, view) if earlier else None,
        better=view.better,
        months_back=SHOWN[view.freq],
        months_each=view.months_each,
        events=events,
    )
    what = _("{country}: asylum applications counted and expected.").format(country=country(view.geo))
    st.html(fan_key(fan, current_theme()))
    layout.chart(fan_chart(fan, current_theme(), height=400), fan_alt(fan, name=view.geo, what=what), "asylum-fan")
    layout.show_events(events)


def show_files(night: Night, view: AsylumForecast) -> None:
    """The figures behind the chart, and its files."""
    if view.quantiles.empty:
        return
    export = reads.once(night, partial(export_of, night, view), "asylum's file", *view.key)
    unit = asylum.unit(view, lang())
    fan = charts.Fan(
        view.history, view.quantiles, night.as_of, unit, export.title, view.months_each, SHOWN[view.freq],
        earlier=earlier_of(night, view),
    )  # fmt: skip
    downloads.figures(
        export,
        export.title,
        shown=in_words(export.frame),
        picture=partial(drawn, export, fan),
    )


def earlier_of(night: Night, view: AsylumForecast) -> pd.DataFrame:
    """Forecasts made before, over the periods that have been counted since."""
    return asylum.earlier(night.frame("asylum_replays"), view.series_id, view.freq, view.history)


def show_citizenships(night: Night, view: AsylumForecast) -> None:
    """Return the applicants by citizenship in the newest year with a breakdown, or that none has one."""
    cells = reads.once(night, partial(asylum.citizenships, view), "citizenships", *view.key)
    if cells.empty:
        st.header(_("Citizenships"), anchor=False)
        text = _(
            "No applications by citizenship in this release. Eurostat publishes them by month; they are in releases "
            "of nights that ask it for its newest figures."
        )
        st.markdown(layout.small(text))
        return
    table, newest = context.yearly_breakdown(cells)
    period = pd.Period(newest.replace("-Q", "Q"), view.freq).end_time
    title = _("{country}: applicants by citizenship, year to {period}").format(
        country=country(view.geo), period=lang().period(period, view.months_each)
    )
    st.header(title, anchor=False)
    mix = context.largest(table, lang())
    unit = _("Persons, share of those shown")

    def draw() -> None:
        layout.chart(mix_bars(mix, unit=unit, theme=current_theme()), mix_alt(mix, unit=title), "citizenships")

    reads.drawn_once(night, draw, "citizenships' chart", *view.key)
    made = downloads.export_of(
        night, f"asylum-citizenships-{view.geo}", title, context.monthly_breakdown(cells),
        [asylum.SOURCE_ID],
    )  # fmt: skip
    downloads.figures(made, title, shown=mix)


def show_grid(night: Night, view: AsylumForecast, order: Sequence[str]) -> None:
    """Small pictures of all countries with a forecast, on one scale or each on its own; then who is missing."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.header(_("Countries at a glance"), anchor=False)
        st.toggle(
            _("One scale for all"),
            **state.toggle("one_scale"),
        )
    shared = state.switch("one_scale")
    reads.drawn_once(night, partial(draw_grid, night, view, order, shared=shared), "asylum grid", view.kind, shared)


def draw_grid(night: Night, view: AsylumForecast, order: Sequence[str], *, shared: bool) -> None:
    """One cell per country: its name, what is expected next, and its line."""
    cells = [asylum.forecast_of(night, view.kind, geo) for geo in order]
    found = sorted((one for one in cells if len(one.quantiles)), key=lambda one: -float(one.quantiles[0.5].iloc[0]))
    tops = [max(float(one.history["obs_value"].tail(24).max()), float(one.quantiles[0.9].max())) for one in found]
    top = max(tops, default=None) if shared else None
    with st.container(key="asylum-grid"), st.grid(4, min_column_width=150):
        for one, own_top in zip(found, tops, strict=True):
            line = sparkline(
                one.history, one.quantiles, theme=current_theme(), months_back=24, months_each=one.months_each,
                top=top or own_top,
            )  # fmt: skip
            link = state.link("asylum", kind=view.kind, country=one.geo)
            name, value = tables.no_break(country(one.geo)), lang().expected(float(one.quantiles[0.5].iloc[0]))
            alt = _("Two years of applications and the forecast, {country}").format(country=country(one.geo))
            scale = layout.small(_("axis to {top}").format(top=lang().expected(top or own_top)))
            st.markdown(f"[{name} **{value}**]({link}) {scale}  \n![{alt}]({line})")
    st.markdown(layout.small(_("The number: applicants expected in the next period. Each picture begins at zero.")))
    lacking = [country(one.geo) for one in cells if not len(one.quantiles)]
    absent = sorted(country(geo) for geo in asylum.RECEIVING if geo not in set(order))
    for text, names in ((_("No forecast, too few or too old figures: {names}."), lacking),
                        (_("No figures in this release: {names}."), absent)):  # fmt: skip
        if names:
            st.markdown(layout.small(layout.plain(text.format(names=", ".join(names)))))


def show_largest(night: Night, view: AsylumForecast, order: Sequence[str]) -> None:
    """The largest corridors, where citizenship is known; else the largest destinations."""
    corridors = reads.once(night, partial(asylum.by_corridor, night, view.kind), "corridors", view.kind)
    if len(corridors):
        title = _("Largest corridors")
        names = [f"{country(row['citizen'])} → {country(row['geo'])}" for row in corridors.to_dict("records")]
        table, heading, name = corridors, _("Corridor"), "corridors"
    else:
        title = _("Largest destinations")
        find = partial(asylum.by_destination, night, view.kind, order)
        table = reads.once(night, find, "by destination", view.kind)
        heading, name = _("Country of destination"), "destinations"
        links = {geo: state.link("asylum", kind=view.kind, country=geo) for geo in table["geo"]}
        names = [f"[{tables.no_break(country(geo))}]({links[geo]})" for geo in table["geo"]]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(title, anchor=False)
        if len(table):
            full = labelled(title, asylum.kind_name(view.kind, lang()))
            made = downloads.export_of(night, f"asylum-{name}-{view.freq}", full, table, [asylum.SOURCE_ID])
            downloads.buttons(made)
    if table.empty:
        st.markdown(layout.small(_("No forecast of this kind in this release.")))
        return
    with st.container(key="numbers-largest"):
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
            _("Expected"): [lang().expected(value) for value in table["expected"]],
            _("80% interval"): [
                lang().interval(low, high) for low, high in zip(table["low"], table["high"], strict=True)
            ],
            _("Last count"): [lang().counted(value) for value in table["last_value"]],
        }
    )


def in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """The figures behind the chart, the newest first, under names in the reader's language."""
    shown = tables.with_words(frame.rename(columns={"period": "month"}).iloc[::-1])
    return shown.rename(columns={_("Month"): _("Period")})


def export_of(night: Night, view: AsylumForecast) -> Export:
    """The figures behind the chart, ready to leave."""
    frame = tables.forecast_table(view.history, view.quantiles, None, night.as_of)
    if view.freq == "Q":
        quarters = pd.PeriodIndex(frame["month"], freq="M").asfreq("Q")
        frame = frame.assign(month=[str(quarter).replace("Q", "-Q") for quarter in quarters])
    named = frame.rename(columns={"month": "period"})
    name = f"asylum-{view.geo}-{view.kind.split('.')[0].removeprefix('asylum_')}-{view.freq}".replace("_", "-").lower()
    title = f"{asylum.title(view, lang())} ({asylum.kind_name(view.kind, lang())})"
    made = downloads.export_of(night, name, title, named, [asylum.SOURCE_ID])
    return downloads.with_notes(made, [_("Figures are rounded to the nearest 5 by Eurostat.")])


show(layout.open_page())
