"""Tables as people open them in a spreadsheet: columns with names and units, names for codes, figures rounded.

Machines take the same table as Parquet, with the release's own names and every digit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from alerts.rules import whole_limit
from core.languages import Language, is_known, round_counted, round_expected
from core.languages import marked as _
from core.schema import ALL, NOT_APPLICABLE
from reports.names import (
    EDITION_STATES,
    FRESHNESS,
    LEVELS,
    MODELS,
    RULES,
    WORDS,
    country_name,
    name,
    subject_name,
)
from reports.scenario import STAYS

COUNTED, EXPECTED, SHARE, TEXT = "counted", "expected", "share", "text"
"""How a column's figures are rounded."""
_UNITS = _("persons"), _("months"), _("persons a month")
"""Units of columns, to be translated."""


@dataclass(frozen=True)
class Column:
    """One column for people: its name, what it means, its unit, how it is rounded. Texts are English, marked."""

    title: str
    means: str
    unit: str = ""
    kind: str = TEXT


_ENDS = {
    "lo_95": "q025", "lo_80": "q10", "lo_50": "q25", "hi_50": "q75", "hi_80": "q90", "hi_95": "q975",
}  # fmt: skip
"""Ends of intervals in the year ahead, by the same in a month's forecast."""
COLUMNS: Mapping[str, Column] = {
    str(one["code"]): Column(one["title"], one["what"], one.get("unit", ""), one.get("kind", TEXT))
    for one in WORDS["columns"]
}
"""What is known of a column by its name in the release; any other keeps its name."""
_NOMINAL = Column(
    _("Level"), _("share that the interval promises, or lower end of a bin of the histogram"), "0–1", SHARE
)
"""The column ``level`` of calibration, which is no alert's."""
_MACHINES = frozenset(
    {"series_id", "alert_id", "output_type", "reason_key", "reason_params", "intended_use", "likely_period", "scale"}
)
"""Columns of no use in a spreadsheet."""
_CODES = frozenset({"route_id", "geo", "citizen", "model_id", "rule", "level", "alert_level", "alert_state"})
"""Columns whose codes stand beside their names."""
_SERIES_PARTS = 5
Explained = list[tuple[str, str, str]]
"""Name, meaning and unit of each column."""


KINDS = {
    "observed": _("counted"), "nowcast": _("nowcast"), "forecast": _("forecast"), "scenario": _("scenario"),
    "provisional": _("provisional"), "estimated": _("estimated"), "break in series": _("break in series"),
}  # fmt: skip
"""What a row or a figure is, by the release's word for it."""
FLAGS = {"p": _("provisional"), "e": _("estimated"), "b": _("break in series")}
STATES = {
    "ok": _("with forecast"), "too_old": _("figures too old"), "too_short": _("too few figures"), **FRESHNESS,
    **EDITION_STATES,
}  # fmt: skip


def for_people(frame: pd.DataFrame, language: Language) -> tuple[pd.DataFrame, Explained]:
    """A table with its columns named in the reader's language, a column of names beside each of codes, figures rounded.

    Args:
        frame: Any table of a release or made from one. A column such as ``rule_name`` holds the names of ``rule``,
            where they are not the usual ones.
        language: The reader's.

    Returns:
        The table, and its columns explained. Two columns that would have one name keep their own.
    """
    kept = _with_place(frame)
    own = {column: kept.pop(f"{column}_name") for column in _names(language) if f"{column}_name" in kept}
    kept = kept.drop(columns=[column for column in kept.columns if column in _MACHINES])
    if {"rule", "threshold"} <= {*kept.columns}:
        limits = [whole_limit(str(rule), limit) for rule, limit in zip(kept["rule"], kept["threshold"], strict=True)]
        kept = kept.assign(threshold=np.array(limits, dtype=float))
    columns = {column: COLUMNS.get(_ENDS.get(column, column)) for column in map(str, kept.columns)}
    if "level" in columns and pd.api.types.is_float_dtype(kept["level"]):
        columns["level"] = _NOMINAL
    known = {column: one for column, one in columns.items() if one is not None}
    titles = {column: language.text(one.title) for column, one in known.items()}
    twice = pd.Series(titles, dtype=object).duplicated(keep=False)
    titles = {column: column if twice[column] else title for column, title in titles.items()}
    out, explained = {}, []
    for column in map(str, kept.columns):
        one = known.get(column)
        title = titles.get(column, column)
        out[title] = own.get(column, _readable(column, kept[column], one.kind if one else "", language))
        meaning, unit = (language.text(one.means), language.text(one.unit)) if one else ("", "")
        explained.append((title, meaning, unit))
        if column in _CODES and not pd.api.types.is_float_dtype(kept[column]):
            code = language.text(_("{name}, code"), name=title)
            out[code] = kept[column]
            explained.append((code, language.text(_("code in the release")), ""))
    return pd.DataFrame(out, index=kept.index), explained


