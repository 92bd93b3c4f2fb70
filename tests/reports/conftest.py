"""A made-up release of any count of routes and alerts, as reports read it, and announcements."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import pytest

from core import INTERVALS, QUANTILE_LEVELS
from core.release import RELEASE
from core.routes import ROUTES, route_series
from reports import LoadedRelease
from reports.messages.announcement import Announcement

AS_OF = dt.date(2025, 1, 31)
LEVELS = ("severe", "warning", "watch")
CARDS: dict[str, dict[str, Any]] = {
    "vigie-routes": {
        "publisher": "Vigie", "citation": "Vigie, arrivals by route.", "licence": "As the strictest component",
        "derived_from": ["a_ministry"],
    },
    "a_ministry": {"publisher": "A ministry", "citation": "A ministry, arrivals.", "licence": "CC BY 4.0"},
    "a_bureau": {"publisher": "A bureau", "citation": "A bureau, prices.", "licence": "Not to be passed on"},
}  # fmt: skip
PREDICTED = [
    "model_id", "series_id", "horizon", "target_end_date", "output_type", "output_type_id", "value",
]  # fmt: skip
Announce = Callable[..., Announcement]
IDENTITY = "5a0c6c1e-7f62-5c38-a4b0-2f6c5c1f8f10"
MakeRelease = Callable[..., LoadedRelease]


def observations_of(routes: Sequence[str]) -> pd.DataFrame:
    months = pd.period_range("2023-01", "2024-12", freq="M").astype(str)
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "source_id": "vigie-routes", "series_id": route_series(route), "target": "arrivals",
                    "route_id": route, "geo": "_T", "citizen": "_T", "freq": "M", "time_period": months,
                    "obs_value": [1000.0 * (number + 1) + 7 * place for place in range(24)], "obs_flag": "",
                }
            )
            for number, route in enumerate(routes)
        ],
        ignore_index=True,
    )  # fmt: skip


def forecasts_of(routes: Sequence[str]) -> pd.DataFrame:
    ends = pd.date_range("2025-01-31", periods=6, freq="ME")
    return pd.DataFrame(
        [
            {
                "model_id": "vigie-ensemble", "series_id": route_series(route), "horizon": horizon,
                "target_end_date": end, "output_type": "quantile", "output_type_id": level,
                "value": 1000.0 * (number + 1) + 2000 * level + 10 * horizon,
            }
            for number, route in enumerate(routes)
            for horizon, end in enumerate(ends, 1)
            for level in QUANTILE_LEVELS
        ],
        columns=PREDICTED,
    )  # fmt: skip


def trajectories_of(routes: Sequence[str]) -> pd.DataFrame:
    """Five paths per route, the third of which is both the median and the same on every route."""
    ends = pd.date_range("2025-01-31", periods=6, freq="ME")
    return pd.DataFrame(
        [
            {
                "model_id": "vigie-ensemble", "series_id": route_series(route), "horizon": horizon,
                "target_end_date": end, "output_type": "sample", "output_type_id": path,
                "value": 1000.0 * (number + 1) + 100 * (path - 2),
            }
            for number, route in enumerate(routes)
            for horizon, end in enumerate(ends, 1)
            for path in range(5)
        ],
        columns=PREDICTED,
    )  # fmt: skip


def alert_row(number: int, routes: Sequence[str], **other: object) -> dict[str, object]:
    route, rule = routes[number % len(routes)], f"rule_{number}"
    params = {
        "chance": 0.62 - number / 100,
        "factor": 1.5,
        "first": "2025-02",
        "month": "2025-04",
        "threshold": 5000.0 + number,
    }
    return {
        "alert_id": f"{rule}.{route}", "rule": rule, "alert_level": LEVELS[number % 3], "route_id": route,
        "source_id": "", "series_id": route_series(route), "reason_key": "surge", "reason": "Likely.",
        "reason_params": json.dumps(params), "probability": 0.62 - number / 100, "threshold": 5000.0 + number,
        "first_period": "2025-02", "last_period": "2025-04", "horizon": 2, "change": "new",
        "base_rate": 0.39, "cutoff": 0.429, "prepare_from": 0.25, **other,
    }  # fmt: skip


def backtest_of(routes: Sequence[str]) -> pd.DataFrame:
    """What was expected of December 2024 a month before: 1,400 on the first route, 2,400 on the second, and so on."""
    december = forecasts_of(routes)
    december = december[december["horizon"] == 1].assign(target_end_date=pd.Timestamp("2024-12-31"))
    return december.assign(value=december["value"] - 610)


def scores_of(routes: Sequence[str]) -> pd.DataFrame:
    """Forecasts of every route that beat the baseline two and three months ahead."""
    return pd.DataFrame(
        [
            {
                "model_id": "vigie-ensemble", "series_id": route_series(route), "horizon": horizon,
                "scale": "log", "relative_wis": 0.8, "relative_wis_lo": 0.7, "relative_wis_hi": 0.9, "n": 60,
                "p_holm": 0.01 if horizon in {2, 3} else 0.5, "coverage_80": 0.75,
            }
            for route in routes
            for horizon in range(1, 7)
        ],
        columns=["model_id", "series_id", "horizon", "scale", "relative_wis", "relative_wis_lo", "relative_wis_hi", "n",
                 "p_holm", "coverage_80"],
    )  # fmt: skip


def record_of_rules(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "rule": f"rule_{number}", "level": "_T", "route_id": "_T", "horizon": 0, "precision": 0.6, "n_events": 27,
            "n_alerts": 20.0,
        }
        for number in range(count)
    ).reindex(columns=["rule", "level", "route_id", "horizon", "precision", "n_events", "n_alerts"])  # fmt: skip


@pytest.fixture(scope="session")
def make_release() -> MakeRelease:
    """A release with numbers of routes and alerts; ``without`` names routes whose figures are too old."""

    def make(
        routes: int | Sequence[str] = 5, alerts: int = 3, *, without: Sequence[str] = (), **other: object
    ) -> LoadedRelease:
        codes = list(ROUTES)[:routes] if isinstance(routes, int) else list(routes)
        with_forecast = [code for code in codes if code not in without]
        rows = [alert_row(number, codes) for number in range(alerts)]
        frames = {
            "routes": pd.DataFrame(
                {
                    "route_id": codes, "note": "", "origin_date": pd.Timestamp("2024-12-31"),
                    "state": ["too_old" if code in without else "ok" for code in codes],
                }
            ),
            "observations": observations_of(codes),
            "forecasts": forecasts_of(with_forecast),
            "trajectories": trajectories_of(with_forecast),
            "alerts": pd.DataFrame(rows, columns=list(alert_row(0, codes))),
            "alert_chances": RELEASE["alert_chances"].empty(),
            "track_record": record_of_rules(alerts),
            "freshness": pd.DataFrame({"source_id": ["a_ministry", "a_bureau"], "state": ["fresh", "overdue"]}),
            "year_ahead": RELEASE["year_ahead"].empty(),
            **{name: RELEASE[name].empty() for name in ("reception_needs", "reception_backtest", "reception_scores")},
            "attribution": RELEASE["attribution"].empty(),
            "backtest": backtest_of(with_forecast),
            "scores": scores_of(with_forecast),
            "total_scores": scores_of(with_forecast).query("horizon == 3"),
            "nowcasts": RELEASE["nowcasts"].empty(),
        }  # fmt: skip
        values = {
            "run_id": "20250131T040000Z-0a1b2c", "manifest_hash": "c0ffee" * 10 + "beef", "as_of": AS_OF,
            "created_at": dt.datetime(2025, 1, 31, 4, tzinfo=dt.UTC), "replay": False, "degraded": (),
            "frames": frames, "cards": CARDS,
        }  # fmt: skip
        return LoadedRelease(**{**values, **other})  # type: ignore[arg-type]  # keywords of the test's own choice

    return make


@pytest.fixture
def announce() -> Announce:
    """Build an announcement; keywords change its facts."""

    def make(kind: str = "raised", *, earlier: tuple[Announcement, ...] = (), **other: object) -> Announcement:
        months = [f"2025-{month:02}" for month in range(1, 7)]
        facts: dict[str, object] = {
            "alert_id": "surge.EMR.2025-01-31", "rule": "surge", "alert_level": "severe", "route_id": "EMR",
            "source_id": "", "series_id": "arrivals.EMR._T._T.M", "reason": "Likely to pass 5,000.",
            "reason_key": "surge", "horizon": 2, "probability": 0.823, "threshold": 5000.0,
            "base_rate": 0.39, "cutoff": 0.429, "prepare_from": 0.25, "expected_before": 4000.0,
            "first_period": "2025-02",
            "reason_params": (
                '{"chance": 0.823, "factor": 1.5, "first": "2025-02", "month": "2025-03", "threshold": 5000.0}'
            ),
            "last_period": "2025-03", "as_of": "2025-01-31", "replay": False, "signed_by": ["Ada", "Ben"],
            "history": [["2024-11", 4000.0], ["2024-12", 4321.0]],
            "fan": {
                "months": months,
                "levels": {
                    str(level): [4000.0 + 3000 * level + 10 * place for place in range(6)]
                    for level in (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
                },
            },
            "record": {
                "n_events": 27, "n_cases": 20, "all_routes": True,
                "precision": 0.6, "precision_lo": 0.5, "precision_hi": 0.7,
                "recall": 0.4, "recall_lo": None, "recall_hi": None, "false_alarms_per_route_year": 0.9,
                "false_alarms_per_route_year_lo": 0.8, "false_alarms_per_route_year_hi": 1.0,
                "lead_months_median": None, "lead_months_median_lo": None, "lead_months_median_hi": None,
            },
        }  # fmt: skip
        at = dt.datetime(2025, 1, 31, 12, 0, 0, 123456, tzinfo=dt.UTC)
        return Announcement(IDENTITY, kind, "surge.EMR.2025-01-31", "run-1", at, facts | other, earlier)

    return make


def year_row(series_id: str, median: float = 12_000.0, **other: object) -> dict[str, Any]:
    """A row of the year ahead: of a route, a destination, or all of them."""
    ends = {
        f"{side}_{100 * coverage:.0f}": median * (1 + sign * coverage / 2)
        for coverage in INTERVALS
        for side, sign in (("lo", -1), ("hi", 1))
    }
    return {
        "series_id": series_id, "kind": "calendar year", "ahead": 0, "first_period": "2025-01",
        "last_period": "2025-12", "origin_date": pd.Timestamp("2024-12-31"), "counted": 0.0, "months_counted": 0,
        "last_total": 13_932.0, "median": median, **ends,
        "chance_0": 0.4, "chance_25": 0.1, "chance_50": 0.05, "chance_100": 0.01,
        "relative_wis": 0.9, "relative_wis_lo": 0.8, "relative_wis_hi": 0.95, "p_holm": 0.01, "coverage_80": 0.75,
        "n": 60, "years": 6, **other,
    }  # fmt: skip
