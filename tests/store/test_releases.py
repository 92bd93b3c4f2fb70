"""Releases are published whole or not at all, and are chained."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import pickle
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from core.errors import SchemaError, StoreError
from core.release import RELEASE, REQUIRED
from store import sha256_of_file
from store.releases import About, Problem, Release, ReleaseStore, expendable, predecessor

Frames = dict[str, pd.DataFrame]
Copied = Callable[[Callable[[Path], object], Path], None]
DOCUMENTS = {"sources.json": "{}", "model_cards/vigie-ets.md": "# ETS\n"}


def about(as_of: str = "2025-01-31", *, replay: bool = False) -> About:
    return About(
        as_of=dt.date.fromisoformat(as_of),
        code_version="0.1.0",
        settings={"horizons": 12},
        inputs={"snapshot": "ab12"},
        degraded=[{"source_id": "ucdp", "reason": "no file"}],
        replay=replay,
    )


@pytest.fixture
def store(tmp_path: Path) -> ReleaseStore:
    return ReleaseStore(tmp_path)


@pytest.fixture
def three(store: ReleaseStore, release_frames: Frames, copied: Copied) -> list[Release]:
    """Three releases in a whole chain."""

    def publish(home: Path) -> None:
        for day in (29, 30, 31):
            ReleaseStore(home).publish(release_frames, DOCUMENTS, about(f"2025-01-{day}"))

    copied(publish, store.folder.parent)
    return store.all()


def test_release_reads_back_what_was_published(store: ReleaseStore, release_frames: Frames) -> None:
    release = store.publish(release_frames, DOCUMENTS, about(replay=True))
    for name, frame in release_frames.items():
        pd.testing.assert_frame_equal(release.read(name)[list(frame.columns)], frame.reset_index(drop=True))
    assert release.names == sorted(release_frames)
    assert release.read("forecasts", ["value", "horizon"]).columns.to_list() == ["value", "horizon"]
    assert release.document("model_cards/vigie-ets.md") == "# ETS\n"
    assert (release.run_id, release.as_of) == (release.path.name, dt.date(2025, 1, 31))


def test_manifest_says_what_release_rests_on(store: ReleaseStore, release_frames: Frames) -> None:
    release = store.publish(release_frames, DOCUMENTS, about(replay=True))
    manifest = json.loads((release.path / "manifest.json").read_text())
    assert manifest == release.manifest
    assert manifest["as_of"] == "2025-01-31"
    assert manifest["replay"] is True
    assert manifest["settings"] == {"horizons": 12}
    assert manifest["inputs"] == {"snapshot": "ab12"}
    assert manifest["degraded"] == [{"source_id": "ucdp", "reason": "no file"}]
    assert manifest["previous"] is None
    assert manifest["files"]["forecasts.parquet"]["rows"] == len(release_frames["forecasts"])
    for name, file in manifest["files"].items():
        assert file["sha256"] == sha256_of_file(release.path / name)
        assert file["bytes"] == (release.path / name).stat().st_size


def test_each_manifest_holds_hash_of_one_before(store: ReleaseStore, three: list[Release]) -> None:
    assert three[0].manifest["previous"] is None
    for former, release in itertools.pairwise(three):
        assert release.manifest["previous"] == {
            "run_id": former.run_id,
            "manifest_sha256": sha256_of_file(former.path / "manifest.json"),
        }
    assert store.head() == sha256_of_file(three[-1].path / "manifest.json")


def test_what_release_does_not_hold_is_named(store: ReleaseStore, three: list[Release]) -> None:
    with pytest.raises(StoreError, match="holds no frame 'weather'"):
        three[0].read("weather")
    with pytest.raises(StoreError, match="has no columns \\['colour'\\]"):
        three[0].read("alerts", ["colour"])
    for name in ("../../x.md", "manifest.json", "alerts.parquet"):
        with pytest.raises(StoreError, match="holds no document"):
            three[0].document(name)
    for run_id in ("20200101T000000Z-abcdef", "../releases", ""):
        with pytest.raises(StoreError, match="there is no release"):
            store.get(run_id)
    assert store.get(three[1].run_id) == three[1]


@pytest.mark.parametrize("name", REQUIRED)
def test_frame_that_breaks_its_contract_stops_publication(
    store: ReleaseStore, release_frames: Frames, name: str
) -> None:
    column = next(iter(RELEASE[name].columns))
    broken = release_frames | {name: release_frames[name].drop(columns=column)}
    with pytest.raises(SchemaError, match=column):
        store.publish(broken, DOCUMENTS, about())
    assert store.all() == []


def test_missing_and_unknown_frames_stop_publication(store: ReleaseStore, release_frames: Frames) -> None:
    with pytest.raises(StoreError, match=r"missing: \['scores'\]"):
        store.publish({k: v for k, v in release_frames.items() if k != "scores"}, {}, about())
    with pytest.raises(StoreError, match="names not usable"):
        store.publish(release_frames | {"Bad/Name": pd.DataFrame()}, {}, about())
    assert store.all() == []


def test_folder_that_cannot_be_written_is_named(tmp_path: Path, release_frames: Frames) -> None:
    (tmp_path / "releases").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="releases: "):
        ReleaseStore(tmp_path).publish(release_frames, DOCUMENTS, about())


def problem_in(store: ReleaseStore, witnesses: Mapping[str, str] | None = None) -> Problem:
    problem = store.verify(witnesses)
    assert problem is not None
    return problem


class TestVerify:
    """Every way to touch a published chain is named."""

    def test_untouched_chain_is_whole(self, store: ReleaseStore, three: list[Release]) -> None:
        assert store.verify() is None
        assert store.verify({three[0].run_id: sha256_of_file(three[0].path / "manifest.json")}) is None

    @pytest.mark.parametrize("position", [0, 1, 2])
    def test_altered_file_is_named(self, store: ReleaseStore, three: list[Release], position: int) -> None:
        path = three[position].path / "forecasts.parquet"
        content = bytearray(path.read_bytes())
        content[10] ^= 1
        path.write_bytes(content)
        problem = problem_in(store)
        assert problem.run_id == three[position].run_id
        assert problem.file == f"{three[position].run_id}/forecasts.parquet"
        assert "was altered" in str(problem)

    @pytest.mark.parametrize("position", [0, 1, 2])
    def test_file_altered_together_with_its_manifest_is_named(
        self, store: ReleaseStore, three: list[Release], position: int
    ) -> None:
        _edit_with_manifest(three[position])
        problem = problem_in(store)
        assert problem.file == f"{three[position].run_id}/manifest.json"
        assert "was altered" in problem.rule

    def test_next_publication_does_not_cover_altered_newest_release(
        self, store: ReleaseStore, three: list[Release], release_frames: Frames
    ) -> None:
        _edit_with_manifest(three[-1])
        store.publish(release_frames, DOCUMENTS, about())
        problem = problem_in(store)
        assert problem.file == f"{three[-1].run_id}/manifest.json"

    @pytest.mark.parametrize("position", [0, 1, 2])
    @pytest.mark.parametrize("publish_after", [False, True])
    def test_removed_release_is_named(
        self,
        store: ReleaseStore,
        three: list[Release],
        release_frames: Frames,
        position: int,
        publish_after: bool,  # noqa: FBT001  # pytest passes parameters by name
    ) -> None:
        shutil.rmtree(three[position].path)
        if publish_after:
            store.publish(release_frames, DOCUMENTS, about())
        problem = problem_in(store)
        assert problem.run_id == three[position].run_id
        assert "is missing" in problem.rule

    def test_all_releases_removed_is_named(self, store: ReleaseStore, three: list[Release]) -> None:
        for release in three:
            shutil.rmtree(release.path)
        problem = problem_in(store)
        assert problem.run_id == three[-1].run_id

    @pytest.mark.parametrize(
        ("change", "place", "rule"),
        [
            (Path.unlink, "{}/model_cards/vigie-ets.md", "is missing"),
            (Path.touch, "{}/model_cards/extra.md", "was added"),
            (Path.unlink, "{}/manifest.json", "is missing"),
            (Path.touch, "notes.txt", "was added"),
        ],
    )
    def test_file_added_or_removed_is_named(
        self, store: ReleaseStore, three: list[Release], change: Callable[[Path], None], place: str, rule: str
    ) -> None:
        file = place.format(three[1].run_id)
        change(store.folder / file)
        problem = problem_in(store)
        assert problem.file == file
        assert rule in problem.rule

    @pytest.mark.parametrize("position", [0, 1, 2])
    def test_added_copy_of_release_is_named(self, store: ReleaseStore, three: list[Release], position: int) -> None:
        copy = three[position].path.with_name(three[position].run_id[:-6] + "ffffff")
        shutil.copytree(three[position].path, copy)
        problem = problem_in(store)
        assert copy.name in problem.file

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"previous": null}', '{"previous": 3}'])
    def test_manifest_that_is_none_is_named(self, store: ReleaseStore, three: list[Release], text: str) -> None:
        (three[0].path / "manifest.json").write_text(text)
        problem = problem_in(store)
        assert problem.file == f"{three[0].run_id}/manifest.json"

    def test_removed_head_is_named_now_and_after_next_publication(
        self, store: ReleaseStore, three: list[Release], release_frames: Frames
    ) -> None:
        (store.folder / "HEAD.json").unlink()
        problem = problem_in(store)
        assert problem.file == "HEAD.json"
        following = store.publish(release_frames, DOCUMENTS, about())
        problem = problem_in(store)
        assert problem.run_id == following.run_id
        assert three[-1].run_id in problem.rule

    @pytest.mark.parametrize("text", ["{}", '{"run_id": 1}', "[]", "no JSON"])
    def test_head_that_is_none_is_named(self, store: ReleaseStore, three: list[Release], text: str) -> None:
        assert three
        (store.folder / "HEAD.json").write_text(text)
        with pytest.raises(StoreError, match=r"HEAD\.json: "):
            store.verify()

    def test_chain_forged_as_whole_is_found_by_witness(
        self, store: ReleaseStore, three: list[Release], release_frames: Frames
    ) -> None:
        witnesses = {three[-1].run_id: str(store.head())}
        shutil.rmtree(store.folder)
        store.publish(release_frames, DOCUMENTS, about())
        assert store.verify() is None
        problem = problem_in(store, witnesses)
        assert problem.run_id == three[-1].run_id
        assert "witness" in problem.rule


def _edit_with_manifest(release: Release) -> None:
    document = release.path / "sources.json"
    document.write_text('{"forged": true}')
    manifest = json.loads((release.path / "manifest.json").read_text())
    manifest["files"]["sources.json"]["sha256"] = sha256_of_file(document)
    (release.path / "manifest.json").write_text(json.dumps(manifest))


CRASHING = """
    import os, pickle, shutil, signal, sys
    sys.path.insert(0, sys.argv[1])
    from pathlib import Path
    from store import releases
    from store.releases import ReleaseStore
    releases.check = lambda frame, contract: frame  # touches no disk, and takes most of the time
    home, way = Path(sys.argv[2]), sys.argv[3]
    frames, documents, about = pickle.loads((home.parent / "arguments.pickle").read_bytes())
    touching = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "shutil.rmtree"}

    def publish(home, step):
        count = 0
        def at_each_step(event, arguments):
            nonlocal count
            writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
            if event in touching or writes:
                count += 1
                if count == step and way == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                if count == step:
                    raise OSError(28, "No space left on device")
        sys.addaudithook(at_each_step)
        try:
            ReleaseStore(home).publish(frames, documents, about)
        except BaseException:
            os._exit(1)
        os._exit(0 if count < step else 2)

    step = 0
    while True:
        step += 1
        copy = home.parent / f"step-{step:03d}"
        shutil.copytree(home, copy)
        child = os.fork() or publish(copy, step)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            break
