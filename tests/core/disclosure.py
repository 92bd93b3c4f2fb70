"""Who knows all sums of a release, and of the one before it: which small counts can be worked out? Linear programs.

    python -m tests.core.disclosure [--worlds N] [--home HOME] [--write]

Made up are hierarchies (routes, places and citizenships, each with its totals, half of them with quarters) and
crosswise levels (routes by month, their places by quarter); of each also pairs of successive releases between which a
few figures were revised. Of the newest two releases of HOME every figure by citizenship is attacked.

The attacker knows every total, which levels add up, that no count is negative, and of a pair which figures are as they
were. A count is worked out where one value alone agrees with all that (Fischetti and Salazar-González, *Solving the
cell suppression problem on tabular data with linear constraints*, Management Science 2001).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog

from benchmarks.shared import Options, page_command, report, table
from core.disclosure import SMALLEST_SHOWN, cells_to_withhold, is_breakdown, protect
from core.schema import ALL, TARGETS
from core.settings import PROJECT
from store.releases import Release, ReleaseStore

KEY = ["route_id", "geo", "citizen", "time_period"]
_DRAWN = (0, 0, 1, 2, 3, 4, 5, 6, 9, 30, 80)
_AT_ONCE, _CLOSE = 100, 1e-6
_UNTOLD = "untold"
"""Persons of a total whose place or citizenship nobody tells."""
Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Published:
    """One release.

    Attributes:
        rows: Every figure that it holds: ``KEY`` and ``obs_value``.
        shown: Which of them it shows.
    """

    rows: pd.DataFrame
    shown: Mask

    @property
    def small(self) -> Mask:
        """Hidden counts of 1 to 4 by citizenship."""
        values, is_told = (
            self.rows["obs_value"],
            ~self.rows["citizen"].isin([ALL, _UNTOLD]) & (self.rows["geo"] != _UNTOLD),
        )
        mask: Mask = ~self.shown & (is_told & values.gt(0) & values.lt(SMALLEST_SHOWN)).to_numpy()
        return mask


@dataclass
class Found:
    """What became of worlds of one kind: figures by citizenship, how many are hidden, small, worked out.

    ``anyway`` counts those worked out that are so even where the newest release shows totals alone: nothing that it
    could hide would help.
    """

    worlds: int = 0
    figures: int = 0
    hidden: int = 0
    small: int = 0
    followed: int = 0
    anyway: int = 0

    def attack(self, releases: Sequence[Published]) -> None:
        """Count the newest of some releases, and attack the small counts of all."""
        citizens = ~releases[-1].rows["citizen"].isin([ALL, _UNTOLD]).to_numpy()
        self.worlds += 1
        self.figures += int(citizens.sum())
        self.hidden += int((citizens & ~releases[-1].shown).sum())
        self.small += sum(int(one.small.sum()) for one in releases)
        if followed := set(worked_out(releases)):
            self.followed += len(followed)
            self.anyway += len(followed & set(worked_out(with_totals_alone(releases))))

    def cells(self, kind: str) -> list[object]:
        """A row of the table."""
        share = f"{self.hidden:,} ({self.hidden / max(self.figures, 1):.0%})"
        counted = (f"{one:,}" for one in (self.small, self.followed, self.anyway))
        return [kind, f"{self.worlds:,}", f"{self.figures:,}", share, *counted]


HEAD = "what is released | worlds | figures by citizenship | hidden | small counts | worked out | by totals alone"
WORDS = (
    "`python -m tests.core.disclosure --home HOME --write`, linear programs for every small count: who attacks knows",
    "all totals, that no count is negative, and of a pair of releases which figures are as they were. HOME holds two",
    "releases of the bundled figures; a world of these is a route's period with the places of one source. Others are",
    "made up of small counts mostly. By totals alone: from the release before and the newest totals, even if that",
    "showed nothing by citizenship.",
)


def with_totals_alone(releases: Sequence[Published]) -> list[Published]:
    """The same releases, had the newest shown totals alone."""
    newest = releases[-1]
    return [*releases[:-1], replace(newest, shown=newest.shown & (newest.rows["citizen"] == ALL).to_numpy())]


def worked_out(releases: Sequence[Published]) -> list[tuple[int, int]]:
    """Small counts with one value alone, by the number of their release and of their row."""
    small = [(number, int(row)) for number, one in enumerate(releases) for row in np.flatnonzero(one.small)]
    if not small:
        return []
    sums = _sums(releases)
    width = sums[0].shape[1]

    def of_release(number: int, part: Matrix) -> Matrix:
        return np.pad(part, ((0, 0), (number * width, (len(releases) - 1 - number) * width)))

    known = [of_release(number, sums[number][one.shown]) for number, one in enumerate(releases)]
    right = [one.rows["obs_value"].to_numpy()[one.shown] for one in releases]
    for number, (old, new) in enumerate(pairwise(releases)):
        same = old.rows.reset_index().merge(new.rows.reset_index(), on=[*KEY, "obs_value"])
        before, after = (
            of_release(number + later, sums[number + later][same[name]])
            for later, name in enumerate(("index_x", "index_y"))
        )
        known.append(before - after)
        right.append(np.zeros(len(same)))
    equations = np.unique(np.column_stack([np.vstack(known), np.concatenate(right)]), axis=0)

    goals = np.vstack([of_release(number, sums[number][row : row + 1]) for number, row in small])
    truth = np.array([releases[number].rows["obs_value"].to_numpy()[row] for number, row in small])
    return [small[at] for at in np.flatnonzero(_fixed(goals, truth, equations))]


def _fixed(goals: Matrix, truth: Matrix, equations: Matrix) -> Mask:
    """Which goals are the same in every world. A world that raises or lowers many at once is a witness for each."""
    # Worlds are convex: what can move far can move a little, so that bounds near the truth hide nothing.
    bounds = (0, float(np.abs(equations[:, -1]).max(initial=0) + 100))
    left = np.ones(len(goals), dtype=bool)

    def witnessed(asked: Mask) -> bool:
        before = left.sum()
        for sign in (-1, 1):
            solved = linprog(
                sign * goals[asked].sum(axis=0), A_eq=equations[:, :-1], b_eq=equations[:, -1], bounds=bounds
            )
            if solved.x is None:
                raise SystemExit(f"a linear program without a solution, although the truth is one: {solved.message}")
            left[np.abs(goals @ solved.x - truth) > _CLOSE] = False
        return bool(left.sum() < before)

    while left.any() and witnessed(left.copy()):
        pass
    for at in np.flatnonzero(left):
        if left[at]:
            witnessed(np.arange(len(goals)) == at)
    return left


def _sums(releases: Sequence[Published]) -> list[Matrix]:
    """Of each release, which counts each figure is the sum of: figures × counts of route, place, citizen and month."""
    rows = pd.concat([one.rows for one in releases])
    citizens = sorted(set(rows["citizen"]) - {ALL})
    months = sorted({month for period in rows["time_period"].unique() for month in _months(period)})
    base = [
        (route, place, citizen, month)
        for route, own in rows[rows["route_id"] != ALL].groupby("route_id")
        for place, citizen, month in product(sorted(set(own["geo"]) - {ALL}) or [ALL], citizens, months)
    ]
    parts = np.array(base, dtype=object).T
    found = []
    for one in releases:
        out = np.array([np.isin(parts[3], _months(period)) for period in one.rows["time_period"]])
        for name, part in zip(KEY[:3], parts[:3], strict=True):
            values = one.rows[name].to_numpy()[:, None]
            out &= (values == ALL) | (values == part[None, :])
        found.append(out.astype(float))
    return found


def _months(period: str) -> list[str]:
    year, _, quarter = period.partition("-Q")
    return [f"{year}-{3 * int(quarter) - 2 + at:02d}" for at in range(3)] if quarter else [period]


@dataclass(frozen=True)
class World:
    """Counts by route, place, citizenship and month, and which of their sums there are.

    Attributes:
        counts: The counts.
        crosswise: Places are told by quarter, routes by month.
        routes_by_citizen: Routes are broken down too.
        quarters: What is told by month is told by quarter too.
    """

    counts: NDArray[np.int64]
    crosswise: bool
    routes_by_citizen: bool
    quarters: bool

    @classmethod
    def draw(cls, draw: np.random.Generator, *, crosswise: bool) -> World:
        """One by chance."""
        quarters = bool(draw.integers(2))
        size = (draw.integers(1, 3), draw.integers(1, 4), draw.integers(2, 6), 3 if crosswise or quarters else 1)
        return cls(draw.choice(_DRAWN, size), crosswise, crosswise or bool(draw.integers(3)), quarters)

    def revised(self, draw: np.random.Generator) -> World:
        """The same after a few counts grew; some by little."""
        counts = self.counts.copy()
        for _ in range(draw.integers(1, 4)):
            counts[tuple(draw.integers(0, counts.shape))] += draw.choice([1, 2, 5, 9])
        return replace(self, counts=counts)

    def figures(self, year: int) -> pd.DataFrame:
        """All its figures, total and by citizenship."""
        routes, places, _citizens, months = (list(range(size)) for size in self.counts.shape)
        by_month = {f"{year}-{month + 1:02d}": [month] for month in months}
        by_quarter = {f"{year}-Q1": months} if len(months) == 3 else {}
        of_route = by_month | (by_quarter if self.quarters else {})
        of_place = by_quarter if self.crosswise else of_route
        levels = [(f"R{at}", ALL, [at], places, of_route, self.routes_by_citizen) for at in routes]
        if len(routes) > 1:
            levels.append((ALL, ALL, routes, places, of_route, self.routes_by_citizen))
        levels += [(f"R{at}", f"P{place}", [at], [place], of_place, True) for at in routes for place in places]
        rows = []
        for route, geo, own_routes, own_places, periods, by_citizen in levels:
            for period, own_months in periods.items():
                counted = self.counts[np.ix_(own_routes, own_places, _citizens, own_months)].sum(axis=(0, 1, 3))
                told = {ALL: counted.sum()} | (
                    {f"C{at}": count for at, count in enumerate(counted)} if by_citizen else {}
                )
                rows += [(route, geo, citizen, period, float(count)) for citizen, count in told.items()]
        frame = pd.DataFrame(rows, columns=[*KEY, "obs_value"])
        freq = frame["time_period"].str.contains("Q").map({True: "Q", False: "M"})
        return frame.assign(source_id="one", target="arrivals", freq=freq, year=year)


def made_up(worlds: int, *, crosswise: bool, revised: bool, seed: int = 7) -> Iterator[list[Published]]:
    """Worlds by chance, each with one release, or with two between which a few figures were revised."""
    draw = np.random.default_rng([seed, crosswise, revised])
    for first in range(0, worlds, _AT_ONCE):
        # Many at once, each in a year of its own: no sum joins two of them.
        drawn = [World.draw(draw, crosswise=crosswise) for _ in range(min(_AT_ONCE, worlds - first))]
        states = [drawn, [one.revised(draw) for one in drawn]] if revised else [drawn]
        told = _released([pd.concat([one.figures(1000 + at) for at, one in enumerate(state)]) for state in states])
        for year in range(1000, 1000 + len(drawn)):
            own = [(one, (one.rows["year"] == year).to_numpy()) for one in told]
            yield [Published(one.rows[mask].reset_index(drop=True), one.shown[mask]) for one, mask in own]


def _released(frames: Iterable[pd.DataFrame]) -> list[Published]:
    """Successive releases of some observations."""
    told: list[Published] = []
    former, withheld = None, None
    for frame in frames:
        rows = frame.reset_index(drop=True)
        withheld = cells_to_withhold(rows, former, withheld)
        told.append(Published(rows, _shown(rows, withheld)))
        former = rows
    return told


def _shown(rows: pd.DataFrame, withheld: pd.DataFrame) -> Mask:
    out = protect(rows, withheld)
    mask: Mask = rows.index.isin(out.index[~out["suppressed"]])
    return mask


def becomes_small(releases: Sequence[Published]) -> bool:
    """Whether a count becomes small: beside it, figures shown before cannot be taken back."""
    before, after = (set(map(tuple, one.rows.loc[one.small, KEY].to_numpy())) for one in releases)
    return bool(after - before)


def published(releases: Sequence[Release]) -> Iterator[list[Published]]:
    """Figures by citizenship of real releases, a route's period at a time, with the places of one source at a time.

    Where places and their route do not add up, for they come from different publishers, each is taken alone.
    """
    frames, over = [], ["target", "route_id", "time_period"]
    for told in _released([release.read("observations") for release in releases]):
        rows = told.rows.assign(shown=told.shown)
        rows = rows[rows["target"].isin(TARGETS) & rows["obs_value"].notna() & (rows["route_id"] != ALL)]
        is_told = is_breakdown(rows).groupby([rows[name] for name in over]).transform("any")
        frames.append(dict(iter(rows[is_told].groupby(over))))
    for key in frames[-1]:
        states = [frame[key] for frame in frames if key in frame]
        places = sorted({source for one in states for source in one.loc[one["geo"] != ALL, "source_id"]})
        for source in places or [None]:
            levels = [one[(one["geo"] == ALL) | (one["source_id"] == source)] for one in states]
            yield from _adding_up(levels)


def _adding_up(states: Sequence[pd.DataFrame]) -> Iterator[list[Published]]:
    """With what no place or citizenship tells, so that all adds up; apart where it cannot."""
    whole = [_completed(one) for one in states]
    if all(one is not None for one in whole):
        yield [one for one in whole if one is not None]
        return
    for is_route in (True, False):
        parts = [_completed(one[(one["geo"] == ALL) == is_route]) for one in states]
        if all(one is not None and len(one.rows) for one in parts):
            yield [one for one in parts if one is not None]


def _completed(rows: pd.DataFrame) -> Published | None:
    cells = rows.pivot_table(index="geo", columns="citizen", values="obs_value", aggfunc="first")
    if ALL not in cells:
        return None
    cells[_UNTOLD] = cells[ALL] - cells.drop(columns=ALL).sum(axis=1)
    if ALL in cells.index and len(cells) > 1:
        route, places = cells.loc[ALL], cells.drop(index=ALL)
        by_citizen = cells.columns if route.drop([ALL, _UNTOLD]).notna().any() else [ALL]
        cells.loc[_UNTOLD] = (route.fillna(0) - places.sum()).reindex(by_citizen)
    if (cells.fillna(0) < 0).to_numpy().any():
        return None
    added = cells.reset_index().melt("geo", value_name="obs_value")
    added = added[(added["citizen"] == _UNTOLD) | (added["geo"] == _UNTOLD)]
    # Where the only citizenship of a total is left out, an outsider cannot know that there is no other.
    alone = (rows["citizen"] != ALL).sum() == 1
    added = added[(added["obs_value"] > 0) | (alone & (added["citizen"] == _UNTOLD))].assign(
        shown=False, **rows.iloc[0][["route_id", "time_period"]]
    )
    out = pd.concat([rows, added], ignore_index=True)
    return Published(out[[*KEY, "obs_value"]], out["shown"].astype(bool).to_numpy())


def section(given: argparse.Namespace) -> tuple[list[str], bool]:
    """Attack; a row is shown as soon as it is known."""
    rows: list[list[object]] = []

    def keep(kind: str, found: Found) -> None:
        rows.append(found.cells(kind))
        report(" | ".join(map(str, rows[-1])))

    for kind, crosswise, number in (
        ("hierarchies", False, given.worlds),
        ("crosswise levels", True, given.worlds // 5),
    ):
        alone, pairs, becoming = Found(), Found(), Found()
        for releases in made_up(number, crosswise=crosswise, revised=False):
            alone.attack(releases)
        keep(kind, alone)
        for releases in made_up(given.worlds // 5, crosswise=crosswise, revised=True):
            (becoming if becomes_small(releases) else pairs).attack(releases)
        keep(f"{kind}: two releases in succession", pairs)
        keep(f"{kind}: two releases, a count becomes small", becoming)
    if given.home is not None:
        newest = list({one.as_of: one for one in ReleaseStore(given.home).all()}.values())[-2:]
        alone, pairs = Found(), Found()
        for releases in published(newest):
            alone.attack(releases[-1:])
            pairs.attack(releases)
        keep(f"bundled figures, as known on {newest[-1].as_of}", alone)
        keep(f"bundled figures, as known on {' and '.join(str(one.as_of) for one in newest)}", pairs)
    return [*WORDS, "", *table(HEAD, rows)], True


if __name__ == "__main__":
    options: Options = {
        "--worlds": {"type": int, "default": 10_000, "help": "hierarchies; a fifth as many of each other kind"},
        "--home": {"type": Path, "help": "home folder with two releases or more"},
    }
    sys.exit(page_command(PROJECT / "docs" / "threats.md", "Disclosure", section, options=options))
