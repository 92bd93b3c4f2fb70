"""One night at a time on all machines, and no machine that died keeps the others out for long."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.errors import StoreError
from store import sha256_of_bytes
from store.journal.database import Database
from store.lock import AlreadyRunningError
from store.mirror import Commit, MovedOnError, latest, publish
from store.remote import LEASES, RefusedError, RemoteFiles, each, single_flight
from tests.store.mirrors import any_url, file_url, memory_url, postgres_server, postgres_url, s3_server, s3_url

__all__ = ["any_url", "file_url", "memory_url", "postgres_server", "postgres_url", "s3_server", "s3_url"]

SQLITE = "sqlite:///journal.sqlite"
LONG = 300.0


def _newest_lease(url: str) -> Path:
    return max((Path(url.removeprefix("file://")) / LEASES).glob("*.json"))


def test_second_night_is_reported_which_machine_holds_store(any_url: str) -> None:
    with (
        single_flight(RemoteFiles(any_url), SQLITE, LONG),
        pytest.raises(AlreadyRunningError, match=rf"process {os.getpid()} on .*counts as dead in \d+ seconds"),
        single_flight(RemoteFiles(any_url), SQLITE, LONG),
    ):
        pass


def test_store_is_given_back_at_end_and_after_error(any_url: str) -> None:
    with pytest.raises(ZeroDivisionError), single_flight(RemoteFiles(any_url), SQLITE, LONG):
        _ = 1 / 0
    with single_flight(RemoteFiles(any_url), SQLITE, LONG):
        pass


def test_lease_whose_holder_fell_silent_is_taken_over(file_url: str) -> None:
    files = RemoteFiles(file_url)
    with single_flight(files, SQLITE, LONG):
        lease = _newest_lease(file_url)
        silent = dt.datetime.now(dt.UTC).timestamp() - LONG - 5
        os.utime(lease, (silent, silent))
        with single_flight(files, SQLITE, LONG):
            assert _newest_lease(file_url) != lease


def _hold_until_killed(url: str, refusals: Connection) -> None:
    with single_flight(RemoteFiles(url), SQLITE, LONG):
        refusals.send("held")
        time.sleep(60)


def test_lease_of_killed_night_is_taken_over(file_url: str) -> None:
    context = multiprocessing.get_context("fork")
    ours, its = context.Pipe(duplex=False)
    night = context.Process(target=_hold_until_killed, args=(file_url, its), daemon=True)
    night.start()
    assert ours.recv() == "held"
    with pytest.raises(AlreadyRunningError), single_flight(RemoteFiles(file_url), SQLITE, LONG):
        pass
    assert night.pid is not None
    os.kill(night.pid, signal.SIGKILL)
    os.waitid(os.P_PID, night.pid, os.WEXITED | os.WNOWAIT)  # its number stays taken until its parent waits for it
    with single_flight(RemoteFiles(file_url), SQLITE, LONG):
        pass
    night.join()


@pytest.mark.parametrize(
    ("changed", "is_taken"),
    [
        ({"started": "1"}, True), ({"pid": 2**22 + 1}, True), ({}, False), ({"pid": 2**22 + 1, "host": "other"}, False),
        ({"pid": 2**22 + 1, "started": ""}, False), ({"pid": "x"}, False),
    ],
    ids=["its number is another's", "gone", "alive", "of another machine", "of an older version", "not a number"],
)  # fmt: skip
def test_lease_is_dead_with_its_own_process_alone(
    file_url: str, changed: Mapping[str, object], *, is_taken: bool
) -> None:
    files = RemoteFiles(file_url)
    with single_flight(files, SQLITE, LONG):
        lease = _newest_lease(file_url)
        lease.write_text(json.dumps(json.loads(lease.read_text()) | changed))
        with nullcontext() if is_taken else pytest.raises(AlreadyRunningError), single_flight(files, SQLITE, LONG):
            pass


def test_holder_whose_clock_is_wrong_keeps_its_lease(file_url: str) -> None:
    """What counts is the store's clock: a machine may think what it likes of the time of day."""
    files = RemoteFiles(file_url)
    with single_flight(files, SQLITE, LONG):
        lease = _newest_lease(file_url)
        content = json.loads(lease.read_text())
        kept = lease.stat()
        lease.write_text(json.dumps(content | {"at": "1999-01-01T00:00:00+00:00"}))
        os.utime(lease, (kept.st_atime, kept.st_mtime))
        with pytest.raises(AlreadyRunningError, match="1999-01-01"), single_flight(files, SQLITE, LONG):
            pass


