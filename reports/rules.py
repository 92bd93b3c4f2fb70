"""The record of the alert rules and what they said before documented rises, as tables in one reader's language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd

from alerts import LEVELS
from alerts.verification import FEWEST_EVENTS, precision_cases, record_of
from core.languages import NOTHING, Language, is_known
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.schema import ALL
from reports import Row
from reports.names import COMPARED_RULES, LEVEL_MARKS, RULES, level_label
from reports.names import name as named
from reports.skill import with_interval


def record_table(rows: pd.DataFrame, language: Language) -> pd.DataFrame:
    """Each rule's record with its intervals, at graver levels and of all alerts raised; what looks back stands last."""
    graver = {
        (row["rule"], row["level"]): _hits(row, precision_cases(row), language) for row in rows.to_dict("records")
    }
    all_alerts = rows[~rows["level"].isin(LEVELS[1:])].to_dict("records")
    table = sorted(all_alerts, key=lambda row: (not _is_ahead(row), str(row["rule"])))
    first, *others = _measured(table, language).items()
    at_level = {
        level_label(level, language): [graver.get((row["rule"], level), NOTHING) for row in table]
        for level in LEVELS[1:]
    }
    rule = {language.text(_("Rule")): [rule_words(row, language) for row in table]}
    of_all = {language.text(_("Of all raised")): [_hits(row, float(row["n_alerts"]), language) for row in table]}
    return pd.DataFrame(rule | dict([first]) | at_level | of_all | dict(others))


def comparison_table(
    record: pd.DataFrame, comparison: pd.DataFrame, rule: str, horizon: int, language: Language
) -> pd.DataFrame:
    """One rule beside the simple rules, at its mildest level, on the same events."""
    own = record[(record["rule"] == rule) & (record["horizon"] == horizon) & (record["level"] == LEVELS[0])]
    beside = comparison[
        (comparison["against"] == rule) & (comparison["horizon"] == horizon) & (comparison["level"] == LEVELS[0])
    ]
    table = [*own.to_dict("records"), *beside.to_dict("records")]
    names = [language.text(_("Vigie"))] * len(own) + [
        named(COMPARED_RULES, str(name), language) for name in beside["rule"]
    ]
    return pd.DataFrame({language.text(_("Source")): names, **_measured(table, language)})


def rule_words(row: Row, language: Language) -> str:
    """A rule's name, and whether it looks back."""
    name = named(RULES, row["rule"], language)
    return name if _is_ahead(row) else language.text(_("{rule} (looks back)"), rule=name)


def _is_ahead(row: Row) -> bool:
    return bool(int(row["horizon"])) or is_known(row["cutoff"]) or is_known(row["auc"])


def spans_words(record: pd.DataFrame, thresholds: pd.DataFrame, language: Language) -> str:
    """On which origins cut-offs were learned and alerts were counted, and what a false alarm costs."""
    ahead = record[record["horizon"] > 0]
    if ahead.empty or thresholds.empty:
        return ""
    row = ahead.iloc[0]
    judged = [language.month(pd.Period(row[name], "M").to_timestamp()) for name in ("judged_from", "judged_to")]
    ratio = language.decimal(float(thresholds["cost_loss_ratio"].iloc[0]), 2)
    cost = language.text(_("A false alarm is taken to cost {ratio} of a missed event."))
    counted = language.text(_("Alerts are counted at the origins {first} to {last}."), first=judged[0], last=judged[1])
    parts = [cost.format(ratio=ratio), counted]
    if row["trained_from"]:
        trained = [language.month(pd.Period(row[name], "M").to_timestamp()) for name in ("trained_from", "trained_to")]
        text = language.text(_("Cut-offs were learned before, at {first} to {last}, and then frozen."))
        parts.insert(1, text.format(first=trained[0], last=trained[1]))
    return " ".join(parts)


def rises_table(rises: pd.DataFrame, language: Language) -> pd.DataFrame:
    """Documented rises: the chance said 6, 3 and 1 months before, and the first alert."""
    rows, before = [], ngettext("{n} month before", "{n} months before")
    for (_event, basis), said in rises.groupby(["event_id", "basis"], sort=False):
        first = language.record(said.iloc[0].to_dict())
        by_horizon = said.set_index("horizon")
        alerted = said[said["level"] != ""]
        rows.append(
            {
                language.text(_("Rise")): first["title"],
                language.text(_("Figures")): _basis(str(basis), language),
                **{language.plural(before, step): _chance(by_horizon, step, language) for step in (6, 3, 1)},
                language.text(_("First alert")): _first(alerted, language),
                language.text(_("Outcome")): _occurred(by_horizon, language),
                language.text(_("Source")): first["url"],
            }
        )
    return pd.DataFrame(rows)


def few(count: float) -> bool:
    """Whether so few cases say little."""
    return is_known(count) and count < FEWEST_EVENTS


def _chance(by_horizon: pd.DataFrame, step: int, language: Language) -> str:
    rows = by_horizon[by_horizon.index == step]
    if rows.empty or not is_known(float(rows["chance"].iloc[0])):
        return NOTHING
    level = str(rows["level"].iloc[0])
    return language.percent(float(rows["chance"].iloc[0])) + (f" {LEVEL_MARKS[level]}" if level else "")


