"""What a message says: figure, chance, record, uses and link, whatever kind it is."""

from __future__ import annotations

import gettext

import pytest

from core import languages
from core.about import INTENDED_USE, PROHIBITED_USES
from core.languages import Language
from reports.alert import alert_report
from reports.messages import compose

from .conftest import Announce

DASHBOARD = "https://vigie.example.org/"


def test_a_raised_alert_states_figure_chance_record_uses_and_link(announce: Announce) -> None:
    message = compose(announce(), "en", DASHBOARD)
    rows = dict(message.rows)
    assert rows["Arrivals expected"].splitlines() == [
        "February 2025: 5,500, most likely 4,300 to 6,700",
        "March 2025: 5,500, most likely 4,300 to 6,700",
    ]
    assert rows["Chance"] == "82% (likely) to reach 5,000 a month, February–March 2025"
    assert rows["Record of this rule"] == (
        "right 6 times in 10, all routes; right in 60% (50%–70%) of its warnings; warned of 40% of the events; "
        "0.9 (0.8–1.0) false alarms per route "
        "per year; 27 past events, all routes"
    )
    assert rows["Signed off by"] == "Ada, Ben"
    assert (
        message.sentence == "Likely (82%) to reach 5,000, 1.5× the 12-month mean, in any month of February–March 2025."
    )
    assert (message.uses, message.prohibited) == (INTENDED_USE, PROHIBITED_USES)
    assert message.link == "https://vigie.example.org/alerts?release=run-1&lang=en&alert=surge.EMR.2025-01-31"
    assert message.title == "New alert: Eastern Mediterranean (Severe)"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("ended", "The alert no longer stands. It said: Likely (82%)"),
        ("withdrawn", "The alert was dismissed after it had been sent. It said: Likely (82%)"),
    ],
)
def test_what_is_over_says_so_and_gives_no_figures_as_if_they_held(announce: Announce, kind: str, said: str) -> None:
    message = compose(announce(kind, why="counted twice"), "en", DASHBOARD)
    assert message.sentence.startswith(said)
    assert message.badge == "○ Ended, was Severe"
    assert "Chance" not in dict(message.rows)
    assert dict(message.rows)["Reason given"] == "counted twice"


def test_the_link_of_an_ended_alert_opens_it_among_the_ended_ones(announce: Announce) -> None:
    assert "alert=surge.EMR.2025-01-31%3Aended" in compose(announce("ended"), "en", DASHBOARD).link


def test_a_message_lists_the_months_of_an_alert_up_to_half_a_year(announce: Announce) -> None:
    months = [f"2025-{month:02}" for month in range(1, 13)]
    fan = {"months": months, "levels": {str(level): [4000.0] * 12 for level in (0.1, 0.5, 0.9)}}
    for last, listed in (("2025-07", 6), ("2025-12", 6), ("2025-06", 5)):
        rows = dict(compose(announce(fan=fan, last_period=last), "en", DASHBOARD).rows)
        lines = rows["Arrivals expected"].splitlines()
        assert len(lines) == listed
        assert lines[0].startswith("February 2025")


def test_an_alert_without_forecast_gives_the_newest_count_and_says_that_there_is_no_record(announce: Announce) -> None:
    fan: dict[str, object] = {"months": [], "levels": {}}
    message = compose(announce(fan=fan, probability=None, threshold=None, record=None, horizon=0), "en", DASHBOARD)
    rows = dict(message.rows)
    assert rows["Newest count"] == "4,321 in December 2024"
    assert rows["Record of this rule"] == "reports what is known: no track record"
    assert (message.caveat, message.picture_alt) == ("", "")


def test_a_replay_says_first_that_nothing_is_happening_now(announce: Announce) -> None:
    message = compose(announce(replay=True), "en", DASHBOARD)
    assert message.title.startswith("Exercise: ")
    assert "repeats what was known on 31 January 2025" in message.replay


def test_a_rule_about_low_counts_speaks_of_a_fall(announce: Announce) -> None:
    chance = dict(compose(announce(rule="fall"), "en", DASHBOARD).rows)["Chance"]
    assert chance == "82% (likely) to fall to 5,000 or fewer a month, February–March 2025"


def test_a_nationality_is_named_in_the_readers_language(announce: Announce) -> None:
    params = '{"citizen": "SYR", "share": 0.41, "share_before": 0.2}'
    facts = announce(reason_key="nationality_shift", reason_params=params).facts
    assert (
        alert_report(facts, None, Language("en")).sentence
        == "Syria: 41% of the last three months’ arrivals, 20% before."
    )


def test_a_rule_that_this_version_does_not_know_keeps_the_sentence_of_its_release(announce: Announce) -> None:
    message = compose(announce(reason_key="new rule", reason="Something new."), "en", DASHBOARD)
    assert message.sentence == "Something new."


@pytest.mark.parametrize(
    ("share", "text"), [(0.001, "below 1%"), (0.01, "1%"), (0.325, "33%"), (0.99, "99%"), (0.999, "above 99%")]
)
def test_a_chance_never_claims_certainty(share: float, text: str) -> None:
    assert Language("en").percent(share) == text


def test_every_text_of_a_message_passes_through_the_readers_catalogue(
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
    assert [text for text in texts if "«" not in text] == []
    assert "février 2025" in dict(message.rows)["«Arrivals expected»"]
    assert "lang=fr" in message.link
