"""What a message says, in one reader's language, before it is laid out for a channel."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import partial

from alerts.lifecycle import ENDED, RAISED, UPDATED, WITHDRAWN
from alerts.rules import EXCEEDANCE_RULES
from core.languages import Language, told_in
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.purpose import INTENDED_USE, NOT_A_FACT, PROHIBITED_USES
from reports import names
from reports.alert import alert_sentence
from reports.messages.announcement import FRESHNESS, Announcement
from reports.messages.facts import Facts, concerned
from reports.names import LEVEL_MARKS, level_name, subject_name

MOST_MONTHS = 6
FALLS = frozenset(rule.rule for rule in EXCEEDANCE_RULES if rule.falls)
"""Rules that warn of a low count."""


HEADINGS = {
    RAISED: _("New alert"),
    UPDATED: _("Alert, renewed"),
    ENDED: _("Alert ended"),
    WITHDRAWN: _("Alert withdrawn"),
    FRESHNESS: _("Freshness of a source"),
}


@dataclass(frozen=True)
class Message:
    """One message, ready to be laid out.

    Attributes:
        language: Language it is written in.
        level: watch, warning, severe, ``ended``, or empty.
        heading: What kind of message it is.
        badge: Mark and word of the level; empty for a source.
        place: Route or source.
        title: One line for a subject field.
        sentence: What is the matter.
        rows: Label and value of each fact: figure, chance, months, record, who signed off.
        uses_label: Heading over the intended use.
        uses: What it is for.
        prohibited_label: Heading over the prohibited uses.
        prohibited: What nobody may do with it.
        caveat: What a reader must know about any forecast.
        link_label: Language of the link.
        link: Address of the same view in the dashboard.
        picture_alt: What the picture shows; empty where there is none.
        reference: Line by which a repeat is recognised.
        replay: Warning that a past night is replayed; empty where not.
        attached: What is attached, or was to be and could not be made; empty where nothing was to be.
    """

    language: str
    level: str
    heading: str
    badge: str
    place: str
    title: str
    sentence: str
    rows: tuple[tuple[str, str], ...]
    uses_label: str
    uses: str
    prohibited_label: str
    prohibited: tuple[str, ...]
    caveat: str
    link_label: str
    link: str
    picture_alt: str
    reference: str
    replay: str
    attached: str = ""


def compose(announcement: Announcement, language: str, dashboard_url: str, letter_id: str = "") -> Message:
    """Write one announcement in one language.

    Args:
        announcement: What is said.
        language: Code of the language; English where there is no catalogue of it.
        dashboard_url: Where the dashboard is found.
        letter_id: The letter's name; by default the announcement's.
    """
    words, facts = Language(language), announcement.facts
    heading = words.text(HEADINGS[announcement.kind])
    level, badge = _badge(announcement, words)
    place = _place(facts, words)
    sentence = _sentence(announcement, words)
    replay = ""
    if announcement.is_replay:
        text = words.text(_("Exercise: this repeats what was known on {day}. Nothing is happening now."))
        replay = text.format(day=words.day(_as_of(facts)))
    # A line break in a subject field would begin another field.
    title = words.labelled(heading, " ".join(place.split())) + (
        f" ({level_name(announcement.level, words)})" if announcement.level else ""
    )
    return Message(
        language=words.code,
        level=level,
        heading=heading,
        badge=badge,
        place=place,
        title=words.labelled(words.text(_("Exercise")), title) if replay else title,
        sentence=sentence,
        rows=tuple(_rows(announcement, words)),
        uses_label=words.text(_("Intended use")),
        uses=words.text(INTENDED_USE),
        prohibited_label=words.text(_("Not to be used for")),
        prohibited=tuple(words.text(use) for use in PROHIBITED_USES),
        caveat=words.text(NOT_A_FACT) if facts.get("fan", {}).get("months") else "",
        link_label=words.text(_("Open this view in the dashboard")),
        link=announcement.link(dashboard_url, words.code),
        picture_alt=_picture_alt(facts, words),
        reference=words.text(_("Reference {id}: a repeat carries the same.")).format(
            id=letter_id or announcement.identity
        ),
        replay=replay,
    )


def with_briefing(message: Message, *, made: bool) -> Message:
    """The same message, saying that the briefing is attached, or that it could not be made."""
    there = _("Attached: the briefing of this release, one page (PDF). It shows alerts that were signed off.")
    missing = _("The one-page briefing could not be made for this mail; the dashboard has it.")
    return replace(message, attached=Language(message.language).text(there if made else missing))


def _place(facts: Facts, words: Language) -> str:
    """The route that an alert is about, else its source's publisher."""
    return subject_name(facts, {str(facts.get("source_id", "")): told_in(facts, words.code)}, words)


def _badge(announcement: Announcement, words: Language) -> tuple[str, str]:
    if not announcement.level:
        return "", ""
    if announcement.is_over:
        text = words.text(_("○ over, was {level}")).format(level=level_name(announcement.level, words))
        return "ended", text
    return announcement.level, f"{LEVEL_MARKS[announcement.level]} {level_name(announcement.level, words)}"


