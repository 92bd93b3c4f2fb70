"""The table of roles and actions: written down in docs/access.md, and kept by every function that acts."""

from __future__ import annotations

import pytest

from access import (
    DECIDE_EDITION,
    DELETE_SCENARIO,
    DOWNLOAD,
    DOWNLOADED,
    DROP_MESSAGE,
    KEEP_PLACES,
    PERMISSIONS,
    REFUSED,
    ROLES,
    SAVE_SCENARIO,
    Actor,
    NotAllowedError,
    authorize_download,
    may,
    require,
)
from alerts.lifecycle import ACKNOWLEDGED, DISMISSED, DISSENTED, PROPOSED, SIGNED_OFF, STEPS_OF_PEOPLE
from core.errors import InputError
from core.schema import Entry
from core.settings import PROJECT, Settings
from decisions import Workflow
from decisions.actions import (
    Step,
    act,
    decide_edition,
    delete_scenario,
    drop_message,
    keep_places,
    save_scenario,
    state_of,
)
from store.figures.editions import ACCEPT

from .conftest import ALERT, SEVERE, OpenDesk, Publish
from .test_order import FIRST

LOGIN = {"provider": "https://login.example.org/.well-known/openid-configuration", "client_id": "vigie"}
WORD = {"yes": True, "no": False}


def promised() -> dict[str, dict[str, bool]]:
    """The table of docs/access.md: action -> role -> whether it may be done."""
    lines = (PROJECT / "docs" / "access.md").read_text(encoding="utf-8").splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("| action |"))
    head = [cell.strip() for cell in lines[start].strip("|").split("|")]
    table = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        action, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        table[action.strip("`")] = {role: WORD[cell] for role, cell in zip(head[1:], cells, strict=True)}
    return table


def person(role: str, name: str = "ada@example.org") -> Actor:
    return Actor(name, frozenset({role} - {"none"}), f"https://login.example.org|{name}")


EVERYTHING = [(role, action) for role in (*ROLES, "none") for action in PERMISSIONS]


def with_login(opened: Workflow) -> Workflow:
    settings = Settings.model_validate({"dashboard_url": "https://vigie.example.org", "access": LOGIN})
    return Workflow(opened.home, settings, opened.journal, opened.outbox)


def test_page_on_access_shows_table_that_program_keeps() -> None:
    assert promised() == {action: {role: role in roles for role in ROLES} for action, roles in PERMISSIONS.items()}


@pytest.mark.parametrize(("role", "action"), EVERYTHING)
def test_role_may_do_what_page_promises_and_nothing_else(role: str, action: str) -> None:
    expected = promised()[action].get(role, False)
    assert may(person(role), action) == expected
    if expected:
        require(person(role), action, login=True)
    else:
        with pytest.raises(NotAllowedError):
            require(person(role), action, login=True)


def made_ready(desk: Workflow, action: str) -> dict[str, object]:
    """Bring the alert to where a step is possible at all; returns what the step has to name."""
    if action == ACKNOWLEDGED:
        desk.journal.record(Entry("nightly", PROPOSED, ALERT, payload={"level": "warning"}))
        desk.journal.record(Entry("ben@example.org", SIGNED_OFF, ALERT, reason="agreed", payload={"identity": "ben"}))
    if action == "answered":
        return {"answers": desk.journal.record(Entry("ben@example.org", DISSENTED, ALERT, reason="too many")).id}
    return {}


