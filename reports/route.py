"""What a release says about one route, in one reader's language: title, key numbers, how far figures go, its weeks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.calendar import pandas_frequency
from core.countries import display_name
from core.languages import Language, Month, capital, is_known
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.routes import ROUTES, region_of
from core.schema import ALL
from forecasting.ensemble import MEMBERS
from forecasting.verification.verdict import BETTER, with_verdicts
from reports import ReadableRelease, Row, numbers
from reports.files import flag_words
from reports.names import country_name, in_unit, level_name, route_name
from reports.skill import may_beat, stretches, total_record, verdict_words

KeyNumber = tuple[str, str, str]
"""Label, value and what stands beneath it."""
PAST_WEEKS, WEEKS_SHOWN = 12, 3
_LEVELS = {0.1: "q10", 0.25: "q25", 0.5: "q50", 0.75: "q75", 0.9: "q90"}


@dataclass(frozen=True)
class RouteForecast:
    """One route as known on one date.

    Attributes:
        route_id: The route.
        origin: Past origin of the backtest (ISO date), or an empty text for the release's own forecast.
        known_on: The date of knowledge.
        horizon: Full months after the date of knowledge to show; those that are not counted yet before them too.
        summary: The route's row of :func:`reports.numbers.route_summary`.
        history: Counted months as known then: ``time_period, obs_value, obs_flag, end_date``; ``changed`` where they
            are known otherwise now; without an origin ``estimated_share`` too.
        forecast: Quantile rows: ``target_end_date, output_type_id, value, horizon``.
        quantiles: The same, wide.
        expected_before: What was expected of the newest month counted, see :func:`reports.numbers.expected_before`.
        running: The month that is running, where it is counted by day: one row at most, with ``target_end_date``,
            ``last_day``, ``so_far``, ``q10``, ``q50`` and ``q90``.
    """

    route_id: str
    origin: str
    known_on: dt.date
    horizon: int
    summary: Row
    history: pd.DataFrame
    forecast: pd.DataFrame
    quantiles: pd.DataFrame
    expected_before: numbers.Expected | None
    running: pd.DataFrame

    @property
    def series_id(self) -> str:
        """The route's series."""
        return numbers.route_series(self.route_id)


def expected_words(median: float, month: Month, language: Language) -> str:
    """What was expected of a closed month, and the day of that forecast: ``5,000 expected on 30 Nov 2024``."""
    day = language.day_short((pd.Period(month, "M") - 1).end_time)
    return language.text(_("{expected} expected on {day}"), expected=language.expected(median), day=day)


def window_words(as_of: dt.date, language: Language) -> str:
    """The planning window by its name: ``February–April 2025``."""
    ends = numbers.window_ends(as_of)
    return language.months(ends[0], ends[-1])


def in_window(as_of: dt.date, language: Language) -> str:
    """The planning window as the time of an event: ``in February–April 2025``."""
    ends = numbers.window_ends(as_of)
    return language.in_months(ends[0], ends[-1])


def without_forecast(row: Row, language: Language) -> str:
    """Why a route has no forecast."""
    name = route_name(str(row["route_id"]), language)
    if not row["last_period"]:
        return language.text(_("{route}: no figures, so no forecast."), route=name)
    text = _("{route}: latest data {month}, too old for a current forecast.")
    return language.text(text, route=name, month=language.month(str(row["last_period"])))


def absent_words(route_ids: Collection[str], language: Language) -> str:
    """The routes of the same regions that have no figures to pass on; empty if there is none."""
    regions = {region_of(route_id) for route_id in route_ids}
    absent = [code for code, route in ROUTES.items() if route.region in regions and not route.parts]
    names = [route_name(code, language) for code in absent if code not in route_ids]
    text = _("No forecast, since monthly figures may not be passed on: {routes}.")
    return language.text(text, routes=", ".join(names)) if names else ""


def known_to(release: ReadableRelease, language: Language) -> str:
    """How far the figures go: ``figures to December 2024, English Channel to January 2025``."""
    routes = release.frame("routes")
    routes = routes[routes["state"] == "ok"]
    if routes.empty:
        return language.text(_("no route has figures recent enough for a forecast"))
    months = pd.to_datetime(routes["origin_date"])
    most = months.mode().iloc[0]
    parts = [language.text(_("figures to {month}"), month=language.month(most))]
    for month, group in routes[months != most].groupby(months):
        named = ", ".join(route_name(route_id, language) for route_id in group["route_id"])
        parts.append(language.text(_("{routes} to {month}"), routes=named, month=language.month(month)))
    return ", ".join(parts)


