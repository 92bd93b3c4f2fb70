"""A short run of the fuzzing of real files; ``python -m benchmarks.damaged_files 5000`` is the long one."""

from __future__ import annotations

import pytest

from benchmarks import altered_figures as figures
from benchmarks.damaged_files import FAIR, SAME, TEXT_DAMAGE, Sound, documented_answers, fuzz, judge
from ingest import RawFile
from ingest.sources import live_sources
from tests.ingest.miniature_files import TEXT_FILES


@pytest.mark.slow
def test_damaged_answer_changes_no_figure_silently() -> None:
    answers = documented_answers()
    assert {answer.source_id for answer in answers} == set(live_sources())
    outcome = fuzz(answers, 100, seed=20240320)
    assert outcome.failures == []
    assert set(outcome.counts) <= FAIR


def test_figure_changed_to_another_is_found_by_judge() -> None:
    text = b" SEAS  YR   TOTAL   ANOM\n  DJF 2023  26.00  -0.68\n  JFM 2023  26.41  -0.43\n"
    sound = Sound("noaa_enso", RawFile("oni.txt", text), b"", {}, 0)
    assert judge(sound, text) == "silent change"
    key = ("oceanic_nino_index._Z._Z._Z.M", "2023-01", "2023-03-13 00:00:00")
    other = ("oceanic_nino_index._Z._Z._Z.M", "2023-02", "2023-04-10 00:00:00")
    figures = {key: -0.68, other: -0.43}
    sound = Sound("noaa_enso", sound.raw, b"", figures, 0)
    assert judge(sound, text) == SAME
    assert judge(sound, text.replace(b"-0.43", b"-0.44")) == "silent change"
    assert judge(sound, text.replace(b"-0.43", b"many!")) == "refused"
    assert set(TEXT_DAMAGE) >= {"cut off", "a cell spoilt"}


@pytest.mark.slow
def test_figures_replaced_by_others_are_refused_held_or_told() -> None:
    files = [
        figures.sound(source_id, raw.name, *figures.text_cells(source_id, raw))
        for source_id, make in TEXT_FILES.values()
        if (raw := make()).name.endswith((".csv", ".tsv"))
    ]
    outcome = figures.mutate(files, 6 * len(files), seed=16)
    assert outcome.silent == []
    found = {result for _kind, result in outcome.counts}
    assert {figures.REFUSED, figures.HELD, figures.REPORTED} <= found
