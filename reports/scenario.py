"""A scenario in one reader's language: assumptions, consequences, what is unknown; and reception places.

Places are counted as beds are planned: who arrives stays for a mean time; see ``forecasting.scenarios``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from core.languages import Language, as_counted, as_expected, capital
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.schema import Entry
from forecasting.scenarios import LARGEST_MULTIPLE, Course, Episode, Needs, occupancy, places_needed
from forecasting.scenarios.shocks import DiversionEstimate
from reports import ReadableRelease, Reception, numbers
from reports.names import country_name, route_name, words_of
from reports.skill import stretches

_PLACES = "places:"
NONE = "none"
"""No route: a lever that is not used."""
KINDS, HOWS, SIDES, STAYS, SCALES, EPISODES = map(
    words_of, ("scenarios", "conditions", "sides", "stays", "scales", "episodes")
)
"""Kinds of scenario; which of several months a condition is about; above or below a number; ways in which a stay ends
and in which a past episode is brought to the present; past episodes."""


def places_enough(
    then: pd.DataFrame, together: float, by_forecast: float, confidence: float, language: Language
) -> str:
    """How many places are enough in every month, under the assumption and by the forecast.

    Args:
        then: Places by month under the assumption: ``target_end_date``.
        together: Places that are enough in all months together under it.
        by_forecast: The same by the forecast.
        confidence: Such as 0.9.
        language: The reader's.
    """
    texts = ngettext(
        "At {confidence} confidence, **{then} place** for new arrivals alone is enough in each month to {month} "
        "under the assumption; by the forecast, {plain}.",
        "At {confidence} confidence, **{then} places** for new arrivals alone are enough in each month to {month} "
        "under the assumption; by the forecast, {plain}.",
    )
    return language.plural(
        texts,
        as_expected(together),
        confidence=language.percent(confidence),
        then=language.expected(together),
        plain=language.expected(by_forecast),
        month=language.month(then["target_end_date"].iloc[-1]),
    )


def first_short(needed: pd.DataFrame, stock: float, confidence: float, language: Language) -> str:
    """The first month in which the places there are do not suffice, and how many are missing then.

    Args:
        needed: ``target_end_date`` and ``places`` needed at the confidence, month by month.
        stock: Places there are.
        confidence: Such as 0.9.
        language: The reader's.
    """
    short, there = needed[needed["places"] > stock], language.counted(stock)
    if short.empty:
        texts = ngettext(
            "{stock} place is enough up to {month} at {confidence} confidence.",
            "{stock} places are enough up to {month} at {confidence} confidence.",
        )
        last, sure = language.month(needed["target_end_date"].iloc[-1]), language.percent(confidence)
        return language.plural(texts, as_counted(stock), stock=there, month=last, confidence=sure)
    texts = ngettext(
        "{month} is the first month short; {missing} place more than {stock} is needed at {confidence} confidence.",
        "{month} is the first month short; {missing} places more than {stock} are needed at {confidence} confidence.",
    )
    first = short.iloc[0]
    missing = float(first["places"]) - stock
    return language.plural(
        texts,
        as_expected(missing),
        month=language.month(first["target_end_date"]),
        missing=language.expected(missing),
        stock=there,
        confidence=language.percent(confidence),
    )


def counted_places() -> str:
    """Whom the places are counted for, to be translated."""
    return _(
        "Places occupied at month end by people who arrived during the period shown and have not left; earlier "
        "arrivals and people moving on are excluded."
    )


def percent(share: float, language: Language) -> str:
    """A part or a change as a whole per cent, above 100 too."""
    return language.change(1 + share, 1.0).lstrip("+")


def episode_name(episode_id: str, language: Language) -> str:
    """A past episode's name."""
    return language.text(EPISODES.get(episode_id, episode_id))


def assumption(values: Mapping[str, str], language: Language) -> str:
    """What is assumed, in one clause without a capital or full stop."""
    if values["kind"] == "if":
        return _condition(values, language)
    if values["kind"] == "shock":
        return _shock(values, language)
    text = language.text(
        _("if an episode like “{episode}” began there in {month}"),
        episode=episode_name(values["episode"], language),
        month=language.month(values["past_from"]),
    )
    strength = float(values["past_strength"]) / 100
    at = language.text(_(", at {percent} of its strength"), percent=percent(strength, language))
    return text if strength == 1 else text + at


