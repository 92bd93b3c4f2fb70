"""The database behind the journal and the outbox: SQLite by default, PostgreSQL by address.

Every table in it is append-only: the database itself refuses to change or delete a row.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from core.errors import InputError, StoreError
from store import OWNER_FILE, make_folder, named_errors

_WAIT_SECONDS = 30
_TRY_AGAIN_SECONDS = 0.2
_BATCH = 1000
_LEAST_BYTES = 1 << 16
"""Free space below which SQLite cannot open a file that is not open elsewhere: it writes 32 KB beside it."""
_T = TypeVar("_T")
_PLACES = re.compile(r""" "[^"]*" | '[^']*' | \([^)]*\) | \b\w+=\S+ | \b\d+(?:\.\d+){3}\b | \bport\s\d+ """, re.VERBOSE)
"""Names, machines and settings of a connection in a driver's error."""
_SETUP_LOCK = 0x56494749
"""Number of the advisory lock under which PostgreSQL's tables are made: "VIGI" in ASCII."""


class UtcTime(sa.types.TypeDecorator[dt.datetime]):
    """Times with their zone, in databases without zones too."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:
        """A time as the database keeps it."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:
        """A time as the program uses it: UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if dialect.name == "sqlite" else value.astimezone(dt.UTC)


def row_number() -> sa.Column[int]:
    """A primary key that grows with time."""
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True)


class Database:
    """Connections to one database.

    Args:
        url: SQLAlchemy address: ``sqlite:///…`` or ``postgresql://…``.

    Raises:
        InputError: The address is not one of SQLite or PostgreSQL.
    """

    def __init__(self, url: str) -> None:
        self._reads_only = reads_only(url)
        self._aside = ExitStack()
        self._engine = _engine(url, self._aside if self._reads_only else None)
        self.tables: dict[str, sa.Table] = {}
        at = self._engine.url
        # An address holds users, machines and, in its query, passwords: none of it belongs into an error.
        self.name = str(at.database) if at.get_backend_name() == "sqlite" else at.get_backend_name()

    def run(self, work: Callable[[sa.Connection], _T], *, writes: bool = False) -> _T:
        """Do some work in one transaction: all of it is kept, or, where it raises, nothing.

        Args:
            work: Called with the connection.
            writes: True where it writes; then no other writer comes in between (SQLite).

        Raises:
            StoreError: The database refuses.
        """
        try:
            with self._engine.connect().execution_options(vigie_writes=writes) as connection, connection.begin():
                return work(connection)
        except SQLAlchemyError as error:
            raise StoreError(_named(self.name, error)) from None

    def create(self, *tables: sa.Table) -> None:
        """Make tables where they are missing, append-only; processes that start together wait for each other.

        On a disk that cannot be written nothing is made.

        Raises:
            StoreError: The database cannot be opened.
        """
        self.tables |= {table.name: table for table in tables}
        if not self._reads_only:
            self.run(lambda connection: _create(connection, tables), writes=True)

    @contextmanager
    def alone(self, name: str, wait_seconds: float = 0) -> Iterator[bool]:
        """Try to hold a name among all machines that use this database; it is given back when its process goes.

        Yields:
            True where it is held now, False where another process holds it. SQLite serves one machine, where files
            are locked instead (:mod:`store`): True.

        Raises:
            StoreError: The database refuses.
        """
        if self._engine.dialect.name != "postgresql":
            yield True
            return
        until = time.monotonic() + wait_seconds
        ask = sa.select(sa.func.pg_try_advisory_lock(sa.func.hashtextextended(name, 0)))
        try:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            while not (is_held := bool(connection.scalar(ask))) and time.monotonic() < until:
                time.sleep(_TRY_AGAIN_SECONDS)
        except SQLAlchemyError as error:
            raise StoreError(_named(self.name, error)) from None
        try:
            yield is_held
        finally:
            # The lock goes with its connection; one that broke meanwhile has given it back already.
            connection.invalidate()
            connection.close()

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()
        self._aside.close()


def copy_tables(source: Database, target: Database) -> dict[str, int]:
    """Copy every row of every table to an empty database, and hold what arrived against what was sent: all, or nothing.

    Returns:
        Number of rows by table.

    Raises:
        InputError: The target holds rows already, or the source holds a table that was not named.
        StoreError: A database refuses, or what arrived is not what was sent.
    """
    counts: dict[str, int] = {}
    present = source.run(lambda connection: sa.inspect(connection).get_table_names())
    if unknown := sorted(set(present) - set(source.tables)):
        raise InputError(f"{source.name}: holds tables that are not Vigie's: {', '.join(unknown)}; copy it by hand")

    def work(connection: sa.Connection) -> None:
        for name, table in source.tables.items():
            if connection.scalar(sa.select(sa.func.count()).select_from(table)):
                raise InputError(f"{target.name}: its table {name} holds rows already; name an empty database")
            rows = _rows(source, table)
            for first in range(0, len(rows), _BATCH):
                connection.execute(sa.insert(table), rows[first : first + _BATCH])
            order = list(table.primary_key.columns)
            arrived = [_by_key(table, row) for row in connection.execute(sa.select(table).order_by(*order))]
            if arrived != rows or _rows(source, table) != rows:
                raise StoreError(f"{target.name}: table {name} did not arrive as it is; nothing was moved, try again")
            counts[name] = len(rows)
            if connection.dialect.name == "postgresql" and "id" in table.c and rows:
                sequence = sa.func.pg_get_serial_sequence(table.name, "id")
                connection.execute(sa.select(sa.func.setval(sequence, rows[-1]["id"])))

    target.run(work, writes=True)
    return counts


def _rows(database: Database, table: sa.Table) -> list[dict[str, Any]]:
    query = sa.select(table).order_by(*table.primary_key.columns)
    return database.run(lambda connection: [_by_key(table, row) for row in connection.execute(query)])


def _by_key(table: sa.Table, row: sa.Row[Any]) -> dict[str, Any]:
    return {column.key: row._mapping[column] for column in table.c}


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite address; None for any other database."""
    address = sa.make_url(url)
    is_file = address.get_backend_name() == "sqlite" and bool(address.database)
    return Path(str(address.database)) if is_file else None


