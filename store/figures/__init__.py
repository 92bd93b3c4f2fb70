"""What each source published, and when it was known: append-only Parquet files, asked in SQL (DuckDB).

A value is stored once and again only when it changes. Any past state can be asked for: "what did we know on
2025-01-31?" (the *vintages* of real-time econometrics; see Croushore & Stark, 2001, J. Econometrics 105). The
queries stand in ``vintages.sql`` beside this module and run on the files directly: no database is ever locked.
"""

from __future__ import annotations

import datetime as dt
import functools
import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.calendar import Frequency, end_dates
from core.errors import InputError
from core.release import OBSERVATIONS, REJECTED, REVISIONS
from core.schema import check
from store import Partitions

COLUMNS = list(OBSERVATIONS.columns)
CELL = "cell"
"""Column of :meth:`VintageStore.history`: equal in rows of the same source, series and period, and rising."""
LAST_DAY = dt.date(2262, 1, 1)
"""About the last day that a nanosecond timestamp can hold."""
_TEXTS = ("source_id", "series_id", "target", "route_id", "geo", "citizen", "freq", "time_period", "obs_flag")
_STORED = pa.schema(
    [
        *((name, pa.dictionary(pa.int32(), pa.string())) for name in _TEXTS),
        ("obs_value", pa.float64()),
        ("as_of", pa.timestamp("ns")),
        ("as_of_estimated", pa.bool_()),
        ("stored_at", pa.timestamp("ns")),
        ("version", pa.dictionary(pa.int32(), pa.string())),
    ]
)
_REVISION = list(REVISIONS.columns)
_PARTS = re.split(r"^-- name: (\w+)\n", Path(__file__).with_name("vintages.sql").read_text("utf-8"), flags=re.MULTILINE)
_QUERIES = dict(zip(_PARTS[1::2], _PARTS[2::2], strict=True))
CONFIRMED = "confirmed"
"""Version of a statement that repeats what is known; it is no vintage."""


