"""Miniature frames that keep the contracts, and a real PostgreSQL server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pandas as pd
import pytest

Scalar = str | bool | float | pd.Timestamp
Rows = Callable[..., pd.DataFrame]


@pytest.fixture
def observations() -> Rows:
    """Build observations from (time_period, value, as_of) triples; keywords set the other columns."""

    def build(*figures: tuple[str, float, str], **columns: Scalar) -> pd.DataFrame:
        defaults: dict[str, Scalar | pd.Series] = {
            "source_id": "iom-dtm",
            "series_id": "arrivals.CMR._T._T.M",
            "target": "arrivals",
            "route_id": "CMR",
            "geo": "_T",
            "citizen": "_T",
            "freq": "M",
            "obs_flag": "",
            "as_of_estimated": False,
        }
        frame = pd.DataFrame(figures, columns=["time_period", "obs_value", "as_of"])
        for name, value in (defaults | columns).items():
            frame[name] = value
        return frame.astype({"obs_value": float, "as_of": "datetime64[ns]"})

    return build


@pytest.fixture
def forecasts() -> Rows:
    """Build forecasts of one series at one origin: three levels at two horizons; keywords set columns."""

    def build(**columns: Scalar) -> pd.DataFrame:
        levels = [0.1, 0.5, 0.9]
        rows = [(horizon, level, 100.0 * horizon + 10 * level) for horizon in (1, 2) for level in levels]
        frame = pd.DataFrame(rows, columns=["horizon", "output_type_id", "value"])
        defaults: dict[str, Scalar | pd.Series] = {
            "model_id": "vigie-baseline",
            "series_id": "arrivals.CMR._T._T.M",
            "origin_date": pd.Timestamp("2024-12-31"),
            "target_end_date": pd.to_datetime(frame["horizon"].map({1: "2025-01-31", 2: "2025-02-28"})),
            "output_type": "quantile",
        }
        for name, value in (defaults | columns).items():
            frame[name] = value
        return frame.astype({"origin_date": "datetime64[ns]", "target_end_date": "datetime64[ns]"})

    return build


@pytest.fixture
def release_frames(observations: Rows, forecasts: Rows) -> dict[str, pd.DataFrame]:
    """Every frame a release needs, each with a row or more."""
    series = "arrivals.CMR._T._T.M"
    return {
        "forecasts": forecasts(),
        "trajectories": forecasts(output_type="sample", output_type_id=0).drop_duplicates("horizon"),
        "scores": pd.DataFrame(
            {
                "model_id": ["vigie-baseline"],
                "series_id": [series],
                "horizon": [1],
                "scale": ["log"],
                "wis": [0.2],
                "relative_wis": [1.0],
                "coverage_50": [0.5],
                "coverage_80": [0.8],
                "coverage_95": [0.95],
                "n": [60],
            }
        ),
        "alerts": pd.DataFrame(
            {
                "alert_id": ["surge.CMR.2025-01"],
                "rule": ["surge"],
                "alert_level": ["watch"],
                "route_id": ["CMR"],
                "series_id": [series],
                "source_id": [""],
                "reason": ["About even to pass 6,000 by March 2025"],
                "probability": [0.5],
                "threshold": [6000.0],
                "first_period": ["2025-01"],
                "last_period": ["2025-03"],
                "horizon": [1],
                "change": ["new"],
                "intended_use": ["reception"],
            }
        ),
        "track_record": pd.DataFrame(
            {"rule": ["surge"], "level": ["watch"], "route_id": ["CMR"], "horizon": [1], "n_events": [3]}
            | {
                f"{name}{suffix}": [0.5]
                for name in ("precision", "recall", "false_alarms_per_route_year", "lead_months_median", "auc")
                for suffix in ("", "_lo", "_hi")
            }
        ),
        "observations": observations(("2024-12", 4000.0, "2025-01-15")),
        "freshness": pd.DataFrame(
            {
                "source_id": ["iom-dtm"],
                "last_period": ["2024-12"],
                "last_as_of": pd.to_datetime(["2025-01-15"]),
                "age_days": [16],
                "expected_days": [35],
                "state": ["fresh"],
            }
        ),
    }


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a real PostgreSQL server that listens on a socket in a temporary folder only."""
    folder = tmp_path_factory.mktemp("pg")
    # The package looks for a place for its own lock when it is imported.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    from pgserver.postgres_server import get_server  # noqa: PLC0415 - reads the environment when it is imported

    server = get_server(folder / "data", cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """Address of a database of its own for one test."""
    import psycopg  # noqa: PLC0415 - only these tests need a driver

    name = f"vigie_{uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgres_server.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", "postgresql"])
def any_journal_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each kind of database in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'journal.sqlite'}"
    return str(request.getfixturevalue("postgres_url"))