def copy_sqlite(path: Path) -> bytes:
    """A SQLite database as it is in one moment, others reading and writing it meanwhile, as the bytes of a whole file.

    Raises:
        StoreError: It cannot be read, or it is damaged.
    """
    to_read = _to_read(path) if reads_only(f"sqlite:///{path}") else nullcontext(f"file:{quote(str(path.resolve()))}")
    with tempfile.TemporaryDirectory() as folder, to_read as address:
        copy = Path(folder) / "copy.sqlite"
        try:
            with (
                closing(sqlite3.connect(address, timeout=_WAIT_SECONDS, uri=True)) as source,
                closing(sqlite3.connect(copy)) as target,
            ):
                source.backup(target)
                target.execute("PRAGMA journal_mode=DELETE")
                found = str(target.execute("PRAGMA integrity_check").fetchone()[0])
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}") from None
        if found != "ok":
            raise StoreError(f"{path}: is damaged: {found.splitlines()[0]}")
        return copy.read_bytes()


def hold_subject(connection: sa.Connection, subject: str) -> None:
    """Keep other writers away from a subject until the transaction ends (SQLite keeps them away from everything)."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(subject, 0))))


def _named(name: str, error: SQLAlchemyError) -> str:
    reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    return f"journal {name}: {_PLACES.sub('…', reason)}"


def _create(connection: sa.Connection, tables: tuple[sa.Table, ...]) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SETUP_LOCK)))
    found = sa.inspect(connection)
    for table in tables:
        if not found.has_table(table.name):
            table.create(connection)
            for statement in _refusals(table.name, connection.dialect.name):
                connection.execute(sa.text(statement))


def _refusals(table: str, dialect: str) -> list[str]:
    """Statements after which the database refuses to change or delete a row of a table."""
    rule = f"the {table} is append-only"
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER IF NOT EXISTS {table}_refuses_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{rule}'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        f"CREATE OR REPLACE FUNCTION {table}_refuses() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{rule}'; END $$",
        f"CREATE OR REPLACE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuses()",
    ]


def reads_only(url: str) -> bool:
    """True for a SQLite file that is there, on a disk or in a folder that cannot be written, or that is full."""
    try:
        path = sqlite_file(url)
    except ArgumentError:
        return False
    if path is None or not path.is_file():
        return False
    if not os.access(path.parent, os.W_OK):
        return True
    if shutil.disk_usage(path.parent).free >= _LEAST_BYTES:
        return False
    # If it is open elsewhere, the files beside it have their space already.
    try:
        with closing(sqlite3.connect(path)) as probe:
            probe.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError:
        return True
    return False


@contextmanager
def _to_read(path: Path) -> Iterator[str]:
    """Yield the address with which SQLite reads a read-only file; files that a crash left are copied first."""
    left = path.with_name(f"{path.name}-wal")
    if not left.exists() or not left.stat().st_size:
        yield f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
        return
    with tempfile.TemporaryDirectory() as folder:
        for one in (path, left):
            shutil.copyfile(one, Path(folder) / one.name)
        yield f"file:{quote(str(Path(folder) / path.name))}?mode=rw"


def _engine(url: str, aside: ExitStack | None) -> sa.Engine:
    try:
        address = sa.make_url(url)
    except ArgumentError:
        raise InputError("setting journal_url: not an address like sqlite:///… or postgresql://…") from None
    backend = address.get_backend_name()
    if backend == "postgresql":
        return sa.create_engine(address.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    if backend != "sqlite":
        raise InputError(f"setting journal_url: '{backend}' is not served; write sqlite:///… or postgresql://…")
    if aside is not None:
        address = sa.make_url(f"sqlite:///{aside.enter_context(_to_read(Path(str(address.database))))}&uri=true")
    elif address.database:
        _make_private(Path(address.database))
    engine = sa.create_engine(address, connect_args={"timeout": _WAIT_SECONDS})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(path: Path) -> None:
    """Make an empty file for its owner alone where it is missing; SQLite gives the files beside it the same mode."""
    with named_errors(path):
        make_folder(path.parent)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, OWNER_FILE))


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401  # the driver's connection has no type
    # The driver's own transactions start too late to keep two writers apart; _begin_sqlite starts them instead.
    connection.isolation_level = None
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode=WAL")
    # In WAL mode only FULL keeps a committed row through a power cut.
    connection.execute("PRAGMA synchronous=FULL")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("vigie_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
