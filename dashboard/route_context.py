"""Who arrives on a route, and the indicators that people ask about. Context is never a cause."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from alerts.rules.nationality_shift import UNKNOWN
from core.countries import known_codes
from core.disclosure import ROUNDED_TO
from core.routes import CARRIED, counted, is_own
from core.schema import ALL, PLACES, RECEPTION, TARGETS
from dashboard import _, downloads, lang, layout, named, reads, state
from dashboard.charts.bars import mix_alt, mix_bars, small_multiples, small_multiples_alt
from dashboard.layout import country
from dashboard.route_view import RouteView
from dashboard.theme import current_theme
from reports import numbers
from reports.names import INDICATORS
from reports.units import in_unit

LARGEST_SHOWN = 10
MONTHS_IN_BREAKDOWN = 12
INDICATOR_YEARS, MOST_INDICATORS = 5, 4
WORLD_INDICATORS = ("food_price_index",)


def show_nationalities(view: RouteView) -> None:
    """The largest nationalities of the past year."""
    cells = reads.once(view.night, partial(breakdown, view), "breakdown", view.route_id, view.known_on)
    if cells.empty:
        st.header(_("Nationalities"), anchor=False)
        st.markdown(layout.small(_("No source of this release publishes this route by nationality.")))
        return
    table, newest = yearly_breakdown(cells)
    period = pd.Period(newest, "M")
    title = in_unit("Arrivals by nationality, twelve months to {month}", view.route_id, lang())
    title = title.format(month=lang().month(period.to_timestamp()))
    st.header(title, anchor=False)
    show_cut(view)
    shares = yearly_shares(view, set(cells["time_period"]))
    mix = largest(table) if shares.empty else largest_shares(shares)
    shown = in_unit("Share of arrivals of known nationality", view.route_id, lang())
    unit = _("Persons, share of those shown") if shares.empty else shown
    draw = partial(draw_mix, mix, unit, title, "nationalities")
    reads.drawn_once(view.night, draw, "nationalities", view.route_id, view.known_on)
    notes = [rounding_note()] if is_own(view.route_id) else []
    for note in notes:
        st.markdown(layout.small(note))
    made = downloads.export_of(
        view.night, f"nationalities-{view.route_id}", title, monthly_breakdown(cells), list(view.night.sources())
    )
    made = downloads.cut_at(downloads.with_notes(made, notes), view.origin)
    downloads.figures(made, title, shown=mix)


def draw_mix(mix: pd.DataFrame, unit: str, title: str, key: str) -> None:
    """Shares as bars: the chart alone."""
    layout.chart(mix_bars(mix, unit=unit, theme=current_theme()), mix_alt(mix, unit=title), key)


def show_cut(view: RouteView) -> None:
    """At a past origin: how these figures were cut."""
    if view.origin:
        st.markdown(layout.small(downloads.cut_words(view.origin)))


def breakdown(view: RouteView) -> pd.DataFrame:
    """Monthly counts by nationality on the route, known on the date.

    Returns:
        ``citizen, time_period, obs_value``.
    """
    rows = view.night.frame("observations")
    own = rows[
        (rows["route_id"] == view.route_id)
        & (rows["target"] == counted(view.route_id))
        & (rows["freq"] == "M")
        & ~rows["citizen"].isin(["_T", "_Z"])
        & (rows["geo"] == ("_Z" if is_own(view.route_id) else "_T"))
    ]
    ends = pd.PeriodIndex(own["time_period"], freq="M").end_time.normalize()
    upto = own[ends <= pd.Timestamp(view.known_on)]
    return upto[["citizen", "time_period", "obs_value"]].reset_index(drop=True)


def indicators(view: RouteView) -> pd.DataFrame:
    """Monthly indicators of the release: context, never forecast."""
    rows = view.night.frame("observations")
    is_context = ~rows["target"].isin([*TARGETS, CARRIED, PLACES]) & ~rows["target"].str.startswith(RECEPTION)
    return rows[is_context & (rows["freq"] == "M")]


def rounding_note() -> str:
    """How counts of an own source are shown."""
    return _("Own counts by nationality are rounded to the nearest {n}.").format(n=ROUNDED_TO)


def monthly_breakdown(cells: pd.DataFrame) -> pd.DataFrame:
    """The last twelve months by nationality, for the files."""
    periods = sorted(cells["time_period"].unique())[-MONTHS_IN_BREAKDOWN:]
    return cells[cells["time_period"].isin(periods)].reset_index(drop=True)


def yearly_breakdown(cells: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Sums of the last twelve months by nationality, the largest first; and the newest month."""
    periods = sorted(cells["time_period"].unique())[-MONTHS_IN_BREAKDOWN:]
    recent = cells[cells["time_period"].isin(periods)]
    sums = recent.groupby("citizen", as_index=False)["obs_value"].sum()
    return sums[sums["obs_value"] > 0].sort_values("obs_value", ascending=False, ignore_index=True), periods[-1]


