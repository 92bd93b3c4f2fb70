"""A driver that leads the series is found; noise, wrong months and mere gaps are not."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from benchmarks import placebo
from benchmarks.placebo import EVIDENCE, MODEL_ID, PARTS, Driver, World
from core.release import DRIVER_TESTS
from core.schema import ALL, check
from forecasting import LEVELS
from forecasting.models import POOLED_MODELS
from forecasting.panel import Panel, read_panel
from tests.forecasting.conftest import make_rows

MONTHS, ORIGINS = 120, 36
PAIRS = {"one|AAA": ("one", "AAA"), "one|BBB": ("one", "BBB"), "two|AAA": ("two", "AAA"), "two|BBB": ("two", "BBB")}


def kept(*learned: np.ndarray | float) -> bytes:
    """What is learned is the rows themselves."""
    content = io.BytesIO()
    np.savez(content, *learned)
    return content.getvalue()


def regression(fitted: bytes, ahead: np.ndarray) -> np.ndarray:
    """A quick stand-in for boosting: weighted least squares with normal errors."""
    described, growth, weights, _seasons = np.load(io.BytesIO(fitted)).values()
    centre, scale = np.nanmean(described, axis=0), np.nanstd(described, axis=0) + 1e-9
    known, wanted = (np.nan_to_num((part - centre) / scale) for part in (described, ahead))
    root = np.sqrt(weights)
    design = np.column_stack([np.ones(len(known)), known])
    penalty = 1e-3 * np.eye(design.shape[1])
    line = np.linalg.solve(design.T @ (design * weights[:, None]) + penalty, design.T @ (growth * weights))
    spread = np.sqrt(((growth - design @ line) ** 2 * root).sum() / root.sum())
    found: np.ndarray = (np.column_stack([np.ones(len(wanted)), wanted]) @ line)[:, None] + spread * ndtri(LEVELS)
    return found


@pytest.fixture(autouse=True)
def quick_model(monkeypatch: pytest.MonkeyPatch) -> None:
    model = dataclasses.replace(POOLED_MODELS[MODEL_ID], fit=kept, levels=LEVELS, predict=regression)
    monkeypatch.setattr(placebo, "POOLED_MODELS", {MODEL_ID: model})


@pytest.fixture(scope="module")
def led() -> tuple[World, np.ndarray]:
    """A world whose growth follows last month's figure of a driver, and that driver by month."""
    random = np.random.default_rng(5)
    driver = random.standard_normal(MONTHS)
    growth = 0.5 * np.concatenate([[0.0], driver[:-1]])
    series = {
        name: np.round(np.exp(6 + 0.3 * place + (growth + 0.05 * random.standard_normal(MONTHS)).cumsum() * 0.5))
        for place, name in enumerate(PAIRS)
    }
    rows = make_rows(series)
    rows["route_id"] = rows["series_id"].map(lambda name: PAIRS[name][0])
    rows["citizen"] = rows["series_id"].map(lambda name: PAIRS[name][1])
    parts = read_panel(rows)
    totals = parts.matrix.T.groupby(parts.groups["route_id"]).sum().T
    return World(Panel("M", totals, pd.DataFrame(index=totals.columns)), parts, parts), driver


def everywhere(values: np.ndarray, world: World) -> np.ndarray:
    return np.repeat(values[:, None], len(world.is_total), axis=1)


def test_driver_that_leads_series_is_found_and_noise_is_not(led: tuple[World, np.ndarray]) -> None:
    world, true = led
    noise = np.random.default_rng(6).standard_normal(MONTHS)
    drivers = [Driver("true", (everywhere(true, world),)), Driver("noise", (everywhere(noise, world),))]
    found = check(placebo.test_drivers(world, drivers, origins=ORIGINS, horizons=(1,)), DRIVER_TESTS)
    verdicts = found[found["series_id"].isin([ALL, PARTS])].groupby("driver")["verdict"].unique()
    assert list(verdicts["true"]) == [EVIDENCE]
    assert EVIDENCE not in verdicts["noise"]
    overall = found[(found["driver"] == "true") & (found["series_id"] == ALL) & (found["scale"] == "log")].iloc[0]
    assert overall["ratio"] < 0.7
    assert overall["n"] == ORIGINS * 2


def test_what_comes_after_origin_does_not_change_its_forecast(led: tuple[World, np.ndarray]) -> None:
    world, true = led
    extra = placebo.described(Driver("true", (everywhere(true, world),)))
    changed = extra.copy()
    changed[-1] = 99.0
    one, other = (placebo.losses(world, columns, origins=12, horizons=(1,)) for columns in (extra, changed))
    pd.testing.assert_frame_equal(one, other)


def test_late_placebo_keeps_values_and_gaps(led: tuple[World, np.ndarray]) -> None:
    world, true = led
    values = everywhere(true, world)
    values[:30, 0] = np.nan
    late = placebo.shifted(Driver("true", (values,))).columns[0]
    np.testing.assert_array_equal(np.isfinite(late), np.isfinite(values))
    np.testing.assert_allclose(np.sort(late[30:, 0]), np.sort(values[30:, 0]))
    np.testing.assert_allclose(late[30 + placebo.SHIFT :, 0], values[30 : MONTHS - placebo.SHIFT, 0])


def test_gain_that_constant_brings_too_is_no_evidence() -> None:
    origins = pd.period_range("2018-01", periods=40, freq="M").end_time.normalize()
    base = np.random.default_rng(8).uniform(0.8, 1.2, 40)

    def scores(factor: float) -> pd.DataFrame:
        frame = pd.DataFrame({"series_id": "one", "origin_date": origins, "horizon": 1, "n": 1})
        return frame.assign(wis=base * factor)

    factors = {"": 1.0, "d/driver": 0.9, "d/shifted": 1.0, "d/missing": 0.9}
    table = placebo.judged({name: _with_parts(scores(factor)) for name, factor in factors.items()}, ["d"])
    assert (table["ratio_hi"] < 1).all()
    assert set(table["verdict"]) == {"no evidence"}


def _with_parts(scores: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([scores, scores.assign(series_id=PARTS)], ignore_index=True)


def test_driver_is_tested_by_sums_of_scores_at_each_origin() -> None:
    origins = pd.date_range("2020-01-31", periods=30, freq="ME")
    counts, random = np.where(np.arange(30) % 3, 2.0, 40.0), np.random.default_rng(1)
    means = {name: random.uniform(0.1, 0.3, 30) for name in ("", "a/driver")}
    scores = {
        name: pd.DataFrame({"series_id": "s", "horizon": 3, "origin_date": origins, "wis": mean * counts, "n": counts})
        for name, mean in means.items()
    }
    found = placebo._ratios(scores, "a", "s", 3)
    assert (found["p_value"] < 0.10) == (found["ratio_lo"] > 1 or found["ratio_hi"] < 1)
    assert found["ratio"] == pytest.approx((means["a/driver"] @ counts) / (means[""] @ counts))
    assert found["n"] == counts.sum() and np.isnan(found["shifted"])
