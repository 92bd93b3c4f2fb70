"""A French reader's messages are French throughout: mail, chat, feed and CAP, the picture's labels included."""

from __future__ import annotations

import pytest

from reports.messages import atom_feed, cap_message, chat_text, compose, mail, mail_html, mail_text
from reports.messages.announcement import Announcement
from tests.french import english_left

from .conftest import Announce

DASHBOARD = "https://vigie.example.org/"
KINDS = ("raised", "updated", "ended", "withdrawn", "freshness")


def announcement_of(announce: Announce, kind: str) -> Announcement:
    other: dict[str, object] = {}
    if kind == "freshness":
        change = {"source_id": "worldbank_wdi", "publisher": "World Bank", "before": "fresh", "after": "overdue"}
        other = {"changes": [change], "alerts": [], "alert_level": "", "fan": {}, "probability": None}
    return announce(kind, replay=True, **other)


def make(announce: Announce, kind: str) -> list[str]:
    """The message in every layout that a person reads."""
    message = compose(announcement_of(announce, kind), "fr", DASHBOARD)
    return [message.title, mail_text(message), mail_html(message), chat_text(message)]


@pytest.mark.parametrize("kind", KINDS)
def test_no_english_is_left_in_french_message(announce: Announce, kind: str) -> None:
    for text in make(announce, kind):
        joined = " ".join(text.split(" "))
        assert english_left(joined.replace("\n", " ")) == []
    assert english_left(mail_html(compose(announcement_of(announce, kind), "en", DASHBOARD)))


def test_french_mail_is_written_in_french(announce: Announce) -> None:
    message = compose(announce(), "fr", DASHBOARD)
    rows = dict(message.rows)
    assert message.title == "Nouvelle alerte\u202f: Méditerranée orientale (Grave)"
    assert message.sentence == (
        "Probable (82\u202f%)\u202f: au moins 5\u202f000, 1,5\u00a0× la moyenne de 12 mois, "
        "au moins un mois, février–mars 2025."
    )
    assert rows["Arrivées à prévoir"].splitlines()[0] == (
        "février 2025\u202f: 5\u202f500, de 4\u202f300 à 6\u202f700 (intervalle à 80\u202f%)"
    )
    assert rows["État des connaissances au"] == "31 janvier 2025"
    assert "0,9 (0,8–1,0)" in rows["Bilan de cette règle"]
    letter = mail(message, announce(), None, message_id="1", sender="vigie@example.org", recipient="a@example.org")
    assert letter["Content-Language"] == "fr"


def test_machines_get_french_info_and_french_feed(announce: Announce) -> None:
    cap = cap_message(announce(), "vigie.example.org", DASHBOARD).decode()
    assert "<language>fr</language>" in cap
    assert "Nouvelle alerte\u202f: Méditerranée orientale" in cap
    feed = atom_feed([announce()], "fr", "vigie.example.org", DASHBOARD).decode()
    assert english_left(feed) == []
    assert "Vigie\u202f: alertes validées" in feed
