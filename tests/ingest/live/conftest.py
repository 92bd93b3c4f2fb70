"""Settings under which no request is repeated after a pause."""

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
    """Limits under which tests of faults take no time; a publisher that answers is never cut off, whatever the load."""
    return LiveSettings(attempts=3, first_wait_seconds=0, longest_wait_seconds=5, largest_megabytes=1)
