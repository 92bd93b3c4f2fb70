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
from typing import Any, cast

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
    arrivals = known[known["target"].isin(targets) & known["freq"].isin(("M", "D")) & (known["source_id"] != SOURCE_ID)]
    if totals_only:
        arrivals = arrivals[arrivals["citizen"] == ALL]
    key = ["source_id", "series_id", "time_period"]
    newest = arrivals.sort_values("as_of", kind="stable").drop_duplicates(key, keep="last")
    figures, sources = _Figures.of(newest), set(newest["source_id"].unique())
    totals = {code: _route_total(figures, code) for code in wanted if not sources.isdisjoint(ROUTES[code].sources)}
    parts = [_tidy(total, route_id, ALL) for route_id, total in totals.items()]
    if not totals_only:
        for route_id, total in totals.items():
            guessed = replace(total, value=total.carried).at(total.carried > 0)
            parts.append(_tidy(guessed, route_id, ALL).assign(target=CARRIED))
        parts += [_route_by_citizen(figures, route_id, totals[route_id]) for route_id in totals]
    parts = [part for part in parts if not part.empty]
    if not parts:
        return OBSERVATIONS.empty()
    return observations(pd.concat(parts, ignore_index=True), source_id=SOURCE_ID, geo=ALL, freq="M")


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


_Series = tuple[str, str, str, str, str]
"""Source, target, route, frequency and place."""


@dataclass(frozen=True)
class _Figures:
    """Figures of all sources as arrays of one length, read once.

    Attributes:
        months: Each figure alone; of days the month that each lies in.
        citizen: Its citizenship.
        places: Places of figures by series, and by whether they count all citizenships together.
    """

    months: _Months
    citizen: NDArray[np.object_]
    places: dict[tuple[*_Series, bool], NDArray[np.intp]]

    @staticmethod
    def of(rows: pd.DataFrame) -> _Figures:
        """Figures of a frame of ``core.release.OBSERVATIONS``."""
        at, texts = pd.factorize(rows["time_period"])
        flags, written = pd.factorize(rows["obs_flag"])
        bits = np.asarray([sum(map(_bit, text)) for text in written], dtype=np.int64)
        months = _Months(
            np.asarray(texts, dtype="U7").astype("datetime64[M]").astype(np.int64)[at],
            rows["obs_value"].to_numpy(dtype=float),
            bits[flags],
            rows["as_of"].to_numpy(dtype="datetime64[ns]"),
            rows["as_of_estimated"].to_numpy(dtype=bool),
            np.zeros(len(rows)),
        )
        series = rows.groupby(["source_id", "target", "route_id", "freq", "geo", rows["citizen"] == ALL], sort=False)
        return _Figures(months, rows["citizen"].to_numpy(), cast(Any, series.indices))

    def monthly(self, series: _Series, *, is_total: bool = True) -> _Months:
        """One figure per month; of days, only months that have them all."""
        rows = self.months.at(self.places.get((*series, is_total), _NOWHERE))
        months, at, days = np.unique(rows.month, return_inverse=True, return_counts=True)
        flag, as_of = np.zeros(len(months), dtype=np.int64), np.full(len(months), np.iinfo(np.int64).min)
        np.bitwise_or.at(flag, at, rows.flag)
        np.maximum.at(as_of, at, rows.as_of.astype(np.int64))
        found = _Months(
            months,
            np.bincount(at, np.nan_to_num(rows.value), len(months)).astype(float),
            flag,
            as_of.astype("datetime64[ns]"),
            np.bincount(at, rows.estimated, len(months)) > 0,
            np.zeros(len(months)),
        )
        if series[3] == "D":
            begins, ends = ((months + more).astype("datetime64[M]").astype("datetime64[D]") for more in (0, 1))
            found = found.at((ends - begins).astype(int) == days)
        return found

    def by_citizen(self, series: _Series, *, zeros: bool) -> pd.DataFrame:
        """Months × citizenships; a citizenship that a month does not list has a zero there.

        Args:
            series: The figures.
            zeros: Whether an absent month inside the range has zeros too.
        """
        rows = self.places.get((*series, False), _NOWHERE)
        months, at = np.unique(self.months.month[rows], return_inverse=True)
        names, of = np.unique(self.citizen[rows].astype(str), return_inverse=True)
        sums = np.bincount(at * len(names) + of, np.nan_to_num(self.months.value[rows]), len(months) * len(names))
        grid = pd.DataFrame(sums.reshape(len(months), len(names)), months, names.astype(object))
        return grid.reindex(range(months[0], months[-1] + 1), fill_value=0.0) if len(months) and zeros else grid


_NOWHERE = np.empty(0, dtype=np.intp)


def _route_total(figures: _Figures, route_id: str) -> _Months:
    route = ROUTES[route_id]
    pairs = [(part, _observed(figures, part, route_id)) for part in route.parts]
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


