"""From a publisher's rows to observations, and what is done with rows that cannot be right.

Row policy:

- A broken structure (columns, encoding, a file cut off) refuses the whole file: see ``ingest.tables``.
- A bad row in a file of independent rows (a day, a report) is set aside with the rule it broke, and the rest is used;
  if more than ``TOLERATED`` of the rows are bad, the file as a whole is not to be trusted and is refused.
- A file that re-sends its whole history at once (a workbook, a compiled table) is refused for a single bad cell: its
  totals would silently change otherwise. Such a source passes ``tolerated=0``.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pandas as pd

from core.calendar import Frequency, end_dates, pandas_frequency
from core.countries import map_countries
from core.errors import Message, SourceError, message
from core.languages import marked as _
from core.release import OBSERVATIONS, REJECTED
from core.schema import check, concat_filled, make_series_id
from ingest import Parsed, RawFile

TOLERATED = 0.05
"""Largest share of bad rows with which a file is still used."""
_DIMENSIONS = ["target", "route_id", "geo", "citizen", "freq"]
_WHOLE_NUMBER = r"[+-]?[0-9]{1,12}(?:\.0*)?"


@dataclass(frozen=True)
class RowRule:
    """A rule on rows.

    Attributes:
        column: Column the rule looks at.
        rule: What is broken: a marked text, or a message where it has parameters.
        broken: True for each row that breaks it; same index as the frame.
    """

    column: str
    rule: str | Message
    broken: pd.Series


def observations(tidy: pd.DataFrame, *, source_id: str, lag_days: int | None = None, **dimensions: str) -> pd.DataFrame:
    """Assemble observations that keep the contract.

    Args:
        tidy: One row per figure: ``time_period``, ``obs_value`` and whichever of ``target``, ``route_id``, ``geo``,
            ``citizen``, ``freq`` differ between rows; optionally ``obs_flag`` and, where the vintage is known,
            ``as_of``, perhaps with ``as_of_estimated``.
        source_id: Who published.
        lag_days: Usual days from a period's end to publication. Needed where ``tidy`` has no ``as_of``; such dates
            are marked as estimated.
        **dimensions: Dimensions that are the same for every row.

    Returns:
        Frame of ``core.release.OBSERVATIONS``, sorted by series and period.

    Raises:
        SchemaError: The rows break the contract.
    """
    frame = tidy.assign(source_id=source_id, **dimensions)
    frame["obs_flag"] = tidy["obs_flag"].astype(str) if "obs_flag" in tidy else ""
    frame["obs_value"] = frame["obs_value"].astype(float)
    frame["as_of_estimated"] = tidy.get("as_of_estimated", "as_of" not in tidy)
    if "as_of" not in tidy:
        if lag_days is None:
            raise ValueError("observations: without as_of, lag_days is needed")
        frame["as_of"] = period_ends(frame) + pd.Timedelta(days=lag_days)
    frame["as_of"] = frame["as_of"].astype("datetime64[ns]")
    place = frame.groupby(_DIMENSIONS, sort=False, dropna=False).ngroup()
    unique = frame.loc[~place.duplicated(), _DIMENSIONS]
    names = [make_series_id(*row) for row in unique.itertuples(index=False, name=None)]
    frame["series_id"] = np.asarray(names, dtype=object)[place.to_numpy()]
    ordered = frame[list(OBSERVATIONS.columns)].sort_values(["series_id", "time_period", "as_of"], ignore_index=True)
    text = [name for name in OBSERVATIONS.columns if name not in ("obs_value", "as_of", "as_of_estimated")]
    return check(ordered.astype(dict.fromkeys(text, object)), OBSERVATIONS)


def period_ends(frame: pd.DataFrame) -> pd.Series:
    """Last day of each row's period, by the columns ``freq`` and ``time_period``; same index."""
    ends = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns]")
    for freq in frame["freq"].unique():
        rows = frame["freq"] == freq
        known: Frequency = freq
        ends[rows] = end_dates(frame.loc[rows, "time_period"], known)
    return ends


