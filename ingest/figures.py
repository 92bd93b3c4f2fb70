"""Figures of indicators by month, quarter or year: from tables of text to observations, with the rules for each figure.

Indicators are context for people and models, so periods before ``FIRST_MONTH`` are not kept unless a source says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import pandas as pd

from core.calendar import Frequency, end_dates, pandas_frequency
from core.languages import marked as _
from ingest.frames import RowRule, duplicate_rules, future_rule, observations, require_rows, set_aside
from ingest.raw import Parsed, RawFile

FIRST_MONTH = "2009-01"
"""First month kept of indicators: the routes' own history begins here."""
_LAYOUTS: dict[Frequency, tuple[str, str]] = {
    "M": (_("the period is not a month"), r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])"),
    "Q": (_("the period is not a quarter"), r"(?:19|20)[0-9]{2}-Q[1-4]"),
    "A": (_("the period is not a year"), r"(?:19|20)[0-9]{2}"),
}
_PERIOD = "|".join(layout for _fault, layout in _LAYOUTS.values())
_NUMBER = r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,2})?"


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


def to_observations(
    raw: RawFile,
    cells: pd.DataFrame,
    *,
    source_id: str,
    lag_days: int,
    counts: bool,
    today: dt.date | None = None,
    **dimensions: str,
) -> Parsed:
    """Set aside figures that cannot be right and assemble the others.

    Args:
        raw: The file, for its name.
        cells: One row per figure, uniquely indexed by its place in the file: ``time_period`` (text), ``value`` (text or
            number), the dimensions that differ between rows, and optionally ``obs_flag`` and ``as_of``.
        source_id: Who published.
        lag_days: Usual days from a period's end to publication.
        counts: True where a figure counts people or events, so that none is below zero.
        today: The newest day that can have been observed; by default the day of the call.
        **dimensions: Dimensions that are the same for every row; ``freq`` is M unless given as Q or A.

    Returns:
        Observations, and the figures set aside.

    Raises:
        SourceError: No figure is left, or too many are bad (see ``ingest.frames``).
    """
    fixed = {"freq": "M", "route_id": "_Z", "geo": "_Z", "citizen": "_Z"} | dimensions
    fixed = {name: value for name, value in fixed.items() if name not in cells}
    text = cells["value"].astype(str).str.strip()
    keys = [name for name in ("target", "route_id", "geo", "citizen", "time_period", "as_of") if name in cells]
    freq = _frequency(fixed["freq"])
    rules = [*_period_rules(cells, freq, today), *_value_rules(text, counts=counts)]
    rules += duplicate_rules(cells, keys, "value")
    good, rejected = set_aside(cells, rules, source_id=source_id, file=raw.name)
    require_rows(good, raw.name)
    tidy = good.assign(obs_value=text[good.index].astype(float))
    kept = [name for name in tidy.columns if name in (*keys, "obs_value", "obs_flag")]
    return Parsed(observations(tidy[kept], source_id=source_id, lag_days=lag_days, **fixed), rejected)


def since(cells: pd.DataFrame, first: str = FIRST_MONTH) -> pd.DataFrame:
    """Rows from the month ``first``, or its quarter or year, on; what is no period is kept, for the rules to refuse."""
    periods = cells["time_period"].astype(str)
    # "2009-Q1" sorts behind "2009-12", so quarters and years are compared by their year
    begins = pd.Series(first, index=periods.index).where(periods.str.fullmatch(_LAYOUTS["M"][1]), first[:4])
    return cells[~periods.str.fullmatch(_PERIOD) | (periods >= begins)]


def newest(periods: pd.Series, number: int) -> pd.Series:
    """True in rows of the newest ``number`` distinct periods: figures that are usually still incomplete."""
    well_formed = periods[periods.astype(str).str.fullmatch(_PERIOD)]
    return periods.isin(sorted(well_formed.unique())[-number:])


def _period_rules(cells: pd.DataFrame, freq: Frequency, today: dt.date | None) -> list[RowRule]:
    fault, layout = _LAYOUTS[freq]
    periods = cells["time_period"].astype(str)
    sound = periods.str.fullmatch(layout)
    ends = pd.Series(pd.NaT, index=cells.index, dtype="datetime64[ns]")
    ends[sound] = end_dates(periods[sound], freq)
    return [
        RowRule("time_period", fault, ~sound),
        future_rule(ends, "time_period", today=_end_of_running_period(freq, today)),
    ]


def _end_of_running_period(freq: Frequency, today: dt.date | None) -> dt.date:
    """A running period may be reported before it ends; a later one may not."""
    day = today or dt.datetime.now(tz=dt.UTC).date()
    end: dt.date = pd.Period(day, freq=pandas_frequency(freq)).end_time.date()
    return end


def _frequency(text: str) -> Frequency:
    found = next((freq for freq in _LAYOUTS if freq == text), None)
    if found is None:
        raise ValueError(f"to_observations: figures come by {', '.join(_LAYOUTS)}; not by '{text}'")
    return found


def _value_rules(text: pd.Series, *, counts: bool) -> list[RowRule]:
    is_number = text.str.fullmatch(_NUMBER)
    rules = [RowRule("value", _("the figure is not a number"), ~is_number)]
    if counts:
        rules.append(RowRule("value", _("the count is negative"), is_number & text.str.startswith("-")))
    return rules