def _observed(figures: _Figures, part: Part, route_id: str) -> _Months:
    """Months that some candidate has."""
    best = figures.months.at(slice(0))
    for candidate in part.candidates:
        source = candidate.source, ROUTES[route_id].counts, candidate.route or route_id, candidate.freq
        if part.linked:
            listed = sorted(geo for *own, geo, is_total in figures.places if is_total and tuple(own) == source)
            named = [geo for geo in listed if any(fnmatch(geo, pattern) for pattern in candidate.places)]
            if not named:
                continue
            added = _linked([figures.monthly((*source, geo)) for geo in named], part.linked)
        else:
            places = [figures.monthly((*source, geo)) for geo in candidate.places]
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
    return replace(
        parts[0],
        value=np.add.reduce([part.value for part in parts]),
        flag=np.bitwise_or.reduce([part.flag for part in parts]),
        as_of=np.maximum.reduce([part.as_of for part in parts]),
        estimated=np.logical_or.reduce([part.estimated for part in parts]),
    )


def _common(parts: list[_Months]) -> NDArray[np.int64]:
    shared = parts[0].month
    for part in parts[1:]:
        shared = np.intersect1d(shared, part.month, assume_unique=True)
    return shared


def _tidy(total: _Months, route_id: str, citizen: str | NDArray[np.object_]) -> pd.DataFrame:
    flags = ["".join(letter for letter in _FLAGS if bits & _bit(letter)) for bits in range(1 << len(_FLAGS))]
    return pd.DataFrame(
        {
            "target": counted(route_id),
            "route_id": route_id,
            "citizen": citizen,
            "time_period": total.month.astype("datetime64[M]").astype(str).astype(object),
            "obs_value": total.value,
            "obs_flag": np.asarray(flags, dtype=object)[total.flag],
            "as_of": total.as_of,
            "as_of_estimated": total.estimated,
        }
    )


def _route_by_citizen(figures: _Figures, route_id: str, route: _Months) -> pd.DataFrame:
    """Citizenships of a route: from the first month after which the major country's add up to its total.

    A minor country joins in with its own first month; later months without it are estimated (``e``), and so are months
    scaled down to the route's total. A citizenship begins with its first arrival.
    """
    of = ROUTES[route_id].citizens
    if of is None:
        return pd.DataFrame()
    zeros = _lists_no_zeros(route_id, of.source)
    series = {geo: (of.source, counted(route_id), route_id, "M", geo) for geo in (of.major, *of.minor)}
    grids = {geo: figures.by_citizen(one, zeros=geo in zeros) for geo, one in series.items()}

    def seen(geo: str, *, is_total: bool) -> _Months:
        return _with_zeros(figures.monthly(series[geo], is_total=is_total), ALWAYS if geo in zeros else "")

    total = grids[of.major]
    months = _covered_months(total.sum(axis=1), seen(of.major, is_total=True))
    if not len(months):
        return pd.DataFrame()
    dates = seen(of.major, is_total=False).of(months)
    total, flag, as_of = total.loc[months], dates.flag.copy(), dates.as_of.copy()
    for geo in of.minor:
        known = seen(geo, is_total=False)
        for citizen, values in grids[geo].items():
            filled, guessed = carried(values.index.to_numpy(), values.to_numpy(), months)
            total = total.assign(**{str(citizen): total.get(citizen, 0.0) + filled})
            flag[guessed] |= _bit("e")
        has = np.isin(months, known.month)
        own = known.of(months[has])
        flag[has] |= own.flag
        as_of[has] = np.maximum(as_of[has], own.as_of)
    ratio = _by_month(route).reindex(months) / total.sum(axis=1)
    over = (ratio != 1) if ROUTES[route_id].is_linked else (ratio < 1)
    flag[over] |= _bit("e")
    scaled = total[over].cumsum(axis=1).mul(ratio[over], axis=0).round().to_numpy()
    total = total.astype(float)
    total[over] = np.diff(scaled, axis=1, prepend=0.0)  # whole persons that add up to the route's total
    names, at = np.nonzero((total.cumsum() > 0).to_numpy().T)
    grown = replace(dates, flag=flag, as_of=as_of).at(at)
    grown = replace(grown, value=total.to_numpy()[at, names])
    return _tidy(grown, route_id, total.columns.to_numpy(dtype=object)[names])


def _lists_no_zeros(route_id: str, source: str) -> set[str]:
    """Places whose months without arrivals are absent from a source, by citizenship too."""
    parts = [part for part in ROUTES[route_id].parts if part.zeros_until == ALWAYS]
    return {place for part in parts for one in part.candidates if one.source == source for place in one.places}


def _covered_months(added_up: pd.Series, totals: _Months) -> NDArray[np.int64]:
    whole = added_up >= CITIZEN_COVERAGE * _by_month(totals).reindex(added_up.index)
    short, months = added_up.index[~whole], added_up.index.to_numpy(dtype=np.int64)
    return months[months > short.max()] if len(short) else months


def _by_month(total: _Months) -> pd.Series:
    return pd.Series(total.value, index=total.month)


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
            own = rows.query("route_id == @route_id and target == @route.counts and source_id == @candidate.source")
            own = own[own["geo"].isin(candidate.places)]
            if len(own):
                days = own.groupby("time_period")["obs_value"].sum().sort_index().rename(own["series_id"].iloc[0])
                found.setdefault(route_id, days.set_axis(pd.PeriodIndex(days.index, freq="D"), axis=0))
    return found
