"""New figures, compared with what their own series has done: one line per figure of a period not known before.

Changes are taken on the scale ``sign(x) · log(1 + |x| / s)``: ratios of large figures, differences of small ones. ``s``
is 20 persons for counts, so that a small series is compared by persons, and the series' median size for indices and
balances. Days and weeks are compared as sums over as many of them as are new: a week's seven days come together.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd

from core import FloatArray
from core.calendar import PERIODS_PER_YEAR, Frequency, period_index

LEAST = 20
"""Persons from which a ratio means something: of smaller counts one more boat is many times the former."""
FEWEST = 6
"""Figures from which a median or a share is taken."""
FACTOR = 3.0
"""Revisions change figures by less, on the median: units differ by ten and more, exchanged labels by about this."""
USUAL_QUANTILE = 0.90
"""Usual is what nine in ten of the changes before stay within."""
RARE = 1 - USUAL_QUANTILE
NEARLY_ALL = 0.98
ENOUGH_HISTORY = 12
"""Known figures from which a series' range is read; of days and weeks, sums."""
WHOLE_WEEKS: dict[Frequency, int] = {"D": 364, "W": 52}
"""Days and weeks of a year by whole weeks."""
MARKS = ("is_unusual", "is_zero", "is_copy", "is_running_sum")
COLUMNS = [
    "series_id", "time_period", "target", "freq", "obs_value", "former", "year_before", "times_beyond",
    "times_together", *MARKS,
]  # fmt: skip


