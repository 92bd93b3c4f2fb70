"""One night, composed of the rooms: what is known, forecasts, alerts, one release.

Here stands what was known on the night's date, and at each past origin, per route.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from core.calendar import Frequency, last_complete_period, to_period
from core.languages import marked as _
from core.log import ProgressReport, silent
from core.routes import DEFAULT_REGION, OWN_PREFIX, ROUTES, counted, is_own, route_name, route_series, routes_of
from core.schema import ALL, RECEPTION, concat_filled
from forecasting.panel import Panel, panel_from_observations
from ingest.own import own_route_figures
from ingest.routes import route_arrivals
from store.figures import CELL, reduce_as_of

FREQ: Frequency = "M"
SETTLED_DAYS = 31
"""Days after a month's end by which every European route's value of that month is usually published; a past origin's
forecast uses what was known then. Other corridors name theirs (``settled_days``)."""
OWN_SETTLED_DAYS = 125
"""The same for an analyst's own values, which may be known up to 120 days late."""
BESIDE = ("asylum_applications", "asylum_applications_first", RECEPTION)
"""What is forecast beside routes and counted by all citizenships together."""
OK, TOO_OLD, MISSING = "ok", "too_old", "missing"


@dataclass(frozen=True)
class RealTimeData:
    """What was known when.

    Attributes:
        vintages: Every stored value with every ``as_of``.
        date: The night's date.
        oldest_origin_months: Age, in complete months, beyond which a route gets no forecast of the present.
        past_origins: Newest past origins whose state is needed.
        progress: Reports the past origins whose state is made.
        regions: Regions whose corridors are forecast.
    """

    vintages: pd.DataFrame
    date: dt.date
    oldest_origin_months: int
    past_origins: int
    progress: ProgressReport = silent
    regions: Collection[str] = (DEFAULT_REGION,)

    @cached_property
    def known(self) -> pd.DataFrame:
        """Values of the sources as known on the date (``core.release.OBSERVATIONS``)."""
        return reduce_as_of(self.vintages, self.date)

    @cached_property
    def published(self) -> pd.DataFrame:
        """Every edition of every value published up to the date."""
        return self.vintages[self.vintages["as_of"] <= pd.Timestamp(self.date)]

    @cached_property
    def routes(self) -> pd.DataFrame:
        """Monthly arrivals per route, in all and by citizenship, as known on the date."""
        return route_values(self.known, self.regions)

    @cached_property
    def observations(self) -> pd.DataFrame:
        """Values of the sources and of the routes together."""
        return pd.concat([self.known, self.routes], ignore_index=True)

    @cached_property
    def states(self) -> pd.DataFrame:
        """One row per route: ``route_id``, ``series_id``, ``state``, ``last_period``, ``origin_date``, ``note``."""
        last = _totals(self.routes).groupby("route_id")["time_period"].max()
        own = sorted(filter(is_own, last.index))
        rows = [self._state(route_id, last.get(route_id)) for route_id in (*routes_of(self.regions), *own)]
        return pd.DataFrame(rows).astype({"origin_date": "datetime64[ns]"})

    @cached_property
    def targets(self) -> frozenset[str]:
        """What the routes count; own ones count arrivals."""
        return frozenset({"arrivals", *map(counted, routes_of(self.regions))})

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
        return _panel(self.routes, self.forecastable)

    @cached_property
    def past_panels(self) -> dict[pd.Timestamp, Panel]:
        """The same routes at each past origin, as known when the month that ends there was settled."""
        ends = self.panel.end_dates[:-1][-self.past_origins :]
        panels, step = {}, _("Figures as known then")
        for done, end in enumerate(map(pd.Timestamp, ends)):
            self.progress(step, done, len(ends))
            panels[end] = self._panel_at(end)
        self.progress(step, len(ends), len(ends))
        return panels

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """Values of periods after the last one known on the date, of all citizenships together.

        Of routes, asylum applications and people in reception.
        """
        routes = _totals(route_values(reduce_as_of(self._arrivals, dt.date.max), self.regions, totals_only=True))
        beside = _totals(self.vintages[self.vintages["target"].isin(BESIDE)])
        later = pd.concat([routes, reduce_as_of(beside, dt.date.max)], ignore_index=True)
        last = later["series_id"].map(self.observations.groupby("series_id")["time_period"].max())
        return later[later["time_period"] > last].reset_index(drop=True)

    @cached_property
    def outcome_panel(self) -> Panel:
        """Months of the routes as known on the date and, for a night in the past, as counted later."""
        return _panel(pd.concat([self.routes, self.outcomes], ignore_index=True), self.forecastable)

    def settled(self, origin: dt.date, days: int = SETTLED_DAYS) -> dt.date:
        """The day on which the month that ends at an origin is settled, or the night's date if that comes first."""
        return min(origin + dt.timedelta(days=days), self.date)

    def editions(self) -> dict[str, int]:
        """The most editions on record of one value behind a route, by route: 1 where no past edition is kept."""
        rows = self.published[self.published["target"].isin(self.targets)]
        counts = rows.groupby(["route_id", CELL], sort=False).size()
        return {str(route_id): int(count) for route_id, count in counts.groupby("route_id").max().items()}

    def _panel_at(self, origin: pd.Timestamp) -> Panel:
        parts = []
        for days, codes in self._settled_after.items():
            known = reduce_as_of(self._arrivals, self.settled(origin.date(), days))
            parts.append(route_arrivals(known, totals_only=True, routes=codes))
        own = reduce_as_of(self._own, self.settled(origin.date(), OWN_SETTLED_DAYS))
        parts += [own_route_figures(own)] if len(own) else []
        return _panel(pd.concat(parts) if len(parts) > 1 else parts[0], self.forecastable)

    @cached_property
    def _settled_after(self) -> dict[int, list[str]]:
        """Corridors by the days after which a month of theirs is settled."""
        codes = routes_of(self.regions)
        return {days: [code for code in codes if ROUTES[code].settled_days == days]
                for days in sorted({ROUTES[code].settled_days for code in codes})}  # fmt: skip

    @cached_property
    def _arrivals(self) -> pd.DataFrame:
        """Every edition of what the routes count, of all citizenships together."""
        return self.vintages[self.vintages["target"].isin(self.targets) & (self.vintages["citizen"] == ALL)]

    @cached_property
    def _own(self) -> pd.DataFrame:
        """Those of an analyst's own routes."""
        return self._arrivals[self._arrivals["route_id"].str.startswith(OWN_PREFIX)]

    def _state(self, route_id: str, last_period: str | None) -> dict[str, object]:
        row = {"route_id": route_id, "series_id": route_series(route_id)}
        if last_period is None:
            note = f"{route_name(route_id)}: no figures were known on this date."
            return row | {"state": MISSING, "last_period": "", "origin_date": pd.NaT, "note": note}
        last = to_period(last_period, FREQ)
        age = (last_complete_period(self.date, FREQ) - last).n
        too_old = age > self.oldest_origin_months
        note = f"Figures end in {last_period}: too old for a forecast of the present." if too_old else ""
        state = TOO_OLD if too_old else OK
        return row | {
            "state": state, "last_period": last_period, "origin_date": last.end_time.normalize(), "note": note,
        }  # fmt: skip


def _totals(values: pd.DataFrame) -> pd.DataFrame:
    return values[values["citizen"] == ALL]


def _panel(values: pd.DataFrame, series_ids: Collection[str]) -> Panel:
    return panel_from_observations(values[values["series_id"].isin(series_ids)], None, FREQ)


def route_values(known: pd.DataFrame, regions: Collection[str], *, totals_only: bool = False) -> pd.DataFrame:
    """Return monthly counts of the regions' corridors and of an analyst's own routes."""
    found = route_arrivals(known, totals_only=totals_only, routes=routes_of(regions))
    return concat_filled([found, own_route_figures(known)], found)
