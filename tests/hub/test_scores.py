"""League tables: the same rows for all, ratios as the hubs take them, weights from the past alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core import QUANTILE_LEVELS, FloatArray
from forecasting.quantiles import QuantileTable
from hub.score import MEDIAN, WEIGHTED, as_quantiles, by_unit, combine, grid, league, pairwise, unit_of

MODELS = {"vigie-baseline": 0.5, "team-sharp": 0.1, "team-wide": 1.0}
"""Spread of each model's forecast on log scale."""


def table(models: dict[str, float] = MODELS, rounds: int = 30) -> tuple[QuantileTable, FloatArray]:
    """Forecasts of months 1 to 3 of one series by models that differ in their spread, and outcomes."""
    rng = np.random.default_rng(3)
    origins = pd.date_range("2020-01-31", periods=rounds + 3, freq="ME")
    level = np.log(1000) + np.cumsum(rng.normal(0, 0.1, len(origins)))
    keys, quantiles, observed = [], [], []
    scores = np.linspace(-2.3, 2.3, len(QUANTILE_LEVELS))
    for place, origin in enumerate(origins[:rounds]):
        for horizon in (1, 2, 3):
            for model_id, spread in models.items():
                keys.append((model_id, "s", origin, horizon, origins[place + horizon]))
                quantiles.append(np.exp(level[place] + spread * scores))
                observed.append(np.exp(level[place + horizon]))
    names = ["model_id", "series_id", "origin_date", "horizon", "target_end_date"]
    return QuantileTable(pd.DataFrame(keys, columns=names), np.stack(quantiles)), np.asarray(observed)


def test_pairwise_ratio_of_same_rows_is_plain() -> None:
    made, observed = table()
    lines = league(grid(made, observed), "vigie-baseline")
    assert np.allclose(lines["pairwise_wis"], lines["relative_wis"])
    assert (lines.loc[lines["model_id"] == "vigie-baseline", "pairwise_wis"] == 1).all()
    near = lines[(lines["kind"] == "span") & (lines["model_id"] == "team-sharp")].iloc[0]
    assert near["relative_wis_hi"] < 1
    assert near["p_holm"] < 0.1


def test_skipped_rounds_are_left_out_and_counted() -> None:
    made, observed = table()
    some = ((made.keys["model_id"] != "team-wide") | (made.keys["origin_date"] < "2021-01-01")).to_numpy()
    lines = league(grid(made.where(some), observed[some]), "vigie-baseline")
    wide = lines[(lines["kind"] == "all") & (lines["model_id"] == "team-wide")].iloc[0]
    assert (wide["n"], wide["missing"], wide["rounds"]) == (36, 54, 12)


def test_pairwise_ratio_ignores_skipped_hard_rounds() -> None:
    hard = np.asarray([[1.0, 2.0, 4.0], [10.0, 20.0, np.nan]])
    theta = pairwise(hard)
    assert np.allclose(theta / theta[0], [1, 2, 4])


def test_shares_of_tenths_add_up_and_ties_are_shared_out() -> None:
    keys = pd.DataFrame({"model_id": ["a", "a"], "series_id": ["s", "t"], "origin_date": pd.Timestamp("2020-01-31"),
                         "horizon": 1, "target_end_date": pd.Timestamp("2020-02-29")})  # fmt: skip
    quantiles = np.stack([np.zeros(23), np.arange(23.0)])
    scored = grid(QuantileTable(keys, quantiles), np.asarray([0.0, 100.0]))
    assert np.allclose(scored.pit[0, 0], 0.1)
    assert scored.pit[1, 0, 9] == 1
    (line,) = [row for row in league(scored, "a").to_dict("records") if row["kind"] == "all"]
    assert [line[f"pit_{one}"] for one in range(1, 11)] == pytest.approx([0.05] * 9 + [0.55])
    assert "pit_11" not in line


