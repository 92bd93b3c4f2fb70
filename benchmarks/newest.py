"""Wrong newest figures and real ones, reported and held: ``python -m benchmarks.newest 3000 1 --write``.

Every published file is cut at past periods, and the figures of the next period arrive as an edition: as they are (a
real figure that is held is a false alarm), and with a fault of a known kind. Files with dated editions are read in
order of publication by ``python -m benchmarks.real_editions``. Needs the published files, named by VIGIE_RAW_DATA.

A fault counts where it changes a figure by 20 persons or more, or an index at all. It is reported where a reason of
another kind than the sound edition's is given, or where a reason counts a wrong figure; else it is silent.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pandas as pd

from benchmarks.damaged_files import FILES
from benchmarks.shared import INGESTION, page_command, published_files, table
from core.calendar import Frequency
from core.errors import Message
from core.log import progress_bar
from core.release import REVISIONS
from ingest import RawFile
from ingest.newest import ENOUGH_HISTORY, LEAST, MARKS, weigh
from ingest.plausibility import Judgement, judge
from ingest.rows import period_ends
from ingest.sources import CARDS, SOURCES

TITLE = "Wrong newest figures"
HELD, REPORTED, SILENT, BEYOND = "held", "reported", "silent", "silent and outside all that its series did"
YEARS = {"D": 365, "W": 52, "M": 12, "Q": 4, "A": 1}
PERIODS_OF_AN_EDITION = {"D": 7, "W": 2}
"""Periods that arrive together, by frequency; else one."""
LARGEST = 60
"""Series kept of a file that has more: the totals, and others drawn by the seed."""
TARGETS = 8
"""Targets kept of a file that has more, drawn by the seed."""
NO_REVISIONS = pd.DataFrame(columns=list(REVISIONS.columns))
LATER = pd.Timedelta(days=40)
PARTIAL = "a partial period"
Fault = Callable[[random.Random, pd.DataFrame, pd.DataFrame, pd.Series], pd.Series]
"""Takes the new rows, all known rows and which of the new rows are chosen; gives figures by index."""


@dataclass(frozen=True)
class Growing:
    """One target of one file, whose periods arrive one after the other.

    Attributes:
        source_id: Whose it is.
        file: Its name.
        freq: Its frequency.
        figures: All figures, the newest vintage of each.
        periods: Its periods, ascending.
        first: Place of the first period that is judged.
    """

    source_id: str
    file: str
    freq: Frequency
    figures: pd.DataFrame
    periods: list[str]
    first: int

    @property
    def together(self) -> int:
        """Periods that arrive together."""
        return PERIODS_OF_AN_EDITION.get(self.freq, 1)

    def places(self) -> range:
        """Where it can be cut."""
        return range(self.first, len(self.periods) - self.together + 1, self.together)

    def cut(self, place: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """What is known, and what arrives."""
        arriving = self.figures["time_period"].isin(self.periods[place : place + self.together])
        return self.figures[self.figures["time_period"] < self.periods[place]], self.figures[arriving]


def growing(folder: Path, numbers: random.Random) -> Iterator[Growing]:
    """Every target of every published file, one of each pair of files that hold the same."""
    for source_id, names in FILES.items():
        for name in names:
            raw = RawFile(Path(name).name, (folder / name).read_bytes())
            rows = SOURCES[source_id].parse(raw).observations
            rows = rows.sort_values("as_of", kind="stable").drop_duplicates(["series_id", "time_period"], keep="last")
            targets = sorted(rows["target"].unique())
            rows = rows[rows["target"].isin(numbers.sample(targets, min(TARGETS, len(targets))))]
            for (_target, freq), part in rows.groupby(["target", "freq"]):
                yield from _growing(source_id, raw.name, str(freq), part, numbers)


def _growing(source_id: str, file: str, freq: str, part: pd.DataFrame, numbers: random.Random) -> Iterator[Growing]:
    named = sorted(part["series_id"].unique())
    totals = sorted(part.loc[part["citizen"].isin(["_T", "_Z"]), "series_id"].unique())
    kept = (
        totals if len(totals) > LARGEST else [*totals, *numbers.sample(named, min(LARGEST, len(named)) - len(totals))]
    )
    if len(kept) > LARGEST:
        kept = numbers.sample(kept, LARGEST)
    part = part[part["series_id"].isin(kept)]
    periods = sorted(part["time_period"].unique())
    first = ENOUGH_HISTORY * PERIODS_OF_AN_EDITION.get(freq, 1) + YEARS[freq]
    one = Growing(source_id, file, cast(Frequency, freq), part, periods, first)
    if len(one.places()):
        yield one


def _times(factor: float) -> Fault:
    def fault(_numbers: random.Random, new: pd.DataFrame, known: pd.DataFrame, chosen: pd.Series) -> pd.Series:
        scaled = new["obs_value"] * factor
        whole = bool((known["obs_value"] % 1 == 0).all())
        return new["obs_value"].mask(chosen, scaled // 1 if whole else scaled)

    return fault


def _zero(_numbers: random.Random, new: pd.DataFrame, _known: pd.DataFrame, chosen: pd.Series) -> pd.Series:
    return new["obs_value"].mask(chosen, 0.0)


def _before(periods: int) -> Fault:
    def fault(_numbers: random.Random, new: pd.DataFrame, known: pd.DataFrame, chosen: pd.Series) -> pd.Series:
        return new["obs_value"].mask(chosen, _lagged(new, known, periods).fillna(new["obs_value"]))

    return fault


def _lagged(new: pd.DataFrame, known: pd.DataFrame, periods: int) -> pd.Series:
    freq = str(new["freq"].iloc[0])
    steps = periods * PERIODS_OF_AN_EDITION.get(freq, 1) or YEARS[freq]
    places = sorted({*known["time_period"], *new["time_period"]})
    at = {period: places[number - steps] for number, period in enumerate(places) if number >= steps}
    values = known.set_index(["series_id", "time_period"])["obs_value"]
    index = pd.MultiIndex.from_arrays([new["series_id"], new["time_period"].map(at)])
    return pd.Series(values.reindex(index).to_numpy(), index=new.index)


def _running_sum(_numbers: random.Random, new: pd.DataFrame, known: pd.DataFrame, chosen: pd.Series) -> pd.Series:
    year = known[known["time_period"].str[:4] == new["time_period"].iloc[0][:4]]
    before = new["series_id"].map(year.groupby("series_id")["obs_value"].sum()).fillna(0.0)
    return new["obs_value"].mask(chosen, new["obs_value"] + before)


def _exchanged(numbers: random.Random, new: pd.DataFrame, _known: pd.DataFrame, chosen: pd.Series) -> pd.Series:
    first = new.loc[chosen, "series_id"].iloc[0]
    others = sorted(set(new["series_id"]) - {first})
    if not others:
        return new["obs_value"]
    swap = {first: (second := numbers.choice(others)), second: first}
    values = new.set_index(["series_id", "time_period"])["obs_value"]
    index = pd.MultiIndex.from_arrays([new["series_id"].replace(swap), new["time_period"]])
    return pd.Series(values.reindex(index).to_numpy(), index=new.index).fillna(new["obs_value"])


FAULTS: dict[str, tuple[Fault, bool]] = {
    "a figure × 1,000": (_times(1000), False),
    "a figure × 100": (_times(100), False),
    "a figure × 10": (_times(10), False),
    "a figure ÷ 10": (_times(0.1), False),
    "a figure ÷ 1,000": (_times(0.001), False),
    "zero": (_zero, False),
    "the period before again": (_before(1), False),
    "last year's again": (_before(0), False),
    "a running sum": (_running_sum, False),
    PARTIAL: (_times(0.5), False),
    "two series exchanged": (_exchanged, False),
    "all × 1,000": (_times(1000), True),
    "all × 10": (_times(10), True),
    "all × 2": (_times(2), True),
    "all ÷ 10": (_times(0.1), True),
    "all zero": (_zero, True),
    "all the period before again": (_before(1), True),
    "all last year's again": (_before(0), True),
    "all running sums": (_running_sum, True),
}
"""Each kind, and whether it falls on all series."""
OF_COUNTS = {"a running sum", "all running sums", PARTIAL}


def outcome(found: Judgement) -> str:
    """What becomes of an edition."""
    return HELD if found.held else REPORTED if found.reported else SILENT


def spoilt(numbers: random.Random, one: Growing) -> Iterator[tuple[str, str]]:
    """Each kind of fault in the edition of a random period, and what becomes of it."""
    known, new = one.cut(numbers.choice(one.places()))
    new = new.assign(obs_flag="", as_of_estimated=True)
    is_count = bool((known["obs_value"] % 1 == 0).all() and (known["obs_value"] >= 0).all())
    long = new["series_id"].map(known.groupby("series_id").size()) >= one.first - YEARS[one.freq]
    named = sorted(new.loc[long & ((new["obs_value"] >= LEAST) | (not is_count)), "series_id"].unique())
    end = period_ends(new).max()
    sound = judge(new, known, NO_REVISIONS, received=(end + LATER).date())
    for kind, (fault, is_of_all) in FAULTS.items():
        if not named or (kind in OF_COUNTS and not is_count) or (is_of_all and len(named) == 1):
            continue
        chosen = (new["series_id"] == numbers.choice(named)) | is_of_all
        if kind == PARTIAL:  # of days the last one
            chosen &= new["time_period"] == new["time_period"].max()
        values = fault(numbers, new, known, chosen)
        if (values - new["obs_value"]).abs().sum() < (LEAST if is_count else 1e-9):
            continue
        day = end if kind == PARTIAL else end + LATER
        wrong = new.assign(obs_value=values)
        found = judge(wrong, known, NO_REVISIONS, received=day.date())
        held, reported = ({one.template for one in mine} - {one.template for one in its} for mine, its in (
            (found.held, sound.held), (found.reported, sound.reported),
        ))  # fmt: skip
        yield kind, HELD if held else REPORTED if reported else _unless_marked(wrong, known, values != new["obs_value"])


def _unless_marked(new: pd.DataFrame, known: pd.DataFrame, is_wrong: pd.Series) -> str:
    """Reported where one of the wrong figures is among those that a reason counts, though it may name another."""
    weighed = weigh(new, known)
    wrong = weighed[weighed["series_id"].isin(new.loc[is_wrong, "series_id"])]
    if wrong[list(MARKS)].any(axis=None):
        return REPORTED
    return SILENT if (wrong["times_beyond"] <= 1).all() else BEYOND


def quotable(source_id: str, reason: Message) -> str:
    """A reason with its figures where the source's licence lets them be passed on, else without."""
    return str(reason) if CARDS[source_id].redistribution is not False else reason.template