def weigh(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Compare each figure of a period after its series' newest known one with the series' own past.

    Args:
        rows: An edition's figures, one per series and period (``core.release.OBSERVATIONS``).
        known: Figures of the source known before (the same contract).

    Returns:
        One line per new figure of a series with enough history, with :data:`COLUMNS`:

        - ``former``, ``year_before``: the figures of the period before and of a year before, NaN where missing.
        - ``is_unusual``: outside what nine in ten of the series' changes stay within, or three times both of the
          former figures or a third of them; by at least 20 persons in a count.
        - ``times_beyond``: the factor by which it lies outside all ranges of the series' changes and levels.
        - ``is_zero``: zero after six figures above zero.
        - ``is_copy``: equal to the period before or to that of a year before, and that is rare in the series; of days
          and weeks each of them.
        - ``is_running_sum``: at least the sum of the year's earlier periods, two or more, and that is rare.
        - ``times_together``: the factor by which the median change of the target's series in that period lies outside
          such medians of the past; 1 or less where it does not, or where there are fewer than six series.

        Days and weeks stand as their sum, named by the first of them.
    """
    newest = known.groupby("series_id")["time_period"].max()
    news = rows[rows["time_period"] > rows["series_id"].map(newest).fillna("9999")]
    parts = [
        _compared(_lined_up(new, known[known["series_id"].isin(new["series_id"])], cast(Frequency, freq)), str(freq))
        for (_target, freq), new in news.groupby(["target", "freq"], sort=True)
    ]
    return pd.concat(parts, ignore_index=True)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)


def _lined_up(new: pd.DataFrame, known: pd.DataFrame, freq: Frequency) -> pd.DataFrame:
    """Known and new figures of one target in order of series and period, with the figures before them."""
    both = pd.concat([known.assign(is_new=False), new.assign(is_new=True)], ignore_index=True)
    codes, periods = pd.factorize(both["time_period"])
    both["place"] = period_index(pd.Series(periods), freq).asi8[codes]
    season, together = PERIODS_PER_YEAR[freq], 1
    if freq in WHOLE_WEEKS:
        together = int(new.groupby("series_id").size().max())
        season = max(round(WHOLE_WEEKS[freq] / together), 1)
    lags = {together, PERIODS_PER_YEAR[freq], WHOLE_WEEKS.get(freq, together)}
    both = _summed(both.assign(**{f"copy_{lag}": _repeats(both, lag) for lag in lags}), together)
    both = both.assign(is_copy=both.filter(regex="^copy_").any(axis=1))
    both = both.sort_values(["series_id", "place"], ignore_index=True)
    value = both["obs_value"].to_numpy(dtype=float)
    past = both[~both["is_new"]]["obs_value"]
    is_count = bool((past % 1 == 0).mean() >= NEARLY_ALL and (past >= 0).all())
    sizes = past.abs().groupby(both["series_id"]).median()
    scale = LEAST if is_count else both["series_id"].map(sizes.mask(sizes == 0)).fillna(sizes.mean() or 1.0)
    both = both.assign(is_count=is_count, scale=scale)
    both["level"] = np.sign(value) * np.log1p(np.abs(value) / both["scale"])
    both[["former", "former_level"]] = both.groupby("series_id")[["obs_value", "level"]].shift(1)
    earlier = both[["series_id", "place", "obs_value", "level"]].assign(place=both["place"] + season)
    earlier = earlier.rename(columns={"obs_value": "year_before", "level": "year_before_level"})
    if season == 1:
        earlier = earlier.iloc[:0]
    return both.merge(earlier, on=["series_id", "place"], how="left")


def _repeats(both: pd.DataFrame, lag: int) -> pd.Series:
    """Whether a figure equals the one ``lag`` periods before."""
    values = both.set_index(["series_id", "place"])["obs_value"]
    before = values.reindex(pd.MultiIndex.from_arrays([both["series_id"], both["place"] - lag]))
    return both["obs_value"].eq(pd.Series(before.to_numpy(), index=both.index))


def _summed(both: pd.DataFrame, together: int) -> pd.DataFrame:
    """Sums over ``together`` periods, counted back from the newest of each series; copies where each is one."""
    if together == 1:
        return both
    last = both.groupby("series_id")["place"].transform("max")
    copies: dict[str, tuple[str, str]] = {str(name): (str(name), "min") for name in both.filter(regex="^copy_")}
    return both.assign(place=-((last - both["place"]) // together)).groupby(["series_id", "place"], as_index=False).agg(
        time_period=("time_period", "min"), target=("target", "first"), freq=("freq", "first"),
        obs_value=("obs_value", "sum"), is_new=("is_new", "max"), **copies,
    )  # fmt: skip


def _compared(both: pd.DataFrame, freq: str) -> pd.DataFrame:
    is_new, value = both["is_new"], both["obs_value"]
    series, least = both["series_id"], np.where(both["is_count"], float(LEAST), 0.0)
    levels = both["level"][~is_new].groupby(series)
    highest, lowest = series.map(levels.max()), series.map(levels.min())
    unusual = pd.Series(data=False, index=both.index)
    both["step"] = both["level"] - both["former_level"]
    for before in ("former_level", "year_before_level"):
        change = (both["level"] - both[before])[~is_new].dropna().groupby(series)
        usual = [series.map(change.quantile(end)) for end in (RARE / 2, 1 - RARE / 2)]
        low, high = (_unscaled(both[before] + end, both["scale"]) for end in usual)
        unusual |= _outside(value, low, high, least)
        # A series may leap as far as its target's series did at most, on the median.
        most, fewest = change.max(), change.min()
        leap, fall = series.map(most.clip(lower=most.median())), series.map(fewest.clip(upper=fewest.median()))
        highest = highest.combine(both[before] + leap, np.fmax)
        lowest = lowest.combine(both[before] + fall, np.fmin)
    pair = both[["former", "year_before"]]
    manifold = _outside(value, pair.min(axis=1) / FACTOR, pair.max(axis=1) * FACTOR, least) & both["is_count"]
    number = series.map((~is_new).groupby(series).sum())
    found = both.assign(
        is_unusual=unusual | manifold,
        times_beyond=np.exp(np.fmax(both["level"] - highest, lowest - both["level"])),
        is_zero=_zero_after_others(both),
        is_copy=_rarely(both, both["is_copy"] & (value.abs() >= least) & (value != 0)),
        is_running_sum=_rarely(both, _reaches_the_year(both, freq)),
        times_together=both["time_period"].map(_together(both)).fillna(0.0),
    )  # fmt: skip
    kept: pd.DataFrame = found[is_new & (number >= ENOUGH_HISTORY)]
    return kept


def _unscaled(level: pd.Series, scale: pd.Series) -> pd.Series:
    values: pd.Series = np.sign(level) * np.expm1(level.abs()) * scale
    return values


def _outside(value: pd.Series, low: pd.Series, high: pd.Series, least: FloatArray) -> pd.Series:
    return (value > high) & (value - high >= least) | (value < low) & (low - value >= least)


def _rarely(both: pd.DataFrame, holds: pd.Series) -> pd.Series:
    """Where something holds that held in at most one in ten of the series' known figures."""
    share = holds[~both["is_new"]].groupby(both["series_id"]).mean()
    return holds & (both["series_id"].map(share) <= RARE)


def _zero_after_others(both: pd.DataFrame) -> pd.Series:
    is_other = both["obs_value"].ne(0).astype(int)
    run = is_other.groupby(both["series_id"]).transform(lambda some: some.shift(1).rolling(FEWEST).min())
    return both["obs_value"].eq(0) & run.eq(1)


def _reaches_the_year(both: pd.DataFrame, freq: str) -> pd.Series:
    """Whether a month or quarter is at least the sum of two or more earlier ones of its year."""
    if freq not in ("M", "Q") or not both["is_count"].all():
        return pd.Series(data=False, index=both.index)
    of_year = both.groupby([both["series_id"], both["time_period"].str[:4]])["obs_value"]
    before = of_year.cumsum() - both["obs_value"]
    return (before >= LEAST) & (both["obs_value"] >= before) & (of_year.cumcount() >= 2)


def _together(both: pd.DataFrame) -> pd.Series:
    """By new period, the factor by which the median change of all series lies outside those of the past."""
    large = both[(both["obs_value"].abs() >= both["scale"]) | (both["former"].abs() >= both["scale"])]
    medians = large.groupby("time_period").agg(n=("step", "count"), step=("step", "median"), is_new=("is_new", "max"))
    medians = medians[medians["n"] >= FEWEST]
    past = medians[~medians["is_new"]]["step"]
    if len(past) < FEWEST:
        return pd.Series(dtype=float)
    new = medians[medians["is_new"]]["step"]
    return pd.Series(np.exp(np.maximum(new - past.max(), past.min() - new)), index=new.index)