def _condition(values: Mapping[str, str], language: Language) -> str:
    first, last = sorted((values["if_from"], values["if_to"]))
    months = language.months(first, last)
    parts = []
    for prefix in ("if", "and"):
        if values[f"{prefix}_route"] != NONE:
            above = values[f"{prefix}_side"] == "above"
            text = _("{route} exceeds {number}") if above else _("{route} stays at or below {number}")
            route = route_name(values[f"{prefix}_route"], language)
            number = language.counted(float(values[f"{prefix}_value"]))
            if first != last and values["if_how"] != "total":
                number = language.text(_("{number} a month"), number=number)
            parts.append(language.text(text, route=route, number=number))
    what = language.text(_(" and ")).join(parts)
    if first == last:
        return language.text(_("if {what} {when}"), what=what, when=language.in_months(first, last))
    how = language.text(HOWS[values["if_how"]])
    return language.text(_("if {what} {how}, {months}"), what=what, how=how, months=months)


def _shock(values: Mapping[str, str], language: Language) -> str:
    """Name the months of the whole change; how it builds up before them and fades after them stands in brackets."""
    size, onset, fade = (float(values[f"shock_{name}"]) for name in ("size", "onset", "decay"))
    first = pd.Period(values["shock_from"], "M") + int(onset)
    of, size = values.get("shock_of", "all"), size / 100
    changes = {1.0: _("double"), -0.5: _("halve")}
    change = changes.get(size, _("fall by {percent}") if size < 0 else _("rise by {percent}"))
    text = _("if arrivals from {country} {change} {when}") if of != "all" else _("if arrivals there {change} {when}")
    said = language.text(
        text,
        country=country_name(of, language) if of != "all" else "",
        change=language.text(change, percent=percent(abs(size), language)),
        when=language.in_months(first, first + int(float(values["shock_months"])) - 1),
    )
    more = []
    if onset:
        more.append(language.text(_("building up from {month}"), month=language.month(values["shock_from"])))
    if fade:
        texts = ngettext("the change then halves every {n} month", "the change then halves every {n} months")
        more.append(language.plural(texts, round(fade)))
    said += f" ({language.listed(more)})" if more else ""
    if values["to_route"] != NONE:
        said += language.text(
            _(", {percent} of the change moving to the {route} route"),
            percent=percent(float(values["to_share"]) / 100, language),
            route=route_name(values["to_route"], language),
        )
    return said


def part_words(citizen: str, share: float, language: Language) -> str:
    """What a nationality's share is, and that a scenario of it holds it."""
    return language.text(
        _(
            "{country}: {share} of the route’s arrivals in the newest twelve months known by nationality. The scenario "
            "holds this share; nationalities have no forecast of their own here."
        ),
        country=country_name(citizen, language),
        share=language.share(share),
    )


def diversion(found: DiversionEstimate, route_id: str, other: str, share: float, language: Language) -> str:
    """Whether past episodes say anything about the share that moves to another route, and whose number it is."""
    route, elsewhere = route_name(route_id, language), route_name(other, language)
    if not found.evidence:
        texts = ngettext(
            "Past figures give no evidence that changes on {route} move to {other} ({n} past episode): the share is "
            "your own assumption, without an interval.",
            "Past figures give no evidence that changes on {route} move to {other} ({n} past episodes): the share is "
            "your own assumption, without an interval.",
        )
        return language.plural(texts, len(found.episodes), route=route, other=elsewhere)
    texts = ngettext(
        "Of changes on {route}, {share} showed on {other} with the opposite sign ({n} past episode, 90% interval "
        "{low} to {high}).",
        "Of changes on {route}, {share} showed on {other} with the opposite sign ({n} past episodes, 90% interval "
        "{low} to {high}).",
    )
    said = language.plural(
        texts,
        len(found.episodes),
        route=route,
        other=elsewhere,
        share=percent(found.share, language),
        low=percent(found.low, language),
        high=percent(found.high, language),
    )
    own = language.text(_("The share used here is your own assumption."))
    return said if abs(share - found.share) < 0.005 else f"{said} {own}"


