"""What people and nights did: rows that are added and never changed.

SQLite by default, PostgreSQL by address. The database itself refuses to change or delete a row.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from core.errors import InputError, StoreError

_WAIT_SECONDS = 30
_LONGEST_TEXT = 100_000
_T = TypeVar("_T")
_NOT_YET = dt.datetime.min.replace(tzinfo=dt.UTC)
_SETUP_LOCK = 0x56494749
"""Number of the advisory lock under which PostgreSQL's tables are made: "VIGI" in ASCII."""


class _UtcTime(sa.types.TypeDecorator[dt.datetime]):
    """Times with their zone, in databases without zones too."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if dialect.name == "sqlite" else value.astimezone(dt.UTC)


_METADATA = sa.MetaData()
_JOURNAL = sa.Table(
    "journal",
    _METADATA,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("at", _UtcTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False, index=True),
    sa.Column("subject", sa.Text, nullable=False, index=True),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("payload", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
    sqlite_autoincrement=True,
)

_REFUSE_SQLITE = tuple(
    sa.text(
        f"CREATE TRIGGER IF NOT EXISTS journal_refuses_{verb.lower()} BEFORE {verb} ON journal "
        "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
    )
    for verb in ("UPDATE", "DELETE")
)
_REFUSE_POSTGRESQL = (
    sa.text(
        "CREATE OR REPLACE FUNCTION journal_refuses() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$"
    ),
    sa.text(
        "CREATE OR REPLACE TRIGGER journal_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON journal "
        "FOR EACH STATEMENT EXECUTE FUNCTION journal_refuses()"
    ),
)


@dataclass(frozen=True)
class Entry:
    """One row of the journal.

    Attributes:
        actor: Who did it: a person's name, or ``nightly``.
        action: What was done: ``published``, ``acknowledged``, ``signed off``, …
        subject: What it was done to: an alert_id, a source_id, a scenario.
        run_id: The release it concerns; empty where none.
        reason: Why, in the person's words.
        payload: Further facts, as JSON.
        id: Number given by the database; grows with time.
        at: When, UTC.
    """

    actor: str
    action: str
    subject: str
    run_id: str = ""
    reason: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    id: int = 0
    at: dt.datetime = _NOT_YET


def journal_url(setting: str, home: Path) -> str:
    """Address of the journal: the setting, else SQLite in the home folder."""
    return setting or f"sqlite:///{home / 'journal.sqlite'}"


class Journal:
    """The append-only journal.

    Args:
        url: SQLAlchemy address: ``sqlite:///…`` or ``postgresql://…``.

    Raises:
        InputError: The address is not one of SQLite or PostgreSQL.
        StoreError: The database cannot be opened.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._name = self._engine.url.render_as_string(hide_password=True)
        self._run(_create, writes=True)

    def record(self, entry: Entry) -> Entry:
        """Add one row.

        Args:
            entry: What was done; its ``id`` and ``at`` are given by the journal.

        Returns:
            The entry as stored.

        Raises:
            InputError: Actor, action or subject is empty, or a text cannot be stored.
            StoreError: The database refuses.
        """
        _check_texts(entry)
        values = {
            "at": dt.datetime.now(dt.UTC),
            "actor": entry.actor,
            "action": entry.action,
            "subject": entry.subject,
            "run_id": entry.run_id,
            "reason": entry.reason,
            "payload": dict(entry.payload),
        }
        return self._run(lambda connection: _insert(connection, values), writes=True)

    def entries(
        self, *, subject: str | None = None, action: str | None = None, run_id: str | None = None, after: int = 0
    ) -> list[Entry]:
        """Rows, oldest first.

        Args:
            subject: Only rows about this subject.
            action: Only rows of this action.
            run_id: Only rows about this release.
            after: Only rows whose ``id`` is greater.

        Raises:
            StoreError: The database cannot be read.
        """
        query = sa.select(_JOURNAL).where(_JOURNAL.c.id > after).order_by(_JOURNAL.c.id)
        for column, value in ((_JOURNAL.c.subject, subject), (_JOURNAL.c.action, action), (_JOURNAL.c.run_id, run_id)):
            if value is not None:
                query = query.where(column == value)
        return self._run(lambda connection: [Entry(**row._mapping) for row in connection.execute(query)])

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _run(self, work: Callable[[sa.Connection], _T], *, writes: bool = False) -> _T:
        try:
            with self._engine.connect().execution_options(vigie_writes=writes) as connection, connection.begin():
                return work(connection)
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise StoreError(f"journal {self._name}: {reason}") from None


def _insert(connection: sa.Connection, values: Mapping[str, Any]) -> Entry:
    number = connection.execute(sa.insert(_JOURNAL).values(**values).returning(_JOURNAL.c.id)).scalar_one()
    return Entry(**values, id=number)


def _create(connection: sa.Connection) -> None:
    """Make table and triggers where they are missing; processes that start together wait for each other."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SETUP_LOCK)))
    if sa.inspect(connection).has_table(_JOURNAL.name):
        return
    _METADATA.create_all(connection)
    for statement in _REFUSE_SQLITE if connection.dialect.name == "sqlite" else _REFUSE_POSTGRESQL:
        connection.execute(statement)


def _engine(url: str) -> sa.Engine:
    try:
        address = sa.make_url(url)
    except ArgumentError:
        raise InputError("setting journal_url: not an address like sqlite:///… or postgresql://…") from None
    backend = address.get_backend_name()
    if backend == "postgresql":
        return sa.create_engine(address.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    if backend != "sqlite":
        raise InputError(f"setting journal_url: '{backend}' is not served; write sqlite:///… or postgresql://…")
    if address.database:
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(address, connect_args={"timeout": _WAIT_SECONDS})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


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


def _check_texts(entry: Entry) -> None:
    for name in ("actor", "action", "subject"):
        if not getattr(entry, name).strip():
            raise InputError(f"journal: {name} must not be empty")
    texts = {name: getattr(entry, name) for name in ("actor", "action", "subject", "run_id", "reason")}
    try:
        texts["payload"] = json.dumps(dict(entry.payload), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"journal: payload is not JSON: {error}") from None
    for name, text in texts.items():
        if len(text) > _LONGEST_TEXT:
            raise InputError(f"journal: {name} is longer than {_LONGEST_TEXT} characters")
        if "\0" in text or "\\u0000" in text or not _is_unicode(text):
            raise InputError(f"journal: {name} holds characters that cannot be stored")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
