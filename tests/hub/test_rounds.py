"""Weeks and asylum are handed in, measured and scored like months: under the open round, on figures known then."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from runpy import run_path

import numpy as np
import pandas as pd
import pytest

from core import QUANTILE_LEVELS
from core.release import FORECASTS
from core.settings import PROJECT
from forecasting import BASELINE
from hub.files import validate
from hub.night import collect, hub_tables
from hub.own import RHYTHMS, baseline, config_files, open_round
from store.hub import HubFiles
from tests.hub.test_nights import write
from tests.hub.test_submissions import ABOUT

MONTH, WEEK, QUARTER = "arrivals.CMR._T._T.M", "arrivals.CHA.GBR._T.W", "asylum_applications_first._Z.DEU._T.Q"
MODEL = "team-model"
PEERS = PROJECT / "benchmarks" / "peers" / "common.py"


def counts(series_id: str, ends: pd.DatetimeIndex, days_later: int) -> pd.DataFrame:
    """Figures that rise a little, each known some days after its period."""
    values = 1000.0 + 10 * np.arange(len(ends)) + 50 * (np.arange(len(ends)) % 3)
    return pd.DataFrame(
        {"series_id": series_id, "target_end_date": ends, "value": values,
         "as_of": ends + pd.Timedelta(days=days_later)}
    )  # fmt: skip


COUNTS = pd.concat(
    [
        counts(WEEK, pd.date_range("2023-01-01", "2024-12-29", freq="W-SUN"), 1),
        counts(QUARTER, pd.date_range("2015-03-31", "2024-12-31", freq="QE"), 76),
    ],
    ignore_index=True,
)


def submission(series_id: str, origin: str, horizons: int) -> pd.DataFrame:
    """Forecasts of one series, widely spread."""
    last = pd.Period(origin, freq={"W": "W-SUN", "Q": "Q-DEC"}[series_id[-1]])
    task = {"origin_date": origin, "target": series_id.partition(".")[0], "series_id": series_id}
    rows = [
        task | {"horizon": step, "target_end_date": str((last + step).end_time.date()), "output_type": "quantile",
                "output_type_id": f"{level:g}", "value": 1500 * (0.5 + level)}
        for step in range(1, horizons + 1)
        for level in QUANTILE_LEVELS
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_weeks_and_quarters_use_baseline_of_round(tmp_path: Path) -> None:
    files = config_files([WEEK, QUARTER], dt.date(2024, 12, 31), "A hub")
    for series_id, origin, horizons in ((WEEK, "2024-10-06", 8), (QUARTER, "2024-03-31", 4)):
        rows = submission(series_id, origin, horizons)
        files[f"model-output/{MODEL}/{origin}-{MODEL}.csv"] = rows.to_csv(index=False).encode()
    place = write(tmp_path / "hub", files | {f"model-metadata/{MODEL}.yml": ABOUT})
    assert [one.late for one in collect(place, tmp_path, dt.date(2024, 10, 8)).added] == [True, False]
    tables = hub_tables(FORECASTS.empty(), COUNTS, tmp_path, dt.date(2025, 1, 31))
    scores = tables["hub_scores"]
    own = scores[(scores["model_id"] == MODEL) & (scores["timing"] == "all") & (scores["kind"] == "all")]
    assert set(zip(own["target"], own["freq"], own["n"], strict=True)) == {
        ("arrivals", "W", 8),
        ("asylum_applications_first", "Q", 3),
    }
    spans = scores.loc[scores["kind"] == "span"].groupby("freq")["group"].unique()
    assert set(spans["W"]) == {"1-2", "3-4", "5-8"}
    assert set(spans["Q"]) == {"1-2", "3-4"}
    shown = tables["hub_forecasts"]
    mine = shown[(shown["series_id"] == QUARTER) & (shown["model_id"] == BASELINE)]
    mine = mine[mine["origin_date"] == "2024-03-31"]
    # When the round of March closed, the year's last quarter was the newest one known.
    known = COUNTS[(COUNTS["series_id"] == QUARTER) & (COUNTS["target_end_date"] == "2023-12-31")]
    assert (mine["q50"] == known["value"].iloc[0].round()).all()
    assert list(mine["horizon"]) == [1, 2, 3, 4]


def test_night_does_not_know_rounds_that_were_still_open(tmp_path: Path) -> None:
    shown = hub_tables(FORECASTS.empty(), COUNTS, tmp_path, dt.date(2024, 6, 30))["hub_forecasts"]
    assert shown["origin_date"].max() <= pd.Timestamp("2024-06-30")
    assert shown.loc[shown["series_id"].str.endswith(".M"), "origin_date"].max() == pd.Timestamp("2024-04-30")


@pytest.mark.parametrize(
    ("freq", "day", "end"),
    [
        ("M", "2025-01-31", "2024-12-31"),
        ("M", "2025-03-01", "2025-02-28"),
        ("Q", "2025-01-31", "2024-12-31"),
        ("Q", "2025-02-01", None),
        ("W", "2024-12-31", "2024-12-29"),
        ("W", "2024-12-29", None),
        ("W", "2024-07-03", None),  # Sunday 30 June ends a month
    ],
)
def test_open_round_is_newest_that_takes_submissions(freq: str, day: str, end: str | None) -> None:
    found = open_round(freq, dt.date.fromisoformat(day))  # type: ignore[arg-type]  # one of the frequencies
    assert found == (None if end is None else pd.Timestamp(end))


def test_round_baseline_uses_figures_at_closing() -> None:
    corrected = COUNTS[COUNTS["target_end_date"] == "2024-11-24"].assign(value=9999.0, as_of=pd.Timestamp("2024-12-20"))
    rounds = pd.DataFrame({"series_id": WEEK, "origin_date": pd.to_datetime(["2024-11-24"])})
    first, again = (baseline(rows, rounds) for rows in (COUNTS, pd.concat([COUNTS, corrected], ignore_index=True)))
    assert np.array_equal(first.quantiles, again.quantiles)
    assert list(first.keys["horizon"]) == list(range(1, 9))
    short = COUNTS[COUNTS["target_end_date"] > "2024-10-01"]
    assert baseline(short, rounds).keys.empty


def test_peer_submission_keeps_every_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    months = counts(MONTH, pd.date_range("2015-01-31", "2024-12-31", freq="ME"), 20)
    rows = pd.concat([COUNTS, months]).rename(columns={"value": "observation"})
    files = config_files([MONTH, WEEK, QUARTER], dt.date(2025, 1, 31), "A hub")
    place = write(tmp_path, files | {"target-data/time-series.csv": rows.to_csv(index=False).encode()})
    monkeypatch.setattr("sys.argv", ["peer", place, "2024-12-29", "2024-12-31"])
    spread = np.linspace(-0.2, 0.2, len(QUANTILE_LEVELS))
    run_path(str(PEERS))["main"](
        "peers-last", "Last value", "The last value.",
        lambda known: {name: np.tile(logs.iloc[-1] + spread, (known.horizon, 1)) for name, logs in known.logs.items()},
    )  # fmt: skip
    found = validate(HubFiles(place))
    assert found == ([], 3)
    written = pd.concat(pd.read_parquet(path) for path in (tmp_path / "model-output").rglob("*.parquet"))
    farthest = written.groupby("series_id")["horizon"].max()
    assert farthest.to_dict() == {name: RHYTHMS[name[-1]].horizons for name in (MONTH, WEEK, QUARTER)}  # type: ignore[index]  # one of the frequencies


def test_peer_distribution_keeps_median_and_spread() -> None:
    peers = run_path(str(PEERS))
    assert peers["LEVELS"] == pytest.approx(QUANTILE_LEVELS)
    found = peers["normal"](np.array([1.0, 2.0]), np.array([0.5, 0.0]))
    assert found[:, 11].tolist() == [1.0, 2.0]
    middle = QUANTILE_LEVELS.index(0.95), QUANTILE_LEVELS.index(0.05)
    assert found[0, list(middle)] == pytest.approx([1 + 0.5 * 1.6449, 1 - 0.5 * 1.6449], abs=1e-4)
    assert (np.diff(found, axis=1) > 0).all()
    assert found[1] == pytest.approx(2.0, abs=1e-5)


def test_repeating_peer_spreads_by_its_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PEERS.parent))
    monkeypatch.delitem(sys.modules, "common", raising=False)
    forecast = run_path(str(PEERS.with_name("seasonal_walk.py")))["forecast"]
    months = pd.date_range("2020-01-31", periods=36, freq="ME")
    logs = pd.Series(np.arange(36) % 12 + 0.1 * (np.arange(36) // 12), index=months)
    known = run_path(str(PEERS))["Known"]({"a": logs}, 14, 12, "ME")
    found = forecast(known)["a"]
    assert found.shape == (14, 23)
    assert found[:, 11] == pytest.approx([*logs[-12:], *logs[-12:-10]])
    assert found[:, -1] - found[:, 0] == pytest.approx(0.2), "a year more is a tenth more, up or down"


def test_guide_model_is_random_walk() -> None:
    script = run_path(str(PROJECT / "hub" / "templates" / "templates" / "submit.py"))
    assert script["LEVELS"] == pytest.approx(QUANTILE_LEVELS)
    values = np.expm1(np.concatenate([np.full(50, 9.0), 1.0 + 0.1 * np.arange(130) / 10]))
    for steps in (1, 3):
        found = np.log1p(script["forecast"](values, steps))
        assert found[11] == pytest.approx(np.log1p(values[-1]))
        assert found[[0, -1]] - found[11] == pytest.approx([-0.01 * steps, 0.01 * steps]), (
            "of the last 120 errors alone"
        )
    assert (script["forecast"](np.asarray([5.0, 0.0] * 30), 1) >= 0).all()
