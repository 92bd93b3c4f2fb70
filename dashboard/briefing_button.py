"""The button that hands over the release's one-page briefing, made on the click in the reader's language."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st

from access.roles import DOWNLOAD
from core.settings import load_settings
from dashboard import access
from dashboard.i18n import _, language
from dashboard.reads import Night
from desk.briefing import make_briefing


def offer_briefing(night: Night) -> None:
    """The button; none for a reader who may not take files away."""
    if not access.allows(DOWNLOAD):
        return
    file_name = f"vigie-{night.as_of.isoformat()}-{language()}.pdf"
    make = partial(_document, night.home, night.run_id, language())
    st.download_button(
        _("Briefing (PDF)"),
        access.released(file_name, night.run_id, make),
        file_name,
        "application/pdf",
        key="briefing",
        on_click="ignore",
        type="tertiary",
        icon=":material/picture_as_pdf:",
        help=_("One page to print or hand on: map, alerts, charts, caveats and licences"),
    )


def _document(home: str, run_id: str, reader_language: str) -> bytes:
    folder = Path(home)
    return make_briefing(folder, load_settings(folder), run_id, reader_language)
