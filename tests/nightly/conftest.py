"""A home folder in which one night was run on the bundled figures, small enough to be made for a test run."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.settings import Settings, load_settings
from nightly import run_night

FEW = "backtest_origins = 24\nslow_backtest_origins = 12\ntrajectories = 200\n"
AS_OF = dt.date(2025, 1, 31)


@pytest.fixture(scope="session")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder after the night of 2025-01-31. Read it; to change it, take ``home``."""
    folder = tmp_path_factory.mktemp("first") / "home"
    folder.mkdir()
    (folder / "settings.toml").write_text(FEW)
    run_night(folder, load_settings(folder), AS_OF)
    return folder


@pytest.fixture
def home(first_night: Path, tmp_path: Path) -> Path:
    """A copy of that home folder to change at will."""
    return Path(shutil.copytree(first_night, tmp_path / "home"))


@pytest.fixture
def settings_of() -> Callable[[Path], Settings]:
    return load_settings
