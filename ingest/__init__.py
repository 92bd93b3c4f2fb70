"""From published files to validated observations. One module per source; nothing here writes.

What a source is stands here: its card, how it is asked, the verbs that each module of ``ingest.sources`` exports, and
what can be taken from a publisher's answers: files, links and JSON.

A file has bounds, and a process of its own in which it is parsed. A small file may unpack to gigabytes, or name one
cell a million rows down. What parses it would take all memory and the night with it. It ends with the process in which
it is parsed, which has little memory and little time.
"""

from __future__ import annotations

import bz2
import datetime as dt
import hashlib
import html
import io
import json
import lzma
import multiprocessing
import os
import re
import resource
import signal
import stat
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from core.errors import InputError, Message, SourceError, VigieError
from core.languages import Language
from core.languages import marked as _

T = TypeVar("T")


@dataclass(frozen=True)
class RawFile:
    """A file's bytes with the name its publisher gave it."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Hash of the bytes, as hexadecimal text."""
        return hashlib.sha256(self.content).hexdigest()

    def fault(
        self, rule: str | Message, /, *, row: int | str | None = None, column: str | None = None, **parameters: object
    ) -> SourceError:
        """Return an error that names the file; see :class:`core.errors.SourceError`."""
        return SourceError(self.name, rule, row=row, column=column, **parameters)


@dataclass(frozen=True)
class Parsed:
    """What a parser returns.

    Attributes:
        observations: Frame that keeps ``core.release.OBSERVATIONS``.
        rejected: Frame that keeps ``core.release.REJECTED``: rows set aside with the rule they broke.
        doubts: Why a person must look before the figures are known; mostly none.
    """

    observations: pd.DataFrame
    rejected: pd.DataFrame
    doubts: tuple[Message, ...] = ()


class Source(Protocol):
    """The verbs that every module in ``ingest.sources`` exports.

    Attributes:
        SOURCE_ID: Key of the column ``source_id``.
        LAG_DAYS: Usual days from a period's end to its publication: dates ``as_of`` where no vintage is known.
    """

    SOURCE_ID: str
    LAG_DAYS: int

    def parse(self, raw: RawFile) -> Parsed:
        """Turn the file into observations; raises ``core.errors.SourceError`` if its layout is broken."""


class LiveSource(Source, Protocol):
    """A source whose publisher can be asked. The card of another says in ``not_live`` why it cannot."""

    def download(self, pull: Pull) -> list[RawFile]:
        """Ask for everything that is wanted of the source; each file is one for ``parse``.

        A part that cannot be had is named in ``pull.failures`` and the others are kept; raises where there is none.
        """


LARGEST_FILE = 64 << 20
"""Bytes of a file that is handed over; the largest real one has 8 MB."""


def read_raw(path: Path) -> RawFile:
    """Read a file from disk: a regular file, not what a link or a pipe leads to, and its size is known before.

    Raises:
        InputError: The file is missing, no regular file, too large, empty or unreadable.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise SourceError(path.name, _("refused: it is no regular file"))
        # Neither a link that takes its place in between is followed, nor a pipe waited for.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise SourceError(path.name, _("cannot be read: {error}"), error=error.strerror) from None
    if len(content) > LARGEST_FILE:
        fault = _("refused: larger than {n} MB; hand it over in parts, such as one file a year")
        raise SourceError(path.name, fault, n=LARGEST_FILE >> 20)
    if not content:
        raise SourceError(path.name, _("the file is empty"))
    return RawFile(path.name, content)


@dataclass(frozen=True)
class Request:
    """One question to a publisher.

    Attributes:
        address: Address without a query.
        query: Names and values of the query, in order.
        token_query: Name in the query that carries the token which ``SourceAccess.token`` names; empty without one.
        expected: Statuses besides 200 that the asking module deals with itself, such as 404 or 413.
    """

    address: str
    query: tuple[tuple[str, str], ...] = ()
    token_query: str = ""
    expected: frozenset[int] = frozenset()

    @property
    def url(self) -> str:
        """The whole address; it never holds a token."""
        return f"{self.address}?{urlencode(self.query)}" if self.query else self.address

    @property
    def file_name(self) -> str:
        """Last part of the address's path."""
        return urlsplit(self.address).path.rpartition("/")[2] or urlsplit(self.address).netloc


