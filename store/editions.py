"""Editions: every file or answer that was taken in, with what it changed, and what people decided about it.

An edition is *known* (its figures are vintages), *held* (it waits for a person, its figures kept in
``home/editions/<edition_id>.parquet``), *rejected*, or *withdrawn*: then each value is again, from that day on, what it
would be without it. Rows of the journal tell its life; nothing of it is erased.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

from core.errors import InputError, Message, StoreError
from core.languages import marked as _
from core.log import counted, get_logger
from core.release import EDITIONS
from core.schema import Entry
from core.settings import Settings
from store import parquet_bytes, read_parquet, sha256_of_bytes, sha256_of_file, write_bytes
from store.journal import Journal
from store.lock import night_lock
from store.mirror import shared
from store.vintages import VintageStore

State = Literal["held", "known", "withdrawn", "rejected"]
HELD: Final = "held"
KNOWN: Final = "known"
WITHDRAWN: Final = "withdrawn"
REJECTED: Final = "rejected"
TAKEN_IN, HELD_BACK = "edition taken in", "edition held"
ACCEPT: Final = "edition accepted"
REJECT: Final = "edition rejected"
WITHDRAW: Final = "edition withdrawn"
Action = Literal["edition accepted", "edition rejected", "edition withdrawn"]
ACTIONS = (TAKEN_IN, HELD_BACK, ACCEPT, REJECT, WITHDRAW)
"""What the journal tells of an edition, whose ``edition_id`` is the rows' subject."""
STEPS: Final[Mapping[State, tuple[Action, ...]]] = {HELD: (ACCEPT, REJECT), KNOWN: (WITHDRAW,)}
"""What a person may do with an edition, by its state."""
_STATES: dict[str, State] = {
    TAKEN_IN: "known", HELD_BACK: "held", ACCEPT: "known", REJECT: "rejected", WITHDRAW: "withdrawn",
}  # fmt: skip
FOLDER = "editions"
FIGURES = "figures"
"""Key under which the row of a held edition keeps the hash of its figures."""
_BEGUN = ".begun"
"""End of the name of a note about figures that are being stored; their row of the journal removes it."""


@dataclass(frozen=True)
class Edition:
    """One file or answer.

    Attributes:
        edition_id: Its source, its day and the beginning of its hash.
        source_id: The source.
        file: Name of the file, or of the answer's files.
        sha256: Hash of its bytes.
        received: When it came.
        given_by: Who gave it: a person, or ``nightly``.
        state: ``held``, ``known``, ``withdrawn`` or ``rejected``.
        rows: Figures in it.
        new: Figures of periods that had none.
        changed: Known figures that it changed.
        gone: Known figures that it took away.
        why_held: Why it was held; empty where it was not.
        told: What is unusual about it and was no reason to hold it.
        decided: When a person decided about it; None where nobody did.
        decided_by: Who; empty where nobody did.
        reason: Why, in that person's words.
        complete: It re-sends the whole history of its targets.
        stamps: ``stored_at`` of the rows that it wrote, one per time it was taken in.
        undone: ``stored_at`` of the rows that its withdrawal wrote.
    """

    edition_id: str
    source_id: str
    file: str
    sha256: str
    received: dt.datetime
    given_by: str
    state: State
    rows: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    why_held: list[Message] = field(default_factory=list)
    told: list[Message] = field(default_factory=list)
    decided: dt.datetime | None = None
    decided_by: str = ""
    reason: str = ""
    complete: bool = False
    stamps: tuple[dt.datetime, ...] = ()
    undone: tuple[dt.datetime, ...] = ()

    def summary(self) -> str:
        """One line for a person."""
        change = f"{self.new:,} new, {self.changed:,} changed, {self.gone:,} taken away"
        lines = [
            f"{self.edition_id}  {self.state}: {self.file}, {counted(self.rows, 'figure')}, {change}; {self.given_by}"
        ]
        lines += [f"  held: {one}" for one in self.why_held] + [f"  note: {one}" for one in self.told]
        if self.decided is not None:
            lines.append(f"  {self.state} on {self.decided:%Y-%m-%d} by {self.decided_by}: {self.reason}")
        return "\n".join(lines)

    def record(self) -> dict[str, Any]:
        """The edition as plain data: for machines, and as a row of a release."""
        texts = {"why_held": "; ".join(map(str, self.why_held)), "told": "; ".join(map(str, self.told))}
        names = ("edition_id", "source_id", "file", "sha256", "state", "given_by", "rows", "new", "changed", "gone")
        decided = {"decided_by": self.decided_by, "reason": self.reason}
        return {
            **{name: getattr(self, name) for name in names}, **texts, **decided,
            "received": self.received.isoformat(timespec="seconds"),
            "decided": "" if self.decided is None else self.decided.isoformat(timespec="seconds"),
        }  # fmt: skip


