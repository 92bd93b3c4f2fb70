"""Monthly arrivals per route, put together from what the sources know on a date.

A route is the sum of the parts that its corridor names (:mod:`core.routes`): countries, or ways into one. Each part
takes, month by month, the first of its candidate sources that has a figure. Rules for months without one:

- The route begins with the month in which its last part begins.
- IOM lists no zeros. Where a part lists only months with arrivals, an absent month inside a source's range is a
  zero, known from the day on which the next listed month is.
- A minor part that is late, or has a gap, is estimated by the mean of its last three months for up to six months;
  the route's month is flagged ``e``. Later it is left out, and the month flagged ``b``, if it was at most 5 % of the
  route; without a larger one the route has no figure.
- Without a major part there is no figure for the month.
- Of places that open and close, months are linked at the places that both have (:func:`_linked`).
- Citizenships that add up to more than the route's total are scaled down to it, and flagged ``e``.

A month has the flags of all of its parts. ``as_of`` is the latest of the parts' dates.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatch
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import FloatArray
from core.release import OBSERVATIONS
from core.routes import ALWAYS, CARRIED, ROUTES, Part, counted
from core.schema import ALL
from ingest.rows import observations

SOURCE_ID = "vigie-routes"
CARRIED_MONTHS = 3
"""Months whose mean stands for a minor part that is late."""
CARRY_LIMIT = 6
"""Months after a minor part's last one for which its mean stands."""
SMALL_SHARE = 0.05
"""Share of a route up to which it goes on without a minor part."""
CITIZEN_COVERAGE = 0.9
"""Share of a country's arrivals that its citizenships must add up to; Greece's lay below until 2022."""


def route_arrivals(
    known: pd.DataFrame, *, totals_only: bool = False, routes: Collection[str] | None = None
) -> pd.DataFrame:
    """Put the routes' monthly counts together.

    Args:
        known: Frame of ``core.release.OBSERVATIONS`` holding what was known on one date. Where a figure has several
            vintages, the newest counts.
        totals_only: Leave out figures by citizenship, which take most of the time, and what is carried.
        routes: Only these corridors; by default all whose sources are in ``known``.

    Returns:
        Frame of ``core.release.OBSERVATIONS``, source ``vigie-routes``: ``<counts>.<route>._T._T.M``; the part of it
        that is estimated, in months that have one, ``arrivals_carried.<route>._T._T.M``; and where the corridor names
        a source ``<counts>.<route>._T.<citizen>.M``.
    """
    wanted = [code for code, route in ROUTES.items() if route.parts and (routes is None or code in routes)]
    targets = {ROUTES[code].counts for code in wanted}
    arrivals = known[known["target"].isin(targets) & (known["source_id"] != SOURCE_ID)]
    if totals_only:
        arrivals = arrivals[arrivals["citizen"] == ALL]
    key = ["source_id", "series_id", "time_period"]
    newest = arrivals.sort_values("as_of", kind="stable").drop_duplicates(key, keep="last")
    sources = set(newest["source_id"].unique())
    totals = {code: _route_total(newest, code) for code in wanted if not sources.isdisjoint(ROUTES[code].sources)}
    parts = [_tidy(total.frame(), route_id, ALL) for route_id, total in totals.items()]
    if not totals_only:
        for route_id, total in totals.items():
            guessed = replace(total, value=total.carried).at(total.carried > 0)
            parts.append(_tidy(guessed.frame(), route_id, ALL).assign(target=CARRIED))
        parts += [_route_by_citizen(newest, route_id, totals[route_id]) for route_id in totals]
    parts = [part for part in parts if not part.empty]
    if not parts:
        return OBSERVATIONS.empty()
    tidy = pd.concat(parts, ignore_index=True)
    found = observations(tidy, source_id=SOURCE_ID, geo=ALL, freq="M")
    cell = ["target", "route_id", "citizen", "time_period"]
    estimated = tidy.set_index(cell)["estimated"]
    keys = pd.MultiIndex.from_frame(found[cell])
    return found.assign(as_of_estimated=estimated.reindex(keys).to_numpy(dtype=bool))


_FLAGS = "bep"
"""Letters of ``obs_flag``; their bits while figures are added up."""


