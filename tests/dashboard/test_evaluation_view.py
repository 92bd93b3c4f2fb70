"""What the Evaluation page says of scores."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard import evaluation_view
from dashboard.evaluation_view import baseline_note, issued_table
from forecasting import BASELINE, ENSEMBLE
from forecasting.verification.verdict import BETTER, NO_EVIDENCE


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


def verdicts(*better: int, horizons: tuple[int, ...] = (1, 3, 6)) -> pd.DataFrame:
    """Verdicts on the ensemble, better at some horizons."""
    said = [BETTER if horizon in better else NO_EVIDENCE for horizon in horizons]
    return pd.DataFrame({"model_id": ENSEMBLE, "horizon": horizons, "verdict": said, "relative_wis": 0.9})


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (verdicts(), "No evidence that the forecast is better than the baseline"),
        (verdicts(1, 3, 6), "The forecast beats the baseline at every horizon"),
        (verdicts(1), "The forecast beats the baseline 1 month ahead; no evidence beyond"),
        (verdicts(1, 3), "The forecast beats the baseline up to 3 months ahead; no evidence beyond"),
        (verdicts(1, 6), "The forecast beats the baseline at 2 of 3 horizons"),
        (verdicts(3), "The forecast beats the baseline at 1 of 3 horizons"),
        (verdicts(1, 3).assign(relative_wis=float("nan")), "No past forecasts have been scored yet"),
        (verdicts(1).assign(model_id=BASELINE), "No past forecasts have been scored yet"),
    ],
)
def test_the_title_tells_how_far_the_forecast_beats_the_baseline(rows: pd.DataFrame, said: str) -> None:
    assert evaluation_view.title(rows) == said


@pytest.mark.parametrize("first", [0.0, 0.05])
def test_bins_named_by_edge_or_by_middle_have_the_same_edges(first: float) -> None:
    rows = pd.DataFrame({"kind": "pit", "level": [first + 0.9, first, first + 0.5], "value": [0.3, 0.1, 0.2]})
    bins = evaluation_view.pit_rows(pd.concat([rows, rows.assign(kind="coverage")]))
    assert bins.to_numpy().tolist() == [[0.0, 0.1], [0.5, 0.2], [0.9, 0.3]]
    assert evaluation_view.pit_rows(rows.iloc[:0]).empty


NAN = float("nan")


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        ((1.0123, 0.99, 1.03), "1.012 (0.990–1.030)"), ((0.9, NAN, 1.0), "0.900"), ((0.9, 0.8, NAN), "0.900"),
        ((NAN, 0.8, 1.0), "–"),
    ],
)  # fmt: skip
def test_a_ratio_has_its_interval_where_both_ends_are_known(ratio: tuple[float, float, float], said: str) -> None:
    assert evaluation_view.ratio_words(*ratio) == said


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ([], "Do drivers help?"),
        (["no evidence"], "Do drivers help? No evidence for 1 that was tested"),
        (["no evidence", "makes it worse"], "Do drivers help? No evidence for any of the 2 tested"),
        (
            ["evidence", "no evidence"],
            "Do drivers help? Evidence for Deaths in armed conflict (UCDP); none for the others of 2 tested",
        ),
    ],
)
def test_the_title_of_drivers_tells_which_help(verdicts: list[str], said: str) -> None:
    names = ["conflict_deaths", "el_nino"][: len(verdicts)]
    assert evaluation_view.drivers_title(pd.DataFrame({"driver": names, "verdict": verdicts})) == said
