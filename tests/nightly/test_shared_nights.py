"""A night whose home is shared: seen by others when it is published, and named where it could not be delivered."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from core.errors import StoreError
from core.settings import Settings, load_settings
from ingest.sources import SOURCES
from nightly.night import RunResult, run_night
from store.figures import VintageStore
from store.journal import Journal, journal_url
from store.mirror import MovedOnError, NotDeliveredError, RemoteFiles, UnreachableError, pull
from store.releases import ReleaseStore
from tests.nightly.conftest import without_forecasting

pytestmark = pytest.mark.slow
AS_OF = dt.date(2025, 2, 28)


def last_action(home: Path) -> tuple[str, str]:
    journal = Journal(journal_url("", home))
    entries = [entry for entry in journal.entries() if entry.actor == "nightly"]
    journal.close()
    return entries[-1].action, entries[-1].reason


@pytest.fixture
def shared_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(home: Path, shared_folder: Path) -> Settings:
    return _sharing(home, shared_folder)


def _sharing(home: Path, folder: Path) -> Settings:
    text = (home / "settings.toml").read_text()
    (home / "settings.toml").write_text(f'{text}[store]\nurl = "file://{folder}"\n')
    return load_settings(home)


@pytest.fixture(scope="module")
def next_month(first_night: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, RunResult]:
    """A home, the folder that it shares, and the night a month after the home's first one."""
    folder = tmp_path_factory.mktemp("next")
    home, shared_folder = Path(shutil.copytree(first_night, folder / "home")), folder / "shared"
    shared_folder.mkdir()
    one_route = {"exclude_sources": sorted(SOURCES.keys() - {"uk_home_office"})}
    with without_forecasting(home, "make_forecasts"):
        night = run_night(home, _sharing(home, shared_folder).model_copy(update=one_route), AS_OF)
    return home, shared_folder, night


def test_next_month_computes_only_new_origin(next_month: tuple[Path, Path, RunResult]) -> None:
    home, _, night = next_month
    assert len(ReleaseStore(home).all()) == 2
    assert 0 < night.computed <= 9  # one more origin of one route, with every model
    assert ReleaseStore(home).verify() is None


def test_night_reports_failed_delivery(
    next_month: tuple[Path, Path, RunResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, shared_folder, night = next_month
    home = Path(shutil.copytree(first, tmp_path / "home"))
    settings = load_settings(home)
    other = tmp_path / "other"
    pull(other, RemoteFiles(settings.store.url))
    assert [one.run_id for one in ReleaseStore(other).all()] == [one.run_id for one in ReleaseStore(home).all()]
    assert ReleaseStore(other).verify() is None
    assert VintageStore(other).as_of(AS_OF).equals(VintageStore(home).as_of(AS_OF))
    assert "store" not in night.release.manifest["settings"]
    assert str(shared_folder) not in (night.release.path / "manifest.json").read_text()

    def moved_on(*_: object) -> None:
        raise MovedOnError("another machine has delivered meanwhile")

    monkeypatch.setattr("store.mirror.publish", moved_on)
    with without_forecasting(home), pytest.raises(NotDeliveredError, match=r"stands in .* not delivered"):
        run_night(home, settings, AS_OF + dt.timedelta(days=31))
    action, reason = last_action(home)
    assert (action, "another machine" in reason) == ("not delivered", True)
    assert ReleaseStore(home).verify() is None
    pull(other, RemoteFiles(settings.store.url))
    assert len(ReleaseStore(other).all()) == len(ReleaseStore(home).all()) - 1


def test_night_does_not_begin_where_store_is_silent(home: Path, settings: Settings, shared_folder: Path) -> None:
    before = [one.run_id for one in ReleaseStore(home).all()]
    shutil.rmtree(shared_folder)
    with pytest.raises(UnreachableError, match="is its disk mounted") as refused:
        run_night(home, settings, AS_OF)
    assert isinstance(refused.value, StoreError)
    assert last_action(home)[0] == "nothing published"
    assert [one.run_id for one in ReleaseStore(home).all()] == before
