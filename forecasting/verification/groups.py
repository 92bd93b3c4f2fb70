"""Errors by group: is the forecast as good for every group of nationalities and every route?

A mean over all hides who is served badly. Each group is measured alone against the reference baseline on the same
rows, and a group that is worse is marked, not averaged away (Barocas, Hardt and Narayanan, *Fairness and Machine
Learning*, 2023, chapter 3).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from core.quantiles import FloatArray
from forecasting.panel import Panel
from forecasting.quantiles import QuantileTable, probability_at, to_matrix
from forecasting.verification.bootstrap import ratio_interval
from forecasting.verification.scores import observed_at, score_rows
from forecasting.verification.verdict import WORSE, holm_within, with_verdicts

KINDS = ("route", "region", "citizen")
COLUMNS = [
    "kind", "route_id", "geo", "group", "model_id", "horizon", "n", "n_series", "relative_wis", "relative_wis_lo",
    "relative_wis_hi", "bias", "coverage_50", "coverage_80", "coverage_95", "mark",
]  # fmt: skip
NARROW, FEW = "intervals too narrow", "too few forecasts"
FEWEST = 24
"""Forecasts below which a group's errors say nothing."""
NARROW_BY = 0.15
"""An 80 % interval that holds this much less than it promises is marked."""


def group_errors(forecasts: pd.DataFrame, panel: Panel, groups: pd.DataFrame) -> pd.DataFrame:
    """Score every group of series alone.

    Args:
        forecasts: Past quantile rows (``FORECASTS``).
        panel: Outcomes.
        groups: One row per series and group it belongs to: ``series_id, kind`` (one of :data:`KINDS`), ``route_id``,
            ``geo`` and ``group``. Series without a row are left out.

    Returns:
        Columns ``COLUMNS``, one row per group, model and horizon. ``n``: forecasts scored; ``relative_wis``: ratio of
        mean WIS (log scale) to the reference baseline's with its 90 % block-bootstrap interval over origins; ``bias``
        from −1 (outcomes always above every quantile) to 1 (always below): positive means forecasts were too high
        (Funk et al. 2019, PLoS Comput. Biol. 15(2) e1006785); ``mark`` is empty, :data:`FEW`, :data:`WORSE` (the
        one verdict, Holm over all groups of a kind) or :data:`NARROW`.
    """
    if forecasts.empty or groups.empty:
        return _frame([])
    table = to_matrix(forecasts[forecasts["series_id"].isin(groups["series_id"])])
    rows = score_rows(table, panel)
    if rows.empty:
        return _frame([])
    keys = ["model_id", "series_id", "origin_date", "horizon"]
    rows = rows.merge(table.keys[keys].assign(bias=_bias(table, panel)), on=keys)
    lines = pd.DataFrame(_lines(rows.merge(groups, on="series_id")))
    return _frame(_marked(lines)) if len(lines) else _frame([])


def _bias(table: QuantileTable, panel: Panel) -> FloatArray:
    """1 − 2 × the place of each outcome in its forecast; NaN where the outcome is unknown."""
    observed = observed_at(table.keys, panel)
    out = np.full(len(observed), np.nan)
    for place in np.flatnonzero(np.isfinite(observed)):
        out[place] = 1 - sum(probability_at(float(observed[place]), table.quantiles[place]))
    return out


def _lines(rows: pd.DataFrame) -> Iterator[dict[str, object]]:
    for key, part in rows.groupby(["kind", "route_id", "geo", "group", "model_id", "horizon"], sort=True):
        place = dict(zip(("kind", "route_id", "geo", "group", "model_id", "horizon"), key, strict=True))
        sums = part.groupby("origin_date")[["wis_log", "reference_log"]].sum()
        own, reference = (sums[name].to_numpy() for name in ("wis_log", "reference_log"))
        found = ratio_interval(own, reference, horizon=int(part["horizon"].iloc[0]))
        line = {
            "n": len(part),
            "n_series": part["series_id"].nunique(),
            "relative_wis": found.ratio,
            "relative_wis_lo": found.low,
            "relative_wis_hi": found.high,
            "p_value": found.p_value,
            "bias": part["bias"].mean(),
            **{f"coverage_{level}": part[f"covered_{level}"].mean() for level in (50, 80, 95)},
        }
        yield {**place, **line}


def _marked(lines: pd.DataFrame) -> pd.DataFrame:
    """The same with each group's mark; all groups of a kind are judged at once."""
    judged = with_verdicts(lines.assign(p_holm=holm_within(lines, ["model_id", "kind"])))
    narrow = judged["coverage_80"] < 0.8 - NARROW_BY
    mark = np.select([judged["n"] < FEWEST, judged["verdict"] == WORSE, narrow], [FEW, WORSE, NARROW], default="")
    return judged.assign(mark=mark)


def _frame(lines: pd.DataFrame | list[dict[str, object]]) -> pd.DataFrame:
    numbers = dict.fromkeys(COLUMNS[8:-1], float) | dict.fromkeys(("horizon", "n", "n_series"), int)
    return pd.DataFrame(lines, columns=COLUMNS).reset_index(drop=True).astype(numbers)
