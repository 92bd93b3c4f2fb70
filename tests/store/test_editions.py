"""Editions: what was taken in can be held, accepted, rejected and withdrawn, and the past stays what it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import strategies as st
from pytest import MonkeyPatch

from core.errors import InputError, Message
from store.figures import VintageStore
from store.figures.editions import ACCEPT, REJECT, WITHDRAW, Action, Arrival, EditionStore
from store.journal import Journal, journal_url

Rows = Callable[..., pd.DataFrame]
WHY = [Message("another unit")]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(journal_url("", tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def editions(tmp_path: Path, journal: Journal) -> EditionStore:
    return EditionStore(tmp_path, journal)


def today() -> dt.date:
    """The day as it is when asked: a run of the tests may last past midnight."""
    return dt.datetime.now(dt.UTC).date()


def arrival(rows: pd.DataFrame, sha256: str) -> Arrival:
    return Arrival("iom-dtm", "table.csv", sha256 * 8, "Ana", rows, today())


def decide(editions: EditionStore, action: Action, edition_id: str) -> str:
    return editions.decide(action, edition_id, "Ana", "seen").state


def value(home: Path, day: dt.date | None = None) -> list[float]:
    return VintageStore(home).as_of(day or today())["obs_value"].to_list()


def test_held_edition_is_not_known_until_person_accepts_it(
    tmp_path: Path, editions: EditionStore, observations: Rows
) -> None:
    held = editions.hold(arrival(observations(("2024-12", 100, "2025-01-15")), "a"), WHY)
    assert (held.state, value(tmp_path)) == ("held", [])
    assert decide(editions, ACCEPT, held.edition_id) == "known"
    assert value(tmp_path) == [100.0]


def test_rejected_edition_is_never_known(tmp_path: Path, editions: EditionStore, observations: Rows) -> None:
    held = editions.hold(arrival(observations(("2024-12", 100, "2025-01-15")), "a"), WHY)
    assert decide(editions, REJECT, held.edition_id) == "rejected"
    with pytest.raises(InputError, match="is rejected; only one that is held"):
        decide(editions, ACCEPT, held.edition_id)
    assert value(tmp_path) == []


def test_withdrawal_restores_former_knowledge(tmp_path: Path, editions: EditionStore, observations: Rows) -> None:
    editions.take_in(arrival(observations(("2024-12", 100, "2025-01-15")), "a"))
    wrong = observations(("2024-12", 100_000, "2025-02-15"), ("2025-01", 7, "2025-02-15"))
    edition = editions.take_in(arrival(wrong, "b"))
    assert (edition.new, edition.changed) == (1, 1)
    assert decide(editions, WITHDRAW, edition.edition_id) == "withdrawn"
    assert value(tmp_path) == [100.0]
    assert value(tmp_path, today() - dt.timedelta(days=1)) == [100_000.0, 7.0]


def test_reaccepted_edition_is_known_from_today(tmp_path: Path, editions: EditionStore, observations: Rows) -> None:
    editions.take_in(arrival(observations(("2024-12", 100, "2025-01-15")), "a"))
    rows = observations(("2024-12", 120, "2025-02-15"))
    decide(editions, WITHDRAW, editions.take_in(arrival(rows, "b")).edition_id)
    again = editions.hold(arrival(rows, "b"), WHY)
    decide(editions, ACCEPT, again.edition_id)
    assert value(tmp_path) == [120.0]


def test_what_is_usual_is_learned_without_what_was_withdrawn(
    tmp_path: Path, editions: EditionStore, observations: Rows
) -> None:
    editions.take_in(arrival(observations(("2024-12", 100, "2025-01-15")), "a"))
    wrong = editions.take_in(arrival(observations(("2024-12", 100_000, "2025-02-15")), "b"))
    decide(editions, WITHDRAW, wrong.edition_id)
    store = VintageStore(tmp_path)
    assert len(store.all_revisions(today())) == 2
    assert store.all_revisions(today(), void=editions.void()).empty


@pytest.mark.parametrize(("actor", "reason"), [("", "seen"), ("Ana", " ")])
def test_decision_without_name_or_reason_is_refused(
    editions: EditionStore, observations: Rows, actor: str, reason: str
) -> None:
    held = editions.hold(arrival(observations(("2024-12", 100, "2025-01-15")), "a"), WHY)
    with pytest.raises(InputError, match="a name and a reason"):
        editions.decide(ACCEPT, held.edition_id, actor, reason)
    with pytest.raises(InputError, match="no edition 'nothing'"):
        editions.decide(ACCEPT, "nothing", "Ana", "seen")


@pytest.mark.parametrize("action", ["taken in", WITHDRAW, ACCEPT])
def test_killed_edition_is_recorded_and_withdrawable(
    tmp_path: Path, journal: Journal, editions: EditionStore, observations: Rows, monkeypatch: MonkeyPatch, action: str
) -> None:
    editions.take_in(arrival(observations(("2024-12", 100, "2025-01-15")), "a"))
    wrong = arrival(observations(("2024-12", 100_000, "2025-02-15"), ("2025-01", 7, "2025-02-15")), "b")
    begun = editions.hold(wrong, WHY) if action == ACCEPT else editions.take_in(wrong) if action == WITHDRAW else None
    with monkeypatch.context() as killed:
        killed.setattr(journal, "record", lambda _row: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            editions.take_in(wrong) if begun is None else editions.decide(
                WITHDRAW if action == WITHDRAW else ACCEPT, begun.edition_id, "Ana", "seen"
            )
    (name,) = editions.recover()
    assert editions.recover() == []
    found = editions.all()[-1]
    assert found.edition_id == name
    if action != WITHDRAW:
        assert (found.state, found.new, found.changed, value(tmp_path)) == ("known", 1, 1, [100_000.0, 7.0])
        assert decide(editions, WITHDRAW, name) == "withdrawn"
    assert (editions.all()[-1].state, value(tmp_path)) == ("withdrawn", [100.0])


def test_kill_before_anything_was_stored_leaves_no_edition(
    editions: EditionStore, observations: Rows, monkeypatch: MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(VintageStore, "add", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            editions.take_in(arrival(observations(("2024-12", 100, "2025-01-15")), "a"))
    assert editions.recover() == []
    assert editions.all() == []


def test_missing_figure_goes_only_in_whole_history(tmp_path: Path, editions: EditionStore, observations: Rows) -> None:
    both = observations(("2024-11", 1, "2025-01-15"), ("2024-12", 2, "2025-01-15"), ("2025-01", 3, "2025-02-15"))
    editions.take_in(arrival(both, "a"))
    fewer = both[both["time_period"] != "2024-12"].assign(as_of=pd.Timestamp("2025-03-15"))
    assert editions.take_in(arrival(fewer, "b")).gone == 0
    assert value(tmp_path) == [1.0, 2.0, 3.0]
    later = replace(arrival(fewer.assign(obs_value=[1.0, 4.0]), "c"), complete=True)
    assert (done := editions.take_in(later)).complete
    assert (done.new, done.changed, done.gone) == (0, 1, 1)
    assert value(tmp_path) == [1.0, 4.0]


def test_edition_is_interrupted_from_kill_until_it_is_recovered(
    journal: Journal, editions: EditionStore, observations: Rows, monkeypatch: MonkeyPatch
) -> None:
    assert not editions.is_interrupted()
    with monkeypatch.context() as killed:
        killed.setattr(journal, "record", lambda _row: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            editions.take_in(arrival(observations(("2024-12", 100, "2025-01-15")), "a"))
    assert editions.is_interrupted()
    editions.recover()
    assert not editions.is_interrupted()


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_withdrawal_leaves_what_later_edition_confirms(
    tmp_path: Path, editions: EditionStore, observations: Rows, *, is_confirmed: bool
) -> None:
    editions.take_in(arrival(observations(("2024-12", 110, "2025-01-15")), "a"))
    corrected = observations(("2024-12", 150, "2025-02-15"), ("2025-01", 120, "2025-02-15"))
    withdrawn = editions.take_in(arrival(corrected, "b"))
    if is_confirmed:
        again = corrected.assign(as_of=pd.Timestamp("2025-03-15"))
        assert editions.take_in(arrival(again, "c")).changed == 0
    decide(editions, WITHDRAW, withdrawn.edition_id)
    assert value(tmp_path) == ([150.0, 120.0] if is_confirmed else [110.0])


def test_accepting_old_edition_names_newer_figures(tmp_path: Path, editions: EditionStore, observations: Rows) -> None:
    old, wrong, new = (
        observations(("2024-12", count, "2025-01-15"), as_of_estimated=True) for count in (103, 1030, 99)
    )
    editions.take_in(arrival(old, "a"))
    held = editions.hold(arrival(wrong, "b"), WHY)
    assert editions.changes(held)[["before", "after", "is_newer"]].to_numpy().tolist() == [[103.0, 1030.0, False]]
    editions.take_in(arrival(new, "c"))
    assert editions.changes(held)[["before", "after", "is_newer"]].to_numpy().tolist() == [[99.0, 1030.0, True]]
    with pytest.raises(InputError, match=r"would replace newer figures \(1\)"):
        decide(editions, ACCEPT, held.edition_id)
    assert value(tmp_path) == [99.0]
    editions.decide(ACCEPT, held.edition_id, "Ana", "seen", replace_newer=True)
    assert value(tmp_path) == [1030.0]


FIRST_DAY = "2025-04-15"
CELLS = ("2024-11", "2024-12", "2025-01")
DAYS = ("2025-02-15", "2025-03-15", FIRST_DAY)
cells = st.lists(st.tuples(st.sampled_from(CELLS), st.integers(1, 3)), min_size=1, unique_by=lambda one: one[0])
kinds = st.sampled_from(["take in", "take in", "re-send", "hold", "accept", "withdraw", "reject"])