def _sentence(announcement: Announcement, words: Language) -> str:
    facts = announcement.facts
    if announcement.kind == FRESHNESS:
        return _freshness_sentence(facts, words)
    said = alert_sentence(facts, words)
    if announcement.kind == ENDED:
        return words.text(_("The alert no longer stands. It said: {reason}")).format(reason=said)
    if announcement.kind == WITHDRAWN:
        return words.text(_("The alert was dismissed after it had been sent. It said: {reason}")).format(reason=said)
    return said


def _freshness_sentence(facts: Facts, words: Language) -> str:
    before, after = (words.text(names.FRESHNESS.get(str(facts.get(name)), "")) for name in ("before", "after"))
    if not after:
        return str(facts.get("reason", ""))
    if not before:
        return words.text(_("Its figures are now: {after}.")).format(after=after)
    return words.text(_("Its figures were: {before}; they are now: {after}.")).format(before=before, after=after)


def _rows(announcement: Announcement, words: Language) -> list[tuple[str, str]]:
    facts = announcement.facts
    rows = [] if announcement.is_over else [*_figures(facts, words), *_chance(facts, words)]
    if facts.get("last_known"):
        rows.append((words.text(_("Newest figure")), str(facts["last_known"])))
    if announcement.kind != FRESHNESS:
        rows.append((words.text(_("Record of this rule")), _record(facts, words)))
    if facts.get("signed_by"):
        rows.append((words.text(_("Signed off by")), ", ".join(facts["signed_by"])))
    if facts.get("why"):
        rows.append((words.text(_("Reason given")), str(facts["why"])))
    if facts.get("as_of"):
        rows.append((words.text(_("As known on")), words.day(_as_of(facts))))
    return rows


def _figures(facts: Facts, words: Language) -> list[tuple[str, str]]:
    """Arrivals expected in the months concerned; where nothing is forecast, the newest count."""
    ahead = concerned(facts)[:MOST_MONTHS]
    if ahead:
        text = words.text(_("{month}: {median}, most likely {low} to {high}"))
        lines = [
            text.format(
                month=words.month(month),
                median=words.expected(levels[0.5]),
                low=words.expected(levels[0.1]),
                high=words.expected(levels[0.9]),
            )
            for month, levels in ahead
        ]
        return [(words.text(_("Arrivals expected")), "\n".join(lines))]
    if facts.get("history"):
        month, value = facts["history"][-1]
        text = words.text(_("{value} in {month}"))
        return [(words.text(_("Newest count")), text.format(value=words.counted(value), month=words.month(month)))]
    return []


def _chance(facts: Facts, words: Language) -> list[tuple[str, str]]:
    chance, threshold = facts.get("probability"), facts.get("threshold")
    if chance is None:
        return []
    text = f"{words.percent(chance)} ({words.chance_word(chance)})"
    if threshold is not None:
        passing = _("{chance} to pass {threshold} a month, {months}")
        falling = _("{chance} to fall to {threshold} a month, {months}")
        template = words.text(falling if facts.get("rule") in FALLS else passing)
        months = words.months(facts["first_period"], facts["last_period"])
        text = template.format(chance=text, threshold=words.counted(threshold), months=months)
    return [(words.text(_("Chance")), text)]


def _record(facts: Facts, words: Language) -> str:
    record = facts.get("record")
    if record is None:
        return words.text(_("This rule has no track record: it reports what is known, it does not forecast."))
    parts = [_measure(record, "precision", _("right in {share} of its warnings"), words, shares=True)]
    parts.append(_measure(record, "recall", _("warned of {share} of the events"), words, shares=True))
    parts.append(
        _measure(record, "false_alarms_per_route_year", _("{share} warnings in vain per route and year"), words)
    )
    parts.append(_measure(record, "lead_months_median", _("{share} months of notice, median"), words))
    events = words.plural(ngettext("{n} past event", "{n} past events"), record["n_events"])
    where = words.text(_("{events}, all routes")).format(events=events) if record["all_routes"] else events
    return words.listed([part for part in [*parts, where] if part])


def _measure(record: Facts, name: str, template: str, words: Language, *, shares: bool = False) -> str:
    """One measure with its 90 % interval: ``right in 50% (40%–60%) of its warnings``."""
    value, low, high = (record.get(name + suffix) for suffix in ("", "_lo", "_hi"))
    if value is None:
        return ""
    write = words.share if shares else partial(words.decimal, digits=1)
    text = write(value)
    if low is not None and high is not None:
        text += f" ({write(low)}–{write(high)})"
    return words.text(template).format(share=text)


def _picture_alt(facts: Facts, words: Language) -> str:
    ahead = concerned(facts)
    if not ahead or not facts.get("history"):
        return ""
    month, levels = ahead[-1]
    text = words.text(_("Fan chart of arrivals per month: {median} expected in {month}, most likely {low} to {high}."))
    return text.format(
        month=words.month(month),
        median=words.expected(levels[0.5]),
        low=words.expected(levels[0.1]),
        high=words.expected(levels[0.9]),
    )


def _as_of(facts: Facts) -> dt.date:
    return dt.date.fromisoformat(facts["as_of"])