def steps_of(release: ReadableRelease, route_id: str, language: Language) -> list[KeyNumber]:
    """How a route's number is made: each step, what it gave for this route (empty if nothing), and what is done."""
    series_id, ends = numbers.route_series(route_id), numbers.window_ends(release.as_of)
    rows, forecasts = release.frame("observations"), release.frame("forecasts")
    last = rows[rows["series_id"] == series_id].sort_values("time_period").iloc[-1]
    total = numbers.expected_total(release.frame("trajectories"), [series_id], ends)
    own = forecasts[forecasts["series_id"].eq(series_id) & forecasts["fallback"].eq(False)]
    models = own.loc[own["model_id"].isin(MEMBERS), "model_id"].nunique()
    record = total_record(release.frame("total_scores"), series_id)
    alerts = numbers.gravest_by_route(release.frame("alerts"), release.frame("track_record"))
    levels = [level_name(level, language) for level in alerts.loc[alerts["route_id"] == route_id, "alert_level"]]
    interval = f"{language.expected(total.median)} ({language.interval(total.low, total.high)})" if total else ""
    when = language.in_months(last["time_period"], last["time_period"])
    window = in_window(release.as_of, language)
    made, flags = language.day(release.as_of), flag_words(last["obs_flag"], language)
    if release.replay:
        text = _("replay of {day}, computed {made}")
        made = language.text(text, day=made, made=language.day(release.created_at.date()))
    steps = (
        (_("Count"), language.listed(filter(None, [language.counted(last["obs_value"]), flags])),
         _("Counted {when} by authorities and agencies, and filled in for those that are late. The day it became "
           "known is kept.") if "e" in last["obs_flag"] else
         _("Counted {when} by authorities and agencies. The day it became known is kept.")),
        (_("Models"), str(models or ""),
         _("The route’s own, one fitted on all monthly counts and, where counted, the sum of nationalities. Each gives "
           "a range.")),
        (_("Forecast"), interval,
         _("The models’ mean {window}, moved by days already counted, with an 80% interval matched to past errors.")),
        (_("Check"), language.text(_("{share}, target {target}"), share=language.share(record["coverage_80"]),
                                   target=language.percent(0.8)) if record else "",
         _("Past three-month totals inside the 80% interval. Track record shows all, also what is poor.")),
        (_("Alert"), levels[0] if levels else language.text(_("none")),
         _("Fixed rules turn chances into Watch, Warning or Severe. A person decides what is sent.")),
        (_("Release"), made,
         _("Sealed: a check finds any figure that is changed later.")),
    )  # fmt: skip
    return [
        (
            language.text(name),
            number,
            language.text(text).format(when=when, window=window),
        )
        for name, number, text in steps
    ]


def title(view: RouteForecast, as_of: dt.date, language: Language) -> str:
    """The route page's title: what is expected, by when, within which range."""
    name = route_name(view.route_id, language)
    if not view.origin:
        if view.summary["state"] != "ok" or not is_known(view.summary["expected"]):
            return without_forecast(view.summary, language).rstrip(".")
        return in_unit(
            language.text(_("{route}: {expected} {unit} expected {when}, 80% interval {interval}")),
            view.route_id,
            language,
            route=name,
            expected=language.expected(view.summary["expected"]),
            when=in_window(as_of, language),
            interval=language.interval_words(view.summary["low"], view.summary["high"]),
        )
    if view.quantiles.empty:
        return name
    first = view.quantiles.iloc[0]
    return in_unit(
        language.text(_("{route}: on {day}, {expected} {unit} were expected in {month}, 80% interval {interval}")),
        view.route_id,
        language,
        route=name,
        day=language.day(view.known_on),
        expected=language.expected(first[0.5]),
        month=language.month(view.quantiles.index[0]),
        interval=language.interval_words(first[0.1], first[0.9]),
    )


def key_numbers(view: RouteForecast, as_of: dt.date, language: Language) -> list[KeyNumber]:
    """What is expected in the planning window and in the highest month ahead, and the last count."""
    out = []
    if not view.origin and is_known(view.summary["expected"]):
        label = language.text(_("Expected in three months, {months}"), months=window_words(as_of, language))
        interval = interval_words(view.summary["low"], view.summary["high"], language)
        out.append((label, language.expected(view.summary["expected"]), interval))
    if not view.origin and len(view.quantiles):
        highest = pd.Timestamp(str(view.quantiles[0.5].idxmax()))
        low, middle, high = (float(view.quantiles[level].loc[highest]) for level in (0.1, 0.5, 0.9))
        # Which month is the highest is uncertain: the interval leads.
        label = language.text(_("Likely the highest month, {month}"), month=language.month(highest))
        text = (
            _("80% interval; median {median}") if may_beat(view.summary.get("verdicts"), highest) else _("80% interval")
        )
        out.append((label, language.interval(low, high), language.text(text, median=language.expected(middle))))
    if len(view.history):
        last = view.history.iloc[-1]
        notes = [language.month(last["end_date"]), flag_words(last["obs_flag"], language)]
        if is_known(share := last.get("estimated_share")):
            notes.append(
                language.text(_("{share} of it filled in for countries that are late"), share=language.percent(share))
            )
        label = language.text(_("Last month ({month})"), month=", ".join(filter(None, notes)))
        before = numbers.year_earlier(view.history)
        beside = (
            [expected_words(view.expected_before.median, last["end_date"], language)] if view.expected_before else []
        )
        if is_known(before):
            beside.append(language.text(_("{value} a year earlier"), value=language.counted(before)))
        out.append((label, language.counted(last["obs_value"]), language.listed(beside)))
    return out


