"""A panel: many series of one frequency, read once, held as a matrix of periods × series.

Values are counts: never negative. A missing period is a gap (not a zero). Grouping columns (``route_id``,
``citizen``, …) describe series and stay beside the matrix. Names of series are what the file has, blanks included.
Periods are written as in SDMX, or as dates whose calendar :mod:`forecasting.dates` infers.
"""

from __future__ import annotations

import datetime as dt
import re
import warnings
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import FloatArray
from core.calendar import Frequency, frequency_of, pandas_frequency, period_index, to_period, write_period
from core.errors import InputError, SourceError, first_line
from core.log import counted
from core.schema import refuse_person_level, unit_of
from forecasting import BoolArray
from forecasting.dates import calendar_name, infer_frequency, listed, off_pattern, periods_of

SEASON_LENGTH: dict[Frequency, int] = {"D": 7, "W": 52, "M": 12, "Q": 4, "A": 1}
PRESENT_WITHIN: dict[Frequency, int] = {"D": 28, "W": 26, "M": 12, "Q": 4, "A": 2}
"""Periods that a series may lag behind its panel; what lags more has ended, and has no present."""
EARLIEST, LATEST = 1700, 2200
MOST_CELLS = 250_000_000
"""Periods times series, 2 GB: beyond it a mistyped period is likelier than a panel."""
LARGEST_JUDGED = 2_000
"""Largest panel that is calibrated on past errors; for larger ones, one more year of fits would take minutes."""
LARGEST_COUNT = 1e12
"""Far above everybody alive; larger numbers lose whole persons in floating point."""
_LONGEST_HEADER = 65_536
_FIRST_ROW = 2
"""Line of a file's first row: its header is line 1."""
_REQUIRED = ["series_id", "time_period", "value"]
_NIXTLA = {"unique_id": "series_id", "ds": "time_period", "y": "value"}
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})([ T]00:00(:00(\.0+)?)?(Z|\+00:00)?)?")
_GAP = {"", "na", "nan", "null"}
_NO_VALUE = _GAP | {"none", "<na>"}


@dataclass(frozen=True)
class Reading:
    """What was not taken as it stands in a table.

    Attributes:
        aside: Rows set aside: ``row`` (in the file; of a frame its position), ``series_id``, ``time_period``, ``found``
            and ``reason``.
        empty: Series of which no row remains.
        off_pattern: Dates at another place of their period than most, where the frequency was chosen.
    """

    aside: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["reason"]))
    empty: tuple[str, ...] = ()
    off_pattern: tuple[str, ...] = ()


