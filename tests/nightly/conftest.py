"""A home folder in which one night was run on the bundled figures, small enough to be made for a test run."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.settings import Settings, load_settings

AS_OF = dt.date(2025, 1, 31)


@pytest.fixture
def home(first_night: Path, tmp_path: Path) -> Path:
    """A copy of that home folder to change at will."""
    return Path(shutil.copytree(first_night, tmp_path / "home"))


@pytest.fixture
def settings_of() -> Callable[[Path], Settings]:
    return load_settings
