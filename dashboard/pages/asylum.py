"""Asylum: applications by country of destination, what is expected next, and who applies."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from dashboard import _, downloads, labelled, lang, layout, ngettext, reads, state, tables, time_travel, year_ahead
from dashboard.charts.bars import mix_alt, mix_bars
from dashboard.charts.fan import Fan, fan_alt, fan_chart, fan_key
from dashboard.downloads import Export, drawn
from dashboard.layout import country
from dashboard.reads import Night
from dashboard.theme import current_theme
from forecasting import BASELINE
from reports import asylum, charts, context, numbers
from reports.asylum import AsylumForecast
from reports.context import events_before

TITLE, PLACE = _("Asylum"), 3
LARGEST = 10
"""Countries that are shown without a click."""
SHOWN = {"M": 24, "Q": 16}
"""Observed figures on the chart."""
FARTHEST = 2.0
"""How far above the rest the 95 % band may lie and still be drawn whole."""


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
    st.markdown(layout.small(layout.plain(asylum.who_words(view, lang()))))
    later = reads.once(night, partial(time_travel.since, night, view.series_id, view.quantiles), "since", *view.key)
    show_controls(view, found, order)
    shown = view if state.switch("models") else view.to_plan_with
    with st.container(key="main-chart"):
        chart, figures = st.columns([3.1, 1], gap="medium")
    with chart:
        show_fan(night, shown, *later)
    with figures:
        for label, value, pill in asylum.key_numbers(view, lang()):
            st.metric(label, value, pill or None, delta_color="off", delta_arrow="off")
        former = reads.night(night.previous) if night.previous else None
        said = [
            asylum.absent_words(view, lang()), asylum.since_words(view, former, lang()),
            *asylum.skill_words(view, lang()),
        ]  # fmt: skip
        st.markdown("\n".join(f"- {layout.plain(text)}" for text in filter(None, said)))
    layout.let_draw()
    show_files(night, shown)
    show_countries(night, view, order)
    year_ahead.show_countries(night, geo)
    show_corridors(night, view)
    show_citizenships(night, view)
    st.header(_("What is missing here, and why"), anchor=False)
    st.markdown("\n".join(f"- {layout.plain(text)}" for text in asylum.missing_words(view, lang())))


def show_controls(view: AsylumForecast, found: list[str], order: list[str]) -> None:
    """Where, and what is counted if there is a choice; what else the chart can show stands behind a button."""
    with st.container(key="controls-first", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            _("Country of destination"), order, format_func=country, width=240,
            **state.widget("country", view.geo),
        )  # fmt: skip
        if len(found) > 1:
            name = partial(asylum.kind_name, language=lang())
            st.selectbox(
                _("Applications"), found, format_func=name, width=330, **state.widget("kind", view.kind)
            )  # fmt: skip
        with st.popover(_("Display")):
            if not view.beats_baseline:
                st.toggle(_("Models’ forecast"), **state.toggle("models"))
            st.toggle(_("Earlier forecasts"), **state.toggle("earlier"))


def show_fan(night: Night, view: AsylumForecast, outcomes: pd.DataFrame, knowing: Night) -> None:
    """The fan chart, or why there is none."""
    if view.quantiles.empty:
        st.info(layout.plain(asylum.why_no_forecast(view, lang())), icon=":material/info:")
        return
    earlier = state.switch("earlier")
    revealed = state.switch("reveal")
    draw = partial(draw_fan, night, view, outcomes if revealed else None, earlier=earlier)
    reads.drawn_once(night, draw, "asylum fan", *view.key, earlier, revealed)
    time_travel.show_reveal_switch(there=len(outcomes) > 0)
    if revealed:
        did = time_travel.how_it_did(view.quantiles, outcomes)
        named = f"{country(view.geo)} ({lang().day(night.as_of)})"
        time_travel.show_verdict(night, knowing, did, named, f"{view.geo}-{night.as_of}", view.months_each)


def draw_fan(night: Night, view: AsylumForecast, outcomes: pd.DataFrame | None, *, earlier: bool) -> None:
    """The fan chart alone."""
    events, is_last = events_of(night, view), view.model_id == BASELINE
    tops = view.quantiles[0.9].max(), view.history["obs_value"].tail(SHOWN[view.freq]).max()
    widest = float(view.quantiles[0.975].max())
    fan = Fan(
        numbers.for_chart(view.history), view.forecast, night.as_of, asylum.unit(view, lang()),
        earlier=earlier_of(night, view) if earlier else None, outcomes=outcomes, verdicts=view.verdicts,
        months_back=SHOWN[view.freq], months_each=view.months_each, events=events,
        goes_by_last=not view.beats_baseline, is_last=is_last, reach=widest if widest < FARTHEST * max(tops) else 0.0,
    )  # fmt: skip
    what = _("{country}: asylum applications counted and expected.").format(country=country(view.geo))
    layout.chart(fan_chart(fan, current_theme(), height=400), fan_alt(fan, name=view.geo, what=what), "asylum-fan")
    st.html(fan_key(fan, current_theme()))
    layout.show_sources(night, [view.series_id])
    layout.show_events(events)


def events_of(night: Night, view: AsylumForecast) -> pd.DataFrame:
    """Events in the periods that the chart shows."""
    return events_before(night.frame("events"), "asylum", night.as_of, SHOWN[view.freq] * view.months_each)


def show_files(night: Night, view: AsylumForecast) -> None:
    """The figures behind the chart, and its files."""
    if view.quantiles.empty:
        return
    export = reads.once(night, partial(export_of, night, view), "asylum's file", *view.key)
    unit = asylum.unit(view, lang())
    fan = charts.Fan(
        view.history, view.quantiles, night.as_of, unit, export.title, view.months_each, SHOWN[view.freq],
        earlier=earlier_of(night, view), verdicts=view.verdicts, events=events_of(night, view),
    )  # fmt: skip
    downloads.figures(export, export.title, shown=in_words(export.frame), picture=partial(drawn, export, fan))


def earlier_of(night: Night, view: AsylumForecast) -> pd.DataFrame:
    """Forecasts made before, over the periods that have been counted since."""
    return numbers.earlier(night.frame("asylum_replays"), view.series_id, view.history)


def show_citizenships(night: Night, view: AsylumForecast) -> None:
    """The applicants by citizenship in the newest year with a breakdown; nothing where none has one."""
    cells = reads.once(night, partial(asylum.citizenships, view), "citizenships", *view.key)
    if cells.empty:
        return
    table, newest = context.yearly_breakdown(cells)
    period = pd.Period(newest.replace("-Q", "Q"), view.freq).end_time
    text = _("{country}: applicants by citizenship, year to {period}")
    text = text.format(country=country(view.geo), period=lang().period(period, view.months_each))
    title = f"{text} ({asylum.kind_name(view.kind, lang())})"
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


def show_countries(night: Night, view: AsylumForecast, order: Sequence[str]) -> None:
    """Every country with a forecast in one table: its last count, what to plan with, the record, its line."""
    find = partial(asylum.by_destination, night, view.kind, order)
    table = reads.once(night, find, "by destination", view.kind)
    if table.empty:
        return
    end = asylum.forecast_of(night, view.kind, table["geo"].iloc[0]).ahead.index[0]
    text = _("what to plan with, {period}, by country")
    title = labelled(asylum.kind_name(view.kind, lang()), text.format(period=asylum.period(view, end, lang())))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(title, anchor=False)
        made = downloads.export_of(night, f"asylum-destinations-{view.freq}", title, table, [asylum.SOURCE_ID])
        downloads.buttons(made)
    with st.container(key="numbers-destinations"):
        draw = partial(draw_countries, night, view.kind, table.head(LARGEST), title)
        reads.drawn_once(night, draw, "asylum countries", view.kind)
    if (left := len(table) - LARGEST) > 0:
        more = ngettext("{n} more country", "{n} more countries", left).format(n=left)
        with st.container(key="numbers-other-destinations"), st.expander(more):
            draw = partial(draw_countries, night, view.kind, table.iloc[LARGEST:], title)
            reads.drawn_once(night, draw, "other asylum countries", view.kind)
    text = _(
        "Plan with the last count, or with the forecast where that is better or likely better. Aim: the upper end of "
        "its 80% interval. Trend: two years of counts, then that interval (grey: last count repeated; blue-green: "
        "forecast), each on its own scale from zero."
    )
    notes = [asylum.absent_words(view, lang()), asylum.record_words(table, lang()), text]
    st.markdown(layout.small(layout.plain(" ".join(filter(None, notes)))))


def draw_countries(night: Night, kind: str, table: pd.DataFrame, title: str) -> None:
    """The table; a name leads to its country."""
    shown = asylum.destinations_table(table, lang()).map(tables.lines)
    first = str(shown.columns[0])
    links = [state.link("asylum", kind=kind, country=geo) for geo in table["geo"]]
    found = [asylum.forecast_of(night, kind, geo).to_plan_with for geo in table["geo"]]
    draw = partial(tables.sparkline, theme=current_theme(), months_each=found[0].months_each)
    lines = [draw(one.history, one.quantiles, is_last=one.model_id == BASELINE) for one in found]
    shown[first] = [f"[{name}]({link})" for name, link in zip(shown[first], links, strict=True)]
    shown[_("Trend")] = [f"![{_('Trend')}]({line})" for line in lines]
    st.table(shown, border="horizontal", hide_index=True, alt=title)


def show_corridors(night: Night, view: AsylumForecast) -> None:
    """The largest corridors, where citizenship is known."""
    corridors = reads.once(night, partial(asylum.by_corridor, night, view.kind), "corridors", view.kind)
    if corridors.empty:
        return
    title = labelled(asylum.kind_name(view.kind, lang()), _("Largest corridors"))
    names = [f"{country(row['citizen'])} → {country(row['geo'])}" for row in corridors.to_dict("records")]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(title, anchor=False)
        made = downloads.export_of(night, f"asylum-corridors-{view.freq}", title, corridors, [asylum.SOURCE_ID])
        downloads.buttons(made)
    with st.container(key="numbers-largest"):
        st.table(largest_in_words(corridors, names), border="horizontal", width="content", hide_index=True, alt=title)


def largest_in_words(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """The table on screen, numbers in the reader's format; four columns, so that a phone shows all of them."""
    return pd.DataFrame({
        _("Corridor"): names, _("Expected"): table["expected"].map(lang().expected),
        _("80% interval"): list(map(lang().interval, table["low"], table["high"])),
        _("Last count"): table["last_value"].map(lang().counted),
    })  # fmt: skip


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
    notes = [_(asylum.LAST_REPEATED)] * (view.model_id == BASELINE)
    return downloads.with_notes(made, [*notes, _("Figures are rounded to the nearest 5 by Eurostat.")])


show(layout.open_page())