"""


@pytest.mark.slow
@pytest.mark.parametrize("way", ["kill", "disk full"])
def test_crash_leaves_old_or_new_release(
    tmp_path: Path, release_frames: Frames, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    (tmp_path / "crash.py").write_text(textwrap.dedent(CRASHING))
    (tmp_path / "arguments.pickle").write_bytes(pickle.dumps((release_frames, DOCUMENTS, about())))
    first = ReleaseStore(tmp_path / "home").publish(release_frames, DOCUMENTS, about())
    command = [sys.executable, tmp_path / "crash.py", Path(__file__).parents[2], tmp_path / "home", way]
    subprocess.run([str(part) for part in command], check=True, timeout=600)
    monkeypatch.setattr("store.releases.check", lambda frame, _contract: frame)
    outcomes = []
    for home in sorted(tmp_path.glob("step-*")):
        store = ReleaseStore(home)
        assert store.verify() is None, home.name
        outcomes.append(len(store.all()))
        current = store.current()
        assert current is not None
        assert (current.run_id == first.run_id) == (outcomes[-1] == 1)
        assert len(current.read("forecasts")) == len(release_frames["forecasts"])
        if len(outcomes) % 4 == 0:
            following = store.publish(release_frames, DOCUMENTS, about())
            assert store.current() == following
            assert store.verify() is None, home.name
            assert list(store.folder.glob(".staging-*")) == []
    assert len(outcomes) > 30
    assert set(outcomes) == {1, 2}


def test_altered_release_is_found(store: ReleaseStore, three: list[Release]) -> None:
    assert [store.alteration(release) for release in three] == [None] * 3
    (three[1].path / "sources.json").write_text("{ }")
    problem = store.alteration(store.all()[1])
    assert problem is not None
    assert problem.file == f"{three[1].run_id}/sources.json"
    for place in (0, 2):  # a link of the next release, and of the head
        manifest = three[place].path / "manifest.json"
        manifest.write_text(manifest.read_text() + " ")
        problem = store.alteration(store.all()[place])
        assert problem is not None
        assert "its hash is not the one that was recorded" in problem.rule


def test_night_continues_release_of_its_kind(three: list[Release]) -> None:
    for day, place in ((31, 2), (30, 1), (29, 0)):
        assert predecessor(three, dt.date(2025, 1, day), replay=False) == three[place]
    assert predecessor(three, dt.date(2025, 1, 28), replay=False) is None
    assert predecessor(three, dt.date(2025, 1, 31), replay=True) == three[2]


def test_clock_set_back_keeps_release_order(
    store: ReleaseStore, release_frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(dt.datetime):
        years = iter((2031, 2029))

        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override] # a fixed clock for the test
            return dt.datetime(next(cls.years), 1, 1, tzinfo=tz)

    monkeypatch.setattr("store.releases.dt.datetime", Clock)
    first, second = (store.publish(release_frames, DOCUMENTS, about()) for _ in range(2))
    assert first.run_id < second.run_id
    assert second.manifest["created_at"].startswith("2029-01-01")
    assert store.current() == second
    assert store.verify() is None


def test_last_night_of_each_month_is_kept(store: ReleaseStore, release_frames: Frames) -> None:
    nights = [("2024-12-30", False), ("2024-12-31", False), ("2024-12-31", True), ("2025-01-30", False),
              ("2025-01-31", False)]  # fmt: skip
    for day, replay in nights:
        store.publish(release_frames, {}, about(day, replay=replay))
    releases = store.all()
    assert expendable(releases, 1) == [releases[0], releases[3]]
    assert expendable(releases, 2) == [releases[0]]
    assert expendable(releases, 5) == expendable(releases, 9) == []
    assert expendable(releases, 0) == expendable(releases, 1), "the newest is always kept"