def set_aside(
    frame: pd.DataFrame, rules: Sequence[RowRule], *, source_id: str, file: str, tolerated: float = TOLERATED
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part the rows that keep every rule from those that break one.

    Args:
        frame: The publisher's rows, indexed by their number in the file.
        rules: Rules in order of precedence: a row is reported for the first one it breaks.
        source_id: Who published.
        file: The file's name.
        tolerated: Largest share of bad rows with which the file is still used; 0 refuses at the first.

    Returns:
        Good rows as they were, and a frame of ``core.release.REJECTED``.

    Raises:
        SourceError: Too many rows are bad; it names the first of them.
    """
    first_broken = pd.Series(-1, index=frame.index)
    for number in range(len(rules) - 1, -1, -1):
        first_broken[rules[number].broken.fillna(value=True).astype(bool)] = number
    bad = first_broken[first_broken >= 0]
    if len(bad) and len(bad) > tolerated * len(frame):
        rule = rules[bad.iloc[0]]
        fault = message(rule.rule)  # never the cell: what stands there may be about a person
        if len(bad) > 1:
            of_many = _("{fault} ({bad} of {total} rows break a rule)")
            fault = message(of_many, fault=fault, bad=len(bad), total=len(frame))
        raise SourceError(file, fault, row=bad.index[0], column=rule.column)
    records = frame.loc[bad.index].to_dict("records")
    rejected = pd.DataFrame(
        {
            "source_id": source_id,
            "file": file,
            "row": [str(row) for row in bad.index],
            "column": [rules[number].column for number in bad],
            "rule": [str(rules[number].rule) for number in bad],
            "record": [json.dumps(record, ensure_ascii=False, default=str) for record in records],
            "message": [message(rules[number].rule).to_json() for number in bad],
        },
        columns=list(REJECTED.columns),
        dtype=object,
    )
    return frame[first_broken < 0], check(rejected, REJECTED)


@dataclass(frozen=True)
class Reading:
    """One file on its way to observations: rows that break a rule are set aside, and kept with the result.

    Attributes:
        raw: The file.
        source_id: Who published.
        lag_days: Usual days from a period's end to publication; None where every row has its own ``as_of``.
        rejected: Rows set aside so far, frames of ``core.release.REJECTED``.
    """

    raw: RawFile
    source_id: str
    lag_days: int | None = None
    rejected: list[pd.DataFrame] = field(default_factory=list)

    def keep(self, frame: pd.DataFrame, *rules: RowRule, tolerated: float = TOLERATED) -> pd.DataFrame:
        """Return the rows that keep every rule; see :func:`set_aside`.

        Raises:
            SourceError: Too many rows are bad, or none is left.
        """
        good, bad = set_aside(frame, rules, source_id=self.source_id, file=self.raw.name, tolerated=tolerated)
        require_rows(good, self.raw.name)
        self.rejected.append(bad)
        return good

    def parsed(self, tidy: pd.DataFrame, **dimensions: str) -> Parsed:
        """Return the observations (see :func:`observations`) and all rows set aside.

        Raises:
            SourceError: No figure is left.
        """
        require_rows(tidy, self.raw.name)
        found = observations(tidy, source_id=self.source_id, lag_days=self.lag_days, **dimensions)
        return Parsed(found, concat_filled(self.rejected, REJECTED.empty()))

    def figures(
        self, cells: pd.DataFrame, *, counts: bool, whole: bool = True, today: dt.date | None = None, **dimensions: str
    ) -> Parsed:
        """Set aside figures that cannot be right and assemble the others.

        Args:
            cells: One row per figure, uniquely indexed by its place in the file: ``time_period`` (text), ``value``
                (text or number), the dimensions that differ between rows, and optionally ``obs_flag`` and ``as_of``.
            counts: True where a figure counts people or events, so that none is below zero.
            whole: False where a figure that is never below zero is no count, such as an index.
            today: The newest day that can have been observed; by default the day of the call.
            **dimensions: Dimensions that are the same for every row; ``freq`` is M unless given as Q or A.

        Returns:
            Observations, and all rows set aside.

        Raises:
            SourceError: No figure is left, or too many are bad.
        """
        fixed = {"freq": "M", "route_id": "_Z", "geo": "_Z", "citizen": "_Z"} | dimensions
        fixed = {name: value for name, value in fixed.items() if name not in cells}
        text = cells["value"].astype(str).str.strip()
        keys = [name for name in ("target", "route_id", "geo", "citizen", "time_period", "as_of") if name in cells]
        rules = _period_rules(cells, cast("Frequency", fixed["freq"]), today)
        rules += [*_value_rules(text, counts=counts, whole=whole), *duplicate_rules(cells, keys, "value")]
        good = self.keep(cells, *rules)
        return self.parsed(good.assign(obs_value=to_numbers(text[good.index])), **fixed)

    def events(
        self,
        events: pd.DataFrame,
        starts: pd.Series,
        ends: pd.Series,
        country: str,
        count: str,
        *rules: RowRule,
        most_months: int,
        too_long: str,
    ) -> pd.DataFrame:
        """Count events by country and month of their end; those that span more months are set aside.

        Args:
            events: One row per event.
            starts: Midnight of each event's first day, named as its column; NaT where the day is impossible.
            ends: The same of the last day.
            country: Column of countries.
            count: Column of counts.
            *rules: Further rules of the source.
            most_months: Calendar months that an event may span.
            too_long: The rule of an event that spans more.

        Returns:
            ``geo``, ``time_period`` and ``value``.

        Raises:
            SourceError: Too many events cannot be right, or none is left.
        """
        first, last = str(starts.name), str(ends.name)
        good = self.keep(
            events,
            RowRule(first, _("the day is impossible"), starts.isna()),
            RowRule(last, _("the day is impossible, or lies before the first"), ends.isna() | (ends < starts)),
            *rules,
        )
        spans = [days[good.index].dt.year * 12 + days[good.index].dt.month for days in (starts, ends)]
        kept = self.keep(good, RowRule(last, too_long, spans[1] - spans[0] >= most_months), tolerated=1)
        cells = pd.DataFrame(
            {
                "geo": map_countries(kept[country], self.raw.name),
                "time_period": ends[kept.index].dt.to_period("M").astype(str),
                "value": to_numbers(kept[count]),
            }
        )
        return cells.groupby(["geo", "time_period"], as_index=False).agg(value=("value", "sum"))


def count_rules(values: pd.Series, column: str) -> list[RowRule]:
    """Rules for a column of counts of people, given as text or numbers."""
    text = values.astype(str).str.strip()
    is_number = text.str.fullmatch(_WHOLE_NUMBER)
    return [
        RowRule(column, _("the count is missing"), values.isna() | (text == "")),
        RowRule(column, _("the count is not a whole number"), ~is_number),
        RowRule(column, _("the count is negative"), is_number & text.str.startswith("-")),
    ]


def future_rule(days: pd.Series, column: str, *, today: dt.date | None = None) -> RowRule:
    """Rule that no figure describes a day after ``today``.

    Args:
        days: Midnight timestamps; NaT breaks no rule here.
        column: Column they come from.
        today: The newest day that can have been observed; by default the day of the call.
    """
    newest = pd.Timestamp(today or dt.datetime.now(tz=dt.UTC).date())
    return RowRule(column, _("the period lies in the future"), days > newest)


def duplicate_rules(frame: pd.DataFrame, keys: Sequence[str], value: str) -> list[RowRule]:
    """Rules for figures given more than once: repeated, all but the first go; in contradiction, all go."""
    same_key = frame.duplicated(list(keys), keep=False)
    different = frame.groupby(list(keys), dropna=False)[value].transform("nunique") > 1
    repeated = frame.duplicated([*keys, value], keep="first")
    named = ", ".join(keys)
    return [
        RowRule(value, message(_("different figures for the same {keys}"), keys=named), same_key & different),
        RowRule(keys[0], message(_("the same {keys} is listed twice"), keys=named), repeated),
    ]


def figure_rules(
    frame: pd.DataFrame,
    days: pd.Series,
    day: str,
    value: str,
    keys: Sequence[str] = (),
    *,
    fault: str = _("the day does not exist"),
) -> list[RowRule]:
    """Rules for rows of one count each: its day exists and has passed, it is a count, and it is given once.

    Args:
        frame: Rows.
        days: Midnight timestamps of the rows; NaT where a row has no possible day.
        day: Column that they come from.
        value: Column of counts.
        keys: Columns that name a figure; empty where several rows are parts of one.
        fault: The rule of a row without a possible day.
    """
    rules = [RowRule(day, fault, days.isna()), *count_rules(frame[value], value), future_rule(days, day)]
    return rules + (duplicate_rules(frame, keys, value) if keys else [])


def month_rules(frame: pd.DataFrame, months: pd.Series, keys: Sequence[str] = ()) -> list[RowRule]:
    """The same for rows of compiled R tables: months in ``t``, counts in ``n``; see :func:`month_of_epoch_days`."""
    ends = months.dt.end_time.dt.normalize()
    return figure_rules(frame, ends, "t", "n", keys, fault=_("not the first day of a month"))


def require_rows(frame: pd.DataFrame, file: str) -> None:
    """Refuse a file without a single usable figure.

    Raises:
        SourceError: The frame is empty.
    """
    if frame.empty:
        raise SourceError(file, _("the file holds no figures"))


FIRST_MONTH = "2009-01"
"""First month kept of indicators: the routes' own history begins here."""
_LAYOUTS: dict[Frequency, tuple[str, str]] = {
    "M": (_("the period is not a month"), r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])"),
    "Q": (_("the period is not a quarter"), r"(?:19|20)[0-9]{2}-Q[1-4]"),
    "A": (_("the period is not a year"), r"(?:19|20)[0-9]{2}"),
}
PERIODS = {freq: layout for freq, (_fault, layout) in _LAYOUTS.items()}
"""Regular expression of a period by frequency, as SDMX writes it."""
_PERIOD = "|".join(PERIODS.values())
_NUMBER = r"[+-]?[0-9]{1,15}(?:\.[0-9]{0,20})?(?:[eE][+-]?[0-9]{1,2})?"
DAY = r"(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}"


