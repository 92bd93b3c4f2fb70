"""What must be known of a panel's forecasts: what stood in, what was cut, what stands out, and how they came about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core import FloatArray
from core.log import counted
from forecasting import ENSEMBLE
from forecasting.dates import listed
from forecasting.panel import LARGEST_JUDGED, Panel
from forecasting.quantiles import QuantileTable

NO_WIDTH = 0.2
"""Counts from the lowest to the highest quantile: there may be as little where a series has had one value only."""


@dataclass(frozen=True)
class Diagnostics:
    """What must be known, by model.

    Attributes:
        series: Number of series in the table.
        fallbacks: ``model_id, reason, series_id, forecasts``: the baseline stands in for a model.
        capped: ``model_id, series_id, forecasts``: the cap on explosion was applied.
        flat: ``model_id, series_id, forecasts``: intervals without width after a history of one value.
        ended: Series that are not forecast because they have ended, each with its last period.
        panel: The panel, of whose reading sentences are given too.
        account: Sentences on how the ensemble came about.
    """

    series: int
    fallbacks: pd.DataFrame
    capped: pd.DataFrame
    flat: pd.DataFrame
    ended: tuple[str, ...] = ()
    panel: Panel | None = None
    account: tuple[str, ...] = ()

    def lines(self, names: int | None = None) -> list[str]:
        """Sentences for people.

        Args:
            names: How many series each of them names; all by default.
        """
        return [
            *(self.panel.lines(names) if self.panel is not None else []),
            *([f"not forecast, for they have ended: {listed(self.ended, names)}"] if self.ended else []),
            *(
                f"{model_id}: intervals have no width, for the series has had but one value {self._of(rows, names)}"
                for model_id, rows in self.flat.groupby("model_id", sort=True)
            ),
            *(
                f"{model_id}: the baseline stands in ({reason}) {self._of(rows, names)}"
                for (model_id, reason), rows in self.fallbacks.groupby(["model_id", "reason"], sort=True)
            ),
            *(
                f"{model_id}: quantiles were cut at the series' cap {self._of(rows, names)}"
                for model_id, rows in self.capped.groupby("model_id", sort=True)
            ),
        ]

    def _of(self, rows: pd.DataFrame, names: int | None) -> str:
        ids = rows["series_id"].tolist()
        made = counted(int(rows["forecasts"].sum()), "forecast")
        return f"in {made} of {len(ids):,} of {self.series:,} series: {listed(ids, names)}"


def extreme_before(keys: pd.DataFrame, panel: Panel, extreme: np.ufunc) -> FloatArray:
    """For each forecast the highest (``np.fmax``) or lowest value that its series had up to the origin; else NaN.

    Args:
        keys: Columns ``series_id`` and ``origin_date``.
        panel: The series.
        extreme: ``np.fmax`` or ``np.fmin``.
    """
    record = extreme.accumulate(panel.matrix.to_numpy(dtype=float), axis=0)
    row, column = panel.places(keys["origin_date"], keys["series_id"])
    return np.where((column >= 0) & (row >= 0), record[row, column], np.nan)


def diagnose(table: QuantileTable, panel: Panel) -> Diagnostics:
    """Gather what must be known.

    Args:
        table: Forecasts whose keys hold the marks ``fallback``, ``reason`` and ``capped``.
        panel: All series.
    """
    keys = table.keys
    highest, lowest = (extreme_before(keys, panel, extreme) for extreme in (np.fmax, np.fmin))
    flat = (highest == lowest) & (np.ptp(table.quantiles, axis=1) <= NO_WIDTH)
    return Diagnostics(
        series=int(keys["series_id"].nunique()),
        fallbacks=_counted(keys[keys["fallback"].to_numpy(dtype=bool)], ["model_id", "reason", "series_id"]),
        capped=_counted(keys[keys["capped"].to_numpy(dtype=bool)], ["model_id", "series_id"]),
        flat=_counted(keys[flat], ["model_id", "series_id"]),
    )


def _counted(keys: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return keys.groupby(columns, sort=True).size().rename("forecasts").reset_index()


def account_of(table: QuantileTable, weights: pd.DataFrame, panel: Panel) -> list[str]:
    """Mean weights and factors of the ensemble at its newest origin, horizon by horizon."""
    keys = table.keys
    own = keys[(keys["model_id"] == ENSEMBLE) & keys["series_id"].isin(panel.matrix.columns)]
    newest = own["origin_date"].max()
    own = own[own["origin_date"] == newest]
    lines = []
    if not panel.judged()[panel.end_dates.get_loc(newest)]:
        lines.append(f"{ENSEMBLE}: more than {LARGEST_JUDGED:,} series: not calibrated on its own past errors")
    for horizon, mine in own.groupby("horizon"):
        here = weights[(weights["origin_date"] == newest) & (weights["horizon"] == horizon)]
        total = here.groupby("model_id")["weight"].sum() / here["weight"].sum()
        shares = ", ".join(f"{model_id} {share:.2f}" for model_id, share in total.items())
        low, middle, high = mine["spread_factor"].quantile([0, 0.5, 1])
        lines.append(
            f"{ENSEMBLE}, origin {newest:%Y-%m-%d}, h={horizon}, {len(mine):,} series: weights {shares}; "
            f"spread times {low:.2f} to {high:.2f}, in the middle {middle:.2f}"
        )
    return lines