@dataclass(frozen=True)
class Panel:
    """Series of one frequency on one calendar.

    Attributes:
        freq: SDMX frequency letter.
        matrix: Periods × series, float, gaps as NaN; periods follow each other without a hole.
        groups: One row per series (index ``series_id``), one column per grouping; may have no column.
        reading: What was not taken as it stood in the table.
        seen_together: Of a batch of a larger panel, what :meth:`seen` is of that panel.
    """

    freq: Frequency
    matrix: pd.DataFrame
    groups: pd.DataFrame
    reading: Reading = field(default_factory=Reading)
    seen_together: NDArray[np.int64] | None = None

    @property
    def series_ids(self) -> list[str]:
        """Names of the series, sorted."""
        return [str(name) for name in self.matrix.columns]

    @property
    def season_length(self) -> int:
        """Periods in one season (a year; for days a week)."""
        return SEASON_LENGTH[self.freq]

    @cached_property
    def end_dates(self) -> pd.DatetimeIndex:
        """Last day of every period of the calendar."""
        return self.periods.end_time.normalize()

    @property
    def periods(self) -> pd.PeriodIndex:
        """The calendar."""
        return pd.PeriodIndex(self.matrix.index)

    def period_of(self, date: dt.date) -> pd.Period:
        """The period of this panel's frequency that holds a date."""
        return pd.Period(date, freq=self.periods.freqstr)

    def ends_before(self, dates: NDArray[np.datetime64], count: int) -> pd.DatetimeIndex:
        """Last days of the periods ``count`` before those of some dates."""
        return (pd.PeriodIndex(dates, freq=self.periods.freqstr) - count).end_time.normalize()

    def places(self, ends: pd.Series, series_ids: pd.Series | pd.Index) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Place on the calendar and among the series, one of each per row; -1 where the panel has no such.

        Args:
            ends: Last days of periods, such as the origins of forecasts.
            series_ids: Names.
        """
        rows = self.end_dates.get_indexer(pd.DatetimeIndex(ends))
        return np.asarray(rows), np.asarray(self.matrix.columns.get_indexer(pd.Index(series_ids)))

    def rows_of(self, keys: pd.DataFrame) -> NDArray[np.intp]:
        """Place on the calendar of every forecast's origin; -1 where it lies outside."""
        return np.asarray(self.end_dates.get_indexer(pd.DatetimeIndex(keys["origin_date"])))

    def seen(self) -> NDArray[np.int64]:
        """Number of series, other batches' among them, that had a value by the end of each period."""
        if self.seen_together is not None:
            return self.seen_together
        return np.asarray(np.maximum.accumulate(self.matrix.notna().to_numpy(), axis=0).sum(axis=1))

    def observed_at(self, rows: BoolArray) -> BoolArray:
        """Where there is a value in some periods, periods × series."""
        return np.asarray(self.matrix.notna().to_numpy() & rows[:, None])

    def last_rows(self) -> NDArray[np.int64]:
        """Place on the calendar of each series' last value."""
        known = self.matrix.notna().to_numpy()
        return np.asarray(len(known) - 1 - known[::-1].argmax(axis=0))

    def at_last(self) -> BoolArray:
        """Where each series has its last value, periods × series."""
        found = np.zeros(self.matrix.shape, dtype=bool)
        found[self.last_rows(), np.arange(found.shape[1])] = True
        return found

    def ended(self) -> BoolArray:
        """Which series have ended: their last value lies further back than ``PRESENT_WITHIN`` of the panel's."""
        return np.asarray(len(self.matrix) - 1 - self.last_rows() > PRESENT_WITHIN[self.freq])

    @cached_property
    def judged(self) -> BoolArray:
        """Periods whose forecasts later ones learn from: where at most ``LARGEST_JUDGED`` series had been seen."""
        return np.asarray(self.seen() <= LARGEST_JUDGED)

    def until(self, date: dt.date) -> Panel:
        """The same panel without what lies after the period that holds ``date``."""
        return Panel(self.freq, self.matrix.loc[: self.period_of(date)], self.groups)

    def counted(self) -> pd.DataFrame:
        """``target`` and ``unit`` of each series: its columns of these names, else the panel's ``value``, a count."""
        named = self.groups.reindex(columns=["target", "unit"]).replace("", None)
        target = named["target"].fillna("value").astype(str)
        unit = target.map(unit_of).replace("", "count")
        return pd.DataFrame({"target": target, "unit": named["unit"].fillna(unit).astype(str)})

    def select(self, series_ids: list[str]) -> Panel:
        """The same calendar with only these series."""
        return Panel(self.freq, self.matrix[series_ids], self.groups.loc[series_ids])

    def added_up(self, freq: Frequency) -> Panel:
        """Sums over the periods of a longer frequency, of those that are known whole."""
        longer = self.periods.asfreq(pandas_frequency(freq))
        sums, known = self.matrix.groupby(longer).sum(), self.matrix.notna().groupby(longer).sum()
        whole, own = pd.PeriodIndex(sums.index), self.periods.freqstr
        length = whole.asfreq(own, "E").asi8 - whole.asfreq(own, "S").asi8 + 1
        return Panel(freq, sums.where(known.eq(length, axis=0)), self.groups)

    def batch(self, places: NDArray[np.intp]) -> Panel:
        """Some of the series, by their places, to be forecast like the whole panel."""
        return Panel(self.freq, self.matrix.iloc[:, places], self.groups.iloc[places], seen_together=self.seen())

    def lines(self, names: int | None = None) -> list[str]:
        """Sentences on how the panel was read.

        Args:
            names: How many rows, series or dates each of them names; all by default.
        """
        lines = [f"read as {calendar_name(self.periods, self.freq)}"]
        if self.reading.off_pattern:
            count = counted(len(self.reading.off_pattern), "date")
            lines.append(f"{count} off the pattern of the others: {listed(self.reading.off_pattern, names)}")
        for reason, rows in self.reading.aside.groupby("reason", sort=True):
            named = [
                f"row {row['row']} ({', '.join(filter(None, (row['series_id'], row['time_period'], row['found'])))})"
                for row in rows[:names].to_dict("records")
            ]
            lines.append(f"{counted(len(rows), 'row')} set aside ({reason}): {listed(named, names, len(rows))}")
        if self.reading.empty:
            lines.append(f"not forecast, for they have no value: {listed(self.reading.empty, names)}")
        return [*lines, *self._gap_lines(names)]

    def _gap_lines(self, names: int | None) -> list[str]:
        known = self.matrix.notna().to_numpy()
        later = np.logical_or.accumulate(known[::-1], axis=0)[::-1]
        gaps = ~known & later & np.logical_or.accumulate(known, axis=0)
        columns = np.flatnonzero(gaps.any(axis=0))
        if not len(columns):
            return []
        written, series_ids = self.periods.astype(str), self.series_ids
        named = [
            f"{series_ids[column]} ({_ranges(written, np.flatnonzero(gaps[:, column]))})" for column in columns[:names]
        ]
        count = f"{counted(int(gaps.sum()), 'gap')} in {len(columns):,} of {gaps.shape[1]:,} series"
        return [f"{count} filled by interpolation: {listed(named, names, len(columns))}"]

    def long(self) -> pd.DataFrame:
        """Observed values as rows ``series_id, time_period, value`` plus the groupings."""
        written = self.matrix.set_axis([write_period(period, self.freq) for period in self.periods], axis=0)
        melted = written.rename_axis(index="time_period").reset_index().melt("time_period", var_name="series_id")
        rows = melted.dropna()[_REQUIRED].sort_values(["series_id", "time_period"], ignore_index=True)
        return rows.join(self.groups, on="series_id")