def test_lease_is_renewed_while_its_night_runs(file_url: str) -> None:
    files, renewed = RemoteFiles(file_url), threading.Event()
    write = files.write

    def watched(path: str, content: bytes | Path, sha256: str = "") -> None:
        write(path, content, sha256)
        renewed.set()

    files.write = watched  # type: ignore[method-assign]  # only its calls are watched
    with single_flight(files, SQLITE, 0.2):
        assert renewed.wait(10)
        assert json.loads(_newest_lease(file_url).read_text())["released"] is False


def test_of_two_who_find_same_lease_dead_one_gets_it(any_url: str) -> None:
    files, begin, outcomes = RemoteFiles(any_url), threading.Barrier(4), []

    def try_it() -> None:
        begin.wait()
        try:
            with single_flight(files, SQLITE, LONG):
                outcomes.append("held")
                done.wait(20)
        except AlreadyRunningError:
            outcomes.append("refused")
            if outcomes.count("refused") == 3:
                done.set()

    done = threading.Event()
    threads = [threading.Thread(target=try_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["held", "refused", "refused", "refused"]


def test_postgresql_separates_nights_without_lease(memory_url: str, postgres_url: str) -> None:
    files = RemoteFiles(memory_url)
    with (
        single_flight(files, postgres_url, LONG),
        pytest.raises(AlreadyRunningError, match="as PostgreSQL says"),
        single_flight(files, postgres_url, LONG),
    ):
        pass
    with single_flight(files, postgres_url, LONG):
        assert files.names(LEASES) == []


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


def test_night_does_not_begin_on_store_that_may_only_be_read(memory_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_args: object, **_kwargs: object) -> None:
        raise PermissionError("Access Denied")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.pipe_file", refused)
    with (
        pytest.raises(RefusedError, match="Access Denied"),
        single_flight(RemoteFiles(memory_url), SQLITE, LONG),
    ):
        pass


def test_store_that_lets_two_writers_create_one_file_is_refused(
    memory_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = RemoteFiles.create

    def careless(files: RemoteFiles, path: str, content: bytes) -> bool:
        return create(files, path, content) or True

    monkeypatch.setattr(RemoteFiles, "create", careless)
    with (
        pytest.raises(Exception, match="it cannot be shared safely"),
        single_flight(RemoteFiles(memory_url), SQLITE, LONG),
    ):
        pass


def test_only_missing_files_are_transferred(memory_url: str, tmp_path: Path) -> None:
    files, here, sha256 = RemoteFiles(memory_url), tmp_path / "figures", sha256_of_bytes(b"figures")
    here.write_bytes(b"figures")
    files.fetch("nowhere", here, sha256)
    files.write("figures", here, sha256)
    here.write_bytes(b"altered")
    with pytest.raises(StoreError, match=r"figures: was altered: .*it is not delivered"):
        files.write("figures", here, sha256)
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
                publish(files, base, Commit(number, sha256_of_bytes(base.content), None, made=f"pusher {who}"))
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
    publish(files, Commit(), Commit(1, "", None, made="me"))
    assert latest(files).made == "me"


def test_five_older_leases_are_kept(file_url: str) -> None:
    files = RemoteFiles(file_url)
    for _night in range(8):
        with single_flight(files, SQLITE, LONG):
            pass
    assert files.names("leases") == [f"{number:012d}.json" for number in range(3, 9)]
    assert json.loads(files.read("leases/000000000008.json"))["released"] is True


def test_things_are_done_in_order_and_first_failure_is_reported() -> None:
    assert each(lambda number: number * 2, range(20)) == [2 * number for number in range(20)]
    assert each(str, []) == []
    with pytest.raises(ZeroDivisionError):
        each(lambda number: 1 // (number - 3), range(5))
