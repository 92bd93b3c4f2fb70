"""A miniature world: five routes, made-up figures, published through the real store."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from filelock import FileLock
from streamlit.components.v2 import manifest_scanner

from core import QUANTILE_LEVELS
from core.errors import Message
from core.release import RELEASE
from core.routes import ARRIVAL_ROUTES
from core.schema import make_series_id
from core.settings import Settings
from dashboard import decisions as dashboard_decisions
from dashboard import layout
from decisions import open_workflow
from decisions.sending import send_waiting
from store.releases import About, Release, ReleaseStore
from tests.release_tables import whole_release
from tests.servers import MADE_ONCE

from .asylum_frames import asylum_frames
from .asylum_frames import observed as asylum_observed
from .hub_frames import hub_frames
from .reception_frames import observed as reception_observed
from .reception_frames import reception_frames

AS_OF = dt.date(2025, 1, 31)
SIZES = {"CMR": 6000.0, "EMR": 4500.0, "WMR": 1500.0, "WAR": 3000.0, "CHA": 2500.0}
MODELS = {
    "vigie-ensemble": 0.86,
    "vigie-baseline": 1.0,
    "vigie-snaive": 1.2,
    "vigie-ets": 0.91,
    "vigie-structural": 0.93,
}
CITIZENS = {"SYR": 0.5, "AFG": 0.3, "EGY": 0.1993, "ERI": 0.0007}
INTENDED = "Planning of reception, health care and protection capacity."


@pytest.fixture(autouse=True)
def fresh_memory(request: pytest.FixtureRequest) -> Iterator[None]:
    """Clear what pages keep in memory; what they keep of ``read_release`` stays for the next test that only reads."""
    if "read_release" in request.fixturenames:
        yield
        return
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(scope="session", autouse=True)
def _quick_pages() -> Iterator[None]:
    """Each run of a page looks through all installed packages for components, which takes longer than most pages do
    and finds none. No browser draws, so none is waited for.
    """
    with (
        patch.object(manifest_scanner, "scan_component_manifests", list),
        patch.object(layout, "time", SimpleNamespace(sleep=lambda _seconds: None)),
    ):
        yield


@pytest.fixture
def sending_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page would send in the background is sent before it goes on."""

    def send(home: Path, settings: Settings) -> None:
        with open_workflow(home, settings) as desk:
            send_waiting(desk)

    monkeypatch.setattr(dashboard_decisions, "start_sending", send)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def release(home: Path) -> Release:
    return publish(home)


@pytest.fixture(scope="session")
def _read_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("read")
    publish(home)
    return home


@pytest.fixture
def read_release(_read_home: Path, monkeypatch: pytest.MonkeyPatch) -> Release:
    """The same release in a home of all tests that write nothing there and replace no function."""
    monkeypatch.setenv("VIGIE_HOME", str(_read_home))
    return ReleaseStore(_read_home).all()[-1]


def publish(
    home: Path,
    *,
    as_of: dt.date = AS_OF,
    replay: bool = True,
    degraded: list[dict[str, str]] | None = None,
    too_old: str | None = None,
    alerts: pd.DataFrame | None = None,
) -> Release:
    """Publish the miniature release in a home folder; the same one in an empty home is made once and copied."""
    if (home / "releases").exists():
        return publish_anew(home, as_of, degraded, alerts, replay=replay, too_old=too_old)
    what = (as_of, degraded, too_old, replay, None if alerts is None else alerts.to_json())
    made = Path(os.environ[MADE_ONCE]) / hashlib.sha256(repr(what).encode()).hexdigest()[:16]
    with FileLock(f"{made}.lock"):
        if not made.exists():
            publish_anew(made, as_of, degraded, alerts, replay=replay, too_old=too_old)
    shutil.copytree(made, home, dirs_exist_ok=True)
    return ReleaseStore(home).all()[-1]


