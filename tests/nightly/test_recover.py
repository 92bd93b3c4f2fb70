"""What a killed night left undone is made up for by the next one, and what only a person can mend is named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from core.errors import InputError, Message, StoreError
from core.release import RELEASE, REQUIRED
from core.schema import Entry
from core.settings import Settings
from nightly.inputs import LOADED, held_before
from nightly.recover import FRESHNESS, JOURNAL_SOURCE, record_publication, recover, values_ahead, witness
from store.figures import VintageStore
from store.figures.editions import REJECT, Arrival, EditionStore
from store.journal import Journal, journal_url, opened_journal
from store.releases import About, Release, ReleaseStore
from store.status import NIGHT_ACTIONS, WITNESSED, alteration, witnesses

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a release of no figures, which its journal records, and one figure that was taken in."""
    home, as_of = tmp_path / "home", dt.date(2025, 1, 31)
    figure = {
        "source_id": "iom_dtm", "series_id": "arrivals.CMR.ITA._T.M", "target": "arrivals", "route_id": "CMR",
        "geo": "ITA", "citizen": "_T", "freq": "M", "time_period": "2024-12", "obs_value": 100.0, "obs_flag": "",
        "as_of": pd.Timestamp("2025-01-15"), "as_of_estimated": False,
    }  # fmt: skip
    VintageStore(home).append(pd.DataFrame([figure]), received=as_of)
    with opened_journal("", home) as journal:
        journal.record(Entry("nightly", LOADED, "figures"))
        frames = {name: RELEASE[name].empty() for name in REQUIRED}
        store = ReleaseStore(home)
        release = store.publish(frames, {}, About(as_of, "0.1.0", {}, {}), partial(witness, journal))
        record_publication(journal, release, {}, store.head())
    return home


@pytest.fixture
def journal(home: Path) -> Iterator[Journal]:
    opened = Journal(journal_url("", home))
    yield opened
    opened.close()


def publish_untold(home: Path, journal: Journal | None = None) -> Release:
    """What a night leaves that is killed between publication and journal; without a journal, what an intruder does."""
    store = ReleaseStore(home)
    former = store.current()
    assert former is not None
    frames = {name: former.read(name) for name in former.names}
    frames["freshness_changes"] = pd.DataFrame(
        {"source_id": ["iom_dtm"], "before": ["fresh"], "after": ["late"], "last_period": ["2024-12"]}
    )
    about = About(former.as_of, "0.1.0", {}, {})
    return store.publish(frames, {}, about, partial(witness, journal)) if journal else store.publish(frames, {}, about)


def test_unrecorded_release_is_recorded_once(home: Path, journal: Journal) -> None:
    release, store = publish_untold(home, journal), ReleaseStore(home)
    for _ in range(2):
        assert recover(home, journal, store, NOW) == []
    rows = journal.entries(run_id=release.run_id)
    assert [row.action for row in rows] == [WITNESSED, FRESHNESS, NIGHT_ACTIONS[0]]
    assert "recorded by the next night" in rows[-1].reason
    assert witnesses(home)[release.run_id] == store.head()
    assert store.verify(witnesses(home)) is None


def test_killed_night_reports_late_source_once(home: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    release = publish_untold(home, journal)
    with monkeypatch.context() as night:
        night.setattr("nightly.recover._PUBLISHED", "")  # refused by the journal: the last row is missing
        with pytest.raises(InputError, match="must not be empty"):
            record_publication(journal, release, {}, None)
    recover(home, journal, ReleaseStore(home), NOW)
    rows = journal.entries(run_id=release.run_id)
    assert [row.action for row in rows] == [WITNESSED, FRESHNESS, NIGHT_ACTIONS[0]]


def test_release_without_witness_is_not_recorded_by_next_night(home: Path, journal: Journal) -> None:
    added = publish_untold(home)
    recover(home, journal, ReleaseStore(home), NOW)
    assert journal.entries(run_id=added.run_id) == []
    assert "no witness" in str(alteration(home, added, Settings()))


def test_release_that_journal_cannot_witness_is_not_published(
    home: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ReleaseStore(home).current()

    def refuse(*_: object) -> None:
        raise StoreError("journal: database or disk is full")

    monkeypatch.setattr(Journal, "record", refuse)
    with pytest.raises(StoreError, match="disk is full"):
        publish_untold(home, journal)
    assert ReleaseStore(home).current() == before


def test_refusing_journal_keeps_published_release(
    home: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("journal: database or disk is full")

    release = publish_untold(home, journal)
    monkeypatch.setattr(Journal, "record", refuse)
    (problem,) = record_publication(journal, release, {}, None)
    assert problem["source_id"] == JOURNAL_SOURCE
    assert "database or disk is full" in problem["reason"]


def test_altered_figures_stop_night_before_anything_is_forecast(home: Path, journal: Journal) -> None:
    (path,) = (home / "vintages").rglob("*.parquet")
    path.write_bytes(path.read_bytes() + b"0")
    with pytest.raises(StoreError, match=rf"{path.name}: is not as it was written: put it back with vigie home"):
        recover(home, journal, ReleaseStore(home), NOW)


def test_new_journal_beside_releases_is_named(home: Path, tmp_path: Path) -> None:
    lost = Journal(journal_url("", tmp_path / "elsewhere"))
    (problem,) = recover(home, lost, ReleaseStore(home), NOW)
    lost.close()
    assert problem["source_id"] == JOURNAL_SOURCE
    assert "vigie home restore --repair" in problem["reason"]


def test_future_figures_are_named_until_replaced(home: Path) -> None:
    vintages, today = VintageStore(home), NOW.date()
    row = vintages.as_of(today).query("source_id == 'iom_dtm'").head(1)
    news = row.assign(obs_value=row["obs_value"] + 7, as_of_estimated=True)
    vintages.append(news, received=today + dt.timedelta(days=365))
    (problem,) = values_ahead(vintages.history(), today)
    assert problem["source_id"] == "iom_dtm"
    assert problem["reason"].startswith("figures dated ")
    vintages.append(news, received=today)
    assert values_ahead(vintages.history(), today) == []


def test_waiting_files_are_named_until_decided(home: Path, journal: Journal) -> None:
    editions, later = EditionStore(home, journal), NOW + dt.timedelta(hours=1)
    figures = VintageStore(home).as_of(NOW.date())
    came = [
        Arrival("iom_dtm", f"{name}.csv", name * 8, "Ana", figures.assign(obs_value=value), NOW.date())
        for name, value in (("a", 7.0), ("b", 8.0), ("c", 9.0))
    ]
    waits, _decided = (editions.hold(one, [Message("another unit")]) for one in came[:2])
    editions.take_in(came[2])
    editions.decide(REJECT, _decided.edition_id, "Ana", "seen")
    tomorrow = NOW.date() + dt.timedelta(days=1)
    (problem,) = held_before(editions, None, tomorrow, later)
    assert (problem["source_id"], problem["edition_id"]) == ("iom_dtm", waits.edition_id)
    assert "a.csv waits for a person" in problem["reason"] and "another unit" in problem["reason"]
    assert held_before(editions, None, tomorrow, NOW - dt.timedelta(hours=1)) == [], "it began before they came"
    assert held_before(editions, None, NOW.date() - dt.timedelta(days=1), later) == [], "the replay of an older night"
    former = ReleaseStore(home).current()
    assert former is not None
    frames = {name: former.read(name) for name in former.names} | {"editions": editions.table(tomorrow)}
    release = ReleaseStore(home).publish(frames, {}, About(former.as_of, "0.1.0", {}, {}))
    assert held_before(editions, release, tomorrow, later) == [], "the release before has problem of it"
