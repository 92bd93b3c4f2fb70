"""New figures, compared with what their own series has done: one line per figure of a period not known before.

Changes are taken on the scale ``sign(x) · log(1 + |x| / s)``: ratios of large figures, differences of small ones. ``s``
is 20 persons for counts, so that a small series is compared by persons, and the series' median size for indices and
balances. Days and weeks are compared as sums over as many of them as are new: a week's seven days come together.

Freshness is how old each source's newest figure is, against the rhythm its publisher usually keeps. The rhythm is
estimated from the days on which past periods became known, where at least six are on record; else it is the card's.
Only figures with a recorded day of knowledge count: an estimated ``as_of`` would return its own assumption. The four
states are those of OCHA's Humanitarian Data Exchange (https://humanitarian.atlassian.net: "Freshness").
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import FloatArray
from core.calendar import PERIODS_PER_YEAR, Frequency, period_index, to_period
from core.errors import InputError
from core.release import FRESHNESS, RELEASE
from core.schema import ALL, NOT_APPLICABLE, concat_filled, typed
from ingest import SourceCard
from ingest.rows import period_ends

LEAST = 20
"""Persons from which a ratio means something: of smaller counts one more boat is many times the former."""
FEWEST = 6
"""Figures, or series, from which a median or a share is taken."""
FACTOR = 3.0
"""Revisions change figures by less, on the median: units differ by ten and more, exchanged labels by about this."""
USUAL_QUANTILE = 0.90
"""Usual is what nine in ten of the changes before stay within."""
RARE = 1 - USUAL_QUANTILE
SELDOM = 0.15
"""Largest share of a series' known figures that are copies, zeros or running sums, if a further one is reported."""
BESIDE = 1.5
"""Times by which a figure differs from every known one of its series and is of a new size."""
NEARLY_ALL = 0.98
ENOUGH_HISTORY = 12
"""Known figures from which a series' range is read; of days and weeks, sums."""
WHOLE_WEEKS: dict[Frequency, int] = {"D": 364, "W": 52}
"""Days and weeks of a year by whole weeks."""
RECENT = 60
"""Newest known figures of a series among which copies are counted."""
_SHIFT = 2
"""Periods by which a copy of last year's may be shifted, as where months are missing."""
MOST_DECIMALS = 8
ROUND = (10, 100, 1000)
ROUND_BY_CHANCE = 0.005
"""Probability below which round figures are no chance."""
MARKS = ("is_unusual", "is_zero", "is_copy", "is_running_sum", "is_finer", "is_rounder")
COLUMNS = [
    "series_id", "time_period", "target", "freq", "obs_value", "former", "year_before", "times_beyond",
    "times_together", *MARKS,
]  # fmt: skip
Mask = NDArray[np.bool_]


class _Table(NamedTuple):
    """Figures of one target and frequency, a row per series and a column per period, or per sum of periods.

    Attributes:
        rows: Names of a cell's figure (``series_id, time_period, target, freq``), one line per cell of ``place``.
        place: Line of ``rows`` by cell; meaningless where there is no figure.
        value: The figures, NaN where there is none.
        is_new: Which of them are new.
        copies: Which repeat the period before, and which that of a year before.
        is_rounder: Which are multiples of 10, 100 or 1,000, of days and weeks each of them, as they seldom are.
        year: Calendar year of each.
        season: Columns of a year; 0 where there is one period a year.
    """

    rows: pd.DataFrame
    place: NDArray[np.int64]
    value: FloatArray
    is_new: Mask
    copies: list[Mask]
    is_rounder: Mask
    year: NDArray[np.int64]
    season: int


