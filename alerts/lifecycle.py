"""The life of an alert, worked out from its journal rows: proposed, signed off, acknowledged, ended; or dismissed.

    proposed ──► signed off ──► acknowledged ──► ended
        │  ▲          │               │            ▲
        │  └──────────┴───────────────┴── worsened │
        └──► dismissed ────────────────────────────┘

A night proposes, worsens, eases and ends, and marks alerts that cannot be judged for lack of fresh figures; people do
the rest. Nothing here is stored: the journal is, and the state is folded from it. A step that is not allowed is refused
with a reason that a person can read.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from alerts import LEVELS, SEVERE, rank
from core.errors import InputError
from core.languages import marked as _
from core.schema import Entry

PROPOSED, SIGNED_OFF, ACKNOWLEDGED = _("proposed"), _("signed off"), _("acknowledged")
ENDED, DISMISSED = _("ended"), _("dismissed")
STATES = (PROPOSED, SIGNED_OFF, ACKNOWLEDGED, ENDED, DISMISSED)
WORSENED, EASED = "worsened", "eased"
UNJUDGED, JUDGED = "cannot be judged", "judged again"
"""Steps of a night, and kinds of announcements: it cannot be judged for lack of fresh figures; it can again."""
COMMENTED, DISSENTED, CORRECTION, ANSWERED = "commented", "dissented", "correction filed", "answered"
ANNOUNCED, SENT, NOT_SENT = "announced", "sent", "not sent"
RAISED, UPDATED, WITHDRAWN = "raised", "updated", "withdrawn"
"""Kinds of announcements, beside ``ended``."""

NIGHTLY, DELIVERY = "nightly", "delivery"
STEPS_OF_A_NIGHT = (PROPOSED, WORSENED, EASED, UNJUDGED, JUDGED, ENDED)
STEPS_OF_PEOPLE = (SIGNED_OFF, ACKNOWLEDGED, DISMISSED, COMMENTED, DISSENTED, CORRECTION, ANSWERED)
OBJECTIONS = (DISSENTED, CORRECTION)
SIGN_OFFS_NEEDED: Mapping[str, int] = {level: 2 if level == SEVERE else 1 for level in LEVELS}


class StepError(InputError):
    """A step that the state of an alert or a scenario does not allow; the text says why."""


@dataclass(frozen=True)
class State:
    """Where an alert stands.

    Attributes:
        status: One of :data:`STATES`; empty where nothing is recorded.
        level: Level that stands now; empty where none is known.
        sign_offs: Who has signed off what stands now, in order.
        signers: Identifiers of those people: the identity of a login, else the name.
        acknowledged_by: The person who acknowledged it; empty before that.
        reopened: True if it worsened after a decision.
        unjudged_since: Night since which it cannot be judged (YYYY-MM-DD); empty if it can.
        version: ``id`` of the last row that changed any of the above: a decision names the version it was made on.
        objections: Dissent and corrections without an answer.
        announcements: Rows of what was announced to readers outside, in order.
        without_effect: Rows that the state they met did not allow; they change nothing and stay readable.
    """

    status: str = ""
    level: str = ""
    sign_offs: tuple[str, ...] = ()
    signers: tuple[str, ...] = ()
    acknowledged_by: str = ""
    reopened: bool = False
    unjudged_since: str = ""
    version: int = 0
    objections: tuple[Entry, ...] = ()
    announcements: tuple[Entry, ...] = ()
    without_effect: tuple[Entry, ...] = ()

    @property
    def sign_offs_missing(self) -> int:
        """How many people must still sign off before it may be sent out."""
        if self.status != PROPOSED:
            return 0
        return max(0, SIGN_OFFS_NEEDED.get(self.level, 1) - len(self.sign_offs))

    @property
    def was_raised(self) -> bool:
        """Whether recipients were notified of it, and not yet of its end."""
        kinds = [entry.payload.get("kind") for entry in self.announcements]
        return bool(kinds) and kinds[-1] in {RAISED, UPDATED, UNJUDGED, JUDGED}


def fold(entries: Iterable[Entry], level: str = "") -> State:
    """The state of one alert.

    Args:
        entries: Its journal rows, oldest first.
        level: Level in the release that is looked at: an alert without a row is proposed at it.

    Returns:
        Its state. Rows that were not allowed when they came are listed in it and change nothing.
    """
    rows = list(entries)
    state = State()
    if level and not any(row.action == PROPOSED for row in rows):
        state = State(status=PROPOSED, level=level)
    for row in rows:
        try:
            state = step(state, row)
        except StepError:
            state = replace(state, without_effect=(*state.without_effect, row))
    return state


def step(state: State, entry: Entry) -> State:
    """The state after one more row.

    Args:
        state: Where the alert stands.
        entry: What is done. Actions that are not of this table change nothing.

    Raises:
        StepError: The state does not allow it, or a person gives no name or no reason.
    """
    if entry.action in STEPS_OF_PEOPLE:
        _check_person(entry)
    take = _TAKE.get(entry.action)
    return state if take is None else take(state, entry)


def same_person(one: str, other: str) -> bool:
    """Whether two names mean one person: case, accents' encoding and spaces make no difference."""
    return _plain(one) == _plain(other)


