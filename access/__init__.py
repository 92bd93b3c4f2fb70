"""Who may read, do and take away what: logins, roles, the gate before the pages, and the audit rows they leave.

Identity and permissions: one table of roles and actions, checked on the server before anything is shown or
done. Without a login everybody at the machine may do everything and gives a name with each decision. With one, what the
provider says about a person is read once, when they come back from it.

Free of streamlit: what the gate must know of the program behind it is handed to it as :class:`access.gate.Application`.

A browser holds a random session identifier. The journal keeps the login under the identifier's hash, the *login id*:
a reader of the journal cannot sign in with it. The gate alone reads the identifier; all others get the login id.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import math
import os
import pwd
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alerts.lifecycle import ACKNOWLEDGED, ANSWERED, COMMENTED, CORRECTION, DISMISSED, DISSENTED, SIGNED_OFF
from core.errors import InputError
from core.schema import Entry
from core.settings import PROJECT, AccessSettings
from store.journal import Journal

VIEWER, ANALYST, MANAGER, ADMINISTRATOR = "viewer", "analyst", "manager", "administrator"
ROLES: Final = (VIEWER, ANALYST, MANAGER, ADMINISTRATOR)
PAGES: Final = tuple(sorted(path.stem for path in (PROJECT / "dashboard" / "pages").glob("[!_]*.py")))
"""A page is a file: every role may read it unless ``_READERS`` says who."""
DOWNLOAD, SAVE_SCENARIO, DELETE_SCENARIO = "download", "scenario saved", "scenario deleted"
KEEP_PLACES, HAND_IN = "places kept", "forecast handed in"
DECIDE_EDITION, DROP_MESSAGE = "edition decided", "message dropped"
_EVERYBODY: Final = frozenset(ROLES)
_WORKING_ON_IT: Final = frozenset({ANALYST, MANAGER})
_DECIDING: Final = frozenset({MANAGER})
_READERS: Final = {"scenarios": _WORKING_ON_IT, "access": frozenset({ADMINISTRATOR})}
LONGEST_NAME = 200
_SHELL = "shell:"
_FRESH = dt.timedelta(minutes=5)
"""An identity token is read in the moment in which it was given, give or take the clocks of two machines."""
_CLOCKS_APART = dt.timedelta(minutes=1)


def page_action(page: str) -> str:
    """The action of reading one page."""
    return f"read {page}"


PERMISSIONS: Final[Mapping[str, frozenset[str]]] = {
    **{page_action(page): _READERS.get(page, _EVERYBODY) for page in PAGES},
    **dict.fromkeys((DOWNLOAD, SAVE_SCENARIO, DELETE_SCENARIO, KEEP_PLACES, HAND_IN, DECIDE_EDITION), _WORKING_ON_IT),
    **dict.fromkeys((DROP_MESSAGE, SIGNED_OFF, DISMISSED), _DECIDING),
    **dict.fromkeys((ACKNOWLEDGED, ANSWERED), _WORKING_ON_IT),
    # Every reader may object: governance requires it.
    **dict.fromkeys((COMMENTED, DISSENTED, CORRECTION), _EVERYBODY),
}
"""Action -> roles that may do it. Actions that are not listed are forbidden."""

KEPT_WITH_A_NAME: Final = frozenset(PERMISSIONS) - {DOWNLOAD, *map(page_action, PAGES)}
"""Actions that the journal keeps with a name."""


class NotAllowedError(InputError):
    """A person may not do this."""


@dataclass(frozen=True)
class Actor:
    """A person who acts.

    Attributes:
        name: The name that is kept with each step: with a login it is the identity and is not typed.
        roles: Roles that a login gave; None where there is no login.
        identity: Permanent identifier of a person, independent of the name; empty without a login.
    """

    name: str
    roles: frozenset[str] | None = None
    identity: str = ""

    def with_identity(self, payload: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What a journal row keeps of the person beside the name; nothing that a caller claims about it stands."""
        kept = {key: value for key, value in (payload or {}).items() if key not in {"identity", "roles"}}
        if self.roles is None:
            return kept
        return {**kept, "identity": self.identity, "roles": sorted(self.roles)}

    def entry(
        self, action: str, subject: str, run_id: str = "", reason: str = "", payload: Mapping[str, Any] | None = None
    ) -> Entry:
        """The journal's row of what this person does."""
        return Entry(self.name.strip(), action, subject, run_id, reason.strip(), self.with_identity(payload))


def may(actor: Actor, action: str) -> bool:
    """Whether a person may do something; asked on the server before it is done, whatever the screen offers."""
    if action not in PERMISSIONS:
        return False
    if action in KEPT_WITH_A_NAME and not actor.name.strip():
        return False
    return actor.roles is None or bool(actor.roles & PERMISSIONS[action])


