"""What every test of sources may read."""

from __future__ import annotations

import pandas as pd
import pytest

from core.settings import SNAPSHOT
from ingest.snapshot import load


@pytest.fixture(scope="session")
def bundled() -> pd.DataFrame:
    """The bundled figures; `test_snapshot.py` shows that they are what the published files give."""
    return load(SNAPSHOT)
