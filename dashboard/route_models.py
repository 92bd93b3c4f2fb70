"""What each model expects of a route, why its forecast moved, and this year beside earlier ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pandas as pd
import streamlit as st

from core.calendar import PLANNING_MONTHS
from core.languages import capital, round_expected
from dashboard import _, downloads, lang, layout, named, ngettext, reads
from dashboard.charts.bars import STEP, TOTAL, steps_alt, steps_chart
from dashboard.charts.models import members_alt, members_chart
from dashboard.charts.seasons import season_alt, season_chart
from dashboard.downloads import Export
from dashboard.reads import Night
from dashboard.route_view import RouteView
from dashboard.theme import current_theme
from forecasting import BASELINE, ENSEMBLE
from forecasting.ensemble import MEMBERS
from reports import cards_in, numbers
from reports.changes import Move, move_of, step_words
from reports.names import MODELS, in_unit
from reports.route import window_words
from reports.skill import error_note
from reports.year_ahead import year_words

WHY = "why"
"""Where the page's link to the chart of steps leads."""


def show_models(view: RouteView) -> None:
    """What each model expects, and this year beside the ones before."""
    if view.quantiles.empty:
        st.markdown(layout.small(_("No forecast, so nothing to compare.")))
        return
    left, right = st.columns(2, gap="medium")
    with left:
        show_members(view)
    with right:
        reads.drawn_once(view.night, partial(draw_seasons, view), "seasons", *view.forecast_key)
        export = reads.once(view.night, partial(seasons_file, view), "seasons' file", *view.forecast_key)
        downloads.figures(export, export.title)


def show_members(view: RouteView) -> None:
    """Interval bars of every model for one month, with its score."""
    members = reads.once(view.night, partial(member_rows, view), "members", *view.forecast_key)
    if members.empty:
        st.header(_("Models"), anchor=False)
        st.markdown(layout.small(_("This release keeps no forecasts of single models for that date.")))
        return
    used = members.loc[members["member"], "q50"]
    text = ngettext(
        "{month}: {expected} expected; {n} model used, its median {low}",
        "{month}: {expected} expected; {n} models used, their medians {low} to {high}",
        len(used),
    )
    text = text if len(used) else _("{month}: {expected} expected")
    values = {"expected": members["q50"].iloc[0], "low": used.min(), "high": used.max()}
    said = {name: lang().expected(value) for name, value in values.items()}
    st.header(capital(text.format(n=len(used), month=members["month"].iloc[0], **said)), anchor=False)
    unit = in_unit(_("{unit} expected, {month}"), view.route_id, lang(), month=members["month"].iloc[0])

    def draw() -> None:
        layout.chart(members_chart(members, unit=unit, theme=current_theme()), members_alt(members), "members")

    reads.drawn_once(view.night, draw, "members' chart", *view.forecast_key)
    how = _(
        "Blue, with a dot: used. Their three kinds are fixed for every route (nationalities where counted), not picked "
        "by the errors beside them. The ensemble is their mean, moved by days already counted; its own past errors set "
        "its width."
    )
    ahead = int(members["horizon"].iloc[0])
    st.markdown(layout.small(f"{how} {error_note(view.night, view.series_id, ahead, lang())}".rstrip()))
    title = _("Forecasts of each model, {month}").format(month=members["month"].iloc[0])
    made = downloads.export_of(view.night, f"models-{view.route_id}", title, members)
    downloads.figures(downloads.at_origin(made, view.origin), title)


def member_rows(view: RouteView) -> pd.DataFrame:
    """Quantiles and score of each model for the third month ahead, the ensemble first, the baseline always there."""
    rows = replayed_rows(view) if view.origin else present_rows(view)
    rows["name"] = rows["model_id"].map(partial(named, MODELS))
    first = rows["model_id"].map({ENSEMBLE: 0, BASELINE: 1}).fillna(2)
    return rows.assign(_order=first).sort_values(["_order", "relative_wis"]).drop(columns="_order")


