"""What the Evaluation page says of scores."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard.evaluation_view import baseline_note
from forecasting import BASELINE, ENSEMBLE


@pytest.mark.parametrize(("ratio", "is_told"), [(0.969, True), (0.9998, False), (1.0, False), (float("nan"), False)])
def test_the_baseline_says_why_its_own_ratio_is_not_1_where_it_is_not(ratio: float, is_told: bool) -> None:  # noqa: FBT001  # a case
    rows = pd.DataFrame({"model_id": [BASELINE, BASELINE, ENSEMBLE], "relative_wis": [1.0, ratio, 0.8]})
    assert ("cut at zero" in baseline_note(rows)) == is_told
