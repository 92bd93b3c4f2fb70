"""The record of the alert rules in the shape in which pages show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from alerts.verification.record import FEWEST_EVENTS
from core.languages import told_in
from core.schema import ALL
from dashboard import numbers
from dashboard.i18n import _, language
from dashboard.names import rule_name, simple_rule_name
from dashboard.summaries import known
from dashboard.theme import LEVELS, level_label

Row = Mapping[Any, Any]
ANY_MONTH = 0


def forecast_rules(record: pd.DataFrame) -> list[str]:
    """Rules about the months ahead, which are compared with simple ones, in the record's order."""
    return list(dict.fromkeys(record.loc[record["horizon"] > 0, "rule"])) if len(record) else []


def record_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Each rule's record with its intervals as text; a share of too few cases says so instead."""
    records = rows.assign(_order=rows["level"].map({name: place for place, name in enumerate(LEVELS)}))
    records = records.sort_values(["rule", "horizon", "_order"], kind="stable")
    table = records.to_dict("records")
    return pd.DataFrame(
        {
            _("Rule"): [rule_name(row["rule"]) for row in table],
            _("Level"): [level_label(row["level"]) if row["level"] in LEVELS else _("all") for row in table],
            _("Months ahead"): [months_words(row) for row in table],
            **_measured(table),
        }
    )


def comparison_table(record: pd.DataFrame, comparison: pd.DataFrame, rule: str, horizon: int) -> pd.DataFrame:
    """One rule beside the simple rules, at its mildest level, on the same events."""
    own = record[(record["rule"] == rule) & (record["horizon"] == horizon) & (record["level"] == LEVELS[0])]
    beside = comparison[
        (comparison["against"] == rule) & (comparison["horizon"] == horizon) & (comparison["level"] == LEVELS[0])
    ]
    table = [*own.to_dict("records"), *beside.to_dict("records")]
    names = [_("Vigie")] * len(own) + [simple_rule_name(str(name)) for name in beside["rule"]]
    return pd.DataFrame({_("Who says it"): names, **_measured(table)})


def months_words(row: Row) -> str:
    """How far ahead a row's alerts looked."""
    if int(row["horizon"]):
        return str(int(row["horizon"]))
    return _("any, as issued") if known(row.get("cutoff", float("nan"))) or known(row["auc"]) else _("looks back")


def spans_words(record: pd.DataFrame, thresholds: pd.DataFrame) -> str:
    """On which origins cut-offs were learned and alerts were counted, and what a false alarm costs."""
    if "judged_from" not in record or thresholds.empty or record.empty:
        return ""
    ahead = record[record["horizon"] > 0]
    if ahead.empty:
        return ""
    row = ahead.iloc[0]
    judged = [numbers.month_name(pd.Period(row[name], "M").to_timestamp()) for name in ("judged_from", "judged_to")]
    ratio = numbers.decimal(float(thresholds["cost_loss_ratio"].iloc[0]), 2)
    cost = _("A false alarm is taken to cost {ratio} of a missed event (alerts.cost_loss_ratio in settings.toml).")
    counted = _("Alerts are counted at the origins {first} to {last}.").format(first=judged[0], last=judged[1])
    parts = [cost.format(ratio=ratio), counted]
    if row["trained_from"]:
        trained = [
            numbers.month_name(pd.Period(row[name], "M").to_timestamp()) for name in ("trained_from", "trained_to")
        ]
        text = _("Cut-offs were learned before, at {first} to {last}, and then frozen.")
        parts.insert(1, text.format(first=trained[0], last=trained[1]))
    return " ".join(parts)


def rises_table(rises: pd.DataFrame) -> pd.DataFrame:
    """Documented rises: the chance said 6, 3 and 1 months before, and the first alert."""
    rows = []
    for (_event, basis), said in rises.groupby(["event_id", "basis"], sort=False):
        first = told_in(said.iloc[0].to_dict(), language())
        by_horizon = said.set_index("horizon")
        alerted = said[said["level"] != ""]
        rows.append(
            {
                _("Rise"): first["title"],
                **{_("{n} before").format(n=step): _chance(by_horizon, step) for step in (6, 5, 4, 3, 2, 1)},
                _("First alert"): _first(alerted),
                _("Came"): _came(by_horizon),
                _("Figures"): _basis(str(basis)),
                _("Source"): first["url"],
                _("What happened"): first["what"],
            }
        )
    return pd.DataFrame(rows)


