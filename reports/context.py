"""What stands beside a forecast: who arrives, indicators of origins, documented events. Context, never cause."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd

from alerts.rules.nationality_shift import UNKNOWN
from core.languages import Language
from core.languages import marked as _
from core.release import ROUNDED_TO
from core.routes import CARRIED, counted, is_own
from core.schema import ALL, PLACES, RECEPTION, TARGETS
from reports import ReadableRelease, numbers
from reports.names import INDICATORS, country_name, in_unit
from reports.names import name as named
from reports.route import RouteForecast

MONTHS_IN_BREAKDOWN, LARGEST_SHOWN = 12, 10
INDICATOR_YEARS, MOST_INDICATORS = 5, 4
WORLD_INDICATORS = ("food_price_index",)


def breakdown(release: ReadableRelease, view: RouteForecast) -> pd.DataFrame:
    """Monthly counts by nationality on the route, known on the date.

    Returns:
        ``citizen, time_period, obs_value``.
    """
    rows = release.frame("observations")
    own = rows[
        (rows["route_id"] == view.route_id)
        & (rows["target"] == counted(view.route_id))
        & (rows["freq"] == "M")
        & ~rows["citizen"].isin(["_T", "_Z"])
        & (rows["geo"] == ("_Z" if is_own(view.route_id) else "_T"))
    ]
    ends = pd.PeriodIndex(own["time_period"], freq="M").end_time.normalize()
    upto = own[ends <= pd.Timestamp(view.known_on)]
    return upto[["citizen", "time_period", "obs_value"]].reset_index(drop=True)


@dataclass(frozen=True)
class Mix:
    """Who arrives on a route.

    Attributes:
        title: What is shown, and up to which month.
        unit: What the shares are of.
        rows: The largest nationalities and the others together: ``name``, ``share`` and, of own counts, ``value``.
        cells: Monthly counts of the same twelve months: ``citizen, time_period, obs_value``.
        note: How own counts are rounded, or empty.
    """

    title: str
    unit: str
    rows: pd.DataFrame
    cells: pd.DataFrame
    note: str


def route_mix(release: ReadableRelease, view: RouteForecast, language: Language) -> Mix | None:
    """The nationalities of a route's past twelve months; None if no source publishes it by nationality."""
    cells = breakdown(release, view)
    if cells.empty:
        return None
    table, newest = yearly_breakdown(cells)
    title = language.text(_("{unit} by nationality, twelve months to {month}"))
    shares = yearly_shares(release, view, set(cells["time_period"]))
    unit = in_unit(language.text(_("Share of {unit} of known nationality")), view.route_id, language)
    return Mix(
        title=in_unit(title, view.route_id, language, month=language.month(newest)),
        unit=language.text(_("Persons, share of those shown")) if shares.empty else unit,
        rows=largest(table, language) if shares.empty else largest_shares(shares, language),
        cells=monthly_breakdown(cells),
        note=language.text(_("Own counts by nationality are rounded to the nearest {n}."), n=ROUNDED_TO)
        if is_own(view.route_id)
        else "",
    )


def indicators(release: ReadableRelease) -> pd.DataFrame:
    """Monthly indicators of the release: context, never forecast."""
    rows = release.frame("observations")
    is_context = ~rows["target"].isin([*TARGETS, CARRIED, PLACES]) & ~rows["target"].str.startswith(RECEPTION)
    return rows[is_context & (rows["freq"] == "M")]


def monthly_breakdown(cells: pd.DataFrame) -> pd.DataFrame:
    """The last twelve months by nationality, for the files."""
    periods = sorted(cells["time_period"].unique())[-MONTHS_IN_BREAKDOWN:]
    return cells[cells["time_period"].isin(periods)].reset_index(drop=True)