def melt(wide: pd.DataFrame, period_column: str, names: Collection[str], missing: Collection[str]) -> pd.DataFrame:
    """Turn a table with one column per series into one row per cell.

    Args:
        wide: Cells as text, indexed by row number in the file.
        period_column: Column that holds the period.
        names: Columns to take.
        missing: Texts that mean "no figure".

    Returns:
        ``time_period``, ``name`` and ``value`` as text, indexed by row and column, such as ``14, Malta``.
    """
    long = wide.melt([period_column], list(names), var_name="name", ignore_index=False)
    frame = pd.DataFrame(
        {
            "time_period": long[period_column].astype(str).str.strip().to_numpy(),
            "name": long["name"].to_numpy(),
            "value": long["value"].astype(str).str.strip().to_numpy(),
        },
        index=[f"{row}, {name}" for row, name in zip(long.index, long["name"], strict=True)],
    )
    return frame[~frame["value"].isin(list(missing))]


def since(cells: pd.DataFrame) -> pd.DataFrame:
    """Rows from ``FIRST_MONTH``, its quarter or year on; what is no period is kept, for the rules to refuse."""
    periods = cells["time_period"].astype(str)
    # "2009-Q1" sorts behind "2009-12", so quarters and years are compared by their year
    begins = pd.Series(FIRST_MONTH, index=periods.index).where(periods.str.fullmatch(_LAYOUTS["M"][1]), FIRST_MONTH[:4])
    return cells[~periods.str.fullmatch(_PERIOD) | (periods >= begins)]