def present_rows(view: RouteView) -> pd.DataFrame:
    """Bounds of each model's forecast of the third month ahead, and its score on this route over all past origins."""
    rows = view.night.frame("forecasts")
    rows = rows[(rows["series_id"] == view.series_id) & (rows["output_type"] == "quantile")]
    end = numbers.window_ends(view.night.as_of)[-1]
    rows = rows[rows["target_end_date"] == end]
    wide = rows.pivot_table(index="model_id", columns="output_type_id", values="value")
    kept = {level: f"q{round(level * 100)}" for level in (0.1, 0.25, 0.5, 0.75, 0.9)}
    wide.columns = [round(float(level), 6) for level in wide.columns]
    out = wide[list(kept)].rename(columns=kept).reset_index()
    horizon = int(rows["horizon"].iloc[0]) if len(rows) else 0
    own = rows.loc[rows["fallback"].eq(False) & rows["model_id"].isin(MEMBERS), "model_id"]
    member, scores = out["model_id"].isin(own), out["model_id"].map(_scores(view, horizon))
    return out.assign(member=member, relative_wis=scores, month=lang().month(end), horizon=horizon)


def _scores(view: RouteView, horizon: int) -> pd.Series:
    """Score of each model on this route over all past origins, by model id."""
    scores = view.night.frame("scores")
    own = (scores["series_id"] == view.series_id) & (scores["scale"] == "log") & (scores["horizon"] == horizon)
    return scores[own].set_index("model_id")["relative_wis"].astype(float)


def replayed_rows(view: RouteView) -> pd.DataFrame:
    """The same at a past origin."""
    rows = view.night.frame("replays")
    chosen = (rows["series_id"] == view.series_id) & (rows["origin_date"] == pd.Timestamp(view.origin))
    out = rows[chosen & (rows["horizon"] == PLANNING_MONTHS)]
    named = out[["model_id", "q10", "q25", "q50", "q75", "q90"]]
    months = [lang().month(end) for end in out["target_end_date"]]
    member, scores = out["model_id"].isin(MEMBERS), out["model_id"].map(_scores(view, PLANNING_MONTHS))
    return named.assign(member=member, relative_wis=scores, month=months, horizon=PLANNING_MONTHS)


def seasons_file(view: RouteView) -> Export:
    """The figures behind the seasons."""
    title = in_unit(_("{unit} by calendar month and year"), view.route_id, lang())
    figures = by_year(view.history, view.quantiles[0.5])
    return downloads.at_origin(downloads.export_of(view.night, f"seasons-{view.route_id}", title, figures), view.origin)


def looked_at(ends: pd.DatetimeIndex) -> int:
    """The year in which most of the coming months lie; of two with as many the earlier one."""
    years = list(ends.year)
    return max(sorted(set(years)), key=years.count)


def draw_seasons(view: RouteView) -> None:
    """The finding and the chart."""
    year = looked_at(pd.DatetimeIndex(view.quantiles.index))
    totals = view.night.frame("year_ahead").iloc[: 0 if view.origin else None]
    st.header(year_words(totals, view.series_id, year, lang()), anchor=False)
    recent = view.observed[view.observed["time_period_end"].dt.year >= numbers.FIRST_COMPARED_YEAR]
    figure = season_chart(
        recent,
        view.forecast,
        year=year,
        unit=in_unit(_("{unit} per month"), view.route_id, lang()),
        theme=current_theme(),
        verdicts=None if view.origin else view.summary["verdicts"],
    )
    layout.chart(figure, season_alt(recent, view.forecast, year=year), "seasons")
    said = _("Band: 80% interval.")
    if (first := recent["time_period_end"].min().year) < year - 1:
        said = _("Band: 80% interval. Grey lines: {first}–{last}.").format(first=first, last=year - 2)
    st.markdown(layout.small(f"{said} {layout.since_words(view.history['end_date'])}".rstrip()))


