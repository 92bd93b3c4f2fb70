"""Going back: the control, what was known at a past date, what came after a forecast, and how the forecast did."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from core import INTERVALS, interval_levels
from core.languages import is_known
from dashboard import _, downloads, labelled, lang, layout, reads, state, tables
from dashboard.reads import Night
from reports import numbers

if TYPE_CHECKING:
    from dashboard.route_view import RouteView

OUTSIDE = 0.0
"""In a column ``inside``: the outcome fell outside every interval."""
SUM_LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)


def history_then(history: pd.DataFrame, figures_then: pd.DataFrame, series_id: str, origin: str) -> pd.DataFrame:
    """A route's figures as they were known at a past origin.

    Args:
        history: ``time_period, obs_value, obs_flag, end_date``, of the release, cut at the origin.
        figures_then: The release's frame of what was known otherwise.
        series_id: The route's series.
        origin: ISO date of the origin; an empty text where the release itself is shown, which differs nowhere.

    Returns:
        The same columns; periods that were not known then are left out, and ``changed`` says which differ.
    """
    then = figures_then[
        (figures_then["series_id"] == series_id) & (figures_then["origin_date"] == pd.Timestamp(origin))
    ]
    values = then.set_index("time_period")["obs_value"]
    changed = history["time_period"].isin(values.index)
    known = history["time_period"].map(values).where(changed, history["obs_value"])
    return history.assign(obs_value=known.astype(float), changed=changed).dropna(subset=["obs_value"])


def later_release(night: Night, nights: Sequence[Night]) -> Night:
    """Return the release with the newest outcomes after another one, or that one."""
    newest = max(nights, key=lambda one: (one.as_of, one.run_id), default=night)
    return newest if newest.as_of > night.as_of else night


def came_later(night: Night, series_id: str, after: pd.Timestamp) -> tuple[pd.DataFrame, Night]:
    """Return what was counted after a month of a release, and the release that holds it."""
    knowing = later_release(night, reads.nights())
    for source in (knowing, night):
        found = numbers.observed_after(source.frame("observations"), source.frame("outcomes"), series_id, after.date())
        if len(found):
            return found, source
    return found, night


def since(night: Night, series_id: str, quantiles: pd.DataFrame) -> tuple[pd.DataFrame, Night]:
    """Return what was counted from a forecast's first period on, for charts, and the release that holds it."""
    first = quantiles.index[0] if len(quantiles) else pd.Timestamp(night.as_of)
    found, knowing = came_later(night, series_id, first - pd.Timedelta(days=1))
    return numbers.for_chart(found), knowing


