"""First contact: each publisher asked once, what came of it, and what to do where something failed.

Nothing is stored: a person with a network runs this first, and sends the report to the maintainers.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from core.errors import fault_of
from core.languages import marked as _
from core.log import ProgressReport, silent
from core.settings import Settings
from ingest import Answer, LiveSource, Pull, Request, SourceAccess
from ingest.http import Client
from ingest.sources import chosen_sources, source_access

OK, NOT_ASKED, UNREACHABLE, UNRECOGNISED, IN_PART = "ok", "not asked", "not reachable", "not recognised", "in part"
NOT_READY = "not ready"
_FIRST_BYTES = 200
_TRIES = 2
"""A person waits for this, and may run it again: a question is repeated once, not as often as a night would."""
_LATER = "ask again later; the former figures stand"
_ADVICE = (
    ("needs a key", "set the key in the environment, or leave the source out (exclude_sources)"),
    ("cannot be reached", "check the network, HTTPS_PROXY and SSL_CERT_FILE"),
    ("no connection in time", "check the network, HTTPS_PROXY and SSL_CERT_FILE"),
    ("certificate", "give the certificates of your network in SSL_CERT_FILE"),
    *(
        (sign, _LATER)
        for sign in (
            "again later",
            "cut off",
            "damaged",
            "answer is empty",
            "file is empty",
            "stopped arriving",
            "took longer",
            "maintenance",
            "in time",
            "answered 202",
            "answered 204",
            "answered 408",
            "answered 425",
            "answered 429",
            "answered 5",
        )
    ),
    ("answered 401", "check the key"),
    ("answered 403", 'the publisher refuses this agent: set agent = "browser" under live.sources'),
    ("answered 404", "the address moved: set addresses under live.sources, and inform the maintainers"),
    ("is not declared", "the publisher moved to another host: look at it, then add it to hosts under live.sources"),
)
_LAYOUT = "the layout changed: send this report to the maintainers; the former figures stand"


@dataclass
class Contact:
    """What came of asking one publisher.

    Attributes:
        source_id: The source.
        state: ``ok``, ``in part``, ``not asked``, ``not reachable``, ``not ready`` (ask again later) or ``not
            recognised`` (the layout changed).
        newest: Newest period in the answers.
        rows: Figures in them.
        seconds: How long it took.
        todo: What to do; empty where there is nothing.
        faults: What went wrong.
        answers: Address, status, headers and first bytes of each answer, the refused ones too; never a key.
        unconfirmed: Fields of its access that are not confirmed.
    """

    source_id: str
    state: str = OK
    newest: str = ""
    rows: int = 0
    seconds: float = 0.0
    todo: str = ""
    faults: list[str] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    unconfirmed: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether a person must look."""
        return self.state in (UNREACHABLE, NOT_READY, UNRECOGNISED, IN_PART)

    def line(self) -> str:
        """One row of the table for a person."""
        reached, layout = _SHOWN[self.state]
        reached = "refused" if reached == "no" and self.answers else reached
        figures = f"{self.newest:11} {self.rows:>8,} {self.seconds:>7.1f}"
        return f"{self.source_id:22} {reached:9} {layout:10} {figures}  {self.todo}".rstrip()

    def report(self) -> dict[str, Any]:
        """What a maintainer needs."""
        return asdict(self)


_SHOWN = {
    OK: ("yes", "yes"), IN_PART: ("yes", "in part"), UNRECOGNISED: ("yes", "no"), UNREACHABLE: ("no", "-"),
    NOT_READY: ("later", "-"),
    NOT_ASKED: ("not asked", "-"),
}  # fmt: skip
HEADER = f"{'source':22} {'reachable':9} {'layout':10} {'newest':11} {'rows':>8} {'seconds':>7}  what to do"


def check_sources(
    settings: Settings, source_ids: Iterable[str] = (), *, live: bool, progress: ProgressReport = silent
) -> list[Contact]:
    """Ask each publisher once, several at a time; with ``live`` off, only say who would be asked.

    Raises:
        InputError: A source is unknown or cannot be asked, or the settings are wrong.
    """
    access = source_access(settings.live.sources)
    named = list(source_ids)
    chosen = chosen_sources(named, settings.exclude_sources)
    found = {name: Contact(name, unconfirmed=list(access[name].unconfirmed)) for name in chosen}
    for name, contact in found.items():
        reason = access[name].why_not_asked if not named else ""
        if reason or not live:
            contact.state, contact.todo = NOT_ASKED, reason or "ask with --live"
    asked = {name: chosen[name] for name, contact in found.items() if contact.state == OK}
    tries = {"attempts": min(settings.live.attempts, _TRIES)}
    client = Client(
        settings.live.model_copy(update=tries), lambda name, answer: found[name].answers.append(_described(answer))
    )
    with ThreadPoolExecutor(settings.live.parallel, thread_name_prefix="source") as pool:
        visits = [pool.submit(_ask, source, access[name], client, found[name]) for name, source in asked.items()]
        for done, visit in enumerate(visits, start=1):
            visit.result()
            progress(_("Asking publishers"), done, len(asked))
    return list(found.values())


def _ask(source: LiveSource, access: SourceAccess, client: Client, contact: Contact) -> None:
    begun = time.monotonic()
    good: list[str] = []

    def ask(request: Request) -> Answer:
        answer = client.get(request, access)
        contact.answers.append(_described(answer))
        good.append(answer.url)
        return answer

    pull = Pull(access, ask, dt.datetime.now(dt.UTC).date(), time.sleep)
    try:
        files = source.download(pull)
    except Exception as error:  # whatever a publisher does, the others are asked
        contact.state, files = UNRECOGNISED if good else UNREACHABLE, []
        contact.faults.append(str(fault_of(error)))
    contact.faults += [str(error.message) for error in pull.failures]
    periods: list[str] = []
    for file in files:
        try:
            rows = source.parse(file).observations
        except Exception as error:  # as above
            contact.faults.append(str(fault_of(error)))
        else:
            contact.rows += len(rows)
            periods.append(str(rows["time_period"].max()))
    contact.newest = max(periods, default="")
    if contact.state == OK and contact.faults:
        contact.state = IN_PART if contact.rows else UNRECOGNISED
    contact.seconds = round(time.monotonic() - begun, 1)
    contact.todo = _advice(contact.faults)
    if contact.todo == _LATER and contact.state != IN_PART:
        contact.state = NOT_READY


def _advice(faults: list[str]) -> str:
    if not faults:
        return ""
    return next((advice for sign, advice in _ADVICE if sign in faults[0]), _LAYOUT)


def _described(answer: Answer) -> dict[str, Any]:
    headers: Mapping[str, str] = {name: text for name, text in answer.headers.items() if "cookie" not in name}
    first = answer.content[:_FIRST_BYTES].decode("utf-8", "replace")
    return {
        "url": answer.url, "status": answer.status, "headers": dict(headers), "bytes": len(answer.content),
        "first": first, "received": answer.received.isoformat(timespec="seconds"),
    }  # fmt: skip
