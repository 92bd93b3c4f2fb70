"""What is asked of a panel: models and periods ahead, as people write them."""

from __future__ import annotations

import pytest

from commands.panels import _horizons, _names
from core.errors import InputError


@pytest.mark.parametrize(
    ("text", "names"), [("ensemble, baseline", ["ensemble", "baseline"]), (" ets ,, ", ["ets"]), ("", []), (",", [])]
)
def test_names_are_parted_by_commas_and_nothing_between_two_of_them_is_no_name(text: str, names: list[str]) -> None:
    assert _names(text) == names


@pytest.mark.parametrize(("text", "steps"), [("12,1,3,3", [1, 3, 12]), ("1", [1]), (" 2 , ", [2])])
def test_periods_ahead_are_told_once_each_and_in_their_order(text: str, steps: list[int]) -> None:
    assert _horizons(text) == steps


@pytest.mark.parametrize("text", ["", "0", "0,1", "-1", "1.5", "one", "1;3"])
def test_periods_ahead_that_are_no_whole_numbers_from_one_on_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"--horizons .*whole numbers"):
        _horizons(text)
