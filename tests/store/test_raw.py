from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from core.errors import InputError, StoreError
from store.figures.editions import RawStore

URL = "https://publisher.example/figures?time=2024"
AT = dt.datetime(2024, 3, 20, 2, 15, 0, 123456, tzinfo=dt.UTC)


def visit(store: RawStore, at: dt.datetime, *bodies: bytes, whole: bool = True, status: int = 200) -> None:
    begun = store.begin("source", at)
    for number, body in enumerate(bodies):
        begun.keep(f"{URL}&page={number}", status, {"etag": '"1"'}, at, body)
    if whole:
        begun.close()


def test_answer_is_kept_with_its_request(tmp_path: Path) -> None:
    store = RawStore(tmp_path)
    visit(store, AT, b"body", status=404)
    (record,) = store.replay("source", AT.date())
    assert (record.url, record.status, record.headers) == (f"{URL}&page=0", 404, {"etag": '"1"'})
    assert (record.size, record.received) == (4, AT.isoformat())
    assert store.body("source", record) == b"body"
    assert (tmp_path / "raw" / "source" / "2024-03-20" / "021500.123456" / "001.body").read_bytes() == b"body"


def test_last_whole_visit_is_replayed_in_order(tmp_path: Path) -> None:
    store = RawStore(tmp_path)
    visit(store, AT, b"old 0", b"old 1")
    visit(store, AT + dt.timedelta(hours=1), *[f"new {number}".encode() for number in range(12)])
    visit(store, AT + dt.timedelta(hours=2), b"half", whole=False)
    visit(store, AT + dt.timedelta(days=1), b"tomorrow")
    bodies = [store.body("source", record) for record in store.replay("source", AT.date())]
    assert bodies == [f"new {number}".encode() for number in range(12)]
    assert store.sources(AT.date()) == ["source"]
    assert store.sources(AT.date() + dt.timedelta(days=2)) == []


def test_partial_visit_is_never_replayed(tmp_path: Path) -> None:
    store = RawStore(tmp_path)
    visit(store, AT, b"half", whole=False)
    assert store.newest("source") == {}
    with pytest.raises(InputError, match="no whole visit is kept of 2024-03-20"):
        store.replay("source", AT.date())


def test_unchanged_body_is_kept_once(tmp_path: Path) -> None:
    store = RawStore(tmp_path)
    for days in range(3):
        visit(store, AT + dt.timedelta(days=days), b"same", f"changes {days}".encode())
    assert len(list(tmp_path.rglob("*.body"))) == 4
    first, second = store.replay("source", AT.date() + dt.timedelta(days=2))
    assert store.body("source", first) == b"same"
    assert store.body("source", second) == b"changes 2"


def test_body_that_is_gone_is_asked_for_anew_and_kept_again(tmp_path: Path) -> None:
    store = RawStore(tmp_path)
    visit(store, AT, b"same")
    next(tmp_path.rglob("*.body")).unlink()
    assert store.newest("source") == {}
    visit(store, AT + dt.timedelta(days=1), b"same")
    assert store.body("source", store.newest("source")[f"{URL}&page=0"]) == b"same"
    with pytest.raises(StoreError, match=r"001\.body"):
        store.body("source", store.replay("source", AT.date())[0])


def test_altered_body_is_refused_by_name(tmp_path: Path) -> None:
    store = RawStore(tmp_path)
    visit(store, AT, b"same")
    next(tmp_path.rglob("*.body")).write_bytes(b"made")
    with pytest.raises(StoreError, match=r"001\.body: was altered since it was received"):
        store.body("source", store.replay("source", AT.date())[0])


def test_old_bodies_are_removed(tmp_path: Path) -> None:
    store = RawStore(tmp_path)
    for days in (0, 10, 20):
        visit(store, AT + dt.timedelta(days=days), b"same", f"changes {days}".encode())
    assert store.prune(AT.date() + dt.timedelta(days=15)) == len(b"changes 0") + len(b"changes 10")
    kept = sorted(path.read_bytes() for path in tmp_path.rglob("*.body"))
    assert kept == [b"changes 20", b"same"]
    assert len(list(tmp_path.rglob("[0-9]*.json"))) == 6
    assert [store.body("source", record) for record in store.replay("source", AT.date() + dt.timedelta(days=20))] == [
        b"same", b"changes 20",
    ]  # fmt: skip
    gone = store.replay("source", AT.date())[1]
    with pytest.raises(StoreError, match=r"is not kept any more.*live\.keep_months"):
        store.body("source", gone)
