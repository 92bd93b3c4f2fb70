"""A release becomes a hub that keeps its own rules, is gone on with, and is proved."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import commands.hub
from commands.hub import known_on
from core.errors import InputError, StoreError
from core.settings import DEMONSTRATION_DATE
from hub.files import validate
from hub.night import combine_hub, init_hub, submit
from hub.outputs import ORACLE, TIME_SERIES
from reports.documents import ALL_MODELS
from store.hub import HubFiles, prove
from store.releases import Release, ReleaseStore

pytestmark = pytest.mark.night


@pytest.fixture(scope="module")
def release(first_night: Path) -> Release:
    found = ReleaseStore(first_night).current()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def few_vintages() -> Iterator[None]:
    """Target data of a year's vintages in place of five years': each is put together anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nightly.hub.MONTHS_OF_VINTAGES", 12)
        yield


@pytest.fixture(scope="module")
def hub(first_night: Path, release: Release, few_vintages: None, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001  # it is there for what it does
    place = tmp_path_factory.mktemp("hub") / "hub"
    init_hub(place, release, "A hub")
    submit(str(place), release, known_on(release, first_night), ALL_MODELS)
    return place


def test_what_vigie_hands_in_keeps_the_rules_of_the_hub_it_wrote(hub: Path) -> None:
    found = validate(HubFiles(str(hub)))
    assert found.faults == []
    assert found.files > 10


def test_handing_in_again_changes_no_forecast(hub: Path, release: Release, first_night: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(hub, tmp_path / "hub"))
    before = {path: path.read_bytes() for path in (copy / "model-output").rglob("*.parquet")}
    submit(str(copy), release, known_on(release, first_night), ALL_MODELS)
    assert {path: path.read_bytes() for path in (copy / "model-output").rglob("*.parquet")} == before


def test_target_data_hold_versions_and_the_newest_of_each(hub: Path) -> None:
    series, oracle = (pd.read_csv(hub / name) for name in (TIME_SERIES, ORACLE))
    assert series["as_of"].nunique() > 12
    assert series["as_of"].max() <= str(DEMONSTRATION_DATE)
    assert not oracle.duplicated(["series_id", "target_end_date"]).any()
    assert {one.rsplit(".", 1)[-1] for one in series["series_id"].unique()} >= {"M", "W"}


def test_figures_that_may_not_be_passed_on_are_in_no_hub(hub: Path) -> None:
    text = (hub / "target-data" / "README.md").read_text()
    assert "Frontex" not in text.replace("Frontex's definitions", "")
    assert "Licence" in text


def test_a_hub_is_begun_once(hub: Path, release: Release) -> None:
    with pytest.raises(InputError, match="is a hub already"):
        init_hub(hub, release, "Another")


def test_the_hubs_ensembles_are_submissions_that_keep_its_rules(hub: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(hub, tmp_path / "hub"))
    files = combine_hub(str(copy))
    HubFiles(str(copy)).write(files)
    assert {Path(path).parent.name for path in files if path.endswith(".parquet")} == {"hub-median", "hub-weighted"}
    assert validate(HubFiles(str(copy))).faults == []
    assert combine_hub(str(copy)) == {}


def test_a_forecast_is_proved_by_the_release_that_first_held_it(
    release: Release, first_night: Path, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(first_night, tmp_path / "home"))
    origin = str(release.read("forecasts", ["origin_date"])["origin_date"].max().date())
    (proof,) = prove(home, "vigie-ensemble", origin)
    assert [link.run_id for link in proof.links] == [release.run_id]
    with pytest.raises(InputError, match="no release holds"):
        prove(home, "nobody-none", origin)
    altered = home / "releases" / release.run_id / "forecasts.parquet"
    table = pd.read_parquet(altered)
    table.assign(value=table["value"] + 1).to_parquet(altered, index=False)
    with pytest.raises(StoreError, match="was altered"):
        prove(home, "vigie-ensemble", origin)


def test_a_list_of_files_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--files .*none\.txt: "):
        commands.hub.validate(str(tmp_path), tmp_path / "none.txt")
