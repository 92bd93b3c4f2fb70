"""Access, for administrators: who may do what, and who did what."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import access, layout, numbers, reads
from dashboard.i18n import _
from dashboard.layout import small
from desk.audit import DOWNLOADED, REFUSED, SIGNED_IN, SIGNED_OUT, access_rows, describe
from desk.permissions import ROLES, matrix

MOST_ROWS = 500


def show() -> None:
    """The page."""
    layout.dress()
    st.title(_("Access"), anchor=False)
    who, may_do = st.columns([1.5, 1], gap="medium")
    with who:
        show_rows()
    with may_do:
        show_matrix()


def show_rows() -> None:
    """Rows of the journal about people who signed in, the newest first."""
    st.markdown("##### " + _("Who did what"), anchors=False)
    rows = access_rows(reads.journal())[:MOST_ROWS]
    words = {
        SIGNED_IN: _("signed in"), SIGNED_OUT: _("signed out"), REFUSED: _("refused"), DOWNLOADED: _("downloaded"),
    }  # fmt: skip
    table = pd.DataFrame(
        {
            _("When"): [f"{numbers.day(row.at.date())}, {row.at:%H:%M:%S} UTC" for row in rows],
            _("Who"): [row.actor for row in rows],
            _("What"): [words.get(row.action, row.action) for row in rows],
            _("About"): [describe(row) for row in rows],
        }
    )
    st.dataframe(table, hide_index=True, placeholder="", alt=_("Rows of the journal about access, the newest first"))


def show_matrix() -> None:
    """The table of roles and actions."""
    st.markdown("##### " + _("Who may do what"), anchors=False)
    table = pd.DataFrame([cells for _action, cells in matrix()], columns=[access.role_name(role) for role in ROLES])
    shown = table.map(lambda allowed: "✓" if allowed else "–")
    shown.insert(0, _("Action"), [action for action, _cells in matrix()])
    st.table(shown, border="horizontal", hide_index=True, alt=_("Which role may do what"))
    st.markdown(small(_("Roles come from the provider's claims and from the list in the settings.")))


show()
