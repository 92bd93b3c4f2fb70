"""Sending what waits in the outbox. Nothing is lost by a crash: a letter waits until a try is known to have succeeded.

Where a crash falls between sending and recording, the letter is sent again under the same name. Each channel has a
thread of its own and a limit of time, so that one that is dead holds up neither the others nor the night.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from alerts.delivery import ChannelDownError, RefusedError, post_chat, post_webhook, send_mail
from alerts.lifecycle import ANNOUNCED, DELIVERY, NOT_SENT, RAISED, SENT, UPDATED
from core.entry import Entry
from core.errors import InputError, StoreError, VigieError
from core.log import get_logger
from core.settings import FEED, ChatChannel, EmailChannel, Settings
from desk.briefing import Attachments
from desk.decisions import announcing, letters_of, publisher_of
from desk.letters import matter
from desk.open import Desk, open_desk
from desk.publishing import publish_cap, publish_feeds
from reports.messages.announcement import FRESHNESS, Announcement, announcement_of
from reports.messages.content import Message, compose, with_briefing
from reports.messages.layouts import attach_briefing, chat_text, machine_payload, mail
from store.lock import AlreadyRunningError, delivery_lock
from store.outbox import Letter
from store.releases import ReleaseStore

FRESHNESS_DAYS = 7
"""Age beyond which a change of freshness is no longer told."""
_SENDING = "vigie outbox"
"""What a sender holds in a journal that machines share: two would send every letter twice."""


@dataclass
class Report:
    """How a round of sending ended.

    Attributes:
        sent: Letters that were taken.
        failed: Letters that were not, and will be tried again.
        given_up: Letters that will not be tried again.
        waiting: Letters that wait: held back, or after a failure.
        problems: What went wrong, each once.
    """

    sent: int = 0
    failed: int = 0
    given_up: int = 0
    waiting: int = 0
    problems: list[str] = field(default_factory=list)

    def summary(self) -> list[str]:
        """Lines for a person."""
        parts = [f"{self.sent} sent"]
        names = (("failed", "will be tried again"), ("given_up", "given up"), ("waiting", "waiting"))
        parts += [f"{getattr(self, name)} {words}" for name, words in names if getattr(self, name)]
        return [f"messages: {', '.join(parts)}", *(f"not sent: {problem}" for problem in self.problems)]


def send_waiting(desk: Desk, *, wait_seconds: float = 0) -> Report:
    """Send every letter that is due.

    Args:
        desk: The desk.
        wait_seconds: How long to wait for another sender to end.

    Raises:
        AlreadyRunningError: Another process sends on this home folder, or on another machine with the same journal.
        StoreError: The journal or the home folder cannot be read or written.
    """
    with delivery_lock(desk.home, wait_seconds), desk.journal.database.alone(_SENDING, wait_seconds) as is_held:
        if not is_held:
            raise AlreadyRunningError("messages are being sent from another machine")
        _announce_freshness(desk)
        report = _Round(desk).run()
        publish_feeds(desk)
    report.waiting = len(desk.outbox.waiting()) - report.failed
    for problem in report.problems:
        get_logger().warning("not sent", reason=problem)
    return report


def start_sending(home: Path, settings: Settings) -> threading.Thread:
    """Send in the background, after a decision on a page; what fails is logged and tried again by the next round."""

    def work() -> None:
        try:
            with open_desk(home, settings) as desk:
                send_waiting(desk, wait_seconds=settings.delivery.longest_seconds)
        except VigieError as error:
            get_logger().warning("sending stopped", reason=str(error))

    thread = threading.Thread(target=work, name="vigie-delivery", daemon=True)
    thread.start()
    return thread


def next_try(tries: int, at: dt.datetime, first_seconds: float, longest_seconds: float) -> dt.datetime:
    """When to try again: the wait doubles with each failure, up to the longest.

    Args:
        tries: Failures so far, this one included.
        at: When the last one was.
        first_seconds: Wait after the first.
        longest_seconds: Longest wait.
    """
    doublings = min(max(tries, 1) - 1, 40)
    return at + dt.timedelta(seconds=min(first_seconds * 2**doublings, longest_seconds))


def due(waiting: Sequence[Letter], now: dt.datetime) -> dict[str, list[Letter]]:
    """Letters that may be sent now, by channel and in order.

    A letter waits as long as an earlier one about the same alert to the same reader does: nobody hears of an end before
    the beginning.
    """
    found: dict[str, list[Letter]] = {}
    stopped: set[tuple[str, str, str]] = set()
    for letter in waiting:
        thread = (letter.subject, letter.subscription, letter.recipient)
        if not letter.is_due(now):
            stopped.add(thread)
        if thread not in stopped:
            found.setdefault(letter.channel, []).append(letter)
    return found


class _Round:
    """One round: a thread per channel, and one report."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._briefings = Attachments(desk)
        self._report = Report()
        self._lock = threading.Lock()

    def run(self) -> Report:
        limit = time.monotonic() + self._desk.settings.delivery.longest_seconds
        channels = due(self._desk.outbox.waiting(), dt.datetime.now(dt.UTC))
        threads = [
            threading.Thread(target=self._send_all, args=(letters, limit), name=f"vigie-{name}", daemon=True)
            for name, letters in channels.items()
        ]
        for thread in threads:
            thread.start()
        for thread, name in zip(threads, channels, strict=True):
            thread.join(max(0.0, limit - time.monotonic()))
            if thread.is_alive():
                self._note(f"channel {name} takes longer than the time that sending may take")
        with self._lock:
            return self._report

    def _send_all(self, letters: list[Letter], limit: float) -> None:
        """A channel's letters, one after the other, until it is down or the time is over."""
        unsent: set[tuple[str, str]] = set()
        for letter in letters:
            thread = (letter.subject, letter.recipient)
            if time.monotonic() > limit:
                return
            if thread in unsent:
                continue
            try:
                goes_on = self._send_one(letter)
            except VigieError as error:
                self._note(f"{letter.subscription}: {error}")
                return
            if goes_on is None:
                unsent.add(thread)
            elif not goes_on:
                return

    def _send_one(self, letter: Letter) -> bool | None:
        """Send one letter and keep how it went: True if sent, None if refused, False if the channel is down."""
        announcement = self._announcement(letter)
        try:
            self._hand_over(letter, announcement)
        except Exception as error:  # one letter that cannot be written must not hold up those behind it
            return self._not_sent(letter, announcement, error)
        self._desk.outbox.succeeded(letter, dt.datetime.now(dt.UTC), _told(SENT, letter, announcement))
        with self._lock:
            self._report.sent += 1
        return True

    def _not_sent(self, letter: Letter, announcement: Announcement, error: Exception) -> bool | None:
        now, settings = dt.datetime.now(dt.UTC), self._desk.settings.delivery
        text = str(error) if isinstance(error, VigieError) else f"{type(error).__name__}: {error}"
        self._note(f"{letter.subscription}: {text}")
        too_old = now - max(letter.posted_at, letter.not_before) > dt.timedelta(days=settings.give_up_days)
        if too_old or (isinstance(error, RefusedError) and error.permanent):
            self._desk.outbox.gave_up(letter, now, text, _told(NOT_SENT, letter, announcement, text))
            with self._lock:
                self._report.given_up += 1
        else:
            again = next_try(letter.tries + 1, now, settings.first_wait_seconds, settings.longest_wait_seconds)
            self._desk.outbox.failed(letter, now, text, again)
            with self._lock:
                self._report.failed += 1
        return False if isinstance(error, ChannelDownError | InputError) else None

    def _hand_over(self, letter: Letter, announcement: Announcement) -> None:
        settings = self._desk.settings
        if letter.channel == FEED:
            publish_cap(self._desk, announcement)
            return
        channel = settings.delivery.channels.get(letter.channel)
        if channel is None:
            raise InputError(f"there is no channel '{letter.channel}' in settings.toml any more")
        message = compose(announcement, letter.language, settings.dashboard_url, letter.letter_id)
        if isinstance(channel, EmailChannel):
            send_mail(channel, self._mail(letter, announcement, message, channel.sender))
        elif isinstance(channel, ChatChannel):
            post_chat(channel, message.title, chat_text(message), letter.letter_id)
        else:
            post_webhook(channel, machine_payload(message, announcement, letter.letter_id), letter.letter_id)

    def _mail(self, letter: Letter, announcement: Announcement, message: Message, sender: str) -> EmailMessage:
        """The mail with the fan chart and, where an alert is raised, the briefing of its release."""
        briefing = None
        if self._desk.settings.delivery.briefing and announcement.kind in {RAISED, UPDATED}:
            briefing = self._briefings.get(announcement.run_id, message.language)
            message = with_briefing(message, made=briefing is not None)
        out = mail(
            message,
            announcement,
            _picture(announcement, letter.language),
            letter_id=letter.letter_id,
            sender=sender,
            recipient=letter.recipient,
            answers=self._earlier(letter),
        )
        if briefing:
            attach_briefing(out, briefing, announcement)
        return out

    def _announcement(self, letter: Letter) -> Announcement:
        rows = [row for row in self._desk.journal.entries(subject=letter.subject) if row.action == ANNOUNCED]
        return announcement_of(next(row for row in rows if row.id == letter.announcement), rows)

    def _earlier(self, letter: Letter) -> tuple[str, ...]:
        reader = (letter.subscription, letter.recipient)
        return tuple(
            one.letter_id
            for one in self._desk.outbox.letters(letter.subject)
            if (one.subscription, one.recipient) == reader
            and one.announcement < letter.announcement
            and one.outcome == SENT
        )

    def _note(self, problem: str) -> None:
        with self._lock:
            if problem not in self._report.problems:
                self._report.problems.append(problem)