def by_year(history: pd.DataFrame, median: pd.Series) -> pd.DataFrame:
    """Counted months and coming ones: ``month, kind, value``."""
    counted = history[history["end_date"].dt.year >= numbers.FIRST_COMPARED_YEAR]
    ends = [*counted["end_date"], *pd.DatetimeIndex(median.index)]
    return pd.DataFrame(
        {
            "month": [end.strftime("%Y-%m") for end in ends],
            "kind": ["observed"] * len(counted) + ["median forecast"] * len(median),
            "value": [*counted["obs_value"], *median],
        }
    )


def move_since(view: RouteView) -> Move | None:
    """How the forecast of the planning window moved since the release before; None where nothing can be compared."""
    former = reads.night(view.night.previous) if view.night.previous and not view.origin else None
    if former is None:
        return None
    return reads.once(view.night, partial(move_of, view.night, former, view.route_id), "move", view.route_id)


def show_moved(view: RouteView) -> None:
    """Why the forecast of the planning window moved since the release before, if there was one: chart, how, files."""
    if (move := move_since(view)) is None:
        return
    name = _("Why the forecast moved")
    st.header(name, anchor=WHY)
    reads.drawn_once(view.night, partial(draw_moved, view, move), "moved", view.route_id)
    rows = view.night.frame("attribution")
    rows = rows[rows["series_id"] == view.series_id]
    export = downloads.export_of(view.night, f"moved-{view.route_id}", name, rows.drop(columns="series_id"))
    shown = reads.once(view.night, partial(step_table, rows, move, view.night), "steps", view.route_id)
    downloads.figures(export, name, shown=shown)


def draw_moved(view: RouteView, move: Move) -> None:
    """The chart, and how the steps were found."""
    drawn = steps(move, cards_in(view.night, lang()))
    unit = _("Arrivals expected, {months} (80% interval)").format(months=window_words(view.night.as_of, lang()))
    layout.chart(steps_chart(drawn, unit=unit, theme=current_theme()), steps_alt(drawn), "moved")
    how = _(
        "Both releases are compared for the same months. Each step is a forecast made anew with one thing changed, so "
        "the steps add up to the whole change; several sources share what they changed together."
    )
    st.markdown(layout.small(how))


def steps(move: Move, sources: Mapping[str, Mapping[str, object]]) -> pd.DataFrame:
    """A move for the chart, as it is written: ``name, change, value, kind``."""

    def total(name: str, of: numbers.Expected) -> tuple[str, float, float, str]:
        value = round_expected(of.median)
        return f"{name} ({lang().interval(of.low, of.high)})", value, value, TOTAL

    lines = [total(lang().day_short(move.then), move.before)]
    for step, change in move.seen().items():
        words = step_words(step, move, sources, lang(), brief=True)
        lines.append((capital(words), change, lines[-1][2] + change, STEP))
    lines.append(total(_("This release"), move.now))
    return pd.DataFrame(lines, columns=["name", "change", "value", "kind"])


def step_table(rows: pd.DataFrame, move: Move, night: Night) -> pd.DataFrame:
    """Every step in words: what it did to the window's total, its last month's median and interval, and the alert."""
    sources, end = cards_in(night, lang()), numbers.window_ends(night.as_of)[-1]
    last = rows[rows["target_end_date"] == end]
    wide = last.pivot_table(index="step", columns="quantity", values="value", sort=False)
    month = lang().month(end)
    titles = {
        "total": window_words(night.as_of, lang()),
        "median": _("{month}, median").format(month=month),
        "width80": _("{month}, length of the 80% interval").format(month=month),
        "probability": _("Chance of the alert, percentage points"),
    }
    shown = wide.assign(probability=100 * wide["probability"]) if "probability" in wide else wide
    # Whole persons: rounded as a forecast is, the steps would not add up.
    out = {title: shown[name].map(lang().signed_count) for name, title in titles.items() if name in shown}
    names = [capital(step_words(step, move, sources, lang())) for step in wide.index]
    return pd.DataFrame({_("Step"): names} | out)
