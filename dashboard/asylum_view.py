"""What the page on asylum applications shows, worked out once from a release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import pandas as pd
import streamlit as st

from core.calendar import MONTHS_EACH, Frequency
from core.schema import ALL
from dashboard import _, downloads, labelled, lang, layout, reads, route_context, route_view, state, tables
from dashboard.downloads import Export
from dashboard.layout import country
from dashboard.reads import Night
from dashboard.tables import sparkline
from dashboard.theme import current_theme
from forecasting import ENSEMBLE
from reports import Row, asylum, numbers
from reports.skill import skill_span

SHOWN = {"M": 24, "Q": 16}
"""Observed figures on the chart."""
MOST_ROWS = 12
RECEIVING = [
    "AUT", "BEL", "BGR", "CHE", "CYP", "CZE", "DEU", "DNK", "ESP", "EST", "FIN", "FRA", "GRC", "HRV", "HUN", "IRL",
    "ISL", "ITA", "LIE", "LTU", "LUX", "LVA", "MLT", "NLD", "NOR", "POL", "PRT", "ROU", "SVK", "SVN", "SWE",
]  # fmt: skip
"""Countries that report asylum applications to Eurostat."""


@dataclass(frozen=True)
class AsylumView:
    """Asylum applications in one country as of one release.

    Attributes:
        night: The release.
        kind: Target and frequency, such as ``asylum_applications_first.M``.
        geo: Country of destination, ISO 3166 alpha-3.
        state: The series' row of ``asylum_series``.
        history: ``time_period, obs_value, obs_flag, end_date``.
        forecast: Quantile rows of the ensemble.
        quantiles: The same, wide.
        earlier: Forecasts made before, as for ``route_view.earlier_forecasts``.
        skill: Periods ahead from and up to which the forecast beats the baseline; None without scores.
        reported: The newest row of ``reporting`` of this kind, or None.
    """

    night: Night
    kind: str
    geo: str
    state: Row
    history: pd.DataFrame
    forecast: pd.DataFrame
    quantiles: pd.DataFrame
    earlier: pd.DataFrame
    skill: tuple[int, int] | None
    reported: Row | None

    @property
    def key(self) -> tuple[str, str]:
        """Return the key of this view among views of the same release."""
        return self.kind, self.geo

    @property
    def target(self) -> str:
        """What is counted."""
        return self.kind.split(".")[0]

    @property
    def freq(self) -> Frequency:
        """How often."""
        return cast(Frequency, self.kind.split(".")[1])

    @property
    def months_each(self) -> int:
        """Months that one figure covers."""
        return MONTHS_EACH[self.freq]

    @property
    def observed(self) -> pd.DataFrame:
        """The history under the names that charts take."""
        return route_view.for_chart(self.history)


def build(night: Night, kind: str, geo: str) -> AsylumView:
    """Gather what the page shows of one country."""
    states = asylum.of_kind(night.frame("asylum_series"), kind)
    state = states[states["geo"] == geo].to_dict("records")[0]
    series_id, freq = str(state["series_id"]), kind.split(".")[1]
    history = numbers.series_of(night.frame("observations"), series_id, "Q" if freq == "Q" else "M")
    rows = night.frame("asylum_forecasts")
    rows = rows[(rows["series_id"] == series_id) & (rows["model_id"] == ENSEMBLE)].reset_index(drop=True)
    return AsylumView(
        night=night,
        kind=kind,
        geo=geo,
        state=state,
        history=history,
        forecast=rows,
        quantiles=numbers.quantiles_of(rows, series_id),
        earlier=earlier(night.frame("asylum_replays"), series_id, freq, history),
        skill=skill_span(night.frame("asylum_scores"), series_id),
        reported=asylum.newest_reporting(night.frame("reporting"), kind),
    )


def earlier(hindcasts: pd.DataFrame, series_id: str, freq: str, history: pd.DataFrame) -> pd.DataFrame:
    """Forecasts made every half year (quarters: every year) before, over the periods that have been counted since."""
    columns = ["origin_date", "target_end_date", "q10", "q50", "q90"]
    own = hindcasts[(hindcasts["series_id"] == series_id) & (hindcasts["model_id"] == ENSEMBLE)]
    if own.empty or history.empty:
        return pd.DataFrame(columns=columns)
    last = history["end_date"].max()
    each = MONTHS_EACH[freq]
    origins = pd.to_datetime(own["origin_date"])
    age = (12 * (last.year - origins.dt.year) + last.month - origins.dt.month) // each
    step, length = (6, 6) if freq == "M" else (4, 4)
    kept: pd.DataFrame = own[
        age.gt(0) & age.mod(step).eq(0) & own["horizon"].le(length) & own["target_end_date"].le(last)
    ]
    return kept[columns].reset_index(drop=True)


def by_destination(night: Night, kind: str, order: Sequence[str]) -> pd.DataFrame:
    """One row per country with a forecast, the most expected first.

    Returns:
        ``geo, expected, low, high, last_period, last_value, year_earlier``.
    """
    rows = asylum.of_kind(night.frame("asylum_forecasts"), kind)
    table = _next_period(rows[(rows["citizen"] == ALL) & rows["geo"].isin(order)], night, kind, ["geo"])
    return table.sort_values("expected", ascending=False, ignore_index=True).head(MOST_ROWS)


def by_corridor(night: Night, kind: str) -> pd.DataFrame:
    """The largest corridors with a forecast, most applications expected first; without rows where none is known."""
    rows = asylum.of_kind(night.frame("asylum_forecasts"), kind)
    table = _next_period(rows[rows["citizen"] != ALL], night, kind, ["geo", "citizen"])
    return table.sort_values("expected", ascending=False, ignore_index=True).head(MOST_ROWS)


def _next_period(rows: pd.DataFrame, night: Night, kind: str, names: list[str]) -> pd.DataFrame:
    columns = [*names, "expected", "low", "high", "last_period", "last_value", "year_earlier"]
    first = rows[(rows["model_id"] == ENSEMBLE) & (rows["horizon"] == 1)]
    if first.empty:
        return pd.DataFrame(columns=columns)
    wide = first.assign(level=first["output_type_id"].round(6)).pivot_table(
        index=["series_id", *names], columns="level", values="value"
    )
    out = wide[[0.5, 0.1, 0.9]].set_axis(["expected", "low", "high"], axis=1).reset_index()
    observations = asylum.of_kind(night.frame("observations"), kind)
    by_series = {str(name): part.sort_values("time_period") for name, part in observations.groupby("series_id")}
    freq = cast(Frequency, kind.split(".")[1])
    lines = [_newest(by_series.get(str(name)), freq) for name in out["series_id"]]
    return out.join(pd.DataFrame(lines, columns=["last_period", "last_value", "year_earlier"]))[columns]


def _newest(rows: pd.DataFrame | None, freq: Frequency) -> tuple[str, float, float]:
    if rows is None or rows.empty:
        return "", float("nan"), float("nan")
    return str(rows["time_period"].iloc[-1]), float(rows["obs_value"].iloc[-1]), numbers.year_earlier(rows, freq)


def show_citizenships(view: AsylumView) -> None:
    """Return the applicants by citizenship in the newest year with a breakdown, or that none has one."""
    cells = reads.once(view.night, partial(citizenships, view), "citizenships", *view.key)
    if cells.empty:
        st.header(_("Citizenships"), anchor=False)
        text = _(
            "No applications by citizenship in this release. Eurostat publishes them by month; they are in releases "
            "of nights that ask it for its newest figures."
        )
        st.markdown(layout.small(text))
        return
    table, newest = route_context.yearly_breakdown(cells)
    period = pd.Period(newest.replace("-Q", "Q"), view.freq).end_time
    title = _("{country}: applicants by citizenship, year to {period}").format(
        country=country(view.geo), period=lang().period(period, view.months_each)
    )
    st.header(title, anchor=False)
    mix = route_context.largest(table)
    unit = _("Persons, share of those shown")
    draw = partial(route_context.draw_mix, mix, unit, title, "citizenships")
    reads.drawn_once(view.night, draw, "citizenships' chart", *view.key)
    made = downloads.export_of(
        view.night, f"asylum-citizenships-{view.geo}", title, route_context.monthly_breakdown(cells),
        [asylum.SOURCE_ID],
    )  # fmt: skip
    downloads.figures(made, title, shown=mix)


def citizenships(view: AsylumView) -> pd.DataFrame:
    """Applications by citizenship in the country: ``citizen, time_period, obs_value``."""
    rows = asylum.of_kind(view.night.frame("observations"), view.kind)
    own = rows[(rows["geo"] == view.geo) & ~rows["citizen"].isin([ALL, "_Z"])]
    return own[["citizen", "time_period", "obs_value"]].reset_index(drop=True)


def show_grid(view: AsylumView, order: Sequence[str]) -> None:
    """Small pictures of all countries with a forecast, on one scale or each on its own; then who is missing."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.header(_("Countries at a glance"), anchor=False)
        st.toggle(
            _("One scale for all"),
            **state.toggle("one_scale"),
        )
    shared = state.switch("one_scale")
    reads.drawn_once(view.night, partial(draw_grid, view, order, shared=shared), "asylum grid", view.kind, shared)