def publish_anew(
    home: Path, as_of: dt.date, degraded: list[dict[str, str]] | None, alerts: pd.DataFrame | None, *, replay: bool,
    too_old: str | None,
) -> Release:  # fmt: skip
    """Publish it through the store."""
    frames = make_frames(too_old, alerts)
    documents = {
        "sources.json": json.dumps(SOURCES, default=str),
        "model_cards/vigie-ensemble.md": "# vigie-ensemble\n\nQuantile mean of the members with skill.\n",
        "known_issues.md": "# Known issues\n\n| id | what | affects |\n|---|---|---|\n| one | Gaps. | iom_dtm, CMR |\n",
        "model_cards/vigie-baseline.md": "# vigie-baseline\n\nLast value with its own past errors.\n",
    }
    about = About(as_of, "0.1.0", {}, {"snapshot": "0" * 64}, degraded or [], replay)
    return ReleaseStore(home).publish(frames, documents, about)


SOURCES = {
    name: {
        "source_id": name, "publisher": publisher, "dataset": "Monthly arrivals", "url": "https://example.org/data",
        "licence": licence, "citation": f"{publisher}, monthly arrivals, read in 2025.", "retrieved": "2025-02-05",
        "rhythm": "Monthly, about a month late.",
        "known_issues": ["Months without arrivals are often absent.", "=HYPERLINK() is only text here."],
        "derived_from": derived, "redistribution": True,
    }
    for name, publisher, licence, derived in (
        ("vigie-routes", "Vigie", "as its components", ["iom_dtm", "uk_home_office"]),
        ("iom_dtm", "International Organization for Migration", "IOM DTM", []),
        ("uk_home_office", "Home Office", "OGL v3.0", []),
        ("eurostat", "Eurostat", "CC BY 4.0", []),
    )
}  # fmt: skip


def make_frames(too_old: str | None = None, alerts: pd.DataFrame | None = None) -> dict[str, pd.DataFrame]:
    """Every frame of a release; the route ``too_old`` ends in 2023 and has no forecast."""
    own = {} if alerts is None else {"alerts": alerts.reset_index(drop=True)}
    return whole_release(usual_frames(too_old) | own)


@functools.cache
def usual_frames(too_old: str | None) -> dict[str, pd.DataFrame]:
    """The same with the usual alerts, made once for all tests."""
    rng = np.random.default_rng(7)
    histories = {route: history(route, rng) for route in ARRIVAL_ROUTES}
    observations = [rows(route, values) for route, values in histories.items()]
    outcomes = observations
    known = {route: values.loc[: last_period(route, too_old)] for route, values in histories.items()}
    observations = [rows(route, values) for route, values in known.items()]
    for route in ("CMR", "EMR"):
        observations += [
            rows(route, (values_of_citizen(known[route], share)), citizen) for citizen, share in CITIZENS.items()
        ]
    observations.append(indicator("SYR"))
    forecasts, trajectories, backtest = [], [], []
    for route, values in known.items():
        if route == too_old:
            continue
        paths = sample_paths(values, rng)
        trajectories.append(as_trajectories(route, values, paths))
        forecasts += [as_forecasts(model, route, values, paths * factor) for model, factor in MODELS.items()]
        for back in range(1, 25):
            past = values.iloc[:-back]
            backtest.append(as_forecasts("vigie-ensemble", route, past, sample_paths(past, rng, 200)))
    frames = {
        "forecasts": pd.concat(forecasts).assign(
            target="arrivals", as_of=pd.Timestamp(AS_OF), fallback=False, capped=False
        ),
        "trajectories": pd.concat(trajectories),
        "backtest": pd.concat(backtest),
        "replays": make_replays(known, too_old),
        "figures_then": make_figures_then(),
        "observations": pd.concat(observations),
        "outcomes": pd.concat([*(one.query("time_period > '2024-12'") for one in outcomes), *counted_later()]),
        "alerts": make_alerts(),
        "ended_alerts": make_ended(),
        "alert_chances": make_ended().assign(probability=0.21)[[*RELEASE["alert_chances"].columns]],
        "track_record": make_track_record(),
        "scores": make_scores(),
        "total_scores": make_scores()
        .query("model_id == 'vigie-ensemble' and horizon == 3 and scale == 'log'")
        .drop(columns=["model_id", "horizon", "scale", "wis"]),
        "calibration": make_calibration(),
        "situation_scores": make_situation_scores(),
        "attribution": pd.concat([make_attribution(route) for route in known if route != too_old]),
        "driver_tests": make_driver_tests(),
        "freshness": make_freshness(),
        "routes": make_routes(known, too_old),
        "rejected": make_rejected(),
        "year_ahead": make_year_ahead(),
    }
    frames |= hub_frames(frames["replays"])
    asylum = asylum_frames(pd.Timestamp(AS_OF))
    reception = reception_frames(pd.Timestamp(AS_OF))
    parts = [frames["observations"], asylum.pop("observations"), reception.pop("observations")]
    frames |= {"observations": pd.concat(parts), **asylum, **reception}
    return {name: frame.reset_index(drop=True) for name, frame in frames.items()}