def read_panel(source: Path | pd.DataFrame, freq: Frequency | None = None) -> Panel:
    """Read a panel: ``series_id,time_period,value`` or ``unique_id,ds,y`` plus grouping columns, rows in any order.

    Rows with a negative or blank value are set aside (:attr:`Panel.reading`).

    Args:
        source: CSV or Parquet file, or a frame.
        freq: Frequency of periods written as dates; inferred by default.

    Raises:
        InputError: The file cannot be read, is empty, lacks a column, mixes frequencies, repeats a period, has dates
            that do not show a frequency, or holds a value that is infinite, above 10¹² or not a number; the text names
            file, row, column and rule.
    """
    if isinstance(source, Path):
        table, name = _read_text(source), source.name
    else:
        # Errors count the lines of a file behind its header; of a frame they name the position.
        table, name = source.set_axis(np.arange(len(source)) - _FIRST_ROW), "panel"
    names = _NIXTLA if not {*_REQUIRED} <= {*table.columns} and {*_NIXTLA} <= {*table.columns} else {}
    if names:
        table = table.rename(columns=names)
    if missing := [column for column in _REQUIRED if column not in table.columns]:
        found = [str(column)[:40] for column in table.columns[:20]]
        raise SourceError(name, f"missing columns {missing}; found {found}", row=1)
    refuse_person_level(table.columns, name)
    if table.empty:
        raise SourceError(name, "no rows")
    try:
        kept, reading = _set_aside(table, name)
        panel = _to_panel(kept, name, freq)
    except SourceError as error:
        own = {there: here for here, there in names.items()}
        column = own.get(error.column or "", error.column)
        raise SourceError(error.file, error.rule, row=error.row, column=column) from None
    return replace(panel, reading=replace(reading, off_pattern=panel.reading.off_pattern))


def panel_from_observations(observations: pd.DataFrame, target: str | None, freq: Frequency) -> Panel:
    """Make a panel of one frequency, and of one target or all, from observations, one row per series and period.

    Args:
        observations: Frame that keeps ``OBSERVATIONS``, already reduced to one ``as_of`` per series and period.
        target: What is counted, such as ``arrivals``; None for every target.
        freq: SDMX frequency letter.

    Raises:
        InputError: No such rows, or a series has two values for one period.
    """
    chosen = observations[observations["freq"] == freq]
    if target is not None:
        chosen = chosen[chosen["target"] == target]
    named = "observations" if target is None else f"observations of {target}"
    if chosen.empty:
        raise InputError(f"{named}: none of frequency {freq}")
    columns = ["series_id", "time_period", "obs_value", "route_id", "geo", "citizen"]
    table = chosen[columns].rename(columns={"obs_value": "value"}).reset_index(drop=True)
    return _to_panel(table, named, freq)


