"""The one-page briefing of a stored release: read and checked here, written by ``briefing``.

The page, the command and the mails take it from here.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from access import KEEP_PLACES
from alerts.lifecycle import ANNOUNCED, fold
from core.errors import StoreError
from core.log import get_logger
from core.release import CATALOGUE
from core.settings import Settings
from decisions import Workflow, open_workflow
from reports import BRIEFING_FRAMES, CHANGE_FRAMES, Decisions, LoadedRelease, entries_until
from reports.scenario import kept_by_route, reception_of
from store import sha256_of_file
from store.releases import MANIFEST, Release, ReleaseStore
from store.status import alteration

LARGEST_ATTACHMENT = 1_000_000
"""Bytes: a briefing above it is left out of mails, which some servers would refuse."""


def make_briefing(home: Path, settings: Settings, run_id: str, language: str, *, signed_only: bool = False) -> bytes:
    """Make the briefing of one release as a PDF.

    With ``signed_only`` it keeps to alerts that people have signed off, as a briefing does that is mailed.

    Raises:
        StoreError: There is no such release, it was altered, or the journal cannot be read.
    """
    with open_workflow(home, settings) as workflow:
        return briefing_of(workflow, run_id, language, signed_only=signed_only)


def briefing_of(workflow: Workflow, run_id: str, language: str, *, signed_only: bool) -> bytes:
    """The same on a workflow that is open.

    Raises:
        StoreError: There is no such release, it was altered, or the journal cannot be read.
    """
    from reports.briefing import briefing_pdf  # noqa: PLC0415  # matplotlib takes a second to import

    release = ReleaseStore(workflow.home).get(run_id)
    loaded = replace(load(workflow, release, BRIEFING_FRAMES), drill=workflow.settings.drill)
    former = former_of(workflow, release)
    alerts = [one.frame("alerts") for one in (former, loaded) if one]
    return briefing_pdf(loaded, former, language, decided(workflow, run_id, *alerts, signed_only=signed_only))


class Attachments:
    """Briefings for the mails of one round of sending: each is made once, and none that fails holds a mail up."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow
        self._made: dict[tuple[str, str], bytes | None] = {}
        self._lock = threading.Lock()

    def get(self, run_id: str, language: str) -> bytes | None:
        """The briefing of a release that people outside may read; None where it cannot be made, which is logged."""
        with self._lock:
            if (run_id, language) not in self._made:
                self._made[run_id, language] = self._make(run_id, language)
            return self._made[run_id, language]

    def _make(self, run_id: str, language: str) -> bytes | None:
        try:
            document = briefing_of(self._workflow, run_id, language, signed_only=True)
        except Exception as error:  # whatever is wrong with it, the alert itself must reach its reader
            get_logger().warning("briefing not attached", run_id=run_id, reason=f"{type(error).__name__}: {error}")
            return None
        if len(document) > LARGEST_ATTACHMENT:
            get_logger().warning("briefing not attached", run_id=run_id, reason=f"{len(document):,} bytes are too many")
            return None
        return document


def former_of(workflow: Workflow, release: Release) -> LoadedRelease | None:
    """The release before, if it is still there."""
    run_id = str((release.manifest["previous"] or {}).get("run_id", ""))
    found = next((one for one in ReleaseStore(workflow.home).all() if one.run_id == run_id), None)
    return load(workflow, found, CHANGE_FRAMES) if found else None


def load(workflow: Workflow, release: Release, names: Sequence[str]) -> LoadedRelease:
    """Read a release's frames, once their hashes have been found right.

    Raises:
        StoreError: A file was altered.
    """
    manifest = release.manifest
    if problem := alteration(workflow.home, release, workflow.settings):
        raise StoreError(f"{problem}; run 'vigie verify'")
    return LoadedRelease(
        run_id=release.run_id,
        manifest_hash=sha256_of_file(release.path / MANIFEST),
        as_of=release.as_of,
        created_at=dt.datetime.fromisoformat(manifest["created_at"]),
        replay=bool(manifest["replay"]),
        degraded=tuple(manifest["degraded"]),
        frames={name: release.read(name) for name in names},
        cards=json.loads(release.document(CATALOGUE)),
    )


def decided(workflow: Workflow, run_id: str, *alerts: pd.DataFrame, signed_only: bool) -> Decisions:
    """What had been decided about alerts of one or more releases while one was the newest."""
    names = sorted({str(name) for frame in alerts for name in frame["alert_id"]})
    rows = {name: entries_until(entries, run_id) for name, entries in workflow.journal.about(names).items()}
    announced = {name for name, entries in rows.items() if any(entry.action == ANNOUNCED for entry in entries)}
    # How many places there are is not for outsiders: a briefing that is mailed holds what was signed off.
    kept = [] if signed_only else entries_until(workflow.journal.entries(action=KEEP_PLACES), run_id)
    return Decisions(
        {name: fold(entries) for name, entries in rows.items() if entries},
        frozenset(announced),
        signed_only,
        tuple(reception_of(row.payload["query"], name, row.actor) for name, row in kept_by_route(kept).items()),
    )
