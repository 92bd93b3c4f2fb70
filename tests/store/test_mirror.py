"""A home folder and the store it shares with others: the old state or the new, on all machines, whatever is cut off."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from store import Partitions, parquet_bytes, sha256_of_bytes, write_bytes
from store.figures import VintageStore
from store.figures.editions import RawStore
from store.hub import Edition, SubmissionStore
from store.mirror import (
    UNDELIVERED,
    AlteredError,
    Commit,
    Delivery,
    DivergedError,
    NotDeliveredError,
    RemoteFiles,
    UnreachableError,
    latest,
    pull,
    pull_new_releases,
    set_aside,
    sweep,
)
from store.releases import HEAD, ReleaseStore, prune, read_head
from tests.store.fixtures import Rows
from tests.store.mirrors import Cut, Homes, contents, delivered, seen_by_others


def test_what_one_machine_delivers_another_gets_to_byte(any_url: str, homes: Homes) -> None:
    first, second, files = homes("first"), homes("second"), RemoteFiles(any_url)
    release = homes.night(first, files)
    pull(second, files)
    assert contents(second) == contents(first)
    names = sorted(path.relative_to(release.path) for path in release.path.rglob("*") if path.is_file())
    copy = ReleaseStore(second).get(release.run_id).path
    assert sorted(path.relative_to(copy) for path in copy.rglob("*") if path.is_file()) == names
    assert all((copy / name).read_bytes() == (release.path / name).read_bytes() for name in names)
    assert read_head(second / "releases") == read_head(first / "releases")


def test_nights_on_two_machines_in_turn_make_one_chain(memory_url: str, homes: Homes) -> None:
    first, second, files = homes("first"), homes("second"), RemoteFiles(memory_url)
    made = [homes.night(home, files, day).run_id for day, home in enumerate([first, second, first, second], start=1)]
    pull(first, files)
    assert contents(first) == contents(second) == (made, 4)


def test_second_delivery_of_same_sends_nothing(memory_url: str, homes: Homes) -> None:
    files = RemoteFiles(memory_url)
    homes.night(homes("home"), files)
    held = files.everything()
    pull(homes("home"), files).deliver()
    assert files.everything() == held


def test_dashboard_gets_releases_and_nothing_else(memory_url: str, homes: Homes) -> None:
    files, reader = RemoteFiles(memory_url), homes("reader")
    made = homes.night(homes("night"), files)
    state = pull_new_releases(reader, files)
    assert contents(reader) == ([made.run_id], 0)
    assert pull_new_releases(reader, files, state) == state


def test_two_dashboards_pull_at_once(file_url: str, homes: Homes) -> None:
    reader, begin = homes("reader"), threading.Barrier(3)
    for day in (1, 2, 3):
        homes.night(homes("night"), RemoteFiles(file_url), day)

    def look(_number: int) -> Commit:
        begin.wait()
        return pull_new_releases(reader, RemoteFiles(file_url))

    with ThreadPoolExecutor(3) as pool:
        assert [state.number for state in pool.map(look, range(3))] == [3, 3, 3]
    assert contents(reader)[0] == contents(homes("night"))[0]


def test_dashboard_needs_no_more_than_reading(memory_url: str, homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_args: object, **_kwargs: object) -> None:
        raise PermissionError("Access Denied")

    files, reader = RemoteFiles(memory_url), homes("reader")
    homes.night(homes("night"), files)
    for call in ("pipe_file", "put_file", "rm_file"):
        monkeypatch.setattr(MemoryFileSystem, call, refused)
    pull_new_releases(reader, files)
    assert contents(reader)[0] == contents(homes("night"))[0]


def test_store_that_nobody_delivered_to_changes_nothing(memory_url: str, homes: Homes) -> None:
    pull_new_releases(homes("reader"), RemoteFiles(memory_url))
    assert not (homes("reader") / "releases").exists()
    homes.publish(homes("night"))
    assert contents(pull(homes("night"), RemoteFiles(memory_url)).home)[1] == 1


def test_answers_and_mappings_are_shared(memory_url: str, homes: Homes) -> None:
    first, second, files = homes("first"), homes("second"), RemoteFiles(memory_url)
    visit = RawStore(first).begin("unhcr", dt.datetime(2025, 1, 31, tzinfo=dt.UTC))
    visit.keep("https://example.org/a", 200, {}, dt.datetime(2025, 1, 31, tzinfo=dt.UTC), b"answer")
    visit.close()
    (first / "own").mkdir()
    (first / "own" / "mine.toml").write_text("a = 1\n")
    homes.night(first, files)
    pull(second, files)
    kept = RawStore(second).replay("unhcr", dt.date(2025, 1, 31))
    assert [RawStore(second).body("unhcr", one) for one in kept] == [b"answer"]
    assert (second / "own" / "mine.toml").read_text() == "a = 1\n"
    (second / "own" / "mine.toml").write_text("a = 2\n")
    homes.night(second, files, 1)
    pull(first, files)
    assert (first / "own" / "mine.toml").read_text() == "a = 2\n"


def test_editions_are_shared_under_their_own_names(memory_url: str, homes: Homes, observations: Rows) -> None:
    first, second, files = homes("first"), homes("second"), RemoteFiles(memory_url)
    kept = Path("editions", "iom-dtm-20250131-0a1b2c3d.known.parquet")
    write_bytes(first / kept, parquet_bytes(observations(("2023-05", 7.0, "2025-01-01"))))
    homes.night(first, files)
    pull(second, files)
    assert (second / kept).read_bytes() == (first / kept).read_bytes()


@pytest.mark.slow
def test_interrupted_push_leaves_old_or_new_state(memory_url: str, homes: Homes, cut: Cut) -> None:
    files, night = RemoteFiles(memory_url), homes("night")
    homes.night(night, files, 1)
    reader = homes("reader")
    outcomes, is_new, in_a_row = set(), True, 0
    for number in range(1000):
        pull(reader, files)
        before, delivery = contents(reader), pull(night, files)
        if is_new:
            homes.publish(night, 1 + number % 28)
        cut.after(number // 2, answer_only=bool(number % 2))
        went = delivered(delivery)
        cut.mend()
        pull(reader, files)
        is_new = contents(reader) == contents(night)
        assert is_new or contents(reader) == before, number
        assert is_new or not went, number
        outcomes.add((went, is_new))
        in_a_row = in_a_row + 1 if went else 0
        # From here on only the tidying after a delivery is cut off.
        if in_a_row == 12:
            break
    assert outcomes == {(False, False), (False, True), (True, True)}
    homes.night(night, files)
    assert seen_by_others(homes, files) == contents(night)


def test_interrupted_pull_leaves_whole_chain(memory_url: str, homes: Homes, cut: Cut) -> None:
    files, night, reader = RemoteFiles(memory_url), homes("night"), homes("reader")
    homes.night(night, files, 1)
    pull(reader, files)
    former = contents(reader)
    for day in (2, 3):
        homes.night(night, files, day)
    for number in range(1000):
        cut.after(number)
        try:
            pull_new_releases(reader, files)
        except UnreachableError:
            cut.mend()
            assert contents(reader) == former
        else:
            break
    assert number > 5
    assert contents(reader)[0] == contents(night)[0]


def test_store_that_another_machine_moved_on_is_not_overwritten(any_url: str, homes: Homes) -> None:
    first, second, files = homes("first"), homes("second"), RemoteFiles(any_url)
    homes.night(first, files, 1)
    slow = pull(first, files)
    homes.publish(first, 2)
    other = homes.night(second, files, 3)
    with pytest.raises(NotDeliveredError, match=r"stands in .* not delivered .* another machine has delivered"):
        slow.deliver()
    assert seen_by_others(homes, files)[0][-1] == other.run_id
    assert len(contents(first)[0]) == 2


def test_diverged_home_waits_for_decision(memory_url: str, homes: Homes) -> None:
    first, second, files = homes("first"), homes("second"), RemoteFiles(memory_url)
    homes.night(first, files, 1)
    pull(second, files)
    stray = homes.publish(first, 2)
    other = homes.night(second, files, 3)
    with pytest.raises(DivergedError, match=rf"{other.run_id}.*{stray.run_id}.*--set-aside"):
        pull(first, files)
    assert set_aside(first, files) == [stray.run_id]
    pull(first, files)
    assert contents(first)[0] == contents(second)[0]
    assert (first / UNDELIVERED / stray.run_id / "manifest.json").is_file()


@pytest.mark.parametrize("name", ["forecasts.parquet", "manifest.json"])
def test_altered_store_file_is_refused(memory_url: str, homes: Homes, name: str) -> None:
    files, reader = RemoteFiles(memory_url), homes("reader")
    homes.night(homes("night"), files, 1)
    pull(reader, files)
    former, release = contents(reader), homes.night(homes("night"), files, 2)
    files.write(f"releases/{release.run_id}/{name}", b"altered")
    for bring in (pull, pull_new_releases):
        with pytest.raises(AlteredError, match=rf"releases/{release.run_id}/{name}: was altered"):
            bring(reader, files)
    assert contents(reader)[0] == former[0]


def test_altered_figures_and_commits_are_refused_and_named(memory_url: str, homes: Homes) -> None:
    files = RemoteFiles(memory_url)
    homes.night(homes("night"), files)
    for part in ("vintages/", "commits/"):
        for place in (path for path in files.everything() if path.startswith(part)):
            content = files.read(place)
            files.write(place, content + b" ")
            with pytest.raises(AlteredError, match=f"{place}: was altered"):
                pull(homes(f"{part[:-1]}-{place[-9:-5]}"), files)
            files.write(place, content)
    assert seen_by_others(homes, files) == contents(homes("night"))


def test_file_that_store_lost_is_named(memory_url: str, homes: Homes) -> None:
    files = RemoteFiles(memory_url)
    release = homes.night(homes("night"), files)
    files.remove(f"releases/{release.run_id}/alerts.parquet")
    with pytest.raises(AlteredError, match=r"alerts\.parquet: is not there, though the newest commit names it"):
        pull(homes("reader"), files)


@pytest.mark.parametrize(("forged", "refusal"), [("manifest", AlteredError), ("chain", DivergedError)])
def test_store_that_reports_another_past_is_refused(
    memory_url: str, homes: Homes, forged: str, refusal: type[Exception]
) -> None:
    """A writer of the store makes another chain, consistent in itself."""
    files, reader, forger = RemoteFiles(memory_url), homes("reader"), homes("forger")
    release = homes.night(homes("night"), files, 1)
    pull(reader, files)
    if forged == "manifest":
        shutil.copytree(homes("night") / "releases", forger / "releases")
        manifest = forger / "releases" / release.run_id / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"0.1.0"', '"6.6.6"'))
    else:
        homes.publish(forger, 2)
    for place in files.everything():
        files.remove(place)
    Delivery(forger, files).deliver()
    with pytest.raises(refusal):
        pull_new_releases(reader, files)
    assert contents(reader)[0] == [release.run_id]


def test_store_that_went_back_is_not_followed(file_url: str, homes: Homes) -> None:
    files = RemoteFiles(file_url)
    homes.night(homes("night"), files, 1)
    homes.night(homes("night"), files, 2)
    files.remove("commits/000000000002.json")
    with pytest.raises(AlteredError, match="was at state 2, is at 1"):
        pull(homes("night"), files)


def test_altered_release_or_figure_does_not_leave_its_home(memory_url: str, homes: Homes) -> None:
    files, home = RemoteFiles(memory_url), homes("home")
    delivery, release = pull(home, files), homes.publish(home)
    content = (release.path / "alerts.parquet").read_bytes()
    (release.path / "alerts.parquet").write_bytes(b"altered")
    with pytest.raises(NotDeliveredError, match=r"alerts\.parquet: was altered"):
        delivery.deliver()
    (release.path / "alerts.parquet").write_bytes(content)
    figures = next((home / "vintages").rglob("*.parquet"))
    figures.write_bytes(b"damaged")
    with pytest.raises(NotDeliveredError, match=r"was altered"):
        delivery.deliver()
    assert latest(files).number == 0


def test_removed_releases_stay_removed(memory_url: str, homes: Homes) -> None:
    first, second, files = homes("first"), homes("second"), RemoteFiles(memory_url)
    made = [homes.night(first, files, day).run_id for day in (1, 2, 3, 31)]
    pull(second, files)
    delivery = pull(first, files)
    gone = list(prune(first, 2))
    delivery.deliver()
    assert gone == made[:2]
    homes.night(second, files, 31)
    pull(first, files)
    third = homes("third")
    pull(third, files)
    for home in (first, second, third):
        assert contents(home)[0][:2] == made[2:]
        assert sorted(path.stem for path in (home / "releases" / "REMOVED").iterdir()) == gone
        assert not list((home / "releases").glob(".removing-*"))


def test_last_release_of_month_stays_whole_in_store(memory_url: str, homes: Homes) -> None:
    files, home = RemoteFiles(memory_url), homes("home")
    january = homes.night(home, files, 31)
    for day in (1, 2, 3):
        delivery = pull(home, files)
        homes.publish(home, day, month=2)
        prune(home, 1)
        delivery.deliver()
    assert seen_by_others(homes, files)[0] == [january.run_id, contents(home)[0][-1]]


def test_merged_figures_replace_their_parts(memory_url: str, homes: Homes) -> None:
    first, second, files = homes("first"), homes("second"), RemoteFiles(memory_url)
    for day in (1, 2, 3):
        homes.night(first, files, day)
    pull(second, files)
    delivery = pull(first, files)
    Partitions(first / "vintages" / "iom-dtm").merge()
    delivery.deliver()
    pull(second, files)
    files_of = [sorted(path.name for path in (home / "vintages").rglob("*.parquet")) for home in (first, second)]
    assert files_of[0] == files_of[1]
    assert len(files_of[0]) == 1
    assert contents(second) == contents(first)


def test_hand_read_figures_are_delivered(memory_url: str, homes: Homes, observations: Rows) -> None:
    files, second = RemoteFiles(memory_url), homes("second")
    homes.night(homes("first"), files, 1)
    VintageStore(second).append(observations(("2023-05", 7.0, "2025-01-01")))
    homes.night(second, files, 2)
    assert seen_by_others(homes, files)[1] == contents(second)[1] == 3


def test_lost_figures_return_from_store(memory_url: str, homes: Homes) -> None:
    files, home = RemoteFiles(memory_url), homes("home")
    homes.night(home, files, 1)
    figures = next((home / "vintages").rglob("*.parquet"))
    figures.unlink()
    pull(home, files).deliver()
    assert figures.is_file()
    assert seen_by_others(homes, files)[1] == 1


def test_what_no_commit_names_is_removed_after_day(file_url: str, homes: Homes) -> None:
    files, home = RemoteFiles(file_url), homes("home")
    homes.night(home, files)
    delivery = pull(home, files)
    for name in ("old", "young"):
        files.write(f"releases/20250101T000000Z-00000{len(name)}/{name}", b"left by a push that was cut off")
    yesterday = dt.datetime.now(dt.UTC).timestamp() - 90_000
    shared = Path(file_url.removeprefix("file://"))
    for path in shared.rglob("*"):
        if path.is_file() and path.name != "young":
            os.utime(path, (yesterday, yesterday))
    assert [path.rsplit("/", 1)[-1] for path in sweep(files, delivery.base)] == ["old"]
    assert seen_by_others(homes, files) == contents(home)


def test_home_that_another_machine_overtook_removes_nothing(file_url: str, homes: Homes) -> None:
    files, home = RemoteFiles(file_url), homes("home")
    homes.night(home, files, 1)
    overtaken = pull(home, files)
    homes.night(homes("other"), files, 2)
    long_ago = dt.datetime.now(dt.UTC).timestamp() - 90_000
    for path in Path(file_url.removeprefix("file://")).rglob("*"):
        os.utime(path, (long_ago, long_ago))
    assert sweep(files, overtaken.base) == []
    assert seen_by_others(homes, files) == contents(homes("other"))


def test_pull_killed_at_any_rename_is_healed_by_next(
    memory_url: str, homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole releases and what is left of some are moved in, one of them before others that are there."""
    files, night, reader = RemoteFiles(memory_url), homes("night"), homes("reader")
    for day in (1, 2, 3):
        homes.night(night, files, day)
    pull(reader, files)
    shutil.rmtree(ReleaseStore(reader).all()[1].path)
    delivery = pull(night, files)
    homes.publish(night, 30)
    homes.publish(night, 31)
    prune(night, 1)
    delivery.deliver()
    replaced, outcomes = Path.replace, set()
    for renames in range(30):
        home, left = Path(shutil.copytree(reader, homes("killed") / str(renames))), iter(range(renames))

        def replace(path: Path, target: Path, left: Iterator[int] = left) -> Path:
            if next(left, None) is None:
                raise KeyboardInterrupt
            return replaced(path, target)

        with monkeypatch.context() as patched, contextlib.suppress(KeyboardInterrupt):
            patched.setattr(Path, "replace", replace)
            pull_new_releases(home, files)
        outcomes.add(next(left, None) is None)
        pull_new_releases(home, files)
        assert contents(home)[0] == contents(night)[0]
        assert read_head(home / "releases") == read_head(night / "releases")
    assert outcomes == {True, False}


