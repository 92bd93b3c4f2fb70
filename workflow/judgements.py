"""People's own forecasts: kept in the hub under a pseudonym of their choice, scored like any other model."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Sequence

import pandas as pd

from access import HAND_IN, Actor
from core.errors import InputError
from core.languages import marked as _
from core.routes import ARRIVAL_SERIES
from core.schema import Entry
from hub import config_names, read_config
from hub.judgement import FEWEST_MEMBERS, Judgement, people_metadata, people_model, with_judgement
from hub.score import quantile_rows
from hub.submission import read_submission
from hub.targets import config_files
from store import sha256_of_bytes
from store.hub import Edition, SubmissionStore
from workflow import Workflow
from workflow.decisions import authorize

PLACE = "dashboard"
"""Where such forecasts come from, as the hub records it."""


def hand_in(
    workflow: Workflow, actor: Actor, pseudonym: str, judgement: Judgement, run_id: str, panel: str = ""
) -> Edition:
    """Keep what a person expects of a month, beside what they said before of the same round.

    A pseudonym is theirs from the first time on. ``panel`` is the one as whose member they speak, if any.

    Returns:
        The edition, late where the round had closed.

    Raises:
        NotAllowedError: The person may not hand in forecasts.
        InputError: The numbers or the pseudonym cannot be taken, or the pseudonym is another's.
        StoreError: The disk or the journal refuses.
    """
    model_id = people_model(pseudonym, panel)
    authorize(workflow, actor, HAND_IN, model_id)
    owner = actor.name.strip()
    if any(entry.actor != owner for entry in workflow.journal.entries(subject=model_id, action=HAND_IN)):
        raise InputError(_("the pseudonym {name} is somebody else’s: choose another"), name=pseudonym)
    store = SubmissionStore(workflow.home)
    if not store.config(config_names()):
        files = config_files(list(ARRIVAL_SERIES), judgement.origin.date(), "Forecasts of readers")
        store.put_config({name: content for name, content in files.items() if name in config_names()})
    hub, _faults = read_config(store.config(config_names()))
    round_id = f"{judgement.origin:%Y-%m-%d}"
    found = None if hub is None else hub.round_of(round_id)
    if hub is None or found is None:
        raise InputError(_("the hub has no round {round}"), round=round_id)
    before = [one for one in store.all() if (one.model_id, one.round_id) == (model_id, round_id)]
    said = pd.read_csv(io.BytesIO(store.content(before[-1])), dtype={"output_type_id": str}) if before else None
    name = f"{round_id}-{model_id}.csv"
    content = with_judgement(said, judgement).to_csv(index=False).encode()
    submission, faults = read_submission(hub, f"{hub.output_folder}/{model_id}/{name}", content)
    if submission is None:
        raise InputError(faults[0].rule)
    today = dt.datetime.now(dt.UTC).date()
    first, last = found.window(round_id)
    edition = Edition(model_id, round_id, sha256_of_bytes(content), name, today, not first <= today <= last, PLACE)
    store.put_metadata(model_id, people_metadata(pseudonym))
    if store.add(edition, content):
        store.keep_rows(quantile_rows(submission, hub).assign(sha256=edition.sha256))
    payload = {"round": round_id, "sha256": edition.sha256, "late": edition.late, "panel": panel}
    workflow.journal.record(Entry(owner, HAND_IN, model_id, run_id, judgement.series_id, actor.with_identity(payload)))
    return edition


def said_by(entries: Sequence[Entry], author: str) -> pd.DataFrame:
    """What one author has handed in: ``panel`` (the author), ``model_id, round_id``."""
    return _said((author, one.subject, one.payload["round"]) for one in entries if one.actor == author)


def said_by_panels(entries: Sequence[Entry]) -> pd.DataFrame:
    """What panels of five or more authors have handed in: ``panel, model_id, round_id``."""
    authors: dict[str, set[str]] = {}
    of_round = {(one.subject, one.payload["round"]): one for one in entries}  # the last word names the panel
    for one in of_round.values():
        authors.setdefault(one.payload.get("panel", ""), set()).add(one.actor)
    large = {panel for panel, names in authors.items() if panel and len(names) >= FEWEST_MEMBERS}
    said = ((one.payload.get("panel", ""), *key) for key, one in of_round.items())
    return _said(row for row in said if row[0] in large)


def _said(rows: Iterable[tuple[str, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["panel", "model_id", "round_id"]).drop_duplicates(ignore_index=True)