class VintageStore:
    """The vintages under ``home/vintages`` and the rejected rows under ``home/rejected``.

    Args:
        home: The home folder; its sub-folders are made at the first append.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / "vintages"
        self._rejected = Partitions(home / "rejected")

    def append(self, observations: pd.DataFrame, *, received: dt.date | None = None, complete: bool = False) -> int:
        """Store the rows that add something; appending the same file again adds nothing.

        A row is new where its value or flag differs from the newest one known on the row's ``as_of``, so files are to
        be appended in the order of their publication. Where ``as_of`` is only estimated (period's end plus the usual
        lag) and another value is held at present, the row is a revision that arrives now: it is dated ``received``, for
        it was not known earlier; a value that was corrected and comes back is such a revision too. So is one whose
        estimated day is still to come although its period is over: it was published earlier than usual.

        Args:
            observations: A frame that keeps ``core.release.OBSERVATIONS``.
            received: Day on which the file was received; today (UTC) by default.
            complete: The rows are an edition that re-sends the whole history of their targets: a value known before
                of the periods that it spans, and missing in it, was withdrawn, and is known no longer from then on.

        Returns:
            Number of rows stored; withdrawals count.

        Raises:
            SchemaError: The frame breaks its contract.
            InputError: A ``source_id`` is not usable as the name of a folder.
            StoreError: A file is damaged or cannot be written.
        """
        check(observations, OBSERVATIONS)
        parts = observations[COLUMNS].groupby("source_id", sort=True)
        return sum(len(self.add(self.statements(rows, received=received, complete=complete))) for _name, rows in parts)

    def statements(
        self, observations: pd.DataFrame, *, received: dt.date | None = None, complete: bool = False
    ) -> pd.DataFrame:
        """Return what an edition of one source states, each row dated as :meth:`append` does; nothing is stored.

        Returns:
            ``core.release.OBSERVATIONS`` with ``version`` (``confirmed`` where the vintages hold the row's value
            already, else ``first`` of its period, ``revision`` or ``backdated``) and the ``stored_at`` that all rows
            share. A row without a value states that a complete edition lacks it.

        Raises:
            SchemaError: The frame breaks its contract.
            StoreError: A file is damaged.
        """
        check(observations, OBSERVATIONS)
        (source_id,) = observations["source_id"].unique()
        day = received or dt.datetime.now(dt.UTC).date()
        return _statements(observations[COLUMNS], self._partitions(source_id).tables(), day, complete=complete)

    def add(self, statements: pd.DataFrame) -> pd.DataFrame:
        """Store the statements that are not confirmations, and return them.

        Raises:
            StoreError: The file cannot be written.
        """
        news: pd.DataFrame = statements.loc[statements["version"] != CONFIRMED, _STORED.names].reset_index(drop=True)
        if len(news):
            self._partitions(str(news["source_id"].iloc[0])).append(news)
        return news

    def changes(
        self,
        source_id: str,
        statements: Sequence[pd.DataFrame],
        stamps: Collection[dt.datetime],
        void: Collection[dt.datetime],
        day: dt.date,
    ) -> pd.DataFrame:
        """Return the cells stated at ``stamps`` whose present value is not the newest statement that counts.

        Args:
            source_id: The source.
            statements: Of its editions, as :meth:`statements` returns them; the vintages are statements too.
            stamps: ``stored_at`` of the statements whose cells are compared.
            void: ``stored_at`` of all rows that do not count: of editions withdrawn, and what restored others.
            day: From this day on the newest statement is known.

        Returns:
            Rows that restore that statement, to be stored with :meth:`add`; without a value where there is none. With
            them ``before``, the present value, and ``stated_at``, when the cell was last stated at another time.

        Raises:
            StoreError: A file is damaged.
        """
        stored = self._partitions(source_id).tables()
        stated = [_in_arrow(rows) for rows in statements]
        table = _numbered([*stored, *stated])
        options = {"stored": sum(map(len, stored)), "stamps": list(stamps), "void": list(void), "day": _day(day)}
        found = _ask(table, _QUERIES["changes"], **options)
        rows: pd.DataFrame = _frame(table, found["row"], COLUMNS).assign(
            as_of=found["as_of"], as_of_estimated=False, version="revision", stored_at=_next_time([*stored, *stated]),
            obs_value=found["obs_value"].astype(float), obs_flag=found["obs_flag"],
        )[_STORED.names]  # fmt: skip
        return rows.assign(before=found["before"].astype(float), stated_at=found["stated_at"])

    def as_of(self, date: dt.date, *, only: Collection[str] | None = None) -> pd.DataFrame:
        """What was known at the end of a day: for each source, series and period the newest ``as_of`` not after it.

        Returns:
            A frame that keeps ``core.release.OBSERVATIONS``, sorted by source, series and period; empty where nothing
            was known.

        Raises:
            StoreError: A file is damaged; the text names it.
        """
        return reduce_as_of(self.history(only=only), date)

    def history(self, *, exclude_sources: Collection[str] = (), only: Collection[str] | None = None) -> pd.DataFrame:
        """Every stored version; :func:`reduce_as_of` reduces it to what was known on a date.

        Returns:
            Columns of ``core.release.OBSERVATIONS``, ``stored_at`` and :data:`CELL`, in order of cell, ``as_of`` and
            time of storing, each version once. A row without a value is a withdrawal.

        Raises:
            StoreError: A file is damaged; the text names it.
        """
        table = self._table(exclude_sources, only)
        found = _ask(table, _QUERIES["history"])
        rows = _frame(table, found["row"], [*COLUMNS, "stored_at"]).assign(**{CELL: found["cell"]})
        # A merge of files that was cut off leaves versions twice, one behind the other.
        versions = [rows[name].to_numpy().astype(np.int64) for name in (CELL, "as_of", "stored_at")]
        repeated = np.logical_and.reduce([np.diff(version, prepend=-1) == 0 for version in versions])
        return rows[~repeated].reset_index(drop=True) if repeated.any() else rows

    def revisions(self, date_from: dt.date, date_to: dt.date, *, exclude_sources: Collection[str] = ()) -> pd.DataFrame:
        """What differs between what was known on two days, about periods that were known before.

        Returns:
            A frame that keeps ``core.release.REVISIONS``, sorted by source, series and period. A new period is no
            revision.

        Raises:
            StoreError: A file is damaged.
        """
        days = {"first": _day(date_from), "second": _day(date_to)}
        return self._revisions("between", self._table(exclude_sources), **days)

    def all_revisions(
        self, until: dt.date, *, only: Collection[str] | None = None, void: Collection[dt.datetime] = ()
    ) -> pd.DataFrame:
        """Every single revision known by a day, one vintage to the next: what a source usually does.

        Args:
            until: The day.
            only: ``source_id`` to take; all by default.
            void: ``stored_at`` of rows that do not count: of editions that were withdrawn, and of the withdrawals.

        Returns:
            A frame that keeps ``core.release.REVISIONS``, sorted by source, series, period and ``as_of``.

        Raises:
            StoreError: A file is damaged.
        """
        table = self._table((), only)
        return self._revisions("one_by_one", table, day=_day(until), void=list(void))

    def damaged(self) -> list[Path]:
        """Files that are not as they were written, by the hashes that they are named by.

        Parquet notices a file that is cut off; a value altered by a bit of a failing disk it does not.

        Raises:
            StoreError: A file cannot be read.
        """
        every = [*map(self._partitions, self.sources()), self._rejected]
        return [path for partitions in every for path in partitions.damaged()]

    def contents(self, until: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
        """What each source holds, whatever files it stands in: files are merged without a value's being changed.

        Args:
            until: Time (ISO) per source up to which rows count; by default all rows of all sources.

        Returns:
            Per source ``until`` (``stored_at`` of the newest row that counts), ``rows`` and their ``sha256``.

        Raises:
            StoreError: A file is damaged; the text names it.
        """
        found = {}
        for source_id in self.sources() if until is None else until:
            table = self._table((), [source_id])
            newest = until[source_id] if until else pd.Timestamp(pc.max(table["stored_at"]).as_py()).isoformat()
            facts = _ask(table, _QUERIES["contents"], until=pd.Timestamp(newest))
            found[source_id] = {"until": newest, "rows": int(facts["rows"][0]), "sha256": str(facts["sha256"][0])}
        return found

    def stored_after(self, source_id: str, time: str) -> list[str]:
        """When rows of a source were stored after a time (both ISO), or ever where it is empty; each once, sorted.

        Raises:
            StoreError: A file is damaged; the text names it.
        """
        stamps = pc.unique(self._table((), [source_id])["stored_at"]).to_pandas()
        return [stamp.isoformat() for stamp in sorted(stamps[stamps > pd.Timestamp(time or 0)])]

    def sources(self) -> list[str]:
        """Every ``source_id`` that has rows, sorted."""
        return sorted({path.parent.name for path in self.folder.glob("*/*.parquet")})

    def append_rejected(self, rejected: pd.DataFrame) -> None:
        """Keep rows that a parser set aside; a row already kept is not kept twice.

        Raises:
            SchemaError: The frame breaks ``core.release.REJECTED``.
            StoreError: A file is damaged or cannot be written.
        """
        known = self.rejected()
        both = pd.concat([known, check(rejected, REJECTED)[list(REJECTED.columns)]], ignore_index=True)
        self._rejected.append(both[~both.duplicated()][len(known) :])

    def rejected(self) -> pd.DataFrame:
        """All rows ever set aside, with the rule each broke (``core.release.REJECTED``)."""
        columns = list(REJECTED.columns)
        rows = self._rejected.read()
        return REJECTED.empty() if rows.empty else rows.drop_duplicates().sort_values(columns, ignore_index=True)

    def _revisions(self, query: str, table: pa.Table, **parameters: object) -> pd.DataFrame:
        found = _ask(table, _QUERIES[query] + _QUERIES["differences"], **parameters)
        frame = _frame(table, found.pop("row"), [name for name in _REVISION if name in COLUMNS]).assign(usual=np.nan)
        revisions: pd.DataFrame = frame.assign(**{name: found[name] for name in _REVISION if name in found})
        return revisions[_REVISION]

    def _table(self, exclude_sources: Collection[str], only: Collection[str] | None = None) -> pa.Table:
        """All versions of the sources, numbered."""
        chosen = [one for one in (self.sources() if only is None else only) if one not in exclude_sources]
        return _numbered([table for one in chosen for table in self._partitions(one).tables()])

    def _partitions(self, source_id: str) -> Partitions:
        if not source_id or source_id.startswith(".") or {"/", "\\", "\0"} & set(source_id):
            raise InputError(f"source_id '{source_id}' is not usable: letters, digits and hyphens only")
        return Partitions(self.folder / source_id, (*_TEXTS, "version"), _merged)


def reduce_as_of(history: pd.DataFrame, date: dt.date) -> pd.DataFrame:
    """Reduce :meth:`VintageStore.history`, or some of its rows, to what was known at the end of a day.

    Returns:
        As :meth:`VintageStore.as_of`.
    """
    known = history[history["as_of"].to_numpy() <= _day(date).to_datetime64()]
    is_newest = np.diff(known[CELL].to_numpy(), append=-1) != 0
    held: pd.DataFrame = known[is_newest & known["obs_value"].notna().to_numpy()]
    return held[COLUMNS].reset_index(drop=True)


def _statements(rows: pd.DataFrame, stored: Sequence[pa.Table], received: dt.date, *, complete: bool) -> pd.DataFrame:
    """What the rows of one source state beside what is stored of it."""
    is_early = rows["as_of_estimated"].to_numpy(dtype=bool) & (rows["as_of"] > _day(received)).to_numpy()
    is_over = np.zeros(len(rows), dtype=bool)
    for freq, some in rows[is_early].groupby("freq", observed=True):
        ends = end_dates(some["time_period"], cast(Frequency, freq))
        is_over[rows.index.get_indexer(some.index)] = (ends < _day(received)).to_numpy()
    incoming = rows.assign(as_of=rows["as_of"].dt.normalize(), stored_at=_next_time(stored), version="")
    table = _numbered([*stored, _in_arrow(incoming)])
    before = len(table) - len(rows)
    table = table.append_column("is_over", pa.array(np.concatenate([np.zeros(before, dtype=bool), is_over])))
    options = {"stored": before, "received": _day(received), "complete": complete}
    found = _ask(table, _QUERIES["statements"], **options)
    stated = _frame(table, found["row"], COLUMNS).assign(
        as_of=found["as_of"], as_of_estimated=found["as_of_estimated"].astype(bool), version=found["version"]
    )
    absent = found["is_absent"].astype(bool)
    stated.loc[absent, "obs_value"] = np.nan
    stated.loc[absent, "obs_flag"] = ""
    stated = stated.assign(stored_at=incoming["stored_at"].iloc[0])[_STORED.names]
    ordered: pd.DataFrame = stated.sort_values(["series_id", "time_period", "as_of"], kind="stable", ignore_index=True)
    return ordered


def _merged(rows: pd.DataFrame) -> pd.DataFrame:
    """All versions of one source, each once and in order."""
    table = _numbered([_in_arrow(rows)])
    versions = pd.DataFrame(_ask(table, _QUERIES["versions"]))
    return versions[list(_STORED.names)]


def _in_arrow(rows: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(None)


def _numbered(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables as one, of the stored columns, with ``row`` and ``cell``."""
    parts = [_STORED.empty_table(), *(table.select(_STORED.names).cast(_STORED) for table in tables)]
    table = pa.concat_tables(parts).unify_dictionaries()
    cell = np.zeros(len(table), dtype=np.int64)
    for name in ("source_id", "series_id", "time_period"):
        coded = table[name].combine_chunks()
        texts = coded.dictionary.to_numpy(zero_copy_only=False).astype(object)
        rank = np.empty(len(texts), dtype=np.int64)
        rank[np.argsort(texts, kind="stable")] = np.arange(len(texts))
        cell = cell * len(texts) + rank[coded.indices.to_numpy(zero_copy_only=False)]
    return table.append_column("row", pa.array(np.arange(len(table)))).append_column("cell", pa.array(cell))


