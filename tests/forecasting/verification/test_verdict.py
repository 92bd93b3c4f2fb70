"""The bootstrap draws neighbours together and claims nothing from too few; one verdict on a ratio, wherever shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from forecasting.verification.verdict import (
    BETTER,
    LIKELY,
    LONGEST_ALERT,
    NO_EVIDENCE,
    TOO_FEW,
    WORSE,
    block_length,
    block_weights,
    draw_weights,
    holm,
    holm_within,
    ratio_interval,
    skill,
    verdicts,
)


def scores(**columns: list[float]) -> pd.DataFrame:
    """Scores of the ensemble at four horizons: better, not known, worse, and no interval."""
    rows = {
        "model_id": "vigie-ensemble", "series_id": "a", "horizon": [1, 2, 3, 4], "scale": "log", "n": 50,
        "relative_wis": [0.8, 0.95, 1.2, 0.5], "relative_wis_lo": [0.7, 0.9, 1.1, np.nan],
        "relative_wis_hi": [0.9, 1.05, 1.3, np.nan], "p_holm": [0.01, 0.9, 0.01, np.nan],
    }  # fmt: skip
    return pd.DataFrame(rows | columns)


def test_verdict_needs_interval_beyond_1() -> None:
    assert skill(scores())["verdict"].tolist() == [BETTER, NO_EVIDENCE, WORSE, TOO_FEW]


def test_holm_correction_leaves_likely_better() -> None:
    judged = skill(scores(p_holm=[0.2, 0.5, 0.09, np.nan]))
    assert judged["verdict"].tolist() == [LIKELY, NO_EVIDENCE, WORSE, TOO_FEW]


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.2), (0.8, 1.0), (1.0, 1.0)])
def test_interval_that_touches_1_is_no_evidence(low: float, high: float) -> None:
    assert verdicts([low], [high]).tolist() == [NO_EVIDENCE]


@pytest.mark.parametrize(("low", "high"), [(np.nan, np.nan), (1.1, np.nan)])
def test_ratio_without_interval_has_too_few_cases(low: float, high: float) -> None:
    assert verdicts([low], [high], [np.nan]).tolist() == [TOO_FEW]


def test_holm_corrects_smallest_p_most_and_keeps_their_order() -> None:
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])


def test_holm_leaves_out_tests_that_could_not_be_made() -> None:
    np.testing.assert_allclose(holm(np.array([0.02, np.nan, 0.9])), [0.04, np.nan, 0.9])


def test_holm_runs_within_each_family() -> None:
    rows = pd.DataFrame({"family": ["a", "a", "b"], "p_value": [0.02, 0.5, 0.04]})
    np.testing.assert_allclose(holm_within(rows, ["family"]), [0.04, 0.5, 0.04])


def test_months_are_drawn_in_blocks() -> None:
    weights = draw_weights(120, draws=2000)[1:]
    near = np.corrcoef(weights[:, 50], weights[:, 51])[0, 1]
    far = np.corrcoef(weights[:, 50], weights[:, 50 + 2 * LONGEST_ALERT + 5])[0, 1]
    assert near > 0.8
    assert abs(far) < 0.2


def exchangeable_scores(horizon: int, origins: int = 60, worlds: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Absolute errors of two forecasters who are equally good: moving averages of order h - 1, volatility that wanders.

    Half of what surprises one surprises the other too. Shape ``(worlds, origins)`` each.
    """
    random = np.random.default_rng(horizon)
    months = origins + horizon
    level = random.normal(0, 0.8, worlds)
    volatility = np.empty((worlds, months))
    for month in range(months):
        level = 0.95 * level + random.normal(0, 0.25, worlds)
        volatility[:, month] = np.exp(level)
    shared, first, second = random.normal(size=(3, worlds, months)) * volatility

    def errors(own: np.ndarray) -> np.ndarray:
        sums = np.cumsum(np.sqrt(0.5) * (shared + own), axis=1)
        overlapping: np.ndarray = np.abs(sums[:, horizon:] - sums[:, :-horizon])
        return overlapping

    return errors(first), errors(second)


