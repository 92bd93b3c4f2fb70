"""The four views under the fan chart: models and seasons, nationalities, drivers, table."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from core.countries import display_name, known_codes
from core.disclosure import SMALLEST_SHOWN
from core.errors import InputError
from core.schema import ALL, TARGETS
from dashboard import downloads, layout, memory, numbers, state, summaries, tables
from dashboard.charts.bars import mix_alt, mix_bars, small_multiples, small_multiples_alt
from dashboard.charts.models import members_alt, members_chart
from dashboard.charts.seasons import season_alt, season_chart
from dashboard.downloads import Export
from dashboard.explanation_view import show_moved
from dashboard.i18n import _, language, ngettext
from dashboard.names import indicator_name, model_name
from dashboard.route_view import RouteView
from dashboard.tables import localised
from dashboard.theme import current_theme

LARGEST_SHOWN = 10
MONTHS_IN_BREAKDOWN = 12
INDICATOR_YEARS, MOST_INDICATORS = 5, 4
WORLD_INDICATORS = ("food_price_index",)


def show_models(view: RouteView) -> None:
    """What each model expects, what moved the forecast since last month, and this year beside the ones before."""
    if view.quantiles.empty:
        st.markdown(layout.small(_("No forecast, so nothing to compare.")))
        return
    left, right = st.columns(2, gap="medium")
    with left:
        show_members(view)
    with right:
        show_moved(view)
    show_seasons(view)


def show_members(view: RouteView) -> None:
    """Interval bars of every model for one month, with its score."""
    members = memory.made(view.night, partial(member_rows, view), "members", *view.key)
    if members.empty:
        st.header(_("Models"), anchor=False)
        st.markdown(layout.small(_("This release keeps no forecasts of single models for that date.")))
        return
    others = members[members["model_id"] != summaries.ENSEMBLE]["q50"]
    spread = numbers.expected(others.max() - others.min()) if len(others) else ""
    text = ngettext("{n} model beside the ensemble", "The medians of {n} models lie within {spread}", len(others))
    st.header(text.format(n=len(others), spread=spread), anchor=False)
    unit = _("Arrivals expected, {month}").format(month=members["month"].iloc[0])
    memory.drawn(view.night, lambda: draw_members(members, unit), "members' chart", *view.key)
    if view.origin:
        st.markdown(layout.small(_("Relative WIS as it stood then, all routes together.")))
    title = _("Forecasts of each model, {month}").format(month=members["month"].iloc[0])
    downloads.figures(downloads.export_of(view.night, f"models-{view.route_id}", title, members), title)


def draw_members(members: pd.DataFrame, unit: str) -> None:
    """The chart alone."""
    layout.chart(members_chart(members, unit=unit, theme=current_theme()), members_alt(members), "members")


def member_rows(view: RouteView) -> pd.DataFrame:
    """Quantiles and score of each model for the third month ahead, the ensemble first, the baseline always there."""
    rows = replayed_rows(view) if view.origin else present_rows(view)
    rows["name"] = rows["model_id"].map(model_name)
    first = rows["model_id"].map({summaries.ENSEMBLE: 0, summaries.BASELINE: 1}).fillna(2)
    return rows.assign(_order=first).sort_values(["_order", "relative_wis"]).drop(columns="_order")


def present_rows(view: RouteView) -> pd.DataFrame:
    """Bounds of each model's forecast of the third month ahead, and its score on this route over all past origins."""
    rows = view.night.frame("forecasts")
    rows = rows[(rows["series_id"] == view.series_id) & (rows["output_type"] == "quantile")]
    end = summaries.months_ahead(view.night.as_of)[-1]
    rows = rows[rows["target_end_date"] == end]
    wide = rows.pivot_table(index="model_id", columns="output_type_id", values="value")
    kept = {level: f"q{round(level * 100)}" for level in (0.1, 0.25, 0.5, 0.75, 0.9)}
    wide.columns = [round(float(level), 6) for level in wide.columns]
    out = wide[list(kept)].rename(columns=kept).reset_index()
    scores = view.night.frame("scores")
    horizon = int(rows["horizon"].iloc[0]) if len(rows) else 0
    own = scores[
        (scores["series_id"] == view.series_id) & (scores["scale"] == "log") & (scores["horizon"] == horizon)
    ].set_index("model_id")["relative_wis"]
    return out.assign(relative_wis=out["model_id"].map(own), month=numbers.month_name(end))


def replayed_rows(view: RouteView) -> pd.DataFrame:
    """The same at a past origin, with the score that each model had then over all routes."""
    rows = view.night.frame("replays")
    chosen = (rows["series_id"] == view.series_id) & (rows["origin_date"] == pd.Timestamp(view.origin))
    out = rows[chosen & (rows["horizon"] == summaries.MONTHS_AHEAD)]
    weights = view.night.frame("weights")
    then = (weights["origin_date"] == pd.Timestamp(view.origin)) & (weights["horizon"] == summaries.MONTHS_AHEAD)
    record = weights[then & (weights["series_id"] == ALL)].set_index("model_id")["relative_wis"]
    named = out[["model_id", "q10", "q25", "q50", "q75", "q90"]]
    months = [numbers.month_name(end) for end in out["target_end_date"]]
    return named.assign(relative_wis=out["model_id"].map(record).astype(float), month=months)


