"""The control in the header by which a reader chooses the language; the address says which one it is."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.i18n import _, language, languages

_PLACE = """<style>
[data-testid="stLayoutWrapper"]:has(> .st-key-language) {display: contents;}
.st-key-language {position: fixed; top: 0.5rem; z-index: 999995; width: auto;
  right: calc(max(2.5rem, (100vw - 1480px) / 2 + 2.5rem));}
.st-key-language button {min-height: 2rem; padding: 0 0.6rem;}
@media (max-width: 640px) {.st-key-language {right: 1rem;}}
@media print {.st-key-language {display: none;}}
</style>"""
_SAY = "<script>document.documentElement.lang = '%s';</script>"
"""Tells screen readers in which language to speak: Streamlit's own page always says English."""


def page_scripts() -> str:
    """Every script that pages run, as HTML: the server's policy on content lets no others run."""
    return "".join(_SAY % one for one in languages())


def show_languages() -> None:
    """Every language that has a catalogue."""
    shown = language()
    with st.container(key="language", gap=None):
        st.html(_PLACE + _SAY % shown, unsafe_allow_javascript=True)
        st.segmented_control(
            _("Language"),
            languages(),
            format_func=str.upper,
            required=True,
            label_visibility="collapsed",
            **state.widget("lang", shown),
        )
