"""A panel: many series of one frequency, read once, held as a matrix of periods × series.

Values are counts: never negative. A missing period is a gap (not a zero). Grouping columns (``route_id``,
``citizen``, …) describe series and stay beside the matrix.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.aggregates import refuse_person_level
from core.calendar import Frequency, frequency_of, pandas_frequency, period_index, to_period, write_period
from core.errors import InputError, SourceError
from core.schema import PANEL, check

SEASON_LENGTH: dict[Frequency, int] = {"D": 7, "W": 52, "M": 12, "Q": 4, "A": 1}
_REQUIRED = ["series_id", "time_period", "value"]
_GAP = {"", "na", "nan", "null"}


@dataclass(frozen=True)
class Panel:
    """Series of one frequency on one calendar.

    Attributes:
        freq: SDMX frequency letter.
        matrix: Periods × series, float, gaps as NaN; periods follow each other without a hole.
        groups: One row per series (index ``series_id``), one column per grouping; may have no column.
    """

    freq: Frequency
    matrix: pd.DataFrame
    groups: pd.DataFrame

    @property
    def series_ids(self) -> list[str]:
        """Names of the series, sorted."""
        return [str(name) for name in self.matrix.columns]

    @property
    def season_length(self) -> int:
        """Periods in one season (a year; for days a week)."""
        return SEASON_LENGTH[self.freq]

    @property
    def end_dates(self) -> pd.DatetimeIndex:
        """Last day of every period of the calendar."""
        return self.periods.end_time.normalize()

    @property
    def periods(self) -> pd.PeriodIndex:
        """The calendar."""
        return pd.PeriodIndex(self.matrix.index)

    def period_of(self, date: dt.date) -> pd.Period:
        """The period of this panel's frequency that holds a date."""
        return pd.Period(date, freq=pandas_frequency(self.freq))

    def until(self, date: dt.date) -> Panel:
        """The same panel without what lies after the period that holds ``date``."""
        return Panel(self.freq, self.matrix.loc[: self.period_of(date)], self.groups)

    def select(self, series_ids: list[str]) -> Panel:
        """The same calendar with only these series."""
        return Panel(self.freq, self.matrix[series_ids], self.groups.loc[series_ids])

    def long(self) -> pd.DataFrame:
        """Observed values as rows ``series_id, time_period, value`` plus the groupings."""
        written = self.matrix.set_axis([write_period(period, self.freq) for period in self.periods], axis=0)
        melted = written.rename_axis(index="time_period").reset_index().melt("time_period", var_name="series_id")
        rows = melted.dropna()[_REQUIRED].sort_values(["series_id", "time_period"], ignore_index=True)
        return rows.join(self.groups, on="series_id")


def read_panel(path: Path) -> Panel:
    """Read a panel from CSV or Parquet: ``series_id,time_period,value`` plus grouping columns, rows in any order.

    Raises:
        InputError: The file cannot be read, is empty, lacks a column, mixes frequencies, repeats a period, or holds a
            value that is negative, infinite or not a number; the text names file, row, column and rule.
    """
    table = _read_text(path)
    missing = [column for column in _REQUIRED if column not in table.columns]
    if missing:
        raise SourceError(path.name, f"missing columns {missing}; found {list(table.columns)[:20]}", row=1)
    refuse_person_level(table.columns, path.name)
    if table.empty:
        raise SourceError(path.name, "no rows")
    return _to_panel(table, path.name)


def panel_from_observations(observations: pd.DataFrame, target: str, freq: Frequency) -> Panel:
    """Make a panel of one target and frequency from observations, one row per series and period.

    Args:
        observations: Frame that keeps ``OBSERVATIONS``, already reduced to one ``as_of`` per series and period.
        target: What is counted, such as ``arrivals``.
        freq: SDMX frequency letter.

    Raises:
        InputError: No such rows, or a series has two values for one period.
    """
    chosen = observations[(observations["target"] == target) & (observations["freq"] == freq)]
    if chosen.empty:
        raise InputError(f"observations: none of target '{target}' and frequency {freq}")
    columns = ["series_id", "time_period", "obs_value", "route_id", "geo", "citizen"]
    table = chosen[columns].rename(columns={"obs_value": "value"}).reset_index(drop=True)
    return _to_panel(table, f"observations of {target}")


