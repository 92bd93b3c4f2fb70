"""The life of alerts through three nights: every row of the journal and every mail is the golden one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from access import Actor
from alerts.lifecycle import ACKNOWLEDGED, COMMENTED, DISMISSED, SIGNED_OFF
from core.schema import Entry
from decisions import Workflow
from decisions.actions import Step, act, record_night
from decisions.health import read_health
from decisions.sending import send_waiting
from store.releases import Release
from tests.golden import NAMES_OF_THE_RUN, check_golden
from tests.receivers import Mailbox

from .conftest import ALERT, SEVERE, OpenDesk, Publish

GOLDEN = Path(__file__).with_name("golden")
OF_THE_RUN = re.compile(
    NAMES_OF_THE_RUN + r"|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\d{4}-\d\d-\d\dT[\d:.]+[+Z][\d:]*"
)


def entries(desk: Workflow) -> Iterator[str]:
    for one in desk.journal.entries():
        yield OF_THE_RUN.sub("#", f"{row_of(one)} {json.dumps(one.payload, sort_keys=True, default=str)}")


def row_of(one: Entry) -> str:
    return f"{one.actor} {one.action} {one.subject} {one.reason!r}"


def mails(mailbox: Mailbox) -> Iterator[str]:
    for one in sorted(mailbox.mails, key=lambda mail: str(mail["Subject"])):
        yield f"{one['To']} {one['Subject']} {[part.get_content_type() for part in one.walk()]}"
        yield OF_THE_RUN.sub("#", text_of(one))


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return "" if body is None else str(body.get_content())


def test_three_nights_of_alerts_are_golden(
    desk: OpenDesk, publish: Publish, mailbox: Mailbox, mail_settings: dict[str, Any], tmp_path: Path
) -> None:
    opened = desk(**mail_settings, briefing=False)
    said = []

    def step(release: Release, alert_id: str, who: str, action: str, why: str) -> None:
        outcome = act(opened, release, alert_id, Step(Actor(who), action, why))
        state = outcome.state
        said.append(f"{who} {action} {alert_id}: {state.status} {state.level} {state.version} {outcome.announced}")

    first = publish()
    record_night(opened, first)
    step(first, ALERT, "Ada", COMMENTED, "the ferry is late")
    step(first, ALERT, "Ada", SIGNED_OFF, "beds are ready")
    step(first, SEVERE, "Ada", SIGNED_OFF, "I agree")
    step(first, SEVERE, "Ben", SIGNED_OFF, "I agree too")
    said += send_waiting(opened).summary()
    step(first, ALERT, "Cleo", ACKNOWLEDGED, "known")
    second = publish({ALERT: "severe", SEVERE: "severe"}, unjudged="2025-01-31")
    record_night(opened, second)
    said += send_waiting(opened).summary()
    step(second, SEVERE, "Ben", DISMISSED, "counted twice")
    record_night(opened, publish({}, ended=(ALERT,)))
    said += send_waiting(opened).summary()
    health = read_health(tmp_path)
    said.append(f"{health.status} {health.alerts} {health.routes} {health.sources}")
    check_golden(GOLDEN / "course.txt", [OF_THE_RUN.sub("#", line) for line in said])
    check_golden(GOLDEN / "journal.txt", sorted(entries(opened)))  # channels are served side by side
    check_golden(GOLDEN / "mails.txt", mails(mailbox))
