"""People in reception: stocks of a night by country and region, their record at past origins, and what is needed.

Past forecasts are made from the stocks as they are known tonight, cut at each origin. Arrivals are those known on the
day on which that stock is usually published, and arrivals ahead the ensemble's forecasts of then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd

from alerts import place_of, places_series
from core import FloatArray
from core.calendar import MONTHS_EACH, PERIODS_PER_YEAR, Frequency, period_index, to_period, write_period
from core.errors import InputError
from core.release import FORECASTS, PANEL, RELEASE, TRAJECTORIES
from core.routes import routes_to
from core.schema import PLACES, RECEPTION, check, concat_filled, typed
from forecasting import BASELINE, LEVELS, reception
from forecasting.panel import Panel, panel_from_observations
from forecasting.quantiles import QuantileTable, stack, to_matrix, to_rows
from forecasting.trajectories import Numbers, draw_paths, past_scores, path_rows
from forecasting.verification import score_rows, summarise
from forecasting.verification.verdict import compare
from forecasting.workers import Workers, run_tasks
from nightly import RealTimeData
from reports.year_ahead import LEVELS as LEVELS_SHOWN

LAGS: dict[Frequency, int] = {"M": 2, "Q": 0}
"""Earlier periods whose arrivals still enter: people come into reception within three months."""
MONTHS_AHEAD = 6
FACTORS = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
"""By what arrivals ahead are multiplied in scenarios; 1 is the forecast."""
PAST_PATHS = 500
ENOUGH = 0.9
"""Share of paths in which the places needed suffice."""
_SUMS = 0.005
"""Largest relative distance between a total and its parts with which they are one stock."""
_OF_ALERTS = {table.name: table for table in (PANEL, TRAJECTORIES)}
NAMES = ("reception_forecasts", "reception_backtest", "reception_scores", "reception_needs")


@dataclass(frozen=True)
class Arrivals:
    """Monthly arrivals of some routes at one origin.

    Attributes:
        known: One column per series, months as rows.
        ahead: Paths of the months after ``origin`` by series, each of shape ``(n, H)``.
        origin: Last known month.
    """

    known: pd.DataFrame
    ahead: Mapping[str, FloatArray]
    origin: pd.Period

    @property
    def reach(self) -> pd.Period:
        """Last month ahead."""
        last: pd.Period = self.origin + min(paths.shape[1] for paths in self.ahead.values())
        return last

    def in_periods(self, series_ids: Sequence[str], periods: pd.PeriodIndex, factor: float = 1.0) -> FloatArray:
        """Paths of their sum, shape ``(n, len(periods))``; months ahead are multiplied by ``factor``.

        Months before a route's first figure count zero.
        """
        months = pd.period_range(periods[0].asfreq("M", how="start"), periods[-1].asfreq("M", how="end"), freq="M")
        first = months.asi8 > self.origin.ordinal
        total = np.zeros((len(next(iter(self.ahead.values()))), len(months)))
        for name in series_ids:
            total[:, ~first] += self.known[name].reindex(months[~first]).fillna(0.0).to_numpy()
            total[:, first] += factor * self.ahead[name][:, months.asi8[first] - self.origin.ordinal - 1]
        sums: FloatArray = total.reshape(len(total), len(periods), -1).sum(axis=2)
        return sums


@dataclass(frozen=True)
class ReceptionNight:
    """People in reception in one night.

    Attributes:
        tables: Tables of :data:`NAMES`.
        panel: Monthly stocks whose places are known, and these places (``core.release.PANEL``).
        paths: Paths of these stocks (``core.release.TRAJECTORIES``).
    """

    tables: dict[str, pd.DataFrame]
    panel: pd.DataFrame
    paths: pd.DataFrame


@dataclass(frozen=True)
class Stocks:
    """Stocks of one country at one frequency.

    Attributes:
        panel: The country, its regions and its kinds of centre; values before a break are left out.
        lag: Days from a period's end to its publication: the fewest seen.
    """

    panel: Panel
    lag: int

    @property
    def freq(self) -> Frequency:
        """Frequency of the stocks."""
        return self.panel.freq

    @property
    def horizon(self) -> int:
        """Periods ahead."""
        return MONTHS_AHEAD // MONTHS_EACH[self.freq]

    @cached_property
    def total(self) -> str:
        """The country's own series."""
        return next(name for name in self.panel.series_ids if name.startswith(f"{RECEPTION}.") and "-" not in name)

    @cached_property
    def divisions(self) -> list[list[str]]:
        """Regions, and kinds of centre."""
        names = [name for name in self.panel.series_ids if name != self.total]
        regions = [name for name in names if "-" in name]
        return [part for part in (regions, [name for name in names if name not in regions]) if part]

    @cached_property
    def routes(self) -> list[str]:
        """Series of the routes that lead to the country."""
        return routes_to(self.total.split(".")[1])

    @cached_property
    def smoothed(self) -> dict[str, tuple[int, FloatArray, reception.DampedSmoothing]]:
        """First row, filled values from there on, and their smoothing, by series."""
        found = {}
        for name in self.panel.series_ids:
            values = self.panel.matrix[name].to_numpy(dtype=float)
            first, last = np.flatnonzero(np.isfinite(values))[[0, -1]]
            whole = reception.filled(values[first : last + 1])
            if len(whole) >= reception.FEWEST:
                found[name] = first, whole, reception.DampedSmoothing(whole)
        return found

    @cached_property
    def last(self) -> int:
        """Row of the country's newest stock."""
        return int(self.panel.last_rows()[self.panel.series_ids.index(self.total)])

    def ahead(self, row: int) -> pd.PeriodIndex:
        """The periods ahead of the stock in a row."""
        origin = self.panel.periods[row]
        return pd.period_range(origin + 1, periods=self.horizon, freq=origin.freq)

    def keys(self, row: int, model_id: str, names: Sequence[str]) -> pd.DataFrame:
        """Forecasts of some series by a model from the stock in a row, horizon after horizon."""
        ends = self.ahead(row).end_time.normalize().to_numpy()
        return pd.DataFrame({
            "model_id": model_id, "series_id": np.repeat(list(names), len(ends)).astype(object),
            "origin_date": self.panel.end_dates[row], "horizon": np.tile(np.arange(1, len(ends) + 1), len(names)),
            "target_end_date": np.tile(ends, len(names)),
        })  # fmt: skip

    def periods(self, row: int) -> pd.PeriodIndex:
        """From the first period whose arrivals matter to the last one ahead of the stock in a row."""
        first = self.panel.periods[0] - LAGS[self.freq]
        return pd.period_range(first, self.ahead(row)[-1], freq=self.panel.periods.freq)

    def flows(self, row: int, arrivals: FloatArray | None, n: int) -> dict[str, reception.Flows]:
        """Paths from the stock in a row: the country and, where all of a division is known there, its parts.

        Args:
            row: The origin.
            arrivals: Paths of arrivals in :meth:`periods`; None where no route leads there.
            n: Number of paths where there are none of arrivals.
        """
        made: dict[str, reception.Flows] = {}
        for seed, name in enumerate([self.total, *(one for part in self.divisions for one in part)]):
            first, values, smoothing = self.smoothed.get(name, (row, np.empty(0), None))
            known = values[: row + 1 - first]
            if smoothing is None or len(known) < reception.FEWEST or np.isnan(self.panel.matrix[name].iloc[row]):
                continue
            of_series = np.ones((n, len(known) + self.horizon)) if arrivals is None else arrivals[:, first:]
            flows = reception.stock_flow(known, of_series, self.horizon, seed)
            made[name] = reception.combined(flows, *smoothing.moments(len(known), self.horizon))
        return self.widened(row, made, np.ones((2, self.horizon)))

    def widened(self, row: int, flows: dict[str, reception.Flows], factors: FloatArray) -> dict[str, reception.Flows]:
        """Paths whose spread is multiplied; those of a division that sums to the country in a row still sum to it."""
        made = {name: reception.widened(one, factors) for name, one in flows.items()}
        for part in self.divisions:
            now = self.panel.matrix.iloc[row]
            if set(part) <= set(made) and abs(now[part].sum() - now[self.total]) <= _SUMS * now[self.total]:
                scaled = reception.coherent(made[self.total], [made[name] for name in part])
                made |= dict(zip(part, scaled, strict=True))
        return made


