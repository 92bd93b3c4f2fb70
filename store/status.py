"""The state of a home folder in one look, for people and for monitoring."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import StoreError
from core.log import get_logger
from core.schema import stopped_series
from core.settings import DRILL, Settings
from core.table_files import records
from store import SHARED_STATE, running_night, sha256_of_file, write_bytes
from store.figures.editions import HELD, EditionStore
from store.journal import Entry, existing_journal
from store.releases import MANIFEST, Problem, Release, ReleaseStore

WITNESSED = "witnessed"
"""Action of the journal row that names a release before it is in place."""
NIGHT_ACTIONS = ("published", "published degraded", "nothing published", "not delivered")
"""How a night may end, as the journal's ``action`` says it."""
BACKED_UP = "backed up"
"""Action of the journal's row that a backup leaves."""
WITNESS = "manifest_sha256"
"""Key under which a night's journal row keeps the hash of the manifest it published."""


def read_status(home: Path, journal_setting: str = "") -> dict[str, Any]:
    """Collect what an operator asks first; the folder is not changed.

    Returns:
        ``home``; ``drill``: restored and not in service; ``running``: see :func:`store.running_night`;
        ``release`` (None before the first night) with run_id, as_of, created_at, replay, degraded; ``routes``, see
        :func:`forecast_coverage`; ``sources`` with freshness; ``stopped``: see
        :func:`core.schema.stopped_series`; ``alerts``: number of open ones by level;
        ``issued``: see :func:`issued_skill`; ``held``: editions that wait for a person; ``last_run`` with at, outcome,
        reason, seconds; ``last_backup``: when, in ISO 8601, or None.

    Raises:
        StoreError: The release or the journal cannot be read.
    """
    store = ReleaseStore(home)
    release = store.current()
    with existing_journal(journal_setting, home) as journal:
        rows = [] if journal is None else journal.entries(action=(*NIGHT_ACTIONS, BACKED_UP))
        editions = [] if journal is None else EditionStore(home, journal).all()
    runs = [row for row in rows if row.action != BACKED_UP]
    backups = [row.at for row in rows if row.action == BACKED_UP]
    return {
        "home": str(home),
        "drill": (home / DRILL).exists(),
        "running": running_night(home),
        "release": None if release is None else _release(release),
        "routes": [] if release is None else forecast_coverage(store, release),
        "sources": [] if release is None else records(release.read("freshness")),
        "stopped": [] if release is None else records(_stopped(release)),
        "alerts": {} if release is None else release.read("alerts")["alert_level"].value_counts().to_dict(),
        "issued": [] if release is None else issued_skill(release.read("issued_scores")).to_dict("records"),
        "held": [one.record() for one in editions if one.state == HELD],
        "last_run": _last_run(runs[-1]) if runs else None,
        "last_backup": max(backups).isoformat(timespec="seconds") if backups else None,
    }


def issued_skill(scores: pd.DataFrame) -> pd.DataFrame:
    """Score the forecasts that were issued before their outcomes were known, by horizon.

    Args:
        scores: Rows of the table ``issued_scores``.

    Returns:
        ``horizon, n, relative_wis_log, relative_wis_natural, coverage_50, coverage_80, coverage_95``; no row where no
        outcome has come yet.
    """
    groups = scores.groupby("horizon")
    sums = groups[["wis_log", "reference_log", "wis_natural", "reference_natural"]].sum()
    found = pd.DataFrame({"n": groups.size()})
    for scale in ("log", "natural"):
        found[f"relative_wis_{scale}"] = sums[f"wis_{scale}"] / sums[f"reference_{scale}"]
    for level in (50, 80, 95):
        found[f"coverage_{level}"] = groups[f"covered_{level}"].mean()
    return found.reset_index()


def forecast_coverage(store: ReleaseStore, release: Release) -> list[dict[str, Any]]:
    """Which routes of a release have a forecast and, of those that have none, where the newest one stands.

    Returns:
        Per route ``route_id``, ``state`` (``ok``, ``too_old`` or ``missing``), and ``run_id`` and ``as_of`` of the
        newest whole release, up to this one, that holds a forecast of it: both empty where none does.

    Raises:
        StoreError: A release cannot be read.
    """
    states = release.read("routes", ["route_id", "state"]).astype(str)
    rows = [
        {"run_id": "", "as_of": "", "route_id": route_id, "state": state}
        for route_id, state in zip(states["route_id"], states["state"], strict=True)
    ]
    open_rows = {row["route_id"]: row for row in rows}
    for one in reversed([one for one in store.all() if one.run_id <= release.run_id]):
        if not open_rows:
            break
        for route_id in forecast_routes(one) & set(open_rows):
            open_rows.pop(route_id).update(run_id=one.run_id, as_of=one.as_of.isoformat())
    return rows


