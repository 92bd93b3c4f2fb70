"""The shared store by hand: what a person reads, and the exit codes that scripts rely on."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from store.mirror import DivergedError
from store.releases import About, ReleaseStore
from tests.cli.command_line import vigie


class Machines:
    """Home folders with a shared store in a folder beside them."""

    def __init__(self, folder: Path, frames: dict[str, pd.DataFrame]) -> None:
        self._folder, self._frames = folder, frames
        (folder / "shared").mkdir()

    def __call__(self, name: str) -> Path:
        home = self._folder / name
        home.mkdir(exist_ok=True)
        (home / "settings.toml").write_text(f'[store]\nurl = "file://{self._folder / "shared"}"\n')
        return home

    def publish(self, name: str, day: int) -> str:
        about = About(dt.date(2025, 1, day), "0.1.0", {}, {})
        return ReleaseStore(self(name)).publish(self._frames, {"note.md": f"{name}, {day}"}, about).run_id


@pytest.fixture
def machines(tmp_path: Path, release_frames: dict[str, pd.DataFrame]) -> Machines:
    return Machines(tmp_path, release_frames)


def test_pushed_release_is_pulled_elsewhere(machines: Machines) -> None:
    run_id = machines.publish("one", 1)
    pushed = vigie(machines("one"), "home", "store", "push")
    assert (pushed.exit_code, f"state 1, newest release {run_id}" in pushed.output) == (0, True)
    assert vigie(machines("two"), "home", "store", "status").exit_code == 1
    assert vigie(machines("two"), "home", "store", "pull").exit_code == 0
    assert vigie(machines("two"), "home", "store", "status").exit_code == 0
    assert vigie(machines("two"), "verify").exit_code == 0


def test_stray_release_is_set_aside_only_when_person_says_so(machines: Machines) -> None:
    machines.publish("one", 1)
    vigie(machines("one"), "home", "store", "push")
    vigie(machines("two"), "home", "store", "pull")
    stray, taken = machines.publish("two", 2), machines.publish("one", 3)
    vigie(machines("one"), "home", "store", "push")
    with pytest.raises(DivergedError, match="--set-aside"):
        vigie(machines("two"), "home", "store", "pull")
    done = vigie(machines("two"), "home", "store", "pull", "--set-aside")
    assert f"{stray}: set aside" in done.output
    assert f"newest release {taken}" in done.output


def test_prune_removes_in_store_too(machines: Machines) -> None:
    for day in (1, 2, 3):
        machines.publish("one", day)
    vigie(machines("one"), "home", "store", "push")
    vigie(machines("two"), "home", "store", "pull")
    assert vigie(machines("one"), "home", "prune", "--keep", "1").exit_code == 0
    vigie(machines("two"), "home", "store", "pull")
    assert len(ReleaseStore(machines("two")).all()) == 1
    assert vigie(machines("two"), "verify").exit_code == 0