def show_seasons(view: RouteView) -> None:
    """Years over each other by calendar month, and the files."""
    memory.drawn(view.night, partial(draw_seasons, view), "seasons", *view.key)
    export = memory.made(view.night, partial(seasons_file, view), "seasons' file", *view.key)
    downloads.figures(export, export.title)
    text = _("Years from {year}: earlier peaks would flatten the rest.")
    st.markdown(layout.small(text.format(year=summaries.FIRST_COMPARED_YEAR)))


def seasons_file(view: RouteView) -> Export:
    """The figures behind the seasons."""
    title = _("Arrivals by calendar month and year")
    return downloads.export_of(
        view.night, f"seasons-{view.route_id}", title, by_year(view.history, this_years_median(view))
    )


def this_years_median(view: RouteView) -> pd.Series:
    """The median of the months expected in the last year that the forecast reaches."""
    ends = pd.DatetimeIndex(view.quantiles.index)
    return view.quantiles.loc[ends.year == ends[-1].year, 0.5]


def draw_seasons(view: RouteView) -> None:
    """The finding and the chart."""
    ends = pd.DatetimeIndex(view.quantiles.index)
    year = int(ends[-1].year)
    median = this_years_median(view)
    before = view.history[(view.history["end_date"].dt.year == year - 1)].set_index("end_date")["obs_value"]
    months = list(pd.DatetimeIndex(median.index).month)
    same = before[before.index.month.isin(months)]
    st.header(season_words(float(median.sum()), float(same.sum()), len(same) == len(median), year), anchor=False)
    recent = view.observed[view.observed["time_period_end"].dt.year >= summaries.FIRST_COMPARED_YEAR]
    figure = season_chart(recent, view.forecast, year=year, unit=_("Arrivals per month"), theme=current_theme())
    layout.chart(figure, season_alt(recent, view.forecast, year=year), "seasons")


def by_year(history: pd.DataFrame, median: pd.Series) -> pd.DataFrame:
    """Counted months and this year's expected ones: ``month, kind, value``."""
    counted = history[history["end_date"].dt.year >= summaries.FIRST_COMPARED_YEAR]
    ends = [*counted["end_date"], *pd.DatetimeIndex(median.index)]
    return pd.DataFrame(
        {
            "month": [end.strftime("%Y-%m") for end in ends],
            "kind": ["observed"] * len(counted) + ["median forecast"] * len(median),
            "value": [*counted["obs_value"], *median.round(1)],
        }
    )


def season_words(expected: float, before: float, complete: bool, year: int) -> str:  # noqa: FBT001  # a fact about the data, not a switch
    """This year against the last one, in words."""
    if not complete or before <= 0:
        return _("{year} beside earlier years").format(year=year)
    ratio = expected / before
    if 0.9 <= ratio <= 1.1:
        return _("{year} is expected close to {before}").format(year=year, before=year - 1)
    text = _("{year} is expected above {before}") if ratio > 1 else _("{year} is expected below {before}")
    return text.format(year=year, before=year - 1)


def show_nationalities(view: RouteView) -> None:
    """The largest nationalities of the past year; small counts are withheld."""
    cells = memory.made(view.night, partial(breakdown, view), "breakdown", view.route_id, view.known_on)
    if cells.empty:
        st.header(_("Nationalities"), anchor=False)
        st.markdown(layout.small(_("No source of this release publishes this route by nationality.")))
        return
    table, newest = yearly_breakdown(cells)
    period = pd.Period(newest, "M")
    title = _("Arrivals by nationality, twelve months to {month}").format(
        month=numbers.month_name(period.to_timestamp())
    )
    st.header(title, anchor=False)
    show_cut(view)
    mix = largest(table)
    unit = _("Persons, share of those shown")
    draw = partial(draw_mix, mix, unit, title, "nationalities")
    memory.drawn(view.night, draw, "nationalities", view.route_id, view.known_on)
    st.markdown(layout.small(withheld_note()))
    made = downloads.export_of(view.night, f"nationalities-{view.route_id}", title, monthly_breakdown(cells))
    downloads.figures(downloads.with_notes(made, [withheld_note()]), title, shown=mix)


def draw_mix(mix: pd.DataFrame, unit: str, title: str, key: str) -> None:
    """Shares as bars: the chart alone."""
    layout.chart(mix_bars(mix, unit=unit, theme=current_theme()), mix_alt(mix, unit=title), key)


def show_cut(view: RouteView) -> None:
    """At a past origin: how these figures were cut."""
    if view.origin:
        st.markdown(layout.small(_("Figures as this release knows them, cut at that date.")))