def forecast_reception(
    data: RealTimeData, paths: pd.DataFrame, past: pd.DataFrame, workers: Workers = 1
) -> ReceptionNight:
    """Forecast every country's stock of people in reception that is recent enough.

    Args:
        data: What was known.
        paths: Joint paths of arrivals on the routes (``core.release.TRAJECTORIES``).
        past: The ensemble's forecasts of arrivals at past origins.
        workers: As of :func:`forecasting.workers.run_tasks`, a country each.
    """
    known = data.known[data.known["target"].str.startswith(RECEPTION) | data.known["target"].eq(PLACES)]
    newest = known.sort_values("as_of", kind="stable").drop_duplicates(["series_id", "time_period"], keep="last")
    rows = newest[newest["target"].str.startswith(RECEPTION)]
    begun = newest["freq"].map({freq: write_period(pd.Period(data.date, freq=freq), freq) for freq in LAGS})
    places = newest[(newest["target"] == PLACES) & (newest["time_period"] <= begun)].sort_values("time_period")
    made: dict[str, list[pd.DataFrame]] = {name: [] for name in (*NAMES, PANEL.name, TRAJECTORIES.name)}
    if len(rows):
        now, then = present_arrivals(data, paths), past_arrivals(data, past)
        tables = partial(_tables, now=now, then=then, places=places, as_of=pd.Timestamp(data.date))
        for found in run_tasks(tables, [*countries(rows)], workers=workers, is_small=True):
            for name, frame in found.items():
                made[name].append(frame)
    frames = {name: concat_filled(some, (RELEASE | _OF_ALERTS)[name].empty()) for name, some in made.items()}
    return ReceptionNight({name: frames[name] for name in NAMES}, *(frames[name] for name in _OF_ALERTS))