@pytest.mark.parametrize(("role", "action"), [pair for pair in EVERYTHING if pair[1] in STEPS_OF_PEOPLE])
def test_alert_steps_follow_role(desk: OpenDesk, publish: Publish, role: str, action: str) -> None:
    opened, release = with_login(desk()), publish()
    payload = made_ready(opened, action)
    before = len(opened.journal.entries(action=action))
    step = Step(person(role), action, "because", payload=payload)
    if promised()[action].get(role, False):
        act(opened, release, ALERT, step)
        row = opened.journal.entries(action=action)[-1]
        assert (row.actor, row.payload["roles"]) == ("ada@example.org", [role])
        assert row.payload["identity"] == "https://login.example.org|ada@example.org"
        assert opened.journal.entries(action=REFUSED) == []
    else:
        with pytest.raises(NotAllowedError):
            act(opened, release, ALERT, step)
        assert len(opened.journal.entries(action=action)) == before
        (row,) = opened.journal.entries(action=REFUSED)
        assert (row.actor, row.payload["action"], row.payload["about"]) == ("ada@example.org", action, ALERT)


@pytest.mark.parametrize("role", [*ROLES, "none"])
def test_scenario_and_file_steps_follow_role(desk: OpenDesk, role: str) -> None:
    opened, table = with_login(desk()), promised()
    save_scenario(opened, person("analyst", "ben@example.org"), "kept", "r", "Calm", {"route": "CMR"})
    for action, work, done in (
        (
            SAVE_SCENARIO,
            lambda: save_scenario(opened, person(role), "s", "r", "Storm", {"route": "CMR"}),
            SAVE_SCENARIO,
        ),
        (DELETE_SCENARIO, lambda: delete_scenario(opened, person(role), "kept", "r"), DELETE_SCENARIO),
        (KEEP_PLACES, lambda: keep_places(opened, person(role), "CMR", "r", {"stock": "100"}), KEEP_PLACES),
        (DROP_MESSAGE, lambda: drop_message(opened, person(role), FIRST, "left the service"), DROP_MESSAGE),
        (DOWNLOAD, lambda: authorize_download(opened.journal, person(role), "alerts.csv", "r"), DOWNLOADED),
    ):
        refused = len(opened.journal.entries(action=REFUSED))
        if table[action].get(role, False):
            work()
            assert opened.journal.entries(action=done)[-1].actor == "ada@example.org"
        else:
            with pytest.raises(NotAllowedError):
                work()
            assert [row for row in opened.journal.entries(action=done) if row.actor == "ada@example.org"] == []
            assert len(opened.journal.entries(action=REFUSED)) == refused + 1


@pytest.mark.parametrize("role", [*ROLES, "none"])
def test_edition_decisions_follow_role(desk: OpenDesk, role: str) -> None:
    opened = with_login(desk())
    allowed = promised()[DECIDE_EDITION].get(role, False)
    # With the right to decide, the edition is found to be missing.
    with pytest.raises(
        InputError if allowed else NotAllowedError, match="no edition" if allowed else "may not do this"
    ):
        decide_edition(opened, person(role), ACCEPT, "nothing", "seen")
    assert len(opened.journal.entries(action=REFUSED)) == (not allowed)


def test_with_login_nobody_acts_by_typing_name(desk: OpenDesk, publish: Publish) -> None:
    opened = with_login(desk())
    for actor in (Actor("Ada"), Actor("Ada", frozenset({"manager"}))):
        with pytest.raises(NotAllowedError, match="sign in first"):
            act(opened, publish(), ALERT, Step(actor, DISMISSED, "why"))
    assert opened.journal.entries() == []


def test_one_identity_signs_severe_alert_once(desk: OpenDesk, publish: Publish) -> None:
    opened, release = with_login(desk()), publish()
    roles = frozenset({"manager"})
    act(opened, release, SEVERE, Step(Actor("ada@example.org", roles, "issuer|1"), SIGNED_OFF, "agreed"))
    for name, identity in (("ada.new@example.org", "issuer|1"), ("ADA@example.org ", "issuer|2")):
        with pytest.raises(Exception, match="needs two different people"):
            act(opened, release, SEVERE, Step(Actor(name, roles, identity), SIGNED_OFF, "again"))
    assert act(opened, release, SEVERE, Step(Actor("ben@example.org", roles, "issuer|3"), SIGNED_OFF, "too")).announced
    assert state_of(opened, SEVERE).signers == ("issuer|1", "issuer|3")
