"""CAP and Atom for machines, mail and picture for people: valid, the same at every try, safe against odd texts."""

from __future__ import annotations

import datetime as dt
import email.policy
from email import message_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from core.errors import SchemaError
from core.schema import Entry
from reports.messages import (
    ATOM_NAMESPACE,
    atom_feed,
    cap_message,
    cap_name,
    compose,
    mail,
    mail_html,
    mail_text,
    validated,
)
from reports.messages.announcement import announcement_of, message_identity

from .conftest import IDENTITY, Announce

DASHBOARD = "https://vigie.example.org"
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"


def values_of(document: bytes, *names: str) -> list[str | None]:
    root = etree.fromstring(document)
    return [root.findtext(f".//{CAP}{name}") for name in names]


@pytest.mark.parametrize(
    ("kind", "level", "chance", "expected"),
    [
        ("raised", "severe", 0.82, ["Actual", "Alert", "Future", "Severe", "Likely", "Prepare"]),
        ("updated", "warning", 0.4, ["Actual", "Update", "Future", "Moderate", "Possible", "Prepare"]),
        ("ended", "watch", 0.4, ["Actual", "Cancel", "Past", "Minor", "Observed", "AllClear"]),
        ("withdrawn", "watch", None, ["Actual", "Cancel", "Past", "Minor", "Observed", "AllClear"]),
    ],
)
def test_cap_message_is_valid_and_says_same_in_standards_words(
    announce: Announce, kind: str, level: str, chance: float | None, expected: list[str]
) -> None:
    before = (announce(),) if kind != "raised" else ()
    document = cap_message(announce(kind, earlier=before, alert_level=level, probability=chance), "vigie", DASHBOARD)
    names = ("status", "msgType", "urgency", "severity", "certainty", "responseType")
    assert values_of(document, *names) == expected


def test_cap_message_refers_to_those_before_it(announce: Announce) -> None:
    document = cap_message(announce("ended", earlier=(announce(),)), "vigie", DASHBOARD)
    assert values_of(document, "references") == [f"vigie,vigie-{IDENTITY},2025-01-31T12:00:00-00:00"]


def test_first_update_to_machines_is_an_alert(announce: Announce) -> None:
    assert values_of(cap_message(announce("updated"), "vigie", DASHBOARD), "msgType", "references") == ["Alert", None]


@pytest.mark.parametrize(
    ("last_period", "expires"), [("2025-03", "2025-03-31T23:59:59-00:00"), ("2024-12", None), ("2025-01-31", None)]
)
def test_no_cap_message_has_expired_before_it_is_sent(
    announce: Announce, last_period: str, expires: str | None
) -> None:
    document = cap_message(announce(first_period="2024-10", last_period=last_period), "vigie", DASHBOARD)
    assert values_of(document, "expires") == [expires]


def test_cap_message_names_no_person(announce: Announce) -> None:
    assert b"Ada" not in cap_message(announce(), "vigie", DASHBOARD)


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        (b"<status>Actual</status>", b"<status>Real</status>", "status"),
        (b"2025-01-31T12:00:00-00:00", b"2025-01-31T12:00:00Z", "sent"),
        (b"<severity>Severe</severity>", b"", "certainty"),
        (b"</alert>", b"", "not XML"),
    ],
)
def test_message_that_standard_refuses_never_leaves(announce: Announce, before: bytes, after: bytes, rule: str) -> None:
    document = cap_message(announce(), "vigie", DASHBOARD)
    assert before in document
    with pytest.raises(SchemaError, match=rule):
        validated(document.replace(before, after))


@given(text=st.text(max_size=60))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_breaks_message(announce: Announce, text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    odd = announce(reason=text, reason_key="", publisher=text, route_id="_Z", why=text, signed_by=[text])
    cap_message(odd, "vigie", DASHBOARD)
    etree.fromstring(atom_feed([odd], "en", "vigie", DASHBOARD))
    message = compose(odd, "en", DASHBOARD)
    out = mail(message, odd, None, message_id="x", sender="vigie@example.org", recipient="a@example.org")
    back = message_from_bytes(out.as_bytes(), policy=email.policy.default)
    assert back["To"] == "a@example.org"
    assert back["Bcc"] is None


def test_feed_leads_to_view_and_to_cap_message(announce: Announce) -> None:
    root = etree.fromstring(atom_feed([announce(), announce("ended")], "en", "vigie", DASHBOARD))
    entries = root.findall(f"{{{ATOM_NAMESPACE}}}entry")
    assert [entry.find(f"{{{ATOM_NAMESPACE}}}category").get("term") for entry in entries] == ["ended", "raised"]
    links = {link.get("rel"): link.get("href") for link in entries[1].iterfind(f"{{{ATOM_NAMESPACE}}}link")}
    assert links["related"] == cap_name(announce())
    assert links["alternate"].startswith("https://vigie.example.org/alerts?release=run-1")


def test_announcement_keeps_one_name() -> None:
    at = dt.datetime(2025, 1, 31, tzinfo=dt.UTC)
    row = Entry("delivery", "announced", "surge.EMR", "run-1", payload={"kind": "raised", "facts": {}}, id=7, at=at)
    assert announcement_of(row).identity == announcement_of(row).identity
    names = {message_identity(announcement_of(row), *reader) for reader in (("a", "x"), ("a", "y"), ("b", "x"))}
    assert len(names) == 3


def test_line_break_in_name_cannot_add_header(announce: Announce) -> None:
    odd = announce(route_id="_Z", publisher="IOM\r\nBcc: all@example.org")
    message = compose(odd, "en", DASHBOARD)
    out = mail(message, odd, None, message_id="x", sender="vigie@example.org", recipient="a@example.org")
    assert out["Bcc"] is None
    assert "\n" not in out["Subject"]


def test_markup_in_reason_stays_text_in_html(announce: Announce) -> None:
    message = compose(announce(reason="<script>alert(1)</script>", reason_key=""), "en", DASHBOARD)
    assert "<script>" not in mail_html(message)
    assert "&lt;script&gt;" in mail_html(message)
    assert "<script>alert(1)</script>" in mail_text(message)
