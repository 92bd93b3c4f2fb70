"""The finding of a release in plain words: how many people are expected, against last year, and where alerts are."""

from __future__ import annotations

import pandas as pd

from core.languages import Language
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.routes import ARRIVAL_ROUTES, is_route
from reports.briefing import phrases, summaries
from reports.briefing.edition import Edition
from reports.names import level_name, route_name

MOST_NAMED = 4


def title(edition: Edition, summary: pd.DataFrame, ends: list[pd.Timestamp], words: Language) -> str:
    """How many arrivals are expected on all routes together that count persons."""
    total = _total(edition, summary, ends)
    if total is None:
        return words.text(_("No route has figures recent enough for a forecast"))
    text = words.text(_("{expected} arrivals expected in {months}"))
    return text.format(expected=words.expected(total.median), months=phrases.months(words, ends))


def summary_of(edition: Edition, summary: pd.DataFrame, ends: list[pd.Timestamp], words: Language) -> list[str]:
    """The range and the year before, a sentence each; nothing where no route has a forecast."""
    out, total = [], _total(edition, summary, ends)
    if total is not None:
        routes = words.plural(ngettext("On {n} route", "On {n} routes together"), len(_counted(summary)))
        text = words.text(_("{routes}: most likely {interval} people, with 8 chances in 10."))
        out.append(text.format(routes=routes, interval=phrases.interval_words(words, total)))
        before = _year_before(edition, summary, ends)
        if before is not None:
            text = words.text(_("In the same months a year earlier {value} were counted."))
            out.append(text.format(value=words.counted(before)))
    return out


def alerts_in_words(alerts: pd.DataFrame, words: Language, *, signed_only: bool) -> str:
    """Which routes have an alert, the gravest first."""
    on_routes = alerts[alerts["route_id"].map(is_route).astype(bool)].drop_duplicates("route_id")
    if on_routes.empty:
        signed, any_ = _("No alert on any route is signed off."), _("No alert is open on any route.")
        return words.text(signed if signed_only else any_)
    listed = [
        f"{route_name(row['route_id'], words)} ({level_name(row['alert_level'], words)})"
        for row in on_routes.to_dict("records")
    ]
    return words.text(_("Alerts: {routes}.")).format(routes=phrases.some(words, listed, MOST_NAMED))


def _counted(summary: pd.DataFrame) -> list[str]:
    """Routes with a forecast whose figures count persons, so that a total means something."""
    rows = summary[(summary["state"] == "ok") & summary["expected"].notna()]
    return [route_id for route_id in rows["route_id"] if route_id in ARRIVAL_ROUTES]


def _total(edition: Edition, summary: pd.DataFrame, ends: list[pd.Timestamp]) -> summaries.Expected | None:
    series = [summaries.route_series(route_id) for route_id in _counted(summary)]
    return summaries.expected_total(edition.frame("trajectories"), series, ends)


def _year_before(edition: Edition, summary: pd.DataFrame, ends: list[pd.Timestamp]) -> float | None:
    """Counts of the same months a year earlier; None where one is missing."""
    wanted = {str(end.to_period("M") - 12) for end in ends}
    total = 0.0
    for route_id in _counted(summary):
        history = summaries.series_of(edition.frame("observations"), summaries.route_series(route_id))
        found = history.loc[history["time_period"].isin(wanted), "obs_value"]
        if len(found) < len(wanted) or found.isna().any():
            return None
        total += float(found.sum())
    return total


def known_to(edition: Edition, words: Language) -> str:
    """How far the figures go: ``figures to December 2024, English Channel to January 2025``."""
    routes = edition.frame("routes")
    routes = routes[routes["state"] == "ok"]
    if routes.empty:
        return words.text(_("no route has figures recent enough for a forecast"))
    months = pd.to_datetime(routes["origin_date"])
    usual = months.mode().iloc[0]
    parts = [words.text(_("figures to {month}")).format(month=words.month(f"{usual:%Y-%m}"))]
    for month, group in routes[months != usual].groupby(months):
        names = ", ".join(route_name(route_id, words) for route_id in group["route_id"])
        text = words.text(_("{routes} to {month}"))
        parts.append(text.format(routes=names, month=words.month(f"{month:%Y-%m}")))
    return ", ".join(parts)