@dataclass(frozen=True)
class Arrival:
    """A file or answer as it came, before it is known.

    Attributes:
        source_id: The source.
        file: Name of the file, or of the answer's files.
        sha256: Hash of its bytes.
        given_by: Who gave it.
        observations: Its figures (``core.release.OBSERVATIONS``).
        received: Day on which it came.
        complete: It re-sends the whole history of its targets.
        payload: Further facts to be kept, such as who a login says that the giver is.
    """

    source_id: str
    file: str
    sha256: str
    given_by: str
    observations: pd.DataFrame
    received: dt.date
    complete: bool = False
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """What a person decides about an edition."""

    action: Action
    edition_id: str
    actor: str
    reason: str
    marks: Mapping[str, Any] = field(default_factory=dict)


class EditionStore:
    """The editions of a home folder."""

    def __init__(self, home: Path, journal: Journal) -> None:
        self._home, self._journal, self._vintages = home, journal, VintageStore(home)

    def all(self, source_id: str | None = None) -> list[Edition]:
        """Every edition, of one source or of all, the newest last.

        Raises:
            StoreError: The journal cannot be read.
        """
        found: dict[str, Edition] = {}
        for row in self._journal.entries(action=ACTIONS):
            found[row.subject] = _after(found.get(row.subject), row)
        return [one for one in found.values() if source_id in (None, one.source_id)]

    def table(self, date: dt.date) -> pd.DataFrame:
        """Editions received up to a day, as ``core.release.EDITIONS``.

        Raises:
            StoreError: The journal cannot be read.
        """
        rows = [one.record() for one in self.all() if one.received.date() <= date]
        return pd.DataFrame(rows)[list(EDITIONS.columns)] if rows else EDITIONS.empty()

    def newest_of(self, source_id: str, sha256: str) -> Edition | None:
        """The newest edition of these very bytes; None where they never came."""
        return next((one for one in reversed(self.all(source_id)) if one.sha256 == sha256), None)

    def void(self, source_id: str | None = None) -> list[dt.datetime]:
        """``stored_at`` of all rows that do not count any more: of withdrawn editions, and what withdrawals wrote."""
        found = self.all(source_id)
        withdrawn = [stamp for one in found if one.state == WITHDRAWN for stamp in one.stamps]
        return withdrawn + [stamp for one in found for stamp in one.undone]

    def take_in(self, arrival: Arrival, notices: Sequence[Message] = ()) -> Edition:
        """Let an edition be known.

        Returns:
            The edition; the source's newest one where these are its very bytes and nothing is new about them.

        Raises:
            StoreError: The vintages or the journal cannot be written.
        """
        self.recover()
        row = self._row(TAKEN_IN, arrival, notices, self._new_id(arrival))
        note = self._begin(arrival.source_id, row)
        done = self._store(arrival.observations, arrival.received, complete=arrival.complete)
        newest = next(reversed(self.all(arrival.source_id)), None)
        if newest is not None and (newest.sha256, newest.state, done["stamps"]) == (arrival.sha256, KNOWN, []):
            note.unlink()
            return newest
        return _after(None, self._end(note, row, done))

    def hold(self, arrival: Arrival, reasons: Sequence[Message]) -> Edition:
        """Keep an edition for a person to decide about; one of the same bytes that is held already stays the one.

        Raises:
            StoreError: The home or the journal cannot be written.
        """
        former = self.newest_of(arrival.source_id, arrival.sha256)
        if former is not None and former.state == HELD:
            return former
        figures = parquet_bytes(arrival.observations)
        facts = {"why_held": [one.to_json() for one in reasons], FIGURES: sha256_of_bytes(figures)}
        row = self._row(HELD_BACK, arrival, (), self._new_id(arrival), **facts)
        write_bytes(self._file(row.subject), figures)
        return _after(None, self._journal.record(row))

    def decide(self, decision: Decision) -> Edition:
        """Let a held edition be known from today on, put it aside for good, or take a known one back.

        Withdrawn, each value that it changed is from today on what it would be without it.

        Raises:
            InputError: There is no such edition, its state is another, or no reason or name is given.
            StoreError: The vintages or the journal cannot be written.
        """
        self.recover()
        edition = self._to_decide(decision, next(state for state in STEPS if decision.action in STEPS[state]))
        row = Entry(
            decision.actor.strip(), decision.action, edition.edition_id, reason=decision.reason.strip(),
            payload=dict(decision.marks),
        )  # fmt: skip
        note = self._begin(edition.source_id, row)
        facts: dict[str, Any] = {}
        if decision.action != REJECT:
            facts = self._accepted(edition) if decision.action == ACCEPT else self._withdrawn(edition)
        done = _after(edition, self._end(note, row, facts))
        get_logger().info(decision.action, edition_id=edition.edition_id, actor=decision.actor)
        return done

    def altered(self) -> list[Path]:
        """Files of held editions that are missing or not as they were kept, in the order of receipt.

        Raises:
            StoreError: The journal or a file cannot be read.
        """
        held = {one.edition_id for one in self.all() if one.state == HELD}
        rows = [row for row in self._journal.entries(action=HELD_BACK) if row.subject in held]
        kept = {self._file(row.subject): row.payload.get(FIGURES) for row in rows}
        return [path for path, sha256 in kept.items() if not path.is_file() or sha256_of_file(path) != sha256]

    def is_interrupted(self) -> bool:
        """Whether figures are being stored just now, or a kill left some without their row of the journal."""
        return bool(self._notes())

    def _notes(self) -> list[Path]:
        return sorted((self._home / FOLDER).glob(f"*{_BEGUN}"))

    def recover(self) -> list[str]:
        """Record what was stored before the process was killed, so that it can be withdrawn; nothing may be storing.

        Returns:
            The editions recorded.

        Raises:
            StoreError: The home or the journal cannot be read or written.
        """
        recovered = []
        for note in self._notes():
            begun = json.loads(note.read_text("utf-8"))
            source_id, row = begun["source_id"], Entry(**begun["row"])
            told = {stamp for one in self.all(source_id) for stamp in (*one.stamps, *one.undone)}
            rows = self._vintages.stored_since(source_id, begun["since"])
            rows = rows[~rows["stored_at"].isin(list(told))]
            facts = _facts(rows)
            if row.action == WITHDRAW and len(rows):
                edition = next(one for one in self.all(source_id) if one.edition_id == row.subject)
                facts = self._withdrawn(edition, facts["stamps"])
            if len(rows):
                self._journal.record(replace(row, payload={**row.payload, **facts}))
                recovered.append(row.subject)
                get_logger().warning("recorded after a kill", edition_id=row.subject, action=row.action)
            note.unlink()
        return recovered

    def _begin(self, source_id: str, row: Entry) -> Path:
        """Note what is about to be stored, and the newest row before it."""
        about = {"actor": row.actor, "action": row.action, "subject": row.subject, "reason": row.reason}
        since = self._vintages.newest_time(source_id)
        kept = {"source_id": source_id, "since": since, "row": {**about, "payload": dict(row.payload)}}
        note = self._home / FOLDER / f"{row.subject}{_BEGUN}"
        write_bytes(note, json.dumps(kept).encode())
        return note

    def _end(self, note: Path, row: Entry, facts: Mapping[str, Any]) -> Entry:
        """Record what was stored; the note is not needed any more."""
        done = self._journal.record(replace(row, payload={**row.payload, **facts}))
        note.unlink()
        return done

    def _accepted(self, edition: Edition) -> dict[str, Any]:
        if (path := self._file(edition.edition_id)) in self.altered():
            raise StoreError(f"{path}: is missing or was altered since it was held: give its file again")
        rows = read_parquet(path)
        # What a withdrawal took back is known again from the day of this decision, not from the file's own.
        again = any(one.sha256 == edition.sha256 and one.undone for one in self.all(edition.source_id))
        rows = rows.assign(as_of_estimated=rows["as_of_estimated"] | again)
        return self._store(rows, _today(), complete=edition.complete)

    def _withdrawn(self, edition: Edition, already: Sequence[str] = ()) -> dict[str, Any]:
        """Take back what is not so yet; ``already`` are the stamps of what was before a kill."""
        void = [*self.void(edition.source_id), *edition.stamps, *map(dt.datetime.fromisoformat, already)]
        wrote = [
            _stamp(rows)
            for stamp in edition.stamps
            if len(rows := self._vintages.take_back(edition.source_id, stamp, void, _today()))
        ]
        return {"undone": [*already, *wrote]}

    def _store(self, rows: pd.DataFrame, received: dt.date, *, complete: bool) -> dict[str, Any]:
        """Store rows; what they changed, as it is kept."""
        return _facts(self._vintages.append_edition(rows, received=received, complete=complete))

    def _row(
        self, action: str, arrival: Arrival, notices: Sequence[Message], edition_id: str, **facts: object
    ) -> Entry:  # fmt: skip
        payload = {
            **arrival.payload, "source_id": arrival.source_id, "file": arrival.file, "sha256": arrival.sha256,
            "rows": len(arrival.observations), "complete": arrival.complete,
            "told": [one.to_json() for one in notices], **facts,
        }  # fmt: skip
        return Entry(arrival.given_by, action, edition_id, payload=payload)

    def _new_id(self, arrival: Arrival) -> str:
        stem = f"{arrival.source_id}-{arrival.received:%Y%m%d}-{arrival.sha256[:8]}"
        taken = {one.edition_id for one in self.all(arrival.source_id)}
        return next(name for name in _numbered(stem) if name not in taken)

    def _to_decide(self, decision: Decision, state: str) -> Edition:
        found = next((one for one in self.all() if one.edition_id == decision.edition_id), None)
        if found is None:
            raise InputError(_("no edition '{found}': vigie editions lists them"), found=decision.edition_id)
        if found.state != state:
            fault = _("{edition} is {found}; only one that is {wanted} can be decided so")
            raise InputError(fault, edition=found.edition_id, found=found.state, wanted=state)
        if not decision.reason.strip() or not decision.actor.strip():
            raise InputError(_("give a name and a reason: both are kept with the decision"))
        return found

    def _file(self, edition_id: str) -> Path:
        return self._home / FOLDER / f"{edition_id}.parquet"


