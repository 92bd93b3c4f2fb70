import numpy as np
import pandas as pd
import pytest

from core.errors import SchemaError
from dashboard.charts.calibration import coverage_alt, coverage_chart, pit_alt, pit_histogram
from dashboard.charts.models import members_alt, members_chart, skill_alt, skill_chart
from dashboard.theme import LIGHT


@pytest.fixture
def members() -> pd.DataFrame:
    rows = [
        ("vigie-ensemble", "Ensemble", 8_900.0, 10_800.0, 13_200.0, 16_000.0, 18_800.0, 0.84),
        ("vigie-baseline", "Baseline", 8_500.0, 10_900.0, 13_900.0, 17_400.0, 20_900.0, 1.0),
        ("vigie-ets", "Exponential smoothing", 7_900.0, 9_900.0, 12_400.0, 15_400.0, 18_300.0, float("nan")),
    ]
    return pd.DataFrame(rows, columns=["model_id", "name", "q10", "q25", "q50", "q75", "q90", "relative_wis"])


@pytest.fixture
def scores() -> pd.DataFrame:
    rows = [
        (model, name, horizon, base + 0.03 * horizon)
        for model, name, base in (("vigie-ets", "ETS", 0.8), ("vigie-ensemble", "Ensemble", 0.7))
        for horizon in (1, 3, 6, 12)
    ]
    frame = pd.DataFrame(rows, columns=["model_id", "name", "horizon", "relative_wis"])
    score = frame["relative_wis"]
    return frame.assign(relative_wis_lo=score - 0.1, relative_wis_hi=score + 0.2, p_holm=0.01)


def test_a_median_of_nobody_is_a_whole_circle(members: pd.DataFrame) -> None:
    figure = members_chart(members.assign(q10=0.0, q25=0.0, q50=0.0), unit="Arrivals", theme=LIGHT)
    medians = [trace for trace in figure.data if trace.name.endswith("median")]
    assert medians and all(trace.cliponaxis is False for trace in medians)


def test_one_other_model_in_words_has_one_median_and_no_spread(members: pd.DataFrame) -> None:
    assert members_alt(members.iloc[:2]).endswith(" Median of 1 model: 13,900.")


@pytest.mark.parametrize("count", [1, 2, 3, 11])
def test_dots_of_models_stand_side_by_side_around_their_horizon_and_nearer_to_it_than_to_the_next(
    scores: pd.DataFrame, count: int
) -> None:
    other = scores[scores["model_id"] == "vigie-ets"]
    many = pd.concat([other.assign(model_id=f"team-{place}") for place in range(count)])
    dots = [trace for trace in skill_chart(many, theme=LIGHT).data if trace.name != "key"]
    shifts = np.array([np.subtract(trace.x, range(4)) for trace in dots])
    assert len(np.unique(shifts[:, 0])) == count
    np.testing.assert_allclose(shifts.mean(axis=0), 0, atol=1e-9)
    assert (abs(shifts) < 0.5).all()


@pytest.mark.parametrize("highest", [0.95, 1.4, 9.0])
def test_even_grid_lines_of_relative_scores_leave_no_end_of_the_axis_without_one(
    scores: pd.DataFrame, highest: float
) -> None:
    rows = scores[["model_id", "name", "horizon"]].assign(relative_wis=np.linspace(0.62, highest, len(scores)))
    axis = skill_chart(rows, theme=LIGHT).layout.yaxis
    (low, high), ticks = axis.range, np.array(axis.tickvals)
    step = ticks[1] - ticks[0]
    np.testing.assert_allclose(np.diff(ticks), step)
    assert ticks[0] - step < low <= ticks[0] and ticks[-1] <= high < ticks[-1] + step + 1e-9
    assert [float(text) for text in axis.ticktext] == pytest.approx(ticks)


def test_ten_models_beside_the_ensemble_have_ten_marks(scores: pd.DataFrame) -> None:
    other = scores[scores["model_id"] == "vigie-ets"]
    many = pd.concat([scores, *(other.assign(model_id=f"team-{place}") for place in range(9))])
    traces = [trace for trace in skill_chart(many, theme=LIGHT).data if trace.name != "key"]
    assert len({trace.marker.symbol for trace in traces}) == len(traces) == 11


def test_skill_in_words_counts_the_horizons_that_beat_the_baseline(scores: pd.DataFrame) -> None:
    assert skill_alt(scores) == (
        "Ensemble: better than the baseline at 2 of 4 horizons. "
        "Relative WIS 0.73, 1 month ahead, and 1.06, 12 months ahead."
    )
    assert skill_alt(scores.iloc[:0]) == "No scores yet."


def test_shares_of_past_outcomes_may_be_all_or_none_of_them() -> None:
    """A chance is never quite certain; what was counted may be."""
    assert "held the outcome in 100% of cases" in coverage_alt(pd.DataFrame({"nominal": [0.95], "observed": [1.0]}))
    assert pit_alt(pd.DataFrame({"bin_low": [0.0, 0.5], "share": [0.0, 1.0]})).startswith("0% of outcomes")


def test_missing_columns_are_named(members: pd.DataFrame, scores: pd.DataFrame) -> None:
    with pytest.raises(SchemaError, match="q25"):
        members_chart(members.drop(columns="q25"), unit="Arrivals", theme=LIGHT)
    with pytest.raises(SchemaError, match="relative_wis"):
        skill_chart(scores.drop(columns="relative_wis"), theme=LIGHT)
    with pytest.raises(SchemaError, match="observed"):
        coverage_chart(pd.DataFrame({"nominal": [0.5]}), theme=LIGHT)
    with pytest.raises(SchemaError, match="share"):
        pit_histogram(pd.DataFrame({"bin_low": [0.0]}), theme=LIGHT)
