"""A publisher on loopback, and settings under which nothing waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.settings import LiveSettings
from tests.ingest.live.layouts_indicators import KEYS


@pytest.fixture(scope="module", autouse=True)
def keys() -> Iterator[None]:
    """Keys that open the miniatures of publishers who ask for one."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def quick() -> LiveSettings:
    """Limits under which tests of faults take no time."""
    return LiveSettings(
        attempts=3, first_wait_seconds=0, longest_wait_seconds=5, read_seconds=0.4, total_seconds=1.0,
        largest_megabytes=1,
    )  # fmt: skip
