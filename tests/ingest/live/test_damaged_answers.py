"""Answers damaged on their way: every parser of a live layout refuses them by name, or accounts for what it read."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import SourceError
from core.release import OBSERVATIONS, REJECTED
from core.schema import check
from core.settings import LiveSettings
from ingest import Parsed, RawFile
from ingest.sources import live_sources
from tests.ingest.live.layouts import LAYOUTS, pull
from tests.ingest.live.publisher import Publisher

pytestmark = pytest.mark.slow

Answers = list[tuple[str, RawFile]]
FEW = settings(max_examples=100, deadline=None)


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    """Every file that any source takes, with its source."""
    server, quick = Publisher(), LiveSettings(first_wait_seconds=0)
    yield [(name, raw) for name, source in live_sources().items() for raw in source.download(pull(server, name, quick))]
    server.close()


def answered(source_id: str, raw: RawFile) -> Parsed | None:
    try:
        parsed = live_sources()[source_id].parse(raw)
    except SourceError:
        return None
    check(parsed.observations, OBSERVATIONS)
    check(parsed.rejected, REJECTED)
    return parsed


@given(data=st.data())
@FEW
def test_an_answer_with_junk_in_it_raises_nothing_but_a_source_error(answers: Answers, data: st.DataObject) -> None:
    source_id, raw = data.draw(st.sampled_from(answers))
    place = data.draw(st.integers(0, len(raw.content)))
    junk = data.draw(
        st.one_of(st.binary(min_size=1, max_size=12), st.sampled_from([b"null", b"[]", b"{}", b'"x"', b"-1"]))
    )
    length = data.draw(st.sampled_from([0, 1, 5, 60]))
    answered(source_id, RawFile(raw.name, raw.content[:place] + junk + raw.content[place + length :]))


@given(data=st.data())
@FEW
def test_an_answer_that_was_cut_off_is_refused(answers: Answers, data: st.DataObject) -> None:
    source_id, raw = data.draw(st.sampled_from(answers))
    end = data.draw(st.integers(0, len(raw.content.rstrip()) - 1))
    content = raw.content[:end]
    assert answered(source_id, RawFile(raw.name, content)) is None or content.endswith(b"\n")


def test_every_layout_is_read_while_it_is_whole(answers: Answers) -> None:
    assert {source_id for source_id, _ in answers} == set(LAYOUTS)
    for source_id, raw in answers:
        assert answered(source_id, raw) is not None


def test_a_line_that_an_answer_repeats_is_refused_or_set_aside_or_changes_nothing(answers: Answers) -> None:
    for source_id, raw in answers:
        lines = raw.content.splitlines(keepends=True)
        if not raw.name.endswith(".csv"):
            continue
        sound = live_sources()[source_id].parse(raw)
        for place in range(1, len(lines), max(1, len(lines) // 8)):
            parsed = answered(source_id, RawFile(raw.name, b"".join([*lines[:place], lines[place], *lines[place:]])))
            if parsed is not None and len(parsed.rejected) == len(sound.rejected):
                pd.testing.assert_frame_equal(parsed.observations, sound.observations)
