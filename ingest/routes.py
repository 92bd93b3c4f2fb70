"""Monthly arrivals per route, put together from what the sources know on a date.

A route is the sum of its components (countries, or ways into one). Each component takes, month by month, the first of
its candidate sources that has a figure. Rules for months without one:

- The route begins with the month in which its last component begins.
- IOM lists no zeros. Where a component lists only months with arrivals, an absent month inside a source's range is a
  zero, known from the day on which the next listed month is.
- A minor component that is late, or has a gap, is estimated by the mean of its last three months; the route's month is
  flagged ``e`` and never dropped for it.
- Without a major component there is no figure for the month.

Flags: the major component's own first, then ``e`` if a minor one is estimated, then a minor one's own. ``as_of`` is the
latest of the components' dates.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.languages import marked as _
from core.release import OBSERVATIONS
from core.schema import ALL
from ingest.rows import observations
from ingest.source import SourceCard

SOURCE_ID = "vigie-routes"
CARD = SourceCard(
    source_id=SOURCE_ID,
    publisher=_("Vigie"),
    dataset=_("Monthly arrivals by route, composed from the sources below"),
    url="",
    licence=_("As the component with the strictest licence"),
    redistribution="to be confirmed",
    citation=(
        "Vigie, arrivals by route, computed from IOM DTM, UNHCR, Ministero dell'Interno and Home Office figures."
    ),
    retrieved=dt.date(2026, 8, 22),
    rhythm=_("Recomputed at every run from what is known on its date."),
    expected_days=45,
    derived_from=["iom_dtm", "unhcr_odp", "italy_interior", "uk_home_office"],
    known_issues=[
        _(
            "Persons who arrived and were recorded; never added to detections at borders, which count some persons "
            "twice."
        ),
        _("A route's newest month may lack a component; it is then marked provisional or estimated."),
        _(
            "The Eastern Mediterranean and the Western Mediterranean end where the open sources end (2024-12 and "
            "2025-06)."
        ),
    ],
)
CARRIED_MONTHS = 3
"""Months whose mean stands for a minor component that is late."""
CITIZEN_COVERAGE = 0.9
"""Share of a country's arrivals that its citizenships must add up to; Greece's lay below until 2022."""


_COLUMNS = ["value", "flag", "as_of", "estimated"]


def route_arrivals(known: pd.DataFrame, *, by_citizen: bool = True) -> pd.DataFrame:
    """Put the routes' monthly arrivals together.

    Args:
        known: Frame of ``core.release.OBSERVATIONS`` holding what was known on one date. Where a figure has several
            vintages, the newest counts.
        by_citizen: Whether figures by citizenship are wanted too; they take most of the time.

    Returns:
        Frame of ``core.release.OBSERVATIONS``, source ``vigie-routes``: ``arrivals.<route>._T._T.M``, and for the
        Central and Eastern Mediterranean ``arrivals.<route>._T.<citizen>.M``.
    """
    arrivals = known[(known["target"] == "arrivals") & (known["source_id"] != SOURCE_ID)]
    if not by_citizen:
        arrivals = arrivals[arrivals["citizen"] == ALL]
    key = ["source_id", "series_id", "time_period"]
    newest = arrivals.sort_values("as_of", kind="stable").drop_duplicates(key, keep="last")
    parts = [_route_total(newest, route_id) for route_id in COMPONENTS]
    if by_citizen:
        parts += [_route_by_citizen(newest, route_id) for route_id in CITIZEN_ROUTES]
    parts = [part for part in parts if not part.empty]
    if not parts:
        return pd.DataFrame(columns=list(OBSERVATIONS.columns))
    tidy = pd.concat(parts, ignore_index=True)
    found = observations(tidy, source_id=SOURCE_ID, target="arrivals", geo=ALL, freq="M")
    estimated = tidy.set_index(["route_id", "citizen", "time_period"])["estimated"]
    keys = pd.MultiIndex.from_frame(found[["route_id", "citizen", "time_period"]])
    return found.assign(as_of_estimated=estimated.reindex(keys).to_numpy(dtype=bool))


def _route_total(newest: pd.DataFrame, route_id: str) -> pd.DataFrame:
    totals = newest[(newest["route_id"] == route_id) & (newest["citizen"] == ALL)]
    pairs = [(component, _observed(totals, component)) for component in COMPONENTS[route_id]]
    majors = [seen for component, seen in pairs if component.major]
    if any(seen.empty for seen in majors):
        return pd.DataFrame()
    start = max(seen.index.min() for _, seen in pairs if len(seen))
    months = _common([_months(seen) for seen in majors])
    months = months[months >= start]
    total = _sum([seen.reindex(months) for seen in majors])
    for component, seen in pairs:
        if not component.major:
            total = _add_minor(total, seen)
    return _tidy(total, route_id, ALL)


def _observed(totals: pd.DataFrame, component: Component) -> pd.DataFrame:
    """Months that some candidate has, indexed by month; columns value, flag, as_of, estimated."""
    best = pd.DataFrame(columns=_COLUMNS, index=pd.PeriodIndex([], freq="M"))
    for candidate in component.candidates:
        rows = totals[(totals["source_id"] == candidate.source_id) & (totals["freq"] == candidate.freq)]
        places = [_monthly(rows[rows["geo"] == geo], candidate.freq) for geo in candidate.geos]
        shared = _common([_months(place) for place in places])
        added = _sum([place.loc[shared] for place in places])
        new = added[~added.index.isin(best.index)]
        best = _with_zeros((pd.concat([best, new]) if len(best) else added).sort_index(), component.zeros_until)
    return best


def _monthly(rows: pd.DataFrame, freq: str) -> pd.DataFrame:
    """One row per month; of days, only months that have them all."""
    # Asked hundreds of times a night, of few rows: numpy takes a tenth of a groupby's time.
    months, at = np.unique(rows["time_period"].to_numpy(dtype="U7"), return_inverse=True)
    flags, codes = np.unique(rows["obs_flag"].to_numpy(dtype=str), return_inverse=True)
    flag, as_of = np.zeros(len(months), dtype=int), np.full(len(months), np.iinfo(np.int64).min)
    np.maximum.at(flag, at, codes)
    np.maximum.at(as_of, at, rows["as_of"].to_numpy(dtype="datetime64[ns]").astype(np.int64))
    index = pd.DatetimeIndex(months.astype("datetime64[M]").astype("datetime64[ns]")).to_period("M")
    frame = pd.DataFrame(
        {
            "value": np.bincount(at, np.nan_to_num(rows["obs_value"].to_numpy(dtype=float)), len(months)),
            "flag": flags[flag].astype(object) if len(flags) else np.empty(0, dtype=object),
            "as_of": as_of.astype("datetime64[ns]"),
            "estimated": np.bincount(at, rows["as_of_estimated"].to_numpy(dtype=float), len(months)) > 0,
        },
        index=index,
    )
    if freq == "D":
        frame = frame[np.bincount(at, minlength=len(months)) == index.days_in_month]
    return frame


def _with_zeros(seen: pd.DataFrame, zeros_until: str) -> pd.DataFrame:
    """Fill absent months inside the range with zeros."""
    if seen.empty or not zeros_until:
        return seen
    inside = pd.period_range(seen.index.min(), seen.index.max(), freq="M")
    absent = inside[~inside.isin(seen.index) & (inside <= pd.Period(zeros_until, freq="M"))]
    next_known = seen["as_of"].reindex(inside).bfill()[absent]
    zeros = pd.DataFrame({"value": 0.0, "flag": "", "as_of": next_known, "estimated": True}, index=absent)
    return pd.concat([seen, zeros]).sort_index() if len(zeros) else seen


def _add_minor(total: pd.DataFrame, minor: pd.DataFrame) -> pd.DataFrame:
    filled, guessed = carried(minor["value"], _months(total))
    seen = minor.reindex(total.index)
    flag = np.where(total["flag"] != "", total["flag"], np.where(guessed, "e", seen["flag"].fillna("")))
    as_of = total["as_of"].where(guessed | (total["as_of"] > seen["as_of"]), seen["as_of"])
    return total.assign(value=total["value"] + filled, flag=flag, as_of=as_of)


def carried(values: pd.Series, months: pd.PeriodIndex) -> tuple[pd.Series, pd.Series]:
    """Fill months without a figure by the mean of the last three that have one, in whole persons.

    Args:
        values: Figures by month.
        months: Months wanted.

    Returns:
        Figures for ``months`` (0 before the first known one), and which of them are estimated.
    """
    known = values.dropna().astype(float).sort_index()
    means = known.rolling(CARRIED_MONTHS, min_periods=1).mean().round()
    wanted = known.reindex(months)
    last = means.reindex(means.index.union(months)).ffill().reindex(months)
    return wanted.fillna(last).fillna(0.0), wanted.isna()


def _sum(frames: list[pd.DataFrame]) -> pd.DataFrame:
    total = frames[0]
    for frame in frames[1:]:
        total = total.assign(
            value=total["value"] + frame["value"],
            flag=np.where(total["flag"] != "", total["flag"], frame["flag"]),
            as_of=np.maximum(total["as_of"], frame["as_of"]),
            estimated=total["estimated"] | frame["estimated"],
        )
    return total


def _common(indexes: list[pd.PeriodIndex]) -> pd.PeriodIndex:
    shared = indexes[0]
    for _before, index in pairwise(indexes):
        shared = shared.intersection(index)
    return pd.PeriodIndex(shared, freq="M")


def _months(frame: pd.DataFrame) -> pd.PeriodIndex:
    return pd.PeriodIndex(frame.index, freq="M")


def _tidy(total: pd.DataFrame, route_id: str, citizen: str | NDArray[np.object_]) -> pd.DataFrame:
    at, months = total.index.factorize()  # texts of months are made once each
    return pd.DataFrame(
        {
            "route_id": route_id,
            "citizen": citizen,
            "time_period": pd.Index(months).astype(str).to_numpy(dtype=object)[at],
            "obs_value": total["value"].to_numpy(dtype=float),
            "obs_flag": total["flag"].to_numpy(dtype=object),
            "as_of": pd.to_datetime(total["as_of"]).to_numpy(),
            "estimated": total["estimated"].to_numpy(dtype=bool),
        }
    )


def _route_by_citizen(newest: pd.DataFrame, route_id: str) -> pd.DataFrame:
    """Citizenships of a route: from the first month after which the major country's add up to its total.

    A minor country joins in with its own first month; later months without it are estimated (``e``). A citizenship
    begins with its first arrival.
    """
    major, minors = CITIZEN_ROUTES[route_id]
    rows = newest[(newest["source_id"] == "iom_dtm") & (newest["route_id"] == route_id) & (newest["freq"] == "M")]
    cells = rows[rows["citizen"] != ALL]
    grids = {geo: _grid(cells[cells["geo"] == geo]) for geo in (major, *minors)}
    totals = _monthly(rows[(rows["geo"] == major) & (rows["citizen"] == ALL)], "M")
    total = grids[major]
    months = _covered_months(total.sum(axis=1), totals["value"])
    if months.empty:
        return pd.DataFrame()
    dates = _monthly(cells[cells["geo"] == major], "M").loc[months]
    total, flag, as_of = total.loc[months], dates["flag"], dates["as_of"]
    for geo in minors:
        known = _with_zeros(_monthly(cells[cells["geo"] == geo], "M"), ALWAYS if geo == LISTS_NO_ZEROS else "")
        as_of = as_of.combine(known["as_of"].reindex(months).fillna(as_of), max)
        for citizen in grids[geo].columns:
            filled, guessed = carried(grids[geo][citizen], months)
            total = total.assign(**{citizen: total.get(citizen, 0.0) + filled})
            flag = flag.mask((flag == "") & guessed & (months >= grids[geo].index.min()), "e")
    dates = dates.assign(flag=flag, as_of=as_of)
    started = total.cumsum() > 0
    names, at = np.nonzero(started.to_numpy().T)
    grown = dates.iloc[at].assign(value=total.to_numpy()[at, names])
    return _tidy(grown, route_id, total.columns.to_numpy(dtype=object)[names])


def _grid(cells: pd.DataFrame) -> pd.DataFrame:
    """Months × citizenships; a citizenship that a month does not list has a zero there."""
    month = pd.PeriodIndex(cells["time_period"], freq="M")
    grid = cells.assign(month=month).pivot_table("obs_value", "month", "citizen", "sum").fillna(0.0)
    if len(grid) and (cells["geo"] == LISTS_NO_ZEROS).all():
        return grid.reindex(pd.period_range(grid.index.min(), grid.index.max(), freq="M"), fill_value=0.0)
    return grid


def _covered_months(added_up: pd.Series, totals: pd.Series) -> pd.PeriodIndex:
    share = added_up / totals.reindex(added_up.index)
    short = share[~(share >= CITIZEN_COVERAGE)]
    kept = added_up.index > short.index.max() if len(short) else slice(None)
    return pd.PeriodIndex(added_up.index[kept], freq="M")


@dataclass(frozen=True)
class Candidate:
    """Where a component's figures may come from.

    Attributes:
        source_id: Who published.
        geos: Places added up; a month needs all of them.
        freq: ``M``, or ``D`` for days added up where a month has all of its days.
    """

    source_id: str
    geos: tuple[str, ...]
    freq: str = "M"


@dataclass(frozen=True)
class Component:
    """One part of a route.

    Attributes:
        candidates: Sources in order of preference.
        major: Without it the route has no figure.
        zeros_until: Absent months inside the range count as zero up to here; ``""`` for none.
    """

    candidates: tuple[Candidate, ...]
    major: bool = False
    zeros_until: str = ""


ALWAYS = "9999-12"
"""For a component that never lists a zero."""
COMPONENTS: dict[str, tuple[Component, ...]] = {
    "CMR": (
        Component(
            (
                Candidate("iom_dtm", ("ITA",)),
                Candidate("italy_interior", ("ITA",), "D"),
                Candidate("unhcr_odp", ("ITA",)),
            ),
            major=True,
        ),
        Component((Candidate("iom_dtm", ("MLT",)), Candidate("unhcr_odp", ("MLT",))), zeros_until=ALWAYS),
    ),
    "EMR": (
        # UNHCR counts Greece's sea and land; its year 2015 is 0.1 % below IOM's
        Component((Candidate("iom_dtm", ("GRC",)), Candidate("unhcr_odp", ("GRC",))), major=True),
        # until 2016 IOM lists Cyprus only in months with a boat; UNHCR counts the sea alone and is no substitute
        Component((Candidate("iom_dtm", ("CYP",)),), zeros_until="2016-12"),
        Component((Candidate("iom_dtm", ("BGR",)),)),
    ),
    "WMR": (Component((Candidate("iom_dtm", ("ESP",)), Candidate("unhcr_odp", ("ESP_SEA", "ESP_LAND"))), major=True),),
    "WAR": (
        Component((Candidate("iom_dtm", ("ESP",)), Candidate("unhcr_odp", ("ESP",))), major=True, zeros_until=ALWAYS),
    ),
    "CHA": (Component((Candidate("uk_home_office", ("GBR",), "D"),), major=True),),
}
"""Parts of each route, as ``core.routes`` defines its countries. Italy's days run 1 to 4 % below IOM's months, so they
stand in only until IOM's month is known, and stay provisional."""
LISTS_NO_ZEROS = "MLT"
"""Country whose months without arrivals are absent by citizenship too."""
CITIZEN_ROUTES: dict[str, tuple[str, tuple[str, ...]]] = {"CMR": ("ITA", ("MLT",)), "EMR": ("GRC", ("CYP", "BGR"))}
"""Routes by citizenship: major country and minor ones, all from IOM. Spain's are Frontex's and may not be passed on."""


def daily_arrivals(known: pd.DataFrame) -> dict[str, pd.Series]:
    """Persons by day, of each route whose major component has a daily source.

    A route's month may hold more than its days: other places, or a later count of the same ones.

    Args:
        known: Frame of ``core.release.OBSERVATIONS`` holding what was known on one date.

    Returns:
        Route -> counts on a daily ``PeriodIndex``, in order, named by their series; routes without a daily figure are
        left out.
    """
    rows = known[(known["target"] == "arrivals") & (known["freq"] == "D") & (known["citizen"] == ALL)]
    found: dict[str, pd.Series] = {}
    for route_id, components in COMPONENTS.items():
        for candidate in (item for part in components if part.major for item in part.candidates if item.freq == "D"):
            own = rows[
                (rows["route_id"] == route_id)
                & (rows["source_id"] == candidate.source_id)
                & rows["geo"].isin(candidate.geos)
            ]
            if len(own):
                days = own.groupby("time_period")["obs_value"].sum().sort_index().rename(own["series_id"].iloc[0])
                found.setdefault(route_id, days.set_axis(pd.PeriodIndex(days.index, freq="D"), axis=0))
    return found