@dataclass(frozen=True)
class Answer:
    """What a publisher answered.

    Attributes:
        url: Address that was asked, before any redirect.
        status: HTTP status; 200 or one of ``Request.expected``.
        headers: The answer's headers that matter later, names in lower case.
        content: The body, unpacked where it was gzip.
        received: When it was received, UTC.
        unchanged: The publisher said that the body kept from an earlier day still holds.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes
    received: dt.datetime
    unchanged: bool = False


@dataclass(frozen=True)
class Pull:
    """One visit to a source: what its module needs to ask for everything it wants.

    Attributes:
        access: How the source is asked.
        ask: Sends a request, or finds its answer in the store; raises ``InputError`` where there is no good answer.
        today: Day of the visit; on a replay the day of the visit replayed.
        wait: Waits some seconds between two questions about work in progress; does nothing on a replay.
        failures: What could not be had while other parts of the visit were; see ``ingest.gather``.
    """

    access: SourceAccess
    ask: Callable[[Request], Answer]
    today: dt.date
    wait: Callable[[float], None]
    failures: list[InputError] = field(default_factory=list)


SETTING = "settings.toml, live.sources"
"""Where a home changes how sources are asked."""


class SourceAccess(BaseModel):
    """How one source is asked: the table ``access`` of ``data/sources/<source_id>.toml``.

    Attributes:
        source_id: The source.
        addresses: Named addresses, such as ``page`` or ``api``.
        hosts: Further hosts that pages may link to or redirect to. Any other host is refused.
        maintenance_hosts: Hosts to which the publisher redirects while it is down.
        agent: ``browser`` where the publisher refuses programs.
        token: Variable of the environment that holds the key; empty where none is needed.
        asked: When a round of visits asks: ``always``, or ``with token`` only where the key is set. A source that is
            named is asked in any case.
        pause_seconds: Pause between two requests to one host.
        evidence: Who asked the same, and when: a public project or the publisher's own documentation, by field.
        unconfirmed: Fields for which there is no such evidence.
        options: What else the source's module needs to know.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    source_id: str
    addresses: dict[str, Annotated[str, Field(pattern=r"^https?://[^/]+")]] = Field(min_length=1)
    hosts: list[str] = Field(default_factory=list)
    maintenance_hosts: list[str] = Field(default_factory=list)
    agent: Literal["vigie", "browser"] = "vigie"
    token: str = Field(default="", pattern=r"^([A-Z][A-Z0-9_]*)?$")
    asked: Literal["always", "with token"] = "always"
    pause_seconds: float = Field(default=1.0, ge=0)
    evidence: dict[str, str] = Field(default_factory=dict)
    unconfirmed: list[str] = Field(default_factory=list)
    options: dict[str, Any] = Field(default_factory=dict)

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Hosts, in lower case, that may be asked."""
        named = {urlsplit(address).hostname or "" for address in self.addresses.values()}
        return frozenset(host.lower() for host in named | set(self.hosts))

    @property
    def why_not_asked(self) -> str:
        """Why a round of visits leaves the source out unless it is named; empty where it does not."""
        if self.asked == "with token" and not os.environ.get(self.token):
            return f"needs a key: set {self.token}"
        return ""

    def address(self, name: str, *parts: str) -> str:
        """One address as it stands, or one below it.

        Raises:
            InputError: It is not given.
        """
        if name not in self.addresses:
            raise InputError(f"{SETTING}, {self.source_id}: addresses.{name} is missing")
        return "/".join([self.addresses[name].rstrip("/"), *parts]) if parts else self.addresses[name]

    def option(self, name: str, kind: type[T]) -> T:
        """One option.

        Raises:
            InputError: It is missing or of another kind.
        """
        found = self.options.get(name)
        if not isinstance(found, kind):
            raise InputError(f"{SETTING}, {self.source_id}: options.{name} must be a {kind.__name__}; found {found!r}")
        return found


class SourceCard(BaseModel):
    """One source as a person would cite it: ``data/sources/<source_id>.toml``.

    Attributes:
        publisher: Who publishes; as every text of a card, in English here and translated in ``data/locale``.
        redistribution: True or False where the licence says so, else 'to be confirmed': then the figures are bundled
            with attribution, and the setting ``exclude_sources`` leaves them out.
        retrieved: Date of the edition that the bundled figures were tabulated from; None where it is not recorded.
        came_through: Where that edition was read, if not from the publisher's own page.
        rhythm: How often and how late the publisher publishes, in words.
        complete_editions: True where an edition holds the whole history: what it no longer holds was withdrawn.
        expected_days: Usual greatest age of the newest period's last day; beyond it the source is due.
        derived_from: ``source_id`` of the sources that a derived one is computed from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    source_id: str
    publisher: str = Field(min_length=2)
    dataset: str = Field(min_length=2)
    url: str = Field(pattern=r"^(https?://.+)?$")
    licence: str = Field(min_length=2)
    licence_url: str = Field(default="", pattern=r"^(https?://.+)?$")
    redistribution: bool | Literal["to be confirmed"]
    citation: str = Field(min_length=7)
    retrieved: dt.date | None = None
    came_through: str = ""
    rhythm: str
    expected_days: int = Field(ge=1)
    complete_editions: bool = False
    known_issues: list[str] = Field(default_factory=list)
    derived_from: list[str] = Field(default_factory=list)

    def in_language(self, words: Language) -> SourceCard:
        """The same with its texts in one language, English where it has no other."""
        return self.model_copy(update=words.record(self.model_dump()))


