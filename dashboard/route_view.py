"""What the route page shows, worked out once from a release: history, forecast, earlier ones, chances, outcomes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from dashboard import headlines, layout, numbers, reads, summaries, tables
from dashboard.downloads import Export
from dashboard.headlines import Row
from dashboard.i18n import _, ngettext
from dashboard.reads import Night
from dashboard.summaries import known

EARLIER_EVERY, EARLIER_LENGTH, EARLIER_BACK = 6, 6, 24


@dataclass(frozen=True)
class RouteView:
    """One route as known on one date.

    Attributes:
        night: The release.
        route_id: The route.
        origin: Past origin of the backtest (ISO date), or an empty text for the release's own forecast.
        known_on: The date of knowledge.
        horizon: Months ahead to show.
        threshold: The reader's number, persons a month.
        summary: The route's row of ``summaries.route_summary``.
        history: Counted months known: ``time_period, obs_value, obs_flag, end_date``.
        observed: The same for the chart: ``time_period_end, value, flag``.
        forecast: Quantile rows: ``target_end_date, output_type_id, value, horizon``.
        quantiles: The same, wide.
        chances: Chance of passing the threshold in each month.
        earlier: Forecasts made before: ``origin_date, target_end_date, q10, q50, q90``.
        outcomes: What was counted later: ``time_period_end, value``.
        skill: Months ahead from and up to which the forecast beats the baseline, see :func:`skill_span`.
        alert: The highest open alert on the route, or None.
        former_alerts: Alerts of the release before.
    """

    night: Night
    route_id: str
    origin: str
    known_on: dt.date
    horizon: int
    threshold: float
    summary: Row
    history: pd.DataFrame
    observed: pd.DataFrame
    forecast: pd.DataFrame
    quantiles: pd.DataFrame
    chances: pd.DataFrame
    earlier: pd.DataFrame
    outcomes: pd.DataFrame
    skill: tuple[int, int] | None
    alert: Row | None
    former_alerts: pd.DataFrame

    @property
    def series_id(self) -> str:
        """The route's series."""
        return summaries.route_series(self.route_id)


def build(night: Night, route_id: str, origin: str, horizon: int, number: float | None) -> RouteView:
    """Gather what the page shows."""
    series_id = summaries.route_series(route_id)
    routes = night.frame("routes")
    ends = summaries.months_ahead(night.as_of)
    summary = summaries.route_summary(
        routes[routes["route_id"] == route_id], night.frame("observations"), night.frame("trajectories"),
        night.frame("alerts"), ends,
    ).to_dict("records")[0]  # fmt: skip
    known_on = dt.date.fromisoformat(origin) if origin else night.as_of
    everything = summaries.series_of(night.frame("observations"), series_id)
    history = everything[everything["end_date"] <= pd.Timestamp(known_on)].reset_index(drop=True)
    past = night.frame("backtest")
    past = past[past["series_id"] == series_id]
    source = past[past["origin_date"] == pd.Timestamp(known_on)] if origin else night.frame("forecasts")
    forecast = _forecast_rows(source, series_id, horizon) if origin or summary["state"] == "ok" else source.iloc[:0]
    quantiles = summaries.quantiles_of(forecast, series_id)
    alerts = summaries.by_level(night.frame("alerts"))
    own = alerts[alerts["route_id"] == route_id].to_dict("records")
    former = reads.night(night.previous) if night.previous else None
    threshold = number if number is not None else usual_threshold(own, history)
    origin_date = history["end_date"].max() if len(history) else pd.Timestamp(known_on)
    return RouteView(
        night=night,
        route_id=route_id,
        origin=origin,
        known_on=known_on,
        horizon=horizon,
        threshold=threshold,
        summary=summary,
        history=history,
        observed=for_chart(history),
        forecast=forecast,
        quantiles=quantiles,
        chances=summaries.chances(quantiles, threshold),
        earlier=earlier_forecasts(past, origin_date),
        outcomes=for_chart(
            summaries.observed_after(
                night.frame("observations"), night.frame("outcomes"), series_id, origin_date.date()
            )
        ),
        skill=skill_span(summaries.better_than_baseline(night.frame("scores"), series_id)),
        alert=own[0] if own and not origin else None,
        former_alerts=former.frame("alerts") if former else alerts.iloc[:0],
    )


def _forecast_rows(source: pd.DataFrame, series_id: str, horizon: int) -> pd.DataFrame:
    rows = source[
        (source["series_id"] == series_id)
        & (source["model_id"] == summaries.ENSEMBLE)
        & (source["output_type"] == "quantile")
        & (source["horizon"] <= horizon)
    ]
    return rows.reset_index(drop=True)


def for_chart(history: pd.DataFrame) -> pd.DataFrame:
    """A series under the names that charts take."""
    renamed = history.rename(columns={"end_date": "time_period_end", "obs_value": "value", "obs_flag": "flag"})
    return renamed[["time_period_end", "value", "flag"]]