def _picture(announcement: Announcement, language: str) -> bytes | None:
    if announcement.is_over:
        return None
    from reports.messages.picture import fan_picture  # noqa: PLC0415  # matplotlib takes a second to import

    return fan_picture(announcement.facts, language)


def _told(action: str, letter: Letter, announcement: Announcement, reason: str = "") -> Entry:
    payload = {
        "kind": letter.kind,
        "level": announcement.level,
        "matter": matter(announcement.facts),
        "subscription": letter.subscription,
        "channel": letter.channel,
        "letter": letter.letter_id,
    }
    return Entry(DELIVERY, action, letter.subject, announcement.run_id, reason, payload)


def _announce_freshness(desk: Desk) -> None:
    """Turn changes of a source's freshness, which the journal holds, into announcements: each once."""
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=FRESHNESS_DAYS)
    for entry in desk.journal.entries(action=FRESHNESS):
        if entry.at > since and not (entry.payload.get("replay") and not desk.settings.delivery.replays):
            _announce_one(desk, entry)


def _announce_one(desk: Desk, entry: Entry) -> None:
    try:
        publisher = publisher_of(ReleaseStore(desk.home).get(entry.run_id), entry.subject)
    except StoreError:
        # Without its release, which may be gone by now, the source keeps its code.
        publisher = {"publisher": ""}

    def decide(rows: list[Entry]) -> Sequence[Entry]:
        if any(row.action == ANNOUNCED and row.payload.get("of") == entry.id for row in rows):
            return []
        facts = {**publisher, **entry.payload, "source_id": entry.subject, "reason": entry.reason}
        row = announcing(entry.subject, entry.run_id, FRESHNESS, facts)
        return [Entry(row.actor, row.action, row.subject, row.run_id, payload={**row.payload, "of": entry.id})]

    def post(stored: list[Entry], known: list[Letter]) -> list[Letter]:
        return letters_of(desk, stored, known)

    desk.outbox.decide(entry.subject, decide, post)
