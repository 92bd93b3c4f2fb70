"""One verdict on a ratio of scores, wherever it is shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dashboard import evaluation_view
from dashboard.charts.models import skill_alt
from forecasting.verification.verdict import (
    BETTER,
    NO_EVIDENCE,
    WORSE,
    holm,
    holm_within,
    skill,
    verdicts,
    with_verdicts,
)
from reports import numbers


def scores(**columns: list[float]) -> pd.DataFrame:
    """Scores of the ensemble at four horizons: better, not known, worse, and no interval."""
    rows = {
        "model_id": "vigie-ensemble", "series_id": "a", "horizon": [1, 2, 3, 4], "scale": "log", "n": 50,
        "relative_wis": [0.8, 0.95, 1.2, 0.5], "relative_wis_lo": [0.7, 0.9, 1.1, np.nan],
        "relative_wis_hi": [0.9, 1.05, 1.3, np.nan],
    }  # fmt: skip
    return pd.DataFrame(rows | columns)


def test_the_verdict_needs_the_whole_interval_on_one_side_of_1_and_an_interval() -> None:
    assert skill(scores())["verdict"].tolist() == [BETTER, NO_EVIDENCE, WORSE, NO_EVIDENCE]


def test_a_ratio_that_does_not_stand_after_holms_correction_is_no_evidence() -> None:
    judged = skill(scores(p_holm=[0.2, 0.5, 0.09, np.nan]))
    assert judged["verdict"].tolist() == [NO_EVIDENCE, NO_EVIDENCE, WORSE, NO_EVIDENCE]


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.2), (0.8, 1.0), (1.0, 1.0), (np.nan, np.nan)])
def test_an_interval_that_touches_1_or_is_missing_is_no_evidence(low: float, high: float) -> None:
    assert verdicts([low], [high]).tolist() == [NO_EVIDENCE]


def test_without_intervals_an_old_release_is_no_evidence_on_every_page() -> None:
    old = scores().drop(columns=["relative_wis_lo", "relative_wis_hi"])
    assert set(skill(old)["verdict"]) == {NO_EVIDENCE}
    assert not any(numbers.better_than_baseline(old, "a").values())
    rows = evaluation_view.skill_rows(old, "a", "log")
    assert evaluation_view.title(rows) == "No evidence that the forecast is better than the baseline"
    assert ": better than the baseline at 0 of 4 horizons" in skill_alt(rows)


def test_pages_charts_and_cards_give_the_same_verdicts() -> None:
    given = scores(p_holm=[0.01, 0.9, 0.01, np.nan])
    judged = skill(given).set_index("horizon")["verdict"]
    rows = evaluation_view.skill_rows(given, "a", "log")
    assert rows.set_index("horizon")["verdict"].equals(judged)
    assert numbers.better_than_baseline(given, "a") == (judged == BETTER).to_dict()
    assert ": better than the baseline at 1 of 4 horizons" in skill_alt(rows)


def test_holm_corrects_the_smallest_p_most_and_keeps_their_order() -> None:
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])


def test_holm_leaves_out_tests_that_could_not_be_made() -> None:
    np.testing.assert_allclose(holm(np.array([0.02, np.nan, 0.9])), [0.04, np.nan, 0.9])


def test_holm_runs_within_each_family() -> None:
    rows = pd.DataFrame({"family": ["a", "a", "b"], "p_value": [0.02, 0.5, 0.04]})
    np.testing.assert_allclose(holm_within(rows, ["family"]), [0.04, 0.5, 0.04])


def test_an_older_release_whose_corrected_p_values_are_read_as_empty_is_judged_by_its_intervals() -> None:
    scores = pd.DataFrame({"relative_wis_lo": [0.7, 0.9, 1.1], "relative_wis_hi": [0.8, 1.1, 1.3], "p_holm": np.nan})
    scores = scores.assign(relative_wis=[0.75, 1.0, 1.2])
    assert with_verdicts(scores)["verdict"].tolist() == [BETTER, NO_EVIDENCE, WORSE]