@pytest.mark.parametrize("horizon", [1, 3, 6, 12])
def test_nominal_90_interval_holds_85_of_100_worlds(horizon: int) -> None:
    worlds = zip(*exchangeable_scores(horizon), strict=True)
    found = [ratio_interval(own, reference, horizon=horizon) for own, reference in worlds]
    inside = np.mean([one.low <= 1 <= one.high for one in found])
    assert 0.85 <= inside <= 0.95
    assert np.mean([one.p_value < 0.10 for one in found]) == pytest.approx(1 - inside)


@pytest.mark.parametrize("horizon", range(1, 13))
def test_blocks_are_at_least_twice_as_long_as_horizon(horizon: int) -> None:
    assert all(block_length(origins, horizon) >= 2 * horizon for origins in range(8, 120))


@pytest.mark.parametrize(("origins", "horizon"), [(8, 1), (24, 3), (48, 12), (60, 2)])
def test_interval_is_bias_corrected_spread(origins: int, horizon: int) -> None:
    random = np.random.default_rng(origins)
    own, reference = random.gamma(4, 0.8, origins), random.gamma(4, 1.0, origins)
    length = block_length(origins, horizon)
    logs = [np.log(sum(row * own) / sum(row * reference)) for row in block_weights(origins, length)]
    part = length / origins
    error = np.std(logs) / np.sqrt(1 - part + part**2 / 3)
    freedom = max(1.5 * origins / length - 1, 1)
    found = ratio_interval(own, reference, horizon=horizon)
    centre, reach = np.log(own.sum() / reference.sum()), student.ppf(0.95, freedom) * error
    assert [found.ratio, found.low, found.high] == pytest.approx(np.exp([centre, centre - reach, centre + reach]))
    assert found.p_value == pytest.approx(2 * student.sf(abs(centre) / error, freedom))


@pytest.mark.parametrize("seed", range(20))
def test_p_below_tenth_equals_interval_without_1(seed: int) -> None:
    random = np.random.default_rng(seed)
    own, reference = random.gamma(4, 0.7 + seed / 30, 40), random.gamma(4, 1.0, 40)
    found = ratio_interval(own, reference, horizon=2)
    assert (found.p_value < 0.10) == (found.low > 1 or found.high < 1)
    other = ratio_interval(reference, own, horizon=2)
    assert [other.low, other.high, other.p_value] == pytest.approx([1 / found.high, 1 / found.low, found.p_value])


@pytest.mark.parametrize(("origins", "horizon"), [(7, 1), (47, 12)])
def test_few_origins_give_no_interval(origins: int, horizon: int) -> None:
    found = ratio_interval(np.full(origins, 0.5), np.ones(origins), horizon=horizon)
    assert found.ratio == 0.5
    assert np.isnan([found.low, found.high, found.p_value]).all()


def test_reference_without_any_error_gives_no_ratio() -> None:
    found = ratio_interval(np.ones(40), np.zeros(40), horizon=1)
    assert np.isnan([found.ratio, found.low, found.high, found.p_value]).all()


@pytest.mark.parametrize(
    ("origins", "horizon", "length"),
    [(8, 1, 3), (60, 1, 3), (60, 2, 6), (9, 2, 4), (15, 2, 5), (18, 2, 6), (60, 12, 24), (90, 12, 30), (108, 12, 36),
     (200, 12, 36), (60, 6, 18), (48, 6, 16), (12, 6, 12)],
)  # fmt: skip
def test_block_is_up_to_three_horizons_long(origins: int, horizon: int, length: int) -> None:
    assert block_length(origins, horizon) == length


@pytest.mark.parametrize(("origins", "rows"), [(4 * LONGEST_ALERT - 1, 1), (4 * LONGEST_ALERT, 401), (60, 401)])
def test_resamples_need_enough_months(origins: int, rows: int) -> None:
    weights = draw_weights(origins)
    assert weights.shape == (rows, origins)
    assert (weights[0] == 1).all()


def test_constant_ratio_has_no_width() -> None:
    reference = np.random.default_rng(2).gamma(2, 1, 60)
    same = ratio_interval(0.8 * reference, reference, horizon=3)
    assert (same.ratio, same.low, same.high) == pytest.approx((0.8, 0.8, 0.8))
    assert same.p_value == 0.0
    assert ratio_interval(reference, reference, horizon=3).p_value == 1.0
    wide = ratio_interval(reference * np.tile([0.5, 1.5], 30), reference, horizon=3)
    assert wide.low < 1 < wide.high