def decide(home: Path, settings: Settings, journal: Journal, decision: Decision) -> Edition:
    """Decide about an edition while no night is running, here and in the shared store.

    Raises:
        InputError: It cannot be decided so, or a night is running.
        StoreError: The home or the shared store cannot be written.
    """
    with night_lock(home), shared(home, settings) as delivery:
        done = EditionStore(home, journal).decide(decision)
        delivery.deliver()
        return done


def _after(edition: Edition | None, row: Entry) -> Edition:
    """An edition after one more row of the journal."""
    kept = row.payload
    stamps, undone = (tuple(map(dt.datetime.fromisoformat, kept.get(name, []))) for name in ("stamps", "undone"))
    counts: dict[str, Any] = {name: int(kept[name]) for name in ("new", "changed", "gone") if name in kept}
    if edition is None:
        texts: dict[str, Any] = {name: str(kept.get(name, "")) for name in ("source_id", "file", "sha256")}
        notes: dict[str, Any] = {
            name: [Message.from_json(one) for one in kept.get(name, [])] for name in ("why_held", "told")
        }
        return Edition(
            row.subject, **texts, received=row.at, given_by=row.actor, state=_STATES[row.action],
            rows=int(kept.get("rows", 0)), complete=bool(kept.get("complete")), stamps=stamps, **counts, **notes,
        )  # fmt: skip
    return replace(
        edition, state=_STATES[row.action], decided=row.at, decided_by=row.actor, reason=row.reason,
        stamps=edition.stamps + stamps, undone=edition.undone + undone, **counts,
    )  # fmt: skip


def _facts(news: pd.DataFrame) -> dict[str, Any]:
    """What rows that were stored changed, as it is kept."""
    gone = news["obs_value"].isna()
    first = news["version"].eq("first")
    counts = {"new": int(first.sum()), "gone": int(gone.sum()), "changed": int((~first & ~gone).sum())}
    return {**counts, "stamps": [pd.Timestamp(time).isoformat() for time in news["stored_at"].unique()]}


def _stamp(rows: pd.DataFrame) -> str:
    return pd.Timestamp(rows["stored_at"].iloc[0]).isoformat()


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    yield from (f"{stem}-{number}" for number in range(2, 1_000_000))


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
