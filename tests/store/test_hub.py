"""Files of a hub as they lie there, and editions as they were received."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pandas as pd
import pytest

from core.errors import InputError, StoreError
from core.release import HUB_EDITIONS
from core.schema import typed
from store import sha256_of_bytes
from store.hub import Edition, HubFiles, SubmissionStore, prove
from store.mirror import RemoteFiles
from store.releases import About, ReleaseStore

FILES = {"model-output/a-b/one.csv": b"1", "model-output/a-b/two.csv": b"22", "hub-config/tasks.json": b"{}"}


@pytest.fixture(params=["folder", "address"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> HubFiles:
    """The same hub in a folder and at an address, with what is not to be followed in it."""
    for name, content in {**FILES, "model-output/.hidden/x.csv": b"x", "model-output/a-b/.aside": b"x"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    if request.param == "folder":
        return HubFiles(str(tmp_path))
    url = f"memory://{uuid4().hex}"
    remote = RemoteFiles(url)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            remote.create(path.relative_to(tmp_path).as_posix(), path.read_bytes())
    return HubFiles(url)


def test_link_is_no_file_of_hub_and_folder_is_none_either(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "real").write_bytes(b"1")
    (tmp_path / "a" / "link").symlink_to(tmp_path / "a" / "real")
    files = HubFiles(str(tmp_path))
    assert files.names("a") == ["a/real"]
    assert files.missing(["a/real", "a/link", "a"]) == ["a/link", "a"]
    with pytest.raises(StoreError):
        files.find("a")
    with pytest.raises(InputError, match="there is no such folder"):
        HubFiles(str(tmp_path / "none"))


def test_hub_is_written_in_folder_alone(tmp_path: Path) -> None:
    HubFiles(str(tmp_path)).write({"deep/file": b"1"})
    assert (tmp_path / "deep" / "file").read_bytes() == b"1"
    with pytest.raises(InputError, match="written in a folder"):
        HubFiles(f"memory://{uuid4().hex}").write({"file": b"1"})


def edition(content: bytes, model_id: str = "team-model", round_id: str = "2024-11-30") -> Edition:
    day = dt.date(2024, 12, 20)
    return Edition(model_id, round_id, sha256_of_bytes(content), f"{round_id}.csv", day, late=False, place="a hub")


def test_edition_is_kept_once_and_numbered_in_order_of_receipt(tmp_path: Path) -> None:
    store = SubmissionStore(tmp_path)
    contents = [b"one", b"two", b"three"]
    assert [store.add(edition(content), content) for content in contents] == [True] * 3
    assert not store.add(edition(b"two"), b"two")
    assert store.add(edition(b"one", "other-model"), b"one")
    assert store.add(edition(b"one", round_id="2024-10-31"), b"one")
    kept = [(one.round_id, one.model_id, one.number) for one in store.all()]
    assert kept == [
        ("2024-10-31", "team-model", 0), ("2024-11-30", "other-model", 0),
        *(("2024-11-30", "team-model", number) for number in range(3)),
    ]  # fmt: skip
    assert [store.content(one) for one in store.all()[2:]] == contents
    assert replace(store.all()[3], number=0) == edition(b"two")


def test_altered_edition_and_broken_record_are_refused_by_name(tmp_path: Path) -> None:
    store = SubmissionStore(tmp_path)
    store.add(edition(b"one"), b"one")
    (path,) = tmp_path.rglob("*.csv")
    path.write_bytes(b"two")
    with pytest.raises(StoreError, match="was altered"):
        store.content(store.all()[0])
    path.with_suffix(".json").write_text("{}")
    with pytest.raises(StoreError, match="is no record of an edition"):
        store.all()


@pytest.fixture
def proved(tmp_path: Path, release_frames: dict[str, pd.DataFrame]) -> Path:
    """A home with three releases, of which the second is the first to know of an edition."""
    about, store = About(dt.date(2024, 12, 31), "0.1.0", {}, {}), SubmissionStore(tmp_path)
    store.add(edition(b"one"), b"one")
    known = pd.DataFrame([vars(one) for one in store.all()]).astype({"received": "datetime64[ns]"})
    for editions in (known.iloc[:0], known, known):
        frames = release_frames | {"hub_editions": typed(editions, HUB_EDITIONS)}
        ReleaseStore(tmp_path).publish(frames, {}, about)
    return tmp_path


def test_submission_is_proved_by_first_release(proved: Path) -> None:
    releases = ReleaseStore(proved).all()
    what, first, table, *links = prove(proved, "team-model", "2024-11-30")
    assert "late" not in what
    assert first.strip() == f"first in release {releases[1].run_id}, published {releases[1].manifest['created_at']}"
    assert f" {sha256_of_bytes((releases[1].path / 'hub_editions.parquet').read_bytes())}," in table
    assert links[:-1] == [
        f"  {release.run_id}/manifest.json  sha256 {sha256_of_bytes((release.path / 'manifest.json').read_bytes())}"
        for release in releases[1:]
    ]


def test_what_was_altered_proves_nothing(proved: Path) -> None:
    releases = ReleaseStore(proved).all()
    manifest, table = releases[2].path / "manifest.json", releases[1].path / "hub_editions.parquet"
    whole = manifest.read_text()
    manifest.write_text(whole + " ")
    with pytest.raises(StoreError, match="its hash is not the one that was recorded"):
        prove(proved, "team-model", "2024-11-30")
    manifest.write_text(whole)
    table.write_bytes((releases[2].path / "hub_editions.parquet").read_bytes() + b" ")
    with pytest.raises(StoreError):
        prove(proved, "team-model", "2024-11-30")