def how_it_did(quantiles: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Each month counted since, beside what was expected of it.

    Args:
        quantiles: Result of ``numbers.quantiles_of``.
        outcomes: ``time_period_end``, ``value``.

    Returns:
        ``target_end_date, horizon, q10, q50, q90, outcome, inside``: ``inside`` is the narrowest of the 50, 80 and
        95 % intervals that holds the outcome, or ``OUTSIDE``.
    """
    columns = ["target_end_date", "horizon", "q10", "q50", "q90", "outcome", "inside"]
    later = outcomes.set_index("time_period_end")["value"].rename("outcome")
    both = quantiles.join(later, how="inner").dropna(subset=["outcome"])
    if both.empty:
        return pd.DataFrame(columns=columns)
    inside = [narrowest(row, row["outcome"]) for _end, row in both.iterrows()]
    named = both.rename(columns={0.1: "q10", 0.5: "q50", 0.9: "q90"}).rename_axis("target_end_date").reset_index()
    return named.assign(inside=inside)[columns].reset_index(drop=True)


def sum_quantiles(trajectories: pd.DataFrame, series: Sequence[str], ends: Sequence[pd.Timestamp]) -> pd.Series:
    """Quantiles of a sum over months and series at ``SUM_LEVELS``, from joint paths; empty where one has no path."""
    sums = numbers.path_sums(trajectories, series, ends)
    return pd.Series(dtype=float) if sums is None else sums.quantile(list(SUM_LEVELS))


def outcome_row(name: str, quantiles: pd.Series, outcome: float) -> dict[str, Any]:
    """What was expected, and what came, as rows of :func:`how_it_did` have it; without an outcome it is NaN."""
    ends = {f"q{round(100 * level)}": quantiles.get(level, np.nan) for level in (0.1, 0.5, 0.9)}
    judged = is_known(outcome) and is_known(ends["q50"])
    return {"name": name, **ends, "outcome": outcome, "inside": narrowest(quantiles, outcome) if judged else np.nan}


def nearness(row: Mapping[str, Any]) -> float:
    """By what rows are ordered so that the farthest miss leads: misses lie below zero, other rows at zero."""
    missed = row["inside"] == OUTSIDE or row["inside"] > 0.9
    return -abs(math.log1p(row["outcome"]) - math.log1p(row["q50"])) if missed else 0.0


def narrowest(quantiles: pd.Series, outcome: float) -> float:
    """The narrowest of the 50, 80 and 95 % intervals that holds an outcome, or ``OUTSIDE``."""
    for coverage in sorted(INTERVALS):
        low, high = interval_levels(coverage)
        if quantiles.loc[low] <= outcome <= quantiles.loc[high]:
            return float(coverage)
    return OUTSIDE


KEY = "known_on"


def in_time_order(nights: Sequence[Night], origins: Sequence[str]) -> list[str]:
    """Everything that can be gone back to, oldest first: past origins (ISO dates), then releases (run_ids)."""
    releases = sorted(nights, key=lambda one: (one.as_of, one.run_id))
    return [*sorted(origins), *[one.run_id for one in releases]]


def beside(stops: Sequence[str], chosen: str) -> tuple[str | None, str | None]:
    """The stop before and the stop after the chosen one; None at either end."""
    place = list(stops).index(chosen)
    before = stops[place - 1] if place > 0 else None
    return before, (stops[place + 1] if place + 1 < len(stops) else None)


def origin_label(origin: str) -> str:
    """A past origin in words."""
    return _("{day} · replay").format(day=lang().day(dt.date.fromisoformat(origin)))


def show_control(night: Night, origin: str, origins: list[str]) -> None:
    """Choose a release or a past origin, or step to the one before or after."""
    found = reads.nights()
    labels = layout.release_labels(found)
    stops = in_time_order(found, origins)
    chosen = origin or night.run_id
    before, after = beside(stops, chosen)
    st.session_state[KEY] = chosen
    st.selectbox(
        _("As known on"),
        stops[::-1],
        format_func=lambda stop: labels.get(stop) or origin_label(stop),
        width=230,
        help=_(
            "Stored releases, and before them past months: what the same code would have said with what was known then."
        ),
        key=KEY,
        on_change=_follow,
        args=(labels, found[0].run_id),
    )
    steps = ((_("Earlier"), ":material/chevron_left:", before), (_("Later"), ":material/chevron_right:", after))
    for label, icon, stop in steps:
        st.button(
            label,
            icon=icon,
            type="tertiary",
            disabled=stop is None,
            key=f"travel:{icon}",
            on_click=go_to,
            args=(stop, labels, found[0].run_id),
        )


def _follow(labels: Mapping[str, str], newest: str) -> None:
    go_to(st.session_state[KEY], labels, newest)


def go_to(stop: str, releases: Mapping[str, str], newest: str) -> None:
    """Write a release or a past origin into the address."""
    if stop in releases:
        state.forget("origin")
        state.write("release", state.LATEST if stop == newest else stop)
    else:
        state.write("origin", stop)


def show_replay_mark(view: RouteView) -> None:
    """Mark a past origin: this forecast was not published; name the source of its figures."""
    if not view.origin:
        return
    badge = _("Replay")
    made = _("Made later by the same code with what was known then; it was not published at the time.")
    st.markdown(f":violet-badge[:material/history: {badge}] {layout.small(f'{made} {then_words(view)}')}")


def then_words(view: RouteView) -> str:
    """Whether the figures shown are those of then."""
    changed = int(view.history["changed"].sum())
    text = _("Every month shown was known then as it is now.")
    if changed:
        text = _("Months shown as they were known then, otherwise than now: {n}.").format(n=changed)
    if view.editions > 1:
        return text
    return text + " " + _("The sources keep no past editions: what was known then follows from their usual delays.")


def show_reveal_switch(*, there: bool) -> None:
    """The switch that shows what happened next; none where nothing has been counted since."""
    if there:
        with st.container(key="reveal-switch", width="content"):
            st.toggle(_("Reveal what happened next"), **state.toggle("reveal"))


def show_verdict(night: Night, knowing: Night, did: pd.DataFrame, name: str, key: str, months_each: int = 1) -> None:
    """How a forecast did: what it missed, how many outcomes each interval held, and one after the other.

    Args:
        night: The release.
        knowing: The release that holds the outcomes.
        did: Result of :func:`how_it_did`.
        name: What was forecast, and when.
        key: The same in the name of a file.
        months_each: Months that one outcome covers.
    """
    if did.empty:
        return
    said = (missed_words(did, months_each), inside_words(did), source_words(night, knowing))
    st.markdown(" ".join(filter(None, said)))
    title = _("What happened next")
    export = downloads.export_of(night, f"next-{key}", labelled(name, title), file_rows(did))
    downloads.figures(export, title, shown=verdict_table(did, months_each))


def missed_words(did: pd.DataFrame, months_each: int = 1) -> str:
    """How many outcomes fell outside the 80 % interval, and the farthest of them; empty without one."""
    missed = did[~did["inside"].between(0.4, 0.9)]
    if missed.empty:
        return ""
    row = missed.loc[np.log1p(missed["outcome"]).sub(np.log1p(missed["q50"])).abs().idxmax()]
    text = _(
        "Missed in {missed} of {n}; farthest: {counted} counted {when}, {expected} expected (80% interval {interval})."
    )
    return text.format(
        missed=len(missed), n=len(did), counted=lang().counted(row["outcome"]), expected=lang().expected(row["q50"]),
        when=lang().in_period(row["target_end_date"], months_each),
        interval=lang().interval_words(row["q10"], row["q90"]),
    )  # fmt: skip


def inside_words(did: pd.DataFrame) -> str:
    """How many of the outcomes fell inside the intervals."""
    text = _("Counts inside the 80% interval: {inside} of {n} ({half} in 50%, {most} in 95%).")
    held = did["inside"]
    return text.format(
        inside=int((held.between(0.4, 0.9)).sum()),
        n=len(did),
        half=int((held.between(0.4, 0.6)).sum()),
        most=int((held > 0).sum()),
    )


def source_words(night: Night, knowing: Night) -> str:
    """Name the release with the outcomes, if it is not the one shown."""
    if knowing.run_id == night.run_id:
        return ""
    text = _("Outcomes as known in the release of {day}.")
    return layout.small(text.format(day=lang().day(knowing.as_of)))


def held_words(inside: float, *, is_above: bool) -> str:
    """The narrowest interval that holds an outcome, and on which side of the narrower ones it lies.

    Args:
        inside: Result of :func:`narrowest`.
        is_above: Whether the outcome lies above the 80 % interval.
    """
    if inside == OUTSIDE:
        return _("above all intervals") if is_above else _("below all intervals")
    if inside > 0.8:
        text = _("above the {narrow} interval, inside the {coverage}")
        text = text if is_above else _("below the {narrow} interval, inside the {coverage}")
        return text.format(narrow=lang().percent(0.8), coverage=lang().percent(inside))
    return _("inside the {coverage}").format(coverage=lang().percent(inside))


def verdict_table(did: pd.DataFrame, months_each: int = 1) -> pd.DataFrame:
    """What came, beside what was expected, in the reader's words; periods have names where rows have none.

    Args:
        did: As from :func:`how_it_did`; rows may have a ``name`` in place of a period, and no outcome yet.
        months_each: Months that one outcome covers.
    """
    is_named = "name" in did
    return pd.DataFrame(
        {
            _("What was forecast") if is_named else _("Period"): list(did["name"])
            if is_named
            else [lang().period(end, months_each) for end in did["target_end_date"]],
            _("Expected"): [lang().expected(value) for value in did["q50"]],
            tables.no_break(_("80% interval")): [
                lang().interval(low, high) for low, high in zip(did["q10"], did["q90"], strict=True)
            ],
            _("Counted"): [lang().counted(value) for value in did["outcome"]],
            _("Position in interval"): [
                held_words(row["inside"], is_above=row["outcome"] > row["q90"])
                if is_known(row["inside"])
                else _("not counted yet")
                for row in did.to_dict("records")
            ],
        }
    )


def file_rows(did: pd.DataFrame) -> pd.DataFrame:
    """The same for files: ``month, horizon, q10, median, q90, counted, inside`` (0 is outside all)."""
    months = did["target_end_date"].dt.strftime("%Y-%m")
    named = did.rename(columns={"q50": "median", "outcome": "counted"}).assign(month=months)
    return named[["month", "horizon", "q10", "median", "q90", "counted", "inside"]]
