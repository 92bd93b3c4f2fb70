"""Access, for administrators: who may do what, and who did what."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from access import (
    DECIDE_EDITION,
    DELETE_SCENARIO,
    DOWNLOAD,
    DOWNLOADED,
    HAND_IN,
    KEEP_PLACES,
    REFUSED,
    ROLES,
    SAVE_SCENARIO,
    SIGNED_IN,
    SIGNED_OUT,
    access_rows,
    describe,
    matrix,
    page_action,
)
from alerts.lifecycle import ACKNOWLEDGED, ANSWERED, COMMENTED, CORRECTION, DISMISSED, DISSENTED, SIGNED_OFF
from core.schema import Entry
from dashboard import _, lang, layout, reads
from dashboard.layout import small
from dashboard.pages import page_titles
from dashboard.visitor import role_name, role_names

TITLE, PLACE = _("Access"), 9

MOST_ROWS = 500


def show() -> None:
    """The page."""
    layout.dress()
    st.title(_("Access"), anchor=False)
    who, may_do = st.columns([1.4, 1], gap="medium")
    with who:
        show_rows()
    with may_do:
        st.markdown("## " + _("Who may do what"), anchors=False)
        rows = [(action_name(action), *("✓" if allowed else "–" for allowed in cells)) for action, cells in matrix()]
        table = pd.DataFrame(rows, columns=[_("Action"), *(role_name(role) for role in ROLES)])
        st.table(table, border="horizontal", hide_index=True, alt=_("Which role may do what"))
        st.markdown(small(_("Roles come from the provider's claims and from the list in the settings.")))


def show_rows() -> None:
    """Rows of the journal about people who signed in, the newest first."""
    st.markdown("## " + _("Who did what"), anchors=False)
    rows = access_rows(reads.journal())[:MOST_ROWS]
    if not rows:
        st.markdown(small(_("Nobody has signed in yet.")))
        return
    table = pd.DataFrame(
        [
            (f"{lang().day(row.at.date())}, {row.at:%H:%M} UTC", row.actor, row_name(row), row_about(row))
            for row in rows
        ],
        columns=[_("When"), _("Who"), _("Action"), _("About")],
    )
    alt = _("Rows of the journal about access, the newest first")
    st.dataframe(table, hide_index=True, placeholder="", alt=alt)


def action_name(action: str) -> str:
    """What may be done."""
    names = {
        page_action(page): _("read the page {page}").format(page=_(title)) for page, title in page_titles().items()
    }
    names |= {
        DOWNLOAD: _("download files"), SAVE_SCENARIO: _("save a scenario"),
        DELETE_SCENARIO: _("delete a saved scenario"), KEEP_PLACES: _("keep reception places"),
        HAND_IN: _("hand in a forecast"), SIGNED_OFF: _("sign an alert off"),
        DISMISSED: _("dismiss an alert"), ACKNOWLEDGED: _("acknowledge an alert"),
        ANSWERED: _("answer an objection"), COMMENTED: _("comment on an alert"), DISSENTED: _("record a disagreement"),
        CORRECTION: _("file a correction"), DECIDE_EDITION: _("decide about an edition of figures"),
    }  # fmt: skip
    return names.get(action, action)


def row_name(row: Entry) -> str:
    """What an audit row says was done."""
    words = {
        SIGNED_IN: _("signed in"), SIGNED_OUT: _("signed out"), REFUSED: _("refused"), DOWNLOADED: _("downloaded"),
    }  # fmt: skip
    return words.get(row.action) or action_name(row.action)


def row_about(row: Entry) -> str:
    """What an audit row is about: a file, an alert, roles, what was refused."""
    if row.action in {SIGNED_IN, SIGNED_OUT}:
        return role_names(row.payload.get("roles", [])) or _("no role")
    if row.action == REFUSED:
        action = str(row.payload.get("action", ""))
        about = "" if action.startswith("read ") else f" {row.payload.get('about', '')}"
        return action_name(action) + about
    return describe(row)


show()