def _ask(table: pa.Table, query: str, **parameters: object) -> dict[str, NDArray[np.generic]]:
    """Run a query on the vintages in ``table``; return each column as an array."""
    with _database(os.getpid()).cursor() as connection:
        connection.register("vintages", table)
        used = {name: value for name, value in parameters.items() if f"${name}" in query}
        found = connection.execute(query, used).fetchnumpy()
    return {name: np.ma.filled(np.ma.asarray(column), np.nan) for name, column in found.items()}


@functools.cache
def _database(_process: int) -> duckdb.DuckDBPyConnection:
    """A database in memory, empty: one per process, for its threads do not outlive a fork; nothing is ever locked."""
    # An extension is never fetched from the network.
    return duckdb.connect(config={"autoinstall_known_extensions": False})


def _frame(table: pa.Table, rows: NDArray[np.generic], columns: Sequence[str]) -> pd.DataFrame:
    """Some rows as a frame, texts as Python strings."""
    values: dict[str, NDArray[np.generic]] = {}
    for name in columns:
        column = table[name].combine_chunks()
        if isinstance(column, pa.DictionaryArray):
            texts = column.dictionary.to_numpy(zero_copy_only=False).astype(object)
            values[name] = texts.take(column.indices.to_numpy(zero_copy_only=False)[rows])
        else:
            values[name] = column.to_numpy(zero_copy_only=False)[rows]
    return pd.DataFrame(values, copy=False)


def _day(date: dt.date) -> pd.Timestamp:
    return pd.Timestamp(min(date, LAST_DAY)).as_unit("ns")


def _next_time(stored: Sequence[pa.Table]) -> pd.Timestamp:
    """Now, or just after the newest row where the clock went back."""
    now = pd.Timestamp(dt.datetime.now(dt.UTC).replace(tzinfo=None)).as_unit("ns")
    newest = [pd.Timestamp(pc.max(table["stored_at"]).as_py()) for table in stored if len(table)]
    return max([now, *(time + pd.Timedelta(microseconds=1) for time in newest)])
