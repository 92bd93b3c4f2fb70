"""Plausibility before knowledge: what an edition would change, held against its source's own history.

Pure functions, frames in and reasons out. A wrong unit, exchanged labels, a shifted header or a table cut short change
many figures at once, or one beyond all that was ever seen: such an edition is *held* until a person has looked. A
change that is merely larger than the source's usual ones is *reported*, and known. Thresholds were set on real files
under ``benchmarks/real_editions.py`` and ``benchmarks/newest.py``, of which they hold less than one figure in a
thousand: a check that raises false alarms is soon ignored.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pandas as pd

from core.calendar import Frequency, to_period
from core.countries import UNKNOWN
from core.errors import Message, message
from core.languages import marked as _
from core.schema import ALL, NOT_APPLICABLE
from ingest.newest import FACTOR, FEWEST, LEAST, NEARLY_ALL, USUAL_QUANTILE, weigh
from ingest.rows import period_ends

PART = 0.5
"""Share of a series' known figures that change by a third or more, or become another series', from which it is held."""
THIRD = 1.33
FEWEST_OF_SERIES = 12
"""Figures of one series from which a share is taken."""
RECORD = 10.0
"""Times the highest figure ever known of a series, or a new figure's distance from all that its series did: held."""
EXCHANGED = 2
"""Figures that two series have exchanged exactly, from which on it is no coincidence."""
ROUNDING = (1000, 100, 50, 10, 5)
"""Multiples to which publishers round."""
MANY = 30
"""Figures from which it can be seen that a publisher rounds."""
GONE = 0.02
"""Share of the known figures that an edition of the whole history may lack, unless the source has lacked more."""
USUAL_LEAST, ENOUGH = 0.005, 8
"""A revision is large beyond half a percent; usual ones are read from as many changes."""
_KEY = ["series_id", "time_period"]
_FIGURES = ("value", "former", "before", "record", "low", "high")
"""Places of figures in a sentence, by the names of their columns."""
_MISSING = _("{series} {period} is missing in it, and is known; {n} in all (was it cut short?)")


@dataclass(frozen=True)
class Judgement:
    """What is to be said of an edition.

    Attributes:
        held: Why it must wait for a person; empty where it need not.
        reported: What is unusual about it, reported without holding it.
    """

    held: list[Message] = field(default_factory=list)
    reported: list[Message] = field(default_factory=list)


def judge(
    rows: pd.DataFrame,
    known: pd.DataFrame,
    revisions: pd.DataFrame,
    *,
    complete: bool = False,
    received: dt.date | None = None,
    forecast: pd.DataFrame | None = None,
) -> Judgement:
    """Hold an edition against what is known of its source.

    Args:
        rows: The edition's figures (``core.release.OBSERVATIONS``), of one source.
        known: What that source is known to have said (the same contract); may be empty.
        revisions: Every change that source ever made (``core.release.REVISIONS``); may be empty.
        complete: The edition re-sends the whole history of its targets: what it lacks is taken away.
        received: The day on which it came, where it does not name its own; None where unknown.
        forecast: Its new counts that Vigie forecast, alone or in the sum of a route: ``series_id, time_period,
            obs_value`` and ``low, high``, the ends of the forecast's 98 % interval.
    """
    rows = rows.sort_values("as_of", kind="stable").drop_duplicates(_KEY, keep="last")
    pairs = _beside_known(rows, known)
    weighed = weigh(rows, known)
    held = [
        *_of_another_size(pairs, known),
        *_exchanged(pairs),
        *_beyond_the_record(pairs, known),
        *_far_from_its_past(weighed),
        *_not_as_rounded(rows, known),
    ]
    if forecast is not None:
        held += _outside_forecast(forecast, RECORD)
    lost = _lost(rows, known)
    if complete:
        held += _cut_short(rows, known, lost, revisions)
    reported = [
        *_larger_than_usual(pairs, revisions),
        *_from_nowhere(pairs, known, revisions),
        *_unlike_its_past(weighed),
        *_partial(pairs[~pairs["is_known"] & ~pairs["is_older"]], received),
    ]
    if forecast is not None and not held:
        reported += _outside_forecast(forecast, 1.0)
    return Judgement(held, [*reported, *_first(_MISSING, lost)])