@dataclass(frozen=True)
class _Months:
    """Figures by month, ascending, as arrays of one length: a night puts them together thousands of times.

    Attributes:
        month: Months since January 1970.
        value: Persons.
        flag: Its letters, as bits of ``_FLAGS``.
        as_of: When the figure was known.
        estimated: Whether that day is an estimate.
        carried: Persons of ``value`` that are estimated.
    """

    month: NDArray[np.int64]
    value: FloatArray
    flag: NDArray[np.int64]
    as_of: NDArray[np.datetime64]
    estimated: NDArray[np.bool_]
    carried: FloatArray

    @property
    def arrays(self) -> list[Any]:
        """All of them, in order."""
        return [getattr(self, one.name) for one in fields(self)]

    def at(self, place: NDArray[np.intp] | NDArray[np.bool_] | slice) -> _Months:
        """Some of the months."""
        return _Months(*(array[place] for array in self.arrays))

    def of(self, months: NDArray[np.int64]) -> _Months:
        """Months that are among them."""
        return self.at(np.searchsorted(self.month, months))

    def joined(self, other: _Months) -> _Months:
        """Both, in order; they share no month."""
        both = _Months(*(np.concatenate(pair) for pair in zip(self.arrays, other.arrays, strict=True)))
        return both.at(np.argsort(both.month, kind="stable"))

    def frame(self) -> pd.DataFrame:
        """The same indexed by month; columns value, flag, as_of, estimated."""
        index = pd.DatetimeIndex(self.month.astype("datetime64[M]").astype("datetime64[ns]")).to_period("M")
        columns = {"value": self.value, "flag": self.flag, "as_of": self.as_of, "estimated": self.estimated}
        return pd.DataFrame(columns, index=index)


def _route_total(newest: pd.DataFrame, route_id: str) -> _Months:
    route = ROUTES[route_id]
    elsewhere = {one.route for part in route.parts for one in part.candidates} - {""}
    totals = pd.concat([_rows_of(newest, code, route.counts) for code in (route_id, *sorted(elsewhere))])
    totals = totals[totals["citizen"] == ALL]
    pairs = [(part, _observed(totals, part, route_id)) for part in route.parts]
    majors = [seen for part, seen in pairs if part.major]
    if any(len(seen.month) == 0 for seen in majors):
        return majors[0].at(slice(0))
    start = max(seen.month[0] for _, seen in pairs if len(seen.month))
    months = _common(majors)
    months = months[months >= start]
    total = _sum([seen.of(months) for seen in majors])
    for part, seen in pairs:
        if not part.major:
            total = _add_minor(total, seen)
    return total


def _rows_of(newest: pd.DataFrame, route_id: str, target: str) -> pd.DataFrame:
    return newest[(newest["route_id"] == route_id) & (newest["target"] == target)]


def _observed(totals: pd.DataFrame, part: Part, route_id: str) -> _Months:
    """Months that some candidate has."""
    sources, freqs, geos, routes = (totals[name].to_numpy() for name in ("source_id", "freq", "geo", "route_id"))
    rows = totals[["time_period", "obs_value", "obs_flag", "as_of", "as_of_estimated"]]
    best = _monthly(rows[:0], "M")
    for candidate in part.candidates:
        own = (sources == candidate.source) & (freqs == candidate.freq) & (routes == (candidate.route or route_id))
        if part.linked:
            listed = np.unique(geos[own].astype(str))
            named = [geo for geo in listed if any(fnmatch(geo, pattern) for pattern in candidate.places)]
            if not named:
                continue
            added = _linked([_monthly(rows[own & (geos == geo)], candidate.freq) for geo in named], part.linked)
        else:
            places = [_monthly(rows[own & (geos == geo)], candidate.freq) for geo in candidate.places]
            shared = _common(places)
            added = _sum([place.of(shared) for place in places])
        new = added.at(~np.isin(added.month, best.month))
        best = _with_zeros(best.joined(new), part.zeros_until)
    return best


