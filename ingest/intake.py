"""How much of a file is looked at: bounds before it is parsed, and a process of its own in which it is parsed.

A small file may unpack to gigabytes, or name one cell a million rows down. What parses it would take all memory and the
night with it. So rows, columns, cells and unpacked bytes are counted first, by reading alone; and whatever gets past
that ends with the process in which it is parsed, which has little memory and little time.
"""

from __future__ import annotations

import bz2
import io
import lzma
import multiprocessing
import re
import resource
import signal
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar
from xml.parsers import expat

from core.errors import Message, SourceError, VigieError
from core.languages import marked as _
from ingest.source import RawFile

MOST_ROWS, MOST_COLUMNS, MOST_CELLS = 500_000, 2_000, 5_000_000
LARGEST_UNPACKED = 200 << 20
UNFOLDS = _(
    "refused: it unpacks to far more than a table needs; hand it over in parts, such as one file a year, or as CSV"
)
MEMORY, SECONDS = 512 << 20, 60
"""What a file may take beyond what the program has already, in bytes and seconds of the processor: the largest real one
takes 300 MB and 20 seconds."""
PATIENCE = 5
"""Times as long by the clock: a machine with much else to do is no fault of the file."""
_CHUNK = 1 << 20
_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br\s*=\s*["\']([A-Za-z]+)([0-9]+)["\']')
_ANY_CELL, _ANY_ROW = re.compile(rb"<(?:\w+:)?c[\s/>]"), re.compile(rb"<(?:\w+:)?row[\s/>]")
_ROW = re.compile(rb'<(?:\w+:)?row\s[^>]*?\br\s*=\s*["\']([0-9]+)["\']')
_SHARED = re.compile(rb'\b(?:uniqueC|c)ount\s*=\s*["\']([0-9]+)["\']')
_DAMAGED = zipfile.BadZipFile, zlib.error, expat.ExpatError, RuntimeError, OSError, EOFError, LookupError, ValueError
_T = TypeVar("_T")


@dataclass(frozen=True)
class _Failure:
    """What a parsing process tells of an error."""

    fault: str
    file: str = ""
    row: Any = None
    column: str | None = None
    kind: type[SourceError] = SourceError


def apart(parse: Callable[[RawFile], _T], raw: RawFile, *, memory: int = MEMORY, seconds: float = SECONDS) -> _T:
    """Parse a file in a process of its own.

    Args:
        parse: Tabulates the file.
        raw: The file.
        memory: Bytes that it may take beyond what this process has.
        seconds: Most time of the processor.

    Raises:
        SourceError: Of the parser; or the file took too much memory or time, or ended the process.
    """
    # Forked, not spawned: a child that loads every library anew takes longer than most files. It starts no thread.
    context = multiprocessing.get_context("fork")
    ours, its = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(its, parse, raw, memory, seconds), daemon=True)
    child.start()
    its.close()
    try:
        is_done = ours.poll(PATIENCE * seconds)
        done = ours.recv() if is_done else _Failure(Message(_("it took longer than allowed")).to_json())
    except (EOFError, OSError):
        done = _Failure(Message(_("it ended the process that read it")).to_json())
    finally:
        child.kill()
        child.join()
        ours.close()
    if not isinstance(done, _Failure):
        return done  # type: ignore[no-any-return]  # what the parser gave
    raise done.kind(done.file or raw.name, Message.from_json(done.fault), row=done.row, column=done.column)


def _work(pipe: Connection, parse: Callable[[RawFile], object], raw: RawFile, memory: int, seconds: float) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    size = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + memory, size + memory))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    done: object
    try:
        done = parse(raw)
    except SourceError as error:
        done = _Failure(error.rule.to_json(), error.file, error.row, error.column, type(error))
    except VigieError as error:
        done = _Failure(error.message.to_json())
    except (MemoryError, RecursionError):
        done = _Failure(
            Message(_("it takes more memory than allowed: hand it over in parts, such as one file a year")).to_json()
        )
    except Exception as error:  # a parser's unforeseen end is this file's alone; its text may quote the file
        done = _Failure(Message(_("a fault in Vigie: {error}"), {"error": type(error).__name__}).to_json())
    pipe.send(done)


def refuse_many(file: str, rows: int, columns: int, cells: int | None = None) -> None:
    """Refuse a table beyond what any source holds.

    Args:
        file: Name of the file, for the error.
        rows: Its rows.
        columns: Its columns.
        cells: Its cells, where they are not all there.

    Raises:
        SourceError: It has more rows, columns or cells.
    """
    for found, most, rule in (
        (rows, MOST_ROWS, _("refused: more than {n} rows; hand it over in parts, such as one file a year")),
        (columns, MOST_COLUMNS, _("refused: more than {n} columns")),
        (
            max(rows * columns, cells or 0),
            MOST_CELLS,
            _("refused: more than {n} cells; hand it over in parts, such as one file a year"),
        ),
    ):
        if found > most:
            raise SourceError(file, rule, n=most)


