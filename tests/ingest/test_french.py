"""What readers see of the catalogue of sources and of the register stands there in French too."""

from __future__ import annotations

import pytest

from core.settings import SNAPSHOT
from ingest.catalogue import SourceCard, sources
from ingest.events import events
from ingest.known_issues import KnownIssue, known_issues

CARDS = list(sources(SNAPSHOT).values())
READ = ("publisher", "dataset", "licence", "rhythm", "known_issues")


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.source_id)
def test_every_text_of_a_source_has_its_french_twin(card: SourceCard) -> None:
    fields = card.model_dump()
    assert [name for name in READ if bool(fields[name]) != bool(fields[f"{name}_fr"])] == []
    assert len(card.known_issues) == len(card.known_issues_fr)
    # Repositories and their hashes are the same in every language.
    assert card.came_through_fr or not card.came_through or card.came_through.startswith("github.com/")


@pytest.mark.parametrize("issue", known_issues(SNAPSHOT), ids=lambda issue: issue.id)
def test_every_known_issue_is_told_in_french(issue: KnownIssue) -> None:
    assert issue.told_in("fr").what == issue.what_fr != ""
    assert issue.told_in("en") == issue


def test_a_card_in_french_keeps_its_citation_and_addresses() -> None:
    card = sources(SNAPSHOT)["ecb"]
    told = card.told_in("fr")
    assert (told.publisher, told.citation, told.url) == ("Banque centrale européenne", card.citation, card.url)


def test_every_documented_rise_is_told_in_french() -> None:
    assert all(event.title_fr != event.title and event.what_fr != event.what for event in events(SNAPSHOT))
