"""What a message says: figure, chance, record, uses and link, whatever kind it is."""

from __future__ import annotations

import gettext

import pytest

from core import languages
from core.languages import Language
from reports.messages import compose

from .conftest import Announce

DASHBOARD = "https://vigie.example.org/"


def test_message_lists_months_of_alert_up_to_half_year(announce: Announce) -> None:
    months = [f"2025-{month:02}" for month in range(1, 13)]
    fan = {"months": months, "levels": {str(level): [4000.0] * 12 for level in (0.1, 0.5, 0.9)}}
    for last, listed in (("2025-07", 6), ("2025-12", 6), ("2025-06", 5)):
        rows = dict(compose(announce(fan=fan, last_period=last), "en", DASHBOARD).rows)
        lines = rows["Arrivals expected"].splitlines()
        assert len(lines) == listed
        assert lines[0].startswith("February 2025")


def test_alert_without_forecast_gives_newest_count(announce: Announce) -> None:
    fan: dict[str, object] = {"months": [], "levels": {}}
    message = compose(announce(fan=fan, probability=None, threshold=None, record=None, horizon=0), "en", DASHBOARD)
    rows = dict(message.rows)
    assert rows["Newest count"] == "4,321 in December 2024 (4,000 expected on 30 Nov 2024)"
    assert rows["Record of this rule"] == "reports what is known: no track record"
    assert (message.caveat, message.picture_alt) == ("", "")


@pytest.mark.parametrize(
    ("share", "text"), [(0.001, "below 1%"), (0.01, "1%"), (0.325, "33%"), (0.99, "99%"), (0.999, "above 99%")]
)
def test_chance_never_claims_certainty(share: float, text: str) -> None:
    assert Language("en").percent(share) == text


def test_every_text_of_message_passes_through_readers_catalogue(
    announce: Announce, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Marked(gettext.NullTranslations):
        def gettext(self, message: str) -> str:
            return f"«{message}»"

        def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
            return f"«{msgid1 if n == 1 else msgid2}»"

    monkeypatch.setattr(languages, "languages", lambda: ("en", "fr"))
    monkeypatch.setattr(languages, "catalogue", lambda _code: Marked())
    message = compose(announce(), "fr", DASHBOARD)
    texts = [
        message.heading, message.badge, message.place, message.title, message.sentence, message.uses_label,
        message.uses, message.prohibited_label, *message.prohibited, message.caveat, message.link_label,
        message.picture_alt,
        message.reference, *(label for label, _value in message.rows),
    ]  # fmt: skip
    assert [text for text in texts if "«" not in text] == [message.place], "names of routes stand in their own files"
    assert "février 2025" in dict(message.rows)["««arrivals» expected»"]
    assert "lang=fr" in message.link
