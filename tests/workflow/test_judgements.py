"""A person's forecast becomes a distribution, is kept under a pseudonym, and only that person goes on with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from access.roles import HAND_IN, Actor
from core.errors import InputError
from core.quantiles import QUANTILE_LEVELS
from core.settings import Settings
from hub.judgement import Judgement, fitted, people_model
from store.hub import EditionStore
from workflow import open_workflow
from workflow.judgements import hand_in

SERIES = "arrivals.CMR._T._T.M"


def judged(horizon: int = 1, median: float = 500.0) -> Judgement:
    return Judgement(SERIES, pd.Timestamp("2024-11-30"), horizon, 300.0, median, 900.0)


def test_the_distribution_passes_through_the_three_numbers_and_never_crosses() -> None:
    made = pd.Series(fitted(300, 500, 900), index=QUANTILE_LEVELS)
    assert np.allclose(made.loc[[0.1, 0.5, 0.9]], [300, 500, 900])
    assert made.is_monotonic_increasing
    assert (fitted(0, 0, 0) == 0).all()


@pytest.mark.parametrize("numbers", [(5, 4, 6), (-1, 0, 1), (0, 5, 4), (0, 1, 1e9), (float("nan"), 1, 2)])
def test_numbers_out_of_order_are_refused(numbers: tuple[float, float, float]) -> None:
    with pytest.raises(InputError, match="must follow each other"):
        fitted(*numbers)


@pytest.mark.parametrize("name", ["", "a", "é" * 3, "a b", "../x", "x" * 17])
def test_a_pseudonym_that_cannot_name_a_file_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="pseudonym"):
        people_model(name)


def test_months_add_up_to_one_submission_and_earlier_ones_are_kept(tmp_path: Path) -> None:
    with open_workflow(tmp_path, Settings()) as desk:
        for horizon, median in ((1, 500), (2, 600), (1, 450)):
            assert hand_in(desk, Actor("Ada"), "owl", judged(horizon, median), "r").late
        store = EditionStore(tmp_path)
        newest = store.all()[-1]
        assert [one.number for one in store.all()] == [0, 1, 2]
        rows = store.rows()
        said = rows[rows["sha256"] == newest.sha256].set_index("horizon")["0.5"]
        assert said.to_dict() == {1: 450.0, 2: 600.0}
        assert len(desk.journal.entries(action=HAND_IN)) == 3


def test_a_pseudonym_belongs_to_whoever_used_it_first(tmp_path: Path) -> None:
    with open_workflow(tmp_path, Settings()) as desk:
        hand_in(desk, Actor("Ada"), "owl", judged(), "r")
        with pytest.raises(InputError, match="somebody else"):
            hand_in(desk, Actor("Bob"), "owl", judged(), "r")


def test_the_hub_is_told_the_pseudonym_alone(tmp_path: Path) -> None:
    with open_workflow(tmp_path, Settings()) as desk:
        hand_in(desk, Actor("Ada Lovelace"), "owl", judged(), "r")
    told = [path.read_bytes() for path in (tmp_path / "hub").rglob("*") if path.is_file()]
    assert not [content for content in told if b"Lovelace" in content]
