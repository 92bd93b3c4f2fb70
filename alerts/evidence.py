"""What alerts are judged from: frames of one night."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pandas as pd

from core.release import FORECASTS, FRESHNESS, PANEL, TRAJECTORIES
from core.schema import check

BY_CITIZEN = ("route_id", "citizen", "series_id", "time_period", "value")
DRIVERS = ("target", "geo", "time_period", "value")


def _empty(columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=float if name == "value" else object) for name in columns})


@dataclass(frozen=True)
class Evidence:
    """Everything that is known on a night.

    Attributes:
        as_of: The night.
        panel: Monthly outcomes (``core.release.PANEL``).
        trajectories: Joint sample paths from each series' last observed month (``core.release.TRAJECTORIES``).
        backtest: Past forecasts of the ensemble (``core.release.FORECASTS``).
        freshness: Age of each source's figures (``core.release.FRESHNESS``).
        revisions: Changed figures since the former release: ``source_id, series_id, time_period, target, route_id,
            citizen, freq, before, after, share``.
        by_citizen: Monthly counts by nationality where the licence allows: ``route_id, citizen, series_id, time_period,
            value``; may be empty.
        drivers: Monthly indicators of countries, context only: ``target, geo, time_period, value``; may be empty.
        feeding: ``source_id`` of the sources whose figures are forecast. Any other source is context, and its lateness
            never more than a watch.
    """

    as_of: dt.date
    panel: pd.DataFrame
    trajectories: pd.DataFrame
    backtest: pd.DataFrame
    freshness: pd.DataFrame
    revisions: pd.DataFrame
    feeding: frozenset[str] = frozenset()
    by_citizen: pd.DataFrame = field(default_factory=lambda: _empty(BY_CITIZEN))
    drivers: pd.DataFrame = field(default_factory=lambda: _empty(DRIVERS))

    def checked(self) -> Evidence:
        """The same evidence if every frame keeps its contract.

        Raises:
            SchemaError: A frame breaks its contract.
        """
        check(self.panel, PANEL)
        check(self.trajectories, TRAJECTORIES)
        check(self.backtest, FORECASTS)
        check(self.freshness, FRESHNESS)
        return self
