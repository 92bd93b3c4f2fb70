"""No false alarm: real editions and files pass plausibility but for one, and the one large real revision is told."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import pandas as pd
import pytest

from core.settings import SNAPSHOT
from ingest import snapshot
from tests.ingest import real_editions
from tests.ingest.real_editions import Seen

pytestmark = pytest.mark.raw_data

EVERY, FIRST = 9, 2
"""Of the Home Office's editions each ninth is read here, of Frontex's copies the first two, between which one month
was halved, and of the bundled files the first of each source. The command behind docs/sources.md reads all."""


@pytest.fixture(scope="module")
def bundled() -> pd.DataFrame:
    return snapshot.load(SNAPSHOT)


def held(seen: Iterable[Seen]) -> dict[str, list[str]]:
    """Why files are held, by name."""
    return {one.file: [str(reason) for reason in one.judgement.held] for one in seen if one.judgement.held}


@pytest.mark.slow
def test_frontex_vintages_pass_and_the_halved_month_is_told(raw_data: Path, tmp_path: Path) -> None:
    seen = list(islice(real_editions.frontex(raw_data, tmp_path, FIRST), FIRST))
    assert held(seen) == {}
    told = [str(text) for one in seen for text in one.judgement.told]
    assert any(text.startswith("a large revision: detections.CMR._T._T.M 2023-12") for text in told)


@pytest.mark.slow
def test_published_files_pass_against_bundled_figures(raw_data: Path, tmp_path: Path, bundled: pd.DataFrame) -> None:
    seen = list(real_editions.published(raw_data, bundled, tmp_path, 1))
    assert len(seen) > 10
    assert held(seen) == {}
