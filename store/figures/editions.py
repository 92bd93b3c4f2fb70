"""Editions: every file or answer that was taken in, with what it changed, and what people decided about it.

An edition is *known* (its figures are vintages), *held* (it waits for a person, its figures kept in
``home/editions/<edition_id>.parquet``), *rejected*, or *withdrawn*: then each value is again, from that day on, what it
would be without it. Rows of the journal record its life; none is erased.

``home/editions/<edition_id>.known.parquet`` holds every statement of a known edition (edition × cell × value), also
those that only confirm what was known. A value is the newest statement of the editions that count: without one of them,
the newest of the others.

Publishers' answers are kept as they came, before anything is read from them, so that any visit can be replayed:
``home/raw/<source_id>/<date>/<time>/`` holds one body per answer with a record beside it (address, time, status,
headers, hash), and ``visit.json`` once the source gave all that was asked for. A body already kept is not kept again.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, count
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

from core.errors import InputError, Message, StoreError
from core.languages import marked as _
from core.log import counted, get_logger
from core.release import EDITIONS
from core.schema import Entry
from store import named_errors, parquet_bytes, read_parquet, sha256_of_bytes, sha256_of_file, write_bytes
from store.figures import CONFIRMED, VintageStore
from store.journal import Journal

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
"""Actions of an edition in the journal; its ``edition_id`` is the rows' subject."""
STEPS: Final[Mapping[State, tuple[Action, ...]]] = {HELD: (ACCEPT, REJECT), KNOWN: (WITHDRAW,)}
"""What a person may do with an edition, by its state."""
_STATES: dict[str, State] = {
    TAKEN_IN: "known", HELD_BACK: "held", ACCEPT: "known", REJECT: "rejected", WITHDRAW: "withdrawn",
}  # fmt: skip
FOLDER = "editions"
FIGURES = "figures"
"""Key under which the row of an edition keeps the hash of its file."""
_STATED = ".known"
"""End of the name of a file with a known edition's statements."""
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
        new: Figures of periods that had none; of a held edition, those that it would add.
        changed: Known figures that it changed, or would change.
        gone: Known figures that it took away, or would take away.
        why_held: Why it was held; empty where it was not.
        reported: What is unusual about it and was no reason to hold it.
        decided: When a person decided about it; None without a decision.
        decided_by: The person; empty without a decision.
        reason: Why, in that person's words.
        complete: It re-sends the whole history of its targets.
        stamps: ``stored_at`` of its statements.
        undone: ``stored_at`` of rows that restored statements of other editions.
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
    reported: list[Message] = field(default_factory=list)
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
        lines += [f"  held: {one}" for one in self.why_held] + [f"  note: {one}" for one in self.reported]
        if self.decided is not None:
            lines.append(f"  {self.state} on {self.decided:%Y-%m-%d} by {self.decided_by}: {self.reason}")
        return "\n".join(lines)

    def record(self) -> dict[str, Any]:
        """The edition as plain data: for machines, and as a row of a release."""
        return {name: getattr(self, name) for name in EDITIONS.columns} | {
            "why_held": "; ".join(map(str, self.why_held)),
            "reported": "; ".join(map(str, self.reported)),
            "received": self.received.isoformat(timespec="seconds"),
            "decided": "" if self.decided is None else self.decided.isoformat(timespec="seconds"),
        }


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
        return pd.DataFrame(rows) if rows else EDITIONS.empty()

    def newest_of(self, source_id: str, sha256: str) -> Edition | None:
        """The newest edition of these very bytes; None where they never came."""
        return next((one for one in reversed(self.all(source_id)) if one.sha256 == sha256), None)

    def named(self, edition_id: str) -> Edition:
        """The edition with an ID.

        Raises:
            InputError: There is none.
        """
        found = next((one for one in self.all() if one.edition_id == edition_id), None)
        if found is None:
            raise InputError(_("no edition '{found}': vigie editions lists them"), found=edition_id)
        return found

    def void(self, source_id: str | None = None) -> list[dt.datetime]:
        """``stored_at`` of rows that are no statement that counts: of withdrawn editions, and what restored others."""
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
        stated = self._stated(arrival)
        newest = next(reversed(self.all(arrival.source_id)), None)
        is_known = newest is not None and (newest.sha256, newest.state) == (arrival.sha256, KNOWN)
        if newest is not None and is_known and stated["version"].eq(CONFIRMED).all():
            return newest
        row = self._row(TAKEN_IN, arrival, notices, self._new_id(arrival))
        return _after(None, self._let_know(arrival.source_id, row, stated))

    def hold(self, arrival: Arrival, reasons: Sequence[Message]) -> Edition:
        """Keep an edition for a person to decide about; one of the same bytes that is held already stays the one.

        Raises:
            StoreError: The home or the journal cannot be written.
        """
        former = self.newest_of(arrival.source_id, arrival.sha256)
        if former is not None and former.state == HELD:
            return former
        figures = parquet_bytes(arrival.observations)
        facts = _counts(self._stated(arrival))
        about = {"why_held": [one.to_json() for one in reasons], FIGURES: sha256_of_bytes(figures)}
        row = self._row(HELD_BACK, arrival, (), self._new_id(arrival), **about, **facts)
        write_bytes(self._file(row.subject), figures)
        return _after(None, self._journal.record(row))

    def decide(
        self,
        action: Action,
        edition_id: str,
        actor: str,
        reason: str,
        marks: Mapping[str, Any] | None = None,
        *,
        replace_newer: bool = False,
    ) -> Edition:
        """Let a held edition be known from today on, put it aside for good, or take a known one back.

        Withdrawn, each value that it changed is from today on what it would be without it.

        Args:
            action: The step.
            edition_id: The edition.
            actor: Who decides.
            reason: Why.
            marks: Further facts to be kept.
            replace_newer: An accepted edition may replace figures that were stated after it was received.

        Raises:
            InputError: There is no such edition, its state is another, no reason or name is given, or it would replace
                figures stated after it was received and that is not allowed.
            StoreError: The vintages or the journal cannot be written.
        """
        self.recover()
        edition = self.named(edition_id)
        wanted = next(state for state in STEPS if action in STEPS[state])
        if edition.state != wanted:
            fault = _("{edition} is {found}; only one that is {wanted} can be decided so")
            raise InputError(fault, edition=edition_id, found=edition.state, wanted=wanted)
        if not reason.strip() or not actor.strip():
            raise InputError(_("give a name and a reason: both are kept with the decision"))
        row = Entry(actor.strip(), action, edition_id, reason=reason.strip(), payload=dict(marks or {}))
        if action == ACCEPT:
            changes = self.changes(edition)
            newer = changes[changes["is_newer"]]
            if len(newer) and not replace_newer:
                fault = _(
                    "{edition} would replace newer figures ({n}), such as {series} {period}: look at what would change "
                    "(vigie editions changes), then accept it with --replace-newer, or reject it"
                )
                first = {"series": newer["series_id"].iloc[0], "period": newer["time_period"].iloc[0]}
                raise InputError(fault, edition=edition.edition_id, n=len(newer), **first)
            recorded = self._let_know(edition.source_id, row, self._stated_if_accepted(edition))
        elif action == WITHDRAW:
            recorded = self._finish(self._begin(edition.source_id, row), edition.source_id, row)
        else:
            recorded = self._journal.record(row)
        get_logger().info(action, edition_id=edition_id, actor=actor)
        return _after(edition, recorded)

    def changes(self, edition: Edition) -> pd.DataFrame:
        """Return what accepting a held edition, or withdrawing a known one, would change of what is known.

        Returns:
            ``series_id, time_period, before, after`` (NaN where none is known) and ``is_newer``: ``before`` was stated
            after the edition was received. Empty where the edition is neither held nor known.

        Raises:
            StoreError: The vintages, the journal or a kept file cannot be read.
        """
        if edition.state not in STEPS:
            return pd.DataFrame(columns=["series_id", "time_period", "before", "after", "is_newer"])
        own = [self._stated_if_accepted(edition)] if edition.state == HELD else []
        stamps = [_time(one["stored_at"].iloc[0]) for one in own] or edition.stamps
        void = [*self.void(edition.source_id), *edition.stamps]
        found = self._changes(edition.source_id, own, stamps, void)
        received = pd.Timestamp(edition.received).tz_convert(None)
        found = found.rename(columns={"obs_value": "after"}).assign(is_newer=found["stated_at"] > received)
        return found[["series_id", "time_period", "before", "after", "is_newer"]]

    def altered(self, edition_id: str | None = None) -> list[Path]:
        """Files of held and known editions, of one or of all, that are missing or not as they were kept.

        Raises:
            StoreError: The journal or a file cannot be read.
        """
        states = {one.edition_id: one.state for one in self.all()}
        names = {HELD_BACK: (HELD, ""), TAKEN_IN: (KNOWN, _STATED), ACCEPT: (KNOWN, _STATED)}
        kept = {}
        for row in self._journal.entries(action=tuple(names), subject=edition_id):
            state, end = names[row.action]
            if states[row.subject] == state:
                kept[self._file(f"{row.subject}{end}")] = row.payload.get(FIGURES)
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
            recorded = {stamp for one in self.all(source_id) for stamp in (*one.stamps, *one.undone)}
            stamps = map(dt.datetime.fromisoformat, self._vintages.stored_after(source_id, begun["since"]))
            if stored := [stamp for stamp in stamps if stamp not in recorded]:
                self._finish(note, source_id, row, stored)
                recovered.append(row.subject)
                get_logger().warning("recorded after a kill", edition_id=row.subject, action=row.action)
            else:
                note.unlink()
        return recovered

    def _begin(self, source_id: str, row: Entry) -> Path:
        """Note what is about to be stored, and the newest row before it."""
        about = {"actor": row.actor, "action": row.action, "subject": row.subject, "reason": row.reason}
        since = next(reversed(self._vintages.stored_after(source_id, "")), "")
        kept = {"source_id": source_id, "since": since, "row": {**about, "payload": dict(row.payload)}}
        note = self._home / FOLDER / f"{row.subject}{_BEGUN}"
        write_bytes(note, json.dumps(kept).encode())
        return note

    def _let_know(self, source_id: str, row: Entry, stated: pd.DataFrame) -> Entry:
        """Store what an edition states, and record it."""
        note = self._begin(source_id, row)
        write_bytes(self._file(f"{row.subject}{_STATED}"), parquet_bytes(stated))
        self._vintages.add(stated)
        return self._finish(note, source_id, row)

    def _finish(self, note: Path, source_id: str, row: Entry, stored: Sequence[dt.datetime] = ()) -> Entry:
        """Restore the newest statements where the step made others present, and record it.

        ``stored``: times of the rows that were stored before a kill.
        """
        editions, void = self.all(source_id), self.void(source_id)
        facts: dict[str, Any] = {}
        if row.action == WITHDRAW:
            stamps = next(one.stamps for one in editions if one.edition_id == row.subject)
            own, is_late = [], True
            void += stamps
        else:
            own = [read_parquet(self._file(f"{row.subject}{_STATED}"))]
            stamps = (_time(own[0]["stored_at"].iloc[0]),)
            facts = {**_counts(own[0]), "stamps": [one.isoformat() for one in stamps]}
            facts[FIGURES] = sha256_of_file(self._file(f"{row.subject}{_STATED}"))
            # Vintages repeat no value, so that a statement older than others may stand before one that was confirmed.
            days = [one.received.date() for one in editions] + [one.decided.date() for one in editions if one.decided]
            oldest = own[0].loc[own[0]["version"] != "first", "as_of"].min()
            is_late = bool(days) and oldest < pd.Timestamp(max(days))
        undone = [one for one in stored if one not in stamps]
        if is_late:
            found = self._vintages.add(self._changes(source_id, own, stamps, [*void, *undone]))
            undone += [_time(one) for one in found["stored_at"].unique()]
        facts["undone"] = [one.isoformat() for one in undone]
        done = self._journal.record(replace(row, payload={**row.payload, **facts}))
        note.unlink()
        return done

    def _changes(
        self, source_id: str, own: list[pd.DataFrame], stamps: Sequence[dt.datetime], void: list[dt.datetime]
    ) -> pd.DataFrame:
        """Compare vintages with the statements of known editions, and with an ``own`` that is not recorded yet."""
        known = [one.edition_id for one in self.all(source_id) if one.state == KNOWN]
        statements = [read_parquet(self._file(f"{name}{_STATED}")) for name in known]
        return self._vintages.changes(source_id, [*statements, *own], stamps, void, _today())

    def _stated(self, arrival: Arrival) -> pd.DataFrame:
        return self._vintages.statements(arrival.observations, received=arrival.received, complete=arrival.complete)

    def _stated_if_accepted(self, edition: Edition) -> pd.DataFrame:
        if (path := self._file(edition.edition_id)) in self.altered(edition.edition_id):
            raise StoreError(f"{path}: is missing or was altered since it was held: give its file again")
        return self._vintages.statements(read_parquet(path), received=_today(), complete=edition.complete)

    def _row(
        self, action: str, arrival: Arrival, notices: Sequence[Message], edition_id: str, **facts: object
    ) -> Entry:  # fmt: skip
        payload = {
            **arrival.payload, "source_id": arrival.source_id, "file": arrival.file, "sha256": arrival.sha256,
            "rows": len(arrival.observations), "complete": arrival.complete,
            "reported": [one.to_json() for one in notices], **facts,
        }  # fmt: skip
        return Entry(arrival.given_by, action, edition_id, payload=payload)

    def _new_id(self, arrival: Arrival) -> str:
        stem = f"{arrival.source_id}-{arrival.received:%Y%m%d}-{arrival.sha256[:8]}"
        taken = {one.edition_id for one in self.all(arrival.source_id)}
        return next(name for name in chain([stem], (f"{stem}-{n}" for n in count(2))) if name not in taken)

    def _file(self, edition_id: str) -> Path:
        return self._home / FOLDER / f"{edition_id}.parquet"