def panel_from_rows(rows: pd.DataFrame) -> Panel:
    """Make a panel from a frame that keeps ``PANEL``; further columns are groupings.

    Raises:
        SchemaError: The frame breaks the contract.
        InputError: Its periods are of several frequencies.
    """
    return _to_panel(check(rows, PANEL).reset_index(drop=True), "panel")


def _read_text(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise InputError(f"{path.name}: no such file")
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path).reset_index(drop=True)
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", skipinitialspace=True)
    except UnicodeDecodeError as error:
        raise SourceError(path.name, f"not UTF-8 text (byte {error.start})") from None
    except pd.errors.EmptyDataError:
        raise SourceError(path.name, "empty file") from None
    except (pd.errors.ParserError, ValueError, OSError) as error:
        raise SourceError(path.name, f"not a table: {str(error).strip().splitlines()[0]}") from None


def _to_panel(table: pd.DataFrame, name: str) -> Panel:
    """Validate rows and pivot them; ``name`` is what errors call the table."""
    table = table.assign(
        series_id=table["series_id"].astype(str).str.strip(),
        time_period=table["time_period"].astype(str).str.strip(),
    )
    _refuse(table, table["series_id"].str.lower().isin(_GAP), name, "series_id", "a series needs a name")
    freq = _one_frequency(table, name)
    values = _numbers(table, name)
    _refuse(
        table,
        table.duplicated(["series_id", "time_period"]),
        name,
        "time_period",
        "this series already has a value for this period",
    )
    periods = period_index(table["time_period"], freq)
    matrix = pd.DataFrame({"period": periods, "series_id": table["series_id"], "value": values}).pivot(  # noqa: PD010  # pairs are unique by the check above; pivot_table would average silently
        index="period", columns="series_id", values="value"
    )
    calendar = pd.period_range(periods.min(), periods.max(), freq=pandas_frequency(freq))
    matrix = matrix.reindex(calendar).rename_axis(index="period", columns="series_id").sort_index(axis=1)
    empty = matrix.columns[matrix.isna().all()]
    if len(empty):
        row = int(table.index[table["series_id"] == empty[0]][0]) + 2
        raise SourceError(name, f"series '{empty[0]}' has no value at all", row=row, column="value")
    return Panel(freq, matrix, _groups(table, name))


def _one_frequency(table: pd.DataFrame, name: str) -> Frequency:
    first = str(table["time_period"].iloc[0])
    try:
        freq = frequency_of(first)
    except InputError as error:
        raise SourceError(name, str(error), row=2, column="time_period") from None
    for text in pd.unique(table["time_period"]):
        try:
            to_period(text, freq)
        except InputError as error:
            row = int(table.index[table["time_period"] == text][0]) + 2
            rule = f"{error}; the panel's first row is of frequency {freq}, and a panel has one frequency"
            raise SourceError(name, rule, row=row, column="time_period") from None
    return freq


def _numbers(table: pd.DataFrame, name: str) -> pd.Series:
    text = table["value"].astype(str).str.strip()
    gap = text.str.lower().isin(_GAP | {"none", "<na>"})
    values = pd.to_numeric(text.where(~gap), errors="coerce").astype(float)
    _refuse(table, values.isna() & ~gap, name, "value", "not a number")
    _refuse(table, pd.Series(np.isinf(values), index=table.index), name, "value", "infinite")
    _refuse(table, values < 0, name, "value", "a count is never negative")
    return values


def _refuse(table: pd.DataFrame, broken: pd.Series, name: str, column: str, rule: str) -> None:
    if broken.any():
        row = int(table.index[broken][0])
        more = f"; {int(broken.sum())} rows break this rule" if broken.sum() > 1 else ""
        found = str(table.loc[row, column])[:60]
        raise SourceError(name, f"{rule} (found '{found}'){more}", row=row + 2, column=column)


def _groups(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """One row per series; a grouping that changes within a series is refused."""
    columns = [column for column in table.columns if column not in _REQUIRED]
    first = table.drop_duplicates("series_id").set_index("series_id")[columns].sort_index()
    for column in columns:
        expected = table["series_id"].map(first[column])
        _refuse(
            table,
            (table[column].fillna("") != expected.fillna("")),
            name,
            column,
            "a grouping does not change within a series",
        )
    return first
