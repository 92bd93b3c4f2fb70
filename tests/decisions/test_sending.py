"""Sending: real servers on loopback, nothing lost, repeats under the same name, dead channels block no other."""

from __future__ import annotations

import datetime as dt
import io
import socket
import threading
import time
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pypdf import PdfReader

from access import Actor
from alerts.lifecycle import ANNOUNCED, SENT, SIGNED_OFF
from core.errors import InputError
from core.schema import Entry
from core.settings import Settings
from decisions import Workflow, announcements, open_workflow, sending
from decisions.actions import Step, act, record_night
from decisions.sending import ChannelDownError, RefusedError, next_attempt, send_waiting
from reports.messages import validated
from reports.messages.announcement import FRESHNESS
from store.journal import Outbox, OutboxMessage
from tests.receivers import Mailbox

from .conftest import ALERT, ENDED, SEVERE, OpenDesk, Publish

Delivery = dict[str, Any]
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(autouse=True)
def without_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures and briefings take longer to draw than everything else; few tests look at them."""
    if "fan_chart" not in request.node.name:
        monkeypatch.setattr(sending, "_picture", lambda _announcement, _language: None)
    if "briefing" not in request.node.name:
        monkeypatch.setattr(announcements, "briefing_of", lambda *_given, **_more: b"%PDF")


def sign(desk: Workflow, publish: Publish) -> None:
    act(desk, publish(), ALERT, Step(Actor("Ada"), SIGNED_OFF, "beds are ready"))


def test_mail_has_text_html_and_fan_chart_and_says_what_it_must(
    desk: OpenDesk, publish: Publish, mailbox: Mailbox, mail_settings: Delivery
) -> None:
    opened = desk(**mail_settings)
    sign(opened, publish)
    assert send_waiting(opened).summary() == ["messages: 2 sent"]
    (mail,) = mailbox.mails
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
        "application/pdf",
    ]  # fmt: skip
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]  # both are there, as the line before shows
    picture = list(mail.walk())[-2]
    assert picture.get_payload(decode=True)[:8] == b"\x89PNG\r\n\x1a\n"  # type: ignore[index]  # a leaf's payload is bytes
    assert f"cid:{picture['Content-ID'].strip('<>')}" in html
    for said in (
        "February 2025: 5,200, 80% interval 4,400 to 6,000",
        "62% chance that arrivals reach 5,000 in any month of February–March 2025",
        "right in 60% (50%–70%) of its warnings",
        "27 past events, all routes",
        "Ada",
        "Made for planning reception",
        "profiling, or any decision about a person",
    ):
        assert said in " ".join(text.split())
        assert said in " ".join(html.split())
    link = f"http://127.0.0.1:8501/alerts?release={opened.journal.entries(action=ANNOUNCED)[0].run_id}&lang=en&alert={ALERT}"
    assert link in text
    assert link.replace("&", "&amp;") in html
    assert mail["Subject"] == "[Vigie] New alert: Eastern Mediterranean (Warning)"


def attachments(mail: EmailMessage) -> list[tuple[str | None, bytes]]:
    return [(part.get_filename(), part.get_content()) for part in mail.iter_attachments()]


def words_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


@pytest.mark.slow
def test_alert_mail_carries_briefing_in_language(
    desk: OpenDesk, publish: Publish, mailbox: Mailbox, mail_settings: Delivery
) -> None:
    mail_settings["subscriptions"][0]["language"] = "fr"
    sign(opened := desk(**mail_settings), publish)
    send_waiting(opened)
    ((name, document),) = attachments(mailbox.mails[0])
    assert (name, mailbox.mails[0]["Content-Language"]) == ("vigie-2025-01-31-fr.pdf", "fr")
    text = " ".join(PdfReader(io.BytesIO(document)).pages[0].extract_text().split())
    assert "Note de synthèse" in text and "Méditerranée orientale" in text
    # Signed off is the one on the Eastern Mediterranean alone; the severe one on the Central waits for two people.
    assert "Alertes : Méditerranée orientale (Avertissement)." in text
    assert "Pièce jointe" in words_of(mailbox.mails[0])


def test_what_was_sent_is_recorded_and_not_sent_again(
    desk: OpenDesk, publish: Publish, mailbox: Mailbox, mail_settings: Delivery
) -> None:
    opened = desk(**mail_settings)
    sign(opened, publish)
    send_waiting(opened)
    send_waiting(opened)
    assert len(mailbox.mails) == 1
    rows = opened.journal.entries(action=SENT)
    assert sorted(row.payload["subscription"] for row in rows) == ["desk", "published"]
    assert {row.payload["matter"] for row in rows} == {"surge|EMR|"}


def test_crash_after_sending_repeats_same_message_id(
    desk: OpenDesk, publish: Publish, mailbox: Mailbox, mail_settings: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = desk(**mail_settings)
    sign(opened, publish)

    class PowerCutError(InputError):
        pass

    def cut(*_arguments: object) -> None:
        raise PowerCutError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "finish", cut)
        send_waiting(opened)
    send_waiting(opened)
    first, second = mailbox.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]
    assert len(opened.journal.entries(action=SENT)) == 2


def test_end_is_reply_to_mail_that_raised_it(
    desk: OpenDesk, publish: Publish, mailbox: Mailbox, mail_settings: Delivery
) -> None:
    opened = desk(**mail_settings)
    sign(opened, publish)
    send_waiting(opened)
    record_night(opened, publish({SEVERE: "severe"}, ended=(ALERT,)))
    send_waiting(opened)
    raised, ended = mailbox.mails
    assert ended["In-Reply-To"] == raised["Message-ID"]
    assert ended["Subject"] == "[Vigie] Alert ended: Eastern Mediterranean (Warning)"
    assert "no longer stands" in ended.get_body(("plain",)).get_content()  # type: ignore[union-attr]  # every mail has a text


def test_dead_channel_holds_up_neither_others_nor_caller(
    desk: OpenDesk, publish: Publish, mailbox: Mailbox, mail_settings: Delivery, closed_port: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mail_settings["channels"]["mute"] = {
            "kind": "webhook", "url": f"http://127.0.0.1:{silent.getsockname()[1]}/", "seconds": 120,
        }  # fmt: skip
        mail_settings["channels"]["gone"] = {"kind": "webhook", "url": f"http://127.0.0.1:{closed_port}/"}
        mail_settings["subscriptions"] += [{"name": name, "channel": name} for name in ("mute", "gone")]
        opened = desk(**mail_settings, longest_seconds=2)
        sign(opened, publish)
        begun = time.monotonic()
        report = send_waiting(opened)
        assert time.monotonic() - begun < 100
    for thread in threading.enumerate():  # on a loaded machine the others too may still be sending
        if thread.name.startswith("vigie-"):
            thread.join()
    assert len(mailbox.mails) == 1
    assert "channel mute takes longer than the time that sending may take" in report.problems
    assert "gone: webhook 127.0.0.1: ConnectError" in report.problems


def test_feed_leads_to_valid_cap_messages(desk: OpenDesk, publish: Publish, tmp_path: Path) -> None:
    opened = desk()
    sign(opened, publish)
    send_waiting(opened)
    record_night(opened, publish({}, ended=(ALERT,)))
    send_waiting(opened)
    folder = tmp_path / "published"
    feed = etree.fromstring((folder / "alerts.atom").read_bytes())
    links = [link.get("href") for link in feed.iterfind(f"{ATOM}entry/{ATOM}link[@rel='related']")]
    documents = [etree.fromstring(validated((folder / link).read_bytes())) for link in links]
    kinds = [document.findtext("{*}msgType") for document in documents]
    assert kinds == ["Cancel", "Alert"]
    sender, identifier, sent = (documents[1].findtext(f"{{*}}{name}") for name in ("sender", "identifier", "sent"))
    assert documents[0].findtext("{*}references") == f"{sender},{identifier},{sent}"
    assert "Ada" not in (folder / "alerts.atom").read_text(encoding="utf-8")


def test_freshness_change_is_sent_once(desk: OpenDesk, mailbox: Mailbox, mail_settings: Delivery) -> None:
    mail_settings["subscriptions"][0]["events"] = ["freshness"]
    opened = desk(**mail_settings)
    payload = {"before": "fresh", "after": "overdue", "publisher": "IOM"}
    opened.journal.record(Entry("nightly", "freshness", "iom_dtm", payload=payload))
    send_waiting(opened)
    send_waiting(opened)
    (mail,) = mailbox.mails
    assert mail["Subject"] == "[Vigie] State of the figures: 1 source later or on time again"
    assert "IOM\r\n  Its figures were: Fresh; they are now: Overdue." in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]  # every mail has a text


def test_unjudgeable_night_sends_one_digest(
    desk: OpenDesk, publish: Publish, mailbox: Mailbox, mail_settings: Delivery, tmp_path: Path
) -> None:
    opened, release = desk(**mail_settings), publish({ALERT: "warning", ENDED: "warning"})
    for alert_id in (ALERT, ENDED):
        act(opened, release, alert_id, Step(Actor("Ada"), SIGNED_OFF, "agreed"))
    send_waiting(opened)
    mailbox.mails.clear()
    blind = publish({ALERT: "warning", ENDED: "warning"}, unjudged="2025-01-31")
    record_night(opened, blind)
    for source_id in ("iom_dtm", "unhcr_odp", "ucdp"):
        payload = {"before": "fresh", "after": "overdue"}
        opened.journal.record(Entry("nightly", "freshness", source_id, blind.run_id, payload=payload))
    send_waiting(opened)
    send_waiting(opened)
    (mail,) = mailbox.mails
    assert mail["Subject"] == "[Vigie] State of the figures: 2 alerts cannot be judged"
    body = mail.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert text.count("Cannot be judged since") == 2
    assert "no longer stands" not in text
    documents = [etree.parse(path).getroot() for path in (tmp_path / "published" / "cap").iterdir()]
    assert sorted(str(one.findtext("{*}msgType")) for one in documents) == ["Alert", "Alert", "Update", "Update"]


@pytest.mark.parametrize(("replays", "sent"), [(False, 0), (True, 1)])
def test_replayed_freshness_change_needs_replays_on(
    desk: OpenDesk, mailbox: Mailbox, mail_settings: Delivery, *, replays: bool, sent: int
) -> None:
    mail_settings["subscriptions"][0]["events"] = ["freshness"]
    opened = desk(**mail_settings, replays=replays)
    payload = {"before": "fresh", "after": "overdue", "publisher": "IOM", "replay": True, "as_of": "2024-06-30"}
    opened.journal.record(Entry("nightly", "freshness", "iom_dtm", payload=payload))
    send_waiting(opened)
    assert len(mailbox.mails) == sent


@pytest.mark.parametrize(("hours", "is_told"), [(0, True), (7 * 24 - 1, True), (7 * 24 + 1, False)])
def test_news_of_night_is_announced_for_week_and_then_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int, *, is_told: bool
) -> None:
    announced: list[str] = []
    monkeypatch.setattr(announcements, "_announce_digest", lambda _workflow, run_id, _entries: announced.append(run_id))
    with open_workflow(tmp_path, Settings()) as workflow:
        with monkeypatch.context() as then:
            then.setattr("store.journal.now", lambda: dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours))
            workflow.journal.record(Entry("vigie", FRESHNESS, "a_ministry", "a night", payload={}))
        announcements.announce_digests(workflow)
    assert announced == (["a night"] if is_told else [])


@pytest.mark.parametrize(
    ("error", "tried", "counts"),
    [
        (None, ["first", "again", "other"], (3, 0, 0)),
        (ValueError("cannot be written"), ["first", "other"], (1, 1, 0)),
        (RefusedError("later", permanent=False), ["first", "other"], (1, 1, 0)),
        (RefusedError("never", permanent=True), ["first", "other"], (1, 0, 1)),
        (ChannelDownError("no line"), ["first"], (0, 1, 0)),
        (InputError("no password"), ["first"], (0, 1, 0)),
    ],
)
def test_refusal_stops_its_thread_only(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None, tried: list[str], counts: tuple[int, int, int]
) -> None:
    handed: list[str] = []

    def hand_over(message: OutboxMessage, _announcement: object) -> None:
        handed.append(message.message_id)
        if error and message.message_id == "first":
            raise error

    opened = SimpleNamespace(settings=Settings(), outbox=Mock())
    monkeypatch.setattr(sending, "Attachments", Mock())
    monkeypatch.setattr(sending, "_delivery_row", Mock())
    one = sending._Round(cast(Workflow, opened))
    monkeypatch.setattr(one, "_announcement", Mock())
    monkeypatch.setattr(one, "_hand_over", hand_over)
    now = dt.datetime.now(dt.UTC)
    names = {"first": "EMR", "again": "EMR", "other": "WMR"}
    letters = [
        OutboxMessage(name, 1, subject, "raised", "duty", "mail", "a@example.org", "en", now, now, attempts=3)
        for name, subject in names.items()
    ]
    one._send_all(letters, time.monotonic() - 1)
    assert handed == [], "the time is over"
    one._send_all(letters, time.monotonic() + 60)
    assert handed == tried
    assert tuple(map(one._ended.count, ("sent", "failed", "given up"))) == counts
    waits = [
        again - failed for _message, failed, _text, again in (call.args for call in opened.outbox.failed.mock_calls)
    ]
    assert waits == [dt.timedelta(minutes=8)] * counts[1], "the fourth wait"


def test_recipient_who_left_settings_gets_nothing(
    desk: OpenDesk, publish: Publish, mailbox: Mailbox, mail_settings: Delivery
) -> None:
    sign(opened := desk(**mail_settings), publish)
    (subscription,) = opened.settings.delivery.subscriptions
    delivery = opened.settings.delivery.model_copy(
        update={"subscriptions": [subscription.model_copy(update={"to": ["other@example.org"]})]}
    )
    changed = replace(opened, settings=opened.settings.model_copy(update={"delivery": delivery}))
    report = send_waiting(changed)
    assert (mailbox.mails, report.given_up) == ([], 1)
    assert "no such recipient" in " ".join(report.problems)
    (line,) = sending.Report(sent=1, waiting=3, failing=2).summary()
    assert line == "messages: 1 sent, 3 waiting (2 after an attempt that failed: 'vigie outbox')"


@given(st.integers(1, 40), st.floats(0, 1e4), st.floats(0, 1e6))
def test_waits_double_up_to_the_longest(tries: int, first: float, longest: float) -> None:
    now = dt.datetime(2025, 1, 31, tzinfo=dt.UTC)
    waits = [(next_attempt(place, now, first, longest) - now).total_seconds() for place in (1, tries, tries + 1, 5000)]
    assert waits[0] == pytest.approx(min(first, longest), abs=1e-6)
    assert waits[2] == pytest.approx(min(2 * waits[1], longest), abs=1e-5)
    assert waits[2] <= waits[3] <= longest + 1e-6
