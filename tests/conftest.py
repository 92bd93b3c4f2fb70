"""What every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest


@pytest.fixture(scope="session")
def raw_data() -> Path:
    """Folder of published files in their publishers' own layouts; no part of the project."""
    folder = os.environ.get("VIGIE_RAW_DATA")
    if not folder:
        pytest.skip("VIGIE_RAW_DATA is not set: the published files are not part of the project")
    return Path(folder)
