"""What each model expects of a route, what moved the forecast since last month, and this year beside earlier ones."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core.calendar import PLANNING_MONTHS
from core.languages import as_counted, as_expected, capital
from dashboard import _, downloads, lang, layout, named, ngettext, reads
from dashboard.charts.bars import STEP, TOTAL, steps_alt, steps_chart
from dashboard.charts.models import members_alt, members_chart
from dashboard.charts.seasons import season_alt, season_chart
from dashboard.downloads import Export
from dashboard.route_view import RouteView
from dashboard.theme import current_theme
from forecasting import BASELINE, ENSEMBLE
from reports import numbers
from reports.names import MODELS


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
    reads.drawn_once(view.night, partial(draw_seasons, view), "seasons", *view.forecast_key)
    export = reads.once(view.night, partial(seasons_file, view), "seasons' file", *view.forecast_key)
    downloads.figures(export, export.title)
    if said := layout.since_words(view.history["end_date"]):
        st.markdown(layout.small(said))


def show_members(view: RouteView) -> None:
    """Interval bars of every model for one month, with its score."""
    members = reads.once(view.night, partial(member_rows, view), "members", *view.forecast_key)
    if members.empty:
        st.header(_("Models"), anchor=False)
        st.markdown(layout.small(_("This release keeps no forecasts of single models for that date.")))
        return
    others = members[members["model_id"] != ENSEMBLE]["q50"]
    spread = lang().expected(others.max() - others.min()) if len(others) else ""
    text = ngettext("{n} model beside the ensemble", "The medians of {n} models lie within {spread}", len(others))
    st.header(text.format(n=len(others), spread=spread), anchor=False)
    unit = _("Arrivals expected, {month}").format(month=members["month"].iloc[0])

    def draw() -> None:
        layout.chart(members_chart(members, unit=unit, theme=current_theme()), members_alt(members), "members")

    reads.drawn_once(view.night, draw, "members' chart", *view.forecast_key)
    if view.origin:
        st.markdown(layout.small(_("Relative WIS as it stood then, all routes together.")))
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
    return out.assign(relative_wis=out["model_id"].map(_scores(view, horizon)), month=lang().month(end))


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
    return named.assign(relative_wis=out["model_id"].map(_scores(view, PLANNING_MONTHS)), month=months)


def seasons_file(view: RouteView) -> Export:
    """The figures behind the seasons."""
    title = _("Arrivals by calendar month and year")
    figures = by_year(view.history, view.quantiles[0.5])
    return downloads.at_origin(downloads.export_of(view.night, f"seasons-{view.route_id}", title, figures), view.origin)


def looked_at(ends: pd.DatetimeIndex) -> int:
    """The year in which most of the coming months lie; of two with as many the earlier one."""
    years = list(ends.year)
    return max(sorted(set(years)), key=years.count)


def draw_seasons(view: RouteView) -> None:
    """The finding and the chart."""
    year = looked_at(pd.DatetimeIndex(view.quantiles.index))
    coming = view.quantiles[0.5].rename_axis("end_date")
    counted = view.history.set_index("end_date")["obs_value"].dropna()
    whole = pd.concat([counted, coming[~coming.index.isin(counted.index)]])
    now, before = (whole[whole.index.year == one].groupby(lambda end: end.month).sum() for one in (year, year - 1))
    same = before.reindex(now.index).dropna()
    st.header(season_words(float(now.sum()), float(same.sum()), len(same) == len(now), year), anchor=False)
    recent = view.observed[view.observed["time_period_end"].dt.year >= numbers.FIRST_COMPARED_YEAR]
    figure = season_chart(recent, view.forecast, year=year, unit=_("Arrivals per month"), theme=current_theme())
    layout.chart(figure, season_alt(recent, view.forecast, year=year), "seasons")


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


def season_words(expected: float, before: float, complete: bool, year: int) -> str:  # noqa: FBT001  # a fact about the data, not a switch
    """This year against the last one, in words."""
    if not complete or before <= 0:
        return _("{year} beside earlier years").format(year=year)
    ratio = expected / before
    if 0.9 <= ratio <= 1.1:
        return capital(_("{year} is expected close to {before}").format(year=year, before=year - 1))
    text = _("{year} is expected above {before}") if ratio > 1 else _("{year} is expected below {before}")
    return capital(text.format(year=year, before=year - 1))


SMALLEST_STEP, SMALLEST_SHARE = 0.5, 0.02
"""Persons, and share of the longest bar, below which a step is not drawn; the files hold every one."""


def show_moved(view: RouteView) -> None:
    """The chain from last month's forecast to this one: chart, one sentence, files."""
    rows = explanation_rows(view)
    if rows.empty:
        st.header(_("What moved it since last month"), anchor=False)
        st.markdown(layout.small(_("Nothing to compare: there is no forecast of a month ago, or no later one here.")))
        return
    st.header(moved_title(rows), anchor=False)
    by_day = bool(view.night.frame("nowcasts")["series_id"].eq(view.series_id).any())
    reads.drawn_once(view.night, partial(draw_moved, rows, by_day=by_day), "moved", view.route_id)
    name = _("What moved the forecast of {month}").format(month=lang().month(rows["target_end_date"].iloc[0]))
    downloads.figures(downloads.export_of(view.night, f"moved-{view.route_id}", name, rows), name)


