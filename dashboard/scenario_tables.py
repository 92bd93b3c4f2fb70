"""Tables of a scenario beside the forecast: for the screen in words, for files with plain columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from dashboard import layout, numbers, scenario_view
from dashboard.i18n import _
from dashboard.reads import Night

LEVELS = {0.025: "q025", 0.1: "q10", 0.25: "q25", 0.5: "median", 0.75: "q75", 0.9: "q90", 0.975: "q975"}


def _interval(low: float, high: float) -> str:
    """An interval that may break after its dash: on a phone these tables must not be wider than the screen."""
    return numbers.interval(low, high).replace(numbers.WORD_JOINER, "")


def months_file(forecast: pd.DataFrame, then: pd.DataFrame, route_id: str) -> pd.DataFrame:
    """One row per month and kind: ``route_id, month, kind, q025 … q975``; ``kind`` is forecast or scenario."""
    parts = []
    for kind, table in (("forecast", forecast), ("scenario", then)):
        rows = table[list(LEVELS)].rename(columns=LEVELS).round(1)
        rows.insert(0, "kind", kind)
        rows.insert(0, "month", pd.DatetimeIndex(table.index).strftime("%Y-%m"))
        rows.insert(0, "route_id", route_id)
        parts.append(rows)
    return pd.concat(parts, ignore_index=True)


def months_table(forecast: pd.DataFrame, then: pd.DataFrame) -> pd.DataFrame:
    """Months with both medians and 80 % intervals, and the difference."""
    rows = list(zip(pd.DatetimeIndex(then.index), then.to_dict("records"), forecast.to_dict("records"), strict=True))
    return pd.DataFrame(
        {
            _("Month"): [numbers.month_name(end) for end, _then, _plain in rows],
            _("Scenario"): [numbers.expected(row[0.5]) for _end, row, _plain in rows],
            _("80% interval"): [_interval(row[0.1], row[0.9]) for _end, row, _plain in rows],
            _("Forecast"): [numbers.expected(row[0.5]) for _end, _then, row in rows],
            _("80%, forecast"): [_interval(row[0.1], row[0.9]) for _end, _then, row in rows],
            _("Difference"): [numbers.change(one[0.5], two[0.5]) for _end, one, two in rows],
        }
    )


def routes_table(night: Night, trajectories: pd.DataFrame, routes: Sequence[str]) -> pd.DataFrame:
    """Totals of each route's next months: ``route_id, first_month, last_month, kind, q10 … q90``."""
    lines = []
    for route_id in routes:
        ends = scenario_view.title_months(night, route_id)
        span = {"first_month": f"{ends[0]:%Y-%m}", "last_month": f"{ends[-1]:%Y-%m}"}
        for kind, paths in (("forecast", night.frame("trajectories")), ("scenario", trajectories)):
            total = scenario_view.totals(paths, route_id, ends).round(1)
            lines.append({"route_id": route_id, **span, "kind": kind, **total})
    return pd.DataFrame(lines)


def routes_shown(table: pd.DataFrame) -> pd.DataFrame:
    """The same in words, one row per route."""
    by_kind = {kind: rows.set_index("route_id") for kind, rows in table.groupby("kind")}
    then, plain = by_kind["scenario"], by_kind["forecast"]
    routes = list(dict.fromkeys(table["route_id"]))
    return pd.DataFrame(
        {
            _("Route"): [layout.route_name(route_id) for route_id in routes],
            _("Scenario"): [numbers.expected(then["q50"][route_id]) for route_id in routes],
            _("80% interval"): [_interval(then["q10"][one], then["q90"][one]) for one in routes],
            _("Forecast"): [numbers.expected(plain["q50"][route_id]) for route_id in routes],
            _("80%, forecast"): [_interval(plain["q10"][one], plain["q90"][one]) for one in routes],
            _("Difference"): [numbers.change(then["q50"][one], plain["q50"][one]) for one in routes],
        }
    )


def places_file(forecast: pd.DataFrame, then: pd.DataFrame, values: Mapping[str, str]) -> pd.DataFrame:
    """``month, kind, median, places, confidence, stay_months, stay_kind, needs_place``."""
    parts = [
        table.assign(kind=kind, month=pd.DatetimeIndex(table["target_end_date"]).strftime("%Y-%m"))
        for kind, table in (("forecast", forecast), ("scenario", then))
    ]
    made = pd.concat(parts, ignore_index=True)[["month", "kind", "median", "places"]].round(0)
    return made.assign(
        confidence=float(values["confidence"]) / 100,
        stay_months=float(values["stay"]),
        stay_kind=values["stay_kind"],
        needs_place=float(values["needs_place"]) / 100,
    )


def places_table(forecast: pd.DataFrame, then: pd.DataFrame) -> pd.DataFrame:
    """Places by month's end, scenario beside forecast."""
    return pd.DataFrame(
        {
            _("End of"): [numbers.month_name(end) for end in then["target_end_date"]],
            _("Places, scenario"): [numbers.expected(value) for value in then["places"]],
            _("Median, scenario"): [numbers.expected(value) for value in then["median"]],
            _("Places, forecast"): [numbers.expected(value) for value in forecast["places"]],
            _("Median, forecast"): [numbers.expected(value) for value in forecast["median"]],
        }
    )