def _with_place(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with route and country in columns of their own, where a series alone names them."""
    if "series_id" not in frame or {"route_id", "geo"} & {*frame.columns}:
        return frame.copy(deep=False)
    parts = [str(one).split(".") for one in frame["series_id"]]
    place = {
        name: [one[at] if len(one) == _SERIES_PARTS and one[at] != NOT_APPLICABLE else "" for one in parts]
        for at, name in ((1, "route_id"), (2, "geo"))
    }
    place["route_id"] = [ALL if one == [ALL] else code for one, code in zip(parts, place["route_id"], strict=True)]
    place["geo"] = ["" if code == ALL else code for code in place["geo"]]
    used = {name: codes for name, codes in place.items() if any(codes)}
    return pd.concat([pd.DataFrame(used, index=frame.index), frame], axis=1)


def flag_words(code: str, language: Language) -> str:
    """What the letters of an ``obs_flag`` say."""
    return ", ".join(name(FLAGS, letter, language) for letter in code)


def _names(language: Language) -> dict[str, Callable[[str], str]]:
    """By column: the name of a code."""
    return {
        "route_id": lambda code: _place(code, language),
        "citizen": lambda code: country_name(code, language),
        "geo": lambda code: country_name(code, language),
        "model_id": lambda code: name(MODELS, code, language),
        "rule": lambda code: name(RULES, code, language),
        "kind": lambda code: name(KINDS, code, language),
        "flag": lambda words: ", ".join(name(KINDS, word, language) for word in words.split(", ")),
        "last_flag": lambda code: flag_words(code, language),
        "state": lambda code: name(STATES, code, language),
        "level": lambda code: name(LEVELS, code, language),
        "alert_level": lambda code: name(LEVELS, code, language),
        "alert_state": lambda code: name(LEVELS, code, language),
        "stay_kind": lambda code: name(STAYS, code, language),
        "verdict": language.text,
    }


def _readable(column: str, values: pd.Series, kind: str, language: Language) -> pd.Series:
    names = _names(language)
    if column in names and not pd.api.types.is_float_dtype(values):
        return values.map(lambda cell: names[column](cell) if isinstance(cell, str) and cell else cell)
    if not pd.api.types.is_float_dtype(values):
        return values
    whole: dict[str, Callable[[float], float]] = {EXPECTED: round_expected, COUNTED: round_counted}
    if kind in whole:
        return values.map(lambda cell: whole[kind](cell) if is_known(cell) else cell).astype("Int64")
    return values.round(3)


def _place(code: str, language: Language) -> str:
    if code == ALL:
        return language.text(_("All routes"))
    return subject_name({"route_id": code}, {}, language) or code


def explanation(columns: Explained, language: Language) -> list[tuple[Any, ...]]:
    """The sheet that explains the columns: its head, then a row each."""
    return [(language.text(_("Column")), language.text(_("Meaning")), language.text(_("Unit"))), *columns]
