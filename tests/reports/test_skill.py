"""The verdict of skill is one, in the same words everywhere."""

from __future__ import annotations

import math
from functools import partial

import pandas as pd
import pytest

from core.languages import Language
from forecasting.verification.verdict import BETTER, LIKELY, NO_EVIDENCE, WORSE
from reports import skill
from reports.skill import ahead_words, error_note, held_words, verdict_ends, verdict_words, with_interval

from .conftest import MakeRelease

ENGLISH = Language("en")
CMR = "arrivals.CMR._T._T.M"


ENDS = [pd.Timestamp(day) for day in ("2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30")]


def test_verdicts_stand_by_month_of_release() -> None:
    rows = {
        "model_id": "vigie-ensemble", "series_id": "a", "horizon": [3, 1, 2], "scale": "log", "n": 50,
        "relative_wis": 0.8, "relative_wis_lo": 0.7, "relative_wis_hi": [0.9, 0.9, 1.1], "p_holm": [0.01, 0.5, 0.01],
    }  # fmt: skip
    forecasts = pd.DataFrame(
        {"model_id": "vigie-ensemble", "series_id": "a", "horizon": range(1, 5), "target_end_date": ENDS}
    )
    found = verdict_ends(pd.DataFrame(rows), forecasts, "a")
    assert found == dict(zip(ENDS, [LIKELY, NO_EVIDENCE, BETTER], strict=False))
    assert verdict_ends(pd.DataFrame(rows), forecasts, "b") is None


def test_margin_is_what_nine_in_ten_past_forecasts_lacked() -> None:
    short = [1.02, 1.04, 1.06, 1.08, 1.1, 1.2]
    missing = skill.margin(pd.Series([0.5] * 14 + short))
    assert missing == pytest.approx(0.08)
    assert skill.aim_words(10_000.0, missing, ENGLISH) == "10,800 (10,000 plus 8%)"
    # Chance explains two of twenty.
    assert math.isnan(skill.margin(pd.Series([0.5] * 18 + short[-2:])))
    assert skill.aim_words(1000.0, math.nan, ENGLISH) == "1,000"


NONE = "no sign of beating the baseline"


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        (None, "not scored"),
        ({}, f"{NONE} in February–April 2025"),
        ({0: BETTER}, f"{NONE} in February–April 2025"),
        ({1: BETTER, 2: BETTER, 3: BETTER}, "better than the baseline in February–April 2025"),
        (
            {1: BETTER, 2: LIKELY, 3: BETTER},
            "better than the baseline in February 2025, in April 2025; likely better than the baseline in March 2025",
        ),
        (
            {1: LIKELY, 2: WORSE},
            f"likely better than the baseline in February 2025; {NONE} in April 2025; "
            "worse than the baseline in March 2025",
        ),
    ],
)
def test_verdict_concerns_months_that_are_shown(verdicts: dict[int, str] | None, words: str) -> None:
    said = None if verdicts is None else {ENDS[month]: verdict for month, verdict in verdicts.items()}
    assert verdict_words(said, ENDS[1:], ENGLISH) == words


def test_quarters_are_named_by_their_months() -> None:
    quarters = [pd.Timestamp("2024-12-31"), pd.Timestamp("2025-03-31")]
    words = f"better than the baseline in January–March 2025; {NONE} in October–December 2024"
    assert verdict_words({quarters[1]: BETTER}, quarters, ENGLISH, 3) == words


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        (None, "not scored"),
        ({1: NO_EVIDENCE}, NONE),
        ({2: NO_EVIDENCE, 3: LIKELY}, "likely better than the baseline 3 months ahead"),
        ({1: BETTER, 2: BETTER, 3: LIKELY, 4: WORSE}, "better than the baseline 1–2 months ahead"),
    ],
)
def test_verdicts_are_named_by_months_ahead(verdicts: dict[int, str] | None, said: str) -> None:
    assert ahead_words(verdicts, ENGLISH) == said


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        ((1.0123, 0.99, 1.03), "1.012 (0.990–1.030)"), ((0.9, math.nan, 1.0), "0.900"), ((0.9, 0.8, math.nan), "0.900"),
        ((math.nan, 0.8, 1.0), "–"),
    ],
)  # fmt: skip
def test_ratio_has_interval_if_known(ratio: tuple[float, float, float], said: str) -> None:
    assert with_interval(partial(ENGLISH.decimal, digits=3), *ratio) == said


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (0.8, "1–2 months ahead, the 80% interval held 32 of 40 outcomes (80%)."),
        (
            0.5,
            "1–2 months ahead, the 80% interval held 20 of 40 outcomes (50%). The intervals were too narrow: expect "
            "more counts outside them.",
        ),
    ],
)
def test_interval_that_held_too_little_is_named(held: float, said: str) -> None:
    scores = pd.DataFrame({"horizon": [1, 2], "coverage_80": [held, held], "n": [10, 30]})
    assert held_words(scores, Language("en")) == said


def test_error_note_names_forecasts_behind_score(make_release: MakeRelease) -> None:
    release = make_release(1, 0)
    ahead = pd.to_datetime(["2024-11-30", "2024-12-31", "2025-03-31"])
    past = pd.DataFrame({"series_id": CMR, "horizon": 3, "target_end_date": ahead})
    row = {"model_id": "vigie-ensemble", "series_id": CMR, "horizon": 3, "scale": "log", "n": 2, "relative_wis": 0.8}
    judged = release.with_frame("backtest", past).with_frame("scores", pd.DataFrame([row | {"coverage_80": 0.5}]))
    said = (
        "Error: WIS (log scale) against the baseline’s, which is 1; 2 past forecasts 3 months ahead, November–December "
        "2024. The ensemble’s 80% intervals held 50%."
    )
    assert error_note(judged, CMR, 3, ENGLISH) == said
    assert error_note(judged, CMR, 4, ENGLISH) == ""
