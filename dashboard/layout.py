"""What every page shares: the release it shows, the line above the title, charts with text, table and files."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from access.roles import DOWNLOAD
from core.errors import VigieError
from core.settings import home_folder
from dashboard import access, memory, numbers, purpose, reads, state
from dashboard.downloads import FORMATS, Export
from dashboard.failures import error_words, fault
from dashboard.frames import localised
from dashboard.i18n import _, listed, words
from dashboard.language_control import show_languages
from dashboard.reads import Night
from dashboard.theme import CHART_CONFIG, current_theme
from reports import names

PAGES = "dashboard/app_pages"
_PURPOSE_READ = "purpose:read"
_DRAWN = "drawn:before"
_MOMENT = 0.06
"""Seconds: a change of route takes half as long on the screen with it, and no less with twice as much."""
_STYLE = (Path(__file__).parent / "assets" / "style.css").read_text("utf-8")
_DARK_BUTTON = '[data-testid^="stBaseButton-primary"] {color: #0B1A21 !important;}'
_LOGO = (Path(__file__).parent / "assets" / "logo.svg").read_text("utf-8")
"""The name is drawn as a shape: a picture may not use the page's fonts."""


def dress() -> None:
    """Logo in the theme's colours and the rules of style that Streamlit's theme cannot express."""
    theme = current_theme()
    st.html(f"<style>\n{_STYLE}{_DARK_BUTTON if theme.name == 'dark' else ''}\n</style>")
    st.logo(_LOGO.format(accent=theme.accent, ink=theme.ink), size="medium")
    show_languages()


def open_page(*, with_switch: bool = True) -> Night:
    """The release that the address asks for, with the line above the title; stops where there is none yet.

    Args:
        with_switch: Offer the other releases; False where the page has a control of its own.
    """
    dress()
    try:
        found = reads.nights()
    except VigieError as error:
        stop_with(error_words(error))
    if not found:
        no_release()
    run_ids = [one.run_id for one in found]
    run_id = state.choice("release", run_ids, run_ids[0])
    night = next(one for one in found if one.run_id == run_id)
    first_use()
    above_title(night, found, with_switch=with_switch)
    return night


def first_use() -> None:
    """On the first pages of a visit, until it is read: what Vigie is for and what it must not be used for."""
    if st.session_state.get(_PURPOSE_READ):
        return
    uses = listed(purpose.prohibited_uses())
    said = f"**{purpose.intended_use()}** " + _("Not to be used for: {uses}.").format(uses=uses)
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="stretch", gap=None):
            st.markdown(f":small[{said}]")
        st.button(_("I have read this"), type="tertiary", on_click=_remember_purpose, key="purpose-read")


def _remember_purpose() -> None:
    st.session_state[_PURPOSE_READ] = True


def no_release() -> None:
    """Say how a first release is made, and stop."""
    st.title(_("No release yet"), anchor=False)
    say_store_is_silent()
    st.markdown(_("Vigie shows what a nightly run has published. Make the first one from the bundled figures:"))
    st.code("vigie nightly --as-of 2025-01-31\nvigie nightly", language="shell")
    st.markdown(
        _("Then reload this page. The home folder looked into is {folder}.").format(folder=f"`{home_folder()}`")
    )
    st.stop()


def stop_with(text: str) -> None:
    """Say what is wrong in one sentence, and stop."""
    st.title(_("This page cannot be shown"), anchor=False)
    st.error(plain(text))
    st.stop()


