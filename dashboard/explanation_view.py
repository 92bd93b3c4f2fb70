"""What moved a route's forecast since last month, in plain words and numbers that add up."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard import downloads, layout, memory, numbers, summaries
from dashboard.charts.bars import STEP, TOTAL, steps_alt, steps_chart
from dashboard.i18n import _
from dashboard.route_view import RouteView
from dashboard.tables import capital
from dashboard.theme import current_theme

SMALLEST_STEP = 0.5
"""Persons below which a step is not drawn; the files hold every one."""


def show_moved(view: RouteView) -> None:
    """The chain from last month's forecast to this one: chart, one sentence, files."""
    rows = explanation_rows(view)
    if rows.empty:
        st.header(_("What moved it since last month"), anchor=False)
        st.markdown(layout.small(_("Nothing to compare: there is no forecast of a month ago, or no later one here.")))
        return
    st.header(title(rows), anchor=False)
    memory.drawn(view.night, partial(draw_moved, rows), "moved", view.route_id)
    name = _("What moved the forecast of {month}").format(month=numbers.month_name(rows["target_end_date"].iloc[0]))
    downloads.figures(downloads.export_of(view.night, f"moved-{view.route_id}", name, rows), name)


def draw_moved(rows: pd.DataFrame) -> None:
    """The chart and the sentences under it."""
    drawn = steps(rows)
    unit = _("Arrivals expected: what moved it since last month")
    layout.chart(steps_chart(drawn, unit=unit, theme=current_theme()), steps_alt(drawn), "moved")
    st.markdown(news_words(rows))
    st.markdown(layout.small(how_words()))


def explanation_rows(view: RouteView) -> pd.DataFrame:
    """The chain of the third month ahead, the month that the models are compared for; empty at past origins."""
    rows = view.night.frame("explanations")
    own = rows[rows["series_id"] == view.series_id]
    if view.origin or own.empty:
        return rows.iloc[:0]
    own = own[own["target_end_date"] == summaries.months_ahead(view.night.as_of)[-1]]
    return own.sort_values("link", ignore_index=True)


def title(rows: pd.DataFrame) -> str:
    """The finding: what is expected now and what was expected, at the same distance, a month ago."""
    now, former = float(rows["value"].iloc[-1]), float(rows["value"].iloc[0])
    before, month = _months(rows)
    if numbers.expected(now) == numbers.expected(former):
        text = _("{month}: {now} expected, as many as a month ago for {before}")
    elif now > former:
        text = _("{month}: {now} expected; a month ago {former} for {before}")
    else:
        text = _("{month}: {now} expected, down from {former} a month ago for {before}")
    return capital(text.format(month=month, now=numbers.expected(now), former=numbers.expected(former), before=before))


def steps(rows: pd.DataFrame) -> pd.DataFrame:
    """The chain for the chart: ``name, change, value, kind``; steps too small to see are left out."""
    before, month = _months(rows)
    named = step_names(rows)
    first, last = rows.iloc[0], rows.iloc[-1]
    lines = [(_("A month ago, for {before}").format(before=before), first["value"], first["value"], TOTAL)]
    for row in rows.iloc[1:].to_dict("records"):
        if abs(row["change"]) >= SMALLEST_STEP:
            lines.append((named[row["component"]], row["change"], row["value"], STEP))
    lines.append((_("Now, for {month}").format(month=month), last["value"], last["value"], TOTAL))
    return pd.DataFrame(lines, columns=["name", "change", "value", "kind"])


def step_names(rows: pd.DataFrame) -> dict[str, str]:
    """Each link of the chain in plain words."""
    before, month = _months(rows)
    counted = numbers.month_name(rows["origin_date"].iloc[0])
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
    month = numbers.month_name(first["origin_date"])
    text = _(
        "{month}: {outcome} counted, {expected} expected a month before. That alone moved the forecast by {change}, of "
        "which {lasting} in every month ahead alike."
    )
    said = text.format(
        month=month,
        outcome=numbers.observed(first["outcome"]),
        expected=numbers.expected(first["outcome_expected"]),
        change=numbers.signed(moved["level_shift"] + moved["last_outcome"]),
        lasting=numbers.signed(moved["level_shift"]),
    )
    return capital(said)


def how_words() -> str:
    """How the steps were found."""
    return _(
        "Every step is a forecast made anew with one thing changed, so the steps add up to the whole change. The step "
        "from month to month is what a month ago was already foreseen for the later month: season and trend."
    )


def _months(rows: pd.DataFrame) -> tuple[str, str]:
    """The month that was forecast at this distance a month ago, and the one that is now."""
    end = pd.Timestamp(rows["target_end_date"].iloc[0])
    return numbers.month_name((end.to_period("M") - 1).end_time), numbers.month_name(end)
