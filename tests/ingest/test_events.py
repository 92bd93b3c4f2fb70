"""Documented rises name their source, and what is bundled about them holds no count."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.routes import ROUTES
from core.settings import SNAPSHOT
from ingest.snapshot import ASYLUM, EVENTS, events, said_on_detections

GOOD = """
[[event]]
event_id = "place-2020"
route_id = "CMR"
month = "2020-10"
title = "A place"
what = "Many people arrived, a paper wrote."
source = "A paper"
url = "https://example.org/a"
"""


def test_bundled_catalogue_names_six_rises_from_public_sources() -> None:
    found = {card.event_id: card for card in events(SNAPSHOT)}
    expected = {"lampedusa-2011", "aegean-2015", "canaries-2020", "belarus-2021", "lampedusa-2023", "canaries-2023"}
    assert expected <= set(found)
    assert len(found) == len(events(SNAPSHOT))
    assert {card.route_id for card in found.values()} <= {*ROUTES, ASYLUM}
    assert all(card.url.startswith("https://") for card in found.values())
    assert all(card.event_id.endswith(card.month[:4]) for card in found.values())


def test_detections_give_no_published_count() -> None:
    said = said_on_detections(SNAPSHOT)
    assert set(said["event_id"]) <= {card.event_id for card in events(SNAPSHOT)}
    assert said[["chance", "cutoff"]].to_numpy().max() <= 1
    assert set(said["came"].dropna()) <= {0.0, 1.0}
    assert set(said["level"]) <= {"", "watch", "warning", "severe"}
    assert (said["horizon"] <= 6).all()


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ('month = "2020-10"', 'month = "2020-13"', "month"),
        ('url = "https://example.org/a"', 'url = "a paper"', "url"),
        ("[[event]]", "[[event", "not readable"),
    ],
)
def test_broken_entry_is_refused_and_its_field_named(tmp_path: Path, before: str, after: str, named: str) -> None:
    (tmp_path / EVENTS).write_text(GOOD.replace(before, after), encoding="utf-8")
    with pytest.raises(InputError, match=named):
        events(tmp_path)