def above_title(night: Night, found: list[Night], *, with_switch: bool) -> None:
    """Replay badge, what is known to when, sources left out, and the way to other releases."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="stretch", gap=None):
            st.markdown(_replay_line(night))
        if night.run_id != found[0].run_id:
            _link_to_latest()
        if len(found) > 1 and with_switch:
            _release_switch(night, found)
    if left_out := _left_out(night):
        st.warning(plain(left_out), icon=":material/info:")
    say_store_is_silent()


def say_store_is_silent() -> None:
    """Where several machines share releases: that none has come for a while, and since when."""
    contact = reads.store_silence()
    if contact is None:
        return
    shown = _("Shown is the newest release that has arrived here.")
    if contact.since:
        since = dt.datetime.fromisoformat(contact.since)
        moment = f"{numbers.day(since.date())}, {since:%H:%M} UTC"
        told = _("No news from the shared store since {moment}.").format(moment=moment)
    else:
        told = _("The shared store has not been reached yet.")
    st.warning(f"{told} {shown}", icon=":material/cloud_off:")


def _left_out(night: Night) -> str:
    """What the release had to do without: sources that failed, routes whose figures are too old. Empty if nothing."""
    routes = [route_name(one["route_id"]) for one in night.degraded if "route_id" in one]
    sources = [one for one in night.degraded if "route_id" not in one]
    parts = []
    if sources:
        names = listed(_source_left_out(night, one) for one in sources)
        parts.append(_("This release was made without: {names}.").format(names=names))
    if routes:
        parts.append(
            _("No forecast of the present, for want of recent figures: {names}.").format(names=", ".join(routes))
        )
    return " ".join(parts)


def _source_left_out(night: Night, record: Mapping[str, str]) -> str:
    """A source's publisher and why its figures could not be used."""
    return f"{source_name(night, record['source_id'])} ({fault(record['reason'], record.get('message', ''))})"


def _replay_line(night: Night) -> str:
    if night.replay:
        badge = _("Replay of {day}").format(day=numbers.day(night.as_of))
        head = f":violet-badge[:material/history: {badge}]"
    else:
        badge = _("As known on {day}").format(day=numbers.day(night.as_of))
        head = f":blue-badge[{badge}]"
    return f"{head} :gray[{memory.made(night, partial(known_to, night), 'known to')}]"


def known_to(night: Night) -> str:
    """How far the figures go: ``figures to December 2024, English Channel to January 2025``."""
    routes = night.frame("routes")
    routes = routes[routes["state"] == "ok"]
    if routes.empty:
        return _("no route has figures recent enough for a forecast")
    months = pd.to_datetime(routes["origin_date"])
    usual = months.mode().iloc[0]
    text = _("from published statistics · figures to {month}").format(month=numbers.month_name(usual))
    parts = [text]
    for month, group in routes[months != usual].groupby(months):
        names = ", ".join(route_name(route_id) for route_id in group["route_id"])
        parts.append(_("{routes} to {month}").format(routes=names, month=numbers.month_name(month)))
    return ", ".join(parts)


def _link_to_latest() -> None:
    if st.button(_("Latest release"), type="tertiary", icon=":material/arrow_forward:", icon_position="right"):
        state.forget("release")
        st.rerun()


def _release_switch(night: Night, found: list[Night]) -> None:
    labels = release_labels(found)
    st.selectbox(
        _("As known on"),
        list(labels),
        format_func=labels.__getitem__,
        label_visibility="collapsed",
        width=230,
        **state.widget("release", night.run_id),
    )


def release_labels(found: list[Night]) -> dict[str, str]:
    """run_id -> the day whose knowledge it rests on, with the time of making where two share a day."""
    days = [one.as_of for one in found]
    return {
        one.run_id: numbers.day(one.as_of)
        + (f" · {one.created_at:%H:%M} UTC" if days.count(one.as_of) > 1 else "")
        + (" · " + _("latest") if one.run_id == found[0].run_id and not one.replay else "")
        for one in found
    }


def route_name(route_id: str) -> str:
    """A route's name in the reader's language."""
    return names.route_name(route_id, words())


def source_name(night: Night, source_id: str) -> str:
    """A source's publisher, a part of Vigie that stands in a source's place, or the code of neither."""
    return names.source_name(source_id, night.sources(), words())


def plain(text: str) -> str:
    """Text from data, so that Markdown shows it as it is written."""
    return "".join("\\" + char if char in "\\`*_{}[]()#+!|<>$~:" else char for char in text)


def small(text: str) -> str:
    """Secondary text."""
    return f":small[:gray[{text}]]"


def chart(figure: go.Figure, alt: str, key: str) -> None:
    """Show a chart with the text that states its takeaway."""
    st.plotly_chart(figure, theme=None, config=CHART_CONFIG, alt=alt, key=key)