def breakdown(view: RouteView) -> pd.DataFrame:
    """Monthly arrivals by nationality on the route, known on the date, small counts withheld.

    Returns:
        ``citizen, time_period, obs_value, suppressed``.
    """
    rows = view.night.published("observations")
    own = rows[
        (rows["route_id"] == view.route_id)
        & (rows["target"] == "arrivals")
        & (rows["freq"] == "M")
        & ~rows["citizen"].isin(["_T", "_Z"])
        & (rows["geo"] == "_T")
    ]
    ends = pd.PeriodIndex(own["time_period"], freq="M").end_time.normalize()
    upto = own[ends <= pd.Timestamp(view.known_on)]
    return upto[["citizen", "time_period", "obs_value", "suppressed"]].reset_index(drop=True)


def indicators(view: RouteView) -> pd.DataFrame:
    """Monthly indicators of the release: context, never forecast."""
    rows = view.night.frame("observations")
    return rows[~rows["target"].isin(TARGETS) & (rows["freq"] == "M")]


def withheld_note() -> str:
    """What is withheld, and why."""
    text = _(
        "Counts of 1–{last} are withheld to protect persons, and a second one where a total would give the first away. "
        "Sums over months leave withheld months out."
    )
    return text.format(last=SMALLEST_SHOWN - 1)


def monthly_breakdown(cells: pd.DataFrame) -> pd.DataFrame:
    """The last twelve months by nationality, for the files."""
    periods = sorted(cells["time_period"].unique())[-MONTHS_IN_BREAKDOWN:]
    return cells[cells["time_period"].isin(periods)].reset_index(drop=True)


def yearly_breakdown(cells: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Sums of the last twelve months by nationality, the largest first; and the newest month.

    A withheld month counts as nothing: a sum over all months would give it away.
    """
    periods = sorted(cells["time_period"].unique())[-MONTHS_IN_BREAKDOWN:]
    recent = cells[cells["time_period"].isin(periods)]
    sums = recent.groupby("citizen", as_index=False)["obs_value"].sum()
    return sums[sums["obs_value"] > 0].sort_values("obs_value", ascending=False, ignore_index=True), periods[-1]


def largest(table: pd.DataFrame) -> pd.DataFrame:
    """The largest nationalities and the others together: ``name``, ``value``, ``share`` of what is shown."""
    top, rest = table.head(LARGEST_SHOWN), table.iloc[LARGEST_SHOWN:]
    out = pd.DataFrame({"name": [country(code) for code in top["citizen"]], "value": top["obs_value"].to_numpy()})
    if len(rest):
        others = pd.DataFrame({"name": [_("Others")], "value": [float(rest["obs_value"].sum())]})
        out = pd.concat([out, others], ignore_index=True)
    return out.assign(share=out["value"] / max(float(out["value"].sum()), 1.0))


def country(code: str) -> str:
    """A country's name in the reader's language; the code itself where nobody knows it."""
    try:
        return display_name(code, language())
    except InputError:
        return code


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
        st.markdown(layout.small(_("This release holds no indicators.")))
        return
    places = sorted(set(rows["geo"]) & known_codes(), key=country)
    usual = memory.made(view.night, partial(usual_place, view, places), "usual place", view.route_id, view.known_on)
    place = state.choice("place", places, usual) if places else ""
    if places:
        st.selectbox(_("Country of origin"), places, format_func=country, width=240, **state.widget("place", place))
    at = (view.route_id, view.known_on, place)
    lines = memory.made(view.night, partial(context_lines, view, rows, place), "context", *at)
    if lines.empty:
        st.markdown(layout.small(_("This release holds no indicator for this place.")))
        return
    memory.drawn(view.night, partial(draw_context, lines), "context's chart", *at)
    made = downloads.export_of(view.night, f"context-{view.route_id}", _("Context of the route"), lines)
    downloads.figures(downloads.with_notes(made, [_("Shown as context, never as cause.")]), _("Context of the route"))


def draw_context(lines: pd.DataFrame) -> None:
    """The chart alone."""
    layout.chart(small_multiples(lines, theme=current_theme()), small_multiples_alt(lines), "context")


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
            known = summaries.series_of(part, str(part["series_id"].iloc[0]))
            known = known[known["end_date"] <= pd.Timestamp(view.known_on)].tail(12 * INDICATOR_YEARS)
            lines.append(
                pd.DataFrame(
                    {
                        "panel": indicator_name(str(target)),
                        "time_period_end": known["end_date"],
                        "value": known["obs_value"],
                    }
                )
            )
    return pd.concat(lines[:MOST_INDICATORS], ignore_index=True) if lines else pd.DataFrame()


def show_table(view: RouteView) -> None:
    """The figures behind the chart."""
    frame = tables.forecast_table(view.history.tail(60), view.quantiles, view.threshold, view.known_on)
    st.dataframe(
        localised(tables.with_words(frame.iloc[::-1])),
        hide_index=True,
        height=420,
        placeholder="",
        alt=_("Counted months and expected ones with their intervals, the newest first"),
    )


PARTS: dict[str, Callable[[RouteView], None]] = {
    "models": show_models,
    "nationalities": show_nationalities,
    "drivers": show_drivers,
    "table": show_table,
}
