"""The shared store: conditional writes, checked files, and one night at a time with PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.settings import Settings, StoreSettings
from store import AlreadyRunningError, sha256_of_bytes
from store.journal.database import Database
from store.mirror import Commit, MovedOnError, RemoteFiles, UnreachableError, each, latest, publish, shared


def test_second_night_with_postgresql_is_refused(memory_url: str, postgres_url: str, tmp_path: Path) -> None:
    settings = Settings(journal_url=postgres_url, store=StoreSettings(url=memory_url))
    with (
        shared(tmp_path, settings),
        pytest.raises(AlreadyRunningError, match="holds the lock in PostgreSQL"),
        shared(tmp_path, settings),
    ):
        pass
    with shared(tmp_path, settings):
        pass


def test_two_stores_in_one_database_do_not_disturb_each_other(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.alone("one") as first, database.alone("two") as second, database.alone("one") as third:
        assert (first, second, third) == (True, True, False)
    database.close()


class HeldElsewhere:
    """A connection to a PostgreSQL database in which another machine holds every name."""

    def execution_options(self, **_options: object) -> HeldElsewhere:
        return self

    def scalar(self, _asked: object) -> bool:
        return False

    def invalidate(self) -> None: ...

    def close(self) -> None: ...


def test_held_name_is_awaited_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database, waits = Database(f"sqlite:///{tmp_path}/journal.sqlite"), list[float]()
    engine = SimpleNamespace(dialect=SimpleNamespace(name="postgresql"), connect=HeldElsewhere)
    monkeypatch.setattr(database, "_engine", engine)
    monkeypatch.setattr("store.journal.database.time.sleep", waits.append)
    with database.alone("one") as is_held:
        assert (is_held, waits) == (False, [])
    with database.alone("one", wait_seconds=0.1) as is_held:
        assert not is_held
        assert waits


def test_night_does_not_begin_on_store_that_may_only_be_read(
    memory_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_args: object, **_kwargs: object) -> None:
        raise PermissionError("Access Denied")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.pipe_file", refused)
    with (
        pytest.raises(UnreachableError, match="Access Denied"),
        shared(tmp_path, Settings(store=StoreSettings(url=memory_url))),
    ):
        pass


def test_store_that_lets_two_writers_create_one_file_is_refused(
    memory_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = RemoteFiles.create

    def careless(files: RemoteFiles, path: str, content: bytes) -> bool:
        return create(files, path, content) or True

    monkeypatch.setattr(RemoteFiles, "create", careless)
    with (
        pytest.raises(Exception, match="it cannot be shared safely"),
        shared(tmp_path, Settings(store=StoreSettings(url=memory_url))),
    ):
        pass


def test_only_missing_files_are_transferred(memory_url: str, tmp_path: Path) -> None:
    files, here, sha256 = RemoteFiles(memory_url), tmp_path / "figures", sha256_of_bytes(b"figures")
    here.write_bytes(b"figures")
    files.fetch("nowhere", here, sha256)
    files.write("figures", b"figures")
    here.write_bytes(b"altered")
    files.fetch("figures", here, sha256)
    assert here.read_bytes() == b"figures"


def _at_once(count: int, work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("kind", ["file", "s3"])
def test_one_of_several_pushers_succeeds(kind: str, request: pytest.FixtureRequest) -> None:
    files = RemoteFiles(str(request.getfixturevalue(f"{kind}_url")))
    base, outcomes, refusals = Commit(), [], []
    for number in (1, 2, 3):
        begin = threading.Barrier(4)

        def push(who: int, number: int = number, base: Commit = base, begin: threading.Barrier = begin) -> None:
            begin.wait()
            try:
                publish(files, base, Commit(number, made=f"pusher {who}"))
                outcomes.append((number, who))
            except MovedOnError as error:
                refusals.append(str(error))

        _at_once(4, push)
        base = latest(files)
        assert base.number == number
    assert [number for number, _ in outcomes] == [1, 2, 3]
    assert len(refusals) == 9
    assert all("nothing of it is overwritten" in one for one in refusals)


def test_delivery_whose_answer_was_lost_is_known_as_its_own(memory_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files, create = RemoteFiles(memory_url), RemoteFiles.create

    def repeated(one: RemoteFiles, path: str, content: bytes) -> bool:
        create(one, path, content)
        return create(one, path, content)

    monkeypatch.setattr(RemoteFiles, "create", repeated)
    publish(files, Commit(), Commit(1, made="me"))
    assert latest(files).made == "me"


def test_things_are_done_in_order_and_first_failure_is_reported() -> None:
    assert each(lambda number: number * 2, range(20)) == [2 * number for number in range(20)]
    assert each(str, []) == []
    with pytest.raises(ZeroDivisionError):
        each(lambda number: 1 // (number - 3), range(5))
