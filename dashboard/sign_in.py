"""The door: where people sign in, nobody comes further without having done so; and the way out."""

from __future__ import annotations

import html
from collections.abc import Collection

import streamlit as st

from access.callback import LOGIN_PATH, LOGOUT_PATH
from access.roles import ROLES, may, page_action
from access.sessions import form_token
from core.errors import VigieError
from core.log import get_logger
from dashboard import visitor
from dashboard.failures import error_words
from dashboard.i18n import _, language, speaking
from dashboard.layout import dress, plain, small, stop_with


def role_name(role: str) -> str:
    """A role."""
    names = {"viewer": _("viewer"), "analyst": _("analyst"), "manager": _("manager")}
    return names.get(role, _("administrator"))


def role_names(roles: Collection[str]) -> str:
    """Roles, in the order of the table."""
    return ", ".join(role_name(role) for role in ROLES if role in roles)


def require_login() -> None:
    """Let the reader in, or show how to sign in and stop: nothing of a release is read before."""
    try:
        settings = visitor.settings()
    except VigieError as error:
        stop_with(error_words(error))
    if visitor.is_shown_to_strangers(settings):
        stop_with(_("This server listens beyond this machine, and nobody has to sign in: it shows nothing."))
    if not settings.is_on:
        return
    try:
        found = visitor.login()
    except VigieError as error:
        # The reason may name machines inside the house, and whoever reads it has not signed in.
        get_logger().error("logins cannot be checked", error=str(error))
        stop_with(_("Vigie cannot find out just now who you are. Whoever runs it finds the reason in its log."))
    if found is None:
        dress()
        st.title(_("Sign in to read Vigie"), anchor=False)
        st.markdown(
            _("Vigie shows forecasts of arrivals to people who prepare reception. Your organisation signs you in.")
        )
        # No form: a browser would hold the policy on forms against the provider, where this leads on to.
        look, label = 'class="vigie-button vigie-primary" role="button"', html.escape(_("Sign in"))
        st.html(f'<a {look} href="{LOGIN_PATH}">{label}</a>')
        st.markdown(small(_("What you do here is kept with your name: signing in, decisions, refusals, downloads.")))
        st.stop()
    elif not found.actor.roles:
        visitor.note_refused("read", "everything")
        dress()
        st.title(_("Your account has no role here"), anchor=False)
        text = _("You are signed in as {name}. Ask whoever runs Vigie for the role that you need.")
        st.markdown(text.format(name=plain(found.actor.name)))
        _sign_out()
        st.stop()


def _sign_out() -> None:
    """The way out: a form of the reader's own page, which nobody else can send."""
    token = f'<input type="hidden" name="token" value="{form_token(visitor.session_id())}">'
    label = html.escape(_("Sign out"))
    button = f'<button type="submit" class="vigie-button">{label}</button>'
    st.html(f'<form method="post" action="{LOGOUT_PATH}">{token}{button}</form>')


def show_person() -> None:
    """Who is signed in, with which roles, and the way out; nothing where nobody signs in."""
    who = visitor.reader()
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
    if may(visitor.reader(), page_action(name)):
        with speaking(language()):  # each text would ask Streamlit for the reader's language anew
            page.run()
        return
    visitor.note_refused(page_action(name), name)
    dress()
    st.title(_("Your role does not allow this page"), anchor=False)
    st.markdown(_("Ask whoever runs Vigie for the role that you need."))