_HREF = re.compile(r"""href\s*=\s*["']([^"'<>]+)["']""", re.IGNORECASE)


def get_file(pull: Pull, address: str) -> RawFile:
    """Ask for one file by its address; it is named as its address ends."""
    request = Request(address)
    return RawFile(request.file_name, pull.ask(request).content)


def gather(pull: Pull, parts: Mapping[str, Callable[[], T]]) -> list[T]:
    """Ask for the parts of a visit, one by one; one that fails is named and costs none of the others.

    Args:
        pull: The visit; its ``failures`` are added to.
        parts: What to ask for, by the name under which a failure is reported.

    Returns:
        What came, files mostly, in order.

    Raises:
        InputError: None came: the first fault.
    """
    found: list[T] = []
    faults: dict[str, InputError] = {}
    for name, ask in parts.items():
        try:
            found.append(ask())
        except InputError as error:
            faults[name] = error
    if faults and not found:
        raise next(iter(faults.values()))
    fault = _("could not be had: {fault}")
    pull.failures.extend(SourceError(name, fault, fault=error.message) for name, error in faults.items())
    return found


def get_linked(pull: Pull, page: str, pattern: str) -> RawFile:
    """Ask for the file that a web page links to.

    Args:
        pull: The visit.
        page: Name of the page's address.
        pattern: Regular expression that the file's whole address is searched for; of several files that match the first
            is taken, or the one whose groups sort last.

    Raises:
        SourceError: There is none: the page was rebuilt.
    """
    answer = pull.ask(Request(pull.access.address(page)))
    hrefs = _HREF.findall(answer.content.decode("utf-8", "replace"))
    addresses = [urljoin(answer.url, html.unescape(href).strip()) for href in hrefs]
    matching = [found for address in addresses if (found := re.search(pattern, address))]
    if not matching:
        fault = _("the page holds no link such as '{pattern}': it may have been rebuilt")
        raise SourceError(answer.url, fault, pattern=pattern)
    return get_file(pull, max(matching, key=re.Match.groups).string)