def _read_text(path: Path) -> pd.DataFrame:
    """A file's columns as it has them, a CSV's as categories of text: a long panel repeats few distinct texts."""
    if not path.is_file():
        raise InputError(f"{path.name}: no such file")
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path).reset_index(drop=True)
        with path.open("rb") as stream:
            header = stream.readline(_LONGEST_HEADER)
        if len(header) == _LONGEST_HEADER:
            rule = f"not a table: its first line is longer than {_LONGEST_HEADER:,} bytes"
            raise SourceError(path.name, rule, row=1)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header would be cut short
            table = pd.read_csv(
                path,
                dtype="category",
                keep_default_na=False,
                encoding="utf-8-sig",
                skipinitialspace=b", " in header,  # elsewhere a blank belongs to the name that it begins
                index_col=False,
                skip_blank_lines=False,
            )
    except UnicodeDecodeError as error:
        raise SourceError(path.name, f"not UTF-8 text (byte {error.start})") from None
    except pd.errors.EmptyDataError:
        raise SourceError(path.name, "empty file") from None
    except pd.errors.ParserWarning:
        raise SourceError(path.name, "not a table: rows have more fields than the header", row=2) from None
    except (pd.errors.ParserError, ValueError, OSError, MemoryError) as error:
        raise SourceError(path.name, f"not a table: {first_line(error)[:200]}") from None
    return table[~(table.isna() | (table == "")).all(axis=1)]


def _set_aside(table: pd.DataFrame, name: str) -> tuple[pd.DataFrame, Reading]:
    """Return the rows whose value is a count, and what was set aside.

    Raises:
        SourceError: A value is not a number, infinite or too large, or no row remains.
    """
    values = _numbers(table, name)
    blank = np.isnan(values)
    broken = blank | (values < 0)
    if not broken.any():
        return table, Reading()
    reasons = np.where(blank[broken], "blank value", "a count is never negative")
    rows = table.loc[broken, _REQUIRED].astype(str)
    found = rows["value"].mask(blank[broken], "")
    aside = rows.assign(row=rows.index + _FIRST_ROW, found=found, reason=reasons)
    if (kept := table[~broken]).empty:
        raise SourceError(
            name, f"no row has a value: {reasons[0]}", row=int(table.index[0]) + _FIRST_ROW, column="value"
        )
    empty = {*aside["series_id"]} - {str(one) for one in kept["series_id"].unique()}
    return kept, Reading(aside, tuple(sorted(empty)))


def _to_panel(table: pd.DataFrame, name: str, freq: Frequency | None = None) -> Panel:
    """Validate rows and lay them out; ``name`` is what errors call the table."""
    series, names = _coded(table["series_id"], are_names=True)
    nameless = np.asarray([text.strip().lower() in _GAP for text in names])
    _refuse(table, nameless[series], name, "series_id", "a series needs a name")
    written, texts = _coded(table["time_period"])
    freq, periods, off = _calendar(table, written, texts, name, freq)
    values = _numbers(table, name)
    ordinals = periods.asi8
    first, length = int(ordinals.min()), int(ordinals.max() - ordinals.min()) + 1
    if length * len(names) > MOST_CELLS:
        raise InputError(
            f"{name}: {len(names):,} series from {periods.min()} to {periods.max()} make {length * len(names):,} "
            f"cells, more than {MOST_CELLS:,}: is a period mistyped?"
        )
    row = (ordinals - first)[written]
    again = pd.Series(row * len(names) + series).duplicated().to_numpy()
    _refuse(table, again, name, "time_period", "this series already has a value for this period")
    matrix = np.full((length, len(names)), np.nan)
    matrix[row, series] = values
    calendar = pd.period_range(periods.min(), periods.max(), freq=periods.freq, name="period")
    columns = pd.Index(names, name="series_id", dtype=object)
    groups = _groups(table, name, series, columns)
    return Panel(freq, pd.DataFrame(matrix, calendar, columns), groups, Reading(off_pattern=off))