def require(actor: Actor, action: str, *, login: bool = False) -> None:
    """Refuse what a person may not do.

    Args:
        actor: The person.
        action: One of :data:`PERMISSIONS`.
        login: Whether people sign in here: then every action requires it.

    Raises:
        NotAllowedError: The text says who may not do what.
    """
    if login and (actor.roles is None or not actor.identity):
        raise NotAllowedError("sign in first: steps are kept with the identity that the login gives")
    if action in KEPT_WITH_A_NAME and not actor.name.strip():
        raise NotAllowedError("give your name: it is kept with the decision")
    if not may(actor, action):
        raise NotAllowedError(f"{actor.name.strip()} may not do this: {action}")


def matrix() -> list[tuple[str, tuple[bool, ...]]]:
    """The table as rows: an action, and for each of :data:`ROLES` whether it may be done."""
    return [(action, tuple(role in roles for role in ROLES)) for action, roles in PERMISSIONS.items()]


class LoginError(InputError):
    """A login that gives no usable identity; the text says what is missing."""


@dataclass(frozen=True)
class Person:
    """A person as the provider vouched for them once, at the callback.

    Attributes:
        name: The name that is kept with each step.
        identity: Issuer and subject: the permanent identifier of a person.
        claimed: Values of the claim of roles that mean a role here.
    """

    name: str
    identity: str
    claimed: tuple[str, ...]


@dataclass(frozen=True)
class Login:
    """One login of one person, as the journal keeps it.

    Attributes:
        login_id: Identifies this login among the person's logins: a hash of its session's identifier.
        since: When it began, by the journal's clock, UTC.
        actor: The person, with the roles that they have now.
    """

    login_id: str
    since: dt.datetime
    actor: Actor

    def is_over(self, access: AccessSettings, now: dt.datetime) -> bool:
        """Whether it has lasted as long as a login may."""
        return not -_CLOCKS_APART <= now - self.since < dt.timedelta(minutes=access.session_minutes)


def read_person(claims: Mapping[str, Any], access: AccessSettings, now: dt.datetime) -> Person:
    """Who has signed in, by the claims of an identity token whose signature was checked.

    Raises:
        LoginError: The claims name no person, or speak of another time than now.
    """
    audience = claims.get("aud")
    if access.client_id not in (audience if isinstance(audience, list | tuple) else [audience]):
        raise LoginError("the identity token was given for another program (claim aud)")
    issuer, subject = _text(claims, "iss"), _text(claims, "sub")
    name = _text(claims, access.identity_claim)
    if access.identity_claim == "email" and claims.get("email_verified") is not True:
        raise LoginError("the provider does not vouch for the mail address (claim email_verified)")
    if not abs(_time(claims, "iat") - now.timestamp()) <= _FRESH.total_seconds():
        raise LoginError("the identity token was not given just now (claim iat)")
    if _time(claims, "exp") <= (now - _CLOCKS_APART).timestamp():
        raise LoginError("the identity token has expired (claim exp)")
    known = access.claim_roles or dict.fromkeys(ROLES)
    claimed = sorted(value for value in _values(claims, access.roles_claim) if value in known)
    return Person(name, f"{issuer}|{subject}", tuple(claimed))


def actor_of(person: Person, access: AccessSettings) -> Actor:
    """A person with the roles that the settings, as they are now, give to them and to what the provider claimed."""
    known: Mapping[str, str] = access.claim_roles or dict(zip(ROLES, ROLES, strict=True))
    from_claims = {known[value] for value in person.claimed if value in known}
    return Actor(person.name, frozenset({*from_claims, *_listed(person.name, access)}), person.identity)


