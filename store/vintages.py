"""What each source published, and when it was known: append-only.

A figure is stored once and again only when it changes. Any past state can be asked for: "what did we know on
2025-01-31?" (the *vintages* of real-time econometrics; see Croushore & Stark, 2001, J. Econometrics 105).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.errors import InputError, StoreError
from core.release import OBSERVATIONS, REJECTED
from core.schema import check
from store.figures import COLUMNS, STORED_AT, TEXTS, Figures, day_number, in_order, number_figures
from store.incoming import news
from store.partitions import Partitions
from store.revisions import revisions_between, revisions_one_by_one

FIGURE_NUMBER = "figure"
"""Column of :meth:`VintageStore.history`: equal in rows of the same source, series and period, and rising."""
_WITHOUT_MESSAGE = [name for name in REJECTED.columns if name != "message"]


class VintageStore:
    """The vintages under ``home/vintages`` and the rejected rows under ``home/rejected``.

    Args:
        home: The home folder; its sub-folders are made at the first append.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / "vintages"
        self._rejected = Partitions(home / "rejected")

    def append(self, observations: pd.DataFrame, *, received: dt.date | None = None, complete: bool = False) -> int:
        """Store the rows that tell something new; appending the same file again adds nothing.

        A row is new where its value or flag differs from the newest one known on the row's ``as_of``, so files are to
        be appended in the order of their publication. Where ``as_of`` is only estimated (period's end plus the usual
        lag) and the figure is already known with another value, the row is a revision that arrives now: it is dated
        ``received``, for nobody knew it earlier. So is one whose estimated day is still to come although its period is
        over: it was published earlier than usual.

        Args:
            observations: A frame that keeps ``core.release.OBSERVATIONS``.
            received: Day on which the file was received; today (UTC) by default.
            complete: The rows are an edition that re-sends the whole history of their targets: a figure known before
                of the periods that it spans, and missing in it, was withdrawn, and is known no longer from then on.

        Returns:
            Number of rows stored; withdrawals count.

        Raises:
            SchemaError: The frame breaks its contract.
            InputError: A ``source_id`` is not usable as the name of a folder.
            StoreError: A file is damaged or cannot be written.
        """
        check(observations, OBSERVATIONS)
        day = pd.Timestamp(received or dt.datetime.now(dt.UTC).date())
        stored = 0
        for source_id, rows in observations[COLUMNS].groupby("source_id", sort=True):
            partitions = self._partitions(str(source_id))
            known = _in_order_of_storing(partitions.tables())
            new = news(rows, known, day, complete=complete).assign(stored_at=_next_time(known))
            partitions.append(in_order(new))
            stored += len(new)
        return stored

    def known_at(self, date: dt.date, *, exclude_sources: Collection[str] = ()) -> pd.DataFrame:
        """What was known at the end of a day: for each source, series and period the newest ``as_of`` not after it.

        Args:
            date: The day.
            exclude_sources: ``source_id`` to leave out.

        Returns:
            A frame that keeps ``core.release.OBSERVATIONS``, sorted by source, series and period; empty where nothing
            was known.

        Raises:
            StoreError: A file is damaged; the text names it.
        """
        figures = self._figures(exclude_sources)
        if figures is None:
            return _no_observations()
        return figures.frame(figures.newest(_day(date)), COLUMNS)

    def history(self, *, exclude_sources: Collection[str] = ()) -> pd.DataFrame:
        """Every stored figure with every ``as_of``; :func:`known_at` reduces it to what was known on a date.

        Args:
            exclude_sources: ``source_id`` to leave out.

        Returns:
            Columns of ``core.release.OBSERVATIONS``, ``stored_at`` and ``figure``, in order of figure, ``as_of`` and
            time of storing. A row without a value is a withdrawal.

        Raises:
            StoreError: A file is damaged; the text names it.
        """
        figures = self._figures(exclude_sources)
        if figures is None:
            return _no_observations().assign(stored_at=pd.Timestamp(0), figure=np.int64(0))
        return figures.frame(figures.order, [*COLUMNS, STORED_AT]).assign(figure=figures.figure)

    def revisions(self, date_from: dt.date, date_to: dt.date, *, exclude_sources: Collection[str] = ()) -> pd.DataFrame:
        """What differs between the knowledge of two days about periods that were known before.

        Returns:
            A frame that keeps ``core.release.REVISIONS``, sorted by source, series and period. A new period is no
            revision.

        Raises:
            StoreError: A file is damaged.
        """
        figures = self._figures(exclude_sources)
        return revisions_between(figures, _day(date_from), _day(date_to))

    def all_revisions(self, until: dt.date, *, exclude_sources: Collection[str] = ()) -> pd.DataFrame:
        """Every single revision known by a day, one vintage to the next: what a source usually does.

        Returns:
            A frame that keeps ``core.release.REVISIONS``, sorted by source, series, period and ``as_of``.

        Raises:
            StoreError: A file is damaged.
        """
        return revisions_one_by_one(self._figures(exclude_sources), _day(until))

    def check_files(self) -> None:
        """Hold every file against the hash that it is named by.

        Parquet notices a file that is cut off; a figure altered by a bit of a failing disk it does not.

        Raises:
            StoreError: A file is not as it was written; the text names it.
        """
        for partitions in [*map(self._partitions, self.sources()), self._rejected]:
            for path in partitions.damaged():
                raise StoreError(f"{path}: is not as it was written: put it back with vigie restore --repair")

    def sources(self) -> list[str]:
        """Every ``source_id`` that has rows, sorted."""
        return sorted({path.parent.name for path in self._folder.glob("*/*.parquet")})

    def append_rejected(self, rejected: pd.DataFrame) -> int:
        """Keep rows that a parser set aside; a row already kept is not kept twice.

        Returns:
            Number of rows added.

        Raises:
            SchemaError: The frame breaks ``core.release.REJECTED``.
            StoreError: A file is damaged or cannot be written.
        """
        columns = list(REJECTED.columns)
        rows = check(rejected, REJECTED)[columns].drop_duplicates()
        known = self.rejected()
        both = pd.concat([known, rows], ignore_index=True)
        # Rows of before messages were kept have none: the same row is not kept again for it.
        new = rows[~both.duplicated(_WITHOUT_MESSAGE).to_numpy()[len(known) :]]
        self._rejected.append(new)
        return len(new)

    def rejected(self) -> pd.DataFrame:
        """All rows ever set aside, with the rule each broke (``core.release.REJECTED``)."""
        columns = list(REJECTED.columns)
        rows = self._rejected.read()
        if rows.empty:
            return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
        rows = rows.reindex(columns=columns).fillna({"message": ""})
        return rows.drop_duplicates(_WITHOUT_MESSAGE).sort_values(columns, ignore_index=True)

    def _figures(self, exclude_sources: Collection[str]) -> Figures | None:
        """All rows of the sources as numbers; None where there are none."""
        tables = [
            table
            for source_id in self.sources()
            if source_id not in exclude_sources
            for table in _in_order_of_storing(self._partitions(source_id).tables())
        ]
        return number_figures(tables) if tables else None

    def _partitions(self, source_id: str) -> Partitions:
        if not source_id or source_id.startswith(".") or {"/", "\\", "\0"} & set(source_id):
            raise InputError(f"source_id '{source_id}' is not usable: letters, digits and hyphens only")
        return Partitions(self._folder / source_id, TEXTS, in_order)