@pytest.mark.slow
def test_store_that_does_not_answer_is_named(homes: Homes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnreachableError, match="is its disk mounted"):
        pull(homes("home"), RemoteFiles(f"file://{tmp_path / 'unmounted'}"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-store")
    monkeypatch.setattr("s3fs.core.S3FileSystem.retries", 1)
    with pytest.raises(UnreachableError, match=r"s3://vigie/x.*127\.0\.0\.1:9") as refused:
        pull(homes("home"), RemoteFiles("s3://vigie/x"))
    assert "secret-of-the-store" not in str(refused.value)


def test_head_moves_last(memory_url: str, homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader killed between two renames finds a chain that is whole."""
    files, reader = RemoteFiles(memory_url), homes("reader")
    for day in (1, 2):
        homes.night(homes("night"), files, day)
    replaced = Path.replace
    moves: list[str] = []

    def watched(path: Path, target: Path) -> Path:
        moves.append(Path(target).name)
        assert ReleaseStore(reader).verify() is None
        return replaced(path, target)

    monkeypatch.setattr(Path, "replace", watched)
    pull_new_releases(reader, files)
    assert moves[-1] == HEAD


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_may_only_be_read_is_named(file_url: str, homes: Homes) -> None:
    shared = Path(file_url.removeprefix("file://"))
    delivery = pull(homes("home"), RemoteFiles(file_url))
    homes.publish(homes("home"))
    shared.chmod(0o555)
    try:
        with pytest.raises(NotDeliveredError) as refused:
            delivery.deliver()
    finally:
        shared.chmod(0o755)
    assert "shared" in str(refused.value)


def test_hub_files_reach_other_machine(memory_url: str, homes: Homes) -> None:
    first, second, files = homes("first"), homes("second"), RemoteFiles(memory_url)
    day = dt.date(2025, 1, 20)
    edition = Edition("team-model", "2024-12-31", sha256_of_bytes(b"a"), "2024-12-31-team-model.csv", day, False, "hub")
    SubmissionStore(first).add(edition, b"a")
    SubmissionStore(first).put_metadata("team-model", b"old")
    SubmissionStore(first).put_config({"hub-config/tasks.json": b"{}"})
    homes.night(first, files)
    pull(second, files)
    SubmissionStore(second).put_metadata("team-model", b"new")
    homes.night(second, files, 2)
    pull(first, files)
    for home in (first, second):
        assert [SubmissionStore(home).content(one) for one in SubmissionStore(home).all()] == [b"a"]
        assert dict(SubmissionStore(home).metadata()) == {"team-model": b"new"}
    assert SubmissionStore(second).config(["hub-config/tasks.json"]) == {"hub-config/tasks.json": b"{}"}


@pytest.mark.parametrize(("number", "gone"), [(19, []), (20, []), (21, [0]), (23, [0, 1, 2])])
def test_twenty_states_before_newest_stay(
    file_url: str, monkeypatch: pytest.MonkeyPatch, number: int, gone: list[int]
) -> None:
    files, newest = RemoteFiles(file_url), Commit(number)
    monkeypatch.setattr("store.mirror.latest", lambda _files: newest)
    names = [f"commits/{one:012d}.json" for one in range(number + 1)]
    for name, hours in [*((name, 24.1) for name in names), ("vintages/young.parquet", 23.9)]:
        files.write(name, b"{}")
        then = dt.datetime.now(dt.UTC).timestamp() - hours * 3600
        os.utime(Path(file_url.removeprefix("file://")) / name, (then, then))
    assert sweep(files, newest) == [names[one] for one in gone]