def _beside_known(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the known value ``before``, ``is_older``, ``is_known`` and ``is_changed``."""
    pairs = rows.merge(known[[*_KEY, "obs_value", "as_of"]], on=_KEY, how="left", suffixes=("", "_before"))
    # An edition of a known day says nothing against what was published after it.
    is_older = ~pairs["as_of_estimated"] & (pairs["as_of_before"] > pairs["as_of"])
    before = pairs["obs_value_before"].mask(is_older).to_numpy(dtype=float)
    after = pairs["obs_value"].to_numpy(dtype=float)
    return pairs.assign(
        before=before, is_older=is_older, is_known=~np.isnan(before), is_changed=~np.isnan(before) & (before != after)
    )


def _of_another_size(pairs: pd.DataFrame, known: pd.DataFrame) -> Iterator[Message]:
    """Many changed by a factor, as in another unit; or one series became another, as with exchanged labels."""
    sizes = pairs[["before", "obs_value"]].abs()
    counted = pairs[pairs["is_changed"] & (sizes.max(axis=1) >= LEAST)]
    if len(counted) < FEWEST:
        return
    ratios = (counted["obs_value"].abs() + 1) / (counted["before"].abs() + 1)
    logs = pd.Series(np.log(ratios.to_numpy(dtype=float)), index=counted.index)
    counted = counted.assign(log=logs, times=np.exp(logs.abs()))
    for (target, freq), some in counted.groupby(["target", "freq"], sort=True):
        if len(some) >= FEWEST and abs(some["log"].median()) >= np.log(FACTOR):
            yield message(
                _("{n} known figures ({target}, {freq}) change, half of them to {times} times the former or more "
                  "(another unit, or other columns?)"),
                n=len(some), target=target, freq=freq, times=float(f"{np.exp(some['log'].median()):.3g}"),
            )  # fmt: skip
            return
    shared = pairs[pairs["is_known"] & (sizes.max(axis=1) >= LEAST)].groupby("series_id").size()
    by_series = counted.groupby("series_id")["times"].agg(["size", "median"])
    share = by_series["size"] / shared.reindex(by_series.index)
    strange = by_series[(by_series["size"] >= FEWEST_OF_SERIES) & (share >= PART) & (by_series["median"] >= THIRD)]
    strange = strange[[_is_another(str(series), pairs, known) for series in strange.index]]
    if len(strange):
        text = _("{series} changes throughout; {n} in all (exchanged labels, or a shifted header?)")
        yield message(text, series=str(strange["size"].idxmax()), n=len(strange))
    elif counted["times"].median() >= FACTOR:
        yield from _first(_("{series} {period} changes by much, as others do, up and down; {n} in all"), counted)


def _is_another(series_id: str, pairs: pd.DataFrame, known: pd.DataFrame) -> bool:
    """Whether half of a series' new figures are another known series', or its own of the period beside.

    An annual re-release changes series throughout too, but they become no other.
    """
    own = pairs[(pairs["series_id"] == series_id) & pairs["is_known"] & (pairs["obs_value"].abs() >= LEAST)]
    is_alike = known["target"].isin(own["target"]) & known["freq"].isin(own["freq"])
    alike = known[is_alike | (known["series_id"] == series_id)]
    wide = alike.pivot_table("obs_value", "time_period", "series_id")
    beside = {f"{series_id} {step}": wide[series_id].shift(step) for step in (-1, 1)}
    others = wide.drop(columns=series_id).assign(**beside)
    equal = others.reindex(own["time_period"]).eq(own["obs_value"].to_numpy(), axis=0)
    return bool((equal.mean() >= PART).any())


def _exchanged(pairs: pd.DataFrame) -> Iterator[Message]:
    """Two series that have become each other, figure by figure."""
    sizes = pairs[["before", "obs_value"]].abs().min(axis=1)
    changed = pairs[pairs["is_changed"] & (sizes >= LEAST)][[*_KEY, "before", "obs_value"]]
    both = changed.merge(
        changed, left_on=["time_period", "before", "obs_value"], right_on=["time_period", "obs_value", "before"],
        suffixes=("", "_other"),
    )  # fmt: skip
    number = both.groupby(["series_id", "series_id_other"], as_index=False).size()
    for one, other, _number in number[number["size"] >= EXCHANGED].head(1).itertuples(index=False):
        yield message(
            _("{series} and {other} have exchanged their figures (exchanged labels?)"), series=one, other=other
        )


def _beyond_the_record(pairs: pd.DataFrame, known: pd.DataFrame) -> Iterator[Message]:
    """A figure far above the highest of its series; of a series not known before, of the edition's other figures."""
    record = known.assign(size=known["obs_value"].abs()).groupby("series_id")["size"].max()
    top = pairs["series_id"].map(record)
    kinds = ["target", "freq", "is_total"]
    whole, former = (some.assign(is_total=some["citizen"].isin([ALL, NOT_APPLICABLE])) for some in (pairs, known))
    # A small series may leap as far as its target's larger ones have been.
    usual = former["obs_value"].abs().groupby([former[name] for name in kinds]).quantile(0.99).rename("usual")
    whole = whole.assign(size=whole["obs_value"].abs(), record=top).join(usual, on=kinds)
    bound = RECORD * np.maximum(np.maximum(top.fillna(0.0), whole["usual"].fillna(0.0)), LEAST)
    is_new = ~pairs["is_older"] & (~pairs["is_known"] | pairs["is_changed"])
    beyond = whole[is_new & (whole["size"] > bound) & top.notna()]
    text = _("{series} {period} is {value}, more than {times} times the highest figure known before ({record})")
    yield from _first(text, beyond, "size", times=f"{RECORD:g}")


def _not_as_rounded(rows: pd.DataFrame, known: pd.DataFrame) -> Iterator[Message]:
    """A figure that is not whole, or no multiple of what the publisher rounds to, where all others are."""
    for (target, freq), some in rows.groupby(["target", "freq"], sort=True):
        held = known[(known["target"] == target) & (known["freq"] == freq)]
        values = (held if len(held) >= MANY else some)["obs_value"]
        step = _rounded_to(values)
        broken = some[some["obs_value"] % step != 0] if step else some.iloc[:0]
        text = _("{series} {period} is no multiple of {step}, as {target} always were; {n} in all")
        yield from _first(text, broken, step=step, target=target)


def _rounded_to(values: pd.Series) -> int:
    """The largest step of which nearly all figures are multiples; 0 where there is none."""
    some = values[values != 0].abs()
    if len(some) < MANY:
        return 0
    return next((one for one in (*ROUNDING, 1) if (some % one == 0).mean() >= NEARLY_ALL), 0)


def _lost(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Known figures that are missing in a series of the edition, although it goes on to later periods or others do."""
    spans = rows.groupby("series_id")["time_period"].agg(["min", "max"])
    spans["max"] = rows.groupby(["target", "freq"])["time_period"].transform("max").groupby(rows["series_id"]).max()
    inside = known[known["series_id"].isin(spans.index)]
    spans = spans.reindex(inside["series_id"])
    period = inside["time_period"].to_numpy(dtype=str)
    within = (period >= spans["min"].to_numpy(dtype=str)) & (period <= spans["max"].to_numpy(dtype=str))
    here = pd.MultiIndex.from_frame(rows[_KEY])
    return inside[within & ~pd.MultiIndex.from_frame(inside[_KEY]).isin(here)]


def _cut_short(
    rows: pd.DataFrame, known: pd.DataFrame, lost: pd.DataFrame, revisions: pd.DataFrame
) -> Iterator[Message]:
    """An edition of the whole history that lacks more of it than any before, or a whole series of totals."""
    span = known[known["time_period"] <= rows["time_period"].max()]
    absent = span[~span["series_id"].isin(rows["series_id"].unique()) & span["target"].isin(rows["target"].unique())]
    gone = pd.concat([lost, absent])
    totals = absent[absent["citizen"].isin([ALL, NOT_APPLICABLE])]
    deleted = revisions[revisions["kind"] == "deleted"].groupby("as_of").size()
    allowed = max(GONE * len(span), 2.0 * float(deleted.max()) if len(deleted) else 0.0)
    if len(gone) > allowed or len(totals):
        yield from _first(_MISSING, totals if len(totals) else gone)


def _larger_than_usual(pairs: pd.DataFrame, revisions: pd.DataFrame) -> Iterator[Message]:
    """The largest change of a known figure beyond what the source usually changes: of totals, and of their parts."""
    changed = pairs[pairs["is_changed"]]
    past = revisions[(revisions["kind"] == "changed") & (revisions["before"].abs() >= LEAST)]
    for of_parts in (False, True):
        some, record = (rows[~rows["citizen"].isin([ALL, NOT_APPLICABLE]) == of_parts] for rows in (changed, past))
        usual = float(record["share"].abs().quantile(USUAL_QUANTILE)) if len(record) >= ENOUGH else 0.0
        usual = max(usual, USUAL_LEAST)
        size = (some["obs_value"] - some["before"]).abs()
        large = some.assign(size=size)[size > usual * some["before"].abs().clip(lower=1.0)]
        text = _("{series} {period} changes from {before} to {value}, by more than the usual {share}; {n} in all")
        yield from _first(text, large, "size", share=f"{usual:.1%}")


def _from_nowhere(pairs: pd.DataFrame, known: pd.DataFrame, revisions: pd.DataFrame) -> Iterator[Message]:
    """Figures where the source had none, beside the periods that follow what is known: another label, another year?"""
    if known.empty:
        return
    here = ["target", "freq"]
    newest = known.groupby(here)["time_period"].max()
    news = pairs[~pairs["is_known"] & ~pairs["is_older"]]
    news = news.join(newest.rename("newest"), on=here)
    large = ~news["series_id"].isin(known["series_id"].unique()) & (news["obs_value"].abs() >= LEAST)
    kinds = news[news["newest"].isna() | large & (news["time_period"] > news["newest"])]
    yield from _first(_("{series} {period} is of a kind that this source did not have; {n} in all"), kinds)
    late = news[news["time_period"] <= news["newest"]]
    past = revisions[revisions["kind"] == "added"].groupby("as_of").size()
    text = _("{series} {period} is of a period that was known without it; {n} in all (another label or year?)")
    if len(late) > (float(past.quantile(USUAL_QUANTILE)) if len(past) >= ENOUGH else 0.0):
        yield from _first(text, late, "obs_value")
    for (_target, freq), after in news[news["time_period"] > news["newest"]].groupby(here):
        first, last = (
            to_period(period, cast(Frequency, freq)).ordinal
            for period in (after["time_period"].min(), after["newest"].max())
        )
        if first - last > 1:
            text = _("{series} {period} follows a gap in what is known; {n} in all (another year?)")
            yield from _first(text, after.sort_values("time_period"))


def _far_from_its_past(weighed: pd.DataFrame) -> Iterator[Message]:
    """A new figure far outside all that its series did; or all series of a publisher at once."""
    # Persons of a nationality not known yet are those of the newest months; they are reported, not held.
    is_settled = weighed["series_id"].str.split(".").str[3] != UNKNOWN
    far = weighed[is_settled & (weighed["times_beyond"] > RECORD)]
    text = _(
        "{series} {period} is {value}, more than {times} times beyond all that its series did, {former} the period "
        "before; {n} in all"
    )
    yield from _first(text, far, "times_beyond", times=f"{RECORD:g}")
    alike = weighed[weighed["times_together"] > FACTOR]
    yield from _first(_("{n} series move alike in {period}, as they never did (another unit?)"), alike)


def _outside_forecast(forecast: pd.DataFrame, times: float) -> Iterator[Message]:
    """Figures by ``times`` and by 20 persons outside Vigie's last forecast of them; small ones by persons."""
    low, high, value = (forecast[name] for name in ("low", "high", "obs_value"))
    beyond = np.maximum((value + LEAST) / (high + LEAST), (low + LEAST) / (value + LEAST))
    is_far = np.maximum(value - high, low - value) >= LEAST
    found = forecast.round().assign(beyond=beyond)[is_far & (beyond > times)]
    text = _("{series} {period} is {value}; Vigie forecast {low} to {high} with 98 %; {n} in all")
    yield from _first(text, found, "beyond")


def _unlike_its_past(weighed: pd.DataFrame) -> Iterator[Message]:
    """New figures to look at: each kind once, with the one that moved most."""
    kinds = {
        "is_unusual": _(
            "{series} {period} is {value}, outside its series' usual range, {former} the period before; {n} in all"
        ),
        "is_zero": _("{series} {period} is zero, as it seldom is; {n} in all"),
        "is_copy": _("{series} {period} repeats a figure of the year before; {n} in all (another period?)"),
        "is_finer": _("{series} {period} is {value}, with more decimals than its series ever had; {n} in all"),
        "is_rounder": _("{series} {period} is {value}, rounder than its series' figures are; {n} in all"),
        "is_running_sum": _("{series} {period} is as large as its year so far; {n} in all (a running sum?)"),
    }
    weighed = weighed.assign(moved=(weighed["obs_value"] - weighed["former"]).abs())
    for name, text in kinds.items():
        yield from _first(text, weighed[weighed[name].astype(bool)], "moved")
    alike = weighed[weighed["times_together"].between(1.0, FACTOR, inclusive="right")]
    yield from _first(_("{n} series move alike in {period}, more than they did before"), alike)


def _partial(news: pd.DataFrame, received: dt.date | None) -> Iterator[Message]:
    """New figures of a period that was not over when they were published, not marked as provisional."""
    published = news["as_of"].mask(news["as_of_estimated"], pd.Timestamp(received) if received else pd.NaT)
    early = news[(published <= period_ends(news)) & ~news["obs_flag"].str.contains("p")]
    yield from _first(_("{series} {period} is new, of a period that was not over; {n} in all"), early)


def _first(text: str, rows: pd.DataFrame, order: str = "", **more: object) -> Iterator[Message]:
    """A sentence on some rows that names the largest by ``order``, else the first of them; none where there is none."""
    for one in (rows.sort_values(order, ascending=False, kind="stable") if order else rows).head(1).to_dict("records"):
        figures = one | {"value": one["obs_value"]}
        more |= {name: float(figures[name]) for name in _FIGURES if f"{{{name}}}" in text}
        yield message(text, n=len(rows), series=one["series_id"], period=one["time_period"], **more)