def account_name() -> str:
    """Return the name of the operating system's account that runs this process; its number if it has no name."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def shell_actor(access: AccessSettings, typed: str) -> Actor:
    """Who acts at the command line.

    Without a login it is the typed name. With one it is the operating system's account, which has the
    roles that the settings give to ``shell:<account>``.

    Raises:
        InputError: A name is typed although there is a login.
    """
    if not access.is_on:
        return Actor(typed)
    if typed:
        raise InputError("--as is not taken where people sign in: the step is kept with your account's name")
    name = _SHELL + account_name()
    return Actor(name, frozenset(_listed(name, access)), name)


def _listed(name: str, access: AccessSettings) -> set[str]:
    """Roles by the list. A to Z are compared without their case and nothing else is: ß is not ss."""
    wanted = name.encode().lower()
    return {role for person, roles in access.people.items() if person.encode().lower() == wanted for role in roles}


def _time(claims: Mapping[str, Any], claim: str) -> float:
    value = claims.get(claim)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise LoginError(f"the provider gives no usable time (claim {claim})")
    return float(value)


def _text(claims: Mapping[str, Any], claim: str) -> str:
    value = claims.get(claim)
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > LONGEST_NAME:
        raise LoginError(f"the provider gives no usable claim {claim}")
    if claim != "iss" and value.strip().casefold().startswith(_SHELL):
        raise LoginError(f"the claim {claim} names an account of the command line")
    return value.strip()


def _values(claims: Mapping[str, Any], path: str) -> set[str]:
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return {found}
    return {value for value in found if isinstance(value, str)} if isinstance(found, list | tuple) else set()


SIGNED_IN, SIGNED_OUT, REFUSED, DOWNLOADED = "signed in", "signed out", "refused", "downloaded"
ACCESS_ROWS: Final = (SIGNED_IN, SIGNED_OUT, REFUSED, DOWNLOADED)
_LONGEST = 200
_PREFIX = "login:"
_COUNTED_FOR = 60.0
ASK_JOURNAL_AFTER = 2.0
"""Seconds after which the journal is asked again which logins were ended, by another process perhaps."""
_LOGIN_ID = re.compile(r"[0-9a-f]{64}")
_Known = tuple[Person, dt.datetime]


def note_login(journal: Journal, login_id: str, person: Person, actor: Actor) -> None:
    """Record a login: this row is the session, and nothing that a browser holds adds to it.

    Raises:
        StoreError: The journal refuses.
    """
    journal.record(actor.entry(SIGNED_IN, _PREFIX + login_id, payload={"claimed": list(person.claimed)}))


def read_login(journal: Journal, login_id: str) -> tuple[Person, dt.datetime] | None:
    """The person of a login and when it began; None where there is none or it was ended.

    Raises:
        StoreError: The journal cannot be read.
    """
    rows = journal.entries(subject=_PREFIX + login_id)
    if not rows or rows[0].action != SIGNED_IN or any(row.action == SIGNED_OUT for row in rows):
        return None
    row, payload = rows[0], rows[0].payload
    return Person(row.actor, str(payload["identity"]), tuple(payload["claimed"])), row.at


def ended_logins(journal: Journal, after: int) -> tuple[set[str], int]:
    """Logins that were ended since a row of the journal, and the newest such row.

    Raises:
        StoreError: The journal cannot be read.
    """
    rows = journal.entries(action=SIGNED_OUT, after=after)
    return {row.subject.removeprefix(_PREFIX) for row in rows}, rows[-1].id if rows else after


def note_logout(journal: Journal, login_id: str, actor: Actor, reason: str = "") -> None:
    """Record that a login was ended: whatever is left of it in a browser, it opens nothing any more.

    Raises:
        StoreError: The journal refuses.
    """
    entry = actor.entry(SIGNED_OUT, _PREFIX + login_id, reason=reason)
    journal.decide(entry.subject, lambda rows: [] if any(row.action == SIGNED_OUT for row in rows) else [entry])


def revoke(journal: Journal, name: str, actor: Actor, reason: str) -> int:
    """End every open login of a person and return their number.

    Args:
        journal: The journal.
        name: Name or identity (issuer and subject) as the journal keeps it.
        actor: Who ends them.
        reason: Why.

    Raises:
        InputError: The person never signed in.
        StoreError: The journal refuses.
    """
    ended, _newest = ended_logins(journal, 0)
    rows = [row for row in journal.entries(action=SIGNED_IN) if name in {row.actor, row.payload.get("identity")}]
    if not rows:
        raise InputError(f"{name}: no such person has signed in; 'vigie access audit' shows names")
    found = [login_id for row in rows if (login_id := row.subject.removeprefix(_PREFIX)) not in ended]
    for login_id in found:
        note_logout(journal, login_id, actor, reason)
    return len(found)


class Refusals:
    """Counts refusals: the first of a kind is written down at once, those that follow once a minute, together.

    Args:
        clock: Gives the time in seconds that never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kinds: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def due(self, kind: str) -> int:
        """Note one refusal of a kind; returns how many are to be written down now, 0 for none."""
        with self._lock:
            now = self._clock()
            since, count = self._kinds.get(kind, (-math.inf, 0))
            is_due = now - since >= _COUNTED_FOR
            self._kinds[kind] = (now, 0) if is_due else (since, count + 1)
            return count + 1 if is_due else 0


REFUSALS: Final = Refusals()
"""Of this process."""


def note_refusal(journal: Journal, actor: Actor, action: str, about: str = "") -> None:
    """Record that a signed-in person was refused an action: repeated refusals are counted.

    Raises:
        StoreError: The journal refuses.
    """
    if not (count := REFUSALS.due(f"{journal.database.name} {actor.identity} {action}")):
        return
    facts = {"action": action, "about": about[:_LONGEST], **({"count": count} if count > 1 else {})}
    journal.record(actor.entry(REFUSED, "access", payload=facts))


