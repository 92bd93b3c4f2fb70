"""Which letters an announcement needs: pure functions of subscriptions, earlier letters and time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from alerts.lifecycle import RAISED, UPDATED
from core.languages import DEFAULT_LANGUAGE
from core.settings import FEED, DeliverySettings
from reports.messages.announcement import FRESHNESS, Announcement, letter_identity
from store.outbox import DROPPED, GIVEN_UP, Letter

Reader = tuple[str, str, str, str]
"""Subscription, channel, recipient, language."""


def letters_for(
    announcement: Announcement,
    number: int,
    settings: DeliverySettings,
    known: Sequence[Letter],
    silent_until: dt.datetime | None = None,
) -> list[Letter]:
    """The letters to post, and earlier ones that are not to be sent any more (with the outcome ``dropped``).

    A raised alert goes to whoever subscribes to it; its end goes to whoever got it.

    Args:
        announcement: What is said.
        number: ``id`` of its journal row.
        settings: Channels and subscriptions.
        known: Earlier letters about the same alert.
        silent_until: End of the silence over its matter, if there is one.
    """
    now = announcement.at
    held = [letter for letter in known if _is_held(letter, now)]
    dropped = [
        replace(letter, outcome=DROPPED, error="overtaken while it was held back", posted_at=now) for letter in held
    ]
    readers = _who_got_it(known, held) if announcement.is_over else _subscribers(announcement, settings)
    not_before = max(now, silent_until or now) if announcement.kind in {RAISED, UPDATED} else now
    return dropped + [_letter(announcement, number, reader, not_before) for reader in readers]


def matter(facts: Mapping[str, Any]) -> str:
    """What silence holds for: the rule and its place, whatever the alert's name."""
    return "|".join(str(facts.get(name, "")) for name in ("rule", "route_id", "source_id"))


def _is_held(letter: Letter, now: dt.datetime) -> bool:
    return not letter.is_final and letter.tries == 0 and not letter.is_due(now)


def _who_got_it(known: Sequence[Letter], held: Sequence[Letter]) -> Iterator[Reader]:
    """Readers who were told, or will be as soon as their channel works again."""
    told = [
        (letter.subscription, letter.channel, letter.recipient, letter.language)
        for letter in known
        if letter.kind in {RAISED, UPDATED} and letter.outcome not in {DROPPED, GIVEN_UP} and letter not in held
    ]
    yield from dict.fromkeys(told)


def _subscribers(announcement: Announcement, settings: DeliverySettings) -> Iterator[Reader]:
    if announcement.kind != FRESHNESS:
        yield FEED, FEED, "", DEFAULT_LANGUAGE
    route_id = str(announcement.facts.get("route_id", ""))
    for one in settings.subscriptions:
        if one.wants(announcement.kind, announcement.level, route_id):
            for recipient in dict.fromkeys(one.to or [""]):
                yield one.name, one.channel, recipient, one.language


def _letter(announcement: Announcement, number: int, reader: Reader, not_before: dt.datetime) -> Letter:
    subscription, channel, recipient, language = reader
    return Letter(
        letter_id=letter_identity(announcement, subscription, recipient),
        announcement=number,
        subject=announcement.subject,
        kind=announcement.kind,
        subscription=subscription,
        channel=channel,
        recipient=recipient,
        language=language,
        not_before=not_before,
        posted_at=announcement.at,
    )
