"""The end of a night: alerts reach the desk, and no failure of messages spoils the release."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from access import Actor
from alerts.lifecycle import PROPOSED, SIGNED_OFF
from core.errors import InputError, NothingToPublishError, StoreError
from core.release import RELEASE
from core.settings import (
    DEMONSTRATION_DATE,
    DEMONSTRATIONS,
    NEWEST_BUNDLED_NIGHT,
    NIGHT_BEFORE_DEMONSTRATION,
    SNAPSHOT,
    Settings,
    load_settings,
)
from decisions import workflow_on
from decisions.actions import Step, act
from ingest.routes import SOURCE_ID as ROUTES_SOURCE
from nightly import RealTimeData, night
from nightly.night import notify
from store import delivery_lock
from store.journal import Journal, journal_url
from store.mirror import NotDeliveredError
from store.releases import About, Release, ReleaseStore
from store.status import read_status
from tests.delivery import publish
from tests.release_tables import filled

ALERTS = ["surge.CMR.0001", "surge.EMR.0001"]


@pytest.fixture
def release(tmp_path: Path) -> Release:
    publish(tmp_path, ALERTS)
    found = ReleaseStore(tmp_path).current()
    assert found is not None
    return found


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(tmp_path)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(journal_url("", tmp_path))
    yield opened
    opened.close()


def test_night_proposes_its_alerts_once(tmp_path: Path, settings: Settings, journal: Journal, release: Release) -> None:
    assert notify(tmp_path, settings, journal, release) == ["alerts: 2 proposed", "messages: 0 sent"]
    assert notify(tmp_path, settings, journal, release) == ["messages: 0 sent"]
    assert sorted(row.subject for row in journal.entries(action=PROPOSED)) == ALERTS


def test_night_sends_what_was_left_in_outbox(
    tmp_path: Path, settings: Settings, journal: Journal, release: Release
) -> None:
    act(workflow_on(tmp_path, settings, journal), release, ALERTS[0], Step(Actor("Ada"), SIGNED_OFF, "agreed"))
    assert notify(tmp_path, settings, journal, release)[-1] == "messages: 1 sent"
    assert (tmp_path / "published" / "alerts.atom").exists()


@pytest.mark.parametrize(
    ("watched", "now", "refused"),
    [([], "CMR", False), (["CMR"], "CMR", False), (["EMR"], "CMR", True), (["EMR", "CMR"], "CMR", False)],
)
def test_night_dropping_watched_routes_is_refused(
    tmp_path: Path, release: Release, watched: list[str], now: str, *, refused: bool
) -> None:
    frames = {name: release.read(name) for name in release.names}
    routes = pd.DataFrame({"route_id": ["CMR", "EMR"], "origin_date": pd.Timestamp("2024-12-31"), "note": ""})
    routes = filled(routes.assign(state="ok"), RELEASE["routes"])
    before = ReleaseStore(tmp_path).publish(frames | {"routes": routes}, {}, About(release.as_of, "0.1.0", {}, {}))
    states = routes.assign(state=["ok" if route_id == now else "too_old" for route_id in routes["route_id"]])
    settings = Settings.model_validate({"alerts": {"thresholds": dict.fromkeys(watched, 5000.0)}})
    assert night._lost_routes(states, before) == ["EMR"]
    data = cast(RealTimeData, SimpleNamespace(forecastable=["CMR"], states=states))
    (first,) = night._lost(data, ["EMR"], before)
    assert str(first["reason"]).endswith("Without one now: EMR.")
    assert night._lost(data, [], before) == []
    with pytest.raises(NothingToPublishError, match="--allow-empty") if refused else nullcontext():
        night._refuse_empty(states, before, settings)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NothingToPublishError("no route can be forecast"), night.NOTHING_PUBLISHED),
        (NotDeliveredError("the release stands in the home, and was not delivered"), night.NOT_DELIVERED),
        (ZeroDivisionError("division by zero"), night.NOTHING_PUBLISHED),
    ],
    ids=["nothing to publish", "not delivered", "a fault of the program"],
)
def test_failed_night_is_journalled_with_release(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, error: Exception, outcome: str
) -> None:
    def fail(_run: night.Run) -> None:
        raise error

    monkeypatch.setattr(night, "_make_release", fail)
    monkeypatch.setattr("forecasting.pool.Pool.start", lambda *_: None)
    with pytest.raises(type(error)):
        night.run_night(tmp_path, settings)
    last = read_status(tmp_path)["last_run"]
    assert (last["outcome"], str(error) in last["reason"]) == (outcome, True)


def test_another_sender_does_not_spoil_night(
    tmp_path: Path, settings: Settings, journal: Journal, release: Release
) -> None:
    with delivery_lock(tmp_path):
        (line,) = notify(tmp_path, settings, journal, release)
    assert line.startswith("not notified: messages are being sent")
    assert len(journal.entries(action=PROPOSED)) == 2


def test_full_disk_does_not_spoil_night(
    tmp_path: Path, settings: Settings, journal: Journal, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise StoreError("journal: database or disk is full")

    monkeypatch.setattr(night, "record_night", refuse)
    assert notify(tmp_path, settings, journal, release) == ["not notified: journal: database or disk is full"]


def test_demonstration_makes_two_nights(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    monkeypatch.setattr(night, "run_night", lambda _home, _settings, day, **_more: made.append(day))
    night.run_demonstration(tmp_path, settings)
    assert made == [NIGHT_BEFORE_DEMONSTRATION, DEMONSTRATION_DATE]
    publish(tmp_path, ALERTS)
    assert night.run_demonstration(tmp_path, settings) is None
    assert len(made) == 2
    night.run_demonstration(tmp_path, settings, newest=True)
    assert made[2:] == [NEWEST_BUNDLED_NIGHT]
    published = pd.read_parquet(SNAPSHOT / "snapshot" / "uk_home_office.parquet")["as_of"].astype("datetime64[ns]")
    assert 0 <= (pd.Timestamp(NEWEST_BUNDLED_NIGHT) - published.max()).days < 14


def test_region_is_demonstrated_on_its_own_nights_alone(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    monkeypatch.setattr(night, "run_night", lambda _home, given, day, **_more: made.append((given.regions, day)))
    night.run_demonstration(tmp_path, settings, region="americas")
    assert made == [(["americas"], day) for day in DEMONSTRATIONS["americas"]]
    with pytest.raises(InputError, match="--region atlantis: there is none; known: europe, americas"):
        night.run_demonstration(tmp_path, settings, region="atlantis")


def test_routes_of_another_region_cite_its_publishers_alone() -> None:
    alone, both = (night._cards(regions)[ROUTES_SOURCE] for regions in (["americas"], ["europe", "americas"]))
    assert "Panama" in alone.citation and "IOM DTM" not in alone.citation and "IOM DTM" in both.citation
    assert both.known_issues and not alone.known_issues
