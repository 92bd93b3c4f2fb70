"""Keeping a scenario in the journal: who may, and with which name."""

from __future__ import annotations

from collections.abc import Mapping

from access.audit import note_refusal
from access.roles import SAVE_SCENARIO, Actor, NotAllowedError, require
from core.entry import Entry
from desk.open import Desk


def save_scenario(
    desk: Desk, actor: Actor, scenario_id: str, run_id: str, title: str, query: Mapping[str, str]
) -> Entry:
    """Keep a scenario.

    Args:
        desk: The desk.
        actor: Who saves it.
        scenario_id: Its identifier, by its assumptions.
        run_id: The release that it was made on.
        title: What the person calls it.
        query: Its assumptions, as the address holds them.

    Raises:
        NotAllowedError: The person may not save scenarios.
        InputError: A text cannot be stored.
        StoreError: The journal refuses.
    """
    try:
        require(actor, SAVE_SCENARIO, login=desk.settings.access.is_on)
    except NotAllowedError:
        if actor.identity:
            note_refusal(desk.journal, actor, SAVE_SCENARIO, scenario_id)
        raise
    payload = actor.marks({"query": dict(query)})
    return desk.journal.record(Entry(actor.name.strip(), SAVE_SCENARIO, scenario_id, run_id, title.strip(), payload))