def _linked(places: list[_Months], scale: float) -> _Months:
    """Months of places that open and close, linked at those that both months of a pair have.

    A month is the month before times the ratio of the sums at the places that have both (matched model; IMF and others
    2020, Consumer Price Index Manual, ch. 6). So a figure never changes when places open or close later. The series
    begins after the last pair without a common place. A month is a break (``b``) if its common places saw less than
    half of it.

    Args:
        places: Figures of each place, at least one.
        scale: Number by which the sum of the first month is multiplied.
    """
    span = np.arange(min(one.month[0] for one in places), max(one.month[-1] for one in places) + 1)
    seen = np.full((len(span), len(places)), np.nan)
    flag, as_of = np.zeros(len(span), dtype=np.int64), np.zeros(len(span), dtype="datetime64[ns]")
    estimated = np.zeros(len(span), dtype=bool)
    for column, one in enumerate(places):
        at = one.month - span[0]
        seen[at, column] = one.value
        flag[at] |= one.flag
        as_of[at] = np.maximum(as_of[at], one.as_of)
        estimated[at] |= one.estimated
    both = np.isfinite(seen[:-1]) & np.isfinite(seen[1:])
    before, after = (np.where(both, part, 0.0).sum(axis=1) for part in (seen[:-1], seen[1:]))
    sums = np.nansum(seen, axis=1)
    apart = np.flatnonzero((before == 0) | (after == 0))
    start = int(apart[-1]) + 1 if len(apart) else 0
    flag[1:][after < sums[1:] / 2] |= _bit("b")
    steps = np.concatenate([[sums[start] * scale], after[start:] / before[start:]])
    linked = _Months(span, np.round(sums), flag, as_of, estimated, np.zeros(len(span))).at(slice(start, None))
    return replace(linked, value=np.round(steps.cumprod()))


def _monthly(rows: pd.DataFrame, freq: str) -> _Months:
    """One figure per month; of days, only months that have them all."""
    texts, at = np.unique(rows["time_period"].to_numpy(dtype="U7"), return_inverse=True)
    flags, codes = np.unique(rows["obs_flag"].to_numpy(dtype=str), return_inverse=True)
    bits = np.asarray([sum(1 << _FLAGS.index(letter) for letter in text) for text in flags], dtype=np.int64)
    flag, as_of = np.zeros(len(texts), dtype=np.int64), np.full(len(texts), np.iinfo(np.int64).min)
    np.bitwise_or.at(flag, at, bits[codes])
    np.maximum.at(as_of, at, rows["as_of"].to_numpy(dtype="datetime64[ns]").astype(np.int64))
    months = texts.astype("datetime64[M]")
    sums: FloatArray = np.bincount(at, np.nan_to_num(rows["obs_value"].to_numpy(dtype=float)), len(texts)).astype(float)
    found = _Months(
        months.astype(np.int64),
        sums,
        flag,
        as_of.astype("datetime64[ns]"),
        np.bincount(at, rows["as_of_estimated"].to_numpy(dtype=float), len(texts)) > 0,
        np.zeros(len(texts)),
    )
    if freq == "D":
        days = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(int)
        found = found.at(np.bincount(at, minlength=len(texts)) == days)
    return found


def _with_zeros(seen: _Months, zeros_until: str) -> _Months:
    """Fill absent months inside the range with zeros."""
    if not len(seen.month) or not zeros_until:
        return seen
    until = min(int(seen.month[-1]), int(np.datetime64(zeros_until, "M").astype(int)))
    inside = np.arange(seen.month[0], until + 1)
    absent = inside[~np.isin(inside, seen.month)]
    next_known = seen.as_of[np.searchsorted(seen.month, absent)]
    none = np.zeros(len(absent))
    return seen.joined(_Months(absent, none, none.astype(np.int64), next_known, none == 0, none))


def _add_minor(total: _Months, minor: _Months) -> _Months:
    both = _common([total, minor])
    parts, whole = minor.of(both).value.sum(), total.of(both).value.sum()
    filled, guessed = carried(minor.month, minor.value, total.month)
    known = np.isin(total.month, minor.month)
    left_out = ~known & ~guessed
    own = minor.of(total.month[known])
    flag, as_of = total.flag.copy(), total.as_of.copy()
    flag[guessed] |= _bit("e")
    flag[left_out] |= _bit("b")
    flag[known] |= own.flag
    as_of[known] = np.maximum(as_of[known], own.as_of)
    added = replace(
        total, value=total.value + filled, flag=flag, as_of=as_of, carried=total.carried + np.where(guessed, filled, 0)
    )
    return added if parts <= SMALL_SHARE * (parts + whole) else added.at(~left_out)