def _after(edition: Edition | None, row: Entry) -> Edition:
    """An edition after one more row of the journal."""
    kept = row.payload
    stamps, undone = (tuple(map(dt.datetime.fromisoformat, kept.get(name, []))) for name in ("stamps", "undone"))
    counts: dict[str, Any] = {name: int(kept[name]) for name in ("new", "changed", "gone") if name in kept}
    if edition is None:
        why_held, reported = (list(map(Message.from_json, kept.get(name, []))) for name in ("why_held", "reported"))
        return Edition(
            row.subject, kept["source_id"], kept["file"], kept["sha256"], row.at, row.actor, _STATES[row.action],
            rows=kept["rows"], complete=kept["complete"], why_held=why_held, reported=reported,
            stamps=stamps, undone=undone, **counts,
        )  # fmt: skip
    return replace(
        edition, state=_STATES[row.action], decided=row.at, decided_by=row.actor, reason=row.reason,
        stamps=edition.stamps + stamps, undone=edition.undone + undone, **counts,
    )  # fmt: skip


def _counts(stated: pd.DataFrame) -> dict[str, int]:
    """How many figures an edition adds, changes and takes away."""
    news = stated[stated["version"] != CONFIRMED]
    gone, first = news["obs_value"].isna(), news["version"].eq("first")
    return {"new": int(first.sum()), "gone": int(gone.sum()), "changed": int((~first & ~gone).sum())}