def countries(rows: pd.DataFrame) -> Iterator[Stocks]:
    """Stocks of each country and frequency whose total is given, from observations of ``reception``."""
    for (_country, freq), own in rows.groupby([rows["geo"].str[:3], "freq"]):
        whole = own[(own["target"] == RECEPTION) & (own["geo"].str.len() == 3)]
        if freq not in LAGS or whole.empty:
            continue
        breaks = own[own["obs_flag"] == "b"].groupby("series_id")["time_period"].max()
        kept = own[own["time_period"] >= own["series_id"].map(breaks).fillna("")]
        panel = panel_from_observations(kept.assign(target=RECEPTION), RECEPTION, freq)
        ends = period_index(whole["time_period"], freq).end_time.normalize()
        yield Stocks(
            panel, int((whole["as_of"].to_numpy() - ends.to_numpy()).astype("timedelta64[D]").astype(int).min())
        )


def present_arrivals(data: RealTimeData, paths: pd.DataFrame) -> Arrivals:
    """Arrivals known tonight and their paths, on every route from the oldest of the routes' origins."""
    origin, matrix = pd.Period(paths["origin_date"].min(), "M"), data.panel.matrix
    ahead = {}
    for name, rows in paths.groupby("series_id"):
        draws = rows.pivot_table(index="output_type_id", columns="target_end_date", values="value")
        months = pd.PeriodIndex(draws.columns, freq="M")
        counted = matrix[name][(matrix.index > origin) & (matrix.index < months[0])].to_numpy()
        ahead[str(name)] = np.hstack([np.tile(counted, (len(draws), 1)), draws.to_numpy()])
    return Arrivals(matrix, ahead, origin)


def past_arrivals(data: RealTimeData, past: pd.DataFrame) -> dict[pd.Period, Arrivals]:
    """Arrivals as known at each past origin, and paths of the months then ahead."""
    table = to_matrix(past[past["horizon"] <= MONTHS_AHEAD])
    series = sorted(table.keys["series_id"].unique())
    horizons = list(range(1, MONTHS_AHEAD + 1))
    scores = past_scores(table, data.panel, series, horizons)
    found, numbers = {}, Numbers(seed=0)
    for origin in table.keys["origin_date"].unique():
        own = table.where(table.keys["origin_date"] == origin)
        draws = draw_paths(own, series, horizons, scores.until(origin), n=PAST_PATHS, numbers=numbers)
        ahead = {
            str(name): draws[places[np.argsort(own.keys["horizon"].to_numpy()[places])]].T
            for name, places in own.keys.groupby("series_id").indices.items()
        }
        month = pd.Period(origin, "M")
        found[month] = Arrivals(data.past_panels[pd.Timestamp(origin)].matrix, ahead, month)
    return found


