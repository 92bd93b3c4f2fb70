"""The worker that :mod:`benchmarks.delivery` kills: a module of its own, so that it can be forked ready."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from access import Actor
from alerts.lifecycle import SIGNED_OFF
from core.settings import load_settings
from decisions import open_workflow
from decisions.actions import Step, act
from decisions.sending import send_waiting
from store.releases import ReleaseStore


def work(home: Path, alert_ids: Sequence[str], ready: Connection) -> None:
    """What a worker does: sign alerts off, one after the other, and send after each; it reports when it begins."""
    release = ReleaseStore(home).current()
    if release is None:
        raise RuntimeError("there is no release")
    with open_workflow(home, load_settings(home)) as desk:
        ready.send_bytes(b"ready")
        for alert_id in alert_ids:
            act(desk, release, alert_id, Step(Actor("Ada"), SIGNED_OFF, "agreed"))
            send_waiting(desk)
        send_waiting(desk)