def known_at(history: pd.DataFrame, date: dt.date) -> pd.DataFrame:
    """Reduce :meth:`VintageStore.history`, or some of its rows, to what was known at the end of a day.

    Returns:
        As :meth:`VintageStore.known_at`.
    """
    day = np.datetime64(min(date, dt.date(2262, 1, 1)), "ns")
    known = history[history["as_of"].to_numpy() <= day]
    figure = known[FIGURE_NUMBER].to_numpy()
    last = np.ones(len(known), dtype=bool)
    last[:-1] = figure[1:] != figure[:-1]
    newest = known[last & known["obs_value"].notna().to_numpy()]
    return newest[COLUMNS].reset_index(drop=True)


def _day(date: dt.date) -> int:
    return day_number(pd.Timestamp(min(date, dt.date(2262, 1, 1))))


def _in_order_of_storing(tables: list[pa.Table]) -> list[pa.Table]:
    """Tables in the order of their newest rows. While files are merged, the merged one comes after its parts."""
    return sorted(tables, key=lambda table: (pc.max(table[STORED_AT]).value, len(table)))


def _next_time(known: list[pa.Table]) -> pd.Timestamp:
    """Now, or just after the newest row where the clock went back."""
    now = pd.Timestamp(dt.datetime.now(dt.UTC).replace(tzinfo=None)).as_unit("ns")
    if not known:
        return now
    newest = pd.Timestamp(pc.max(known[-1][STORED_AT]).as_py())
    return max(now, newest + pd.Timedelta(microseconds=1))


def _no_observations() -> pd.DataFrame:
    kinds = {"obs_value": "float64", "as_of": "datetime64[ns]", "as_of_estimated": "bool"}
    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "object")) for name in COLUMNS})