def cooldown_until(sent: Iterable[Entry], level: str, days: float) -> dt.datetime | None:
    """End of the cooldown after what was last sent about the same rule and place.

    Args:
        sent: Rows of messages that were sent about it, in any order (``payload``: ``kind``).
        level: Level of what is to be sent now; a severe alert is never held back.
        days: Length of the cooldown.

    Returns:
        When it ends; None where nothing was sent, or the case is severe.
    """
    times = [row.at for row in sent if row.action == SENT and row.payload.get("kind") in {RAISED, UPDATED}]
    if level == SEVERE or not times or days <= 0:
        return None
    return max(times) + dt.timedelta(days=days)


def night_step(state: State, level: str, unjudged_since: str = "") -> str:
    """What a night that finds an alert at a level has to record next: a step's action, or nothing.

    Args:
        state: Where the alert stands.
        level: Level found; empty where the alert no longer stands.
        unjudged_since: Night since which it cannot be judged; empty where it can.
    """
    if not level:
        return "" if state.status in {"", ENDED} else ENDED
    if state.status in {"", ENDED}:
        return PROPOSED
    if unjudged_since:
        return "" if state.unjudged_since else UNJUDGED
    if level == state.level:
        return JUDGED if state.unjudged_since else ""
    return WORSENED if rank(level) > rank(state.level) else EASED


def _check_person(entry: Entry) -> None:
    if not _plain(entry.actor):
        raise StepError(_("give your name: it is kept with the decision"))
    if _plain(entry.actor) in {NIGHTLY, DELIVERY}:
        raise StepError(_("“{name}” is the program’s own name: give yours"), name=entry.actor.strip())
    if not entry.reason.strip():
        raise StepError(_("give a reason: it is kept with the decision"))


def _proposed(state: State, entry: Entry) -> State:
    if state.status not in {"", ENDED}:
        raise StepError(_("it is {status} already"), status=state.status)
    return _anew(state, entry, reopened=state.status == ENDED)


def _worsened(state: State, entry: Entry) -> State:
    level = _level_of(entry)
    _must_stand(state)
    if rank(level) <= rank(state.level):
        raise StepError("{level} is not graver than {before}", level=level, before=state.level)
    return _anew(state, entry, reopened=state.reopened or state.status != PROPOSED)


def _anew(state: State, entry: Entry, *, reopened: bool) -> State:
    """Proposed at the row's level, whatever was signed or acknowledged before."""
    return replace(
        state, status=PROPOSED, level=_level_of(entry), sign_offs=(), signers=(), acknowledged_by="",
        reopened=reopened, unjudged_since="", version=entry.id,
    )  # fmt: skip


