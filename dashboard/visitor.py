"""Who is reading, and what their roles let them see, do and take away. Asked anew at each run of a page."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from access.audit import authorize_download, note_refusal
from access.guard import SESSION_COOKIE
from access.identity import Login
from access.roles import Actor, NotAllowedError, may, page_action
from access.sessions import logins_of
from core.errors import VigieError
from core.settings import AccessSettings, home_folder, is_loopback, load_settings
from dashboard import reads
from dashboard.app_pages import FOLDER, page_titles
from dashboard.i18n import _, language, speaking

WITHOUT_LOGIN = "VIGIE_WITHOUT_LOGIN"
"""Set in the environment where somebody said that pages may be shown beyond loopback to whoever comes."""
_ICON = Path(__file__).parent / "assets" / "favicon.png"
_REFUSED = "access:refused"


def settings() -> AccessSettings:
    """The settings of access, as they are now.

    Raises:
        InputError: They are not usable.
    """
    return load_settings(home_folder()).access


def page_icon() -> str | None:
    """The page's icon: Streamlit hands it out as a file, which takes a login where there is one."""
    try:
        return None if settings().is_on and login() is None else str(_ICON)
    except VigieError:
        return None


def login() -> Login | None:
    """The reader's login, if there is one that holds.

    Raises:
        InputError: The settings are not usable.
        StoreError: The journal cannot be asked.
    """
    return logins_of(home_folder(), reads.journal).valid_login(session_id(), settings())


def reader() -> Actor:
    """Who is reading: with a login its person, else somebody who has not given a name.

    Raises:
        NotAllowedError: There is a login, and the reader has not signed in, or it no longer holds.
        InputError: The settings are not usable.
        StoreError: The journal cannot be asked.
    """
    if not settings().is_on:
        return Actor("")
    return _person(login())


def actor(typed: str) -> Actor:
    """Who acts: with a login its person, whatever was typed; else whoever the typed name says.

    Where the login has ended meanwhile, the page starts anew, at the door.

    Raises:
        InputError: The settings are not usable.
        StoreError: The journal cannot be asked.
    """
    try:
        found = reader()
    except NotAllowedError:
        st.rerun()
    return Actor(typed) if found.roles is None else found


def allows(action: str) -> bool:
    """Whether the reader may do something, to offer it or not; the desk asks again when it is done."""
    try:
        found = reader()
    except VigieError:
        return False
    return may(found if found.roles is not None else Actor("somebody"), action)


def released(file_name: str, run_id: str, make: Callable[[], bytes]) -> Callable[[], bytes]:
    """A file's maker that asks, when the file is wanted, whether the reader may still have it, and records it.

    Streamlit runs it outside the page and asks nobody: what it needs to know is taken here.
    """
    session, spoken = session_id(), language()

    def make_if_allowed() -> bytes:
        access = settings()
        if access.is_on:
            who = _person(logins_of(home_folder(), reads.journal).valid_login(session, access))
            authorize_download(reads.journal(), who, file_name, run_id)
        with speaking(spoken):
            return make()

    return make_if_allowed


def note_refused(action: str, about: str) -> None:
    """Record once in a visit that the reader was refused something."""
    noted: set[tuple[str, str]] = st.session_state.setdefault(_REFUSED, set())
    who = reader()
    if who.roles is not None and (action, about) not in noted:
        noted.add((action, about))
        note_refusal(reads.journal(), who, action, about)


def is_shown_to_strangers(access: AccessSettings) -> bool:
    """Whether the server listens beyond loopback although nobody signs in and nobody said that this is meant."""
    address = str(st.get_option("server.address") or "0.0.0.0")  # noqa: S104  # Streamlit's own default
    return not access.is_on and not is_loopback(address) and os.environ.get(WITHOUT_LOGIN) != "1"


def pages() -> list[st.Page]:
    """The pages, with those hidden that the reader's roles do not allow; their addresses are refused, not unknown.

    The first one is the default page, which Streamlit answers at / alone.

    Raises:
        NotAllowedError: The reader has not signed in.
    """
    who, with_login, titles = reader(), settings().is_on, page_titles()
    shown = {name for name in titles if may(who, page_action(name)) and (with_login or name != "access")}
    first = next(iter(titles))
    return [
        st.Page(
            f"{FOLDER}/{name}.py",
            title=_(title),
            url_path="start" if name == first else name,
            default=name == first,
            visibility="visible" if name in shown else "hidden",
        )
        for name, title in titles.items()
    ]


def _person(found: Login | None) -> Actor:
    if found is None:
        raise NotAllowedError("sign in first")
    return found.actor


def session_id() -> str:
    """The session that the reader's browser holds: it says nothing by itself, see :mod:`access.sessions`."""
    return str(st.context.cookies.get(SESSION_COOKIE, ""))
