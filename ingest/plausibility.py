"""Plausibility before knowledge: what an edition would change, held against its source's own history.

Pure functions, frames in and reasons out. A wrong unit, exchanged labels, a shifted header or a table cut short change
many figures at once, or one beyond all that was ever seen: such an edition is *held* until a person has looked. A
change that is merely larger than the source's usual ones is *told*, and known. Thresholds were
set while looking at the real files under ``tests/ingest/test_real_editions.py``, none of which they hold: a check that
raises false alarms is soon ignored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pandas as pd

from core.calendar import Frequency, to_period
from core.errors import Message, Template, message
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.schema import ALL, NOT_APPLICABLE

LEAST = 20
"""Persons from which a ratio means something: of smaller counts one more boat is many times the former."""
FACTOR = 3.0
"""A revision changes figures by less, on the median: units differ by ten and more, exchanged labels by about this."""
PART = 0.5
"""Share of a series' known figures whose change by a third or more, on the median, is no revision of it any more."""
THIRD = 1.33
FEWEST, FEWEST_OF_SERIES = 6, 12
"""Figures from which a median or a share is taken: of all that changes, and of one series."""
RECORD = 10.0
"""Times the highest figure ever known of a series: more is held."""
EXCHANGED = 2
"""Figures that two series have exchanged exactly, from which on it is no coincidence."""
ROUNDING = (1000, 100, 50, 10, 5)
"""Multiples to which publishers round."""
MANY = 30
"""Figures from which it can be seen that a publisher rounds."""
NEARLY_ALL = 0.98
GONE = 0.02
"""Share of the known figures that an edition of the whole history may lack, unless the source has lacked more."""
USUAL_QUANTILE, USUAL_LEAST, ENOUGH = 0.90, 0.005, 8
"""Usual is what nine in ten of the source's other changes stay within; at least half a percent."""
_KEY = ["series_id", "time_period"]


@dataclass(frozen=True)
class Judgement:
    """What is to be said of an edition.

    Attributes:
        held: Why it must wait for a person; empty where it need not.
        told: What is unusual about it, reported without holding it.
    """

    held: list[Message] = field(default_factory=list)
    told: list[Message] = field(default_factory=list)


def judge(rows: pd.DataFrame, known: pd.DataFrame, revisions: pd.DataFrame, *, complete: bool = False) -> Judgement:
    """Hold an edition against what is known of its source.

    Args:
        rows: The edition's figures (``core.release.OBSERVATIONS``), of one source.
        known: What that source is known to have said (the same contract); may be empty.
        revisions: Every change that source ever made (``core.release.REVISIONS``); may be empty.
        complete: The edition re-sends the whole history of its targets: what it lacks is taken away.
    """
    rows = rows.sort_values("as_of", kind="stable").drop_duplicates(_KEY, keep="last")
    pairs = rows.merge(known[[*_KEY, "obs_value", "as_of"]], on=_KEY, how="left", suffixes=("", "_before"))
    # An edition of a known day says nothing against what was published after it.
    is_older = ~pairs["as_of_estimated"] & (pairs["as_of_before"] > pairs["as_of"])
    before = pairs["obs_value_before"].mask(is_older).to_numpy(dtype=float)
    after = pairs["obs_value"].to_numpy(dtype=float)
    pairs = pairs.assign(
        before=before, is_older=is_older, is_known=~np.isnan(before), is_changed=~np.isnan(before) & (before != after)
    )
    held = [
        *_of_another_size(pairs),
        *_exchanged(pairs),
        *_beyond_the_record(pairs, known),
        *_not_as_rounded(rows, known),
    ]
    lost = _lost(rows, known)
    if complete:
        held += _cut_short(rows, known, lost, revisions)
    told = [*_larger_than_usual(pairs, revisions), *_from_nowhere(pairs, known, revisions)]
    if len(lost):
        told.append(
            _first(
                ngettext(
                    "{n} known figure is missing in it: {series} {period}",
                    "{n} known figures are missing in it, such as {series} {period}",
                ),
                lost,
            )
        )
    return Judgement(held, told)