def _coded(column: pd.Series, *, are_names: bool = False) -> tuple[NDArray[np.int64], list[str]]:
    """A column as places in a list of its distinct texts, empty where there is none.

    Blanks around them are taken off; names keep theirs, and are sorted.
    """
    codes, distinct = pd.factorize(column, use_na_sentinel=False)
    found = ["" if pd.isna(one) else str(one) for one in distinct]
    found = found if are_names else [one.strip() for one in found]
    again, texts = pd.factorize(np.asarray(found, dtype=object), sort=are_names)
    return again[codes], [str(text) for text in texts]


def _calendar(
    table: pd.DataFrame, written: NDArray[np.int64], texts: list[str], name: str, chosen: Frequency | None
) -> tuple[Frequency, pd.PeriodIndex, tuple[str, ...]]:
    """Return the frequency, the period of each text, and dates off the pattern of a chosen frequency."""

    def refuse(place: int, rule: str) -> SourceError:
        row = int(table.index[int(np.flatnonzero(written == place)[0])]) + _FIRST_ROW
        return SourceError(name, rule, row=row, column="time_period")

    dates = [_DATE.fullmatch(text) for text in texts]
    texts = [text if date is None else date[1] for text, date in zip(texts, dates, strict=True)]
    try:
        layout = frequency_of(texts[0])
    except InputError as error:
        raise refuse(0, str(error)) from None
    for place, text in enumerate(texts):
        try:
            period = to_period(text, layout)
        except InputError as error:
            rule = f"{error}; the panel's first row is of frequency {layout}, and a panel has one frequency"
            raise refuse(place, rule) from None
        if not EARLIEST <= period.year <= LATEST:
            raise refuse(place, f"the year of '{text}' is not between {EARLIEST} and {LATEST}")
    if layout != "D":
        if chosen not in {None, layout}:
            raise refuse(0, f"'{texts[0]}' is a period of frequency {layout}, not of the chosen frequency {chosen}")
        return layout, period_index(pd.Series(texts), layout), ()
    days = pd.DatetimeIndex(texts)
    try:
        freq = chosen or infer_frequency(days.unique().sort_values())
    except InputError as error:
        raise SourceError(name, str(error), column="time_period") from None
    return freq, periods_of(days, freq), tuple(sorted(np.asarray(texts)[off_pattern(days, freq)]))


def _numbers(table: pd.DataFrame, name: str) -> FloatArray:
    column = table["value"]
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        unread = np.zeros(len(values), dtype=bool)
    else:
        codes, texts = _coded(column)
        gap = np.asarray([text.lower() in _NO_VALUE for text in texts])
        read = pd.to_numeric(pd.Series(texts, dtype=object).where(~gap), errors="coerce").to_numpy(dtype=float)
        values, unread = read[codes], (np.isnan(read) & ~gap)[codes]
    _refuse(table, unread, name, "value", "not a number")
    _refuse(table, np.isinf(values), name, "value", "infinite")
    _refuse(table, values > LARGEST_COUNT, name, "value", f"a count is at most {LARGEST_COUNT:.0e}")
    return values


def _refuse(table: pd.DataFrame, broken: BoolArray, name: str, column: str, rule: str) -> None:
    if broken.any():
        place = int(broken.argmax())
        more = f"; {int(broken.sum())} rows break this rule" if broken.sum() > 1 else ""
        found = str(table[column].iloc[place])[:60]
        raise SourceError(
            name, f"{rule} (found '{found}'){more}", row=int(table.index[place]) + _FIRST_ROW, column=column
        )


def _ranges(names: pd.Index, places: NDArray[np.intp]) -> str:
    """Return places that follow each other as ``first to last``."""
    runs = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
    return ", ".join(names[run[0]] if len(run) == 1 else f"{names[run[0]]} to {names[run[-1]]}" for run in runs)


def _groups(table: pd.DataFrame, name: str, at: NDArray[np.int64], names: pd.Index) -> pd.DataFrame:
    """One row per series; a grouping that changes within a series is refused."""
    _, first = np.unique(at, return_index=True)
    groups = pd.DataFrame(index=names)
    for column in (column for column in table.columns if column not in _REQUIRED):
        codes, _ = _coded(table[column])
        _refuse(table, codes != codes[first][at], name, column, "a grouping does not change within a series")
        groups[column] = table[column].iloc[first].astype(object).to_numpy()
    return groups
