"""Disclosure control: small counts in a breakdown are not shown, nor can they be worked out from what is.

Primary suppression hides counts of 1 to 4 by citizenship. Complementary suppression hides further cells until nothing
hidden follows from a published sum: a total is the sum of its citizenships, a route the sum of its places, a quarter
the sum of its months (Hundepool et al., *Statistical Disclosure Control*, 2012, chapter 4). Where a route is broken
down by citizenship, its places are not: nothing finer than route × period × citizenship leaves. One decision holds for
a whole release, whatever table or file a figure leaves in; the models see the full figures. What a release hid, the
next one hides too, and guards it by cells that were not shown before: else one would give the other away.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from core.errors import SchemaError
from core.schema import ALL, NOT_APPLICABLE, TARGETS

SMALLEST_SHOWN = 5
"""Counts from 1 to one less than this are hidden in a breakdown."""
_KEY = ["target", "route_id", "geo", "citizen", "freq", "time_period"]
_TOTAL = ["source_id", "target", "route_id", "geo", "freq", "time_period"]
_COUNTS = ("obs_value", "before", "after", "value")
_MONTHS_PER_QUARTER, _MONTHS_PER_YEAR, _QUARTERS_PER_YEAR = 3, 12, 4

_Members = pd.DataFrame
"""Sums that are published, one row per cell of each: ``relation`` (number), ``cell`` (number), ``part`` (1 for a part,
−1 for a sum that is itself a cell of the breakdown), ``exact`` (all of the whole is told in its parts)."""
_Mask = NDArray[np.bool_]


def cells_to_withhold(
    observations: pd.DataFrame, former: pd.DataFrame | None = None, withheld: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The cells by citizenship that a release hides, so that neither it nor its difference to the former one tells.

    Args:
        observations: Rows of ``core.release.OBSERVATIONS`` with one value per source, series and period.
        former: The same of the release before; None where there is none.
        withheld: What that release hid (the result for it); None for none.

    Returns:
        Their target, route, place, citizenship, frequency and period, each cell once, in order of these. Where nothing
        else can guard a small count, a cell shown before is hidden too.
    """
    rows = _breakdown(observations)
    if rows.empty:
        return rows[_KEY]
    cells = rows.drop_duplicates("cell").set_index("cell").sort_index()[_KEY]
    keys = pd.MultiIndex.from_frame(cells)
    hidden_before = np.zeros(len(cells), dtype=bool)
    if withheld is not None and len(withheld):
        hidden_before = keys.isin(pd.MultiIndex.from_frame(withheld[_KEY]))
    unchanged = np.zeros(len(cells), dtype=bool)
    if former is not None:
        now, then = (one.groupby(_KEY)["obs_value"].max() for one in (rows, _breakdown(former)))
        unchanged = now.reindex(keys).to_numpy() == then.reindex(keys).to_numpy()
    return cells[_hidden_cells(rows, hidden_before, unchanged)].reset_index(drop=True)


def protect(observations: pd.DataFrame, withheld: pd.DataFrame | None = None) -> pd.DataFrame:
    """Hide counts of 1–4 by citizenship and as many further cells as keep them from being worked out.

    A cell (target, route, place, citizenship, period) is hidden in every source that reports it, or in none. Totals
    over all citizenships are what publishers publish themselves, and stay.

    Args:
        observations: Rows of ``core.release.OBSERVATIONS`` with one value per source, series and period: all that one
            release holds, for what is hidden must not follow from its other tables.
        withheld: What to hide, as the release says it; else it is found from the observations alone.

    Returns:
        A copy in which hidden values are empty and a column ``suppressed`` (bool) marks them. Where a total has one
        citizenship alone, an empty value would still be the total: such a row is left out.
    """
    out = observations.assign(suppressed=False)
    rows = _breakdown(out)
    if rows.empty:
        return out
    keys = cells_to_withhold(observations) if withheld is None else withheld
    marked = rows.index[pd.MultiIndex.from_frame(rows[_KEY]).isin(pd.MultiIndex.from_frame(keys[_KEY]))]
    out.loc[marked, "suppressed"] = True
    out.loc[marked, "obs_value"] = np.nan
    alone: pd.Series = rows.groupby(_TOTAL)["cell"].transform("size") == 1
    kept: pd.DataFrame = out.drop(index=marked[alone[marked]])
    return kept