@dataclass
class Found:
    """What became of the faults in one target of one file, and of its real editions.

    Attributes:
        faults: Number by kind and outcome.
        editions: Number of real editions by outcome.
        figures: Number of real figures.
        alarms: Why real editions are held, as a person sees it.
    """

    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    editions: Counter[str] = field(default_factory=Counter)
    figures: int = 0
    alarms: list[str] = field(default_factory=list)


_FILES: list[Growing] = []
"""The files, for the processes that share the work."""


def _share(share: tuple[int, int, int, int]) -> Found:
    """``number`` faults in one file by a seed, and each ``every``-th of its real editions as it is."""
    place, number, seed, every = share
    one, found, numbers = _FILES[place], Found(), random.Random(seed + place)  # noqa: S311  # damage, not secrets
    for _attempt in range(number):
        if found.faults.total() < number:
            found.faults.update(spoilt(numbers, one))
    for cut in one.places()[::every]:
        known, new = one.cut(cut)
        judgement = judge(new.assign(as_of_estimated=True), known, NO_REVISIONS)
        found.editions[outcome(judgement)] += 1
        found.figures += len(new)
        found.alarms += [quotable(one.source_id, reason) for reason in judgement.held]
    return found


def section(options: argparse.Namespace) -> tuple[list[str], bool]:
    """The tables, and whether the limits hold."""
    _FILES[:] = growing(published_files(), random.Random(options.seed))  # noqa: S311  # damage, not secrets
    sources = Counter(one.source_id for one in _FILES)
    shares = [
        (place, math.ceil(options.number / len(sources) / sources[one.source_id]), options.seed, options.every)
        for place, one in enumerate(_FILES)
    ]
    counts: Counter[tuple[str, str, str]] = Counter()
    editions: Counter[tuple[str, str]] = Counter()
    figures: Counter[str] = Counter()
    alarms: list[tuple[str, str]] = []
    kinds, names = list(FAULTS), list(sources)
    with progress_bar() as report, multiprocessing.get_context("fork").Pool() as pool:
        for number, (one, found) in enumerate(zip(_FILES, pool.imap(_share, shares, chunksize=1), strict=True)):
            counts.update({(kind, one.source_id, of): some for (kind, of), some in found.faults.items()})
            editions.update({(one.source_id, of): some for of, some in found.editions.items()})
            figures[one.source_id] += found.figures
            alarms += [(one.source_id, reason) for reason in found.alarms]
            report("Newest figures", number + 1, len(_FILES))

    def rows(of: list[str], place: int) -> Iterator[list[object]]:
        for name in [*of, "all"]:
            some = Counter[str]()
            for key, number in counts.items():
                if name in ("all", key[place]):
                    some[key[2]] += number
            total, silent = some.total(), some[SILENT] + some[BEYOND]
            share = f"{silent / total:.1%}" if total else "–"
            cells = total, some[HELD], some[REPORTED], silent, some[BEYOND]
            yield [name, *(f"{one:,}" for one in cells), share]

    beyond = sum(number for key, number in counts.items() if key[2] == BEYOND)
    silent = beyond + sum(number for key, number in counts.items() if key[2] == SILENT)
    head = f"faults | held | reported | silent | {BEYOND} | share silent"
    lines = [
        f"By `python -m benchmarks.newest {options.number} {options.seed} --every {options.every} --write`: each",
        "source's files cut at a past period, of which the next arrives with a fault of 20 persons or more.",
        "",
        *table(f"kind | {head}", rows(kinds, 0)),
        "",
        *table(f"source | {head}", rows([f"{one}" for one in names], 1)),
        "",
        f"Real newest figures, every {options.every}th period of the same files arriving after those before it:",
        "",
        *table(
            "source | editions | figures | held | reported",
            (
                [one, f"{sum(n for (s, _o), n in editions.items() if s == one):,}", f"{figures[one]:,}",
                 editions[one, HELD], editions[one, REPORTED]]
                for one in names
            ),
        ),
        "",
        *table("source | held real figures, with the reason that a person sees", alarms),
    ]  # fmt: skip
    is_well = silent <= 0.02 * counts.total() and not beyond
    return lines, is_well and len(alarms) <= 0.001 * figures.total()


if __name__ == "__main__":
    every = {"--every": {"type": int, "default": 1, "help": "judge each N-th real edition"}}
    sys.exit(page_command(INGESTION, TITLE, section, changes=3_000, options=every))
