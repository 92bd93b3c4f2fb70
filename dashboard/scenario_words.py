"""A scenario in words: what is assumed, what follows, and what nobody knows."""

from __future__ import annotations

from collections.abc import Mapping

from dashboard import layout, numbers
from dashboard.i18n import _, ngettext
from dashboard.scenario_state import NONE, month_end
from forecasting.scenarios_analogues import LARGEST_MULTIPLE, Course, Episode
from forecasting.scenarios_diversion import DiversionEstimate


def kinds() -> dict[str, str]:
    """Kinds of scenario by code."""
    return {"if": _("What if …"), "shock": _("Sudden change"), "past": _("Past episode")}


def hows() -> dict[str, str]:
    """Which of several months a condition is about."""
    return {"any": _("in any of the months"), "every": _("in every month"), "total": _("in total")}


def sides() -> dict[str, str]:
    """Above or below a number."""
    return {"above": _("more than"), "below": _("at most")}


def stays() -> dict[str, str]:
    """Ways in which a stay ends."""
    return {"open": _("may end at any time"), "fixed": _("the same for everybody")}


def episode(episode_id: str) -> str:
    """A past episode's name."""
    names = {
        "aegean-2015": _("Aegean 2015"),
        "eu-tuerkiye-2016": _("EU–Türkiye statement 2016"),
        "canaries-2020": _("Canary Islands, from August 2020"),
        "canaries-2023": _("Canary Islands, from June 2023"),
        "lampedusa-2023": _("Lampedusa 2023"),
        "belarus-2021": _("Belarus 2021"),
    }
    return names.get(episode_id, episode_id)


def percent(share: float) -> str:
    """A part or a change as a whole per cent, above 100 too."""
    return numbers.change(1 + share, 1.0).lstrip("+")


def scales() -> dict[str, str]:
    """Ways in which a past episode is brought to the present."""
    return {
        "usual": _("as suits the episode"),
        "ratio": _("ratio to the months before"),
        "persons": _("persons beyond the months before"),
    }


def month_option(text: str) -> str:
    """The same, short enough for a list."""
    return numbers.month_short(month_end(text), year=True)


def month(text: str) -> str:
    """A month written ``YYYY-MM`` in the reader's language."""
    return numbers.month_name(month_end(text))


def assumption(values: Mapping[str, str]) -> str:
    """What is assumed, in one clause without a capital or full stop."""
    if values["kind"] == "if":
        return _condition(values)
    if values["kind"] == "shock":
        return _shock(values)
    text = _("if an episode like “{episode}” began there in {month}")
    said = text.format(episode=episode(values["episode"]), month=month(values["past_from"]))
    strength = float(values["past_strength"]) / 100
    return said if strength == 1 else said + _(", at {percent} of its strength").format(percent=percent(strength))


def _condition(values: Mapping[str, str]) -> str:
    first, last = sorted((values["if_from"], values["if_to"]))
    span = numbers.month_range(month_end(first), month_end(last))
    parts = []
    for prefix in ("if", "and"):
        if values[f"{prefix}_route"] == NONE:
            continue
        number = numbers.observed(float(values[f"{prefix}_value"]))
        above = values[f"{prefix}_side"] == "above"
        text = _("{route} exceeds {number}") if above else _("{route} stays at or below {number}")
        parts.append(text.format(route=layout.route_name(values[f"{prefix}_route"]), number=number))
    said = _(" and ").join(parts)
    if first == last:
        return _("if {what} in {months}").format(what=said, months=span)
    return _("if {what}, {how}, {months}").format(what=said, how=hows()[values["if_how"]], months=span)


def _shock(values: Mapping[str, str]) -> str:
    size = float(values["shock_size"]) / 100
    text = _("if arrivals there rise by {percent} from {month}")
    if size < 0:
        text = _("if arrivals there fall by {percent} from {month}")
    said = text.format(percent=percent(abs(size)), month=month(values["shock_from"]))
    length = ngettext("for {n} month", "for {n} months", int(float(values["shock_months"])))
    said = f"{said} {length.format(n=values['shock_months'])}"
    if values["to_route"] != NONE:
        moves = _(", {percent} of the change moving to the {route} route")
        said += moves.format(
            percent=percent(float(values["to_share"]) / 100), route=layout.route_name(values["to_route"])
        )
    return said


def diversion(found: DiversionEstimate, route_id: str, other: str, share: float) -> str:
    """Whether past episodes say anything about the share, and whose number it is."""
    names = {"route": layout.route_name(route_id), "other": layout.route_name(other), "n": len(found.episodes)}
    if found.evidence:
        text = _(
            "Of changes on {route}, {share} showed on {other} with the opposite sign ({n} past episodes, 90% interval "
            "{low} to {high})."
        )
        said = text.format(
            share=percent(found.share), low=percent(found.low),
            high=percent(found.high), **names,
        )  # fmt: skip
        return (
            said if abs(share - found.share) < 0.005 else said + " " + _("The share used here is your own assumption.")
        )
    text = _(
        "Past figures give no evidence that changes on {route} move to {other} ({n} past episodes): the share is your "
        "own assumption, without an interval."
    )
    return text.format(**names)


def course(found: Course, of: Episode, publisher: str) -> str:
    """An episode's course in words."""
    by_value = found.table.sort_values("value")
    row = by_value.iloc[-1 if of.seasonal else 0]
    compared = _("the same months before") if of.seasonal else _("the months before")
    text = _("{episode}: in {month} {value} arrivals, {multiple} times {compared}. Figures: {publisher}.")
    said = text.format(
        episode=episode(of.episode_id),
        month=month(str(row["time_period"])),
        value=numbers.observed(row["value"]),
        multiple=numbers.significant(float(row["multiple"])),
        compared=compared,
        publisher=publisher,
    )
    if (found.table["multiple"] >= LARGEST_MULTIPLE).any():
        said += " " + _("Ratios are cut at {n}.").format(n=numbers.observed(LARGEST_MULTIPLE))
    return said


def conditional_note() -> str:
    """What every scenario is."""
    return _("What would follow if the assumption came true: not a forecast, and never scored as one.")