def so_far_words(row: Row | pd.Series, language: Language) -> str:
    """How many were counted in the running month, a row of :func:`reports.numbers.running_month`."""
    text = _("{month} so far: {counted} counted up to {day}")
    if places := row["places"]:
        text = _("{month} so far: {counted} counted up to {day} in {places} alone")
    return language.text(
        text,
        places=", ".join(country_name(place, language) for place in places.split()),
        month=language.month(row["target_end_date"]),
        counted=language.counted(row["so_far"]),
        day=language.day_short(row["last_day"]),
    )


def running_words(view: RouteForecast, language: Language) -> str:
    """What is expected of the month of the date of knowledge, and how many were counted in it up to which day."""
    month = pd.Timestamp(view.known_on).to_period("M").end_time.normalize()
    if view.origin or (view.running.empty and month not in view.quantiles.index):
        return ""
    ahead, running = view.quantiles, view.running[["q10", "q50", "q90"]]
    low, median, high = map(float, running.iloc[0] if len(running) else ahead.loc[month, [0.1, 0.5, 0.9]])
    said = {"expected": language.expected(median), "interval": language.interval_words(low, high)}
    if running.empty:
        text = _("{expected} expected in all, 80% interval {interval}.")
        return capital(language.labelled(language.month(month), language.text(text, **said)))
    text = _("{expected} estimated in all, 80% interval {interval}.")
    return capital(language.listed([so_far_words(view.running.iloc[0], language), language.text(text, **said)]))


def skill_words(view: RouteForecast, language: Language) -> str:
    """The verdict of skill on the planning window."""
    if view.summary["verdicts"] is None:
        return language.text(_("No score for this route in this release."))
    if view.origin:
        text = _("How far the forecast can be trusted is judged on all past origins, later ones too: see Track record.")
        return language.text(text)
    return capital(f"{verdict_words(view.summary['verdicts'], numbers.window_ends(view.known_on), language)}.")


def fallback_words(view: RouteForecast, language: Language) -> str:
    """Where the forecast shown is not the ensemble's own: the baseline is used instead, or the cap was applied."""
    rows, parts = view.forecast, []
    for flag, text in (
        ("fallback", _("The baseline stands in for {months}: no model could be fitted.")),
        ("capped", _("Upper tails were cut by the cap on explosive forecasts in {months}.")),
    ):
        if flag in rows and rows[flag].any():
            ends = rows.loc[rows[flag].astype(bool), "target_end_date"].unique()
            parts.append(language.text(text, months=stretches(ends, language.months)))
    return " ".join(parts)


def interval_words(low: float, high: float, language: Language) -> str:
    """``80% interval 1,000 to 2,000``, as it stands beneath a number."""
    return language.text(_("80% interval {interval}"), interval=language.interval_words(low, high))


@dataclass(frozen=True)
class WeekView:
    """A route's weeks.

    Attributes:
        series_id: The weekly series.
        counted: Newest weeks that are counted whole: ``target_end_date``, ``value``.
        ahead: Weeks to come: ``target_end_date``, ``last_day``, ``so_far``, ``q10`` to ``q90``.
        scores: The series' rows of ``week_scores``, log scale, each with its ``verdict``.
        partial: Whether the route's months held other people than these days did.
    """

    series_id: str
    counted: pd.DataFrame
    ahead: pd.DataFrame
    scores: pd.DataFrame
    partial: bool

    @property
    def days(self) -> str:
        """The daily series."""
        return self.series_id.removesuffix(".W") + ".D"

    def country(self, language: Language) -> str:
        """The one country whose days are counted; empty where the route's months hold no other people."""
        geo = self.series_id.split(".")[2]
        return display_name(geo, language.code) if self.partial and geo != ALL else ""


