"""The state of a home folder in one look, for people and for monitoring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from store.journal import Entry, Journal, journal_url
from store.releases import Release, ReleaseStore

NIGHT_ACTIONS = ("published", "published degraded", "nothing published", "not delivered")
"""How a night may end, as the journal's ``action`` says it."""

WITNESS = "manifest_sha256"
"""Key under which a night's journal row keeps the hash of the manifest it published."""


def read_status(home: Path, journal_setting: str = "") -> dict[str, Any]:
    """Collect what a caretaker asks first; the folder is not changed.

    Returns:
        ``home``; ``release`` (None before the first night) with run_id, as_of, created_at, replay, degraded;
        ``sources`` with freshness; ``alerts``: number of open ones by level; ``last_run`` with at,
        outcome, reason, seconds.

    Raises:
        StoreError: The release or the journal cannot be read.
    """
    release = ReleaseStore(home).current()
    return {
        "home": str(home),
        "release": _release(release),
        "sources": _sources(release),
        "alerts": {} if release is None else release.read("alerts")["alert_level"].value_counts().to_dict(),
        "last_run": _last_run(home, journal_setting),
    }


def _release(release: Release | None) -> dict[str, Any] | None:
    if release is None:
        return None
    manifest = release.manifest
    return {"run_id": release.run_id} | {
        key: manifest[key] for key in ("as_of", "created_at", "replay", "degraded", "code_version")
    }


def _sources(release: Release | None) -> list[dict[str, Any]]:
    if release is None:
        return []
    frame = release.read("freshness")
    days = {name: frame[name].dt.strftime("%Y-%m-%d") for name in frame.select_dtypes("datetime").columns}
    rows = frame.assign(**days).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def witnesses(home: Path, journal_setting: str = "") -> dict[str, str]:
    """Hash of each release's manifest as the journal kept it on the night: what ``verify`` holds the chain against.

    Raises:
        StoreError: The journal cannot be read.
    """
    return {
        entry.run_id: entry.payload[WITNESS] for entry in _nights(home, journal_setting) if WITNESS in entry.payload
    }


def _nights(home: Path, journal_setting: str) -> list[Entry]:
    if not journal_setting and not (home / "journal.sqlite").exists():
        return []
    journal = Journal(journal_url(journal_setting, home))
    try:
        return [entry for action in NIGHT_ACTIONS for entry in journal.entries(action=action)]
    finally:
        journal.close()


def _last_run(home: Path, journal_setting: str) -> dict[str, Any] | None:
    runs = _nights(home, journal_setting)
    return _as_run(max(runs, key=lambda entry: entry.id)) if runs else None


def _as_run(entry: Entry) -> dict[str, Any]:
    return {
        "at": entry.at.isoformat(timespec="seconds"),
        "outcome": entry.action,
        "run_id": entry.run_id,
        "reason": entry.reason,
        "seconds": entry.payload.get("seconds", {}).get("in all"),
    }
