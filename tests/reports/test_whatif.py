"""Levers of a scenario: every one takes its ends and nothing beyond them."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from reports import ReadableRelease, whatif
from reports.whatif import Lever

NUMBERS = {
    "if_value": (0, 10_000_000), "and_value": (0, 10_000_000), "stock": (0, 10_000_000), "shock_size": (-100, 500),
    "shock_onset": (0, 12), "shock_months": (1, 12), "shock_decay": (0, 12), "to_share": (0, 100),
    "past_strength": (10, 150), "stay": (0.5, 24), "needs_place": (1, 100),
}  # fmt: skip


def known(first: str = "2025-01-31", other: str = "2025-01-31") -> dict[str, Lever]:
    """Levers of a release with twelve months ahead of two routes, which may begin at another month each."""
    rows = [
        (f"arrivals.{route}._T._T.M", end, value)
        for route, start in (("CMR", first), ("EMR", other))
        for end in pd.date_range(start, periods=12, freq="ME")
        for value in (0.0, 80.0, 100.0, 100.0, 120.0)
    ]
    paths = pd.DataFrame(rows, columns=["series_id", "target_end_date", "value"])
    nothing = pd.DataFrame(
        columns=["source_id", "series_id", "route_id", "target", "freq", "citizen", "geo", "time_period", "obs_value"]
    )
    nothing["obs_value"] = nothing["obs_value"].astype(float)
    frames = {"trajectories": paths, "observations": nothing}
    night = SimpleNamespace(as_of=dt.date(2025, 1, 31), frame=frames.__getitem__)
    return whatif.levers(cast(ReadableRelease, night), "CMR", ["CMR", "EMR"])


def test_scenario_numbers_include_their_ends() -> None:
    levers = known()
    assert {name: (lever.low, lever.high) for name, lever in levers.items() if not lever.options} == NUMBERS
    for name, (low, high) in NUMBERS.items():
        taken = [levers[name].takes(f"{value}") for value in (low, high, low - 0.1, high + 0.1)]
        assert taken == [True, True, False, False], name
        assert not any(map(levers[name].takes, ("", "many", "nan"))), name


@pytest.mark.parametrize(
    ("first", "other", "own_start", "start"),
    [
        ("2025-01-31", "2025-01-31", "2025-02", "2025-02"),
        ("2025-03-31", "2025-03-31", "2025-04", "2025-04"),
        ("2025-01-31", "2025-03-31", "2025-02", "2025-04"),
    ],
)
def test_scenario_begins_with_planning_window(first: str, other: str, own_start: str, start: str) -> None:
    levers = known(first, other)
    assert (levers["shock_from"].default, levers["past_from"].default) == (own_start, own_start)
    assert (levers["if_from"].default, levers["if_to"].default) == (start, start)
    assert len(levers["shock_from"].options) == 12


def test_value_that_lever_does_not_take_is_named_and_replaced() -> None:
    values, bad = whatif.parse({"stay": "0.4", "stock": "7", "if_side": "beside"}, known())
    assert sorted(bad) == ["if_side", "stay"]
    assert (values["stay"], values["stock"], values["if_side"]) == ("3", "7", "above")