def unpacked(raw: RawFile) -> bytes:
    """A file's bytes without gzip, bzip2 or xz around them, no more than a table needs.

    Raises:
        SourceError: It unpacks to more, or it is damaged.
    """
    kinds: dict[bytes, Callable[[], Any]] = {
        b"\x1f\x8b": lambda: zlib.decompressobj(wbits=31),
        b"BZh": bz2.BZ2Decompressor,
        b"\xfd7zXZ": lzma.LZMADecompressor,
    }
    make = next((make for start, make in kinds.items() if raw.content.startswith(start)), None)
    if make is None:
        return raw.content
    machine, most = make(), LARGEST_UNPACKED + 1
    try:
        content: bytes = machine.decompress(raw.content, most)
    except (zlib.error, OSError, lzma.LZMAError, EOFError) as error:
        raise SourceError(raw.name, _("cannot be unpacked: {error}"), error=str(error)) from None
    if len(content) >= most:
        raise SourceError(raw.name, UNFOLDS)
    return content


def refuse_large_sheets(raw: RawFile) -> None:
    """Refuse a workbook (xlsx or ods) that unpacks to too much, or whose cells lie too far out.

    Raises:
        SourceError: With the reason.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw.content)) as archive:
            parts = archive.infolist()
            if sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise SourceError(raw.name, UNFOLDS)
            for part in parts:
                if part.filename.startswith("xl/worksheets/"):
                    with archive.open(part) as opened:
                        _refuse_xlsx(raw.name, iter(lambda: opened.read(_CHUNK), b""))  # read at once
                elif part.filename == "xl/sharedStrings.xml":
                    declared = _SHARED.findall(archive.open(part).read(_CHUNK))
                    refuse_many(raw.name, 1, 1, max(map(_number, declared), default=0))
                elif part.filename == "content.xml":
                    _refuse_ods(raw.name, archive.read(part))
    except _DAMAGED as error:
        raise SourceError(raw.name, _("not a whole workbook: {error}"), error=str(error)) from None


def _refuse_xlsx(file: str, chunks: Iterator[bytes]) -> None:
    """By the addresses of its cells and by their number: a cell without an address stands after the former one."""
    rest, rows, columns, cells, named = b"", 0, 0, 0, 0
    for chunk in chunks:
        text = rest + chunk
        end = max(text.rfind(b"<"), 0)
        text, rest = text[:end], text[end:]
        cells += len(_ANY_CELL.findall(text))
        named += len(_ANY_ROW.findall(text))
        for row in _ROW.findall(text):
            rows = max(rows, _number(row))
        for letters, row in set(_CELL.findall(text)):
            number = 0
            for letter in letters[:9].upper():
                number = number * 26 + letter - 64
            rows, columns = max(rows, _number(row)), max(columns, number)
        refuse_many(file, max(rows, named), columns, cells)


class _OdsTable:
    """What repetitions make of an ODS file's rows; those at the end that are empty are never made."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.rows = self.waiting = self.columns = self.width = self.gap = 0
        self.repeated, self.is_full = 1, False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        kind = name.rpartition(" ")[2]
        if kind == "table":
            self.rows = self.waiting = self.columns = 0
        elif kind == "table-row":
            self.repeated, self.width, self.gap, self.is_full = _times(attributes, "rows"), 0, 0, False
        elif kind in {"table-cell", "covered-table-cell"}:
            self.gap += _times(attributes, "columns")
            if any(key.endswith(" value-type") for key in attributes):
                self.fill()
        elif kind == "p" and self.gap:
            self.fill()

    def fill(self) -> None:
        self.width, self.gap, self.is_full = self.width + self.gap, 0, True

    def end(self, name: str) -> None:
        if name.rpartition(" ")[2] != "table-row":
            return
        if not self.is_full:
            self.waiting += self.repeated
            return
        self.rows, self.waiting = self.rows + self.waiting + self.repeated, 0
        self.columns = max(self.columns, self.width)
        refuse_many(self.file, self.rows, self.columns)

    def declare(self, *_given: object) -> None:
        rule = _("refused: {part} declares entities, which may expand without end")
        raise SourceError(self.file, rule, part="content.xml")


def _times(attributes: dict[str, str], what: str) -> int:
    value = next((one for key, one in attributes.items() if key.endswith(f" number-{what}-repeated")), "1")
    return _number(value.encode())


def _number(digits: bytes) -> int:
    """Beyond all bounds where these are no digits, or so many that a reader of the file may count wrongly."""
    return int(digits) if digits.isdigit() and len(digits) < 12 else 10**12


def _refuse_ods(file: str, content: bytes) -> None:
    table, parser = _OdsTable(file), expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = table.start, table.end
    parser.EntityDeclHandler = table.declare
    parser.Parse(content, True)