def course(found: Course, of: Episode, publisher: str, language: Language) -> str:
    """An episode's course: its highest or lowest month, against the months before."""
    row = found.table.sort_values("value").iloc[-1 if of.seasonal else 0]
    said = language.plural(
        ngettext(
            "{episode}: in {month} {value} arrival, {multiple} times {compared}. Figures: {publisher}.",
            "{episode}: in {month} {value} arrivals, {multiple} times {compared}. Figures: {publisher}.",
        ),
        as_counted(row["value"]),
        episode=episode_name(of.episode_id, language),
        month=language.month(str(row["time_period"])),
        value=language.counted(row["value"]),
        multiple=language.significant(float(row["multiple"])),
        compared=language.text(_("the same months before") if of.seasonal else _("the months before")),
        publisher=publisher,
    )
    if (found.table["multiple"] >= LARGEST_MULTIPLE).any():
        said += " " + language.text(_("Ratios are cut at {n}."), n=language.counted(LARGEST_MULTIPLE))
    return said


def fewer_words(found: Course, of: Episode, first: pd.Timestamp, language: Language) -> str:
    """In which months a scenario that begins in ``first`` lies below the forecast, and why; empty where in none."""
    is_fewer = found.table["multiple"].lt(1).to_numpy()
    if not of.seasonal or not is_fewer.any():
        return ""
    past = pd.PeriodIndex(found.table["time_period"], freq="M")
    now = pd.period_range(first, periods=len(past), freq="M")
    when, then = (stretches(months[is_fewer].to_timestamp(), language.in_months) for months in (now, past))
    text = _("{when} the scenario lies below the forecast: {then} fewer came than in the same months before.")
    return language.text(text, when=capital(when), then=then)


def conditional_note(language: Language) -> str:
    """What every scenario is."""
    return language.text(_("What would follow if the assumption came true: not a forecast, and never scored as one."))


def places_subject(route_id: str) -> str:
    """What a journal row about a route's places is about."""
    return f"{_PLACES}{route_id}"


def reception_of(values: Mapping[str, str], route_id: str, who: str = "") -> Reception:
    """Read it from texts as an address or the journal holds them: ``stock, stay, stay_kind, needs_place, confidence``.

    Raises:
        KeyError: One is missing.
        ValueError: One is not a number.
    """
    kind = "fixed" if values["stay_kind"] == "fixed" else "open"
    needs = Needs(float(values["stay"]), "fixed" if kind == "fixed" else "open", float(values["needs_place"]) / 100)
    return Reception(route_id, float(values["stock"]), needs, float(values["confidence"]) / 100, who)


def kept_by_route(entries: Sequence[Entry]) -> dict[str, Entry]:
    """The last of the rows of each route, by route; a route whose last row keeps no places is left out."""
    newest = {entry.subject.removeprefix(_PLACES): entry for entry in entries}
    return {route_id: entry for route_id, entry in newest.items() if float(entry.payload["query"]["stock"]) > 0}


def demand(
    release: ReadableRelease, reception: Reception, trajectories: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, float]:
    """Places needed by month, and in all months together, of the months that are still to come.

    Args:
        release: ``observations`` and ``trajectories`` are read.
        reception: What is planned with.
        trajectories: Sample paths in place of the release's own, such as a scenario's.

    Returns:
        ``target_end_date, median, places``, and the places that suffice in every month; see
        ``forecasting.scenarios.places_needed``.
    """
    rows = numbers.series_of(release.frame("observations"), numbers.route_series(reception.route_id))
    history = pd.Series(rows["obs_value"].to_numpy(), pd.DatetimeIndex(rows["end_date"]))
    paths = release.frame("trajectories") if trajectories is None else trajectories
    taken = occupancy(numbers.route_paths(paths, reception.route_id), history, reception.needs)
    ahead = pd.DatetimeIndex(taken.columns) > pd.Timestamp(release.as_of)
    return places_needed(taken.loc[:, ahead], reception.confidence)


def assumed(reception: Reception, language: Language) -> str:
    """What is planned with, in words: ``2,000 places; mean stay, months: 3; need a place: 80%``."""
    stay = language.labelled(language.text(_("mean stay, months")), language.significant(reception.needs.stay_months))
    needs = language.labelled(language.text(_("need a place")), language.share(reception.needs.share))
    texts = ngettext("{stock} place", "{stock} places")
    places = language.plural(texts, as_counted(reception.stock), stock=language.counted(reception.stock))
    return language.listed([places, stay, needs])