def counted_later() -> list[pd.DataFrame]:
    """Asylum applications and people in reception after the release: Germany's far more than was expected."""
    quarters, months = pd.period_range("2024Q4", "2025Q2", freq="Q"), pd.period_range("2025-01", "2025-06", freq="M")
    parts = [asylum_observed("DEU", "_T", quarters, 90_000.0), reception_observed("ITA", months)]
    return [part.assign(as_of=pd.Timestamp("2025-09-01"), as_of_estimated=True) for part in parts]


def last_period(route: str, too_old: str | None) -> pd.Period:
    if route == too_old:
        return pd.Period("2023-11", "M")
    return pd.Period("2025-01" if route == "CHA" else "2024-12", "M")


def history(route: str, rng: np.random.Generator) -> pd.Series:
    index = pd.period_range("2017-01", "2025-06", freq="M")
    season = 0.55 * np.sin((index.month.to_numpy() - 5) / 12 * 2 * np.pi)
    wander = np.cumsum(rng.normal(0, 0.12, len(index)))
    values = SIZES[route] * np.exp(season + wander - wander.mean() + rng.normal(0, 0.1, len(index)))
    return pd.Series(np.round(values), index=index)


def values_of_citizen(values: pd.Series, share: float) -> pd.Series:
    return (values * share).round()


def rows(route: str, values: pd.Series, citizen: str = "_T") -> pd.DataFrame:
    periods = [str(period) for period in values.index]
    return pd.DataFrame(
        {
            "source_id": "vigie-routes", "series_id": make_series_id("arrivals", route, "_T", citizen, "M"),
            "target": "arrivals", "route_id": route, "geo": "_T", "citizen": citizen, "freq": "M",
            "time_period": periods, "obs_value": values.to_numpy(dtype=float),
            "obs_flag": ["p" if period == periods[-1] else "" for period in periods], "as_of": pd.Timestamp(AS_OF),
            "as_of_estimated": True,
        }
    )  # fmt: skip


def indicator(geo: str) -> pd.DataFrame:
    frame = rows("CMR", pd.Series(range(36), index=pd.period_range("2022-01", periods=36, freq="M")))
    return frame.assign(
        source_id="ucdp", target="conflict_deaths", route_id="_Z", geo=geo, series_id=f"conflict_deaths._Z.{geo}._Z.M"
    )


def sample_paths(values: pd.Series, rng: np.random.Generator, count: int = 400) -> np.ndarray:
    """Shape (count, 12): the same month a year before, times a random walk."""
    same_month = values.iloc[-12:].to_numpy()
    paths: np.ndarray = same_month * np.exp(np.cumsum(rng.normal(0, 0.16, (count, 12)), axis=1))
    return paths