def _time(stored_at: Any) -> dt.datetime:  # noqa: ANN401  # a cell of a frame
    return pd.Timestamp(stored_at).to_pydatetime()


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


VISIT = "visit.json"


@dataclass(frozen=True)
class Kept:
    """Record of one answer.

    Attributes:
        url: Address that was asked; it never holds a token.
        status: HTTP status.
        headers: The answer's headers that matter later.
        received: When it was received, UTC, in ISO 8601.
        sha256: Hash of the body.
        size: Bytes of the body.
        body: Where the body lies, below the source's folder.
    """

    url: str
    status: int
    headers: dict[str, str]
    received: str
    sha256: str
    size: int
    body: str


class Visit:
    """One visit to a source: the answers that it gave, in order.

    Args:
        folder: The visit's folder, below the source's.
        earlier: Answers kept from the last whole visit, by address: their bodies are not kept again.
    """

    def __init__(self, folder: Path, earlier: Mapping[str, Kept] | None = None) -> None:
        self._folder = folder
        self._source = folder.parent.parent
        self._earlier = dict(earlier or {})
        self._number = 0

    def keep(self, url: str, status: int, headers: Mapping[str, str], received: dt.datetime, content: bytes) -> Kept:
        """Keep one answer.

        Raises:
            StoreError: It cannot be written.
        """
        self._number += 1
        sha256 = sha256_of_bytes(content)
        former = self._earlier.get(url)
        if former is not None and former.sha256 == sha256:
            body = former.body
        else:
            path = self._folder / f"{self._number:03d}.body"
            write_bytes(path, content)
            body = path.relative_to(self._source).as_posix()
        record = Kept(url, status, dict(headers), received.isoformat(), sha256, len(content), body)
        text = json.dumps(asdict(record), indent=1, ensure_ascii=False)
        write_bytes(self._folder / f"{self._number:03d}.json", text.encode())
        return record

    def close(self) -> None:
        """Mark the visit as whole: only such a visit is replayed or asked for news."""
        write_bytes(self._folder / VISIT, json.dumps({"answers": self._number}).encode())


