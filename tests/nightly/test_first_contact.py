"""First contact: each publisher is asked once, and what failed is told with what to do about it."""

from __future__ import annotations

import json

import pytest

from core.errors import InputError
from core.settings import Settings
from nightly.first_contact import check_sources
from tests.ingest.live.layouts import LAYOUTS
from tests.ingest.live.publisher import Publisher, Reply

QUICK = {"attempts": 1, "first_wait_seconds": 0, "read_seconds": 2, "total_seconds": 5}
NAMES = ("noaa_enso", "fao_ffpi", "italy_interior")


def settings_for(publisher: Publisher) -> Settings:
    return Settings.model_validate({"live": {**QUICK, "sources": {name: LAYOUTS[name](publisher) for name in NAMES}}})


def test_what_answers_as_it_did_is_ok_with_its_newest_period(publisher: Publisher) -> None:
    found = {one.source_id: one for one in check_sources(settings_for(publisher), NAMES, live=True)}
    assert {name: one.state for name, one in found.items()} == dict.fromkeys(NAMES, "ok")
    assert all(one.rows and one.newest and not one.todo for one in found.values())


def test_each_kind_of_failure_says_what_to_do(publisher: Publisher) -> None:
    chosen = settings_for(publisher)
    publisher.serve("/data/oni.ascii.txt", Reply(b"", 403))
    publisher.serve("/main/nazionalita.csv", Reply(b"", 404))
    publisher.serve("/foodpricesindex/en/", Reply(b"<html>rebuilt</html>"))
    found = {one.source_id: one for one in check_sources(chosen, NAMES, live=True)}
    assert {name: (one.state, one.todo.split(":")[0]) for name, one in found.items()} == {
        "noaa_enso": ("not reachable", "the publisher refuses this agent"),
        "italy_interior": ("in part", "the address moved"),
        "fao_ffpi": ("not recognised", "the layout changed"),
    }
    assert all(one.failed for one in found.values())


def test_the_report_holds_what_a_maintainer_needs_and_no_cookie(publisher: Publisher) -> None:
    chosen = settings_for(publisher)
    publisher.serve("/data/oni.ascii.txt", Reply(b"nothing of it", headers={"Set-Cookie": "session=1"}))
    (one,) = check_sources(chosen, ("noaa_enso",), live=True)
    (answer,) = one.report()["answers"]
    assert (answer["status"], answer["first"]) == (200, "nothing of it")
    assert "session" not in json.dumps(one.report())


def test_nobody_is_asked_without_live_and_an_unknown_source_is_named(publisher: Publisher) -> None:
    found = check_sources(settings_for(publisher), NAMES, live=False)
    assert {one.state for one in found} == {"not asked"}
    assert publisher.asked == []
    with pytest.raises(InputError, match="unknown source 'nobody'"):
        check_sources(Settings.model_validate({}), ("nobody",), live=False)
