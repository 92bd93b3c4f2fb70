"""How much of a file is looked at: its bounds, and the process of its own in which it is parsed.

A small file may unpack to gigabytes, or name one cell a million rows down. What parses it would take all memory and the
night with it. It ends with the process in which it is parsed, which has little memory and little time.
"""

from __future__ import annotations

import bz2
import io
import lzma
import multiprocessing
import os
import re
import resource
import signal
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from core.errors import Message, SourceError, VigieError
from core.languages import marked as _
from ingest import Parsed, RawFile

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
_T = TypeVar("_T")


@dataclass(frozen=True)
class _Failure:
    """What a parsing process sends of an error."""

    fault: str
    file: str = ""
    row: Any = None
    column: str | None = None
    kind: type[SourceError] = SourceError


def apart(parse: Callable[[RawFile], _T], raw: RawFile, *, seconds: float = SECONDS) -> _T:
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
        done = ours.recv() if is_done else _Failure(Message(_("it took longer than allowed")).to_json())
    except (EOFError, OSError):
        child.join(1)
        is_full = child.exitcode == -signal.SIGABRT  # a compiled library ends so where memory is refused
        done = _Failure(Message(TOO_MUCH if is_full else _("it ended the process that read it")).to_json())
    finally:
        child.kill()
        child.join()
        ours.close()
    if not isinstance(done, _Failure):
        return done  # type: ignore[no-any-return]  # what the parser gave
    raise done.kind(done.file or raw.name, Message.from_json(done.fault), row=done.row, column=done.column)


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
    key = ["source_id", "series_id", "time_period", "as_of"]
    repeated = observations.duplicated(key)
    if repeated.any():
        first = observations[repeated].iloc[0]
        names = ", ".join(file.name for file, _part in read)
        fault = _("{series} of {period} is given by more than one file")
        raise SourceError(names, fault, series=first["series_id"], period=first["time_period"])
    rejected = pd.concat([part.rejected for _file, part in read], ignore_index=True)
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
    except SourceError as error:
        done = _Failure(error.rule.to_json(), error.file, error.row, error.column, type(error))
    except VigieError as error:
        done = _Failure(error.message.to_json())
    except (MemoryError, RecursionError):
        done = _Failure(Message(TOO_MUCH).to_json())
    except BaseException as error:  # a compiled library's panic is no Exception; its text may quote the file
        done = _Failure(Message(_("a fault in Vigie: {error}"), {"error": type(error).__name__}).to_json())
    pipe.send(done)


def refuse_many(file: str, rows: int, columns: int, cells: int | None = None) -> None:
    """Refuse a table beyond what any source holds.

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
        raise SourceError(raw.name, _("cannot be unpacked: {error}"), error=str(error)) from None
    if len(content) >= most:
        raise SourceError(raw.name, UNFOLDS)
    if not machine.eof or machine.unused_data:
        raise SourceError(raw.name, _("cannot be unpacked: it was cut off, or other data follow"))
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
                raise SourceError(raw.name, fault, file=member, n=largest // 10**6, found=listed)
            return RawFile(raw.name, archive.read(found[0]))
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError) as error:
        raise SourceError(raw.name, _("not a whole zip archive: {error}"), error=error) from None