def yearly_shares(view: RouteView, known: set[str]) -> pd.Series:
    """Share of each known nationality in the last twelve months in whole per cent, as alerts state it.

    Returns:
        Shares by citizenship, 0 to 1, the largest first; empty if no nationality is known.
    """
    rows = view.night.frame("observations")
    rows = rows[rows["time_period"].isin(sorted(known)[-MONTHS_IN_BREAKDOWN:]) & ~rows["citizen"].isin(UNKNOWN)]
    rows = rows[(rows["route_id"] == view.route_id) & (rows["target"] == counted(view.route_id)) & (rows["geo"] == ALL)]
    sums = rows[rows["freq"] == "M"].groupby("citizen")["obs_value"].sum()
    return (sums / sums.sum()).round(2).sort_values(ascending=False)


def largest_shares(shares: pd.Series) -> pd.DataFrame:
    """The largest nationalities and the others together: ``name``, ``share``."""
    top = shares.head(LARGEST_SHOWN)
    top = top[top > 0]
    out = pd.DataFrame({"name": [country(str(code)) for code in top.index], "share": top.to_numpy()})
    others = pd.DataFrame({"name": [_("Others")], "share": [max(0.0, round(1 - float(top.sum()), 2))]})
    return pd.concat([out, others], ignore_index=True)


def largest(table: pd.DataFrame) -> pd.DataFrame:
    """The largest nationalities and the others together: ``name``, ``value``, ``share`` of what is shown."""
    top, rest = table.head(LARGEST_SHOWN), table.iloc[LARGEST_SHOWN:]
    out = pd.DataFrame({"name": [country(code) for code in top["citizen"]], "value": top["obs_value"].to_numpy()})
    if len(rest):
        others = pd.DataFrame({"name": [_("Others")], "value": [float(rest["obs_value"].sum())]})
        out = pd.concat([out, others], ignore_index=True)
    return out.assign(share=out["value"] / max(float(out["value"].sum()), 1.0))


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
    rows = indicators(view)
    if rows.empty:
        st.markdown(layout.small(_("No indicators in this release.")))
        return
    places = sorted(set(rows["geo"]) & known_codes(), key=country)
    usual = reads.once(view.night, partial(usual_place, view, places), "usual place", view.route_id, view.known_on)
    place = state.choice("place", places, usual) if places else ""
    if places:
        st.selectbox(_("Country of origin"), places, format_func=country, width=240, **state.widget("place", place))
    at = (view.route_id, view.known_on, place)
    lines = reads.once(view.night, partial(context_lines, view, rows, place), "context", *at)
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


def usual_place(view: RouteView, places: list[str]) -> str:
    """The largest nationality on the route that indicators are known for, else the first place."""
    cells = breakdown(view)
    if not cells.empty:
        for code in yearly_breakdown(cells)[0]["citizen"]:
            if code in places:
                return str(code)
    return places[0] if places else ""


def context_lines(view: RouteView, rows: pd.DataFrame, place: str) -> pd.DataFrame:
    """Five years of up to four indicators: of the place, of the route, then of the world.

    Returns:
        ``panel``, ``time_period_end``, ``value``.
    """
    local = rows[rows["geo"] == place]
    own = rows[(rows["route_id"] == view.route_id) & (rows["geo"] != place)]
    world = rows[rows["target"].isin(WORLD_INDICATORS)]
    lines = []
    for group in (local, own, world):
        for (target, _series), part in group.groupby(["target", "series_id"]):
            known = numbers.series_of(part, str(part["series_id"].iloc[0]))
            known = known[known["end_date"] <= pd.Timestamp(view.known_on)].tail(12 * INDICATOR_YEARS)
            lines.append(
                pd.DataFrame(
                    {
                        "panel": named(INDICATORS, str(target)),
                        "time_period_end": known["end_date"],
                        "value": known["obs_value"],
                    }
                )
            )
    return pd.concat(lines[:MOST_INDICATORS], ignore_index=True) if lines else pd.DataFrame()
