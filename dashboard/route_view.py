"""What the route page shows, worked out once from a release: history, forecast, earlier ones, chances, outcomes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd

from alerts import INFORMATION
from alerts.rules import EXCEEDANCE
from alerts.rules.surge import RULE as SURGE
from core.calendar import PLANNING_MONTHS
from core.languages import is_known
from dashboard import _, downloads, lang, reads, tables, time_travel
from dashboard.downloads import Export
from dashboard.reads import Night
from forecasting import ENSEMBLE
from reports import Row, citations, numbers, route
from reports.alert import limit_of
from reports.alert_list import nearest
from reports.numbers import LARGEST


@dataclass(frozen=True)
class RouteView(route.RouteForecast):
    """The same as the page on a route shows it.

    Attributes:
        night: The release.
        threshold: The number of the event, persons a month.
        rule: Alert rule that says what the event is: to pass that number, to reach it or to fall to it.
        is_own: Whether the reader has typed it.
        editions: Editions on record of the figures behind the route; 1 where its sources keep no past ones.
        observed: The history for the chart: ``time_period_end, value, flag``.
        chances: Chance of the event in each month.
        earlier: Forecasts made before: ``origin_date, target_end_date, q10, q50, q90``.
        outcomes: What was counted later: ``time_period_end, value``.
        knowing: The release that holds the outcomes.
        alert: The highest open alert on the route, or None.
        former_alerts: Alerts of the release before.
    """

    night: Night
    threshold: float
    rule: str
    is_own: bool
    editions: int
    observed: pd.DataFrame
    chances: pd.DataFrame
    earlier: pd.DataFrame
    outcomes: pd.DataFrame
    knowing: Night
    alert: Row | None
    former_alerts: pd.DataFrame

    @property
    def forecast_key(self) -> tuple[str, str, int]:
        """Return the key of everything but the chances among views of the same release."""
        return self.route_id, self.origin, self.horizon

    @property
    def event(self) -> Row:
        """Return the event as an alert has it."""
        return {"rule": self.rule, "threshold": self.threshold}

    @property
    def limit(self) -> str:
        """Return what the number is, for the chart."""
        return _("your number: {value}") if self.is_own else ""

    @property
    def key(self) -> tuple[str, str, int, float, bool]:
        """Return the key of this view among views of the same release."""
        return *self.forecast_key, self.threshold, self.is_own


def build(night: Night, route_id: str, origin: str, horizon: int, number: float | None = None) -> RouteView:
    """Gather what the page shows; without a number for the usual one."""
    series_id = numbers.route_series(route_id)
    routes = night.frame("routes")
    ends = numbers.window_ends(night.as_of)
    summary = numbers.route_summary(night.frame, night.frame("alerts"), ends, route_id).to_dict("records")[0]
    known_on = dt.date.fromisoformat(origin) if origin else night.as_of
    everything = numbers.series_of(night.frame("observations"), series_id)
    history = everything[everything["end_date"] <= pd.Timestamp(known_on)].reset_index(drop=True)
    if not origin:
        history = numbers.with_shares(history, night.frame("observations"), series_id)
    history = time_travel.history_then(history, night.frame("figures_then"), series_id, origin)
    past = night.frame("backtest")
    past = past[past["series_id"] == series_id]
    source = past[past["origin_date"] == pd.Timestamp(known_on)] if origin else night.frame("forecasts")
    last = (pd.Period(known_on, "M") + horizon).end_time
    forecast = _forecast_rows(source, series_id, last) if origin or summary["state"] == "ok" else source.iloc[:0]
    quantiles = numbers.quantiles_of(forecast, series_id)
    alerts = decided_on(night)
    near = reads.once(night, partial(nearest, night, lang()), "nearest to an alert")
    own, nigh = ([] if origin else one[one["route_id"] == route_id].to_dict("records") for one in (alerts, near))
    rule, threshold = usual_event([*own, *nigh], history)
    former = reads.night(night.previous) if night.previous else None
    origin_date = history["end_date"].max() if len(history) else pd.Timestamp(known_on)
    found, knowing = after_origin(night, series_id, origin, origin_date)
    view = RouteView(
        night=night,
        route_id=route_id,
        origin=origin,
        known_on=known_on,
        horizon=horizon,
        threshold=threshold,
        rule=rule,
        is_own=False,
        summary=summary,
        history=history,
        editions=editions_of(routes, route_id),
        observed=numbers.for_chart(history),
        forecast=forecast,
        quantiles=quantiles,
        chances=pd.DataFrame(),
        earlier=numbers.earlier(night.frame("replays"), series_id, history),
        outcomes=numbers.for_chart(found),
        knowing=knowing,
        expected_before=numbers.expected_before(past, series_id, origin_date),
        running=numbers.running_month(night.frame("nowcasts"), "" if origin else series_id),
        alert=own[0] if own else None,
        former_alerts=former.frame("alerts") if former else alerts.iloc[:0],
    )
    return with_number(view, number)


def with_number(view: RouteView, number: float | None) -> RouteView:
    """The same forecast with the chances of passing the reader's number of persons a month; None for the usual one."""
    event = (view.threshold, view.rule) if number is None else (number, numbers.PASSES)
    rows = view.night.frame("trajectories")
    # Of a past origin no sample paths are kept.
    paths = rows[(rows["series_id"] == view.series_id) & (rows["model_id"] == ENSEMBLE)] if not view.origin else None
    chances = numbers.chances(view.quantiles, event[0], paths, event[1])
    return replace(view, threshold=event[0], rule=event[1], is_own=number is not None, chances=chances)