def _of_another_size(pairs: pd.DataFrame) -> Iterator[Message]:
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
    if len(strange):
        yield message(
            ngettext(
                "{n} series changes throughout: {series} (exchanged labels, or a shifted header?)",
                "{n} series change throughout, such as {series} (exchanged labels, or a shifted header?)",
            ),
            n=len(strange), series=str(strange["size"].idxmax()),
        )  # fmt: skip
    elif counted["times"].median() >= FACTOR:
        yield _first(
            _("{n} known figures change by much, up and down, such as {series} {period} (moved rows?)"), counted
        )


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
    whole = pairs.assign(total=pairs["citizen"].isin([ALL, NOT_APPLICABLE]), size=pairs["obs_value"].abs())
    # A small series may leap as far as its target's larger ones have been.
    usual = whole.groupby(["target", "freq", "total"])["before"].transform(lambda old: old.abs().quantile(0.99))
    bound = RECORD * np.maximum(np.maximum(top.fillna(0.0), usual.fillna(0.0)), LEAST)
    is_new = ~pairs["is_older"] & (~pairs["is_known"] | pairs["is_changed"])
    beyond = whole[is_new & (whole["size"] > bound) & top.notna()]
    if len(beyond):
        worst = beyond.sort_values("size").iloc[-1]
        yield message(
            _("{series} {period} is {value}, more than {times} times the highest figure known before ({record})"),
            series=worst["series_id"], period=worst["time_period"], value=float(worst["obs_value"]),
            times=f"{RECORD:g}", record=float(record[worst["series_id"]]),
        )  # fmt: skip


def _not_as_rounded(rows: pd.DataFrame, known: pd.DataFrame) -> Iterator[Message]:
    """A figure that is not whole, or no multiple of what the publisher rounds to, where all others are."""
    for (target, freq), some in rows.groupby(["target", "freq"], sort=True):
        held = known[(known["target"] == target) & (known["freq"] == freq)]
        values = (held if len(held) >= MANY else some)["obs_value"]
        step = _rounded_to(values)
        broken = some[some["obs_value"] % step != 0] if step else some.iloc[:0]
        if len(broken):
            text = ngettext(
                "{n} figure is no multiple of {step}, as {target} always were: {series} {period}",
                "{n} figures are no multiples of {step}, as {target} always were, such as {series} {period}",
            )
            yield _first(text, broken, step=step, target=target)


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
        chosen = totals if len(totals) else gone
        yield _first(
            ngettext(
                "it lacks {n} figure that is known, {series} {period} (was it cut short?)",
                "it lacks {n} figures that are known, such as {series} {period} (was it cut short?)",
            ),
            chosen,
        )


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
        if len(large):
            worst = large.loc[[large["size"].idxmax()]].iloc[0]
            yield message(
                ngettext(
                    "a large revision: {series} {period} from {before} to {after} ({n} figure changes by more than the "
                    "usual {share})",
                    "a large revision: {series} {period} from {before} to {after} ({n} figures change by more than the "
                    "usual {share})",
                ),
                series=worst["series_id"], period=worst["time_period"], before=float(worst["before"]),
                after=float(worst["obs_value"]), n=len(large), share=f"{usual:.1%}",
            )  # fmt: skip


def _from_nowhere(pairs: pd.DataFrame, known: pd.DataFrame, revisions: pd.DataFrame) -> Iterator[Message]:
    """Figures where the source had none, beside the periods that follow what is known: another label, another year?"""
    if known.empty:
        return
    here = ["target", "freq"]
    newest = known.groupby(here)["time_period"].max()
    news = pairs[~pairs["is_known"] & ~pairs["is_older"]]
    news = news.join(newest.rename("newest"), on=here)
    kinds = news[news["newest"].isna()]
    if len(kinds):
        yield _first(
            ngettext(
                "{n} figure of a kind that this source did not have: {series} {period}",
                "{n} figures of a kind that this source did not have, such as {series} {period}",
            ),
            kinds,
        )
    late = news[news["time_period"] <= news["newest"]]
    past = revisions[revisions["kind"] == "added"].groupby("as_of").size()
    if len(late) > (float(past.quantile(USUAL_QUANTILE)) if len(past) >= ENOUGH else 0.0):
        largest = late.sort_values("obs_value", ascending=False)
        yield _first(
            ngettext(
                "{n} figure of a period that was known without it: {series} {period} (another label or year?)",
                "{n} figures of periods that were known without them, such as {series} {period} (another label or "
                "year?)",
            ),
            largest,
        )
    for (_target, freq), after in news[news["time_period"] > news["newest"]].groupby(here):
        first, last = (
            to_period(period, cast(Frequency, freq)).ordinal
            for period in (after["time_period"].min(), after["newest"].max())
        )
        if first - last > 1:
            text = ngettext(
                "{n} figure follows a gap in what is known: {series} {period} (another year?)",
                "{n} figures follow a gap in what is known, such as {series} {period} (another year?)",
            )
            yield _first(text, after.sort_values("time_period"))
        former = after.merge(known, left_on=["series_id", "newest"], right_on=_KEY, suffixes=("", "_former"))
        former = former[former["obs_value"].abs() >= LEAST]
        if len(former) >= EXCHANGED and (former["obs_value"] == former["obs_value_former"]).mean() >= NEARLY_ALL:
            yield _first(_("{n} figures repeat the period before, such as {series} {period} (another year?)"), former)


def _first(template: Template, rows: pd.DataFrame, **more: object) -> Message:
    one = rows.iloc[0]
    return message(template, n=len(rows), series=one["series_id"], period=one["time_period"], **more)