def test_median_ensemble_is_median_of_its_members_quantiles() -> None:
    made, observed = table()
    combined = combine(made, observed, MODELS)
    first = combined.of_model(MEDIAN)
    members = made.quantiles[:3]
    assert np.allclose(first.quantiles[0], np.median(members, axis=0))
    assert set(combined.keys["model_id"]) == {MEDIAN, WEIGHTED}


def test_one_member_makes_no_ensemble() -> None:
    made, observed = table()
    assert len(combine(made, observed, ["team-sharp"]).keys) == 0


def test_single_member_task_has_no_ensemble() -> None:
    made, observed = table(rounds=3)
    tasks = made.keys["origin_date"].dt.strftime("%Y-%m") + "+" + made.keys["horizon"].astype(str)
    for lonely in (tasks.iloc[0], tasks.iloc[4], tasks.iloc[-1]):
        kept = ((tasks != lonely) | (made.keys["model_id"] == "team-wide")).to_numpy()
        found = combine(made.where(kept), observed[kept], MODELS).of_model(MEDIAN).keys
        origins = found["origin_date"].dt.strftime("%Y-%m") + "+" + found["horizon"].astype(str)
        assert sorted(origins) == sorted(set(tasks) - {lonely})


@pytest.mark.parametrize(
    ("series_id", "unit"),
    [
        ("arrivals.CMR._T._T.M", ("arrivals", "M")), ("asylum._Z.DEU._T.Q", ("asylum", "Q")), ("a.b.c.d.W", ("a", "W")),
        ("a.b.c.d.A", ("", "")), ("a.b.c.M", ("", "")), ("a.b.c.d.e.M", ("", "")), ("s", ("", "")),
    ],
)  # fmt: skip
def test_what_is_scored_together_has_one_target_and_frequency(series_id: str, unit: tuple[str, str]) -> None:
    assert unit_of(series_id) == unit


def league_of(horizons: list[int], freq: str, start: str = "2020-01-31") -> pd.DataFrame:
    """The league of one model beside the baseline, one round with these horizons."""
    periods = {"M": "ME", "Q": "QE", "W": "W-SUN"}
    ends = pd.date_range(start, periods=max(horizons) + 1, freq=periods[freq])
    keys = [(model, "s", ends[0], step, ends[step]) for model in ("b", "m") for step in horizons]
    names = ["model_id", "series_id", "origin_date", "horizon", "target_end_date"]
    table = QuantileTable(pd.DataFrame(keys, columns=names), np.tile(np.linspace(50.0, 150.0, 23), (len(keys), 1)))
    return league(grid(table, np.full(len(keys), 90.0)), "b", freq)


@pytest.mark.parametrize(
    ("freq", "spans"),
    [("M", {"1-3": 3, "4-6": 3, "7-12": 6}), ("Q", {"1-2": 2, "3-4": 2}), ("W", {"1-2": 2, "3-4": 2, "5-8": 4})],
)
def test_scores_are_by_span_and_by_period(freq: str, spans: dict[str, int]) -> None:
    longest = sum(spans.values())
    lines = league_of(list(range(1, longest + 1)), freq)
    own = lines[lines["model_id"] == "m"]
    counts = {kind: rows.set_index("group")["n"].to_dict() for kind, rows in own.groupby("kind")}
    assert counts["span"] == spans
    assert counts["horizon"] == {str(step): 1 for step in range(1, longest + 1)}
    assert counts["all"] == {"_T": longest}
    first = next(iter(spans.values()))
    assert counts["series"] == {"s": first}
    assert sum(counts["season"].values()) == first