def usual_threshold(alerts: Sequence[Row], history: pd.DataFrame) -> float:
    """A number to begin with: the open alert's threshold, else half more than the past year's average."""
    for row in alerts:
        if known(row["threshold"]):
            return float(round(row["threshold"]))
    mean = history["obs_value"].tail(12).mean()
    return numbers.round_expected(1.5 * float(mean)) if known(mean) else 0.0


def first_route(night: Night, routes: list[str]) -> str:
    """The route to open with: the one with the highest alert, else the first with a forecast."""
    alerts = summaries.by_level(night.frame("alerts"))
    flagged = [route_id for route_id in alerts["route_id"] if route_id in routes]
    frame = night.frame("routes")
    fine = list(frame.loc[frame["state"] == "ok", "route_id"])
    return (flagged or [route_id for route_id in routes if route_id in fine] or routes)[0]


def past_origins(night: Night, route_id: str) -> list[str]:
    """Past origins with a stored forecast of the route, the newest first, as ISO dates."""
    past = night.frame("backtest")
    dates = past.loc[past["series_id"] == summaries.route_series(route_id), "origin_date"].unique()
    return sorted((pd.Timestamp(date).date().isoformat() for date in dates), reverse=True)


def origin_label(origin: str) -> str:
    """A past origin in words."""
    return _("{day} (past origin)").format(day=numbers.day_short(dt.date.fromisoformat(origin)))


def earlier_forecasts(past: pd.DataFrame, origin_date: pd.Timestamp) -> pd.DataFrame:
    """Forecasts made every six months before an origin, over the months that have been counted since."""
    months = pd.to_datetime(past["origin_date"]).dt.to_period("M")
    age = pd.Series([(origin_date.to_period("M") - month).n for month in months], index=past.index, dtype=int)
    chosen = past[
        age.gt(0) & age.le(EARLIER_BACK) & age.mod(EARLIER_EVERY).eq(0)
        & past["horizon"].le(EARLIER_LENGTH)
        & past["output_type"].eq("quantile")
        & past["output_type_id"].round(6).isin([0.1, 0.5, 0.9])
        & past["target_end_date"].le(origin_date)
    ]  # fmt: skip
    wide = chosen.pivot_table(index=["origin_date", "target_end_date"], columns="output_type_id", values="value")
    wide.columns = [f"q{round(float(level) * 100)}" for level in wide.columns]
    return wide.reset_index().reindex(columns=["origin_date", "target_end_date", "q10", "q50", "q90"])


def skill_span(better: dict[int, bool]) -> tuple[int, int] | None:
    """First and last month of the longest stretch in which every scored horizon beats the baseline.

    Returns:
        ``(1, 0)`` where none does; None without scores.
    """
    if not better:
        return None
    longest, stretch = (1, 0), [0, 0]
    for horizon in sorted(better):
        if not better[horizon]:
            stretch = [0, 0]
            continue
        stretch = [stretch[0] or horizon, horizon]
        if longest[1] == 0 or stretch[1] - stretch[0] > longest[1] - longest[0]:
            longest = (stretch[0], stretch[1])
    return longest


def spaced(chances: pd.DataFrame, count: int) -> pd.DataFrame:
    """Up to ``count`` months at even distances, the last one included."""
    step = max(1, len(chances) // count)
    return chances.iloc[step - 1 :: step].tail(count).reset_index(drop=True)


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


def skill_words(view: RouteView) -> str:
    """How far ahead the forecast is worth more than the baseline."""
    if view.skill is None:
        return _("This release holds no score for this route.")
    first, last = view.skill
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


def outcome_words(view: RouteView) -> str:
    """How many of the months counted later fell inside the 80 % interval."""
    later = view.outcomes.set_index("time_period_end")["value"]
    both = view.quantiles.join(later.rename("outcome"), how="inner").dropna(subset=["outcome"])
    if both.empty:
        return ""
    inside = int(both["outcome"].between(both[0.1], both[0.9]).sum())
    text = ngettext(
        "What happened next: {inside} of {n} month fell inside the 80% interval.",
        "What happened next: {inside} of {n} months fell inside the 80% interval.",
        len(both),
    )
    return text.format(inside=inside, n=len(both))


def export(view: RouteView) -> Export:
    """The figures behind the chart, ready to leave."""
    frame = tables.forecast_table(view.history, view.quantiles, view.threshold, view.known_on)
    made = layout.export_of(view.night, f"route-{view.route_id}", title(view), frame, _sources(view))
    if view.origin:
        return layout.with_notes(made, [_("A forecast made at the past origin {day}.").format(day=view.origin)])
    return made


def _sources(view: RouteView) -> list[str]:
    rows = view.night.frame("observations")
    return sorted(rows.loc[rows["series_id"] == view.series_id, "source_id"].unique())
