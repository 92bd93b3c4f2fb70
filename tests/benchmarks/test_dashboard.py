"""The readers that measure the dashboard run real pages and notice what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import dashboard, dashboard_load
from tests.dashboard.conftest import publish
from tests.reader import Session
from tests.servers import Server

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    publish(home)
    with Server(home, home / "server.log") as started:
        yield started


@pytest.fixture
def session(server: Server) -> Iterator[Session]:
    visit = Session(server.address, "en-GB")
    yield visit
    visit.close()


def test_a_reader_who_picks_a_route_gets_that_route(session: Session) -> None:
    session.open("route", route="CMR")
    found = session.find("selectbox", "address:route")
    assert session.value(found) == "Central Mediterranean"
    session.choose(found, "English Channel")
    assert session.title.startswith("English Channel: ")
    assert session.errors == []
    assert session.charts > 0


def test_a_reader_who_picks_a_language_is_answered_in_it_on_the_next_page_too(session: Session) -> None:
    session.open("")
    session.choose(session.find("button_group", "address:lang"), "FR")
    session.go("alerts")
    assert session.title.endswith("alertes attendent une validation")
    assert session.errors == []


def test_an_address_that_is_not_there_is_noted(session: Session) -> None:
    session.open("nowhere")
    assert session.errors == ["page not found"]


def test_readers_at_once_meet_no_error_and_every_step_is_timed(server: Server) -> None:
    seen = dashboard_load.run(server.address, 0.2, (2, 8), [{}] * 3)
    assert seen.errors == []
    assert len(seen.seconds["first page"]) == 3
    assert all(seconds > 0 for seconds in seen.all())
    assert server.memory()[1] >= server.memory()[0] > 50
    assert server.faults() == []


@pytest.mark.parametrize(
    ("answers", "errors", "peak"),
    [((1.1,), 0, 900), ((0.5, 0.5, 2.8), 0, 900), ((0.5,), 1, 900), ((0.5,), 0, 2100)],
    ids=["slow answers", "some slow answers", "an error", "memory"],
)
def test_one_missed_limit_is_a_failure(answers: tuple[float, ...], errors: int, peak: float) -> None:
    def judge(answers: tuple[float, ...], errors: int, peak: float) -> bool:
        return dashboard.is_borne(dashboard_load.Seen({"page": list(answers)}, ["an error"] * errors), peak)

    assert judge((0.5, 0.5, 1.5), 0, 900)
    assert not judge(answers, errors, peak)


def test_what_a_server_gains_once_it_is_warm_is_a_leak() -> None:
    warming = [400.0, 450, 480, 490, 500]
    assert dashboard_load.growth([*warming, *[501.0, 499, 500] * 5])[0] < 1
    slope, error = dashboard_load.growth([*warming, *(500.0 + 3 * at for at in range(1, 16))])
    assert slope == pytest.approx(30)
    assert error < 1e-6


def test_a_log_with_an_error_is_a_fault(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("all is well\nTraceback (most recent call last):\n")
    assert Server(tmp_path, log).faults() == ["Traceback (most recent call last):"]