def week_view(weeks: pd.DataFrame, scores: pd.DataFrame, observations: pd.DataFrame, route_id: str) -> WeekView | None:
    """A route's weeks from a release's tables; None where it is not counted by day."""
    rows = weeks[weeks["route_id"] == route_id]
    if rows.empty:
        return None
    series_id = str(rows["series_id"].iloc[0])
    level = rows["output_type_id"].round(6)
    place = ["target_end_date", "last_day", "so_far"]
    wide = rows[level.isin(_LEVELS)].assign(level=level.map(_LEVELS)).pivot_table("value", place, "level")
    days = numbers.series_of(observations, series_id.removesuffix(".W") + ".D", "D")
    ends = pd.PeriodIndex(days["end_date"], freq=pandas_frequency("W")).end_time.normalize()
    sums = days.groupby(ends)["obs_value"].agg(["sum", "size"])
    whole = sums.loc[sums["size"] == 7, "sum"].tail(PAST_WEEKS)
    # Holm's correction runs over the whole table.
    judged = with_verdicts(scores[scores["scale"] == "log"])
    return WeekView(
        series_id,
        whole.rename_axis("target_end_date").rename("value").reset_index(),
        wide.reset_index().sort_values("target_end_date", ignore_index=True),
        judged[judged["series_id"] == series_id].reset_index(drop=True),
        _differs(days, numbers.series_of(observations, f"arrivals.{route_id}._T._T.M")),
    )


def _differs(days: pd.DataFrame, months: pd.DataFrame) -> bool:
    """Whether a year's months differ from the sums of their days, where all days are counted."""
    sums = days.groupby(days["end_date"].dt.to_period("M"))["obs_value"].agg(["sum", "size"])
    counted = sums.loc[sums["size"] == sums.index.to_series().dt.days_in_month, "sum"]
    both = pd.concat([counted, months.set_index(months["end_date"].dt.to_period("M"))["obs_value"]], axis=1).dropna()
    return bool((both["sum"] != both["obs_value"]).tail(12).any())


def week_title(view: WeekView, language: Language) -> str:
    """What the first week that is not counted whole is expected to bring."""
    row, country = view.ahead.iloc[0], view.country(language)
    text = _("The week to {day}: {interval} {unit} (80% interval), median {expected}")
    if country:
        text = _(
            "Part of this route, by week: {country}, {interval} {unit} in the week to {day} (80% interval), median "
            "{expected}"
        )
    return in_unit(
        language.text(text),
        view.series_id.split(".")[1],
        language,
        country=country,
        day=language.day_short(row["target_end_date"]),
        expected=language.expected(row["q50"]),
        interval=language.interval_words(row["q10"], row["q90"]),
    )


def week_record(view: WeekView, language: Language) -> str:
    """How such forecasts did at past Sundays, against the last week and the same week of the year before."""
    scores = view.scores
    if scores.empty:
        return language.text(_("No record yet: these days have not been counted for long enough."))
    better = scores.assign(better=scores["verdict"] == BETTER).groupby("horizon")["better"].all()
    reach = int(np.argmin([*better, False]))
    if not reach:
        return language.text(_("Not proven to beat “the last week again” and “the same week of last year again”."))
    texts = ngettext(
        "Better than “the last week again” and “the same week of last year again” {n} week ahead.",
        "Better than “the last week again” and “the same week of last year again” up to {n} weeks ahead.",
    )
    near = scores[scores["horizon"] <= reach]
    held = _("Its error was {ratio} of theirs; its 80% interval held {share} of {count} past weeks.")
    words = language.text(
        held,
        ratio=language.decimal(float(near["relative_wis"].mean())),
        share=language.share(float(near["coverage_80"].mean())),
        count=language.counted(int(near["n"].min())),
    )
    beyond = [] if reach == len(better) else [language.text(_("Not proven beyond."))]
    return " ".join([language.plural(texts, reach), *beyond, words])


def week_place(view: WeekView, months: pd.DataFrame, language: Language) -> str:
    """What to use for the month of the first week, by the route's ``months``, what weeks are for, how they differ."""
    country = view.country(language)
    text = _("Weeks show early whether a month turns. Another model makes them, so they need not add up to it.")
    if country:
        text = _(
            "Weeks show early whether a month turns. Another model follows the last days in {country} alone, so weeks "
            "may add up to more than the route’s month."
        )
    said = language.text(text, country=country)
    month = view.ahead["target_end_date"].iloc[0] + pd.offsets.MonthEnd(0)
    if month not in months.index:
        return said
    use = _("For the month, use the chart above: {interval} {when} (80% interval).")
    interval = language.interval(*map(float, months.loc[month, [0.1, 0.9]]))
    return f"{language.text(use, interval=interval, when=language.in_months(month, month))} {said}"


def week_basis(view: WeekView, language: Language) -> str:
    """How much of the first week is counted, and up to when."""
    row, text = view.ahead.iloc[0], _("week to {day}: {value} counted up to {last}")
    days = {"day": language.day_short(row["target_end_date"]), "last": language.day_short(row["last_day"])}
    return f"{capital(language.text(text, value=language.counted(row['so_far']), **days))}."