def _first(alerted: pd.DataFrame, language: Language) -> str:
    if alerted.empty:
        return language.text(_("none"))
    row = alerted.sort_values("horizon").iloc[-1]
    return language.month(pd.Period(row["origin"], "M").to_timestamp())


def _occurred(by_horizon: pd.DataFrame, language: Language) -> str:
    occurred = by_horizon["came"].dropna()
    if occurred.empty:
        return NOTHING
    return (
        language.text(_("far above the mean")) if bool(occurred.max()) else language.text(_("not far above the mean"))
    )


def _basis(basis: str, language: Language) -> str:
    names = {
        "arrivals": language.text(_("arrivals")),
        "detections": language.text(_("Frontex detections")),
    }
    return names.get(basis, language.text(_("no figures")))


def _measured(table: Sequence[Row], language: Language) -> dict[str, list[str]]:
    return {
        language.text(_("Came true")): [_share(row, "precision", precision_cases(row), language) for row in table],
        language.text(_("By chance")): [language.share(row["base_rate"]) for row in table],
        language.text(_("Events seen")): [_share(row, "recall", float(row["n_events"]), language) for row in table],
        language.text(_("False alarms per route per year")): [
            _between(row, "false_alarms_per_route_year", partial(language.decimal, digits=1)) for row in table
        ],
        language.text(_("Lead time, months")): [_quartiles(row, language) for row in table],
    }


def _share(row: Row, name: str, cases: float, language: Language) -> str:
    if not is_known(row[name]):
        return NOTHING
    return f"{_of(float(row[name]) * cases, cases, language)} · {_between(row, name, language.share)}"


def _hits(row: Row, cases: float, language: Language) -> str:
    if not is_known(row["precision"]):
        return NOTHING
    return _of(float(row["precision"]) * precision_cases(row), cases, language)


def _of(hits: float, cases: float, language: Language) -> str:
    return language.text(_("{hits} of {n}"), hits=round(hits), n=round(cases))


def _between(row: Row, name: str, write: Callable[[float], str]) -> str:
    return with_interval(write, *(float(row.get(name + end, float("nan"))) for end in ("", "_lo", "_hi")))


def _quartiles(row: Row, language: Language) -> str:
    places = (float(row.get(f"lead_months_{name}", float("nan"))) for name in ("median", "q25", "q75"))
    return with_interval(partial(months, language=language), *places)


def months(value: float, language: Language) -> str:
    """A number of months, without a decimal where it has none."""
    return language.counted(value) if float(value).is_integer() else language.decimal(value, 1)


def of_route(frame: pd.DataFrame, route_id: str) -> pd.DataFrame:
    """Rows of one route, or of all of them together."""
    return frame[frame["route_id"] == (route_id or ALL)] if len(frame) else frame


def record_rows(row: Row, record: pd.DataFrame, language: Language) -> pd.DataFrame:
    """The rule's record at past origins, with 90 % intervals: ``measure, value, interval``."""
    found = record_of(row, record)
    if found is None:
        return pd.DataFrame(columns=["measure", "value", "interval"])
    measures: dict[str, tuple[str, Callable[[float], str]]] = {
        "precision": (language.text(_("Hit rate: warnings that came true")), language.share),
        "recall": (language.text(_("Events that were warned of")), language.share),
        "false_alarms_per_route_year": (
            language.text(_("False alarms per route per year")),
            partial(language.decimal, digits=1),
        ),
        "lead_months_median": (language.text(_("Lead time in months, median")), partial(months, language=language)),
        "brier_skill": (language.text(_("Brier skill score (0: no better than the base rate)")), language.decimal),
    }
    cases, rows = {"precision": precision_cases(found), "recall": float(found.get("n_events", float("nan")))}, []
    for name, (words, write) in measures.items():
        value, n = float(found.get(name, float("nan"))), cases.get(name, float("nan"))
        if is_known(value):
            said = write(value)
            if is_known(n):
                said = f"{_of(value * n, n, language)} · {said}"
            rows.append({"measure": words, "value": said, "interval": _interval(name, found, write, language)})
    return pd.DataFrame(rows, columns=["measure", "value", "interval"])


def _interval(name: str, found: Row, write: Callable[[float], str], language: Language) -> str:
    """The 90 % interval of a measure; of the notice, its quartiles beside it."""
    nothing = float("nan")
    ends = [float(found.get(name + end, nothing)) for end in ("_lo", "_hi")]
    text = "–".join(map(write, ends)) if all(map(is_known, ends)) else ""
    if name == "lead_months_median":
        low, high = (float(found.get(f"lead_months_{part}", nothing)) for part in ("q25", "q75"))
        if is_known(low) and is_known(high) and low < high:
            quartiles = language.text(_("half of them {low} to {high}"), low=write(low), high=write(high))
            return language.listed([text, quartiles]) if text else quartiles
    cases = {"precision": precision_cases(found), "recall": float(found.get("n_events", nothing))}
    if few(cases.get(name, nothing)):
        return language.text(_("{text}, too few to say"), text=text) if text else language.text(_("too few to say"))
    return text
