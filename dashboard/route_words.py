"""What the route page says in words and numbers about the route it shows."""

from __future__ import annotations

import pandas as pd

from dashboard import downloads, headlines, layout, numbers, summaries, tables
from dashboard.downloads import Export
from dashboard.i18n import _, ngettext
from dashboard.route_view import RouteView
from dashboard.summaries import known


def title(view: RouteView) -> str:
    """The finding in one sentence."""
    if not view.origin:
        ends = summaries.months_ahead(view.night.as_of)
        last = view.history["end_date"].max() if len(view.history) else pd.Timestamp(view.night.as_of)
        return headlines.route(view.route_id, view.summary, ends, last.date())
    if view.quantiles.empty:
        return layout.route_name(view.route_id)
    first = view.quantiles.iloc[0]
    text = _("{route}: on {day}, {expected} arrivals were expected in {month}, most likely {interval}")
    return text.format(
        route=layout.route_name(view.route_id),
        day=numbers.day(view.known_on),
        expected=numbers.expected(first[0.5]),
        month=numbers.month_name(view.quantiles.index[0]),
        interval=numbers.interval_words(first[0.1], first[0.9]),
    )


def threshold_words(view: RouteView) -> str:
    """The reader's number as text."""
    return numbers.observed(view.threshold)


def key_numbers(view: RouteView) -> list[tuple[str, str, str]]:
    """Label, value and pill of each number card."""
    out = []
    if not view.origin and known(view.summary["expected"]):
        ends = summaries.months_ahead(view.night.as_of)
        interval = numbers.interval_words(view.summary["low"], view.summary["high"])
        label = _("Expected, {months}").format(months=numbers.month_range(ends[0], ends[-1]))
        pill = _("80% interval {interval}").format(interval=interval)
        out.append((label, numbers.expected(view.summary["expected"]), pill))
    if present := _nowcast(view):
        out.append(present)
    if len(view.history):
        last = view.history.iloc[-1]
        month = numbers.month_name(last["end_date"])
        label = _("Last month ({month}, provisional)") if last["obs_flag"] == "p" else _("Last month ({month})")
        before = summaries.year_earlier(view.history)
        pill = _("{value} a year earlier").format(value=numbers.observed(before)) if known(before) else ""
        out.append((label.format(month=month), numbers.observed(last["obs_value"]), pill))
    return out


def _nowcast(view: RouteView) -> tuple[str, str, str] | None:
    """The month that is running on the date of knowledge and is not counted yet."""
    month = pd.Timestamp(view.known_on).to_period("M").end_time.normalize()
    if view.origin or month not in view.quantiles.index:
        return None
    low, middle, high = (float(view.quantiles[level].loc[month]) for level in (0.1, 0.5, 0.9))
    label = _("This month ({month}, nowcast)").format(month=numbers.month_name(month))
    pill = _("80% interval {interval}").format(interval=numbers.interval_words(low, high))
    return label, numbers.expected(middle), pill


def running_words(view: RouteView) -> str:
    """How many were counted in the running month, and up to which day."""
    if view.running.empty:
        return ""
    row = view.running.iloc[0]
    text = _("{month} so far: {counted} counted up to {day}; {expected} expected in all, most likely {interval}.")
    said = text.format(
        month=numbers.month_name(row["target_end_date"]),
        counted=numbers.observed(row["so_far"]),
        day=numbers.day_short(row["last_day"]),
        expected=numbers.expected(row["q50"]),
        interval=numbers.interval_words(row["q10"], row["q90"]),
    )
    return tables.capital(said)


def skill_words(view: RouteView) -> str:
    """How far ahead the forecast is worth more than the baseline."""
    if view.skill is None:
        return _("This release holds no score for this route.")
    first, last = view.skill
    if view.origin:
        return _("How far the forecast can be trusted is judged on all past origins, later ones too: see Evaluation.")
    if last == 0:
        return _("On this route there is no evidence that the forecast is better than the baseline.")
    if first > 1:
        text = _("Better than the baseline {first} to {last} months ahead; no evidence at other distances.")
        return text.format(first=first, last=last)
    if last >= view.horizon:
        return _("Better than the baseline at every horizon shown.")
    text = ngettext(
        "Better than the baseline {n} month ahead; no evidence beyond.",
        "Better than the baseline up to {n} months ahead; no evidence beyond.",
        last,
    )
    return text.format(n=last)


def guard_words(view: RouteView) -> str:
    """Where the forecast shown is not the ensemble's own: the baseline stands in, or the cap was applied."""
    rows = view.forecast
    parts = []
    for mark, text in (
        ("fallback", _("The baseline stands in for {months}: no model has shown skill at that distance.")),
        ("capped", _("Upper tails were cut by the cap on explosive forecasts in {months}.")),
    ):
        if mark in rows and rows[mark].any():
            ends = pd.DatetimeIndex(rows.loc[rows[mark].astype(bool), "target_end_date"].unique()).sort_values()
            parts.append(text.format(months=", ".join(numbers.month_name(end) for end in ends)))
    return " ".join(parts)


def export(view: RouteView) -> Export:
    """The figures behind the chart, ready to leave."""
    frame = tables.forecast_table(view.history, view.quantiles, view.threshold, view.known_on)
    made = downloads.export_of(view.night, f"route-{view.route_id}", title(view), frame, _sources(view))
    if view.origin:
        return downloads.with_notes(
            made, [_("Replay of {day}: made later by the same code with what was known then.").format(day=view.origin)]
        )
    return made


def _sources(view: RouteView) -> list[str]:
    rows = view.night.frame("observations")
    return sorted(rows.loc[rows["series_id"] == view.series_id, "source_id"].unique())