def newest(periods: pd.Series, number: int) -> pd.Series:
    """True in rows of the newest ``number`` distinct periods: figures that are usually still incomplete."""
    well_formed = periods[periods.astype(str).str.fullmatch(_PERIOD)]
    return periods.isin(sorted(well_formed.unique())[-number:])


def flags(where: pd.Series, flag: str = "p") -> pd.Series:
    """The flag in some rows, by default provisional, and none in the others."""
    return where.map({True: flag, False: ""})


def _period_rules(cells: pd.DataFrame, freq: Frequency, today: dt.date | None) -> list[RowRule]:
    fault, layout = _LAYOUTS[freq]
    periods = cells["time_period"].astype(str)
    sound = periods.str.fullmatch(layout)
    ends = pd.Series(pd.NaT, index=cells.index, dtype="datetime64[ns]")
    ends[sound] = end_dates(periods[sound], freq)
    # A running period may be reported before it ends; a later one may not.
    running = pd.Period(today or dt.datetime.now(tz=dt.UTC).date(), freq=pandas_frequency(freq))
    future = future_rule(ends, "time_period", today=running.end_time.date())
    return [RowRule("time_period", fault, ~sound), future]


def _value_rules(text: pd.Series, *, counts: bool, whole: bool) -> list[RowRule]:
    is_number = text.str.fullmatch(_NUMBER)
    rules = [RowRule("value", _("the figure is not a number"), ~is_number)]
    if counts:
        rules.append(RowRule("value", _("the count is negative"), is_number & text.str.startswith("-")))
    if counts and whole:
        rules.append(RowRule("value", _("the count is not a whole number"), to_numbers(text) % 1 != 0))
    return rules


