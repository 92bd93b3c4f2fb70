"""A person's forecast becomes a distribution, is kept under a pseudonym, and only that person goes on with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from access import HAND_IN, Actor
from core import QUANTILE_LEVELS
from core.errors import InputError
from core.settings import Settings
from decisions import open_workflow
from decisions.judgements import Judgement, fitted, hand_in, people_metadata, people_model, said_by, said_by_panels
from store.hub import SubmissionStore

SERIES = "arrivals.CMR._T._T.M"


def judged(horizon: int = 1, median: float = 500.0) -> Judgement:
    return Judgement(SERIES, pd.Timestamp("2024-11-30"), horizon, 300.0, median, 900.0)


def test_distribution_passes_through_three_numbers() -> None:
    made = pd.Series(fitted(300, 500, 900), index=QUANTILE_LEVELS)
    assert np.allclose(made.loc[[0.1, 0.5, 0.9]], [300, 500, 900])
    assert made.is_monotonic_increasing
    assert (fitted(0, 0, 0) == 0).all()
    widest = pd.Series(fitted(0, 5, 10_000_000), index=QUANTILE_LEVELS)
    assert np.allclose(widest.loc[[0.1, 0.5, 0.9]], [0, 5, 10_000_000])
    assert (widest >= 0).all()


@pytest.mark.parametrize(
    "numbers", [(5, 4, 6), (-1, 0, 1), (0, 5, 4), (1, 10, 9), (0, 5, 10_000_001), (0, 1, 1e9), (float("nan"), 1, 2)]
)
def test_numbers_out_of_order_are_refused(numbers: tuple[float, float, float]) -> None:
    with pytest.raises(InputError, match="must follow each other"):
        fitted(*numbers)


@pytest.mark.parametrize(
    ("pseudonym", "panel", "is_taken"),
    [
        ("ab", "", True), ("a", "", False), ("a" * 16, "", True), ("a" * 17, "", False), ("a-b", "", False),
        ("Ab_9", "ab", True), ("ab", "x", False), ("ab", "x y", False), ("é" * 3, "", False), ("", "", False),
        ("a b", "", False), ("../x", "", False),
    ],
)  # fmt: skip
def test_pseudonym_can_stand_in_files_name(
    pseudonym: str,
    panel: str,
    is_taken: bool,  # noqa: FBT001  # a case
) -> None:
    if is_taken:
        assert people_model(pseudonym, panel).partition("-")[2] == pseudonym
        assert yaml.safe_load(people_metadata(f"people-{pseudonym}"))["model_contributors"][0]["name"] == pseudonym
    else:
        with pytest.raises(InputError, match="2 to 16 letters"):
            people_model(pseudonym, panel)


def test_months_join_one_submission(tmp_path: Path) -> None:
    with open_workflow(tmp_path, Settings()) as desk:
        for horizon, median in ((1, 500), (2, 600), (1, 450)):
            assert hand_in(desk, Actor("Ada"), "owl", judged(horizon, median), "r").late
        store = SubmissionStore(tmp_path)
        newest = store.all()[-1]
        assert [one.number for one in store.all()] == [0, 1, 2]
        rows = store.rows()
        said = rows[rows["sha256"] == newest.sha256].set_index("horizon")["0.5"]
        assert said.to_dict() == {1: 450.0, 2: 600.0}
        assert len(desk.journal.entries(action=HAND_IN)) == 3


def test_pseudonym_belongs_to_whoever_used_it_first(tmp_path: Path) -> None:
    with open_workflow(tmp_path, Settings()) as desk:
        hand_in(desk, Actor("Ada"), "owl", judged(), "r")
        with pytest.raises(InputError, match="somebody else"):
            hand_in(desk, Actor("Bob"), "owl", judged(), "r")


def test_panel_appears_from_five_members(tmp_path: Path) -> None:
    with open_workflow(tmp_path, Settings()) as desk:
        for place, name in enumerate(("Ada", "Ben", "Cy", "Di", "Eve")):
            panel = "large" if place < 4 else ""
            hand_in(desk, Actor(name), f"bird{place}", judged(), "r", panel)
        assert said_by_panels(desk.journal.entries(action=HAND_IN)).empty
        hand_in(desk, Actor("Eve"), "bird4", judged(2), "r", "large")
        hand_in(desk, Actor("Ada"), "second", judged(), "r", "small")
        said = desk.journal.entries(action=HAND_IN)
        assert set(said_by_panels(said)["panel"]) == {"large"}
        assert len(said_by_panels(said)) == 5
        assert set(said_by(said, "Ada")["model_id"]) == {"people-bird0", "people-second"}