def test_each_unit_is_scored_apart_with_outcomes_of_its_own_rows() -> None:
    names = ["arrivals.CMR._T._T.M", "arrivals.CHA.GBR._T.W", "arrivals.EMR._T._T.M"]
    keys, values = pd.DataFrame({"series_id": names}), np.asarray([1.0, 2.0, 3.0])
    parts = list(by_unit(QuantileTable(keys, values[:, None]), values))
    assert [unit for unit, *_rest in parts] == [("arrivals", "M"), ("arrivals", "W")]
    for _unit, part, (column,) in parts:
        assert part.quantiles[:, 0].tolist() == column.tolist()
    assert parts[0][2][0].tolist() == [1.0, 3.0]


def test_weights_rest_on_nothing_that_came_after_round() -> None:
    made, observed = table()
    before = combine(made, observed, MODELS).of_model(WEIGHTED)
    later = (made.keys["target_end_date"] > "2021-06-30").to_numpy()
    changed = combine(made, np.where(later, observed * 50, observed), MODELS).of_model(WEIGHTED)
    early = (before.keys["origin_date"] <= "2021-06-30").to_numpy()
    assert np.array_equal(before.quantiles[early], changed.quantiles[early])
    assert not np.allclose(before.quantiles[~early], changed.quantiles[~early])


def test_interval_includes_its_ends() -> None:
    levels = list(QUANTILE_LEVELS)
    quantiles = np.arange(23.0)
    low, high = levels.index(0.1), levels.index(0.9)
    outcomes = [low - 0.5, float(low), float(high), high + 0.5]
    keys = pd.DataFrame(
        {"model_id": "m", "series_id": [f"s{place}" for place in range(4)], "origin_date": pd.Timestamp("2020-01-31"),
         "horizon": 1, "target_end_date": pd.Timestamp("2020-02-29")}
    )  # fmt: skip
    scored = grid(QuantileTable(keys, np.tile(quantiles, (4, 1))), np.asarray(outcomes))
    assert scored.covered[0.8][:, 0].tolist() == [False, True, True, False]


def test_levels_are_read_from_column_names() -> None:
    rows = pd.DataFrame({"model_id": ["a"], "horizon": [1], "0.25": [3.0], "0.5": [4.0], "sha256": ["5"]})
    found, levels = as_quantiles(rows)
    assert levels == [0.25, 0.5]
    assert found.quantiles.tolist() == [[3.0, 4.0]]
    assert list(found.keys.columns) == ["model_id", "horizon", "sha256"]


def test_weight_is_inverse_score_of_twelve_months() -> None:
    made, observed = table(rounds=30)
    combined = combine(made, observed, MODELS).of_model(WEIGHTED)
    origin = combined.keys["origin_date"].max()
    ends, first = made.keys["target_end_date"], origin - pd.DateOffset(months=12)
    scored = grid(made, np.where((ends <= origin) & (ends > first), observed, np.nan))
    theta = pairwise(scored.scores)
    share = pd.Series(1 / theta, scored.models)
    rows = ((made.keys["origin_date"] == origin) & (made.keys["horizon"] == 1)).to_numpy()
    logs, names = np.log1p(made.quantiles[rows]), made.keys["model_id"][rows]
    expected = np.expm1((share[names].to_numpy() @ logs) / share[names].sum())
    here = ((combined.keys["origin_date"] == origin) & (combined.keys["horizon"] == 1)).to_numpy()
    assert combined.quantiles[here][0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("freq", "start", "seasons"),
    [
        ("M", "2020-11-30", {"winter": 3}),
        ("M", "2020-01-31", {"winter": 1, "spring": 2}),
        ("M", "2020-07-31", {"summer": 1, "autumn": 2}),
        ("Q", "2019-12-31", {"winter": 1, "spring": 1}),
        ("Q", "2020-06-30", {"summer": 1, "autumn": 1}),
    ],
)
def test_months_and_quarters_have_seasons(freq: str, start: str, seasons: dict[str, int]) -> None:
    lines = league_of([1, 2, 3] if freq == "M" else [1, 2], freq, start)
    own = lines[(lines["model_id"] == "m") & (lines["kind"] == "season")]
    assert own.set_index("group")["n"].to_dict() == seasons
