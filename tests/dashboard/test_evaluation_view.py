"""What the Evaluation page says of scores."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard.evaluation_view import baseline_note, issued_table
from forecasting import BASELINE, ENSEMBLE


@pytest.mark.parametrize(("ratio", "is_told"), [(0.969, True), (0.9998, False), (1.0, False), (float("nan"), False)])
def test_the_baseline_says_why_its_own_ratio_is_not_1_where_it_is_not(ratio: float, is_told: bool) -> None:  # noqa: FBT001  # a case
    rows = pd.DataFrame({"model_id": [BASELINE, BASELINE, ENSEMBLE], "relative_wis": [1.0, ratio, 0.8]})
    assert ("cut at zero" in baseline_note(rows)) == is_told


def test_scores_as_issued_are_shown_to_the_thousandth_with_their_cases() -> None:
    names = ["relative_wis_log", "relative_wis_natural", "coverage_50", "coverage_80", "coverage_95"]
    found = pd.DataFrame({"horizon": [3], "n": [17], "kept": ["not shown"]} | {name: [0.87654] for name in names})
    table = issued_table(found)
    assert table.iloc[0].tolist() == [3, *[0.877] * 5, 17]
    assert table.columns[0] == "Months ahead"
