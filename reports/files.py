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
    country_name,
    name,
    subject_name,
)
from reports.scenario import STAYS

COUNTED, EXPECTED, SHARE, SCORE, TEXT = "counted", "expected", "share", "score", "text"
"""How a column's figures are rounded."""
PERSONS, MONTHS = _("persons"), _("months")


@dataclass(frozen=True)
class Column:
    """One column for people: its name, what it means, its unit, how it is rounded. Texts are English, marked."""

    title: str
    means: str
    unit: str = ""
    kind: str = TEXT


def _quantile(level: str, words: str) -> Column:
    return Column(level, words, PERSONS, EXPECTED)


_MORE = _("chance of so many more than in the newest complete twelve months")
_ENDS = {
    "lo_95": "q025", "lo_80": "q10", "lo_50": "q25", "hi_50": "q75", "hi_80": "q90", "hi_95": "q975",
}  # fmt: skip
"""Ends of intervals in the year ahead, by the same in a month's forecast."""
COLUMNS: Mapping[str, Column] = {
    "route_id": Column(_("Route"), _("migration route, or all routes")),
    "citizen": Column(_("Nationality"), _("citizenship of the people counted")),
    "geo": Column(_("Country"), _("country in which people are counted")),
    "state": Column(_("State"), _("whether there is a forecast, or how fresh figures are")),
    "level": Column(_("Alert level"), _("the highest level that is open")),
    "alert_level": Column(_("Alert level"), _("how grave the alert is, or was")),
    "alert_state": Column(_("State of the alert"), _("its level while it stands, or that it has ended")),
    "rule": Column(_("Rule"), _("rule that gives the alert")),
    "model_id": Column(_("Model"), _("forecasting model")),
    "month": Column(_("Month"), _("month that the row is about")),
    "time_period": Column(_("Period"), _("period that the row is about")),
    "target_end_date": Column(_("Period ends"), _("last day of the period that is forecast")),
    "first_month": Column(_("First month"), _("first month of the sum")),
    "last_month": Column(_("Last month"), _("last month of the sum")),
    "kind": Column(_("Kind"), _("counted, nowcast, forecast or scenario")),
    "horizon": Column(_("Months ahead"), _("months between the newest count and the period"), MONTHS),
    "flag": Column(_("Note"), _("provisional or estimated figures are named")),
    "estimated_share": Column(_("Share estimated"), _("part of the count that is a late country's mean"), "0–1", SHARE),
    "last_flag": Column(_("Note"), _("provisional or estimated figures are named")),
    "note": Column(_("Remark"), _("what must be known about the row")),
    "last_day": Column(_("Newest day"), _("newest day that is counted")),
    "so_far": Column(_("Counted so far"), _("people counted of the period up to that day"), PERSONS, COUNTED),
    "obs_value": Column(_("Counted"), _("people counted by the source"), PERSONS, COUNTED),
    "observed": Column(_("Counted"), _("people counted by the source"), PERSONS, COUNTED),
    "counted": Column(_("Counted"), _("people counted since"), PERSONS, COUNTED),
    "inside": Column(
        _("Narrowest interval around the count"), _("0.5, 0.8 or 0.95; 0 where it lies outside all three"), "0–1", SHARE
    ),
    "value": Column(_("Value"), _("the figure itself"), "", SCORE),
    "last_period": Column(_("Newest month"), _("newest month that is counted")),
    "last_value": Column(_("Newest count"), _("people counted in the newest month"), PERSONS, COUNTED),
    "year_earlier": Column(_("A year earlier"), _("people counted twelve months before that"), PERSONS, COUNTED),
    "expected_before": Column(
        _("Newest month was expected"), _("median of the forecast made a full month before"), PERSONS, EXPECTED
    ),
    "better_from": Column(
        _("Better from"), _("first of the months ahead in which the forecast beats the baseline"), MONTHS, COUNTED
    ),
    "better_to": Column(_("Better to"), _("last of these months; 0: not shown to beat it"), MONTHS, COUNTED),
    "expected": Column(_("Expected"), _("median of the forecast"), PERSONS, EXPECTED),
    "median": Column(_("Expected"), _("median of the forecast"), PERSONS, EXPECTED),
    "q50": Column(_("Expected"), _("median of the forecast"), PERSONS, EXPECTED),
    "low": _quantile(_("80% from"), _("lower end of the 80% interval")),
    "high": _quantile(_("80% to"), _("upper end of the 80% interval")),
    "q025": _quantile(_("95% from"), _("lower end of the 95% interval")),
    "q10": _quantile(_("80% from"), _("lower end of the 80% interval")),
    "q25": _quantile(_("50% from"), _("lower end of the 50% interval")),
    "q75": _quantile(_("50% to"), _("upper end of the 50% interval")),
    "q90": _quantile(_("80% to"), _("upper end of the 80% interval")),
    "q975": _quantile(_("95% to"), _("upper end of the 95% interval")),
    "places": _quantile(_("Places"), _("places that are enough at the chosen confidence")),
    "chance_above": Column(_("Chance above the number"), _("chance of more than the number named above"), "0–1", SHARE),
    "probability": Column(_("Chance"), _("chance of the event in any month of the window"), "0–1", SHARE),
    "base_rate": Column(_("Usually"), _("how often the event followed earlier months of the season"), "0–1", SHARE),
    "cutoff": Column(
        _("Alert from"), _("chance from which there is an alert on this route in this season"), "0–1", SHARE
    ),
    "prepare_from": Column(_("Prepare from"), _("chance from which the ratio of costs asks to prepare"), "0–1", SHARE),
    "threshold": Column(_("Threshold"), _("number to be passed, reached or fallen to"), _("persons a month"), COUNTED),
    "reason": Column(_("Reason"), _("the alert in one sentence")),
    "window": Column(_("Months"), _("months that the alert speaks of")),
    "chance": Column(_("Chance in words"), _("the same chance in whole per cent")),
    "record": Column(_("Record"), _("how often such alerts came true")),
    "first_period": Column(_("First month"), _("first month of the alert’s window")),
    "relative_wis": Column(_("Relative WIS"), _("score divided by the baseline’s; below 1 is better"), "", SCORE),
    "relative_wis_lo": Column(_("Relative WIS from"), _("lower end of its 90% interval"), "", SCORE),
    "relative_wis_hi": Column(_("Relative WIS to"), _("upper end of its 90% interval"), "", SCORE),
    "wis": Column(_("WIS"), _("weighted interval score; lower is better"), "", SCORE),
    "coverage_50": Column(_("50% interval coverage"), _("share of outcomes inside the interval"), "0–1", SHARE),
    "coverage_80": Column(_("80% interval coverage"), _("share of outcomes inside the interval"), "0–1", SHARE),
    "coverage_95": Column(_("95% interval coverage"), _("share of outcomes inside the interval"), "0–1", SHARE),
    "n": Column(_("Cases"), _("past forecasts that were scored")),
    "share": Column(_("Share"), _("share of the total"), "0–1", SHARE),
    "year": Column(_("Year"), _("calendar year")),
    "quantile": Column(_("Quantile"), _("share of possible outcomes below the value"), "0–1", SHARE),
    "source_id": Column(_("Source"), _("code of the source")),
    "name": Column(_("Name"), _("what the row is about")),
    "verdict": Column(_("Finding"), _("what the interval is evidence of")),
    "months_counted": Column(_("Months counted"), _("how many of the twelve months are counted"), MONTHS),
    "last_total": Column(_("Last total"), _("people counted in the newest complete twelve months"), PERSONS, COUNTED),
    "chance_0": Column(_("More than the last"), _MORE, "0–1", SHARE),
    "chance_25": Column(_("A quarter more"), _MORE, "0–1", SHARE),
    "chance_50": Column(_("Half more"), _MORE, "0–1", SHARE),
    "chance_100": Column(_("Twice as many"), _MORE, "0–1", SHARE),
    "confidence": Column(_("Confidence"), _("chance that the places are enough"), "0–1", SHARE),
    "stay_months": Column(_("Mean stay"), _("how long people stay on average"), MONTHS, SCORE),
    "stay_kind": Column(_("A stay"), _("how a stay ends")),
    "needs_place": Column(_("Need a place"), _("share of those who arrive"), "0–1", SHARE),
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