def json_document(raw: RawFile) -> Any:  # noqa: ANN401  # JSON can be anything; callers check what they need
    """What a JSON file, or an answer as one, holds.

    Raises:
        SourceError: It is not JSON in UTF-8, such as an error page, or begins as JSON and does not end as such.
    """
    try:
        return json.loads(raw.content.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        text = raw.content.strip()
        if text[:1] in (b"{", b"[") and text[-1:] not in (b"}", b"]"):
            raise raw.fault(_("the JSON document was cut off")) from None
        raise raw.fault(_("not a JSON document in UTF-8: {error}"), error=error) from None


def json_rows(raw: RawFile, *path: str, may_be_empty: bool = False) -> list[dict[str, Any]]:
    """The list of objects inside a JSON file.

    Args:
        raw: The file.
        path: Names that lead to the list; none where the file is the list.
        may_be_empty: A list without objects is an answer.

    Raises:
        SourceError: It is not JSON, the list is not there, is empty, or holds anything but objects.
    """
    found = json_document(raw)
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise raw.fault(_("no list of objects at '{place}'"), place=".".join(path) or "top")
    if not found and not may_be_empty:
        raise raw.fault(_("the list is empty: one of the codes asked for is unknown, or has no data"))
    return found


def json_table(raw: RawFile, columns: Sequence[str], *path: str) -> pd.DataFrame:
    """Some fields of the objects inside a JSON file, as a table of text.

    Args:
        raw: The file.
        columns: Fields to take; every object must have each of them, be it null. No other is looked at.
        path: Names that lead to the list; none where the file is the list.

    Returns:
        One row per object, ``''`` where a field is null, numbered from 1.

    Raises:
        SourceError: As :func:`json_rows`, or a field is missing; the text names field and row.
    """
    rows = json_rows(raw, *path)
    for number, row in enumerate(rows, start=1):
        for name in columns:
            if name not in row:
                raise raw.fault(_("the field is missing"), row=number, column=name)
            if isinstance(row[name], dict | list):
                raise raw.fault(_("the field holds a list or an object"), row=number, column=name)
    table = pd.DataFrame(rows, columns=list(columns), index=pd.RangeIndex(1, len(rows) + 1), dtype=object)
    return table.where(table.notna(), "").astype(str)


MOST_ROWS, MOST_COLUMNS, MOST_CELLS = 500_000, 2_000, 5_000_000
LARGEST_UNPACKED = 200 << 20
UNFOLDS = _(
    "refused: it unpacks to far more than a table needs; hand it over in parts, such as one file a year, or as CSV"
)
MEMORY, SECONDS = 512 << 20, 60
"""What a file may take beyond what the program has already, in bytes and seconds of the processor: the largest real one
takes 300 MB and 20 seconds."""
TOO_MUCH = _("it takes more memory than allowed: hand it over in parts, such as one file a year")
PATIENCE = 5
"""Times as long by the clock: a machine with much else to do is no fault of the file."""
GZIP = b"\x1f\x8b"
"""How a file begins that is packed with gzip."""


def apart(parse: Callable[[RawFile], T], raw: RawFile, *, seconds: float = SECONDS) -> T:
    """Parse a file in a process of its own.

    Raises:
        SourceError: Of the parser; or the file took too much memory or time, or ended the process.
    """
    # Forked, not spawned: a child that loads every library anew takes longer than most files. It starts no thread.
    context = multiprocessing.get_context("fork")
    ours, its = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(its, parse, raw, seconds), daemon=True)
    child.start()
    its.close()
    try:
        is_done = ours.poll(PATIENCE * seconds)
        done = ours.recv() if is_done else raw.fault(_("it took longer than allowed"))
    except (EOFError, OSError):
        child.join(1)
        is_full = child.exitcode == -signal.SIGABRT  # a compiled library ends so where memory is refused
        done = raw.fault(TOO_MUCH if is_full else _("it ended the process that read it"))
    finally:
        child.kill()
        child.join()
        ours.close()
    if isinstance(done, SourceError):
        raise done
    return done  # type: ignore[no-any-return]  # what the parser gave


