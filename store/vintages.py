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
from numpy.typing import NDArray

from core.errors import InputError
from core.schema import OBSERVATIONS, REJECTED, check
from store.partitions import Partitions

_Marks = NDArray[np.bool_]
COLUMNS = list(OBSERVATIONS.columns)
FIGURE = ["source_id", "series_id", "time_period"]
STORED_AT = "stored_at"
"""When a row was written: of two values a source published on one day, the later stored one holds."""
LAST_DAY = dt.date(2262, 1, 1)
"""About the last day that a nanosecond timestamp can hold."""
_REPEATED_TEXTS = (
    "source_id", "series_id", "target", "route_id", "geo", "citizen", "freq", "time_period", "obs_flag",
)  # fmt: skip


class VintageStore:
    """The vintages under ``home/vintages`` and the rejected rows under ``home/rejected``.

    Args:
        home: The home folder; its sub-folders are made at the first append.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / "vintages"
        self._rejected = Partitions(home / "rejected")

    def append(self, observations: pd.DataFrame, *, received: dt.date | None = None) -> int:
        """Store the rows that tell something new; appending the same file again adds nothing.

        A row is new where its value or flag differs from the newest one known on the row's ``as_of``, so files are to
        be appended in the order of their publication. Where ``as_of`` is only estimated (period's end plus the usual
        lag) and the figure is already known with another value, the row is a revision that arrives now: it is dated
        ``received``, for nobody knew it earlier.

        Args:
            observations: A frame that keeps ``core.schema.OBSERVATIONS``.
            received: Day on which the file was received; today (UTC) by default.

        Returns:
            Number of rows stored.

        Raises:
            SchemaError: The frame breaks its contract.
            InputError: A ``source_id`` is not usable as the name of a folder.
            StoreError: A file is damaged or cannot be written.
        """
        check(observations, OBSERVATIONS)
        today = received or dt.datetime.now(dt.UTC).date()
        stored = 0
        for source_id, rows in observations[COLUMNS].groupby("source_id", sort=True):
            partitions = self._partitions(str(source_id))
            known = partitions.read()
            new = _news(rows, known, pd.Timestamp(today))
            new[STORED_AT] = _next_time(known)
            partitions.append(new)
            stored += len(new)
        return stored

    def known_at(self, date: dt.date, *, exclude_sources: Collection[str] = ()) -> pd.DataFrame:
        """What was known at the end of a day: for each source, series and period the newest ``as_of`` not after it.

        Args:
            date: The day.
            exclude_sources: ``source_id`` to leave out.

        Returns:
            A frame that keeps ``core.schema.OBSERVATIONS``, sorted by source, series and period; empty where nothing
            was known.

        Raises:
            StoreError: A file is damaged; the text names it.
        """
        return known_at(self.history(exclude_sources=exclude_sources), date)

    def history(self, *, exclude_sources: Collection[str] = ()) -> pd.DataFrame:
        """Every stored figure with every ``as_of``; :func:`known_at` reduces it to what was known on a date.

        Args:
            exclude_sources: ``source_id`` to leave out.

        Raises:
            StoreError: A file is damaged; the text names it.
        """
        frames = [self._partitions(source).read() for source in self.sources() if source not in set(exclude_sources)]
        filled = [_as_texts(frame)[[*COLUMNS, STORED_AT]] for frame in frames if not frame.empty]
        return pd.concat(filled, ignore_index=True) if filled else _no_observations().assign(stored_at=pd.Timestamp(0))

    def revisions(self, date_from: dt.date, date_to: dt.date) -> pd.DataFrame:
        """Figures known on both days whose value changed in between.

        Returns:
            One row per figure: the columns that name it, ``as_of`` of the new value, ``before``, ``after`` and
            ``share``: the change relative to the old value (to one where the old value is below one).

        Raises:
            StoreError: A file is damaged.
        """
        history = self.history()
        old = known_at(history, date_from)[[*FIGURE, "obs_value"]].rename(columns={"obs_value": "before"})
        new = known_at(history, date_to).rename(columns={"obs_value": "after"})
        both = new.merge(old, on=FIGURE, how="inner")
        changed = both[both["before"] != both["after"]].reset_index(drop=True)
        base = changed["before"].abs().clip(lower=1.0)
        changed["share"] = (changed["after"] - changed["before"]) / base
        return changed[[*FIGURE, "target", "route_id", "geo", "citizen", "freq", "as_of", "before", "after", "share"]]

    def sources(self) -> list[str]:
        """Every ``source_id`` that has rows, sorted."""
        return sorted(path.name for path in self._folder.glob("*") if path.is_dir())

    def append_rejected(self, rejected: pd.DataFrame) -> int:
        """Keep rows that a parser set aside; a row already kept is not kept twice.

        Returns:
            Number of rows added.

        Raises:
            SchemaError: The frame breaks ``core.schema.REJECTED``.
            StoreError: A file is damaged or cannot be written.
        """
        columns = list(REJECTED.columns)
        rows = check(rejected, REJECTED)[columns].drop_duplicates()
        known = self.rejected()
        both = pd.concat([known, rows], ignore_index=True)
        new = rows[~both.duplicated().to_numpy()[len(known) :]]
        self._rejected.append(new)
        return len(new)

    def rejected(self) -> pd.DataFrame:
        """All rows ever set aside, with the rule each broke (``core.schema.REJECTED``)."""
        columns = list(REJECTED.columns)
        rows = self._rejected.read()
        if rows.empty:
            return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
        return rows[columns].drop_duplicates().sort_values(columns, ignore_index=True)

    def _partitions(self, source_id: str) -> Partitions:
        if not source_id or source_id.startswith(".") or {"/", "\\", "\0"} & set(source_id):
            raise InputError(f"source_id '{source_id}' is not usable: letters, digits and hyphens only")
        return Partitions(self._folder / source_id, _REPEATED_TEXTS)


def known_at(history: pd.DataFrame, date: dt.date) -> pd.DataFrame:
    """Reduce :meth:`VintageStore.history` to what was known at the end of a day; see :meth:`VintageStore.known_at`."""
    known = history[history["as_of"] <= pd.Timestamp(min(date, LAST_DAY))]
    newest = known.sort_values(["as_of", STORED_AT], kind="stable").drop_duplicates(FIGURE, keep="last")
    return newest.sort_values(FIGURE, ignore_index=True)[COLUMNS]


def _news(rows: pd.DataFrame, known: pd.DataFrame, received: pd.Timestamp) -> pd.DataFrame:
    """The rows of one source that add something to what is known of it, each with the date it is known from."""
    if not known.empty:
        known = _as_texts(known)
        rows = rows[~_recorded(rows, known)]
        rows = _date_late_revisions(rows, known, received)
    key = [*FIGURE, "as_of"]
    order = [*key, "_incoming", *([STORED_AT] if STORED_AT in known else [])]
    both = pd.concat([known.assign(_incoming=False), rows.assign(_incoming=True)], ignore_index=True)
    both = both.sort_values(order, kind="stable", ignore_index=True)
    figure = both[FIGURE]
    same_figure = (figure == figure.shift()).all(axis=1)
    same_content = (both["obs_value"] == both["obs_value"].shift()) & (both["obs_flag"] == both["obs_flag"].shift())
    incoming = both["_incoming"].astype(bool)
    return both.loc[incoming & ~(same_figure & same_content), COLUMNS].reset_index(drop=True)


def _recorded(rows: pd.DataFrame, known: pd.DataFrame) -> _Marks:
    """True where a row repeats what is recorded: same day and content, or same content where the day is estimated."""
    content = [*FIGURE, "obs_value", "obs_flag"]
    exact = _is_in(rows, known, [*content, "as_of"])
    return exact | (_is_in(rows, known, content) & _estimated(rows))


def _date_late_revisions(rows: pd.DataFrame, known: pd.DataFrame, received: pd.Timestamp) -> pd.DataFrame:
    late = _estimated(rows) & _is_in(rows, known, FIGURE)
    as_of = rows["as_of"].mask(late & (rows["as_of"] < received), received)
    return rows.assign(as_of=as_of, as_of_estimated=_estimated(rows) & ~late)


def _estimated(rows: pd.DataFrame) -> _Marks:
    estimated: _Marks = rows["as_of_estimated"].to_numpy(dtype=bool)
    return estimated


def _is_in(rows: pd.DataFrame, known: pd.DataFrame, columns: list[str]) -> _Marks:
    marked = known[columns].drop_duplicates().assign(_known=True)
    found: _Marks = rows[columns].merge(marked, on=columns, how="left")["_known"].notna().to_numpy()
    return found


def _next_time(known: pd.DataFrame) -> pd.Timestamp:
    """Now, or just after the newest row where the clock went back."""
    now = pd.Timestamp(dt.datetime.now(dt.UTC).replace(tzinfo=None)).as_unit("ns")
    return now if known.empty else max(now, known[STORED_AT].max() + pd.Timedelta(microseconds=1))


def _as_texts(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype(dict.fromkeys(_REPEATED_TEXTS, object))


def _no_observations() -> pd.DataFrame:
    kinds = {"obs_value": "float64", "as_of": "datetime64[ns]", "as_of_estimated": "bool"}
    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "object")) for name in COLUMNS})