def protect_changes(changes: pd.DataFrame, protected: pd.DataFrame) -> pd.DataFrame:
    """Leave out revised counts of a breakdown that are small, or whose cell is hidden elsewhere.

    Args:
        changes: Revised figures: ``before`` and ``after`` beside the columns that name a cell.
        protected: Result of :func:`protect` for the same release.

    Returns:
        The other rows, and a column ``suppressed``, always False: whoever knows which hidden cells are as they were can
        hold two releases against each other.
    """
    if changes.empty or not set(_KEY) <= set(changes.columns):
        return changes.assign(suppressed=False)
    keys = pd.MultiIndex.from_frame(protected.loc[protected["suppressed"], _KEY])
    small = _is_small(changes["before"]) | _is_small(changes["after"])
    hide = is_breakdown(changes) & (small | pd.MultiIndex.from_frame(changes[_KEY]).isin(keys))
    return changes[~hide].assign(suppressed=False)


def refuse_small_counts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame if no count of 1–4 by citizenship is in it: the last check of everything that leaves.

    Raises:
        SchemaError: Disclosure control was forgotten on the way: a fault in the code, not in the data.
    """
    if "citizen" not in frame:
        return frame
    cells = is_breakdown(frame) if "target" in frame else ~frame["citizen"].isin([ALL, NOT_APPLICABLE])
    for name in (name for name in _COUNTS if name in frame):
        if (cells & _is_small(pd.to_numeric(frame[name], errors="coerce"))).any():
            raise SchemaError(f"column '{name}' holds counts of 1 to {SMALLEST_SHOWN - 1} by citizenship: not to leave")
    return frame


def is_breakdown(frame: pd.DataFrame) -> pd.Series:
    """Which rows count persons of one citizenship."""
    return frame["target"].isin(TARGETS) & ~frame["citizen"].isin([ALL, NOT_APPLICABLE])


def _breakdown(observations: pd.DataFrame) -> pd.DataFrame:
    """Rows with a count by citizenship, the number of their ``cell``, and how many of their total are ``untold``."""
    inside = is_breakdown(observations) & observations["obs_value"].notna()
    rows = observations.loc[inside, ["source_id", *_KEY, "obs_value"]]
    totals = observations[observations["citizen"] == ALL].groupby(_TOTAL)["obs_value"].max()
    told = totals.reindex(pd.MultiIndex.from_frame(rows[_TOTAL])).to_numpy()
    untold = told - rows.groupby(_TOTAL)["obs_value"].transform("sum")
    return rows.assign(cell=rows.groupby(_KEY, sort=True).ngroup(), untold=untold.fillna(0))


def _is_small(counts: pd.Series) -> pd.Series:
    return counts.gt(0) & counts.lt(SMALLEST_SHOWN)


def _hidden_cells(rows: pd.DataFrame, hidden_before: _Mask, unchanged: _Mask) -> _Mask:
    """Which cells to hide, by cell number; both masks (what a former release hid, and had alike) by cell number too."""
    values = rows.groupby("cell")["obs_value"].max().to_numpy()
    sensitive = _is_small(rows["obs_value"]).groupby(rows["cell"]).any().to_numpy()
    cells = rows.drop_duplicates("cell").set_index("cell").sort_index()[_KEY]
    count, finer = len(cells), _finer_than_route(cells)
    cells, values = _with_unpublished(cells, values)
    # What nobody publishes is hidden, may follow, and ties published levels together.
    finer, sensitive, unchanged, hidden_before = (
        np.pad(mask, (0, len(cells) - count), constant_values=fill)
        for mask, fill in ((finer, True), (sensitive, False), (unchanged, False), (hidden_before, False))
    )
    members = _exact(_number([_by_citizen(rows), *_by_place(cells), *_by_time(cells)]), values)
    guarded = sensitive | (hidden_before & ~finer)
    nothing = np.zeros_like(sensitive)
    # What became small follows from what its total gained, unless something else that changed is hidden.
    became_small = sensitive & ~unchanged & ~hidden_before if unchanged.any() else nothing
    for known, small, own in (
        (unchanged, became_small, became_small.copy()),
        # What was shown before guards nothing; where nothing else is left, at least from who has this release alone.
        (unchanged & ~hidden_before & ~sensitive, sensitive, guarded),
        (nothing, sensitive, guarded),
    ):
        asked = small.copy()
        # What follows from the totals alone is not helped by hiding more.
        while vain := _determined(members, values, asked, ~known):
            asked[vain] = False
        while True:
            _guard(members, values, own, finer | guarded, known)
            guarded |= own
            hidden: _Mask = (guarded | finer) & ~known
            determined = _determined(members, values, asked, hidden)
            more = [_beside(cell, members, values, hidden, known) for cell in determined]
            chosen = [cell for cell in more if cell is not None]
            if not chosen:
                break
            own[chosen] = True
    return hidden[:count]


def _finer_than_route(cells: pd.DataFrame) -> _Mask:
    """Cells of single places in periods in which their whole route is broken down too."""
    over = ["target", "route_id", "freq", "time_period"]
    route = cells["geo"] == ALL
    broken_down = route.groupby([cells[name] for name in over]).transform("any")
    mask: _Mask = (broken_down & ~route).to_numpy()
    return mask


def _number(parts: list[_Members]) -> _Members:
    """Relations of every kind in one table, numbered on."""
    members = pd.concat([part.assign(kind=kind) for kind, part in enumerate(parts)], ignore_index=True)
    members["relation"] = members.groupby(["kind", "relation"], sort=False).ngroup()
    return members.fillna({"untold": 0.0})


def _by_citizen(rows: pd.DataFrame) -> _Members:
    """A source's total is the sum of its citizenships."""
    relation = rows.groupby(_TOTAL).ngroup()
    return pd.DataFrame({"relation": relation, "cell": rows["cell"], "part": 1, "untold": rows["untold"]})


