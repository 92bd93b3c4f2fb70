"""A home folder with a small release, and receivers on loopback."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core import QUANTILE_LEVELS
from core.settings import Settings
from decisions import Workflow, open_workflow
from store.releases import About, Release, ReleaseStore
from tests.receivers import Mailbox, Requests, http_server, mail_server
from tests.release_tables import whole_release

ALERT, SEVERE, ENDED = "surge.EMR.2025-01-31", "surge.CMR.2025-01-31", "surge.WAR.2024-12-31"
AS_OF = dt.date(2025, 1, 31)
Publish = Callable[..., Release]
OpenDesk = Callable[..., Workflow]


def alert_row(alert_id: str, level: str = "warning", **other: object) -> dict[str, object]:
    rule, route, _date = alert_id.split(".")
    return {
        "alert_id": alert_id, "rule": rule, "alert_level": level, "route_id": route,
        "series_id": f"arrivals.{route}._T._T.M", "source_id": "", "reason": "Likely (62%) to pass 5,000.",
        "reason_key": "surge", "probability": 0.62, "threshold": 5000.0, "first_period": "2025-02",
        "reason_params": '{"chance": 0.62, "factor": 1.5, "first": "2025-02", "month": "2025-03", "threshold": 5000.0}',
        "last_period": "2025-03", "horizon": 2, "change": "new", "intended_use": "reception", "likely_period": "",
        "unjudged_since": "", **other,
    }  # fmt: skip


def make_frames(alerts: list[dict[str, object]], ended: list[dict[str, object]]) -> dict[str, pd.DataFrame]:
    months = pd.period_range("2023-01", "2024-12", freq="M").astype(str)
    routes = ("EMR", "CMR", "WAR")
    observations = pd.concat(
        [
            pd.DataFrame(
                {
                    "source_id": "vigie-routes", "series_id": f"arrivals.{route}._T._T.M", "target": "arrivals",
                    "route_id": route, "geo": "_T", "citizen": "_T", "freq": "M", "time_period": months,
                    "obs_value": [3000.0 + 40 * place for place in range(24)], "obs_flag": "",
                    "as_of": pd.Timestamp(AS_OF), "as_of_estimated": False,
                }
            )
            for route in routes
        ],
        ignore_index=True,
    )  # fmt: skip
    ends = pd.to_datetime(["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30"])
    rows = [
        {
            "model_id": "vigie-ensemble", "series_id": f"arrivals.{route}._T._T.M",
            "origin_date": pd.Timestamp("2024-12-31"), "horizon": horizon, "target_end_date": end,
            "output_type": "quantile", "output_type_id": level, "value": 4000.0 + 2000 * level + 100 * horizon,
        }
        for route in routes
        for horizon, end in enumerate(ends, 1)
        for level in QUANTILE_LEVELS
    ]  # fmt: skip
    forecasts = pd.DataFrame(rows)
    paths = forecasts[forecasts["output_type_id"] == 0.5].assign(output_type="sample", output_type_id=0)
    record = pd.DataFrame(
        {"rule": ["surge"], "level": ["warning"], "route_id": ["_T"], "horizon": [0], "n_events": [27]}
        | {"n_alerts": [20.0]}
        | {
            name + suffix: [value + step]
            for name, value in (
                ("precision", 0.6), ("recall", 0.4), ("false_alarms_per_route_year", 0.9), ("lead_months_median", 2.0),
                ("auc", 0.8),
            )
            for suffix, step in (("", 0.0), ("_lo", -0.1), ("_hi", 0.1))
        }
    )  # fmt: skip
    scores = pd.DataFrame({"model_id": ["vigie-baseline"]})
    fresh = pd.DataFrame({"source_id": ["iom_dtm"], "last_period": ["2024-12"], "state": ["fresh"]})
    columns = list(alert_row(ALERT))
    states = pd.DataFrame({"route_id": routes, "state": "ok", "origin_date": pd.Timestamp("2024-12-31"), "note": ""})
    return {
        "routes": states, "observations": observations, "forecasts": forecasts, "trajectories": paths,
        "track_record": record, "scores": scores, "freshness": fresh,
        "alerts": _typed(pd.DataFrame(alerts, columns=columns)),
        "ended_alerts": _typed(pd.DataFrame(ended, columns=columns)),
    }  # fmt: skip


def _typed(alerts: pd.DataFrame) -> pd.DataFrame:
    return alerts.astype({"probability": float, "threshold": float, "horizon": "int64"})


@pytest.fixture(scope="session")
def _first_releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("first releases")


@pytest.fixture
def publish(tmp_path: Path, _first_releases: Path) -> Publish:
    """Publish a release with these alerts, given as levels by alert_id, and these ended ones.

    The first one of a home folder is made once in a session and copied.
    """

    def make(
        levels: dict[str, str] | None = None, ended: tuple[str, ...] = (), *, replay: bool = False, unjudged: str = ""
    ) -> Release:
        wanted = {ALERT: "warning", SEVERE: "severe"} if levels is None else levels
        store, kept = (
            ReleaseStore(tmp_path),
            _first_releases / sha256(repr((wanted, ended, replay, unjudged)).encode()).hexdigest(),
        )
        is_first = store.head() is None
        if is_first and kept.exists():
            shutil.copytree(kept, tmp_path / "releases", dirs_exist_ok=True)
            return store.all()[-1]
        rows = [alert_row(alert_id, level, unjudged_since=unjudged) for alert_id, level in wanted.items()]
        frames = make_frames(rows, [alert_row(alert_id) for alert_id in ended])
        about = About(AS_OF, "0.1.0", {}, {"snapshot": "0" * 64}, [], replay)
        release = store.publish(whole_release(frames), {"sources.json": "{}"}, about)
        if is_first:
            shutil.copytree(tmp_path / "releases", kept)
        return release

    return make


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[OpenDesk]:
    """Open the desk of the home folder; keywords are settings of delivery."""
    opened = []

    def make(**delivery: object) -> Workflow:
        settings = Settings.model_validate({"delivery": delivery})
        manager = open_workflow(tmp_path, settings)
        opened.append(manager)
        return manager.__enter__()

    yield make
    for manager in opened:
        manager.__exit__(None, None, None)


@pytest.fixture(scope="session")
def _mail_server() -> Iterator[Mailbox]:
    with mail_server() as mailbox:
        yield mailbox


@pytest.fixture
def mailbox(_mail_server: Mailbox) -> Mailbox:
    """A mail server on loopback, empty and in good temper."""
    _mail_server.mails.clear()
    _mail_server.answers.clear()
    return _mail_server


@pytest.fixture(scope="session")
def _http_server() -> Iterator[Requests]:
    with http_server() as requests:
        yield requests


@pytest.fixture
def hook(_http_server: Requests) -> Requests:
    """An HTTP server on loopback, empty and in good temper."""
    _http_server.taken.clear()
    _http_server.status = lambda _number: 204
    return _http_server


@pytest.fixture
def mail_settings(mailbox: Mailbox) -> dict[str, Any]:
    """Settings by which one reader gets everything by mail."""
    return {
        "channels": {
            "mail": {
                "kind": "email", "host": "127.0.0.1", "port": mailbox.port, "security": "none",
                "sender": "Vigie <vigie@example.org>", "seconds": 120,
            }
        },
        "subscriptions": [{"name": "desk", "channel": "mail", "to": ["duty@example.org"]}],
    }  # fmt: skip
