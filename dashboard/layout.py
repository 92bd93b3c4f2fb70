"""What every page shares: the release, the line above the title, languages, charts, hints, and errors in words."""

from __future__ import annotations

import datetime as dt
import html
import re
import time
from collections.abc import Collection
from functools import partial
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from access import NotAllowedError
from alerts.lifecycle import StepError
from core.errors import InputError, Message, StoreError, VigieError
from core.languages import languages
from core.schema import ALL, NOT_APPLICABLE
from dashboard import _, labelled, lang, language, listed, ngettext, reads, state
from dashboard.pages import FOLDER
from dashboard.reads import Night
from dashboard.theme import CHART_CONFIG, current_theme, drawn_once, level_word
from reports import asylum, citations, names, numbers
from reports.context import event_words, events_note
from reports.names import country_name, message_in
from reports.numbers import route_states
from reports.route import known_to

_DRAWN = "drawn:before"
_MOMENT, _LOADING = 0.06, 1.2
"""Seconds. A change of route takes half as long on the screen with the first, and no less with twice as much. On a
session’s first page the browser loads the charts’ library meanwhile: with .8 the Route page takes a third of a second
longer, because the rest of the page comes just before the chart would be drawn."""
_DARK_BUTTON = '[data-testid^="stBaseButton-primary"] {color: #0B1A21 !important;}'
_EMBEDDED = '[data-testid="stLayoutWrapper"]:has(> .st-key-head) {position: static !important;}'
STYLE = (Path(__file__).parent / "assets" / "style.css").read_text("utf-8")
_LOGO = (Path(__file__).parent / "assets" / "logo.svg").read_text("utf-8")
"""The name is drawn as a shape: a picture may not use the page's fonts."""

_PAGE_SCRIPT = f"<script>{(Path(__file__).parent / 'assets' / 'page.js').read_text('utf-8')}</script>"
HINTS_COOKIE = "vigie_seen"
"""Set by ``assets/page.js`` at a click on a button below a hint: how many of them this browser has shown."""
_SEEN = "first visit:seen"
_SECONDS_BETWEEN_LOOKS = 2.0
LAST_HINT = 4
"""The purpose, then three hints."""
_SAY_LANGUAGE = "<script>document.documentElement.lang = '%s';</script>"
"""Set the language for screen readers: Streamlit's own page always declares English."""
SEARCH = "search"
Place = tuple[str, dict[str, str]]
"""A page and its query."""


def dress() -> None:
    """Logo in the theme's colours and the rules of style that Streamlit's theme cannot express.

    The rules come with the frame of the page already, unless the server is Streamlit's own.
    """
    theme = current_theme()
    hues = {"likely": theme.ended, "worse": theme.warning, "none": theme.ended}
    own = {"ground": theme.ground, "accent": theme.accent}
    own |= {name: hue.ground for name, hue in hues.items()} | {f"{name}-text": hue.text for name, hue in hues.items()}
    own |= {"better": theme.information.fill, "better-text": theme.ground}
    colours = ":root {" + "".join(f"--vigie-{name}: {colour};" for name, colour in own.items()) + "}"
    more = (_DARK_BUTTON if theme.name == "dark" else "") + (_EMBEDDED if st.context.is_embedded else "")
    st.html(f"<style>\n{colours}\n{STYLE}{more}\n</style>")
    show_shortcuts()
    if not st.context.is_embedded:
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
        wait_for_release()
        st.stop()
    if day := st.query_params.get("as_of"):  # as people write it: the newest release of that day
        state.write("release", {one.as_of.isoformat(): one.run_id for one in reversed(found)}.get(day, day))
        state.write("as_of", None)
    run_ids = [one.run_id for one in found]
    run_id = state.choice("release", run_ids, run_ids[0])
    night = next(one for one in found if one.run_id == run_id)
    try:
        reads.refuse_altered(night)
    except VigieError as error:
        stop_with(error_words(error))
    if not st.context.is_embedded:
        show_hints()
    above_title(night, found, with_switch=with_switch)
    return night


