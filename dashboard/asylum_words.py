"""What the page on asylum applications says in words and numbers."""

from __future__ import annotations

import pandas as pd

from core.calendar import to_period
from dashboard import downloads, numbers, tables
from dashboard.asylum_view import MONTHS_EACH, OK, SOURCE_ID, AsylumView, of_kind
from dashboard.downloads import Export
from dashboard.i18n import _, ngettext
from dashboard.route_context import country


def kind_name(kind: str) -> str:
    """What is counted and how often."""
    names = {
        "asylum_applications_first.M": _("First-time applicants, monthly"),
        "asylum_applications.M": _("All applicants, monthly"),
        "asylum_applications_first.Q": _("First-time applicants, quarterly"),
    }
    return names.get(kind, kind)


def unit(view: AsylumView) -> str:
    """The unit of the chart."""
    return _("Applicants per month") if view.freq == "M" else _("Applicants per quarter")


def period(view: AsylumView, last_day: pd.Timestamp) -> str:
    """A period by its last day."""
    return numbers.period_name(last_day, view.months_each)


def title(view: AsylumView) -> str:
    """The finding in one sentence."""
    name = country(view.geo)
    if view.quantiles.empty:
        return _("{country}: no forecast of asylum applications").format(country=name)
    first = view.quantiles.iloc[0]
    text = _("{country}: {expected} asylum applicants expected in {period}, most likely {interval}")
    return text.format(
        country=name,
        expected=numbers.expected(first[0.5]),
        period=period(view, pd.Timestamp(view.quantiles.index[0])),
        interval=numbers.interval_words(first[0.1], first[0.9]),
    )


def key_numbers(view: AsylumView) -> list[tuple[str, str, str]]:
    """Label, value and pill of each number card: the next two periods, the last one counted."""
    out = []
    for end, row in view.quantiles.head(2).iterrows():
        label = _("Expected, {months}").format(months=period(view, pd.Timestamp(str(end))))
        pill = _("80% interval {interval}").format(interval=numbers.interval_words(row[0.1], row[0.9]))
        out.append((label, numbers.expected(row[0.5]), pill))
    if len(view.history):
        last = view.history.iloc[-1]
        text = _("Last count ({period}, provisional)") if last["obs_flag"] == "p" else _("Last count ({period})")
        year = 12 // view.months_each
        before = view.history["obs_value"].iloc[-1 - year] if len(view.history) > year else float("nan")
        known = not pd.isna(before)
        pill = _("{value} a year earlier").format(value=numbers.observed(before)) if known else ""
        out.append((text.format(period=period(view, last["end_date"])), numbers.observed(last["obs_value"]), pill))
    return out


def skill_words(view: AsylumView) -> str:
    """How far ahead the forecast is worth more than the baseline."""
    if view.skill is None or view.quantiles.empty:
        return ""
    first, last = view.skill
    if last == 0:
        return _("For this country there is no evidence that the forecast is better than the baseline.")
    place = min(last, len(view.quantiles)) - 1
    until = period(view, pd.Timestamp(view.quantiles.index[place]))
    if first > 1:
        begin = period(view, pd.Timestamp(view.quantiles.index[first - 1]))
        return _("Better than the baseline from {first} to {last}; no evidence elsewhere.").format(
            first=begin, last=until
        )
    return _("Better than the baseline up to {last}.").format(last=until)


def reporting_words(view: AsylumView) -> str:
    """How many countries have reported the newest period."""
    row = view.reported
    if row is None:
        return ""
    end = to_period(str(row["time_period"]), "Q" if view.freq == "Q" else "M").end_time
    text = ngettext(
        "{n} of {expected} countries has reported {period}.",
        "{n} of {expected} countries have reported {period}.",
        int(row["reported"]),
    )
    said = text.format(n=int(row["reported"]), expected=int(row["expected"]), period=period(view, end))
    return f"{said} {_('Figures are provisional.')}" if row["provisional"] else said


def missing_words(view: AsylumView) -> str:
    """Other kinds of figures that this release knows, but too old for a forecast."""
    series = view.night.frame("asylum_series")
    parts = []
    for (target, freq), rows in series.groupby(["target", "freq"], sort=False):
        kind = f"{target}.{freq}"
        if kind == view.kind or rows["state"].eq(OK).any():
            continue
        last = to_period(str(rows["last_period"].max()), "Q" if freq == "Q" else "M").end_time
        months = MONTHS_EACH[str(freq)]
        text = _("{kind}: figures end in {period}, too old for a forecast.")
        parts.append(text.format(kind=kind_name(kind), period=numbers.period_name(last, months)))
    return " ".join(parts)


def why_no_forecast(view: AsylumView) -> str:
    """Why the series shown has no forecast."""
    if not len(view.history):
        return _("No figures of this country are known.")
    last = period(view, view.history["end_date"].max())
    if view.state["state"] == "too_short":
        return _("Too few figures for a forecast; they end in {period}.").format(period=last)
    if of_kind(view.night.frame("asylum_forecasts"), view.kind).empty or view.state["state"] != OK:
        return _("Figures end in {period}, too old for a forecast of the present.").format(period=last)
    return _("This release holds no forecast of this country.")


def export(view: AsylumView) -> Export:
    """The figures behind the chart, ready to leave."""
    frame = tables.forecast_table(view.history, view.quantiles, None, view.night.as_of)
    if view.freq == "Q":
        quarters = pd.PeriodIndex(frame["month"], freq="M").asfreq("Q")
        frame = frame.assign(month=[str(quarter).replace("Q", "-Q") for quarter in quarters])
    named = frame.rename(columns={"month": "period"})
    name = f"asylum-{view.geo}-{view.target.removeprefix('asylum_')}-{view.freq}".replace("_", "-").lower()
    made = downloads.export_of(view.night, name, f"{title(view)} ({kind_name(view.kind)})", named, [SOURCE_ID])
    return downloads.with_notes(made, [_("Figures are rounded to the nearest 5 by Eurostat.")])
