"""What is kept of a release is never shown for another release, language or choice, and never altered by a reader."""

from __future__ import annotations

import datetime as dt
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.errors import StoreError
from dashboard import reads
from store.releases import Release

from .conftest import publish
from .test_pages import visit

pytestmark = pytest.mark.slow


def test_result_is_worked_out_once_for_same_question(release: Release) -> None:
    night, asked = reads.nights()[0], list[str]()
    for question in ("a", "a", "b"):
        reads.once(night, partial(asked.append, question), question)
    assert asked == ["a", "b"]
    assert night.run_id == release.run_id


def test_new_release_is_asked_anew_about_former_one(home: Path) -> None:
    publish(home)
    former, asked = reads.nights()[0], list[str]()
    reads.once(former, partial(asked.append, "before"), "question")
    publish(home, as_of=dt.date(2025, 2, 28))
    reads.once(former, partial(asked.append, "after"), "question")
    assert asked == ["before", "after"]


def test_former_release_that_was_altered_is_not_read(home: Path) -> None:
    former, changed = publish(home), publish(home, as_of=dt.date(2025, 2, 28))
    (former.path / "sources.json").write_text("{}")
    night = reads.night(former.run_id)
    assert night is not None
    with pytest.raises(StoreError, match="is not as it was published"):
        night.frame("forecasts")
    app = visit("overview")
    assert not app.exception
    assert changed.run_id == reads.newest_run_id()
    assert any("is not as it was published" in one.value for one in app.error)


def test_page_drawn_again_is_equal_and_leaves_release(release: Release) -> None:
    night = reads.nights()[0]
    before = {name: night.frame(name).copy(deep=True) for name in release.names}
    for page in ("overview", "route", "evaluation"):
        first, again = visit(page), visit(page)
        assert everything(first) == everything(again), page
    for name, frame in before.items():
        pd.testing.assert_frame_equal(night.frame(name), frame)


def everything(app: AppTest) -> list[str]:
    """Texts, tables and charts of a page in their order."""
    tables = [one.value.to_csv() for kind in (app.table, app.dataframe) for one in kind]
    kinds = ("title", "markdown", "header", "metric", "plotly_chart", "warning", "info")
    return [*tables, *(str(one.proto) for kind in kinds for one in app.get(kind))]