def parse_all(
    parse: Callable[[RawFile], Parsed], files: list[RawFile], faults: list[Exception]
) -> tuple[list[RawFile], Parsed | None]:
    """Read the files of a visit before anything is stored; one that cannot be read is named and costs no other.

    Returns:
        The files that could be read, and what they hold together; None where there is none.

    Raises:
        SourceError: Two of them contradict each other.
    """
    read: list[tuple[RawFile, Parsed]] = []
    for file in files:
        try:
            read.append((file, apart(parse, file)))
        except Exception as error:  # a file's unforeseen content must not cost the visit the others
            faults.append(error)
    if not read:
        return [], None
    observations = pd.concat([part.observations for _file, part in read], ignore_index=True)
    repeated = observations.duplicated(["source_id", "series_id", "time_period", "as_of"])
    if repeated.any():
        first = observations[repeated].iloc[0]
        names = ", ".join(file.name for file, _part in read)
        fault = _("{series} of {period} is given by more than one file")
        raise SourceError(names, fault, series=first["series_id"], period=first["time_period"])
    rejected = pd.concat([part.rejected for _file, part in read])
    doubts = tuple(doubt for _file, part in read for doubt in part.doubts)
    return [file for file, _part in read], Parsed(observations, rejected, doubts)


def _work(pipe: Connection, parse: Callable[[RawFile], object], raw: RawFile, seconds: float) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # compiled libraries write there how they end
    size = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    done: object
    try:
        done = parse(raw)
    except VigieError as error:
        done = error if isinstance(error, SourceError) else raw.fault(error.message)
    except (MemoryError, RecursionError):
        done = raw.fault(TOO_MUCH)
    except BaseException as error:  # a compiled library's panic is no Exception; its text may quote the file
        done = raw.fault(_("a fault in Vigie: {error}"), error=type(error).__name__)
    pipe.send(done)


def refuse_many(file: str, rows: int, columns: int, cells: int | None = None) -> None:
    """Refuse a table beyond what any source holds.

    Raises:
        SourceError: It has more rows, columns or cells.
    """
    cells = max(rows * columns, cells or 0)
    for found, most, rule in (
        (rows, MOST_ROWS, _("refused: more than {n} rows; hand it over in parts, such as one file a year")),
        (columns, MOST_COLUMNS, _("refused: more than {n} columns")),
        (cells, MOST_CELLS, _("refused: more than {n} cells; hand it over in parts, such as one file a year")),
    ):
        if found > most:
            raise SourceError(file, rule, n=most)


def unpacked(raw: RawFile) -> RawFile:
    """A file without gzip, bzip2 or xz around it, no larger than a table needs.

    Raises:
        SourceError: It unpacks to more, is damaged or was cut off.
    """
    kinds: dict[bytes, Callable[[], Any]] = {
        GZIP: lambda: zlib.decompressobj(wbits=31),
        b"BZh": bz2.BZ2Decompressor,
        b"\xfd7zXZ": lzma.LZMADecompressor,
    }
    make = next((make for start, make in kinds.items() if raw.content.startswith(start)), None)
    if make is None:
        return raw
    machine, most = make(), LARGEST_UNPACKED + 1
    try:
        content: bytes = machine.decompress(raw.content, most)
    except (zlib.error, OSError, lzma.LZMAError, EOFError) as error:
        raise raw.fault(_("cannot be unpacked: {error}"), error=str(error)) from None
    if len(content) >= most:
        raise raw.fault(UNFOLDS)
    if not machine.eof or machine.unused_data:
        raise raw.fault(_("cannot be unpacked: it was cut off, or other data follow"))
    return RawFile(raw.name, content)


def unzipped(raw: RawFile, member: str, largest: int) -> RawFile:
    """The one file of a ZIP archive with a name of a form.

    Args:
        raw: The archive.
        member: Regular expression of the file's whole name.
        largest: Bytes that it may have.

    Raises:
        SourceError: It is damaged, or has no such file, several, or a larger one.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw.content)) as archive:
            found = [part for part in archive.infolist() if re.fullmatch(member, part.filename)]
            if len(found) != 1 or found[0].file_size > largest:
                fault = _("one file {file} of at most {n} MB is expected; found {found}")
                listed = archive.namelist()[:5]
                raise raw.fault(fault, file=member, n=largest // 10**6, found=listed)
            return RawFile(raw.name, archive.read(found[0]))
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError) as error:
        raise raw.fault(_("not a whole zip archive: {error}"), error=error) from None