def _bit(letter: str) -> int:
    return 1 << _FLAGS.index(letter)


def carried(
    months: NDArray[np.int64], values: FloatArray, wanted: NDArray[np.int64]
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Fill up to six months without a figure by the mean of the last three that have one, in whole persons.

    Args:
        months: Months since January 1970, ascending.
        values: Their figures.
        wanted: Months wanted.

    Returns:
        Figures for ``wanted`` (0 where there is none), and which of them are estimated.
    """
    sums = np.concatenate([np.zeros(1), values.cumsum()])
    ends = np.arange(1, len(values) + 1)
    first = np.maximum(ends - CARRIED_MONTHS, 0)
    means = np.concatenate([np.zeros(1), np.round((sums[ends] - sums[first]) / (ends - first))])
    last = np.searchsorted(months, wanted, side="right")
    age = wanted - np.concatenate([[-np.inf], months])[last]
    guessed = (age > 0) & (age <= CARRY_LIMIT)
    return np.where(age == 0, np.concatenate([np.zeros(1), values])[last], means[last] * guessed), guessed


def _sum(parts: list[_Months]) -> _Months:
    """Figures of the same months added up, with the flags of all and the latest day."""
    total = parts[0]
    for part in parts[1:]:
        total = replace(
            total,
            value=total.value + part.value,
            flag=total.flag | part.flag,
            as_of=np.maximum(total.as_of, part.as_of),
            estimated=total.estimated | part.estimated,
        )
    return total


def _common(parts: list[_Months]) -> NDArray[np.int64]:
    shared = parts[0].month
    for part in parts[1:]:
        shared = np.intersect1d(shared, part.month, assume_unique=True)
    return shared


def _tidy(total: pd.DataFrame, route_id: str, citizen: str | NDArray[np.object_]) -> pd.DataFrame:
    at, months = total.index.factorize()  # texts of months are made once each
    flags = ["".join(letter for letter in _FLAGS if bits & _bit(letter)) for bits in range(1 << len(_FLAGS))]
    return pd.DataFrame(
        {
            "target": counted(route_id),
            "route_id": route_id,
            "citizen": citizen,
            "time_period": pd.Index(months).astype(str).to_numpy(dtype=object)[at],
            "obs_value": total["value"].to_numpy(dtype=float),
            "obs_flag": np.asarray(flags, dtype=object)[total["flag"].to_numpy(dtype=np.int64)],
            "as_of": pd.to_datetime(total["as_of"]).to_numpy(),
            "estimated": total["estimated"].to_numpy(dtype=bool),
        }
    )


def _route_by_citizen(newest: pd.DataFrame, route_id: str, route: _Months) -> pd.DataFrame:
    """Citizenships of a route: from the first month after which the major country's add up to its total.

    A minor country joins in with its own first month; later months without it are estimated (``e``), and so are months
    scaled down to the route's total. A citizenship begins with its first arrival.
    """
    of = ROUTES[route_id].citizens
    if of is None:
        return pd.DataFrame()
    major, minors = of.major, of.minor
    rows = _rows_of(newest, route_id, counted(route_id))
    rows = rows[(rows["source_id"] == of.source) & (rows["freq"] == "M")]
    cells = rows[rows["citizen"] != ALL]
    zeros = _lists_no_zeros(route_id, of.source)
    grids = {geo: _grid(cells[cells["geo"] == geo], zeros=geo in zeros) for geo in (major, *minors)}
    until = ALWAYS if major in zeros else ""
    totals = _with_zeros(_monthly(rows[(rows["geo"] == major) & (rows["citizen"] == ALL)], "M"), until).frame()
    total = grids[major]
    months = _covered_months(total.sum(axis=1), totals["value"])
    if months.empty:
        return pd.DataFrame()
    dates = _with_zeros(_monthly(cells[cells["geo"] == major], "M"), until).frame().loc[months]
    total, flag, as_of = total.loc[months], dates["flag"], dates["as_of"]
    for geo in minors:
        known = _with_zeros(_monthly(cells[cells["geo"] == geo], "M"), ALWAYS if geo in zeros else "").frame()
        as_of = as_of.combine(known["as_of"].reindex(months).fillna(as_of), max)
        listed = pd.PeriodIndex(grids[geo].index).asi8
        for citizen in grids[geo].columns:
            filled, guessed = carried(listed, grids[geo][citizen].to_numpy(), months.asi8)
            total = total.assign(**{citizen: total.get(citizen, 0.0) + filled})
            flag = flag.mask(guessed, flag | _bit("e"))
        flag |= known["flag"].reindex(months).fillna(0).astype(np.int64)
    ratio = route.frame()["value"].reindex(months) / total.sum(axis=1)
    over = (ratio != 1) if ROUTES[route_id].is_linked else (ratio < 1)
    flag = flag.mask(over, flag | _bit("e"))
    scaled = total[over].cumsum(axis=1).mul(ratio[over], axis=0).round().to_numpy()
    total = total.astype(float)
    total[over] = np.diff(scaled, axis=1, prepend=0.0)  # whole persons that add up to the route's total
    dates = dates.assign(flag=flag, as_of=as_of)
    started = total.cumsum() > 0
    names, at = np.nonzero(started.to_numpy().T)
    grown = dates.iloc[at].assign(value=total.to_numpy()[at, names])
    return _tidy(grown, route_id, total.columns.to_numpy(dtype=object)[names])


def _lists_no_zeros(route_id: str, source: str) -> set[str]:
    """Places whose months without arrivals are absent from a source, by citizenship too."""
    parts = [part for part in ROUTES[route_id].parts if part.zeros_until == ALWAYS]
    return {place for part in parts for one in part.candidates if one.source == source for place in one.places}


def _grid(cells: pd.DataFrame, *, zeros: bool) -> pd.DataFrame:
    """Months × citizenships; a citizenship that a month does not list has a zero there.

    Args:
        cells: Figures by citizenship of one place.
        zeros: Whether an absent month inside the range has zeros too.
    """
    month = pd.PeriodIndex(cells["time_period"], freq="M")
    grid = cells.assign(month=month).pivot_table("obs_value", "month", "citizen", "sum").fillna(0.0)
    if len(grid) and zeros:
        return grid.reindex(pd.period_range(grid.index.min(), grid.index.max(), freq="M"), fill_value=0.0)
    return grid


def _covered_months(added_up: pd.Series, totals: pd.Series) -> pd.PeriodIndex:
    whole = added_up >= CITIZEN_COVERAGE * totals.reindex(added_up.index)
    short = added_up[~whole]
    kept = added_up.index > short.index.max() if len(short) else slice(None)
    return pd.PeriodIndex(added_up.index[kept], freq="M")


def daily_arrivals(known: pd.DataFrame) -> dict[str, pd.Series]:
    """Persons by day, of each route whose major part has a daily source.

    A route's month may hold more than its days: other places, or a later count of the same ones.

    Args:
        known: Frame of ``core.release.OBSERVATIONS`` holding what was known on one date.

    Returns:
        Route -> counts on a daily ``PeriodIndex``, in order, named by their series; routes without a daily figure are
        left out.
    """
    rows = known[(known["freq"] == "D") & (known["citizen"] == ALL)]
    found: dict[str, pd.Series] = {}
    for route_id, route in ROUTES.items():
        for candidate in (item for part in route.parts if part.major for item in part.candidates if item.freq == "D"):
            own = rows[
                (rows["route_id"] == route_id)
                & (rows["target"] == route.counts)
                & (rows["source_id"] == candidate.source)
                & rows["geo"].isin(candidate.places)
            ]
            if len(own):
                days = own.groupby("time_period")["obs_value"].sum().sort_index().rename(own["series_id"].iloc[0])
                found.setdefault(route_id, days.set_axis(pd.PeriodIndex(days.index, freq="D"), axis=0))
    return found