def _tables(
    stocks: Stocks, now: Arrivals, then: Mapping[pd.Period, Arrivals], places: pd.DataFrame, as_of: pd.Timestamp
) -> dict[str, pd.DataFrame]:
    """Tables of one country; none where its stock is too old or its arrivals have no forecast."""
    panel, routes, row = stocks.panel, stocks.routes, stocks.last
    ahead = stocks.ahead(row)
    reached = not routes or ahead[-1].asfreq("M", how="end") <= now.reach
    is_current = ahead[-1].end_time >= as_of and reached
    if not is_current or not set(routes) <= set(now.ahead) or stocks.total not in stocks.smoothed:
        return {}
    past, errors = _hindcasts(stocks, then)
    made, factors = {}, reception.spread_factors(errors, row, stocks.horizon)
    for factor in FACTORS if routes else (1.0,):
        arrivals = now.in_periods(routes, stocks.periods(row), factor) if routes else None
        made[factor] = stocks.widened(row, stocks.flows(row, arrivals, PAST_PATHS), factors)
    current = to_rows(_quantiles(stocks, row, made[1.0])).assign(freq=stocks.freq, as_of=as_of)
    room = places.groupby("geo")["obs_value"].last()
    needs = [
        _needs(stocks, row, name, flows, factor, room) for factor, one in made.items() for name, flows in one.items()
    ]
    watched = {name: flows for name, flows in made[1.0].items() if place_of(name) and name.split(".")[1] in room.index}
    return {
        PANEL.name: _with_places(panel, list(watched), panel.periods[row], places),
        TRAJECTORIES.name: _paths(stocks, row, watched),
        "reception_forecasts": check(current, FORECASTS),
        "reception_backtest": to_rows(past.of_model(reception.MODEL_ID)).round({"value": 1}),
        "reception_scores": _scores(past, panel, stocks.total),
        "reception_needs": typed(pd.concat(needs, ignore_index=True), RELEASE["reception_needs"]),
    }


def _with_places(panel: Panel, names: list[str], last: pd.Period, places: pd.DataFrame) -> pd.DataFrame:
    """Some stocks and their places by month; places given after a stock's last month count from that month."""
    rows = panel.long()
    series = {name.split(".")[1]: places_series(name) for name in names}
    own = places[places["geo"].isin(list(series))]
    months = [
        min(to_period(period, freq).asfreq("M", how="start"), last)
        for period, freq in own[["time_period", "freq"]].itertuples(index=False)
    ]
    written = [write_period(month, "M") for month in months]
    given = pd.DataFrame({"series_id": own["geo"].map(series), "time_period": written, "value": own["obs_value"]})
    given = given.drop_duplicates(["series_id", "time_period"], keep="last")
    published = rows.loc[rows["series_id"].isin(names), list(given.columns)]
    return typed(pd.concat([published, given], ignore_index=True), PANEL)


def _paths(stocks: Stocks, row: int, flows: Mapping[str, reception.Flows]) -> pd.DataFrame:
    """Paths of some stocks from the one in a row."""
    parts = [path_rows(stocks.keys(row, reception.MODEL_ID, [name]), one.stock.T) for name, one in flows.items()]
    return typed(concat_filled(parts, TRAJECTORIES.empty()), TRAJECTORIES)


def _hindcasts(stocks: Stocks, then: Mapping[pd.Period, Arrivals]) -> tuple[QuantileTable, dict[int, FloatArray]]:
    """Forecasts of the model, and of simpler ones of the country's stock, at every past origin that can be had.

    Beside them by row the errors of the paths before they are widened, of all its series together.
    """
    panel, parts, errors = stocks.panel, [], dict[int, FloatArray]()
    total = panel.matrix[stocks.total].to_numpy(dtype=float)
    first = stocks.smoothed[stocks.total][0]
    for row in range(first + reception.FEWEST - 1, stocks.last):
        published = panel.periods[row].end_time.normalize() + pd.Timedelta(days=stocks.lag)
        known = then.get(pd.Period(published + pd.Timedelta(days=1), "M") - 1)
        if np.isnan(total[row]) or known is None or not set(stocks.routes) <= set(known.ahead):
            continue
        arrivals = known.in_periods(stocks.routes, stocks.periods(row)) if stocks.routes else None
        flows = stocks.flows(row, arrivals, PAST_PATHS)
        factors = reception.spread_factors(errors, row, stocks.horizon)
        parts.append(_quantiles(stocks, row, stocks.widened(row, flows, factors)))
        counted = panel.matrix.reindex(stocks.ahead(row))[[*flows]].to_numpy(dtype=float).T
        errors[row] = np.stack(list(map(reception.errors_in_widths, flows.values(), counted)))
        parts += [_table(stocks, row, name, {stocks.total: found}) for name, found in _peers(stocks, row, arrivals)]
    return stack(parts) if parts else _table(stocks, stocks.last, reception.MODEL_ID, {}), errors


