"""The dashboard: page, language and navigation. Start it with ``vigie serve dashboard`` or ``streamlit run app.py``."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from core.languages import languages
from dashboard import _, choose_language, state, visitor
from dashboard.pages import FOLDER

st.set_page_config(page_title="Vigie", page_icon=visitor.page_icon(), layout="wide", initial_sidebar_state="collapsed")
state.choice("lang", languages(), choose_language(None, st.context.locale))
visitor.require_login()
# Streamlit answers the default page at / only; this one makes /overview work too.
overview = st.Page(f"{FOLDER}/overview.py", title=_("Overview"), url_path="overview", visibility="hidden")
place: Literal["hidden", "top"] = "hidden" if st.context.is_embedded else "top"  # with ?embed=true
page = st.navigation([*visitor.pages(), overview], position=place)
visitor.show_person()
visitor.show_page(page)