@functools.cache
def ends(last: pd.Period) -> pd.DatetimeIndex:
    """Ends of the twelve months after one."""
    return pd.period_range(last + 1, periods=12).end_time.normalize()


def as_forecasts(model: str, route: str, values: pd.Series, paths: np.ndarray) -> pd.DataFrame:
    levels = len(QUANTILE_LEVELS)
    return pd.DataFrame(
        {
            "model_id": model, "series_id": make_series_id("arrivals", route, "_T", "_T", "M"),
            "origin_date": values.index[-1].end_time.normalize(), "horizon": np.repeat(np.arange(1, 13), levels),
            "target_end_date": np.repeat(ends(values.index[-1]), levels), "output_type": "quantile",
            "output_type_id": list(QUANTILE_LEVELS) * 12,
            "value": np.quantile(paths, QUANTILE_LEVELS, axis=0).T.ravel(),
        }
    )  # fmt: skip


def as_trajectories(route: str, values: pd.Series, paths: np.ndarray) -> pd.DataFrame:
    count = len(paths)
    return pd.DataFrame(
        {
            "model_id": "vigie-ensemble", "series_id": make_series_id("arrivals", route, "_T", "_T", "M"),
            "origin_date": values.index[-1].end_time.normalize(), "horizon": np.tile(np.arange(1, 13), count),
            "target_end_date": np.tile(ends(values.index[-1]), count), "output_type": "sample",
            "output_type_id": np.repeat(np.arange(count), 12), "value": paths.ravel(),
        }
    )  # fmt: skip


def make_replays(known: dict[str, pd.Series], too_old: str | None) -> pd.DataFrame:
    """Every model's past forecasts in short, at the origins of the backtest."""
    parts, horizon, ratio = [], np.tile(np.arange(1, 13), len(MODELS)), np.repeat([*MODELS.values()], 12)
    for route, values in known.items():
        for back in range(1, 25) if route != too_old else ():
            past = values.iloc[:-back]
            middle, wis = np.tile(past.iloc[-12:], len(MODELS)) * ratio, np.where(horizon <= back, 0.2 * ratio, np.nan)
            bounds = {f"q{round(100 * level)}": middle * (0.5 + level) for level in (0.1, 0.25, 0.5, 0.75, 0.9)}
            row = {
                "model_id": np.repeat([*MODELS], 12), "series_id": make_series_id("arrivals", route, "_T", "_T", "M"),
                "origin_date": past.index[-1].end_time.normalize(), "horizon": horizon,
                "target_end_date": np.tile(ends(past.index[-1]), len(MODELS)), **bounds, "wis": wis,
            }  # fmt: skip
            parts.append(pd.DataFrame(row))
    return pd.concat(parts)


def make_figures_then() -> pd.DataFrame:
    """One month of one route that was known otherwise at one past origin."""
    return pd.DataFrame(
        {
            "series_id": [make_series_id("arrivals", "CMR", "_T", "_T", "M")],
            "origin_date": [pd.Timestamp("2024-06-30")],
            "time_period": ["2024-06"],
            "obs_value": [1234.0],
        }
    )


def alert(level: str, route: str, rule: str = "surge", **other: object) -> dict[str, object]:
    return {
        "alert_id": f"{rule}-{route}-2025-02",
        "rule": rule,
        "alert_level": level,
        "route_id": route,
        "series_id": make_series_id("arrivals", route, "_T", "_T", "M"),
        "source_id": "vigie-routes",
        "reason": "Arrivals in March 2025 are likely to pass 1.5 times the past year's average.",
        "probability": 0.62,
        "threshold": 5000.0,
        "first_period": "2025-03",
        "last_period": "2025-04",
        "horizon": 3,
        "change": "new",
        "intended_use": INTENDED,
        "base_rate": 0.39,
        "cutoff": 0.429,
        "prepare_from": 0.25,
        **other,
    }