def after_origin(night: Night, series_id: str, origin: str, last: pd.Timestamp) -> tuple[pd.DataFrame, Night]:
    """Return what was counted after the last known month, and the release that holds it.

    A past origin is judged by its own release, a release by the one with the newest outcomes.
    """
    if not origin:
        return time_travel.came_later(night, series_id, last)
    later = numbers.observed_after(night.frame("observations"), night.frame("outcomes"), series_id, last.date())
    return later, night


def editions_of(routes: pd.DataFrame, route_id: str) -> int:
    """Editions on record of a route's figures; 1 where the release does not say."""
    if "editions" not in routes:
        return 1
    return int(routes.loc[routes["route_id"] == route_id, "editions"].max())


def _forecast_rows(source: pd.DataFrame, series_id: str, last: pd.Timestamp) -> pd.DataFrame:
    rows = numbers.quantile_rows(source, series_id)
    return rows[rows["target_end_date"] <= last].reset_index(drop=True)


def usual_event(alerts: Sequence[Row], history: pd.DataFrame) -> tuple[str, float]:
    """The event to begin with, as rule and number: the first alert's, else half more than the past year's mean.

    Args:
        alerts: The route's open alerts, the gravest first, then its events nearest to an alert; alerts about months
            that are counted say no event to come.
        history: Counted months.
    """
    mean = history["obs_value"].tail(12).mean()
    surge = {"rule": SURGE.rule, "threshold": 1.5 * float(mean) if is_known(mean) else 0.0}
    event = next((one for one in alerts if one["rule"] in EXCEEDANCE and is_known(limit_of(one))), surge)
    return str(event["rule"]), min(limit_of(event) or 0.0, float(LARGEST))


def routes_of(night: Night) -> tuple[list[str], str]:
    """The routes of a release in their order, and the one to open with; empty where there is none."""
    routes = [str(route_id) for route_id in numbers.route_states(night.frame("routes"))["route_id"]]
    return routes, first_route(night, routes) if routes else ""


def decided_on(night: Night) -> pd.DataFrame:
    """The release's alerts, the gravest first, without what merely informs: that colours no route."""
    alerts = night.frame("alerts")
    return numbers.by_level(alerts[alerts["alert_level"] != INFORMATION], night.frame("track_record"))


def first_route(night: Night, routes: list[str]) -> str:
    """The route to open with: the one with the highest alert, else the first with a forecast."""
    alerts = decided_on(night)
    flagged = [route_id for route_id in alerts["route_id"] if route_id in routes]
    frame = night.frame("routes")
    fine = list(frame.loc[frame["state"] == "ok", "route_id"])
    return (flagged or [route_id for route_id in routes if route_id in fine] or routes)[0]


def past_origins(night: Night, route_id: str) -> list[str]:
    """Past origins with a stored forecast of the route, the newest first, as ISO dates."""
    past = night.frame("backtest")
    dates = past.loc[past["series_id"] == numbers.route_series(route_id), "origin_date"].unique()
    return sorted((pd.Timestamp(date).date().isoformat() for date in dates), reverse=True)


def months_and_highest(chances: pd.DataFrame, first: pd.Timestamp) -> pd.DataFrame:
    """Three months from one on, then the later one with the highest chance."""
    ahead = chances[chances["target_end_date"] >= first]
    return pd.concat(
        [ahead.head(PLANNING_MONTHS), ahead.iloc[PLANNING_MONTHS:].nlargest(1, "probability")], ignore_index=True
    )


def threshold_origin(view: RouteView) -> str:
    """Where the number comes from that the reader has not typed."""
    text = _("{number}: 1.5 times the past year’s mean.")
    nearest_words = _(
        "{number}: the first threshold of this route on Alerts. Its usual chance there counts only months after one "
        "without the event."
    )
    known = (
        (view.night.frame("alert_chances"), nearest_words),
        (decided_on(view.night), _("{number}: the threshold of the open alert.")),
    )
    for frame, words in known if not view.origin else ():
        if view.rule in set(frame.loc[frame["route_id"] == view.route_id, "rule"]):
            text = words
    return text.format(number=lang().counted(view.threshold))


def export(view: RouteView) -> Export:
    """The figures behind the chart, ready to leave."""
    frame = tables.forecast_table(view.history, view.quantiles, view.chances, view.known_on)
    sources = citations.sources_of(view.night, [view.series_id])
    title = route.title(view, view.night.as_of, lang())
    made = downloads.export_of(view.night, f"route-{view.route_id}", title, frame, sources)
    return downloads.at_origin(downloads.with_notes(made, [route.skill_words(view, lang())]), view.origin)
