"""Every fault that was met or must be feared, put in the place of an answer of every source that can be asked."""

from __future__ import annotations

import pytest

from benchmarks.damaged_files import figures_of
from core.errors import SourceError
from core.settings import LiveSettings
from ingest import Pull
from ingest.sources import live_sources
from tests.ingest.live.layouts import LAYOUTS, pull, whole_visit
from tests.ingest.live.publisher import Answerer, Publisher, Reply

pytestmark = pytest.mark.slow

NAMES = list(live_sources())
EACH = pytest.mark.parametrize("source_id", NAMES)
Figures = dict[tuple[str, str, str], float]


def figures(visit: Pull) -> Figures:
    source = live_sources()[visit.access.source_id]
    found: Figures = {}
    for raw in whole_visit(source, visit):
        found |= figures_of(source.parse(raw))
    return found


@pytest.fixture(scope="module")
def sound() -> dict[str, tuple[Figures, str]]:
    """What each source gives, and the address that is asked last: the newest figures, or the file behind a page."""
    found = {}
    for source_id in NAMES:
        server = Publisher()
        found[source_id] = (figures(pull(server, source_id, LiveSettings(first_wait_seconds=0))), server.asked[-1].path)
        server.close()
    return found


def with_fault(
    publisher: Publisher, source_id: str, quick: LiveSettings, path: str, *replies: Reply | Answerer
) -> Pull:
    """A visit to a source that answers everything soundly but for one address."""
    visit = pull(publisher, source_id, quick)
    publisher.serve(path, *replies)
    return visit


Sounds = dict[str, tuple[Figures, str]]


def answers_of(publisher: Publisher, source_id: str, path: str) -> Answerer:
    """What the sound publisher answers at an address."""
    LAYOUTS[source_id](publisher)
    return publisher.answer_at(path)


FINAL: dict[str, Reply] = {
    "410": Reply(b"gone", 410),
    "500 for ever": Reply(b"broken", 500),
    "an answer cut off": Reply(b'[{"a": 1', announced=90_000),
    "nothing": Reply(b""),
}
"""One of each kind; tests/ingest/live/test_client.py has them all, for every source asks by that client."""


@EACH
@pytest.mark.parametrize("fault", list(FINAL))
def test_lasting_fault_names_address(
    source_id: str, fault: str, publisher: Publisher, quick: LiveSettings, sound: Sounds
) -> None:
    _, path = sound[source_id]
    with pytest.raises(SourceError) as error:
        figures(with_fault(publisher, source_id, quick, path, FINAL[fault]))
    assert path in str(error.value)


@EACH
def test_passing_fault_changes_no_figure(
    source_id: str, publisher: Publisher, quick: LiveSettings, sound: Sounds
) -> None:
    found, path = sound[source_id]
    visit = pull(publisher, source_id, quick)
    publisher.serve(path, Reply(b"", 503), answers_of(publisher, source_id, path))
    assert figures(visit) == found


@EACH
@pytest.mark.parametrize("status", [404, 413])
def test_expected_refusal_is_error_or_missing_period(
    source_id: str, status: int, publisher: Publisher, quick: LiveSettings, sound: Sounds
) -> None:
    found, path = sound[source_id]
    try:
        left = figures(with_fault(publisher, source_id, quick, path, Reply(b"{}", status)))
    except SourceError:
        return
    assert (source_id, status) == ("ucdp", 404)
    assert left.items() <= found.items()


@EACH
def test_redirect_to_maintenance_host_is_never_taken_for_figures(
    source_id: str, publisher: Publisher, quick: LiveSettings, sound: Sounds
) -> None:
    _, path = sound[source_id]
    publisher.serve("/sorry", Reply(b"<!doctype html><title>Sorry</title>"))
    away = Reply(b"", 302, {"Location": f"{publisher.foreign}/sorry"})
    visit = with_fault(publisher, source_id, quick, path, away)
    with pytest.raises(SourceError):
        figures(visit)
    followed = any(asked.path == "/sorry" for asked in publisher.asked)
    assert followed == ("localhost" in visit.access.allowed_hosts)