def to_numbers(values: pd.Series) -> pd.Series:
    """Texts or numbers as numbers: the one conversion of all parsers, so that what a rule lets pass can be converted.

    Args:
        values: Figures as a publisher writes them, with a point before decimals; space around them is no part of them.

    Returns:
        Floats with the same index; NaN for what is no finite number.
    """
    text = values.astype(str).str.strip()
    return text.where(text.str.fullmatch(_NUMBER)).astype(float)


def to_dates(texts: pd.Series, layout: str, written: str) -> pd.Series:
    """Texts as dates: the one conversion of all parsers.

    Args:
        texts: Dates as a publisher writes them.
        layout: Regular expression of the whole text; what it does not match is no date.
        written: The same as in ``strptime``.

    Returns:
        Timestamps with the same index; NaT for what is no date.
    """
    return pd.to_datetime(texts.where(texts.str.fullmatch(layout)), format=written, errors="coerce")


def to_days(texts: pd.Series, *, timed: bool = False) -> pd.Series:
    """Days written ``2024-05-31``; with ``timed``, a time of day may follow and space surround them."""
    return to_dates(texts.str.strip().str[:10] if timed else texts, DAY, "%Y-%m-%d")


def to_months(texts: pd.Series) -> pd.Series:
    """First days of months written ``2024-05``."""
    return to_dates(texts, _LAYOUTS["M"][1], "%Y-%m")


def epoch_days(days: pd.Series) -> pd.Series:
    """Dates given as days since 1970-01-01, as compiled R tables write them; NaT for what is no such number."""
    numbers = to_numbers(days)
    plausible = numbers.where((numbers.abs() < 100_000) & (numbers % 1 == 0))
    return pd.Timestamp("1970-01-01") + pd.to_timedelta(plausible, unit="D")


def month_of_epoch_days(days: pd.Series) -> pd.Series:
    """Months whose first day is given as days since 1970-01-01; NaT where the number is no first day of a month."""
    dates = epoch_days(days)
    months: pd.Series = dates.where(dates.dt.day == 1).dt.to_period("M")
    return months