@st.fragment(run_every=_SECONDS_BETWEEN_LOOKS)
def wait_for_release() -> None:
    """Show how far the first night is, or how to start one; load the release once it is there."""
    if reads.newest_run_id():
        st.rerun()
    night = reads.night_at_work()
    if night is None:
        st.title(_("No release yet"), anchor=False)
        say_store_is_silent()
        st.markdown(_("Vigie shows what a nightly run has published, and none has been published here yet."))
        st.markdown(
            _(
                "The guide “Your first hour” in Vigie’s documentation tells whoever runs this installation how to make "
                "the first one."
            )
        )
        return
    st.title(_("The first night is running"), anchor=False)
    st.markdown(_("The forecasts appear here once they are published. This page updates itself."))
    stage, step, left = night["stage"], night["step"], night["seconds_left"]
    words = _("Stage {n} of {total}: {stage}").format(n=night["stages_done"] + 1, total=night["stages"], stage=_(stage))
    st.progress(night["stages_done"] / night["stages"], text=words)
    if step:
        parts = [_(step)]
        if night["total"] > 1:
            parts.append(_("{n} of {total}").format(n=night["done"], total=night["total"]))
        if left is not None:
            parts.append(_("about {n} min left").format(n=-(-left // 60)))
        st.progress(night["done"] / max(night["total"], 1), text=" · ".join(parts))


def stop_with(text: str) -> None:
    """Say what is wrong in one sentence, and stop."""
    st.title(_("This page cannot be shown"), anchor=False)
    st.error(plain(text))
    st.stop()


def above_title(night: Night, found: list[Night], *, with_switch: bool) -> None:
    """Drill or replay badge, what is known to when, sources left out, and the way to other releases."""
    if reads.is_drill():
        st.error(_("Drill: this is a restored copy that is not in service. Nothing is sent or shared from it."))
    with st.container(key="head", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(_replay_line(night), width="stretch")
        if not st.context.is_embedded:
            show_search(night)
        is_older = night.run_id != found[0].run_id
        icon = ":material/arrow_forward:"
        if is_older and st.button(_("Latest release"), type="tertiary", icon=icon, icon_position="right"):
            state.forget("release")
            st.rerun()
        if len(found) > 1 and with_switch:
            labels = release_labels(found)
            st.selectbox(
                _("As known on"), list(labels), format_func=labels.__getitem__, label_visibility="collapsed", width=230,
                **state.widget("release", night.run_id),
            )  # fmt: skip
    if left_out := citations.left_out(night, lang(), with_reasons=True):
        st.warning(plain(" ".join(left_out)), icon=":material/info:")
    say_store_is_silent()


def say_store_is_silent() -> None:
    """Where several machines share releases: that none has come for a while, and since when."""
    contact = reads.store_silence()
    if contact is None:
        return
    shown = _("Shown is the newest release that has arrived here.")
    if contact.since:
        since = dt.datetime.fromisoformat(contact.since)
        moment = f"{lang().day(since.date())}, {since:%H:%M} UTC"
        contact_words = _("No news from the shared store since {moment}.").format(moment=moment)
    else:
        contact_words = _("The shared store has not been reached yet.")
    st.warning(f"{contact_words} {shown}", icon=":material/cloud_off:")


def _replay_line(night: Night) -> str:
    if night.replay:
        badge = citations.exercise_mark(night.as_of, lang())
        head = f":violet-badge[:material/history: {badge}]"
    else:
        badge = _("As known on {day}").format(day=lang().day(night.as_of))
        head = f":blue-badge[{badge}]"
    known = reads.once(night, partial(_known_to, night), "known to")
    made = "".join(f" :gray-badge[{text}]" for text in citations.machine_made(lang()))
    return f"{head}{made} :gray[{known}]"


def _known_to(night: Night) -> str:
    """How far the figures of the routes go, those of asylum applications, and how many series have stopped."""
    count = len(citations.stopped(night))
    stopped = _("{n} series stopped").format(n=count)
    link = f"**[{stopped}]({state.link('data', part='sources')})**" if count else ""
    return listed(filter(None, [known_to(night, lang()), asylum.known_to(night, lang()), link]))


def release_labels(found: list[Night]) -> dict[str, str]:
    """run_id -> the day whose knowledge it rests on, with the time of making where two share a day."""
    days = [one.as_of for one in found]
    return {
        one.run_id: lang().day(one.as_of)
        + (f" · {one.created_at:%H:%M} UTC" if days.count(one.as_of) > 1 else "")
        + (" · " + _("latest") if one.run_id == found[0].run_id and not one.replay else "")
        for one in found
    }


def route_name(route_id: str) -> str:
    """A route's name in the reader's language."""
    return names.route_name(route_id, lang())


def country(code: str) -> str:
    """A country's name in the reader's language; the code itself if it is unknown."""
    return names.country_name(code, lang())


def source_name(night: Night, source_id: str) -> str:
    """A source's publisher, a part of Vigie that stands in a source's place, or the code of neither."""
    return names.source_name(source_id, night.sources(), lang())


def month_count(count: str | int) -> str:
    """A count of months in words."""
    return ngettext("{n} month", "{n} months", int(count)).format(n=count)


def plain(text: str) -> str:
    """Return text from data as Markdown that shows it as it is written.

    The browser's Markdown makes links of web and mail addresses after it has removed backslashes. An invisible word
    joiner (U+2060) after ``:``, ``www`` and ``@`` keeps them text.
    """
    apart = re.sub(r"(?i)(:(?=//)|www(?=\.)|@)", "\\1\u2060", text)
    return "".join("\\" + char if char in "\\`*_{}[]()#+!|<>$~:" else char for char in apart)


def since_words(ends: pd.Series) -> str:
    """The year with which a comparison of years begins, where earlier ones are left out; else nothing.

    Args:
        ends: Last days of all that was counted.
    """
    if ends.empty or ends.min().year >= numbers.FIRST_COMPARED_YEAR:
        return ""
    text = _("Years from {year}: earlier peaks would flatten the rest.")
    return text.format(year=numbers.FIRST_COMPARED_YEAR)


def show_sources(night: Night, series_ids: Collection[str]) -> None:
    """The publishers of some series' figures, on one line."""
    sources = citations.sources_of(night, series_ids)
    publishers = dict.fromkeys(source_name(night, one).partition(",")[0] for one in sources)
    st.markdown(small(plain(labelled(_("Source"), listed(publishers)))))


def small(text: str) -> str:
    """Secondary text."""
    return f":small[:gray[{text}]]"


def chart(figure: go.Figure, alt: str, key: str) -> None:
    """Show a chart with the text that states its takeaway."""
    st.plotly_chart(drawn_once(figure), theme=None, config=CHART_CONFIG, alt=alt, key=key)


def show_events(events: pd.DataFrame) -> None:
    """The events whose numbers stand on the chart above, each with its source."""
    if events.empty:
        return
    said = [
        labelled(f"**{place}** [{plain(title)}]({url})", plain(what))
        for place, (title, what, url) in enumerate(event_words(events, lang()), start=1)
    ]
    st.markdown("\n".join([*(f"- {small(text)}" for text in said), "", small(events_note(lang()))]))


def let_draw() -> None:
    """Wait a moment, so that the browser draws what it was sent before the rest of the page comes.

    What arrives together is drawn together, and a page below its main chart takes as long to draw as that chart. On the
    first page of a session the browser has to load what draws charts, too.
    """
    time.sleep(_MOMENT if st.session_state.get(_DRAWN) else _LOADING)
    st.session_state[_DRAWN] = True


def page_scripts() -> str:
    """Every script that pages run, as HTML: the server's policy on content lets no others run."""
    return "".join([_PAGE_SCRIPT, *(_SAY_LANGUAGE % one for one in languages())])


def words_of_page() -> str:
    """Words that the browser shows by itself: the menu's name on a phone, and that the server is lost."""
    lost = _("Vigie’s server does not answer. The page shows what it last knew; it goes on by itself once it is back.")
    places = {"title": _("No connection"), "lost": lost}
    data = " ".join(f'data-{name}="{html.escape(text)}"' for name, text in places.items())
    name = _("Menu")
    menu = f'<style>[data-testid="stExpandSidebarButton"]::after {{content: "{name}";}}</style>'
    return f'{menu}<span class="vigie-words" {data}></span>'


def show_shortcuts() -> None:
    """The keys, in a box that ``?`` opens and closes."""
    lines = [_("1 to 9: the pages, in the order of the menu"), _("Tab: from one control to the next"),
             _("Enter: press what has the frame"), _("Esc: close"), _("?: this list")]  # fmt: skip
    with st.container(key="shortcuts", border=True):
        st.markdown("## " + _("Keys"), anchors=False)
        st.markdown("\n".join(f"- {plain(line)}" for line in lines))


def show_languages() -> None:
    """Every language that has a catalogue."""
    shown = language()
    with st.container(key="language", gap=None):
        st.html(words_of_page() + _SAY_LANGUAGE % shown, unsafe_allow_javascript=True)
        st.html(_PAGE_SCRIPT, unsafe_allow_javascript=True)
        if st.context.is_embedded:
            return
        st.segmented_control(
            _("Language"),
            languages(),
            format_func=str.upper,
            required=True,
            label_visibility="collapsed",
            **state.widget("lang", shown),
        )


def hints() -> list[str]:
    """What is worth knowing at once."""
    return [
        _("Cards, names on the map and rows lead to their alert or route. The address keeps the view: send it on."),
        _("“Expected” is the middle of what may come. In 8 cases of 10 the count falls inside the 80% interval."),
        _("“As known on” goes back in time. Press ? for the keys."),
    ]


def show_hints() -> None:
    """The next step that this browser has not read yet; nothing once all are read."""
    seen = st.session_state.get(_SEEN)
    if seen is None:
        kept = str(st.context.cookies.get(HINTS_COOKIE, ""))
        seen = int(kept) if kept.isdigit() else 0
    if seen >= LAST_HINT:
        return
    with st.container(key="first-visit", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="stretch", gap=None):
            if seen == 0:
                intended, not_for = citations.caveats(lang())[-2:]
                link = state.link("data", part="method")
                st.markdown(f":small[**[{intended}]({link})** {not_for}]")
            else:
                count = _("Hint {n} of {total}").format(n=seen, total=LAST_HINT - 1)
                st.markdown(f":small[**{count}** · {hints()[seen - 1]}]")
        _hint_step(
            _("I have read this") if seen == 0 else _("Next hint") if seen + 1 < LAST_HINT else _("Done"), seen + 1
        )
        if 0 < seen < LAST_HINT - 1:
            _hint_step(_("No more hints"), LAST_HINT)


def _hint_step(label: str, upto: int) -> None:
    """A button that remembers how many steps have been read."""
    st.button(label, on_click=_remember_hints, args=(upto,), key=f"seen-{upto}")


def _remember_hints(upto: int) -> None:
    st.session_state[_SEEN] = upto


def error_words(error: VigieError) -> str:
    """Why something was refused or cannot be shown, as plain text.

    Faults that a reader can mend are named in the reader's language. The exact text of other errors is for operators
    and stays in English, as the log has it; before it stands in the reader's words what it means.
    """
    if isinstance(error, StepError):
        words = {name: _step_word(name, text) for name, text in error.message.parameters.items()}
        return _(error.message.template).format(**words)
    text = message_in(error.message, lang())
    return f"{_error_kind(error)} {recorded(text) if text == str(error) else _('“{text}”').format(text=text)}"


def _error_kind(error: VigieError) -> str:
    if isinstance(error, NotAllowedError):
        return _("You may not do this with the role or the name that you have here.")
    if isinstance(error, StoreError):
        return _("What Vigie keeps on disk cannot be read or written just now.")
    if isinstance(error, InputError):
        return _("A value or a setting cannot be used.")
    return _("Vigie could not do this.")


def recorded(text: str) -> str:
    """The exact text, as the log has it."""
    return labelled(_("Recorded as"), _("“{text}”").format(text=text))


def fault(kept: str) -> str:
    """Return a recorded fault in the reader's language."""
    return message_in(Message.from_json(kept), lang())


def _step_word(name: str, text: str) -> str:
    if name == "status" and text:
        return _(text)
    return level_word(text) if name == "level" and text else text


def show_search(night: Night) -> None:
    """A field that leads to what is chosen in it."""
    found = reads.once(night, partial(searched, night), "search")
    with st.container(key="find", width="content"):
        chosen = st.selectbox(
            _("Search"), list(found), index=None, placeholder=_("Find a route or country"), width=290,
            label_visibility="collapsed", key=SEARCH,
        )  # fmt: skip
    if chosen in found:
        page, query = found[chosen]
        del st.session_state[SEARCH]
        st.switch_page(f"{FOLDER}/{page}.py", query_params=state.kept() | query)


def searched(night: Night) -> dict[str, Place]:
    """Every route, every country of destination with asylum applications, every nationality counted on a route."""
    routes = [str(name) for name in route_states(night.frame("routes"))["route_id"]]
    found: dict[str, Place] = {route_name(one): ("route", {"route": one}) for one in routes}
    series = night.frame("asylum_series")
    countries = {
        labelled(country_name(geo, lang()), _("asylum applications")): ("asylum", {"country": geo})
        for geo in sorted(series["geo"].unique())
    }
    rows = night.frame("observations")
    rows = rows[rows["target"].eq("arrivals") & rows["geo"].isin([ALL, NOT_APPLICABLE]) & rows["route_id"].isin(routes)]
    rows = rows[~rows["citizen"].isin([ALL, NOT_APPLICABLE])]
    return found | dict(sorted(countries.items())) | dict(sorted(_nationalities(rows).items()))


def _nationalities(rows: pd.DataFrame) -> dict[str, Place]:
    """Each nationality leads to the route on which most of its people were counted."""
    sums = rows.groupby(["citizen", "route_id"])["obs_value"].sum()
    most = sums[sums > 0].groupby("citizen").idxmax()
    return {
        labelled(country_name(str(citizen), lang()), _("nationality")): (
            "route", {"route": str(route_id), "view": "nationalities"}
        )
        for citizen, route_id in most
    }  # fmt: skip
