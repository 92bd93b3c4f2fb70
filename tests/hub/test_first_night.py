"""A release becomes a hub that keeps its own rules, is gone on with, and is proved."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

import cli.hub
from core.errors import InputError, StoreError
from hub.night import init_hub
from store.hub import prove
from store.releases import Release, ReleaseStore

pytestmark = pytest.mark.night


@pytest.fixture(scope="module")
def release(first_night: Path) -> Release:
    found = ReleaseStore(first_night).current()
    assert found is not None
    return found


def test_hub_is_begun_once(release: Release, tmp_path: Path) -> None:
    init_hub(tmp_path, release, "A hub")
    with pytest.raises(InputError, match="is a hub already"):
        init_hub(tmp_path, release, "Another")


def test_forecast_is_proved_by_release_that_first_held_it(release: Release, first_night: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(first_night, tmp_path / "home"))
    origin = str(release.read("forecasts", ["origin_date"])["origin_date"].max().date())
    assert f"first in release {release.run_id}" in prove(home, "vigie-ensemble", origin)[1]
    with pytest.raises(InputError, match="no release holds"):
        prove(home, "team-none", origin)
    altered = home / "releases" / release.run_id / "forecasts.parquet"
    table = pd.read_parquet(altered)
    table.assign(value=table["value"] + 1).to_parquet(altered, index=False)
    with pytest.raises(StoreError, match="was altered"):
        prove(home, "vigie-ensemble", origin)


def test_list_of_files_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--files .*none\.txt: "):
        cli.hub.validate(str(tmp_path), tmp_path / "none.txt")