def _eased(state: State, entry: Entry) -> State:
    level = _level_of(entry)
    _must_stand(state)
    if rank(level) >= rank(state.level):
        raise StepError("{level} is not milder than {before}", level=level, before=state.level)
    state = replace(state, level=level, unjudged_since="", version=entry.id)
    # What was signed by some of the people needed is not what stands now: it has to be signed anew.
    return replace(state, sign_offs=(), signers=()) if state.status == PROPOSED else state


def _unjudged(state: State, entry: Entry) -> State:
    """Keep since when it cannot be judged; the row of one that can again names no night."""
    _must_stand(state)
    return replace(state, unjudged_since=str(entry.payload.get("since", "")), version=entry.id)


def _signed_off(state: State, entry: Entry) -> State:
    if state.status != PROPOSED:
        raise StepError(_("only a proposed alert can be signed off; this one is {status}"), status=_status(state))
    signer = str(entry.payload.get("identity") or _plain(entry.actor))
    if signer in state.signers or any(same_person(entry.actor, name) for name in state.sign_offs):
        raise StepError(
            _("{name} has signed it off already: a severe alert needs two different people"), name=entry.actor.strip()
        )
    sign_offs = (*state.sign_offs, entry.actor.strip())
    enough = len(sign_offs) >= SIGN_OFFS_NEEDED.get(state.level, 1)
    return replace(
        state, status=SIGNED_OFF if enough else PROPOSED, sign_offs=sign_offs, signers=(*state.signers, signer),
        version=entry.id,
    )  # fmt: skip


def _acknowledged(state: State, entry: Entry) -> State:
    if state.status == ACKNOWLEDGED:
        raise StepError(_("{name} has acknowledged it already"), name=state.acknowledged_by)
    if state.status != SIGNED_OFF:
        raise StepError(_("only a signed-off alert can be acknowledged; this one is {status}"), status=_status(state))
    return replace(state, status=ACKNOWLEDGED, acknowledged_by=entry.actor.strip(), version=entry.id)


def _dismissed(state: State, entry: Entry) -> State:
    if state.status not in {PROPOSED, SIGNED_OFF, ACKNOWLEDGED}:
        raise StepError(_("only an open alert can be dismissed; this one is {status}"), status=_status(state))
    return replace(state, status=DISMISSED, version=entry.id)


def _ended(state: State, entry: Entry) -> State:
    _must_stand(state)
    return replace(state, status=ENDED, version=entry.id)


def _objected(state: State, entry: Entry) -> State:
    return replace(state, objections=(*state.objections, entry))


def _answered(state: State, entry: Entry) -> State:
    number = entry.payload.get("answers")
    left = tuple(one for one in state.objections if one.id != number)
    if len(left) == len(state.objections):
        raise StepError(_("there is no unanswered dissent or correction with the number {number}"), number=str(number))
    return replace(state, objections=left)


def _announced(state: State, entry: Entry) -> State:
    return replace(state, announcements=(*state.announcements, entry))


_TAKE: Mapping[str, Callable[[State, Entry], State]] = {
    PROPOSED: _proposed, WORSENED: _worsened, EASED: _eased, UNJUDGED: _unjudged, JUDGED: _unjudged,
    SIGNED_OFF: _signed_off, ACKNOWLEDGED: _acknowledged, DISMISSED: _dismissed, ENDED: _ended,
    DISSENTED: _objected, CORRECTION: _objected, ANSWERED: _answered, ANNOUNCED: _announced,
}  # fmt: skip


def _must_stand(state: State) -> None:
    if state.status in {"", ENDED}:
        raise StepError(_("the alert is {status}"), status=_status(state))


def _status(state: State) -> str:
    return state.status or _("not recorded")


def _level_of(entry: Entry) -> str:
    if (level := str(entry.payload.get("level", ""))) not in LEVELS:
        raise StepError("'{level}' is not a level: {known}", level=level, known=", ".join(LEVELS))
    return level


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
