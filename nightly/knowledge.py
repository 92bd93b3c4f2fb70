"""What was known on the night's date, per route, and which routes can be forecast from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from core.calendar import Frequency, last_complete_period, to_period
from core.routes import ARRIVAL_ROUTES, route_name
from core.schema import ALL, make_series_id
from forecasting.panel import Panel, panel_from_observations
from ingest.harmonise import route_arrivals
from ingest.own import own_route_figures
from store.vintages import known_at

TARGET = "arrivals"
FREQ: Frequency = "M"
SETTLED_DAYS = 31
"""Days after a month's end by which every route's figure of that month is usually published; a past origin's
forecast knows what was known then."""
OWN_SETTLED_DAYS = 125
"""The same for an analyst's own figures, which may be known up to 120 days late."""
OK, TOO_OLD, MISSING = "ok", "too_old", "missing"


def route_series_id(route_id: str) -> str:
    """Series of a route's monthly arrivals, all places and citizenships."""
    return make_series_id(TARGET, route_id, ALL, ALL, FREQ)


@dataclass(frozen=True)
class Knowledge:
    """The figures of a night.

    Attributes:
        vintages: Every stored figure with every ``as_of``.
        as_of: The night's date.
        oldest_origin_months: Age, in complete months, beyond which a route gets no forecast of the present.
    """

    vintages: pd.DataFrame
    as_of: dt.date
    oldest_origin_months: int

    @cached_property
    def known(self) -> pd.DataFrame:
        """Figures of the sources as they were known (``core.release.OBSERVATIONS``)."""
        return known_at(self.vintages, self.as_of)

    @cached_property
    def route_figures(self) -> pd.DataFrame:
        """Monthly arrivals per route, in all and by citizenship, as they were known."""
        return _figures(self.known)

    @cached_property
    def states(self) -> pd.DataFrame:
        """One row per route: ``route_id``, ``series_id``, ``state``, ``last_period``, ``origin_date``, ``note``."""
        last = self._totals(self.route_figures).groupby("route_id")["time_period"].max()
        own = sorted(set(last.index) - set(ARRIVAL_ROUTES))
        rows = [self._state(route_id, last.get(route_id)) for route_id in (*ARRIVAL_ROUTES, *own)]
        return pd.DataFrame(rows).astype({"origin_date": "datetime64[ns]"})

    @property
    def feeding(self) -> frozenset[str]:
        """Sources whose figures the routes are made of."""
        return frozenset(self._arrivals["source_id"])

    @property
    def forecastable(self) -> list[str]:
        """Series of the routes that are forecast tonight."""
        return list(self.states.loc[self.states["state"] == OK, "series_id"])

    @cached_property
    def panel(self) -> Panel:
        """Panel of the routes that are forecast tonight.

        Raises:
            InputError: No route can be forecast.
        """
        return self._panel(self.route_figures, self.forecastable)

    def panel_at(self, origin: pd.Timestamp) -> Panel:
        """The same routes as they were known when the month that ends at ``origin`` was settled."""
        date = min(origin.date() + dt.timedelta(days=SETTLED_DAYS), self.as_of)
        if date not in self._panels:
            figures = route_arrivals(known_at(self._arrivals, date), by_citizen=False)
            later = min(origin.date() + dt.timedelta(days=OWN_SETTLED_DAYS), self.as_of)
            own = own_route_figures(known_at(self._arrivals, later))
            self._panels[date] = self._panel(pd.concat([figures, own]) if len(own) else figures, self.forecastable)
        return self._panels[date]

    def outcomes(self) -> pd.DataFrame:
        """Route figures of periods after each route's last one known tonight: what a replay can reveal."""
        later = self._totals(_figures(known_at(self._arrivals, dt.date.max), by_citizen=False))
        last = later["route_id"].map(self.states.set_index("route_id")["last_period"])
        return later[later["time_period"] > last].reset_index(drop=True)

    @cached_property
    def _panels(self) -> dict[dt.date, Panel]:
        return {}

    @cached_property
    def _arrivals(self) -> pd.DataFrame:
        return self.vintages[self.vintages["target"] == TARGET]

    @staticmethod
    def _totals(figures: pd.DataFrame) -> pd.DataFrame:
        return figures[figures["citizen"] == ALL]

    def _panel(self, figures: pd.DataFrame, series_ids: Collection[str]) -> Panel:
        return panel_from_observations(figures[figures["series_id"].isin(series_ids)], TARGET, FREQ)

    def _state(self, route_id: str, last_period: str | None) -> dict[str, object]:
        row = {"route_id": route_id, "series_id": route_series_id(route_id)}
        if last_period is None:
            note = f"{route_name(route_id)}: no figures were known on this date."
            return row | {"state": MISSING, "last_period": "", "origin_date": pd.NaT, "note": note}
        last = to_period(last_period, FREQ)
        age = (last_complete_period(self.as_of, FREQ) - last).n
        too_old = age > self.oldest_origin_months
        note = f"Figures end in {last_period}: too old for a forecast of the present." if too_old else ""
        state = TOO_OLD if too_old else OK
        return row | {
            "state": state,
            "last_period": last_period,
            "origin_date": last.end_time.normalize(),
            "note": note,
        }


def _figures(known: pd.DataFrame, *, by_citizen: bool = True) -> pd.DataFrame:
    """Monthly arrivals of Vigie's routes and of an analyst's own."""
    parts = [route_arrivals(known, by_citizen=by_citizen), own_route_figures(known)]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]
