"""What Track record says of scores."""

from __future__ import annotations

import pandas as pd
import pytest

from core.languages import Language
from forecasting import BASELINE, ENSEMBLE
from forecasting.verification import FEW, NARROW
from forecasting.verification.verdict import BETTER, NO_EVIDENCE, WORSE
from reports import record

NAN = float("nan")


@pytest.mark.parametrize(("ratio", "is_told"), [(0.969, True), (0.9998, False), (1.0, False), (float("nan"), False)])
def test_baseline_ratio_other_than_1_is_explained(ratio: float, is_told: bool) -> None:  # noqa: FBT001  # a case
    rows = pd.DataFrame({"model_id": [BASELINE, BASELINE, ENSEMBLE], "relative_wis": [1.0, ratio, 0.8]})
    assert ("cut at zero" in record.baseline_note(rows, Language())) == is_told


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
def test_title_reports_how_far_forecast_beats_baseline(rows: pd.DataFrame, said: str) -> None:
    assert record.title(rows, Language()) == said


def groups(marks: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "kind": "citizen", "route_id": "EMR", "geo": ["_T", "GRC", "_T"], "group": ["SYR", "AFG", "IRQ"],
            "relative_wis": [0.8, 1.2, 0.9], "relative_wis_lo": 0.7, "relative_wis_hi": [1.0, 1.3, 1.1],
            "bias": [-0.25, 0.5, 0.0], "coverage_80": [0.8, 0.6, 0.75], "n": [40, 30, 9], "mark": marks,
        }
    )  # fmt: skip


def test_groups_served_worse_are_named_and_counted() -> None:
    said = record.groups_finding(groups(["", WORSE, FEW]), Language())
    assert said.startswith("Forecasts are less accurate for 1 of 2 groups: Eastern Mediterranean ")
    assert "Greece" in said
    assert "Syria" not in said
    assert "2 of 3 groups" in record.groups_finding(groups([NARROW, WORSE, ""]), Language())
    assert record.groups_finding(groups(["", "", FEW]), Language()).startswith("No group of 2 is worse")


def test_skill_rows_begin_with_ensemble_and_baseline() -> None:
    rows = [(model, horizon) for model in ("zeta", "alpha", BASELINE, ENSEMBLE) for horizon in (2, 1)]
    scores = pd.DataFrame(rows, columns=["model_id", "horizon"]).assign(series_id="a", scale="log", relative_wis=1.0)
    scores[["relative_wis_lo", "relative_wis_hi", "p_holm"]] = float("nan")
    others = pd.concat([scores.assign(series_id="b"), scores.assign(scale="natural")])
    found = record.skill_rows(pd.concat([scores, others]), "a", "log", Language())
    assert list(zip(found["model_id"], found["horizon"], strict=True)) == [
        (model, horizon) for model in (ENSEMBLE, BASELINE, "alpha", "zeta") for horizon in (1, 2)
    ]
