"""Is Vigie well, and would a night and its messages work?

For monitoring: JSON that a load balancer reads, and Prometheus' text format. Before the first night: settings, secrets,
mail, store, journal and disk, tried without sending anything.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from alerts import LEVELS
from core.calendar import is_ahead
from core.errors import InputError, StoreError, VigieError
from core.log import get_logger
from core.release import code_version
from core.settings import SHORTEST_COOKIE_SECRET, Settings, is_loopback, load_settings, secret
from decisions import open_workflow
from decisions.sending import try_channel
from store.journal import Journal, journal_url
from store.journal.database import sqlite_file
from store.mirror import RemoteFiles, latest
from store.releases import ReleaseStore
from store.status import NIGHT_ACTIONS, alteration, read_contact, read_status

ALTERED = "altered"
OK, DEGRADED, STALE, NONE, UNREADABLE, CLOCK = "ok", "degraded", "stale", "no release", "unreadable", "clock"
ROUTE_STATES, SOURCE_STATES = ("ok", "too_old", "missing"), ("fresh", "due", "overdue", "delinquent")
HEALTH_PATH, METRICS_PATH = "/healthz", "/metrics"
JSON_TYPE, METRICS_TYPE = "application/json", "text/plain; version=0.0.4; charset=utf-8"
_EXITS = dict(zip(NIGHT_ACTIONS, (0, 3, 1, 1), strict=True))
_LEAST_BYTES = 10_000_000
"""Space of three full releases."""
LEAST_FREE_MEGABYTES = 500
"""Free space from which a home is well: a few hundred releases, or the first night with its past forecasts."""
_ADVICE_BY_CHANNEL = {
    "email": "start the mail server, or mend host, port, security, user and password_env",
    "webhook": "start the service that takes messages, or mend url, url_env and token_env",
    "chat": "mend the Apprise address in the environment variable that url_env names",
}


@dataclass(frozen=True)
class Health:
    """How a home folder stands.

    Attributes:
        status: ``ok``; ``degraded``: served, but routes lost their forecast, or no night could publish, because the
            disk is full or cannot be written; ``stale``: the release is older than the settings allow; ``no release``;
            ``altered``; ``unreadable``: release or journal cannot be read; ``clock``: the release lies in the future of
            this machine's clock.
        reason: What is wrong, in words; empty where nothing is.
        last_backup: When a backup was last written, in ISO 8601; empty where none was.
        writable: Whether the home folder can be written, as this process sees it.
        disk_free: Space left on its disk, in bytes.
        drill: True where the home was restored and is not in service.
        running: How far the running night is, see :func:`store.running_night`; None while no night runs.
        run_id: The current release.
        as_of: The day whose knowledge it rests on.
        replay: True where a past night was replayed.
        age_seconds: Since its publication.
        last_night: ``at``, ``outcome``, ``exit``, ``seconds`` of the last night that ended.
        routes: Number of routes by state: ``ok`` where there is a forecast, else ``too_old`` or ``missing``.
        sources: Number of sources by freshness.
        alerts: Number of alerts of the release by level.
        waiting: Messages in the outbox.
        failing: Those of them of which a try has failed.
        store: That the shared store could not be looked at, the last time; empty where it could, or nothing is shared.
        store_seen: When it was last looked at, in ISO 8601; empty where it never was.
    """

    status: str
    reason: str = ""
    last_backup: str = ""
    writable: bool = True
    disk_free: int | None = None
    drill: bool = False
    running: Mapping[str, Any] | None = None
    run_id: str = ""
    as_of: str = ""
    replay: bool = False
    age_seconds: float | None = None
    last_night: Mapping[str, Any] | None = None
    routes: Mapping[str, int] = field(default_factory=dict)
    sources: Mapping[str, int] = field(default_factory=dict)
    alerts: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0
    failing: int = 0
    store: str = ""
    store_seen: str = ""


def read_health(home: Path, now: dt.datetime | None = None) -> Health:
    """Look at a home folder; nothing in it is changed, and nothing is raised."""
    disk = _disk(home)
    try:
        settings, current = load_settings(home), ReleaseStore(home).current()
        problem = alteration(home, current, settings) if current is not None else None
        if current is not None and problem is not None:
            get_logger().error("release altered", run_id=problem.run_id, file=problem.file, rule=problem.rule)
            reason = "the release is not as it was published: run vigie verify"
            return Health(ALTERED, reason, run_id=current.run_id, **disk)
        found = read_status(home, settings.journal_url)
        waiting, failing = _outbox(home, settings.journal_url)
    except VigieError as error:
        # Requests come without a login: paths and reasons go to the log only.
        get_logger().error("health not readable", error=str(error))
        return Health(UNREADABLE, "settings, journal or release cannot be read: the log says why", **disk)
    release = found["release"]
    about: dict[str, Any] = {
        "last_night": _night(found["last_run"]), "waiting": waiting, "failing": failing, "drill": found["drill"],
        "last_backup": found["last_backup"] or "", "running": found["running"],
    } | disk  # fmt: skip
    contact = read_contact(home) if settings.store.url else None
    if contact is not None:
        # The store's address is not disclosed: its errors go to the log.
        cooldown = f"no news since {contact.since}" if contact.since else "not reached yet"
        about |= {"store": cooldown if contact.reason else "", "store_seen": contact.since}
    if release is None:
        return Health(NONE, "no night has published yet" + ("; one is running" if found["running"] else ""), **about)
    about |= {name: release[name] for name in ("run_id", "as_of", "replay")}
    now, created = now or dt.datetime.now(dt.UTC), dt.datetime.fromisoformat(release["created_at"])
    age = now - created
    most = dt.timedelta(hours=settings.operation.stale_hours)
    lost = [row for row in found["routes"] if row["state"] != "ok" and row["run_id"]]
    status, reason = OK, ""
    if lost:
        newest = ", ".join(f"{row['route_id']} (newest of {row['as_of']})" for row in lost)
        status, reason = DEGRADED, f"no forecast any more for {newest}"
    if not disk["writable"] or disk["disk_free"] < _LEAST_BYTES:
        status = DEGRADED
        reason = "the disk is full: 'vigie home prune'" if disk["writable"] else "the home folder cannot be written"
    if age > most:
        status, reason = STALE, f"the release is older than {settings.operation.stale_hours:g} hours"
    elif is_ahead(created, now):
        status, reason = CLOCK, "the release lies in the future: this machine's clock is wrong, or was"
    return Health(
        status,
        reason,
        age_seconds=round(age.total_seconds(), 1),
        routes=dict(Counter(row["state"] for row in found["routes"])),
        sources=dict(Counter(source["state"] for source in found["sources"])),
        alerts=found["alerts"],
        **about,
    )


def answer(home: Path, path: str) -> tuple[int, str, str]:
    """Status code, content type and body for a path of the health server."""
    paths = [HEALTH_PATH, METRICS_PATH]
    if path not in paths:
        return 404, JSON_TYPE, json.dumps({"status": "not found", "paths": paths}) + "\n"
    health = read_health(home)
    if path == METRICS_PATH:
        return 200, METRICS_TYPE, prometheus(health)
    shown = {key: value for key, value in asdict(health).items() if key not in {"sources", "alerts"}}
    return 200 if health.status in {OK, DEGRADED} else 503, JSON_TYPE, json.dumps(shown) + "\n"


def prometheus(health: Health) -> str:
    """The text format that Prometheus reads (prometheus.io, "Text-based format", version 0.0.4)."""
    night = health.last_night or {}
    release = f'{{run_id="{health.run_id}",as_of="{health.as_of}",replay="{str(health.replay).lower()}"}}'
    reached = float(not health.store) if health.store or health.store_seen else None
    families: list[tuple[str, str, Mapping[str, float | None]]] = [
        ("healthy", "1 where /healthz answers 200: ok or degraded.",
         {f'{{status="{health.status}"}}': float(health.status in {OK, DEGRADED})}),
        ("routes", "Routes by state; ok: there is a forecast.", _by("state", ROUTE_STATES, health.routes)),
        ("home_writable", "1 where the home folder can be written.", {"": float(health.writable)}),
        ("disk_free_bytes", "Space left on the home folder's disk.", {"": health.disk_free}),
        ("backup_timestamp_seconds", "When a backup was last written.", {"": _seconds(health.last_backup)}),
        ("drill", "1 where the home was restored and is not in service.", {"": float(health.drill)}),
        ("build_info", "Version, commit and build of this program.", {f'{{version="{code_version()}"}}': 1.0}),
        ("release_info", "The current release.", {release: 1.0 if health.run_id else None}),
        ("release_age_seconds", "Seconds since the current release was published.", {"": health.age_seconds}),
        ("night_duration_seconds", "Seconds that the last published night took.", {"": night.get("seconds")}),
        ("night_running", "1 while a night runs.", {"": float(health.running is not None)}),
        ("night_exit_code", "Exit code of the last night.", {"": night.get("exit")}),
        ("night_ended_timestamp_seconds", "When the last night ended.", {"": _seconds(night.get("at", ""))}),
        ("sources", "Sources by freshness.", _by("state", SOURCE_STATES, health.sources)),
        ("alerts_open", "Alerts of the current release by level.", _by("level", LEVELS, health.alerts)),
        ("store_reached", "1 where the shared store could be looked at, the last time.", {"": reached}),
        ("store_reached_timestamp_seconds", "When it last could.", {"": _seconds(health.store_seen)}),
        ("outbox_waiting", "Messages that wait to be sent.", {"": health.waiting}),
        ("outbox_failing", "Waiting messages of which an attempt has failed.", {"": health.failing}),
    ]  # fmt: skip
    lines: list[str] = []
    for name, text, samples in families:
        known = [f"vigie_{name}{labels} {value:.12g}" for labels, value in samples.items() if value is not None]
        lines += [f"# HELP vigie_{name} {text}", f"# TYPE vigie_{name} gauge", *known] if known else []
    return "\n".join(lines) + "\n"


def _by(label: str, names: Sequence[str], counts: Mapping[str, int]) -> dict[str, float | None]:
    return {f'{{{label}="{name}"}}': counts.get(name, 0) for name in names}


def _seconds(at: str) -> float | None:
    return dt.datetime.fromisoformat(at).timestamp() if at else None


def _night(run: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return {"at": run["at"], "outcome": run["outcome"], "exit": _EXITS[run["outcome"]], "seconds": run["seconds"]}


def _outbox(home: Path, setting: str) -> tuple[int, int]:
    journal = sqlite_file(journal_url(setting, home))
    if journal is not None and not journal.is_file():
        return 0, 0
    with open_workflow(home, load_settings(home)) as workflow:
        waiting = workflow.outbox.waiting()
    return len(waiting), sum(message.attempts > 0 for message in waiting)


def _disk(home: Path) -> dict[str, Any]:
    present = next(folder for folder in (home, *home.parents) if folder.exists())
    return {"writable": os.access(present, os.W_OK), "disk_free": shutil.disk_usage(present).free}


@dataclass(frozen=True)
class Check:
    """One thing that was tried.

    Attributes:
        what: Its name.
        problem: What is wrong; empty where nothing is.
        advice: What to do about it; empty where nothing is wrong.
    """

    what: str
    problem: str = ""
    advice: str = ""


def check_settings(home: Path) -> Iterator[Check]:
    """Try everything that settings name, one thing after the other."""
    found: list[Settings] = []
    yield _tried("settings", lambda: found.append(load_settings(home)), "mend settings.toml or the environment")
    yield _tried(
        "home folder", lambda: _home(home), "make the folder, give it to the user that runs Vigie, or free space"
    )
    if not found:
        return
    settings = found[0]
    if settings.drill:
        yield Check("service", "this home is a drill: it sends and shares nothing", "vigie home adopt")
    if settings.access.is_on:
        yield _tried("login", lambda: _secrets(settings), "set both in the dashboard's environment (dashboard.env)")
    for name, channel in settings.delivery.channels.items():
        advice = f"{_ADVICE_BY_CHANNEL[channel.kind]} in [delivery.channels.{name}] (docs/alerts.md)"
        yield _tried(f"channel {name}", lambda one=channel: try_channel(one), advice)  # type: ignore[misc]  # bound at once
    if settings.delivery.subscriptions:
        yield _tried("dashboard_url", lambda: _link(settings), "set dashboard_url to the address that recipients use")
    if settings.store.url:
        yield _tried("shared store", lambda: latest(RemoteFiles(settings.store.url)), "see docs/scaling.md")
    if not (settings.journal_url or home.exists()):
        return
    url = journal_url(settings.journal_url, home)
    yield _tried("journal", lambda: _journal(url), "see docs/operations.md, when something breaks")


def _tried(what: str, work: Callable[[], object], advice: str) -> Check:
    try:
        work()
    except VigieError as error:
        return Check(what, str(error), advice)
    return Check(what)


def _home(home: Path) -> None:
    if not home.exists():
        raise StoreError(f"{home}: there is no such folder")
    if not os.access(home, os.W_OK):
        raise StoreError(f"{home}: cannot be written")
    if (free := shutil.disk_usage(home).free // 1_000_000) < LEAST_FREE_MEGABYTES:
        raise StoreError(f"{home}: {free} MB are free; {LEAST_FREE_MEGABYTES} MB should be")


def _secrets(settings: Settings) -> None:
    secret(settings.access.client_secret_env, needed_by="login")
    secret(settings.access.cookie_secret_env, shortest=SHORTEST_COOKIE_SECRET, needed_by="login")


def _link(settings: Settings) -> None:
    host = settings.dashboard_url.split("//")[1].split("/")[0].rsplit(":", 1)[0]
    if is_loopback(host):
        raise InputError(f"messages link to {settings.dashboard_url}, which only this machine reaches")


def _journal(url: str) -> None:
    with closing(Journal(url)) as journal:
        journal.entries(run_id="-")
