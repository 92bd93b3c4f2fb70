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
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from core.calendar import Frequency, end_dates
from core.errors import Message, SourceError, message
from core.languages import marked as _
from core.release import OBSERVATIONS, REJECTED
from core.schema import check, make_series_id

TOLERATED = 0.05
"""Largest share of bad rows with which a file is still used."""
_DIMENSIONS = ["target", "route_id", "geo", "citizen", "freq"]
_WHOLE_NUMBER = r"[+-]?\d{1,12}(?:\.0*)?"


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
            ``as_of``.
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
    frame["as_of_estimated"] = "as_of" not in tidy
    if "as_of" not in tidy:
        if lag_days is None:
            raise ValueError("observations: without as_of, lag_days is needed")
        frame["as_of"] = period_ends(frame) + pd.Timedelta(days=lag_days)
    frame["as_of"] = frame["as_of"].astype("datetime64[ns]")
    frame["series_id"] = _series_ids(frame)
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
        value = frame.loc[bad.index[0], rule.column] if rule.column in frame else ""
        alone, of_many = _("{fault}: '{value}'"), _("{fault}: '{value}' ({bad} of {total} rows break a rule)")
        numbers = {"bad": len(bad), "total": len(frame)} if len(bad) > 1 else {}
        raise SourceError(
            file, of_many if numbers else alone, row=bad.index[0], column=rule.column,
            fault=message(rule.rule), value=str(value), **numbers,
        )  # fmt: skip
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


def nothing_rejected() -> pd.DataFrame:
    """An empty frame of ``core.release.REJECTED``."""
    return pd.DataFrame(columns=list(REJECTED.columns), dtype=object)


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


def _series_ids(frame: pd.DataFrame) -> pd.Series:
    unique = frame[_DIMENSIONS].drop_duplicates()
    names = {tuple(row): make_series_id(*row) for row in unique.itertuples(index=False, name=None)}
    keys = frame[_DIMENSIONS].itertuples(index=False, name=None)
    return pd.Series([names[key] for key in keys], index=frame.index, dtype=object)


def require_rows(frame: pd.DataFrame, file: str) -> None:
    """Refuse a file without a single usable figure.

    Raises:
        SourceError: The frame is empty.
    """
    if frame.empty:
        raise SourceError(file, _("the file holds no figures"))