def authorize_download(journal: Journal, actor: Actor, file_name: str, run_id: str = "") -> None:
    """Let a file leave, and record it; without a login nothing is recorded.

    Raises:
        NotAllowedError: The person's roles do not allow downloads; recorded as refused.
        StoreError: The journal refuses: then the file does not leave either.
    """
    if not may(actor, DOWNLOAD):
        note_refusal(journal, actor, DOWNLOAD, file_name)
        raise NotAllowedError(f"{actor.name} may not do this: {DOWNLOAD}")
    if actor.roles is not None:
        journal.record(actor.entry(DOWNLOADED, f"file:{file_name}"[:_LONGEST], run_id))


def access_rows(journal: Journal) -> list[Entry]:
    """Every row that a person who signed in has left, the newest first.

    Raises:
        StoreError: The journal cannot be read.
    """
    rows = journal.entries(action={*ACCESS_ROWS, *PERMISSIONS})
    return [row for row in reversed(rows) if row.action in ACCESS_ROWS or "identity" in row.payload]


def describe(row: Entry) -> str:
    """What an audit row is about, in a few words: a file, an alert, what was refused."""
    if row.action == REFUSED:
        times = f" × {row.payload['count']}" if "count" in row.payload else ""
        return f"{row.payload.get('action', '')} {row.payload.get('about', '')}".strip() + times
    if row.action in {SIGNED_IN, SIGNED_OUT}:
        return ", ".join(str(role) for role in row.payload.get("roles", [])) or "no role"
    return row.subject.removeprefix("file:")


class Logins:
    """Logins of one dashboard.

    Args:
        journal: Gives the journal.
        clock: Gives the time in seconds that never goes back.
    """

    def __init__(self, journal: Callable[[], Journal], clock: Callable[[], float] = time.monotonic) -> None:
        self._journal, self._clock = journal, clock
        self._known: dict[str, _Known] = {}
        self._used: dict[str, float] = {}
        self._ended: set[str] = set()
        self._asked: float | None = None
        self._newest_end = 0
        self._lock = threading.RLock()

    def begin(self, person: Person, access: AccessSettings) -> str:
        """Begin a login; returns the session's identifier for the browser.

        Raises:
            StoreError: The journal refuses.
        """
        session_id = secrets.token_urlsafe(32)
        note_login(self._journal(), login_id_of(session_id), person, actor_of(person, access))
        return session_id

    def valid_login(self, login_id: str, access: AccessSettings, *, use: bool = True) -> Login | None:
        """Return a login if it holds.

        Args:
            login_id: Its name, from :func:`login_id_of`.
            access: The settings.
            use: Whether this counts as use of it.

        Returns:
            The login, its person perhaps without any role; None where there is none that holds.

        Raises:
            StoreError: The journal cannot be read: then no login is valid.
        """
        if not access.is_on or not _LOGIN_ID.fullmatch(login_id):
            return None
        with self._lock:
            known = self._look_up(login_id)
            if known is None:
                return None
            login = Login(login_id, known[1], actor_of(known[0], access))
            if login.is_over(access, dt.datetime.now(dt.UTC)):
                return None
            now = self._clock()
            is_idle = now - self._used.setdefault(login_id, now) >= access.idle_minutes * 60
            if use and not is_idle:
                self._used[login_id] = now
        if is_idle:
            self._end(login)
            return None
        return login

    def end(self, login_id: str, access: AccessSettings) -> None:
        """End a login because its person asks for it.

        Raises:
            StoreError: The journal refuses.
        """
        if (login := self.valid_login(login_id, access)) is not None:
            self._end(login)

    def _end(self, login: Login) -> None:
        with self._lock:
            self._ended.add(login.login_id)
        note_logout(self._journal(), login.login_id, login.actor)

    def _look_up(self, login_id: str) -> _Known | None:
        now = self._clock()
        if self._asked is None or now - self._asked >= ASK_JOURNAL_AFTER:
            ended, self._newest_end = ended_logins(self._journal(), self._newest_end)
            self._ended |= ended
            self._asked = now
        if login_id in self._ended:
            return None
        if login_id not in self._known:
            if (found := read_login(self._journal(), login_id)) is None:
                return None
            self._known[login_id] = found
        return self._known[login_id]


def login_id_of(session_id: str) -> str:
    """The name under which the journal keeps a session."""
    return hashlib.sha256(session_id.encode()).hexdigest()


def form_token(login_id: str, key: str) -> str:
    """Return the token of a login's forms: made with the server's key, so that no other page can send it."""
    return hmac.new(key.encode(), f"form {login_id}".encode(), hashlib.sha256).hexdigest()


_OF_PROCESS: dict[str, Logins] = {}
_LOCK = threading.Lock()


def logins_of(home: Path, journal: Callable[[], Journal]) -> Logins:
    """The logins of a home folder's dashboard in this process."""
    with _LOCK:
        return _OF_PROCESS.setdefault(str(home), Logins(journal))