def weigh(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Compare each figure of a period after its series' newest known one with the series' own past.

    Args:
        rows: An edition's figures, one per series and period (``core.release.OBSERVATIONS``).
        known: Figures of the source known before (the same contract).

    Returns:
        One line per new figure of a series with a known one, with :data:`COLUMNS`; a series with fewer than twelve is
        compared with its former figures alone:

        - ``former``, ``year_before``: the figures of the period before and of a year before, NaN where missing.
        - ``is_unusual``: outside what nine in ten of the series' changes stay within, from the period before, from a
          year before or from the mean of the last twelve; three times both of the former figures, or a third of them;
          or of a size that the series never had. By at least 20 persons in a count.
        - ``times_beyond``: the factor by which it lies outside all ranges of the series' changes and levels.
        - ``is_zero``: zero after six figures that are not, or where zeros are rare.
        - ``is_copy``: equal to the period before, to that of a year before (of days and weeks each of them) or to any
          figure of the last year, and that is rare among all the series' figures or the newest ones.
        - ``is_running_sum``: at least the sum of the year's earlier periods, two or more, and that is rare.
        - ``is_finer``: with more decimals than the series ever had.
        - ``is_rounder``: a count that is a multiple of 10, 100 or 1,000, of days and weeks each of them, with a chance
          below one in 200 by the share of such figures in the series.
        - ``times_together``: the factor by which the median change of the target's series in that period lies outside
          all such medians of the past; 0 where there are fewer than six series.

        Days and weeks stand as their sum, named by the first of them.
    """
    newest = known.groupby("series_id")["time_period"].max()
    news = rows[rows["time_period"] > rows["series_id"].map(newest).fillna("9999")]
    parts = [
        _compared(_table(known[known["series_id"].isin(new["series_id"].unique())], new, cast(Frequency, freq)))
        for (_target, freq), new in news.groupby(["target", "freq"], sort=True)
    ]
    return pd.concat(parts, ignore_index=True)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)


def _table(known: pd.DataFrame, new: pd.DataFrame, freq: Frequency) -> _Table:
    """Known and new figures of one target side by side; days and weeks as sums."""
    rows = pd.concat([known, new], ignore_index=True)
    series, names = pd.factorize(rows["series_id"], sort=True)
    codes, periods = pd.factorize(rows["time_period"])
    column = period_index(pd.Series(periods), freq).asi8[codes]
    year, together = PERIODS_PER_YEAR[freq], 1
    season = year if year > 1 else 0
    if freq in WHOLE_WEEKS:  # sums are counted back from the newest of each series
        together = int(new.groupby("series_id").size().max())
        season = max(round(WHOLE_WEEKS[freq] / together), 1)
        column = column - pd.Series(column).groupby(series).transform("max").to_numpy()
    column = column - column.max() - 1
    width = -(column.min() // together) * together
    place = np.full((len(names), width), -1)
    place[series, width + column] = np.arange(len(rows))
    is_empty = place < 0
    value = np.where(is_empty, np.nan, rows["obs_value"].to_numpy(dtype=float)[place])
    parts = (len(names), width // together, together)
    lags = {together, year, WHOLE_WEEKS.get(freq, year)}
    is_there = ~is_empty.reshape(parts).all(axis=2)
    copies = [is_there & (is_empty | (value == _earlier(value, lag))).reshape(parts).all(axis=2) for lag in lags]
    first = np.where(is_empty, len(rows), place).reshape(parts).min(axis=2)
    return _Table(
        rows,
        np.where(is_there, first, 0),
        np.where(is_there, np.nansum(value.reshape(parts), axis=2), np.nan),
        is_there & (place.reshape(parts).max(axis=2) >= len(known)),
        copies,
        _rounder(value, place >= len(known), parts),
        rows["time_period"].str[:4].to_numpy(dtype=np.int64)[np.where(is_there, first, 0)],
        season,
    )


def _compared(table: _Table) -> pd.DataFrame:
    value = table.value
    is_past = ~np.isnan(value) & ~table.is_new
    is_count = bool((value[is_past] % 1 == 0).mean() >= NEARLY_ALL and (value[is_past] >= 0).all())
    least, scale = (LEAST, np.full((len(value), 1), float(LEAST))) if is_count else (0, _sizes(value, is_past))
    level = np.sign(value) * np.log1p(np.abs(value) / scale)
    former, year_before = _former(value), _earlier(value, table.season)
    before = [_former(level), _earlier(level, table.season)]
    past = np.where(is_past, level, np.nan)
    highest, lowest = _quantile(past, 1), _quantile(past, 0)
    is_unusual = _is_of_new_size(level, past, table.is_new) & (np.abs(value - former) >= least)
    recent_mean = pd.DataFrame(level.T).ffill().rolling(ENOUGH_HISTORY, min_periods=1).mean().shift().to_numpy().T
    for middle in (*before, recent_mean):
        change = past - middle
        is_far = np.abs(value - np.sign(middle) * np.expm1(np.abs(middle)) * scale) >= least
        low, high = (_quantile(change, end) for end in (RARE / 2, 1 - RARE / 2))
        is_unusual |= ((level > middle + high) | (level < middle + low)) & is_far
        # A series may leap as far as its target's series did at most, on the median.
        most, fewest = _quantile(change, 1), _quantile(change, 0)
        highest = np.fmax(highest, middle + np.fmax(most, _quantile(most.T, 0.5)))
        lowest = np.fmin(lowest, middle + np.fmin(fewest, _quantile(fewest.T, 0.5)))
    number = is_past.sum(axis=1, keepdims=True)
    is_unusual &= number >= ENOUGH_HISTORY
    if is_count:
        high, low = np.fmax(former, year_before) * FACTOR, np.fmin(former, year_before) / FACTOR
        is_unusual |= (value - high >= least) | (low - value >= least)
    is_zero = value == 0
    order = np.cumsum(is_past, axis=1)
    recent = is_past & (order > order[:, -1:] - RECENT)
    found = {
        "obs_value": value, "former": former, "year_before": year_before,
        "times_beyond": np.where(number < ENOUGH_HISTORY, 0, np.exp(np.fmax(level - highest, lowest - level))),
        "times_together": _together(level, before, table.is_new), "is_unusual": is_unusual,
        "is_zero": is_zero & (_follows_others(value) | _rarely(is_zero, is_past)),
        "is_copy": (np.abs(value) >= least) & np.logical_or.reduce(
            [
                _rarely(some & ~is_zero, span)
                for some in (*table.copies, _repeats(value, table.season))
                for span in (is_past, recent)
            ]
        ),
        "is_finer": ~is_count & (number >= ENOUGH_HISTORY) & _has_more_decimals(value, is_past),
        "is_rounder": is_count & (number >= ENOUGH_HISTORY) & table.is_rounder,
        "is_running_sum": _rarely(_reaches_the_year(value, table), is_past) & is_count,
    }  # fmt: skip
    picked = table.is_new & (number > 0)
    names = table.rows.iloc[table.place[picked]].reset_index(drop=True)
    compared: pd.DataFrame = names.assign(
        **{name: np.broadcast_to(some, value.shape)[picked] for name, some in found.items()}
    )
    return compared


def _rounder(value: FloatArray, is_new: Mask, parts: tuple[int, int, int]) -> Mask:
    """Sums of which every figure is rounder than the series' known figures make likely."""
    is_counted = ~np.isnan(value) & (value != 0)
    known, found = is_counted & ~is_new, np.zeros(parts[:2], dtype=bool)
    number = is_counted.reshape(parts).sum(axis=2)
    for step in ROUND:
        is_round = is_counted & (value % step == 0)
        share = ((is_round & known).sum(axis=1, keepdims=True) + 1) / (known.sum(axis=1, keepdims=True) + 2)
        is_all = is_round.reshape(parts).sum(axis=2) == number
        found |= is_all & (share**number < ROUND_BY_CHANCE)
    return found


def _repeats(value: FloatArray, season: int) -> Mask:
    """Figures that equal one of the year before."""
    lags = range(1, season + _SHIFT + 1)
    found: Mask = np.logical_or.reduce([value == _earlier(value, lag) for lag in lags])
    return found


def _has_more_decimals(value: FloatArray, is_past: Mask) -> Mask:
    """Figures with more decimals than any known one of their series."""
    decimals = np.zeros(value.shape)
    for place in range(MOST_DECIMALS):
        decimals += ~np.isclose(value, np.round(value, place), rtol=1e-9, atol=10.0**-MOST_DECIMALS)
    found: Mask = decimals > np.where(is_past, decimals, 0).max(axis=1, keepdims=True)
    return found


def _sizes(value: FloatArray, is_past: Mask) -> FloatArray:
    """Each series' median size, or the mean of all series where it is zero or not known."""
    found = _quantile(np.where(is_past, np.abs(value), np.nan), 0.5)
    found[found == 0] = np.nan
    usual = float(np.nanmean(found)) if (found > 0).any() else 1.0
    return np.where(np.isnan(found), usual, found)


def _is_of_new_size(level: FloatArray, past: FloatArray, is_new: Mask) -> Mask:
    """New figures of which no known one of the series is near."""
    found = np.zeros(level.shape, dtype=bool)
    for column in np.flatnonzero(is_new.any(axis=0)):
        nearest = _quantile(np.abs(past - level[:, [column]]), 0)[:, 0]
        found[:, column] = nearest > np.log(BESIDE)
    return found & is_new


def _follows_others(value: FloatArray) -> Mask:
    """Figures after six that are not zero."""
    number = np.cumsum(~np.isnan(value), axis=1)
    at_zero = np.maximum.accumulate(np.where(value == 0, number, 0), axis=1)
    run = number[:, 1:] - 1 - at_zero[:, :-1]
    return np.pad(run >= FEWEST, ((0, 0), (1, 0)))


def _reaches_the_year(value: FloatArray, table: _Table) -> Mask:
    """Months or quarters that are at least the sum of two or more earlier ones of their year."""
    if table.rows["freq"].iloc[0] not in ("M", "Q"):
        return np.zeros(value.shape, dtype=bool)
    year = np.maximum.accumulate(table.year.max(axis=0))
    begins = np.searchsorted(year, year)
    before, number = (
        np.pad(np.cumsum(some, axis=1), ((0, 0), (1, 0))) for some in (np.nan_to_num(value), ~np.isnan(value))
    )
    before, number = (some[:, :-1] - some[:, begins] for some in (before, number))
    found: Mask = (before >= LEAST) & (value >= before) & (number >= 2)
    return found


def _together(level: FloatArray, before: list[FloatArray], is_new: Mask) -> FloatArray:
    """By new period, the factor by which the median change of all series lies outside those of the past."""
    times = np.zeros((1, level.shape[1]))
    is_large = np.fmax(np.abs(level), np.abs(before[0])) >= np.log1p(1.0)
    for middle in before:
        change = np.where(is_large, level - middle, np.nan).T
        median = _quantile(change, 0.5)[:, 0]
        median[(~np.isnan(change)).sum(axis=1) < FEWEST] = np.nan
        past = median[None, ~is_new.any(axis=0)]
        if (~np.isnan(past)).sum() >= FEWEST:
            beyond = np.fmax(median - _quantile(past, 1), _quantile(past, 0) - median)
            times = np.fmax(times, np.where(is_new.any(axis=0), np.exp(beyond), 0))
    return times


def _rarely(holds: Mask, is_past: Mask) -> Mask:
    """Where something holds that seldom held in the series' known figures, twelve or more."""
    number = is_past.sum(axis=1, keepdims=True)
    is_rare = (holds & is_past).sum(axis=1, keepdims=True) <= SELDOM * number
    found: Mask = holds & is_rare & (number >= ENOUGH_HISTORY)
    return found


def _earlier(values: FloatArray, count: int) -> FloatArray:
    """What stands ``count`` columns before; NaN for the first ones, and for 0."""
    found = np.full(values.shape, np.nan)
    if 0 < count < values.shape[1]:
        found[:, count:] = values[:, :-count]
    return found


def _former(values: FloatArray) -> FloatArray:
    """The newest figure before each column."""
    return pd.DataFrame(values).ffill(axis=1).shift(axis=1).to_numpy()


def _quantile(values: FloatArray, share: float) -> FloatArray:
    """Linear quantile of each row without its NaN, as a column."""
    ordered, number = np.sort(values, axis=1), (~np.isnan(values)).sum(axis=1, keepdims=True)
    place = share * np.maximum(number - 1, 0)
    low, high = (np.take_along_axis(ordered, some.astype(int), axis=1) for some in (np.floor(place), np.ceil(place)))
    found: FloatArray = low + (high - low) * (place % 1)
    return found


SHARE_PUBLISHED = 0.5
"""Share of a period's figures whose presence counts as its publication."""
FEWEST_PLACES = 5
PERIODS_BEFORE = 12
PERIODS_SHOWN = 24
_DATASET = ["source_id", "target", "freq"]


def publication_days(history: pd.DataFrame) -> pd.DataFrame:
    """Day after each period's end on which half of its figures were known.

    Periods that ended before vintages were kept are left out.

    Args:
        history: Columns of ``core.release.OBSERVATIONS``, every figure with every ``as_of``. Where it has the store's
            column ``cell`` too, its rows are in the store's order.

    Returns:
        ``source_id, freq, time_period, days``: one row per source, frequency and period on record.
    """
    if "cell" in history:
        first = history[~history["cell"].duplicated()]
    else:
        ordered = history.sort_values("as_of", kind="stable")
        first = ordered[~ordered.duplicated(["source_id", "series_id", "time_period"])]
    first = first[~first["as_of_estimated"].astype(bool)]
    ends = period_ends(first)
    began = first.groupby(_DATASET)["as_of"].transform("min")
    # What the first vintage already held was published at some unknown earlier day.
    kept = first[(ends > began) & (first["as_of"] >= ends)]
    days = (kept["as_of"] - ends[kept.index]).dt.days
    periods = kept[["source_id", "freq", "time_period"]].assign(days=days)
    return periods.groupby(["source_id", "freq", "time_period"])["days"].quantile(SHARE_PUBLISHED).reset_index()


def reporting(known: pd.DataFrame) -> pd.DataFrame:
    """Sums over countries of each source that counts by country, and how many of them have reported.

    Args:
        known: What was known on a date (``core.release.OBSERVATIONS``).

    Returns:
        A frame that keeps the table ``reporting``: the newest 24 periods of each source, target and frequency of
        which at least five countries are still expected.
    """
    rows = known[(known["citizen"] == ALL) & known["geo"].str.fullmatch("[A-Z]{3}") & (known["freq"] != "D")]
    parts = [
        _reporting(part) for _, part in rows.groupby(_DATASET, sort=True) if part["geo"].nunique() >= FEWEST_PLACES
    ]
    return concat_filled(parts, RELEASE["reporting"].empty())


def _reporting(rows: pd.DataFrame) -> pd.DataFrame:
    # A country's own total holds what stands on its routes.
    is_total = rows["route_id"].isin([NOT_APPLICABLE, ALL])
    place = pd.MultiIndex.from_frame(rows[["geo", "time_period"]])
    rows = rows[is_total | ~place.isin(place[is_total])]
    present = rows.pivot_table(index="time_period", columns="geo", values="obs_value", aggfunc="sum").sort_index()
    flagged = rows.assign(marked=rows["obs_flag"].str.contains("p")).groupby("time_period")["marked"].any()
    recent = present.notna().astype(float).rolling(PERIODS_BEFORE + 1, min_periods=1).max()
    expected = recent.sum(axis=1).astype("int64")
    reported = present.notna().sum(axis=1).astype("int64")
    found = pd.DataFrame(
        {
            **{name: rows[name].iloc[0] for name in _DATASET},
            "time_period": present.index,
            "reported": reported.to_numpy(),
            "expected": expected.to_numpy(),
            "total": present.sum(axis=1).to_numpy(dtype=float),
            "provisional": (reported < expected).to_numpy() | flagged.reindex(present.index).to_numpy(dtype=bool),
        }
    )
    # Where few countries are left, the source counts by country no more, and an old period is not its newest.
    shown = found[(found["expected"] >= FEWEST_PLACES) & (expected.iloc[-1] >= FEWEST_PLACES)].tail(PERIODS_SHOWN)
    return shown[list(RELEASE["reporting"].columns)]


def usual_age(days: pd.Series, freq: str) -> int:
    """Usual greatest age of a source's newest period: its length, and the delay that nine in ten periods keep to."""
    length = 365 // PERIODS_PER_YEAR[freq] + (1 if freq in {"M", "Q", "A"} else 0)  # type: ignore[index]  # freq keeps the contract's letters
    return length + int(np.ceil(days.quantile(0.9)))


_STATES = {"fresh": 1.0, "due": 1.5, "overdue": 3.0, "delinquent": np.inf}
"""Multiples of the expected age up to which a source is in each state."""
FEWEST_PERIODS = 6
"""Periods with a known day of publication from which a source's own rhythm is learned."""


def freshness(
    known: pd.DataFrame, as_of: dt.date, cards: Mapping[str, SourceCard], history: pd.DataFrame | None = None
) -> pd.DataFrame:
    """State of every source that has a figure on a date.

    Args:
        known: Observations known on that date (``core.release.OBSERVATIONS``).
        as_of: The date. Periods that end after it are not complete and do not count.
        cards: Catalogue, for the days expected of each source.
        history: Every figure with every ``as_of`` up to that date, to learn each source's rhythm from.

    Returns:
        ``core.release.FRESHNESS``, one row per source with a complete period, sorted by ``source_id``.

    Raises:
        InputError: A source has no entry in the catalogue.
    """
    unknown = sorted(set(known["source_id"]) - set(cards))
    if unknown:
        raise InputError(f"no entry in the catalogue for the sources {unknown}")
    night = pd.Timestamp(as_of)
    complete = known.assign(end=period_ends(known))
    complete = complete[(complete["end"] <= night) & (complete["as_of"] <= night)]
    learned = publication_days(history) if history is not None else publication_days(known.iloc[:0])
    states = [
        _row(str(source_id), figures, night, cards[str(source_id)], learned[learned["source_id"] == source_id])
        for source_id, figures in complete.groupby("source_id", sort=True)
    ]
    return typed(pd.DataFrame(states, columns=list(FRESHNESS.columns)), FRESHNESS)


def changes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Sources whose state is another than before.

    Args:
        before: Freshness in the release before (``core.release.FRESHNESS``).
        after: Freshness now.

    Returns:
        The table ``freshness_changes``; a source that was not there before has no change.
    """
    both = after.merge(before[["source_id", "state"]], on="source_id", suffixes=("", "_before"))
    changed = both[both["state"] != both["state_before"]].rename(columns={"state_before": "before", "state": "after"})
    return typed(changed, RELEASE["freshness_changes"])


def _row(
    source_id: str, figures: pd.DataFrame, night: pd.Timestamp, card: SourceCard, learned: pd.DataFrame
) -> dict[str, object]:
    newest = figures.loc[figures["end"] == figures["end"].max()].iloc[0]
    age = int((night - newest["end"]).days)
    days = learned.loc[learned["freq"] == newest["freq"], "days"]
    known = len(days) >= FEWEST_PERIODS
    expected = usual_age(days, newest["freq"]) if known else card.expected_days
    following = (to_period(newest["time_period"], newest["freq"]) + 1).end_time.normalize()
    usual = following + pd.Timedelta(days=float(days.median())) if known else None
    return {
        "source_id": source_id,
        "last_period": str(newest["time_period"]),
        "last_as_of": figures["as_of"].max(),
        "age_days": age,
        "expected_days": expected,
        "state": state(age, expected),
        "next_expected": (usual or newest["end"] + pd.Timedelta(days=card.expected_days)).normalize(),
        "learned_from": len(days) if known else 0,
    }


def state(age_days: int, expected_days: int) -> str:
    """Name the state: fresh up to the expected age, due up to 1.5 times, overdue up to 3 times, else delinquent."""
    return next(name for name, most in _STATES.items() if age_days / expected_days <= most)