class RawStore:
    """The answers kept under ``home/raw``."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "raw"

    def begin(self, source_id: str, at: dt.datetime) -> Visit:
        """Begin a visit; its folder is made with the first answer."""
        folder = self._folder / source_id / f"{at:%Y-%m-%d}" / f"{at:%H%M%S.%f}"
        return Visit(folder, self.newest(source_id))

    def newest(self, source_id: str) -> dict[str, Kept]:
        """Answers of the last whole visit by address; empty where there was none, or where a body is gone.

        Raises:
            StoreError: A record is damaged.
        """
        visits = sorted((self._folder / source_id).glob(f"*/*/{VISIT}"))
        kept = {record.url: record for record in _records(visits[-1].parent)} if visits else {}
        return {url: record for url, record in kept.items() if (self._folder / source_id / record.body).is_file()}

    def sources(self, date: dt.date) -> list[str]:
        """Sources with a whole visit on a day."""
        return sorted({path.parent.parent.parent.name for path in self._folder.glob(f"*/{date}/*/{VISIT}")})

    def replay(self, source_id: str, date: dt.date) -> list[Kept]:
        """Answers of the day's last whole visit, in the order in which they came.

        Raises:
            InputError: There was no whole visit on that day.
            StoreError: A record is damaged.
        """
        visits = sorted((self._folder / source_id / str(date)).glob(f"*/{VISIT}"))
        if not visits:
            raise InputError(f"{source_id}: no whole visit is kept of {date}")
        return _records(visits[-1].parent)

    def body(self, source_id: str, record: Kept) -> bytes:
        """The body of a kept answer.

        Raises:
            StoreError: It is missing or was altered.
        """
        path = self._folder / source_id / record.body
        if not path.is_file():
            raise StoreError(f"{path}: is not kept any more: answers are kept for some months (live.keep_months)")
        with named_errors(path):
            content = path.read_bytes()
        if sha256_of_bytes(content) != record.sha256:
            raise StoreError(f"{path}: was altered since it was received on {record.received}")
        return content

    def prune(self, before: dt.date) -> int:
        """Remove bodies of visits made before a day, but those that a later visit refers to. Records stay: they prove.

        Returns:
            Bytes that were freed.

        Raises:
            StoreError: A record is damaged, or a file cannot be removed.
        """
        freed = 0
        for source in sorted(path for path in self._folder.glob("*") if path.is_dir()):
            visits = sorted(source.glob("*/*"))
            old = [visit for visit in visits if visit.parent.name < before.isoformat()]
            wanted = {record.body for visit in visits if visit not in old for record in _records(visit)}
            # the newest whole visit is what news is asked against, however old it is
            whole = [visit for visit in visits if (visit / VISIT).is_file()]
            wanted |= {record.body for visit in whole[-1:] for record in _records(visit)}
            for body in (body for visit in old for body in visit.glob("*.body")):
                if body.relative_to(source).as_posix() not in wanted:
                    with named_errors(body):
                        freed += body.stat().st_size
                        body.unlink()
        return freed


def _records(folder: Path) -> list[Kept]:
    records = []
    for path in sorted(folder.glob("[0-9]*.json")):
        try:
            records.append(Kept(**json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, TypeError) as error:
            raise StoreError(f"{path}: is no whole record: {error}") from None
    return records
