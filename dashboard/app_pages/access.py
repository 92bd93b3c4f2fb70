"""Access, for administrators: who may do what, and who did what."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from access.audit import access_rows
from access.roles import ROLES, matrix
from dashboard import layout, reads
from dashboard.access_words import action_name, role_name, row_about, row_name
from dashboard.i18n import _, lang
from dashboard.layout import small

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


show()
