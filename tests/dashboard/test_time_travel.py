"""Going back in time: what was known then, what came next, how the forecast did."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import QUANTILE_LEVELS
from dashboard import time_travel

from .conftest import publish
from .test_pages import visit, words

MONTHS = pd.to_datetime(["2024-07-31", "2024-08-31", "2024-09-30"])


def quantiles(centre: float = 100.0) -> pd.DataFrame:
    table = pd.DataFrame(
        [[centre * (0.5 + level) for level in QUANTILE_LEVELS]] * len(MONTHS), index=MONTHS, columns=QUANTILE_LEVELS
    )
    return table.assign(horizon=[1, 2, 3])


def outcomes(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"time_period_end": MONTHS[: len(values)], "value": values})


def history() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "time_period": ["2024-05", "2024-06"],
            "obs_value": [10.0, 20.0],
            "obs_flag": ["", "p"],
            "end_date": pd.to_datetime(["2024-05-31", "2024-06-30"]),
        }
    )


def then(value: float, origin: str = "2024-06-30") -> pd.DataFrame:
    row = {"series_id": "a", "origin_date": pd.Timestamp(origin), "time_period": "2024-06", "obs_value": value}
    return pd.DataFrame([row])


def test_month_known_otherwise_then_is_shown_as_it_was_known() -> None:
    found = time_travel.history_then(history(), then(17.0), "a", "2024-06-30")
    assert found["obs_value"].tolist() == [10.0, 17.0]
    assert found["changed"].tolist() == [False, True]


def test_month_not_known_then_is_left_out() -> None:
    found = time_travel.history_then(history(), then(np.nan), "a", "2024-06-30")
    assert found["time_period"].tolist() == ["2024-05"]


def test_outcome_lies_in_its_narrowest_interval() -> None:
    did = time_travel.how_it_did(quantiles(), outcomes(100.0, 135.0, 400.0))
    assert did["inside"].tolist() == [0.5, 0.8, time_travel.OUTSIDE]


@pytest.mark.slow
def test_older_release_is_judged_by_newest_counts(home: Path) -> None:
    older = publish(home, as_of=dt.date(2025, 1, 30))
    publish(home)
    said = words(visit("route", route="CMR", release=older.run_id, reveal="1"))
    assert "Outcomes as known in the release of 31 January 2025" in said


def test_months_inside_interval_are_inside_every_wider_one() -> None:
    did = pd.DataFrame({"inside": [0.5, 0.5, 0.8, 0.95, 0.0]})
    said = "Counts inside the 80% interval: 3 of 5 (2 in 50%, 4 in 95%)."
    assert time_travel.inside_words(did) == said


def test_farthest_miss_is_named() -> None:
    did = time_travel.how_it_did(quantiles(), outcomes(100.0, 50.0, 400.0))
    assert time_travel.missed_words(did) == (
        "Missed in 2 of 3; farthest: 400 counted in September 2024, 100 expected (80% interval 60 to 140)."
    )
    assert time_travel.missed_words(did.head(1)) == ""


def test_farthest_misses_lead_and_what_is_not_counted_yet_is_no_miss() -> None:
    ends = quantiles().iloc[0]
    counts = {"open": np.nan, "held": 126.0, "miss": 200.0, "far": 20.0}
    rows = [time_travel.outcome_row(name, ends, count) for name, count in counts.items()]
    assert [row["name"] for row in sorted(rows, key=time_travel.nearness)] == ["far", "miss", "open", "held"]
    positions = time_travel.verdict_table(pd.DataFrame(rows))["Position in interval"]
    assert positions.tolist()[::2] == ["not counted yet", "above all intervals"]


@pytest.mark.parametrize(
    ("outcome", "inside"),
    [
        (74.9, 0.8), (75.0, 0.5), (125.0, 0.5), (125.1, 0.8), (60.0, 0.8), (140.0, 0.8), (59.9, 0.95), (140.1, 0.95),
        (52.5, 0.95), (147.5, 0.95), (52.4, 0.0), (147.6, 0.0),
    ],
)  # fmt: skip
def test_interval_holds_both_its_ends(outcome: float, inside: float) -> None:
    ends = pd.Series({level: round(100 * (0.5 + level), 6) for level in QUANTILE_LEVELS})
    assert time_travel.narrowest(ends, outcome) == inside
    side = "above" if outcome > 100 else "below"
    beyond = {0.95: f"{side} the 80% interval, inside the 95%", 0.0: f"{side} all intervals"}
    usual = f"inside the {round(100 * inside)}%"
    assert time_travel.held_words(inside, is_above=outcome > ends[0.9]) == beyond.get(inside, usual)