def _exact(members: _Members, values: NDArray[np.float64]) -> _Members:
    """With ``exact``: all of the whole is told in its parts; else nothing follows from counts not being negative."""
    relation, part = members["relation"].to_numpy(), members["part"].to_numpy()
    beyond = np.bincount(relation, part * values[members["cell"]])
    beyond = np.where(np.bincount(relation, part == -1) > 0, beyond, np.bincount(relation, members["untold"].abs()))
    return members.assign(exact=np.abs(beyond[relation]) < 1e-6)


def _by_place(cells: pd.DataFrame) -> Iterator[_Members]:
    """A route is the sum of its places, and all routes the sum of each, citizenship by citizenship."""
    for dimension in ("geo", "route_id"):
        others = [name for name in _KEY if name != dimension]
        parts = cells[~cells[dimension].isin([ALL, NOT_APPLICABLE])]
        yield _sums(cells[cells[dimension] == ALL], parts, others)


def _by_time(cells: pd.DataFrame) -> Iterator[_Members]:
    """A quarter or a year is the sum of its months or quarters, where all of them are there."""
    others = ["target", "route_id", "geo", "citizen"]
    months, quarters, years = (cells[cells["freq"] == freq] for freq in ("M", "Q", "A"))
    quarter = _quarter(months["time_period"])
    for whole, parts, count in (
        (quarters, months.assign(time_period=quarter), _MONTHS_PER_QUARTER),
        (years, months.assign(time_period=months["time_period"].str[:4]), _MONTHS_PER_YEAR),
        (years, quarters.assign(time_period=quarters["time_period"].str[:4]), _QUARTERS_PER_YEAR),
    ):
        over = [*others, "time_period"]
        yield _sums(whole, parts[parts.groupby(over)["freq"].transform("size") == count], over)