def _peers(stocks: Stocks, row: int, arrivals: FloatArray | None) -> Iterator[tuple[str, FloatArray]]:
    """Quantiles of the country's stock by each simpler model."""
    first, values, smoothing = stocks.smoothed[stocks.total]
    known = values[: row + 1 - first]
    yield reception.DAMPED, reception.normal_quantiles(*smoothing.moments(len(known), stocks.horizon))
    yield reception.ARIMA, reception.arima_quantiles(known, stocks.horizon)
    if arrivals is not None:
        periods = PERIODS_PER_YEAR[stocks.freq]
        made = reception.state_space_quantiles(known, arrivals[:, first:], periods, stocks.horizon, row)
        yield reception.STATE_SPACE, made


def _quantiles(stocks: Stocks, row: int, flows: Mapping[str, reception.Flows]) -> QuantileTable:
    return _table(stocks, row, reception.MODEL_ID, {name: one.quantiles for name, one in flows.items()})


def _table(stocks: Stocks, row: int, model_id: str, quantiles: Mapping[str, FloatArray]) -> QuantileTable:
    """Quantiles by series as forecasts from the stock in a row."""
    values = np.concatenate([*quantiles.values(), np.empty((0, len(LEVELS)))])
    return QuantileTable(stocks.keys(row, model_id, [*quantiles]), values)


def _scores(past: QuantileTable, panel: Panel, total: str) -> pd.DataFrame:
    """Scores against persistence with its own past errors and, for the country, against each simpler model."""
    is_total = past.keys["series_id"] == total
    try:
        peers = [name for name in past.keys["model_id"].unique() if name != reception.MODEL_ID]
        compared = compare(score_rows(past.where(is_total), panel), reception.MODEL_ID, peers)
        parts = [summarise(past.where(rows), panel) for rows in (is_total, ~is_total) if rows.any()]
    except InputError:  # too few outcomes to score
        return RELEASE["reception_scores"].empty()
    scores = pd.concat(parts, ignore_index=True)
    own = scores[scores["series_id"].isin(panel.series_ids)].assign(reference=BASELINE)
    ratios = compared.assign(series_id=total).drop(columns=["n", "verdict", "p_value"])
    same = own[(own["series_id"] == total) & (own["model_id"] == reception.MODEL_ID)]
    kept = ["model_id", "series_id", "horizon", "scale", "wis", "n", *own.filter(like="coverage")]
    against = ratios.merge(same[kept], on=["model_id", "series_id", "horizon", "scale"])
    return typed(pd.concat([own, against], ignore_index=True), RELEASE["reception_scores"])


def _needs(
    stocks: Stocks, row: int, name: str, flows: reception.Flows, factor: float, places: pd.Series
) -> pd.DataFrame:
    """What one stock needs in each period ahead, in one scenario."""
    now = float(stocks.panel.matrix[name].iloc[row])
    before = np.hstack([np.full((len(flows.stock), 1), now), flows.stock[:, :-1]])
    room = float(places.get(name.split(".")[1], np.nan)) if name.startswith(f"{RECEPTION}.") else np.nan
    return pd.DataFrame(
        {
            "series_id": name,
            "factor": factor,
            "freq": stocks.freq,
            "last_period": write_period(stocks.panel.periods[row], stocks.freq),
            "last_value": now,
            "time_period": [write_period(period, stocks.freq) for period in stocks.ahead(row)],
            "horizon": np.arange(1, stocks.horizon + 1),
            **{column: np.quantile(flows.stock, level, axis=0).round() for level, column in LEVELS_SHOWN.items()},
            "entries": flows.entries.mean(axis=0).round(),
            "exits": (before + flows.entries - flows.stock).mean(axis=0).round(),
            "enough": np.quantile(np.maximum.accumulate(flows.stock, axis=1), ENOUGH, axis=0).round(),
            "places": room,
            "chance": (flows.stock > room).mean(axis=0) if np.isfinite(room) else np.nan,
        }
    )