def few(count: float) -> bool:
    """Whether so few cases say little."""
    return known(count) and count < FEWEST_EVENTS


def _chance(by_horizon: pd.DataFrame, step: int) -> str:
    rows = by_horizon[by_horizon.index == step]
    if rows.empty or not known(float(rows["chance"].iloc[0])):
        return numbers.NOTHING
    mark = {"watch": " ●", "warning": " ▲", "severe": " ◆"}.get(str(rows["level"].iloc[0]), "")
    return numbers.percent(float(rows["chance"].iloc[0])) + mark


def _first(alerted: pd.DataFrame) -> str:
    if alerted.empty:
        return _("none")
    row = alerted.sort_values("horizon").iloc[-1]
    return numbers.month_name(pd.Period(row["origin"], "M").to_timestamp())


def _came(by_horizon: pd.DataFrame) -> str:
    came = by_horizon["came"].dropna()
    if came.empty:
        return numbers.NOTHING
    return _("far above the mean") if bool(came.max()) else _("not far above the mean")


def _basis(basis: str) -> str:
    names = {"arrivals": _("arrivals"), "detections": _("Frontex detections, chances only")}
    return names.get(basis, _("no figures"))


def _measured(table: Sequence[Row]) -> dict[str, list[str]]:
    return {
        _("Right"): [_share(row, "precision", "n_alerts") for row in table],
        _("Events seen"): [_share(row, "recall", "n_events") for row in table],
        _("In vain, per route and year"): [_between(row, "false_alarms_per_route_year", _one_decimal) for row in table],
        _("Notice, months"): [_quartiles(row) for row in table],
        _("Brier skill"): [_between(row, "brier_skill", _two_decimals) for row in table],
        _("AUC"): [_between(row, "auc", _two_decimals) for row in table],
        _("Comes anyway"): [_plain_share(row.get("base_rate", float("nan"))) for row in table],
        _("Cut-off"): [_cutoff(row) for row in table],
        _("Alerts"): [_count(row.get("n_alerts", float("nan"))) for row in table],
        _("Events"): [_count(row["n_events"]) for row in table],
    }


def _share(row: Row, name: str, cases: str) -> str:
    if not known(row[name]):
        return numbers.NOTHING
    text = _between(row, name, numbers.share)
    return _("{text}, too few to say").format(text=text) if few(float(row.get(cases, float("nan")))) else text


def _between(row: Row, name: str, write: Callable[[float], str]) -> str:
    value, low, high = (float(row.get(name + end, float("nan"))) for end in ("", "_lo", "_hi"))
    if not known(value):
        return numbers.NOTHING
    return f"{write(value)} ({write(low)}–{write(high)})" if known(low) and known(high) else write(value)


def _quartiles(row: Row) -> str:
    low, middle, high = (float(row.get(f"lead_months_{name}", float("nan"))) for name in ("q25", "median", "q75"))
    if not known(middle):
        return numbers.NOTHING
    return f"{months(middle)} ({months(low)}–{months(high)})" if known(low) and known(high) else months(middle)


def months(value: float) -> str:
    """A number of months, without a decimal where it has none."""
    return numbers.observed(value) if float(value).is_integer() else numbers.decimal(value, 1)


def _one_decimal(value: float) -> str:
    return numbers.decimal(value, 1)


def _two_decimals(value: float) -> str:
    return numbers.decimal(value, 2)


def _plain_share(value: float) -> str:
    return numbers.share(value)


def _cutoff(row: Row) -> str:
    value = float(row.get("cutoff", float("nan")))
    if not known(value):
        return numbers.NOTHING
    return numbers.decimal(value, 2) if str(row["rule"]).startswith("compare.") else numbers.percent(value)


def _count(value: float) -> str:
    return numbers.observed(value)


def of_route(frame: pd.DataFrame, route_id: str) -> pd.DataFrame:
    """Rows of one route, or of all of them together."""
    return frame[frame["route_id"] == (route_id or ALL)] if len(frame) else frame