def let_draw(*, at_first: float = _MOMENT) -> None:
    """Wait a moment, so that the browser draws what it was sent before the rest of the page comes.

    What arrives together is drawn together, and a page below its main chart takes as long to draw as that chart.

    Args:
        at_first: Seconds on the first such page of a session, where the browser has to load what draws charts.
    """
    time.sleep(_MOMENT if st.session_state.get(_DRAWN) else at_first)
    st.session_state[_DRAWN] = True


def citations(night: Night, source_ids: list[str] | None = None) -> list[str]:
    """Citation and licence of the sources behind a table, components of derived ones included.

    Args:
        night: The release.
        source_ids: The sources; by default every one that the release has figures of.
    """
    return memory.made(night, partial(_citations, night, source_ids), "citations", source_ids)


def _citations(night: Night, source_ids: list[str] | None) -> list[str]:
    cards = night.sources()
    used = set(night.frame("observations")["source_id"]) if source_ids is None else set(source_ids)
    wanted = [name for name in cards if name in used]
    for name in list(wanted):
        wanted += [part for part in cards[name].get("derived_from", []) if part in cards and part not in wanted]
    return [_("{citation} Licence: {licence}.").format(**_texts(cards[name])) for name in wanted]


def _texts(card: dict[str, object]) -> dict[str, str]:
    citation, licence = (str(card.get(key, "")).rstrip(".") for key in ("citation", "licence"))
    return {"citation": f"{citation}.", "licence": licence}


def downloads(export: Export, picture: Callable[[], bytes] | None = None) -> None:
    """Buttons that hand a table over as CSV, XLSX and Parquet, and its picture as PNG. Files are made on the click."""
    if not access.allows(DOWNLOAD):
        return
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="xsmall"):
        icon: str | None = ":material/download:"
        for name, (ending, media_type, make) in FORMATS.items():
            _button(name, export, ending, media_type, partial(make, export), icon)
            icon = None
        if picture is not None:
            _button("PNG", export, "png", "image/png", picture, None)


def document_button(night: Night, name: str, label: str) -> None:
    """A button that hands over one of the release's texts as it was published; none where the release lacks it."""
    text = night.document(name)
    if text and access.allows(DOWNLOAD):
        file_name = f"vigie-{Path(name).stem}-{night.as_of.isoformat()}{Path(name).suffix}"
        st.download_button(
            label,
            access.released(file_name, night.run_id, text.encode),
            file_name,
            "text/markdown",
            key=f"document:{name}",
            on_click="ignore",
            type="tertiary",
            icon=":material/description:",
        )


def figures(
    export: Export, alt: str, *, shown: pd.DataFrame | None = None, picture: Callable[[], bytes] | None = None
) -> None:
    """What lies behind a chart: its table on demand, and its files.

    Args:
        export: The table and what travels with it.
        alt: What the table holds, for those who do not see it.
        shown: The table as it is shown, if other than in the files.
        picture: Makes the chart's PNG, where there is one.
    """
    name = f"figures-{export.name}"
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.toggle(_("Show the figures"), **state.widget(name, state.switch(name), lambda on: "1" if on else None))
        downloads(export, picture)
    if state.switch(name):
        table = localised(export.frame if shown is None else shown)
        st.dataframe(table, hide_index=True, placeholder="", alt=alt)


def _button(
    name: str, export: Export, ending: str, media_type: str, make: Callable[[], bytes], icon: str | None
) -> None:
    file_name = export.file_name(ending)
    st.download_button(
        name,
        access.released(file_name, export.run_id, make),
        file_name,
        media_type,
        key=f"file:{file_name}",
        on_click="ignore",
        type="tertiary",
        icon=icon,
        help=_("Download as {format}, with citation, licence and caveats inside").format(format=name),
    )


def export_of(night: Night, name: str, title: str, frame: pd.DataFrame, sources: list[str] | None = None) -> Export:
    """A table of a release, ready to leave the program."""
    return Export(name, title, frame, night.as_of.isoformat(), night.run_id, citations(night, sources))


def with_notes(export: Export, notes: list[str]) -> Export:
    """The same export with caveats of its own."""
    return dataclasses.replace(export, notes=notes)