def yearly_breakdown(cells: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Sums of the last twelve months by nationality, the largest first; and the newest month."""
    periods = sorted(cells["time_period"].unique())[-MONTHS_IN_BREAKDOWN:]
    recent = cells[cells["time_period"].isin(periods)]
    sums = recent.groupby("citizen", as_index=False)["obs_value"].sum()
    return sums[sums["obs_value"] > 0].sort_values("obs_value", ascending=False, ignore_index=True), periods[-1]


def yearly_shares(release: ReadableRelease, view: RouteForecast, known: set[str]) -> pd.Series:
    """Share of each known nationality in the last twelve months in whole per cent, as alerts state it.

    Returns:
        Shares by citizenship, 0 to 1, the largest first; empty if no nationality is known.
    """
    rows = release.frame("observations")
    rows = rows[rows["time_period"].isin(sorted(known)[-MONTHS_IN_BREAKDOWN:]) & ~rows["citizen"].isin(UNKNOWN)]
    rows = rows[(rows["route_id"] == view.route_id) & (rows["target"] == counted(view.route_id)) & (rows["geo"] == ALL)]
    sums = rows[rows["freq"] == "M"].groupby("citizen")["obs_value"].sum()
    return (sums / sums.sum()).round(2).sort_values(ascending=False)


def largest_shares(shares: pd.Series, language: Language) -> pd.DataFrame:
    """The largest nationalities and the others together: ``name``, ``share``."""
    top = shares.head(LARGEST_SHOWN)
    top = top[top > 0]
    out = pd.DataFrame({"name": [country_name(str(code), language) for code in top.index], "share": top.to_numpy()})
    others = pd.DataFrame({"name": [language.text(_("Others"))], "share": [max(0.0, round(1 - float(top.sum()), 2))]})
    return pd.concat([out, others], ignore_index=True)


def largest(table: pd.DataFrame, language: Language) -> pd.DataFrame:
    """The largest nationalities and the others together: ``name``, ``value``, ``share`` of what is shown."""
    top, rest = table.head(LARGEST_SHOWN), table.iloc[LARGEST_SHOWN:]
    out = pd.DataFrame(
        {"name": [country_name(code, language) for code in top["citizen"]], "value": top["obs_value"].to_numpy()}
    )
    if len(rest):
        others = pd.DataFrame({"name": [language.text(_("Others"))], "value": [float(rest["obs_value"].sum())]})
        out = pd.concat([out, others], ignore_index=True)
    return out.assign(share=out["value"] / max(float(out["value"].sum()), 1.0))


def usual_place(release: ReadableRelease, view: RouteForecast, places: list[str]) -> str:
    """The largest nationality on the route that indicators are known for, else the first place."""
    cells = breakdown(release, view)
    if not cells.empty:
        for code in yearly_breakdown(cells)[0]["citizen"]:
            if code in places:
                return str(code)
    return places[0] if places else ""


def context_lines(view: RouteForecast, rows: pd.DataFrame, place: str, language: Language) -> pd.DataFrame:
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
            known = numbers.series_of(part, str(part["series_id"].iloc[0]))
            known = known[known["end_date"] <= pd.Timestamp(view.known_on)].tail(12 * INDICATOR_YEARS)
            lines.append(
                pd.DataFrame(
                    {
                        "panel": named(INDICATORS, str(target), language),
                        "time_period_end": known["end_date"],
                        "value": known["obs_value"],
                    }
                )
            )
    return pd.concat(lines[:MOST_INDICATORS], ignore_index=True) if lines else pd.DataFrame()


def events_before(events: pd.DataFrame, route_id: str, known_on: dt.date, months: int = 24) -> pd.DataFrame:
    """Return the events of a route in the months before a day and in that day's own, in order of time.

    Args:
        events: The release's ``events``.
        route_id: The route; ``asylum`` for what concerns asylum applications in general.
        known_on: The day.
        months: How many months back.

    Returns:
        The same columns; without rows where the release has no events.
    """
    if events.empty:
        return events
    since = pd.Timestamp(known_on) - pd.DateOffset(months=months)
    is_shown = events["route_id"].eq(route_id) & events["month"].between(f"{since:%Y-%m}", f"{known_on:%Y-%m}")
    return events[is_shown].sort_values("month", ignore_index=True)


def event_words(events: pd.DataFrame, language: Language) -> list[tuple[str, str, str]]:
    """Return title, fact and source's address of each event in the reader's language, in the order of their marks."""
    return [
        (language.text(row["title"]), language.text(row["what"]), str(row["url"])) for row in events.to_dict("records")
    ]


def events_note(language: Language) -> str:
    """Say that an event is no cause."""
    return language.text(_("Events are context, never a cause; the forecast does not use them."))