def draw_moved(rows: pd.DataFrame, *, by_day: bool) -> None:
    """The chart and the sentences under it; ``by_day`` where the route is counted by day too."""
    drawn = steps(rows)
    unit = _("Arrivals expected: what moved it since last month")
    layout.chart(steps_chart(drawn, unit=unit, theme=current_theme()), steps_alt(drawn), "moved")
    st.markdown(news_words(rows))
    st.markdown(layout.small(how_words(by_day=by_day)))


def explanation_rows(view: RouteView) -> pd.DataFrame:
    """The chain of the third month ahead, the month that the models are compared for; empty at past origins."""
    rows = view.night.frame("explanations")
    own = rows[rows["series_id"] == view.series_id]
    if view.origin or own.empty:
        return rows.iloc[:0]
    own = own[own["target_end_date"] == numbers.window_ends(view.night.as_of)[-1]]
    return own.sort_values("link", ignore_index=True)


def moved_title(rows: pd.DataFrame) -> str:
    """The finding: what is expected now and what was expected, at the same distance, a month ago."""
    now, former = float(rows["value"].iloc[-1]), float(rows["value"].iloc[0])
    before, month = _months(rows)
    number = as_expected(now)
    if lang().expected(now) == lang().expected(former):
        text = ngettext(
            "{month}: {now} expected, as many as a month ago for {before}",
            "{month}: {now} expected, as many as a month ago for {before}",
            number,
        )
    elif now > former:
        text = ngettext(
            "{month}: {now} expected; a month ago {former} for {before}",
            "{month}: {now} expected; a month ago {former} for {before}",
            number,
        )
    else:
        text = ngettext(
            "{month}: {now} expected, down from {former} a month ago for {before}",
            "{month}: {now} expected, down from {former} a month ago for {before}",
            number,
        )
    return capital(text.format(month=month, now=lang().expected(now), former=lang().expected(former), before=before))


def steps(rows: pd.DataFrame) -> pd.DataFrame:
    """The chain for the chart: ``name, change, value, kind``; steps too small to see are left out."""
    before, month = _months(rows)
    named = step_names(rows)
    first, last = rows.iloc[0], rows.iloc[-1]
    # Of a few persons half a one is a long bar: left out, the bars beside it would not meet.
    least = min(SMALLEST_STEP, SMALLEST_SHARE * float(rows["value"].abs().max()))
    lines = [(_("A month ago, for {before}").format(before=before), first["value"], first["value"], TOTAL)]
    for row in rows.iloc[1:].to_dict("records"):
        if row["change"] and abs(row["change"]) >= least:
            lines.append((named[row["component"]], row["change"], row["value"], STEP))
    lines.append((_("Now, for {month}").format(month=month), last["value"], last["value"], TOTAL))
    return pd.DataFrame(lines, columns=["name", "change", "value", "kind"])


def step_names(rows: pd.DataFrame) -> dict[str, str]:
    """Each link of the chain in plain words."""
    before, month = _months(rows)
    counted = lang().month(rows["origin_date"].iloc[0])
    return {
        "season": _("{month} instead of {before}").format(month=month, before=before),
        "revisions": _("Earlier figures revised"),
        "month_passed": _("A month nearer, models refitted"),
        "level_shift": _("{month}’s count: lasting part").format(month=counted),
        "last_outcome": _("{month}’s count: passing part").format(month=counted),
        "weights": _("Weights of the models"),
        "calibration": _("Calibration and limits"),
        "nowcast": _("Daily counts of the running month"),
    }


def news_words(rows: pd.DataFrame) -> str:
    """The last count against what was expected of it, and what that alone moved."""
    first = rows.iloc[0]
    moved = rows.set_index("component")["change"]
    month = lang().month(first["origin_date"])
    counted = ngettext("{month}: {outcome} counted", "{month}: {outcome} counted", as_counted(first["outcome"]))
    expected = ngettext(
        "{counted}, {expected} expected a month before. This difference changed the forecast by {change}; {lasting} of "
        "it lasts through all months ahead.",
        "{counted}, {expected} expected a month before. This difference changed the forecast by {change}; {lasting} of "
        "it lasts through all months ahead.",
        as_expected(first["outcome_expected"]),
    )
    said = expected.format(
        counted=counted.format(month=month, outcome=lang().counted(first["outcome"])),
        expected=lang().expected(first["outcome_expected"]),
        change=lang().signed(moved["level_shift"] + moved["last_outcome"]),
        lasting=lang().signed(moved["level_shift"]),
    )
    return capital(said)


def how_words(*, by_day: bool) -> str:
    """How the steps were found, and what the forecast of a month ago did not know."""
    how = _(
        "Every step is a forecast made anew with one thing changed, so the steps add up to the whole change. The step "
        "from month to month is what a month ago was already foreseen for the later month: season and trend."
    )
    without = _("What was expected a month ago is told without the daily counts known then.")
    return f"{how} {without}" if by_day else how


def _months(rows: pd.DataFrame) -> tuple[str, str]:
    """The month that was forecast at this distance a month ago, and the one that is now."""
    end = pd.Timestamp(rows["target_end_date"].iloc[0])
    return lang().month((end.to_period("M") - 1).end_time), lang().month(end)