def _stopped(release: Release) -> pd.DataFrame:
    return stopped_series(release.read("observations", ["source_id", "target", "freq", "time_period"]), release.as_of)


def _release(release: Release) -> dict[str, Any]:
    names = ("as_of", "created_at", "replay", "degraded", "code_version")
    return {"run_id": release.run_id} | {key: release.manifest[key] for key in names}


def witnesses(home: Path, journal_setting: str = "") -> dict[str, str]:
    """Hash of each release's manifest as the journal kept it on the night: what ``verify`` holds the chain against.

    Raises:
        StoreError: The journal cannot be read.
    """
    return {
        entry.run_id: entry.payload[WITNESS] for entry in _nights(home, journal_setting) if WITNESS in entry.payload
    }


def alteration(home: Path, release: Release, settings: Settings) -> Problem | None:
    """What of a release is not as a night published it: by its files, its successor or the head, and the journal.

    Every reader of a release calls this first. A manifest that the journal did not witness is refused, also where
    its head and its successors were rewritten with it.

    Raises:
        StoreError: A file or the journal cannot be read.
    """
    return next(_alterations(home, [release], settings))


def whole_releases(home: Path, settings: Settings) -> tuple[list[Release], list[Problem]]:
    """Return the releases that are as a night published them, oldest first, and what is wrong with the others.

    Raises:
        StoreError: The journal cannot be read.
    """
    releases = ReleaseStore(home).all()
    problems = list(_alterations(home, releases, settings))
    whole = [release for release, problem in zip(releases, problems, strict=True) if problem is None]
    return whole, [problem for problem in problems if problem is not None]


def _alterations(home: Path, releases: Sequence[Release], settings: Settings) -> Iterator[Problem | None]:
    """The same of several releases. Of a home that takes releases from a store the journal may lack their witnesses."""
    store, rows = ReleaseStore(home), _nights(home, settings.journal_url, (WITNESSED, *NIGHT_ACTIONS))
    kept = [row for row in rows if WITNESS in row.payload]
    for release in releases:
        name = f"{release.run_id}/{MANIFEST}"
        try:
            problem = store.alteration(release)
            found = sha256_of_file(release.path / MANIFEST)
        except (KeyError, TypeError, AttributeError, StoreError) as error:
            yield Problem(release.run_id, name, f"was altered: not a manifest any more ({error})")
            continue
        witnessed = {str(row.payload[WITNESS]) for row in kept if row.run_id == release.run_id}
        if problem is None and witnessed and witnessed != {found}:
            problem = Problem(release.run_id, name, "was altered: its hash is not the one that the journal keeps")
        is_expected = not settings.store.url and any(row.run_id < release.run_id for row in kept)
        if problem is None and not witnessed and is_expected:
            problem = Problem(release.run_id, name, "was added: the journal has no witness of this release")
        yield problem


def _nights(home: Path, journal_setting: str, actions: Sequence[str] = NIGHT_ACTIONS) -> list[Entry]:
    with existing_journal(journal_setting, home) as journal:
        return [] if journal is None else journal.entries(action=actions)


@lru_cache(maxsize=1024)
def forecast_routes(release: Release) -> frozenset[str]:
    """Routes of which a release holds a forecast; kept, for a release never changes and monitoring asks often."""
    routes = release.read("routes", ["route_id", "state"])
    return frozenset(routes.loc[routes["state"] == "ok", "route_id"].astype(str))


def _last_run(newest: Entry) -> dict[str, Any]:
    return {
        "at": newest.at.isoformat(timespec="seconds"),
        "outcome": newest.action,
        "run_id": newest.run_id,
        "reason": newest.reason,
        "seconds": newest.payload.get("seconds", {}).get("in all"),
    }


@dataclass(frozen=True)
class Contact:
    """How the last look at the shared store went: when (UTC, ISO 8601), when one last succeeded, and why it failed."""

    at: str
    since: str
    reason: str = ""


def keep_contact(home: Path, reason: str) -> Contact:
    """Keep how a look at the shared store went, for pages and monitoring; a new reason is logged."""
    before, now = read_contact(home) or Contact("", ""), dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    contact = Contact(now, before.since if reason else now, reason)
    if reason not in ("", before.reason):
        get_logger().warning("no news from the shared store", reason=reason)
    try:
        write_bytes(home / SHARED_STATE / "contact.json", json.dumps(asdict(contact)).encode())
    except StoreError as error:
        get_logger().warning("contact with the shared store not kept", reason=str(error))
    return contact


def read_contact(home: Path) -> Contact | None:
    """Return the result of the last look; None before the first."""
    with suppress(OSError, ValueError, TypeError):
        return Contact(**json.loads((home / SHARED_STATE / "contact.json").read_text(encoding="utf-8")))
    return None