def draw_grid(view: AsylumView, order: Sequence[str], *, shared: bool) -> None:
    """One cell per country: its name, what is expected next, and its line."""
    cells = [build(view.night, view.kind, geo) for geo in order]
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
    absent = sorted(country(geo) for geo in RECEIVING if geo not in set(order))
    for text, names in ((_("No forecast, too few or too old figures: {names}."), lacking),
                        (_("No figures in this release: {names}."), absent)):  # fmt: skip
        if names:
            st.markdown(layout.small(layout.plain(text.format(names=", ".join(names)))))


def show_largest(view: AsylumView, order: Sequence[str]) -> None:
    """The largest corridors, where citizenship is known; else the largest destinations."""
    corridors = reads.once(view.night, partial(by_corridor, view.night, view.kind), "corridors", view.kind)
    if len(corridors):
        title = _("Largest corridors")
        names = [f"{country(row['citizen'])} → {country(row['geo'])}" for row in corridors.to_dict("records")]
        table, heading, name = corridors, _("Corridor"), "corridors"
    else:
        title = _("Largest destinations")
        find = partial(by_destination, view.night, view.kind, order)
        table = reads.once(view.night, find, "by destination", view.kind)
        heading, name = _("Country of destination"), "destinations"
        links = {geo: state.link("asylum", kind=view.kind, country=geo) for geo in table["geo"]}
        names = [f"[{tables.no_break(country(geo))}]({links[geo]})" for geo in table["geo"]]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(title, anchor=False)
        if len(table):
            full = labelled(title, asylum.kind_name(view.kind, lang()))
            made = downloads.export_of(view.night, f"asylum-{name}-{view.freq}", full, table, [asylum.SOURCE_ID])
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


def export(view: AsylumView) -> Export:
    """The figures behind the chart, ready to leave."""
    frame = tables.forecast_table(view.history, view.quantiles, None, view.night.as_of)
    if view.freq == "Q":
        quarters = pd.PeriodIndex(frame["month"], freq="M").asfreq("Q")
        frame = frame.assign(month=[str(quarter).replace("Q", "-Q") for quarter in quarters])
    named = frame.rename(columns={"month": "period"})
    name = f"asylum-{view.geo}-{view.target.removeprefix('asylum_')}-{view.freq}".replace("_", "-").lower()
    title = f"{asylum.title(view, lang())} ({asylum.kind_name(view.kind, lang())})"
    made = downloads.export_of(view.night, name, title, named, [asylum.SOURCE_ID])
    return downloads.with_notes(made, [_("Figures are rounded to the nearest 5 by Eurostat.")])