def make_alerts() -> pd.DataFrame:
    return pd.DataFrame(
        [
            alert("severe", "EMR", probability=0.82, change="up"),
            alert("warning", "WAR", change="unchanged"),
            alert("watch", "CHA", rule="record_12", probability=0.35, threshold=4500.0, base_rate=0.2, cutoff=0.3),
            alert(
                "information",
                "_Z",
                rule="stale_source",
                series_id="",
                source_id="iom_dtm",
                **dict.fromkeys(("probability", "base_rate", "cutoff", "prepare_from", "threshold"), np.nan),
                horizon=0,
                reason="Figures from IOM DTM end in November 2024: 20 days later than usual.",
            ),
        ]
    )


def make_ended() -> pd.DataFrame:
    return pd.DataFrame([alert("watch", "CMR", probability=0.28, reason="Arrivals expected are back below 9,000.")])


def make_track_record() -> pd.DataFrame:
    values = {
        name + suffix: base + step
        for name, base in (
            ("precision", 0.5),
            ("recall", 0.4),
            ("false_alarms_per_route_year", 0.9),
            ("lead_months_median", 2.0),
            ("auc", 0.78),
        )
        for suffix, step in (("", 0.0), ("_lo", -0.1), ("_hi", 0.1))
    }
    return pd.DataFrame(
        [
            {"rule": rule, "level": level, "route_id": route, "horizon": 3, "n_events": 27, "n_alerts": 20.0, **values}
            for rule in ("surge", "record_12")
            for level in ("watch", "warning", "severe")
            for route in ("_T", "EMR")
        ]
    )


def make_scores() -> pd.DataFrame:
    table = []
    for model, ratio in MODELS.items():
        for series in ["_T", *(make_series_id("arrivals", r, "_T", "_T", "M") for r in ARRIVAL_ROUTES)]:
            for horizon in range(1, 13):
                for scale in ("log", "natural"):
                    value = 1.0 if model == "vigie-baseline" else ratio + 0.02 * (horizon - 3)
                    table.append(
                        {
                            "model_id": model, "series_id": series, "horizon": horizon, "scale": scale,
                            "wis": value * (0.2 if scale == "log" else 700.0), "relative_wis": value,
                            "relative_wis_lo": value - 0.08, "relative_wis_hi": value + 0.08, "p_holm": 0.01,
                            "coverage_50": 0.49, "coverage_80": 0.78, "coverage_95": 0.94, "n": 60,
                        }
                    )  # fmt: skip
    return pd.DataFrame(table)


def make_calibration() -> pd.DataFrame:
    table = []
    for series in ("_T", "arrivals.EMR._T._T.M"):
        for horizon in (1, 3, 6, 12):
            for level in (0.5, 0.8, 0.95):
                table.append(("vigie-ensemble", series, horizon, "coverage", level, level - 0.02, 300))
            table += [
                ("vigie-ensemble", series, horizon, "pit", b / 10, 0.1 + 0.01 * (b % 3 - 1), 300) for b in range(10)
            ]
    return pd.DataFrame(table, columns=["model_id", "series_id", "horizon", "kind", "level", "value", "n"])


def make_situation_scores() -> pd.DataFrame:
    groups = {("month", "calm"): (3,), ("month", "surge"): (1, 3, 12), ("path", "alone"): (12,), ("year", "2024"): (1,)}
    return pd.DataFrame([
        {
            "kind": kind, "group": group, "model_id": "vigie-ensemble", "horizon": horizon, "scale": scale,
            "score": 0.2, "relative_score": 0.8, "relative_score_lo": 0.7, "relative_score_hi": 0.9,
            "coverage_80": 0.8, "n": 40,
        }
        for (kind, group), horizons in groups.items()
        for horizon in horizons
        for scale in ("log", "natural")
    ])  # fmt: skip


