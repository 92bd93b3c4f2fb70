"""The control that goes back in time: stored releases and, beyond them, past origins replayed by the same code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from dashboard import downloads, layout, numbers, reads, replay_view, state, summaries, tables
from dashboard.i18n import _, ngettext
from dashboard.reads import Night
from dashboard.route_view import RouteView

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
    return _("{day} · replay").format(day=numbers.day(dt.date.fromisoformat(origin)))


def show_control(night: Night, origin: str, origins: list[str]) -> None:
    """Choose a release or a past origin, or step to the one before or after.

    Args:
        night: The release shown.
        origin: The past origin shown, or an empty text.
        origins: Past origins of this release, the newest first.
    """
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
            key=f"step:{icon}",
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
    """On a past origin: that nobody published this forecast, and how the figures of then are known."""
    if not view.origin:
        return
    badge = _("Replay")
    made = _("Made later by the same code with what was known then; it was not published at the time.")
    st.markdown(f":violet-badge[:material/history: {badge}] {layout.small(f'{made} {then_words(view)}')}")


def then_words(view: RouteView) -> str:
    """Whether the figures shown are those of then."""
    changed = int(view.history["changed"].sum())
    text = (
        ngettext(
            "{n} month is shown as it was known then, otherwise than now.",
            "{n} months are shown as they were known then, otherwise than now.",
            changed,
        ).format(n=changed)
        if changed
        else _("Every month shown was known then as it is now.")
    )
    if view.editions > 1:
        return text
    return text + " " + _("The sources keep no past editions: what was known then follows from their usual delays.")


def show_reveal_switch(*, there: bool) -> None:
    """The switch that shows what happened next; none where nothing has been counted since."""
    if there:
        st.toggle(
            _("Reveal what happened next"),
            **state.widget("reveal", state.switch("reveal"), lambda on: "1" if on else "0"),
        )


def show_verdict(view: RouteView) -> None:
    """How the forecast did: months inside each interval, score beside the baseline's, month by month."""
    did = replay_view.how_it_did(view.quantiles, view.outcomes)
    if did.empty:
        return
    st.markdown(" ".join(part for part in (inside_words(did), score_words(view.scored), source_words(view)) if part))
    title = _("What happened next")
    export = downloads.export_of(view.night, f"next-{view.route_id}-{view.known_on}", title, file_rows(did))
    downloads.figures(export, title, shown=verdict_table(did))


def inside_words(did: pd.DataFrame) -> str:
    """How many of the months counted since fell inside the intervals."""
    text = ngettext(
        "What happened next: {inside} of {n} month fell inside the 80% interval ({half} in 50%, {most} in 95%).",
        "What happened next: {inside} of {n} months fell inside the 80% interval ({half} in 50%, {most} in 95%).",
        len(did),
    )
    held = did["inside"]
    return text.format(
        inside=int((held.between(0.4, 0.9)).sum()),
        n=len(did),
        half=int((held.between(0.4, 0.6)).sum()),
        most=int((held > 0).sum()),
    )


def score_words(scored: pd.DataFrame) -> str:
    """The ensemble's score relative to the baseline's on the same months."""
    ratio, months = replay_view.relative_wis(scored, summaries.ENSEMBLE, summaries.BASELINE)
    if not summaries.known(ratio):
        return ""
    text = (
        _("Its score (WIS) was {ratio} of the baseline's over {n}: better.")
        if ratio < 1
        else _("Its score (WIS) was {ratio} of the baseline's over {n}: not better.")
    )
    count = ngettext("{n} month", "{n} months", months).format(n=months)
    return text.format(ratio=numbers.decimal(ratio), n=count)


def source_words(view: RouteView) -> str:
    """Which release knows the outcomes, where it is another than the one shown."""
    if view.knowing.run_id == view.night.run_id:
        return ""
    text = _("Outcomes as known in the release of {day}.")
    return layout.small(text.format(day=numbers.day(view.knowing.as_of)))


def held_words(inside: float) -> str:
    """The narrowest interval that holds an outcome."""
    if inside == replay_view.OUTSIDE:
        return _("outside all")
    return _("inside the {coverage}").format(coverage=numbers.percent(inside))


def verdict_table(did: pd.DataFrame) -> pd.DataFrame:
    """What came, beside what was expected, in the reader's words."""
    return pd.DataFrame(
        {
            _("Month"): [numbers.month_name(end) for end in did["target_end_date"]],
            _("Expected"): [numbers.expected(value) for value in did["q50"]],
            tables.no_break(_("80% interval")): [
                numbers.interval(low, high) for low, high in zip(did["q10"], did["q90"], strict=True)
            ],
            _("Counted"): [numbers.observed(value) for value in did["outcome"]],
            _("Where it fell"): [held_words(inside) for inside in did["inside"]],
        }
    )


def file_rows(did: pd.DataFrame) -> pd.DataFrame:
    """The same for files: ``month, horizon, q10, median, q90, counted, inside`` (0 is outside all)."""
    months = did["target_end_date"].dt.strftime("%Y-%m")
    named = did.rename(columns={"q50": "median", "outcome": "counted"}).assign(month=months)
    return named[["month", "horizon", "q10", "median", "q90", "counted", "inside"]].round(
        {"q10": 1, "median": 1, "q90": 1}
    )
