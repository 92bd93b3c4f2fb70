"""Who is reading, and what their roles let them see, do and take away: asked anew at each run of a page.

With a login, no page is shown before it.
"""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Literal

import streamlit as st

from access import (
    ROLES,
    Actor,
    Login,
    NotAllowedError,
    authorize_download,
    form_token,
    logins_of,
    may,
    note_refusal,
    page_action,
)
from access.guard import LOGIN_HEADER, LOGIN_PATH, LOGOUT_PATH
from core.errors import VigieError
from core.log import get_logger
from core.settings import AccessSettings, home_folder, is_loopback, load_settings, secret
from dashboard import _, language, reads, speaking
from dashboard.layout import dress, error_words, plain, stop_with
from dashboard.pages import FOLDER, page_titles

WITHOUT_LOGIN = "VIGIE_WITHOUT_LOGIN"
"""Environment variable that allows pages beyond loopback without a login."""
_ICON = Path(__file__).parent / "assets" / "favicon.png"
_REFUSED = "access:refused"
LONGEST_NAME = 80


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
    return logins_of(home_folder(), reads.journal).valid_login(login_id(), settings())


def reader() -> Actor:
    """Who is reading: with a login its person, else a person without a name.

    Raises:
        NotAllowedError: There is a login, and the reader has not signed in, or it no longer holds.
        InputError: The settings are not usable.
        StoreError: The journal cannot be asked.
    """
    if not settings().is_on:
        return Actor("")
    return _person(login())


def actor(typed: str) -> Actor:
    """Who acts: with a login its person, whatever was typed; else the typed name.

    Where the login has ended meanwhile, the page starts anew and asks to sign in.

    Raises:
        InputError: The settings are not usable.
        StoreError: The journal cannot be asked.
    """
    try:
        found = reader()
    except NotAllowedError:
        st.rerun()
    return Actor(typed) if found.roles is None else found


def ask_name(*, key: str | None = None, width: Literal["stretch"] | int = "stretch") -> str:
    """The reader's name: given by the login, else typed here."""
    return reader().name or st.text_input(_("Your name"), max_chars=LONGEST_NAME, key=key, width=width)


def allows(action: str) -> bool:
    """Whether the reader may do something, to offer it or not; it is asked again when it is done."""
    try:
        found = reader()
    except VigieError:
        return False
    return may(found if found.roles is not None else Actor("somebody"), action)


def released(file_name: str, run_id: str, make: Callable[[], bytes]) -> Callable[[], bytes]:
    """A file's maker that asks, when the file is wanted, whether the reader may still have it, and records it.

    Streamlit runs it outside the page without a check: what it needs is taken here.
    """
    given, spoken = login_id(), language()

    def make_if_allowed() -> bytes:
        access = settings()
        if access.is_on:
            who = _person(logins_of(home_folder(), reads.journal).valid_login(given, access))
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
    """Whether the server listens beyond loopback without a login and without permission to do so."""
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


def login_id() -> str:
    """Return the login id that the gate found for the reader's connection; empty if there is none."""
    return str(st.context.headers.get(LOGIN_HEADER, ""))


def role_name(role: str) -> str:
    """A role."""
    names = {"viewer": _("viewer"), "analyst": _("analyst"), "manager": _("manager")}
    return names.get(role, _("administrator"))


def role_names(roles: Collection[str]) -> str:
    """Roles, in the order of the table."""
    return ", ".join(role_name(role) for role in ROLES if role in roles)


def door() -> str:
    """Return what stands in a page's place before a login, as HTML: how to sign in."""
    title, label = html.escape(_("Sign in to read Vigie")), html.escape(_("Sign in"))
    purpose = _("Vigie shows forecasts of arrivals to people who prepare reception. Your organisation signs you in.")
    kept = _("What you do here is kept with your name: signing in, decisions, refusals, downloads.")
    # No form: a browser would hold the policy on forms against the provider, where this leads on to.
    link = f'<a class="vigie-button vigie-primary" role="button" href="{LOGIN_PATH}">{label}</a>'
    return f"<h1>{title}</h1><p>{html.escape(purpose)}</p><p>{link}</p><p><small>{html.escape(kept)}</small></p>"


def require_login() -> None:
    """Let the reader in, or show how to sign in and stop: nothing of a release is read before."""
    try:
        access = settings()
    except VigieError as error:
        stop_with(error_words(error))
    if is_shown_to_strangers(access):
        stop_with(_("This server listens beyond this machine, and nobody has to sign in: it shows nothing."))
    if not access.is_on:
        return
    try:
        found = login()
    except VigieError as error:
        # The reason may name machines inside the organisation, and its reader has not signed in.
        get_logger().error("logins cannot be checked", error=str(error))
        stop_with(_("Vigie cannot find out just now who you are. Whoever runs it finds the reason in its log."))
    if found is None:  # a login that ended since the page was opened; the gate lets no other one in
        dress()
        st.html(door())
        st.stop()
    elif not found.actor.roles:
        note_refused("read", "everything")
        dress()
        st.title(_("Your account has no role here"), anchor=False)
        text = _("You are signed in as {name}. Ask whoever runs Vigie for the role that you need.")
        st.markdown(text.format(name=plain(found.actor.name)))
        _sign_out()
        st.stop()


def _sign_out() -> None:
    """The sign-out form: only the reader's own page can send it."""
    key = secret(settings().cookie_secret_env, needed_by="login")
    token = f'<input type="hidden" name="token" value="{form_token(login_id(), key)}">'
    label = html.escape(_("Sign out"))
    button = f'<button type="submit" class="vigie-button">{label}</button>'
    st.html(f'<form method="post" action="{LOGOUT_PATH}">{token}{button}</form>')


def show_person() -> None:
    """Show the person, the roles and the sign-out form; nothing without a login."""
    who = reader()
    if who.roles is None:
        return
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"):
        # Markdown would make a link of a mail address.
        st.text(f"{who.name} · {role_names(who.roles)}", width="content")
        _sign_out()


def show_page(page: st.Page) -> None:
    """Show a page, or say that the reader's roles do not allow it; its file is not even run then.

    Raises:
        NotAllowedError: The reader has not signed in.
    """
    name = page.url_path or "overview"
    if may(reader(), page_action(name)):
        with speaking(language()):  # each text would ask Streamlit for the reader's language anew
            try:
                page.run()
            except VigieError as error:  # such as a former release that was altered
                stop_with(error_words(error))
        return
    note_refused(page_action(name), name)
    dress()
    st.title(_("Your role does not allow this page"), anchor=False)
    st.markdown(_("Ask whoever runs Vigie for the role that you need."))