def make_attribution(route: str) -> pd.DataFrame:
    """Steps of the last month of the window: nine of ten persons of a move are due to new figures."""
    steps = {"revisions:iom_dtm": 0.0, "counts:iom_dtm": 90.0, "refit": 10.0, "model": 0.0}
    sizes = {"median": 0.3, "width80": 0.2, "total": 1.0, "probability": 1e-3}
    rows = [(quantity, step, size * value) for quantity, size in sizes.items() for step, value in steps.items()]
    series_id = make_series_id("arrivals", route, "_T", "_T", "M")
    return pd.DataFrame(rows, columns=["quantity", "step", "value"]).assign(
        series_id=series_id, target_end_date=pd.Timestamp("2025-04-30")
    )


def make_driver_tests() -> pd.DataFrame:
    rows = [
        {
            "driver": driver, "series_id": place, "horizon": horizon, "scale": "log", "ratio": 1.012, "ratio_lo": 0.991,
            "ratio_hi": 1.034, "shifted": np.nan, "shifted_lo": np.nan, "shifted_hi": np.nan, "missing": np.nan,
            "missing_lo": np.nan, "missing_hi": np.nan, "p_value": 0.4, "p_holm": 1.0, "n": 609,
            "verdict": "no evidence", "command": "python -m benchmarks.drivers", "made_on": "2026-11-25",
            "panel": "7 dense routes", "first_origin": "2018-01", "last_origin": "2025-03", "panel_hash": "abc123",
            "snapshot": "0" * 64, "model": "vigie-pooled 1",
        }
        for driver in ("conflict_deaths", "el_nino")
        for place in ("_T", "_parts", "CMR")
        for horizon in (1, 3, 6)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def make_freshness() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "source_id": ["vigie-routes", "iom_dtm", "uk_home_office"],
            "last_period": ["2025-01", "2024-11", "2025-01-31"],
            "last_as_of": pd.to_datetime(["2025-01-31", "2024-12-20", "2025-01-31"]),
            "age_days": [0, 62, 0],
            "expected_days": [45, 45, 10],
            "state": ["fresh", "overdue", "fresh"],
        }
    )


def make_routes(known: dict[str, pd.Series], too_old: str | None) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "route_id": route,
                "state": "too_old" if route == too_old else "ok",
                "origin_date": values.index[-1].end_time.normalize(),
                "note": f"figures end in {values.index[-1]}" if route == too_old else "",
            }
            for route, values in known.items()
        ]
    )


def make_year_ahead() -> pd.DataFrame:
    """The calendar year of all routes together and of two of them."""
    ends = {
        f"{side}_{level}": 40_000.0 * (1 + sign * level / 200)
        for level in (50, 80, 95)
        for side, sign in (("lo", -1), ("hi", 1))
    }
    rows = [
        {
            "series_id": series_id, "kind": "calendar year", "ahead": 0, "first_period": "2025-01",
            "last_period": "2025-12", "counted": 0.0, "months_counted": 0, "last_total": 45_000.0, "median": 40_000.0,
            "origin_date": pd.Timestamp("2024-12-31"), "chance_0": 0.4, "chance_25": 0.1, "chance_50": 0.05,
            "chance_100": 0.01, "relative_wis": 0.9, "relative_wis_lo": 0.8, "relative_wis_hi": 0.95, "p_holm": 0.01,
            "coverage_50": 0.5, "coverage_80": 0.8, "coverage_95": 0.95, "n": 60, "years": 6, **ends,
        }
        for series_id in ("_T", "arrivals.CMR._T._T.M", "arrivals.EMR._T._T.M")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def make_rejected() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "source_id": ["iom_dtm"], "file": ["dtm.csv"], "row": ["17"], "column": ["arrivals"],
            "rule": ["the count is not a whole number"],
            "message": [Message("the count is not a whole number").to_json()], "record": ["ITA;2024-05;-3"],
        }
    )  # fmt: skip
