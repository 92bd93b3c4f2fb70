"""What must be known about a table of forecasts: where the baseline stands in, where a tail was cut, where one is long.

Nothing is hidden in a column: the command line prints these lines, and they lie beside the file it writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.quantiles import FloatArray
from forecasting.model import BoolArray
from forecasting.panel import Panel
from forecasting.quantiles import QuantileTable

FAR = 10.0
"""A 99 % quantile above so many times the highest value that a series had by the origin is reported."""


@dataclass(frozen=True)
class Account:
    """What must be known, by model.

    Attributes:
        series: Number of series in the table.
        stand_ins: ``model_id, reason, series_id, forecasts``: the baseline stands in for a model.
        capped: ``model_id, series_id, forecasts``: the cap on explosion was applied.
        far: ``model_id, series_id, forecasts, horizon, quantile, record``: 99 % quantiles far above the record; the
            last three tell of the one that is farthest above it.
    """

    series: int
    stand_ins: pd.DataFrame
    capped: pd.DataFrame
    far: pd.DataFrame

    def lines(self, names: int | None = None) -> list[str]:
        """Sentences for people.

        Args:
            names: How many series each of them names; all by default.
        """
        lines = [
            f"{model_id}: the baseline stands in ({reason}) {self._of(rows, names)}"
            for (model_id, reason), rows in self.stand_ins.groupby(["model_id", "reason"], sort=True)
        ]
        lines += [
            f"{model_id}: quantiles were cut at the series' cap {self._of(rows, names)}"
            for model_id, rows in self.capped.groupby("model_id", sort=True)
        ]
        for model_id, rows in self.far.groupby("model_id", sort=True):
            worst = rows.iloc[int((rows["quantile"] / rows["record"]).to_numpy().argmax())]
            lines.append(
                f"{model_id}: the 99 % quantile is more than {FAR:.0f} times the series' highest value "
                f"{self._of(rows, names)}; farthest: {worst['series_id']}, h={worst['horizon']}, "
                f"{worst['quantile']:,.0f} against {worst['record']:,.0f}"
            )
        return lines

    def _of(self, rows: pd.DataFrame, names: int | None) -> str:
        ids = rows["series_id"].tolist()
        shown = ids if names is None else ids[:names]
        more = f" and {len(ids) - len(shown):,} more" if len(shown) < len(ids) else ""
        count = f"{rows['forecasts'].sum():,} forecasts of {len(ids):,} of {self.series:,} series"
        return f"in {count}: {', '.join(shown)}{more}"


def highest_before(keys: pd.DataFrame, panels: Sequence[Panel]) -> FloatArray:
    """For each forecast the highest value that its series had up to the origin, at least 1.

    Args:
        keys: Columns ``series_id`` and ``origin_date``.
        panels: Panels that hold the series between them, on one calendar.
    """
    found = np.full(len(keys), np.nan)
    for panel in panels:
        record = np.fmax.accumulate(panel.matrix.to_numpy(dtype=float), axis=0)
        column = pd.Index(panel.series_ids).get_indexer(pd.Index(keys["series_id"]))
        row = panel.end_dates.get_indexer(pd.DatetimeIndex(keys["origin_date"]))
        mine = (column >= 0) & (row >= 0)
        found[mine] = record[row[mine], column[mine]]
    return np.asarray(np.fmax(found, 1.0))


def far_above_record(table: QuantileTable, panels: Sequence[Panel]) -> BoolArray:
    """Which forecasts have a 99 % quantile above ten times the highest value that the series had by the origin."""
    far: BoolArray = table.quantiles[:, -1] > FAR * highest_before(table.keys, panels)
    return far


def account_of(table: QuantileTable, panels: Sequence[Panel]) -> Account:
    """Gather what must be known.

    Args:
        table: Forecasts whose keys hold the marks ``fallback``, ``reason``, ``capped`` and ``far_above_record``.
        panels: See :func:`highest_before`.
    """
    keys = table.keys
    far = table.where(keys["far_above_record"].to_numpy(dtype=bool))
    record = highest_before(far.keys, panels)
    told = far.keys[["model_id", "series_id", "horizon"]].assign(quantile=far.quantiles[:, -1], record=record)
    told["forecasts"] = told.groupby(["model_id", "series_id"])["horizon"].transform("size")
    worst = told.assign(times=told["quantile"] / told["record"]).sort_values("times", ascending=False, kind="stable")
    return Account(
        series=int(keys["series_id"].nunique()),
        stand_ins=_counted(keys[keys["fallback"].to_numpy(dtype=bool)], ["model_id", "reason", "series_id"]),
        capped=_counted(keys[keys["capped"].to_numpy(dtype=bool)], ["model_id", "series_id"]),
        far=worst.drop_duplicates(["model_id", "series_id"])[
            ["model_id", "series_id", "forecasts", "horizon", "quantile", "record"]
        ].reset_index(drop=True),
    )


def _counted(keys: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return keys.groupby(columns, sort=True).size().rename("forecasts").reset_index()