def _quarter(months: pd.Series) -> pd.Series:
    return months.str[:4] + "-Q" + ((months.str[5:7].astype(int) + 2) // 3).astype(str)


def _with_unpublished(cells: pd.DataFrame, values: NDArray[np.float64]) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Cells with the quarters and years that nobody publishes, and that follow where all of their parts are there.

    A route by month and its places by quarter have no cell in common; the route's quarter has a sum with each.
    """
    others = ["target", "route_id", "geo", "citizen"]
    for part, whole, label, count in (
        ("M", "Q", _quarter, _MONTHS_PER_QUARTER),
        ("Q", "A", lambda periods: periods.str[:4], _QUARTERS_PER_YEAR),
        ("M", "A", lambda periods: periods.str[:4], _MONTHS_PER_YEAR),
    ):
        parts = cells[cells["freq"] == part].assign(value=values[(cells["freq"] == part).to_numpy()])
        parts = parts.assign(freq=whole, time_period=label(parts["time_period"]))
        sums = parts.groupby([*others, "freq", "time_period"])["value"].agg(["size", "sum"]).reset_index()
        made = sums[sums["size"] == count].merge(cells, on=_KEY, how="left", indicator=True)
        level = ["target", "citizen", "freq", "time_period"]
        tied = pd.MultiIndex.from_frame(made[level]).isin(pd.MultiIndex.from_frame(cells[level]))
        made = made[(made["_merge"] == "left_only") & tied]
        cells = pd.concat([cells, made[_KEY]], ignore_index=True).rename_axis("cell")
        values = np.append(values, made["sum"].to_numpy())
    return cells, values


def _sums(whole: pd.DataFrame, parts: pd.DataFrame, over: list[str]) -> _Members:
    """Each cell of ``whole`` beside the parts that share its other dimensions; wholes without parts are left out."""
    wholes = whole[over].reset_index()
    matched = parts[over].reset_index().merge(wholes.rename(columns={"cell": "relation"}), on=over)
    sums = wholes.loc[wholes["cell"].isin(matched["relation"]), "cell"]
    return pd.concat(
        [
            matched[["relation", "cell"]].assign(part=1),
            pd.DataFrame({"relation": sums, "cell": sums, "part": -1}),
        ],
        ignore_index=True,
    )


def _guard(members: _Members, values: NDArray[np.float64], guarded: _Mask, finer: _Mask, known: _Mask) -> None:
    """Guard the smallest further cell of every sum that gives a guarded one away, until none does.

    Args:
        members: The published sums.
        values: Persons in each cell.
        guarded: Cells that must not follow from what is shown; changed here.
        finer: Cells that are not shown, but may follow: what is finer than a route.
        known: Cells that guard nothing, for they are known otherwise.
    """
    cell, part = members["cell"].to_numpy(), members["part"].to_numpy()
    order = np.lexsort((values[cell], values[cell] == 0, members["relation"].to_numpy()))
    cell, part, relation = cell[order], part[order], members["relation"].to_numpy()[order]
    count = int(relation.max()) + 1
    while True:
        now = ((guarded | finer) & ~known)[cell]
        number = np.bincount(relation, now, count)
        persons = np.bincount(relation, now * (part == 1) * values[cell], count)
        whole_hidden = np.bincount(relation, now & (part == -1), count) > 0
        concerned = np.bincount(relation, guarded[cell], count) > 0
        weak = concerned & ((number == 1) | ((persons < SMALLEST_SHOWN) & ~whole_hidden))
        candidates = np.flatnonzero(weak[relation] & ~now & ~known[cell])
        if not len(candidates):
            return
        _first, places = np.unique(relation[candidates], return_index=True)
        guarded[cell[candidates[places]]] = True


def _determined(members: _Members, values: NDArray[np.float64], sensitive: _Mask, hidden: _Mask) -> list[int]:
    """Small counts that follow from the published sums: by subtracting one after another, or by solving several.

    No count is negative, so that a hidden zero can be told by what must be added up to nothing (Fischetti and
    Salazar-González, *Management Science* 47, 2001). Hidden cells that share no sum, even through others, are solved
    apart, so that each system is small.
    """
    followed = _follow(members, values, hidden)
    fixed = np.flatnonzero(followed & sensitive)
    if len(fixed):
        return [int(cell) for cell in fixed]
    unknown = members[(hidden & ~followed)[members["cell"]]]
    relations, rows = np.unique(unknown["relation"], return_inverse=True)
    exact = unknown["exact"].to_numpy()
    cells, columns = np.unique(unknown["cell"], return_inverse=True)
    if not len(cells):
        return []
    edges = coo_matrix((np.ones(len(rows)), (rows, columns + len(relations))), (len(relations) + len(cells),) * 2)
    component = connected_components(edges, directed=False)[1][len(relations) :]
    found: list[int] = []
    for number in np.unique(component[sensitive[cells]]):
        chosen = np.flatnonzero(component[columns] == number)
        own, place = np.unique(columns[chosen], return_inverse=True)
        equation = np.unique(rows[chosen], return_inverse=True)[1]
        system = np.zeros((equation.max() + 1, len(own)))
        system[equation, place] = unknown["part"].to_numpy()[chosen]
        asked, zero = sensitive[cells[own]], values[cells[own]] == 0
        solved = _solved(system)
        found += [int(cells[own[at]]) for at in np.flatnonzero(solved & asked)]
        if zero.any():
            exactly = system[np.bincount(equation, exact[chosen]) > 0]
            doubtful = asked & ~solved
            doubtful[~zero] &= _solved(exactly[:, ~zero])  # others can move without any zero
            found += [int(cells[own[at]]) for at in _bounded(exactly, zero, doubtful)]
    return found


def _follow(members: _Members, values: NDArray[np.float64], hidden: _Mask) -> _Mask:
    """Hidden cells that are alone in a sum or part of one of nothing, once those that followed before are known."""
    relation, cell, part = (members[name].to_numpy() for name in ("relation", "cell", "part"))
    unknown, count = hidden.copy(), int(relation.max()) + 1
    some = (part == -1) | (values[cell] > 0) | ~members["exact"].to_numpy()
    while True:
        open_ = unknown[cell]
        alone = np.bincount(relation, open_, count) == 1
        empty = np.bincount(relation, open_ & some, count) == 0
        new = np.unique(cell[(alone | empty)[relation] & open_])
        if not len(new):
            return hidden & ~unknown
        unknown[new] = False


def _solved(system: NDArray[np.float64]) -> _Mask:
    """Unknowns with one solution: those whose unit vector is a combination of the equations."""
    return _solved_once(system.tobytes(), system.shape)


# The same few hundred systems come again and again: in other periods, and each time that a cell was hidden elsewhere.
@lru_cache(maxsize=1024)
def _solved_once(system: bytes, shape: tuple[int, ...]) -> _Mask:
    _left, scale, right = np.linalg.svd(np.frombuffer(system).reshape(shape), full_matrices=False)
    basis = right[scale > 1e-9]
    mask: _Mask = np.square(basis).sum(axis=0) > 1 - 1e-9
    mask.flags.writeable = False  # all who ask share it
    return mask


def _bounded(system: NDArray[np.float64], zero: _Mask, asked: _Mask) -> list[int]:
    """Unknowns that can neither grow nor shrink while all equations hold and what is zero does not fall below."""
    bounds = [(0.0 if one else -1.0, 1.0) for one in zero]
    right, fixed, left = np.zeros(len(system)), [], asked.copy()
    goals = [np.where(asked, sign, 0.0) for sign in (-1.0, 1.0)] if asked.any() else []
    # A move of all together shows for most of them that they can; what it leaves is asked one by one.
    while left.any() or goals:
        at = None if goals else int(np.flatnonzero(left)[0])
        for goal in [goals.pop()] if at is None else [np.eye(1, len(zero), at)[0] * sign for sign in (-1, 1)]:
            moved = linprog(goal, A_eq=system, b_eq=right, bounds=bounds).x
            if moved is not None:  # there always is one: nothing moves
                left &= np.abs(moved) < 1e-7
        if at is not None and left[at]:
            fixed.append(at)
            left[at] = False
    return fixed


def _beside(cell: int, members: _Members, values: NDArray[np.float64], hidden: _Mask, known: _Mask) -> int | None:
    """The smallest cell still shown in any sum of a cell, else in any sum of those; None where all are hidden."""
    relation, cells = members["relation"].to_numpy(), members["cell"].to_numpy()
    near = np.array([cell])
    while True:
        others = np.unique(cells[np.isin(relation, relation[np.isin(cells, near)])])
        shown = others[~(hidden | known)[others]]
        if len(shown):
            positive = shown[values[shown] > 0]
            among = positive if len(positive) else shown
            return int(among[np.argmin(values[among])])
        further = others[hidden[others]]
        if len(further) <= len(near):
            return None
        near = further
